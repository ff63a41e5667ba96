// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entries one after the other: the plain way, and the leaves of every search.
 *
 * Within an entry the tests that fail most come first: equality, then intervals,
 * and what says that a field exists at all comes last, as reading a field that
 * does not exist does no harm.
 *
 * Where the start may lie among the entries it is found by a binary search in
 * front of them (NFJ_OPT_START), so that to resume behind entry 50 of 100 does
 * not walk over 50 of them:
 *
 *	start <= 3 ? goto 3
 *	start > 8 ? goto more
 *	goto 8
 *   more: ...
 *   3: tests of entry 3, match
 *   8: tests of entry 8, match
 *
 * Preserves: order and start.  An entry is left out only when a test of it is
 * known to fail; one that always matches ends the list.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include "../emit/emit.h"

#define NFJ_RANKS	4

/* In longer lists numbers are loaded anew for each test: the verifier learns
 * from a test what a register holds, and would follow each entry once for each
 * earlier one that may have failed at its second test.
 */
#define NFJ_KEEP_MAX	8

static unsigned int nfj_rank(const struct nfj_test *t)
{
	if (nfj_key_is_guard(t->off))
		return 3;
	if (t->kind == NFJ_OUT || t->kind == NFJ_WIDE_OUT ||
	    t->kind == NFJ_SET_OUT)
		return 2;
	return t->kind == NFJ_IN && t->lo == t->hi && t->size > 1 ? 0 : 1;
}

/* Is it known whether an entry matches? */
static enum nfj_known nfj_entry_known(const struct nfj_emit *e, u32 r)
{
	const struct nfj_test *t, *end = nfj_entry_end(e, r);
	enum nfj_known known = NFJ_TRUE;

	for (t = nfj_entry_tests(e, r); t < end; t += t->n) {
		switch (nfj_dim_known(e, t)) {
		case NFJ_FALSE:
			return NFJ_FALSE;
		case NFJ_UNKNOWN:
			known = NFJ_UNKNOWN;
			break;
		default:
			break;
		}
	}
	return known;
}

static void nfj_linear_entry(struct nfj_emit *e, u32 r, bool start)
{
	const struct nfj_test *t, *end = nfj_entry_end(e, r);
	u32 rank, fail = nfj_label(e);

	if (start)
		nfj_emit_skip(e, r, fail, false);
	for (rank = 0; rank < NFJ_RANKS; rank++)
		for (t = nfj_entry_tests(e, r); t < end; t += t->n)
			if (nfj_rank(t) == rank &&
			    nfj_dim_known(e, t) != NFJ_TRUE)
				nfj_emit_test(e, t, fail);
	nfj_emit_match(e, r);
	nfj_bind(e, fail);
}

/* Go to the first of entries lo .. hi that is not before the start; the last one
 * isn't when all others are.
 */
static void nfj_dispatch(struct nfj_emit *e, const u32 *entries,
			 const u32 *start, u32 lo, u32 hi)
{
	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2, right = nfj_label(e);

		nfj_emit_skip(e, entries[mid], right, true);
		nfj_dispatch(e, entries, start, lo, mid);
		nfj_bind(e, right);
		lo = mid + 1;
	}
	nfj_goto(e, start[lo]);
}

/**
 * nfj_linear - emit entries in order
 * @e: the program
 * @entries: their numbers, ascending
 * @n: how many
 * @next: where to go when none matches
 *
 * Return: true when one of the entries always matches.
 */
bool nfj_linear(struct nfj_emit *e, const u32 *entries, u32 n, u32 next)
{
	bool ended = false, find, afresh = e->afresh;
	u32 i, m = 0, open = 0, *live, *start, behind;

	live = kvmalloc_array(2 * n + 2, sizeof(*live), GFP_KERNEL);
	if (!live) {
		e->err = -ENOMEM;
		return false;
	}
	start = live + n + 1;
	for (i = 0; i < n && !ended; i++) {
		enum nfj_known known = nfj_entry_known(e, entries[i]);

		if (known == NFJ_FALSE)
			continue;
		live[m++] = entries[i];
		if ((s64)entries[i] <= e->last_open)
			open++;
		else
			ended = known == NFJ_TRUE;
	}
	find = e->opts & NFJ_OPT_START && open > 1;
	if (find) {
		for (i = 0; i <= open; i++)
			start[i] = nfj_label(e);
		behind = nfj_label(e);
		/* most packets come here for the first time */
		nfj_emit_skip(e, live[0], behind, false);
		nfj_goto(e, start[0]);
		nfj_bind(e, behind);
		nfj_dispatch(e, live, start, 1, open);
	}
	e->afresh |= m > NFJ_KEEP_MAX;
	for (i = 0; i < m; i++) {
		if (find && i <= open)
			nfj_bind(e, start[i]);
		nfj_linear_entry(e, live[i], !find && i < open);
	}
	e->afresh = afresh;
	if (find && open == m)
		nfj_bind(e, start[m]);
	if (!ended)
		nfj_goto(e, next);
	kvfree(live);
	return ended;
}
