#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Without a JIT (net.core.bpf_jit_enable=0) chains are left to the interpreter,
# with the state no-jit, and nothing else changes.
#
# timeout: 600
. "$(dirname "$0")/lib.sh"

RULES='
table ip t {
	counter hits { }
	chain pre {
		type filter hook prerouting priority 0;
		tcp dport 1-50 counter name "hits"
		tcp dport 60 counter
		tcp dport 61 counter
	}
}'

begin
make_ns on
sysctl -qw net.core.bpf_jit_enable=0
ruleset on <<<"$RULES"
check "no JIT: state" is_state on ip t pre no-jit
check "no JIT: no program" eventually programs_are 0
inject on tx0 tcp >/dev/null
settle on
check "no JIT: counts" [ "$(packets on ip t hits)" = 50 ]
in_ns on nft add rule ip t pre counter
jit on 0
check "no JIT: off" is_state on ip t pre off
jit on 1
check "no JIT: on" is_state on ip t pre no-jit

sysctl -qw net.core.bpf_jit_enable=1
check "JIT again: not before something changes" is_state on ip t pre no-jit
in_ns on nft add rule ip t pre counter
check "JIT again: state" is_state on ip t pre bpf

# a chain that is translated, and then can't be
sysctl -qw net.core.bpf_jit_enable=0
in_ns on nft add rule ip t pre counter
check "no JIT any more: state" is_state on ip t pre no-jit
check "no JIT any more: no program" eventually programs_are 0
inject on tx0 tcp >/dev/null
settle on
check "no JIT any more: counts" [ "$(packets on ip t hits)" = 100 ]

check "no JIT: rmmod" rmmod nft_bpfjit
check "no JIT: insmod" insmod "$MODULE" min_cost=0
check "no JIT: state after loading" is_state on ip t pre no-jit
sysctl -qw net.core.bpf_jit_enable=1
finish
