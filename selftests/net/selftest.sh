#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The self-test at load (nft_bpfjit/selftest/) is lied to: what nf_tables is said to
# do is not what it does.  The module must not load then, name what differs in one
# line, and leave nothing behind; without a lie it loads.
#
# timeout: 600
. "$(dirname "$0")/../safety/lib.sh"

# complaint: the line about it, and there is one.
complaint() { dmesg | grep 'nft_bpfjit: not loaded:'; }

# refuses LIE PATTERN: the module does not load, and says why.
refuses()
{
	local line

	dmesg -C
	if insmod "$MODULE" "selftest_lie=$1" 2>/dev/null; then
		rmmod nft_bpfjit
		echo "it loads"
		return 1
	fi
	line=$(complaint)
	echo "$line"
	[ "$(wc -l <<<"$line")" = 1 ] && grep -qE "$2" <<<"$line"
}

loads()
{
	dmesg -C
	insmod "$MODULE" && ! complaint
}

# lied_about_meta: where it moves what is loaded later the engine, not knowing, differs.
# Where it does not, frames are left to the interpreter that need not be: no
# difference, and the log has what the module was told.
lied_about_meta()
{
	local moves='nft_bpfjit: meta l4proto looks behind'

	loads || return 1
	if dmesg | grep -q "$moves"; then
		rmmod nft_bpfjit
		refuses 2 "$expression.*(802.1Q|QinQ|PPPoE)"
		return
	fi
	rmmod nft_bpfjit
	dmesg -C
	insmod "$MODULE" selftest_lie=2 || return 1
	rmmod nft_bpfjit
	dmesg | grep "$moves"
}

unload_module
expression='"(payload|meta|cmp|range|bitwise|byteorder) [^"]*" is (true|false) for nf_tables'
check "a lie about fast loads in fragments" refuses 1 '"payload transport .*fragment'
check "a lie about what meta l4proto does" lied_about_meta
for rule in 0 17 150 230 300 420 600; do
	check "a lie about rule $rule" refuses $((100 + rule)) "$expression"
done
check "the first rule is named" refuses 100 '"payload link 6@0" is'
check "no program is left" no_programs
check "without a lie it loads" loads
finish
