#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What "make kernels" asks of a kernel, besides that the module loads, which is the
# self-test: a chain is translated, packets are counted, what nft lists is what it
# lists with the switch off, and all is gone with the module.
#
# timeout: 300
. "$(dirname "$0")/../safety/lib.sh"

lists_the_same()
{
	jit a 0 && in_ns a nft -s list ruleset >"$TMP/off" &&
		jit a 1 && in_ns a nft -s list ruleset >"$TMP/on" &&
		[ -s "$TMP/off" ] && diff "$TMP/off" "$TMP/on"
}

interpreted() { jit a 0 && is_state a off && counts a && jit a 1; }

load_module
simple_ns a
ruleset 300 | in_ns a nft -f -
check "translates" is_state a bpf
check "packets are counted" counts a
check "packets are counted with the switch off" interpreted
check "lists the same" lists_the_same
check "goes with rules in place" unload_module
check "no program is left" no_programs
finish
