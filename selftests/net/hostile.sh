#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Rulesets that are big, odd, or change under the packets.  cases.sh has the
# picture.
#
# usage: hostile.sh [case...]
#
# timeout: 1500
# processors: 2
. "$(dirname "$0")/cases.sh"

CASES=(deleted_chains refill revisions modules big)
TOOLS=(xtmatch)

# Verdict maps to chains that go in the same transaction.
# happens: Device or resource busy
# happens: \[7, \{"jump": \{"target": "z"
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
# generation is not repeated when elements of it have gone meanwhile.  And in a set
# of intervals they may with both, whose tree has elements of both generations
# meanwhile, and does not find all of the old ones.
# happens: hits: yes
# happens: misses: (0$|what)
case_refill()
{
	local flood kind may

	for kind in "ip saddr @s" "ip saddr . udp dport @pair" "ip saddr @nets"; do
		may=0
		[[ $(uname -r) != 6.1.* && $kind != *@nets ]] || may=1
		cat >"$TMP/refill-$ns" <<-END
		flush set ip t s
		flush set ip t pair
		flush set ip t nets
		add element ip t s { 10.0.1.1, 10.0.1.2, 10.0.1.3, 10.0.1.4 }
		add element ip t pair { 10.0.1.0-10.0.1.9 . 5000-6000, 10.0.3.0/24 . 1 }
		add element ip t nets { 10.0.1.0/24, 10.0.3.0-10.0.3.5 }
		END
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
		$(<"$TMP/refill-$ns")
		END
		status "$ns" >>"$TMP/$ns.status"
		inject "$ns" tx0 -r 20000 udp >/dev/null &
		flood=$!
		for _ in {1..6}; do
			nft_ -f "$TMP/refill-$ns"
			kill -0 $flood 2>/dev/null || break
		done
		kill $flood 2>/dev/null
		wait $flood 2>/dev/null
		settle "$ns"
		in_ns "$ns" nft list chain ip t pre | awk -v kind="$kind" -v may=$may '
			/missed/ { miss = $3 }
			/drop/ { hit = $(NF - 3) }
			END { print kind " hits: " (hit > 0 ? "yes" : "no") ", misses: " \
				(may ? "what the kernel has" : miss) }'
	done
	nft_ flush ruleset
}

# Matches of xtables in revisions that iptables-nft does not use: the translator
# knows some of them (conntrack 1 and 2), others not (addrtype 0), and some not
# even the kernel does (mark 7).  Infos of a wrong size, and a match of tcp in a
# rule that does not ask for tcp.
# happens: match mark 7: No such file or directory
# happens: match tcp 0: Invalid argument
# happens: match addrtype 0: added
# happens: ct state new counter packets [1-9]
# happens: fib daddr type local counter packets [1-9]
case_revisions()
{
	local w=00000000 addresses v1 flag

	rules <<-END
	table ip t {
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			tcp dport 1-20 meta mark set 5
			tcp dport 15-30 counter
			udp dport 1-6000 counter
		}
	}
	END
	# struct xt_addrtype_info: what type the destination is of.
	xt addrtype 0 "00000400$w$w"
	xt addrtype 0 "00000400${w}01000000"
	xt addrtype 0 "00000200$w$w"
	xt addrtype 0 "0000"
	# struct xt_mark_mtinfo1
	xt mark 1 05000000ff00000000000000
	xt mark 1 05000000ff00000001000000
	xt mark 7 05000000ff00000000000000
	xt mark 0 05000000ff00000000000000
	# struct xt_conntrack_mtinfo1 and 2: after addresses, times and ports what to
	# match (1: the state), what to invert, and states (8: new, 2: established).
	addresses=$(printf '0%.0s' {1..256})
	v1=$addresses$w$w${w}0000${w}
	for flag in 0000 0100; do
		xt conntrack 1 "${v1}0100${flag}0800"
		xt conntrack 2 "${v1}0100${flag}080000000000"
		xt conntrack 3 "${v1}0100${flag}02000000$w${w}0000"
	done
	# struct xt_tcp: ports 5 to 9.
	xt tcp 0 0000ffff0500090000000000 6
	xt tcp 0 0000ffff0500090000000004 6
	xt tcp 0 0000ffff0500090000000000
	xt tcp 0 0000ffff05000900 6
	xt tcp 0 0000ffff050009000000000000000000000000 6
	xt tcp 9 0000ffff0500090000000000 6
	send tcp udp ip4
	listing
	in_ns "$ns" iptables-nft-save -c 2>&1 | grep -v '^#'
}

# xt NAME REVISION INFO [PROTO]: one more rule, with such a match and a counter.
xt() { in_ns "$ns" "$XTMATCH" t pre "$@" 2>&1; }

# Modules of expressions that go and come back.
# alone
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

# Sets of many addresses, the sender's own the last of them: one of 100,000 with a
# name, which is looked up, and one without, which becomes part of the program.
# What was counted is read without the rules, a listing of which takes its time.
# happens: packets 100 bytes
case_big()
{
	rules <<-END
	table ip t {
		set s { type ipv4_addr; elements = { $(many 11 100000) }; }
		counter named { }
		counter other { }
		counter anonymous { }
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			ip saddr @s counter name named
			ip daddr @s counter name other
			ip saddr != @s counter name other
			ip saddr { $(many 12 20000) } counter name anonymous
			ip daddr { 10.0.1.1, 10.0.1.2 } tcp dport 1-5 counter name other
		}
	}
	END
	send tcp
	nft_ list counters
	status "$ns" >>"$TMP/$ns.status"
	nft_ flush ruleset
}

# many FIRST COUNT: addresses that begin with it, a list.
many()
{
	awk -v first="$1" -v n="$2" 'BEGIN {
		for (i = 1; i < n; i++)
			printf "%d.%d.%d.%d,", first, i / 16384, i / 128 % 128, i % 128 * 2
		print "10.0.1.2" }'
}

run_cases "$@"
