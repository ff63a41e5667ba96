#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Named sets and maps, which change while their rules stay: elements come and go
# between packets and while they flow, one by one and many at once, in transactions
# that fail, with rules and without.  cases.sh has the picture.
#
# usage: sets.sh [case...]
#
# timeout: 1800
. "$(dirname "$0")/cases.sh"

CASES=(addresses intervals ports maps verdicts concatenations names timeouts updates
       catchall counters written failures refill together many off_on under_traffic
       short)
TOOLS=()

# set_is NAME STATE: how the module looks a set up, with the switch on.
set_is()
{
	[[ $ns != on ]] || awk -v s="$1" -v want="$2" '$3 == s && $NF != want {
		print "set", s, "is", $NF }' /proc/net/nft_bpfjit_sets
}

# Single addresses.
# happens: packets [1-9][0-9]* bytes .*comment "seven"
case_addresses()
{
	rules <<-END
	table inet t {
		set s { type ipv4_addr; }
		set s6 { type ipv6_addr; elements = { fd00:1::1, fd00:2::5 }; }
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			ip daddr @s counter comment "in"
			ip daddr != @s counter comment "out"
			ip6 daddr @s6 counter
			ip6 daddr != @s6 counter
			ip saddr @s drop
			meta mark set 5
			ip daddr @s ip saddr != @s counter accept comment "seven"
			ip daddr @s counter comment "never"
		}
	}
	END
	set_is s compiled
	send udp ip4 ip6
	listing
	nft_ add element inet t s '{ 10.0.1.1, 10.0.2.2 }'
	send udp ip4
	listing
	nft_ add element inet t s '{ 0.0.0.0, 255.255.255.255, 224.0.0.5 }'
	nft_ delete element inet t s '{ 10.0.1.1 }'
	nft_ add element inet t s6 '{ fd00:2::2 }'
	send ip4 ip6
	listing
	nft_ add element inet t s '{ 10.0.1.1, 10.0.1.1 }'
	nft_ 'delete element inet t s { 10.0.2.2 }; add element inet t s { 10.0.2.2 }'
	nft_ 'add element inet t s { 10.0.2.3 }; delete element inet t s { 10.0.2.3 }'
	send udp ip4
	listing
	nft_ flush set inet t s
	send ip4
	listing
	set_is s compiled
}

# Intervals, next to each other, up to both ends.
case_intervals()
{
	rules <<-END
	table inet t {
		set s { type ipv4_addr; flags interval; }
		set u { type ipv4_addr; flags interval;
			elements = { 10.0.0.0/8, 172.16.0.0-172.31.255.254, 224.0.0.0/3 }; }
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			ip daddr @s counter
			ip daddr != @s counter
			ip daddr @u counter
			ip daddr != @u counter
		}
	}
	END
	set_is s compiled
	set_is u compiled
	send ip4
	listing
	nft_ add element inet t s '{ 10.0.1.0/24 }'
	send ip4
	nft_ add element inet t s '{ 10.0.2.0/24, 10.0.0.0/24 }'
	send ip4
	nft_ delete element inet t s '{ 10.0.1.0/24 }'
	send ip4
	listing
	nft_ 'add element inet t s { 0.0.0.0-9.255.255.254 };
		add element inet t s { 11.0.0.0-255.255.255.255 }'
	nft_ delete element inet t u '{ 10.0.0.0/8 }'
	send ip4
	listing
	nft_ 'delete element inet t s { 0.0.0.0-9.255.255.254 };
		delete element inet t s { 10.0.2.0/24 };
		add element inet t s { 9.0.0.0-10.255.255.255 }'
	nft_ 'delete element inet t s { 10.0.0.0/24 };
		add element inet t s { 9.0.0.0-10.255.255.255 }'
	send ip4
	nft_ flush set inet t u
	send ip4
	listing
}

# Two bytes and one.
case_ports()
{
	rules <<-END
	table inet t {
		set p { type inet_service; elements = { 22, 80 }; }
		set r { type inet_service; flags interval;
			elements = { 1-10, 20-30, 60000-65535 }; }
		set l { type inet_proto; elements = { tcp, 132 }; }
		set m { type mark; elements = { 7, 0 }; }
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			tcp dport @p counter
			tcp dport != @p counter
			tcp dport @r counter
			udp dport @r counter
			meta l4proto @l counter
			meta l4proto != @l counter
			meta mark @m counter
		}
	}
	END
	send tcp ip4
	listing
	nft_ add element inet t p '{ 1-0 }'
	nft_ add element inet t p '{ 1, 2, 3, 65535, 0 }'
	nft_ add element inet t r '{ 40-50, 0, 31 }'
	nft_ delete element inet t l '{ tcp }'
	nft_ delete element inet t m '{ 0 }'
	send tcp ip4
	listing
}

# Data.
# happens: meta mark 0x00000002 counter packets [1-9]
case_maps()
{
	rules <<-END
	table inet t {
		map m { type inet_service : mark; elements = { 1 : 1, 2 : 2, 53 : 3 }; }
		map g { type ipv4_addr : mark; flags interval;
			elements = { 10.0.0.0/16 : 1, 10.1.0.0/16 : 2, 224.0.0.0/4 : 9 }; }
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			meta mark set tcp dport map @m
			meta mark 1 counter
			meta mark 2 counter
			meta mark set ip daddr map @g
			meta mark 1 counter
			meta mark 2 counter
			meta mark 9 counter
		}
	}
	END
	set_is m compiled
	set_is g compiled
	send tcp ip4
	listing
	nft_ 'delete element inet t m { 1 : 1 }; add element inet t m { 1 : 2 };
		add element inet t m { 5 : 2 }'
	nft_ 'delete element inet t g { 10.0.0.0/16 : 1 }; add element inet t g { 10.0.0.0/15 : 2 }'
	nft_ 'delete element inet t g { 10.1.0.0/16 : 2 };
		delete element inet t g { 10.0.0.0/16 : 1 };
		add element inet t g { 10.0.0.0/15 : 2 }'
	send tcp ip4
	listing
	nft_ flush map inet t m
	send tcp
	listing
}

# Verdicts, of which one leads to a chain that comes with it.
case_verdicts()
{
	rules <<-END
	table inet t {
		map v { type inet_service : verdict; elements = { 1 : accept, 2 : drop }; }
		map n { type ifname : verdict; elements = { "in0" : jump sub, "br0" : drop }; }
		chain sub { counter; tcp dport vmap @v; counter; }
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			iifname vmap @n
			tcp dport vmap @v
			counter
		}
	}
	END
	set_is v compiled
	set_is n compiled
	send tcp udp
	listing
	nft_ -f - <<-END
	table inet t {
		chain new { counter return; }
		map v { type inet_service : verdict; elements = { 3 : jump new, 4 : goto new,
			5 : continue, 6 : return }; }
	}
	END
	send tcp
	listing
	nft_ 'delete element inet t n { "in0" : jump sub };
		add element inet t n { "in0" : goto new }'
	send tcp
	listing
	nft_ 'delete element inet t v { 3 : jump new };
		delete element inet t v { 4 : goto new };
		delete element inet t n { "in0" : goto new }; delete chain inet t new'
	send tcp
	listing
}

case_concatenations()
{
	rules <<-END
	table inet t {
		set c { type ipv4_addr . inet_service; elements = { 10.0.2.2 . 80,
			10.0.1.1 . 22 }; }
		set r { type ipv4_addr . inet_service; flags interval;
			elements = { 10.0.2.0/24 . 1-100 }; }
		map d { type ipv4_addr . inet_proto . inet_service : verdict;
			elements = { 10.0.2.2 . tcp . 80 : accept }; }
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			ip daddr . tcp dport @c counter
			ip daddr . tcp dport != @c counter
			ip daddr . tcp dport @r counter
			ip daddr . meta l4proto . th dport vmap @d
			counter
		}
	}
	END
	set_is c compiled
	send tcp ip4
	listing
	nft_ add element inet t c '{ 10.0.1.1 . 5, 10.0.1.1 . 6, 10.0.2.2 . 53 }'
	nft_ add element inet t r '{ 10.0.1.0/24 . 7-9 }'
	nft_ add element inet t d '{ 10.0.1.1 . tcp . 5 : drop, 10.0.2.2 . udp . 53 : drop }'
	send tcp ip4
	listing
	nft_ delete element inet t c '{ 10.0.1.1 . 6 }'
	nft_ flush map inet t d
	send tcp ip4
	listing
}

case_names()
{
	rules <<-END
	table inet t {
		set n { type ifname; elements = { "in0", "wan" }; }
		set i { type iface_index; elements = { "in0" }; }
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			iifname @n counter
			iifname != @n counter
			iif @i counter
			iifname . ip daddr { "in0" . 10.0.1.1 } counter
		}
	}
	END
	set_is n compiled
	send udp
	nft_ delete element inet t n '{ "in0" }'
	nft_ delete element inet t i '{ "in0" }'
	send udp
	nft_ add element inet t n '{ "in", "in00", "in0" }'
	send udp
	listing
}

# happens: "timeout": 3600
case_timeouts()
{
	rules <<-END
	table inet t {
		set s { type ipv4_addr; flags timeout; elements = { 10.0.1.1 timeout 1h,
			10.0.2.2 }; }
		set d { type ipv4_addr; timeout 2h; elements = { 10.0.1.1 }; }
		set i { type ipv4_addr; flags interval, timeout;
			elements = { 10.0.1.0/24 timeout 1h }; }
		map v { type inet_service : verdict; flags timeout;
			elements = { 1 timeout 1h : drop }; }
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			ip daddr @s counter
			ip daddr @d counter
			ip daddr @i counter
			tcp dport vmap @v
			counter
		}
	}
	END
	set_is s compiled
	set_is v compiled
	send tcp ip4
	listing
	nft_ add element inet t s '{ 10.0.2.3 timeout 2s }'
	nft_ add element inet t d '{ 10.0.2.2 timeout 2s }'
	nft_ add element inet t v '{ 2 timeout 2s : drop }'
	gone() { ! in_ns "$ns" nft list ruleset | grep -q 'timeout 2s'; }
	eventually gone || echo "they do not expire"
	send tcp ip4
	listing
	nft_ add element inet t s '{ 10.0.2.3 timeout 1h }'
	nft_ add element inet t v '{ 2 timeout 1h : accept }'
	send tcp ip4
	listing
}

# A time stamp that changes, which older kernels leave as it is.
case_updates()
{
	rules <<-END
	table inet t {
		set s { type ipv4_addr; flags timeout; elements = { 10.0.1.1 timeout 20s,
			10.0.2.2 timeout 1h }; }
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			ip daddr @s counter
		}
	}
	END
	nft_ add element inet t s '{ 10.0.1.1 timeout 1h, 10.0.2.2 timeout 1h expires 1s }'
	sleep 21
	send udp ip4
	nft_ 'add element inet t s { 10.0.1.1 timeout 1h expires 1s };
		add rule inet t pre ip daddr @s counter;
		add element inet t s { 10.0.2.3 timeout 1h }'
	sleep 2
	send udp ip4
	listing
}

# An element for what no other matches.
case_catchall()
{
	rules <<-END
	table inet t {
		map m { type inet_service : mark; elements = { 1 : 1, * : 7 }; }
		map g { type ipv4_addr : verdict; flags interval;
			elements = { 10.0.2.0/24 : accept, * : drop }; }
		set s { type ipv4_addr; elements = { 10.0.2.2 }; }
		set t { type ipv4_addr; flags timeout; elements = { 10.0.2.2, * timeout 1h }; }
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			meta mark set tcp dport map @m
			meta mark 7 counter
			ip daddr @s counter
			ip daddr != @s counter
			ip daddr @t counter
			ip daddr vmap @g
			counter
		}
	}
	END
	set_is m compiled
	set_is s compiled
	send tcp ip4
	listing
	nft_ add element inet t s '{ * }'
	nft_ 'delete element inet t m { * : 7 }; add element inet t m { * : 8 }'
	send tcp ip4
	listing
	nft_ delete element inet t s '{ * }'
	nft_ delete element inet t m '{ * : 8 }'
	nft_ delete element inet t t '{ * timeout 1h }'
	send tcp ip4
	listing
	nft_ add element inet t m '{ * : 7 }'
	nft_ flush map inet t m
	send tcp
	listing
}

# Elements that count.
# happens: counter packets [1-9][0-9]* bytes [0-9]+
case_counters()
{
	rules <<-END
	table inet t {
		set s { type ipv4_addr; counter; elements = { 10.0.1.1, 10.0.2.2 }; }
		set r { type ipv4_addr; flags interval; counter; elements = { 10.0.2.0/24 }; }
		set l { type ipv4_addr; limit rate 5/day burst 3 packets; elements = { 10.0.1.1 }; }
		set c { type ipv4_addr; counter; elements = { 10.0.1.1, 10.0.2.2 }; }
		set q { type ipv4_addr; limit rate 3/day burst 3 packets;
			elements = { 10.0.2.2 }; }
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			ip daddr @s counter
			ip daddr @r counter
			ip daddr @l counter
		}
		chain last {
			type filter hook prerouting priority 1; policy accept;
			ip daddr @c accept
		}
		chain limits {
			type filter hook prerouting priority 2; policy accept;
			ip daddr @q drop
		}
		chain behind {
			type filter hook prerouting priority 3; policy accept;
			counter
		}
	}
	END
	set_is s compiled
	set_is c compiled
	set_is q compiled
	send udp ip4
	listing
	nft_ add element inet t s '{ 10.0.2.3 }'
	send udp ip4
	listing
}

# Rules write to sets, marked as such or not, before they are looked up or after.
# happens: elem
case_written()
{
	rules <<-END
	table inet t {
		set d { type ipv4_addr; flags dynamic; }
		set u { type ipv4_addr; size 100; flags timeout; }
		set w { type inet_service; size 200; flags timeout; }
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			ip daddr @d counter
			ip daddr @u counter
			tcp dport @w counter
			add @d { ip daddr }
			add @u { ip daddr }
		}
	}
	END
	set_is d live:dynamic
	set_is u live:dynamic
	set_is w compiled
	send ip4 tcp
	nft_ add rule inet t pre update @w { tcp dport }
	set_is w live:dynamic
	send ip4 tcp
	in_ns "$ns" nft -j list ruleset | grep -c elem
	nft_ flush set inet t d
	nft_ flush set inet t u
	nft_ flush set inet t w
	send udp tcp
	in_ns "$ns" nft list chain inet t pre
}

# What a commit fails with must not be seen: jumps in a circle are found when it is
# about to succeed.
# happens: fails
case_failures()
{
	rules <<-END
	table inet t {
		set s { type ipv4_addr; elements = { 10.0.1.1 }; }
		set r { type ipv4_addr; flags interval; elements = { 10.0.1.0/24 }; }
		map m { type inet_service : mark; elements = { 1 : 1 }; }
		chain sub { counter; }
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			ip daddr @s counter
			ip daddr @r counter
			meta mark set tcp dport map @m
			jump sub
		}
	}
	END
	fail() { nft_ "$1; add rule inet t sub jump pre2;
		add rule inet t pre2 jump sub" 2>&1 | grep fails; }
	nft_ add chain inet t pre2
	fail 'add element inet t s { 10.0.2.2 }; add element inet t r { 10.0.2.0/24 };
		add element inet t m { 2 : 2 }'
	send tcp ip4
	listing
	fail 'delete element inet t s { 10.0.1.1 }; delete element inet t r { 10.0.1.0/24 };
		flush map inet t m'
	send tcp ip4
	fail 'add set inet t n { type ipv4_addr; }; add rule inet t pre ip daddr @n counter;
		add element inet t n { 10.0.1.1 }'
	send tcp ip4
	nft_ add element inet t s '{ 10.0.2.2 }'
	nft_ add element inet t r '{ 10.0.2.0/24 }'
	send tcp ip4
	listing
	set_is s compiled
	set_is r compiled
}

# Emptied and filled again at once, as lists are that come from elsewhere.
case_refill()
{
	local i set

	rules <<-END
	table inet t {
		set s { type ipv4_addr; }
		set r { type ipv4_addr; flags interval; }
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			ip daddr @s counter
			ip daddr @r counter
		}
	}
	END
	for i in 2000 3 500 0 1; do
		{
			echo "flush set inet t s; flush set inet t r"
			awk -v n=$i 'BEGIN { for (i = 0; i < n; i++) {
				a = "10." i % 3 "." int(i / 256) "." i % 256
				print "add element inet t s { " a " }"
				if (i % 2) print "add element inet t r { " a " }" } }'
		} | in_ns "$ns" nft -f -
		send ip4
		in_ns "$ns" nft list chain inet t pre
	done
}

# Sets and rules in one transaction, and sets that are used from several chains.
case_together()
{
	local i

	for i in 1 2 3; do
		nft_ -f - <<-END
		table inet t
		delete table inet t
		table inet t {
			set s { type ipv4_addr; elements = { 10.0.$i.1, 10.0.2.2 }; }
			chain out { type filter hook output priority 0; ip daddr @s counter; }
			chain through { type filter hook forward priority 0; ip daddr @s counter; }
			chain pre {
				type filter hook prerouting priority 0; policy accept;
				ip daddr @s counter
				jump sub
			}
			chain sub { ip saddr @s counter; }
		}
		END
		send ip4
		listing
		nft_ -f - <<-END
		add element inet t s { 10.0.2.3 }
		add rule inet t pre ip daddr @s counter
		delete element inet t s { 10.0.2.2 }
		add set inet t u { type ipv4_addr; elements = { 10.0.1.1 }; }
		add rule inet t sub ip daddr @u counter
		END
		send ip4
		listing
		nft_ -f - <<-END
		flush chain inet t sub
		delete set inet t u
		add set inet t u { type inet_service; elements = { 53, 5353 }; }
		add rule inet t sub udp dport @u counter
		END
		send udp ip4
		listing
	done
}

# Tables that grow and shrink.
case_many()
{
	local i

	rules <<-END
	table inet t {
		set s { type ipv4_addr; elements = { 10.0.1.1 }; }
		set r { type ipv4_addr; flags interval; elements = { 10.0.2.0/24 }; }
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			ip daddr @s counter
			ip daddr @r counter
		}
	}
	END
	for i in 1 2 3 4; do
		awk -v k=$i 'BEGIN {
			printf "add element inet t s { 1.2.3.4"
			for (i = 0; i < 3000; i++)
				printf ", %d.%d.%d.%d", 20 + k, i % 7, int(i / 256), i % 256
			printf " }\nadd element inet t r { 1.2.3.4"
			for (i = 0; i < 2000; i++)
				printf ", %d.%d.%d.%d", 20 + k, i % 7, int(i / 256), i % 256 / 2 * 2
			print " }" }' | in_ns "$ns" nft -f - 2>&1
		send udp ip4
	done
	set_is s compiled
	set_is r compiled
	in_ns "$ns" nft flush set inet t s
	nft_ add element inet t s '{ 10.0.2.2 }'
	send udp ip4
	in_ns "$ns" nft list chain inet t pre
}

# The switch, with sets that change while it is off.
case_off_on()
{
	rules <<-END
	table inet t {
		set s { type ipv4_addr; elements = { 10.0.1.1 }; }
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			ip daddr @s counter
		}
	}
	END
	local i

	for i in 1 2 3; do
		[[ $ns == off ]] || jit "$ns" 0
		nft_ add element inet t s "{ 10.0.2.$i }"
		send ip4
		[[ $ns == off ]] || jit "$ns" 1
		send ip4
		nft_ delete element inet t s "{ 10.0.2.$i }"
		send ip4
	done
	listing
}

# While packets flow; what they meet is not to be told, but what is so in the end.
case_under_traffic()
{
	local i

	rules <<-END
	table inet t {
		set s { type ipv4_addr; elements = { 10.0.1.1 }; }
		set r { type ipv4_addr; flags interval; elements = { 10.0.1.0/24 }; }
		map m { type inet_service : mark; elements = { 1 : 1 }; }
		map v { type inet_service : verdict; elements = { 1 : accept }; }
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			ip daddr @s meta mark set 1
			ip daddr @r meta mark set 2
			meta mark set udp dport map @m
			ip daddr . tcp dport { 10.0.1.1 . 1 } drop
			tcp dport vmap @v
		}
	}
	END
	start "$ns-tx" "$INJECT" tx0 -r 1000000 udp tcp >/dev/null
	for ((i = 0; i < 10; i++)); do
		{
			echo "flush set inet t s; flush set inet t r; flush map inet t m;
				flush map inet t v"
			awk -v k=$i 'BEGIN { for (i = 0; i < 300; i++) {
				print "add element inet t s { 10.0." k "." i % 256 " }"
				print "add element inet t r { 10." i % 256 "." k ".0/24 }"
				print "add element inet t m { " i + k " : " i " }"
				print "add element inet t v { " i + k " : accept }" } }'
		} | in_ns "$ns" nft -f - 2>&1
		nft_ add element inet t s '{ 10.0.1.1 }'
		nft_ delete element inet t s '{ 10.0.1.1 }'
	done
	[[ $ns == off ]] || { jit on 0; jit on 1; }
	stop $PID
	settle "$ns"
	nft_ add rule inet t pre meta mark 0-400 counter
	nft_ add rule inet t pre counter
	send udp tcp
	in_ns "$ns" nft list ruleset
}

# room KB|"": what the module may take in a namespace; "": as before.
room()
{
	local file=/sys/module/nft_bpfjit/parameters/max_netns_kb

	[[ $ns != on ]] || echo "${1:-65536}" >$file
}

# The budget is short: a set that has outgrown its table is nft's, and gets another one
# when there is room.  So is a set that comes to a new rule.
# happens: packets [1-9][0-9]* bytes .*comment "in"
case_short()
{
	local more

	rules <<-END
	table inet t {
		set s { type ipv4_addr; elements = { 10.0.1.1 }; }
		set r { type ipv4_addr; flags interval; elements = { 10.0.1.0/24 }; }
		map m { type ipv4_addr : mark; elements = { 10.0.1.1 : 7 }; }
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			ip daddr @s counter comment "in"
			ip daddr @r counter
			meta mark set ip daddr map @m
			meta mark 7 counter
		}
	}
	END
	set_is s compiled
	set_is r compiled
	set_is m compiled
	room 0
	more=$(awk 'BEGIN { for (i = 0; i < 1000; i++)
		printf ", 10.9.%d.%d", i / 100, i % 100 * 2 }')
	nft_ add element inet t s "{ 10.0.2.2 $more }"
	nft_ add element inet t r "{ 10.0.2.2 $more }"
	nft_ add element inet t m "{ 10.0.2.2 ${more//,/ : 8,} : 8 }"
	set_is s live:limit
	set_is r live:limit
	set_is m live:limit
	send ip4
	in_ns "$ns" nft list chain inet t pre
	nft_ delete element inet t s '{ 10.0.1.1 }'
	nft_ delete element inet t r '{ 10.0.1.0/24 }'
	nft_ delete element inet t m '{ 10.0.1.1 }'
	send ip4
	in_ns "$ns" nft list chain inet t pre
	room ''
	# Not at once, where it was in vain before.
	nft_ add element inet t s '{ 10.0.1.1 }'
	nft_ delete element inet t s '{ 10.0.2.2 }'
	nft_ add element inet t r '{ 10.0.1.0/24 }'
	nft_ delete element inet t r '{ 10.0.2.2 }'
	nft_ add element inet t m '{ 10.0.1.1 : 7 }'
	nft_ delete element inet t m '{ 10.0.2.2 }'
	set_is s compiled
	set_is r compiled
	set_is m compiled
	send ip4
	in_ns "$ns" nft list chain inet t pre
}

run_cases "$@"
