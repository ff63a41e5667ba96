// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hits: how often each rule of a translated chain was run, without "counter".
 *
 * What is counted belongs to the rule, not to the state: each new state of a chain
 * takes the hits of the rules that stay from the one that packets use, and packets
 * of both generations count in the same place.  So they are exact across edits.
 * What is known of a chain (struct nfj_chain) keeps the last table as well, over
 * the times in which the chain is interpreted and nothing is counted.
 *
 * A commit that is cancelled has made a table that lacks the rules it would have
 * deleted: what packets use comes first where a rule is looked up.
 */
#include <linux/bsearch.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include "../engine/seen.h"
#include "commit.h"

static void nfj_hit_put(struct nfj_hit *hit)
{
	if (!hit || !refcount_dec_and_test(&hit->ref))
		return;
	free_percpu(hit->n);
	kfree(hit);
}

static struct nfj_hit *nfj_hit_new(u64 handle)
{
	struct nfj_hit *hit = kzalloc(sizeof(*hit), GFP_KERNEL_ACCOUNT);

	if (!hit)
		return NULL;
	hit->n = alloc_percpu_gfp(u64, GFP_KERNEL_ACCOUNT);
	if (!hit->n) {
		kfree(hit);
		return NULL;
	}
	hit->handle = handle;
	refcount_set(&hit->ref, 1);
	return hit;
}

static u64 nfj_hit_sum(const struct nfj_hit *hit)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(hit->n, cpu));
	return sum;
}

/**
 * nfj_hit_read - packets since the last zero
 * @hit: of a rule
 *
 * Return: how many.
 */
u64 nfj_hit_read(const struct nfj_hit *hit)
{
	return nfj_hit_sum(hit) - hit->base;
}

/**
 * nfj_hits_put - one user less
 * @hits: a table, or NULL
 *
 * The last one frees it, and the hits of rules that no other table has.
 */
void nfj_hits_put(struct nfj_hits *hits)
{
	u32 i;

	if (!hits || !refcount_dec_and_test(&hits->ref))
		return;
	for (i = 0; i < hits->n; i++)
		nfj_hit_put(hits->hit[i]);
	kvfree(hits);
}

static int nfj_hit_compare(const void *a, const void *b)
{
	const struct nfj_hit *x = *(const struct nfj_hit * const *)a;
	const struct nfj_hit *y = *(const struct nfj_hit * const *)b;

	return x->handle < y->handle ? -1 : x->handle > y->handle;
}

static int nfj_hit_compare_handle(const void *handle, const void *b)
{
	const struct nfj_hit *y = *(const struct nfj_hit * const *)b;

	return *(const u64 *)handle < y->handle ? -1 :
	       *(const u64 *)handle > y->handle;
}

/* Hits by handle: those of two tables, of which any may be NULL.  A rule that is in
 * both has the same in both.
 */
static struct nfj_hit **nfj_hits_sorted(const struct nfj_hits *a,
					const struct nfj_hits *b, u32 *n)
{
	u32 na = a ? a->n : 0, nb = b && b != a ? b->n : 0;
	struct nfj_hit **all;

	all = kvmalloc_array(na + nb + 1, sizeof(*all), GFP_KERNEL);
	if (!all)
		return NULL;
	if (na)
		memcpy(all, a->hit, na * sizeof(*all));
	if (nb)
		memcpy(all + na, b->hit, nb * sizeof(*all));
	*n = na + nb;
	sort(all, *n, sizeof(*all), nfj_hit_compare, NULL);
	return all;
}

/* A table for the rules that a chain has in the next generation */
static struct nfj_hits *nfj_hits_make(const struct net *net,
				      const struct nft_chain *chain,
				      const struct nfj_hits *a,
				      const struct nfj_hits *b)
{
	const struct nft_rule *rule;
	struct nfj_hit **all;
	struct nfj_hits *hits;
	u32 i = 0, n = 0;

	list_for_each_entry(rule, &chain->rules, list)
		n += nft_is_active_next(net, rule);
	hits = kvzalloc(struct_size(hits, hit, n), GFP_KERNEL_ACCOUNT);
	if (!hits)
		return NULL;
	INIT_LIST_HEAD(&hits->list);
	refcount_set(&hits->ref, 1);
	hits->n = n;
	all = nfj_hits_sorted(a, b, &n);
	if (!all)
		goto err_put;
	list_for_each_entry(rule, &chain->rules, list) {
		u64 handle = rule->handle;
		struct nfj_hit **found;

		if (!nft_is_active_next(net, rule))
			continue;
		found = bsearch(&handle, all, n, sizeof(*all),
				nfj_hit_compare_handle);
		if (found)
			refcount_inc(&(*found)->ref);
		hits->hit[i] = found ? *found : nfj_hit_new(handle);
		if (!hits->hit[i++])
			goto err_free;
	}
	kvfree(all);
	return hits;

err_free:
	kvfree(all);
err_put:
	nfj_hits_put(hits);
	return NULL;
}

/**
 * nfj_hits_attach - let a new state count in the place of the one that is in use
 * @net: the netns
 * @chain: the chain
 * @nc: what is known of it
 * @st: the state, of its rules in the next generation
 *
 * Without memory the chain does not count until its next commit.
 *
 * Context: commit mutex.
 */
void nfj_hits_attach(const struct net *net, const struct nft_chain *chain,
		     struct nfj_chain *nc, struct nfj_state *st)
{
	const struct nft_rule_blob *blob = nfj_blob_now(net, chain);
	const struct nfj_state *now = blob ? nfj_blob_state(blob) : NULL;
	struct nfj_hits *hits;

	if (!nfj_pernet(net)->hits || st->places)
		return;
	hits = nfj_hits_make(net, chain, now ? now->hits : NULL, nc->hits);
	if (!hits)
		return;
	refcount_inc(&hits->ref);
	nfj_hits_put(nc->hits);
	nc->hits = hits;
	/* with READ_ONCE() in nfj_hit_act(), where the state is in use */
	smp_store_release(&st->hits, hits);
}

/* A chain counts no more; what packets may still see goes to a list */
static void nfj_hits_detach(struct nfj_chain *nc, struct list_head *gone)
{
	struct nfj_state *st;

	list_for_each_entry(st, &nc->states, list) {
		if (st->hits)
			list_add(&st->hits->list, gone);
		WRITE_ONCE(st->hits, NULL);
	}
	nfj_hits_put(nc->hits);
	nc->hits = NULL;
}

/* The state that packets use, to be written to */
static struct nfj_state *nfj_state_now(const struct net *net,
				       const struct nft_chain *chain,
				       struct nfj_chain *nc)
{
	const struct nfj_state *now = nfj_blob_state(nfj_blob_now(net, chain));
	struct nfj_state *st;

	list_for_each_entry(st, &nc->states, list)
		if (st == now)
			return st;
	return NULL;
}

/* Chains that others were put into do not count: they are taken apart before, and put
 * together after that.
 */
static void nfj_hits_apart(struct net *net, bool apart)
{
	struct nftables_pernet *nft_net = nfj_nft_pernet(net);
	struct nft_table *table;
	struct nft_chain *chain;
	LIST_HEAD(changes);

	list_for_each_entry(table, &nft_net->tables, list)
		list_for_each_entry(chain, &table->chains, list) {
			const struct nfj_state *st =
				nfj_blob_state(nfj_blob_now(net, chain));

			if (st && (apart ? !!st->places :
					   nfj_chain_find(chain)->stats.jumps &&
					   st->nacts < nfj_inline_room()))
				nfj_change_add(chain, &changes);
		}
	if (list_empty(&changes))
		return;
	/* packets that began with the past generation */
	synchronize_rcu();
	list_for_each_entry(table, &nft_net->tables, list)
		nfj_table_settle(net, table, &changes);
	nfj_changes_publish(net, &changes);
}

/**
 * nfj_hits_switch - count, or stop counting, how often the rules of a netns are run
 * @net: the netns
 * @on: which
 *
 * Takes effect at once, while packets flow.  Counting begins with zero.  Takes the
 * commit mutex; sleeps.
 */
void nfj_hits_switch(struct net *net, bool on)
{
	struct nftables_pernet *nft_net = nfj_nft_pernet(net);
	struct nfj_net *nn = nfj_pernet(net);
	struct nfj_hits *hits, *next;
	struct nft_table *table;
	struct nft_chain *chain;
	struct nfj_state *st;
	struct nfj_chain *nc;
	LIST_HEAD(gone);

	mutex_lock(&nft_net->commit_mutex);
	if (nn->hits == on)
		goto out;
	WRITE_ONCE(nn->hits, on);
	if (on)
		static_branch_inc(&nfj_hits_key);
	else
		static_branch_dec(&nfj_hits_key);
	if (on)
		nfj_hits_apart(net, true);
	list_for_each_entry(table, &nft_net->tables, list) {
		list_for_each_entry(chain, &table->chains, list) {
			nc = nfj_chain_find(chain);
			if (!nc)
				continue;
			if (!on) {
				nfj_hits_detach(nc, &gone);
				continue;
			}
			st = nfj_state_now(net, chain, nc);
			if (st && !st->hits)
				nfj_hits_attach(net, chain, nc, st);
		}
	}
	if (!list_empty(&gone))
		synchronize_rcu();
	list_for_each_entry_safe(hits, next, &gone, list)
		nfj_hits_put(hits);
	if (!on)
		nfj_hits_apart(net, false);
out:
	mutex_unlock(&nft_net->commit_mutex);
}

static void nfj_hits_base(const struct nfj_hits *hits)
{
	u32 i;

	for (i = 0; hits && i < hits->n; i++)
		hits->hit[i]->base = nfj_hit_sum(hits->hit[i]);
}

/**
 * nfj_hits_zero - begin again to count in a netns
 * @net: the netns
 *
 * Packets that are counted meanwhile are counted before or after that, but not lost:
 * what is there now is remembered, nothing is written where packets count.
 *
 * Context: takes the commit mutex.
 */
void nfj_hits_zero(struct net *net)
{
	struct nftables_pernet *nft_net = nfj_nft_pernet(net);
	const struct nft_table *table;
	const struct nft_chain *chain;

	mutex_lock(&nft_net->commit_mutex);
	list_for_each_entry(table, &nft_net->tables, list) {
		list_for_each_entry(chain, &table->chains, list) {
			const struct nfj_state *st =
				nfj_blob_state(nfj_blob_now(net, chain));
			const struct nfj_chain *nc = nfj_chain_find(chain);

			nfj_hits_base(st ? st->hits : NULL);
			nfj_hits_base(nc ? nc->hits : NULL);
		}
	}
	mutex_unlock(&nft_net->commit_mutex);
}

/**
 * nfj_hits_end - a netns goes
 * @nn: our part of it
 */
void nfj_hits_end(struct nfj_net *nn)
{
	if (nn->hits)
		static_branch_dec(&nfj_hits_key);
}
