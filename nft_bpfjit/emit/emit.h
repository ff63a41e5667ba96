/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to passes and emitter: a program being written.
 *
 * Registers of a matcher:
 *
 *	r0	result; NFJ_NONE from the start, so that "none" is a bare exit
 *	r1	the flow key
 *	r2, r3	scratch
 *	r4	nfj_key::entry, where some rule of the program needs it
 *	r5-r9	numbers of the key that many tests read, loaded once
 */
#ifndef _NFJ_EMIT_H
#define _NFJ_EMIT_H

#include <nft_bpfjit/imr.h>

#define NFJ_REG_RESULT	BPF_REG_0
#define NFJ_REG_KEY	BPF_REG_1
#define NFJ_REG_TMP	BPF_REG_2
#define NFJ_REG_IMM	BPF_REG_3
#define NFJ_REG_ENTRY	BPF_REG_4
#define NFJ_REG_CACHE	BPF_REG_5
#define NFJ_CACHE_REGS	5

#define NFJ_DIMS	64	/* numbers that tests are about, per program */
#define NFJ_NODIM	0xff

#define NFJ_LABEL_EXIT	0xffffffffU	/* "jump" there by leaving */

/**
 * struct nfj_dim - a number that tests are about
 * @off: as in struct nfj_test
 * @size: as in struct nfj_test
 * @order: as in struct nfj_test
 * @reg: register that holds the chunk (not masked), or 0
 * @mask: the number is the chunk & @mask
 * @uses: tests about it
 * @lo: what is known of it at this point of the program: lowest value
 * @hi: and highest
 */
struct nfj_dim {
	u16	off;
	u8	size;
	u8	order;
	u8	reg;
	u64	mask;
	u32	uses;
	u64	lo;
	u64	hi;
};

struct nfj_fixup {
	u32	insn;
	u32	label;
};

/**
 * struct nfj_emit - state of nfj_compile()
 * @ir: the chain
 * @out: the program
 * @opts: NFJ_OPT_*
 * @base: index of the first test in @dim_of
 * @dim: the numbers
 * @ndims: how many
 * @dim_of: for each test its number in @dim, or NFJ_NODIM
 * @last_open: last rule after which the chain may go on, -1 for none: rules up
 *	       to it must look at the entry
 * @label: where each label is
 * @nlabels: how many
 * @labels_max: room
 * @fixup: jumps whose target is a label
 * @nfixups: how many
 * @fixups_max: room
 * @err: first error; everything after it is void
 */
struct nfj_emit {
	const struct nfj_ir	*ir;
	struct nfj_insns	*out;
	u32			opts;
	u32			base;
	struct nfj_dim		dim[NFJ_DIMS];
	u32			ndims;
	u8			*dim_of;
	s64			last_open;
	u32			*label;
	u32			nlabels;
	u32			labels_max;
	struct nfj_fixup	*fixup;
	u32			nfixups;
	u32			fixups_max;
	int			err;
};

/* emit.c */
u32 nfj_label(struct nfj_emit *e);
void nfj_bind(struct nfj_emit *e, u32 label);
void nfj_goto(struct nfj_emit *e, u32 label);
void nfj_emit_start(struct nfj_emit *e);
void nfj_emit_ge(struct nfj_emit *e, const struct nfj_dim *dim, u64 val,
		 u32 label);
void nfj_emit_test(struct nfj_emit *e, const struct nfj_test *t, u32 fail);
void nfj_emit_entry(struct nfj_emit *e, u32 last, u32 skip);
void nfj_emit_match(struct nfj_emit *e, u32 rule);
void nfj_emit_exit(struct nfj_emit *e);
void nfj_emit_fixup(struct nfj_emit *e);

/* dim.c */
enum nfj_known {
	NFJ_UNKNOWN,
	NFJ_TRUE,
	NFJ_FALSE,
};

int nfj_dims_init(struct nfj_emit *e, u32 first, u32 last);
bool nfj_dim_interval(const struct nfj_emit *e, const struct nfj_test *t,
		      u64 *lo, u64 *hi);
const struct nfj_test *nfj_dim_test(const struct nfj_emit *e, u32 rule, u8 d);
enum nfj_known nfj_dim_known(const struct nfj_emit *e,
			     const struct nfj_test *t);

/* search.c */
int nfj_search(struct nfj_emit *e, const u32 *rules, u32 n);

/* linear.c */
bool nfj_linear(struct nfj_emit *e, const u32 *rules, u32 n, u32 next);

#endif /* _NFJ_EMIT_H */
