#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Transactions that fail, at every stage: nothing may be left behind.  After
# each one the ruleset, /proc/net/nft_bpfjit (with the numbers of the programs)
# and the number of programs are what they were, nft has said the same as with
# the switch off, and a commit that follows takes effect, which it would not if
# the failed one had left its blob in the chain.
#
# timeout: 1500
. "$(dirname "$0")/lib.sh"

BASE='
table ip t {
	set s { type inet_service; flags interval; elements = { 1-10 }; }
	chain in {
		type filter hook prerouting priority 0;
		tcp dport 10 counter
		tcp dport 11 counter
		jump sub
	}
	chain sub { tcp dport 12 counter; tcp dport 13 counter; }
	chain lone { tcp dport 14 counter; tcp dport 15 counter; }
	chain masq { counter masquerade; }
}
table ip follow {
	counter hits { }
	chain in { type filter hook prerouting priority 10; tcp dport 1-1000 counter name "hits"; }
}'

# chain_of N: N chains, each jumping to the next; base: jump c1.
chain_of()
{
	local i

	for ((i = $1; i > 0; i--)); do
		echo "add chain ip t c$i"
		echo "add rule ip t c$i tcp dport $i counter"
		((i == $1)) || echo "add rule ip t c$i jump c$((i + 1))"
	done
	echo "add rule ip t in jump c1"
}

N=0
# fails NAME CODE
fails()
{
	local name=$1 code=$2 ns before

	before=$(programs)
	for ns in off on; do
		in_ns "$ns" nft -a list ruleset >"$TMP/list-$ns"
		status "$ns" >"$TMP/status-$ns"
		in_ns "$ns" nft -f - <<<"$code" >"$TMP/$ns" 2>&1
		echo "exit code $?" >>"$TMP/$ns"
	done
	same "$name: the same answer" "$TMP/off" "$TMP/on"
	check "$name: refused" grep -q '^exit code 1' "$TMP/on"
	in_ns on nft -a list ruleset >"$TMP/list"
	status on >"$TMP/status"
	same "$name: the same ruleset" "$TMP/list-on" "$TMP/list"
	same "$name: the same programs" "$TMP/status-on" "$TMP/status"
	check "$name: as many programs as before" eventually programs_are "$before"
	N=$((N + 1))
	for ns in off on; do
		ruleset "$ns" <<-END
			flush chain ip t in
			add rule ip t in tcp dport 10 counter
			add rule ip t in tcp dport 1-$N counter
			add rule ip t in jump sub
			flush chain ip t sub
			add rule ip t sub tcp dport 12 counter
			add rule ip t sub tcp dport 50-$((50 + N)) counter
			flush chain ip t lone
			add rule ip t lone tcp dport 14-$((14 + N)) counter
		END
		inject "$ns" tx0 tcp >/dev/null
		settle "$ns"
		in_ns "$ns" nft list ruleset >"$TMP/$ns" 2>&1
	done
	same "$name: the next commit takes effect" "$TMP/off" "$TMP/on"
	check "$name: which is translated" is_state on ip t in bpf
}

begin
make_twins
for ns in off on; do
	ruleset "$ns" <<<"$BASE"
done
check "translated" is_state on ip t in bpf
# What an earlier generation used goes by itself.  There is nothing to match in
# masq, so that it has no program.
check "masq: cheap" is_state on ip t masq cheap
check "programs of the other chains" eventually programs_are 4

GOOD='add rule ip t in tcp dport 20 counter
add rule ip t sub tcp dport 21 counter
add rule ip t lone tcp dport 22 counter
'
fails "a chain that is not there" "${GOOD}add rule ip t nowhere counter"
fails "a rule that is not there" "${GOOD}delete rule ip t in handle 9999"
fails "a chain that is in use" "${GOOD}delete chain ip t sub"
fails "an element twice" "${GOOD}create element ip t s { 5 }"
# These are found by the commit itself, behind our preparation.
fails "a loop" "${GOOD}add rule ip t sub jump in2
	add chain ip t in2
	add rule ip t in2 jump sub
	add rule ip t in jump in2"
fails "nat from a chain that is no nat chain" "${GOOD}add rule ip t in jump masq"
fails "17 jumps deep" "$GOOD$(chain_of 17)"

before=$(programs)
for ((i = 0; i < 8; i++)); do
	in_ns on nft -f - <<<"$GOOD$(chain_of 18)" 2>/dev/null &&
		notok "18 jumps deep: refused"
done
check "many failures, as many programs" eventually programs_are "$before"

# nf_tables counts the base chain: 15 jumps from there are what it takes.
for ns in off on; do
	{
		chain_of 15 | in_ns "$ns" nft -f - 2>&1
		echo "exit code $?"
		inject "$ns" tx0 tcp
		settle "$ns"
		in_ns "$ns" nft list ruleset
	} >"$TMP/$ns"
done
same "15 jumps deep: the same" "$TMP/off" "$TMP/on"
check "15 jumps deep: taken" grep -q '^exit code 0' "$TMP/on"
check "15 jumps deep: translated" is_state on ip t c15 bpf
check "15 jumps deep: the last one counts" grep -q 'dport 15 counter packets 1 ' "$TMP/on"
for ns in off on; do
	{
		printf 'add chain ip t %s\n' d
		echo 'add rule ip t d tcp dport 100 counter'
		echo 'add rule ip t c15 jump d'
	} | in_ns "$ns" nft -f - >"$TMP/$ns" 2>&1
	echo "exit code $?" >>"$TMP/$ns"
	inject "$ns" tx0 tcp >>"$TMP/$ns"
	settle "$ns"
	in_ns "$ns" nft list ruleset >>"$TMP/$ns"
done
same "16 jumps deep: the same" "$TMP/off" "$TMP/on"
check "16 jumps deep: refused" grep -q '^exit code 1' "$TMP/on"
check "16 jumps deep: c15 as it was" is_state on ip t c15 bpf
finish
