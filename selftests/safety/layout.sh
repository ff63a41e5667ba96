#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A kernel whose private functions and structs are not what the module takes them
# for: it is refused, with one line that says which.  The kernel is what it is, so
# it is the module that is wrong here: in a copy of it the name of a type or of a
# member is another one of the same length.
#
# timeout: 300
. "$(dirname "$0")/lib.sh"

# wrong SED: a copy of the module.
wrong()
{
	sed -b "$1" "$MODULE" >"$TMP/wrong.ko"
	! cmp -s "$MODULE" "$TMP/wrong.ko"
}

# wrong_is TITLE SED MESSAGE
wrong_is()
{
	check "$1: made" wrong "$2"
	check "$1: refused, with a reason" refused "$TMP/wrong.ko" "$3"
	check "$1: nothing is left" nothing_left
}

load_module
check "unload" unload_module
modprobe nf_tables
if [ ! -e /sys/kernel/btf/nf_tables ]; then
	dmesg -c >/dev/null
	check "without BTF it loads" insmod "$MODULE"
	check "and says that nothing was compared" \
		sh -c "dmesg | grep -q 'no BTF to check private types'"
	finish
fi
wrong_is "another argument" 's/void (struct nft_chain \*)/void (struct nft_table *)/g' \
	'nf_tables_chain_destroy() is void (struct nft_chain \*) in this kernel, not void (str'
wrong_is "another return value" \
	's/int (struct net \*, struct sk_buff \*)/u32 (struct net *, struct sk_buff *)/g' \
	'nf_tables_commit() is int (struct net \*, struct sk_buff \*) in this kernel, not u32'
wrong_is "a struct that is gone" 's/nft_set_elem_catchall/nft_set_elem_Catchall/g' \
	'this kernel has no struct nft_set_elem_Catchall'
wrong_is "a member that is gone" 's/blob_next/blob_Next/g' \
	'struct nft_chain has no blob_Next in this kernel'
wrong_is "a member that has moved" \
	's/blob_gen_0/blob_gen_x/g; s/blob_gen_1/blob_gen_0/g; s/blob_gen_x/blob_gen_1/g' \
	'struct nft_chain has blob_gen_. at [0-9]* of [0-9]* bytes in this kernel, not at [0-9]* of'
dmesg -c >/dev/null
check "the module as it is: loads" insmod "$MODULE"
check "and says nothing" sh -c '! dmesg | grep nft_bpfjit:'
finish
