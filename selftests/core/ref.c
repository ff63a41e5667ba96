// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reference for the IMR: it does what the comments in imr.h say, rule by
 * rule and test by test, with no thought of speed.
 */
#include "core.h"

/* Number in the key at a test's chunk, not masked */
u64 ref_number(const struct nfj_key *key, const struct nfj_test *t)
{
	const u8 *p = (const u8 *)key + t->off;
	u64 v = 0;
	int i;

	for (i = 0; i < t->size; i++) {
		if (t->order == NFJ_BE)
			v |= (u64)p[t->size - 1 - i] << 8 * i;
		else
			v |= (u64)p[i] << 8 * i;
	}
	return v;
}

/* The other way round: put bits of a test's mask into the key */
void ref_set(struct nfj_key *key, const struct nfj_test *t, u64 val)
{
	u64 v = (ref_number(key, t) & ~t->mask) | (val & t->mask);
	u8 *p = (u8 *)key + t->off;
	int i;

	for (i = 0; i < t->size; i++) {
		if (t->order == NFJ_BE)
			p[t->size - 1 - i] = v >> 8 * i;
		else
			p[i] = v >> 8 * i;
	}
}

/* Compare the chunks of a test with one of its bounds: <0, 0, >0 */
static int ref_cmp(const struct nfj_key *key, const struct nfj_test *t,
		   bool upper)
{
	int i;

	for (i = 0; i < t->n; i++) {
		u64 x = ref_number(key, &t[i]) & t[i].mask;
		u64 b = upper ? t[i].hi : t[i].lo;

		if (x != b)
			return x < b ? -1 : 1;
	}
	return 0;
}

static bool ref_test(const struct nfj_ir *ir, const struct nfj_key *key,
		     const struct nfj_test *t)
{
	u64 x = ref_number(key, t) & t->mask;
	bool in = false;
	u32 i;

	if (t->kind == NFJ_SET_IN || t->kind == NFJ_SET_OUT) {
		for (i = 0; i < t->hi; i++)
			in |= x >= ir->ivals[t->lo + i].lo &&
			      x <= ir->ivals[t->lo + i].hi;
		return in == (t->kind == NFJ_SET_IN);
	}
	in = ref_cmp(key, t, false) >= 0 && ref_cmp(key, t, true) <= 0;

	return in == (t->kind == NFJ_IN || t->kind == NFJ_WIDE_IN);
}

bool ref_rule(const struct nfj_ir *ir, u32 rule, const struct nfj_key *key)
{
	const struct nfj_entry *r = &ir->entries[rule];
	u32 i;

	for (i = 0; i < r->ntests; i += ir->tests[r->first + i].n)
		if (!ref_test(ir, key, &ir->tests[r->first + i]))
			return false;
	return true;
}

u32 ref_match(const struct nfj_ir *ir, u32 first, u32 last,
	      const struct nfj_key *key)
{
	u32 r;

	for (r = first; r < last; r++)
		if (r >= key->start && !(ir->entries[r].flags & NFJ_ENTRY_DEAD) &&
		    ref_rule(ir, r, key))
			return r;
	return NFJ_NONE;
}
