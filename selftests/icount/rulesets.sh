#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 1200
#
# What a ruleset costs a packet with the switch off and on, and how much of that is
# nf_tables': the packet less the same packet with the base chains empty, connection
# tracking in all cases.  No packet is to be dearer than 8 instructions more, and
# where the ruleset has a line "# times: N" the packets, all together, have to cost N
# times less.
#
# usage: rulesets.sh [RULESET...]	(those of rulesets/)
#
# To be run by run-in-guest in a guest of "scripts/guest --icount".  RULESET is a file
# NAME.nft or NAME.ipt (for iptables-nft-restore) that has NAME.pkts beside it, see
# replay.c.
#
#	tun0 192.0.2.1/24	--- router ---	dum0 198.51.100.1/24, which drops
#	     203.0.113.0/24
#	tap0 of br0		whole frames (where lines begin with neither 4 nor 6)
#
# VERBOSE=1 prints all packets, else only those that are dearer.
set -u
here=$(cd "$(dirname "$0")" && pwd)
TOP=${TOP:-$(cd "$here/../.." && pwd)}
replay=$TOP/build/replay
proc=/proc/sys/net/netfilter/nft_jit_enable
tmp=$(mktemp -d)
failed=0

die() { echo "Bail out! $*"; exit 1; }
[ $# -gt 0 ] || set -- "$here"/rulesets/*.nft
echo "1..$#"

modprobe -a nf_tables nf_conntrack tun dummy br_netfilter nft_compat 2>/dev/null
[ -e /sys/module/nft_bpfjit ] || insmod "$MODULE" || die "insmod"
[ "$replay" -nt "$here/replay.c" ] || gcc -O2 -Wall -Wextra -o "$replay" "$here/replay.c" ||
	die "replay.c"
ip netns add replay || die "ip netns"
run() { nsenter --net=/run/netns/replay "$@"; }

run sh -c '
ip link set lo up
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
	net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
	net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
	net.ipv4.icmp_ratelimit=0 net.ipv4.conf.all.accept_local=1
for s in /proc/sys/net/netfilter/nf_conntrack_*timeout*; do echo 100000 >$s; done
ip tuntap add tun0 mode tun
ip link add dum0 type dummy
ip link add br0 type bridge forward_delay 0 mcast_snooping 0
ip tuntap add tap0 mode tap
ip link set tap0 master br0
ip link set dum0 arp off
for d in tun0 dum0 br0 tap0; do ip link set $d up; done
ip addr add 192.0.2.1/24 dev tun0
ip addr add 198.51.100.1/24 dev dum0
ip addr add 2001:db8:1::1/64 dev tun0 nodad
ip route add 203.0.113.0/24 dev tun0
ip route add default dev dum0
ip -6 route add default dev dum0
sysctl -qw net.bridge.bridge-nf-call-iptables=0 2>/dev/null
:'

# The base chains alone, as they are.
cat >"$tmp/empty.awk" <<'END'
/^table/ { print; next }
/^}/ { print; next }
/^\t(chain)/ { head = $0; next }
/^\t\ttype .* hook / { sub(/policy drop/, "policy accept"); print head; print; print "\t}" }
END
cat >"$tmp/keep" <<'END'
table inet keep {
	chain f { type filter hook forward priority 2147483647; policy drop; }
	chain i { type filter hook input priority 2147483647; policy drop; }
	chain o { type filter hook output priority -1; ct state new; }
}
END

# measure: $f, into $tmp/costs where it is less than what is there: a set's hash has
# another seed each time that it is loaded.
measure()
{
	# shellcheck disable=SC2086
	run "$replay" $tap $dev "${f%.*}.pkts" \
		"echo 0 >$proc; nft flush ruleset; cat $tmp/keep $tmp/empty | nft -f -; sleep 0.2" \
		"nft flush ruleset; $load; nft -f $tmp/keep; sleep 0.2" \
		"echo 1 >$proc; nft flush ruleset; $load; nft -f $tmp/keep; sleep 0.2" \
		>"$tmp/new" || return 1
	paste -d ' ' "$tmp/new" "$tmp/costs" | awk '{
		for (i = 2; i <= 4; i++)
			if (NF > 4 && $(i + 4) < $i)
				$i = $(i + 4)
		print $1, $2, $3, $4 }' >"$tmp/least"
	mv "$tmp/least" "$tmp/costs"
}

# compare: true if $name is as cheap as it has to be.  Says in $tmp/said what it found.
compare()
{
	awk -v name="$name" -v all="${VERBOSE-}" -v times="${times:-0}" '
		{
			off = $3 - $2; on = $4 - $2
			sum_off += off; sum_on += on
			if (on > off + 8) {
				bad++
				if (on - off > worst)
					worst = on - off
			}
			if (all || on > off + 8)
				printf "#   packet %d: off %d on %d (empty %d)\n", $1, off, on, $2
			n++
		}
		END {
			good = n && !bad && sum_on * times <= sum_off
			printf "%s %s: %d packets, off %.0f, on %.0f, %.2f times (of %s), " \
				"%d dearer, worst %+d\n", good ? "ok" : "not ok", name, n,
				sum_off / n, sum_on / n, sum_on ? sum_off / sum_on : 0,
				times, bad, worst
			exit !good
		}' "$tmp/costs" >"$tmp/said"
}

for f; do
	name=${f%.*}
	name=${name##*/}
	tap=''
	dev=tun0
	grep -q '^[46]' "${f%.*}.pkts" || { tap=-t dev=tap0; }
	load="nft -f $f"
	case $f in
	*.ipt) load="iptables-nft-restore $f" ;;
	esac
	run nft flush ruleset
	run sh -c "$load" || { echo "not ok $name loads"; failed=1; continue; }
	times=$(sed -n 's/^# times: //p' "$f")
	run nft -s list ruleset >"$tmp/full"
	awk -f "$tmp/empty.awk" "$tmp/full" >"$tmp/empty"
	: >"$tmp/costs"
	bad=1
	for _ in 1 2 3; do
		measure || die "$name"
		compare && bad=0 && break
	done
	cat "$tmp/said"
	[ $bad = 0 ] || failed=1
	run grep -v '^#' /proc/net/nft_bpfjit | sed '/ keep /d; s/^/#     /'
done
exit $failed
