#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Under traffic: the ruleset is edited, the switch is toggled, the module comes
# and goes, while the other namespace floods the one under test.  The accounting
# has to close: each frame sent is in exactly one of the named counters, and
# none is in "never", which no generation of the ruleset leads to.
#
#	generation a    pre: jump x, goto y    x: returns    y: counts   z: never
#	generation b    pre: jump x, goto z    x: returns    y: never    z: counts
#
# A packet that took the base chain of one generation and the target of the
# other would end up in "never", or be counted twice or not at all.
#
# timeout: 2000
# processors: 2
. "$(dirname "$0")/lib.sh"

COUNTERS="low mid high rest never"

# generation a|b N: the transaction; N makes each differ from those before.
generation()
{
	local to=y not=z

	[[ $1 == a ]] || { to=z; not=y; }
	cat <<-END
		flush chain inet t pre
		flush chain inet t x
		flush chain inet t y
		flush chain inet t z
		add rule inet t pre tcp sport != 40000 accept
		add rule inet t pre tcp dport 1-20 counter name low drop
		add rule inet t pre tcp dport 101-$((200 + $2)) counter name never drop
		add rule inet t pre jump x
		add rule inet t pre tcp dport vmap { 61-70 : goto $to }
		add rule inet t pre goto $to
		add rule inet t pre counter name never drop
		add rule inet t x tcp dport @some counter name mid drop
		add rule inet t x tcp dport 21-40 counter name mid drop
		add rule inet t x tcp dport $((200 + $2)) counter name never drop
		add rule inet t x return
		add rule inet t x counter name never
		add rule inet t $to tcp dport 41-80 counter name high drop
		add rule inet t $to tcp dport 81-100 counter name rest drop
		add rule inet t $to counter name never drop
		add rule inet t $not counter name never drop
	END
}

setup()
{
	local c

	echo "flush ruleset"
	echo "table inet t {"
	for c in $COUNTERS; do
		echo "	counter $c { }"
	done
	cat <<-END
			set some { type inet_service; }
			chain x { }
			chain y { }
			chain z { }
			chain pre { type filter hook prerouting priority -300; policy accept; }
		}
	END
	generation a 0
}

# flood: until kill; the frames sent are in $TMP/sent.
flood()
{
	start on-tx "$INJECT" tx0 -r 100000000 tcp >"$TMP/sent" 2>/dev/null
	# Until some of it has arrived.
	eventually some
}

some() { [[ $(packets on inet t low) -gt 0 ]]; }

# closed: ends the flood, then says whether the accounting closes.
closed()
{
	local c p sum=0

	stop "$PID"
	settle on
	for c in $COUNTERS; do
		p=$(packets on inet t "$c")
		echo "$c $p"
		sum=$((sum + p))
		[[ $c != never || $p == 0 ]] || return 1
		[[ $c == never || $p -gt 0 ]] || return 1
	done
	echo "sum $sum, sent $(<"$TMP/sent")"
	[[ $sum == "$(<"$TMP/sent")" ]]
}

begin
make_ns on
sysctl -qw net.core.netdev_max_backlog=100000

setup | ruleset on
check "translated" is_state on inet t pre bpf
flood
check "at rest: every packet in one counter" closed

setup | ruleset on
flood
for ((i = 1; i <= 12; i++)); do
	if ((i & 1)); then generation b "$i"; else generation a "$i"; fi |
		ruleset on || notok "generation $i"
done
# A named set in use changes; what is not in it meets the rule behind it.
for i in {21..28}; do
	in_ns on nft add element inet t some "{ $i, $((i + 10)) }"
done
in_ns on nft flush set inet t some
check "edited: translated" is_state on inet t pre bpf
check "edited: every packet in one counter" closed

setup | ruleset on
flood
for ((i = 1; i <= 6; i++)); do
	jit on 0
	is_state on inet t pre off >/dev/null || notok "toggled: off"
	jit on 1
	is_state on inet t pre bpf >/dev/null || notok "toggled: on"
	if ((i & 1)); then generation b "$i"; else generation a "$i"; fi |
		ruleset on
done
check "toggled: every packet in one counter" closed

setup | ruleset on
flood
for ((i = 1; i <= 3; i++)); do
	rmmod nft_bpfjit || notok "reloaded: rmmod"
	generation b "$i" | ruleset on
	insmod "$MODULE" min_cost=0 || notok "reloaded: insmod"
	is_state on inet t pre bpf >/dev/null || notok "reloaded: translated"
	generation a "$i" | ruleset on
done
check "reloaded: every packet in one counter" closed

# The base chain is deleted and made anew, the table as well.
setup | ruleset on
flood
for ((i = 1; i <= 4; i++)); do
	setup | ruleset on
	in_ns on nft delete chain inet t pre
	in_ns on nft flush ruleset
done
stop "$PID"
check "deleted: no rules" [ -z "$(in_ns on nft list ruleset)" ]
check "deleted: programs go" eventually programs_are 0

# A namespace goes while packets are on their way.
setup | ruleset on
flood
ip netns delete on
stop "$PID"
ip netns delete on-tx
check "namespace gone: programs go" eventually programs_are 0
check "unload" rmmod nft_bpfjit
check "unloaded: no program" eventually programs_are 0
finish
