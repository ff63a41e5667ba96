#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Programs live as long as the rules they stand for, and no longer: past
# generations, deleted chains, devices and namespaces that go, tables whose
# owner closes its socket, the switch, the module.
#
# timeout: 900
# processors: 2
. "$(dirname "$0")/lib.sh"

# two N: a ruleset with two chains that are translated.
two()
{
	cat <<-END
		flush ruleset
		table ip t {
			counter hits { }
			chain pre {
				type filter hook prerouting priority 0;
				tcp dport 1-$1 counter name "hits"
				tcp dport 200 counter
				jump sub
			}
			chain sub { tcp dport 7 counter; tcp dport 8 counter; }
		}
	END
}

# prog_ids: of our programs.
prog_ids() { bpftool prog show | sed -n 's/^\([0-9]*\):.* name nft_.*/\1/p' | sort; }

# listed: the numbers in /proc are those of bpftool.
listed()
{
	diff <(status on | awk '$NF == "bpf" { gsub(",", "\n", $8); print $8 }' | sort) \
		<(prog_ids)
}

# gone NAME ID...: none of these programs is loaded any more.
gone()
{
	local id

	for id; do
		prog_ids | grep -qx "$id" && return 1
	done
	return 0
}

begin
make_ns on
two 50 | ruleset on
check "a program for each chain" eventually programs_are 2
check "the numbers in /proc are bpftool's" listed

old=$(prog_ids)
for i in 51 52 53 54; do
	two $i | ruleset on
done
check "replaced: new programs only" eventually programs_are 2
check "replaced: the old ones are gone" gone $old
check "replaced: /proc has the new ones" listed

old=$(status on | awk '$3 == "sub" { print $8 }')
in_ns on nft flush chain ip t sub
check "flushed: state empty" is_state on ip t sub empty
check "flushed: one program" eventually programs_are 1
check "flushed: not that of the chain" gone "$old"
in_ns on nft add rule ip t sub tcp dport 9 counter
check "filled: two programs" eventually programs_are 2
in_ns on nft 'flush chain ip t pre; delete chain ip t sub'
check "deleted: no program" eventually programs_are 0

two 60 | ruleset on
jit on 0
check "off: no program" eventually programs_are 0
check "off: state" is_state on ip t pre off
two 61 | ruleset on
check "off: commits are not translated" is_state on ip t pre off
check "off: no program comes" programs_are 0
jit on 1
check "on: programs" eventually programs_are 2
check "on: state" is_state on ip t pre bpf

# a table with an owner
in_ns on nft flush ruleset
coproc in_ns on "$OWNER" own
read -r word <&"${COPROC[0]}"
check "owner: has its table" [ "$word" = ready ]
check "owner: translated" is_state on ip own in bpf
in_ns on nft add rule ip own in counter 2>/dev/null && notok "owner: is the only one"
inject on tx0 udp >/dev/null
settle on
check "owner: counts" sh -c "nsenter --net=/run/netns/on nft list ruleset |
	grep 'l4proto 17 counter packets 1 \|l4proto udp counter packets 1 '"
eval "exec ${COPROC[1]}>&-"
wait
no_table() { [[ -z $(in_ns on nft list tables) ]]; }
check "owner: gone with its table" eventually no_table
check "owner: gone with its program" eventually programs_are 0

# A device that goes takes its chain along on 6.1; on 6.12 the chain stays, with
# nothing to do.
ip -n on link add gone0 type veth peer name gone1
ruleset on <<-END
	table netdev d {
		chain in {
			type filter hook ingress device "gone0" priority 0;
			ether type ip counter
			ether type arp counter
		}
	}
	table inet i {
		chain in {
			type filter hook ingress device "gone0" priority 0;
			tcp dport 1 counter
		}
	}
END
check "device: translated" eventually programs_are 2
ip -n on link delete gone0
check "device: the chains in /proc are nft's" diff <(status on | awk '{ print $3 }') \
	<(in_ns on nft list chains | sed -n 's/^\tchain \([a-z]*\) {$/\1/p')
check "device: programs of these" eventually programs_are "$(status on | wc -l)"
in_ns on nft flush ruleset
check "device: no program" eventually programs_are 0

# namespaces
two 50 | ruleset on
for i in {1..5}; do
	ip netns add "more$i"
	two 50 | ruleset "more$i"
done
check "namespaces: programs in each" eventually programs_are 12
for i in {1..5}; do
	ip netns delete "more$i"
done
check "namespaces: programs go with them" eventually programs_are 2
check "namespaces: the others stay" listed

# the module; what is loaded stays in effect, is listed the same, and comes back
in_ns on nft -a list ruleset >"$TMP/before"
check "unload" rmmod nft_bpfjit
check "unloaded: no program" eventually programs_are 0
in_ns on nft -a list ruleset >"$TMP/after"
same "unloaded: the same ruleset" "$TMP/before" "$TMP/after"
inject on tx0 tcp >/dev/null
settle on
check "unloaded: counts" [ "$(packets on ip t hits)" = 50 ]
check "load" insmod "$MODULE" min_cost=0
check "loaded: what was there is translated" is_state on ip t pre bpf
check "loaded: programs" eventually programs_are 2
in_ns on nft -a list ruleset >"$TMP/before"
in_ns on nft add rule ip t sub tcp dport 10-12 counter
inject on tx0 tcp >/dev/null
settle on
check "loaded: counts" [ "$(packets on ip t hits)" = 100 ]
# Unload with rules loaded, with a namespace that is switched off, and with one
# that is on its way: its end waits for that of another, the module does not.
ip netns add off
jit off 0
make_ns gone
two 20 | ruleset gone
ip netns add before
two 20 | ruleset before
start gone-tx "$INJECT" tx0 -r 100000000 tcp >/dev/null 2>&1
ip netns delete before
sleep 0.05
ip netns delete gone
check "unload while a namespace goes" rmmod nft_bpfjit
stop "$PID"
check "unloaded: no program is left" eventually programs_are 0
finish
