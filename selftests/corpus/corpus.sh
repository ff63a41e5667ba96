#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Each ruleset of the corpus, with the switch off in one namespace and on in its
# twin (lib.sh): it loads in both and is listed the same, as text, with handles,
# as JSON and by iptables-save.  Then the same packets (packets.awk makes them of
# the ruleset, probe.c sends them) go to both, and the counters, what came back
# and what was forwarded have to be the same.
#
# For the packets nft's rules get a counter each, and what depends on time or on
# chance is made steady (prepare).  The interfaces do without ARP, so that no
# packet waits for a neighbour, except where the ruleset has something to say
# about ARP.
#
# usage: corpus.sh [ruleset...]		6.1 only loads and lists
#
# timeout: 1500
. "$(dirname "$0")/lib.sh"

# both COMMAND...: with "off" and with "on" in place of NS, at the same time.
both()
{
	local ns pids=() bad=0 pid

	for ns in off on; do
		"${@//NS/$ns}" >"$TMP/both-$ns" 2>&1 &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || bad=1
	done
	cat "$TMP"/both-{off,on}
	return $bad
}

# list NS FILE [-c]: with -c counters only.
list()
{
	{
		in_ns "$1" nft list ruleset
		if [ -z "${3-}" ]; then
			echo "== with handles"
			in_ns "$1" nft -a list ruleset
			echo "== JSON"
			in_ns "$1" nft -j list ruleset | sed 's/{"rule"/\n&/g'
		fi
		for f in "$MADE/$ruleset".ipt?; do
			[ -e "$f" ] || continue
			echo "== ${f##*.}"
			case $f in
			*4) in_ns "$1" iptables-nft-save -c ;;
			*6) in_ns "$1" ip6tables-nft-save -c ;;
			esac
		done
		# Tables are numbered across all namespaces.
	} 2>&1 | sed -E -e '/^# (Gen|Comp)/d' -e 's/ expires [0-9a-z]+//' \
		-e 's/^(table .*) # handle [0-9]+$/\1/' \
		-e 's/(\{"table": \{[^}]*"handle": )[0-9]+/\1N/g' >"$2"
}

# run NS: send all, what comes out goes to $TMP/out-NS.
run()
{
	local opt=

	cat "$MADE/$ruleset".{nft,ipt4,ipt6} 2>/dev/null | grep -qiE 'masq|snat|random' && opt=-p
	in_ns "$1-tx" "$MADE/probe" $opt <"$MADE/$ruleset.packets" | sort >"$TMP/out-$1"
	[ "${PIPESTATUS[0]}" = 0 ]
}

# moved FILE: how many of the counters did.
moved()
{
	awk '/ counter packets / { all++; if (!/ counter packets 0 /) some++ }
	     END { print some + 0 " of " all + 0 " counters moved" }' "$1"
}

one()
{
	local ruleset=$1 f arp=off

	check "$ruleset: loads" both load NS "$ruleset"
	both list NS "$TMP/list-NS"
	same "$ruleset: listed the same" "$TMP/list-off" "$TMP/list-on"
	[ -n "$SEND" ] || return

	check "$ruleset: loads with counters" both load NS "count/$ruleset"
	! grep -qs '^table arp' "$MADE/$ruleset".nft || arp=on
	for f in off on; do
		printf 'link set %s arp '$arp'\n' eth0 eth1 | ip -n $f -batch -
		in_ns $f conntrack -F >/dev/null 2>&1
	done
	check "$ruleset: $(grep -vc '^dev' "$MADE/$ruleset.packets") packets" both run NS
	same "$ruleset: the same comes out" "$TMP/out-off" "$TMP/out-on"
	both list NS "$TMP/list-NS" -c
	same "$ruleset: the same counters" "$TMP/list-off" "$TMP/list-on"
	echo "# $(moved "$TMP/list-on"); $(wc -l <"$TMP/out-on") frames came out"
}

corpus_init
SEND=1
case $(uname -r) in
6.1.*) SEND= ;;
esac
both corpus_ns NS
jit off 0
jit on 1
[ $# -gt 0 ] || read -rd '' -a names < <(rulesets)
[ $# = 0 ] || names=("$@")
for name in "${names[@]}"; do
	start=$SECONDS
	one "$name"
	echo "# $name took $((SECONDS - start)) s"
done
check "the switch is off in one" [ "$(status off | grep -vc ' off$')" = 0 ]
finish
