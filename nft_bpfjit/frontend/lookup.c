// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lookups in sets that never change: anonymous ones, and verdict maps.
 *
 * An element is a comparison of registers, which value.c turns into tests.  Where
 * each element becomes an interval of one number of the flow key, the set becomes
 * one test:
 *
 *	tcp dport { 22, 80-81, 82 }	th[2..3] in { [22, 22], [80, 82] }
 *
 * and a verdict map becomes a case, later an entry, for each different verdict:
 *
 *	tcp dport vmap { 22 : accept, 80 : jump web, 443 : accept }
 *
 *	th[2..3] in { [22, 22], [443, 443] }	-> accept
 *	th[2..3] in { [80, 80] }		-> jump web
 *
 * Where it isn't one number (concatenations, IPv6 addresses, names) each element
 * is a case of its own.
 *
 * Elements come in the order in which nft finds them.  Those of a concatenation
 * with ranges may overlap, and the first that holds the key counts:
 *
 *	ip saddr . udp dport vmap { 10.8.0.5 . 0-65535 : accept,
 *				    10.8.0.0/24 . 0-65535 : drop }
 *
 * Cases keep that order, and the first one that matches leads over the others of
 * its rule.  Intervals of one number are sorted by their verdicts only where none
 * overlaps with another.
 *
 * All of it mirrors nft_lookup_eval(); what can't be translated stays a lookup.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/netfilter.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include "frontend.h"

#define NFJ_PRODUCT_MAX	1024	/* cases of a rule with several sets */
#define NFJ_OUT_MAX	32	/* elements that are left out one by one */

/* An element that is an interval of a number */
struct nfj_number {
	struct nfj_ival	v;
	s32		verdict;
	const void	*target;
};

static int nfj_ival_cmp(const void *a, const void *b)
{
	const struct nfj_ival *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

static int nfj_number_cmp(const void *a, const void *b)
{
	const struct nfj_number *x = a, *y = b;

	return nfj_ival_cmp(&x->v, &y->v);
}

static int nfj_number_verdict_cmp(const void *a, const void *b)
{
	const struct nfj_number *x = a, *y = b;

	if (x->verdict != y->verdict)
		return x->verdict < y->verdict ? -1 : 1;
	if (x->target != y->target)
		return (unsigned long)x->target < (unsigned long)y->target ?
		       -1 : 1;
	return nfj_number_cmp(a, b);
}

/* Does an element hold a number that another one holds, too?  Sorts them. */
static bool nfj_numbers_overlap(struct nfj_number *num, u32 n)
{
	u32 i;

	sort(num, n, sizeof(*num), nfj_number_cmp, NULL);
	for (i = 1; i < n; i++)
		if (num[i].v.lo <= num[i - 1].v.hi)
			return true;
	return false;
}

/* Begin a rule in a scratch chain, for an element's tests */
static int nfj_scratch_begin(struct nfj_ir *ir)
{
	ir->nentries = 0;
	ir->ntests = 0;
	ir->nivals = 0;
	return nfj_ir_add_entry(ir) ? 0 : -ENOMEM;
}

/* The tests of one element, to the rule @fe is at */
static int nfj_elem_tests(struct nfj_fe *fe, const struct nfj_set_in *set,
			  const struct nfj_elem_in *elem, unsigned int reg,
			  bool in)
{
	unsigned int i, at = 0;
	int res;

	for (i = 0; i < set->nfields; i++) {
		res = nfj_value_compare(fe, reg + at, set->field_len[i], in,
					elem->lo + at, elem->hi + at);
		if (res != NFJ_FE_PURE)
			return res;
		at += ALIGN(set->field_len[i], 4);
	}
	return NFJ_FE_PURE;
}

/* The same, to a rule of its own */
static int nfj_elem_scratch(struct nfj_fe *fe, const struct nfj_set_in *set,
			    const struct nfj_elem_in *elem, unsigned int reg,
			    struct nfj_ir *scratch)
{
	struct nfj_entry *entry = fe->entry;
	struct nfj_ir *ir = fe->ir;
	int res;

	res = nfj_scratch_begin(scratch);
	if (res)
		return res;
	fe->ir = scratch;
	fe->entry = &scratch->entries[0];
	res = nfj_elem_tests(fe, set, elem, reg, true);
	fe->ir = ir;
	fe->entry = entry;
	return res;
}

/* Elements as intervals of one number; size 0 in @t when they aren't */
static int nfj_set_numbers(struct nfj_fe *fe, const struct nfj_set_in *set,
			   unsigned int reg, struct nfj_ir *scratch,
			   struct nfj_number *num, u32 *count,
			   struct nfj_test *t)
{
	u32 n = set->nelems - set->catchall, i, k = 0;
	int res;

	memset(t, 0, sizeof(*t));
	for (i = 0; i < n; i++) {
		const struct nfj_elem_in *elem = &set->elems[i];
		const struct nfj_test *e = scratch->tests;

		res = nfj_elem_scratch(fe, set, elem, reg, scratch);
		if (res == NFJ_FE_NEVER)
			continue;
		if (res != NFJ_FE_PURE)
			return res;
		e = scratch->tests;
		if (scratch->ntests != 1 || e->kind != NFJ_IN)
			goto no_number;
		if (!t->size)
			*t = *e;
		if (e->off != t->off || e->size != t->size ||
		    e->order != t->order || e->mask != t->mask)
			goto no_number;
		num[k++] = (struct nfj_number){
			.v	 = { e->lo, e->hi },
			.verdict = elem->verdict,
			.target	 = elem->target,
		};
	}
	*count = k;
	return NFJ_FE_PURE;

no_number:
	t->size = 0;
	return NFJ_FE_PURE;
}

/* Add that a number is in (or not in) the intervals of elements, which are then
 * good for nothing else
 */
static int nfj_set_test(struct nfj_ir *ir, struct nfj_entry *entry,
			struct nfj_number *num, u32 n,
			const struct nfj_test *like, bool in)
{
	/* in their place, since an interval is shorter than an element */
	struct nfj_ival *v = &num->v;
	u32 i;

	BUILD_BUG_ON(offsetof(struct nfj_number, v));
	for (i = 0; i < n; i++)
		v[i] = num[i].v;
	sort(v, n, sizeof(*v), nfj_ival_cmp, NULL);
	return nfj_ir_add_set(ir, entry, like, v, n, in);
}

/* Copy an entry's tests from one chain to the last entry of another */
static int nfj_tests_copy(struct nfj_ir *to, struct nfj_entry *entry,
			  const struct nfj_ir *from,
			  const struct nfj_entry *tests)
{
	const struct nfj_test *t;
	int err = 0;
	u32 i;

	for (i = 0; i < tests->ntests && !err; i += t->n) {
		t = &from->tests[tests->first + i];
		if (nfj_test_is_set(t))
			err = nfj_ir_add_set(to, entry, t, &from->ivals[t->lo],
					     t->hi, t->kind == NFJ_SET_IN);
		else
			err = nfj_ir_add_test(to, entry, t);
	}
	return err;
}

/**
 * nfj_case_add - add a case, with the tests of a rule
 * @cases: the cases
 * @from: chain of the rule
 * @tests: the rule, or NULL for no tests
 * @verdict: the case's verdict
 * @target: ... and its chain
 *
 * Return: 0, -ENOMEM, or -ERANGE when it can't match.
 */
int nfj_case_add(struct nfj_ir *cases, const struct nfj_ir *from,
		 const struct nfj_entry *tests, s32 verdict, const void *target)
{
	struct nfj_entry *entry = nfj_ir_add_entry(cases);

	if (!entry)
		return -ENOMEM;
	entry->verdict = verdict;
	entry->target = target;
	if (!tests)
		return 0;
	return nfj_tests_copy(cases, entry, from, tests);
}

static void nfj_cases_swap(struct nfj_ir *a, struct nfj_ir *b)
{
	const struct nfj_ir tmp = *a;

	*a = *b;
	*b = tmp;
}

/* What the cases so far and the new ones have in common becomes the cases */
static int nfj_cases_product(struct nfj_fe *fe, struct nfj_ir *ways)
{
	struct nfj_ir product, *old = &fe->cases;
	struct nfj_entry *entry;
	u32 i, j;
	int err;

	if (!old->nentries) {
		nfj_cases_swap(&fe->cases, ways);
		return NFJ_FE_PURE;
	}
	if ((u64)old->nentries * ways->nentries > NFJ_PRODUCT_MAX)
		return NFJ_FE_STOP;
	nfj_ir_init(&product);
	for (i = 0; i < old->nentries; i++) {
		for (j = 0; j < ways->nentries; j++) {
			const struct nfj_entry *m = &ways->entries[j];

			err = nfj_case_add(&product, old, &old->entries[i],
					   m->verdict, m->target);
			if (err)
				goto out_free;
			entry = &product.entries[product.nentries - 1];
			err = nfj_tests_copy(&product, entry, ways, m);
			if (err == -ERANGE) {
				product.nentries--;
				product.ntests = entry->first;
				err = 0;
			}
			if (err)
				goto out_free;
		}
	}
	nfj_cases_swap(&fe->cases, &product);
	err = NFJ_FE_PURE;
	if (!fe->cases.nentries)
		err = NFJ_FE_NEVER;
out_free:
	nfj_ir_free(&product);
	return err;
}

/* A case for each verdict, each with a test of one number */
static int nfj_verdict_numbers(struct nfj_ir *ways,
			       struct nfj_number *num, u32 n,
			       const struct nfj_test *like)
{
	u32 i, k;
	int err;

	sort(num, n, sizeof(*num), nfj_number_verdict_cmp, NULL);
	for (i = 0; i < n; i = k) {
		for (k = i + 1; k < n; k++)
			if (num[k].verdict != num[i].verdict ||
			    num[k].target != num[i].target)
				break;
		err = nfj_case_add(ways, NULL, NULL, num[i].verdict,
				   num[i].target);
		if (err)
			return err;
		err = nfj_set_test(ways, &ways->entries[ways->nentries - 1],
				   num + i, k - i, like, true);
		if (err)
			return err;
	}
	return 0;
}

/* A case for each element */
static int nfj_set_elems(struct nfj_fe *fe, const struct nfj_set_in *set,
			 unsigned int reg, struct nfj_ir *scratch,
			 struct nfj_ir *ways)
{
	u32 i, n = set->nelems - set->catchall;
	int res;

	for (i = 0; i < n; i++) {
		const struct nfj_elem_in *elem = &set->elems[i];

		res = nfj_elem_scratch(fe, set, elem, reg, scratch);
		if (res == NFJ_FE_NEVER)
			continue;
		if (res == NFJ_FE_PURE)
			res = nfj_case_add(ways, scratch, &scratch->entries[0],
					   elem->verdict, elem->target);
		if (res)
			return res;
	}
	return NFJ_FE_PURE;
}

/* Not one of a few elements: each is left out by a test of its own */
static int nfj_set_out(struct nfj_fe *fe, const struct nfj_set_in *set,
		       unsigned int reg)
{
	u32 i;
	int res;

	if (set->nfields > 1 || set->nelems > NFJ_OUT_MAX)
		return NFJ_FE_STOP;
	for (i = 0; i < set->nelems; i++) {
		res = nfj_elem_tests(fe, set, &set->elems[i], reg, false);
		if (res != NFJ_FE_PURE)
			return res;
	}
	return NFJ_FE_PURE;
}

static int nfj_set_translate(struct nfj_fe *fe, const struct nfj_set_in *set,
			     unsigned int reg, bool in, struct nfj_ir *scratch,
			     struct nfj_ir *ways, struct nfj_number *num)
{
	struct nfj_test like;
	u32 n = 0;
	int res;

	res = nfj_set_numbers(fe, set, reg, scratch, num, &n, &like);
	if (res != NFJ_FE_PURE)
		return res;
	if (!set->verdicts && like.size)
		return nfj_fe_result(nfj_set_test(fe->ir, fe->entry, num, n,
						  &like, in));
	if (!in)
		return nfj_set_out(fe, set, reg);
	if (like.size && !nfj_numbers_overlap(num, n))
		res = nfj_verdict_numbers(ways, num, n, &like);
	else
		res = nfj_set_elems(fe, set, reg, scratch, ways);
	if (res == -ERANGE)
		res = NFJ_FE_PURE;
	if (res)
		return res;
	if (set->catchall) {
		const struct nfj_elem_in *elem = &set->elems[set->nelems - 1];

		res = nfj_case_add(ways, NULL, NULL, elem->verdict,
				   elem->target);
		if (res)
			return res;
	}
	return ways->nentries ? nfj_cases_product(fe, ways) : NFJ_FE_NEVER;
}

/**
 * nfj_lookup_set - translate a lookup in a set that never changes
 * @fe: the rule's state; tests are added to its rule, or its cases multiplied
 * @set: the set
 * @reg: first byte of the register that holds the key
 * @in: true: the rule goes on when the key is in the set, false: when not
 *
 * With a verdict map each of nfj_fe::cases has the verdict of its elements.
 *
 * Return: NFJ_FE_PURE, NFJ_FE_STOP when it can't be expressed, NFJ_FE_NEVER
 * when it can't hold, or -ENOMEM.
 */
int nfj_lookup_set(struct nfj_fe *fe, const struct nfj_set_in *set,
		   unsigned int reg, bool in)
{
	struct nfj_ir scratch, ways;
	struct nfj_number *num;
	unsigned int i, end = reg;
	int res;

	for (i = 0; i < set->nfields; i++) {
		if (!set->field_len[i] || set->field_len[i] > NFJ_DATA_MAX)
			return NFJ_FE_STOP;
		end += ALIGN(set->field_len[i], 4);
	}
	if (end > NFJ_REG_BYTES)
		return NFJ_FE_STOP;
	/* an element for all that no other matches: every key is in the set */
	if (set->catchall && !set->verdicts)
		return in ? NFJ_FE_PURE : NFJ_FE_NEVER;

	num = kvmalloc_array(set->nelems + 1, sizeof(*num), GFP_KERNEL);
	if (!num)
		return -ENOMEM;
	nfj_ir_init(&scratch);
	nfj_ir_init(&ways);
	res = nfj_set_translate(fe, set, reg, in, &scratch, &ways, num);
	nfj_ir_free(&ways);
	nfj_ir_free(&scratch);
	kvfree(num);
	return res;
}

/**
 * nfj_lookup_ports - test that a port is in a list, or not
 * @fe: the rule's state; the test is added to its entry
 * @koff: offset of the port in struct nfj_key
 * @ports: intervals of ports; they may overlap; sorted here
 * @n: how many
 * @in: true: the rule goes on when the port is in the list, false: when not
 *
 * Return: NFJ_FE_PURE, NFJ_FE_NEVER or -ENOMEM.
 */
int nfj_lookup_ports(struct nfj_fe *fe, unsigned int koff,
		     struct nfj_ival *ports, unsigned int n, bool in)
{
	const struct nfj_test port = {
		.size	= 2,
		.order	= nfj_key_member(koff)->order,
		.off	= koff,
		.mask	= U16_MAX,
	};

	sort(ports, n, sizeof(*ports), nfj_ival_cmp, NULL);
	return nfj_fe_result(nfj_ir_add_set(fe->ir, fe->entry, &port, ports, n,
					    in));
}

/**
 * nfj_odd_apply - make an entry for packets whose transport header is too short
 * @fe: the rule's state, with an odd case
 * @err: 0 or -ENOMEM
 *
 * Return: the entry, without its action, or NULL when there is none.
 */
struct nfj_entry *nfj_odd_apply(struct nfj_fe *fe, int *err)
{
	const struct nfj_test len = {
		.size	= 4,
		.order	= NFJ_HOST,
		.off	= offsetof(struct nfj_key, th_len),
		.mask	= U32_MAX,
	};
	struct nfj_ir *ir = fe->ir;
	u32 nr = ir->entries[ir->nentries - 1].rule, ntests = ir->ntests;
	struct nfj_entry *entry;

	*err = -ENOMEM;
	entry = nfj_ir_add_entry(ir);
	if (!entry)
		return NULL;
	entry->rule = nr;
	*err = nfj_tests_copy(ir, entry, &fe->odd, &fe->odd.entries[0]);
	if (!*err)
		*err = nfj_ir_add_range(ir, entry, &len, 0, fe->odd_len - 1,
					true);
	if (!*err)
		return entry;
	ir->nentries--;
	ir->ntests = ntests;
	if (*err == -ERANGE)
		*err = 0;
	return NULL;
}

/**
 * nfj_cases_apply - make an entry of each case of the last rule of a chain
 * @fe: the rule's state, with cases
 *
 * Entries that can't match are left out; if none is left the rule stays as one
 * that is dead.
 *
 * Return: 0 or -ENOMEM.
 */
int nfj_cases_apply(struct nfj_fe *fe)
{
	struct nfj_ir *ir = fe->ir, common;
	const struct nfj_entry model = *fe->entry;
	struct nfj_entry *entry;
	u32 first = ir->nentries - 1, i;
	int err;

	nfj_ir_init(&common);
	err = nfj_case_add(&common, ir, &model, 0, NULL);
	if (err)
		goto out_free;
	ir->nentries = first;
	ir->ntests = model.first;
	for (i = 0; i < fe->cases.nentries; i++) {
		const struct nfj_entry *c = &fe->cases.entries[i];
		u32 ntests = ir->ntests;

		entry = nfj_ir_add_entry(ir);
		if (!entry) {
			err = -ENOMEM;
			goto out_free;
		}
		entry->rule = model.rule;
		entry->verdict = c->verdict;
		entry->target = c->target;
		err = nfj_tests_copy(ir, entry, &common, &common.entries[0]);
		if (!err)
			err = nfj_tests_copy(ir, entry, &fe->cases, c);
		if (err == -ERANGE) {
			ir->nentries--;
			ir->ntests = ntests;
			continue;
		}
		if (err)
			goto out_free;
	}
	err = 0;
	if (ir->nentries == first) {
		entry = nfj_ir_add_entry(ir);
		if (!entry) {
			err = -ENOMEM;
			goto out_free;
		}
		entry->rule = model.rule;
		entry->flags |= NFJ_ENTRY_DEAD;
	}
	for (i = first; i < ir->nentries; i++)
		ir->entries[i].next = ir->nentries;
out_free:
	nfj_ir_free(&common);
	return err;
}
