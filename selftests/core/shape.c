// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chains in the shapes that administrators write, as the front end would
 * translate them: for the tables and trees, which random tests rarely make.
 */
#include "core.h"

#define NH	offsetof(struct nfj_key, nh)
#define TH	offsetof(struct nfj_key, th)

static void add(struct nfj_ir *ir, u32 off, u32 size, u32 order, u64 mask,
		u64 lo, u64 hi)
{
	const struct nfj_test num = {
		.size	= size,
		.order	= order,
		.off	= off,
		.mask	= mask,
	};

	nfj_ir_add_range(ir, &ir->entries[ir->nentries - 1], &num, lo, hi,
			 true);
}

static void guard(struct nfj_ir *ir, u32 off, u32 len)
{
	add(ir, off, 4, NFJ_HOST, 0xffffffff, len, 0xffffffff);
}

/* ip saddr (12) or daddr (16), of a prefix length */
static void addr(struct nfj_ir *ir, u32 off, u32 val, u32 plen)
{
	u32 mask = plen ? ~0U << (32 - plen) : 0;

	guard(ir, offsetof(struct nfj_key, nh_len), off + 4);
	/* a mask of whole bytes is a smaller chunk */
	if (plen == 32)
		add(ir, NH + off, 4, NFJ_BE, ~0U, val, val);
	else if (plen == 16)
		add(ir, NH + off, 2, NFJ_BE, 0xffff, val >> 16, val >> 16);
	else if (plen == 8)
		add(ir, NH + off, 1, NFJ_BE, 0xff, val >> 24, val >> 24);
	else if (plen)
		add(ir, NH + off, 4, NFJ_BE, mask, val & mask, val & mask);
}

static void addr6(struct nfj_ir *ir, u32 off, u64 hi, u64 lo)
{
	struct nfj_test num[] = {
		{ .size = 8, .order = NFJ_BE, .off = NH + off, .mask = ~0ULL,
		  .lo = hi, .hi = hi },
		{ .size = 8, .order = NFJ_BE, .off = NH + off + 8,
		  .mask = ~0ULL, .lo = lo, .hi = lo },
	};

	guard(ir, offsetof(struct nfj_key, nh_len), off + 16);
	nfj_ir_add_wide(ir, &ir->entries[ir->nentries - 1], num, 2, true);
}

static void proto(struct nfj_ir *ir, u32 val)
{
	add(ir, offsetof(struct nfj_key, valid), 4, NFJ_HOST, 1, 1, 1);
	add(ir, offsetof(struct nfj_key, l4proto), 1, NFJ_HOST, 0xff, val, val);
}

static void port(struct nfj_ir *ir, u32 off, u32 lo, u32 hi)
{
	guard(ir, offsetof(struct nfj_key, thf_len), off + 2);
	add(ir, TH + off, 2, NFJ_BE, 0xffff, lo, hi);
}

/* "th dport { ... }", or a set of addresses with gaps */
static void set(struct rnd *r, struct nfj_ir *ir, u32 off, u32 size, bool in)
{
	const struct nfj_test t = {
		.size	= size,
		.order	= NFJ_BE,
		.off	= off,
		.mask	= size == 2 ? 0xffff : 0xffffffff,
	};
	struct nfj_ival v[45];
	u32 i, n = 1 + rnd(r, chance(r, 20) ? 40 : 5);
	u64 at = rnd(r, 3), hi;

	for (i = 0; i < n && at <= t.mask; i++) {
		hi = at + (rnd(r, 2) ? rnd(r, 9) : 0);
		if (hi > t.mask || chance(r, 1))
			hi = t.mask;
		v[i] = (struct nfj_ival){ at, hi };
		at = hi + 2 + rnd(r, 300);
	}
	nfj_ir_add_set(ir, &ir->entries[ir->nentries - 1], &t, v, i, in);
}

/* An address: of a few networks, with neighbours */
static u32 some_addr(struct rnd *r, u32 n)
{
	return chance(r, 70) ? 0x0a000000 + rnd(r, 4 * n + 4)
			     : (u32)rnd64(r);
}

static void five_tuple(struct rnd *r, struct nfj_ir *ir, u32 n)
{
	static const u8 plen[] = { 32, 32, 32, 32, 28, 24, 24, 24, 16, 8, 0 };
	u32 p = rnd(r, 10);
	u32 net = 0x0a000000 + (rnd(r, 1 + n / 20) << 12);

	addr(ir, 12, net + rnd(r, 4096), plen[rnd(r, ARRAY_SIZE(plen))]);
	net = 0xc0a80000 + (rnd(r, 1 + n / 20) << 12);
	addr(ir, 16, net + rnd(r, 4096), plen[rnd(r, ARRAY_SIZE(plen))]);
	/* no rule for all packets, which would end the chain */
	if (p == 9 && ir->tests[ir->ntests - 1].off >= NH)
		return;
	proto(ir, p < 6 ? 6 : p < 8 ? 17 : 1);
	if (p == 8)
		return;
	switch (rnd(r, 6)) {
	case 0:
		break;
	case 1:
		port(ir, 2, 1024, 65535);
		break;
	case 2: {
		u32 lo = rnd(r, 60000);

		port(ir, 2, lo, lo + rnd(r, 2000));
		break;
	}
	default:
		port(ir, 2, 1 + rnd(r, 1024), 0);
		ir->tests[ir->ntests - 1].hi = ir->tests[ir->ntests - 1].lo;
	}
	if (chance(r, 10))
		port(ir, 0, 1024, 65535);
}

/* 5-tuples sorted by shape: what is special comes first, a rule or many of each */
static void sorted(struct rnd *r, struct nfj_ir *ir, u32 n)
{
	static const struct {
		u8	src, dst, proto, sport, dport;
	} blocks[] = {
		{ 32, 32, 17, 1, 1 }, { 32, 32, 6, 0, 1 }, { 32, 31, 6, 0, 1 },
		{ 31, 32, 17, 0, 1 }, { 32, 32, 6, 0, 2 }, { 32, 24, 17, 1, 3 },
		{ 32, 32, 6, 0, 0 }, { 0, 32, 6, 0, 1 }, { 24, 32, 6, 0, 0 },
		{ 32, 0, 17, 1, 0 }, { 24, 24, 0, 0, 0 }, { 16, 24, 6, 3, 3 },
		{ 0, 32, 6, 0, 0 }, { 16, 16, 0, 0, 0 }, { 1, 24, 0, 0, 0 },
		{ 0, 31, 0, 0, 0 }, { 8, 1, 17, 0, 2 }, { 0, 16, 0, 0, 0 },
	};
	u32 i = (u64)(ir->nentries - 1) * ARRAY_SIZE(blocks) / n, k, lo;

	/* few hosts, but networks anywhere */
	addr(ir, 12, blocks[i].src > 24 ? 0x0a000000 + rnd(r, 4 * n + 4) * 37 :
					  (u32)rnd64(r), blocks[i].src);
	addr(ir, 16, blocks[i].dst > 24 ? 0xc0a80000 + rnd(r, n + 4) * 3 :
					  (u32)rnd64(r), blocks[i].dst);
	if (!blocks[i].proto)
		return;
	proto(ir, blocks[i].proto);
	for (k = 0; k < 2; k++) {
		switch (k ? blocks[i].dport : blocks[i].sport) {
		case 1:
			lo = 20 + rnd(r, 100);
			port(ir, 2 * k, lo, lo);
			break;
		case 2:
			lo = 1000 + rnd(r, 50) * 50;
			port(ir, 2 * k, lo, lo + 49);
			break;
		case 3:
			port(ir, 2 * k, 1024, 65535);
		}
	}
}

const char * const shape_name[SHAPES] = {
	[SHAPE_ADDR]	= "ip saddr X",
	[SHAPE_SERVICE]	= "ip saddr X tcp dport Y",
	[SHAPE_ONEADDR]	= "ip saddr A udp dport Y",
	[SHAPE_ADDR6]	= "ip6 saddr X",
	[SHAPE_PREFIX]	= "ip saddr X/len",
	[SHAPE_RANGE]	= "th dport X-Y",
	[SHAPE_NEXT]	= "adjacent prefixes",
	[SHAPE_TUPLE]	= "5-tuples",
	[SHAPE_MIXED]	= "mixed shapes",
	[SHAPE_SETS]	= "sets",
	[SHAPE_DOUBLE]	= "equal keys",
	[SHAPE_SORTED]	= "5-tuples by shape",
};

/* One more rule for a chain of n rules of a shape */
static void shape_rule(struct rnd *r, struct nfj_ir *ir, u32 shape, u32 n)
{
	u32 i = ir->nentries - 1, val;

	switch (shape) {
	case SHAPE_ADDR:
		/* the same address never comes twice */
		addr(ir, 12, 0x0a000000 + i * 7, 32);
		break;
	case SHAPE_SERVICE:
		addr(ir, 12, some_addr(r, n), 32);
		proto(ir, 6);
		val = rnd(r, 1000);
		port(ir, 2, val, val);
		break;
	case SHAPE_ONEADDR:
		addr(ir, 12, 0x0a000001, 32);
		proto(ir, 17);
		port(ir, 2, i & 0xffff, i & 0xffff);
		break;
	case SHAPE_ADDR6:
		addr6(ir, 8, 0x20010db800000000ULL + rnd(r, 4),
		      rnd(r, 4 * n));
		break;
	case SHAPE_PREFIX:
		val = 12 + rnd(r, 21);
		addr(ir, 12, chance(r, 50) ? 0x0a000000 + rnd(r, 1 << 24)
					   : (u32)rnd64(r),
		     val);
		break;
	case SHAPE_RANGE:
		val = rnd(r, 65536);
		port(ir, 2, val, min_t(u32, 65535, val + rnd(r, 30)));
		break;
	case SHAPE_NEXT:
		addr(ir, 12, 0x0a000000 + i * 256, 24);
		break;
	case SHAPE_TUPLE:
		five_tuple(r, ir, n);
		break;
	case SHAPE_MIXED:
		switch (rnd(r, 8)) {
		case 0:
			five_tuple(r, ir, n);
			break;
		case 1:
			shape_rule(r, ir, SHAPE_SERVICE, n);
			break;
		case 2:
			if (chance(r, 10))
				add(ir, offsetof(struct nfj_key, mark), 4,
				    NFJ_HOST, 0xff, 1, 2);
			shape_rule(r, ir, SHAPE_PREFIX, n);
			break;
		case 3:
			addr(ir, 16, some_addr(r, n), 32);
			break;
		case 4:
			addr6(ir, 8, 1, rnd(r, n));
			break;
		default:
			addr(ir, 12, some_addr(r, n), 32);
		}
		break;
	case SHAPE_SETS:
		if (chance(r, 60))
			addr(ir, 12, some_addr(r, n), chance(r, 30) ? 24 : 32);
		proto(ir, chance(r, 70) ? 6 : 17);
		guard(ir, offsetof(struct nfj_key, thf_len), 4);
		if (chance(r, 70))
			set(r, ir, TH + 2, 2, chance(r, 80));
		if (chance(r, 20))
			set(r, ir, NH + 16, 4, chance(r, 80));
		break;
	case SHAPE_SORTED:
		sorted(r, ir, n);
		break;
	case SHAPE_DOUBLE:
		addr(ir, 12, 0x0a000000 + rnd(r, n / 2 + 1), 32);
		break;
	}
}

/* A chain of n rules; @open percent of them let the chain go on */
void shape_ir(struct rnd *r, struct nfj_ir *ir, u32 shape, u32 n, u32 open)
{
	u32 i;

	nfj_ir_init(ir);
	for (i = 0; i < n; i++) {
		struct nfj_entry *rule = nfj_ir_add_entry(ir);

		rule->rule = i;
		if (!chance(r, open))
			rule->flags |= NFJ_ENTRY_TERMINAL;
		shape_rule(r, ir, shape, n);
	}
}
