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
 * What becomes of each chain is for its table to say (table.c).
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "commit.h"

/**
 * nfj_change_add - put a chain on the list of changes, once
 * @chain: the chain
 * @changes: the list
 *
 * Context: commit mutex; sleeps.
 *
 * Return: the change.
 */
struct nfj_change *nfj_change_add(struct nft_chain *chain, struct list_head *changes)
{
	struct nfj_chain *nc = nfj_chain_get(chain);
	struct nfj_change *c = nc->change;

	if (c)
		return c;
	c = kzalloc(sizeof(*c), GFP_KERNEL | __GFP_NOFAIL);
	c->chain = chain;
	c->nc = nc;
	c->stats = nc->stats;
	c->out = nc->out;
	nc->change = c;
	list_add_tail(&c->list, changes);
	return c;
}

/**
 * nfj_changes_build - make the blobs of chains that change
 * @net: the netns
 * @changes: the chains, all of them settled
 *
 * Context: commit mutex; sleeps.
 */
void nfj_changes_build(struct net *net, struct list_head *changes)
{
	struct nfj_change *c;

	list_for_each_entry(c, changes, list) {
		gfp_t gfp = GFP_KERNEL;

		c->nc->change = NULL;
		/* a plain blob is ours to make only where rules stay as they
		 * are but the program must go
		 */
		if (!c->st) {
			nfj_change_forget(c);
			if (!nfj_published(c->chain))
				continue;
			gfp |= __GFP_NOFAIL;
		}
		c->blob = nfj_blob_build(net, c->chain, c->st, gfp);
		if (c->blob)
			continue;
		nfj_state_free(c->st);
		c->st = NULL;
		nfj_change_forget(c);
		nfj_failed(&c->nc->out, -ENOMEM);
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

/* A table that chains or rules come to, or go from */
struct nfj_dirty {
	struct list_head	list;
	struct nft_table	*table;
};

static void nfj_dirty_add(struct list_head *dirty, struct nft_table *table)
{
	struct nfj_dirty *d;

	/* mostly it is the last one */
	list_for_each_entry_reverse(d, dirty, list)
		if (d->table == table)
			return;
	d = kzalloc(sizeof(*d), GFP_KERNEL | __GFP_NOFAIL);
	d->table = table;
	list_add_tail(&d->list, dirty);
}

static void nfj_commit_look(struct net *net, struct list_head *dirty,
			    struct list_head *changes)
{
	struct nft_trans *trans;

	list_for_each_entry(trans, &nfj_nft_pernet(net)->commit_list, list) {
		struct nft_chain *chain;

		switch (trans->msg_type) {
		case NFT_MSG_NEWRULE:
		case NFT_MSG_DELRULE:
			chain = nft_trans_rule_chain(trans);
			if (!chain->blob_next && nft_is_active_next(net, chain))
				nfj_change_add(chain, changes);
			fallthrough;
		case NFT_MSG_NEWCHAIN:
		case NFT_MSG_DELCHAIN:
			nfj_dirty_add(dirty, nfj_trans_table(trans));
			break;
		}
	}
}

/**
 * nfj_commit_prepare - set blob_next for all chains of a transaction
 * @net: the netns
 * @changes: filled in, for nfj_commit_cancel() or nfj_commit_finish()
 *
 * Shadows of sets come first: those that chains make are of the next generation.
 *
 * Context: commit mutex; sleeps.
 */
void nfj_commit_prepare(struct net *net, struct nfj_changes *changes)
{
	struct nfj_net *nn = nfj_pernet(net);
	struct nfj_dirty *d, *next;
	struct nfj_change *c;
	LIST_HEAD(dirty);

	WRITE_ONCE(nn->commits, nn->commits + 1);
	nfj_sets_prepare(net, &changes->sets);
	if (!nn->enable)
		goto out;
	nfj_commit_look(net, &dirty, &changes->chains);
	list_for_each_entry_safe(d, next, &dirty, list) {
		if (nft_is_active_next(net, d->table))
			nfj_table_settle(net, d->table, &changes->chains);
		kfree(d);
	}
	nfj_changes_build(net, &changes->chains);
	list_for_each_entry(c, &changes->chains, list) {
		if (!c->blob)
			continue;
		c->chain->blob_next = c->blob;
		if (!c->st)
			continue;
		list_add_tail(&c->st->list, &c->nc->states);
		c->edited = c->st->edits;
	}
out:
	nfj_shadows_prepared(&nn->shadows);
}

/**
 * nfj_commit_cancel - the commit failed: take everything back
 * @net: the netns
 * @changes: what nfj_commit_prepare() filled in
 *
 * Context: commit mutex, still held after a failure.
 */
void nfj_commit_cancel(struct net *net, struct nfj_changes *changes)
{
	struct nfj_change *c;

	list_for_each_entry(c, &changes->chains, list) {
		c->nc->stats = c->stats;
		c->nc->out = c->out;
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
	nfj_changes_free(&changes->chains);
	nfj_shadows_cancel(net, &changes->sets);
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
void nfj_commit_finish(struct net *net, struct nfj_changes *changes)
{
	struct nfj_net *nn = nfj_pernet(net);
	const struct nfj_change *c;

	nfj_shadows_finish(&changes->sets);
	if (nn->enable)
		nfj_unify_queue(nn);
	list_for_each_entry(c, &changes->chains, list)
		if (nn->enable && c->edited) {
			nfj_rebuild_queue(nn);
			break;
		}
	nfj_changes_free(&changes->chains);
}
