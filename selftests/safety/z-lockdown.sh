#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Kernel lockdown: a module that is loaded goes on translating, in both modes;
# without a signature it cannot be loaded any more, as any other.  Lockdown is
# for good, so this is the last test of a guest.
#
# timeout: 300
. "$(dirname "$0")/lib.sh"

LOCKDOWN=/sys/kernel/security/lockdown

mount -t securityfs none /sys/kernel/security 2>/dev/null
load_module
simple_ns a
if [ ! -e $LOCKDOWN ]; then
	skip "lockdown" "this kernel has none"
	finish
fi
for mode in integrity confidentiality; do
	check "lockdown: $mode" bash -c "echo $mode >$LOCKDOWN"
	in_ns a nft flush ruleset
	ruleset 100 | in_ns a nft -f -
	check "... commits are translated" is_state a bpf
	check "... packets are counted" counts a
	check "... the status can be read" test -n "$(status a)"
done
check "unload" unload_module
check "packets are counted without it" counts a
check "a module without a signature can't be loaded" bash -c '! insmod "$1"' -- "$MODULE"
finish
