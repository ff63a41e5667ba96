#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Small chains that become part of the programs of those that jump to them
# (commit/inline.c).  Both twins (lib.sh), switch off and on, get the same ruleset and
# then the same changes, most of them of chains that are jumped to and of nothing else;
# after each the same packets are sent, and what nft lists, counters and all, has to be
# equal.
#
# That they are part of the program is seen from its size.
#
# timeout: 900
. "$(dirname "$0")/lib.sh"

MAX=/sys/module/nft_bpfjit/parameters/inline_max

rules()
{
	cat <<-'END'
	table inet t {
		chain none { }
		chain last {
			tcp dport 41-45 counter
			tcp dport 44 counter return
			tcp dport 43 counter drop
		}
		chain deep {
			tcp dport 31-50 goto last
			counter
		}
		chain pure {
			tcp dport 1-5 accept
			tcp dport 4-8 return
			tcp dport 6-10 drop
		}
		chain mixed {
			tcp dport < 20 counter
			tcp dport 12 return
			tcp dport { 13, 14 } counter accept
			jump none
			tcp dport 15-60 jump deep
			tcp dport 16 limit rate 1/day counter
			counter
		}
		chain maps {
			tcp dport vmap { 61-65 : jump none, 66-70 : return, 71-80 : jump pure2 }
			counter
		}
		chain pure2 {
			tcp dport 72 counter accept
			tcp dport 73 goto none
			counter
		}
		chain marks {
			meta mark set 7 counter
		}
		chain in {
			type filter hook prerouting priority 0;
			ip protocol tcp jump pure
			tcp dport 1-60 counter jump mixed
			tcp dport 61-90 jump maps
			meta l4proto udp jump none
			meta mark 7 counter
			tcp dport 90-95 jump marks
			meta mark 7 jump marks
			tcp dport vmap { 96 : goto pure2, 97 : jump none, 98-99 : goto none }
			meta l4proto tcp counter
		}
		chain out {
			type filter hook postrouting priority 0;
			jump mixed
			goto maps
		}
	}
	END
}

# compare NAME: the same packets, then what is to be equal.
compare()
{
	local ns

	for ns in off on; do
		inject "$ns" tx0 tcp udp >/dev/null
		settle "$ns"
		in_ns "$ns" nft list ruleset >"$TMP/list-$ns" 2>&1
	done
	same "$1" "$TMP/list-off" "$TMP/list-on"
}

# apply NAME CODE: in both; then compare.
apply()
{
	local ns

	for ns in off on; do
		in_ns "$ns" nft -f - <<<"$2" >"$TMP/said-$ns" 2>&1
		echo "exit code $?" >>"$TMP/said-$ns"
	done
	same "$1: what nft says" "$TMP/said-off" "$TMP/said-on"
	compare "$1: the same"
	check "$1: translated" is_state on inet t in bpf
}

# handle CHAIN N: of its rule number N.
handle()
{
	in_ns off nft -a list chain inet t "$1" | grep -v ' {' |
		sed -n 's/.*# handle //p' | sed -n "$2p"
}

# size CHAIN: instructions of its programs.
size() { status on | awk -v c="$1" '$3 == c { print $10 }'; }

begin
was=$(<$MAX)
echo 256 >$MAX
make_twins
for ns in off on; do
	rules | ruleset "$ns"
done
compare "loaded"
check "loaded: all translated" is_state on inet t in bpf

apply "a rule more in a chain that is jumped to" 'add rule inet t last tcp dport 45 drop'
apply "a rule in an empty chain" 'add rule inet t none tcp dport 66-99 counter'
apply "which goes again" 'flush chain inet t none'
apply "one is inserted" 'insert rule inet t pure tcp dport 2 drop'
apply "one is replaced" "replace rule inet t pure handle $(handle pure 2) tcp dport 3 accept"
apply "one goes" "delete rule inet t deep handle $(handle deep 1)"
apply "a jump more" 'insert rule inet t deep tcp dport 31-40 jump pure2'
apply "a chain and a jump to it" 'add chain inet t new
	add rule inet t new tcp dport 20-30 counter drop
	insert rule inet t mixed jump new'
apply "they go again" "delete rule inet t mixed handle $(handle mixed 1)
	delete chain inet t new"
apply "one that changes what was tested" 'add rule inet t pure2 meta mark set 9'
apply "refused" 'add rule inet t none counter drop
	add rule inet t last counter drop
	add element inet t nowhere { 1 }'
many=
for i in {1..70}; do
	many+="add rule inet t maps tcp dport $i counter
"
done
apply "too large to be part of others" "$many"
apply "small again" 'flush chain inet t maps
	add rule inet t maps tcp dport 61-70 jump pure2'

check "inline_max: written" sh -c "echo 0 >$MAX"
jit on 0
jit on 1
compare "apart: the same"
apart=$(size in)
echo 256 >$MAX
jit on 0
jit on 1
compare "together again: the same"
together=$(size in)
check "together: another program ($together, apart $apart)" [ "$apart" != "$together" ]

# Hits are counted by the rules of one chain.
for i in 1 2; do
	check "hits on" in_ns on sh -c "echo 1 >/proc/sys/net/netfilter/nft_jit_hits"
	check "hits: apart" [ "$(size in)" = "$apart" ]
	compare "hits: the same"
	in_ns on cat /proc/net/nft_bpfjit_hits >"$TMP/hits"
	check "hits: of a rule that is jumped to" \
		awk '/ pure / && $5 > 0 { n++ } END { exit !n }' "$TMP/hits"
	check "hits off" in_ns on sh -c "echo 0 >/proc/sys/net/netfilter/nft_jit_hits"
	compare "hits off: the same"
done

echo "$was" >$MAX
ip netns delete on
check "the namespace goes" eventually programs_are 0
finish
