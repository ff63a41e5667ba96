#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Chains that have their callees in them (commit/whole.c).  Tables of many short
# chains that jump to each other, made at random, are loaded in both twins (lib.sh),
# switch off and on, and the same packets are sent; what nft lists, counters and all,
# has to be equal.  Then chains that are jumped to change, are emptied and filled,
# one after the other, with packets in between.
#
# usage: whole.sh [first seed [tables]]
#
# timeout: 2400
. "$(dirname "$0")/lib.sh"

FIRST=${1:-1}
TABLES=${2:-12}
EDITS=5

# table SEED: base chains b0 to b2, chains c0 to c9, each of which leads to those
# behind it only.
table()
{
	awk -v seed="$1" '
	function r(n) { return int(rand() * n) }
	function cond(  k) {
		k = r(14)
		if (k == 0) return "tcp dport " 1 + r(60)
		if (k == 1) return "tcp dport " 1 + r(30) "-" 31 + r(60)
		if (k == 2) return "tcp dport { " 1 + r(30) ", " 31 + r(30) ", " 61 + r(30) " }"
		if (k == 3) return "udp dport " 1 + r(60) "-" 61 + r(30)
		if (k == 4) return "meta mark " r(3)
		if (k == 5) return "meta mark != " r(3)
		if (k == 6) return "iifname \"in0\""
		if (k == 7) return "ip saddr 10.0.0.0/8"
		if (k == 8) return "meta l4proto " (r(2) ? "tcp" : "udp")
		if (k == 9) return "ct state " (r(2) ? "new" : "new,established")
		if (k == 10) return "ip protocol != icmp"
		if (k == 11) return "tcp dport @ports"
		return ""
	}
	function residue(  k) {
		k = r(9)
		if (k < 4) return "counter"
		if (k == 4) return "counter meta mark set " r(3)
		if (k == 5) return "meta mark set mark or 0x1 counter"
		if (k == 6) return "ct mark set " r(3) " counter"
		return ""
	}
	function verdict(from,  k) {
		k = r(16)
		if (from < 9 && k < 6) return "jump c" from + 1 + r(9 - from)
		if (from < 9 && k < 8) return "goto c" from + 1 + r(9 - from)
		if (from < 7 && k == 8)
			return "th dport vmap { 1-20 : jump c" from + 1 ", 21-40 : goto c" \
				from + 2 ", 41-50 : return, 51-60 : accept }"
		if (k == 9) return "return"
		if (k == 10) return "accept"
		if (k == 11) return "drop"
		if (from < 8 && k == 12)
			return "iifname . th dport vmap { \"in0\" . 5 : jump c" from + 1 \
				", \"in0\" . 7 : goto c" from + 2 ", \"in0\" . 9 : drop }"
		return ""
	}
	function rule(from,  text) {
		do
			text = cond() " " residue() " " verdict(from)
		while (text ~ /^ *$/)
		return text
	}
	BEGIN {
		srand(seed)
		print "table inet t {"
		print "set ports { type inet_service; elements = { 3, 13, 23, 33, 43 }; }"
		for (i = 9; i >= 0; i--) {
			print "chain c" i " {"
			for (n = r(4) * r(3); n > 0; n--)
				print rule(i)
			print "}"
		}
		for (i = 0; i < 3; i++) {
			print "chain b" i " { type filter hook prerouting priority " i - 10 ";"
			for (n = 2 + r(6); n > 0; n--)
				print rule(-1)
			print "}"
		}
		print "}"
		# what changes later, a line for each
		for (i = 0; i < 5; i++) {
			k = r(10)
			if (i % 3 == 0) print "edit flush chain inet t c" k
			if (i % 3 == 1) print "edit add rule inet t c" k " " rule(k)
			if (i % 3 == 2)
				print "edit insert rule inet t c" k " " rule(k) \
					"; flush chain inet t c" (k + 1) % 10 \
					"; add rule inet t c" (k + 1) % 10 " counter"
		}
	}'
}

# compare NAME
compare()
{
	local ns

	for ns in off on; do
		inject "$ns" tx0 tcp udp >/dev/null
		settle "$ns"
		in_ns "$ns" nft list ruleset >"$TMP/list-$ns" 2>&1
	done
	same "$1" "$TMP/list-off" "$TMP/list-on"
}

# A program for a base chain, or all of this tests nothing.
translated() { status on | grep -q ' b[0-2] .* bpf$'; }

begin
make_twins
programs=0
for ((seed = FIRST; seed < FIRST + TABLES; seed++)); do
	table $seed >"$TMP/made"
	grep -v '^edit ' "$TMP/made" >"$TMP/table"
	for ns in off on; do
		in_ns $ns nft flush ruleset
		in_ns $ns nft -f "$TMP/table" || { notok "table $seed loads"; continue 2; }
	done
	! translated || programs=$((programs + 1))
	compare "table $seed"
	for ((i = 1; i <= EDITS; i++)); do
		edit=$(sed -n 's/^edit //p' "$TMP/made" | sed -n ${i}p)
		for ns in off on; do
			in_ns $ns nft "$edit" >"$TMP/said-$ns" 2>&1
		done
		same "table $seed, $edit: said" "$TMP/said-off" "$TMP/said-on"
		compare "table $seed, $edit"
	done
	jit on 0
	jit on 1
	compare "table $seed, switched off and on"
done
check "tables were translated" test $programs -ge $((TABLES / 2))
finish
