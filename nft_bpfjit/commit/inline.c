// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chains that a chain jumps to become part of its program (imr/inline.c says how), if
 * they are small: a packet finds what decides, or what has something to do, at once,
 * and a jump to an empty chain costs nothing.
 *
 *	table.c		chain in, which jumps to ssh, is to be translated
 *	nfj_flat_new()	asks for the IMR of ssh: what is kept of it, or read now
 *	state.c		where the entries' rules are: struct nfj_place
 *	blob.c		an entry of ssh has its expressions in ssh's own rule
 *
 * The rule lives as long as anybody finds it there: when ssh changes, what was made
 * of it is replaced in the same transaction (nfj_inline_stale()), and nf_tables
 * destroys rules when no packet uses the past generation any more.  ssh itself stays
 * what it is, for those who jump there from elsewhere.
 *
 * Who counts hits is not served: they are by the rules of one chain.
 */
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include "commit.h"

/* Chains with more rules are not looked at */
#define NFJ_INLINE_RULES	64

/* Not yet by default: what real rulesets gain by it has not been measured */
static unsigned int nfj_inline_max;
module_param_named(inline_max, nfj_inline_max, uint, 0644);
MODULE_PARM_DESC(inline_max, "entries that a chain may have with those of the chains it jumps to, 0: they stay apart");

/**
 * struct nfj_callee - a chain that is jumped to
 * @list: in nfj_flat::callees
 * @chain: the chain
 * @kept: its rules
 * @own: @kept was read for us alone
 */
struct nfj_callee {
	struct list_head	list;
	const struct nft_chain	*chain;
	struct nfj_kept		*kept;
	bool			own;
};

/* Of a chain without rules */
static struct nfj_kept nfj_no_rules;

static void nfj_callee_free(struct nfj_callee *callee)
{
	list_del(&callee->list);
	if (callee->own)
		nfj_kept_free(callee->kept);
	kfree(callee);
}

static bool nfj_callee_read(struct nfj_flat *flat, struct nfj_callee *callee,
			    const struct nfj_chain *nc)
{
	callee->kept = nc->kept;
	if (!nc->stats.rules)
		callee->kept = &nfj_no_rules;
	if (callee->kept)
		return true;
	callee->kept = nfj_kept_new(flat->net, nc->chain);
	callee->own = callee->kept;
	return callee->own;
}

/* What is known of a chain that is jumped to, NULL to leave it where it is */
static struct nfj_callee *nfj_callee_get(struct nfj_flat *flat,
					 const struct nft_chain *chain)
{
	struct nfj_callee *callee;
	struct nfj_chain *nc;

	list_for_each_entry(callee, &flat->callees, list)
		if (callee->chain == chain)
			return callee;
	nc = nfj_chain_find(chain);
	if (!nc || !nc->stats.known || nc->stats.taint ||
	    nc->stats.rules > NFJ_INLINE_RULES)
		return NULL;
	callee = kzalloc(sizeof(*callee), NFJ_GFP);
	if (!callee)
		return NULL;
	callee->chain = chain;
	if (!nfj_callee_read(flat, callee, nc)) {
		kfree(callee);
		return NULL;
	}
	list_add_tail(&callee->list, &flat->callees);
	flat->ncallees++;
	return callee;
}

/* The rules that some IMR was made of, and their chain */
static const struct nfj_kept *nfj_flat_kept(const struct nfj_flat *flat,
					    const struct nfj_ir *ir,
					    const struct nft_chain **chain)
{
	const struct nfj_callee *callee;

	list_for_each_entry(callee, &flat->callees, list) {
		if (&callee->kept->ir != ir)
			continue;
		*chain = callee->chain;
		return callee->kept;
	}
	*chain = flat->nc->chain;
	return flat->nc->kept;
}

/* Only the expression knows where a jump leads, unless it is a verdict map's */
static const struct nft_chain *nfj_entry_target(const struct nfj_kept *kept,
						const struct nfj_entry *entry)
{
	const struct nft_expr *expr, *last;
	u32 n = 0;

	if (entry->target)
		return entry->target;
	nft_rule_for_each_expr(expr, last, kept->rule[entry->rule].rule)
		if (n++ == entry->end)
			return nfj_expr_target(expr);
	return NULL;
}

static const struct nfj_ir *nfj_flat_callee(void *arg, const struct nfj_ir *ir,
					    u32 entry)
{
	const struct nft_chain *chain;
	struct nfj_flat *flat = arg;
	const struct nfj_kept *kept = nfj_flat_kept(flat, ir, &chain);
	struct nfj_callee *callee;

	chain = nfj_entry_target(kept, &ir->entries[entry]);
	callee = chain ? nfj_callee_get(flat, chain) : NULL;
	return callee ? &callee->kept->ir : NULL;
}

/**
 * nfj_inline_room - how large may a chain become?
 *
 * Return: entries, 0 where chains stay apart.
 */
u32 nfj_inline_room(void)
{
	return min(READ_ONCE(nfj_inline_max), READ_ONCE(nfj_edit_min_rules));
}

/**
 * nfj_flat_new - put the chains that a chain jumps to into it
 * @net: the netns
 * @nc: the chain, whose rules have been read
 *
 * Context: commit mutex; sleeps.
 *
 * Return: what it becomes, to be freed with nfj_flat_free(), or NULL where it stays
 * as it is: nothing is to be gained, or there is no memory.
 */
struct nfj_flat *nfj_flat_new(struct net *net, struct nfj_chain *nc)
{
	const struct nfj_ir *ir = &nc->kept->ir;
	u32 max = nfj_inline_room();
	struct nfj_flat *flat;

	if (!nc->stats.jumps || ir->nentries >= max || nfj_pernet(net)->hits)
		return NULL;
	flat = kzalloc(sizeof(*flat), GFP_KERNEL);
	if (!flat)
		return NULL;
	flat->net = net;
	flat->nc = nc;
	nfj_ir_init(&flat->ir);
	INIT_LIST_HEAD(&flat->callees);
	flat->origin = kvmalloc_array(max, sizeof(*flat->origin), GFP_KERNEL);
	if (!flat->origin)
		goto out_free;
	if (nfj_ir_inline(&flat->ir, ir, nfj_flat_callee, flat, flat->origin, max) <= 0)
		goto out_free;
	return flat;

out_free:
	nfj_flat_free(flat);
	return NULL;
}

/**
 * nfj_flat_free - free what nfj_flat_new() has made
 * @flat: what it was, or NULL
 */
void nfj_flat_free(struct nfj_flat *flat)
{
	struct nfj_callee *callee, *next;

	if (!flat)
		return;
	list_for_each_entry_safe(callee, next, &flat->callees, list)
		nfj_callee_free(callee);
	kvfree(flat->origin);
	nfj_ir_free(&flat->ir);
	kfree(flat);
}

/**
 * nfj_flat_places - note where the rules of a state's entries are
 * @flat: what the state is made of
 * @st: the state, with room for the handles of its entries; gets places, inlined and
 *	those handles
 *
 * Return: 0 or -ENOMEM.
 */
int nfj_flat_places(const struct nfj_flat *flat, struct nfj_state *st)
{
	const struct nfj_callee *callee;
	u32 i;

	st->inlined = kzalloc(struct_size(st->inlined, chain, flat->ncallees), NFJ_GFP);
	st->places = kvmalloc_array(st->nacts, sizeof(*st->places), NFJ_GFP);
	if (!st->inlined || !st->places)
		return -ENOMEM;
	list_for_each_entry(callee, &flat->callees, list)
		st->inlined->chain[st->inlined->n++] = callee->chain;
	for (i = 0; i < st->nacts; i++) {
		const struct nfj_origin *origin = &flat->origin[i];
		struct nfj_place *place = &st->places[i];
		const struct nfj_kept *kept;
		const struct nfj_kept_rule *r;

		kept = nfj_flat_kept(flat, origin->ir, &place->chain);
		r = &kept->rule[origin->ir->entries[origin->entry].rule];
		place->rule = r->rule;
		st->handles[i] = r->handle;
	}
	return 0;
}

/**
 * nfj_inline_stale - does a transaction change what a state is made of?
 * @st: the state of a chain that does not change itself
 *
 * Context: commit mutex, when all chains that change are known.
 *
 * Return: true if so.
 */
bool nfj_inline_stale(const struct nfj_state *st)
{
	u32 i;

	for (i = 0; st->inlined && i < st->inlined->n; i++) {
		const struct nfj_chain *nc = nfj_chain_find(st->inlined->chain[i]);

		if (!nc || nc->change)
			return true;
	}
	return false;
}
