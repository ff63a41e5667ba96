#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Who may have programs loaded: a task with CAP_NET_ADMIN alone, as in a container,
# may not, but where it has been granted: by writing 1 to the switch, by a module
# parameter, or, in the first network namespace, by loading the module.  And whose
# memory they take: that of who commits.
#
# timeout: 600
. "$(dirname "$0")/lib.sh"

# net_admin NS COMMAND...: with that capability alone; "-" is the first netns.
net_admin()
{
	local ns=/run/netns/$1

	[ "$1" != - ] || ns=/proc/1/ns/net
	nsenter --net=$ns setpriv --bounding-set=-all,+net_admin \
		--inh-caps=-all "${@:2}"
}

# is_here STATE: of the chain in the first netns.
is_here()
{
	awk -v want="$1" '$3 == "c" && $NF == want { found = 1 } { print }
		END { exit !found }' /proc/net/nft_bpfjit
}

load_module
simple_ns a
ruleset 300 >"$TMP/rules"

check "CAP_NET_ADMIN alone: rules are taken" net_admin a nft -f "$TMP/rules"
check "... and interpreted" is_state a no-cap
check "... no program is loaded" test "$(programs)" = 0
check "... packets are counted" counts a
net_admin a sh -c "echo 1 >/proc/sys/net/netfilter/nft_jit_enable" 2>/dev/null
check "... it cannot grant it to itself" is_state a no-cap
in_ns a nft add chain ip t other
check "a commit of root's has the table translated" is_state a bpf
net_admin a nft add rule ip t c ip saddr 10.1.1.1 counter
check "... one without takes it back" is_state a no-cap
check "... packets are counted" counts a
check "... no program is left" eventually programs_are 0

jit a 1
check "root writes 1: translated" is_state a bpf
net_admin a nft add rule ip t c ip saddr 10.1.1.2 counter
check "... and what others commit there, too" is_state a bpf
check "... packets are counted" counts a
sysctl -qw net.core.bpf_jit_harden=1
net_admin a nft add rule ip t c ip saddr 10.1.1.3 counter
check "... not where constants should be blinded for them" is_state a no-cap
sysctl -qw net.core.bpf_jit_harden=0
jit a 0
in_ns a nft flush ruleset

simple_ns b
echo 1 >$PARAMS/allow_net_admin
net_admin b nft -f "$TMP/rules"
check "allow_net_admin=1: translated" is_state b bpf
echo 0 >$PARAMS/allow_net_admin
in_ns b nft flush ruleset

net_admin - nft -f "$TMP/rules"
check "the first netns: translated" is_here bpf
nft flush ruleset

check "all is given back" eventually no_programs

# The kernel's memory of a cgroup: the programs and their tables among it.
mkdir "$TMP/cg"
mount -t cgroup2 none "$TMP/cg"
echo +memory >"$TMP/cg/cgroup.subtree_control"

# charged N 0|1: bytes that cgroup N has for the rules, with the switch so; what the
# budget has meanwhile goes to the file "used".
charged()
{
	mkdir "$TMP/cg/$1"
	jit a "$2"
	(echo $BASHPID >"$TMP/cg/$1/cgroup.procs"
	 exec nsenter --net=/run/netns/a nft -f "$TMP/many")
	sleep 1
	cat $PARAMS/used_kb >"$TMP/used"
	awk '$1 == "kernel" { print $2 }' "$TMP/cg/$1/memory.stat"
	in_ns a nft flush ruleset
}

ruleset 3000 >"$TMP/many"
charged 0 0 >/dev/null
plain=$(charged 1 0)
bpf=$(charged 2 1)
used=$(<"$TMP/used")
echo "# $plain bytes, $bpf with programs, $used KB in the budget"
# Not the machine code, which is less than a tenth here.
check "what 3,000 rules take is charged to who commits" \
	test $((bpf - plain)) -ge $((used * 1024 * 9 / 10))
umount "$TMP/cg"
finish
