/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Expressions of nf_tables as the tests write them: as text, as a struct, as the
 * netlink attributes that ops->dump() makes of them, and as what they do.
 */
#ifndef _EXPR_H
#define _EXPR_H

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include "core.h"
#include "xt.h"

enum x_kind {
	X_PAYLOAD,
	X_PAYLOAD_SET,
	X_META,
	X_META_SET,
	X_CT,
	X_CT_SET,
	X_CMP,
	X_RANGE,
	X_BITWISE,	/* mask and xor */
	X_SHIFT,
	X_BITREG,	/* or, and, xor of two registers: kernels to come */
	X_BYTEORDER,
	X_IMMEDIATE,
	X_VERDICT,
	X_LOOKUP,	/* in a set that may change */
	X_SET,		/* in a set that never does */
	X_MAP,		/* ... in a verdict map */
	X_DYNSET,
	X_MATCH,	/* of x_tables */
	X_OTHER,	/* a name and, perhaps, attributes that are numbers */
};

#define X_DATA		16
#define X_ATTRS		8
#define X_ELEMS		6
#define X_FIELDS	3
#define X_EXPRS		24	/* per rule, as far as the tests go */
#define X_RULES		400

/* of kernels to come, see X_BITREG */
#define X_BITWISE_AND	3
#define X_BITWISE_OR	4
#define X_BITWISE_XOR	5
#define X_BITWISE_SREG2	8

/* of "inner", and what is added to the attributes of a payload or meta in it */
#define X_INNER_EXPR	5
#define X_IN_PAYLOAD	100
#define X_IN_META	200

struct x_attr {
	u16	type;
	u32	val;
};

/* An element of a set; the last one of a verdict map may be for all else */
struct x_elem {
	u8	lo[X_DATA];
	u8	hi[X_DATA];
	s32	verdict;
	u32	target;		/* of a jump, not 0 */
	bool	catchall;
};

/**
 * struct x_expr - an expression
 * @kind: enum x_kind
 * @name: of X_OTHER, X_MATCH
 * @base: of a payload
 * @off: of a payload
 * @len: bytes of a payload, of bitwise, byteorder, or of a set's key
 * @sreg: source register as in netlink, 0 for none
 * @dreg: destination register
 * @sreg2: second source register
 * @op: operator, as in netlink
 * @key: of meta, ct
 * @size: of byteorder; of a lookup: it has a destination
 * @dlen: bytes of @data, @data2
 * @data: value; mask; lower bound
 * @data2: xor; upper bound
 * @shift: of X_SHIFT
 * @verdict: of X_VERDICT
 * @attr: attributes of X_OTHER
 * @nattr: how many
 * @inv: of X_SET: not in it
 * @nfields: of X_SET, X_MAP: fields of the key
 * @field: bytes of each; it takes whole words
 * @elem: elements
 * @nelems: how many
 * @rev: of X_MATCH: revision
 * @info: of X_MATCH, @len bytes
 */
struct x_expr {
	u8		kind;
	char		name[16];
	u32		base;
	u32		off;
	u32		len;
	u32		sreg;
	u32		dreg;
	u32		sreg2;
	u32		op;
	u32		key;
	u32		size;
	u32		dlen;
	u8		data[X_DATA];
	u8		data2[X_DATA];
	u32		shift;
	s32		verdict;
	struct x_attr	attr[X_ATTRS];
	u32		nattr;
	bool		inv;
	u32		nfields;
	u8		field[X_FIELDS];
	struct x_elem	elem[X_ELEMS];
	u32		nelems;
	u32		rev;
	union xt_info	info;
};

struct x_rule {
	struct x_expr	e[X_EXPRS];
	u32		n;
};

struct x_chain {
	struct x_rule	rule[X_RULES];
	u32		n;
};

/* expr.c */
const char *x_parse(const char *line, struct x_expr *x);
void x_print(FILE *f, const struct x_expr *x);
void x_print_chain(FILE *f, const struct x_chain *c);
const char *x_parse_chain(const char *text, struct x_chain *c);
u32 x_attrs(const struct x_expr *x, u8 *to, u32 room);
const char *x_name(const struct x_expr *x);
void x_init(const struct x_chain *c, struct nfj_ir *ir);
int x_translate(const struct x_chain *c, struct nfj_ir *ir);
int x_translate_more(const struct x_chain *c, struct nfj_ir *ir);
int x_reg(u32 reg);
bool x_field(const struct x_expr *x, u32 *koff, u32 *len, u32 *valid);

/* eval.c: what expressions do */
#define X_EVENTS	256

struct x_event {
	u16	rule;
	u16	expr;
	u32	val;
};

struct x_run {
	struct nfj_key	pkt;
	u8		regs[64];
	bool		v61;
	u32		steps;	/* of what counts for itself: limit, numgen */
	s32		verdict;
	struct x_event	event[X_EVENTS];
	u32		nevents;
	u64		hash;
	u32		first;	/* added to numbers of rules, of several chains */
	bool		calls;	/* jumps are followed, and are no events */
	u32		target;	/* of the last verdict */
};

#define X_END	(-100)		/* verdict: end of the chain */

void x_event(struct x_run *run, u32 rule, u32 expr, u32 val);
void x_reread(struct nfj_key *key, const struct nfj_key *pkt, u32 groups);
void x_fill_regs(struct x_run *run, const struct nfj_ir *ir,
		 const struct nfj_entry *r, const struct nfj_key *key);
s32 x_exprs(struct x_run *run, const struct x_chain *c, u32 rule, u32 from, u32 to);
s32 x_verdict(struct x_run *run, s32 verdict, u32 target, u32 rule, u32 expr);
void x_interpret(struct x_run *run, const struct x_chain *c, u32 entry);
const char *x_matched(struct x_run *run, const struct x_chain *c,
		      const struct nfj_ir *ir, const struct progs *ps,
		      u32 entry, bool kernel, u64 poison);
bool x_only_61(const struct x_chain *c);
const char *x_differ(const struct x_run *a, const struct x_run *b);

/* xgen.c: random chains of expressions, and packets for them */
void x_gen(struct rnd *r, struct x_chain *c, u32 n);
void x_gen_jumps(struct rnd *r, struct x_chain *c, u32 n);
void x_gen_key(struct rnd *r, const struct x_chain *c, struct nfj_key *key);
void x_real_key(struct rnd *r, const struct x_chain *c, struct nfj_key *key);

/* rule-test.c: interpreted and translated on so many keys */
int x_compare(struct x_chain *c, u32 nkeys);
void x_drop_tainted(struct x_chain *c);

/* frontend-fuzz.c */
int fuzz_chain(const struct x_chain *c, const char *file);
int fuzz_corpus(const char *name);

#endif /* _EXPR_H */
