#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
#
# What it costs to be seen: instructions a packet above an empty chain, with hits and
# the tracepoint off, after both have been on, with hits on, with the tracepoint on and
# all its events dropped by a filter, and with all of them recorded.
#
# Off is off: after they have been on a packet costs what it did.  Hits are to cost less
# than a rule with "counter" in the interpreter.
set -u
# shellcheck source=selftests/lib/pktgen.sh
. "$TOP/selftests/lib/pktgen.sh"

export PG_BUDGET=20000000
tracefs=/sys/kernel/tracing
event=$tracefs/instances/cost/events/nft_bpfjit/verdict
n=0 failed=0

modprobe -a nf_tables
[ -e /sys/module/nft_bpfjit ] || insmod "$MODULE"
mount -t tracefs tracefs $tracefs 2>/dev/null
MIN_COST=/sys/module/nft_bpfjit/parameters/min_cost
was=$(<$MIN_COST)
echo 0 >$MIN_COST
pg_init seen

hits() { ip netns exec seen sh -c "echo $1 >/proc/sys/net/netfilter/nft_jit_hits"; }

# chain KIND: from 1,000 rules to one that a packet meets the end of, or its last rule.
chain()
{
	local i

	ip netns exec seen nft flush ruleset
	pg_sink seen
	{
		echo "table ip t { chain pre {"
		echo "type filter hook prerouting priority 0; policy accept;"
		case $1 in
		empty) ;;
		plain)
			for i in {1..1000}; do
				echo "ip saddr 10.$((i / 250)).$((i % 250)).1 accept"
			done ;;
		walk)
			for i in {1..10}; do
				echo "udp dport $((2000 - i))-2000 counter"
			done ;;
		esac
		echo "}"
		echo "}"
	} | ip netns exec seen nft -f - || { echo "Bail out! nft"; exit 1; }
	[ "$1" = empty ] || ip netns exec seen grep -q "^ip t pre .* bpf$" /proc/net/nft_bpfjit ||
		{ echo "Bail out! not translated"; exit 1; }
}

trace()
{
	case $1 in
	on)
		mkdir $tracefs/instances/cost
		[ -z "$2" ] || echo "$2" >$event/filter
		echo 1 >$event/enable ;;
	off)
		echo 0 >$event/enable
		rmdir $tracefs/instances/cost ;;
	esac
}

above() { pg_above "$base" "$(pg_packet seen "$@")"; }

# holds FIGURE BOUND
holds() { awk -v f="$1" -v b="$2" 'BEGIN { exit !(f <= b) }'; }

# hold TEXT FIGURE BOUND: a test
hold()
{
	n=$((n + 1))
	if holds "$2" "$3"; then
		echo "ok $n $1: $2 <= $3"
	else
		echo "not ok $n $1: $2 <= $3"
		failed=1
	fi
}

chain empty
base=$(pg_packet seen)
printf '# %-34s %8s %8s %8s %10s %10s\n' "above an empty chain" off hits "off again" filtered traced
# least NAME FIGURE: the variable's is the least of those seen
least()
{
	local -n of=$1

	[[ -n $of ]] && holds "$of" "$2" || of=$2
}

# once KIND PACKET...
once()
{
	chain "$1"
	shift
	least off "$(above "$@")"
	hits 1
	least hit "$(above "$@")"
	hits 0
	trace on "len == 0"
	least filtered "$(above "$@")"
	trace off
	trace on ""
	least traced "$(above "$@")"
	trace off
	least again "$(above "$@")"
}

# figures NAME SHORT KIND HITS PACKET...: what is held: off again it costs what it did,
# two measurements differ by up to 8 or a hundredth; hits cost up to HITS more, if not
# 0.  What comes between two packets only adds: the least of three rounds at most.
figures()
{
	local name=$1 short=$2 kind=$3 more=$4 before with

	shift 4
	off='' hit='' filtered='' traced='' again=''
	for _ in 1 2 3; do
		once "$kind" "$@"
		before=$(awk -v o="$off" 'BEGIN { print o + (o > 800 ? int(o / 100) : 8) }')
		with=$(awk -v o="$off" -v m="$more" 'BEGIN { print o + m }')
		if holds "$again" "$before" && { [ "$more" = 0 ] || holds "$hit" "$with"; }; then
			break
		fi
	done
	printf '# %-34s %8s %8s %8s %10s %10s\n' "$name" "$off" "$hit" "$again" \
		"$filtered" "$traced"
	hold "off again, as before: $short" "$again" "$before"
	[ "$more" = 0 ] || hold "hits: at most $more more: $short" "$hit" "$with"
}

figures "1,000 rules, no match: policy" policy plain 0
figures "1,000 rules, the last accepts" accept plain 20 src=10.4.0.1
figures "10 rules with a counter, all match" counters walk 200 dport=2000
ip netns delete seen
echo "$was" >$MIN_COST
echo "1..$n"
exit $failed
