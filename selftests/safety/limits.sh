#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The budget: programs take no more memory than max_netns_kb in a namespace and
# max_total_kb in all.  What finds no room is interpreted, with reason "limit",
# and works; what is given back can be used again, by the next commit of its table.
# Chains that are interpreted take nothing, however many there are.  Commits in
# quick succession heap up nothing.
#
# timeout: 600
. "$(dirname "$0")/lib.sh"

used() { cat $PARAMS/used_kb; }
cap() { echo "$2" >$PARAMS/max_"$1"_kb; }

# within KB: that much is used at most, now and while rules are replaced.
within()
{
	[ "$(used)" -le "$1" ] || { echo "$(used) of $1 KB"; return 1; }
}

test_used() { [ "$(used)" = "$1" ] || { used; return 1; }; }

# few N: a table with so many chains of a rule or two.
few()
{
	local i

	echo "table ip few {"
	for ((i = 0; i < $1; i++)); do
		echo "chain c$i { ip saddr 10.0.0.1 counter; ip ttl 7 accept; }"
	done
	echo "}"
}

again() { jit "$1" 0 && jit "$1" 1; }

# commits N: as many transactions, in one process, each of which replaces the
# chain's program.
commits()
{
	local i

	for ((i = 0; i < $1; i++)); do
		echo "add rule ip t c ip daddr 11.0.0.$i counter"
	done | in_ns a nft -i
}

programs_below() { [ "$(programs)" -le "$1" ] || { programs; return 1; }; }

load_module
eventually no_programs || notok "nothing is used at the beginning"
for ns in a b; do
	simple_ns $ns
	ruleset 500 | in_ns $ns nft -f -
	check "$ns is translated" is_state $ns bpf
	[ $ns = b ] || one=$(used)
done
check "what they use is counted" test $((one * 2 - $(used))) -le 1
check "... and is more than a page" test "$one" -gt 4

cap netns $((one - 1))
check "below what one takes: switched off and on" again a
check "... interpreted, and why" is_state a limit
check "... packets are counted" counts a
check "... the other one is left alone" is_state b bpf
check "... one is used" eventually within "$one"
cap netns $((one * 2 + 1))
check "room again: switched off and on" again a
check "... translated" is_state a bpf

jit a 0
jit b 0
check "all is given back" eventually no_programs
cap total $((one + 1))
for ns in a b; do
	jit $ns 1
done
check "room for one in all: the first one is translated" is_state a bpf
check "... the second one is not" is_state b limit
check "... packets are counted in both" bash -c "$(declare -f counts counted ping_self in_ns);
	counts a && counts b"
check "... no more is used" within $((one + 1))
jit a 0
check "... given back" eventually no_programs
jit b 1
check "... off and on is not needed where it was off" again b
check "... then the second one is translated" is_state b bpf
cap total 0
in_ns b nft add rule ip t c counter
check "nothing at all: a commit goes through, interpreted" is_state b limit
check "... nothing is used" eventually no_programs
cap total 262144
cap netns 65536

echo 1000000 >$PARAMS/min_cost
jit a 1
check "not worth it: left to the interpreter" is_state a cheap
check "... nothing is taken" eventually test_used 0
in_ns a nft add rule ip t c counter
check "... nor by a commit" test "$(used)" = 0
jit a 0
echo 1 >$PARAMS/min_cost

jit a 1
check "translated" is_state a bpf
# a rule more than at first
before=$(used)
in_ns a nft -f - <<<"$(few 300)"
check "hundreds of chains that are not worth it" \
	test "$(status a | grep -c ' cheap$')" = 300
check "... take nothing" eventually test_used "$before"
in_ns a nft flush table ip few
in_ns a nft delete table ip few
jit a 0
cap netns $((one / 2))
jit a 1
check "no room: interpreted" is_state a limit
in_ns a nft add rule ip t c counter
check "... a commit leaves it so" is_state a limit
cap netns 65536
in_ns a nft add chain ip t other
check "... room again: the next commit of the table has it translated" is_state a bpf
check "... packets are counted" counts a
jit a 0

jit a 1
check "quick commits" commits 200
check "... all are there" \
	test "$(in_ns a nft list chain ip t c | grep -c 'ip daddr 11')" = 200
check "... the chain is translated" is_state a bpf
check "... two generations of programs at most" programs_below 2
check "... one once it is quiet" eventually programs_below 1
in_ns a nft flush ruleset
check "the end: all is given back" eventually no_programs
finish
