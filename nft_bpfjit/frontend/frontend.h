/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to the front end: registers as bits, and the table of expressions.
 */
#ifndef _NFJ_FRONTEND_H
#define _NFJ_FRONTEND_H

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/errno.h>
#include <nft_bpfjit/imr.h>

#define NFJ_REG_WORDS	16		/* data registers, 32 bits each */
#define NFJ_REG_BYTES	(NFJ_REG_WORDS * 4)
#define NFJ_DATA_MAX	16		/* sizeof(struct nft_data) */
#define NFJ_SPANS	(2 * NFJ_DATA_MAX)	/* chunks of a comparison, at most */

/* what one bit of a register is known to be */
#define NFJ_BIT_KEY	0x0fff		/* bit number in the flow key */
#define NFJ_BIT_INV	0x8000		/* the inverse of it */
#define NFJ_BIT_CONST	0x4000		/* constant: bit 0 tells which */
#define NFJ_BIT_UNDEF	0x2000		/* not known */

enum nfj_fe_result {
	NFJ_FE_PURE,	/* understood, goes into the tests */
	NFJ_FE_STOP,	/* the residue starts here at the latest */
	NFJ_FE_NEVER,	/* the rule cannot match */
};

/* nfj_fe_row::flags */
#define NFJ_FE_NOBREAK	0x01	/* always goes on to the next expression */
#define NFJ_FE_CHANGES	0x02	/* may change what the flow key was made of */
#define NFJ_FE_MATCH	0x04	/* belongs to the match part of a rule */

/**
 * struct nfj_fe - state of the translation of one rule
 * @ir: chain that is being built
 * @entry: the rule's entry, last of @ir
 * @sym: NFJ_BIT_* for each bit of the registers: bit b (0 is the least
 *	 significant one) of byte i is at i * 8 + b
 * @rd: words the current expression surely reads
 * @rd_may: words it may read besides
 * @wr: words it surely writes
 * @collect: false when tests are not wanted any more
 * @jumps: a jump or goto was seen
 * @last: the current expression is the last one of its rule
 * @vmap: the rule ends in a verdict map, each case has a verdict
 * @cases: the ways in which sets let the rule go on, one of which must hold; no
 *	   rules in it where there is but one way
 * @odd: one rule: the tests in front of expression @odd_at, see xt.c
 * @odd_len: bytes that the transport header lacks in the odd case
 * @odd_at: expression from which the odd case is residue, -1 for no odd case
 * @no_odd: there must not be one
 * @at: number of the current expression
 * @taint: NFJ_TAINT_* to add to the chain
 * @verdict: verdict of an immediate expression, if @is_verdict
 * @is_verdict: the current expression is an immediate verdict
 * @changes: NFJ_GROUP_* that the current expression may change: where its row has
 *	     NFJ_FE_CHANGES all, unless its function knows better
 * @live: the current expression looks up nft's own set, or draws a number
 * @set: nft's set that expression @set_at looks up, or NULL
 * @set_at: number of that expression, the first that is not pure
 * @set_key: number of the register that holds its key
 * @set_data: where its data goes, see nfj_entry::set_data
 * @set_not: goes on when the key is not in it
 * @fill: index of the residue's first fill in @ir
 * @nfills: how many it has
 * @kmask: scratch: bits of the key that a comparison wants fixed
 * @kval: scratch: ... and their values
 * @num: scratch: the chunks that come of it
 */
struct nfj_fe {
	struct nfj_ir	*ir;
	struct nfj_entry	*entry;
	u16		sym[NFJ_REG_BYTES * 8];
	u32		rd;
	u32		rd_may;
	u32		wr;
	bool		collect;
	bool		jumps;
	bool		last;
	bool		vmap;
	struct nfj_ir	cases;
	struct nfj_ir	odd;
	u32		odd_len;
	int		odd_at;
	bool		no_odd;
	unsigned int	at;
	u32		taint;
	s32		verdict;
	bool		is_verdict;
	bool		live;
	u16		changes;
	void		*set;
	unsigned int	set_at;
	u8		set_key;
	u8		set_data;
	bool		set_not;
	u32		fill;
	u32		nfills;
	u8		kmask[sizeof(struct nfj_key)];
	u8		kval[sizeof(struct nfj_key)];
	struct nfj_test	num[NFJ_SPANS];
};

#define NFJ_FE_MAXATTR	32

/**
 * struct nfj_fe_row - how one type of expression is translated
 * @name: as in struct nft_expr_type
 * @fn: says what it reads and writes and, if it can, translates; without one
 *	the expression has no register operands
 * @flags: NFJ_FE_*
 * @attrs: the attributes that this file knows, a bit for each number.  A kernel
 *	   that has others may mean anything by them: the expression is then one
 *	   that is not known.
 * @bits_attr: the attribute that holds flags, 0 for none
 * @bits: the flags in it that this file knows; with others it is not known either
 */
struct nfj_fe_row {
	const char	*name;
	int		(*fn)(struct nfj_fe *fe, const struct nlattr **tb,
			      const struct nfj_expr_in *in);
	u32		flags;
	u32		attrs;
	u8		bits_attr;
	u32		bits;
};

extern const struct nfj_fe_row nfj_fe_rows[];
extern const unsigned int nfj_fe_nrows;

const struct nfj_fe_row *nfj_fe_row(const char *name);
bool nfj_fe_knows(const struct nfj_fe_row *row, const struct nfj_expr_in *in,
		  const struct nlattr **tb);

/**
 * nfj_fe_result - what adding a test comes to
 * @err: of nfj_ir_add_range() and its like
 *
 * Return: NFJ_FE_PURE, NFJ_FE_NEVER for -ERANGE, or another errno.
 */
static inline int nfj_fe_result(int err)
{
	return err == -ERANGE ? NFJ_FE_NEVER : err ? : NFJ_FE_PURE;
}

/* value.c */
void nfj_value_reset(struct nfj_fe *fe);
void nfj_value_load(struct nfj_fe *fe, unsigned int reg, unsigned int koff,
		    unsigned int len);
void nfj_value_undef(struct nfj_fe *fe, unsigned int reg, unsigned int len);
int nfj_value_compare(struct nfj_fe *fe, unsigned int reg, unsigned int len,
		      bool in, const u8 *lo, const u8 *hi);
bool nfj_value_fill(const struct nfj_fe *fe, unsigned int word,
		    struct nfj_fill *fill);
int nfj_value_number(struct nfj_fe *fe, unsigned int koff, unsigned int size,
		     u64 mask, u64 lo, u64 hi, bool in);

/* lookup.c */
int nfj_lookup_set(struct nfj_fe *fe, const struct nfj_set_in *set,
		   unsigned int reg, bool in);
int nfj_lookup_ports(struct nfj_fe *fe, unsigned int koff,
		     struct nfj_ival *ports, unsigned int n, bool in);
int nfj_case_add(struct nfj_ir *cases, const struct nfj_ir *from,
		 const struct nfj_entry *tests, s32 verdict,
		 const void *target);
int nfj_cases_apply(struct nfj_fe *fe);
struct nfj_entry *nfj_odd_apply(struct nfj_fe *fe, int *err);

/* xt.c */
int nfj_xt_match(struct nfj_fe *fe, const char *name, u32 rev,
		 const void *info, unsigned int len);

/**
 * nfj_value_wbit - index into nfj_fe::sym of a bit of a 32 bit register
 * @word: number of the register
 * @bit: bit as the CPU counts, 0 is the least significant
 *
 * Return: the index; where the byte lies depends on the host's byte order.
 */
static inline unsigned int nfj_value_wbit(unsigned int word, unsigned int bit)
{
#ifdef __LITTLE_ENDIAN
	return (word * 4 + bit / 8) * 8 + bit % 8;
#else
	return (word * 4 + 3 - bit / 8) * 8 + bit % 8;
#endif
}

#endif /* _NFJ_FRONTEND_H */
