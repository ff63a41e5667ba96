// SPDX-License-Identifier: GPL-2.0-only
/*
 * The expressions, one row each: what it reads and writes, and how it becomes
 * tests.  To teach the translator an expression, write its function and its
 * row at the end of this file.
 *
 * A function is called for every expression of its type, also behind the point
 * where the residue starts: there only nfj_fe::rd, rd_may and wr count.
 * Attributes have passed nft's own checks when the rule was added, but are
 * checked again: what isn't as expected stops the translation there.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include "frontend.h"

static bool nfj_attr_u32(const struct nlattr *attr, u32 *val)
{
	const u8 *p;

	if (!attr || attr->nla_len < NLA_HDRLEN + 4)
		return false;
	p = (const u8 *)attr + NLA_HDRLEN;
	*val = (u32)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
	return true;
}

/* Flags: four bytes, or two for want of more */
static bool nfj_attr_bits(const struct nlattr *attr, u32 *val)
{
	const u8 *p = (const u8 *)attr + NLA_HDRLEN;

	if (attr->nla_len != NLA_HDRLEN + 2)
		return nfj_attr_u32(attr, val);
	*val = p[0] << 8 | p[1];
	return true;
}

/* Does an attribute hold this string? */
static bool nfj_attr_is(const struct nlattr *attr, const char *name)
{
	size_t len = strlen(name) + 1;

	return attr && attr->nla_len == NLA_HDRLEN + len &&
	       !memcmp((const u8 *)attr + NLA_HDRLEN, name, len);
}

/* Kernels from 6.13 on: the register of bitwise's second operand */
#define NFJ_BITWISE_SREG2	8

/* First byte of a data register named by an attribute, -1 when there is none */
static int nfj_attr_reg(const struct nlattr *attr)
{
	u32 reg;

	if (!nfj_attr_u32(attr, &reg))
		return -1;
	if (reg >= NFT_REG_1 && reg <= NFT_REG_4)
		return (reg - NFT_REG_1) * 16;
	if (reg >= NFT_REG32_00 && reg <= NFT_REG32_15)
		return (reg - NFT_REG32_00) * 4;
	return -1;
}

/* The one attribute inside a nested one, if it is of that type and alone there */
static const struct nlattr *nfj_attr_only(const struct nlattr *attr, int type)
{
	const struct nlattr *in;

	if (!attr || attr->nla_len < 2 * NLA_HDRLEN)
		return NULL;
	in = (const void *)((const u8 *)attr + NLA_HDRLEN);
	if ((in->nla_type & NLA_TYPE_MASK) != type ||
	    in->nla_len < NLA_HDRLEN ||
	    in->nla_len > attr->nla_len - NLA_HDRLEN ||
	    NLA_ALIGN(in->nla_len) + NLA_HDRLEN < attr->nla_len)
		return NULL;
	return in;
}

/* Value inside a nested data attribute; its length or -1 */
static int nfj_attr_data(const struct nlattr *attr, u8 *val)
{
	const struct nlattr *in = nfj_attr_only(attr, NFTA_DATA_VALUE);
	int len;

	if (!in)
		return -1;
	len = in->nla_len - NLA_HDRLEN;
	if (len < 1 || len > NFJ_DATA_MAX)
		return -1;
	memcpy(val, (const u8 *)in + NLA_HDRLEN, len);
	return len;
}

/* Code of the verdict inside a nested data attribute.  Of what else it may hold, the
 * chain that a jump leads to is known by its rule; other things are not.
 */
static bool nfj_attr_verdict(const struct nlattr *attr, u32 *code)
{
	const struct nlattr *in = nfj_attr_only(attr, NFTA_DATA_VERDICT), *a;
	bool found = false;
	int left, len;

	if (!in)
		return false;
	left = in->nla_len - NLA_HDRLEN;
	a = (const void *)((const u8 *)in + NLA_HDRLEN);
	for (; left >= NLA_HDRLEN; left -= NLA_ALIGN(len)) {
		len = a->nla_len;
		if (len < NLA_HDRLEN || len > left)
			return false;
		switch (a->nla_type & NLA_TYPE_MASK) {
		case NFTA_VERDICT_CODE:
			found = nfj_attr_u32(a, code);
			break;
		case NFTA_VERDICT_CHAIN:
			break;
		default:
			return false;
		}
		a = (const void *)((const u8 *)a + NLA_ALIGN(len));
	}
	return found;
}

static u32 nfj_words(int reg, unsigned int len)
{
	unsigned int first = reg / 4, n = DIV_ROUND_UP(len, 4);

	if (reg < 0 || first >= NFJ_REG_WORDS)
		return 0;
	n = min(n, NFJ_REG_WORDS - first);
	return (n >= 32 ? ~0U : (1U << n) - 1) << first;
}

static void nfj_reads(struct nfj_fe *fe, int reg, unsigned int len)
{
	if (reg < 0)
		return;
	/* a length that is not known: surely one word, perhaps all behind it */
	fe->rd |= nfj_words(reg, len ? : 4);
	if (!len)
		fe->rd_may |= nfj_words(reg, NFJ_REG_BYTES);
}

static void nfj_writes(struct nfj_fe *fe, int reg, unsigned int len)
{
	if (reg < 0)
		return;
	fe->wr |= nfj_words(reg, len ? : 4);
	nfj_value_undef(fe, reg, len ? : NFJ_REG_BYTES - reg);
}

/* What may have changed when bytes of a packet have: an offset may lead from one
 * header into the next, a checksum may lie in another one, what was made writable
 * may have become linear, and the type of a packet of the loopback device is in its
 * address.
 */
#define NFJ_FE_HEADERS	(NFJ_GROUP_LL | NFJ_GROUP_NH | NFJ_GROUP_TH | \
			 NFJ_GROUP_META)

/* Mirrors nft_payload_eval(), nft_payload_fast_eval() and nft_payload_set_eval() */
static int nfj_fe_payload(struct nfj_fe *fe, const struct nlattr **tb,
			  const struct nfj_expr_in *in)
{
	int dreg = nfj_attr_reg(tb[NFTA_PAYLOAD_DREG]);
	unsigned int guard, window, koff;
	u32 base, off, len;
	int res;

	if (!nfj_attr_u32(tb[NFTA_PAYLOAD_BASE], &base) ||
	    !nfj_attr_u32(tb[NFTA_PAYLOAD_OFFSET], &off) ||
	    !nfj_attr_u32(tb[NFTA_PAYLOAD_LEN], &len))
		return NFJ_FE_STOP;
	if (tb[NFTA_PAYLOAD_SREG]) {
		nfj_reads(fe, nfj_attr_reg(tb[NFTA_PAYLOAD_SREG]), len);
		fe->changes = NFJ_FE_HEADERS;
		return NFJ_FE_STOP;
	}
	fe->changes = 0;
	nfj_writes(fe, dreg, len);

	switch (base) {
	case NFT_PAYLOAD_LL_HEADER:
		guard = offsetof(struct nfj_key, ll_len);
		koff = offsetof(struct nfj_key, ll);
		window = NFJ_LL_WINDOW;
		break;
	case NFT_PAYLOAD_NETWORK_HEADER:
		guard = offsetof(struct nfj_key, nh_len);
		koff = offsetof(struct nfj_key, nh);
		window = NFJ_NH_WINDOW;
		break;
	case NFT_PAYLOAD_TRANSPORT_HEADER:
		guard = offsetof(struct nfj_key, th_len);
		/* the condition under which nft selects nft_payload_fast_ops */
		if ((len == 1 || len == 2 || len == 4) && off % len == 0)
			guard = offsetof(struct nfj_key, thf_len);
		koff = offsetof(struct nfj_key, th);
		window = NFJ_TH_WINDOW;
		break;
	default:
		return NFJ_FE_STOP;
	}
	if (dreg < 0 || !len || len > NFJ_DATA_MAX ||
	    off > window || len > window - off ||
	    dreg + len > NFJ_REG_BYTES)
		return NFJ_FE_STOP;

	res = nfj_value_number(fe, guard, 4, U32_MAX, off + len, U32_MAX, true);
	nfj_value_load(fe, dreg, koff + off, len);
	return res;
}

/* What a load by number (meta key, ct key and so on) stands for: a field of the
 * flow key, or something that only its own expression knows, of which no more is
 * said than how much of the register it fills.
 */
struct nfj_fe_field {
	u8	key;
	u8	len;	/* of what is not in the flow key; 0: an address */
	u16	koff;	/* 0: not in the flow key */
};

#define NFJ_FIELD(_key, _member) { _key, 0, offsetof(struct nfj_key, _member) }
#define NFJ_OPAQUE(_key, _len)	{ _key, _len, 0 }

static int nfj_fe_load(struct nfj_fe *fe, const struct nfj_fe_field *fields,
		       unsigned int n, u32 key, int dreg)
{
	unsigned int i;
	int res;

	for (i = 0; i < n; i++) {
		const struct nfj_fe_field *f = &fields[i];
		const struct nfj_key_member *m;

		if (f->key != key)
			continue;
		if (!f->koff) {
			nfj_writes(fe, dreg, f->len ? f->len :
				   fe->ir->family == NFPROTO_IPV4 ? 4 : 16);
			return NFJ_FE_STOP;
		}
		m = nfj_key_member(f->koff);
		nfj_writes(fe, dreg, m->size);
		if (dreg < 0 || dreg + m->size > NFJ_REG_BYTES)
			return NFJ_FE_STOP;
		/* without bits it always holds */
		res = nfj_value_number(fe, offsetof(struct nfj_key, valid), 4,
				       m->valid, m->valid, m->valid, true);
		nfj_value_load(fe, dreg, m->off, m->size);
		return res;
	}
	nfj_writes(fe, dreg, 0);
	return NFJ_FE_STOP;
}

/* Mirrors nft_meta_get_eval() */
static const struct nfj_fe_field nfj_meta_fields[] = {
	NFJ_FIELD(NFT_META_LEN,		len),
	NFJ_FIELD(NFT_META_PROTOCOL,	protocol),
	NFJ_FIELD(NFT_META_NFPROTO,	nfproto),
	NFJ_FIELD(NFT_META_L4PROTO,	l4proto),
	NFJ_FIELD(NFT_META_PRIORITY,	priority),
	NFJ_FIELD(NFT_META_MARK,	mark),
	NFJ_FIELD(NFT_META_IIF,		iif),
	NFJ_FIELD(NFT_META_OIF,		oif),
	NFJ_FIELD(NFT_META_IIFNAME,	iifname),
	NFJ_FIELD(NFT_META_OIFNAME,	oifname),
	NFJ_FIELD(NFT_META_IIFTYPE,	iftype),
	NFJ_FIELD(NFT_META_OIFTYPE,	oiftype),
	NFJ_FIELD(NFT_META_PKTTYPE,	pkttype),
	NFJ_OPAQUE(NFT_META_SKUID,	4),
	NFJ_OPAQUE(NFT_META_SKGID,	4),
	NFJ_OPAQUE(NFT_META_RTCLASSID,	4),
	NFJ_OPAQUE(NFT_META_SECMARK,	4),
	NFJ_OPAQUE(NFT_META_CPU,	4),
	NFJ_OPAQUE(NFT_META_IIFGROUP,	4),
	NFJ_OPAQUE(NFT_META_OIFGROUP,	4),
	NFJ_OPAQUE(NFT_META_CGROUP,	4),
	NFJ_OPAQUE(NFT_META_PRANDOM,	4),
	NFJ_OPAQUE(NFT_META_SECPATH,	1),
	NFJ_OPAQUE(NFT_META_IIFKIND,	NFJ_IFNAMSIZ),
	NFJ_OPAQUE(NFT_META_OIFKIND,	NFJ_IFNAMSIZ),
	NFJ_OPAQUE(NFT_META_BRI_IIFNAME, NFJ_IFNAMSIZ),
	NFJ_OPAQUE(NFT_META_BRI_OIFNAME, NFJ_IFNAMSIZ),
	NFJ_OPAQUE(NFT_META_BRI_IIFPVID, 2),
	NFJ_OPAQUE(NFT_META_BRI_IIFVPROTO, 2),
	NFJ_OPAQUE(NFT_META_TIME_NS,	8),
	NFJ_OPAQUE(NFT_META_TIME_DAY,	1),
	NFJ_OPAQUE(NFT_META_TIME_HOUR,	4),
	NFJ_OPAQUE(NFT_META_SDIF,	4),
	NFJ_OPAQUE(NFT_META_SDIFNAME,	NFJ_IFNAMSIZ),
};

/* Mirrors nft_meta_get_eval(), and nft_meta_set_eval() as far as registers go */
static int nfj_fe_meta(struct nfj_fe *fe, const struct nlattr **tb,
		       const struct nfj_expr_in *in)
{
	u32 key;

	if (!nfj_attr_u32(tb[NFTA_META_KEY], &key))
		return NFJ_FE_STOP;
	if (!tb[NFTA_META_SREG]) {
		fe->changes = 0;
		return nfj_fe_load(fe, nfj_meta_fields,
				   ARRAY_SIZE(nfj_meta_fields), key,
				   nfj_attr_reg(tb[NFTA_META_DREG]));
	}

	nfj_reads(fe, nfj_attr_reg(tb[NFTA_META_SREG]), 4);
	switch (key) {
	case NFT_META_MARK:
	case NFT_META_PRIORITY:
	case NFT_META_PKTTYPE:
		fe->changes = NFJ_GROUP_META;
		break;
	case NFT_META_NFTRACE:
		fe->taint |= NFJ_TAINT_TRACE;
		break;
	}
	return NFJ_FE_STOP;
}

/* Mirrors nft_ct_get_eval() and nft_ct_get_fast_eval() */
static const struct nfj_fe_field nfj_ct_fields[] = {
	NFJ_FIELD(NFT_CT_STATE,		ct_state),
	NFJ_FIELD(NFT_CT_DIRECTION,	ct_dir),
	NFJ_FIELD(NFT_CT_STATUS,	ct_status),
	NFJ_FIELD(NFT_CT_MARK,		ct_mark),
	NFJ_OPAQUE(NFT_CT_SECMARK,	4),
	NFJ_OPAQUE(NFT_CT_EXPIRATION,	4),
	NFJ_OPAQUE(NFT_CT_HELPER,	16),
	NFJ_OPAQUE(NFT_CT_L3PROTOCOL,	1),
	NFJ_OPAQUE(NFT_CT_PROTOCOL,	1),
	NFJ_OPAQUE(NFT_CT_SRC,		0),
	NFJ_OPAQUE(NFT_CT_DST,		0),
	NFJ_OPAQUE(NFT_CT_PROTO_SRC,	2),
	NFJ_OPAQUE(NFT_CT_PROTO_DST,	2),
	NFJ_OPAQUE(NFT_CT_LABELS,	16),
	NFJ_OPAQUE(NFT_CT_PKTS,		8),
	NFJ_OPAQUE(NFT_CT_BYTES,	8),
	NFJ_OPAQUE(NFT_CT_AVGPKT,	8),
	NFJ_OPAQUE(NFT_CT_ZONE,		2),
	NFJ_OPAQUE(NFT_CT_SRC_IP,	4),
	NFJ_OPAQUE(NFT_CT_DST_IP,	4),
	NFJ_OPAQUE(NFT_CT_SRC_IP6,	16),
	NFJ_OPAQUE(NFT_CT_DST_IP6,	16),
	NFJ_OPAQUE(NFT_CT_ID,		4),
};

static int nfj_fe_ct(struct nfj_fe *fe, const struct nlattr **tb,
		     const struct nfj_expr_in *in)
{
	u32 key;

	if (!nfj_attr_u32(tb[NFTA_CT_KEY], &key))
		return NFJ_FE_STOP;
	if (!tb[NFTA_CT_SREG]) {
		fe->changes = 0;
		return nfj_fe_load(fe, nfj_ct_fields,
				   ARRAY_SIZE(nfj_ct_fields), key,
				   nfj_attr_reg(tb[NFTA_CT_DREG]));
	}
	/* a zone brings another connection, a helper what it likes */
	if (key == NFT_CT_MARK || key == NFT_CT_LABELS || key == NFT_CT_EVENTMASK)
		fe->changes = NFJ_GROUP_CT;
	nfj_reads(fe, nfj_attr_reg(tb[NFTA_CT_SREG]),
		  key == NFT_CT_LABELS ? 16 : 4);
	return NFJ_FE_STOP;
}

/* Mirrors nft_cmp_eval() and its fast variants, which compare the same bytes */
static int nfj_fe_cmp(struct nfj_fe *fe, const struct nlattr **tb,
		      const struct nfj_expr_in *in)
{
	int reg = nfj_attr_reg(tb[NFTA_CMP_SREG]), len, i;
	u8 val[NFJ_DATA_MAX], lo[sizeof(val)], hi[sizeof(val)];
	u32 op;

	len = nfj_attr_data(tb[NFTA_CMP_DATA], val);
	nfj_reads(fe, reg, len > 0 ? len : 0);
	if (reg < 0 || len < 0 || reg + len > NFJ_REG_BYTES ||
	    !nfj_attr_u32(tb[NFTA_CMP_OP], &op))
		return NFJ_FE_STOP;

	memset(lo, 0, sizeof(lo));
	memset(hi, 0xff, sizeof(hi));
	switch (op) {
	case NFT_CMP_EQ:
		return nfj_value_compare(fe, reg, len, true, val, val);
	case NFT_CMP_NEQ:
		return nfj_value_compare(fe, reg, len, false, val, val);
	case NFT_CMP_LT:	/* not [val, max] */
		return nfj_value_compare(fe, reg, len, false, val, hi);
	case NFT_CMP_LTE:
		return nfj_value_compare(fe, reg, len, true, lo, val);
	case NFT_CMP_GT:	/* not [0, val] */
		return nfj_value_compare(fe, reg, len, false, lo, val);
	case NFT_CMP_GTE:
		for (i = 0; i < len && !val[i]; i++)
			;
		if (i == len)
			return NFJ_FE_PURE;
		return nfj_value_compare(fe, reg, len, true, val, hi);
	}
	return NFJ_FE_STOP;
}

/* Mirrors nft_range_eval() */
static int nfj_fe_range(struct nfj_fe *fe, const struct nlattr **tb,
			const struct nfj_expr_in *in)
{
	u8 lo[NFJ_DATA_MAX], hi[NFJ_DATA_MAX];
	int reg = nfj_attr_reg(tb[NFTA_RANGE_SREG]), len, to;
	u32 op;

	len = nfj_attr_data(tb[NFTA_RANGE_FROM_DATA], lo);
	to = nfj_attr_data(tb[NFTA_RANGE_TO_DATA], hi);
	nfj_reads(fe, reg, len > 0 ? len : 0);
	if (reg < 0 || len < 0 || len != to || reg + len > NFJ_REG_BYTES ||
	    !nfj_attr_u32(tb[NFTA_RANGE_OP], &op))
		return NFJ_FE_STOP;
	if (op == NFT_RANGE_EQ || op == NFT_RANGE_NEQ)
		return nfj_value_compare(fe, reg, len, op == NFT_RANGE_EQ,
					 lo, hi);
	return NFJ_FE_STOP;
}

/* dst = (src & mask) ^ xor, bit by bit */
static u16 nfj_bit_mask_xor(u16 sym, bool mask, bool xor)
{
	if (!mask)
		return NFJ_BIT_CONST | xor;
	if (!xor || sym & NFJ_BIT_UNDEF)
		return sym;
	return sym ^ (sym & NFJ_BIT_CONST ? 1 : NFJ_BIT_INV);
}

/* Mirrors nft_bitwise_eval() and nft_bitwise_fast_eval() */
static int nfj_fe_bitwise(struct nfj_fe *fe, const struct nlattr **tb,
			  const struct nfj_expr_in *in)
{
	u8 mask[NFJ_DATA_MAX] = {}, xor[NFJ_DATA_MAX] = {};
	int sreg = nfj_attr_reg(tb[NFTA_BITWISE_SREG]);
	int dreg = nfj_attr_reg(tb[NFTA_BITWISE_DREG]);
	u32 op = NFT_BITWISE_MASK_XOR, len, shift, words;
	u16 src[NFJ_DATA_MAX * 8];
	unsigned int i;

	if (!nfj_attr_u32(tb[NFTA_BITWISE_LEN], &len))
		len = 0;
	nfj_reads(fe, sreg, len);
	/* a second operand, as long as the first */
	if (tb[NFJ_BITWISE_SREG2])
		nfj_reads(fe, nfj_attr_reg(tb[NFJ_BITWISE_SREG2]), len);
	if (!len || len > NFJ_DATA_MAX || sreg < 0 || dreg < 0 ||
	    sreg + len > NFJ_REG_BYTES || dreg + len > NFJ_REG_BYTES ||
	    (tb[NFTA_BITWISE_OP] && !nfj_attr_u32(tb[NFTA_BITWISE_OP], &op)) ||
	    tb[NFJ_BITWISE_SREG2]) {
		nfj_writes(fe, dreg, len);
		return NFJ_FE_STOP;
	}
	words = DIV_ROUND_UP(len, 4);
	memcpy(src, &fe->sym[sreg * 8], words * 32 * sizeof(*src));
	nfj_writes(fe, dreg, len);

	switch (op) {
	case NFT_BITWISE_MASK_XOR:
		if (nfj_attr_data(tb[NFTA_BITWISE_MASK], mask) != (int)len ||
		    nfj_attr_data(tb[NFTA_BITWISE_XOR], xor) != (int)len)
			return NFJ_FE_STOP;
		/* beyond len, up to the word, nft's copies of both are zero */
		for (i = 0; i < words * 32; i++)
			fe->sym[dreg * 8 + i] =
				nfj_bit_mask_xor(src[i],
						 mask[i / 8] >> i % 8 & 1,
						 xor[i / 8] >> i % 8 & 1);
		return NFJ_FE_PURE;
	case NFT_BITWISE_LSHIFT:
	case NFT_BITWISE_RSHIFT:
		if (nfj_attr_data(tb[NFTA_BITWISE_DATA], mask) != 4)
			return NFJ_FE_STOP;
		memcpy(&shift, mask, sizeof(shift));
		if (!shift || shift >= 32)
			return NFJ_FE_STOP;
		break;
	default:
		return NFJ_FE_STOP;
	}

	/* The words form one number, the first word the most significant, each
	 * word in host byte order.
	 */
	for (i = 0; i < words * 32; i++) {
		unsigned int w = words - 1 - i / 32, from = i;
		u16 sym = NFJ_BIT_CONST;

		from = op == NFT_BITWISE_LSHIFT ? i - shift : i + shift;
		if (from < words * 32)
			sym = src[nfj_value_wbit(words - 1 - from / 32,
						 from % 32)];
		fe->sym[dreg * 8 + nfj_value_wbit(w, i % 32)] = sym;
	}
	return NFJ_FE_PURE;
}

/* Mirrors nft_byteorder_eval() */
static int nfj_fe_byteorder(struct nfj_fe *fe, const struct nlattr **tb,
			    const struct nfj_expr_in *in)
{
	int sreg = nfj_attr_reg(tb[NFTA_BYTEORDER_SREG]);
	int dreg = nfj_attr_reg(tb[NFTA_BYTEORDER_DREG]);
	u16 src[NFJ_DATA_MAX * 8], tail[16];
	u32 len, size;
	unsigned int i;

	if (!nfj_attr_u32(tb[NFTA_BYTEORDER_LEN], &len))
		len = 0;
	if (!nfj_attr_u32(tb[NFTA_BYTEORDER_SIZE], &size))
		size = 0;
	nfj_reads(fe, sreg, len);
	/* 6.1 leaves alone what is no number of its own, and the upper half of
	 * a register of two bytes: a later reader sees what was there before
	 */
	if (len != size || size % 4)
		nfj_reads(fe, dreg, len);
	if (!len || len > NFJ_DATA_MAX || sreg < 0 || dreg < 0 ||
	    sreg + len > NFJ_REG_BYTES || dreg + len > NFJ_REG_BYTES) {
		nfj_writes(fe, dreg, len);
		return NFJ_FE_STOP;
	}
	memcpy(src, &fe->sym[sreg * 8], len * 8 * sizeof(*src));
	memcpy(tail, &fe->sym[(dreg & ~3) * 8 + 16], sizeof(tail));
	nfj_writes(fe, dreg, len);
	/* older kernels convert several numbers at once, in their own way
	 * except for words
	 */
	if (len != size && size != 4)
		return NFJ_FE_STOP;
	if ((size != 2 && size != 4 && size != 8) || len % size)
		return NFJ_FE_STOP;

	for (i = 0; i < len * 8; i++) {
		unsigned int byte = i / 8, from = byte;

#ifdef __LITTLE_ENDIAN
		from = byte / size * size + size - 1 - byte % size;
#endif
		fe->sym[dreg * 8 + i] = src[from * 8 + i % 8];
	}
	/* 6.12 clears the upper half of the register, 6.1 leaves it: only
	 * where it is zero anyhow both do the same
	 */
	for (i = 0; size == 2 && i < 16; i++)
		fe->sym[dreg * 8 + 16 + i] = tail[i] == NFJ_BIT_CONST ?
					     tail[i] : NFJ_BIT_UNDEF;
	return NFJ_FE_PURE;
}

/* Mirrors nft_immediate_eval() */
static int nfj_fe_immediate(struct nfj_fe *fe, const struct nlattr **tb,
			    const struct nfj_expr_in *in)
{
	u8 val[NFJ_DATA_MAX] = {};
	int dreg, len, i;
	u32 reg, v;

	if (!nfj_attr_u32(tb[NFTA_IMMEDIATE_DREG], &reg) ||
	    !tb[NFTA_IMMEDIATE_DATA])
		return NFJ_FE_STOP;
	if (reg == NFT_REG_VERDICT) {
		if (!nfj_attr_verdict(tb[NFTA_IMMEDIATE_DATA], &v)) {
			fe->jumps = true;
			return NFJ_FE_STOP;
		}
		fe->is_verdict = true;
		fe->verdict = v;
		return NFJ_FE_STOP;
	}
	dreg = nfj_attr_reg(tb[NFTA_IMMEDIATE_DREG]);
	len = nfj_attr_data(tb[NFTA_IMMEDIATE_DATA], val);
	nfj_writes(fe, dreg, len > 0 ? len : 0);
	if (dreg < 0 || len < 0 || dreg + len > NFJ_REG_BYTES)
		return NFJ_FE_STOP;
	for (i = 0; i < (int)ALIGN(len, 4) * 8; i++)
		fe->sym[dreg * 8 + i] = NFJ_BIT_CONST |
					(val[i / 8] >> i % 8 & 1);
	return NFJ_FE_PURE;
}

/* A lookup that ends the match part, in a set that we can look up.  A map whose data
 * goes nowhere is not among them: 6.1 lets it go to the verdict.
 */
static void nfj_fe_shadow(struct nfj_fe *fe, const struct nlattr **tb,
			  const struct nfj_expr_in *in, int reg, bool invert)
{
	int dreg = nfj_attr_reg(tb[NFTA_LOOKUP_DREG]);

	if (!fe->collect || !in->named || reg < 0 ||
	    !tb[NFTA_LOOKUP_DREG] != !in->datalen)
		return;
	fe->set = in->named;
	fe->set_at = fe->at;
	fe->set_key = reg / 4;
	fe->set_not = invert;
	fe->set_data = NFJ_NO_DATA;
	/* the verdict register comes first */
	if (in->datalen)
		fe->set_data = dreg < 0 ? 0 : 4 + dreg / 4;
}

/* Mirrors nft_lookup_eval().  A set that may change is looked up when the packet
 * comes; the kernel tells how long its key is.
 */
static int nfj_fe_lookup(struct nfj_fe *fe, const struct nlattr **tb,
			 const struct nfj_expr_in *in)
{
	int reg = nfj_attr_reg(tb[NFTA_LOOKUP_SREG]), res;
	bool wanted = in->set && fe->collect && reg >= 0;
	u32 dreg, flags = 0;

	nfj_reads(fe, reg, in->keylen);
	fe->live = in->keylen && !(in->set && fe->collect);
	if (tb[NFTA_LOOKUP_FLAGS] &&
	    !nfj_attr_u32(tb[NFTA_LOOKUP_FLAGS], &flags))
		return NFJ_FE_STOP;
	nfj_fe_shadow(fe, tb, in, reg, flags & NFT_LOOKUP_F_INV);
	if (!tb[NFTA_LOOKUP_DREG]) {
		if (!wanted)
			return NFJ_FE_STOP;
		return nfj_lookup_set(fe, in->set, reg,
				      !(flags & NFT_LOOKUP_F_INV));
	}
	if (!nfj_attr_u32(tb[NFTA_LOOKUP_DREG], &dreg) ||
	    dreg != NFT_REG_VERDICT) {
		nfj_writes(fe, nfj_attr_reg(tb[NFTA_LOOKUP_DREG]),
			   in->datalen);
		return NFJ_FE_STOP;
	}
	if (wanted && in->set->verdicts && fe->last) {
		res = nfj_lookup_set(fe, in->set, reg, true);
		if (res != NFJ_FE_STOP) {
			fe->vmap = res == NFJ_FE_PURE;
			return res;
		}
	}
	fe->jumps = true;
	return NFJ_FE_STOP;
}

static int nfj_fe_dynset(struct nfj_fe *fe, const struct nlattr **tb,
			 const struct nfj_expr_in *in)
{
	nfj_reads(fe, nfj_attr_reg(tb[NFTA_DYNSET_SREG_KEY]), in->keylen);
	nfj_reads(fe, nfj_attr_reg(tb[NFTA_DYNSET_SREG_DATA]), in->datalen);
	return NFJ_FE_STOP;
}

static int nfj_fe_objref(struct nfj_fe *fe, const struct nlattr **tb,
			 const struct nfj_expr_in *in)
{
	u32 type;

	nfj_reads(fe, nfj_attr_reg(tb[NFTA_OBJREF_SET_SREG]), in->keylen);
	if (nfj_attr_u32(tb[NFTA_OBJREF_IMM_TYPE], &type) &&
	    (type == NFT_OBJECT_COUNTER || type == NFT_OBJECT_QUOTA ||
	     type == NFT_OBJECT_LIMIT || type == NFT_OBJECT_CONNLIMIT))
		fe->changes = 0;
	return NFJ_FE_STOP;
}

/* What is known of the effect of matches and targets of x_tables that are residue.
 * Matches get a packet that they must not change, but for that one socket's mark.
 */
static const struct {
	const char	*name;
	u16		changes;
} nfj_xt_changes[] = {
	{ "addrtype",	0 },
	{ "comment",	0 },
	{ "connlimit",	0 },
	{ "conntrack",	0 },
	{ "hashlimit",	0 },
	{ "limit",	0 },
	{ "multiport",	0 },
	{ "physdev",	0 },
	{ "recent",	0 },
	{ "set",	0 },
	{ "statistic",	0 },
	{ "string",	0 },
	{ "tcp",	0 },
	{ "udp",	0 },
	{ "CONNMARK",	NFJ_GROUP_CT | NFJ_GROUP_META },
	{ "DSCP",	NFJ_FE_HEADERS },
	{ "LOG",	0 },
	{ "MARK",	NFJ_GROUP_META },
	{ "NFLOG",	0 },
	{ "TCPMSS",	NFJ_FE_HEADERS },
};

static void nfj_xt_effect(struct nfj_fe *fe, const struct nlattr *attr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nfj_xt_changes); i++)
		if (nfj_attr_is(attr, nfj_xt_changes[i].name))
			fe->changes = nfj_xt_changes[i].changes;
}

static int nfj_fe_target(struct nfj_fe *fe, const struct nlattr **tb,
			 const struct nfj_expr_in *in)
{
	const struct nlattr *name = tb[NFTA_TARGET_NAME];

	if (name && name->nla_len >= NLA_HDRLEN + 6 &&
	    !memcmp((const u8 *)name + NLA_HDRLEN, "TRACE", 6))
		fe->taint |= NFJ_TAINT_TRACE;
	nfj_xt_effect(fe, name);
	return NFJ_FE_STOP;
}

/* Mirrors nft_match_eval() */
static int nfj_fe_match(struct nfj_fe *fe, const struct nlattr **tb,
			const struct nfj_expr_in *in)
{
	const struct nlattr *name = tb[NFTA_MATCH_NAME];
	const struct nlattr *info = tb[NFTA_MATCH_INFO];
	u32 rev;

	nfj_xt_effect(fe, name);
	if (!name || !info || !nfj_attr_u32(tb[NFTA_MATCH_REV], &rev) ||
	    name->nla_len <= NLA_HDRLEN ||
	    ((const char *)name)[name->nla_len - 1])
		return NFJ_FE_STOP;
	return nfj_xt_match(fe, (const char *)name + NLA_HDRLEN, rev,
			    (const u8 *)info + NLA_HDRLEN,
			    info->nla_len - NLA_HDRLEN);
}

/* Expressions whose register operands are all that is known of them */
struct nfj_operand {
	u8	attr;
	u8	len;	/* 0: an address */
};

static int nfj_fe_operands(struct nfj_fe *fe, const struct nlattr **tb,
			   const struct nfj_operand *op, unsigned int n,
			   unsigned int family_attr)
{
	u32 family = fe->ir->family;
	unsigned int i, alen;

	if (family_attr && tb[family_attr])
		nfj_attr_u32(tb[family_attr], &family);
	alen = family == NFPROTO_IPV4 ? 4 : family == NFPROTO_IPV6 ? 16 : 0;
	for (i = 0; i < n; i++)
		nfj_reads(fe, nfj_attr_reg(tb[op[i].attr]), op[i].len ? : alen);
	return NFJ_FE_STOP;
}

static const struct nfj_operand nfj_nat_operands[] = {
	{ NFTA_NAT_REG_ADDR_MIN,	0 },
	{ NFTA_NAT_REG_ADDR_MAX,	0 },
	{ NFTA_NAT_REG_PROTO_MIN,	2 },
	{ NFTA_NAT_REG_PROTO_MAX,	2 },
};

static const struct nfj_operand nfj_masq_operands[] = {
	{ NFTA_MASQ_REG_PROTO_MIN,	2 },
	{ NFTA_MASQ_REG_PROTO_MAX,	2 },
};

static const struct nfj_operand nfj_redir_operands[] = {
	{ NFTA_REDIR_REG_PROTO_MIN,	2 },
	{ NFTA_REDIR_REG_PROTO_MAX,	2 },
};

static const struct nfj_operand nfj_tproxy_operands[] = {
	{ NFTA_TPROXY_REG_ADDR,		0 },
	{ NFTA_TPROXY_REG_PORT,		2 },
};

static const struct nfj_operand nfj_dup_operands[] = {
	{ NFTA_DUP_SREG_ADDR,		0 },
	{ NFTA_DUP_SREG_DEV,		4 },
};

static const struct nfj_operand nfj_fwd_operands[] = {
	{ NFTA_FWD_SREG_DEV,		4 },
	{ NFTA_FWD_SREG_ADDR,		0 },
};

static const struct nfj_operand nfj_queue_operands[] = {
	{ NFTA_QUEUE_SREG_QNUM,		2 },
};

/* @_family: the attribute that says of which family an address is, 0: the table's */
#define NFJ_OPERANDS(_name, _family) \
static int nfj_fe_##_name(struct nfj_fe *fe, const struct nlattr **tb, \
			  const struct nfj_expr_in *in) \
{ \
	return nfj_fe_operands(fe, tb, nfj_##_name##_operands, \
			       ARRAY_SIZE(nfj_##_name##_operands), _family); \
}

NFJ_OPERANDS(nat, NFTA_NAT_FAMILY)
NFJ_OPERANDS(masq, 0)
NFJ_OPERANDS(redir, 0)
NFJ_OPERANDS(tproxy, NFTA_TPROXY_FAMILY)
NFJ_OPERANDS(dup, 0)
NFJ_OPERANDS(fwd, NFTA_FWD_NFPROTO)
NFJ_OPERANDS(queue, 0)

/* Loads of which the front end knows no more than their length */
static const struct nfj_fe_field nfj_fib_fields[] = {
	NFJ_OPAQUE(NFT_FIB_RESULT_OIF,		4),
	NFJ_OPAQUE(NFT_FIB_RESULT_OIFNAME,	NFJ_IFNAMSIZ),
	NFJ_OPAQUE(NFT_FIB_RESULT_ADDRTYPE,	4),
};

static const struct nfj_fe_field nfj_rt_fields[] = {
	NFJ_OPAQUE(NFT_RT_CLASSID,	4),
	NFJ_OPAQUE(NFT_RT_NEXTHOP4,	4),
	NFJ_OPAQUE(NFT_RT_NEXTHOP6,	16),
	NFJ_OPAQUE(NFT_RT_TCPMSS,	2),
	NFJ_OPAQUE(NFT_RT_XFRM,		1),
};

static const struct nfj_fe_field nfj_socket_fields[] = {
	NFJ_OPAQUE(NFT_SOCKET_TRANSPARENT,	1),
	NFJ_OPAQUE(NFT_SOCKET_MARK,		4),
	NFJ_OPAQUE(NFT_SOCKET_WILDCARD,		1),
	NFJ_OPAQUE(NFT_SOCKET_CGROUPV2,		8),
};

static const struct nfj_fe_field nfj_tunnel_fields[] = {
	NFJ_OPAQUE(NFT_TUNNEL_PATH,	1),
	NFJ_OPAQUE(NFT_TUNNEL_ID,	4),
};

static const struct nfj_fe_field nfj_xfrm_fields[] = {
	NFJ_OPAQUE(NFT_XFRM_KEY_DADDR_IP4,	4),
	NFJ_OPAQUE(NFT_XFRM_KEY_SADDR_IP4,	4),
	NFJ_OPAQUE(NFT_XFRM_KEY_DADDR_IP6,	16),
	NFJ_OPAQUE(NFT_XFRM_KEY_SADDR_IP6,	16),
	NFJ_OPAQUE(NFT_XFRM_KEY_REQID,		4),
	NFJ_OPAQUE(NFT_XFRM_KEY_SPI,		4),
};

#define NFJ_LOADS(_name, _key, _dreg) \
static int nfj_fe_##_name(struct nfj_fe *fe, const struct nlattr **tb, \
			  const struct nfj_expr_in *in) \
{ \
	u32 key = 0; \
	\
	if (!nfj_attr_u32(tb[_key], &key)) \
		key = ~0U; \
	return nfj_fe_load(fe, nfj_##_name##_fields, \
			   ARRAY_SIZE(nfj_##_name##_fields), key, \
			   nfj_attr_reg(tb[_dreg])); \
}

NFJ_LOADS(fib, NFTA_FIB_RESULT, NFTA_FIB_DREG)
NFJ_LOADS(rt, NFTA_RT_KEY, NFTA_RT_DREG)
NFJ_LOADS(socket, NFTA_SOCKET_KEY, NFTA_SOCKET_DREG)
NFJ_LOADS(tunnel, NFTA_TUNNEL_KEY, NFTA_TUNNEL_DREG)
NFJ_LOADS(xfrm, NFTA_XFRM_KEY, NFTA_XFRM_DREG)

/* Mirrors nft_jhash_eval() and nft_symhash_eval() as far as registers go */
static int nfj_fe_hash(struct nfj_fe *fe, const struct nlattr **tb,
		       const struct nfj_expr_in *in)
{
	u32 len = 0;

	nfj_attr_u32(tb[NFTA_HASH_LEN], &len);
	nfj_reads(fe, nfj_attr_reg(tb[NFTA_HASH_SREG]), min(len, 64U));
	nfj_writes(fe, nfj_attr_reg(tb[NFTA_HASH_DREG]), 4);
	return NFJ_FE_STOP;
}

/* Mirrors nft_ng_inc_eval() and nft_ng_random_eval().  What is drawn is nothing
 * that a packet could match or not: a map behind it is a choice, part of what the
 * rule does.
 */
static int nfj_fe_numgen(struct nfj_fe *fe, const struct nlattr **tb,
			 const struct nfj_expr_in *in)
{
	fe->live = true;
	nfj_writes(fe, nfj_attr_reg(tb[NFTA_NG_DREG]), 4);
	return NFJ_FE_STOP;
}

/* Mirrors nft_exthdr_*_eval() as far as registers go */
static int nfj_fe_exthdr(struct nfj_fe *fe, const struct nlattr **tb,
			 const struct nfj_expr_in *in)
{
	u32 len = 0, flags = 0;

	/* what does not load writes an option, or takes it out */
	fe->changes = tb[NFTA_EXTHDR_DREG] ? 0 : NFJ_FE_HEADERS;
	nfj_attr_u32(tb[NFTA_EXTHDR_LEN], &len);
	if (tb[NFTA_EXTHDR_FLAGS])
		nfj_attr_u32(tb[NFTA_EXTHDR_FLAGS], &flags);
	nfj_reads(fe, nfj_attr_reg(tb[NFTA_EXTHDR_SREG]), len);
	/* whether there is a header is a byte, and fills a word */
	nfj_writes(fe, nfj_attr_reg(tb[NFTA_EXTHDR_DREG]),
		   flags & NFT_EXTHDR_F_PRESENT ? 4 : min(len, 64U));
	return NFJ_FE_STOP;
}

/* Mirrors nft_osf_eval(): a name */
static int nfj_fe_osf(struct nfj_fe *fe, const struct nlattr **tb,
		      const struct nfj_expr_in *in)
{
	nfj_writes(fe, nfj_attr_reg(tb[NFTA_OSF_DREG]), 16);
	return NFJ_FE_STOP;
}

/* Attributes of "inner", which kernels have from 6.2 on */
#define NFJ_INNER_NUM		1
#define NFJ_INNER_TYPE		2
#define NFJ_INNER_FLAGS		3
#define NFJ_INNER_HDRSIZE	4
#define NFJ_INNER_EXPR		5

/* An attribute inside a nested one, NULL: it is not there */
static const struct nlattr *nfj_attr_in(const struct nlattr *attr, int type)
{
	const u8 *p;
	int left;

	if (!attr)
		return NULL;
	p = (const u8 *)attr + NLA_HDRLEN;
	left = attr->nla_len - NLA_HDRLEN;
	while (left >= NLA_HDRLEN) {
		const struct nlattr *in = (const void *)p;
		int len = in->nla_len;

		if (len < NLA_HDRLEN || len > left)
			break;
		if ((in->nla_type & NLA_TYPE_MASK) == type)
			return in;
		left -= NLA_ALIGN(len);
		p += NLA_ALIGN(len);
	}
	return NULL;
}

/* Mirrors nft_inner_eval() as far as registers go: those of the expression in it,
 * which is a payload or a meta
 */
static int nfj_fe_inner(struct nfj_fe *fe, const struct nlattr **tb,
			const struct nfj_expr_in *in)
{
	const struct nlattr *name, *data;
	u32 len = 0;

	name = nfj_attr_in(tb[NFJ_INNER_EXPR], NFTA_EXPR_NAME);
	data = nfj_attr_in(tb[NFJ_INNER_EXPR], NFTA_EXPR_DATA);
	if (nfj_attr_is(name, "payload")) {
		nfj_attr_u32(nfj_attr_in(data, NFTA_PAYLOAD_LEN), &len);
		nfj_writes(fe, nfj_attr_reg(nfj_attr_in(data, NFTA_PAYLOAD_DREG)),
			   min(len, 64U));
	} else if (nfj_attr_is(name, "meta")) {
		/* the type of what is inside, or its protocol, fills a word */
		nfj_writes(fe, nfj_attr_reg(nfj_attr_in(data, NFTA_META_DREG)), 4);
	}
	return NFJ_FE_STOP;
}

#define A1(a)		(1U << (a))
#define A2(a, b)	(A1(a) | A1(b))
#define A3(a, b, c)	(A2(a, b) | A1(c))
#define A4(a, b, c, d)	(A2(a, b) | A2(c, d))

/* What nft of 6.1 to 7.3 writes and this file knows.  A new attribute, or a new flag
 * in one, needs a look at what it does to the expression's function above, and then
 * a word here.
 */
const struct nfj_fe_row nfj_fe_rows[] = {
	{ "payload", nfj_fe_payload, NFJ_FE_CHANGES,
	  A4(NFTA_PAYLOAD_DREG, NFTA_PAYLOAD_BASE, NFTA_PAYLOAD_OFFSET,
	     NFTA_PAYLOAD_LEN) |
	  A4(NFTA_PAYLOAD_SREG, NFTA_PAYLOAD_CSUM_TYPE, NFTA_PAYLOAD_CSUM_OFFSET,
	     NFTA_PAYLOAD_CSUM_FLAGS),
	  NFTA_PAYLOAD_CSUM_FLAGS, NFT_PAYLOAD_L4CSUM_PSEUDOHDR },
	{ "meta", nfj_fe_meta, NFJ_FE_CHANGES,
	  A3(NFTA_META_DREG, NFTA_META_KEY, NFTA_META_SREG) },
	{ "ct", nfj_fe_ct, NFJ_FE_CHANGES,
	  A4(NFTA_CT_DREG, NFTA_CT_KEY, NFTA_CT_DIRECTION, NFTA_CT_SREG) },
	{ "cmp", nfj_fe_cmp, NFJ_FE_MATCH,
	  A3(NFTA_CMP_SREG, NFTA_CMP_OP, NFTA_CMP_DATA) },
	{ "range", nfj_fe_range, NFJ_FE_MATCH,
	  A4(NFTA_RANGE_SREG, NFTA_RANGE_OP, NFTA_RANGE_FROM_DATA,
	     NFTA_RANGE_TO_DATA) },
	{ "bitwise", nfj_fe_bitwise, NFJ_FE_NOBREAK,
	  A4(NFTA_BITWISE_SREG, NFTA_BITWISE_DREG, NFTA_BITWISE_LEN,
	     NFTA_BITWISE_MASK) |
	  A4(NFTA_BITWISE_XOR, NFTA_BITWISE_OP, NFTA_BITWISE_DATA,
	     NFJ_BITWISE_SREG2) },
	{ "byteorder", nfj_fe_byteorder, NFJ_FE_NOBREAK,
	  A2(NFTA_BYTEORDER_SREG, NFTA_BYTEORDER_DREG) |
	  A3(NFTA_BYTEORDER_OP, NFTA_BYTEORDER_LEN, NFTA_BYTEORDER_SIZE) },
	{ "immediate", nfj_fe_immediate, NFJ_FE_NOBREAK,
	  A2(NFTA_IMMEDIATE_DREG, NFTA_IMMEDIATE_DATA) },
	{ "lookup", nfj_fe_lookup, NFJ_FE_MATCH,
	  A2(NFTA_LOOKUP_SET, NFTA_LOOKUP_SREG) |
	  A3(NFTA_LOOKUP_DREG, NFTA_LOOKUP_SET_ID, NFTA_LOOKUP_FLAGS),
	  NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV },
	{ "dynset", nfj_fe_dynset, 0,
	  A3(NFTA_DYNSET_SET_NAME, NFTA_DYNSET_SET_ID, NFTA_DYNSET_OP) |
	  A4(NFTA_DYNSET_SREG_KEY, NFTA_DYNSET_SREG_DATA, NFTA_DYNSET_TIMEOUT,
	     NFTA_DYNSET_EXPR) |
	  A3(NFTA_DYNSET_PAD, NFTA_DYNSET_FLAGS, NFTA_DYNSET_EXPRESSIONS),
	  NFTA_DYNSET_FLAGS, NFT_DYNSET_F_INV | NFT_DYNSET_F_EXPR },
	{ "objref", nfj_fe_objref, NFJ_FE_CHANGES,
	  A2(NFTA_OBJREF_IMM_TYPE, NFTA_OBJREF_IMM_NAME) |
	  A3(NFTA_OBJREF_SET_SREG, NFTA_OBJREF_SET_NAME, NFTA_OBJREF_SET_ID) },
	{ "counter", NULL, NFJ_FE_NOBREAK,
	  A3(NFTA_COUNTER_BYTES, NFTA_COUNTER_PACKETS, NFTA_COUNTER_PAD) },
	{ "log", NULL, NFJ_FE_NOBREAK,
	  A3(NFTA_LOG_GROUP, NFTA_LOG_PREFIX, NFTA_LOG_SNAPLEN) |
	  A3(NFTA_LOG_QTHRESHOLD, NFTA_LOG_LEVEL, NFTA_LOG_FLAGS) },
	{ "last", NULL, NFJ_FE_NOBREAK,
	  A3(NFTA_LAST_SET, NFTA_LAST_MSECS, NFTA_LAST_PAD) },
	{ "limit", NULL, 0,
	  A3(NFTA_LIMIT_RATE, NFTA_LIMIT_UNIT, NFTA_LIMIT_BURST) |
	  A3(NFTA_LIMIT_TYPE, NFTA_LIMIT_FLAGS, NFTA_LIMIT_PAD) },
	{ "quota", NULL, 0,
	  A4(NFTA_QUOTA_BYTES, NFTA_QUOTA_FLAGS, NFTA_QUOTA_PAD,
	     NFTA_QUOTA_CONSUMED) },
	{ "connlimit", NULL, 0,
	  A2(NFTA_CONNLIMIT_COUNT, NFTA_CONNLIMIT_FLAGS) },
	{ "reject", NULL, 0, A2(NFTA_REJECT_TYPE, NFTA_REJECT_ICMP_CODE) },
	{ "notrack", NULL, NFJ_FE_CHANGES, 0 },
	{ "flow_offload", NULL, NFJ_FE_CHANGES, A1(NFTA_FLOW_TABLE_NAME) },
	{ "synproxy", NULL, NFJ_FE_CHANGES,
	  A3(NFTA_SYNPROXY_MSS, NFTA_SYNPROXY_WSCALE, NFTA_SYNPROXY_FLAGS) },
	{ "nat", nfj_fe_nat, NFJ_FE_CHANGES,
	  A4(NFTA_NAT_TYPE, NFTA_NAT_FAMILY, NFTA_NAT_REG_ADDR_MIN,
	     NFTA_NAT_REG_ADDR_MAX) |
	  A3(NFTA_NAT_REG_PROTO_MIN, NFTA_NAT_REG_PROTO_MAX, NFTA_NAT_FLAGS),
	  NFTA_NAT_FLAGS, NF_NAT_RANGE_MASK },
	{ "masq", nfj_fe_masq, NFJ_FE_CHANGES,
	  A3(NFTA_MASQ_FLAGS, NFTA_MASQ_REG_PROTO_MIN, NFTA_MASQ_REG_PROTO_MAX),
	  NFTA_MASQ_FLAGS, NF_NAT_RANGE_MASK },
	{ "redir", nfj_fe_redir, NFJ_FE_CHANGES,
	  A3(NFTA_REDIR_REG_PROTO_MIN, NFTA_REDIR_REG_PROTO_MAX,
	     NFTA_REDIR_FLAGS),
	  NFTA_REDIR_FLAGS, NF_NAT_RANGE_MASK },
	{ "tproxy", nfj_fe_tproxy, NFJ_FE_CHANGES,
	  A3(NFTA_TPROXY_FAMILY, NFTA_TPROXY_REG_ADDR, NFTA_TPROXY_REG_PORT) },
	{ "dup", nfj_fe_dup, NFJ_FE_CHANGES,
	  A2(NFTA_DUP_SREG_ADDR, NFTA_DUP_SREG_DEV) },
	{ "fwd", nfj_fe_fwd, NFJ_FE_CHANGES,
	  A3(NFTA_FWD_SREG_DEV, NFTA_FWD_SREG_ADDR, NFTA_FWD_NFPROTO) },
	{ "queue", nfj_fe_queue, 0,
	  A4(NFTA_QUEUE_NUM, NFTA_QUEUE_TOTAL, NFTA_QUEUE_FLAGS,
	     NFTA_QUEUE_SREG_QNUM),
	  NFTA_QUEUE_FLAGS, NFT_QUEUE_FLAG_MASK },
	{ "hash", nfj_fe_hash, 0,
	  A4(NFTA_HASH_SREG, NFTA_HASH_DREG, NFTA_HASH_LEN, NFTA_HASH_MODULUS) |
	  A4(NFTA_HASH_SEED, NFTA_HASH_OFFSET, NFTA_HASH_TYPE,
	     NFTA_HASH_SET_NAME) |
	  A1(NFTA_HASH_SET_ID) },
	{ "exthdr", nfj_fe_exthdr, NFJ_FE_CHANGES,
	  A4(NFTA_EXTHDR_DREG, NFTA_EXTHDR_TYPE, NFTA_EXTHDR_OFFSET,
	     NFTA_EXTHDR_LEN) |
	  A3(NFTA_EXTHDR_FLAGS, NFTA_EXTHDR_OP, NFTA_EXTHDR_SREG),
	  NFTA_EXTHDR_FLAGS, NFT_EXTHDR_F_PRESENT },
	{ "fib", nfj_fe_fib, 0,
	  A3(NFTA_FIB_DREG, NFTA_FIB_RESULT, NFTA_FIB_FLAGS),
	  NFTA_FIB_FLAGS,
	  NFTA_FIB_F_SADDR | NFTA_FIB_F_DADDR | NFTA_FIB_F_MARK |
	  NFTA_FIB_F_IIF | NFTA_FIB_F_OIF | NFTA_FIB_F_PRESENT },
	{ "numgen", nfj_fe_numgen, 0,
	  A4(NFTA_NG_DREG, NFTA_NG_MODULUS, NFTA_NG_TYPE, NFTA_NG_OFFSET) |
	  A2(NFTA_NG_SET_NAME, NFTA_NG_SET_ID) },
	{ "rt", nfj_fe_rt, 0, A2(NFTA_RT_DREG, NFTA_RT_KEY) },
	{ "socket", nfj_fe_socket, 0,
	  A3(NFTA_SOCKET_KEY, NFTA_SOCKET_DREG, NFTA_SOCKET_LEVEL) },
	{ "inner", nfj_fe_inner, 0,
	  A2(NFJ_INNER_NUM, NFJ_INNER_TYPE) |
	  A3(NFJ_INNER_FLAGS, NFJ_INNER_HDRSIZE, NFJ_INNER_EXPR) },
	{ "osf", nfj_fe_osf, 0, A3(NFTA_OSF_DREG, NFTA_OSF_TTL, NFTA_OSF_FLAGS),
	  NFTA_OSF_FLAGS, NFT_OSF_F_VERSION },
	{ "tunnel", nfj_fe_tunnel, 0,
	  A3(NFTA_TUNNEL_KEY, NFTA_TUNNEL_DREG, NFTA_TUNNEL_MODE) },
	{ "xfrm", nfj_fe_xfrm, 0,
	  A4(NFTA_XFRM_DREG, NFTA_XFRM_KEY, NFTA_XFRM_DIR, NFTA_XFRM_SPNUM) },
	{ "match", nfj_fe_match, NFJ_FE_CHANGES | NFJ_FE_MATCH,
	  A3(NFTA_MATCH_NAME, NFTA_MATCH_REV, NFTA_MATCH_INFO) },
	{ "target", nfj_fe_target, NFJ_FE_CHANGES,
	  A3(NFTA_TARGET_NAME, NFTA_TARGET_REV, NFTA_TARGET_INFO) },
};

const unsigned int nfj_fe_nrows = ARRAY_SIZE(nfj_fe_rows);

/**
 * nfj_fe_knows - is there nothing about an expression that its row does not know?
 * @row: the row
 * @in: the expression
 * @tb: filled in: its attributes by number, NFJ_FE_MAXATTR of them
 *
 * Without a function in the row its attributes are not at hand, but which ones the
 * kernel has.
 *
 * Return: false for an attribute or a flag that is not in the row.
 */
bool nfj_fe_knows(const struct nfj_fe_row *row, const struct nfj_expr_in *in,
		  const struct nlattr **tb)
{
	const u8 *p = (const u8 *)in->attrs;
	int left = in->len;
	u32 bits;

	memset(tb, 0, NFJ_FE_MAXATTR * sizeof(*tb));
	if (!row->fn)
		return !in->maxattr || (in->maxattr < NFJ_FE_MAXATTR &&
					row->attrs >> in->maxattr);
	while (p && left >= NLA_HDRLEN) {
		const struct nlattr *a = (const void *)p;
		int len = a->nla_len, type = a->nla_type & NLA_TYPE_MASK;

		if (len < NLA_HDRLEN || len > left)
			return false;
		if (type >= NFJ_FE_MAXATTR || !(row->attrs & A1(type)) ||
		    tb[type])
			return false;
		tb[type] = a;
		left -= NLA_ALIGN(len);
		p += NLA_ALIGN(len);
	}
	if (left > 0)
		return false;
	if (!row->bits_attr || !tb[row->bits_attr])
		return true;
	return nfj_attr_bits(tb[row->bits_attr], &bits) && !(bits & ~row->bits);
}

/**
 * nfj_fe_row - find the row of an expression
 * @name: name of its type
 *
 * Return: the row, or NULL for an expression this file has never heard of.
 */
const struct nfj_fe_row *nfj_fe_row(const char *name)
{
	unsigned int i;

	for (i = 0; i < nfj_fe_nrows; i++)
		if (!strcmp(name, nfj_fe_rows[i].name))
			return &nfj_fe_rows[i];
	return NULL;
}
