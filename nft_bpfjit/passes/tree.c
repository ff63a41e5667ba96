// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decision tree: compares that halve the entries, leaves of a few in their order.
 *
 * At each node the packet is known to lie within some interval of each number,
 * and those entries are at hand that this does not contradict.  A sample of them
 * tells which number to cut where: (l * l + r * r) / (l + r) entries are left on
 * average when l entries reach into the lower part and r into the upper one,
 * those that reach into both (ranges, prefixes, no test at all) are copied.  How
 * many copies there may be in all is limited, and each part of the tree gets
 * its share.
 *
 *	ip saddr 10.0.0.1 drop			saddr >= 10.0.0.2 ?
 *	ip saddr 10.0.0.0/24 udp dport 53 ...	  no: saddr >= 10.0.0.1 ?
 *	ip saddr 10.0.0.7 accept		    ...
 *
 * Leaves of large trees are data rather than code (pack.c), but for those that
 * are little code.
 *
 * A test that all the entries of a node share is made once there (NFJ_OPT_COMMON),
 * and so is one for the existence of a field that most of them share: the few
 * others are then searched apart.
 *
 * Preserves: the first entry >= start that matches.  Each part keeps the entries in
 * order and drops those only that are contradicted, or that stand behind one
 * that always matches and cannot lie before the start.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include "../emit/emit.h"

#define NFJ_LEAF_MAX	3	/* entries that are not worth a cut */
#define NFJ_LEAF_PACKED	4	/* ... where leaves are packed */
#define NFJ_LEAF_CODE	52U	/* instructions of a leaf that is not packed */
#define NFJ_LEAF_MANY	1024U	/* entries from which on there are fewer */
#define NFJ_DEPTH_MAX	32	/* of the recursion, there is little stack */
#define NFJ_SAMPLES	32	/* entries that tell where to cut */
#define NFJ_DRY_DEPTH	5	/* from here on one way is followed for all */
#define NFJ_COPIES_MAX	6U	/* of an entry, on average */
#define NFJ_COPIES	8000	/* of all entries, where they are many */
#define NFJ_REACH_MAX	256	/* entries among which one may always match */
#define NFJ_UNDO_MAX	256
#define NFJ_PARTS_MAX	5	/* trees instead of one */
#define NFJ_PART_MIN	16	/* entries in each */
#define NFJ_TREE_COST	30	/* instructions from the root to a leaf */
#define NFJ_ENTRY_COST	6	/* of an entry in a leaf */
#define NFJ_TABLE_COST	50	/* of a lookup in a hash table */

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

struct nfj_tree {
	struct nfj_emit	*e;
	struct nfj_undo	undo[NFJ_UNDO_MAX];
	u32		nundo;
	struct nfj_ends	ends[NFJ_DIMS];
	u8		dim;		/* the cut */
	u64		at;
	u32		leaf;		/* entries that are not worth a cut */
	struct nfj_pack	*pack;		/* leaves as data, or NULL */
	u32		code;		/* ... but not those of so few insns */
	bool		dry;		/* only see what would become of it */
	u32		draw;		/* ... where not all ways are followed */
	u64		expect;		/* entries in a leaf, on average, << 32 */
};

/* What is known changes from here on, until nfj_tree_undo() */
static bool nfj_tree_know(struct nfj_tree *t, u8 d, u64 lo, u64 hi)
{
	struct nfj_dim *dim = &t->e->dim[d];

	if (t->nundo == NFJ_UNDO_MAX)
		return false;
	t->undo[t->nundo++] = (struct nfj_undo){ d, dim->lo, dim->hi };
	dim->lo = max(dim->lo, lo);
	dim->hi = min(dim->hi, hi);
	return true;
}

static void nfj_tree_undo(struct nfj_tree *t, u32 mark)
{
	while (t->nundo > mark) {
		struct nfj_undo *u = &t->undo[--t->nundo];

		t->e->dim[u->dim].lo = u->lo;
		t->e->dim[u->dim].hi = u->hi;
	}
}

/* How many copies may there be of so many entries? */
static u32 nfj_tree_copies(u32 n)
{
	return min(NFJ_COPIES_MAX * n, 2 * n + NFJ_COPIES);
}

static void nfj_sort_few(u64 *v, u32 n)
{
	u32 i, j;

	for (i = 1; i < n; i++) {
		u64 x = v[i];

		for (j = i; j > 0 && v[j - 1] > x; j--)
			v[j] = v[j - 1];
		v[j] = x;
	}
}

/* Collect the ends of what an entry says about numbers that are worth a cut */
static void nfj_tree_sample(struct nfj_tree *t, u32 entry)
{
	struct nfj_emit *e = t->e;
	const struct nfj_test *test, *end = nfj_entry_end(e, entry);
	u64 lo, hi;

	for (test = nfj_entry_tests(e, entry); test < end; test += test->n) {
		u8 d = nfj_test_dim(e, test);
		struct nfj_ends *ends;

		if (!nfj_test_hull(e, test, &lo, &hi) ||
		    nfj_dim_guard(&e->dim[d]))
			continue;
		if (lo <= e->dim[d].lo && hi >= e->dim[d].hi)
			continue;
		ends = &t->ends[d];
		if (ends->n == NFJ_SAMPLES)
			continue;
		ends->lo[ends->n] = lo;
		ends->hi[ends->n] = hi;
		ends->n++;
	}
}

/* Entries left on average, in 1/256, with the cut at a place; @l and @r count the
 * sampled entries in the lower and upper part.
 */
static u32 nfj_tree_score(u32 l, u32 r)
{
	return ((l * l + r * r) << 8) / (l + r);
}

/* Best place to cut the number, given a sample of @m entries; its score */
static u32 nfj_tree_place(struct nfj_tree *t, u8 d, u32 m, u32 copies)
{
	struct nfj_ends *ends = &t->ends[d];
	const struct nfj_dim *dim = &t->e->dim[d];
	u32 wild = m > ends->n ? m - ends->n : 0, i = 0, j = 0, l, r, score;
	u32 best = U32_MAX;
	u64 at;

	nfj_sort_few(ends->lo, ends->n);
	nfj_sort_few(ends->hi, ends->n);
	/* lower parts grow by those that begin, upper ones shrink by those that
	 * end before the place
	 */
	while (i < ends->n || j < ends->n) {
		if (i < ends->n && (j == ends->n ||
				    ends->lo[i] <= ends->hi[j]))
			at = ends->lo[i];
		else if (ends->hi[j] < dim->hi)
			at = ends->hi[j] + 1;
		else
			break;
		while (i < ends->n && ends->lo[i] < at)
			i++;
		while (j < ends->n && ends->hi[j] < at)
			j++;
		l = wild + i;
		r = wild + ends->n - j;
		if (at > dim->lo && at <= dim->hi && l + r &&
		    (l + r <= m + copies)) {
			score = nfj_tree_score(l, r);
			if (score < best) {
				best = score;
				t->at = at;
			}
		}
		/* on to the next place */
		while (i < ends->n && ends->lo[i] == at)
			i++;
		if (at > dim->hi)
			break;
	}
	return best;
}

/* Choose number and place; false when no cut helps.  @copies is how many entries
 * may be copied.
 */
static noinline bool nfj_tree_choose(struct nfj_tree *t, const u32 *entries,
				     u32 n, u32 copies)
{
	u32 i, m = 0, step = (n + NFJ_SAMPLES - 1) / NFJ_SAMPLES, score;
	u32 best = U32_MAX;
	u64 at = 0;
	u8 d;

	for (d = 0; d < t->e->ndims; d++)
		t->ends[d].n = 0;
	for (i = 0; i < n; i += step, m++)
		nfj_tree_sample(t, entries[i]);
	copies = copies >= n ? m : copies * m / n;
	for (d = 0; d < t->e->ndims; d++) {
		if (!t->ends[d].n)
			continue;
		score = nfj_tree_place(t, d, m, copies);
		if (score < best) {
			best = score;
			t->dim = d;
			at = t->at;
		}
	}
	t->at = at;
	/* at least a tenth less */
	return best < (m << 8) - (m << 8) / 10;
}

/* Into which parts of a cut does what an entry says of the number let it go?  A bit
 * each: 1 below, 2 from the place on.
 */
static u32 nfj_tree_sides(const struct nfj_tree *t, u32 entry)
{
	const struct nfj_emit *e = t->e;
	struct nfj_dim *dim = &t->e->dim[t->dim];
	const struct nfj_test *test = nfj_entry_tests(e, entry);
	const struct nfj_test *end = nfj_entry_end(e, entry);
	const u64 lo = dim->lo, hi = dim->hi;
	u32 sides = 3;

	for (; test < end; test += test->n) {
		if (nfj_test_dim(e, test) != t->dim)
			continue;
		/* most tests, without much ado */
		if (test->kind == NFJ_IN) {
			u64 high = nfj_dim_high(dim, test, test->hi);

			if (test->lo >= t->at || high < lo)
				sides &= ~1;
			if (high < t->at || test->lo > hi)
				sides &= ~2;
			continue;
		}
		dim->hi = min(hi, t->at - 1);
		if (nfj_dim_known(e, test) == NFJ_FALSE)
			sides &= ~1;
		dim->hi = hi;
		dim->lo = max(lo, t->at);
		if (nfj_dim_known(e, test) == NFJ_FALSE)
			sides &= ~2;
		dim->lo = lo;
	}
	return sides;
}

/* Of some entries those that the cut lets into its lower part, into @in, and into
 * its upper one, behind them
 */
static void nfj_tree_split(const struct nfj_tree *t, const u32 *entries, u32 n,
			   u32 *in, u32 *lower, u32 *upper)
{
	u32 i, l = 0, r = 0, sides, *up = in + n;

	for (i = 0; i < n; i++) {
		sides = nfj_tree_sides(t, entries[i]);
		if (sides & 1)
			in[l++] = entries[i];
		if (sides & 2)
			up[r++] = entries[i];
	}
	*lower = l;
	*upper = r;
}

/* Entries up to the first that always matches and leaves the others no chance */
static u32 nfj_tree_reach(const struct nfj_emit *e, const u32 *entries, u32 n)
{
	const struct nfj_test *test, *end;
	u32 i;

	for (i = 0; i < n; i++) {
		if ((s64)entries[i] <= e->last_open)
			continue;
		end = nfj_entry_end(e, entries[i]);
		for (test = nfj_entry_tests(e, entries[i]); test < end;
		     test += test->n)
			if (nfj_dim_known(e, test) != NFJ_TRUE)
				break;
		if (test >= end)
			return i + 1;
	}
	return n;
}

static bool nfj_tree_has(const struct nfj_emit *e, u32 entry,
			 const struct nfj_test *test)
{
	const struct nfj_test *t, *end = nfj_entry_end(e, entry);

	for (t = nfj_entry_tests(e, entry); t < end; t += t->n)
		if (t->off == test->off && nfj_test_same(e, t, test))
			return true;
	return false;
}

/* A test of one of the entries that all of them share, or most if it is about the
 * existence of a field; @others counts those that do not.
 */
static noinline const struct nfj_test *
nfj_tree_common(const struct nfj_emit *e, const u32 *entries, u32 n, bool packed,
		u32 *others)
{
	u32 i, k, most, of[2] = { entries[0], entries[n / 2] };
	const struct nfj_test *t, *end;

	for (k = 0; k < 2; k++) {
		end = nfj_entry_end(e, of[k]);
		for (t = nfj_entry_tests(e, of[k]); t < end; t += t->n) {
			if (t->kind != NFJ_IN ||
			    nfj_test_dim(e, t) == NFJ_NODIM ||
			    nfj_dim_known(e, t) != NFJ_UNKNOWN)
				continue;
			most = !packed &&
			       nfj_dim_guard(&e->dim[nfj_test_dim(e, t)]) ?
			       n / 4 : 0;
			*others = 0;
			for (i = 0; i < n && *others <= most; i++)
				*others += !nfj_tree_has(e, entries[i], t);
			if (*others <= most)
				return t;
		}
	}
	return NULL;
}

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

static void nfj_tree_node(struct nfj_tree *t, const u32 *entries, u32 n,
			  u32 copies, u32 depth, u32 weight, u32 next);

/* A number below @n, always the same ones */
static u32 nfj_tree_draw(struct nfj_tree *t, u32 n)
{
	t->draw = t->draw * 1664525 + 1013904223;
	return (u64)t->draw * n >> 32;
}

/* Make a test that most of the entries share, and search the others apart; true
 * when there were any and all is done.
 */
static noinline bool nfj_tree_share(struct nfj_tree *t, const u32 *entries, u32 n,
				    u32 *copies, u32 depth, u32 weight,
				    u32 next)
{
	const struct nfj_test *test;
	u32 others, i, m = 0, *in, label, part;
	struct nfj_emit *e = t->e;
	u64 lo, hi;

	for (;;) {
		test = nfj_tree_common(e, entries, n, t->leaf > NFJ_LEAF_MAX,
				       &others);
		if (!test || others > *copies || e->err ||
		    t->nundo == NFJ_UNDO_MAX)
			return false;
		if (others)
			break;
		if (!t->dry)
			nfj_emit_test(e, test, next);
		nfj_test_hull(e, test, &lo, &hi);
		nfj_tree_know(t, nfj_test_dim(e, test), lo, hi);
	}
	*copies -= others;
	in = kvmalloc_array(others, sizeof(*in), GFP_KERNEL);
	if (!in) {
		e->err = -ENOMEM;
		return true;
	}
	for (i = 0; i < n; i++)
		if (!nfj_tree_has(e, entries[i], test))
			in[m++] = entries[i];
	label = t->dry ? 0 : nfj_label(e);
	if (!t->dry)
		nfj_emit_test(e, test, label);
	nfj_test_hull(e, test, &lo, &hi);
	nfj_tree_know(t, nfj_test_dim(e, test), lo, hi);
	part = (u64)weight * n / (n + m);
	nfj_tree_node(t, entries, n, *copies - *copies / 4, depth + 1, part,
		      next);
	nfj_tree_undo(t, t->nundo - 1);
	if (!t->dry)
		nfj_bind(e, label);
	nfj_tree_node(t, in, m, *copies / 4, depth + 1, weight - part, next);
	kvfree(in);
	return true;
}

/* The packets that come here may match any of the entries; @copies of them may be
 * made.  @weight is the part of all packets, of 2^32, if each entry has as many.
 */
static void nfj_tree_node(struct nfj_tree *t, const u32 *entries, u32 n,
			  u32 copies, u32 depth, u32 weight, u32 next)
{
	struct nfj_emit *e = t->e;
	u32 *in = NULL, l, r, label, mark = t->nundo, extra, share, part;
	bool lower, upper;
	u64 at;
	u8 d;

	if (e->err)
		return;
	if (n <= NFJ_REACH_MAX)
		n = nfj_tree_reach(e, entries, n);
	if (n <= t->leaf || depth >= NFJ_DEPTH_MAX)
		goto leaf;
	if (e->opts & NFJ_OPT_COMMON &&
	    nfj_tree_share(t, entries, n, &copies, depth, weight, next))
		goto out;
	if (!nfj_tree_choose(t, entries, n, copies))
		goto leaf;
	d = t->dim;
	at = t->at;
	in = kvmalloc_array(2 * n, sizeof(*in), GFP_KERNEL);
	if (!in) {
		e->err = -ENOMEM;
		goto out;
	}
	if (t->nundo == NFJ_UNDO_MAX)
		goto leaf;
	nfj_tree_split(t, entries, n, in, &l, &r);
	extra = l + r > n ? l + r - n : 0;
	if (extra > copies || (l == n && r == n))
		goto leaf;
	copies -= extra;
	share = (u64)copies * l / (l + r ? : 1);
	part = (u64)weight * l / (l + r ? : 1);

	label = t->dry ? 0 : nfj_label(e);
	if (!t->dry)
		nfj_emit_ge(e, &e->dim[d], at, label);
	lower = !t->dry || depth < NFJ_DRY_DEPTH ||
		nfj_tree_draw(t, l + r) < l;
	upper = !t->dry || depth < NFJ_DRY_DEPTH || !lower;
	if (lower) {
		nfj_tree_know(t, d, 0, at - 1);
		nfj_tree_node(t, in, l, share, depth + 1,
			      upper ? part : weight, next);
		nfj_tree_undo(t, t->nundo - 1);
	}
	if (!t->dry)
		nfj_bind(e, label);
	if (upper) {
		nfj_tree_know(t, d, at, U64_MAX);
		nfj_tree_node(t, in + n, r, copies - share, depth + 1,
			      lower ? weight - part : weight, next);
		nfj_tree_undo(t, t->nundo - 1);
	}
	goto out;
leaf:
	t->expect += (u64)weight * n;
	if (t->dry)
		goto out;
	if (t->pack && nfj_tree_insns(e, entries, n) > t->code &&
	    nfj_pack_fits(t->pack, entries, n))
		nfj_pack_leaf(t->pack, entries, n);
	else
		nfj_linear(e, entries, n, next);
out:
	nfj_tree_undo(t, mark);
	kvfree(in);
}

/* A tree: its nodes, then what its leaves have in common */
static void nfj_tree_emit(struct nfj_tree *t, const u32 *entries, u32 n, u32 next)
{
	t->pack = nfj_pack_begin(t->e, entries, n);
	t->leaf = t->pack ? NFJ_LEAF_PACKED : NFJ_LEAF_MAX;
	t->code = max(min(NFJ_LEAF_CODE * NFJ_LEAF_MANY / (n + 1),
			  NFJ_LEAF_CODE), NFJ_LEAF_CODE / 2);
	nfj_tree_node(t, entries, n, nfj_tree_copies(n), 0, 0, next);
	if (t->pack)
		nfj_pack_finish(t->pack, next);
	nfj_pack_free(t->pack);
	t->pack = NULL;
}

/* What a packet costs in a tree of these entries, in instructions, roughly */
static u32 nfj_tree_cost(struct nfj_tree *t, const u32 *entries, u32 n)
{
	t->dry = true;
	t->draw = 0;
	t->leaf = t->e->pack && n >= NFJ_PACK_MIN ? NFJ_LEAF_PACKED :
						    NFJ_LEAF_MAX;
	t->expect = 0;
	nfj_tree_node(t, entries, n, nfj_tree_copies(n), 0, U32_MAX,
		      NFJ_LABEL_EXIT);
	t->dry = false;
	return NFJ_TREE_COST + (NFJ_ENTRY_COST * t->expect >> 32);
}

/* Does an entry say much about a number? */
static bool nfj_tree_narrow(const struct nfj_emit *e, u32 entry, u8 d, u64 limit)
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
static u64 nfj_tree_limit(struct nfj_tree *t, u8 d)
{
	struct nfj_ends *ends = &t->ends[d];
	u64 spread;

	if (ends->n < 4)
		return 0;
	nfj_sort_few(ends->lo, ends->n);
	spread = ends->lo[ends->n * 3 / 4] - ends->lo[ends->n / 4];
	return min(spread, t->e->dim[d].mask) >> 4;
}

/* Move the entries that are narrow in the number most of them are narrow in to
 * the front, both parts in order; how many.
 */
static u32 nfj_tree_part(struct nfj_tree *t, u32 *entries, u32 n, u32 *tmp)
{
	u32 i, count, most = 0, m = 0, k = 0, step = n / NFJ_SAMPLES + 1;
	const struct nfj_emit *e = t->e;
	u64 limit, best_limit = 0;
	u8 d, best = 0;

	for (d = 0; d < e->ndims; d++)
		t->ends[d].n = 0;
	for (i = 0; i < n; i += step)
		nfj_tree_sample(t, entries[i]);
	for (d = 0; d < e->ndims; d++) {
		if (nfj_dim_guard(&e->dim[d]) || e->dim[d].mask <= U8_MAX)
			continue;
		limit = nfj_tree_limit(t, d);
		if (!limit)
			continue;
		count = 0;
		for (i = 0; i < n; i++)
			count += nfj_tree_narrow(e, entries[i], d, limit);
		if (count > most) {
			most = count;
			best = d;
			best_limit = limit;
		}
	}
	if (most < NFJ_PART_MIN || n - most < NFJ_PART_MIN)
		return n;
	for (i = 0; i < n; i++) {
		if (nfj_tree_narrow(e, entries[i], best, best_limit))
			entries[m++] = entries[i];
		else
			tmp[k++] = entries[i];
	}
	memcpy(entries + m, tmp, k * sizeof(*tmp));
	return m;
}

/* Entries that say nothing about the number that others are cut by are copied
 * over and over, or spoil the leaves.  If so, make several trees, in each of
 * which the entries say something about one number; true when that is done.
 */
static bool nfj_tree_parts(struct nfj_tree *t, const u32 *entries, u32 n,
			   u32 next)
{
	u32 i, k = 0, from, end[NFJ_PARTS_MAX], *list, whole, cost = 0, skip;
	struct nfj_emit *e = t->e;

	whole = e->whole ? : nfj_tree_cost(t, entries, n);
	e->whole = 0;
	if (e->err || whole < 2 * NFJ_TREE_COST)
		return false;
	list = kvmalloc_array(2 * n, sizeof(*list), GFP_KERNEL);
	if (!list) {
		e->err = -ENOMEM;
		return true;
	}
	memcpy(list, entries, n * sizeof(*list));
	for (from = 0; from < n && cost < whole && !e->err; from = end[k++]) {
		end[k] = n;
		if (k + 1 < NFJ_PARTS_MAX)
			end[k] = from + nfj_tree_part(t, list + from, n - from,
						      list + n);
		cost += nfj_tree_cost(t, list + from, end[k] - from);
	}
	if (cost >= whole || k < 2) {
		kvfree(list);
		return false;
	}
	for (i = 0, from = 0; i < k; from = end[i++]) {
		skip = i + 1 < k ? nfj_label(e) : NFJ_LABEL_EXIT;
		/* not if what is found is before all of these */
		if (i)
			nfj_emit_better(e, list[from], skip);
		e->found = skip;
		nfj_tree_emit(t, list + from, end[i] - from,
			      i + 1 < k ? skip : next);
		if (i + 1 < k) {
			nfj_bind(e, skip);
			/* see nfj_search() */
			e->loaded = 0;
		}
		e->best = true;
	}
	e->found = NFJ_LABEL_EXIT;
	e->above = NFJ_NONE;
	kvfree(list);
	return true;
}

/**
 * nfj_tree_better - would one tree be much quicker than several tables?
 * @e: the program
 * @entries: numbers of the entries, ascending
 * @n: how many
 * @tables: how many tables there would be
 * @rest: ... and entries beside them
 *
 * Only where its leaves can be packed: a table is no code at all.
 *
 * Return: true if so.
 */
bool nfj_tree_better(struct nfj_emit *e, const u32 *entries, u32 n, u32 tables,
		     u32 rest)
{
	u32 cost = tables * NFJ_TABLE_COST + (rest ? NFJ_TREE_COST : 0);
	struct nfj_pack *pack;
	struct nfj_tree *t;
	bool better;

	if (tables < 2)
		return false;
	pack = nfj_pack_begin(e, entries, n);
	better = pack && nfj_pack_all(pack, entries, n);
	nfj_pack_free(pack);
	if (!better)
		return false;
	t = kvmalloc(sizeof(*t), GFP_KERNEL);
	if (!t) {
		e->err = -ENOMEM;
		return false;
	}
	t->e = e;
	t->nundo = 0;
	t->pack = NULL;
	e->whole = nfj_tree_cost(t, entries, n);
	kvfree(t);
	if (e->whole < cost / 2)
		return true;
	e->whole = 0;
	return false;
}

/**
 * nfj_tree - emit entries as a decision tree
 * @e: the program
 * @entries: numbers of the entries, ascending
 * @n: how many
 * @next: where to go when none matches
 */
void nfj_tree(struct nfj_emit *e, const u32 *entries, u32 n, u32 next)
{
	struct nfj_tree *t;

	if (!(e->opts & NFJ_OPT_SEARCH) || n <= NFJ_LEAF_MAX) {
		nfj_linear(e, entries, n, next);
		return;
	}
	t = kvmalloc(sizeof(*t), GFP_KERNEL);
	if (!t) {
		e->err = -ENOMEM;
		return;
	}
	t->e = e;
	t->nundo = 0;
	t->dry = false;
	t->pack = NULL;
	if (e->pack && n >= NFJ_PACK_MIN)
		nfj_pack_zero(e);
	if (n < 2 * NFJ_PART_MIN || !nfj_tree_parts(t, entries, n, next))
		nfj_tree_emit(t, entries, n, next);
	kvfree(t);
}
