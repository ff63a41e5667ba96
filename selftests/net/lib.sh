# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the guest tests share.  To be sourced: results as KTAP, a temporary
# folder, commands in network namespaces, and two twin namespaces, one with the
# switch off and one with it on, alike in everything else:
#
#          ns "off" / ns "on"                     ns "off-tx" / "on-tx"
#    +------------------------------+          +-------------------------+
#    | in0   10.0.1.1/32 fd00:1::1  |----------| tx0   02:00:00:00:01:02 |
#    |       02:00:00:00:01:01      |          |       frames go in here |
#    | out0  10.0.2.1/32 fd00:2::1  |----------| tx1   02:00:00:00:02:02 |
#    |       02:00:00:00:02:01      |          |                         |
#    | br0 { p0                     |----------| tp0                     |
#    |       p1 }                   |----------| tp1                     |
#    +------------------------------+          +-------------------------+
#
# The namespaces with the other ends have no addresses and answer nothing.  All
# neighbours are permanent, nothing is rate limited and nothing times out, so
# that what happens depends on the packets sent and on nothing else.

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
MODULE=${MODULE:-$HERE/../../build/$(uname -r)/nft_bpfjit.ko}
TMP=$(mktemp -d /tmp/nft_bpfjit.XXXXXX)
COUNT=0

ok() { COUNT=$((COUNT + 1)); echo "ok $COUNT $*"; }
notok() { COUNT=$((COUNT + 1)); echo "not ok $COUNT $*"; }
skip() { COUNT=$((COUNT + 1)); echo "ok $COUNT $1 # SKIP $2"; }

# finish: the plan, and the end of the namespaces.
finish()
{
	echo "1..$COUNT"
	ip -all netns delete
	nft flush ruleset
	rm -rf "$TMP"
	exit 0
}

# check NAME COMMAND...: a result; what the command writes is shown if it fails.
check()
{
	local name=$1

	shift
	if "$@" >"$TMP/check" 2>&1; then
		ok "$name"
	else
		head -n 60 "$TMP/check" | sed 's/^/#   /'
		notok "$name"
	fi
}

# same NAME FILE FILE: a result, and the difference if there is one.
same() { check "$1" diff -u "$2" "$3"; }

# in_ns NS COMMAND...
in_ns() { nsenter --net="/run/netns/$1" "${@:2}"; }

# jit NS 0|1: the switch.
jit() { in_ns "$1" sh -c "echo $2 >/proc/sys/net/netfilter/nft_jit_enable"; }

# status NS: a line for each chain, without the heading.
status() { in_ns "$1" sed 1d /proc/net/nft_bpfjit; }

# state NS FAMILY TABLE CHAIN: the last column.
state()
{
	status "$1" | awk -v k="$2 $3 $4" '$1 " " $2 " " $3 == k { print $NF }'
}

# programs: how many programs of ours are loaded.
programs() { bpftool prog show | grep -c ' name nft_'; }

# eventually COMMAND...: within 20 s.
eventually()
{
	local _

	for _ in {1..100}; do
		"$@" && return 0
		sleep 0.2
	done
	return 1
}

load_module()
{
	modprobe -a nf_tables nf_conntrack veth bridge nf_conntrack_bridge
	[ -e /sys/module/nft_bpfjit ] || insmod "$MODULE"
}

# build_inject: once for all tests of a guest, a compiler is slow there.
build_inject()
{
	INJECT=/tmp/nft_bpfjit-inject-$(cksum <"$HERE/inject.c" | tr -d ' ')
	[ -x "$INJECT" ] || gcc -o "$INJECT" "$HERE/inject.c" ||
		{ notok "inject.c compiles"; finish; }
}

# inject NS DEV [option...] set...
inject() { in_ns "$1-tx" "$INJECT" "${@:2}"; }

# make_ns NS
make_ns()
{
	local ns=$1 tx=$1-tx

	ip netns add "$ns"
	ip netns add "$tx"
	in_ns "$tx" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 \
		net.ipv6.conf.default.disable_ipv6=1
	# The same interface indexes in all twins.
	ip -n "$ns" -batch - <<-END
		link set lo up
		link add in0 index 10 mtu 9000 address 02:00:00:00:01:01 type veth peer name tx0 netns $tx address 02:00:00:00:01:02 mtu 9000
		link add out0 index 11 mtu 9000 address 02:00:00:00:02:01 type veth peer name tx1 netns $tx address 02:00:00:00:02:02 mtu 9000
		link add p0 index 12 mtu 9000 address 02:00:00:00:03:01 type veth peer name tp0 netns $tx mtu 9000
		link add p1 index 13 mtu 9000 address 02:00:00:00:03:02 type veth peer name tp1 netns $tx mtu 9000
	END
	in_ns "$ns" sh -c '
		sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
			net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
			net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 \
			net.ipv4.conf.all.accept_local=1 \
			net.ipv4.conf.all.accept_source_route=1 \
			net.ipv4.ipfrag_time=100000 net.ipv6.ip6frag_time=100000 \
			net.ipv6.conf.all.accept_ra=0 net.ipv6.conf.default.accept_ra=0 \
			net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0 \
			net.ipv6.conf.default.addr_gen_mode=1
		for d in in0 out0 p0 p1; do
			echo 0 >/proc/sys/net/ipv4/conf/$d/rp_filter
			for s in accept_ra=0 accept_dad=0 addr_gen_mode=1; do
				echo ${s#*=} >/proc/sys/net/ipv6/conf/$d/${s%=*}
			done
		done
		for d in p0 p1; do
			echo 1 >/proc/sys/net/ipv6/conf/$d/disable_ipv6
		done
		for s in /proc/sys/net/netfilter/nf_conntrack_*timeout*; do
			echo 100000 >$s
		done
		echo 0 >/proc/sys/net/netfilter/nf_conntrack_tcp_loose
		:'
	ip -n "$ns" -batch - <<-END
		link add br0 index 14 mtu 9000 address 02:00:00:00:03:00 type bridge forward_delay 0 mcast_snooping 0 ageing_time 10000000
		link set p0 master br0
		link set p1 master br0
		link set in0 up
		link set out0 up
		link set p0 up
		link set p1 up
		link set br0 up
		addr add 10.0.1.1/32 dev in0
		addr add 10.0.2.1/32 dev out0
		addr add fd00:1::1/128 dev in0 nodad
		addr add fd00:2::1/128 dev out0 nodad
		route add 10.0.2.0/24 via 10.0.2.254 dev out0 onlink
		route add default via 10.0.1.254 dev in0 onlink
		route add fd00:2::/64 via fe80::fe dev out0 onlink
		route add default via fe80::fe dev in0 onlink
		neigh add 10.0.2.254 lladdr 02:00:00:00:02:02 dev out0 nud permanent
		neigh add 10.0.1.254 lladdr 02:00:00:00:01:02 dev in0 nud permanent
		neigh add fe80::fe lladdr 02:00:00:00:02:02 dev out0 nud permanent
		neigh add fe80::fe lladdr 02:00:00:00:01:02 dev in0 nud permanent
	END
	ip -n "$tx" -batch - <<-END
		link set tx0 arp off up
		link set tx1 arp off up
		link set tp0 arp off up
		link set tp1 arp off up
	END
}

# make_twins: "off" and "on".
make_twins()
{
	# One budget of ICMP errors for all namespaces.
	sysctl -qw net.ipv4.icmp_msgs_per_sec=1000000 \
		net.ipv4.icmp_msgs_burst=1000000 2>/dev/null
	make_ns off
	make_ns on
	jit off 0
	jit on 1
	# Let the announcements of multicast memberships pass.
	sleep 3
}

# settle NS: wait for all packets to have gone through.
settle()
{
	in_ns "$1" bash -c '
		was=
		for ((i = 0; i < 50; i++)); do
			now=$(</proc/net/dev)$(</proc/net/snmp)$(</proc/net/snmp6)
			[ "$now" != "$was" ] || break
			was=$now
			read -rt 0.1 <><(:)
		done
		:'
}
