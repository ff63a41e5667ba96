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
#	# send: DEV set...	frames for a device (sets of inject.c); any number
#				of lines
#	# send: local		datagrams from the namespace itself
#	# moved: all		no counter may be left at 0, not only half of them
#	# state: FAMILY TABLE CHAIN STATE
#				a chain that is not to be in state "bpf"
#
# All other chains with the switch on have to be in state bpf, and at least one
# has to be: a run that translated nothing has tested nothing.
#
# usage: differential.sh [ruleset...]
#
# timeout: 2000
. "$(dirname "$0")/lib.sh"

DEVS="tx0 tx1 tp0 tp1"

# counts NS: all that was counted outside of the ruleset, as "name value".
counts()
{
	local ns=$1 dev

	in_ns "$ns" cat /proc/net/snmp /proc/net/netstat | awk '
		$1 != was { was = $1; n = split($0, name); next }
		{ for (i = 2; i <= n; i++) print $1 name[i], $i; was = "" }'
	in_ns "$ns" cat /proc/net/snmp6
	for dev in $DEVS; do
		in_ns "$ns-tx" awk -v d="$dev" '$1 == d ":" {
			print d ":bytes", $2; print d ":packets", $3
			print d ":drop", $5 }' /proc/net/dev
	done
}

# netlink: "nft --debug=netlink", with the elements of a set in order: theirs is
# that of a hash whose seed is different each time.
netlink()
{
	awk '{ e = /^\telement/; if (!(e && was)) block++; was = e
	       printf "%d\t%s\n", block, $0 }' |
		LC_ALL=C sort -s -t '	' -k1,1n -k2 | cut -f2-
}

# facts NS FILE: what the twins must have in common.
facts()
{
	local ns=$1

	{
		echo "== nft list ruleset"
		in_ns "$ns" nft list ruleset
		echo "== nft -a list ruleset"
		in_ns "$ns" nft -a list ruleset
		echo "== nft -j list ruleset"
		in_ns "$ns" nft -j list ruleset | sed 's/{"rule"/\n&/g'
		echo "== nft --debug=netlink list ruleset"
		in_ns "$ns" nft --debug=netlink list ruleset | netlink
		echo "== counted since the ruleset was loaded"
		counts "$ns" | awk '
			NR == FNR { was[$1] = $2; next }
			$2 != was[$1] { print $1, $2 - was[$1] }' "$TMP/$ns-before" -
	} >"$2" 2>&1
}

# send_local NS: to itself and to what is behind it.
send_local()
{
	in_ns "$1" bash -c 'for to in 10.0.1.1 10.0.2.9 fd00:1::1 fd00:2::9; do
		echo hello >"/dev/udp/$to/7" || exit 1
	done' 2>&1
}

# send_all NS RULESET
send_all()
{
	local ns=$1 dev sets

	while read -r dev sets; do
		if [ "$dev" = local ]; then
			send_local "$ns"
		else
			# shellcheck disable=SC2086
			inject "$ns" "$dev" $sets
		fi || return 1
	done < <(sed -n 's/^# send: //p' "$2") || return 1
	settle "$ns"
}

# states RULESET: what the switched-on twin has to say of its chains.
states()
{
	local bad=0 bpf=0 family table chain is want

	while read -r family table chain _ _ _ _ _ _ _ _ _ is; do
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

# moved FILE RULESET: at least half of the counters are not 0, or all.
moved()
{
	awk -v every="$(grep -c '^# moved: all$' "$2")" '
	     /^== nft -a/ { exit }
	     /^\tchain/ { chain = $2 }
	     / counter packets / { all++; if (!/ counter packets 0 /) some++
		else if (every) print chain ":", $0 }
	     END { print some + 0 " of " all + 0 " counters moved"
		   exit !(some * (every ? 1 : 2) >= all && some) }' "$1"
}

# came_out FILE: frames on the far side, and bytes of them.
came_out()
{
	awk '/^== / { part = $0 }
	     part ~ /^== counted/ && $1 ~ /^t[xp][01]:(bytes|packets)$/ {
		print; sum[substr($1, 5)] += $2 }
	     END { exit !(sum["packets"] > 0 && sum["bytes"] >= 14 * sum["packets"]) }' "$1"
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
		settle "$ns"
		counts "$ns" >"$TMP/$ns-before"
		send_all "$ns" "$file" >"$TMP/sent" 2>&1 ||
			{ sed 's/^/#   /' "$TMP/sent"; notok "$name: sent"; return; }
		facts "$ns" "$TMP/$ns"
	done
	same "$name: the same with the switch off and on" "$TMP/off" "$TMP/on"
	sed -n "s|^t[xp][01]:packets|# &|p" "$TMP/on"
	check "$name: counters move" moved "$TMP/on" "$file"
	check "$name: frames come out" came_out "$TMP/on"
}

begin
[ $# -gt 0 ] || set -- "$HERE"/rulesets/*.nft

# Load all of the rulesets once before: each module that nf_tables has to load
# makes it replay the transaction, and count its tables once more.
make_ns warm
for ruleset; do
	in_ns warm nft -f "$ruleset" && in_ns warm nft flush ruleset
done >/dev/null 2>&1
ip netns delete warm
ip netns delete warm-tx

make_twins
for ruleset; do
	one "$ruleset"
done
finish
