// SPDX-License-Identifier: GPL-2.0-only
/*
 * Symbol lookup: the one place that finds by name what is not exported.
 *
 * kallsyms_lookup_name() itself is not exported either; a kprobe on it, which is
 * never armed, tells a module where it is.
 *
 * What is found that way is called by static calls only.  Of functions whose
 * address nobody takes the kernel overwrites the landing pads of indirect branch
 * tracking (IBT) when it boots: to call them through a pointer is a fault on
 * processors that have it.  Pointers that the kernel itself calls through, such
 * as those in nft_expr_ops and nft_set_ops, lead to functions that keep theirs.
 */
#include <linux/build_bug.h>
#include <linux/filter.h>
#include <linux/ftrace.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/rtnetlink.h>
#include <linux/static_call.h>
#include <net/netfilter/nf_tables.h>
#include <net/netfilter/nf_tables_core.h>
#include "hook.h"
#include "private.h"

struct nfj_symbols nfj_sym;

DEFINE_STATIC_CALL_NULL(nfj_ftrace_location, ftrace_location);

static unsigned long nfj_ftrace_location_at;

/* What is needed, where its address goes, and what a kernel without it lacks.  The
 * first is for variables that a header declares.
 */
#define NFJ_WANT(_name, _where, _of)					\
	{								\
		.name	= #_name + BUILD_BUG_ON_ZERO(			\
				!__same_type(_name, **(typeof(_where))NULL)), \
		.where	= (_where),					\
		.of	= _of,						\
	}
#define NFJ_WANT_PRIVATE(_name, _where, _of)				\
	{ .name = #_name, .where = (_where), .of = _of }

static const struct {
	const char	*name;
	void		*where;
	const char	*of;
} nfj_wanted[] = {
	NFJ_WANT_PRIVATE(nf_tables_commit, &nfj_sym.commit, "nf_tables"),
	NFJ_WANT_PRIVATE(nf_tables_chain_destroy, &nfj_sym.chain_destroy,
			 "nf_tables"),
	NFJ_WANT_PRIVATE(nf_hook_mutex, &nfj_sym.hook_mutex, "netfilter"),
	NFJ_WANT_PRIVATE(ftrace_location, &nfj_ftrace_location_at, "ftrace"),
	NFJ_WANT(bpf_jit_enable, &nfj_sym.jit_enable, "the BPF JIT"),
	NFJ_WANT(bpf_jit_harden, &nfj_sym.jit_harden, "the BPF JIT"),
	NFJ_WANT(pernet_ops_rwsem, &nfj_sym.pernet_rwsem, "netns"),
	NFJ_WANT(nf_tables_net_id, &nfj_sym.net_id, "nf_tables"),
	NFJ_WANT(nft_cmp_fast_ops, &nfj_sym.cmp_fast, "nf_tables"),
	NFJ_WANT(nft_cmp16_fast_ops, &nfj_sym.cmp16_fast, "nf_tables"),
	NFJ_WANT(nft_bitwise_fast_ops, &nfj_sym.bitwise_fast, "nf_tables"),
	NFJ_WANT(nft_payload_fast_ops, &nfj_sym.payload_fast, "nf_tables"),
};

#ifdef MODULE
/* kallsyms_lookup_name(), which is not exported */
DEFINE_STATIC_CALL_NULL(nfj_kallsyms_lookup, kallsyms_lookup_name);

static int nfj_kallsyms_init(void)
{
	/* Never armed, only its address is wanted.  Without memory an armed one
	 * could not be disarmed: it would stay registered, on our stack.
	 */
	struct kprobe kp = {
		.symbol_name	= "kallsyms_lookup_name",
		.flags		= KPROBE_FLAG_DISABLED,
	};
	int err;

	err = register_kprobe(&kp);
	if (err) {
		pr_err("nft_bpfjit: no kprobe on kallsyms_lookup_name (%d)\n",
		       err);
		return err;
	}
	static_call_update(nfj_kallsyms_lookup, nfj_kprobe_entry(kp.addr));
	unregister_kprobe(&kp);
	return 0;
}

static unsigned long nfj_kallsyms(const char *name)
{
	return static_call(nfj_kallsyms_lookup)(name);
}
#else
static int nfj_kallsyms_init(void)
{
	return 0;
}

static unsigned long nfj_kallsyms(const char *name)
{
	return kallsyms_lookup_name(name);
}
#endif

/**
 * nfj_symbol - find one symbol
 * @name: its name
 *
 * Context: process context, after nfj_symbols_init() has begun.
 *
 * Return: its address, or 0.
 */
unsigned long nfj_symbol(const char *name)
{
	return nfj_kallsyms(name);
}

/**
 * nfj_symbols_init - find all symbols, and see that they are what they are taken for
 *
 * Process context.  nf_tables must be loaded, which a module that uses one of
 * its exported symbols can rely on.
 *
 * Return: 0, or -ENOENT, -ENOEXEC or a kprobe's error after one line in the log.
 */
int nfj_symbols_init(void)
{
	unsigned int i;
	int err;

	err = nfj_kallsyms_init();
	if (err)
		return err;

	for (i = 0; i < ARRAY_SIZE(nfj_wanted); i++) {
		unsigned long addr = nfj_symbol(nfj_wanted[i].name);

		if (!addr) {
			pr_err("nft_bpfjit: this kernel has no %s, a symbol of %s\n",
			       nfj_wanted[i].name, nfj_wanted[i].of);
			return -ENOENT;
		}
		*(unsigned long *)nfj_wanted[i].where = addr;
	}
	nfj_sym.counter = (void *)nfj_kallsyms("nft_counter_ops");
	static_call_update(nfj_ftrace_location, (void *)nfj_ftrace_location_at);
	return nfj_btf_check();
}

/**
 * nfj_behind_fentry - where a function goes on behind its call of ftrace
 * @func: address of a function
 *
 * Return: that address, or 0 if the function does not begin with such a call.
 */
unsigned long nfj_behind_fentry(unsigned long func)
{
	unsigned long site = static_call(nfj_ftrace_location)(func);

	if (site != func && site != func + NFJ_LANDING_PAD)
		return 0;
	return site + MCOUNT_INSN_SIZE;
}
