// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests in normal form: the one place that makes them.
 *
 * What a caller asks for is "x & mask lies between lo and hi", or does not, with
 * whatever bounds come out of an expression.  But x & mask takes few values, and
 * passes and emitter work with numbers that may have more bits than one test's
 * mask (passes/dim.c): they rely on bounds that x & mask can reach.  So bounds are
 * rounded to the mask here, and what holds for any packet, or for none, never
 * becomes a test:
 *
 *	mask 0x0c: x & mask is one of 0, 4, 8, 12
 *
 *	asked for	becomes
 *	in [1, 9]	in [4, 8]
 *	in [5, 7]	can't hold
 *	in [0, 15]	nothing: always holds
 *	out [0, 5]	in [8, 12]
 *	out [4, 8]	out [4, 8]
 *	in {0, 4, 9-11, 12}	in {[0, 4], [12, 12]}
 *
 * Without it "in [1, 4]" under the mask 4, where only 4 is left, would be taken
 * for [1, 7] next to a test of the same number under the mask 7.
 *
 * nfj_test_normal() says what normal means, for the tests of this project, and for
 * the passes, which refuse what is not.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <nft_bpfjit/imr.h>

/* All bits from the highest one of a number down */
static u64 nfj_below(u64 v)
{
	unsigned int s;

	for (s = 1; s < 64; s *= 2)
		v |= v >> s;
	return v;
}

/* The lowest number within the mask that is not below @v; false when none is */
static bool nfj_mask_up(u64 mask, u64 v, u64 *to)
{
	u64 extra = v & ~mask, bit;

	*to = v;
	if (!extra)
		return true;
	/* the lowest bit that can be set above those that can't */
	bit = mask & ~v & ~nfj_below(extra);
	bit &= -bit;
	*to = (v & ~nfj_below(bit)) | bit;
	return bit;
}

/* The highest number within the mask that is not above @v */
static u64 nfj_mask_down(u64 mask, u64 v)
{
	u64 extra = nfj_below(v & ~mask);

	return (v & ~extra) | (mask & (extra >> 1));
}

/* Round an interval to the mask; false when nothing is left of it */
static bool nfj_round(u64 mask, struct nfj_ival *v)
{
	if (!nfj_mask_up(mask, v->lo, &v->lo))
		return false;
	v->hi = nfj_mask_down(mask, v->hi);
	return v->lo <= v->hi;
}

/* The number within the mask that comes next; the mask itself has none */
static u64 nfj_mask_next(u64 mask, u64 v)
{
	return ((v | ~mask) + 1) & mask;
}

/* Is it a naturally aligned chunk of the key, with a mask that has bits of it? */
static bool nfj_chunk_normal(const struct nfj_test *t)
{
	if ((t->size != 1 && t->size != 2 && t->size != 4 && t->size != 8) ||
	    t->order > NFJ_BE || t->off % t->size ||
	    t->off + t->size > sizeof(struct nfj_key))
		return false;
	return t->mask && (t->size == 8 || !(t->mask >> 8 * t->size));
}

static bool nfj_set_normal(const struct nfj_ir *ir, const struct nfj_test *t)
{
	const struct nfj_ival *v;
	u64 i;

	if (t->hi < 2 || t->lo > ir->nivals || t->hi > ir->nivals - t->lo)
		return false;
	v = &ir->ivals[t->lo];
	for (i = 0; i < t->hi; i++) {
		if (v[i].lo > v[i].hi || (v[i].lo | v[i].hi) & ~t->mask)
			return false;
		/* a number that is in neither of the two */
		if (i && (v[i - 1].hi >= v[i].lo ||
			  nfj_mask_next(t->mask, v[i - 1].hi) >= v[i].lo))
			return false;
	}
	return true;
}

/**
 * nfj_test_normal - is a test as this file makes them?
 * @ir: the chain whose intervals it may refer to
 * @t: the test, of a wide one the first chunk
 * @n: chunks from there on that belong to the entry
 *
 * Return: how many chunks it has, or 0 when it is not normal.
 */
u32 nfj_test_normal(const struct nfj_ir *ir, const struct nfj_test *t, u32 n)
{
	bool any = true, point = true, less = false;
	u32 i;

	if (!n || !t->n || t->n > n || !nfj_chunk_normal(t))
		return 0;
	if (nfj_test_is_set(t))
		return t->n == 1 && nfj_set_normal(ir, t);
	for (i = 0; i < t->n; i++) {
		const struct nfj_test *c = &t[i];

		if (c->kind != t->kind || c->n != t->n - i ||
		    !nfj_chunk_normal(c) || (c->lo | c->hi) & ~c->mask)
			return 0;
		/* the first chunks that differ say which bound is lower */
		if (c->lo > c->hi && !less)
			return 0;
		less |= c->lo < c->hi;
		point &= c->lo == c->hi;
		any &= !c->lo && c->hi == c->mask;
	}
	if (any)
		return 0;
	switch (t->kind) {
	case NFJ_IN:
		return t->n == 1;
	case NFJ_OUT:
		/* at the edge it is inside of what is left */
		return t->n == 1 && t->lo && t->hi != t->mask;
	case NFJ_WIDE_IN:
		/* a point is a test for each chunk */
		return t->n > 1 && !point ? t->n : 0;
	case NFJ_WIDE_OUT:
		return t->n > 1 ? t->n : 0;
	default:
		return 0;
	}
}

/**
 * nfj_test_same - do two tests say the same?
 * @a: a test, or one chunk of a wide one
 * @av: intervals that it may refer to
 * @b: another
 * @bv: intervals that the other one may refer to
 *
 * Return: false when they may differ.
 */
bool nfj_test_same(const struct nfj_test *a, const struct nfj_ival *av,
		   const struct nfj_test *b, const struct nfj_ival *bv)
{
	if (a->kind != b->kind || a->n != b->n || a->off != b->off ||
	    a->size != b->size || a->order != b->order || a->mask != b->mask ||
	    a->hi != b->hi)
		return false;
	if (a->lo == b->lo && (!nfj_test_is_set(a) || av == bv))
		return true;
	return nfj_test_is_set(a) &&
	       !memcmp(&av[a->lo], &bv[b->lo], a->hi * sizeof(*av));
}

/* The part of two intervals of one number that both have; true when @add need
 * not become a test of its own, as it is in one that the entry has.
 */
static bool nfj_test_meet(struct nfj_ir *ir, const struct nfj_entry *entry,
			  const struct nfj_test *add, int *err)
{
	struct nfj_test *t;
	u32 i;

	for (i = entry->first; i < ir->ntests; i += t->n) {
		t = &ir->tests[i];
		if (t->kind != NFJ_IN || t->off != add->off ||
		    t->size != add->size || t->order != add->order ||
		    t->mask != add->mask)
			continue;
		t->lo = max(t->lo, add->lo);
		t->hi = min(t->hi, add->hi);
		*err = t->lo > t->hi ? -ERANGE : 0;
		return true;
	}
	return false;
}

/**
 * nfj_ir_add_test - append a normal test to the last entry of a chain
 * @ir: the chain
 * @entry: its last entry
 * @add: the test, all its chunks; a set refers to intervals of @ir
 *
 * Two intervals on the same number become their intersection, so that a length
 * guard stands once and "dport >= 10 dport <= 20" is one test.
 *
 * Return: 0; -ENOMEM; -ERANGE when the entry can no longer match; -EBADMSG for a
 * test that is not normal.
 */
int nfj_ir_add_test(struct nfj_ir *ir, struct nfj_entry *entry,
		    const struct nfj_test *add)
{
	u32 n = nfj_test_normal(ir, add, add->n), i;
	int err;

	if (NFJ_REFUSE(!n))
		return -EBADMSG;
	if (add->kind == NFJ_IN && nfj_test_meet(ir, entry, add, &err))
		return err;
	for (i = 0; i < n; i++) {
		err = nfj_ir_push_test(ir, &add[i]);
		if (err)
			return err;
		entry->ntests++;
	}
	return 0;
}

/**
 * nfj_ir_add_range - append that a number is in an interval, or is not
 * @ir: the chain
 * @entry: its last entry
 * @num: the number: nfj_test::off, size, order and mask, the rest is not read
 * @lo: lowest value of x & mask; any number
 * @hi: highest value; any number
 * @in: true: it is to be in there, false: outside of it
 *
 * Return: 0, also when that holds for any packet and nothing is added; -ENOMEM;
 * -ERANGE when it can't hold, or no longer with the entry's other tests; -EBADMSG
 * when @num is no number of the key.
 */
int nfj_ir_add_range(struct nfj_ir *ir, struct nfj_entry *entry,
		     const struct nfj_test *num, u64 lo, u64 hi, bool in)
{
	struct nfj_test t = *num;
	struct nfj_ival v = { lo, hi };

	if (!nfj_round(t.mask, &v))
		return in ? -ERANGE : 0;
	if (!v.lo && v.hi == t.mask)
		return in ? 0 : -ERANGE;
	t.n = 1;
	t.kind = NFJ_IN;
	t.lo = v.lo;
	t.hi = v.hi;
	if (!in && !v.lo) {
		/* outside at the edge is inside of what is left */
		t.lo = nfj_mask_next(t.mask, v.hi);
		t.hi = t.mask;
	} else if (!in && v.hi == t.mask) {
		t.lo = 0;
		t.hi = (v.lo - 1) & t.mask;
	} else if (!in) {
		t.kind = NFJ_OUT;
	}
	return nfj_ir_add_test(ir, entry, &t);
}

/**
 * nfj_ir_add_set - append that a number is in one of some intervals, or in none
 * @ir: the chain
 * @entry: its last entry
 * @num: the number, as of nfj_ir_add_range()
 * @v: intervals of x & mask in the order of their lower bounds; they may overlap
 * @n: how many
 * @in: true: it is to be in one of them, false: in none
 *
 * Return: as nfj_ir_add_range().
 */
int nfj_ir_add_set(struct nfj_ir *ir, struct nfj_entry *entry,
		   const struct nfj_test *num, const struct nfj_ival *v, u32 n,
		   bool in)
{
	const u32 first = ir->nivals;
	struct nfj_test t = *num;
	struct nfj_ival *last;
	u32 i, count;
	int err;

	for (i = 0; i < n; i++) {
		struct nfj_ival next = v[i];

		if (!nfj_round(t.mask, &next))
			continue;
		last = ir->nivals > first ? &ir->ivals[ir->nivals - 1] : NULL;
		if (last && (last->hi == t.mask ||
			     next.lo <= nfj_mask_next(t.mask, last->hi))) {
			last->hi = max(last->hi, next.hi);
			continue;
		}
		err = nfj_ir_add_ival(ir, next.lo, next.hi);
		if (err)
			return err;
	}
	count = ir->nivals - first;
	if (count < 2) {
		struct nfj_ival one = { 1, 0 };

		if (count)
			one = ir->ivals[first];
		ir->nivals = first;
		if (!count)
			return in ? -ERANGE : 0;
		return nfj_ir_add_range(ir, entry, num, one.lo, one.hi, in);
	}
	t.n = 1;
	t.kind = in ? NFJ_SET_IN : NFJ_SET_OUT;
	t.lo = first;
	t.hi = count;
	return nfj_ir_add_test(ir, entry, &t);
}

/**
 * nfj_ir_add_wide - append that a number of several chunks is in an interval
 * @ir: the chain
 * @entry: its last entry
 * @num: the chunks, the most significant one first: nfj_test::off, size, order,
 *	 mask, and the bounds lo and hi, each within its mask; kind and n are set
 * @n: how many
 * @in: true: it is to be in there, false: outside of it
 *
 * Return: as nfj_ir_add_range().
 */
int nfj_ir_add_wide(struct nfj_ir *ir, struct nfj_entry *entry,
		    struct nfj_test *num, u32 n, bool in)
{
	bool any = true, point = true;
	int err = 0, cmp = 0;
	u32 i;

	for (i = 0; i < n; i++) {
		num[i].kind = in ? NFJ_WIDE_IN : NFJ_WIDE_OUT;
		num[i].n = n - i;
		if (!cmp && num[i].lo != num[i].hi)
			cmp = num[i].lo < num[i].hi ? -1 : 1;
		any &= !num[i].lo && num[i].hi == num[i].mask;
		point &= num[i].lo == num[i].hi;
	}
	if (cmp > 0)
		return in ? -ERANGE : 0;
	if (any)
		return in ? 0 : -ERANGE;
	if (n == 1)
		return nfj_ir_add_range(ir, entry, num, num->lo, num->hi, in);
	if (!in || !point)
		return nfj_ir_add_test(ir, entry, num);
	/* all chunks are what they are to be: a test each */
	for (i = 0; i < n && !err; i++)
		err = nfj_ir_add_range(ir, entry, &num[i], num[i].lo,
				       num[i].hi, true);
	return err;
}

/**
 * nfj_ir_normal - are all tests of a chain normal?
 * @ir: the chain
 *
 * Return: false when one of them isn't.
 */
bool nfj_ir_normal(const struct nfj_ir *ir)
{
	u32 e, i, n;

	for (e = 0; e < ir->nentries; e++) {
		const struct nfj_entry *entry = &ir->entries[e];

		for (i = 0; i < entry->ntests; i += n) {
			n = nfj_test_normal(ir, &ir->tests[entry->first + i],
					    entry->ntests - i);
			if (!n)
				return false;
		}
	}
	return true;
}
