#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What keeps a state: counters, quotas and limits with names and without, maps of
# them, sets that packets fill or that time empties, what connections are told,
# and the matches and targets of xtables; read, listed and reset.  cases.sh has
# the picture.
#
# usage: stateful.sh [case...]
#
# timeout: 1500
. "$(dirname "$0")/cases.sh"

CASES=(objects maps_of_objects dynamic_sets timeouts limits ct_objects resets xt)
TOOLS=()

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
# happens: "packets": 44, "bytes": 1760
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
	listing
}

# Elements that go after a time, and a set that then no longer holds them.
# happens: "packets": 1, "bytes"
# happens: "packets": 2, "bytes"
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
# happens: "inv": true
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

# Matches and targets of xtables, through iptables-nft.
# happens: -j REJECT
# happens: \[3:
# happens: :INPUT ACCEPT \[[1-9]
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

run_cases "$@"
