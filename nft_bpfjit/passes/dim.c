// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dimensions: the numbers that the tests of a program are about.
 *
 * Tests on the same chunk with masks that differ only in how many low bits
 * they leave out (prefixes) are about one number; each is an interval of it.
 * "10.0.0.0/8" and "10.1.2.3" both speak of the saddr, as 0x0a000000 ..
 * 0x0affffff and as 0x0a010203.  A mask with holes is a number of its own.
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

/* Give the chunks that are read most a register of their own */
static void nfj_dims_cache(struct nfj_emit *e)
{
	u8 reg = NFJ_REG_CACHE;
	u32 i;

	while (reg < NFJ_REG_CACHE + NFJ_CACHE_REGS) {
		struct nfj_dim *best = NULL;

		for (i = 0; i < e->ndims; i++) {
			struct nfj_dim *d = &e->dim[i];

			if (!d->reg && d->uses > 1 &&
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

/**
 * nfj_dims_init - collect the dimensions of a range of rules
 * @e: the program
 * @first: first rule
 * @last: behind the last rule
 *
 * Preserves: everything, it only looks.
 *
 * Return: 0 or -ENOMEM.
 */
int nfj_dims_init(struct nfj_emit *e, u32 first, u32 last)
{
	const struct nfj_ir *ir = e->ir;
	u32 r, i, n;

	e->base = first < last ? ir->rules[first].first : 0;
	n = first < last ? ir->rules[last - 1].first +
			   ir->rules[last - 1].ntests - e->base : 0;
	e->dim_of = kvmalloc(n + 1, GFP_KERNEL);
	if (!e->dim_of)
		return -ENOMEM;
	memset(e->dim_of, NFJ_NODIM, n + 1);
	for (r = first; r < last; r++) {
		const struct nfj_rule *rule = &ir->rules[r];

		for (i = rule->first; i < rule->first + rule->ntests; i++)
			e->dim_of[i - e->base] = nfj_dim_find(e, &ir->tests[i]);
	}
	if (e->opts & NFJ_OPT_LOADS)
		nfj_dims_cache(e);
	return 0;
}

/**
 * nfj_dim_interval - a test as an interval of its dimension
 * @e: the program
 * @t: the test
 * @lo: lowest value
 * @hi: highest value
 *
 * Return: false when the test isn't one interval of a dimension.
 */
bool nfj_dim_interval(const struct nfj_emit *e, const struct nfj_test *t,
		      u64 *lo, u64 *hi)
{
	u8 d = e->dim_of[t - e->ir->tests - e->base];

	if (t->kind != NFJ_IN || d == NFJ_NODIM)
		return false;
	*lo = t->lo;
	*hi = t->hi | (e->dim[d].mask & ~t->mask);
	return true;
}

/**
 * nfj_dim_test - a rule's interval test on a dimension
 * @e: the program
 * @rule: number of the rule
 * @d: number of the dimension
 *
 * Return: the test or NULL.
 */
const struct nfj_test *nfj_dim_test(const struct nfj_emit *e, u32 rule, u8 d)
{
	const struct nfj_rule *r = &e->ir->rules[rule];
	u32 i;

	for (i = r->first; i < r->first + r->ntests;
	     i += e->ir->tests[i].n)
		if (e->ir->tests[i].kind == NFJ_IN &&
		    e->dim_of[i - e->base] == d)
			return &e->ir->tests[i];
	return NULL;
}

/**
 * nfj_dim_known - is a test decided by what is known at this point?
 * @e: the program
 * @t: the test
 *
 * Return: enum nfj_known.
 */
enum nfj_known nfj_dim_known(const struct nfj_emit *e,
			     const struct nfj_test *t)
{
	const struct nfj_dim *d;
	u64 lo, hi;

	if (!nfj_dim_interval(e, t, &lo, &hi))
		return NFJ_UNKNOWN;
	d = &e->dim[e->dim_of[t - e->ir->tests - e->base]];
	if (d->lo >= lo && d->hi <= hi)
		return NFJ_TRUE;
	if (d->hi < lo || d->lo > hi)
		return NFJ_FALSE;
	return NFJ_UNKNOWN;
}
