#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The interpreter is the reference: each ruleset in rulesets/ is loaded in two
# twin namespaces (lib.sh has the picture), one with the switch off and one with
# it on, and the same packets (inject.c) are sent through both.  Then all has to
# be the same: the counter on every rule, "nft -a list ruleset", its JSON, its
# bytecode, what the IP stack counted, and what came out on the far side.
#
# A ruleset begins with what to send and what to see:
#
#	# send: DEV set...	frames for a device (sets of inject.c; local: from
#				the namespace itself); any number of lines
#	# state: FAMILY TABLE CHAIN STATE
#				a chain that is not to be in state "bpf"
#
# All other chains with the switch on have to be in state bpf, and at least one
# has to be: a run that translated nothing has tested nothing.
#
# usage: differential.sh [ruleset...]
#
# timeout: 900
. "$(dirname "$0")/lib.sh"

DEVS="tx0 tx1 tp0 tp1"

# facts NS FILE: what the twins must have in common.
facts()
{
	local ns=$1 dev

	{
		echo "== nft -a list ruleset"
		in_ns "$ns" nft -a list ruleset
		echo "== nft -j list ruleset"
		in_ns "$ns" nft -j list ruleset | sed 's/{"rule"/\n&/g'
		echo "== nft --debug=netlink list ruleset"
		in_ns "$ns" nft --debug=netlink list ruleset
		echo "== IP"
		in_ns "$ns" cat /proc/net/snmp /proc/net/snmp6 | grep -v ' 0$'
		for dev in $DEVS; do
			echo "== frames out at $dev"
			in_ns "$ns-tx" cat "/sys/class/net/$dev/statistics/rx_packets" \
				"/sys/class/net/$dev/statistics/rx_bytes"
		done
	} >"$2" 2>&1
}

# send_all NS RULESET
send_all()
{
	local ns=$1 dev sets

	while read -r dev sets; do
		# shellcheck disable=SC2086
		inject "$ns" "$dev" $sets
	done < <(sed -n 's/^# send: //p' "$2") || return 1
	settle "$ns"
}

# states RULESET: what the switched-on twin has to say of its chains.
states()
{
	local bad=0 bpf=0 family table chain is want

	while read -r family table chain _ _ _ _ _ _ _ _ is; do
		want=$(sed -n "s/^# state: $family $table $chain //p" "$1")
		[ "$is" != bpf ] || bpf=$((bpf + 1))
		[ "$is" = "${want:-bpf}" ] || {
			bad=1
			echo "$family $table $chain: state $is, not ${want:-bpf}"
		}
	done < <(status on)
	status off | grep -v ' off$' && { echo "switched off, but not off"; bad=1; }
	[ $bpf -gt 0 ] || echo "no chain was translated"
	[ $bad = 0 ] && [ $bpf -gt 0 ]
}

# moved FILE: at least half of the counters are not 0.
moved()
{
	awk '/^== nft -j/ { exit }
	     / counter packets / { all++; if (!/ counter packets 0 /) some++ }
	     END { print some + 0 " of " all + 0 " counters moved"
		   exit !(some * 2 >= all && some) }' "$1"
}

one()
{
	local file=$1 name ns

	name=${1##*/}
	name=${name%.nft}
	for ns in off on; do
		in_ns "$ns" nft flush ruleset
		in_ns "$ns" nft -f "$file" || { notok "$name: nft takes it"; return; }
	done
	check "$name: chains are translated" states "$file"
	for ns in off on; do
		send_all "$ns" "$file" >"$TMP/sent" 2>&1 ||
			{ sed 's/^/#   /' "$TMP/sent"; notok "$name: sent"; return; }
		facts "$ns" "$TMP/$ns"
	done
	same "$name: the same with the switch off and on" "$TMP/off" "$TMP/on"
	check "$name: counters move" moved "$TMP/on"
}

load_module
build_inject
# Translate also what is not worth it.
echo 0 >/sys/module/nft_bpfjit/parameters/cheap
make_twins
[ $# -gt 0 ] || set -- "$HERE"/rulesets/*.nft
for ruleset; do
	one "$ruleset"
done
echo 120 >/sys/module/nft_bpfjit/parameters/cheap
finish
