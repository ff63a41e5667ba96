// SPDX-License-Identifier: GPL-2.0-only
/*
 * Storage of the IMR: growing arrays of entries, tests, intervals and fills.
 */
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <nft_bpfjit/imr.h>

/**
 * nfj_ir_init - make an empty chain
 * @ir: what to initialise
 */
void nfj_ir_init(struct nfj_ir *ir)
{
	memset(ir, 0, sizeof(*ir));
}

/**
 * nfj_ir_free - release what a chain holds
 * @ir: the chain; empty and usable again afterwards
 */
void nfj_ir_free(struct nfj_ir *ir)
{
	kvfree(ir->entries);
	kvfree(ir->tests);
	kvfree(ir->ivals);
	kvfree(ir->fills);
	nfj_ir_init(ir);
}

/**
 * nfj_ir_add_entry - append an entry without tests
 * @ir: the chain
 *
 * It is a rule of its own, and followed by the next, until the caller says else.
 *
 * Return: the entry, valid until the next call, or NULL without memory.
 */
struct nfj_entry *nfj_ir_add_entry(struct nfj_ir *ir)
{
	struct nfj_entry *entry;

	if (nfj_room((void **)&ir->entries, &ir->entries_max, ir->nentries, 1,
		     sizeof(*entry)))
		return NULL;
	entry = &ir->entries[ir->nentries++];
	memset(entry, 0, sizeof(*entry));
	entry->first = ir->ntests;
	entry->next = ir->nentries;
	if (ir->nentries > 1)
		entry->rule = ir->entries[ir->nentries - 2].rule + 1;
	return entry;
}

/**
 * nfj_ir_push_test - append one chunk of a test, for test.c alone
 * @ir: the chain
 * @test: the chunk; the caller keeps count in nfj_entry::ntests
 *
 * Return: 0 or -ENOMEM.
 */
int nfj_ir_push_test(struct nfj_ir *ir, const struct nfj_test *test)
{
	if (nfj_room((void **)&ir->tests, &ir->tests_max, ir->ntests, 1,
		     sizeof(*test)))
		return -ENOMEM;
	ir->tests[ir->ntests++] = *test;
	return 0;
}

/**
 * nfj_ir_add_ival - append an interval to the set that is being made
 * @ir: the chain
 * @lo: lowest number, above those of the set so far
 * @hi: highest number
 *
 * The caller notes nfj_ir::nivals before the first one and adds the test, which
 * refers to them, after the last.
 *
 * Return: 0 or -ENOMEM.
 */
int nfj_ir_add_ival(struct nfj_ir *ir, u64 lo, u64 hi)
{
	if (nfj_room((void **)&ir->ivals, &ir->ivals_max, ir->nivals, 1,
		     sizeof(*ir->ivals)))
		return -ENOMEM;
	ir->ivals[ir->nivals++] = (struct nfj_ival){ lo, hi };
	return 0;
}

/**
 * nfj_ir_add_fill - append a register word that a residue reads
 * @ir: the chain
 * @fill: the word; the caller keeps count in nfj_entry::nfills
 *
 * Return: 0 or -ENOMEM.
 */
int nfj_ir_add_fill(struct nfj_ir *ir, const struct nfj_fill *fill)
{
	if (nfj_room((void **)&ir->fills, &ir->fills_max, ir->nfills, 1,
		     sizeof(*fill)))
		return -ENOMEM;
	ir->fills[ir->nfills++] = *fill;
	return 0;
}

/* Append many at once to an array */
static int nfj_extend(void **to, u32 *n, u32 *max, const void *from, u32 many,
		      size_t size)
{
	int err;

	if (!many)
		return 0;
	err = nfj_room(to, max, *n, many, size);
	if (err)
		return err;
	memcpy(*to + *n * size, from, many * size);
	*n += many;
	return 0;
}

/**
 * nfj_ir_append - append rules of another chain, as they are
 * @ir: the chain
 * @from: the other one, of the same family
 * @first: first entry, where a rule begins
 * @last: behind the last entry, where another rule begins
 *
 * Taint, cost and residue are the caller's, since they are the whole chain's.
 *
 * Return: 0, -ENOMEM, or -E2BIG; then @ir is good for nothing but to be freed.
 */
int nfj_ir_append(struct nfj_ir *ir, const struct nfj_ir *from, u32 first,
		  u32 last)
{
	const u32 nentries = ir->nentries, ntests = ir->ntests;
	const u32 nivals = ir->nivals, nfills = ir->nfills;
	u32 fill = U32_MAX, fill_end = 0, lo = U32_MAX, hi = 0;
	u32 test, end, i, rule;
	int err;

	if (first == last)
		return 0;
	test = from->entries[first].first;
	end = last < from->nentries ? from->entries[last].first : from->ntests;
	for (i = test; i < end; i++) {
		const struct nfj_test *t = &from->tests[i];

		if (!nfj_test_is_set(t))
			continue;
		if (t->lo < lo)
			lo = t->lo;
		if (t->lo + t->hi > hi)
			hi = t->lo + t->hi;
	}
	for (i = first; i < last; i++) {
		const struct nfj_entry *r = &from->entries[i];

		if (!r->nfills)
			continue;
		if (r->fill < fill)
			fill = r->fill;
		if (r->fill + r->nfills > fill_end)
			fill_end = r->fill + r->nfills;
	}
	err = nfj_extend((void **)&ir->entries, &ir->nentries, &ir->entries_max,
			 &from->entries[first], last - first,
			 sizeof(*ir->entries));
	if (!err && test < end)
		err = nfj_extend((void **)&ir->tests, &ir->ntests,
				 &ir->tests_max, &from->tests[test],
				 end - test, sizeof(*ir->tests));
	if (!err && fill < fill_end)
		err = nfj_extend((void **)&ir->fills, &ir->nfills,
				 &ir->fills_max, &from->fills[fill],
				 fill_end - fill, sizeof(*ir->fills));
	if (!err && lo < hi)
		err = nfj_extend((void **)&ir->ivals, &ir->nivals,
				 &ir->ivals_max, &from->ivals[lo], hi - lo,
				 sizeof(*ir->ivals));
	if (err)
		return err;

	rule = nentries ? ir->entries[nentries - 1].rule + 1 : 0;
	rule -= from->entries[first].rule;
	for (i = nentries; i < ir->nentries; i++) {
		ir->entries[i].first += ntests - test;
		ir->entries[i].next += nentries - first;
		ir->entries[i].rule += rule;
		if (ir->entries[i].nfills)
			ir->entries[i].fill += nfills - fill;
	}
	for (i = ntests; lo < hi && i < ir->ntests; i++)
		if (nfj_test_is_set(&ir->tests[i]))
			ir->tests[i].lo += (u64)nivals - lo;
	return 0;
}
