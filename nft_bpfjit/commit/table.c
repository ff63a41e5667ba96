// SPDX-License-Identifier: GPL-2.0-only
/*
 * What ties the chains of a table together.
 *
 * Registers and nftrace (NFJ_TAINT_*): as long as one of the chains is tainted the
 * whole table is interpreted.
 *
 * Jumps: a chain that is jumped to and jumps on can be entered only by the engine
 * (see engine.c).  As long as none of these is worth it, chains that do little but
 * jump are left to the interpreter, which enters the others by itself.  A program that
 * jumps pays less for a small chain with a program than for one without; but a program
 * takes a page or more, and who loads it some 100,000 instructions, so that where there
 * are hundreds of small chains, as Kubernetes has them, these stay plain.
 *
 * Whatever a transaction changes in a table, its chains may come to stand
 * differently: a chain that is deleted takes its taint along.  So each table that
 * chains or rules come to, or go from, is looked at once, as it will be:
 *
 *	1. what the rules of each chain amount to; only rules that are new are
 *	   read, and of chains that are translated the rest is known
 *	2. what that makes of all chains together
 *	3. what becomes of each: nothing new, a program, or plain rules
 *
 * Where nothing can be translated nothing is read: then the table's chains are not
 * known, may be anything, and are all interpreted, until a commit reads them.
 */
#include <linux/slab.h>
#include "commit.h"

/* Up to so many small chains of a table get a program each */
#define NFJ_SMALL_MAX	64

/**
 * struct nfj_view - what a table is like in the next generation
 * @taint: of its chains (NFJ_TAINT_*)
 * @small: chains that are jumped to, and are not worth a program by themselves
 * @deep: a chain that is jumped to and jumps on is worth it, indexed by @near
 * @jumps: a chain that jumps is worth it
 * @near: so are small ones that are jumped to
 * @unknown: the rules of some chain are not known
 */
struct nfj_view {
	u32		taint;
	unsigned int	small;
	bool		deep[2];
	bool		jumps;
	bool		near;
	bool		unknown;
};

/* Is there any use in it?  NFJ_WHY_BPF if so. */
static u8 nfj_table_blocked(const struct net *net)
{
	if (!READ_ONCE(*nfj_sym.jit_enable))
		return NFJ_WHY_NOJIT;
	if (nfj_may_load())
		return NFJ_WHY_BPF;
	/* 1 asks for the constants of such a task to be blinded.  The kernel goes
	 * by who loads, which is a worker that may do anything.
	 */
	if (!nfj_net_granted(net) || READ_ONCE(*nfj_sym.jit_harden) == 1)
		return NFJ_WHY_NOCAP;
	return NFJ_WHY_BPF;
}

/* May a chain that failed be translated now? */
static bool nfj_again(const struct net *net, struct nfj_chain *nc)
{
	switch (nc->out.why) {
	case NFJ_WHY_LIMIT:
		return nfj_budget_room(nfj_pernet(net)->budget) >=
		       nc->out.wanted;
	case NFJ_WHY_VERIFIER:
	case NFJ_WHY_CHECK:
	case NFJ_WHY_TOOBIG:
		/* the same rules would be refused again */
		if (!nc->change)
			return false;
		fallthrough;
	case NFJ_WHY_NOMEM:
	case NFJ_WHY_NOFILE:
		if (!nc->out.skip)
			return true;
		nc->out.skip--;
		return false;
	default:
		return true;
	}
}

/* What should become of a chain: NFJ_WHY_BPF, or why not */
static u8 nfj_chain_why(const struct nfj_chain *nc, const struct nfj_view *view)
{
	const struct nfj_stats *stats = &nc->stats;

	/* which chain could not be read is to be seen, not what came of it */
	if (!stats->known)
		return nc->out.why;
	if (view->taint & NFJ_TAINT_TRACE)
		return NFJ_WHY_TRACE;
	if (view->taint || view->unknown)
		return NFJ_WHY_UNINIT;
	if (!stats->rules)
		return NFJ_WHY_EMPTY;
	if (!nfj_small(nc, view->near) ||
	    (stats->jumps && view->deep[view->near]))
		return NFJ_WHY_BPF;
	return stats->partly && !stats->tests ? NFJ_WHY_UNSUPPORTED :
						NFJ_WHY_CHEAP;
}

/* It is left to the interpreter */
static void nfj_chain_plain(struct nfj_chain *nc, u8 why,
			    struct list_head *changes)
{
	if (!nc->change && nc->out.why == why && !nfj_published(nc->chain))
		return;
	nfj_change_add(nc->chain, changes);
	if (nc->out.why != why)
		nc->out = (struct nfj_outcome){ .why = why };
}

/* It is worth a program */
static void nfj_chain_translate(struct net *net, struct nfj_chain *nc,
				const struct nfj_view *view,
				struct list_head *changes)
{
	const struct nfj_state *st = nfj_blob_state(nfj_blob_now(net, nc->chain));
	struct nfj_stats stats = nc->stats;
	struct nfj_change *c;
	u8 why;
	int err;

	/* it has one, for these rules and those that are part of it */
	if (!nc->change && st && !nfj_inline_stale(st))
		return;
	if (!nfj_again(net, nc))
		return;
	c = nfj_change_add(nc->chain, changes);
	if (!nc->kept) {
		err = nfj_change_read(net, c);
		if (err) {
			/* what matters to others is still known */
			nc->stats = stats;
			nfj_failed(&nc->out, err);
			return;
		}
		/* some of its rules were gone */
		why = nfj_chain_why(nc, view);
		if (why != NFJ_WHY_BPF) {
			nfj_chain_plain(nc, why, changes);
			return;
		}
	}
	nfj_translate(net, c);
}

/* Nothing of a table can be translated */
static void nfj_table_block(struct net *net, struct nft_table *table,
			    struct list_head *changes, u8 why)
{
	struct nft_chain *chain;

	list_for_each_entry(chain, &table->chains, list) {
		struct nfj_chain *nc = nfj_chain_find(chain);

		if (!nc || !nft_is_active_next(net, chain))
			continue;
		if (nc->change)
			nc->stats.known = false;
		nfj_chain_plain(nc, why, changes);
	}
}

/* What is known of a chain is brought up to date, and added to what is of others */
static void nfj_table_look(struct net *net, struct nfj_chain *nc,
			   struct nfj_view *view, struct list_head *changes)
{
	struct nfj_change *c = nc->change;
	bool small[2];

	if (!nc->stats.known) {
		c = nfj_change_add(nc->chain, changes);
		if (nfj_again(net, nc))
			nfj_change_look(net, c);
	} else if (c) {
		nfj_change_look(net, c);
	}
	if (!nc->stats.known)
		view->unknown = true;
	view->taint |= nc->stats.taint;
	small[0] = nfj_small(nc, false);
	small[1] = nfj_small(nc, true);
	if (nc->stats.jumps && !small[1])
		view->jumps = true;
	if (nft_is_base_chain(nc->chain))
		return;
	view->small += small[0];
	view->deep[0] |= nc->stats.jumps && !small[0];
	view->deep[1] |= nc->stats.jumps && !small[1];
}

/**
 * nfj_table_settle - find out what becomes of the chains of a table
 * @net: the netns
 * @table: the table, of the next generation
 * @changes: its chains whose rules change; others are added
 *
 * Context: commit mutex; sleeps.
 */
void nfj_table_settle(struct net *net, struct nft_table *table,
		      struct list_head *changes)
{
	struct nfj_view view = { .deep = { nfj_all(), nfj_all() } };
	u8 why = nfj_table_blocked(net);
	struct nft_chain *chain;

	if (why != NFJ_WHY_BPF) {
		nfj_table_block(net, table, changes, why);
		return;
	}
	list_for_each_entry(chain, &table->chains, list) {
		struct nfj_chain *nc = nfj_chain_find(chain);

		if (nc && nft_is_active_next(net, chain))
			nfj_table_look(net, nc, &view, changes);
	}
	view.near = view.jumps && view.small <= NFJ_SMALL_MAX;
	list_for_each_entry(chain, &table->chains, list) {
		struct nfj_chain *nc = nfj_chain_find(chain);

		if (!nc || !nft_is_active_next(net, chain))
			continue;
		why = nfj_chain_why(nc, &view);
		if (why == NFJ_WHY_BPF)
			nfj_chain_translate(net, nc, &view, changes);
		else
			nfj_chain_plain(nc, why, changes);
	}
}
