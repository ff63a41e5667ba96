#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 10,000 rules in a chain: translated, perhaps in several programs, and with the
# same result for packets that meet the first, one in the middle, the last, or
# none.  Rules that a search helps (one field) and such that it does not.
#
# timeout: 1200
. "$(dirname "$0")/lib.sh"

RULES=10000

# One address each; the senders of inject's ip4 are 10.0.1.2 and others.
by_address()
{
	local i

	echo "table ip t {"
	echo "chain pre { type filter hook prerouting priority 0;"
	echo "ip saddr 172.16.0.0 counter"
	for ((i = 1; i < RULES - 1; i++)); do
		if ((i == RULES / 2)); then
			echo "ip saddr 192.168.1.5 counter"
		else
			echo "ip saddr 11.$((i >> 8)).$((i & 255)).1 counter"
		fi
	done
	echo "ip saddr 10.0.1.2 counter"
	echo "}"
	echo "}"
}

# Several fields, in a different order each.
mixed()
{
	local i

	echo "table ip t {"
	echo "chain pre { type filter hook prerouting priority 0;"
	echo "ip saddr 172.16.0.0 udp dport 2000 counter"
	for ((i = 1; i < RULES / 4; i++)); do
		case $((i % 5)) in
		0) echo "ip saddr 11.0.$((i >> 8)).$((i & 255)) tcp dport $i counter" ;;
		1) echo "udp sport $i ip daddr 10.0.1.1 counter" ;;
		2) echo "ip ttl $((i & 255)) tcp dport != $i counter" ;;
		3) echo "tcp dport $((i / 8)) ip saddr != 10.0.1.9 counter" ;;
		4) echo "udp dport $i-$((i + 50)) counter" ;;
		esac
	done
	echo "ip saddr 10.0.1.2 udp dport 2000 counter"
	echo "}"
	echo "}"
}

# Prefixes, ranges of ports, protocols, verdicts: a tree whose leaves are packed.
tuples()
{
	local i

	echo "table ip t {"
	echo "chain pre { type filter hook prerouting priority 0;"
	for ((i = 0; i < RULES / 10; i++)); do
		case $((i % 4)) in
		0) echo "ip saddr 11.$((i & 63)).$((i >> 2 & 255)).0/$((20 + i % 12))" \
			"ip daddr 10.0.1.1 udp dport $i-$((i + 50))" ;;
		1) echo "ip daddr 12.$((i & 255)).$((i >> 8)).0/24 tcp sport 1024-65535" \
			"tcp dport $((i & 127))" ;;
		2) echo "ip saddr 13.$((i & 255)).$((i >> 8)).1 ip daddr 10.0.$((i & 3)).0/24" ;;
		3) echo "ip saddr 10.0.1.$((i >> 2)) udp dport $((i + 1200))-3000" ;;
		esac
	done | awk '{ print $0, "counter", int(NR / 4) % 2 ? "drop" : "accept" }'
	echo "ip saddr 10.0.1.2 udp dport 2000 counter"
	echo "}"
	echo "}"
}

# load NAME GENERATOR: into both twins, and send.
load()
{
	local name=$1 ns

	"$2" >"$TMP/rules"
	for ns in off on; do
		in_ns "$ns" nft flush ruleset
		in_ns "$ns" nft -f "$TMP/rules" || notok "$name: nft takes it"
		inject "$ns" tx0 ip4 >/dev/null
		settle "$ns"
		in_ns "$ns" nft -a list ruleset >"$TMP/$ns"
	done
	same "$name: the same" "$TMP/off" "$TMP/on"
	check "$name: translated" is_state on ip t pre bpf
	status on | awk '{ n = gsub(",", ",", $8)
		print "# " $5 " rules: " n + 1 " programs, " $10 " insns" }'
}

# met: how many rules were met.
met() { grep -c 'counter packets [1-9]' "$TMP/on"; }

begin
make_twins
load "by address" by_address
check "by address: all rules" [ "$(status on | cut -d' ' -f5-7)" = "$RULES $RULES $RULES" ]
for a in 172.16.0.0 192.168.1.5 10.0.1.2; do
	check "by address: $a" grep -q "saddr $a counter packets [1-9]" "$TMP/on"
done
check "by address: none else" [ "$(met)" = 3 ]
load "mixed" mixed
check "mixed: many rules are met" [ "$(met)" -gt 50 ]
load "5-tuples" tuples
check "5-tuples: one is met" [ "$(met)" -ge 1 ]
in_ns on nft flush ruleset
check "programs go" eventually programs_are 0
finish
