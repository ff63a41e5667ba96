// SPDX-License-Identifier: GPL-2.0-only
/*
 * A base chain with the chains that it leads to, as one.
 *
 * A jump leaves the program, takes another chain and comes back: in rulesets that
 * programs make (a chain for each zone, service or tenant, most of them short and
 * many of them empty) that is most of what a packet pays for.  So the entries of
 * short callees are put in the place of the jumps to them, behind the jump's own
 * tests:
 *
 *	chain c { tcp dport 80 counter accept; return }
 *	chain base { iif eth0 jump c; drop }
 *
 *	0 iif eth0, tcp dport 80	-> counter, accept
 *	1 iif eth0			-> go on with 2		(return)
 *	2				-> drop
 *
 * A jump with a residue stays as an entry that does it and goes on with the first
 * entry of its callee.  Each copy of a callee is a level; entries know theirs.
 *
 * The jump's tests are made again for each entry of the callee.  That is the same as
 * long as nothing in between changes what they read: where an expression of the
 * callee, or of any chain that it leads to, might, the jump stays a jump.  It also
 * does where its residue may break off (a lookup, a limit), where the callee is
 * large, and where there would be too many entries.
 *
 * What has come from other chains is as good as their rules are the same: a state
 * names them (nfj_state::deps), and a commit that changes one of them makes the
 * state anew (nfj_whole_depends()).  So its actions can point to the expressions in
 * the rules themselves, which live until the commit that takes them out has
 * waited for all packets.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "commit.h"
#include "whole.h"

#define NFJ_WHOLE_CALLEE	64	/* entries of a chain that is copied */
#define NFJ_WHOLE_ADDED		512	/* entries that may be added */
#define NFJ_WHOLE_LEVELS	256
#define NFJ_WHOLE_DEPS		512
#define NFJ_WHOLE_VISITS	256	/* chains to look for changes in */

static void nfj_whole_init(struct nfj_whole *w)
{
	memset(w, 0, sizeof(*w));
	nfj_ir_init(&w->ir);
	nfj_ir_init(&w->ctx);
}

/**
 * nfj_whole_free - release what nfj_whole_make() has made
 * @w: the whole, or NULL
 */
void nfj_whole_free(struct nfj_whole *w)
{
	if (!w)
		return;
	nfj_ir_free(&w->ir);
	nfj_ir_free(&w->ctx);
	kvfree(w->origin);
	kvfree(w->levels);
	kvfree(w->deps);
	kfree(w);
}

/* Is a chunk, or a wide test, or a set among the tests of an entry already? */
static bool nfj_whole_has(const struct nfj_ir *ir, const struct nfj_entry *entry,
			  const struct nfj_ir *from, const struct nfj_test *t)
{
	u32 i, j;

	for (i = 0; i + t->n <= entry->ntests; i += ir->tests[entry->first + i].n) {
		const struct nfj_test *have = &ir->tests[entry->first + i];

		for (j = 0; j < t->n; j++) {
			const struct nfj_test *a = &have[j], *b = &t[j];

			if (a->kind != b->kind || a->n != b->n ||
			    a->size != b->size || a->order != b->order ||
			    a->off != b->off || a->mask != b->mask ||
			    a->hi != b->hi)
				break;
			if (b->kind == NFJ_SET_IN || b->kind == NFJ_SET_OUT) {
				if (memcmp(&ir->ivals[a->lo], &from->ivals[b->lo],
					   a->hi * sizeof(*ir->ivals)))
					break;
			} else if (a->lo != b->lo) {
				break;
			}
		}
		if (j == t->n)
			return true;
	}
	return false;
}

/* Add the tests of an entry of another chain to the last one.  -ERANGE when it can't
 * match any more.
 */
static int nfj_whole_tests(struct nfj_ir *ir, const struct nfj_ir *from,
			   const struct nfj_entry *entry)
{
	u32 i, j, n;
	int err;

	for (i = 0; i < entry->ntests; i += n) {
		/* @from may be @ir, whose arrays move when they grow */
		const struct nfj_test t = from->tests[entry->first + i];
		struct nfj_entry *to = &ir->entries[ir->nentries - 1];
		struct nfj_test set;

		n = max_t(u32, t.n, 1);
		if (nfj_whole_has(ir, to, from, &from->tests[entry->first + i]))
			continue;
		if (t.kind == NFJ_SET_IN || t.kind == NFJ_SET_OUT) {
			set = t;
			set.lo = ir->nivals;
			for (j = 0; j < t.hi; j++) {
				const struct nfj_ival *ival = &from->ivals[t.lo + j];

				err = nfj_ir_add_ival(ir, ival->lo, ival->hi);
				if (err)
					return err;
			}
			err = nfj_ir_add_test(ir, to, &set);
			if (err)
				return err;
			continue;
		}
		for (j = 0; j < n; j++) {
			err = nfj_ir_add_test(ir, to,
					      &from->tests[entry->first + i + j]);
			if (err)
				return err;
		}
	}
	return 0;
}

static void nfj_whole_pop(struct nfj_ir *ir)
{
	ir->ntests = ir->entries[--ir->nentries].first;
}

/* NFJ_GROUP_* that an entry's tests read */
static u32 nfj_whole_reads(const struct nfj_ir *ir, const struct nfj_entry *entry)
{
	u32 i, groups = 0;

	for (i = 0; i < entry->ntests; i++) {
		const struct nfj_test *t = &ir->tests[entry->first + i];

		groups |= nfj_key_groups(t->off, t->size, t->mask);
	}
	return groups;
}

/* The chain's state depends on the rules of another one */
static int nfj_whole_dep(struct nfj_whole *w, const struct nft_chain *chain)
{
	u32 i;

	for (i = 0; i < w->ndeps; i++)
		if (w->deps[i] == chain)
			return 0;
	if (w->ndeps == NFJ_WHOLE_DEPS)
		return -E2BIG;
	w->deps[w->ndeps++] = chain;
	return 0;
}

/* The rules of the next generation, or NULL where what was kept is not of them */
static struct nft_rule **nfj_whole_rules(const struct net *net,
					 const struct nft_chain *chain,
					 const struct nfj_kept *kept)
{
	struct nft_rule **rules, *rule;
	u32 n = 0;

	rules = kvmalloc_array(kept->nrules + 1, sizeof(*rules), GFP_KERNEL);
	if (!rules)
		return NULL;
	list_for_each_entry(rule, &chain->rules, list) {
		if (!nft_is_active_next(net, rule))
			continue;
		if (n == kept->nrules || kept->rule[n].rule != rule ||
		    kept->rule[n].handle != rule->handle)
			goto out_free;
		rules[n++] = rule;
	}
	if (n == kept->nrules)
		return rules;
out_free:
	kvfree(rules);
	return NULL;
}

/* Where an entry leads to: what only its expression knows */
static const struct nft_chain *nfj_whole_target(const struct nfj_entry *entry,
						const struct nft_rule *rule)
{
	const struct nft_expr *expr = (const void *)rule->data;
	struct nft_regs regs;
	u32 n;

	if (entry->target)
		return entry->target;
	for (n = 0; n < entry->end; n++)
		expr = (const void *)expr + expr->ops->size;
	regs.verdict.code = NFT_CONTINUE;
	expr->ops->eval(expr, &regs, NULL);
	return regs.verdict.chain;
}

/* What a chain, and those that it leads to, may change of the key */
static u32 nfj_whole_changes(struct nfj_whole *w, const struct nft_chain *chain,
			     unsigned int depth)
{
	const struct nfj_chain *nc = nfj_chain_find(chain);
	struct nft_rule **rules;
	u32 i, changes = 0;

	if (depth > NFT_JUMP_STACK_SIZE || ++w->visits > NFJ_WHOLE_VISITS ||
	    nfj_whole_dep(w, chain))
		return NFJ_GROUPS_ALL;
	if (!nc || !nc->kept)
		return list_empty(&chain->rules) ? 0 : NFJ_GROUPS_ALL;
	rules = nfj_whole_rules(w->net, chain, nc->kept);
	if (!rules)
		return NFJ_GROUPS_ALL;
	for (i = 0; i < nc->kept->ir.nentries &&
	     changes != NFJ_GROUPS_ALL; i++) {
		const struct nfj_entry *e = &nc->kept->ir.entries[i];

		if (e->flags & NFJ_ENTRY_DEAD)
			continue;
		changes |= e->changes;
		if (e->verdict == NFT_JUMP || e->verdict == NFT_GOTO)
			changes |= nfj_whole_changes(w,
					nfj_whole_target(e, rules[e->rule]),
					depth + 1);
		else if (e->flags & NFJ_ENTRY_JUMPS)
			/* by a map: to any chain */
			changes = NFJ_GROUPS_ALL;
	}
	kvfree(rules);
	return changes;
}

/* Where the interpreter would go on behind the last entry */
static void nfj_whole_back(struct nfj_whole *w, u32 level, u32 rule)
{
	struct nfj_origin *origin = &w->origin[w->ir.nentries - 1];

	origin->back_level = level;
	origin->back = rule;
}

/* Append an entry that has the tests in force, and those of @entry if there is one.
 * 0: done, 1: it can't match.
 */
static int nfj_whole_entry(struct nfj_whole *w, u32 level, const struct nfj_ir *ir,
			   const struct nfj_entry *entry, struct nft_rule *rule)
{
	struct nfj_entry *to;
	u32 at = w->ir.nentries, i;
	int err = 0;

	if (at == w->max)
		return -E2BIG;
	to = nfj_ir_add_entry(&w->ir);
	if (!to)
		return -ENOMEM;
	if (w->ctx.nentries)
		err = nfj_whole_tests(&w->ir, &w->ctx,
				      &w->ctx.entries[w->ctx.nentries - 1]);
	if (!err && entry)
		err = nfj_whole_tests(&w->ir, ir, entry);
	if (err) {
		nfj_whole_pop(&w->ir);
		return err == -ERANGE ? 1 : err;
	}
	to = &w->ir.entries[at];
	w->origin[at] = (struct nfj_origin){ .rule = rule, .level = level };
	if (!entry)
		return 0;
	nfj_whole_back(w, level, entry->rule + 1);
	to->nexpr = entry->nexpr;
	to->cut = entry->cut;
	to->stop = entry->stop;
	to->end = entry->end;
	to->flags = entry->flags;
	to->changes = entry->changes;
	to->verdict = entry->verdict;
	to->target = entry->target;
	to->fill = w->ir.nfills;
	to->nfills = entry->nfills;
	for (i = 0; i < entry->nfills; i++) {
		err = nfj_ir_add_fill(&w->ir, &ir->fills[entry->fill + i]);
		if (err)
			return err;
	}
	return 0;
}

/* Can another entry of the same rule match as well? */
static int nfj_whole_meets(struct nfj_whole *w, const struct nfj_ir *ir, u32 i)
{
	u32 j;
	int err;

	for (j = i + 1; j < ir->entries[i].next && j < ir->nentries; j++) {
		if (ir->entries[j].flags & NFJ_ENTRY_DEAD)
			continue;
		if (!nfj_ir_add_entry(&w->ctx))
			return -ENOMEM;
		err = nfj_whole_tests(&w->ctx, ir, &ir->entries[i]);
		if (!err)
			err = nfj_whole_tests(&w->ctx, ir, &ir->entries[j]);
		nfj_whole_pop(&w->ctx);
		if (!err)
			return 1;
		if (err != -ERANGE)
			return err;
	}
	return 0;
}

static int nfj_whole_chain(struct nfj_whole *w, const struct nft_chain *chain,
			   const struct nfj_kept *kept, u32 level);

/* Is there more for a packet to come to in a chain, once it was at entry @i? */
static bool nfj_whole_more(const struct nfj_ir *ir, u32 i)
{
	while (++i < ir->nentries)
		if (!(ir->entries[i].flags & NFJ_ENTRY_DEAD))
			return true;
	return false;
}

/* Put a callee in the place of the jump.  0: done, 1: it stays a jump. */
static int nfj_whole_jump(struct nfj_whole *w, u32 level,
			  const struct nfj_ir *ir, u32 i, struct nft_rule *rule)
{
	const struct nfj_entry *entry = &ir->entries[i];
	bool jump = entry->verdict == NFT_JUMP;
	const struct nft_chain *to;
	const struct nfj_chain *nc;
	int err, meets = 0;
	u32 reads, new;

	if (entry->cut < entry->end && !(entry->flags & NFJ_ENTRY_SURE))
		return 1;
	to = nfj_whole_target(entry, rule);
	nc = nfj_chain_find(to);
	/* a chain that has never had a rule is not known */
	if ((!nc && !list_empty(&to->rules)) || (nc && !nc->kept &&
						 !list_empty(&to->rules)))
		return 1;
	if (nc && nc->kept && (nc->kept->ir.nentries > NFJ_WHOLE_CALLEE ||
			       nc->kept->ir.taint ||
			       w->ir.nentries + nc->kept->ir.nentries + 2 > w->max))
		return 1;
	if (w->nlevels == NFJ_WHOLE_LEVELS ||
	    w->ctx.nentries >= NFT_JUMP_STACK_SIZE)
		return 1;

	/* the tests in force from here on */
	if (!nfj_ir_add_entry(&w->ctx))
		return -ENOMEM;
	err = 0;
	if (w->ctx.nentries > 1) {
		const struct nfj_entry *ctx = &w->ctx.entries[w->ctx.nentries - 2];

		err = nfj_whole_tests(&w->ctx, &w->ctx, ctx);
	}
	if (!err)
		err = nfj_whole_tests(&w->ctx, ir, entry);
	if (err == -ERANGE) {
		/* no packet comes here */
		nfj_whole_pop(&w->ctx);
		return 0;
	}
	if (err)
		return err;
	reads = nfj_whole_reads(&w->ctx, &w->ctx.entries[w->ctx.nentries - 1]);
	if (reads && (reads & entry->changes ||
		      reads & nfj_whole_changes(w, to, 0))) {
		nfj_whole_pop(&w->ctx);
		return 1;
	}
	err = nfj_whole_dep(w, to);
	if (err)
		return err;
	if (jump) {
		meets = nfj_whole_meets(w, ir, i);
		if (meets < 0)
			return meets;
	}

	if (entry->cut < entry->end) {
		err = nfj_whole_entry(w, level, ir, entry, rule);
		if (err)
			return err;
		w->ir.entries[w->ir.nentries - 1].verdict = NFT_CONTINUE;
		w->ir.entries[w->ir.nentries - 1].target = NULL;
		w->ir.entries[w->ir.nentries - 1].flags &= ~(NFJ_ENTRY_JUMPS |
							     NFJ_ENTRY_TERMINAL);
		w->origin[w->ir.nentries - 1].placed = true;
		nfj_whole_back(w, w->nlevels, 0);
	}
	new = w->nlevels++;
	w->levels[new] = (struct nfj_level){
		.chain	= to,
		.parent	= level,
		.rule	= jump ? entry->rule + 1 : NFJ_LEVEL_END,
	};
	if (nc && nc->kept) {
		w->ir.cost += nc->kept->ir.cost;
		w->ir.residue |= nc->kept->ir.residue;
		err = nfj_whole_chain(w, to, nc->kept, new);
		if (err)
			return err;
	}
	/* behind it, where what follows is not for whom the jump was */
	if ((jump && meets) || (!jump && nfj_whole_more(ir, i))) {
		err = nfj_whole_entry(w, level, NULL, NULL, rule);
		if (err < 0)
			return err;
		if (!err) {
			struct nfj_entry *skip = &w->ir.entries[w->ir.nentries - 1];

			nfj_whole_back(w, level,
				       jump ? entry->rule + 1 : NFJ_LEVEL_END);
			skip->flags = NFJ_ENTRY_WHOLE;
			skip->verdict = NFT_CONTINUE;
			skip->next = jump ? entry->next : ir->nentries;
			if (!jump && !level) {
				skip->verdict = NFT_RETURN;
				skip->flags |= NFJ_ENTRY_TERMINAL;
			}
		}
	}
	nfj_whole_pop(&w->ctx);
	return 0;
}

/* Append the entries of a chain */
static int nfj_whole_chain(struct nfj_whole *w, const struct nft_chain *chain,
			   const struct nfj_kept *kept, u32 level)
{
	const struct nfj_ir *ir = &kept->ir;
	u32 first = w->ir.nentries, i;
	struct nft_rule **rules;
	int err = -ENOMEM;
	u32 *map;

	/* where each entry has come to be */
	map = kvmalloc_array(ir->nentries + 1, sizeof(*map), GFP_KERNEL);
	rules = nfj_whole_rules(w->net, chain, kept);
	if (!map || !rules)
		goto out;
	for (i = 0; i < ir->nentries; i++) {
		const struct nfj_entry *entry = &ir->entries[i];
		struct nft_rule *rule = rules[entry->rule];

		map[i] = w->ir.nentries;
		if (entry->flags & NFJ_ENTRY_DEAD)
			continue;
		err = 1;
		if (entry->verdict == NFT_JUMP || entry->verdict == NFT_GOTO)
			err = nfj_whole_jump(w, level, ir, i, rule);
		if (err < 0)
			goto out;
		if (!err)
			continue;
		err = nfj_whole_entry(w, level, ir, entry, rule);
		if (err < 0)
			goto out;
		if (!err) {
			struct nfj_entry *new = &w->ir.entries[w->ir.nentries - 1];

			new->next = entry->next;
			/* back to where the level has come from */
			if (level && new->verdict == NFT_RETURN) {
				new->verdict = NFT_CONTINUE;
				new->flags &= ~NFJ_ENTRY_TERMINAL;
				new->next = ir->nentries;
				nfj_whole_back(w, level, NFJ_LEVEL_END);
			}
		}
	}
	map[ir->nentries] = w->ir.nentries;
	for (i = first; i < w->ir.nentries; i++)
		if (w->origin[i].level == level && !w->origin[i].placed)
			w->ir.entries[i].next = map[w->ir.entries[i].next];
	err = 0;
out:
	kvfree(rules);
	kvfree(map);
	return err;
}

/**
 * nfj_whole_make - put callees in the place of jumps
 * @net: the netns
 * @chain: a base chain
 * @kept: its rules; those of the chains that it leads to are in nfj_chain::kept
 *
 * Context: commit mutex; sleeps.
 *
 * Return: the chain as a whole, for nfj_whole_free(), or NULL where it is better left
 * as it is, or there is no memory.
 */
struct nfj_whole *nfj_whole_make(const struct net *net,
				 const struct nft_chain *chain,
				 const struct nfj_kept *kept)
{
	struct nfj_whole *w = kmalloc(sizeof(*w), GFP_KERNEL);

	if (!w)
		return NULL;
	nfj_whole_init(w);
	w->net = net;
	w->max = kept->ir.nentries + NFJ_WHOLE_ADDED;
	w->ir.family = kept->ir.family;
	w->ir.cost = kept->ir.cost;
	w->ir.residue = kept->ir.residue;
	w->origin = kvcalloc(w->max, sizeof(*w->origin), GFP_KERNEL);
	w->levels = kvcalloc(NFJ_WHOLE_LEVELS, sizeof(*w->levels), GFP_KERNEL);
	w->deps = kvcalloc(NFJ_WHOLE_DEPS, sizeof(*w->deps), GFP_KERNEL);
	if (!w->origin || !w->levels || !w->deps)
		goto out_free;
	w->levels[w->nlevels++] = (struct nfj_level){ .chain = chain };
	if (nfj_whole_chain(w, chain, kept, 0) || w->nlevels == 1)
		goto out_free;
	return w;

out_free:
	nfj_whole_free(w);
	return NULL;
}

/**
 * nfj_whole_depends - was a state made of rules that are about to change?
 * @st: the state
 *
 * Context: commit mutex; the chains that change are nfj_chain::busy.
 *
 * Return: true if so.
 */
bool nfj_whole_depends(const struct nfj_state *st)
{
	u32 i;

	for (i = 0; i < st->ndeps; i++) {
		const struct nfj_chain *nc = nfj_chain_find(st->deps[i]);

		if ((nc && nc->busy) || st->deps[i]->blob_next)
			return true;
	}
	return false;
}
