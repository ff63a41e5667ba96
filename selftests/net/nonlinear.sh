#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Packets whose bytes are in several places: what conntrack has put together of
# fragments, what GRO has put together of datagrams and segments (lists of skbs, and
# pages), and what is not cut into segments yet.  Loads of all widths, on, before and
# behind the places where one part ends.  cases.sh has the picture.
#
# What GRO puts together depends on what is in the queue when it comes to look: all
# frames wait in front of the device, and with one processor there are then as many
# as its budget is, or all.  The rules about length say whether it did.
#
# usage: nonlinear.sh [case...]
#
# timeout: 900
. "$(dirname "$0")/cases.sh"

CASES=(parts gso list forwarding bridge)
TOOLS=()

# loads BASE FROM TO: rules with loads from there, of all widths, some of them at odd
# bits, with masks and in sets.
loads()
{
	local off width

	for ((off = $2; off < $3; off += 7)); do
		for width in 1 2 3 4 8 16; do
			echo "@$1,$((8 * off)),$((8 * width)) >=" \
				"0x$(printf '7%.0s' $(seq $((2 * width)))) counter"
		done
		echo "@$1,$((8 * off + 3)),7 < 0x33 counter"
		echo "@$1,$((8 * off)),16 & 0x3ff0 > 0x1000 counter"
		echo "@$1,$((8 * off)),8 { 0x10-0x33, 0x78, 0x90-0xb0 } counter"
	done
}

# plain: rules about fields, the length, and of the headers that follow each other.
plain()
{
	cat <<-END
	meta length > 9100 counter
	meta length > 560 counter
	udp dport 5000-5024 udp length > 80 counter
	ip length > 1500 counter
	ip6 length > 1500 counter
	ip saddr 10.0.1.2 counter
	ip protocol tcp counter
	ip6 nexthdr { tcp, udp, 44 } counter
	udp dport 5000-5045 counter
	udp length > 500 counter
	udp checksum > 0x7fff counter
	tcp dport { 80, 81, 5000-5090 } counter
	tcp flags & (syn | ack) == ack counter
	tcp sequence 1-2000 counter
	meta l4proto udp th dport { 5001, 5013, 5024 } counter
	udp dport . ip daddr { 5002 . 10.0.2.2, 5011 . 10.0.2.2 } counter
	exthdr frag exists counter
	frag frag-off 0 counter
	END
}

# ruleset_of FAMILY HOOK...: tests in a chain for the hook and in one that comes last
# (of netdev, the same), and verdicts.
ruleset_of()
{
	local last="hook postrouting"

	[[ $1 != netdev ]] || last=${*:2}
	rules <<-END
	table $1 t {
		chain first {
			$(plain)
			$(loads th 6 36)
			$(loads nh 42 68)
			@th,1000,32 & 0xff00ff00 > 0x20001000 counter
			@th,1600,64 > 0x8000000000000000 counter
			@nh,1000,128 > 0x80000000000000000000000000000000 counter
			@th,64,8 < 0x40 udp dport 5010-5040 counter
			@th,400,8 > 0xe0 counter drop
			@ih,0,32 > 0x40000000 counter
			counter
		}
		chain c {
			type filter ${*:2} priority 0; policy accept;
			jump first
			meta length > 100 counter
			udp dport 5000-5090 @th,72,16 < 0x1000 counter drop
			counter
		}
		chain d {
			type filter $last priority 10; policy accept;
			jump first
			@th,72,16 < 0x8000 counter
		}
	}
	END
}

# gro DEV FEATURE...: those of GRO, of a device that the packets come in by.
gro()
{
	local feature args=()

	for feature in "${@:2}"; do
		args+=("$feature" on)
	done
	in_ns "$ns" ethtool -K "$1" "${args[@]}" || echo "no $*"
}

# no_gro DEV
no_gro()
{
	in_ns "$ns" ethtool -K "$1" gro off rx-gro-list off rx-udp-gro-forwarding off
}

# result: of a ruleset, which goes.
result()
{
	in_bpf
	nft_ list ruleset
	nft_ flush ruleset
}

# both SET: inet and netdev, with the frames of one set.
both()
{
	ruleset_of inet hook prerouting
	came_out tx1 at_once tx0 "$1"
	result
	ruleset_of netdev hook ingress device in0
	came_out tx1 at_once tx0 "$1"
	result
	# What conntrack knows of these is not for the next case.
	in_ns "$ns" conntrack -F 2>/dev/null
}

# Fragments, put together where there is conntrack: none of them has more than 560
# bytes.
# happens: meta length > 560 counter packets [1-9]
# happens: @th,400,8 > 0xe0 counter packets [1-9][0-9]* bytes [0-9]* drop
# happens: ^out at tx1: [1-9]
# bpf: ^inet t c .* bpf$
# bpf: ^inet t first .* bpf$
case_parts()
{
	rules <<-END
	table inet tracked {
		chain pre {
			type filter hook prerouting priority -300; policy accept;
			ct state new counter
		}
	}
	END
	both parts
}

# happens: meta length > 9100 counter packets [1-9]
# happens: ip length > 1500 counter packets [1-9]
# happens: ip6 length > 1500 counter packets [1-9]
# happens: ^out at tx1: [1-9]
# bpf: ^inet t c .* bpf$
# bpf: ^netdev t first .* bpf$
case_gso()
{
	both gso
}

# Lists of skbs, each a datagram.
# alone
# happens: meta length > 9100 counter packets [1-9]
# happens: udp dport 5000-5024 udp length > 80 counter packets [1-9]
# happens: ^out at tx1: [1-9]
# bpf: ^inet t c .* bpf$
# bpf: ^netdev t first .* bpf$
case_list()
{
	gro in0 gro rx-gro-list
	both runs
	no_gro in0
}

# Datagrams in one skb.
# alone
# happens: meta length > 9100 counter packets [1-9]
# happens: udp dport 5000-5024 udp length > 80 counter packets [1-9]
# happens: ^out at tx1: [1-9]
# bpf: ^inet t c .* bpf$
# bpf: ^netdev t first .* bpf$
case_forwarding()
{
	gro in0 gro rx-udp-gro-forwarding
	both runs
	no_gro in0
}

# Datagrams and segments through a bridge, and what is put together in it.
# alone
# happens: meta length > 9100 counter packets [1-9]
# happens: ^out at tp1: [1-9]
# bpf: ^bridge t c .* bpf$
# bpf: ^netdev t first .* bpf$
case_bridge()
{
	gro p0 gro rx-gro-list
	ruleset_of bridge hook forward
	came_out tp1 at_once tp0 parts gso runs
	result
	ruleset_of netdev hook ingress device p0
	came_out tp1 at_once tp0 runs gso
	result
	no_gro p0
}

modprobe sch_plug
run_cases "$@"
