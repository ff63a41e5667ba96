// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dimensions: the numbers that the tests of a program are about.
 *
 * Tests on the same chunk with masks that differ only in how many low bits
 * they leave out (prefixes) are about one number; each is an interval of it.
 * "10.0.0.0/8" and "10.1.2.3" both speak of the saddr, as 0x0a000000 ..
 * 0x0affffff and as 0x0a010203.  A mask with holes is a number of its own.
 *
 * A set is a union of intervals, and a wide test (a number of several chunks)
 * says something about its first chunk.
 *
 * While the program is written, each dimension carries the interval in which
 * its value is known to be at that point; a test that this decides is not
 * emitted.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "../emit/emit.h"

/* All bits up to the highest one of a mask, if the mask is just a prefix */
static u64 nfj_dim_mask(u64 mask)
{
	u64 all = mask, hole;
	unsigned int s;

	for (s = 1; s < 64; s *= 2)
		all |= all >> s;
	hole = all & ~mask;
	return hole & (hole + 1) ? mask : all;
}

#define NFJ_CACHE_USES	8	/* tests that are worth to save a register for */

static u8 nfj_dim_find(struct nfj_emit *e, const struct nfj_test *t)
{
	u64 mask = nfj_dim_mask(t->mask);
	struct nfj_dim *d;
	u32 i;

	for (i = 0; i < e->ndims; i++) {
		d = &e->dim[i];
		if (d->off == t->off && d->size == t->size &&
		    d->order == t->order && d->mask == mask) {
			d->uses++;
			return i;
		}
	}
	if (e->ndims == NFJ_DIMS)
		return NFJ_NODIM;
	d = &e->dim[e->ndims];
	memset(d, 0, sizeof(*d));
	d->off = t->off;
	d->size = t->size;
	d->order = t->order;
	d->mask = mask;
	d->hi = mask;
	d->uses = 1;
	return e->ndims++;
}

/* Give the chunks that are read most a register of their own.  r4 and r5 cost
 * nothing beyond the load, the others must be saved.
 */
static void nfj_dims_cache(struct nfj_emit *e)
{
	u8 reg = NFJ_REG_CACHE, end = NFJ_REG_CACHE + NFJ_CACHE_REGS;
	u32 i;

	/* packed leaves take one for themselves, and make use of the others when
	 * they are about values
	 */
	if (e->pack) {
		reg++;
		end = NFJ_REG_ZERO;
	}
	while (reg < end) {
		struct nfj_dim *best = NULL;
		u32 least = reg < BPF_REG_6 ? 1 : NFJ_CACHE_USES;

		for (i = 0; i < e->ndims; i++) {
			struct nfj_dim *d = &e->dim[i];

			if (e->pack && nfj_dim_guard(d))
				continue;
			if (!d->reg && d->uses > least &&
			    (!best || d->uses > best->uses))
				best = d;
		}
		if (!best)
			break;
		for (i = 0; i < e->ndims; i++)
			if (e->dim[i].off == best->off &&
			    e->dim[i].size == best->size &&
			    e->dim[i].order == best->order &&
			    &e->dim[i] != best)
				e->dim[i].reg = reg;
		best->reg = reg++;
	}
}

/* A prefix that ends at a byte is a test on fewer bytes: make it one on as many
 * as others test at that place, so that all are about one number.  @sizes has a
 * bit for each size of the tests at an offset.
 */
static void nfj_align(struct nfj_test *t, const u8 *sizes)
{
	u8 size, shift;

	if (t->order != NFJ_BE || (t->kind != NFJ_IN && t->kind != NFJ_OUT))
		return;
	for (size = 8; size > t->size; size /= 2)
		if (sizes[t->off] & size)
			break;
	shift = (size - t->size) * 8;
	t->size = size;
	t->mask <<= shift;
	t->lo <<= shift;
	t->hi <<= shift;
}

/* A value of several fields that others test apart ("tcp sport 1 tcp dport 2" is
 * loaded at once) is one for each: the half where a part of it is tested.
 */
static bool nfj_splits(const struct nfj_test *t, const u8 *sizes)
{
	return t->kind == NFJ_IN && t->lo == t->hi && t->order == NFJ_BE &&
	       t->size == 4 && sizes[t->off + 2] & 2;
}

/* Replace a test by those of its halves, as far as their mask has bits; how many */
static u32 nfj_split(struct nfj_test *t)
{
	struct nfj_test high = *t, low = *t;
	u32 n = 0;

	high.size = 2;
	high.mask >>= 16;
	high.lo >>= 16;
	high.hi = high.lo;
	low.size = 2;
	low.off += 2;
	low.mask = (u16)low.mask;
	low.lo = (u16)low.lo;
	low.hi = low.lo;
	if (high.mask)
		t[n++] = high;
	if (low.mask)
		t[n++] = low;
	return n;
}

/* Copy the tests of an entry, in the form in which most of them are about the same
 * numbers; a test becomes two at most.
 */
static u32 nfj_dims_copy(const struct nfj_ir *ir, u32 entry, const u8 *sizes,
			 struct nfj_test *to)
{
	const struct nfj_test *t = &ir->tests[ir->entries[entry].first];
	const struct nfj_test *end = t + ir->entries[entry].ntests;
	u32 n = 0, i;

	while (t < end) {
		struct nfj_test *chunk = &to[n];

		for (i = 0; i < t->n; i++)
			to[n++] = t[i];
		t += t->n;
		if (chunk->n == 1 && n == chunk - to + 1 &&
		    nfj_splits(chunk, sizes))
			n += nfj_split(chunk) - 1;
	}
	return n;
}

/* The sizes of the tests at each offset */
static void nfj_dims_sizes(const struct nfj_test *t, const struct nfj_test *end,
			   u8 *sizes)
{
	for (; t < end; t += t->n)
		if (t->order == NFJ_BE && t->kind <= NFJ_OUT)
			sizes[t->off] |= t->size;
}

/**
 * nfj_dims_init - collect the dimensions of a range of entries
 * @e: the program
 * @first: first entry
 * @last: behind the last entry
 *
 * Preserves: which packets match an entry.  Tests are put in other words only.
 *
 * Return: 0; -ENOMEM; or -EBADMSG for a test that is not normal (imr/test.c).
 */
int nfj_dims_init(struct nfj_emit *e, u32 first, u32 last)
{
	u8 sizes[sizeof(struct nfj_key)] = {};
	const struct nfj_ir *ir = e->ir;
	u32 r, i, n = 0;

	e->first = first;
	for (r = first; r < last; r++) {
		const struct nfj_entry *entry = &ir->entries[r];

		if (entry->flags & NFJ_ENTRY_DEAD || !entry->ntests)
			continue;
		n += entry->ntests;
		nfj_dims_sizes(&ir->tests[entry->first],
			       &ir->tests[entry->first + entry->ntests], sizes);
	}
	e->at = kvmalloc_array(last - first + 1, sizeof(*e->at), GFP_KERNEL);
	e->dim_of = kvmalloc(2 * n + 1, GFP_KERNEL);
	e->test = kvmalloc_array(2 * n + 1, sizeof(*e->test), GFP_KERNEL);
	if (!e->at || !e->dim_of || !e->test)
		return -ENOMEM;
	n = 0;
	for (r = first; r < last; r++) {
		e->at[r - first] = n;
		if (!(ir->entries[r].flags & NFJ_ENTRY_DEAD) &&
		    ir->entries[r].ntests)
			n += nfj_dims_copy(ir, r, sizes, &e->test[n]);
	}
	e->at[last - first] = n;
	memset(e->dim_of, NFJ_NODIM, n + 1);
	memset(sizes, 0, sizeof(sizes));
	nfj_dims_sizes(e->test, e->test + n, sizes);
	for (i = 0; i < n; i += e->test[i].n) {
		nfj_align(&e->test[i], sizes);
		/* all passes that follow rely on it */
		if (NFJ_REFUSE(!nfj_test_normal(ir, &e->test[i], n - i)))
			return -EBADMSG;
		e->dim_of[i] = nfj_dim_find(e, &e->test[i]);
	}
	if (e->opts & NFJ_OPT_LOADS)
		nfj_dims_cache(e);
	return 0;
}

/**
 * nfj_test_hull - where the number of a test must lie for it to hold
 * @e: the program
 * @t: the test
 * @lo: lowest value
 * @hi: highest value
 *
 * Return: false when a test says nothing of that kind about a dimension.
 */
bool nfj_test_hull(const struct nfj_emit *e, const struct nfj_test *t, u64 *lo,
		   u64 *hi)
{
	u8 d = nfj_test_dim(e, t);
	const struct nfj_ival *v;

	if (d == NFJ_NODIM)
		return false;
	switch (t->kind) {
	case NFJ_IN:
	case NFJ_WIDE_IN:
		*lo = t->lo;
		*hi = nfj_dim_high(&e->dim[d], t, t->hi);
		return true;
	case NFJ_SET_IN:
		v = &e->ir->ivals[t->lo];
		*lo = v[0].lo;
		*hi = nfj_dim_high(&e->dim[d], t, v[t->hi - 1].hi);
		return true;
	default:
		return false;
	}
}

/**
 * nfj_dim_test - an entry's interval test on a dimension
 * @e: the program
 * @entry: number of the entry
 * @d: number of the dimension
 *
 * Return: the test or NULL.
 */
const struct nfj_test *nfj_dim_test(const struct nfj_emit *e, u32 entry, u8 d)
{
	const struct nfj_test *t, *end = nfj_entry_end(e, entry);

	for (t = nfj_entry_tests(e, entry); t < end; t += t->n)
		if (t->kind == NFJ_IN && nfj_test_dim(e, t) == d)
			return t;
	return NULL;
}

/* What is known of the number lies in the set: all of it, a part, nothing */
static enum nfj_known nfj_known_set(const struct nfj_emit *e,
				    const struct nfj_dim *d,
				    const struct nfj_test *t)
{
	const struct nfj_ival *v = &e->ir->ivals[t->lo];
	u32 lo = 0, hi = t->hi;

	/* the first interval that does not end below */
	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (nfj_dim_high(d, t, v[mid].hi) < d->lo)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == t->hi || v[lo].lo > d->hi)
		return NFJ_FALSE;
	if (v[lo].lo <= d->lo && nfj_dim_high(d, t, v[lo].hi) >= d->hi)
		return NFJ_TRUE;
	return NFJ_UNKNOWN;
}

/**
 * nfj_dim_known - is a test decided by what is known at this point?
 * @e: the program
 * @t: the test, of a wide one the first chunk
 *
 * Return: enum nfj_known.
 */
enum nfj_known nfj_dim_known(const struct nfj_emit *e,
			     const struct nfj_test *t)
{
	u8 dim = nfj_test_dim(e, t);
	const struct nfj_dim *d;
	enum nfj_known known;
	u64 hi;

	if (dim == NFJ_NODIM)
		return NFJ_UNKNOWN;
	d = &e->dim[dim];
	if (nfj_test_is_set(t)) {
		known = nfj_known_set(e, d, t);
	} else {
		hi = nfj_dim_high(d, t, t->hi);
		if (d->lo >= t->lo && d->hi <= hi)
			known = NFJ_TRUE;
		else if (d->hi < t->lo || d->lo > hi)
			known = NFJ_FALSE;
		else
			known = NFJ_UNKNOWN;
	}
	switch (t->kind) {
	case NFJ_IN:
	case NFJ_SET_IN:
		return known;
	case NFJ_OUT:
	case NFJ_SET_OUT:
		return known == NFJ_UNKNOWN ? NFJ_UNKNOWN :
		       known == NFJ_TRUE ? NFJ_FALSE : NFJ_TRUE;
	case NFJ_WIDE_IN:
		/* the first chunk outside is enough, inside it is not */
		return known == NFJ_FALSE ? NFJ_FALSE : NFJ_UNKNOWN;
	default:
		return known == NFJ_FALSE ? NFJ_TRUE : NFJ_UNKNOWN;
	}
}

/**
 * nfj_dims_forget - nothing is known at this point
 * @e: the program
 */
void nfj_dims_forget(struct nfj_emit *e)
{
	u32 i;

	for (i = 0; i < e->ndims; i++) {
		e->dim[i].lo = 0;
		e->dim[i].hi = e->dim[i].mask;
	}
}
