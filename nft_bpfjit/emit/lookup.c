// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lookups in tables that are data of the program, not code.
 *
 * Neither loops nor helpers: a hash table takes two loads (a displacement, then
 * the one slot where the key can be), a sorted table five instructions for each
 * halving.  Size of the code, verification and JIT do not depend on the size of
 * a table.
 *
 * The fields are loaded anew, never taken from a cache register: an index must
 * be bounded for the verifier, which then looks back to where its parts came
 * from, and a load ends that.  No jump depends on an index, so that each lookup
 * is verified once.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include "emit.h"

#define NFJ_DATA_MAX_SIZE	(16U << 20)

/**
 * nfj_emit_data - room in the data of a program
 * @e: the program
 * @size: bytes, all zero
 * @align: power of two
 *
 * Return: offset in nfj_insns::data, valid unless @e has an error.
 */
u32 nfj_emit_data(struct nfj_emit *e, u32 size, u32 align)
{
	struct nfj_insns *out = e->out;
	u32 at = ALIGN(out->ndata, align), max;
	u8 *p;

	if (e->err)
		return 0;
	if (size > NFJ_DATA_MAX_SIZE || at + size > NFJ_DATA_MAX_SIZE) {
		e->err = -E2BIG;
		return 0;
	}
	if (at + size > out->data_max) {
		max = out->ndata ? 2 * (at + size) : at + size;
		p = kvzalloc(max, GFP_KERNEL);
		if (!p) {
			e->err = -ENOMEM;
			return 0;
		}
		if (out->ndata)
			memcpy(p, out->data, out->ndata);
		kvfree(out->data);
		out->data = p;
		out->data_max = max;
	}
	out->ndata = at + size;
	return at;
}

/**
 * nfj_data_store - write a number to the data, as nfj_data_load() reads it
 * @to: where to, a multiple of @size
 * @val: the number
 * @size: bytes
 */
void nfj_data_store(u8 *to, u64 val, u8 size)
{
	switch (size) {
	case 1:
		*to = val;
		break;
	case 2:
		*(u16 *)to = val;
		break;
	case 4:
		*(u32 *)to = val;
		break;
	default:
		*(u64 *)to = val;
	}
}

/**
 * nfj_data_addr - dst = address of the data + off
 * @e: the program
 * @dst: register
 * @off: offset in nfj_insns::data
 */
void nfj_data_addr(struct nfj_emit *e, u8 dst, u32 off)
{
	nfj_insn(e, BPF_LD | BPF_DW | BPF_IMM, dst, BPF_PSEUDO_MAP_VALUE, 0, 0);
	nfj_insn(e, 0, 0, 0, 0, off);
}

/**
 * nfj_data_load - dst = *(u<size> *)(src + off)
 * @e: the program
 * @dst: register
 * @src: register that points into the data
 * @off: offset from there
 * @size: bytes
 */
void nfj_data_load(struct nfj_emit *e, u8 dst, u8 src, u32 off, u8 size)
{
	u8 bpf_size = size == 1 ? BPF_B : size == 2 ? BPF_H :
		      size == 4 ? BPF_W : BPF_DW;

	nfj_insn(e, BPF_LDX | BPF_MEM | bpf_size, dst, src, off, 0);
}

/* dst = field of the flow key; tmp is overwritten where there is a mask */
static void nfj_field_load(struct nfj_emit *e, u8 dst, u8 tmp,
			   const struct nfj_field *f)
{
	nfj_emit_load(e, dst, f->off, f->size, NFJ_HOST);
	if (f->size == 8) {
		if (f->mask == U64_MAX)
			return;
		nfj_imm64(e, tmp, f->mask);
		nfj_insn(e, BPF_ALU64 | BPF_AND | BPF_X, dst, tmp, 0, 0);
	} else if (f->mask != (1ULL << f->size * 8) - 1) {
		nfj_insn(e, BPF_ALU | BPF_AND | BPF_K, dst, 0, 0, (u32)f->mask);
	}
}

/* An entry's number is at the pointer: leave with it if it counts, else go to
 * @other, or where it is not better than what is known to @miss
 */
static void nfj_emit_found(struct nfj_emit *e, u32 off, bool start, bool none,
			   u32 other, u32 miss)
{
	if (!e->best && !start && !none) {
		nfj_data_load(e, NFJ_REG_RESULT, NFJ_REG_PTR, off, 4);
		nfj_emit_exit(e);
		return;
	}
	nfj_data_load(e, NFJ_REG_TMP, NFJ_REG_PTR, off, 4);
	if (start) {
		nfj_emit_load(e, NFJ_REG_IMM, offsetof(struct nfj_key, start), 4,
			      NFJ_HOST);
		nfj_jump(e, BPF_JMP32 | BPF_JLT | BPF_X, NFJ_REG_TMP,
			 NFJ_REG_IMM, 0, other);
	}
	if (e->best)
		nfj_jump(e, BPF_JMP32 | BPF_JGE | BPF_X, NFJ_REG_TMP,
			 NFJ_REG_RESULT, 0, miss);
	else if (none)
		nfj_jump(e, BPF_JMP32 | BPF_JEQ | BPF_K, NFJ_REG_TMP, 0,
			 (s32)NFJ_NONE, miss);
	nfj_insn(e, BPF_ALU | BPF_MOV | BPF_X, NFJ_REG_RESULT, NFJ_REG_TMP, 0,
		 0);
	nfj_goto(e, e->best ? miss : NFJ_LABEL_EXIT);
}

/* r2 = part of the key * constant, or that added to it */
static void nfj_hash_part(struct nfj_emit *e, const struct nfj_field *f,
			  u64 mul, bool first)
{
	u8 reg = first ? NFJ_REG_TMP : NFJ_REG_IMM;
	u8 tmp = first ? NFJ_REG_IMM : NFJ_REG_PTR;

	nfj_field_load(e, reg, tmp, f);
	nfj_imm64(e, tmp, mul);
	nfj_insn(e, BPF_ALU64 | BPF_MUL | BPF_X, reg, tmp, 0, 0);
	if (!first)
		nfj_insn(e, BPF_ALU64 | BPF_ADD | BPF_X, NFJ_REG_TMP, reg, 0,
			 0);
}

/**
 * nfj_emit_hash - look up the fields of a key
 * @e: the program
 * @h: the table, see exact.c for what it looks like
 * @start: entries may lie before the start
 * @miss: where to go when nothing is found, or with nfj_emit::best in any case
 */
void nfj_emit_hash(struct nfj_emit *e, const struct nfj_hash *h, bool start,
		   u32 miss)
{
	u32 i;

	e->loaded &= ~(1U << NFJ_REG_PTR);
	/* r2 = sum of field * constant */
	for (i = 0; i < h->nfields; i++) {
		const struct nfj_field *f = &h->field[i];
		struct nfj_field half = *f;

		if (f->size < 8) {
			nfj_hash_part(e, f, f->mul, !i);
			continue;
		}
		half.size = 4;
		half.mask = (u32)f->mask;
		nfj_hash_part(e, &half, f->mul, !i);
		half.off += 4;
		half.mask = f->mask >> 32;
		nfj_hash_part(e, &half, f->mul2, false);
	}
	if (h->fold) {
		nfj_insn(e, BPF_ALU64 | BPF_MOV | BPF_X, NFJ_REG_IMM,
			 NFJ_REG_TMP, 0, 0);
		nfj_insn(e, BPF_ALU64 | BPF_RSH | BPF_K, NFJ_REG_IMM, 0, 0, 32);
		nfj_insn(e, BPF_ALU64 | BPF_XOR | BPF_X, NFJ_REG_TMP,
			 NFJ_REG_IMM, 0, 0);
	}
	/* r3 = disp[r2 >> shift] */
	nfj_insn(e, BPF_ALU64 | BPF_MOV | BPF_X, NFJ_REG_IMM, NFJ_REG_TMP, 0,
		 0);
	nfj_insn(e, BPF_ALU64 | BPF_RSH | BPF_K, NFJ_REG_IMM, 0, 0, h->shift);
	nfj_insn(e, BPF_ALU64 | BPF_LSH | BPF_K, NFJ_REG_IMM, 0, 0, 1);
	nfj_data_addr(e, NFJ_REG_PTR, h->disp_at);
	nfj_insn(e, BPF_ALU64 | BPF_ADD | BPF_X, NFJ_REG_PTR, NFJ_REG_IMM, 0,
		 0);
	nfj_data_load(e, NFJ_REG_IMM, NFJ_REG_PTR, 0, 2);
	/* r4 = &slots[(u32)r2 * r3 * nslots >> 32] */
	nfj_insn(e, BPF_ALU | BPF_MUL | BPF_X, NFJ_REG_TMP, NFJ_REG_IMM, 0, 0);
	/* the product has 32 bits, as 6.1's verifier sees only now */
	nfj_insn(e, BPF_ALU | BPF_MOV | BPF_X, NFJ_REG_TMP, NFJ_REG_TMP, 0, 0);
	nfj_insn(e, BPF_ALU64 | BPF_MUL | BPF_K, NFJ_REG_TMP, 0, 0, h->nslots);
	nfj_insn(e, BPF_ALU64 | BPF_RSH | BPF_K, NFJ_REG_TMP, 0, 0, 32);
	nfj_insn(e, BPF_ALU64 | BPF_MUL | BPF_K, NFJ_REG_TMP, 0, 0, h->slot);
	nfj_data_addr(e, NFJ_REG_PTR, h->slots_at);
	nfj_insn(e, BPF_ALU64 | BPF_ADD | BPF_X, NFJ_REG_PTR, NFJ_REG_TMP, 0,
		 0);
	for (i = 0; i < h->nfields; i++) {
		const struct nfj_field *f = &h->field[i];

		nfj_field_load(e, NFJ_REG_TMP, NFJ_REG_IMM, f);
		nfj_data_load(e, NFJ_REG_IMM, NFJ_REG_PTR, f->at, f->size);
		nfj_jump(e, BPF_JMP | BPF_JNE | BPF_X, NFJ_REG_TMP,
			 NFJ_REG_IMM, 0, miss);
	}
	for (i = 0; i < h->nvals; i++) {
		bool last = i + 1 == h->nvals;
		u32 other = last ? miss : nfj_label(e);

		nfj_emit_found(e, h->vals + 4 * i, start, i > 0, other, miss);
		if (!start)
			break;
		if (!last)
			nfj_bind(e, other);
	}
}

/**
 * nfj_emit_sorted - find the interval that a number is in
 * @e: the program
 * @s: the table; of the lower ends one less is stored, but for the first
 * @miss: as in nfj_emit_hash()
 */
void nfj_emit_sorted(struct nfj_emit *e, const struct nfj_sorted *s, u32 miss)
{
	u32 n = s->n, half, vals = s->vals_at - s->lows_at;

	e->loaded &= ~(1U << NFJ_REG_PTR);
	nfj_emit_load(e, NFJ_REG_TMP, s->off, s->size, s->order);
	if (s->mask != (1ULL << s->size * 8) - 1)
		nfj_insn(e, BPF_ALU | BPF_AND | BPF_K, NFJ_REG_TMP, 0, 0,
			 (u32)s->mask);
	nfj_data_addr(e, NFJ_REG_PTR, s->lows_at);
	while (n > 1) {
		half = n / 2;
		n -= half;
		/* r3 = low of the upper half - 1 - number: negative if it is there */
		if (half * 4 <= S16_MAX) {
			nfj_data_load(e, NFJ_REG_IMM, NFJ_REG_PTR, half * 4, 4);
		} else {
			nfj_insn(e, BPF_ALU64 | BPF_MOV | BPF_X, NFJ_REG_IMM,
				 NFJ_REG_PTR, 0, 0);
			nfj_insn(e, BPF_ALU64 | BPF_ADD | BPF_K, NFJ_REG_IMM, 0,
				 0, half * 4);
			nfj_data_load(e, NFJ_REG_IMM, NFJ_REG_IMM, 0, 4);
		}
		nfj_insn(e, BPF_ALU64 | BPF_SUB | BPF_X, NFJ_REG_IMM,
			 NFJ_REG_TMP, 0, 0);
		/* r4 += negative ? half * 4 : 0; newer verifiers take an
		 * arithmetic shift and a mask for two ways to go
		 */
		nfj_insn(e, BPF_ALU64 | BPF_RSH | BPF_K, NFJ_REG_IMM, 0, 0, 63);
		nfj_insn(e, BPF_ALU64 | BPF_MUL | BPF_K, NFJ_REG_IMM, 0, 0,
			 half * 4);
		nfj_insn(e, BPF_ALU64 | BPF_ADD | BPF_X, NFJ_REG_PTR,
			 NFJ_REG_IMM, 0, 0);
	}
	if (vals > S16_MAX) {
		nfj_insn(e, BPF_ALU64 | BPF_ADD | BPF_K, NFJ_REG_PTR, 0, 0,
			 vals);
		vals = 0;
	}
	nfj_emit_found(e, vals, s->start, true, miss, miss);
}
