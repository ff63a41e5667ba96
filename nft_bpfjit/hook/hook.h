/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the module gets at nf_tables: what it does not export, its commits and the
 * end of its chains, the hooks of base chains.  This room uses no other.
 */
#ifndef _NFJ_HOOK_H
#define _NFJ_HOOK_H

#include <linux/list.h>
#include <linux/netfilter.h>
#include <linux/rwsem.h>
#include <net/net_namespace.h>
#include <net/netfilter/nf_tables.h>
#include <net/netns/generic.h>

/* symbols.c: what nf_tables does not export */

/**
 * struct nfj_symbols - addresses found by name
 * @commit: nf_tables_commit(), a number: not to be called through a pointer
 * @chain_destroy: nf_tables_chain_destroy(), likewise
 * @jit_enable: bpf_jit_enable, there is none without a JIT
 * @jit_harden: bpf_jit_harden
 * @pernet_rwsem: pernet_ops_rwsem, under which a netns is made or goes
 * @net_id: nf_tables_net_id
 * @cmp_fast: nft_cmp_fast_ops, which nft_do_chain() evaluates inline
 * @cmp16_fast: nft_cmp16_fast_ops, likewise
 * @bitwise_fast: nft_bitwise_fast_ops, likewise
 * @payload_fast: nft_payload_fast_ops, likewise
 * @counter: nft_counter_ops, or NULL
 * @hook_mutex: nf_hook_mutex, under which the hooks of a netns change
 */
struct nfj_symbols {
	unsigned long			commit;
	unsigned long			chain_destroy;
	int				*jit_enable;
	int				*jit_harden;
	struct rw_semaphore		*pernet_rwsem;
	unsigned int			*net_id;
	const struct nft_expr_ops	*cmp_fast;
	const struct nft_expr_ops	*cmp16_fast;
	const struct nft_expr_ops	*bitwise_fast;
	const struct nft_expr_ops	*payload_fast;
	const struct nft_expr_ops	*counter;
	/* static in net/netfilter/core.c */
	struct mutex			*hook_mutex;
};

extern struct nfj_symbols nfj_sym;

int nfj_symbols_init(void);
unsigned long nfj_symbol(const char *name);
unsigned long nfj_behind_fentry(unsigned long func);

/**
 * nfj_nft_pernet - nf_tables' per-netns data
 * @net: the netns
 *
 * Return: what nft_pernet() would return, if it could be called.
 */
static inline struct nftables_pernet *nfj_nft_pernet(const struct net *net)
{
	return net_generic(net, *nfj_sym.net_id);
}

/* hook.c: standing in nf_tables_commit() and nf_tables_chain_destroy() */

/**
 * struct nfj_changes - what a commit changes
 * @chains: chains that get another blob
 * @sets: sets whose shadows it touches
 */
struct nfj_changes {
	struct list_head	chains;
	struct list_head	sets;
};

/**
 * struct nfj_hook_fns - who is to be called there
 * @prepare: before a commit, under the commit mutex; makes lists of changes
 * @cancel: the commit failed, the commit mutex is held; frees the lists
 * @finish: it succeeded and has released the mutex; frees the lists
 * @destroyed: nf_tables is about to free a chain; may sleep
 */
struct nfj_hook_fns {
	void	(*prepare)(struct net *net, struct nfj_changes *changes);
	void	(*cancel)(struct net *net, struct nfj_changes *changes);
	void	(*finish)(struct net *net, struct nfj_changes *changes);
	void	(*destroyed)(const struct nft_chain *chain);
};

int nfj_hook_init(const struct nfj_hook_fns *fns);
void nfj_hook_exit(void);
void nfj_hook_exit_destroy(void);

/* redirect.c: the hooks of base chains */
void nfj_redirect_sync(const struct net *net, const struct nft_base_chain *base,
		       nf_hookfn *fn);

#endif /* _NFJ_HOOK_H */
