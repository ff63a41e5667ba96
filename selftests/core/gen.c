// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random chains in IMR, and keys that suit them.
 *
 * A chain has a few favourite chunks of the key, which most of its rules test,
 * often with values near those of their neighbours, so that the passes find
 * what they look for: runs, prefixes, ranges, overlaps, common tests.  A key is
 * made to match a random rule of the chain in most of its tests, on the bounds
 * of their intervals or one beside them.
 */
#include <errno.h>
#include "core.h"

#define FAV_MAX		6

struct gen {
	struct rnd	*r;
	struct nfj_test	fav[FAV_MAX];
	u32		nfav;
	u64		near;
	u32		shape;
};

static u64 full(u32 size)
{
	return size == 8 ? ~0ULL : (1ULL << 8 * size) - 1;
}

static u64 low_bit(u64 mask)
{
	return mask & -mask;
}

/* Some chunk; of several masks, prefixes are most frequent */
static struct nfj_test gen_chunk(struct rnd *r)
{
	static const u16 offs[] = {
		offsetof(struct nfj_key, mark), offsetof(struct nfj_key, len),
		offsetof(struct nfj_key, nh_len), offsetof(struct nfj_key, iif),
		offsetof(struct nfj_key, valid), offsetof(struct nfj_key, nh),
		offsetof(struct nfj_key, nh) + 8,
		offsetof(struct nfj_key, nh) + 12, offsetof(struct nfj_key, th),
		offsetof(struct nfj_key, th) + 2, offsetof(struct nfj_key, ll),
		offsetof(struct nfj_key, iifname),
	};
	struct nfj_test t = { .kind = NFJ_IN, .n = 1 };

	t.size = 1 << rnd(r, 4);
	t.order = rnd(r, 2) ? NFJ_BE : NFJ_HOST;
	if (chance(r, 70))
		t.off = offs[rnd(r, ARRAY_SIZE(offs))];
	else
		t.off = rnd(r, sizeof(struct nfj_key));
	/* the entry is not data, rules do not look at it */
	if (t.off < offsetof(struct nfj_key, valid))
		t.off = offsetof(struct nfj_key, valid);
	t.off -= t.off % t.size;
	if (t.off < offsetof(struct nfj_key, valid))
		t.off += t.size;
	t.mask = full(t.size);
	return t;
}

static u64 gen_mask(struct rnd *r, u32 size)
{
	u64 all = full(size), m;

	switch (rnd(r, 8)) {
	case 0:		/* a prefix */
	case 1:
		m = all & ~((1ULL << rnd(r, 8 * size)) - 1);
		break;
	case 2:		/* with holes */
		m = rnd64(r) & all;
		break;
	case 3:		/* one bit */
		m = 1ULL << rnd(r, 8 * size);
		break;
	case 4:		/* a field in the middle */
		m = all >> rnd(r, 8 * size);
		m &= ~((1ULL << rnd(r, 8 * size)) - 1);
		break;
	default:
		m = all;
	}
	return m ? : all;
}

static u64 gen_value(struct gen *g, u64 mask)
{
	struct rnd *r = g->r;

	switch (rnd(r, 8)) {
	case 0:
		return rnd64(r) & mask;
	case 1:
		return rnd(r, 2) ? mask : 0;
	case 2:
		return mask & -rnd64(r) >> rnd(r, 64);
	case 3:
		g->near = rnd64(r) >> rnd(r, 64);
		fallthrough;
	default:
		g->near += (rnd(r, 3) - 1ULL) * rnd(r, 5) + (g->shape & 1);
		return g->near & mask;
	}
}

/* An interval, now and then with bounds that the mask does not have */
static void gen_interval(struct gen *g, struct nfj_test *t)
{
	u64 a = gen_value(g, t->mask), b;

	switch (rnd(g->r, 6)) {
	case 0:
		b = gen_value(g, t->mask);
		break;
	case 1:
		b = (a + low_bit(t->mask) * rnd(g->r, 20)) & t->mask;
		break;
	case 2:
		b = rnd(g->r, 2) ? t->mask : 0;
		break;
	default:
		b = a;
	}
	t->lo = min(a, b);
	t->hi = max(a, b);
	if (chance(g->r, 10) && ~t->mask) {
		t->lo = t->lo ? t->lo - rnd(g->r, 2) : 1;
		t->hi |= rnd64(g->r) & ~t->mask >> rnd(g->r, 64);
	}
}

static int gen_narrow(struct gen *g, struct nfj_ir *ir, struct nfj_entry *rule)
{
	struct nfj_test t;

	if (g->nfav && chance(g->r, 85))
		t = g->fav[rnd(g->r, g->nfav)];
	else
		t = gen_chunk(g->r);
	if (chance(g->r, g->shape & 4 ? 50 : 5))
		t.mask = gen_mask(g->r, t.size);
	gen_interval(g, &t);
	return nfj_ir_add_range(ir, rule, &t, t.lo, t.hi,
				!chance(g->r, g->shape & 2 ? 25 : 3));
}

/* A set on some chunk, of intervals in order, most with gaps between them */
static int gen_set(struct gen *g, struct nfj_ir *ir, struct nfj_entry *rule)
{
	struct nfj_test t = g->nfav && chance(g->r, 85) ?
			    g->fav[rnd(g->r, g->nfav)] : gen_chunk(g->r);
	u32 i, n = 1 + rnd(g->r, chance(g->r, 10) ? 30 : 6);
	struct nfj_ival v[31];
	u64 at, hi, low;

	if (chance(g->r, 20))
		t.mask = gen_mask(g->r, t.size);
	/* numbers with a mask: count in the bits that it leaves */
	low = low_bit(t.mask);
	at = chance(g->r, 30) ? 0 : gen_value(g, t.mask);
	for (i = 0; i < n;) {
		hi = (at + low * (rnd(g->r, 2) ? rnd(g->r, 7) : 0)) & t.mask;
		if (hi < at || chance(g->r, 3))
			hi = t.mask;
		v[i++] = (struct nfj_ival){ at, hi };
		/* behind it, at it, or in it */
		at = (hi + low * (2 + rnd(g->r, 5))) & t.mask;
		if (chance(g->r, 10))
			at = v[i - 1].lo + rnd(g->r, 3);
		if (at < v[i - 1].lo)
			break;
	}
	return nfj_ir_add_set(ir, rule, &t, v, i, chance(g->r, 70));
}

static int gen_wide(struct gen *g, struct nfj_ir *ir, struct nfj_entry *rule)
{
	bool in = chance(g->r, 50), point = chance(g->r, 40), over = false;
	u32 i, n = 2 + rnd(g->r, 3);
	struct nfj_test num[4], t;

	for (i = 0; i < n; i++) {
		t = gen_chunk(g->r);
		if (chance(g->r, 20))
			t.mask = gen_mask(g->r, t.size);
		t.lo = gen_value(g, t.mask);
		t.hi = point ? t.lo : gen_value(g, t.mask);
		/* lo <= hi as a whole: once one chunk is less, all goes */
		if (!over && t.lo > t.hi) {
			u64 swap = t.lo;

			t.lo = t.hi;
			t.hi = swap;
		}
		over |= t.lo < t.hi;
		num[i] = t;
	}
	return nfj_ir_add_wide(ir, rule, num, n, in);
}

/* Make some entries cases of one rule, which leads over all of them */
void gen_cases(struct rnd *r, struct nfj_ir *ir, u32 percent)
{
	u32 i, k, n;

	for (i = 0; i < ir->nentries; i += n) {
		n = chance(r, percent) ? 1 + rnd(r, 5) : 1;
		n = min(n, ir->nentries - i);
		for (k = i; k < i + n; k++) {
			ir->entries[k].rule = i;
			ir->entries[k].next = i + n;
		}
	}
}

void gen_ir(struct rnd *r, struct nfj_ir *ir, u32 n)
{
	struct gen g = { .r = r, .near = rnd64(r) >> rnd(r, 64) };
	u32 i, j, tests, wide = chance(r, 30) ? 20 : 1;
	u32 open = rnd(r, 3) * 45, dead = chance(r, 30) ? 10 : 0;
	u32 sets = chance(r, 30) ? 20 : 1, multi = chance(r, 30) ? 30 : 0;

	g.shape = rnd(r, 8);
	g.nfav = rnd(r, FAV_MAX + 1);
	for (i = 0; i < g.nfav; i++)
		g.fav[i] = gen_chunk(r);
	nfj_ir_init(ir);
	for (i = 0; i < n; i++) {
		struct nfj_entry *rule = nfj_ir_add_entry(ir);
		int err = 0;

		tests = chance(r, 2) ? 0 : 1 + rnd(r, g.nfav + 1);
		for (j = 0; j < tests && !err; j++) {
			if (chance(r, wide))
				err = gen_wide(&g, ir, rule);
			else if (chance(r, sets))
				err = gen_set(&g, ir, rule);
			else
				err = gen_narrow(&g, ir, rule);
		}
		if (!chance(r, open))
			rule->flags |= NFJ_ENTRY_TERMINAL;
		if (err || chance(r, dead))
			rule->flags |= NFJ_ENTRY_DEAD;
		if (err) {
			ir->ntests = rule->first;
			rule->ntests = 0;
		}
	}
	gen_cases(r, ir, multi);
}

/* Make a test hold, nearly hold, or just not hold */
static void gen_touch(struct rnd *r, const struct nfj_ir *ir,
		      const struct nfj_test *t, struct nfj_key *key, u32 spoil)
{
	u64 step = chance(r, 50) ? 1 : low_bit(t->mask), val;
	struct nfj_test one;

	if (t->kind == NFJ_SET_IN || t->kind == NFJ_SET_OUT) {
		const struct nfj_ival *v = &ir->ivals[t->lo + rnd(r, t->hi)];

		one = *t;
		one.lo = v->lo;
		one.hi = v->hi;
		t = &one;
	}
	if (chance(r, spoil)) {
		switch (rnd(r, 5)) {
		case 0:
			val = t->lo - step;
			break;
		case 1:
			val = t->hi + step;
			break;
		case 2:
			val = rnd64(r);
			break;
		case 3:
			val = ~t->lo;
			break;
		default:
			val = rnd(r, 2) ? 0 : t->mask;
		}
	} else {
		val = rnd(r, 2) ? t->lo : t->hi;
		if (chance(r, 20) && t->hi > t->lo)
			val = t->lo + rnd64(r) % (t->hi - t->lo);
	}
	ref_set(key, t, val);
}

void gen_key(struct rnd *r, const struct nfj_ir *ir, struct nfj_key *key)
{
	u8 *p = (u8 *)key;
	u32 i, j, n = 1 + rnd(r, 2), spoil = rnd(r, 3) * 15;

	memset(key, chance(r, 30) ? 0xff : 0, sizeof(*key));
	if (chance(r, 50))
		for (i = 0; i < sizeof(*key); i++)
			p[i] = rnd64(r);
	for (i = 0; i < n; i++) {
		const struct nfj_entry *rule = &ir->entries[rnd(r, ir->nentries)];

		for (j = 0; j < rule->ntests; j++)
			gen_touch(r, ir, &ir->tests[rule->first + j], key, spoil);
	}
	key->start = gen_start(r, ir);
}

/* A whole packet, to be looked at from the start: it has all headers, and matches
 * a random rule, or with @miss most likely none.
 */
void gen_packet(struct rnd *r, const struct nfj_ir *ir, struct nfj_key *key,
		bool miss)
{
	const struct nfj_entry *rule = &ir->entries[rnd(r, ir->nentries)];
	u32 i;

	memset(key, 0, sizeof(*key));
	key->valid = NFJ_VALID_L4PROTO;
	key->nh_len = 100;
	key->th_len = 80;
	key->thf_len = 80;
	key->l4proto = 6;
	for (i = 0; i < 8 + 8; i++)
		key->nh[12 + i] = rnd64(r);
	for (i = 0; i < 4; i++)
		key->th[i] = rnd64(r);
	for (i = 0; i < rule->ntests; i++) {
		const struct nfj_test *t = &ir->tests[rule->first + i];

		/* in one that misses only the last field is off */
		if (!miss || i + 1 < rule->ntests)
			gen_touch(r, ir, t, key, 0);
	}
	key->start = 0;
}

/* An entry that can happen: 0, or behind a rule after which the chain goes on */
u32 gen_start(struct rnd *r, const struct nfj_ir *ir)
{
	u32 i, at;

	if (chance(r, 40))
		return 0;
	for (i = 0; i < 8; i++) {
		at = rnd(r, ir->nentries);
		if (!(ir->entries[at].flags & (NFJ_ENTRY_TERMINAL |
					     NFJ_ENTRY_DEAD)))
			return ir->entries[at].next;
	}
	return 0;
}
