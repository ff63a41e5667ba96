// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interval tables: very many entries that each test one number by an interval
 * (prefixes, ranges, values), and otherwise the same, become a sorted table.
 *
 *	ip saddr 10.0.0.0/8 drop		lows	entry
 *	ip saddr 10.1.0.0/16 accept		0	none
 *	ip saddr 11.0.0.0/24 drop		10.0.0.0	0
 *						11.0.0.0	2
 *						11.0.1.0	none
 *
 * Between two neighbouring ends the same entries apply to every packet, and the
 * first of them counts: entries are painted in chain order, each where no earlier
 * one was.  (Entry 1 above can't match: it never decides.)
 *
 * Where a start may lie behind an entry, what that entry hides might count after
 * all: an entry that overlaps with such a one is handed back.
 *
 * Preserves: the first entry >= start that matches, of those that are not handed
 * back.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include "../emit/emit.h"

#define NFJ_IVALS_MIN	512	/* fewer are a tree, which is quicker */

static int nfj_cmp_u32(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

/* The only test of an entry on a number that is not about existence */
static const struct nfj_test *nfj_ivals_test(const struct nfj_emit *e, u32 entry)
{
	const struct nfj_test *t, *end = nfj_entry_end(e, entry), *found = NULL;

	for (t = nfj_entry_tests(e, entry); t < end; t += t->n) {
		if (t->kind != NFJ_IN || nfj_test_dim(e, t) == NFJ_NODIM ||
		    nfj_key_is_guard(t->off) || t->size == 1)
			continue;
		if (found || t->size > 4)
			return NULL;
		found = t;
	}
	return found;
}

/* Does the entry differ from a reference only in its interval? */
static bool nfj_ivals_fits(const struct nfj_emit *e, u32 entry, u32 ref,
			   u32 test)
{
	const struct nfj_test *a = nfj_entry_tests(e, ref);
	const struct nfj_test *b = nfj_entry_tests(e, entry);
	u32 i, n = nfj_entry_ntests(e, ref);

	if (nfj_entry_ntests(e, entry) != n)
		return false;
	for (i = 0; i < n; i++) {
		if (i == test) {
			if (b[i].kind != NFJ_IN ||
			    nfj_test_dim(e, &b[i]) != nfj_test_dim(e, &a[i]))
				return false;
		} else if (!nfj_emit_same(e, &a[i], &b[i])) {
			return false;
		}
	}
	return true;
}

/* Index of the interval that starts at a value, or of the one it is in */
static u32 nfj_ivals_find(const u32 *low, u32 n, u32 val)
{
	u32 lo = 0, hi = n;

	while (hi - lo > 1) {
		u32 mid = lo + (hi - lo) / 2;

		if (low[mid] <= val)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

/* First interval from i on without an entry; @skip leads there */
static u32 nfj_ivals_blank(u32 *skip, u32 i)
{
	while (skip[i] != i) {
		skip[i] = skip[skip[i]];
		i = skip[i];
	}
	return i;
}

/* Lower ends of the elementary intervals, the first is 0 */
static u32 nfj_ivals_ends(const struct nfj_emit *e, const u32 *entries, u32 n,
			  const struct nfj_sorted *s, u32 *low)
{
	u64 max = s->mask, lo, hi;
	u32 i, m = 0, k = 0;

	low[m++] = 0;
	for (i = 0; i < n; i++) {
		nfj_test_hull(e, nfj_entry_tests(e, entries[i]) + s->test, &lo,
			      &hi);
		low[m++] = lo;
		if (hi < max)
			low[m++] = hi + 1;
	}
	sort(low, m, sizeof(*low), nfj_cmp_u32, NULL);
	for (i = 0; i < m; i++)
		if (!i || low[i] != low[i - 1])
			low[k++] = low[i];
	return k;
}

/* Paint an entry's interval; false when that would hide it from some start */
static bool nfj_ivals_paint(const struct nfj_emit *e, u32 entry,
			    const struct nfj_sorted *s, const u32 *low, u32 n,
			    u32 *val, u32 *skip)
{
	u32 i, first, last;
	u64 lo, hi;

	nfj_test_hull(e, nfj_entry_tests(e, entry) + s->test, &lo, &hi);
	first = nfj_ivals_find(low, n, lo);
	last = nfj_ivals_find(low, n, hi);
	for (i = first; s->start && i <= last; i++)
		if (val[i] != NFJ_NONE && (s64)val[i] <= e->last_open)
			return false;
	for (i = nfj_ivals_blank(skip, first); i <= last;
	     i = nfj_ivals_blank(skip, i)) {
		val[i] = entry;
		skip[i] = i + 1;
	}
	return true;
}

static void nfj_ivals_write(struct nfj_emit *e, struct nfj_sorted *s,
			    const u32 *low, const u32 *val, u32 n)
{
	u32 i, k = 0, m = 0, *lows, *vals;

	for (i = 0; i < n; i++)
		m += !i || val[i] != val[i - 1];
	s->n = m;
	s->lows_at = nfj_emit_data(e, m * sizeof(u32), 8);
	s->vals_at = nfj_emit_data(e, m * sizeof(u32), 4);
	if (e->err)
		return;
	lows = (u32 *)(e->out->data + s->lows_at);
	vals = (u32 *)(e->out->data + s->vals_at);
	for (i = 0; i < n; i++) {
		if (i && val[i] == val[i - 1])
			continue;
		lows[k] = i ? low[i] - 1 : 0;
		vals[k++] = val[i];
	}
}

/* An entry whose like are many enough for a table, to which @test refers; NFJ_NONE
 * if there is none.
 */
static u32 nfj_ivals_ref(const struct nfj_emit *e, const u32 *entries, u32 n,
			 u32 *test, u32 *nin)
{
	const struct nfj_test *t;
	u32 i, k, ref;

	*nin = 0;
	if (!(e->opts & NFJ_OPT_IVALS) || n < NFJ_IVALS_MIN)
		return NFJ_NONE;
	for (k = 0; k < 2; k++) {
		ref = entries[k ? n / 2 : 0];
		t = nfj_ivals_test(e, ref);
		if (!t)
			continue;
		*test = t - nfj_entry_tests(e, ref);
		for (i = 0, *nin = 0; i < n; i++)
			*nin += nfj_ivals_fits(e, entries[i], ref, *test);
		if (*nin >= NFJ_IVALS_MIN)
			return ref;
	}
	return NFJ_NONE;
}

/**
 * nfj_ivals_left - which entries would not be in a table?
 * @e: the program
 * @entries: their numbers, ascending
 * @n: how many
 * @left: those entries, but for some that nfj_ivals_build() hands back as well;
 *	  room for @n
 *
 * Return: how many: @n when there would be no table.
 */
u32 nfj_ivals_left(const struct nfj_emit *e, const u32 *entries, u32 n,
		   u32 *left)
{
	u32 i, test, nin, nleft = 0;
	u32 ref = nfj_ivals_ref(e, entries, n, &test, &nin);

	if (ref == NFJ_NONE || nin < n - n / 2)
		return n;
	for (i = 0; i < n; i++)
		if (!nfj_ivals_fits(e, entries[i], ref, test))
			left[nleft++] = entries[i];
	return nleft;
}

/**
 * nfj_ivals_build - make a table of those entries that suit one
 * @e: the program
 * @entries: their numbers, ascending
 * @n: how many
 * @s: the table
 * @left: entries that are not in it, ascending; room for @n
 *
 * Return: how many are left: @n when there is no table.
 */
u32 nfj_ivals_build(struct nfj_emit *e, const u32 *entries, u32 n,
		    struct nfj_sorted *s, u32 *left)
{
	const struct nfj_dim *d;
	u32 i, k, m = 0, nleft = 0, nin, *in, *low, *val, *skip;

	memset(s, 0, sizeof(*s));
	s->entry = nfj_ivals_ref(e, entries, n, &s->test, &nin);
	if (s->entry == NFJ_NONE)
		goto none;
	d = &e->dim[nfj_test_dim(e, nfj_entry_tests(e, s->entry) + s->test)];
	s->off = d->off;
	s->size = d->size;
	s->order = d->order;
	s->mask = d->mask;

	low = kvmalloc_array(2 * nin + 1, sizeof(*low), GFP_KERNEL);
	val = kvmalloc_array(2 * nin + 1, sizeof(*val), GFP_KERNEL);
	skip = kvmalloc_array(2 * nin + 2, sizeof(*skip), GFP_KERNEL);
	in = kvmalloc_array(nin, sizeof(*in), GFP_KERNEL);
	if (!low || !val || !skip || !in) {
		e->err = -ENOMEM;
		goto out;
	}
	nin = 0;
	for (i = 0; i < n; i++)
		if (nfj_ivals_fits(e, entries[i], s->entry, s->test))
			in[nin++] = entries[i];
	s->start = (s64)in[0] <= e->last_open;
	m = nfj_ivals_ends(e, in, nin, s, low);
	for (i = 0; i < m; i++) {
		val[i] = NFJ_NONE;
		skip[i] = i;
	}
	skip[m] = m;
	/* both lists are ascending */
	for (i = 0, k = 0; i < n; i++) {
		if (k < nin && entries[i] == in[k]) {
			k++;
			if (nfj_ivals_paint(e, entries[i], s, low, m, val, skip))
				continue;
		}
		left[nleft++] = entries[i];
	}
	/* what is left would have to be searched as well */
	if (nleft <= n / 2)
		nfj_ivals_write(e, s, low, val, m);
	else
		nin = 0;
out:
	kvfree(in);
	kvfree(skip);
	kvfree(val);
	kvfree(low);
	if (nin && !e->err)
		return nleft;
none:
	memcpy(left, entries, n * sizeof(*entries));
	return n;
}

/**
 * nfj_ivals_emit - emit the lookup in a table
 * @e: the program
 * @s: the table
 * @miss: as in nfj_emit_hash()
 */
void nfj_ivals_emit(struct nfj_emit *e, const struct nfj_sorted *s, u32 miss)
{
	const struct nfj_test *first = nfj_entry_tests(e, s->entry), *t;

	for (t = first; t < nfj_entry_end(e, s->entry); t += t->n)
		if (t != first + s->test && nfj_dim_known(e, t) != NFJ_TRUE)
			nfj_emit_test(e, t, miss);
	nfj_emit_sorted(e, s, miss);
}
