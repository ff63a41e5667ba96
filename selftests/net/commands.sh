#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The commands of nft: whatever changes a ruleset is done in both twins (lib.sh),
# switch off and on.  After each step the same packets are sent, and then what
# the command said, its exit code, "nft -a list ruleset" with all its counters,
# and the JSON of it have to be equal.  So have, at the end, the outputs of "nft
# monitor" and of "nft -j monitor" that ran all the while.
#
# Whether the twin with the switch on was translated is asked at each step.
#
# timeout: 1500
. "$(dirname "$0")/lib.sh"

# handle NS COMMENT: of the rule with that comment.
handle()
{
	in_ns "$1" nft -a list ruleset |
		sed -n "s/.* comment \"$2\" # handle \([0-9]*\)$/\1/p"
}

# apply NS CODE: the code with $A, $B and $C for the handles of the rules with
# the comments a, b and c; what it says goes to stdout.
apply()
{
	local ns=$1 code=$2 c

	for c in a b c; do
		[[ $code != *"\$${c^^}"* ]] ||
			code=${code//\$${c^^}/$(handle "$ns" "$c")}
	done
	in_ns "$ns" nft -a -e -f - <<<"$code" 2>&1
	echo "exit code $?"
}

# unnumbered: generations say which process made them.
unnumbered() { sed "s/^\(# new generation [0-9]*\) by process .*/\1/" "$@"; }

# step NAME CHAINS CODE: CHAINS are those that have to be in state bpf after it,
# all others must not be.  What is to be refused has a NAME that says so.
step()
{
	local name=$1 chains=$2 code=$3 ns want=0

	for ns in off on; do
		{
			apply "$ns" "$code" | unnumbered
			inject "$ns" tx0 tcp udp
			settle "$ns"
			in_ns "$ns" nft -a list ruleset
			in_ns "$ns" nft -j list ruleset | sed 's/{"rule"/\n&/g'
		} >"$TMP/$ns" 2>&1
	done
	same "$name" "$TMP/off" "$TMP/on"
	[[ $name != *refused* ]] || want=1
	check "$name: exit code $want" said "$want"
	check "$name: translated" translated $chains
}

# said CODE: what the command came to.
said() { grep -qx "exit code $1" "$TMP/on" || { head -n 20 "$TMP/on"; return 1; }; }

# translated CHAIN...
translated()
{
	local now

	now=$(status on | awk '$NF == "bpf" { print $3 }' | sort | xargs)
	[[ $now == "$*" ]] || { status on; return 1; }
}

BASE='
table inet t {
	set ports { type inet_service; elements = { 1, 2, 3 }; }
	map where { type inet_service : verdict; elements = { 4 : jump sub, 5 : drop }; }
	chain in {
		type filter hook prerouting priority 0; policy accept;
		tcp dport 10 counter
		tcp dport 11-20 counter comment "a"
		tcp dport @ports counter
		tcp dport 30 counter comment "b"
		tcp dport vmap @where
		udp dport 5353 counter jump sub
		tcp dport 40 counter drop comment "c"
		counter
	}
	chain sub {
		ip saddr 10.0.1.2 counter
		ip saddr 10.0.1.3 counter
		ip ttl 64 counter return
		counter
	}
}'

monitors=()
begin
make_ns warm
ruleset warm <<<"$BASE"
ip netns delete warm
ip netns delete warm-tx
make_twins
for ns in off on; do
	start "$ns" nft -a monitor >"$TMP/monitor-$ns" 2>&1
	monitors+=("$PID")
	start "$ns" nft -j monitor >"$TMP/json-$ns" 2>&1
	monitors+=("$PID")
	eventually monitors_are "$ns" 2 || notok "monitors in $ns"
done

step "load" "in sub" "$BASE"
step "add a rule at the end" "in sub" 'add rule inet t in tcp dport 50-60 counter
	add rule inet t sub ip ttl 64 counter'
step "insert at the head" "in sub" 'insert rule inet t in tcp dport 1-100 counter'
step "insert before, add behind a rule" "in sub" '
	insert rule inet t in position $B tcp dport 30 counter drop
	add rule inet t in position $A tcp dport 31 counter'
step "replace" "in sub" 'replace rule inet t in handle $A tcp dport 10-22 counter comment "a"'
step "delete" "in sub" 'delete rule inet t in handle $C'
step "delete and add in one transaction" "in sub" 'delete rule inet t in handle $B
	add rule inet t in tcp dport 30 counter comment "b"
	insert rule inet t sub counter comment "c"'
step "a rule that comes and goes in one transaction" "in sub" '
	add chain inet t gone
	add rule inet t gone counter
	delete chain inet t gone'
step "a range is refused in a set without" "in sub" '
	add rule inet t in counter
	add element inet t ports { 40-45 }'
step "a set changes" "in sub" 'add element inet t ports { 40, 41 }
	delete element inet t ports { 1 }'
step "a map of verdicts changes" "in sub" 'add element inet t where { 20 : jump sub, 21 : drop }
	delete element inet t where { 5 }'
step "a chain more, jumped to" "in more sub" 'add chain inet t more
	add rule inet t more tcp dport 60-80 counter
	add rule inet t more tcp dport 70 counter drop
	insert rule inet t in jump more
	add element inet t where { 22 : goto more }'
step "to delete a chain in use is refused" "in more sub" 'delete chain inet t more'
step "rename" "in other sub" 'rename chain inet t more other'
step "a translated chain's rules change" "in other sub" '
	add rule inet t other tcp dport 75 counter drop
	insert rule inet t sub counter'
step "policy drop" "in other sub" 'add chain inet t in { policy drop; }'
step "policy accept" "in other sub" 'add chain inet t in { policy accept; }'
step "flush a chain" "in sub" 'flush chain inet t other'
step "fill it again" "in other sub" 'add rule inet t other counter
	add rule inet t other tcp dport 80 counter'
step "dormant" "in other sub" 'add table inet t { flags dormant; }'
step "awake" "in other sub" 'add table inet t'
step "a second table" "in in other sub" 'add table ip u
	add chain ip u in { type filter hook prerouting priority 10; }
	add rule ip u in tcp dport 80-90 counter'
step "replace all at once" "in sub" "flush ruleset
$BASE"
step "replace all at once by the same" "in sub" "flush ruleset
$BASE"
step "delete a table and add it in one transaction" "in" 'delete table inet t
	add table inet t
	add chain inet t in { type filter hook input priority 0; }
	add rule inet t in tcp dport 1-50 counter
	add rule inet t in counter'
step "delete the chain" "" 'delete chain inet t in'
step "delete the table" "" 'delete table inet t'

sleep 1
stop "${monitors[@]}"
for ns in off on; do
	unnumbered "$TMP/monitor-$ns" >"$TMP/numbers-$ns"
done
check "nft monitor has seen something" grep -q 'tcp dport 70 counter' "$TMP/numbers-on"
same "nft monitor" "$TMP/numbers-off" "$TMP/numbers-on"
same "nft -j monitor" "$TMP/json-off" "$TMP/json-on"
finish
