// SPDX-License-Identifier: GPL-2.0-only
/*
 * Search instead of a line of compares.
 *
 * A run of adjacent rules that all test one number (each by an interval: a
 * value, a prefix or a range) is replaced by a binary search over the ends of
 * the intervals.  Between two neighbouring ends the same rules apply to every
 * packet; they are emitted there in rule order, as a leaf.  In a leaf with
 * many rules the search goes on with another number.
 *
 *	ip saddr 10.0.0.1 drop			saddr >= 10.0.0.2 ?
 *	ip saddr 10.0.0.0/24 udp dport 53 ...	  no: saddr >= 10.0.0.1 ?
 *	ip saddr 10.0.0.7 accept		    ...
 *
 * Tests that all rules of a run share are made once, in front of the run.
 *
 * Preserves: the first rule >= entry that matches.  Runs are searched in chain
 * order, leaves keep rule order, and no rule is left out of an interval that it
 * covers.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include "../emit/emit.h"

#define NFJ_RUN_MIN	4	/* rules that are worth a search */
#define NFJ_LEAF_MAX	6	/* rules in a leaf before another number */
#define NFJ_NEST_MAX	3	/* numbers that are searched one in the other */
#define NFJ_SAMPLES	32
#define NFJ_AHEAD	64U	/* rules looked at for the end of a line */

struct nfj_arena {
	u32	*mem;
	u32	used;
	u32	max;
};

static int nfj_cmp_u64(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* How many different intervals do some of the rules have in a dimension? */
static u32 nfj_distinct(const struct nfj_emit *e, const u32 *rules, u32 n, u8 d)
{
	u64 seen[NFJ_SAMPLES][2], lo, hi;
	u32 i, j, step = n / NFJ_SAMPLES + 1, found = 0;

	for (i = 0; i < n && found < NFJ_SAMPLES; i += step) {
		const struct nfj_test *t = nfj_dim_test(e, rules[i], d);

		if (!t || !nfj_dim_interval(e, t, &lo, &hi))
			continue;
		for (j = 0; j < found; j++)
			if (seen[j][0] == lo && seen[j][1] == hi)
				break;
		if (j < found)
			continue;
		seen[found][0] = lo;
		seen[found][1] = hi;
		found++;
	}
	return found;
}

/* How many rules from the first on have an interval in a dimension? */
static u32 nfj_run(const struct nfj_emit *e, const u32 *rules, u32 n, u8 d)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (!nfj_dim_test(e, rules[i], d))
			break;
	return i;
}

/* The best dimension to search from the first rule on, and its run */
static u8 nfj_pick(const struct nfj_emit *e, const u32 *rules, u32 n, u32 *run)
{
	const struct nfj_rule *rule = &e->ir->rules[rules[0]];
	u32 i, len, longest = 0, most = 1, distinct;
	u8 d, best = NFJ_NODIM;

	for (i = rule->first; i < rule->first + rule->ntests; i++) {
		d = e->dim_of[i - e->base];
		if (d == NFJ_NODIM || !nfj_dim_test(e, rules[0], d))
			continue;
		len = nfj_run(e, rules, n, d);
		if (len < NFJ_RUN_MIN || len < longest / 2)
			continue;
		distinct = nfj_distinct(e, rules, len, d);
		if (distinct < 2 || (distinct <= most && len <= longest * 2))
			continue;
		best = d;
		most = distinct;
		longest = len;
		*run = len;
	}
	return best;
}

static void nfj_leaf(struct nfj_emit *e, struct nfj_arena *a, const u32 *rules,
		     u32 n, u32 nest, u32 next);

/* Search the ends [blo, bhi) among those rules that reach into the interval */
static void nfj_split(struct nfj_emit *e, struct nfj_arena *a, const u32 *rules,
		      u32 n, u8 d, const u64 *ends, u32 blo, u32 bhi, u32 nest,
		      u32 next)
{
	u32 i, mid, mark = a->used, right, m = 0;
	u64 lo, hi, save_lo, save_hi;
	u32 *in;

	if (e->err)
		return;
	if (a->max - a->used < n) {
		e->err = -EOVERFLOW;
		return;
	}
	in = a->mem + a->used;
	for (i = 0; i < n; i++) {
		const struct nfj_test *t = nfj_dim_test(e, rules[i], d);

		if (!nfj_dim_interval(e, t, &lo, &hi) ||
		    (lo <= e->dim[d].hi && hi >= e->dim[d].lo))
			in[m++] = rules[i];
	}
	a->used += m;

	if (blo == bhi || !m) {
		nfj_leaf(e, a, in, m, nest + 1, next);
	} else {
		mid = blo + (bhi - blo) / 2;
		save_lo = e->dim[d].lo;
		save_hi = e->dim[d].hi;
		right = nfj_label(e);
		nfj_emit_ge(e, &e->dim[d], ends[mid], right);
		e->dim[d].hi = ends[mid] - 1;
		nfj_split(e, a, in, m, d, ends, blo, mid, nest, next);
		e->dim[d].hi = save_hi;
		nfj_bind(e, right);
		e->dim[d].lo = ends[mid];
		nfj_split(e, a, in, m, d, ends, mid + 1, bhi, nest, next);
		e->dim[d].lo = save_lo;
	}
	a->used = mark;
}

/* Index of the first end above a value */
static u32 nfj_above(const u64 *ends, u32 n, u64 val)
{
	u32 lo = 0, hi = n;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (ends[mid] <= val)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Search a dimension in which all the rules have an interval; false when that
 * would copy the rules into too many leaves
 */
static bool nfj_search_dim(struct nfj_emit *e, struct nfj_arena *a,
			   const u32 *rules, u32 n, u8 d, u32 nest, u32 next)
{
	const struct nfj_dim *dim = &e->dim[d];
	u64 lo, hi, copies = 0;
	u32 i, m = 0, k = 0;
	bool done = false;
	u64 *ends;

	ends = kvmalloc_array(2 * n, sizeof(*ends), GFP_KERNEL);
	if (!ends) {
		e->err = -ENOMEM;
		return true;
	}
	for (i = 0; i < n; i++) {
		if (!nfj_dim_interval(e, nfj_dim_test(e, rules[i], d), &lo,
				      &hi))
			continue;
		if (lo > dim->lo && lo <= dim->hi)
			ends[m++] = lo;
		if (hi >= dim->lo && hi < dim->hi)
			ends[m++] = hi + 1;
	}
	sort(ends, m, sizeof(*ends), nfj_cmp_u64, NULL);
	for (i = 0; i < m; i++)
		if (!i || ends[i] != ends[i - 1])
			ends[k++] = ends[i];
	for (i = 0; i < n; i++) {
		if (!nfj_dim_interval(e, nfj_dim_test(e, rules[i], d), &lo,
				      &hi))
			continue;
		copies += nfj_above(ends, k, hi) - nfj_above(ends, k, lo) + 1;
	}
	if (k && copies <= 4ULL * n + 64) {
		nfj_split(e, a, rules, n, d, ends, 0, k, nest, next);
		done = true;
	}
	kvfree(ends);
	return done;
}

static void nfj_leaf(struct nfj_emit *e, struct nfj_arena *a, const u32 *rules,
		     u32 n, u32 nest, u32 next)
{
	u32 run;
	u8 d;

	if (n > NFJ_LEAF_MAX && nest < NFJ_NEST_MAX) {
		d = nfj_pick(e, rules, n, &run);
		if (d != NFJ_NODIM && run == n &&
		    nfj_search_dim(e, a, rules, n, d, nest, next))
			return;
	}
	nfj_linear(e, rules, n, next);
}

/* Make the tests that all rules of a run share once, in front of it */
static void nfj_common(struct nfj_emit *e, const u32 *rules, u32 n, u32 next)
{
	const struct nfj_rule *rule = &e->ir->rules[rules[0]];
	u32 i, j;

	for (i = rule->first; i < rule->first + rule->ntests;
	     i += e->ir->tests[i].n) {
		const struct nfj_test *t = &e->ir->tests[i], *o;
		struct nfj_dim *dim;
		u64 lo, hi;

		if (!nfj_dim_interval(e, t, &lo, &hi))
			continue;
		dim = &e->dim[e->dim_of[i - e->base]];
		for (j = 1; j < n; j++) {
			o = nfj_dim_test(e, rules[j], e->dim_of[i - e->base]);
			if (!o || o->lo != t->lo || o->hi != t->hi ||
			    o->mask != t->mask)
				break;
		}
		if (j < n || nfj_dim_known(e, t) != NFJ_UNKNOWN)
			continue;
		nfj_emit_test(e, t, next);
		dim->lo = max(dim->lo, lo);
		dim->hi = min(dim->hi, hi);
	}
}

static void nfj_forget(struct nfj_emit *e)
{
	u32 i;

	for (i = 0; i < e->ndims; i++) {
		e->dim[i].lo = 0;
		e->dim[i].hi = e->dim[i].mask;
	}
}

/**
 * nfj_search - emit rules, searching where that pays
 * @e: the program
 * @rules: numbers of the rules, ascending; none of them dead
 * @n: how many
 *
 * Return: 0 or the error in @e.
 */
int nfj_search(struct nfj_emit *e, const u32 *rules, u32 n)
{
	struct nfj_arena a = { .max = 24 * n + 64 };
	u32 i, run, next, miss;
	u8 d;

	a.mem = kvmalloc_array(a.max, sizeof(*a.mem), GFP_KERNEL);
	if (!a.mem) {
		e->err = -ENOMEM;
		return e->err;
	}
	for (i = 0; i < n && !e->err; i += run) {
		run = 1;
		d = nfj_pick(e, rules + i, n - i, &run);
		/* rules that share no number stay in one line */
		while (d == NFJ_NODIM && i + run < n) {
			u32 dummy;

			if (nfj_pick(e, rules + i + run,
				     min(n - i - run, NFJ_AHEAD),
				     &dummy) != NFJ_NODIM)
				break;
			run++;
		}
		next = nfj_label(e);
		if (run > 1 && (s64)rules[i + run - 1] < e->last_open)
			nfj_emit_entry(e, rules[i + run - 1], next);
		if (run > 1 && e->opts & NFJ_OPT_COMMON)
			nfj_common(e, rules + i, run, next);
		/* leaves of the last run leave at once */
		miss = i + run == n ? NFJ_LABEL_EXIT : next;
		if (d == NFJ_NODIM ||
		    !nfj_search_dim(e, &a, rules + i, run, d, 0, miss))
			nfj_linear(e, rules + i, run, miss);
		nfj_bind(e, next);
		nfj_forget(e);
	}
	kvfree(a.mem);
	return e->err;
}
