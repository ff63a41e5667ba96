#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Traces: what "nft monitor trace" prints with the switch on is what it prints
# with the switch off, rule for rule, whether the trace is switched on in an
# earlier chain, in another table, or in the middle of the chain itself.
#
# timeout: 600
. "$(dirname "$0")/lib.sh"

# trace NS: the traces of a few packets.  The numbers of traces are hashes of
# addresses in the kernel's memory; here they are counted.
trace()
{
	local ns=$1

	start "$ns" nft monitor trace >"$TMP/trace" 2>&1
	eventually monitors_are "$ns" 1 || echo "no monitor"
	inject "$ns" tx0 udp >/dev/null
	inject "$ns" tx0 arp tcp >/dev/null
	settle "$ns"
	sleep 1
	stop "$PID"
	eventually monitors_are "$ns" 0
	awk '$1 == "trace" && $2 == "id" {
		if (!($3 in id)) id[$3] = ++n
		$3 = id[$3] } { print }' "$TMP/trace"
}

# compare NAME STATE RULESET: STATE is that of chain "in" of table "ip t".
compare()
{
	local name=$1 ns

	for ns in off on; do
		in_ns "$ns" nft flush ruleset
		ruleset "$ns" <<<"$3"
		trace "$ns" >"$TMP/$ns"
		in_ns "$ns" nft list ruleset >>"$TMP/$ns"
	done
	same "$name: the same" "$TMP/off" "$TMP/on"
	check "$name: something was traced" grep -q ' rule .*verdict' "$TMP/on"
	check "$name: state $2" is_state on ip t in "$2"
}

IN='
	chain in {
		type filter hook prerouting priority 0; policy accept;
		tcp dport 1-10 counter
		tcp dport 2 counter drop
		tcp dport 3-4 jump sub
		udp dport 5353 counter goto sub
		counter
	}
	chain sub {
		tcp dport 3 counter accept
		ip saddr 10.0.1.2 counter return
		counter
	}'

begin
make_twins
compare "set in another table" bpf "
table ip raw {
	chain in {
		type filter hook prerouting priority -300;
		tcp dport 1-5 meta nftrace set 1
		udp dport 5353 meta nftrace set 1
	}
}
table ip t {$IN
}"
check "the chain that sets it" is_state on ip raw in nftrace

compare "set in another chain" nftrace "
table ip t {
	chain first {
		type filter hook prerouting priority -300;
		tcp dport 1-5 meta nftrace set 1
	}$IN
}"

compare "set in the chain itself" nftrace "
table ip t {
	chain in {
		type filter hook prerouting priority 0; policy accept;
		tcp dport 1-10 counter
		tcp dport 2 meta nftrace set 1
		tcp dport 2-3 jump sub
		tcp dport 2 counter meta nftrace set 0
		counter
	}
	chain sub { tcp dport 3 counter; tcp dport 2 meta nftrace set 1 counter return; }
}"
# The rules that trace go, and the table is translated after all.
for ns in off on; do
	in_ns "$ns" nft flush chain ip t sub
	ruleset "$ns" <<-END
		flush chain ip t in
		add rule ip t in tcp dport 1 counter
		add rule ip t in jump sub
		add rule ip t sub tcp dport 2 counter
	END
done
check "no longer set: translated" is_state on ip t in bpf
check "no longer set: the others as well" is_state on ip t sub bpf
finish
