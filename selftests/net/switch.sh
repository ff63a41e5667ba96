#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# net.netfilter.nft_jit_enable: what it is at first, for the first namespace and for
# new ones, and two who write it at once.
#
# processors: 2
# timeout: 600
. "$(dirname "$0")/lib.sh"

SWITCH=/proc/sys/net/netfilter/nft_jit_enable

rules()
{
	echo "table ip t {"
	echo "chain c { type filter hook input priority 0;"
	printf 'tcp dport %d counter\n' {1..20}
	printf "}\n}\n"
}

# here STATE: of the first namespace's chain.
here()
{
	awk -v s="$1" '$2 == "t" && $NF == s { n = 1 } END { exit !n }' /proc/net/nft_bpfjit
}

switch_is() { [ "$(in_ns "$1" cat $SWITCH)" = "$2" ]; }

# writes NS VALUE TIMES: one of two who do not agree.
writes()
{
	local i

	for ((i = 0; i < $3; i++)); do
		echo "$2" >$SWITCH
	done
}

load_module
rmmod nft_bpfjit
rules | nft -f -
check "insmod enable=0" insmod "$MODULE" enable=0
check "... the switch is off" grep -qx 0 $SWITCH
check "... what was there is interpreted" here off
ip netns add new
check "... a new namespace is as the first one" switch_is new 0
rules | ruleset new
check "... its rules are interpreted" is_state new ip t c off
check "on, in the first one" sh -c "echo 1 >$SWITCH"
check "... translated" here bpf
check "... the other one keeps what it has" switch_is new 0
ip netns add newer
check "... and a newer one is on" switch_is newer 1
rules | ruleset newer
check "... its rules are translated" is_state newer ip t c bpf
rmmod nft_bpfjit
check "insmod: on without being told" insmod "$MODULE"
check "... what was there is translated, here" here bpf
check "... and in the others" is_state new ip t c bpf

for round in 1 2 3 4 5; do
	export -f writes
	export SWITCH
	start new bash -c "writes - 0 200"
	one=$PID
	start new bash -c "writes - 1 200"
	two=$PID
	wait "$one" "$two"
	value=$(in_ns new cat $SWITCH)
	[ "$value" = 1 ] && state=bpf || state=off
	check "two writers: round $round ends at $value, the chain is $state" \
		is_state new ip t c $state
done
jit new 0
check "off: no program but the others'" eventually programs_are 2
jit new 1
check "on: its own again" is_state new ip t c bpf
finish
