#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Each ruleset of the corpus, with the switch off in one namespace and on in its
# twin (lib.sh): it loads in both and is listed the same, as text, with handles,
# as JSON and by iptables-save.  Then the same packets (packets.awk makes them of
# the ruleset, probe.c sends them) go to both, and the counters, what came back
# and what was forwarded have to be the same.
#
# For the packets nft's rules get a counter each (instrument.awk), and what
# depends on time or on chance is made steady.
#
# usage: corpus.sh [ruleset...]		6.1 only loads and lists
#
# timeout: 1500
. "$(dirname "$0")/lib.sh"

# steady FILE: rates without refill, lists without expiry, hashes with a seed.
steady()
{
	sed -E -i -e 's/limit rate (over )?[0-9]+\/[a-z]+( burst [0-9]+ packets)?/limit rate \11\/week burst 5 packets/' \
		-e 's/timeout [0-9]+[smh]/timeout 10d/g' \
		-e 's/(jhash .*mod [0-9]+)/\1 seed 0x1234/' \
		-e 's/(--limit|--hashlimit-upto) [0-9]+\/[a-z]+/\1 1\/day/' \
		-e 's/(--limit-burst|--hashlimit-burst) [0-9]+/\1 5/' \
		-e 's/--seconds [0-9]+/--seconds 100000/' "$1"
}

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

# list NS FILE
list()
{
	{
		echo "== nft list ruleset"
		in_ns "$1" nft list ruleset
		echo "== nft -a list ruleset"
		in_ns "$1" nft -a list ruleset
		echo "== nft -j list ruleset"
		in_ns "$1" nft -j list ruleset | sed 's/{"rule"/\n&/g'
		case $FILES in
		*.ipt?)
			in_ns "$1" iptables-nft-save -c
			in_ns "$1" ip6tables-nft-save -c ;;
		esac
	} 2>&1 | sed -E '/^# (Gen|Comp)/d; s/ expires [0-9a-z]+//' >"$2"
}

# packets NS: the lines for probe.
packets()
{
	local dev

	for dev in $(ip -n "$1-tx" -o link | sed -n 's/^[0-9]*: x-\([^@]*\)@.*/\1/p'); do
		case $dev in
		vm*|uplink) echo "dev $dev 52:54:00:00:00:12" ;;
		*) echo "dev $dev $(in_ns "$1" cat "/sys/class/net/$dev/address")" ;;
		esac
	done
	awk -f "$CORPUS/packets.awk" "${FILES[@]}" max="$MAX"
}

# run NS: send all, what comes out goes to $TMP/out-NS.
run()
{
	local opt=

	cat "${FILES[@]}" | grep -qiE 'masq|snat|random' && opt=-p
	in_ns "$1-tx" "$PROBE" $opt <"$TMP/packets" | sort >"$TMP/out-$1"
	[ "${PIPESTATUS[0]}" = 0 ]
}

# moved FILE: how many of the counters did.
moved()
{
	awk '/^== nft -a/ { exit }
	     / counter packets / { all++; if (!/ counter packets 0 /) some++ }
	     END { print "# " some + 0 " of " all + 0 " counters moved" }' "$1"
}

one()
{
	local name=$1 f copy=() arp

	ruleset_files "$name" || { notok "$name: made"; return; }
	if ! both load NS "$name" >"$TMP/loaded"; then
		sed 's/^/#   /' "$TMP/loaded"
		notok "$name: loads"
		return
	fi
	ok "$name: loads"
	both list NS "$TMP/list-NS"
	same "$name: listed the same" "$TMP/list-off" "$TMP/list-on"
	[ -n "$SEND" ] || return

	for f in "${FILES[@]}"; do
		copy+=("$TMP/steady-${f##*/}")
		case $f in
		*.nft) awk -f "$CORPUS/instrument.awk" "$f" ;;
		*) cat "$f" ;;
		esac >"$TMP/steady-${f##*/}"
		steady "$TMP/steady-${f##*/}"
	done
	if ! both load NS "${copy[@]}" >"$TMP/loaded"; then
		sed 's/^/#   /' "$TMP/loaded"
		notok "$name: loads with counters"
		return
	fi
	arp=off
	! grep -q '^table arp' "${FILES[@]}" || arp=on
	for f in off on; do
		ip -n $f link set eth0 arp $arp
		ip -n $f link set eth1 arp $arp
		in_ns $f conntrack -F >/dev/null 2>&1
	done
	packets off >"$TMP/packets"
	check "$name: $(grep -vc '^dev' "$TMP/packets") packets" both run NS
	same "$name: the same comes out" "$TMP/out-off" "$TMP/out-on"
	echo "# $(wc -l <"$TMP/out-on") frames came out"
	both list NS "$TMP/list-NS"
	same "$name: the same counters" "$TMP/list-off" "$TMP/list-on"
	moved "$TMP/list-on"
}

load_corpus_modules
SEND=1
MAX=${MAX:-150}
case $(uname -r) in
6.1.*) SEND= ;;
esac
if [ -n "$SEND" ]; then
	PROBE=$TMP/probe
	gcc -o "$PROBE" "$CORPUS/probe.c" || { notok "probe.c compiles"; finish; }
fi
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
