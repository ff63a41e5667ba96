#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Others at the functions that the module redirects: one that redirects them as
# well excludes it, with a word of why, and leaves nothing behind; kprobes,
# kretprobes and tracers get along with it, in either order.
#
# timeout: 600
. "$(dirname "$0")/lib.sh"

TRACING=/sys/kernel/tracing

probe() { echo "$1" >>$TRACING/kprobe_events; }
probes_on() { echo 1 >$TRACING/events/kprobes/enable; }
probes_off()
{
	echo 0 >$TRACING/events/kprobes/enable
	echo >$TRACING/kprobe_events
}

# hits NAME: how often a probe fired.
hits() { awk -v n="$1" '$1 == n { print $2 }' $TRACING/kprobe_profile; }

reload_rules()
{
	in_ns a nft flush ruleset
	ruleset 100 | in_ns a nft -f -
}

# probed: each commit is seen by the probes, once, and translated.
probed()
{
	local before after

	before=$(hits p1)
	reload_rules && is_state a bpf && counts a || return 1
	after=$(hits p1)
	[ "$after" = $((before + 2)) ] && [ "$(hits r1)" = "$after" ] &&
		[ "$(hits p2)" -ge 1 ]
}

traced()
{
	echo nf_tables_commit >$TRACING/set_ftrace_filter
	echo nf_tables_chain_destroy >>$TRACING/set_ftrace_filter
	echo "$1" >$TRACING/current_tracer
	reload_rules && is_state a bpf && counts a
}

untraced()
{
	echo nop >$TRACING/current_tracer
	echo >$TRACING/set_ftrace_filter
}

load_module
check "the last user of the module is gone" unload_module
modprobe nf_tables

insmod "$RIVAL" || notok "insmod rival"
check "another that redirects nf_tables_commit: refused, with a reason" \
	refused "$MODULE" "can't hook nf_tables_commit.*live patch"
check "nothing of it is left" nothing_left
check "no program of it is left" no_programs
rmmod rival
check "without it: loads" insmod "$MODULE"
check "the other one is refused now" bash -c '! insmod "$1"' -- "$RIVAL"

simple_ns a
reload_rules
check "a chain is translated" is_state a bpf

if [ -e $TRACING/kprobe_events ]; then
	probe 'p:p1 nf_tables_commit'
	probe 'r:r1 nf_tables_commit'
	probe 'p:p2 nf_tables_chain_destroy'
	probes_on
	check "kprobes behind us: translated, counted and probed" probed
	check "unload under kprobes" unload_module
	check "packets are counted without it" counts a
	check "load under kprobes" insmod "$MODULE"
	check "kprobes in front of us: translated, counted and probed" probed
	probes_off
else
	skip "kprobes" "no CONFIG_KPROBE_EVENTS in this kernel"
fi

check "function tracer" traced function
check "function graph tracer" traced function_graph
check "unload under a tracer" unload_module
check "load under a tracer" insmod "$MODULE"
check "translated under a tracer" is_state a bpf
untraced

check "ftrace can't be switched off under us" \
	bash -c '! sysctl -q kernel.ftrace_enabled=0 2>/dev/null'
check "so commits go on" reload_rules
check "translated" is_state a bpf
unload_module
sysctl -q kernel.ftrace_enabled=0
check "ftrace switched off: refused, with a reason" \
	refused "$MODULE" "can't hook.*ftrace is switched off"
check "nothing of that is left" nothing_left
check "no program of that is left" no_programs
sysctl -q kernel.ftrace_enabled=1
check "switched on: loads" insmod "$MODULE"
check "what was there is translated" is_state a bpf
finish
