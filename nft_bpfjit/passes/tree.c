// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decision trees: compares that halve the entries, leaves of a few in their order.
 *
 * Where to cut is cut.c's business, and which entries go into which tree cost.c's.
 * Leaves of large trees are data rather than code (pack.c), but for those that
 * are little code.
 *
 * Preserves: the first entry >= start that matches.  Of several trees each is
 * asked, and the lowest match is kept.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include "tree.h"

#define NFJ_LEAF_CODE	52U	/* instructions of a leaf that is not packed */
#define NFJ_LEAF_SPARE	40U	/* ... where packets get along with data */
#define NFJ_LEAF_COST	100	/* ... as they cost so little */
#define NFJ_NOLABEL	(NFJ_LABEL_EXIT - 1)
#define NFJ_LEAF_MANY	1024U	/* entries from which on there are fewer */

/**
 * struct nfj_tree - a tree that is being written
 * @c: the walk
 * @pack: leaves as data, or NULL
 * @code: ... but not those of so few instructions
 * @next: where to go when no entry matches
 */
struct nfj_tree {
	struct nfj_cut	*c;
	struct nfj_pack	*pack;
	u32		code;
	u32		next;
};

/* How many instructions would a leaf be, roughly? */
static u32 nfj_tree_insns(const struct nfj_emit *e, const u32 *entries, u32 n)
{
	const struct nfj_test *test, *end;
	u32 i, insns = 0;

	for (i = 0; i < n; i++, insns += 2) {
		end = nfj_entry_end(e, entries[i]);
		for (test = nfj_entry_tests(e, entries[i]); test < end;
		     test += test->n) {
			u8 d = nfj_test_dim(e, test);

			if (nfj_dim_known(e, test) == NFJ_TRUE)
				continue;
			insns += 1 + (test->lo != test->hi);
			if (d == NFJ_NODIM || !e->dim[d].reg)
				insns += 2;
			if (d == NFJ_NODIM || test->mask != e->dim[d].mask)
				insns += 2;
		}
	}
	return insns;
}

/* A leaf that is data, or NFJ_NOLABEL for one of code */
static u32 nfj_tree_packed(struct nfj_tree *t, const u32 *entries, u32 n)
{
	if (t->pack && nfj_tree_insns(t->c->e, entries, n) > t->code &&
	    nfj_pack_fits(t->pack, entries, n))
		return nfj_pack_leaf(t->pack, entries, n);
	return NFJ_NOLABEL;
}

static void nfj_tree_leaf(struct nfj_tree *t, const u32 *entries, u32 n)
{
	u32 label = nfj_tree_packed(t, entries, n), above;
	struct nfj_emit *e = t->c->e;

	if (label != NFJ_NOLABEL) {
		nfj_goto(e, label);
	} else {
		above = e->above;
		if (n > 1) {
			nfj_emit_beaten(e, entries[0], t->next);
			e->above = entries[0];
		}
		nfj_linear(e, entries, n, t->next);
		e->above = above;
	}
	if (t->pack)
		nfj_pack_place(t->pack, false);
}

/* One part of a cut, if it is a leaf that one can jump to: its label, or
 * NFJ_NOLABEL
 */
static u32 nfj_tree_part(struct nfj_tree *t, const u32 *entries, u32 n, u8 dim,
			 u64 lo, u64 hi)
{
	u32 label = NFJ_NOLABEL;

	if (!n)
		return t->next;
	if (n > t->c->leaf || !t->pack)
		return label;
	nfj_cut_know(t->c, dim, lo, hi);
	label = nfj_tree_packed(t, entries, nfj_cut_reach(t->c, entries, n));
	nfj_cut_undo(t->c, t->c->nundo - 1);
	return label;
}

static void nfj_tree_node(struct nfj_tree *t, const u32 *entries, u32 n,
			  u32 copies, u32 depth);

/* Go to the lower or the upper part, and write those that are no leaves */
static void nfj_tree_cut(struct nfj_tree *t, const struct nfj_step *s, u32 depth)
{
	const u32 *above = s->in + s->lower;
	struct nfj_cut *c = t->c;
	struct nfj_emit *e = c->e;
	const struct nfj_dim *dim = &e->dim[s->dim];
	u32 lower, upper, label;

	lower = nfj_tree_part(t, s->in, s->lower, s->dim, 0, s->at - 1);
	upper = nfj_tree_part(t, above, s->upper, s->dim, s->at, U64_MAX);
	label = upper == NFJ_NOLABEL ? nfj_label(e) : upper;
	if (lower != NFJ_NOLABEL && upper == NFJ_NOLABEL) {
		nfj_emit_lt(e, dim, s->at, lower);
	} else {
		nfj_emit_ge(e, dim, s->at, label);
		if (lower != NFJ_NOLABEL) {
			nfj_goto(e, lower);
			nfj_pack_place(t->pack, false);
		} else {
			nfj_cut_know(c, s->dim, 0, s->at - 1);
			nfj_tree_node(t, s->in, s->lower, s->copies, depth + 1);
			nfj_cut_undo(c, c->nundo - 1);
		}
		if (upper == NFJ_NOLABEL)
			nfj_bind(e, label);
	}
	if (upper == NFJ_NOLABEL) {
		nfj_cut_know(c, s->dim, s->at, U64_MAX);
		nfj_tree_node(t, above, s->upper, s->copies_upper, depth + 1);
		nfj_cut_undo(c, c->nundo - 1);
	}
}

/* The packets that come here may match any of the entries; @copies of them may be
 * made.
 */
static void nfj_tree_node(struct nfj_tree *t, const u32 *entries, u32 n,
			  u32 copies, u32 depth)
{
	struct nfj_cut *c = t->c;
	struct nfj_emit *e = c->e;
	const u32 mark = c->nundo;
	struct nfj_step s;
	u32 label;

	if (e->err)
		return;
	for (;;) {
		nfj_cut_step(c, entries, n, copies, depth, &s);
		n = s.n;
		if (s.kind != NFJ_STEP_COMMON)
			break;
		nfj_emit_test(e, s.test, t->next);
		nfj_cut_test(c, s.test);
	}
	switch (s.kind) {
	case NFJ_STEP_MOST:
		label = nfj_label(e);
		nfj_emit_test(e, s.test, label);
		nfj_cut_test(c, s.test);
		nfj_tree_node(t, entries, n, s.copies, depth + 1);
		nfj_cut_undo(c, c->nundo - 1);
		nfj_bind(e, label);
		nfj_tree_node(t, s.in, s.lower, s.copies_upper, depth + 1);
		break;
	case NFJ_STEP_CUT:
		nfj_tree_cut(t, &s, depth);
		break;
	default:
		nfj_tree_leaf(t, entries, n);
	}
	nfj_cut_undo(c, mark);
	kvfree(s.in);
}

/* A tree: its nodes, then what its leaves have in common; packed are leaves of more
 * than @code instructions.
 */
static void nfj_tree_emit(struct nfj_cut *c, const u32 *entries, u32 n, u32 code,
			  u32 next)
{
	struct nfj_tree t = { .c = c, .next = next };

	t.pack = nfj_pack_begin(c->e, entries, n);
	nfj_cut_begin(c, t.pack);
	t.code = max(min(code * NFJ_LEAF_MANY / (n + 1), code),
		     NFJ_LEAF_CODE / 2);
	if (t.pack)
		nfj_pack_zero(c->e);
	nfj_tree_node(&t, entries, n, nfj_cut_copies(n), 0);
	if (t.pack)
		nfj_pack_finish(t.pack, next);
	nfj_pack_free(t.pack);
}

/**
 * nfj_forest_emit - emit trees
 * @c: for the walk
 * @f: the trees
 * @next: where to go when none matches
 */
void nfj_forest_emit(struct nfj_cut *c, const struct nfj_forest *f, u32 next)
{
	struct nfj_emit *e = c->e;
	u32 i, from, n, skip, code;

	if (!(e->opts & NFJ_OPT_SEARCH) || f->end[0] <= NFJ_LEAF_MAX) {
		nfj_linear(e, f->list, f->end[0], next);
		return;
	}
	code = f->cost < NFJ_LEAF_COST ? NFJ_LEAF_SPARE : NFJ_LEAF_CODE;
	for (i = 0, from = 0; i < f->n; from = f->end[i++]) {
		n = f->end[i] - from;
		if (f->n == 1) {
			nfj_tree_emit(c, f->list, n, code, next);
			return;
		}
		skip = i + 1 < f->n ? nfj_label(e) : NFJ_LABEL_EXIT;
		/* not if what is found is before all of these */
		if (i)
			nfj_emit_better(e, f->list[from], skip);
		e->found = skip;
		nfj_tree_emit(c, f->list + from, n, code,
			      i + 1 < f->n ? skip : next);
		if (i + 1 < f->n) {
			nfj_bind(e, skip);
			/* see nfj_search() */
			e->loaded = 0;
		}
		e->best = true;
	}
	e->found = NFJ_LABEL_EXIT;
	e->above = NFJ_NONE;
}
