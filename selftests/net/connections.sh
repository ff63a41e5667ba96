#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What is done to packets and connections: NAT, helpers, flowtables, synproxy,
# queues, rejects, transparent proxies, copies.  cases.sh has the picture.
#
# usage: connections.sh [case...]
#
# timeout: 1500
. "$(dirname "$0")/cases.sh"

CASES=(nat nat_map masquerade helper flowtable synproxy queue reject tproxy dup_fwd
	bond)
TOOLS=()

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

	# Who has it, is asked again after a time.
	ip -n "$ns" neigh replace 10.0.2.5 lladdr 02:00:00:00:02:02 dev out0 nud permanent
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

# A bond's egress and ingress, and its slaves', before and after the other slave takes
# over.  What bonding sends by itself is ARP.
# happens: out at b1: [1-9]
# happens: out at b3: [1-9]
case_bond()
{
	local dev port

	modprobe bonding
	ip -n "$ns" -batch - <<-END
		link add bond7 type bond mode active-backup
		link add b0 type veth peer name b1 netns $ns-tx
		link add b2 type veth peer name b3 netns $ns-tx
	END
	for dev in bond7 b0 b2; do
		in_ns "$ns" sysctl -qw net.ipv6.conf.$dev.disable_ipv6=1
	done
	ip -n "$ns-tx" link set b1 up
	ip -n "$ns-tx" link set b3 up
	ip -n "$ns" -batch - <<-END
		link set b0 master bond7
		link set b2 master bond7
		link set bond7 up
		addr add 10.0.7.1/24 dev bond7
		neigh replace 10.0.7.2 lladdr 02:00:00:00:07:02 dev bond7 nud permanent
	END
	rules <<-END
	table netdev t {
		chain out {
			type filter hook egress device bond7 priority 0; policy accept;
			udp dport 1-4 counter
			udp dport 5 counter drop
			udp dport { 6, 8, 10 } meta mark set 7 counter
			udp dport != 11 ip daddr 10.0.7.2 counter
			ip ttl 64 udp length 10 counter
		}
		chain first {
			type filter hook egress device b0 priority 0; policy accept;
			udp dport 2-6 counter
			udp dport 7 counter drop
			meta mark 7 counter
			ip protocol udp counter
		}
		chain second {
			type filter hook egress device b2 priority 0; policy accept;
			udp dport 2-6 counter
			udp dport 8 counter drop
			meta mark 7 counter
			ip protocol udp counter
		}
		chain in {
			type filter hook ingress device bond7 priority 0; policy accept;
			udp dport 1-10 counter
			udp dport 11-20 counter drop
			ip protocol udp counter
			meta iifname "bond7" ip protocol udp counter
		}
	}
	END
	for dev in b0:b1 b2:b3; do
		ip -n "$ns" link set bond7 type bond active_slave ${dev%:*}
		for port in {1..12}; do
			in_ns "$ns" bash -c "echo x >/dev/udp/10.0.7.2/$port"
		done
		inject "$ns" ${dev#*:} udp >/dev/null
		settle "$ns"
		echo "out at ${dev#*:}: $(in_ns "$ns" nft list chain netdev t \
			$([[ $dev = b0* ]] && echo first || echo second) |
			sed -n 's/.*protocol udp counter packets \([0-9]*\).*/\1/p')"
	done
	nft_ list ruleset
	status "$ns" >>"$TMP/$ns.status"
	nft_ flush ruleset
	ip -n "$ns" -batch - <<-END
		link del bond7
		link del b0
		link del b2
	END
}

run_cases "$@"
