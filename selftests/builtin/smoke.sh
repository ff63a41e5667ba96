#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What scripts/check-builtin runs in its kernels: rules are translated, packets
# counted, the switch works, namespaces come and go, a commit fails; with the
# module besides that it comes and goes.
#
# usage: selftests/builtin/smoke.sh m|y
form=$1
. "$(dirname "$0")/../safety/lib.sh"

# first_counts: in the first namespace, as counts() of ../safety/lib.sh.
first_counts()
{
	nft flush ruleset
	ruleset 60 | nft -f - && ping -q -c 5 -i 0.01 127.0.0.1 >/dev/null &&
		nft list chain ip t c | grep -q 'counter packets 10 '
}

first_is()
{
	[ "$(awk '$3 == "c" { print $NF }' /proc/net/nft_bpfjit)" = "$1" ]
}

refused_commit() { ! in_ns a nft add rule ip t c jump nowhere; }

many()
{
	local i

	for i in 1 2 3 4 5; do
		simple_ns "n$i"
		ruleset 40 | in_ns "n$i" nft -f - && is_state "n$i" bpf || return 1
	done
	for i in 1 2 3 4 5; do
		ip netns delete "n$i"
	done
}

if [ "$form" = m ]; then
	first_rules=$(ruleset 60 | nft -f - && echo loaded)
	check "rules before the module" [ "$first_rules" = loaded ]
	check "insmod" modprobe nft_bpfjit
	check "what was there is translated" first_is bpf
else
	check "there is no module" sh -c '! grep nft_bpfjit /proc/modules'
	check "and has begun" [ -e /proc/net/nft_bpfjit ]
	check "the command line reaches its parameters" \
		[ "$(cat $PARAMS/rebuild_ms)" = 321 ]
fi
check "the switch is on" [ "$(cat /proc/sys/net/netfilter/nft_jit_enable)" = 1 ]
check "packets are counted" first_counts
check "by a program" first_is bpf
check "a parameter is set" sh -c "echo 400 >$PARAMS/rebuild_ms"
simple_ns a
ruleset 100 | in_ns a nft -f -
check "in another namespace: translated" is_state a bpf
check "counted" counts a
check "a commit fails" refused_commit
check "counted after that" counts a
jit a 0
check "switched off: interpreted" is_state a off
check "counted" counts a
jit a 1
check "switched on: translated" is_state a bpf
check "namespaces come and go" many
in_ns a nft delete table ip t
ip netns delete a
nft flush ruleset
check "no program is left" eventually no_programs
if [ "$form" = m ]; then
	check "rmmod" rmmod nft_bpfjit
	check "modprobe" modprobe nft_bpfjit
	check "translated again" first_counts
	check "rmmod once more" rmmod nft_bpfjit
fi
finish
