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
TMP=${TEST_TMP:-$(mktemp -d /tmp/nft_bpfjit.XXXXXX)}
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
	[[ ! -e $CHEAP || -z ${CHEAP_WAS-} ]] || echo "$CHEAP_WAS" >$CHEAP
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

# start NS COMMAND...: in the background; its number is in PID.
start()
{
	nsenter --net="/run/netns/$1" "${@:2}" &
	PID=$!
}

# stop PID...
stop()
{
	kill -TERM "$@"
	wait "$@"
} 2>/dev/null

# monitors_are NS N: N "nft monitor" listen; before that they read the ruleset.
monitors_are()
{
	in_ns "$1" awk -v want="$2" '$2 == 12 && $4 !~ /^0*$/ { n++ }
		END { exit n + 0 != want }' /proc/net/netlink
}

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
programs_are() { [[ $(programs) == "$1" ]]; }

# is_state NS FAMILY TABLE CHAIN STATE
is_state() { [[ $(state "${@:1:4}") == "$5" ]] || { status "$1"; return 1; }; }

# ruleset NS: from stdin, all at once.
ruleset() { in_ns "$1" nft -f -; }

# packets NS FAMILY TABLE COUNTER: of a named counter.
packets()
{
	in_ns "$1" nft list counter "${@:2}" |
		sed -n 's/.*packets \([0-9]*\) .*/\1/p'
}

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

# build_tools [NAME...]: "make check" has compiled the programs on the host, in
# build/net; otherwise it is done here, once for all tests of a guest.
build_tools()
{
	local name to

	[[ $# -gt 0 ]] || set -- inject owner
	for name; do
		to=$HERE/../../build/net/$name
		[[ $to -nt $HERE/$name.c ]] ||
			to=/tmp/nft_bpfjit-$name-$(cksum <"$HERE/$name.c" | tr -d ' ')
		[[ -x $to ]] || gcc -O1 -o "$to" "$HERE/$name.c" -Wl,--as-needed -lmnl ||
			{ notok "$name.c compiles"; finish; }
		printf -v "${name^^}" %s "$to"
	done
}

# inject NS DEV [option...] set...
inject() { in_ns "$1-tx" "$INJECT" "${@:2}"; }

# veth NS NAME INDEX MAC PEER [PEER-MAC]: for "ip -batch"; the same interface
# indexes in all twins.
veth()
{
	echo "link add $2 index $3 mtu 9000 address $4 type veth" \
		"peer name $5 netns $1-tx mtu 9000 ${6:+address $6}"
}

# set_sysctls: in the namespace.  Whatever depends on the clock is off: ICMP's
# rate limits and redirects (limited as well, by their age), time-outs, repeated
# announcements of multicast memberships.
set_sysctls()
{
	local f

	sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_ratemask=0 \
		net.ipv6.icmp.ratelimit=0 \
		net.ipv4.conf.all.accept_local=1 \
		net.ipv4.conf.all.accept_source_route=1 \
		net.ipv4.ipfrag_time=100000 net.ipv6.ip6frag_time=100000 \
		net.netfilter.nf_conntrack_tcp_loose=0
	echo >/proc/sys/net/ipv6/icmp/ratemask
	for f in all default; do
		sysctl -qw "net.ipv4.conf.$f.rp_filter=0" \
			"net.ipv4.conf.$f.send_redirects=0" \
			"net.ipv6.conf.$f.accept_ra=0" \
			"net.ipv6.conf.$f.accept_dad=0" \
			"net.ipv6.conf.$f.addr_gen_mode=1" \
			"net.ipv6.conf.$f.mldv2_unsolicited_report_interval=1"
	done
	for f in /proc/sys/net/netfilter/nf_conntrack_*timeout*; do
		echo 100000 >"$f"
	done
}

# make_ns NS
make_ns()
{
	local ns=$1 tx=$1-tx

	ip netns add "$ns"
	ip netns add "$tx"
	in_ns "$tx" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 \
		net.ipv6.conf.default.disable_ipv6=1
	# Before there are devices, which start with these.
	in_ns "$ns" bash -c "$(declare -f set_sysctls); set_sysctls"
	{
		echo "link set lo up"
		veth "$ns" in0 10 02:00:00:00:01:01 tx0 02:00:00:00:01:02
		veth "$ns" out0 11 02:00:00:00:02:01 tx1 02:00:00:00:02:02
		veth "$ns" p0 12 02:00:00:00:03:01 tp0
		veth "$ns" p1 13 02:00:00:00:03:02 tp1
		echo "link add br0 index 14 mtu 9000 address 02:00:00:00:03:00" \
			"type bridge forward_delay 0 mcast_snooping 0" \
			"ageing_time 10000000"
	} | ip -n "$ns" -batch -
	in_ns "$ns" sysctl -qw net.ipv6.conf.p0.disable_ipv6=1 \
		net.ipv6.conf.p1.disable_ipv6=1
	# What is forwarded leaves through the other side, see redirects.
	ip -n "$ns" -batch - <<-END
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
		route add default via 10.0.2.254 dev out0 onlink table 100
		route add fd00:2::/64 via fe80::fe dev out0 onlink
		route add default via fe80::fe dev in0 onlink
		route add default via fe80::fe dev out0 onlink table 100
		rule add iif in0 lookup 100 pref 100
		neigh add 10.0.2.254 lladdr 02:00:00:00:02:02 dev out0 nud permanent
		neigh add 10.0.1.254 lladdr 02:00:00:00:01:02 dev in0 nud permanent
		neigh add fe80::fe lladdr 02:00:00:00:02:02 dev out0 nud permanent
		neigh add fe80::fe lladdr 02:00:00:00:01:02 dev in0 nud permanent
	END
	ip -6 -n "$ns" rule add iif in0 lookup 100 pref 100
	ip -n "$tx" -batch - <<-END
		link set tx0 arp off up
		link set tx1 arp off up
		link set tp0 arp off up
		link set tp1 arp off up
	END
}

# cheap N: estimated instructions up to which a chain is left alone.  Tests set
# it to 0, to have everything translated; finish sets it back to what it is when
# the module is loaded.
CHEAP=/sys/module/nft_bpfjit/parameters/min_cost
cheap() { CHEAP_WAS=${CHEAP_WAS:-$(<$CHEAP)}; echo "$1" >$CHEAP; }

# begin: what all tests but those of loading begin with.
begin()
{
	load_module
	build_tools
	cheap 0
}

# make_twins: "off" and "on".
make_twins()
{
	# A burst shall fit in the queue behind a veth.
	sysctl -qw net.core.netdev_max_backlog=100000
	make_ns off
	make_ns on
	jit off 0
	jit on 1
	# Let the announcements of multicast memberships pass.
	sleep 1
	settle off
	settle on
}

# settle_here: wait for all packets of this namespace to have gone through.
settle_here()
{
	local was='' now i

	for ((i = 0; i < 50; i++)); do
		now=$(</proc/net/dev)$(</proc/net/snmp)$(</proc/net/snmp6)
		[ "$now" != "$was" ] || break
		was=$now
		read -rt 0.1 <><(:)
	done
	:
}

# settle NS: the same of that one.
settle() { in_ns "$1" bash -c "$(declare -f settle_here); settle_here"; }

# refused FILE WORDS: with one line of ours, which has these words.
refused()
{
	dmesg -C
	! insmod "$1" 2>/dev/null || { echo "insmod succeeded"; rmmod nft_bpfjit; return 1; }
	dmesg | grep nft_bpfjit: >"$TMP/said"
	cat "$TMP/said"
	[[ $(wc -l <"$TMP/said") == 1 ]] && grep -q "$2" "$TMP/said"
}

# nothing_left: of the module, by whose insmod nothing came of it.
nothing_left()
{
	[[ ! -e /proc/sys/net/netfilter/nft_jit_enable && ! -e /proc/net/nft_bpfjit ]] &&
		! grep nft_bpfjit /proc/modules &&
		! grep -E 'nfj_|nft_bpfjit' /sys/kernel/tracing/enabled_functions
}
