// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commit: which chains change, and what they become.
 *
 * prepare runs before nf_tables_commit(), under the commit mutex.  For each
 * chain whose rules change it sets nft_chain::blob_next, which nf_tables then
 * publishes with the generation and frees like its own.  A failed commit frees
 * only some of them: cancel does the rest.
 *
 * A commit never fails because of us: where memory is short or the verifier
 * refuses, the chain is left to the interpreter and nf_tables makes the blob.
 *
 * Registers and nftrace tie the chains of a table together (NFJ_TAINT_*): as
 * long as one of them is tainted the whole table is interpreted.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "commit.h"
#include "whole.h"

/**
 * nfj_change_add - put a chain on the list of changes, once
 * @chain: the chain
 * @changes: the list
 *
 * Context: commit mutex; sleeps.
 *
 * Return: the change, or NULL when the chain is on the list already.
 */
struct nfj_change *nfj_change_add(struct nft_chain *chain, struct list_head *changes)
{
	struct nfj_chain *nc = nfj_chain_get(chain);
	struct nfj_change *c;

	if (nc->busy)
		return NULL;
	c = kzalloc(sizeof(*c), GFP_KERNEL | __GFP_NOFAIL);
	c->chain = chain;
	c->nc = nc;
	c->saved = nc->fig;
	nc->busy = true;
	list_add_tail(&c->list, changes);
	return c;
}

static bool nfj_published(const struct net *net, const struct nft_chain *chain)
{
	struct nft_rule_blob *g0 = rcu_dereference_raw(chain->blob_gen_0);
	struct nft_rule_blob *g1 = rcu_dereference_raw(chain->blob_gen_1);

	return nfj_blob_state(g0) || nfj_blob_state(g1);
}

static u32 nfj_table_taint(struct net *net, const struct nft_table *table)
{
	const struct nft_chain *chain;
	u32 taint = 0;

	list_for_each_entry(chain, &table->chains, list) {
		const struct nfj_chain *nc;

		if (!nft_is_active_next(net, chain))
			continue;
		nc = nfj_chain_find(chain);
		if (nc)
			taint |= nc->fig.taint;
	}
	return taint;
}

static void nfj_change_drop(struct nfj_change *c, u8 why)
{
	if (c->st)
		nfj_state_free(c->st);
	c->st = NULL;
	/* which chain lacked memory is to be seen, not what came of it */
	if (c->nc->fig.why != NFJ_WHY_NOMEM)
		c->nc->fig.why = why;
}

/* A chain whose rules stay as they are is translated, for what others do */
static void nfj_change_again(struct net *net, struct nft_chain *chain,
			     struct list_head *changes, bool deep)
{
	struct nfj_change *c = nfj_change_add(chain, changes);

	if (!c)
		return;
	nfj_change_look(net, c);
	nfj_translate(net, c, deep);
}

/* Try again what failed only for a lack of memory */
static void nfj_table_retry(struct net *net, struct nft_table *table,
			    struct list_head *changes, bool deep)
{
	struct nft_chain *chain;

	list_for_each_entry(chain, &table->chains, list) {
		struct nfj_chain *nc = nfj_chain_find(chain);

		if (!nc || nc->busy || nc->fig.why != NFJ_WHY_NOMEM ||
		    !nft_is_active_next(net, chain))
			continue;
		nfj_change_again(net, chain, changes, deep);
	}
}

/* Bring small chains that jump in line with those that they may jump to */
static void nfj_table_jumps(struct net *net, struct nft_table *table,
			    struct list_head *changes, bool deep)
{
	struct nft_chain *chain;

	list_for_each_entry(chain, &table->chains, list) {
		struct nfj_chain *nc = nfj_chain_find(chain);

		if (!nc || nc->busy || !nft_is_active_next(net, chain) ||
		    !nc->fig.jumps || !nc->fig.small ||
		    nfj_published(net, chain) == deep)
			continue;
		if (!deep) {
			nfj_change_add(chain, changes);
			nc->fig.why = NFJ_WHY_CHEAP;
		} else if (nc->fig.why == NFJ_WHY_CHEAP) {
			nfj_change_again(net, chain, changes, deep);
		}
	}
}

/* Bring the other chains of a table in line with its taint, and its jumps */
static void nfj_table_settle(struct net *net, struct nft_table *table,
			     struct list_head *changes)
{
	bool deep = nfj_table_deep(net, table);
	struct nft_chain *chain;
	struct nfj_change *c;
	u32 taint;
	u8 why;

	nfj_table_retry(net, table, changes, deep);
	taint = nfj_table_taint(net, table);
	why = taint & NFJ_TAINT_TRACE ? NFJ_WHY_TRACE : NFJ_WHY_UNINIT;

	list_for_each_entry(chain, &table->chains, list) {
		struct nfj_chain *nc = nfj_chain_find(chain);

		if (!nc || nc->busy || !nft_is_active_next(net, chain))
			continue;
		if (taint ? !nfj_published(net, chain) :
			    nc->fig.why != NFJ_WHY_TRACE &&
			    nc->fig.why != NFJ_WHY_UNINIT)
			continue;
		if (taint)
			nfj_change_add(chain, changes);
		else
			nfj_change_again(net, chain, changes, deep);
	}
	if (!taint) {
		nfj_table_jumps(net, table, changes, deep);
		return;
	}
	list_for_each_entry(c, changes, list)
		if (c->chain->table == table)
			nfj_change_drop(c, why);
}

/* Chains that were made of the rules of one that changes are made anew.  The list
 * grows at its end, and what is added there leads to no more.
 */
static void nfj_changes_depend(struct net *net, struct list_head *changes)
{
	struct nft_table *table;
	struct nft_chain *chain;
	struct nfj_change *c;

	list_for_each_entry(table, &nfj_nft_pernet(net)->tables, list) {
		bool changed = false;

		list_for_each_entry(c, changes, list)
			changed |= c->chain->table == table;
		if (!changed)
			continue;
		list_for_each_entry(chain, &table->chains, list) {
			const struct nfj_state *st;

			if (!nft_is_base_chain(chain) ||
			    !nft_is_active_next(net, chain))
				continue;
			st = nfj_blob_state(nfj_blob_now(net, chain));
			if (!st || !nfj_whole_depends(st))
				continue;
			c = nfj_change_add(chain, changes);
			if (!c)
				continue;
			c->must = true;
			nfj_change_look(net, c);
		}
	}
}

/**
 * nfj_changes_translate - find out what the chains on a list become
 * @net: the netns
 * @changes: the chains; others of their tables may be added
 *
 * Context: commit mutex; sleeps.
 */
void nfj_changes_translate(struct net *net, struct list_head *changes)
{
	struct nft_table *table = NULL;
	struct nfj_change *c;
	bool deep = false;

	list_for_each_entry(c, changes, list)
		nfj_change_look(net, c);
	nfj_changes_depend(net, changes);
	list_for_each_entry(c, changes, list) {
		if (c->chain->table != table) {
			table = c->chain->table;
			deep = nfj_table_deep(net, table);
		}
		nfj_translate(net, c, deep);
	}

	list_for_each_entry(table, &nfj_nft_pernet(net)->tables, list) {
		list_for_each_entry(c, changes, list) {
			if (c->chain->table != table)
				continue;
			nfj_table_settle(net, table, changes);
			break;
		}
	}
	list_for_each_entry(c, changes, list) {
		gfp_t gfp = GFP_KERNEL;

		c->nc->busy = false;
		/* a plain blob is ours to make only where rules stay as they
		 * are but the program must go
		 */
		if (!c->st) {
			nfj_change_settle(c);
			if (!nfj_published(net, c->chain))
				continue;
			gfp |= __GFP_NOFAIL;
		}
		if (c->must)
			gfp |= __GFP_NOFAIL;
		c->blob = nfj_blob_build(net, c->chain, c->st, gfp);
		if (!c->blob)
			nfj_change_drop(c, NFJ_WHY_NOMEM);
		nfj_change_settle(c);
	}
}

/**
 * nfj_changes_free - forget a list of changes
 * @changes: the list; what it points to stays
 */
void nfj_changes_free(struct list_head *changes)
{
	struct nfj_change *c, *next;

	list_for_each_entry_safe(c, next, changes, list) {
		nfj_kept_free(c->was);
		kfree(c);
	}
	INIT_LIST_HEAD(changes);
}

/**
 * nfj_commit_prepare - set blob_next for all chains of a transaction
 * @net: the netns
 * @changes: filled in, for nfj_commit_cancel() or nfj_commit_finish()
 *
 * Context: commit mutex; sleeps.
 */
void nfj_commit_prepare(struct net *net, struct list_head *changes)
{
	struct nftables_pernet *nft_net = nfj_nft_pernet(net);
	struct nfj_net *nn = nfj_pernet(net);
	struct nft_trans *trans;
	struct nfj_change *c;

	WRITE_ONCE(nn->commits, nn->commits + 1);
	if (!nn->enable)
		return;
	list_for_each_entry(trans, &nft_net->commit_list, list) {
		struct nft_chain *chain;

		if (trans->msg_type != NFT_MSG_NEWRULE &&
		    trans->msg_type != NFT_MSG_DELRULE)
			continue;
		chain = nft_trans_rule_chain(trans);
		if (chain->blob_next || !nft_is_active_next(net, chain))
			continue;
		nfj_change_add(chain, changes);
	}
	nfj_changes_translate(net, changes);
	list_for_each_entry(c, changes, list) {
		if (!c->blob)
			continue;
		c->chain->blob_next = c->blob;
		if (!c->st)
			continue;
		list_add_tail(&c->st->list, &c->nc->states);
		c->edited = c->st->edits;
	}
}

/**
 * nfj_commit_cancel - the commit failed: take everything back
 * @net: the netns
 * @changes: what nfj_commit_prepare() filled in
 *
 * Context: commit mutex, still held after a failure.
 */
void nfj_commit_cancel(struct net *net, struct list_head *changes)
{
	struct nfj_change *c;

	list_for_each_entry(c, changes, list) {
		c->nc->fig = c->saved;
		nfj_change_unread(c);
		if (!c->blob)
			continue;
		/* NULL where nf_tables has freed it already */
		if (c->chain->blob_next == c->blob) {
			kvfree(c->blob);
			c->chain->blob_next = NULL;
		}
		if (c->st) {
			list_del(&c->st->list);
			nfj_state_free(c->st);
		}
	}
	nfj_changes_free(changes);
}

/**
 * nfj_commit_finish - the commit succeeded
 * @net: the netns
 * @changes: what nfj_commit_prepare() filled in
 *
 * Also tables and chains that changed may have got other hooks.
 *
 * Context: the commit mutex has been released, so chains may be gone already.
 */
void nfj_commit_finish(struct net *net, struct list_head *changes)
{
	struct nfj_net *nn = nfj_pernet(net);
	const struct nfj_change *c;

	if (nn->enable)
		queue_delayed_work(system_unbound_wq, &nn->unify, 1);
	list_for_each_entry(c, changes, list)
		if (nn->enable && c->edited) {
			nfj_rebuild_queue(nn);
			break;
		}
	nfj_changes_free(changes);
}
