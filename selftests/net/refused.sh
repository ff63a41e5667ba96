#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a kernel may lack: insmod fails, one line in the log says what is missing,
# and nothing stays behind.  Each symbol that the module looks for by name is
# missing once, in a copy of the module that asks for another name of the same
# length; so is the function that it looks with.  Then ftrace is switched off.
#
# timeout: 300
. "$(dirname "$0")/lib.sh"

SYMBOLS=$HERE/../../nft_bpfjit/hook/symbols.c

# symbols: all those in the table of hook/symbols.c.
symbols() { sed -n 's/^\tNFJ_WANT[_A-Z]*(\([a-z0-9_]*\),.*/\1/p' "$SYMBOLS"; }

# without NAME: the module, looking for a name that is nowhere.
without()
{
	LC_ALL=C sed "s/\x00$1\x00/\x00${1%???}_no\x00/g" "$MODULE" >"$TMP/without.ko"
	! cmp -s "$MODULE" "$TMP/without.ko"
}

# Loaded by whoever calls us, so that the kernel has had its word about the taint.
rmmod nft_bpfjit
check "there are symbols to miss" [ "$(symbols | wc -l)" -ge 10 ]
for name in $(symbols); do
	check "$name: made missing" without "$name"
	wanted="no ${name%???}_no, a symbol of"
	check "$name: refused, with a line" refused "$TMP/without.ko" "$wanted"
	check "$name: nothing left" nothing_left
done
check "bpf_jit_enable is known as a part of the JIT" grep -q '(bpf_jit_enable,.*"the BPF JIT"' \
	"$SYMBOLS"
check "kallsyms: made missing" without kallsyms_lookup_name
check "kallsyms: refused, with a line" refused "$TMP/without.ko" "no kprobe on kallsyms_"
check "kallsyms: nothing left" nothing_left

sysctl -qw kernel.ftrace_enabled=0
check "ftrace: refused, with a line" refused "$MODULE" "can't hook .*ftrace is switched off"
check "ftrace: nothing left" nothing_left
sysctl -qw kernel.ftrace_enabled=1
check "with all of it: loads" insmod "$MODULE"
finish
