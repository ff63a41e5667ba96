// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules of the self-test.
 *
 * A rule is made as nft makes it: netlink attributes, from which the expression's
 * own select_ops() and init() make the expression.  So nothing here knows what an
 * expression looks like inside, and which ones have a fast variant is decided by
 * the kernel.  What the kernel refuses it does not have, and there is nothing to
 * test.
 *
 * What a load is compared with is what the kernel's own eval() has loaded from the
 * packets, so every value that occurs is found by some rule.
 *
 * Each rule comes twice, and ends with an expression of ours that notes that the
 * rule was true:
 *
 *	[load][cmp][hit]		the engine matches in BPF
 *	[other][load][cmp][hit]		the engine does what nft_do_chain() does
 *
 * "hit" passes for a counter, which can be anywhere and leaves the registers
 * alone; "other" is something that the front end has never heard of, behind which
 * all is residue.
 */
#include <linux/netfilter/nf_tables.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/netfilter/nf_tables.h>
#include <net/netfilter/nf_tables_core.h>
#include <net/netlink.h>
#include "../engine/state.h"
#include "../hook/hook.h"
#include "selftest.h"

#define NFJ_ST_EXPRS	8
#define NFJ_ST_VALUES	6

/* our expressions */
struct nfj_hit {
	u32	nr;
};

static unsigned long *nfj_hits;

/**
 * nfj_st_hits - where rules are to note that they were true
 * @hits: a bit for each; until the next call
 */
void nfj_st_hits(unsigned long *hits)
{
	nfj_hits = hits;
}

static void nfj_hit_eval(const struct nft_expr *expr, struct nft_regs *regs,
			 const struct nft_pktinfo *pkt)
{
	const struct nfj_hit *priv = nft_expr_priv(expr);

	__set_bit(priv->nr, nfj_hits);
}

static void nfj_other_eval(const struct nft_expr *expr, struct nft_regs *regs,
			   const struct nft_pktinfo *pkt)
{
}

static struct nft_expr_type nfj_hit_type = { .name = "counter" };
static struct nft_expr_type nfj_other_type = { .name = "selftest" };

static const struct nft_expr_ops nfj_hit_ops = {
	.type	= &nfj_hit_type,
	.size	= NFT_EXPR_SIZE(sizeof(struct nfj_hit)),
	.eval	= nfj_hit_eval,
};

static const struct nft_expr_ops nfj_other_ops = {
	.type	= &nfj_other_type,
	.size	= NFT_EXPR_SIZE(sizeof(struct nfj_hit)),
	.eval	= nfj_other_eval,
};

/* the types whose rules are tested, by the names of their variables */
enum nfj_st_type {
	NFJ_ST_PAYLOAD,
	NFJ_ST_META,
	NFJ_ST_CMP,
	NFJ_ST_RANGE,
	NFJ_ST_BITWISE,
	NFJ_ST_BYTEORDER,
	NFJ_ST_TYPES,
};

static const char * const nfj_st_symbol[] = {
	[NFJ_ST_PAYLOAD]	= "nft_payload_type",
	[NFJ_ST_META]		= "nft_meta_type",
	[NFJ_ST_CMP]		= "nft_cmp_type",
	[NFJ_ST_RANGE]		= "nft_range_type",
	[NFJ_ST_BITWISE]	= "nft_bitwise_type",
	[NFJ_ST_BYTEORDER]	= "nft_byteorder_type",
};

static const struct nft_expr_type *nfj_st_type[NFJ_ST_TYPES];

/**
 * struct nfj_st_build - a rule in the making
 * @r: where it goes
 * @ctx: for the expressions
 * @msg: attributes of the next expression
 * @rule: the rule, with room for all
 * @err: what went wrong: -ENOMEM, or this kernel does not have it
 */
struct nfj_st_build {
	struct nfj_st_rules	*r;
	struct nft_ctx		ctx;
	struct sk_buff		*msg;
	struct nft_rule		*rule;
	int			err;
};

#define NFJ_ST_DATA	1024

static void nfj_st_start(struct nfj_st_build *b, bool residue)
{
	struct nft_expr *expr = (void *)b->rule->data;

	memset(b->rule, 0, sizeof(*b->rule) + NFJ_ST_DATA);
	b->err = 0;
	memset(&b->ctx, 0, sizeof(b->ctx));
	b->ctx.net = &init_net;
	b->ctx.table = &b->r->table;
	b->ctx.chain = &b->r->base.chain;
	/* bridge has a meta of its own on top, which is another module */
	b->ctx.family = b->r->family == NFPROTO_BRIDGE ? NFPROTO_NETDEV :
			b->r->family;
	if (residue) {
		expr->ops = &nfj_other_ops;
		b->rule->dlen += expr->ops->size;
	}
	skb_trim(b->msg, 0);
}

/* The attributes in @b->msg become an expression; where it is */
static struct nft_expr *nfj_st_expr(struct nfj_st_build *b, enum nfj_st_type nr)
{
	const struct nft_expr_type *type = nfj_st_type[nr];
	struct nlattr *tb[NFT_EXPR_MAXATTR + 1] = {};
	struct nft_expr *expr = (void *)b->rule->data + b->rule->dlen;
	const struct nft_expr_ops *ops = type->ops;

	if (b->err)
		return NULL;
	b->err = nla_parse_deprecated(tb, type->maxattr, (void *)b->msg->data,
				      b->msg->len, type->policy, NULL);
	if (b->err)
		return NULL;
	if (type->select_ops)
		ops = type->select_ops(&b->ctx, (const struct nlattr * const *)tb);
	if (IS_ERR(ops)) {
		b->err = PTR_ERR(ops);
		return NULL;
	}
	if (b->rule->dlen + ops->size > NFJ_ST_DATA) {
		b->err = -E2BIG;
		return NULL;
	}
	expr->ops = ops;
	b->err = ops->init(&b->ctx, expr, (const struct nlattr * const *)tb);
	if (b->err)
		return NULL;
	b->rule->dlen += ops->size;
	skb_trim(b->msg, 0);
	return expr;
}

static void nfj_st_u32(struct nfj_st_build *b, int attr, u32 v)
{
	if (!b->err)
		b->err = nla_put_be32(b->msg, attr, htonl(v));
}

static void nfj_st_data(struct nfj_st_build *b, int attr, const void *data,
			unsigned int len)
{
	struct nlattr *nest;

	if (b->err)
		return;
	nest = nla_nest_start_noflag(b->msg, attr);
	if (!nest) {
		b->err = -ENOMEM;
		return;
	}
	b->err = nla_put(b->msg, NFTA_DATA_VALUE, len, data);
	nla_nest_end(b->msg, nest);
}

/**
 * struct nfj_st_load - an expression that loads
 * @meta: meta, or payload
 * @key: of meta
 * @base: NFT_PAYLOAD_*
 * @off: where
 * @len: how much; of meta, what is compared
 */
struct nfj_st_load {
	bool	meta;
	u8	key;
	u8	base;
	u8	off;
	u8	len;
};

static struct nft_expr *nfj_st_load(struct nfj_st_build *b,
				    const struct nfj_st_load *l, u32 dreg)
{
	if (l->meta) {
		nfj_st_u32(b, NFTA_META_KEY, l->key);
		nfj_st_u32(b, NFTA_META_DREG, dreg);
		return nfj_st_expr(b, NFJ_ST_META);
	}
	nfj_st_u32(b, NFTA_PAYLOAD_BASE, l->base);
	nfj_st_u32(b, NFTA_PAYLOAD_OFFSET, l->off);
	nfj_st_u32(b, NFTA_PAYLOAD_LEN, l->len);
	nfj_st_u32(b, NFTA_PAYLOAD_DREG, dreg);
	return nfj_st_expr(b, NFJ_ST_PAYLOAD);
}

static void nfj_st_cmp(struct nfj_st_build *b, u32 sreg, u32 op, const void *data,
		       unsigned int len)
{
	nfj_st_u32(b, NFTA_CMP_SREG, sreg);
	nfj_st_u32(b, NFTA_CMP_OP, op);
	nfj_st_data(b, NFTA_CMP_DATA, data, len);
	nfj_st_expr(b, NFJ_ST_CMP);
}

/* The rule is complete: it becomes the next one of the chain if this kernel has
 * all that is in it.
 */
static __printf(2, 3) int nfj_st_end(struct nfj_st_build *b, const char *fmt, ...)
{
	struct nfj_st_rules *r = b->r;
	struct nft_expr *expr = (void *)b->rule->data + b->rule->dlen;
	struct nft_rule *rule;
	va_list args;

	if (b->err)
		return b->err == -ENOMEM ? -ENOMEM : 0;
	if (b->rule->dlen + nfj_hit_ops.size > NFJ_ST_DATA ||
	    r->n == NFJ_ST_RULES_MAX)
		return -E2BIG;
	expr->ops = &nfj_hit_ops;
	((struct nfj_hit *)nft_expr_priv(expr))->nr = r->n;
	b->rule->dlen += expr->ops->size;
	rule = kmemdup(b->rule, sizeof(*rule) + b->rule->dlen, GFP_KERNEL);
	if (!rule)
		return -ENOMEM;
	list_add_tail(&rule->list, &r->base.chain.rules);
	va_start(args, fmt);
	vsnprintf(r->name[r->n], sizeof(r->name[r->n]), fmt, args);
	va_end(args);
	r->rule[r->n++] = rule;
	return 0;
}

static void nfj_st_load_name(char *name, size_t size, const struct nfj_st_load *l)
{
	static const char * const base[] = { "link", "network", "transport",
					     "inner" };

	if (l->meta)
		snprintf(name, size, "meta key %u", l->key);
	else
		snprintf(name, size, "payload %s %u@%u", base[l->base], l->len,
			 l->off);
}

/* What there is to load: the values that are in the packets, -errno when there is
 * no memory
 */
static int nfj_st_values(struct nfj_st_build *b, const struct nfj_st_load *l,
			 u8 values[][16])
{
	const struct nft_expr *expr;
	unsigned int i, k, n = 0;
	struct nft_regs regs;
	struct nft_pktinfo pkt;

	nfj_st_start(b, false);
	expr = nfj_st_load(b, l, NFT_REG_1);
	if (!expr)
		return b->err == -ENOMEM ? -ENOMEM : 0;
	for (i = 0; i < b->r->nframes && n < NFJ_ST_VALUES; i++) {
		const struct nfj_frame *f = &b->r->frames[i];
		const u8 *got = (const u8 *)&regs.data[4];

		if (f->family != b->r->family)
			continue;
		memset(&regs, 0, sizeof(regs));
		regs.verdict.code = NFT_CONTINUE;
		local_bh_disable();
		rcu_read_lock();
		nfj_hook_pktinfo(&pkt, f->family, f->skb, &f->state);
		expr->ops->eval(expr, &regs, &pkt);
		rcu_read_unlock();
		local_bh_enable();
		if (regs.verdict.code != NFT_CONTINUE)
			continue;
		for (k = 0; k < n; k++)
			if (!memcmp(values[k], got, l->len))
				break;
		if (k == n)
			memcpy(values[n++], got, l->len);
	}
	return n;
}

/* Does a load succeed, and what does it give? */
static int nfj_st_loads(struct nfj_st_build *b, const struct nfj_st_load *l,
			bool residue)
{
	u8 values[NFJ_ST_VALUES][16];
	char name[32];
	int n, i, err;

	nfj_st_load_name(name, sizeof(name), l);
	n = nfj_st_values(b, l, values);
	if (n < 0)
		return n;
	nfj_st_start(b, residue);
	nfj_st_load(b, l, NFT_REG_1);
	err = nfj_st_end(b, "%s", name);
	for (i = 0; !err && i < n; i++) {
		nfj_st_start(b, residue);
		nfj_st_load(b, l, NFT_REG_1);
		nfj_st_cmp(b, NFT_REG_1, NFT_CMP_EQ, values[i], l->len);
		err = nfj_st_end(b, "%s", name);
	}
	return err;
}

/* All comparisons of what a load gives */
static int nfj_st_cmps(struct nfj_st_build *b, const struct nfj_st_load *l,
		       bool residue)
{
	u8 values[NFJ_ST_VALUES][16];
	int n, err = 0;
	u32 op;

	n = nfj_st_values(b, l, values);
	if (n <= 0)
		return n;
	for (op = NFT_CMP_EQ; !err && op <= NFT_CMP_GTE; op++) {
		nfj_st_start(b, residue);
		nfj_st_load(b, l, NFT_REG_1);
		nfj_st_cmp(b, NFT_REG_1, op, values[n / 2], l->len);
		err = nfj_st_end(b, "cmp op %u of %u bytes", op, l->len);
	}
	for (op = NFT_RANGE_EQ; !err && op <= NFT_RANGE_NEQ; op++) {
		u8 high[16];

		memset(high, 0xf0, sizeof(high));
		nfj_st_start(b, residue);
		nfj_st_load(b, l, NFT_REG_1);
		nfj_st_u32(b, NFTA_RANGE_SREG, NFT_REG_1);
		nfj_st_u32(b, NFTA_RANGE_OP, op);
		nfj_st_data(b, NFTA_RANGE_FROM_DATA, values[n / 2], l->len);
		nfj_st_data(b, NFTA_RANGE_TO_DATA, high, l->len);
		nfj_st_expr(b, NFJ_ST_RANGE);
		err = nfj_st_end(b, "range op %u of %u bytes", op, l->len);
	}
	return err;
}

/* What a load gives, passed through bitwise; compared with the first value that
 * comes out of it
 */
static void nfj_st_bitwise(struct nfj_st_build *b, u32 op, unsigned int len)
{
	static const u8 mask[16] = { 0x0f, 0xf0, 0x3c, 0xff, 0, 0xff, 1, 0x80,
				     7, 0xe0, 0x55, 0xaa, 0xff, 0xff, 0, 1 };
	static const u8 xor[16] = { 1, 0x10, 4, 0x80, 0, 0, 0, 0x80, 2, 0x40 };
	const u32 shift = 3;

	nfj_st_u32(b, NFTA_BITWISE_SREG, NFT_REG_1);
	nfj_st_u32(b, NFTA_BITWISE_DREG, NFT_REG_2);
	nfj_st_u32(b, NFTA_BITWISE_LEN, len);
	nfj_st_u32(b, NFTA_BITWISE_OP, op);
	if (op == NFT_BITWISE_MASK_XOR) {
		nfj_st_data(b, NFTA_BITWISE_MASK, mask, len);
		nfj_st_data(b, NFTA_BITWISE_XOR, xor, len);
	} else if (op <= NFT_BITWISE_RSHIFT) {
		nfj_st_data(b, NFTA_BITWISE_DATA, &shift, sizeof(shift));
	} else {
		nfj_st_data(b, NFTA_BITWISE_DATA, mask, len);
	}
	nfj_st_expr(b, NFJ_ST_BITWISE);
}

static void nfj_st_byteorder(struct nfj_st_build *b, u32 op, unsigned int len,
			     unsigned int size)
{
	nfj_st_u32(b, NFTA_BYTEORDER_SREG, NFT_REG_1);
	nfj_st_u32(b, NFTA_BYTEORDER_DREG, NFT_REG_2);
	nfj_st_u32(b, NFTA_BYTEORDER_OP, op);
	nfj_st_u32(b, NFTA_BYTEORDER_LEN, len);
	nfj_st_u32(b, NFTA_BYTEORDER_SIZE, size);
	nfj_st_expr(b, NFJ_ST_BYTEORDER);
}

/* What comes out of [load][bitwise or byteorder] for the first packet that has it */
static int nfj_st_first(struct nfj_st_build *b, u8 *value, unsigned int len)
{
	const struct nft_expr *expr, *end;
	struct nft_pktinfo pkt;
	struct nft_regs regs;
	unsigned int i;

	end = (void *)b->rule->data + b->rule->dlen;
	for (i = 0; i < b->r->nframes; i++) {
		const struct nfj_frame *f = &b->r->frames[i];

		if (f->family != b->r->family)
			continue;
		memset(&regs, 0, sizeof(regs));
		regs.verdict.code = NFT_CONTINUE;
		local_bh_disable();
		rcu_read_lock();
		nfj_hook_pktinfo(&pkt, f->family, f->skb, &f->state);
		for (expr = (void *)b->rule->data;
		     expr != end && regs.verdict.code == NFT_CONTINUE;
		     expr = (void *)expr + expr->ops->size)
			nfj_st_eval(expr, &regs, &pkt);
		rcu_read_unlock();
		local_bh_enable();
		if (regs.verdict.code != NFT_CONTINUE)
			continue;
		memcpy(value, &regs.data[8], len);
		return 0;
	}
	return -ENOENT;
}

static int nfj_st_change(struct nfj_st_build *b, const struct nfj_st_load *l,
			 u32 op, unsigned int size, bool residue)
{
	unsigned int len = ALIGN(l->len, 4);
	u8 value[16];

	nfj_st_start(b, residue);
	nfj_st_load(b, l, NFT_REG_1);
	if (size)
		nfj_st_byteorder(b, op, l->len, size);
	else
		nfj_st_bitwise(b, op, l->len);
	/* older kernels leave alone what is behind a number of two bytes */
	if (size == 2)
		len = 2;
	if (b->err || nfj_st_first(b, value, len))
		return b->err == -ENOMEM ? -ENOMEM : 0;
	nfj_st_cmp(b, NFT_REG_2, NFT_CMP_EQ, value, len);
	if (size)
		return nfj_st_end(b, "byteorder op %u of %u bytes", op, l->len);
	return nfj_st_end(b, "bitwise op %u of %u bytes", op, l->len);
}

/* A load that comes after another one of the same rule */
static int nfj_st_after(struct nfj_st_build *b, const struct nfj_st_load *first,
			const struct nfj_st_load *l, bool residue)
{
	u8 values[NFJ_ST_VALUES][16];
	char name[32], behind[32];
	int n, i, err = 0;

	nfj_st_load_name(behind, sizeof(behind), first);
	nfj_st_load_name(name, sizeof(name), l);
	n = nfj_st_values(b, l, values);
	for (i = 0; !err && i < n; i++) {
		nfj_st_start(b, residue);
		nfj_st_load(b, first, NFT_REG_2);
		nfj_st_load(b, l, NFT_REG_1);
		nfj_st_cmp(b, NFT_REG_1, NFT_CMP_EQ, values[i], l->len);
		err = nfj_st_end(b, "%.19s, %.19s", behind, name);
	}
	return n < 0 ? n : err;
}

#define NFJ_LL(_off, _len) { .base = NFT_PAYLOAD_LL_HEADER, .off = _off, .len = _len }
#define NFJ_NH(_off, _len) { .base = NFT_PAYLOAD_NETWORK_HEADER, .off = _off, .len = _len }
#define NFJ_TH(_off, _len) { .base = NFT_PAYLOAD_TRANSPORT_HEADER, .off = _off, .len = _len }
#define NFJ_META(_key, _len) { .meta = true, .key = _key, .len = _len }

static const struct nfj_st_load nfj_st_payloads[] = {
	NFJ_LL(0, 6), NFJ_LL(6, 6), NFJ_LL(0, 4), NFJ_LL(12, 2), NFJ_LL(14, 2),
	NFJ_LL(14, 1), NFJ_LL(16, 2), NFJ_LL(18, 4), NFJ_LL(10, 8), NFJ_LL(20, 2),
	NFJ_NH(0, 1), NFJ_NH(1, 1), NFJ_NH(2, 2), NFJ_NH(4, 4), NFJ_NH(6, 2),
	NFJ_NH(8, 1), NFJ_NH(9, 1), NFJ_NH(12, 4), NFJ_NH(16, 4), NFJ_NH(8, 16),
	NFJ_NH(24, 16), NFJ_NH(20, 2), NFJ_NH(3, 3), NFJ_NH(12, 8), NFJ_NH(40, 4),
	NFJ_TH(0, 1), NFJ_TH(0, 2), NFJ_TH(2, 2), NFJ_TH(0, 4), NFJ_TH(4, 4),
	NFJ_TH(13, 1), NFJ_TH(1, 2), NFJ_TH(2, 4), NFJ_TH(0, 3), NFJ_TH(4, 8),
	NFJ_TH(16, 2), NFJ_TH(8, 12),
};

/* whose values are compared in every way */
static const struct nfj_st_load nfj_st_compared[] = {
	NFJ_NH(9, 1), NFJ_TH(2, 2), NFJ_NH(3, 3), NFJ_NH(12, 4), NFJ_NH(12, 8),
	NFJ_NH(8, 16), NFJ_META(NFT_META_MARK, 4), NFJ_META(NFT_META_LEN, 4),
};

static const struct nfj_st_load nfj_st_first_of_two[] = {
	NFJ_META(NFT_META_L4PROTO, 1), NFJ_META(NFT_META_PROTOCOL, 2),
	NFJ_META(NFT_META_NFPROTO, 1),
};

static const struct nfj_st_load nfj_st_second_of_two[] = {
	NFJ_NH(12, 4), NFJ_TH(2, 2), NFJ_TH(1, 2),
	NFJ_META(NFT_META_PROTOCOL, 2), NFJ_META(NFT_META_L4PROTO, 1),
};

/* How much of the register a key fills does not matter for those that the front
 * end does not know.  What is another value each time is left out.
 */
static bool nfj_st_key(struct nfj_st_load *l, unsigned int key)
{
	*l = (struct nfj_st_load){ .meta = true, .key = key, .len = 4 };
	switch (key) {
	case NFT_META_CPU:
	case NFT_META_PRANDOM:
	case NFT_META_TIME_NS:
	case NFT_META_TIME_DAY:
	case NFT_META_TIME_HOUR:
		return false;
	case NFT_META_PROTOCOL:
	case NFT_META_IIFTYPE:
	case NFT_META_OIFTYPE:
		l->len = 2;
		break;
	case NFT_META_NFPROTO:
	case NFT_META_L4PROTO:
	case NFT_META_PKTTYPE:
		l->len = 1;
		break;
	case NFT_META_IIFNAME:
	case NFT_META_OIFNAME:
		l->len = 16;
		break;
	}
	return true;
}

#define NFJ_ST_KEYS	64

static int nfj_st_all(struct nfj_st_build *b, bool residue)
{
	static const u32 ops[] = {
		NFT_BITWISE_MASK_XOR, NFT_BITWISE_LSHIFT, NFT_BITWISE_RSHIFT,
		/* and, or, xor of newer kernels */
		3, 4, 5,
	};
	struct nfj_st_load l;
	unsigned int i, j;
	int err = 0;

	for (i = 0; !err && i < ARRAY_SIZE(nfj_st_payloads); i++)
		err = nfj_st_loads(b, &nfj_st_payloads[i], residue);
	for (i = 0; !err && i < ARRAY_SIZE(nfj_st_compared); i++) {
		err = nfj_st_cmps(b, &nfj_st_compared[i], residue);
		for (j = 0; !err && j < ARRAY_SIZE(ops); j++)
			err = nfj_st_change(b, &nfj_st_compared[i], ops[j], 0,
					    residue);
		/* half a number is none, and leaves the register as it was */
		for (j = 0; !err && j < 6; j++)
			if (nfj_st_compared[i].len % (2 << j / 2) == 0)
				err = nfj_st_change(b, &nfj_st_compared[i],
						    j & 1 ? NFT_BYTEORDER_HTON :
							    NFT_BYTEORDER_NTOH,
						    2 << j / 2, residue);
	}
	for (i = 0; !err && i < ARRAY_SIZE(nfj_st_first_of_two); i++)
		for (j = 0; !err && j < ARRAY_SIZE(nfj_st_second_of_two); j++)
			err = nfj_st_after(b, &nfj_st_first_of_two[i],
					   &nfj_st_second_of_two[j], residue);
	for (i = 0; !err && i < NFJ_ST_KEYS; i++)
		if (nfj_st_key(&l, i))
			err = nfj_st_loads(b, &l, residue);
	return err;
}

/**
 * nfj_st_eval - one expression, by its own function
 * @expr: the expression
 * @regs: registers
 * @pkt: packet
 *
 * Those that nft_do_chain() evaluates inline have none that could be called;
 * what they stand for is written down here once more.
 */
void nfj_st_eval(const struct nft_expr *expr, struct nft_regs *regs,
		 const struct nft_pktinfo *pkt)
{
	if (expr->ops == nfj_sym.bitwise_fast) {
		const struct nft_bitwise_fast_expr *priv = nft_expr_priv(expr);

		regs->data[priv->dreg] = (regs->data[priv->sreg] & priv->mask) ^
					 priv->xor;
		return;
	}
	expr->ops->eval(expr, regs, pkt);
}

/**
 * nfj_st_rules_make - make the rules
 * @r: the family and the packets are set; gets its chain and the rules
 *
 * Return: 0, -ENOMEM, or -ENOENT after one line in the log; nfj_st_rules_free() is
 * to be called in any case.
 */
int nfj_st_rules_make(struct nfj_st_rules *r)
{
	struct nfj_st_build b = { .r = r };
	unsigned int i;
	int err = -ENOMEM;

	for (i = 0; i < NFJ_ST_TYPES; i++) {
		nfj_st_type[i] = (void *)nfj_symbol(nfj_st_symbol[i]);
		if (nfj_st_type[i])
			continue;
		pr_err("nft_bpfjit: this kernel has no %s, a symbol of nf_tables\n",
		       nfj_st_symbol[i]);
		return -ENOENT;
	}
	b.msg = alloc_skb(NLMSG_GOODSIZE, GFP_KERNEL);
	b.rule = kmalloc(sizeof(*b.rule) + NFJ_ST_DATA, GFP_KERNEL);
	if (b.msg && b.rule)
		err = nfj_st_all(&b, false);
	if (!err)
		err = nfj_st_all(&b, true);
	kfree(b.rule);
	kfree_skb(b.msg);
	return err;
}

/**
 * nfj_st_rules_free - free the rules
 * @r: they
 */
void nfj_st_rules_free(struct nfj_st_rules *r)
{
	while (r->n--)
		kfree(r->rule[r->n]);
}
