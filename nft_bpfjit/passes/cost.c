// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a packet costs in the ways to search entries, in machine instructions, and
 * how entries are best laid out in trees.  Nothing is written here.
 *
 * A tree is walked by the steps that would write it.  From some depth on only one
 * way of each cut is followed, drawn as packets would take it if each entry had as
 * many.
 *
 * Entries that say nothing about the number that others are cut by are copied
 * over and over, or spoil the leaves.  Where that is dear there are several trees
 * instead, in each of which the entries say something about one number, and a
 * packet goes through all of them.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include "tree.h"

#define NFJ_GUESS_DEPTH	5	/* from here on one way is followed for all */
#define NFJ_FOREST_MIN	16	/* entries in each of several trees */

/* Machine instructions */
#define NFJ_COST_ROOT	12	/* of a tree: numbers are loaded */
#define NFJ_COST_NODE	3	/* of a compare */
#define NFJ_COST_LEAF	12	/* to reach the entries of a leaf and to leave it */
#define NFJ_COST_ENTRY	6	/* of an entry in a leaf */
#define NFJ_COST_TABLE	20	/* of a lookup in a hash table */
#define NFJ_COST_FIELD	8	/* ... for each part of the key */
#define NFJ_COST_HALF	6	/* of each halving of an interval table */

struct nfj_guess {
	struct nfj_cut	*c;
	u32		draw;
	u64		cost;		/* << 32 */
};

/* A number below @n, always the same ones */
static u32 nfj_guess_draw(struct nfj_guess *g, u32 n)
{
	g->draw = g->draw * 1664525 + 1013904223;
	return (u64)g->draw * n >> 32;
}

/* @weight is the part of all packets that come here, of 2^32 */
static void nfj_guess_node(struct nfj_guess *g, const u32 *entries, u32 n,
			   u32 copies, u32 depth, u32 weight)
{
	struct nfj_cut *c = g->c;
	const u32 mark = c->nundo;
	bool lower = true, upper = true;
	struct nfj_step s;
	u32 part;

	do {
		nfj_cut_step(c, entries, n, copies, depth, &s);
		n = s.n;
		if (s.kind == NFJ_STEP_LEAF) {
			g->cost += (u64)weight *
				   (NFJ_COST_LEAF + NFJ_COST_ENTRY * n);
			goto out;
		}
		g->cost += (u64)weight * NFJ_COST_NODE;
		if (s.kind == NFJ_STEP_COMMON)
			nfj_cut_test(c, s.test);
	} while (s.kind == NFJ_STEP_COMMON);

	if (s.kind == NFJ_STEP_MOST) {
		part = (u64)weight * n / (n + s.lower);
		nfj_guess_node(g, s.in, s.lower, s.copies_upper, depth + 1,
			       weight - part);
		nfj_cut_test(c, s.test);
		nfj_guess_node(g, entries, n, s.copies, depth + 1, part);
		goto out;
	}
	part = (u64)weight * s.lower / (s.lower + s.upper);
	if (depth >= NFJ_GUESS_DEPTH) {
		lower = nfj_guess_draw(g, s.lower + s.upper) < s.lower;
		upper = !lower;
		part = lower ? weight : 0;
	}
	if (lower && s.lower) {
		nfj_cut_know(c, s.dim, 0, s.at - 1);
		nfj_guess_node(g, s.in, s.lower, s.copies, depth + 1, part);
		nfj_cut_undo(c, c->nundo - 1);
	}
	if (upper && s.upper) {
		nfj_cut_know(c, s.dim, s.at, U64_MAX);
		nfj_guess_node(g, s.in + s.lower, s.upper, s.copies_upper,
			       depth + 1, weight - part);
		nfj_cut_undo(c, c->nundo - 1);
	}
out:
	nfj_cut_undo(c, mark);
	kvfree(s.in);
}

/* Of one tree with these entries */
static u32 nfj_cost_tree(struct nfj_cut *c, const u32 *entries, u32 n)
{
	struct nfj_guess g = { .c = c };

	nfj_cut_begin(c, c->e->pack && n >= NFJ_PACK_MIN);
	nfj_guess_node(&g, entries, n, nfj_cut_copies(n), 0, U32_MAX);
	return NFJ_COST_ROOT + (g.cost >> 32);
}

/**
 * nfj_cost_table - what a lookup in a hash table costs
 * @e: the program
 * @entry: one of its entries
 *
 * Return: instructions.
 */
u32 nfj_cost_table(const struct nfj_emit *e, u32 entry)
{
	const struct nfj_test *t, *end = nfj_entry_end(e, entry);
	u32 cost = NFJ_COST_TABLE;

	for (t = nfj_entry_tests(e, entry); t < end; t += t->n)
		cost += nfj_exact_field(t) && t->size > 1 ? NFJ_COST_FIELD :
							    NFJ_COST_NODE;
	return cost;
}

/**
 * nfj_cost_sorted - what a lookup in an interval table costs
 * @n: its entries
 *
 * Return: instructions.
 */
u32 nfj_cost_sorted(u32 n)
{
	u32 cost = NFJ_COST_TABLE;

	for (n *= 2; n > 1; n -= n / 2)
		cost += NFJ_COST_HALF;
	return cost;
}

/**
 * nfj_cost_least - what a tree costs at least
 * @n: its entries, of which no two are alike
 *
 * Return: instructions.
 */
u32 nfj_cost_least(u32 n)
{
	u32 cost = NFJ_COST_ROOT + NFJ_COST_LEAF + NFJ_COST_ENTRY;

	for (; n > NFJ_LEAF_MAX; n /= 2)
		cost += NFJ_COST_NODE;
	return cost;
}

/* Does an entry say much about a number? */
static bool nfj_forest_narrow(const struct nfj_emit *e, u32 entry, u8 d,
			      u64 limit)
{
	const struct nfj_test *test, *end = nfj_entry_end(e, entry);
	u64 lo, hi;

	for (test = nfj_entry_tests(e, entry); test < end; test += test->n)
		if (nfj_test_dim(e, test) == d &&
		    nfj_test_hull(e, test, &lo, &hi) && hi - lo <= limit)
			return true;
	return false;
}

/* How wide an interval of a number may be to tell entries apart: little compared
 * with how far most of them lie apart.
 */
static u64 nfj_forest_limit(struct nfj_cut *c, u8 d)
{
	struct nfj_ends *ends = &c->ends[d];
	u64 spread;

	if (ends->n < 4)
		return 0;
	nfj_sort_few(ends->lo, ends->n);
	spread = ends->lo[ends->n * 3 / 4] - ends->lo[ends->n / 4];
	return min(spread, c->e->dim[d].mask) >> 4;
}

/* Move the entries that are narrow in the number most of them are narrow in to
 * the front, both parts in order; how many.
 */
static u32 nfj_forest_part(struct nfj_cut *c, u32 *entries, u32 n, u32 *tmp)
{
	u32 i, count, most = 0, m = 0, k = 0;
	const struct nfj_emit *e = c->e;
	u64 limit, best_limit = 0;
	u8 d, best = 0;

	nfj_cut_sample(c, entries, n);
	for (d = 0; d < e->ndims; d++) {
		if (nfj_dim_guard(&e->dim[d]) || e->dim[d].mask <= U8_MAX)
			continue;
		limit = nfj_forest_limit(c, d);
		if (!limit)
			continue;
		count = 0;
		for (i = 0; i < n; i++)
			count += nfj_forest_narrow(e, entries[i], d, limit);
		if (count > most) {
			most = count;
			best = d;
			best_limit = limit;
		}
	}
	if (most < NFJ_FOREST_MIN || n - most < NFJ_FOREST_MIN)
		return n;
	for (i = 0; i < n; i++) {
		if (nfj_forest_narrow(e, entries[i], best, best_limit))
			entries[m++] = entries[i];
		else
			tmp[k++] = entries[i];
	}
	memcpy(entries + m, tmp, k * sizeof(*tmp));
	return m;
}

/**
 * nfj_forest_plan - lay out entries in one or several trees
 * @c: for the walk
 * @entries: numbers of the entries, ascending
 * @n: how many, at least one
 * @limit: a cost above which it is of no interest, which spares some work
 * @f: the trees, to be released with nfj_forest_free() in any case
 *
 * Return: 0 or -ENOMEM.
 */
int nfj_forest_plan(struct nfj_cut *c, const u32 *entries, u32 n, u32 limit,
		    struct nfj_forest *f)
{
	u32 k = 0, from, cost = 0, *tmp, end[NFJ_FOREST_MAX];
	struct nfj_emit *e = c->e;

	memset(f, 0, sizeof(*f));
	f->list = kvmalloc_array(3 * n, sizeof(*f->list), GFP_KERNEL);
	if (!f->list)
		return -ENOMEM;
	memcpy(f->list, entries, n * sizeof(*entries));
	f->end[0] = n;
	f->n = 1;
	if (!(e->opts & NFJ_OPT_SEARCH) || n <= NFJ_LEAF_MAX) {
		f->cost = NFJ_COST_ENTRY * n;
		return 0;
	}
	f->cost = nfj_cost_tree(c, entries, n);
	/* two trees cost as much */
	if (n < 2 * NFJ_FOREST_MIN || f->cost <= 2 * nfj_cost_least(n / 2))
		return e->err;
	limit = min(limit, f->cost);
	tmp = f->list + n;
	memcpy(tmp, entries, n * sizeof(*entries));
	for (from = 0; from < n && cost < limit && !e->err; from = end[k++]) {
		end[k] = n;
		if (k + 1 < NFJ_FOREST_MAX)
			end[k] = from + nfj_forest_part(c, tmp + from, n - from,
							tmp + n);
		cost += nfj_cost_tree(c, tmp + from, end[k] - from);
	}
	if (from < n || cost >= f->cost || k < 2)
		return e->err;
	memcpy(f->list, tmp, n * sizeof(*tmp));
	memcpy(f->end, end, k * sizeof(*end));
	f->n = k;
	f->cost = cost;
	return e->err;
}

/**
 * nfj_forest_free - release a plan
 * @f: the plan, or one that is all zero
 */
void nfj_forest_free(struct nfj_forest *f)
{
	kvfree(f->list);
	f->list = NULL;
}
