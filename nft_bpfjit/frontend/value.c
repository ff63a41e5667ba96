// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers as bits, and comparisons of them as tests on the flow key.
 *
 * Between a load and a compare, nft rules mask, shift, xor and swap.  Instead
 * of one special case for each combination, every bit of every register is
 * followed: it is a constant, or some bit of the flow key, or the inverse of
 * one.  All of nft's arithmetic is then a permutation of bits, and a compare
 * knows for each bit of its operand where it came from.
 *
 * Example: "ip dscp ef" is
 *
 *	payload load 1b @ network header + 1 => reg 1	bits 7..0 of nh[1]
 *	bitwise reg 1 = (reg 1 & 0xfc) ^ 0		bits 7..2 of nh[1], 0, 0
 *	cmp eq reg 1 0xb8
 *
 * The two constant bits agree with 0xb8, the six others give the mask 0xfc, and
 * the test is nh[1] & 0xfc in [0xb8, 0xb8].
 *
 * Equality does not care for the order of the bits.  For lower and greater the
 * bits must come in falling significance of one number in the key; constant
 * bits in between are worked into the bounds.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include "frontend.h"

#define NFJ_CMP_BITS	(NFJ_DATA_MAX * 8)

/* a chunk in the making: up to eight bytes of one aligned word of the key */
struct nfj_span {
	unsigned int	word;
	u8		order;
	u8		mask[8];
	u8		lo[8];
	u8		hi[8];
};

/**
 * nfj_value_reset - forget all registers, as at the start of a rule
 * @fe: the rule's state
 */
void nfj_value_reset(struct nfj_fe *fe)
{
	nfj_value_undef(fe, 0, NFJ_REG_BYTES);
}

/**
 * nfj_value_undef - registers take a value that is not followed
 * @fe: the rule's state
 * @reg: first byte of the registers
 * @len: bytes
 */
void nfj_value_undef(struct nfj_fe *fe, unsigned int reg, unsigned int len)
{
	unsigned int i;

	for (i = reg * 8; i < (reg + len) * 8 && i < NFJ_REG_BYTES * 8; i++)
		fe->sym[i] = NFJ_BIT_UNDEF;
}

/**
 * nfj_value_load - registers take bytes of the flow key
 * @fe: the rule's state
 * @reg: first byte of the registers
 * @koff: first byte in struct nfj_key
 * @len: bytes; the rest of the last register becomes zero, as nft does
 */
void nfj_value_load(struct nfj_fe *fe, unsigned int reg, unsigned int koff,
		    unsigned int len)
{
	unsigned int i, end = ALIGN(len, 4);

	for (i = 0; i < end * 8 && reg * 8 + i < NFJ_REG_BYTES * 8; i++)
		fe->sym[reg * 8 + i] = i < len * 8 ? koff * 8 + i
						   : NFJ_BIT_CONST;
}

static u64 nfj_value_read(const u8 *bytes, unsigned int size, u8 order)
{
	u64 v = 0;
	unsigned int i;

	for (i = 0; i < size; i++) {
		unsigned int at = i;

#ifdef __LITTLE_ENDIAN
		if (order == NFJ_HOST)
			at = size - 1 - i;
#endif
		v = v << 8 | bytes[at];
	}
	return v;
}

/* The smallest aligned chunk that covers a span's bytes, with its bounds */
static struct nfj_test nfj_value_chunk(const struct nfj_span *span)
{
	struct nfj_test t = { .order = span->order };
	unsigned int first = 8, last = 0, i, at;

	for (i = 0; i < 8; i++) {
		if (!span->mask[i])
			continue;
		first = min(first, i);
		last = i;
	}
	for (t.size = 1; first / t.size != last / t.size; t.size *= 2)
		;
	at = first / t.size * t.size;
	t.off = span->word * 8 + at;
	t.mask = nfj_value_read(span->mask + at, t.size, t.order);
	t.lo = nfj_value_read(span->lo + at, t.size, t.order);
	t.hi = nfj_value_read(span->hi + at, t.size, t.order);
	return t;
}

/* Spans, the most significant first, within their bounds or not */
static int nfj_value_emit(struct nfj_fe *fe, const struct nfj_span *span,
			  unsigned int n, bool in)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		fe->num[i] = nfj_value_chunk(&span[i]);
	return nfj_fe_result(nfj_ir_add_wide(fe->ir, fe->entry, fe->num, n,
					     in));
}

/* Registers (in)equal to @val: bits in any order, from anywhere in the key */
static int nfj_value_equal(struct nfj_fe *fe, unsigned int reg,
			   unsigned int len, bool in, const u8 *val)
{
	struct nfj_span span[NFJ_SPANS];
	unsigned int n = 0, i, j, lo = sizeof(struct nfj_key), hi = 0;

	memset(fe->kmask, 0, sizeof(fe->kmask));
	for (i = 0; i < len * 8; i++) {
		u16 sym = fe->sym[reg * 8 + i];
		bool bit = val[i / 8] >> i % 8 & 1;
		unsigned int at = (sym & NFJ_BIT_KEY) / 8;
		u8 m = 1 << (sym & 7);

		if (sym & NFJ_BIT_UNDEF)
			return NFJ_FE_STOP;
		if (sym & NFJ_BIT_CONST) {
			if ((sym & 1) != bit)
				return in ? NFJ_FE_NEVER : NFJ_FE_PURE;
			continue;
		}
		if (sym & NFJ_BIT_INV)
			bit = !bit;
		if (!fe->kmask[at])
			fe->kval[at] = 0;
		if (fe->kmask[at] & m && !!(fe->kval[at] & m) != bit)
			return in ? NFJ_FE_NEVER : NFJ_FE_PURE;
		fe->kmask[at] |= m;
		if (bit)
			fe->kval[at] |= m;
		lo = min(lo, at / 8);
		hi = max(hi, at / 8);
	}
	for (i = lo; i <= hi; i++) {
		struct nfj_span *s = &span[n];
		bool used = false;

		for (j = 0; j < 8; j++)
			used |= fe->kmask[i * 8 + j];
		if (!used)
			continue;
		if (n == ARRAY_SIZE(span))
			return NFJ_FE_STOP;
		memset(s, 0, sizeof(*s));
		s->word = i;
		s->order = nfj_key_member(i * 8)->order;
		for (j = 0; j < 8; j++) {
			if (!fe->kmask[i * 8 + j])
				continue;
			s->order = nfj_key_member(i * 8 + j)->order;
			s->mask[j] = fe->kmask[i * 8 + j];
			s->lo[j] = fe->kval[i * 8 + j];
			s->hi[j] = fe->kval[i * 8 + j];
		}
		n++;
	}
	if (!n)
		return in ? NFJ_FE_PURE : NFJ_FE_NEVER;
	return nfj_value_emit(fe, span, n, in);
}

/* Add or subtract one, most significant bit first; true when it wraps */
static bool nfj_value_step(u8 *bits, unsigned int n, u8 carry)
{
	while (n--) {
		bits[n] ^= 1;
		if (bits[n] == carry)
			return false;
	}
	return true;
}

/* Position of a bit in its word, 0 the most significant */
static unsigned int nfj_value_rank(u16 sym, u8 order)
{
	unsigned int byte = (sym & NFJ_BIT_KEY) / 8 % 8;

#ifdef __LITTLE_ENDIAN
	if (order == NFJ_HOST)
		byte = 7 - byte;
#endif
	return byte * 8 + 7 - (sym & 7);
}

/* Registers within (outside) @lo..@hi, as memcmp() sees them */
static int nfj_value_ordered(struct nfj_fe *fe, unsigned int reg,
			     unsigned int len, bool in, const u8 *lo,
			     const u8 *hi)
{
	struct nfj_span span[NFJ_SPANS];
	u8 plo[NFJ_CMP_BITS], phi[NFJ_CMP_BITS];
	bool lo_tight = true, hi_tight = true;
	unsigned int n = 0, nspan = 0, i, j;
	u16 bits[NFJ_CMP_BITS];

	for (i = 0; i < len * 8; i++) {
		unsigned int at = i / 8 * 8 + 7 - i % 8;
		u8 l = lo[at / 8] >> at % 8 & 1;
		u8 h = hi[at / 8] >> at % 8 & 1;
		u16 sym = fe->sym[reg * 8 + at];
		u8 c = sym & 1;

		if (sym & (NFJ_BIT_UNDEF | NFJ_BIT_INV))
			return NFJ_FE_STOP;
		if (!(sym & NFJ_BIT_CONST)) {
			bits[n] = sym;
			plo[n] = lo_tight ? l : 0;
			phi[n] = hi_tight ? h : 1;
			n++;
			continue;
		}
		/* a constant above the bound frees the bits behind it, one
		 * below asks for more from those in front
		 */
		if (lo_tight && c != l) {
			lo_tight = false;
			if (c < l && nfj_value_step(plo, n, 1))
				return in ? NFJ_FE_NEVER : NFJ_FE_PURE;
		}
		if (hi_tight && c != h) {
			hi_tight = false;
			if (c > h && nfj_value_step(phi, n, 0))
				return in ? NFJ_FE_NEVER : NFJ_FE_PURE;
		}
	}
	if (memcmp(plo, phi, n) > 0)
		return in ? NFJ_FE_NEVER : NFJ_FE_PURE;

	if (!n)
		return in ? NFJ_FE_PURE : NFJ_FE_NEVER;

	for (i = 0; i < n; i = j) {
		struct nfj_span *s = &span[nspan];
		bool be = true, host = true;

		if (nspan == ARRAY_SIZE(span))
			return NFJ_FE_STOP;
		memset(s, 0, sizeof(*s));
		s->word = bits[i] / 64;
		for (j = 0; j < nspan; j++)
			if (span[j].word == s->word)
				return NFJ_FE_STOP;
		for (j = i; j < n && bits[j] / 64 == s->word; j++) {
			u8 m = 1 << bits[j] % 8;

			if (j > i && nfj_value_rank(bits[j], NFJ_BE) <=
				     nfj_value_rank(bits[j - 1], NFJ_BE))
				be = false;
			if (j > i && nfj_value_rank(bits[j], NFJ_HOST) <=
				     nfj_value_rank(bits[j - 1], NFJ_HOST))
				host = false;
			s->mask[bits[j] / 8 % 8] |= m;
			if (plo[j])
				s->lo[bits[j] / 8 % 8] |= m;
			if (phi[j])
				s->hi[bits[j] / 8 % 8] |= m;
		}
		if (!be && !host)
			return NFJ_FE_STOP;
		s->order = be ? NFJ_BE : NFJ_HOST;
		if (be && host)
			s->order = nfj_key_member(bits[i] / 8)->order;
		nspan++;
	}
	return nfj_value_emit(fe, span, nspan, in);
}

/**
 * nfj_value_compare - translate a comparison of registers with constants
 * @fe: the rule's state; tests are added to its rule
 * @reg: first byte of the registers
 * @len: bytes to compare, as memcmp() does
 * @in: true: the rule goes on when @lo <= registers <= @hi, false: when not
 * @lo: lower bound, @len bytes
 * @hi: upper bound
 *
 * Return: NFJ_FE_PURE, NFJ_FE_STOP when it can't be expressed, NFJ_FE_NEVER
 * when it can't hold, or -ENOMEM.
 */
int nfj_value_compare(struct nfj_fe *fe, unsigned int reg, unsigned int len,
		      bool in, const u8 *lo, const u8 *hi)
{
	int d = memcmp(lo, hi, len);

	if (!fe->collect)
		return NFJ_FE_STOP;
	if (d > 0)
		return in ? NFJ_FE_NEVER : NFJ_FE_PURE;
	if (!d)
		return nfj_value_equal(fe, reg, len, in, lo);
	return nfj_value_ordered(fe, reg, len, in, lo, hi);
}

/**
 * nfj_value_number - test a number of the flow key, or make sure that a load succeeds
 * @fe: the rule's state; the test is added to its entry
 * @koff: offset in struct nfj_key, in whose byte order the number is
 * @size: its size in bytes
 * @mask: bits of it that count
 * @lo: lowest value of what is left
 * @hi: highest value
 * @in: true: the rule goes on when it lies between the two, false: when not
 *
 * Return: NFJ_FE_PURE, NFJ_FE_NEVER when that can't hold, or -ENOMEM.
 */
int nfj_value_number(struct nfj_fe *fe, unsigned int koff, unsigned int size,
		     u64 mask, u64 lo, u64 hi, bool in)
{
	const struct nfj_test num = {
		.size	= size,
		.order	= nfj_key_member(koff)->order,
		.off	= koff,
		.mask	= mask,
	};

	if (!fe->collect)
		return NFJ_FE_PURE;
	return nfj_fe_result(nfj_ir_add_range(fe->ir, fe->entry, &num, lo, hi,
					      in));
}

/**
 * nfj_value_fill - describe a register word by where its bytes come from
 * @fe: the rule's state
 * @word: number of the register
 * @fill: filled in
 *
 * Bytes of the flow key in a row with zeros behind, which is what loads leave,
 * also masked ones, or a constant.
 *
 * Return: true, or false when it is neither.
 */
bool nfj_value_fill(const struct nfj_fe *fe, unsigned int word,
		    struct nfj_fill *fill)
{
	const u16 *sym = &fe->sym[word * 32];
	unsigned int i, len = 0;
	u8 value[4] = {};

	memset(fill, 0, sizeof(*fill));
	fill->word = word;
	if (!(sym[0] & ~NFJ_BIT_KEY) && !(sym[0] % 8))
		while (len < 32 && sym[len] == sym[0] + len)
			len++;
	len &= ~7U;
	for (i = len; i < 32; i++) {
		if (!(sym[i] & NFJ_BIT_CONST) || sym[i] & NFJ_BIT_UNDEF)
			return false;
		value[i / 8] |= (sym[i] & 1) << i % 8;
	}
	memcpy(&fill->value, value, sizeof(value));
	if (len && fill->value)
		return false;
	fill->off = len ? sym[0] / 8 : 0;
	fill->len = len / 8;
	return true;
}
