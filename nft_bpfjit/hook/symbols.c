// SPDX-License-Identifier: GPL-2.0-only
/*
 * Symbol lookup: the one place that finds by name what is not exported.
 *
 * kallsyms_lookup_name() itself is not exported either; a kprobe on it, never
 * armed for longer than it takes to read its address, tells where it is.
 */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include "../nfj.h"

struct nfj_symbols nfj_sym;

static unsigned long (*nfj_kallsyms)(const char *name);

static int nfj_find(const char *name, void *where)
{
	unsigned long addr = nfj_kallsyms(name);

	if (!addr) {
		pr_err("nft_bpfjit: this kernel has no symbol %s\n", name);
		return -ENOENT;
	}
	*(unsigned long *)where = addr;
	return 0;
}

/**
 * nfj_symbols_init - find all symbols
 *
 * Process context.  nf_tables must be loaded, which a module that uses one of
 * its exported symbols can rely on.
 *
 * Return: 0, or -ENOENT or a kprobe's error after one line in the log.
 */
int nfj_symbols_init(void)
{
	struct kprobe kp = { .symbol_name = "kallsyms_lookup_name" };
	int err;

	err = register_kprobe(&kp);
	if (err) {
		pr_err("nft_bpfjit: no kprobe on kallsyms_lookup_name (%d)\n",
		       err);
		return err;
	}
	nfj_kallsyms = nfj_kprobe_entry(kp.addr);
	unregister_kprobe(&kp);

	if (nfj_find("nf_tables_commit", &nfj_sym.commit) ||
	    nfj_find("nf_tables_chain_destroy", &nfj_sym.chain_destroy) ||
	    nfj_find("bpf_jit_enable", &nfj_sym.jit_enable) ||
	    nfj_find("bpf_jit_harden", &nfj_sym.jit_harden) ||
	    nfj_find("nf_tables_net_id", &nfj_sym.net_id) ||
	    nfj_find("nft_cmp_fast_ops", &nfj_sym.cmp_fast) ||
	    nfj_find("nft_cmp16_fast_ops", &nfj_sym.cmp16_fast) ||
	    nfj_find("nft_bitwise_fast_ops", &nfj_sym.bitwise_fast) ||
	    nfj_find("nft_payload_fast_ops", &nfj_sym.payload_fast) ||
	    nfj_find("nf_hook_mutex", &nfj_sym.hook_mutex))
		return -ENOENT;
	return 0;
}
