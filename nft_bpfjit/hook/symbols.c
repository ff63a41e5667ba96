// SPDX-License-Identifier: GPL-2.0-only
/*
 * Symbol lookup: the one place that finds by name what is not exported.
 *
 * kallsyms_lookup_name() itself is not exported either; a kprobe on it, never
 * armed for longer than it takes to read its address, tells where it is.
 */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include "hook.h"

struct nfj_symbols nfj_sym;

static unsigned long (*nfj_kallsyms)(const char *name);

/* what is needed, where its address goes, and what a kernel without it lacks */
static const struct {
	const char	*name;
	void		*where;
	const char	*of;
} nfj_wanted[] = {
	{ "nf_tables_commit",	     &nfj_sym.commit,	     "nf_tables" },
	{ "nf_tables_chain_destroy", &nfj_sym.chain_destroy, "nf_tables" },
	{ "bpf_jit_enable",	     &nfj_sym.jit_enable,    "the BPF JIT" },
	{ "bpf_jit_harden",	     &nfj_sym.jit_harden,    "the BPF JIT" },
	{ "nf_tables_net_id",	     &nfj_sym.net_id,	     "nf_tables" },
	{ "nft_cmp_fast_ops",	     &nfj_sym.cmp_fast,	     "nf_tables" },
	{ "nft_cmp16_fast_ops",	     &nfj_sym.cmp16_fast,    "nf_tables" },
	{ "nft_bitwise_fast_ops",    &nfj_sym.bitwise_fast,  "nf_tables" },
	{ "nft_payload_fast_ops",    &nfj_sym.payload_fast,  "nf_tables" },
	{ "nf_hook_mutex",	     &nfj_sym.hook_mutex,    "netfilter" },
};

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
	/* Never armed, only its address is wanted.  Without memory an armed one
	 * could not be disarmed: it would stay registered, on our stack.
	 */
	struct kprobe kp = {
		.symbol_name	= "kallsyms_lookup_name",
		.flags		= KPROBE_FLAG_DISABLED,
	};
	unsigned int i;
	int err;

	err = register_kprobe(&kp);
	if (err) {
		pr_err("nft_bpfjit: no kprobe on kallsyms_lookup_name (%d)\n",
		       err);
		return err;
	}
	nfj_kallsyms = nfj_kprobe_entry(kp.addr);
	unregister_kprobe(&kp);

	for (i = 0; i < ARRAY_SIZE(nfj_wanted); i++) {
		unsigned long addr = nfj_kallsyms(nfj_wanted[i].name);

		if (!addr) {
			pr_err("nft_bpfjit: this kernel has no %s, a symbol of %s\n",
			       nfj_wanted[i].name, nfj_wanted[i].of);
			return -ENOENT;
		}
		*(unsigned long *)nfj_wanted[i].where = addr;
	}
	return 0;
}
