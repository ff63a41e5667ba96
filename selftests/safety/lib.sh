# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the tests of safety and stress share, on top of those of ../net.  To be
# sourced.
# shellcheck source=selftests/net/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../net/lib.sh"

PARAMS=/sys/module/nft_bpfjit/parameters
RIVAL=${MODULE%/*}/rival.ko

# ruleset N: an "ip t" with a chain "c" of N rules that no packet matches, in
# which all packets end in a counter, hooked at output.
ruleset()
{
	local i

	echo "table ip t { chain c { type filter hook output priority 0;"
	for ((i = 0; i < $1; i++)); do
		echo "ip daddr 10.$((i >> 8)).$((i & 255)).1 drop"
	done
	echo "counter accept; }; }"
}

# is_state NS STATE: of the chain that ruleset() makes.
is_state() { [ "$(state "$1" ip t c)" = "$2" ]; }

# ping_self NS N: N packets out and N in, and N replies each way.
ping_self() { in_ns "$1" ping -q -c "$2" -i 0.01 -w 60 127.0.0.1; }

# counted NS: packets that came to the end of the chain of ruleset().
counted()
{
	in_ns "$1" nft list chain ip t c |
		sed -n 's/.*counter packets \([0-9]*\) bytes.*/\1/p'
}

# counts NS: 5 pings are 10 packets at output, none lost, none twice.
counts()
{
	local before

	before=$(counted "$1")
	ping_self "$1" 5 >/dev/null && [ $(($(counted "$1") - before)) = 10 ]
}

# simple_ns NS: a namespace with nothing but a loopback.
simple_ns()
{
	ip netns add "$1"
	ip -n "$1" link set lo up
}

# unload_module: with whatever rules there are.
unload_module() { rmmod nft_bpfjit; }

# no_programs: all are gone, and what they took is back in the budget.
no_programs()
{
	[ "$(programs)" = 0 ] || return 1
	[ ! -e $PARAMS/used_kb ] || [ "$(<$PARAMS/used_kb)" = 0 ]
}
