#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The settings of BPF: without a JIT chains are interpreted and say so, hardened
# programs match as before however long that makes them, and statistics count.
#
# timeout: 600
. "$(dirname "$0")/lib.sh"

# apply SETTING=VALUE: and translate anew.
apply()
{
	sysctl -qw "$1" && jit a 0 && jit a 1
}

# jited: bytes of machine code of the chain.
jited() { status a | awk '$3 == "c" { print $11 }'; }

# progs: of how many programs it is made.
progs() { status a | awk '$3 == "c" { print split($8, a, ",") }'; }

harden()
{
	apply "net.core.bpf_jit_harden=$1" && is_state a bpf && counts a
}

runs() { bpftool prog show | sed -n '/ name nft_/s/.* run_cnt \([0-9]*\).*/\1/p'; }

stats()
{
	[ -z "$(runs)" ] || { echo "counted before"; return 1; }
	counts a
	[ "$(runs)" = 10 ] || { echo "$(runs) runs"; return 1; }
}

load_module
simple_ns a
ruleset 300 | in_ns a nft -f -
check "translated" is_state a bpf
check "packets are counted" counts a

check "bpf_jit_enable=0" apply net.core.bpf_jit_enable=0
check "... chain is interpreted, and why" is_state a no-jit
check "... no program is kept" eventually no_programs
check "... packets are counted" counts a
check "bpf_jit_enable=1" apply net.core.bpf_jit_enable=1
check "... translated" is_state a bpf

plain=$(jited)
check "bpf_jit_harden=1: translated, packets are counted" harden 1
check "bpf_jit_harden=2: translated, packets are counted" harden 2
check "... and it is hardened: more code" test "$(jited)" -gt "$plain"
# Hardening takes time by the square of a program's length: while rules are
# committed nobody is to wait for minutes.
in_ns a nft flush ruleset
echo 0 >/sys/module/nft_bpfjit/parameters/passes
ruleset 2500 | in_ns a nft -f -
check "bpf_jit_harden=2: thousands of rules without search are translated" is_state a bpf
check "... in several programs" test "$(progs)" -gt 1
check "... packets are counted" counts a
echo 7 >/sys/module/nft_bpfjit/parameters/passes
check "bpf_jit_harden=0" harden 0

sysctl -qw kernel.bpf_stats_enabled=1
check "bpf_stats_enabled=1 counts each run" stats
sysctl -qw kernel.bpf_stats_enabled=0
check "bpf_stats_enabled=0: packets are counted" counts a
finish
