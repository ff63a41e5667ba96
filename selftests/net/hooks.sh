#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Hooks that come and go without a rule changing: packets find the engine there,
# not nft_do_chain(), which would give the same result for more.
#
# timeout: 300
. "$(dirname "$0")/lib.sh"

TRACING=/sys/kernel/tracing

# through DEV FAMILY TABLE: five packets that come through a device of on-tx are
# counted in that table, and what is called for them is the engine.
through()
{
	local was now calls

	was=$(packets on "${@:2}" hits)
	: >$TRACING/trace
	inject on "$1" -r 5 udp >/dev/null
	settle on
	now=$(packets on "${@:2}" hits)
	calls=$(grep -c nft_do_chain $TRACING/trace)
	[[ $((now - was)) == 5 && $calls == 0 ]] ||
		{ echo "$((now - was)) counted, $calls through nft_do_chain()"; return 1; }
}

# chain FAMILY TABLE HOOK: with rules that have nothing to do with the packets, and
# one that counts them.
chain()
{
	cat <<-END
		table $1 $2 {
			counter hits { }
			chain c {
				type filter hook $3 priority 0
				tcp dport 1 counter
				tcp dport 2 counter
				udp dport 1-65535 counter name "hits"
			}
		}
	END
}

begin
cheap 0
make_ns on
mountpoint -q $TRACING || mount -t tracefs tracefs $TRACING
echo nft_do_chain >$TRACING/set_ftrace_filter
echo function >$TRACING/current_tracer

chain ip t "prerouting" | ruleset on
check "translated" is_state on ip t c bpf
check "packets come to the engine" eventually through tx0 ip t
jit on 0
through tx0 ip t >/dev/null && notok "nft_do_chain() is seen when it is called"
jit on 1
check "switched off and on: packets come to the engine" eventually through tx0 ip t

in_ns on nft add table ip t '{ flags dormant; }'
was=$(packets on ip t hits)
inject on tx0 -r 5 udp >/dev/null
settle on
check "dormant: nothing is counted" [ "$(packets on ip t hits)" = "$was" ]
in_ns on nft add table ip t
check "awake: packets come to the engine" eventually through tx0 ip t

chain netdev d "ingress devices = { in0 }" | ruleset on
in_ns on nft delete table ip t
check "device: packets come to the engine" eventually through tx0 netdev d
# 6.1 does not add devices to a chain
in_ns on nft "add chain netdev d c {
	type filter hook ingress devices = { in0, p0 } priority 0; }" 2>/dev/null
if in_ns on nft list chain netdev d c | grep -q p0; then
	check "second device: packets come to the engine" eventually through tp0 netdev d
fi
check "second device: the first as before" through tx0 netdev d

echo nop >$TRACING/current_tracer
echo >$TRACING/set_ftrace_filter
finish
