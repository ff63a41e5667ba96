#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What people see of packets: hits of rules, which have to be what "counter" in
# front of the verdict says, also across edits; and the tracepoint, of which there
# has to be one event for each packet and each base chain that it meets, by the rule
# that its counter says.
#
# timeout: 900
. "$(dirname "$0")/lib.sh"

TOOL=$HERE/../../scripts/nft-jit
TRACEFS=/sys/kernel/tracing
EVENT=$TRACEFS/instances/test/events/nft_bpfjit/verdict

hits_on() { in_ns "$1" sh -c "echo $2 >/proc/sys/net/netfilter/nft_jit_hits"; }

# compare NS events|hits MIN: against the counters of all rules that have one as the
# last thing before a verdict, or at the end; at least MIN of them have counted.
# Rules without a verdict have no events, policies are added up.
cat >"$TMP/compare" <<'END'
import json, re, subprocess, sys, collections

what, least, trace = sys.argv[1], int(sys.argv[2]), sys.argv[3]
ENDS = ("accept", "drop", "jump", "goto", "return", "queue", "reject")
rules = [item["rule"] for item in json.loads(subprocess.check_output(
    ["nft", "-j", "list", "ruleset"]))["nftables"] if "rule" in item]
counters, verdicts = {}, {}
for rule in rules:
    names = [next(iter(expr)) for expr in rule["expr"]]
    if "counter" not in names or names.index("counter") < len(names) - 2:
        continue
    if names[-1] != "counter" and names[-1] not in ENDS:
        continue
    key = rule["family"], rule["table"], rule["chain"], rule["handle"]
    counters[key] = rule["expr"][names.index("counter")]["counter"]["packets"]
    verdicts[key] = names[-1]
found, interpreted = collections.Counter(), set()
if what == "hits":
    for line in open("/proc/net/nft_bpfjit_hits"):
        if line.startswith("#"):
            continue
        family, table, chain, handle, packets = line.split()
        key = family, table, chain, int(handle)
        if packets == "-":
            interpreted.add(key)
        else:
            found[key] = int(packets)
else:
    for line in open(trace):
        event = dict(re.findall(r"(\w+)=(\S*)", line))
        family, _, table = event["table"].partition("/")
        key = family, table, event["chain"], int(event["handle"])
        found[key] += 1
        want = verdicts.get(key)
        if want and event["verdict"] != ("drop" if want == "reject" else want):
            sys.exit(f"{key}: {event['verdict']}, not {want}")
    counters = {key: n for key, n in counters.items()
                if verdicts[key] in ("accept", "drop", "reject", "queue")}
counters = {key: n for key, n in counters.items() if key not in interpreted}
wrong = {key: (n, found[key]) for key, n in counters.items() if n != found[key]}
moved = sum(n > 0 for n in counters.values())
print(f"{what}: {len(counters)} rules, {moved} counted, {sum(counters.values())} packets,",
      f"{len(wrong)} differ", *sorted(wrong.items())[:10], sep="\n")
sys.exit(bool(wrong) or moved < least)
END

compare() { in_ns "$1" /usr/bin/python3 -I "$TMP/compare" "$2" "$3" "$TMP/trace"; }

send()
{
	local set

	for set; do
		inject on tx0 "$set" >/dev/null
	done
	settle on
}

trace_on()
{
	mkdir "$TRACEFS/instances/test"
	echo 16384 >"$TRACEFS/instances/test/buffer_size_kb"
	echo "netns == $(stat -Lc %i /run/netns/on)" >$EVENT/filter
	echo 1 >$EVENT/enable
}

# trace_taken: the events so far, without those of other netns.
trace_taken()
{
	grep ' verdict: ' "$TRACEFS/instances/test/trace" >"$TMP/trace"
	! grep -q 'LOST' "$TRACEFS/instances/test/trace"
}

trace_off()
{
	echo 0 >$EVENT/enable
	rmdir "$TRACEFS/instances/test"
}

begin
make_ns on
sleep 1
settle on
mount -t tracefs tracefs $TRACEFS 2>/dev/null

# Each verdict in each kind of chain: translated and not, base and not; rules whose
# residue says no; a jump from an interpreted chain (fib alone) back.
ruleset on <<-END
	table inet t {
		chain pre {
			type filter hook prerouting priority 0; policy accept;
			tcp dport 1 counter drop
			tcp dport 2 ip ttl 64 counter accept
			tcp dport 3-20 counter jump sub
			tcp dport 21 limit rate 1/hour burst 2 packets counter drop
			tcp dport 21 counter reject with tcp reset
			tcp dport 22-30 counter goto local
			$(for i in {31..60}; do echo "tcp dport $i counter drop"; done)
			udp dport 53 meta mark set 7 counter accept
			meta mark 7 counter drop
			ip protocol icmp counter drop
			ip protocol tcp
			counter
		}
		chain sub {
			tcp dport 3 counter drop
			tcp dport 4 counter return
			tcp dport 5 counter accept
			tcp dport 6 counter goto local
			counter
		}
		chain local {
			fib daddr type local counter drop
			fib daddr type != local counter jump sub2
		}
		chain sub2 {
			tcp dport 22 counter accept
			tcp dport 23-24 counter drop
			ip saddr 10.0.0.0/8 counter
		}
		chain in {
			type filter hook input priority 0; policy drop;
			tcp dport 61-70 counter accept
			ip6 nexthdr tcp counter accept
			counter
		}
	}
	table ip n {
		chain pre {
			type nat hook prerouting priority -100;
			tcp dport 80 counter accept
			tcp dport 81-90 counter accept
			udp dport 1-1000 counter accept
		}
	}
	table arp a {
		chain in {
			type filter hook input priority 0; policy accept;
			arp operation request counter drop
			arp operation reply counter accept
			counter
		}
	}
	table netdev d {
		chain in {
			type filter hook ingress device in0 priority 0; policy accept;
			ether type arp counter accept
			ip saddr 10.0.1.3 counter drop
			ip6 saddr fd00:1::3 counter drop
		}
	}
	table ip named {
		set s { type ipv4_addr; elements = { 10.0.1.1, 10.0.2.2 }; }
		chain counted {
			type filter hook prerouting priority 300; policy accept;
			ip daddr @s counter
			ip daddr != @s counter accept
		}
		chain quick {
			type filter hook prerouting priority 301; policy accept;
			ip daddr @s accept
		}
	}
END
check "translated" [ "$(status on | awk '$NF == "bpf"' | wc -l)" -ge 6 ]

check "hits are off" [ "$(in_ns on cat /proc/sys/net/netfilter/nft_jit_hits)" = 0 ]
send tcp
check "off: nothing is counted" [ "$(in_ns on awk '!/^#/ { print $5 }' \
	/proc/net/nft_bpfjit_hits | sort -u)" = - ]
# nft 1.0.6 can not reset the counters of rules: a new ruleset has new ones.
in_ns on nft list ruleset | sed 's/counter packets [0-9]* bytes [0-9]*/counter/' >"$TMP/rules"
in_ns on nft flush ruleset
in_ns on nft -f "$TMP/rules"
hits_on on 1
trace_on
send ip4 ip6 arp tcp
check "hits are what counters say" compare on hits 40
# No packet is led to it, so 0 would be wrong.
check "a rule that does nothing is not counted" eval 'handle=$(in_ns on nft -a list chain \
	inet t pre | sed -n "s/.*ip protocol tcp # handle //p") &&
	in_ns on grep -qx "inet t pre $handle -" /proc/net/nft_bpfjit_hits'
check "the trace was taken" trace_taken
check "events are what counters say" compare on events 35

# A lookup of our own and a verdict at once.
quick()
{
	local handle hits events counted

	handle=$(in_ns on nft -a list chain ip named quick | sed -n 's/.*accept # handle //p')
	hits=$(in_ns on awk -v h="$handle" '$2 == "named" && $3 == "quick" && $4 == h {
		print $5 }' /proc/net/nft_bpfjit_hits)
	events=$(grep -c "table=ip/named chain=quick handle=$handle verdict=accept " "$TMP/trace")
	counted=$(in_ns on nft list chain ip named counted |
		awk '/daddr @s/ { print $(NF - 2) }')
	echo "$hits hits, $events events, $counted packets"
	[ "$hits" = "$counted" ] && [ "$events" = "$counted" ] && [ "$counted" -gt 0 ]
}
check "sets are looked up in tables of our own" eval \
	"in_ns on cat /proc/net/nft_bpfjit_sets | grep -q '^ip named s .* compiled$'"
check "... which counts, and is an event" quick

# What comes to the end of "pre" is counted there by its last rule.
ends()
{
	local events counted

	events=$(grep -c ' hook=0 table=inet/t chain=pre handle=0 verdict=accept ' "$TMP/trace")
	counted=$(in_ns on nft list chain inet t pre |
		awk '$1 == "counter" && NF == 5 { print $3 }')
	echo "$events events, $counted packets"
	[ "$events" = "$counted" ] && [ "$counted" -gt 0 ]
}
check "policies: what came to the end of a chain" ends
check "addresses and ports are those of the packets" grep -qE \
	'verdict=drop .* len=[0-9]+ proto=6 src=10\.0\.1\.[0-9]+:[0-9]+ dst=10\.0\.[0-9.]+:1$' \
	"$TMP/trace"
check "IPv6 too" grep -qE 'src=\[fd00:1::[0-9a-f]+\]:[0-9]+ dst=\[fd00:' "$TMP/trace"

# Edits: counters of rules that stay go on, and so do hits; large chains keep their
# matcher for a while, which may not be able to tell.
for least in 1000000 1; do
	echo $least >/sys/module/nft_bpfjit/parameters/edit_min_rules
	echo 100000 >/sys/module/nft_bpfjit/parameters/rebuild_ms
	for port in 33 41 58 50; do
		handle=$(in_ns on nft -a list chain inet t pre |
			sed -n "s/.*tcp dport $port .* # handle //p")
		[[ -z $handle ]] || in_ns on nft delete rule inet t pre handle "$handle"
		in_ns on nft insert rule inet t pre tcp dport $((port + 100)) counter drop
		send tcp
	done
	check "edits (edit_min_rules $least): hits go on" compare on hits 40
	handle=$(in_ns on nft -a list chain inet t pre |
		sed -n "s/.*tcp dport 35 .* # handle //p")
	in_ns on nft -f - 2>/dev/null <<-END
		delete rule inet t pre handle $handle
		delete rule inet t pre handle 999999
	END
	send tcp
	check "a transaction that fails (edit_min_rules $least): hits go on" compare on hits 40
done
check "the switch off and on again" eval "jit on 0; jit on 1"
check "hits are still there" compare on hits 40
# Counters count with the switch off as well, hits do not.
jit on 0
check "switched off: no hits" [ "$(in_ns on awk '!/^#/ { print $5 }' \
	/proc/net/nft_bpfjit_hits | sort -u)" = - ]
jit on 1

check "nft-jit hits shows them" [ "$(in_ns on "$TOOL" hits --top 1 |
	awk '{ print ($1 > 0) }')" = 1 ]
check "nft-jit hits --zero begins again" in_ns on "$TOOL" hits --zero
check "all is zero" [ "$(in_ns on awk '!/^#/ && $5 != "-" { n += $5 } END { print n + 0 }' \
	/proc/net/nft_bpfjit_hits)" = 0 ]
send udp
check "and goes on" [ "$(in_ns on awk '!/^#/ && $5 != "-" { n += $5 } END { print n + 0 }' \
	/proc/net/nft_bpfjit_hits)" -gt 0 ]
check "nothing but 0 may be written" eval \
	"! in_ns on sh -c 'echo 1 >/proc/net/nft_bpfjit_hits' 2>/dev/null"
hits_on on 0
check "off again: nothing is counted" [ "$(in_ns on awk '!/^#/ { print $5 }' \
	/proc/net/nft_bpfjit_hits | sort -u)" = - ]
trace_off

in_ns on nft delete table ip named

# The tool: which rule dropped it?
in_ns on timeout 60 "$TOOL" drops --count 1 >"$TMP/drops" 2>&1 &
DROPS=$!
eventually eval "ls -d $TRACEFS/instances/nft-jit.* >/dev/null 2>&1 &&
	grep -q 1 $TRACEFS/instances/nft-jit.*/events/nft_bpfjit/verdict/enable"
send tcp
wait $DROPS
sed 's/^/# /' "$TMP/drops"
packet='^[0-9:.]+ in0 [a-z]+: tcp 10[0-9.]+:[0-9]+ > 10[0-9.]+:[0-9]+, [0-9]+ bytes: '
rule='drop by inet t pre: tcp dport [0-9]+ counter drop # handle [0-9]+$'
check "nft-jit drops names the packet and the rule as it is written" \
	grep -qE "$packet$rule" "$TMP/drops"
check "its instance is gone" eval "! ls -d $TRACEFS/instances/nft-jit.* 2>/dev/null"
hits_on on 1
in_ns on timeout 60 "$TOOL" watch --interval 2 --count 1 >"$TMP/watch" 2>&1 &
WATCH=$!
while kill -0 $WATCH 2>/dev/null; do
	send tcp
done
wait $WATCH
sed 's/^/# /' "$TMP/watch" | head -5
check "nft-jit watch: rules by packets a second, 80 columns" eval \
	"sed -n 2p '$TMP/watch' | grep -qE '^ +[0-9.]+ t [a-z0-9]+: .*counter' &&
	 [ \$(wc -L <'$TMP/watch') -le 80 ]"
ip netns add tenant 2>/dev/null
check "a tenant can't count" eval "! unshare -Un -r sh -c \
	'echo 1 >/proc/sys/net/netfilter/nft_jit_hits' 2>/dev/null"
check "the module goes while it counts" rmmod nft_bpfjit
check "and comes back without counting" eval "insmod '$MODULE' &&
	[ \$(in_ns on cat /proc/sys/net/netfilter/nft_jit_hits) = 0 ]"
finish
