// SPDX-License-Identifier: GPL-2.0-only
/*
 * The checker: what a matcher may consist of.
 *
 * The emitter knows only harmless instructions, and the kernel's verifier
 * refuses what would harm the kernel.  Between the two there is room for a
 * mistake that is neither: a program that is safe to run, but is more than the
 * pure function of the flow key that the engine takes it for.  So each program
 * has to pass here, before the verifier sees it:
 *
 *	loads		from the key only, within it, at multiples of their size
 *	ALU		on registers that were written; none on the key's
 *	jumps		forward, to an instruction of the program
 *	tables		read-only lookups, and only if the caller says so
 *	exit		with a number in r0
 *
 * and nothing else: no store, no call, no atomic, no stack, no loop, no code
 * that cannot be reached.  As jumps only go forward, one walk sees all paths:
 * where paths meet, a register counts as written, or as pointing into a table,
 * if it is so on each of them.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <nft_bpfjit/imr.h>

#define NFJ_REG(r)	(1U << (r))
#define NFJ_REGS_MAX	BPF_REG_9

/* Registers on the way to an instruction; none is written: no way leads there */
struct nfj_regs {
	u16	written;
	u16	table;
};

struct nfj_checker {
	const struct bpf_insn	*insn;
	u32			n;
	u32			flags;
	struct nfj_regs		*regs;
};

/* There is a way from an instruction to @to */
static bool nfj_check_flow(struct nfj_checker *c, u32 to, struct nfj_regs now)
{
	struct nfj_regs *regs;

	if (to >= c->n)
		return false;
	regs = &c->regs[to];
	if (!regs->written)
		*regs = now;
	regs->written &= now.written;
	regs->table &= now.table;
	return true;
}

static bool nfj_check_load(const struct nfj_checker *c,
			   const struct bpf_insn *in, struct nfj_regs *now)
{
	static const u8 bytes[] = {
		[BPF_W >> 3] = 4, [BPF_H >> 3] = 2, [BPF_B >> 3] = 1,
		[BPF_DW >> 3] = 8,
	};
	u32 size = bytes[BPF_SIZE(in->code) >> 3];

	if (BPF_MODE(in->code) != BPF_MEM || in->imm || in->off < 0 ||
	    in->off % size)
		return false;
	if (in->src_reg == BPF_REG_1) {
		if (in->off + size > sizeof(struct nfj_key))
			return false;
	} else if (!(now->table & NFJ_REG(in->src_reg))) {
		/* how large the table is only the verifier knows */
		return false;
	}
	now->table &= ~NFJ_REG(in->dst_reg);
	return true;
}

static bool nfj_check_alu(const struct bpf_insn *in, struct nfj_regs *now)
{
	bool wide = BPF_CLASS(in->code) == BPF_ALU64;
	bool by_reg = BPF_SRC(in->code) == BPF_X;
	u16 dst = NFJ_REG(in->dst_reg), src = NFJ_REG(in->src_reg);
	bool moves = false;

	if (in->off)
		return false;
	switch (BPF_OP(in->code)) {
	case BPF_END:
		/* here the source says in which order */
		if (wide || in->src_reg ||
		    (in->imm != 16 && in->imm != 32 && in->imm != 64))
			return false;
		by_reg = false;
		break;
	case BPF_NEG:
		if (by_reg || in->src_reg || in->imm)
			return false;
		break;
	case BPF_LSH:
	case BPF_RSH:
	case BPF_ARSH:
		if (!by_reg && (in->imm < 0 || in->imm >= (wide ? 64 : 32)))
			return false;
		break;
	case BPF_MOV:
		moves = true;
		break;
	case BPF_ADD:
	case BPF_SUB:
	case BPF_MUL:
	case BPF_AND:
	case BPF_OR:
	case BPF_XOR:
		break;
	default:
		return false;
	}
	if (by_reg && (in->imm || in->src_reg == BPF_REG_1 ||
		       !(now->written & src)))
		return false;
	if (!by_reg && in->src_reg)
		return false;
	if (!moves && !(now->written & dst))
		return false;

	if (moves && by_reg && wide && now->table & src)
		now->table |= dst;
	else if (moves || !wide || BPF_OP(in->code) != BPF_ADD)
		now->table &= ~dst;
	else if (by_reg && now->table & src)
		/* table + offset, in whichever order, but not table + table */
		now->table ^= dst;
	return true;
}

static bool nfj_check_jump(struct nfj_checker *c, u32 at, struct nfj_regs now)
{
	const struct bpf_insn *in = &c->insn[at];
	bool by_reg = BPF_SRC(in->code) == BPF_X;
	bool always = false;

	switch (BPF_OP(in->code)) {
	case BPF_EXIT:
		return in->code == (BPF_JMP | BPF_EXIT) && !in->dst_reg &&
		       !in->src_reg && !in->off && !in->imm &&
		       now.written & NFJ_REG(BPF_REG_0) &&
		       ~now.table & NFJ_REG(BPF_REG_0);
	case BPF_JA:
		if (in->code != (BPF_JMP | BPF_JA) || in->dst_reg ||
		    in->src_reg || in->imm)
			return false;
		always = true;
		break;
	case BPF_JEQ:
	case BPF_JNE:
	case BPF_JGT:
	case BPF_JGE:
	case BPF_JLT:
	case BPF_JLE:
	case BPF_JSGT:
	case BPF_JSGE:
	case BPF_JSLT:
	case BPF_JSLE:
	case BPF_JSET:
		if (by_reg && (in->imm || in->src_reg == BPF_REG_1 ||
			       !(now.written & NFJ_REG(in->src_reg))))
			return false;
		if (!by_reg && in->src_reg)
			return false;
		if (in->dst_reg == BPF_REG_1 ||
		    !(now.written & NFJ_REG(in->dst_reg)))
			return false;
		break;
	default:
		return false;
	}
	if (in->off < 0 || !nfj_check_flow(c, at + 1 + in->off, now))
		return false;
	return always || nfj_check_flow(c, at + 1, now);
}

/* 64 bit constant, or the address of a table */
static bool nfj_check_imm64(struct nfj_checker *c, u32 at, struct nfj_regs *now)
{
	const struct bpf_insn *in = &c->insn[at];

	if (in->code != (BPF_LD | BPF_IMM | BPF_DW) || in->off ||
	    at + 1 >= c->n)
		return false;
	/* its second half is no instruction, and nobody may jump there */
	if (in[1].code || in[1].dst_reg || in[1].src_reg || in[1].off ||
	    c->regs[at + 1].written)
		return false;
	now->table &= ~NFJ_REG(in->dst_reg);
	if (in->src_reg == BPF_PSEUDO_MAP_VALUE && c->flags & NFJ_CHECK_TABLES)
		now->table |= NFJ_REG(in->dst_reg);
	else if (in->src_reg)
		return false;
	return true;
}

static bool nfj_check_insn(struct nfj_checker *c, u32 *at)
{
	const struct bpf_insn *in = &c->insn[*at];
	struct nfj_regs now = c->regs[*at];
	u32 next = *at + 1;
	bool good;

	if (!now.written || in->dst_reg > NFJ_REGS_MAX ||
	    in->src_reg > NFJ_REGS_MAX)
		return false;
	switch (BPF_CLASS(in->code)) {
	case BPF_JMP:
	case BPF_JMP32:
		return nfj_check_jump(c, *at, now);
	case BPF_LDX:
		good = nfj_check_load(c, in, &now);
		break;
	case BPF_ALU:
	case BPF_ALU64:
		good = nfj_check_alu(in, &now);
		break;
	case BPF_LD:
		good = nfj_check_imm64(c, *at, &now);
		next++;
		break;
	default:
		return false;
	}
	/* all of them write to a register, which must not be the key's */
	if (!good || in->dst_reg == BPF_REG_1)
		return false;
	now.written |= NFJ_REG(in->dst_reg);
	*at = next - 1;
	return nfj_check_flow(c, next, now);
}

/**
 * nfj_check - is this a matcher?
 * @insn: the program
 * @n: instructions
 * @flags: NFJ_CHECK_*
 * @where: number of the first instruction that it must not have
 *
 * Return: 0; -EBADMSG; or -ENOMEM.
 */
int nfj_check(const struct bpf_insn *insn, u32 n, u32 flags, u32 *where)
{
	struct nfj_checker c = { .insn = insn, .n = n, .flags = flags };
	int err = 0;
	u32 i;

	*where = 0;
	if (!n)
		return -EBADMSG;
	c.regs = kvcalloc(n, sizeof(*c.regs), GFP_KERNEL);
	if (!c.regs)
		return -ENOMEM;
	c.regs[0].written = NFJ_REG(BPF_REG_1);
	for (i = 0; i < n && !err; i++) {
		*where = i;
		if (!nfj_check_insn(&c, &i))
			err = -EBADMSG;
	}
	kvfree(c.regs);
	return err;
}
