/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is private to the kernel and yet used here, in one place.
 *
 * Where a header has it, the compiler checks it: the static calls of symbols.c have
 * the types of the prototypes, what is read of nft_trans and nftables_pernet is read
 * by name.  What no header has is written down here (or in compat/, where kernels
 * differ: the end of a blob), and btf.c compares it, when the module is loaded,
 * with what the kernel says of itself.  The rooms that use it:
 *
 *	kallsyms, kprobe	symbols.c
 *	ftrace			hook.c
 *	nf_hook_entries		redirect.c
 *	nftables_pernet		nfj_nft_pernet() in hook.h
 *	nft_trans		commit/commit.c, compat/
 *	end of a blob		commit/blob.c, compat/
 *	catch-all elements	commit/sets.c
 *	kern_sys_bpf()		load/load.c
 *	nft_do_chain_inet() and so on, nft_meta_type and so on
 *				selftest/, which calls them as nf_tables does
 */
#ifndef _NFJ_PRIVATE_H
#define _NFJ_PRIVATE_H

#include <linux/btf.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

/* net/netfilter/nf_tables_api.c; @elem is an nft_elem_priv where there is one */
struct nfj_set_elem_catchall {
	struct list_head	list;
	struct rcu_head		rcu;
	void			*elem;
};

/* kernel/bpf/btf.c: newer kernels have it in a header, which must agree */
s32 bpf_find_btf_id(const char *name, u32 kind, struct btf **btf_p);

int nfj_btf_check(void);

#endif /* _NFJ_PRIVATE_H */
