// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests in normal form: what imr/test.c makes of bounds that a mask does not have
 * says what was asked for, of every number there is, and is normal.
 *
 * A number here is one byte, or two of them for wide tests, so that all can be
 * tried.
 */
#include <errno.h>
#include "core.h"

#define MARK	offsetof(struct nfj_key, mark)
#define IVALS	5

/* What was asked for: a number, and the intervals that it is to be in, or not */
struct asked {
	struct nfj_test	num[2];
	u32		chunks;
	struct nfj_ival	v[IVALS];
	u32		n;
	bool		in;
};

static bool holds(const struct asked *a, const struct nfj_key *key)
{
	bool found = false;
	u64 x = 0, lo, hi;
	u32 i;

	if (a->chunks == 2) {
		x = (ref_number(key, &a->num[0]) & a->num[0].mask) << 8 |
		    (ref_number(key, &a->num[1]) & a->num[1].mask);
		lo = a->num[0].lo << 8 | a->num[1].lo;
		hi = a->num[0].hi << 8 | a->num[1].hi;
		return (x >= lo && x <= hi) == a->in;
	}
	x = ref_number(key, a->num) & a->num->mask;
	for (i = 0; i < a->n; i++)
		found |= x >= a->v[i].lo && x <= a->v[i].hi;
	return found == a->in;
}

static void ask(struct rnd *r, struct asked *a)
{
	u32 i;

	memset(a, 0, sizeof(*a));
	a->chunks = chance(r, 20) ? 2 : 1;
	a->in = chance(r, 50);
	for (i = 0; i < a->chunks; i++) {
		struct nfj_test *t = &a->num[i];
		u64 b;

		t->size = 1;
		t->off = MARK + i;
		t->mask = chance(r, 20) ? 0xff : 1 + rnd(r, 255);
		t->lo = rnd(r, 256) & t->mask;
		b = rnd(r, 256) & t->mask;
		t->hi = chance(r, 40) ? t->lo : b;
		if (chance(r, 20)) {
			t->lo = 0;
			t->hi = t->mask;
		}
	}
	if (a->chunks == 1 && chance(r, 5))
		a->num->mask = 0;
	a->n = chance(r, 60) ? 1 : rnd(r, IVALS + 1);
	for (i = 0; i < a->n; i++) {
		struct nfj_ival *v = &a->v[i];

		v->lo = i ? a->v[i - 1].lo + rnd(r, 40) : rnd(r, 200);
		v->hi = v->lo + (chance(r, 40) ? 0 : rnd(r, 60));
		if (chance(r, 5))
			v->hi = chance(r, 50) ? ~0ULL : 0xff;
		if (chance(r, 5) && v->lo)
			v->hi = v->lo - 1;
	}
	if (a->n == 1 && chance(r, 15))
		a->v->lo = 0;
}

static int one(struct rnd *r, u64 *empty, u64 *all)
{
	struct nfj_entry *entry;
	struct nfj_key key = {};
	struct asked a;
	struct nfj_ir ir;
	int err;
	u32 x;

	ask(r, &a);
	nfj_ir_init(&ir);
	entry = nfj_ir_add_entry(&ir);
	if (a.chunks == 2) {
		struct nfj_test num[2] = { a.num[0], a.num[1] };

		err = nfj_ir_add_wide(&ir, entry, num, 2, a.in);
	} else if (a.n == 1 && chance(r, 70)) {
		err = nfj_ir_add_range(&ir, entry, a.num, a.v->lo, a.v->hi,
				       a.in);
	} else {
		err = nfj_ir_add_set(&ir, entry, a.num, a.v, a.n, a.in);
	}
	*empty += err == -ERANGE;
	*all += !err && !entry->ntests;
	if ((err && err != -ERANGE) || !nfj_ir_normal(&ir)) {
		dump_ir(stdout, &ir);
		return fail("%d, or not normal", err);
	}
	for (x = 0; x < (a.chunks == 2 ? 0x10000 : 0x100); x++) {
		bool want, got;

		((u8 *)&key)[MARK] = x;
		((u8 *)&key)[MARK + 1] = x >> 8;
		want = holds(&a, &key);
		got = !err && ref_rule(&ir, 0, &key);
		if (want == got)
			continue;
		dump_ir(stdout, &ir);
		return fail("%u, masks %llx and %llx, %s [%llu, %llu] and others (%u): %d",
			    x, a.num[0].mask, a.num[1].mask,
			    a.in ? "in" : "not in", a.v->lo, a.v->hi, a.n, err);
	}
	nfj_ir_free(&ir);
	return TEST_OK;
}

/* What must not pass for normal */
static int odd_ones(void)
{
	static const struct nfj_test bad[] = {
		/* the bounds of "ct state related" as they once were */
		{ .kind = NFJ_IN, .n = 1, .size = 4, .off = MARK, .mask = 4,
		  .lo = 1, .hi = 4 },
		{ .kind = NFJ_IN, .n = 1, .size = 4, .off = MARK, .mask = 7,
		  .lo = 0, .hi = 7 },
		{ .kind = NFJ_IN, .n = 1, .size = 4, .off = MARK, .mask = 7,
		  .lo = 3, .hi = 2 },
		{ .kind = NFJ_OUT, .n = 1, .size = 4, .off = MARK, .mask = 7,
		  .lo = 0, .hi = 2 },
		{ .kind = NFJ_IN, .n = 1, .size = 4, .off = MARK, .mask = 0 },
		{ .kind = NFJ_IN, .n = 1, .size = 1, .off = MARK, .mask = 0x100,
		  .hi = 1 },
		{ .kind = NFJ_IN, .n = 1, .size = 4, .off = MARK + 1, .mask = 1 },
		{ .kind = NFJ_IN, .n = 1, .size = 3, .off = MARK, .mask = 1 },
		{ .kind = NFJ_IN, .n = 2, .size = 4, .off = MARK, .mask = 3,
		  .hi = 1 },
		{ .kind = NFJ_SET_IN, .n = 1, .size = 4, .off = MARK, .mask = 7,
		  .lo = 0, .hi = 1 },
		{ .kind = NFJ_SET_IN, .n = 1, .size = 4, .off = MARK, .mask = 7,
		  .lo = 0, .hi = 2 },
		{ .kind = NFJ_SET_IN, .n = 1, .size = 4, .off = MARK, .mask = 7,
		  .lo = 1, .hi = 2 },
		{ .kind = 17, .n = 1, .size = 4, .off = MARK, .mask = 3,
		  .hi = 1 },
	};
	/* the two are neighbours: nothing is between them */
	struct nfj_ival v[] = { { 1, 2 }, { 3, 4 } };
	struct nfj_ir ir = { .ivals = v, .nivals = 2 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (nfj_test_normal(&ir, &bad[i], 1))
			return fail("bad test %u passes", i);
	return TEST_OK;
}

/* arg: thousands of tests */
int test_normal(u32 arg)
{
	u64 empty = 0, all = 0, i;
	int err = odd_ones();
	struct rnd r;

	rnd_init(&r, 0x404, 0);
	for (i = 0; i < arg * 1000ULL * rounds && !err; i++)
		err = one(&r, &empty, &all);
	note("%llu tests, %llu never hold, %llu always", i, empty, all);
	if (!err && (empty * 20 < i || all * 40 < i))
		err = fail("too little of either");
	return err;
}
