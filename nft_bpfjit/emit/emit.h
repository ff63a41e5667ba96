/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to passes and emitter: a program being written.
 *
 * Registers of a matcher:
 *
 *	r0	result; NFJ_NONE from the start, so that "none" is a bare exit
 *	r1	the flow key
 *	r2, r3	scratch
 *	r4-r9	numbers of the key that many tests read, kept from where they
 *		are first needed on; a lookup in a table takes r4 as scratch, and
 *		where a tree may have packed leaves r9 leads to them (passes/pack.c)
 */
#ifndef _NFJ_EMIT_H
#define _NFJ_EMIT_H

#include <linux/stddef.h>
#include <nft_bpfjit/imr.h>

#define NFJ_REG_RESULT	BPF_REG_0
#define NFJ_REG_KEY	BPF_REG_1
#define NFJ_REG_TMP	BPF_REG_2
#define NFJ_REG_IMM	BPF_REG_3
#define NFJ_REG_PTR	BPF_REG_4
#define NFJ_REG_ZERO	BPF_REG_9
#define NFJ_REG_CACHE	BPF_REG_4
#define NFJ_CACHE_REGS	6

#define NFJ_DIMS	64	/* numbers that tests are about, per program */
#define NFJ_NODIM	0xff

#define NFJ_LABEL_EXIT	0xffffffffU	/* "jump" there by leaving */

/**
 * struct nfj_dim - a number that tests are about
 * @off: byte offset of its chunk in struct nfj_key, a multiple of @size
 * @size: bytes of the chunk: 1, 2, 4 or 8
 * @order: enum nfj_order, how the chunk is read as a number
 * @reg: register that keeps the chunk (not masked), or 0
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
 * struct nfj_place - a label, or one of the places that stand for it
 * @at: instruction it is bound to
 * @ref: first instruction that jumps there
 * @cur: of a label: the place that jumps go to now
 * @loaded: of a label: registers that all jumps to it have loaded
 */
struct nfj_place {
	u32	at;
	u32	ref;
	u32	cur;
	u32	loaded;
};

/**
 * struct nfj_emit - state of nfj_compile()
 * @ir: the chain
 * @out: the program
 * @opts: NFJ_OPT_*
 * @pack: trees may have packed leaves
 * @first: first entry of the program
 * @at: for each of its entries, and behind the last one, where its tests begin
 * @test: its tests, normal as in imr/test.c, some of them in other words
 * @dim: the numbers
 * @ndims: how many
 * @dim_of: for each test its number in @dim, or NFJ_NODIM
 * @last_open: last entry that a start may lie behind, -1 for none: entries up to
 *	       it must look at the start
 * @best: the result register may hold a match already, and only lower ones
 *	  are of interest
 * @dead: the next instruction can't be reached but by a jump
 * @afresh: load numbers anew, whatever register has them
 * @loaded: registers that hold their number at this point, a bit each
 * @place: labels
 * @nplaces: how many
 * @places_max: room
 * @open: labels that are jumped to and not yet bound, oldest first
 * @nopen: how many
 * @open_max: room
 * @exit: label of an exit
 * @found: label to go to with a match, NFJ_LABEL_EXIT unless others may be lower
 * @above: with @best, an entry that the result is known not to be lower than
 * @fixup: jumps whose target is a label
 * @nfixups: how many
 * @fixups_max: room
 * @err: first error; everything after it is void
 */
struct nfj_emit {
	const struct nfj_ir	*ir;
	struct nfj_insns	*out;
	u32			opts;
	bool			pack;
	u32			first;
	u32			*at;
	struct nfj_test		*test;
	struct nfj_dim		dim[NFJ_DIMS];
	u32			ndims;
	u8			*dim_of;
	s64			last_open;
	bool			best;
	bool			dead;
	bool			afresh;
	u32			loaded;
	struct nfj_place	*place;
	u32			nplaces;
	u32			places_max;
	u32			*open;
	u32			nopen;
	u32			open_max;
	u32			exit;
	u32			found;
	u32			above;
	struct nfj_fixup	*fixup;
	u32			nfixups;
	u32			fixups_max;
	int			err;
};

/* emit.c */
u32 nfj_label(struct nfj_emit *e);
void nfj_bind(struct nfj_emit *e, u32 label);
void nfj_goto(struct nfj_emit *e, u32 label);
void nfj_insn(struct nfj_emit *e, u8 code, u8 dst, u8 src, s16 off, s32 imm);
void nfj_imm64(struct nfj_emit *e, u8 dst, u64 val);
void nfj_jump(struct nfj_emit *e, u8 code, u8 dst, u8 src, s32 imm, u32 label);
void nfj_reads_key(struct nfj_emit *e, unsigned int off, unsigned int size,
		   u64 mask);
void nfj_emit_load(struct nfj_emit *e, u8 dst, u16 off, u8 size, u8 order);
u8 nfj_value(struct nfj_emit *e, u16 off, u8 size, u8 order, u64 mask);
void nfj_emit_begin(struct nfj_emit *e);
void nfj_emit_ge(struct nfj_emit *e, const struct nfj_dim *dim, u64 val,
		 u32 label);
void nfj_emit_lt(struct nfj_emit *e, const struct nfj_dim *dim, u64 val,
		 u32 label);
void nfj_emit_test(struct nfj_emit *e, const struct nfj_test *t, u32 fail);
void nfj_emit_skip(struct nfj_emit *e, u32 last, u32 skip, bool again);
void nfj_emit_better(struct nfj_emit *e, u32 entry, u32 skip);
void nfj_emit_beaten(struct nfj_emit *e, u32 entry, u32 skip);
void nfj_emit_match(struct nfj_emit *e, u32 entry);
void nfj_emit_exit(struct nfj_emit *e);
void nfj_emit_fixup(struct nfj_emit *e);

/* lookup.c */

#define NFJ_FIELDS	8	/* of the key of a table */

/**
 * struct nfj_field - part of the key of a table, as it lies in the flow key
 * @off: byte offset in struct nfj_key, a multiple of @size
 * @size: bytes: 1, 2, 4 or 8
 * @at: offset in a slot
 * @test: number of the test that it stands for in each of the entries
 * @mask: what is compared, as it lies in memory read in host byte order
 * @mul: for the hash, of eight bytes the lower four in memory
 * @mul2: for the hash, of eight bytes the upper four in memory
 */
struct nfj_field {
	u16	off;
	u8	size;
	u8	at;
	u16	test;
	u64	mask;
	u64	mul;
	u64	mul2;
};

/**
 * struct nfj_hash - a hash table in the data of a program
 * @field: parts of the key
 * @nfields: how many
 * @fold: high bits of the hash must go into the low ones
 * @shift: of the hash, for the number of the bucket
 * @nslots: slots
 * @slot: bytes of a slot: the key, then the numbers of entries
 * @nvals: entries in a slot, ascending, NFJ_NONE where there are no more
 * @vals: offset of the first one
 * @disp_at: offset in the data of the displacements, a u16 for each bucket
 * @slots_at: offset in the data of the slots
 */
struct nfj_hash {
	struct nfj_field	field[NFJ_FIELDS];
	u32			nfields;
	bool			fold;
	u8			shift;
	u32			nslots;
	u32			slot;
	u32			nvals;
	u32			vals;
	u32			disp_at;
	u32			slots_at;
};

/**
 * struct nfj_sorted - a table of intervals in the data of a program
 * @off: byte offset of the number's chunk in struct nfj_key
 * @size: its bytes: 1, 2 or 4
 * @order: enum nfj_order, how the chunk is read as a number
 * @mask: the number is the chunk & @mask
 * @n: intervals; the first one starts at 0
 * @lows_at: offset in the data of their lower ends, u32 each
 * @vals_at: offset in the data of their entries, u32 each
 * @entry: an entry that has the tests that all share
 * @test: number of its test that is about the number
 * @start: entries may lie before the start
 */
struct nfj_sorted {
	u16	off;
	u8	size;
	u8	order;
	u64	mask;
	u32	n;
	u32	lows_at;
	u32	vals_at;
	u32	entry;
	u32	test;
	bool	start;
};

u32 nfj_emit_data(struct nfj_emit *e, u32 size, u32 align);
void nfj_data_store(u8 *to, u64 val, u8 size);
void nfj_data_addr(struct nfj_emit *e, u8 dst, u32 off);
void nfj_data_load(struct nfj_emit *e, u8 dst, u8 src, u32 off, u8 size);
void nfj_emit_hash(struct nfj_emit *e, const struct nfj_hash *h, bool start,
		   u32 miss);
void nfj_emit_sorted(struct nfj_emit *e, const struct nfj_sorted *s, u32 miss);

/* dim.c */
enum nfj_known {
	NFJ_UNKNOWN,
	NFJ_TRUE,
	NFJ_FALSE,
};

int nfj_dims_init(struct nfj_emit *e, u32 first, u32 last);
const struct nfj_test *nfj_dim_test(const struct nfj_emit *e, u32 entry, u8 d);
enum nfj_known nfj_dim_known(const struct nfj_emit *e,
			     const struct nfj_test *t);
bool nfj_test_hull(const struct nfj_emit *e, const struct nfj_test *t, u64 *lo,
		   u64 *hi);
void nfj_dims_forget(struct nfj_emit *e);

/* Do two tests, or two chunks, of a program say the same? */
static inline bool nfj_emit_same(const struct nfj_emit *e,
				 const struct nfj_test *a,
				 const struct nfj_test *b)
{
	return nfj_test_same(a, e->ir->ivals, b, e->ir->ivals);
}

/* Number of a test's dimension, or NFJ_NODIM */
static inline u8 nfj_test_dim(const struct nfj_emit *e,
			      const struct nfj_test *t)
{
	return e->dim_of[t - e->test];
}

/* An entry's tests, which end before nfj_entry_end() */
static inline const struct nfj_test *nfj_entry_tests(const struct nfj_emit *e,
						     u32 entry)
{
	return e->test + e->at[entry - e->first];
}

static inline const struct nfj_test *nfj_entry_end(const struct nfj_emit *e,
						   u32 entry)
{
	return e->test + e->at[entry - e->first + 1];
}

/* Upper end of an interval of a test, as one of the dimension */
static inline u64 nfj_dim_high(const struct nfj_dim *d,
			       const struct nfj_test *t, u64 hi)
{
	return hi | (d->mask & ~t->mask);
}

/* Is it about the existence of a field? */
static inline bool nfj_dim_guard(const struct nfj_dim *d)
{
	return nfj_key_is_guard(d->off);
}

static inline u32 nfj_entry_ntests(const struct nfj_emit *e, u32 entry)
{
	return nfj_entry_end(e, entry) - nfj_entry_tests(e, entry);
}

/* search.c */
void nfj_search(struct nfj_emit *e, u32 *entries, u32 n);

/* exact.c */
bool nfj_exact_field(const struct nfj_test *t);
u32 nfj_exact_build(struct nfj_emit *e, const u32 *entries, u32 n,
		    struct nfj_hash *h, u32 *left);
void nfj_exact_emit(struct nfj_emit *e, const struct nfj_hash *h,
		    const u32 *entries, u32 n, u32 miss);

/* ivals.c */
u32 nfj_ivals_left(const struct nfj_emit *e, const u32 *entries, u32 n,
		   u32 *left);
u32 nfj_ivals_build(struct nfj_emit *e, const u32 *entries, u32 n,
		    struct nfj_sorted *s, u32 *left);
void nfj_ivals_emit(struct nfj_emit *e, const struct nfj_sorted *s,
		    u32 miss);

/* pack.c */
#define NFJ_PACK_MIN	128	/* entries of a tree whose leaves are packed */

struct nfj_pack *nfj_pack_begin(struct nfj_emit *e, const u32 *entries, u32 n);
u32 nfj_pack_misfits(const struct nfj_pack *p, const u32 *entries, u32 n);
bool nfj_pack_fits(const struct nfj_pack *p, const u32 *entries, u32 n);
u32 nfj_pack_leaf(struct nfj_pack *p, const u32 *entries, u32 n);
void nfj_pack_place(struct nfj_pack *p, bool all);
void nfj_pack_finish(struct nfj_pack *p, u32 next);
void nfj_pack_zero(struct nfj_emit *e);
void nfj_pack_free(struct nfj_pack *p);

/* linear.c */
bool nfj_linear(struct nfj_emit *e, const u32 *entries, u32 n, u32 next);

#endif /* _NFJ_EMIT_H */
