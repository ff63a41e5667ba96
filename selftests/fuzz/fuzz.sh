#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The guest's side of the fuzzer: twin namespaces (selftests/net/lib.sh), the
# cases of old bugs, then random cases (main.c tells of what).
#
#   FUZZ_SEED, FUZZ_SECONDS, FUZZ_CASES	which, for how long, how many at most
#   FUZZ_REPLAY				only these files
#   FUZZ_HITS				1: rules count their hits meanwhile
#
# Without them: what "make check" runs, a fixed seed and a fixed number of cases
# (fewer on a very slow machine).
#
# timeout: 1500
. "$(dirname "$0")/../net/lib.sh"

FUZZ=$TOP/build/fuzz/nft-fuzz
CASES=$TOP/selftests/fuzz/cases

# The device behind whose frames all others have gone; and no packet leaves where
# it came in (redirects are limited by time), and there is room for fragments that
# are never put together.
more()
{
	in_ns "$1" sh -c 'for s in /proc/sys/net/ipv4/conf/*/send_redirects; do
		echo 0 >$s; done
		sysctl -qw net.ipv4.icmp_msgs_per_sec=1000000 \
			net.ipv4.icmp_msgs_burst=1000000 2>/dev/null
		for s in ipv4/ipfrag_high_thresh ipv6/ip6frag_high_thresh \
			netfilter/nf_conntrack_frag6_high_thresh; do
			echo 400000000 >/proc/sys/net/$s
		done; :'
	ip -n "$1" route replace default via 10.0.2.254 dev out0 onlink
	ip -n "$1" -6 route del default
	ip -n "$1" -6 route add default via fe80::fe dev out0 onlink
	ip -n "$1" link add se0 index 15 type veth peer name sx0 netns "$1-tx"
	in_ns "$1" sysctl -qw net.ipv6.conf.se0.disable_ipv6=1 \
		net.ipv6.auto_flowlabels=0
	ip -n "$1" link set se0 arp off up
	ip -n "$1-tx" link set sx0 arp off up
}

load_module
modprobe -a nf_conntrack_netlink nft_ct nft_limit nft_quota nft_log nft_reject \
	nft_hash nft_numgen nft_fib nft_fib_inet nft_queue nft_reject_inet \
	nft_reject_ipv4 nft_reject_ipv6 nft_reject_bridge nft_meta_bridge \
	nft_objref nft_dup_netdev nft_fwd_netdev nft_dup_ipv4 \
	nft_chain_nat nft_nat nft_masq nft_redir \
	nft_socket nft_osf nft_tunnel nft_xfrm \
	nf_conntrack_ftp nft_fib_ipv4 nft_fib_ipv6 nft_fib_netdev 2>/dev/null
make_twins
more off
more on
echo "${FUZZ_HITS:-0}" | in_ns on tee /proc/sys/net/netfilter/nft_jit_hits >/dev/null
sleep 1

# Old bugs first, then new ones: the results of both as one.
rc=0
shopt -s nullglob
files=("$CASES"/*.case)
# shellcheck disable=SC2206
[ -z "${FUZZ_REPLAY-}" ] || files=($FUZZ_REPLAY)
{
	[ ${#files[@]} = 0 ] || "$FUZZ" replay "${files[@]}" || rc=$?
	[ -n "${FUZZ_REPLAY-}" ] ||
		"$FUZZ" run "${FUZZ_SEED:-1}" "${FUZZ_SECONDS:-200}" "$RESULTS" \
			"${FUZZ_CASES:-150}" || rc=$?
	exit $rc
} | {
	n=0
	while IFS= read -r line; do
		case $line in
		1..*) ;;
		"ok "*|"not ok "*)
			n=$((n + 1))
			echo "$line" ;;
		*) echo "$line" ;;
		esac
	done
	echo "1..$n"
}
rc=${PIPESTATUS[0]}
echo 120 >/sys/module/nft_bpfjit/parameters/min_cost
ip -all netns delete
rm -rf "$TMP"
exit $rc
