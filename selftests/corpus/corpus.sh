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
# chance is made steady (prepare).
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

# unlike: leave out what may differ: times, and the numbers of tables, which are
# counted across all namespaces.
unlike()
{
	sed -E -e '/^# (Gen|Comp)/d' -e 's/ expires [0-9a-z]+//' \
		-e 's/^(table .*) # handle [0-9]+$/\1/' \
		-e 's/(\{"table": \{[^}]*"handle": )[0-9]+/\1N/g'
}

# list NS FILE [-c]: with -c counters only.  nft warns of tables that are
# iptables-nft's, on stderr.
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
	} 2>/dev/null | unlike >"$2"
}

# told: nft-jit lists what nft -a does, and says of each rule where it runs.
told()
{
	local rules

	in_ns on "$TOP/scripts/nft-jit" >"$TMP/jit" 2>/dev/null || return 1
	# Without the last line, and what stands behind the rules.
	sed -E -e '$d' -e 's/\t# (bpf|interpreter\()[^\t]*$//' "$TMP/jit" | unlike >"$TMP/jit-list"
	sed -n '/^== with handles$/,/^== JSON$/{/^==/!p}' "$TMP/list-on" |
		diff "$TMP/jit-list" - || return 1
	rules=$(status on | awk '{ n += $5 } END { print n + 0 }')
	echo "$rules rules; $(tail -n 1 "$TMP/jit")"
	[ "$(grep -cE $'\t# (bpf|interpreter\\()' "$TMP/jit")" = "$rules" ] &&
		tail -n 1 "$TMP/jit" | grep -q "^# $rules rules: " &&
		[ "$(in_ns on grep -vc '^#' /proc/net/nft_bpfjit_rules)" = "$rules" ]
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
	local ruleset=$1 f

	check "$ruleset: loads" both load NS "$ruleset"
	both list NS "$TMP/list-NS"
	same "$ruleset: listed the same" "$TMP/list-off" "$TMP/list-on"
	check "$ruleset: nft-jit tells of each rule" told
	[ -n "$SEND" ] || return

	check "$ruleset: loads with counters" both load NS "count/$ruleset"
	for f in off on; do
		arp $f "$ruleset"
		in_ns $f conntrack -F >/dev/null 2>&1
	done
	check "$ruleset: $(grep -vc '^dev' "$MADE/$ruleset.packets") packets" both run NS
	same "$ruleset: the same comes out" "$TMP/out-off" "$TMP/out-on"
	both list NS "$TMP/list-NS" -c
	same "$ruleset: the same counters" "$TMP/list-off" "$TMP/list-on"
	echo "# $(moved "$TMP/list-on"); $(wc -l <"$TMP/out-on") frames came out"
}

# In a function, which bash reads as a whole: the file may change while it runs.
main()
{
	local names ruleset start

	corpus_init
	SEND=1
	case $(uname -r) in
	6.1.*) SEND= ;;
	esac
	both corpus_ns NS
	jit off 0
	jit on 1
	read -rd '' -a names < <(rulesets)
	[ $# = 0 ] || names=("$@")
	for ruleset in "${names[@]}"; do
		start=$SECONDS
		one "$ruleset"
		echo "# $ruleset took $((SECONDS - start)) s"
	done
	check "the switch is off in one" [ "$(status off | grep -vc ' off$')" = 0 ]
	finish
}

main "$@"
