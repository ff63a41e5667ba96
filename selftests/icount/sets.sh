#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 2400
#
# What a packet costs that is looked up in named sets, and a command that changes one,
# as ratios of figures taken in the same run (figures.sh says how).
#
# Instructions per packet above an empty chain, switch off and on.  What a set's table
# may cost is a part of what nft's own lookup does.  "goal" is what is to be reached,
# in instructions; bounds are a little above what is.
set -u

table='
# figure                  times  of                   plus  goal
on:hash-miss:1000          0.24  off:hash-miss:1000      8  50
on:hash-miss:100000        0.24  off:hash-miss:100000    8  50
on:hash-hit:1000           0.20  off:hash-hit:1000       8  60
on:ivals-miss:1000         0.20  off:ivals-miss:1000     8  60
on:ivals-miss:10000        0.20  off:ivals-miss:10000    8  65
on:ivals-miss:100000       0.20  off:ivals-miss:100000   8  70
on:concat:1000             0.60  off:concat:1000         8  110
on:vmap-iifname:100        0.85  off:vmap-iifname:100    8  120
on:vmap-port:100           0.75  off:vmap-port:100       8  120
on:iifname:12              0.50  off:iifname:12          8  250
on:times-miss:1000         0.40  off:times-miss:1000     8  60
on:times-hit:1000          0.40  off:times-hit:1000      8  80
on:counters-hit:1000       0.70  off:counters-hit:1000   8  250
on:mark-port:100           0.80  off:mark-port:100       8  150
on:mark-geo:20000          0.48  off:mark-geo:20000      8  150
on:five-rules:1000         0.24  off:five-rules:1000     8  150
on:five-chains:1000        0.40  off:five-chains:1000    8  350
on:add-hash:10000          1.30  off:add-hash:10000      0  -
on:add-times:10000         1.30  off:add-times:10000     0  -
on:add-ivals:10000         1.30  off:add-ivals:10000     0  -
on:fill-hash:100000        1.30  off:fill-hash:100000    0  -
'
# Short, for all of it to end in time: one instruction more or less.
export B_BUDGET=${B_BUDGET:-20000000} B_TIMES=${B_TIMES:-1}

# Only the first start says it, the second is in a namespace.
[[ -n ${B_NS-} ]] || echo "1..$(grep -c '^[^#]' <<<"$table")"
# shellcheck source=selftests/bench/lib.sh
. "$TOP/selftests/bench/lib.sh"
# shellcheck source=selftests/lib/hold.sh
. "$TOP/selftests/lib/hold.sh"

# elements N FORMAT: with the awk variables a, an address, and p, a port.
elements()
{
	b_awk "$1" "a = addr(i); p = port(i); printf \"%s%s\", i ? \", \" : \"\", $2"
}

# nets N MORE: pairs of addresses, each with awk's MORE behind it.
nets() { b_awk "$1" "printf \"%s%s/31%s\", i ? \", \" : \"\", addr(i * 2), $2"; }

# set NAME TYPE ELEMENTS [MORE]
set_of() { echo "set $1 { type $2; ${4-} elements = { $3 }; }"; }
map_of() { echo "map $1 { type $2; ${4-} elements = { $3 }; }"; }

# chain_of NUMBER RULES: a base chain.
chain_of() { echo "chain c$1 { type filter hook prerouting priority $(($1 + 1)); $2 }"; }

hashes()
{
	local n

	b_base $B_MANY
	for n in 1000 100000; do
		echo "ip saddr @s drop" |
			b_table "$(set_of s ipv4_addr "$(elements $n a)")" | b_load
		b_both hash-miss $n $B_MANY
	done
	echo "ip saddr @s accept" |
		b_table "$(set_of s ipv4_addr "10.9.0.1, $(elements 1000 a)")" | b_load
	b_both hash-hit 1000
	echo "ip saddr . udp dport @s drop" |
		b_table "$(set_of s "ipv4_addr . inet_service" \
			"$(elements 1000 'a " . " p')")" | b_load
	b_both concat 1000 $B_MANY
	echo "ip saddr @s drop" |
		b_table "$(set_of s ipv4_addr "$(elements 1000 a)" "timeout 1d;")" |
		b_load
	b_both times-miss 1000 $B_MANY
	echo "ip saddr @s accept" |
		b_table "$(set_of s ipv4_addr "10.9.0.1, $(elements 1000 a)" "timeout 1d;")" |
		b_load
	b_both times-hit 1000
	echo "ip saddr @s accept" |
		b_table "$(set_of s ipv4_addr "10.9.0.1, $(elements 1000 a)" "counter;")" |
		b_load
	b_both counters-hit 1000
}

ivals()
{
	local n

	b_base $B_MANY
	for n in 1000 10000 100000; do
		echo "ip saddr @s drop" |
			b_table "$(set_of s ipv4_addr \
				"$(nets $n '""')" \
				"flags interval;")" | b_load
		b_both ivals-miss $n $B_MANY
	done
	n=20000
	echo "meta mark set ip saddr map @m" |
		b_table "$(map_of m "ipv4_addr : mark" \
			"10.9.0.0/16 : 7, $(nets $n '" : " i % 200')" \
			"flags interval;")" | b_load
	b_both mark-geo $n $B_MANY
}

maps()
{
	b_base $B_MANY
	echo "iifname vmap @m" |
		b_table "$(map_of m "ifname : verdict" \
			"\"pg0\" : accept, $(elements 100 '"\"eth" i "\" : drop"')")" |
		b_load
	b_both vmap-iifname 100
	echo "udp dport vmap @m" |
		b_table "$(map_of m "inet_service : verdict" \
			"2000 : accept, $(elements 100 'p " : drop"')")" | b_load
	b_both vmap-port 100
	echo "meta mark set udp dport map @m" |
		b_table "$(map_of m "inet_service : mark" \
			"2000 : 7, $(elements 100 'p " : " i')")" | b_load
	b_both mark-port 100
}

many()
{
	local i sets='' rules='' chains=''

	b_base $B_MANY
	for ((i = 0; i < 12; i++)); do
		sets+="$(set_of s$i ifname "\"eth$i\", \"wan$i\", \"lan$i\"")"$'\n'
		rules+="iifname @s$i drop"$'\n'
	done
	b_table "$sets" <<<"$rules" | b_load
	b_both iifname 12
	sets='' rules=''
	for ((i = 0; i < 5; i++)); do
		sets+="$(set_of s$i ipv4_addr "$(elements 1000 a)")"$'\n'
		rules+="ip saddr @s$i drop"$'\n'
		chains+="$(chain_of $i '')"$'\n'
	done
	b_table "$sets" <<<"$rules" | b_load
	b_both five-rules 1000 $B_MANY
	b_table "$chains" </dev/null | b_load
	b_packet $B_MANY
	B_BASE=$B_COST
	chains=''
	for ((i = 0; i < 5; i++)); do
		chains+="$(chain_of $i "ip saddr @s$i drop;")"$'\n'
	done
	b_table "$sets$chains" </dev/null | b_load
	b_both five-chains 1000 $B_MANY
}

# adds NET: five transactions of an element each.
adds()
{
	local i

	for i in 0 1 2 3 4; do
		echo "add element ip t s { 10.200.$1.$((i * 2)) }"
	done | nft -i
}

# Into a set of so many elements, and all of them at once.
commits()
{
	local kind more elements c

	for kind in hash times ivals; do
		more='' elements=$(elements 10000 a)
		[[ $kind != times ]] || more='timeout 1d;'
		[[ $kind != ivals ]] || more='flags interval;' elements=$(nets 10000 '""')
		for c in off on; do
			b_switch $c
			echo "ip saddr @s drop" |
				b_table "$(set_of s ipv4_addr "$elements" "$more")" | b_load
			# once to warm up
			adds 1
			b_wait
			b_cost add-$kind 10000 $c adds 2
			b_cost_put add-$kind 10000 $c
		done
	done
	elements=$(elements 100000 a)
	for c in off on; do
		b_switch $c
		echo "ip saddr @s drop" |
			b_table "$(set_of s ipv4_addr "$elements")" | b_load
		b_cost fill-hash 100000 $c nft -f "$B_TMP/load"
		b_cost_put fill-hash 100000 $c
	done
}

# In a function, which bash reads as a whole.  PARTS: some of them, to look at.
main()
{
	# shellcheck disable=SC2086
	hold_all "$table" ${PARTS:-hashes ivals maps many commits}
}

main
