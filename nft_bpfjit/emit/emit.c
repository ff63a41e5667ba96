// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emitter: tests become BPF instructions.
 *
 * Jumps go to labels and are resolved at the end.  A jump has 16 bits: one that
 * would go further goes to a stepping stone, an instruction that jumps on, and
 * should one still not fit, the whole program fails with -ERANGE: the caller
 * then splits the chain.  Nothing is ever truncated.
 *
 * Only loads from the key at constant, aligned offsets, loads from the tables
 * of the program, ALU, forward jumps and exit are emitted: no calls, no stores,
 * no loops.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include "emit.h"

#define NFJ_SET_LINE	3	/* intervals of a set that are not searched */

/* what the kernel takes for privileged programs */
#define NFJ_INSNS_MAX	1000000

/* jumps that are older than this get a stepping stone where one can stand */
#define NFJ_JUMP_OLD	28000

/* Room for more in an array of the program's */
static bool nfj_emit_room(struct nfj_emit *e, void **p, u32 *max, u32 used,
			  size_t size)
{
	if (!e->err)
		e->err = nfj_room(p, max, used, 1, size);
	return !e->err;
}

/**
 * nfj_insn - append an instruction
 * @e: the program
 * @code: operation, its class and the size of its operands: BPF_*
 * @dst: number of the destination register
 * @src: number of the source register, or 0
 * @off: offset of a load; of a jump, which instruction behind the next one
 * @imm: constant, in host byte order
 */
void nfj_insn(struct nfj_emit *e, u8 code, u8 dst, u8 src, s16 off, s32 imm)
{
	struct nfj_insns *out = e->out;

	if (!nfj_emit_room(e, (void **)&out->insn, &out->max, out->n,
			   sizeof(*out->insn)))
		return;
	if (out->n == NFJ_INSNS_MAX) {
		e->err = -E2BIG;
		return;
	}
	out->insn[out->n++] = (struct bpf_insn) {
		.code		= code,
		.dst_reg	= dst,
		.src_reg	= src,
		.off		= off,
		.imm		= imm,
	};
}

/**
 * nfj_imm64 - dst = 64 bit constant
 * @e: the program
 * @dst: register
 * @val: the constant
 */
void nfj_imm64(struct nfj_emit *e, u8 dst, u64 val)
{
	if (val <= S32_MAX) {
		nfj_insn(e, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, val);
		return;
	}
	nfj_insn(e, BPF_LD | BPF_DW | BPF_IMM, dst, 0, 0, (u32)val);
	nfj_insn(e, 0, 0, 0, 0, val >> 32);
}

/**
 * nfj_label - make a label, to be placed later
 * @e: the program
 *
 * Return: the label.
 */
u32 nfj_label(struct nfj_emit *e)
{
	if (!nfj_emit_room(e, (void **)&e->place, &e->places_max, e->nplaces,
			   sizeof(*e->place)))
		return 0;
	e->place[e->nplaces] = (struct nfj_place) {
		.ref = U32_MAX,
		.cur = e->nplaces,
		.loaded = U32_MAX,
	};
	return e->nplaces++;
}

/**
 * nfj_bind - place a label here
 * @e: the program
 * @label: the label; jumps to it must have been emitted before
 *
 * From here on only those registers count as loaded that are so on every way.
 */
void nfj_bind(struct nfj_emit *e, u32 label)
{
	u32 i;

	if (e->err)
		return;
	e->place[e->place[label].cur].at = e->out->n;
	for (i = e->nopen; i-- > 0;) {
		if (e->open[i] != label)
			continue;
		memmove(&e->open[i], &e->open[i + 1],
			(--e->nopen - i) * sizeof(*e->open));
		e->loaded = e->place[label].loaded &
			    (e->dead ? U32_MAX : e->loaded);
		e->dead = false;
		break;
	}
}

/**
 * nfj_jump - append a jump
 * @e: the program
 * @code: BPF_JMP or BPF_JMP32, with the condition and BPF_K or BPF_X
 * @dst: number of the register that is compared
 * @src: with BPF_X number of the other one, or 0
 * @imm: with BPF_K the constant
 * @label: where to, or NFJ_LABEL_EXIT
 */
void nfj_jump(struct nfj_emit *e, u8 code, u8 dst, u8 src, s32 imm, u32 label)
{
	struct nfj_place *p;
	u32 cur;

	if (label == NFJ_LABEL_EXIT)
		label = e->exit;
	if (!nfj_emit_room(e, (void **)&e->fixup, &e->fixups_max, e->nfixups,
			   sizeof(*e->fixup)) ||
	    !nfj_emit_room(e, (void **)&e->open, &e->open_max, e->nopen,
			   sizeof(*e->open)))
		return;
	p = &e->place[label];
	cur = p->cur;
	p->loaded &= e->loaded;
	e->fixup[e->nfixups].insn = e->out->n;
	e->fixup[e->nfixups].label = cur;
	e->nfixups++;
	if (e->place[cur].ref == U32_MAX) {
		e->place[cur].ref = e->out->n;
		e->open[e->nopen++] = label;
	}
	nfj_insn(e, code, dst, src, 0, imm);
}

/* Behind an exit or a jump, where nothing runs into: let jumps that have come far
 * step here on their way, so that none becomes longer than 16 bits.
 */
static void nfj_stones(struct nfj_emit *e)
{
	u32 label, stone;

	e->dead = true;
	if (e->err || !e->nopen || e->out->n - NFJ_JUMP_OLD >= e->out->n ||
	    e->place[e->place[e->open[0]].cur].ref >
	    e->out->n - NFJ_JUMP_OLD)
		return;
	while (e->nopen && !e->err &&
	       e->place[e->place[e->open[0]].cur].ref <
	       e->out->n - NFJ_JUMP_OLD / 2) {
		label = e->open[0];
		memmove(&e->open[0], &e->open[1],
			--e->nopen * sizeof(*e->open));
		e->place[e->place[label].cur].at = e->out->n;
		stone = nfj_label(e);
		if (e->err)
			return;
		e->place[label].cur = stone;
		if (label == e->exit)
			nfj_insn(e, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
		else
			nfj_jump(e, BPF_JMP | BPF_JA, 0, 0, 0, label);
	}
}

/**
 * nfj_goto - jump to a label, or leave with what is in the result register
 * @e: the program
 * @label: the label or NFJ_LABEL_EXIT
 */
void nfj_goto(struct nfj_emit *e, u32 label)
{
	if (label == NFJ_LABEL_EXIT) {
		nfj_emit_exit(e);
		return;
	}
	nfj_jump(e, BPF_JMP | BPF_JA, 0, 0, 0, label);
	nfj_stones(e);
}

/* jump when reg <op> val, unsigned */
static void nfj_jump_imm(struct nfj_emit *e, u8 op, u8 reg, u8 size, u64 val,
			 u32 label)
{
	if (size <= 4) {
		nfj_jump(e, BPF_JMP32 | op | BPF_K, reg, 0, (u32)val, label);
	} else if (val <= S32_MAX) {
		nfj_jump(e, BPF_JMP | op | BPF_K, reg, 0, val, label);
	} else {
		nfj_imm64(e, NFJ_REG_IMM, val);
		nfj_jump(e, BPF_JMP | op | BPF_X, reg, NFJ_REG_IMM, 0, label);
	}
}

static void nfj_reads_word(u8 word, u8 *first, u8 *end)
{
	if (!*end || word < *first)
		*first = word;
	if (word >= *end)
		*end = word + 1;
}

/**
 * nfj_reads_key - remember a part of the key that is read
 * @e: the program
 * @off: offset of a naturally aligned chunk
 * @size: bytes
 * @mask: bits that are of interest, see nfj_key_groups()
 */
void nfj_reads_key(struct nfj_emit *e, unsigned int off, unsigned int size,
		   u64 mask)
{
	const struct nfj_key_member *m = nfj_key_member(off);
	struct nfj_need *need = &e->out->need;

	need->groups |= nfj_key_groups(off, size, mask);
	if (m->off == offsetof(struct nfj_key, nh))
		nfj_reads_word((off - m->off) / 8, &need->nh_first,
			       &need->nh_end);
	else if (m->off == offsetof(struct nfj_key, th))
		nfj_reads_word((off - m->off) / 8, &need->th_first,
			       &need->th_end);
}

/**
 * nfj_emit_load - load from the flow key
 * @e: the program
 * @dst: register
 * @off: offset in the key
 * @size: bytes
 * @order: enum nfj_order
 */
void nfj_emit_load(struct nfj_emit *e, u8 dst, u16 off, u8 size, u8 order)
{
	u8 bpf_size = size == 1 ? BPF_B : size == 2 ? BPF_H :
		      size == 4 ? BPF_W : BPF_DW;

	nfj_reads_key(e, off, size, 0);
	/* dst = *(u<size> *)(key + off) */
	nfj_insn(e, BPF_LDX | BPF_MEM | bpf_size, dst, NFJ_REG_KEY, off, 0);
	if (order == NFJ_BE && size > 1)
		nfj_insn(e, BPF_ALU | BPF_END | BPF_TO_BE, dst, 0, 0,
			 size * 8);
}

static u64 nfj_full(u8 size)
{
	return size == 8 ? U64_MAX : (1ULL << size * 8) - 1;
}

/**
 * nfj_value - have a number in a register
 * @e: the program
 * @off: byte offset of its chunk in struct nfj_key, a multiple of @size
 * @size: bytes: 1, 2, 4 or 8
 * @order: enum nfj_order, how the chunk is read as a number
 * @mask: bits of it that are of interest
 *
 * Return: the register: the number's own, or the scratch one if need be.
 */
u8 nfj_value(struct nfj_emit *e, u16 off, u8 size, u8 order, u64 mask)
{
	u8 reg = 0;
	u32 i;

	/* a register that has it may have been loaded for other bits */
	if (off == offsetof(struct nfj_key, valid))
		nfj_reads_key(e, off, size, mask);
	for (i = 0; i < e->ndims && !reg && !e->afresh; i++)
		if (e->dim[i].off == off && e->dim[i].size == size &&
		    e->dim[i].order == order)
			reg = e->dim[i].reg;
	if (!reg) {
		nfj_emit_load(e, NFJ_REG_TMP, off, size, order);
	} else if (!(e->loaded & 1U << reg)) {
		nfj_emit_load(e, reg, off, size, order);
		e->loaded |= 1U << reg;
	}
	if (mask == nfj_full(size))
		return reg ? : NFJ_REG_TMP;
	if (reg)
		nfj_insn(e, BPF_ALU64 | BPF_MOV | BPF_X, NFJ_REG_TMP, reg, 0,
			 0);
	if (size <= 4) {
		/* r2 &= mask */
		nfj_insn(e, BPF_ALU | BPF_AND | BPF_K, NFJ_REG_TMP, 0, 0,
			 (u32)mask);
	} else {
		nfj_imm64(e, NFJ_REG_IMM, mask);
		nfj_insn(e, BPF_ALU64 | BPF_AND | BPF_X, NFJ_REG_TMP,
			 NFJ_REG_IMM, 0, 0);
	}
	return NFJ_REG_TMP;
}

/**
 * nfj_emit_begin - begin a program: result "none"
 * @e: the program
 */
void nfj_emit_begin(struct nfj_emit *e)
{
	e->exit = nfj_label(e);
	e->found = NFJ_LABEL_EXIT;
	e->above = NFJ_NONE;
	nfj_insn(e, BPF_ALU | BPF_MOV | BPF_K, NFJ_REG_RESULT, 0, 0,
		 (s32)NFJ_NONE);
}

/**
 * nfj_emit_ge - jump when a number is at least a value
 * @e: the program
 * @dim: the number
 * @val: the value
 * @label: where to
 */
void nfj_emit_ge(struct nfj_emit *e, const struct nfj_dim *dim, u64 val,
		 u32 label)
{
	u8 reg = nfj_value(e, dim->off, dim->size, dim->order, dim->mask);

	nfj_jump_imm(e, BPF_JGE, reg, dim->size, val, label);
}

/**
 * nfj_emit_lt - jump when a number is below a value
 * @e: the program
 * @dim: the number
 * @val: the value
 * @label: where to
 */
void nfj_emit_lt(struct nfj_emit *e, const struct nfj_dim *dim, u64 val,
		 u32 label)
{
	u8 reg = nfj_value(e, dim->off, dim->size, dim->order, dim->mask);

	nfj_jump_imm(e, BPF_JLT, reg, dim->size, val, label);
}

static void nfj_emit_wide(struct nfj_emit *e, const struct nfj_test *t,
			  u32 fail)
{
	bool in = t->kind == NFJ_WIDE_IN, point = true;
	u32 pass = nfj_label(e), yes = in ? pass : fail, no = in ? fail : pass;
	unsigned int bound, i;

	for (i = 0; i < t->n; i++)
		point &= t[i].lo == t[i].hi;
	if (point) {
		for (i = 0; i < t->n; i++) {
			u8 reg = nfj_value(e, t[i].off, t[i].size, t[i].order,
					   t[i].mask);

			nfj_jump_imm(e, BPF_JNE, reg, t[i].size, t[i].lo, no);
		}
		nfj_goto(e, yes);
		nfj_bind(e, pass);
		return;
	}
	/* lexicographically: first against the lower bound, then the upper */
	for (bound = 0; bound < 2; bound++) {
		u32 done = nfj_label(e);

		for (i = 0; i < t->n; i++) {
			u64 v = bound ? t[i].hi : t[i].lo;
			u8 reg = nfj_value(e, t[i].off, t[i].size, t[i].order,
					   t[i].mask);

			nfj_jump_imm(e, bound ? BPF_JGT : BPF_JLT, reg,
				     t[i].size, v, no);
			if (i + 1 < t->n)
				nfj_jump_imm(e, BPF_JNE, reg, t[i].size, v,
					     done);
		}
		nfj_bind(e, done);
	}
	nfj_goto(e, yes);
	nfj_bind(e, pass);
}

/* What of a number is worth a compare: the rest is known at this point */
struct nfj_range {
	u64	lo;
	u64	hi;
};

static struct nfj_range nfj_known_range(const struct nfj_emit *e,
					const struct nfj_test *t)
{
	u8 d = nfj_test_dim(e, t);
	struct nfj_range r = { 0, t->mask };

	/* the dimension may have more bits than the test */
	if (d != NFJ_NODIM) {
		r.lo = max(r.lo, e->dim[d].lo & t->mask);
		r.hi = min(r.hi, e->dim[d].hi & t->mask);
	}
	return r;
}

/* One interval: to yes or no */
static void nfj_emit_ival(struct nfj_emit *e, u8 reg, u8 size,
			  const struct nfj_ival *v, struct nfj_range r, u32 yes,
			  u32 no)
{
	if (v->lo == v->hi) {
		nfj_jump_imm(e, BPF_JEQ, reg, size, v->lo, yes);
		return;
	}
	if (v->lo > r.lo)
		nfj_jump_imm(e, BPF_JLT, reg, size, v->lo, no);
	if (v->hi < r.hi)
		nfj_jump_imm(e, BPF_JLE, reg, size, v->hi, yes);
	else
		nfj_goto(e, yes);
}

/* Few intervals one after the other, more by binary search */
static void nfj_emit_ivals(struct nfj_emit *e, u8 reg, u8 size,
			   const struct nfj_ival *v, u32 n, struct nfj_range r,
			   u32 yes, u32 no)
{
	u32 i, right;

	while (n > NFJ_SET_LINE) {
		struct nfj_range below = r;
		u32 mid = n / 2;

		right = nfj_label(e);
		nfj_jump_imm(e, BPF_JGE, reg, size, v[mid].lo, right);
		below.hi = v[mid].lo - 1;
		nfj_emit_ivals(e, reg, size, v, mid, below, yes, no);
		nfj_bind(e, right);
		r.lo = v[mid].lo;
		v += mid;
		n -= mid;
	}
	for (i = 0; i < n; i++) {
		nfj_emit_ival(e, reg, size, &v[i], r, yes, no);
		r.lo = max(r.lo, v[i].hi + 1);
	}
	nfj_goto(e, no);
}

static void nfj_emit_set(struct nfj_emit *e, const struct nfj_test *t, u32 fail)
{
	const struct nfj_ival *v = &e->ir->ivals[t->lo];
	struct nfj_range r = nfj_known_range(e, t);
	bool in = t->kind == NFJ_SET_IN, afresh = e->afresh;
	u32 pass = nfj_label(e), yes = in ? pass : fail, no = in ? fail : pass;
	u32 n = t->hi;
	u8 reg;

	/* only those that what is known leaves */
	while (n && v->hi < r.lo) {
		v++;
		n--;
	}
	while (n && v[n - 1].lo > r.hi)
		n--;
	/* so many ways through it that the verifier had better forget it */
	e->afresh = true;
	reg = nfj_value(e, t->off, t->size, t->order, t->mask);
	e->afresh = afresh;
	nfj_emit_ivals(e, reg, t->size, v, n, r, yes, no);
	nfj_bind(e, pass);
}

/**
 * nfj_emit_test - go on when a test holds
 * @e: the program
 * @t: the test, with its further chunks behind it
 * @fail: where to jump when it does not hold
 */
void nfj_emit_test(struct nfj_emit *e, const struct nfj_test *t, u32 fail)
{
	struct nfj_range r;
	u8 reg, size = t->size;
	u32 pass;

	if (t->kind == NFJ_WIDE_IN || t->kind == NFJ_WIDE_OUT) {
		nfj_emit_wide(e, t, fail);
		return;
	}
	if (nfj_test_is_set(t)) {
		nfj_emit_set(e, t, fail);
		return;
	}
	r = nfj_known_range(e, t);
	reg = nfj_value(e, t->off, size, t->order, t->mask);
	if (t->lo == t->hi) {
		nfj_jump_imm(e, t->kind == NFJ_IN ? BPF_JNE : BPF_JEQ, reg,
			     size, t->lo, fail);
	} else if (t->kind == NFJ_IN) {
		if (t->lo > r.lo)
			nfj_jump_imm(e, BPF_JLT, reg, size, t->lo, fail);
		if (t->hi < r.hi)
			nfj_jump_imm(e, BPF_JGT, reg, size, t->hi, fail);
	} else {
		pass = nfj_label(e);
		if (t->lo > r.lo)
			nfj_jump_imm(e, BPF_JLT, reg, size, t->lo, pass);
		if (t->hi < r.hi)
			nfj_jump_imm(e, BPF_JLE, reg, size, t->hi, fail);
		else
			nfj_goto(e, fail);
		nfj_bind(e, pass);
	}
}

/**
 * nfj_emit_skip - skip entries that lie before the start
 * @e: the program
 * @last: number of the last entry of those
 * @skip: where to jump
 * @again: the start is still in scratch from the last time
 *
 * It is not kept in a register: what the verifier learns of it in a jump here
 * would make it look at everything behind again and again.
 */
void nfj_emit_skip(struct nfj_emit *e, u32 last, u32 skip, bool again)
{
	if (!again)
		nfj_emit_load(e, NFJ_REG_TMP, offsetof(struct nfj_key, start), 4,
			      NFJ_HOST);
	nfj_jump_imm(e, BPF_JGT, NFJ_REG_TMP, 4, last, skip);
}

/**
 * nfj_emit_better - go on only if an entry could still be lower than the result
 * @e: the program
 * @entry: the lowest one of those to come
 * @skip: where to jump if not
 *
 * The verifier would follow all that comes once for each entry that may be the
 * result, as far as it knows it: so it is made to forget.
 */
void nfj_emit_better(struct nfj_emit *e, u32 entry, u32 skip)
{
	nfj_emit_load(e, NFJ_REG_TMP, offsetof(struct nfj_key, start), 4,
		      NFJ_HOST);
	nfj_insn(e, BPF_ALU64 | BPF_XOR | BPF_X, NFJ_REG_RESULT, NFJ_REG_TMP, 0,
		 0);
	nfj_insn(e, BPF_ALU64 | BPF_XOR | BPF_X, NFJ_REG_RESULT, NFJ_REG_TMP, 0,
		 0);
	nfj_jump_imm(e, BPF_JLT, NFJ_REG_RESULT, 4, entry, skip);
	e->above = entry;
}

/**
 * nfj_emit_beaten - as nfj_emit_better(), for a few entries
 * @e: the program
 * @entry: the lowest one of those to come
 * @skip: where to jump if none of them could be lower
 */
void nfj_emit_beaten(struct nfj_emit *e, u32 entry, u32 skip)
{
	if (e->best && entry != e->above)
		nfj_jump_imm(e, BPF_JLT, NFJ_REG_RESULT, 4, entry, skip);
}

/**
 * nfj_emit_match - leave with the number of an entry, or go on with nfj_emit::found
 * @e: the program
 * @entry: the number
 */
void nfj_emit_match(struct nfj_emit *e, u32 entry)
{
	/* NFJ_NONE is above all */
	nfj_emit_beaten(e, entry, e->found);
	nfj_insn(e, BPF_ALU | BPF_MOV | BPF_K, NFJ_REG_RESULT, 0, 0, entry);
	nfj_goto(e, e->found);
}

/**
 * nfj_emit_exit - leave with what is in the result register
 * @e: the program
 */
void nfj_emit_exit(struct nfj_emit *e)
{
	nfj_insn(e, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	nfj_stones(e);
}

/* Find out which instructions can be reached; the verifier refuses others.
 * Jumps only go forward, so one walk is enough.
 */
static void nfj_reach(const struct bpf_insn *insn, u32 n, const u32 *to,
		      bool *reach)
{
	u32 i;

	reach[0] = true;
	for (i = 0; i < n; i++) {
		u8 class = BPF_CLASS(insn[i].code), op = BPF_OP(insn[i].code);
		bool jump = class == BPF_JMP || class == BPF_JMP32;

		if (!reach[i] || (jump && op == BPF_EXIT))
			continue;
		if (jump)
			reach[to[i]] = true;
		if (!jump || op != BPF_JA)
			reach[i + 1] = true;
	}
}

/* Leave out jumps to what comes next anyway; @next has room for n + 1 */
static void nfj_straighten(const struct bpf_insn *insn, u32 n, const u32 *to,
			   bool *reach, u32 *next)
{
	u32 i;

	next[n] = n;
	for (i = n; i-- > 0;) {
		if (reach[i] && insn[i].code == (BPF_JMP | BPF_JA) &&
		    next[to[i]] == next[i + 1])
			reach[i] = false;
		next[i] = reach[i] ? i : next[i + 1];
	}
}

/**
 * nfj_emit_fixup - resolve all jumps and drop unreachable code
 * @e: the program; nfj_emit::err is -ERANGE when a jump is too far
 */
void nfj_emit_fixup(struct nfj_emit *e)
{
	struct bpf_insn *insn = e->out->insn;
	u32 i, n = e->out->n, live = 0, *to, *at;
	bool *reach;
	s64 off;

	if (e->err)
		return;
	to = kvcalloc(n, sizeof(*to), GFP_KERNEL);
	at = kvcalloc(n + 1, sizeof(*at), GFP_KERNEL);
	reach = kvcalloc(n + 1, sizeof(*reach), GFP_KERNEL);
	if (!to || !at || !reach) {
		e->err = -ENOMEM;
		goto out;
	}
	for (i = 0; i < e->nfixups; i++)
		to[e->fixup[i].insn] = e->place[e->fixup[i].label].at;

	nfj_reach(insn, n, to, reach);
	nfj_straighten(insn, n, to, reach, at);
	for (i = 0; i < n; i++) {
		at[i] = live;
		live += reach[i];
	}
	for (i = 0; i < n; i++) {
		if (!reach[i])
			continue;
		if (to[i]) {
			off = (s64)at[to[i]] - at[i] - 1;
			if (off < 0 || off > S16_MAX) {
				e->err = -ERANGE;
				goto out;
			}
			insn[i].off = off;
		}
		insn[at[i]] = insn[i];
	}
	e->out->n = live;
out:
	kvfree(reach);
	kvfree(at);
	kvfree(to);
}

/**
 * nfj_insns_free - release a program
 * @out: the program; empty and usable again afterwards
 */
void nfj_insns_free(struct nfj_insns *out)
{
	kvfree(out->insn);
	kvfree(out->data);
	memset(out, 0, sizeof(*out));
}
