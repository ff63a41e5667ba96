// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random chains of expressions, and packets for them.
 *
 * Rules are made of blocks like those that nft writes (load, perhaps some
 * arithmetic, compare) on registers that may be any, with now and then an
 * expression that no sane nft would put there; then an end with effects and a
 * verdict.  Nothing is generated that the kernel would refuse, with one
 * exception for the sake of kernels to come (struct x_expr: X_BITREG).
 *
 * A chain has a favourite load, so that rules in a row ask for the same thing
 * with values near each other.  Packets are made to pass the comparisons of one
 * of the rules: the wanted value is carried back through the arithmetic to
 * where it was loaded from, then moved by one in some cases.
 */
#include "expr.h"

struct xgen {
	struct rnd	*r;
	struct x_chain	*c;
	struct x_rule	*rule;
	struct x_expr	fav;
	u8		favmask[X_DATA];	/* a prefix that goes with it */
	u8		near[X_DATA];
	u32		wild;	/* percent */
	u32		xt;	/* percent of blocks that are matches of x_tables */
	u32		xt_fav;	/* the one that is the most frequent */
	u32		concat;	/* percent of rules with concatenations */
};

static struct x_expr *add(struct xgen *g, u8 kind)
{
	static struct x_expr spare;
	struct x_expr *x = &spare;

	if (g->rule->n < X_EXPRS)
		x = &g->rule->e[g->rule->n++];
	memset(x, 0, sizeof(*x));
	x->kind = kind;
	return x;
}

/* A register with room for some bytes */
static u32 gen_reg(struct xgen *g, u32 len)
{
	u32 words = DIV_ROUND_UP(len, 4);

	if (chance(g->r, 60) && len <= 16)
		return NFT_REG_1 + (chance(g->r, 80) ? 0 : rnd(g->r, 4));
	return NFT_REG32_00 + rnd(g->r, 17 - words);
}

static bool overlap(u32 a, u32 b, u32 len)
{
	int x = x_reg(a), y = x_reg(b), n = ALIGN(len, 4);

	return x != y && x < y + n && y < x + n;
}

/* A destination for arithmetic: nft refuses what overlaps in part */
static u32 gen_dreg(struct xgen *g, u32 sreg, u32 len)
{
	u32 dreg, i;

	for (i = 0; i < 8 && chance(g->r, 30); i++) {
		dreg = gen_reg(g, len);
		if (!overlap(sreg, dreg, len))
			return dreg;
	}
	return sreg;
}

static void gen_load(struct xgen *g, struct x_expr *x)
{
	static const u32 metas[] = {
		NFT_META_LEN, NFT_META_PROTOCOL, NFT_META_NFPROTO,
		NFT_META_L4PROTO, NFT_META_PRIORITY, NFT_META_MARK,
		NFT_META_IIF, NFT_META_OIF, NFT_META_IIFNAME,
		NFT_META_OIFNAME, NFT_META_IIFTYPE, NFT_META_OIFTYPE,
		NFT_META_PKTTYPE, NFT_META_SKUID,
	};
	static const u32 cts[] = {
		NFT_CT_STATE, NFT_CT_DIRECTION, NFT_CT_STATUS, NFT_CT_MARK,
		NFT_CT_L3PROTOCOL,
	};
	struct rnd *r = g->r;

	memset(x, 0, sizeof(*x));
	switch (rnd(r, 10)) {
	case 0:
	case 1:
	case 2:
		x->kind = X_META;
		x->key = metas[rnd(r, ARRAY_SIZE(metas) - !chance(r, 10))];
		break;
	case 3:
		x->kind = X_CT;
		x->key = cts[rnd(r, ARRAY_SIZE(cts) - !chance(r, 10))];
		break;
	default:
		x->kind = X_PAYLOAD;
		x->base = rnd(r, chance(r, 3) ? 4 : 3);
		x->len = chance(r, 60) ? 1U << rnd(r, 3) : 1 + rnd(r, 16);
		x->off = chance(r, 60) ? 4 * rnd(r, 6) : rnd(r, 30);
		if (chance(r, 5))
			x->off = 50 + rnd(r, 20);
		if (chance(r, 3))
			x->len = 17 + rnd(r, 20);
	}
}

static u32 load_len(const struct x_expr *x)
{
	u32 koff, len, valid;

	if (x->kind == X_PAYLOAD)
		return x->len;
	return x_field(x, &koff, &len, &valid) ? len : 4;
}

static void gen_value(struct xgen *g, u8 *data, u32 len)
{
	struct rnd *r = g->r;
	u32 i;

	switch (rnd(r, 8)) {
	case 0:
		memset(data, rnd(r, 2) ? 0xff : 0, len);
		break;
	case 1:
		for (i = 0; i < len; i++)
			data[i] = rnd(r, 256);
		break;
	case 2:
		memset(data, 0, len);
		data[rnd(r, len)] = 1 << rnd(r, 8);
		break;
	default:
		/* around the same place, at both ends for both byte orders */
		memcpy(data, g->near, len);
		data[rnd(r, 2) ? 0 : len - 1] += rnd(r, 7) - 3;
	}
}

static void gen_mask(struct xgen *g, u8 *data, u32 len)
{
	u32 bits = rnd(g->r, len * 8 + 1), i;

	memset(data, 0, len);
	switch (rnd(g->r, 4)) {
	case 0:
		for (i = 0; i < len; i++)
			data[i] = rnd(g->r, 256);
		break;
	case 1:
		data[rnd(g->r, len)] = 0xff << rnd(g->r, 8);
		break;
	default:
		for (i = 0; i < bits; i++)
			data[i / 8] |= 0x80 >> i % 8;
	}
}

/* Arithmetic on a register of some length; the register where it went */
static u32 gen_math(struct xgen *g, u32 reg, u32 len)
{
	struct rnd *r = g->r;
	struct x_expr *x;

	switch (rnd(r, 8)) {
	case 0:
		x = add(g, X_SHIFT);
		x->op = rnd(r, 2) ? NFT_BITWISE_LSHIFT : NFT_BITWISE_RSHIFT;
		x->shift = 1 + rnd(r, 31);
		break;
	case 1:
	case 2:
		x = add(g, X_BYTEORDER);
		x->op = rnd(r, 2);
		x->size = len >= 8 && chance(r, 30) ? 8 :
			  len >= 4 && chance(r, 70) ? 4 : 2;
		x->len = x->size;
		if (chance(r, 10) && len > x->size)
			x->len = len;
		x->sreg = reg;
		x->dreg = x->size == 2 && !chance(r, g->wild) ? reg :
			  gen_dreg(g, reg, max(len, x->len));
		return x->dreg;
	case 3:
		if (!chance(r, 5))
			return reg;
		x = add(g, X_BITREG);
		x->op = X_BITWISE_AND + rnd(r, 3);
		x->sreg2 = chance(r, 50) ? reg : gen_reg(g, len);
		break;
	default:
		x = add(g, X_BITWISE);
		x->op = NFT_BITWISE_MASK_XOR;
		x->dlen = len;
		gen_mask(g, x->data, len);
		if (chance(r, 25))
			gen_value(g, x->data2, len);
	}
	x->len = len;
	x->sreg = reg;
	x->dreg = gen_dreg(g, reg, len);
	return x->dreg;
}

static bool elem_overlap(const struct x_expr *x, const struct x_elem *a,
			 const struct x_elem *b)
{
	u32 i, at = 0;

	for (i = 0; i < x->nfields; i++) {
		if (memcmp(a->lo + at, b->hi + at, x->field[i]) > 0 ||
		    memcmp(a->hi + at, b->lo + at, x->field[i]) < 0)
			return false;
		at += ALIGN(x->field[i], 4);
	}
	return true;
}

/* Is a point of the key in an element? */
static bool elem_has(const struct x_expr *x, const struct x_elem *e,
		     const u8 *key)
{
	u32 i, at = 0;

	for (i = 0; i < x->nfields; i++) {
		if (memcmp(key + at, e->lo + at, x->field[i]) < 0 ||
		    memcmp(key + at, e->hi + at, x->field[i]) > 0)
			return false;
		at += ALIGN(x->field[i], 4);
	}
	return true;
}

/* Does nft refuse an element for the sake of one that is there?  Concatenations
 * with ranges take what overlaps with it but for its two ends, and of two that
 * hold a key the first counts.
 */
static bool elem_refused(const struct x_expr *x, const struct x_elem *e,
			 const struct x_elem *there)
{
	if (x->nfields < 2)
		return elem_overlap(x, e, there);
	return elem_has(x, there, e->lo) || elem_has(x, there, e->hi);
}

/* A set that never changes; the key is one field, or some of four bytes and less */
static void gen_fields(struct xgen *g, u32 reg, const u8 *field, u32 nfields,
		       bool map)
{
	static const s32 verdicts[] = {
		NF_ACCEPT, NF_DROP, NFT_RETURN, NFT_JUMP, NFT_GOTO,
		NFT_CONTINUE,
	};
	struct rnd *r = g->r;
	struct x_expr *x = add(g, map ? X_MAP : X_SET);
	u32 i, j, k, n = 1 + rnd(r, X_ELEMS), at;
	u32 wide = chance(r, 50) ? 40 : 2, any = rnd(r, 2 * X_FIELDS);

	x->sreg = reg;
	x->inv = !map && chance(r, 25);
	x->nfields = nfields;
	memcpy(x->field, field, nfields);
	x->len = field[0];
	for (i = 1; i < nfields; i++)
		x->len = ALIGN(x->len, 4) + ALIGN(field[i], 4);
	for (i = 0; i < n; i++) {
		struct x_elem *e = &x->elem[x->nelems];

		memset(e, 0, sizeof(*e));
		for (j = 0, at = 0; j < x->nfields; j++) {
			u8 *lo = e->lo + at, *hi = e->hi + at;

			gen_value(g, lo, x->field[j]);
			memcpy(hi, lo, x->field[j]);
			if (chance(r, 30))
				hi[x->field[j] - 1] |= rnd(r, 256);
			if (chance(r, 5))
				memset(hi, 0xff, x->field[j]);
			/* any value, as in "addr . 0-65535" */
			if (x->nfields > 1 && chance(r, j == any ? 95 : wide)) {
				memset(lo, 0, x->field[j]);
				memset(hi, 0xff, x->field[j]);
			}
			at += ALIGN(x->field[j], 4);
		}
		for (k = 0; k < x->nelems; k++)
			if (elem_refused(x, e, &x->elem[k]))
				break;
		e->verdict = map ? verdicts[rnd(r, ARRAY_SIZE(verdicts))] : 0;
		if (e->verdict == NFT_JUMP || e->verdict == NFT_GOTO)
			e->target = 1 + rnd(r, 2);
		x->nelems += k == x->nelems;
	}
	if (x->nelems < X_ELEMS && chance(r, map ? 25 : 3)) {
		struct x_elem *e = &x->elem[x->nelems++];

		memset(e, 0, sizeof(*e));
		e->catchall = true;
		e->verdict = map ? verdicts[rnd(r, 3)] : 0;
	}
}

static void gen_set(struct xgen *g, u32 reg, u32 len, bool map)
{
	const u8 one[] = { len }, two[] = { 1 + rnd(g->r, 4), len - 4 };

	/* a concatenation where there are several words */
	if (len > 4 && chance(g->r, 60))
		gen_fields(g, reg, two, 2, map);
	else
		gen_fields(g, reg, one, 1, map);
}

/* A concatenation of loads, looked up in a set of intervals */
static void gen_concat(struct xgen *g, bool map)
{
	u32 n = 2 + rnd(g->r, X_FIELDS - 1), reg = NFT_REG32_00 + rnd(g->r, 8), i;
	struct x_expr load, *x;
	u8 field[X_FIELDS];

	for (i = 0; i < n; i++) {
		do {
			gen_load(g, &load);
			if (i == 1 && load_len(&g->fav) <= 4)
				load = g->fav;
		} while (load_len(&load) > 4);
		x = add(g, 0);
		*x = load;
		x->dreg = reg + i;
		field[i] = load_len(&load);
	}
	gen_fields(g, reg, field, n, map);
}

static void gen_compare(struct xgen *g, u32 reg, u32 len)
{
	struct rnd *r = g->r;
	struct x_expr *x;

	if (chance(r, 15)) {
		gen_set(g, reg, len, false);
		return;
	}
	if (chance(r, 20)) {
		x = add(g, X_RANGE);
		x->op = chance(r, 80) ? NFT_RANGE_EQ : NFT_RANGE_NEQ;
		gen_value(g, x->data, len);
		gen_value(g, x->data2, len);
		if (memcmp(x->data, x->data2, len) > 0 && chance(r, 95)) {
			u8 swap[X_DATA];

			memcpy(swap, x->data, len);
			memcpy(x->data, x->data2, len);
			memcpy(x->data2, swap, len);
		}
	} else {
		x = add(g, X_CMP);
		x->op = chance(r, 60) ? NFT_CMP_EQ : rnd(r, 6);
		gen_value(g, x->data, len);
	}
	x->sreg = reg;
	x->dlen = len;
}

/* A match of x_tables, most often the same, so that many are about one number */
static void gen_match(struct xgen *g)
{
	const struct xt_match *m = &xt_matches[g->xt_fav];
	struct x_expr *x = add(g, X_MATCH);

	if (chance(g->r, 25))
		m = &xt_matches[rnd(g->r, xt_nmatches)];
	snprintf(x->name, sizeof(x->name), "%s", m->name);
	x->rev = m->rev;
	x->len = m->len;
	xt_gen(g->r, m->name, m->rev, &x->info);
}

static void gen_block(struct xgen *g)
{
	struct rnd *r = g->r;
	u32 reg, len, i, n = chance(r, 50) ? 0 : 1 + rnd(r, 3);
	struct x_expr load = g->fav, *x;
	bool fav = chance(r, 65);

	if (!fav)
		gen_load(g, &load);
	len = load_len(&load);
	reg = gen_reg(g, len);
	if (chance(r, 3)) {
		x = add(g, X_IMMEDIATE);
		x->dlen = 1 + rnd(r, 16);
		x->dreg = gen_reg(g, x->dlen);
		gen_value(g, x->data, x->dlen);
		reg = x->dreg;
		len = x->dlen;
	} else {
		x = add(g, 0);
		*x = load;
		x->dreg = reg;
	}
	if (chance(r, 8)) {
		/* a second one behind it, then both at once */
		u32 at = x_reg(reg) / 4 + DIV_ROUND_UP(len, 4);

		gen_load(g, &load);
		if (at < 12 && load_len(&load) <= 16) {
			x = add(g, 0);
			*x = load;
			x->dreg = NFT_REG32_00 + at;
			len = ALIGN(len, 4) + load_len(&load);
		}
	}
	len = min(len, 16U);
	if (fav && chance(r, 40)) {
		x = add(g, X_BITWISE);
		x->op = NFT_BITWISE_MASK_XOR;
		x->len = len;
		x->dlen = len;
		x->sreg = reg;
		x->dreg = reg;
		memcpy(x->data, g->favmask, len);
		n = rnd(r, 5) == 0;
	}
	for (i = 0; i < n; i++)
		reg = gen_math(g, reg, len);
	/* a part of it, or a little more than it */
	if (chance(r, 15))
		len = 1 + rnd(r, len);
	else if (chance(r, 5) && len % 4)
		len++;
	gen_compare(g, reg, len);
}

static void gen_wild(struct xgen *g)
{
	u32 len = 1 + rnd(g->r, 16), reg = gen_reg(g, len);

	switch (rnd(g->r, 3)) {
	case 0:
		gen_compare(g, reg, len);
		break;
	case 1:
		gen_math(g, reg, len);
		break;
	default:
		gen_load(g, add(g, 0));
		g->rule->e[g->rule->n - 1].dreg = NFT_REG_1;
	}
}

static void gen_other(struct xgen *g, const char *name)
{
	snprintf(add(g, X_OTHER)->name, sizeof(((struct x_expr *)0)->name), "%s",
		 name);
}

/* A register that holds something, now and then only in part */
static u32 gen_init(struct xgen *g, u32 len)
{
	u32 reg = gen_reg(g, len);
	struct x_expr *x;

	if (chance(g->r, g->wild))
		return reg;
	x = add(g, X_PAYLOAD);
	x->base = NFT_PAYLOAD_NETWORK_HEADER;
	x->off = rnd(g->r, 20);
	x->len = len;
	x->dreg = reg;
	return reg;
}

static void gen_effect(struct xgen *g)
{
	struct rnd *r = g->r;
	struct x_expr load, *x;
	u32 reg;

	switch (rnd(r, 16)) {
	case 0:
	case 1:
		gen_other(g, "log");
		break;
	case 2:
		gen_other(g, "limit");
		break;
	case 3:
		gen_other(g, "notrack");
		break;
	case 4:
		/* a name that no table knows */
		gen_other(g, "frobnicate");
		break;
	case 5:
	case 6:
	case 7:
		gen_load(g, &load);
		if (load_len(&load) > 16)
			break;
		reg = gen_reg(g, load_len(&load));
		x = add(g, 0);
		*x = load;
		x->dreg = reg;
		if (chance(r, 30))
			reg = gen_math(g, reg, min(load_len(&load), 16U));
		x = add(g, X_LOOKUP);
		x->sreg = reg;
		x->len = load_len(&load);
		if (chance(r, 30)) {
			x->size = 1;
			x->dreg = chance(r, 50) ? 0 : gen_reg(g, 4);
		}
		if (x->dreg && chance(r, 50))
			gen_compare(g, x->dreg, 4);
		if (!x->size && chance(r, 20))
			x->kind = X_DYNSET;
		break;
	case 8:
	case 9:
	case 10:
		reg = gen_reg(g, 4);
		if (chance(r, 50)) {
			x = add(g, X_IMMEDIATE);
			x->dreg = reg;
			x->dlen = 4;
			gen_value(g, x->data, 4);
		} else {
			x = add(g, X_META);
			x->dreg = reg;
			x->key = NFT_META_MARK;
			if (chance(r, 50))
				reg = gen_math(g, reg, 4);
		}
		x = add(g, rnd(r, 2) ? X_META_SET : X_CT_SET);
		x->key = x->kind == X_CT_SET ? (u32)NFT_CT_MARK :
			 rnd(r, 2) ? NFT_META_MARK : NFT_META_PRIORITY;
		x->sreg = reg;
		break;
	case 11:
		reg = gen_init(g, 4);
		x = add(g, X_PAYLOAD_SET);
		x->base = rnd(r, 3);
		x->len = 1 + rnd(r, 4);
		x->off = rnd(r, 20);
		x->sreg = reg;
		break;
	case 12:
		gen_other(g, "numgen");
		x = &g->rule->e[g->rule->n - 1];
		x->attr[0].type = NFTA_NG_DREG;
		x->attr[0].val = gen_reg(g, 4);
		x->nattr = 1;
		gen_compare(g, x->attr[0].val, 4);
		break;
	case 13:
		reg = gen_init(g, 16);
		gen_other(g, "nat");
		x = &g->rule->e[g->rule->n - 1];
		x->attr[0].type = NFTA_NAT_REG_ADDR_MIN;
		x->attr[0].val = reg;
		x->nattr = 1;
		break;
	default:
		gen_other(g, "counter");
	}
}

static void gen_rule(struct xgen *g)
{
	static const s32 verdicts[] = {
		NF_ACCEPT, NF_ACCEPT, NF_DROP, NF_DROP, NFT_RETURN,
		NFT_CONTINUE, NFT_BREAK, NFT_JUMP, NFT_GOTO, NF_QUEUE,
	};
	struct rnd *r = g->r;
	u32 i, n = chance(r, 5) ? 0 : 1 + rnd(r, 3);

	for (i = 0; i < n; i++) {
		if (chance(r, g->xt))
			gen_match(g);
		else if (chance(r, g->concat))
			gen_concat(g, false);
		else
			gen_block(g);
		if (chance(r, g->wild))
			gen_wild(g);
		if (chance(r, g->wild))
			gen_effect(g);
	}
	while (chance(r, 40))
		gen_effect(g);
	if (chance(r, 15))
		gen_block(g);
	if (chance(r, g->concat)) {
		gen_concat(g, true);
	} else if (chance(r, 15)) {
		struct x_expr load = g->fav, *x;
		u32 reg, len = min(load_len(&load), 16U);

		reg = gen_reg(g, load_len(&load));
		x = add(g, 0);
		*x = load;
		x->dreg = reg;
		if (chance(r, 30))
			reg = gen_math(g, reg, len);
		gen_set(g, reg, len, true);
	} else if (chance(r, 70)) {
		add(g, X_VERDICT)->verdict =
			verdicts[rnd(r, ARRAY_SIZE(verdicts))];
	} else if (chance(r, 5)) {
		gen_other(g, "reject");
	}
	if (chance(r, 3))
		gen_effect(g);
}

static void gen_fav(struct xgen *g)
{
	u32 i, bits;

	gen_load(g, &g->fav);
	bits = rnd(g->r, 8 * min(load_len(&g->fav), 16U));
	memset(g->favmask, 0, sizeof(g->favmask));
	for (i = 0; i < bits; i++)
		g->favmask[i / 8] |= 0x80 >> i % 8;
}

/* All rules compare the same two or three fields, each with one of few values:
 * many rules are left when the first of them has been searched
 */
static void gen_grid(struct xgen *g, u32 n)
{
	u32 i, j, k, dims = 2 + rnd(g->r, 2);
	struct x_expr load[3], *x;

	for (k = 0; k < dims; k++) {
		memset(&load[k], 0, sizeof(load[k]));
		load[k].kind = X_PAYLOAD;
		load[k].base = NFT_PAYLOAD_NETWORK_HEADER;
		load[k].off = 8 + 4 * k;
		load[k].len = 1 + rnd(g->r, 4);
		load[k].dreg = NFT_REG_1 + k;
	}
	for (i = 0; i < n; i++) {
		g->rule = &g->c->rule[g->c->n++];
		g->rule->n = 0;
		for (k = 0; k < dims; k++) {
			x = add(g, 0);
			*x = load[k];
			x = add(g, chance(g->r, 10) ? X_RANGE : X_CMP);
			x->sreg = load[k].dreg;
			x->dlen = load[k].len;
			for (j = 0; j < x->dlen; j++)
				x->data[j] = g->near[j];
			x->data[x->dlen - 1] = 16 * rnd(g->r, 8);
			memcpy(x->data2, x->data, x->dlen);
			x->data2[x->dlen - 1] += rnd(g->r, 20);
		}
		if (chance(g->r, 20))
			gen_effect(g);
		if (chance(g->r, 80))
			add(g, X_VERDICT)->verdict = rnd(g->r, 2);
	}
}

/* The result of add() may be the spare one: then the rule is left as it is */
void x_gen(struct rnd *r, struct x_chain *c, u32 n)
{
	struct xgen g = { .r = r, .c = c };
	u32 i;

	g.wild = chance(r, 70) ? 0 : rnd(r, 10);
	g.xt = chance(r, 70) ? 0 : 30 + rnd(r, 70);
	g.xt_fav = rnd(r, xt_nmatches);
	g.concat = chance(r, 70) ? 1 : 40;
	for (i = 0; i < X_DATA; i++)
		g.near[i] = rnd(r, 256);
	c->n = 0;
	if (n >= 20 && chance(r, 20)) {
		gen_grid(&g, n);
		return;
	}
	gen_fav(&g);
	for (i = 0; i < n; i++) {
		if (chance(r, 5))
			gen_fav(&g);
		g.rule = &c->rule[c->n++];
		g.rule->n = 0;
		gen_rule(&g);
	}
}

/* A chain that jumps and returns more than others, and of which nothing taints */
void x_gen_jumps(struct rnd *r, struct x_chain *c, u32 n)
{
	static const s32 verdicts[] = {
		NFT_JUMP, NFT_JUMP, NFT_JUMP, NFT_GOTO, NFT_RETURN,
	};
	u32 i;

	x_gen(r, c, n);
	for (i = 0; i < c->n; i++) {
		struct x_rule *rule = &c->rule[i];
		struct x_expr *x = rule->n ? &rule->e[rule->n - 1] : NULL;

		if (x && x->kind == X_VERDICT && chance(r, 70))
			x->verdict = verdicts[rnd(r, ARRAY_SIZE(verdicts))];
	}
	x_drop_tainted(c);
}

/* Move a number by one, in either byte order */
static void nudge(struct rnd *r, u8 *v, u32 len)
{
	u8 d = rnd(r, 2) ? 1 : 0xff;
	u32 i, at = rnd(r, 2) ? len - 1 : 0, step = at ? -1 : 1;

	if (chance(r, 20)) {
		v[rnd(r, len)] ^= 1 << rnd(r, 8);
		return;
	}
	for (i = 0; i < len; i++, at += step) {
		v[at] += d;
		if (v[at] != (d == 1 ? 0 : 0xff))
			break;
	}
}

static void shift_words(u8 *v, u32 len, u32 k, bool left)
{
	u32 w[4] = {}, o[4], n = DIV_ROUND_UP(len, 4), i;

	memcpy(w, v, len);
	for (i = 0; i < n; i++)
		o[i] = left ? w[i] << k | (i + 1 < n ? w[i + 1] >> (32 - k) : 0)
			    : w[i] >> k | (i ? w[i - 1] << (32 - k) : 0);
	memcpy(v, o, len);
}

/* A load: put the wanted value where it reads from */
static void place(struct nfj_key *key, const struct x_expr *x, int at,
		  const u8 *v, u32 len)
{
	u32 koff, flen, valid, i;

	if (!x_field(x, &koff, &flen, &valid))
		return;
	for (i = 0; i < len; i++)
		if (at + i < flen)
			((u8 *)key)[koff + at + i] = v[i];
}

static bool compares(const struct x_expr *x)
{
	return x->kind == X_CMP || x->kind == X_RANGE || x->kind == X_SET ||
	       x->kind == X_MAP || x->kind == X_MATCH;
}

/* Make the comparison at @n hold, going back to where its operand came from */
static void satisfy(struct rnd *r, struct nfj_key *key,
		    const struct x_rule *rule, u32 n)
{
	const struct x_expr *x = &rule->e[n];
	int reg = x_reg(x->sreg), dreg;
	u32 len = x->dlen, i;
	u8 v[X_DATA];

	if (x->kind == X_MATCH) {
		xt_satisfy(r, x->name, &x->info, key);
		return;
	}
	if (x->kind == X_SET || x->kind == X_MAP) {
		i = rnd(r, x->nelems);
		len = x->len;
		memcpy(v, rnd(r, 2) ? x->elem[i].lo : x->elem[i].hi, len);
	} else {
		memcpy(v, x->kind == X_RANGE && rnd(r, 2) ? x->data2 : x->data,
		       len);
	}
	if (chance(r, 40))
		nudge(r, v, len);
	while (n-- > 0) {
		x = &rule->e[n];
		dreg = x_reg(x->dreg);
		if (x->kind == X_PAYLOAD || x->kind == X_META ||
		    x->kind == X_CT) {
			if (reg >= dreg && reg < dreg + 16)
				place(key, x, reg - dreg, v, len);
			else if (reg < dreg && reg + (int)len > dreg)
				place(key, x, 0, v + (dreg - reg),
				      len - (dreg - reg));
			continue;
		}
		if (dreg != reg)
			continue;
		if (x->kind == X_BITWISE)
			for (i = 0; i < len && i < x->dlen; i++)
				v[i] = (v[i] ^ x->data2[i]) |
				       (rnd(r, 2) ? 0 : rnd(r, 256) &
							~x->data[i]);
		else if (x->kind == X_SHIFT)
			shift_words(v, len, x->shift,
				    x->op == NFT_BITWISE_RSHIFT);
		else if (x->kind == X_BYTEORDER && len >= x->size)
			for (i = 0; i < x->size / 2; i++) {
				u8 c = v[i];

				v[i] = v[x->size - 1 - i];
				v[x->size - 1 - i] = c;
			}
		else
			continue;
		reg = x_reg(x->sreg);
	}
}

/* How many bytes of a header there are: most often all, else at some load */
static u32 gen_have(struct rnd *r, const struct x_rule *rule, u32 window)
{
	const struct x_expr *x;

	if (chance(r, 80))
		return window;
	if (rule->n) {
		x = &rule->e[rnd(r, rule->n)];
		if (x->kind == X_PAYLOAD && x->off + x->len <= window)
			return x->off + x->len - rnd(r, 2);
	}
	return rnd(r, window + 1);
}

/* Where matches ask for the connection's state it is one that there is */
void x_real_key(struct rnd *r, const struct x_chain *c, struct nfj_key *key)
{
	u32 i, j;

	if (xt_is_state(key->ct_state))
		return;
	for (i = 0; i < c->n; i++)
		for (j = 0; j < c->rule[i].n; j++)
			if (c->rule[i].e[j].kind == X_MATCH) {
				key->ct_state = xt_some_state(r);
				return;
			}
}

void x_gen_key(struct rnd *r, const struct x_chain *c, struct nfj_key *key)
{
	u32 i, j, n = 1 + rnd(r, 2), fill = rnd(r, 4);
	const struct x_rule *rule = NULL;

	if (fill)
		memset(key, fill == 1 ? 0xff : 0, sizeof(*key));
	else
		for (i = 0; i < sizeof(*key); i++)
			((u8 *)key)[i] = rnd(r, 256);
	for (i = 0; i < n; i++) {
		rule = &c->rule[rnd(r, c->n)];
		for (j = 0; j < rule->n; j++)
			if (compares(&rule->e[j]) && chance(r, 95))
				satisfy(r, key, rule, j);
	}
	key->valid = chance(r, 80) ? 0x3f : rnd(r, 64);
	key->ll_len = gen_have(r, rule, NFJ_LL_WINDOW);
	key->nh_len = gen_have(r, rule, NFJ_NH_WINDOW);
	key->th_len = gen_have(r, rule, NFJ_TH_WINDOW);
	key->thf_len = chance(r, 70) ? key->th_len :
				       gen_have(r, rule, NFJ_TH_WINDOW);
}
