#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The expression "inner", which reads what is inside a tunnel: before, between and
# behind what is translated.  nft of Debian 12 knows nothing of it, so the rules are
# rawrule.c's, and so is what they have counted.  cases.sh has the picture.
#
# The kernel keeps what it has found inside a packet for each processor, by the
# address of the skb, and does not replace it where the next packet has the same
# one (nft_inner_save_tun_ctx() of 6.12).  So what "inner" says depends on the
# allocator, unless no two packets one after the other have the same address: all
# are made before the first one is received, the twins have their turns, and the
# last packet of one is the first of the next.
#
# usage: inner.sh [case...]
#
# timeout: 600
. "$(dirname "$0")/cases.sh"

CASES=(inet netdev bridge)
TOOLS=(rawrule)

# TYPE, FLAGS (1: the size of the tunnel's header counts, 2: link, 4: network, 8:
# transport header) and HDRSIZE, which is from the end of the outer transport header.
VXLAN=inner,1,15,8
GENEVE=inner,2,15,8
GRE=inner,3,13,4
GRETAP=inner,4,15,4
IPIP=inner,5,12,4
# With nothing but a transport header behind it.
BARE=inner,6,9,8

# raw FAMILY CHAIN: rules from stdin.  The meta of the bridge family (7) is one that
# the kernel does not take inside of "inner".
raw()
{
	local without=none

	[[ $1 != 7 ]] || without='inner,[^ ]*,meta'
	grep -v "$without" | in_ns "$ns" "$RAWRULE" add "$1" t "$2"
}

# counted FAMILY CHAIN...
counted()
{
	local chain

	for chain in "${@:2}"; do
		echo "== $chain"
		in_ns "$ns" "$RAWRULE" list "$1" t "$chain"
	done
}

# sets FAMILY [HOOK...]: the table and what the rules look up, the chain first.
sets()
{
	rules <<-END
	table $1 t {
		set pair {
			type inet_service . inet_service
			elements = { 53 . 4789, 80 . 4789, 4789 . 53 }
		}
		set hosts {
			type ipv4_addr; flags interval
			elements = { 10.7.0.2-10.7.0.4, 10.0.2.2 }
		}
		map by {
			type inet_proto : verdict
			elements = { udp : jump u, icmp : jump i, 58 : drop }
		}
		chain u { }
		chain i { counter; }
		chain pre { type filter ${*:2}; policy accept; }
	}
	END
}

# tests FAMILY OUTER4 OUTER6: rules for the chain; the arguments are what a rule
# about IPv4 and one about IPv6 begin with.
tests()
{
	local four=$2 six=$3 udp="meta,16,1 cmp,1,eq,11" vxlan name tun width off v

	vxlan="$udp payload,t,2,2,1 cmp,1,eq,12b5"
	raw "$1" u <<-END
	$VXLAN,payload,t,2,2,1 cmp,1,eq,0035 counter
	payload,t,0,2,1 cmp,1,gte,9c43 counter
	counter
	END
	raw "$1" pre <<-END
	$four payload,n,12,4,1 cmp,1,eq,0a000102 counter
	$vxlan counter
	$vxlan $VXLAN,meta,16,1 cmp,1,eq,11 counter
	$vxlan $VXLAN,meta,16,1 cmp,1,eq,11 $VXLAN,payload,t,2,2,1 cmp,1,eq,0035 counter
	$vxlan $VXLAN,meta,1,1 cmp,1,eq,0008 counter
	$vxlan $VXLAN,meta,1,1 cmp,1,eq,0800 counter
	$VXLAN,meta,1,1 cmp,1,eq,8100 counter
	$udp payload,t,0,2,1 cmp,1,gte,9c42 counter
	$six payload,n,6,1,1 cmp,1,eq,11 counter
	$VXLAN,payload,l,0,6,1 cmp,1,eq,020000000701 counter
	$VXLAN,payload,u,4,3,1 cmp,1,eq,00007b counter
	$udp payload,t,2,2,9 $VXLAN,payload,t,2,2,8 lookup,8,pair counter
	$udp payload,t,2,2,8 $VXLAN,payload,t,2,2,9 lookup,8,pair counter
	$udp payload,t,2,2,8 $VXLAN,payload,t,2,2,9 lookup,8,pair,not counter
	$four payload,n,16,4,1 $VXLAN,payload,n,12,4,2 cmp,1,eq,0a000202 counter
	$four payload,n,16,4,1 $VXLAN,payload,n,12,4,1 cmp,1,eq,0a070001 counter
	$VXLAN,payload,n,16,4,1 lookup,1,hosts counter
	$four payload,n,16,4,1 lookup,1,hosts $VXLAN,payload,n,16,4,1 lookup,1,hosts counter
	$VXLAN,payload,n,16,4,1 bitwise,1,fffffffc cmp,1,eq,0a070004 setmark,1 counter
	meta,3,1 cmp,1,eq,0a070004 counter
	$VXLAN,payload,t,0,2,1 cmp,1,eq,03e8 payload,t,0,2,1 cmp,1,lt,9c43 counter
	$four payload,n,12,4,1 cmp,1,eq,0a000102 counter
	payload,i,0,2,1 cmp,1,eq,0800 counter
	$vxlan $VXLAN,meta,16,1 vmap,1,by
	$vxlan $VXLAN,payload,n,16,4,1 cmp,1,eq,0a070003 counter drop
	$udp payload,t,2,2,1 cmp,1,ne,12b5 counter
	$udp payload,t,2,2,1 cmp,1,eq,17c1 $GENEVE,meta,16,1 cmp,1,eq,06 counter
	$GENEVE,payload,u,0,1,1 cmp,1,eq,02 counter
	$GENEVE,payload,n,8,1,1 cmp,1,eq,3f counter
	$BARE,payload,t,0,4,1 cmp,1,eq,02000000 counter
	meta,16,1 cmp,1,eq,2f counter
	meta,16,1 cmp,1,eq,2f $GRETAP,payload,l,12,2,1 cmp,1,eq,0800 counter
	$GRETAP,meta,16,1 cmp,1,eq,11 counter
	$GRE,payload,u,2,2,1 cmp,1,eq,0800 counter
	$GRE,payload,n,16,4,1 lookup,1,hosts counter
	$GRE,meta,16,1 cmp,1,eq,3a counter
	$IPIP,payload,n,12,4,1 cmp,1,eq,0a070001 counter
	$IPIP,meta,16,1 cmp,1,eq,11 $IPIP,payload,t,2,2,1 cmp,1,eq,0035 counter
	meta,16,1 cmp,1,eq,04 payload,n,9,1,1 cmp,1,eq,04 counter
	END
	# Widths, and places from the tunnel's header to beyond the end.
	for tun in "$VXLAN" "$GRE"; do
		for name in u l n t; do
			for width in 1 3 4 16; do
				for off in 0 15; do
					v=$(printf '40%.0s' $(seq "$width"))
					echo "$tun,payload,$name,$off,$width,1" \
						"cmp,1,gte,$v counter"
				done
			done
		done
	done | raw "$1" pre
	raw "$1" pre <<-END
	$four payload,n,16,4,1 cmp,1,eq,0a000202 counter
	$udp payload,t,2,2,1 cmp,1,eq,12b5 counter accept
	$udp payload,t,2,2,1 cmp,1,eq,17c1 counter drop
	counter
	END
}

# all_of FAMILY DEV TO: packets, and what has become of them.
all_of()
{
	came_out "$3" at_once "$2" tunnel
	in_bpf
	counted "$1" pre u i
	nft_ list ruleset
}

# alone
# happens: ^packets [1-9].*cmp,1,eq,12b5 inner,1,15,8,meta,16,1 cmp,1,eq,11 inner
# happens: ^packets [1-9].*cmp,1,eq,0a070003 counter drop
# happens: ^packets [1-9].*inner,1,15,8,meta,1,1 cmp,1,eq,8100
# happens: ^packets [1-9].* inner,1,15,8,payload,t,2,2,8 lookup,8,pair
# happens: ^packets [1-9].*meta,3,1 cmp,1,eq,0a070004
# happens: ^packets [1-9].*inner,2,15,8,payload,u,0,1
# happens: ^packets [1-9].*inner,6,9,8
# happens: ^packets [1-9].*inner,4,15,4,meta
# happens: ^packets [1-9].*inner,3,13,4,meta
# happens: ^packets [1-9].*inner,5,12,4,meta
# happens: ^packets [1-9].*cmp,1,eq,17c1 counter drop
# happens: ^out at tx1: [1-9]
# bpf: ^inet t pre .* bpf$
# bpf: ^inet t pre [0-9]+ bpf 1 4 5 - counter
# bpf: ^inet t pre [0-9]+ bpf 0 4 9 inner inner,cmp,inner,cmp,counter
case_inet()
{
	sets inet hook prerouting priority 0
	tests 1 "meta,15,1 cmp,1,eq,02" "meta,15,1 cmp,1,eq,0a"
	all_of 1 tx0 tx1
}

# alone
# happens: ^packets [1-9].*inner,1,15,8,payload,t,2,2,8 lookup,8,pair
# happens: ^out at tx1: [1-9]
# bpf: ^netdev t pre .* bpf$
# bpf: ^netdev t pre [0-9]+ bpf 1 4 5 - counter
# bpf: ^netdev t pre [0-9]+ bpf 0 4 9 inner inner,cmp,inner,cmp,counter
case_netdev()
{
	sets netdev hook ingress device in0 priority 0
	tests 5 "meta,1,1 cmp,1,eq,0800" "meta,1,1 cmp,1,eq,86dd"
	all_of 5 tx0 tx1
}

# alone
# happens: ^packets [1-9].*inner,1,15,8,payload,t,2,2,8 lookup,8,pair
# happens: ^out at tp1: [1-9]
# bpf: ^bridge t pre .* bpf$
# bpf: ^bridge t pre [0-9]+ bpf 1 4 5 - counter
# bpf: ^bridge t pre [0-9]+ bpf 0 3 6 inner inner,lookup,counter
case_bridge()
{
	sets bridge hook prerouting priority 0
	tests 7 "meta,1,1 cmp,1,eq,0800" "meta,1,1 cmp,1,eq,86dd"
	all_of 7 tp0 tp1
}

# Part of nf_tables since 6.2.
case $(uname -r) in
6.1.*|5.*)
	skip "inner" "the kernel has no such expression"
	finish
	;;
esac
modprobe sch_plug
run_cases "$@"
