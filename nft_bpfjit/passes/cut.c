// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cutting entries in two: what is done at a node of a decision tree.
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
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include "tree.h"

#define NFJ_LEAF_PACKED	4	/* as NFJ_LEAF_MAX, where leaves are packed */
#define NFJ_DEPTH_MAX	32	/* of the recursion, there is little stack */
#define NFJ_COPIES_MAX	6U	/* of an entry, on average */
#define NFJ_COPIES	8000	/* of all entries, where they are many */
#define NFJ_REACH_MAX	256	/* entries among which one may always match */

/**
 * nfj_cut_begin - at the root of a tree, where nothing is known yet
 * @c: the walk
 * @packed: leaves may be data
 */
void nfj_cut_begin(struct nfj_cut *c, bool packed)
{
	c->nundo = 0;
	c->packed = packed;
	c->leaf = packed ? NFJ_LEAF_PACKED : NFJ_LEAF_MAX;
}

/**
 * nfj_cut_copies - how many copies may there be of so many entries?
 * @n: entries of a tree
 *
 * Return: as many.
 */
u32 nfj_cut_copies(u32 n)
{
	return min(NFJ_COPIES_MAX * n, 2 * n + NFJ_COPIES);
}

/**
 * nfj_cut_know - a number lies in an interval from here on
 * @c: the walk; nfj_cut_step() has seen to it that there is room for this
 * @d: the number
 * @lo: lowest value
 * @hi: highest value
 */
void nfj_cut_know(struct nfj_cut *c, u8 d, u64 lo, u64 hi)
{
	struct nfj_dim *dim = &c->e->dim[d];

	c->undo[c->nundo++] = (struct nfj_undo){ d, dim->lo, dim->hi };
	dim->lo = max(dim->lo, lo);
	dim->hi = min(dim->hi, hi);
}

/**
 * nfj_cut_test - a test holds from here on
 * @c: the walk, as in nfj_cut_know()
 * @t: the test, of a step
 */
void nfj_cut_test(struct nfj_cut *c, const struct nfj_test *t)
{
	u64 lo, hi;

	nfj_test_hull(c->e, t, &lo, &hi);
	nfj_cut_know(c, nfj_test_dim(c->e, t), lo, hi);
}

/**
 * nfj_cut_undo - forget what was learnt
 * @c: the walk
 * @mark: nfj_cut::nundo as it was before
 */
void nfj_cut_undo(struct nfj_cut *c, u32 mark)
{
	while (c->nundo > mark) {
		struct nfj_undo *u = &c->undo[--c->nundo];

		c->e->dim[u->dim].lo = u->lo;
		c->e->dim[u->dim].hi = u->hi;
	}
}

/**
 * nfj_sort_few - sort a few numbers
 * @v: the numbers
 * @n: how many
 */
void nfj_sort_few(u64 *v, u32 n)
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
static void nfj_cut_ends(struct nfj_cut *c, u32 entry)
{
	struct nfj_emit *e = c->e;
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
		ends = &c->ends[d];
		if (ends->n == NFJ_SAMPLES)
			continue;
		ends->lo[ends->n] = lo;
		ends->hi[ends->n] = hi;
		ends->n++;
	}
}

/**
 * nfj_cut_sample - look at some entries: nfj_cut::ends
 * @c: the walk
 * @entries: the entries
 * @n: how many
 */
void nfj_cut_sample(struct nfj_cut *c, const u32 *entries, u32 n)
{
	u32 i, step = (n + NFJ_SAMPLES - 1) / NFJ_SAMPLES;
	u8 d;

	for (d = 0; d < c->e->ndims; d++)
		c->ends[d].n = 0;
	for (i = 0; i < n; i += step)
		nfj_cut_ends(c, entries[i]);
}

/* Entries left on average, in 1/256, with the cut at a place; @l and @r count the
 * sampled entries in the lower and upper part.
 */
static u32 nfj_cut_score(u32 l, u32 r)
{
	return ((l * l + r * r) << 8) / (l + r);
}

/* Best place to cut the number, given a sample of @m entries; its score */
static u32 nfj_cut_place(struct nfj_cut *c, u8 d, u32 m, u32 copies, u64 *place)
{
	struct nfj_ends *ends = &c->ends[d];
	const struct nfj_dim *dim = &c->e->dim[d];
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
			score = nfj_cut_score(l, r);
			if (score < best) {
				best = score;
				*place = at;
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
static noinline bool nfj_cut_choose(struct nfj_cut *c, const u32 *entries, u32 n,
				    u32 copies, struct nfj_step *s)
{
	u32 m = DIV_ROUND_UP(n, DIV_ROUND_UP(n, NFJ_SAMPLES)), score;
	u32 best = U32_MAX;
	u64 at = 0;
	u8 d;

	nfj_cut_sample(c, entries, n);
	copies = copies >= n ? m : copies * m / n;
	for (d = 0; d < c->e->ndims; d++) {
		if (!c->ends[d].n)
			continue;
		score = nfj_cut_place(c, d, m, copies, &at);
		if (score < best) {
			best = score;
			s->dim = d;
			s->at = at;
		}
	}
	/* at least a tenth less */
	return best < (m << 8) - (m << 8) / 10;
}

/* Into which parts of a cut does what an entry says of the number let it go?  A bit
 * each: 1 below, 2 from the place on.
 */
static u32 nfj_cut_sides(const struct nfj_cut *c, u32 entry, u8 d, u64 at)
{
	const struct nfj_emit *e = c->e;
	struct nfj_dim *dim = &c->e->dim[d];
	const struct nfj_test *test = nfj_entry_tests(e, entry);
	const struct nfj_test *end = nfj_entry_end(e, entry);
	const u64 lo = dim->lo, hi = dim->hi;
	u32 sides = 3;

	for (; test < end; test += test->n) {
		if (nfj_test_dim(e, test) != d)
			continue;
		/* most tests, without much ado */
		if (test->kind == NFJ_IN) {
			u64 high = nfj_dim_high(dim, test, test->hi);

			if (test->lo >= at || high < lo)
				sides &= ~1;
			if (high < at || test->lo > hi)
				sides &= ~2;
			continue;
		}
		dim->hi = min(hi, at - 1);
		if (nfj_dim_known(e, test) == NFJ_FALSE)
			sides &= ~1;
		dim->hi = hi;
		dim->lo = max(lo, at);
		if (nfj_dim_known(e, test) == NFJ_FALSE)
			sides &= ~2;
		dim->lo = lo;
	}
	return sides;
}

/* Of some entries those that the cut lets into its lower part, and behind them
 * those in its upper one; false when it does not help
 */
static bool nfj_cut_split(const struct nfj_cut *c, const u32 *entries, u32 n,
			  u32 copies, struct nfj_step *s)
{
	u32 i, l = 0, r = 0, sides, *up = s->in + n, extra;

	for (i = 0; i < n; i++) {
		sides = nfj_cut_sides(c, entries[i], s->dim, s->at);
		if (sides & 1)
			s->in[l++] = entries[i];
		if (sides & 2)
			up[r++] = entries[i];
	}
	extra = l + r > n ? l + r - n : 0;
	if (extra > copies || (l == n && r == n))
		return false;
	copies -= extra;
	s->lower = l;
	s->upper = r;
	s->copies = (u64)copies * l / (l + r ? : 1);
	s->copies_upper = copies - s->copies;
	/* the upper part follows at once */
	memmove(s->in + l, up, r * sizeof(*up));
	return true;
}

/**
 * nfj_cut_reach - entries up to one that leaves the others no chance
 * @c: the walk
 * @entries: the entries, ascending
 * @n: how many
 *
 * Return: how many, with the first that always matches.
 */
u32 nfj_cut_reach(const struct nfj_cut *c, const u32 *entries, u32 n)
{
	const struct nfj_test *test, *end;
	const struct nfj_emit *e = c->e;
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

static bool nfj_cut_has(const struct nfj_emit *e, u32 entry,
			const struct nfj_test *test)
{
	const struct nfj_test *t, *end = nfj_entry_end(e, entry);

	for (t = nfj_entry_tests(e, entry); t < end; t += t->n)
		if (t->off == test->off && nfj_emit_same(e, t, test))
			return true;
	return false;
}

/* A test of one of the entries that all of them share, or most if it is about the
 * existence of a field; @others counts those that do not.
 */
static noinline const struct nfj_test *
nfj_cut_common(const struct nfj_cut *c, const u32 *entries, u32 n, u32 *others)
{
	u32 i, k, most, of[2] = { entries[0], entries[n / 2] };
	const struct nfj_test *t, *end;
	const struct nfj_emit *e = c->e;

	for (k = 0; k < 2; k++) {
		end = nfj_entry_end(e, of[k]);
		for (t = nfj_entry_tests(e, of[k]); t < end; t += t->n) {
			if (t->kind != NFJ_IN ||
			    nfj_test_dim(e, t) == NFJ_NODIM ||
			    nfj_dim_known(e, t) != NFJ_UNKNOWN)
				continue;
			most = !c->packed &&
			       nfj_dim_guard(&e->dim[nfj_test_dim(e, t)]) ?
			       n / 4 : 0;
			*others = 0;
			for (i = 0; i < n && *others <= most; i++)
				*others += !nfj_cut_has(e, entries[i], t);
			if (*others <= most)
				return t;
		}
	}
	return NULL;
}

static u32 *nfj_cut_list(struct nfj_cut *c, u32 n)
{
	u32 *in = kvmalloc_array(n, sizeof(*in), GFP_KERNEL);

	if (!in)
		c->e->err = -ENOMEM;
	return in;
}

/* Is there a test that the entries share?  Then that is the step. */
static bool nfj_cut_share(struct nfj_cut *c, const u32 *entries, u32 copies,
			  struct nfj_step *s)
{
	u32 others, i;

	s->test = nfj_cut_common(c, entries, s->n, &others);
	if (!s->test || others > copies)
		return false;
	s->kind = NFJ_STEP_COMMON;
	if (!others)
		return true;
	s->kind = NFJ_STEP_MOST;
	copies -= others;
	s->copies = copies - copies / 4;
	s->copies_upper = copies / 4;
	s->lower = 0;
	s->in = nfj_cut_list(c, others);
	for (i = 0; i < s->n && s->in; i++)
		if (!nfj_cut_has(c->e, entries[i], s->test))
			s->in[s->lower++] = entries[i];
	return true;
}

/**
 * nfj_cut_step - what to do at a node
 * @c: the walk
 * @entries: entries that are not contradicted, ascending; at least one
 * @n: how many
 * @copies: how many copies of them there may be
 * @depth: of the node
 * @s: the step; kvfree() its nfj_step::in, which may be NULL
 *
 * Without memory the error is in the program, and the step is to be a leaf.
 */
void nfj_cut_step(struct nfj_cut *c, const u32 *entries, u32 n, u32 copies,
		  u32 depth, struct nfj_step *s)
{
	struct nfj_emit *e = c->e;

	s->kind = NFJ_STEP_LEAF;
	s->in = NULL;
	s->n = n <= NFJ_REACH_MAX ? nfj_cut_reach(c, entries, n) : n;
	if (e->err || s->n <= c->leaf || depth >= NFJ_DEPTH_MAX ||
	    c->nundo == NFJ_UNDO_MAX)
		return;
	if (e->opts & NFJ_OPT_COMMON && nfj_cut_share(c, entries, copies, s))
		goto out;
	if (!nfj_cut_choose(c, entries, s->n, copies, s))
		return;
	s->in = nfj_cut_list(c, 2 * s->n);
	if (!s->in || !nfj_cut_split(c, entries, s->n, copies, s))
		goto out;
	/* what each entry says of the number, in several tests, no value has */
	if (s->lower || s->upper)
		s->kind = NFJ_STEP_CUT;
	else
		s->n = 0;
out:
	if (e->err)
		s->kind = NFJ_STEP_LEAF;
}
