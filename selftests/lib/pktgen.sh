# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Count guest instructions: per packet, and of a whole command.  To be sourced
# by what runs in a guest of "scripts/guest --icount", where one nanosecond of
# the guest's clock is one instruction: the figures are the same on any machine,
# loaded or not, to within a few instructions per packet (the timer's tick).
#
#   . "$TOP/selftests/lib/pktgen.sh"
#   pg_init ns1                            # namespace, device, sink
#   ip netns exec ns1 nft -f empty-chain
#   base=$(pg_packet ns1 src=10.9.0.1)
#   ip netns exec ns1 nft -f chain
#   pg_above "$base" "$(pg_packet ns1 src=10.9.0.1)"
#
# The packets are made by the kernel's own pktgen, which hands each one straight
# to the receive path (xmit_mode netif_receive), as if the device had received
# it: IP's receive function, the prerouting hook, and there it ends, in the sink.
#
#   pktgen -> netif_receive_skb(pg0) -> ip_rcv -> prerouting: rules under test
#                                                 prerouting: sink (policy drop)
#
# Without the sink each packet would go on to a route, a closed port and an ICMP
# error, several times as expensive as what is to be measured, and less even.
# Only burst 1 is used: with more the packets are clones that prerouting has to
# unshare first.

PG_DEV=pg0

# pg_init NS: make the namespace NS with the device pg0 (10.99.0.1/24, fd99::1/64)
# and the sink.  The sink is a chain that drops what comes to the very end of
# prerouting, in a table of its own, so that a "flush ruleset" is to be followed
# by another pg_sink.
pg_init()
{
	modprobe pktgen
	ip netns add "$1"
	ip -n "$1" link set lo up
	ip -n "$1" link add "$PG_DEV" type dummy
	ip -n "$1" link set "$PG_DEV" up
	ip -n "$1" addr add 10.99.0.1/24 dev "$PG_DEV"
	ip -n "$1" addr add fd99::1/64 dev "$PG_DEV" nodad
	pg_sink "$1"
}

pg_sink()
{
	ip netns exec "$1" nft -f - <<-END
	table inet pg_sink {
		chain prerouting {
			type filter hook prerouting priority 2147483647; policy drop;
		}
	}
	END
}

# pg_send NS [key=value...]: send packets; prints nanoseconds (instructions) per
# packet, with two decimals.
#
#   count=1000 src=10.9.0.1 dst=10.99.0.1 sport=1000 dport=2000 size=60 dev=pg0
#   src6=, dst6= (both or none: the packets are IPv6)   mac= (default: dev's own)
#   src_max= dst_max= sport_max= dport_max= flags= (pktgen's own; with ranges,
#   addresses and ports go round, or are random with flags=IPSRC_RND and so on)
#   put="pktgen command" (any number of times, last)
pg_send()
{
	local ns=$1 count=1000 src=10.9.0.1 dst=10.99.0.1 src_max='' dst_max=''
	local sport=1000 dport=2000 sport_max='' dport_max='' size=60 flags=''
	local dev=$PG_DEV src6='' dst6='' mac='' flag put=() result arg

	shift
	for arg; do
		case $arg in
		put=*) put+=("${arg#put=}") ;;
		count=*|src=*|dst=*|src_max=*|dst_max=*|sport=*|dport=*|size=*|\
		sport_max=*|dport_max=*|flags=*|dev=*|src6=*|dst6=*|mac=*)
			printf -v "${arg%%=*}" %s "${arg#*=}" ;;
		*) echo "pg_send: what is $arg?" >&2; return 1 ;;
		esac
	done
	# pktgen takes no count for "forever".
	[ "$count" -gt 0 ] || return 1
	[ -n "$mac" ] ||
		mac=$(ip netns exec "$ns" cat "/sys/class/net/$dev/address")
	# shellcheck disable=SC2016
	{
		# Adding the device anew resets all its parameters.
		echo "kpktgend_0 rem_device_all"
		echo "kpktgend_0 add_device $dev"
		echo "$dev count $count"
		echo "$dev pkt_size $size"
		echo "$dev clone_skb 0"
		echo "$dev burst 1"
		echo "$dev delay 0"
		echo "$dev xmit_mode netif_receive"
		echo "$dev dst_mac $mac"
		if [ -n "$src6" ]; then
			echo "$dev src6 $src6"
			echo "$dev dst6 $dst6"
		else
			echo "$dev src_min $src"
			echo "$dev src_max ${src_max:-$src}"
			echo "$dev dst_min $dst"
			echo "$dev dst_max ${dst_max:-$dst}"
		fi
		echo "$dev udp_src_min $sport"
		echo "$dev udp_src_max ${sport_max:-$sport}"
		echo "$dev udp_dst_min $dport"
		echo "$dev udp_dst_max ${dport_max:-$dport}"
		for flag in $flags; do
			echo "$dev flag $flag"
		done
		[ ${#put[@]} = 0 ] || printf "$dev %s\n" "${put[@]}"
		echo "pgctrl start"
	} | ip netns exec "$ns" bash -c '
		while read -r file line; do
			echo "$line" >"/proc/net/pktgen/$file" ||
				{ echo "pktgen refused: $file $line" >&2; exit 1; }
		done' || return 1
	# Result: OK: 93703(c93693+d10) usec, 20000 (60byte,0frags)
	result=$(ip netns exec "$ns" sed -n \
		's/^Result: OK: [0-9]*(c\([0-9]*\)+d[0-9]*) usec, \([0-9]*\) .*/\1 \2/p' \
		"/proc/net/pktgen/$dev")
	# c is in microseconds.
	awk -v r="$result" 'BEGIN {
		if (split(r, a) != 2 || !a[2]) exit 1
		printf "%.2f\n", a[1] * 1000 / a[2] }'
}

# pg_packet NS [key=value...]: instructions per packet, as pg_send, but with a
# first run (of PG_FIRST packets) to warm up and to see how many packets go into
# PG_BUDGET instructions, which is what a measurement may cost (2.5 to 5 s); it
# has at least PG_LEAST of them.
pg_packet()
{
	local ns=$1 first count

	shift
	first=$(pg_send "$ns" "$@" "count=${PG_FIRST:-300}") || return 1
	count=$(awk -v b="${PG_BUDGET:-250000000}" -v f="$first" \
		-v least="${PG_LEAST:-1000}" 'BEGIN {
		n = int(b / f)
		printf "%d\n", n < least ? least : (n > 100000 ? 100000 : n) }')
	pg_send "$ns" "$@" "count=$count"
}

# pg_above BASE FIGURE: the difference, rounded to whole instructions.
pg_above()
{
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.0f\n", b - a }'
}

# pg_busy: sets PG_BUSY to the nanoseconds that the processor has spent in tasks
# (field 7 of a cpu line of schedstat).  A task's time is added when it stops
# running, hence the sleep.  Builtins only besides that.
pg_busy()
{
	local name rest

	sleep 0.01
	while read -r name rest; do
		[ "$name" = cpu0 ] || continue
		# shellcheck disable=SC2086
		set -- $rest
		PG_BUSY=$7
	done </proc/schedstat
}

# pg_command COMMAND...: guest instructions of a whole command, of its fork and
# end, and of the kernel's threads that worked for it meanwhile; its output goes
# to stderr.  The clock itself will not do here: when all tasks wait, for a disk
# or for RCU, it leaps to the next timer.  Run the command once or twice before,
# for the files it reads to be in memory, and run this in the namespace rather
# than measure "ip netns exec" too:
#
#   ip netns exec ns1 bash -c ". $TOP/selftests/lib/pktgen.sh; pg_command nft -f x"
pg_command()
{
	local before rc=0

	pg_busy
	before=$PG_BUSY
	"$@" >&2 || rc=$?
	pg_busy
	echo $((PG_BUSY - before))
	return $rc
}
