# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the tests of the corpus share.  To be sourced, in a guest.
#
# A ruleset is one file or several of one name:
#
#	NAME.nft	for nft -f
#	NAME.ipt4	for iptables-nft-restore
#	NAME.ipt6	for ip6tables-nft-restore
#	NAME.*.gen	prints one of these
#
# Its first lines say where it comes from.  regenerate/ has the scripts that make
# them again, where a tool made them.  prepare leaves them, and all that can be
# made of them beforehand, in build/corpus.
#
# A ruleset is loaded in a namespace that has the interfaces that the rulesets
# name (devices), each a veth to a namespace with the other ends, which answers
# nothing:
#
#	ns NAME					ns NAME-tx
#	eth0 10.0.0.1/24 ...	---------------	x-eth0
#	eth1 10.1.0.1/24 ...	---------------	x-eth1
#	...
#	br0 { uplink vm0 vm1 vm2 }	-------	x-uplink x-vm0 x-vm1 x-vm2

. "$(dirname "${BASH_SOURCE[0]}")/../net/lib.sh"
CORPUS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=${TOP:-$(cd "$CORPUS/../.." && pwd)}
MADE=$TOP/build/corpus

# rulesets: their names.
rulesets() { (cd "$MADE" && printf '%s\n' *.packets | sed 's/\.packets$//'); }

# load NS NAME: in place of what is there; "count/NAME" is the one with counters.
load()
{
	local f

	in_ns "$1" nft flush ruleset
	for f in "$MADE/$2".{nft,ipt4,ipt6}; do
		[ -e "$f" ] || continue
		case $f in
		*.nft) in_ns "$1" nft -f "$f" ;;
		*.ipt4) in_ns "$1" iptables-nft-restore "$f" ;;
		*.ipt6) in_ns "$1" ip6tables-nft-restore "$f" ;;
		esac || return 1
	done
}

# corpus_ns NS: the namespaces NS and NS-tx.
corpus_ns()
{
	local ns=$1 tx=$1-tx name addrs a index=10 mac

	ip netns add "$ns"
	ip netns add "$tx"
	in_ns "$tx" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 \
		net.ipv6.conf.default.disable_ipv6=1
	in_ns "$ns" sh -c '
		sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
			net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
			net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 \
			net.ipv6.conf.all.accept_ra=0 net.ipv6.conf.default.accept_ra=0 \
			net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0 \
			net.ipv6.conf.default.addr_gen_mode=1 \
			net.ipv6.conf.default.router_solicitations=0
		sysctl -qw net.ipv4.icmp_msgs_per_sec=1000000 \
			net.ipv4.icmp_msgs_burst=1000000 2>/dev/null
		for s in /proc/sys/net/netfilter/nf_conntrack_*timeout*; do
			echo 100000 >$s
		done
		:'
	{
		echo "link set lo up"
		echo "link add br0 index 9 type bridge forward_delay 0 mcast_snooping 0" \
			"ageing_time 10000000"
		while read -r name addrs; do
			index=$((index + 1))
			printf -v mac 02:00:00:00:%02x:01 $index
			echo "link add $name index $index address $mac" \
				"type veth peer name x-$name netns $tx"
			[ "$addrs" != bridge ] || {
				echo "link set $name master br0 up"
				continue
			}
			# See arp().
			echo "link set $name arp off up"
			for a in $addrs; do
				case $a in
				*:*) echo "addr add $a dev $name nodad" ;;
				*) echo "addr add $a dev $name" ;;
				esac
			done
		done < <(sed '/^#/d' "$CORPUS/devices")
		echo "link set br0 up"
		echo "addr add 10.5.0.1/24 dev br0"
		echo "route add default via 10.0.0.254 dev eth0"
		echo "route add default via fe80::fe dev eth0"
	} | ip -n "$ns" -batch -
	# Who does not answer is asked once.
	in_ns "$ns" sh -c '
		for dev in /proc/sys/net/ipv[46]/neigh/eth[01]; do
			echo 10000000 >$dev/retrans_time_ms
			echo 10000 >$dev/delay_first_probe_time
		done'
	ip -n "$tx" -o link | sed -n 's/^[0-9]*: \(x-[^@]*\)@.*/link set \1 arp off up/p' |
		ip -n "$tx" -batch -
}

# arp NS RULESET: the interfaces do without ARP, so that no packet waits for a
# neighbour, except where the ruleset has something to say about it.  Turning it
# on or off forgets all neighbours.
arp()
{
	local state=off

	! grep -qs '^table arp' "$MADE/$2".nft || state=on
	ip -n "$1" -batch - <<-END
		link set eth0 arp $state
		link set eth1 arp $state
		neigh replace 10.0.0.254 lladdr 02:00:00:00:00:fe dev eth0 nud permanent
		neigh replace fe80::fe lladdr 02:00:00:00:00:fe dev eth0 nud permanent
	END
}

# corpus_init: modules, and what prepare makes.
corpus_init()
{
	[ -x "$MADE/probe" ] || "$CORPUS/prepare" || { notok "prepare"; finish; }
	load_module
	modprobe -a br_netfilter nft_compat nf_flow_table 2>/dev/null
	# Bridged packets are the bridge family's alone.
	sysctl -qw net.bridge.bridge-nf-call-iptables=0 \
		net.bridge.bridge-nf-call-ip6tables=0 \
		net.bridge.bridge-nf-call-arptables=0 2>/dev/null
	# One budget of ICMP errors for all namespaces.
	sysctl -qw net.ipv4.icmp_msgs_per_sec=1000000 \
		net.ipv4.icmp_msgs_burst=1000000 2>/dev/null
}
