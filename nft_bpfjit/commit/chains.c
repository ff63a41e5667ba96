// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chains by address, and their end.
 */
#include <linux/hashtable.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include "commit.h"

static DEFINE_HASHTABLE(nfj_chains, 12);
static DEFINE_SPINLOCK(nfj_chains_lock);

static struct nfj_chain *__nfj_chain_find(const struct nft_chain *chain)
{
	struct nfj_chain *nc;

	hash_for_each_possible(nfj_chains, nc, node, (unsigned long)chain)
		if (nc->chain == chain)
			return nc;
	return NULL;
}

/**
 * nfj_chain_find - what is known of a chain
 * @chain: the chain
 *
 * Context: commit mutex of the chain's netns, and the chain is in its table:
 * then it is not being destroyed.
 *
 * Return: the entry or NULL.
 */
struct nfj_chain *nfj_chain_find(const struct nft_chain *chain)
{
	struct nfj_chain *nc;

	spin_lock_bh(&nfj_chains_lock);
	nc = __nfj_chain_find(chain);
	spin_unlock_bh(&nfj_chains_lock);
	return nc;
}

/**
 * nfj_chain_get - the same, made if there is none yet
 * @chain: the chain
 *
 * Context: as nfj_chain_find(); sleeps.
 *
 * Does not fail: without the entry, taint would go unseen.
 *
 * Return: the entry.
 */
struct nfj_chain *nfj_chain_get(struct nft_chain *chain)
{
	struct nfj_chain *nc = nfj_chain_find(chain);

	if (nc)
		return nc;
	nc = kzalloc(sizeof(*nc), GFP_KERNEL | __GFP_NOFAIL);
	nc->chain = chain;
	INIT_LIST_HEAD(&nc->states);
	spin_lock_bh(&nfj_chains_lock);
	hash_add(nfj_chains, &nc->node, (unsigned long)chain);
	spin_unlock_bh(&nfj_chains_lock);
	return nc;
}

/**
 * nfj_chain_destroyed - nf_tables is about to free a chain
 * @chain: the chain, no packet sees it any more
 *
 * Context: that of nf_tables_chain_destroy(), which may sleep.
 */
void nfj_chain_destroyed(const struct nft_chain *chain)
{
	struct nfj_state *st, *next;
	struct nfj_chain *nc;

	spin_lock_bh(&nfj_chains_lock);
	nc = __nfj_chain_find(chain);
	if (nc)
		hash_del(&nc->node);
	spin_unlock_bh(&nfj_chains_lock);
	if (!nc)
		return;
	list_for_each_entry_safe(st, next, &nc->states, list)
		nfj_state_retire(st);
	nfj_kept_free(nc->kept);
	nfj_hits_put(nc->hits);
	kfree(nc);
}

/**
 * nfj_chains_exit - forget all chains
 *
 * Plain blobs are back everywhere and nobody adds a chain any more.
 */
void nfj_chains_exit(void)
{
	struct nfj_state *st, *next;
	struct hlist_node *tmp;
	struct nfj_chain *nc;
	int i;

	/* packets that are in one of our blobs that nf_tables replaced */
	synchronize_rcu();
	hash_for_each_safe(nfj_chains, i, tmp, nc, node) {
		hash_del(&nc->node);
		list_for_each_entry_safe(st, next, &nc->states, list)
			nfj_state_retire(st);
		nfj_kept_free(nc->kept);
		nfj_hits_put(nc->hits);
		kfree(nc);
	}
}
