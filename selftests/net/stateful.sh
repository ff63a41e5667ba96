#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What keeps a state, or has an effect on a packet or a connection: objects,
# dynamic sets, NAT, helpers, flowtables, queues; and rulesets that are big, odd
# or change under the packets.  Each case is done in two twin namespaces
# (lib.sh), one with the switch off and one with it on, and all that it prints
# must be the same, and "nft -a" and "nft -j list ruleset" and "conntrack -L"
# afterwards.  Each twin here has two more neighbours, who can talk (talk.c):
#
#	  ns "off-c" / "on-c"      "off" / "on"        "off-s" / "on-s"
#	+-------------------+   +-----------------+   +-------------------+
#	| eth0 10.0.9.2     |---| c0   10.0.9.1   |   |                   |
#	|      fd00:9::2    |   |      fd00:9::1  |   |                   |
#	+-------------------+   | s0   10.0.8.1   |---| eth0 10.0.8.2     |
#	                        |      fd00:8::1  |   |      fd00:8::2    |
#	                        +-----------------+   +-------------------+
#
# A case is a function that works on the twin $ns.  It is named together with
# patterns for lines that it has to have printed: a case in which nothing
# happened has tested nothing.  So has one with no translated chain.
#
# usage: stateful.sh [case...]
#
# timeout: 1500
. "$(dirname "$0")/lib.sh"

CASES=(objects maps_of_objects dynamic_sets timeouts limits nat nat_map masquerade
	helper ct_objects flowtable synproxy queue reject tproxy dup_fwd resets
	deleted_chains refill xt modules big_named big_anonymous)

# make_end NS c|s NET INDEX: a neighbour.
make_end()
{
	local ns=$1 end=$1-$2 dev=${2}0 net=$3 mac=02:00:00:00:0$3

	ip netns add "$end"
	# No announcements of multicast memberships, at a time of their own.
	in_ns "$end" nft -f - <<-END
		table ip6 quiet {
			chain out {
				type filter hook output priority 0; policy accept;
				ip6 daddr ff02::/16 drop
			}
		}
	END
	in_ns "$end" sysctl -qw net.ipv4.conf.all.rp_filter=0 \
		net.ipv4.conf.default.rp_filter=0 net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.all.accept_ra=0 net.ipv6.conf.default.accept_ra=0
	ip -n "$ns" -batch - <<-END
		link add $dev index $4 address $mac:01 type veth peer name eth0 netns $end
		link set $dev up
		addr add 10.0.$net.1/24 dev $dev
		addr add fd00:$net::1/64 dev $dev nodad
		neigh add 10.0.$net.2 lladdr $mac:02 dev $dev nud permanent
		neigh add fd00:$net::2 lladdr $mac:02 dev $dev nud permanent
	END
	ip -n "$end" -batch - <<-END
		link set lo up
		link set eth0 address $mac:02 up
		addr add 10.0.$net.2/24 dev eth0
		addr add fd00:$net::2/64 dev eth0 nodad
		route add default via 10.0.$net.1
		route add default via fd00:$net::1
		neigh add 10.0.$net.1 lladdr $mac:01 dev eth0 nud permanent
		neigh add fd00:$net::1 lladdr $mac:01 dev eth0 nud permanent
	END
	in_ns "$ns" sysctl -qw "net.ipv4.conf.$dev.rp_filter=0"
}

# rules: from stdin.  nft COMMAND...: in the twin.
rules() { in_ns "$ns" nft -f - || echo "nft fails: $?"; }
nft_() { in_ns "$ns" nft "$@" || echo "nft $1 fails: $?"; }

# send SET...: frames of inject.c for in0.
send()
{
	inject "$ns" tx0 "$@" >/dev/null
	settle "$ns"
}

# talk tcp|udp SPORT DST DPORT LADDR LPORT [option...]: from the neighbour c to
# whoever is meant, with the neighbour s (or SERVER) listening.
talk()
{
	local src=10.0.9.2

	[[ $3 != *:* ]] || src=fd00:9::2
	"$TALK" "$1" "/run/netns/$ns-c" "/run/netns/${SERVER-$ns-s}" "$src" "$2" \
		"$3" "$4" "$5" "$6" "${@:7}"
	settle "$ns"
}

# arrived DEV: how many frames, on the far side.
arrived() { in_ns "$ns-tx" awk -v d="$1:" '$1 == d { print $3 }' /proc/net/dev; }

# connections [option...]: conntrack -L without what depends on time, as whether
# a UDP connection that has gone on for two seconds is assured.
connections()
{
	in_ns "$ns" conntrack -L "$@" 2>/dev/null | sed -E \
		's/^([a-z0-9]+ +[0-9]+ )[0-9]+ /\1/; s/^[0-9]+ proto/proto/; s/ use=[0-9]+//
		/^udp/s/ \[ASSURED\]//' |
		sort
}

# listing: the same of the ruleset.
listing()
{
	in_ns "$ns" nft -a list ruleset
	in_ns "$ns" nft -j list ruleset | sed 's/{"\(rule\|chain\|set\|map\|elem\)"/\n&/g'
}

# timeless: without the time that is left, and without the handles of tables,
# which count also what was tried again because a module had to be loaded.
timeless()
{
	sed -E 's/expires [0-9a-z]+/expires/g; s/"expires": [0-9]+/"expires"/g
		s/^(table .* # handle) [0-9]+/\1/
		s/(\{"table": \{[^}]*"handle": )[0-9]+/\1/g'
}

# happened PATTERN...: in the file of the twin that is on.
happened()
{
	local pattern bad=0

	grep -q ' bpf$' "$TMP/on.status" || { echo "nothing was translated"; bad=1; }
	for pattern; do
		grep -qE -- "$pattern" "$TMP/on" || { echo "there is no $pattern"; bad=1; }
	done
	[ $bad = 0 ] || cat "$TMP/on.status" "$TMP/on"
	return $bad
}

# one CASE: what must have happened is in the comment in front of its function,
# "# happens: PATTERN", one or several.
one()
{
	local case=$1 ns wants=() start=$SECONDS

	for ns in off on; do
		in_ns "$ns" nft flush ruleset
		in_ns "$ns" conntrack -F 2>/dev/null
	done
	for ns in off on; do
		"case_$case" >"$TMP/$ns.raw" 2>&1
		status "$ns" >>"$TMP/$ns.status"
		{
			cat "$TMP/$ns.raw"
			echo "== ruleset"
			listing
			echo "== connections"
			connections
		} 2>&1 | timeless >"$TMP/$ns"
		in_ns "$ns" nft flush ruleset
		in_ns "$ns" conntrack -F 2>/dev/null
	done
	mapfile -t wants < <(awk -v f="case_$case()" '
		/^# happens: / { w[n++] = substr($0, 12); next }
		$0 == f { for (i = 0; i < n; i++) print w[i] }
		!/^#/ { n = 0 }' "$HERE/stateful.sh")
	check "$case: translated, and it happened" happened "${wants[@]}"
	same "$case: the same with the switch off and on" "$TMP/off" "$TMP/on"
	rm -f "$TMP/off.status" "$TMP/on.status"
	echo "# $case took $((SECONDS - start)) s"
}

# Named counters, quotas and limits, listed and reset.
# happens: packets [1-9].* bytes
# happens: over 2000 bytes used [1-9]
case_objects()
{
	rules <<-END
	table inet t {
		counter low { }
		counter any { packets 5 bytes 500 }
		quota q { over 2000 bytes }
		quota most { 1000 bytes }
		limit l { rate 3/hour burst 7 packets }
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			counter name any
			tcp dport 1-20 counter name low
			tcp dport > 10 quota name q counter
			tcp dport > 10 quota name most counter
			limit name l counter
			quota over 1000 bytes counter
			quota until 500 bytes counter drop
		}
	}
	END
	send tcp
	listing
	nft_ reset counters
	nft_ -j reset quotas
	send udp
	nft_ list counters
	nft_ -j list quotas
}

# Objects looked up in maps, and an object replaced.
# happens: packets 22 bytes 880
# happens: packets 44 bytes 1760
case_maps_of_objects()
{
	rules <<-END
	table inet t {
		counter b1 { }
		counter b2 { }
		quota q1 { over 90 bytes }
		limit l1 { rate 2/hour burst 3 packets }
		map counters {
			type inet_service : counter
			flags interval
			elements = { 1-9 : "b1", 10-30 : "b2" }
		}
		map quotas {
			type inet_service : quota
			elements = { 22 : "q1", 80 : "q1" }
		}
		map limits {
			type inet_service : limit
			elements = { 5 : "l1", 6 : "l1", 7 : "l1", 8 : "l1", 9 : "l1" }
		}
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			counter name tcp dport map @counters
			quota name tcp dport map @quotas counter
			limit name tcp dport map @limits counter
			counter name tcp dport map { 40 : "b1", 41 : "b2" }
			counter
		}
	}
	END
	send tcp
	listing
	nft_ delete element inet t counters '{ 1-9 }'
	nft_ add element inet t quotas '{ 90 : "q1" }'
	send tcp
}

# Sets that packets fill: full, with expressions per element, deleted from.
# happens: 10.0.1.[0-9]+ .*counter packets
# happens: set small
case_dynamic_sets()
{
	rules <<-END
	table inet t {
		set hosts { type ipv4_addr; flags dynamic,timeout; timeout 1h; }
		set pairs { type ipv4_addr . inet_service; flags dynamic; size 1000; }
		set small { type inet_service; flags dynamic; size 10; }
		set each { type inet_service; size 1000; flags dynamic; limit rate 1/hour; }
		set busy { type ipv4_addr; size 100; flags dynamic; }
		set odd { type inet_service; size 1000; flags dynamic; }
		map last { type ipv4_addr : inet_service; size 10; flags dynamic; }
		chain pre {
			type filter hook prerouting priority -300; policy accept;
			update @hosts { ip saddr timeout 2h counter } counter
			add @pairs { ip saddr . tcp dport } counter
			add @small { tcp dport } counter
			ip saddr . tcp dport @pairs counter
			tcp dport @small counter
			add @each { tcp dport } counter
			update @last { ip saddr : tcp dport } counter
			tcp dport 7 delete @pairs { ip saddr . tcp dport } counter
			add @busy { ip saddr limit rate over 4/hour burst 5 packets } counter drop
			meter m size 100 { ip daddr timeout 1h counter } counter
			tcp dport & 1 == 1 add @odd { tcp dport } counter
			tcp dport @odd counter
		}
	}
	END
	send tcp
	send udp tcp
	listing | timeless
}

# Elements that go after a time, and a set that then no longer holds them.
# happens: counter packets 1 bytes
# happens: counter packets 2 bytes
case_timeouts()
{
	rules <<-END
	table inet t {
		set s { type ipv4_addr; flags timeout; elements = { 10.0.1.2 timeout 1h }; }
		map v { type inet_service : verdict; flags timeout;
			elements = { 5353 timeout 1h : jump x }; }
		chain x { counter; }
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			ip saddr @s counter
			ip saddr != @s counter
			udp dport vmap @v
			udp dport != 1 counter
		}
	}
	END
	send udp
	nft_ delete element inet t s '{ 10.0.1.2 }'
	nft_ delete element inet t v '{ 5353 }'
	nft_ add element inet t s '{ 10.0.1.2 timeout 2s }'
	nft_ add element inet t v '{ 5353 timeout 2s : jump x }'
	gone() { ! in_ns "$ns" nft list ruleset | grep -q expires; }
	eventually gone || echo "they do not expire"
	send udp
}

# Limits of all kinds, in the rule.  What counts connections also forgets those
# that have ended, but not twice in a tick: so none ends here, none is dropped
# before it is confirmed, and none comes twice.
# happens: limit rate over
case_limits()
{
	rules <<-END
	table inet t {
		chain pre {
			type filter hook prerouting priority -300; policy accept;
			limit rate 3/hour burst 10 packets counter
			limit rate over 3/hour burst 10 packets counter
			limit rate 100 bytes/hour burst 500 bytes counter
			tcp dport 1-50 limit rate 1/day burst 20 packets counter accept
			counter
		}
		chain late {
			type filter hook prerouting priority 10; policy accept;
			ct state new add @conns { ip saddr ct count over 30 } counter
			ct count over 20 counter
			counter
		}
		chain out {
			type filter hook output priority -300; policy accept;
			tcp flags rst drop
		}
		set conns { type ipv4_addr; size 100; flags dynamic; }
	}
	END
	send tcp udp
}

# DNAT, SNAT and redirect, of real connections.
# happens: server has a connection from 10.0.8.1 7000 to 10.0.8.2 80
# happens: server hears "hello" from 10.0.9.2 2001
# happens: client hears "answer" from 10.0.8.1 90
# happens: dport=90 .*src=10.0.8.2
case_nat()
{
	rules <<-END
	table ip t {
		chain pre {
			type nat hook prerouting priority -100; policy accept;
			iif c0 tcp dport 90 counter dnat to 10.0.8.2:80
			iif c0 udp dport 90 counter dnat to 10.0.8.2:80
			iif c0 udp dport 91 counter redirect to :5000
		}
		chain post {
			type nat hook postrouting priority 100; policy accept;
			oif s0 ip protocol tcp counter snat to 10.0.8.1:7000
		}
		chain forward {
			type filter hook forward priority 0; policy drop;
			ct status dnat counter accept
			counter
		}
	}
	table ip6 t {
		chain pre {
			type nat hook prerouting priority -100; policy accept;
			udp dport 90 counter dnat to [fd00:8::2]:80
		}
	}
	END
	talk tcp 2000 10.0.8.1 90 10.0.8.2 80 times 3
	talk udp 2001 10.0.8.1 90 10.0.8.2 80 times 3
	talk udp 2002 10.0.8.2 80 10.0.8.2 80 silent
	SERVER=$ns talk udp 2003 10.0.8.2 91 10.0.9.1 5000
	talk udp 2004 fd00:8::1 90 fd00:8::2 80 times 2
}

# NAT with maps.
# happens: server hears "hello" from 10.0.8.1 3000
# happens: server hears "hello" from 10.0.8.1 3001
case_nat_map()
{
	rules <<-END
	table ip t {
		map to { type inet_service : ipv4_addr . inet_service;
			elements = { 90 : 10.0.8.2 . 80, 91 : 10.0.8.2 . 81 }; }
		map from { type ipv4_addr : ipv4_addr; elements = { 10.0.9.2 : 10.0.8.1 }; }
		chain pre {
			type nat hook prerouting priority -100; policy accept;
			ip daddr 10.0.8.1 counter dnat ip to udp dport map @to
			counter
		}
		chain post {
			type nat hook postrouting priority 100; policy accept;
			counter snat to ip saddr map @from
		}
	}
	END
	talk udp 3000 10.0.8.1 90 10.0.8.2 80
	talk udp 3001 10.0.8.1 91 10.0.8.2 81
	nft_ delete element ip t to '{ 91 }'
	talk udp 3002 10.0.8.1 91 10.0.8.2 81
}

# happens: server hears "hello" from 10.0.8.1 6000
case_masquerade()
{
	rules <<-END
	table inet t {
		chain post {
			type nat hook postrouting priority 100; policy accept;
			oifname "s0" udp sport 4000 counter masquerade to :6000
			oifname "s0" udp sport 4001 counter masquerade
			oifname { "s0", "x" } counter
		}
		chain pre {
			type filter hook prerouting priority -150; policy accept;
			ct mark set 0x7
			udp sport 4001 ct mark set 0x8 counter
		}
	}
	END
	talk udp 4000 10.0.8.2 80 10.0.8.2 80
	talk udp 4001 10.0.8.2 80 10.0.8.2 80
}

# A helper that reads along, and what it expects.
# happens: helper=ftp
# happens: proto=6 .*dport=1025
case_helper()
{
	in_ns "$ns" sysctl -qw net.netfilter.nf_conntrack_helper=0 2>/dev/null
	rules <<-END
	table inet t {
		ct helper ftp-std { type "ftp" protocol tcp; }
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			tcp dport 21 ct helper set "ftp-std" counter
			tcp dport 22 ct helper set tcp dport map { 22 : "ftp-std" } counter
			ct helper "ftp" counter
			counter
		}
	}
	END
	# The helper reads only what follows the end of a line.
	talk tcp 2100 10.0.8.2 21 10.0.8.2 21 times 2 say $'PORT 10,0,9,2,4,1\r\n'
	connections expect
	talk tcp 2101 10.0.8.2 22 10.0.8.2 22
}

# Timeout policies, expectations, zones, labels and events as objects of ct.
# happens: timeout 70
# happens: mark=5
# happens: zone=9
case_ct_objects()
{
	rules <<-END
	table ip t {
		ct timeout slow {
			protocol udp; l3proto ip; policy = { unreplied : 7000, replied : 8000 };
		}
		ct expectation next { protocol udp; dport 99; timeout 1h; size 12; l3proto ip; }
		chain raw {
			type filter hook prerouting priority -300; policy accept;
			udp dport 83 ct zone set 9 counter
			udp dport 84 notrack counter
			udp dport 85 ct zone set udp dport map { 85 : 3 } counter
		}
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			ct mark set 5 counter
			udp dport 80 ct timeout set "slow" counter
			udp dport 81 ct expectation set "next" counter
			udp dport 82 ct event set new,destroy counter
			ct state untracked counter
			ct zone 9 counter
			ct expiration > 1h counter
			meta l4proto udp ct original proto-dst 80 counter
		}
	}
	END
	for port in 80 81 82 83 84 85; do
		talk udp "50$port" 10.0.8.2 $port 10.0.8.2 $port
	done
	# In hundreds of seconds, rounded up.
	in_ns "$ns" conntrack -L -p udp --sport 5080 2>/dev/null |
		awk '{ print "timeout " int(($3 + 99) / 100) }'
	connections expect
}

# Flows that bypass the ruleset once they are established.
# happens: OFFLOAD
# happens: client hears "answer" from 10.0.8.2 80
case_flowtable()
{
	# Half a minute is not long where all is slow.
	in_ns "$ns" sysctl -qw net.netfilter.nf_flowtable_udp_timeout=100000
	rules <<-END
	table inet t {
		flowtable f {
			hook ingress priority 0; devices = { c0, s0 };
		}
		chain forward {
			type filter hook forward priority 0; policy accept;
			udp dport 80 counter
			meta l4proto { tcp, udp } ct state established flow add @f counter
			udp dport 81-90 counter
			counter
		}
	}
	END
	talk udp 6000 10.0.8.2 80 10.0.8.2 80 times 10
	talk udp 6001 fd00:8::2 80 fd00:8::2 80 times 10
	connections
	nft_ list flowtables
}

# happens: server has a connection from 10.0.9.2 9000
case_synproxy()
{
	in_ns "$ns" sysctl -qw net.ipv4.tcp_syncookies=1 net.ipv4.tcp_timestamps=1
	rules <<-END
	table ip t {
		synproxy obj { mss 1460; wscale 7; timestamp sack-perm; }
		map which { type inet_service : synproxy; elements = { 80 : "obj" }; }
		chain raw {
			type filter hook prerouting priority -300; policy accept;
			tcp flags & (syn | ack) == syn notrack
		}
		chain forward {
			type filter hook forward priority 0; policy accept;
			tcp dport 81 ct state invalid,untracked synproxy mss 1460 timestamp
			ct state invalid,untracked synproxy name tcp dport map @which
			ct state invalid drop
		}
	}
	END
	talk tcp 9000 10.0.8.2 80 10.0.8.2 80
	talk tcp 9001 10.0.8.2 81 10.0.8.2 81
}

# reader NUM COUNT VERDICT: of a queue, in the background.
reader()
{
	in_ns "$ns" "$TALK" queue "$@" &
	bound()
	{
		# There is no such file before the module is loaded.
		in_ns "$ns" grep -qsE "^ *$1 " /proc/net/netfilter/nfnetlink_queue
	}
	eventually bound "$1" || echo "nobody reads the queue"
}

# Packets that user space says the last word about.
# happens: hook 2 proto 0800 mark 0 in 20 out 21, 33 bytes
# happens: nobody hears anything
case_queue()
{
	rules <<-END
	table ip t {
		chain forward {
			type filter hook forward priority 0; policy accept;
			udp dport 80 counter queue num 0
			udp dport 81 counter queue num 1
			udp dport 82 meta mark 0 counter queue num 2
			udp dport 83 counter queue num 3 bypass
			udp dport 84 counter queue num 4
			udp dport 85 counter queue num 5-6 fanout
			meta mark 0x51 counter
			counter
		}
		chain late {
			type filter hook forward priority 10; policy accept;
			counter
			meta mark 0x51 counter
		}
	}
	END
	reader 0 2 accept
	talk udp 7000 10.0.8.2 80 10.0.8.2 80 times 2
	wait
	reader 1 1 drop
	talk udp 7001 10.0.8.2 81 10.0.8.2 81 silent
	wait
	reader 2 1 repeat
	talk udp 7002 10.0.8.2 82 10.0.8.2 82
	wait
	talk udp 7003 10.0.8.2 83 10.0.8.2 83
	talk udp 7004 10.0.8.2 84 10.0.8.2 84 silent
}

# happens: client: Connection refused
# happens: client: No route to host
case_reject()
{
	rules <<-END
	table inet t {
		chain forward {
			type filter hook forward priority 0; policy accept;
			tcp dport 80 counter reject with tcp reset
			udp dport 81 counter reject
			ip protocol udp udp dport 82 counter reject with icmp type host-unreachable
			udp dport 83 counter reject with icmpx type admin-prohibited
			ip protocol udp udp dport 84 counter reject with icmp type net-unreachable
			counter
		}
		chain input {
			type filter hook input priority 0; policy accept;
			tcp dport 5 counter reject with tcp reset
			tcp dport 6-8 counter reject with icmpx type port-unreachable
			counter
		}
	}
	END
	talk tcp 8000 10.0.8.2 80 10.0.8.2 80
	talk tcp 8000 fd00:8::2 80 fd00:8::2 80
	for port in 81 82 83 84 85; do
		talk udp 80$port 10.0.8.2 $port 10.0.8.2 $port
	done
	talk udp 8083 fd00:8::2 83 fd00:8::2 83
	send tcp
	arrived tx0
}

# happens: server has a connection from 10.0.9.2 8100 to 10.0.8.2 80
# happens: server hears "hello" from 10.0.9.2 8101
case_tproxy()
{
	ip -n "$ns" rule add fwmark 1 lookup 101
	ip -n "$ns" route add local 0.0.0.0/0 dev lo table 101
	rules <<-END
	table ip t {
		chain pre {
			type filter hook prerouting priority -150; policy accept;
			socket transparent 1 meta mark set 1 counter accept
			tcp dport 80 tproxy to 127.0.0.1:5000 meta mark set 1 counter accept
			udp dport 80 tproxy to 127.0.0.1:5000 meta mark set 1 counter accept
			udp dport 81 tproxy to :5000 meta mark set 1 counter accept
			udp dport != 1 counter
		}
	}
	END
	SERVER=$ns talk tcp 8100 10.0.8.2 80 127.0.0.1 5000 transparent times 2
	SERVER=$ns talk udp 8101 10.0.8.2 80 127.0.0.1 5000 transparent times 2
	talk udp 8102 10.0.8.2 82 10.0.8.2 82
	ip -n "$ns" rule del fwmark 1 lookup 101
	# How many segments there are depends on time.
	nft_ list ruleset | sed 's/counter packets [0-9]* bytes [0-9]*/counter/'
	status "$ns" >>"$TMP/$ns.status"
	nft_ flush ruleset
}

# Copies of packets, and packets sent elsewhere, seen on the far side.
# happens: out at tx1: [1-9]
case_dup_fwd()
{
	local before after

	before=$(arrived tx1)
	rules <<-END
	table netdev t {
		chain in {
			type filter hook ingress device in0 priority 0; policy accept;
			tcp dport 1-9 counter dup to "out0"
			tcp dport 10-15 counter fwd to "out0"
			tcp dport 16-20 counter fwd ip to 10.0.2.5 device "out0"
			tcp dport 21-25 counter fwd to tcp dport map { 21 : "out0", 22 : "out0" }
			tcp dport 30 counter drop
			counter
		}
	}
	table ip t {
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			tcp dport 50-55 counter dup to 10.0.2.7 device "out0"
			tcp dport 60-61 dup to 10.0.2.9 counter
			counter
		}
	}
	END
	send tcp
	after=$(arrived tx1)
	echo "out at tx1: $((after - before))"
}

# Rules read and reset, which nft learned later than the kernel.
# happens: packets 100 bytes
case_resets()
{
	rules <<-END
	table inet t {
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			counter
			tcp dport 1-10 counter quota over 100 bytes
			tcp dport 5 limit rate 1/hour burst 1 packets counter
			tcp dport { 1, 2, 3 } counter drop
		}
	}
	END
	send tcp
	listing
	in_ns "$ns" "$TALK" reset-rules
	nft_ list ruleset
	send tcp
}

# Verdict maps to chains that go in the same transaction.
# happens: Device or resource busy
# happens: 7 : jump z
case_deleted_chains()
{
	rules <<-END
	table ip t {
		map v {
			type inet_service : verdict
			elements = { 1 : jump x, 2 : goto y, 3 : jump z }
		}
		chain x { counter; }
		chain y { counter; }
		chain z { counter; ip ttl > 1 counter; }
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			tcp dport vmap @v
			tcp dport vmap { 4 : jump z, 5 : accept }
			counter
		}
	}
	END
	send tcp
	# In use: refused.
	nft_ delete chain ip t x
	rules <<-END
	delete element ip t v { 1 : jump x }
	delete chain ip t x
	END
	send tcp
	# A chain back under its old name, another one gone, all at once.
	rules <<-END
	delete element ip t v { 2, 3 }
	delete chain ip t y
	add chain ip t x
	add rule ip t x counter
	add element ip t v { 2 : jump x, 3 : jump x }
	add chain ip t y
	add rule ip t y tcp dport 2 counter accept
	insert rule ip t pre tcp dport vmap { 2 : jump y, 6 : drop }
	END
	send tcp
	# What fails in the middle must have changed nothing.
	rules <<-END
	add chain ip t w
	add rule ip t w counter
	add element ip t v { 9 : jump w }
	delete chain ip t w
	END
	rules <<-END
	flush chain ip t pre
	delete map ip t v
	delete chain ip t x
	delete chain ip t y
	add rule ip t pre tcp dport vmap { 7 : jump z }
	add rule ip t pre counter
	END
	send tcp
}

# A set that is emptied and filled again while packets are looked up in it: they
# never see it empty.  With 6.1 they may: there a lookup that began in the old
# generation is not repeated when elements of it have gone meanwhile.
# happens: hits: yes
# happens: misses: (0$|what 6.1 has)
case_refill()
{
	local flood kind may=0

	[[ $(uname -r) != 6.1.* ]] || may=1

	for kind in "ip saddr @s" "ip saddr . udp dport @pair" "ip saddr @nets"; do
		rules <<-END
		flush ruleset
		table ip t {
			set s { type ipv4_addr; }
			set pair { type ipv4_addr . inet_service; flags interval; }
			set nets { type ipv4_addr; flags interval; }
			chain pre {
				type filter hook prerouting priority 0; policy accept;
				udp dport != 5353 accept
				$kind counter drop
				counter comment "missed"
			}
		}
		END
		cat >"$TMP/refill" <<-END
		flush set ip t s
		flush set ip t pair
		flush set ip t nets
		add element ip t s { 10.0.1.1, 10.0.1.2, 10.0.1.3, 10.0.1.4 }
		add element ip t pair { 10.0.1.0-10.0.1.9 . 5000-6000, 10.0.3.0/24 . 1 }
		add element ip t nets { 10.0.1.0/24, 10.0.3.0-10.0.3.5 }
		END
		nft_ -f "$TMP/refill"
		inject "$ns" tx0 -r 20000 udp >/dev/null &
		flood=$!
		for _ in {1..10}; do
			nft_ -f "$TMP/refill"
			kill -0 $flood 2>/dev/null || break
		done
		kill $flood 2>/dev/null
		wait $flood 2>/dev/null
		settle "$ns"
		in_ns "$ns" nft list chain ip t pre | awk -v kind="$kind" -v may=$may '
			/missed/ { miss = $3 }
			/drop/ { hit = $(NF - 3) }
			END { print kind " hits: " (hit > 0 ? "yes" : "no") ", misses: " \
				(may ? "what 6.1 has" : miss) }'
		status "$ns" >>"$TMP/$ns.status"
		nft_ flush ruleset
	done
}

# Matches and targets of xtables, through iptables-nft.
# happens: -j REJECT
# happens: \[3:
case_xt()
{
	in_ns "$ns" iptables-nft-restore <<-END
	*filter
	:INPUT ACCEPT [0:0]
	:FORWARD ACCEPT [0:0]
	:OUTPUT ACCEPT [0:0]
	:user - [0:0]
	-A INPUT -m comment --comment "all that comes" -j user
	-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
	-A INPUT -p tcp -m multiport --dports 23,25,30:40 -j DROP
	-A INPUT -p tcp -m tcp --dport 41:50 -m limit --limit 1/hour --limit-burst 3 -j ACCEPT
	-A INPUT -p tcp -m conntrack --ctstate NEW -m mark --mark 0x5 -j ACCEPT
	-A INPUT -m addrtype --dst-type LOCAL -p tcp --dport 60 -j REJECT --reject-with tcp-reset
	-A INPUT -p tcp -m tcp --tcp-flags SYN,ACK SYN --dport 61 -j REJECT
	-A INPUT -p tcp -m length --length 40:60 -m ttl --ttl-gt 3
	-A INPUT -p tcp -m statistic --mode nth --every 4 --packet 0 -j DROP
	-A user -p tcp -m tcp --dport 5 -j MARK --set-mark 0x5
	-A user -p tcp -m state --state NEW -m tcp --dport 5:6 -j RETURN
	-A user -s 10.0.1.0/24 -p tcp -m tcp --dport 7 -j LOG --log-prefix "seven "
	-A user -p tcp -m tcp --dport 8 -m connmark --mark 0 -j DROP
	COMMIT
	END
	send tcp udp
	in_ns "$ns" iptables-nft-save -c | grep -v '^#'
	in_ns "$ns" iptables-nft -vnxL
	# One more rule, the old counters kept.
	in_ns "$ns" iptables-nft -I INPUT 2 -p tcp -m tcp --dport 9 -j DROP
	send tcp
	in_ns "$ns" iptables-nft-save -c | grep -v '^#'
}

# Modules of expressions that go and come back.
# happens: rmmod nft_limit: in use
# happens: nft_limit nft_log nft_quota: gone
# happens: limit rate
case_modules()
{
	local round

	for round in 1 2; do
		rules <<-END
		table ip t {
			chain pre {
				type filter hook prerouting priority 0; policy accept;
				tcp dport 1-30 limit rate 1/hour burst 5 packets log counter
				tcp dport 10-20 quota over 300 bytes counter drop
				tcp dport 50-90 log prefix "y " counter
				counter
			}
		}
		END
		send tcp
		status "$ns" >>"$TMP/$ns.status"
		nft_ list ruleset
		rmmod nft_limit 2>/dev/null || echo "rmmod nft_limit: in use"
		[ $round = 1 ] || continue
		nft_ flush ruleset
		eventually rmmod_all || echo "nft_limit nft_log nft_quota: still there"
	done
}

rmmod_all()
{
	local m

	for m in nft_limit nft_log nft_quota; do
		[ ! -e /sys/module/$m ] || rmmod "$m" 2>/dev/null || return 1
	done
	echo "nft_limit nft_log nft_quota: gone"
}

# big COUNT: addresses, a list, with the sender's own among them.
big()
{
	awk -v n="$1" 'BEGIN {
		for (i = 1; i < n; i++)
			printf "11.%d.%d.%d,", i / 16384, i / 128 % 128, i % 128 * 2
		print "10.0.1.2" }'
}

# happens: counter packets 100 bytes
case_big_named()
{
	rules <<-END
	table ip t {
		set s { type ipv4_addr; elements = { $(big 100000) }; }
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			ip saddr @s counter
			ip daddr @s counter
			ip saddr != @s counter
			tcp dport 1-5 counter
		}
	}
	END
	send tcp
	nft_ -t list ruleset
	status "$ns" >>"$TMP/$ns.status"
	nft_ flush ruleset
}

# happens: counter packets 100 bytes
case_big_anonymous()
{
	rules <<-END
	table ip t {
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			ip saddr { $(big 100000) } counter
			tcp dport 1-5 counter
		}
	}
	END
	send tcp
	nft_ list ruleset | sed 's/{ .* }/{}/' | tail -n 5
	status "$ns" >>"$TMP/$ns.status"
	nft_ flush ruleset
}

load_module
build_tools inject talk
cheap 0
make_twins
for ns in off on; do
	make_end "$ns" c 9 20
	make_end "$ns" s 8 21
done
[ $# -gt 0 ] || set -- "${CASES[@]}"
for name; do
	one "$name"
done
finish
