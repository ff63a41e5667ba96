/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to the passes that search by a decision tree: what is done at a node
 * (cut.c), what a packet costs in a tree (cost.c), writing one (tree.c).
 *
 * cost.c and tree.c go by the same steps, so that what is estimated is what is
 * written.
 */
#ifndef _NFJ_TREE_H
#define _NFJ_TREE_H

#include "../emit/emit.h"

#define NFJ_LEAF_MAX	3	/* entries that are not worth a cut */
#define NFJ_SAMPLES	32	/* entries that tell where to cut */
#define NFJ_UNDO_MAX	256
#define NFJ_FOREST_MAX	5	/* trees instead of one */

struct nfj_undo {
	u8	dim;
	u64	lo;
	u64	hi;
};

/* Ends of the intervals of a number, as far as they are sampled */
struct nfj_ends {
	u32	n;
	u64	lo[NFJ_SAMPLES];
	u64	hi[NFJ_SAMPLES];
};

/**
 * struct nfj_cut - where a walk through a tree stands
 * @e: the program; what is known at this point is in its dimensions
 * @packed: leaves may be data
 * @leaf: entries that are not worth a cut
 * @nundo: how many of @undo are in use
 * @undo: what was known further up
 * @ends: of the sampled entries of the node at hand
 */
struct nfj_cut {
	struct nfj_emit	*e;
	bool		packed;
	u32		leaf;
	u32		nundo;
	struct nfj_undo	undo[NFJ_UNDO_MAX];
	struct nfj_ends	ends[NFJ_DIMS];
};

enum nfj_step_kind {
	NFJ_STEP_LEAF,		/* compare with the entries in order */
	NFJ_STEP_COMMON,	/* make a test that all entries share */
	NFJ_STEP_MOST,		/* ... that most of them share */
	NFJ_STEP_CUT,		/* is a number at least some value? */
};

/**
 * struct nfj_step - what is done at a node
 * @kind: enum nfj_step_kind
 * @n: entries of the node that count, behind them is one that always matches; 0 where
 *     none of them can match
 * @test: of NFJ_STEP_COMMON and _MOST
 * @dim: of NFJ_STEP_CUT: the number
 * @at: ... and the lowest value of the upper part
 * @in: entries of the lower part of a cut, ascending, behind which are those of
 *	the upper one; or those that do not share @test
 * @lower: how many in the lower part, or that do not share @test
 * @upper: how many in the upper part
 * @copies: what may be copied in the lower part, or among those that share @test
 * @copies_upper: ... in the upper part, or among those that do not
 */
struct nfj_step {
	enum nfj_step_kind	kind;
	u32			n;
	const struct nfj_test	*test;
	u8			dim;
	u64			at;
	u32			*in;
	u32			lower;
	u32			upper;
	u32			copies;
	u32			copies_upper;
};

/**
 * struct nfj_forest - entries in one or several trees
 * @list: entries, tree by tree, ascending in each
 * @end: for each tree where its entries end in @list
 * @n: how many trees
 * @cost: machine instructions of a packet, on average, roughly
 */
struct nfj_forest {
	u32	*list;
	u32	end[NFJ_FOREST_MAX];
	u32	n;
	u32	cost;
};

/* cut.c */
void nfj_cut_begin(struct nfj_cut *c, bool packed);
u32 nfj_cut_copies(u32 n);
u32 nfj_cut_reach(const struct nfj_cut *c, const u32 *entries, u32 n);
void nfj_cut_step(struct nfj_cut *c, const u32 *entries, u32 n, u32 copies,
		  u32 depth, struct nfj_step *s);
void nfj_cut_know(struct nfj_cut *c, u8 d, u64 lo, u64 hi);
void nfj_cut_test(struct nfj_cut *c, const struct nfj_test *t);
void nfj_cut_undo(struct nfj_cut *c, u32 mark);
void nfj_cut_sample(struct nfj_cut *c, const u32 *entries, u32 n);
void nfj_sort_few(u64 *v, u32 n);

/* cost.c */
u32 nfj_cost_table(const struct nfj_emit *e, u32 entry);
u32 nfj_cost_sorted(u32 n);
u32 nfj_cost_least(u32 n);
int nfj_forest_plan(struct nfj_cut *c, const u32 *entries, u32 n, u32 limit,
		    struct nfj_forest *f);
void nfj_forest_free(struct nfj_forest *f);

/* tree.c */
void nfj_forest_emit(struct nfj_cut *c, const struct nfj_forest *f, u32 next);

#endif /* _NFJ_TREE_H */
