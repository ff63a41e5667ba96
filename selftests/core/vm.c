// SPDX-License-Identifier: GPL-2.0-only
/*
 * A BPF interpreter for what the emitter may emit, and nothing else.
 *
 * vm_check() looks at a program as a whole: known instructions with their
 * unused fields zero, loads that lie within the key and are aligned, jumps that
 * go forward and not into the middle of an instruction, no code that cannot be
 * reached, an exit at the end.  vm_run() runs a checked program, and complains
 * about registers that were never written.
 */
#include "core.h"

static bool is_imm64(const struct bpf_insn *in)
{
	return in->code == (BPF_LD | BPF_IMM | BPF_DW);
}

static bool is_jump(const struct bpf_insn *in)
{
	u8 class = BPF_CLASS(in->code);

	return class == BPF_JMP || class == BPF_JMP32;
}

static const char *check_jump(const struct bpf_insn *in, u32 at, u32 n)
{
	u8 op = BPF_OP(in->code);

	if (op == BPF_EXIT)
		return in->code != (BPF_JMP | BPF_EXIT) || in->dst_reg ||
		       in->src_reg || in->off || in->imm ? "bad exit" : NULL;
	if (in->off < 0)
		return "jump backward";
	if (at + 1 + in->off >= n)
		return "jump out of the program";
	switch (op) {
	case BPF_JA:
		return in->code != (BPF_JMP | BPF_JA) || in->dst_reg ||
		       in->src_reg || in->imm ? "bad ja" : NULL;
	case BPF_JEQ:
	case BPF_JNE:
	case BPF_JGT:
	case BPF_JGE:
	case BPF_JLT:
	case BPF_JLE:
		break;
	default:
		return "unknown jump";
	}
	if (BPF_SRC(in->code) == BPF_X)
		return in->imm ? "jump by register with a number" : NULL;
	return in->src_reg ? "jump by number with a register" : NULL;
}

static const char *check_load(const struct bpf_insn *in)
{
	unsigned int size;

	switch (in->code) {
	case BPF_LDX | BPF_MEM | BPF_B:
		size = 1;
		break;
	case BPF_LDX | BPF_MEM | BPF_H:
		size = 2;
		break;
	case BPF_LDX | BPF_MEM | BPF_W:
		size = 4;
		break;
	case BPF_LDX | BPF_MEM | BPF_DW:
		size = 8;
		break;
	default:
		return "unknown load";
	}
	if (in->src_reg != BPF_REG_1 || in->imm)
		return "load not from the key";
	if (in->off < 0 || in->off + size > sizeof(struct nfj_key))
		return "load outside of the key";
	if (in->off % size)
		return "misaligned load";
	return NULL;
}

static const char *check_alu(const struct bpf_insn *in)
{
	if (in->off)
		return "ALU with an offset";
	if (in->code == (BPF_ALU | BPF_END | BPF_TO_BE))
		return in->src_reg || (in->imm != 16 && in->imm != 32 &&
				       in->imm != 64) ? "bad swap" : NULL;
	if (BPF_OP(in->code) != BPF_MOV && BPF_OP(in->code) != BPF_AND)
		return "unknown ALU operation";
	if (BPF_SRC(in->code) == BPF_X)
		return in->imm ? "ALU by register with a number" : NULL;
	return in->src_reg ? "ALU by number with a register" : NULL;
}

static const char *check_insn(const struct bpf_insn *insn, u32 at, u32 n)
{
	const struct bpf_insn *in = &insn[at];

	if (in->dst_reg > BPF_REG_9 || in->src_reg > BPF_REG_9)
		return "register out of range";
	switch (BPF_CLASS(in->code)) {
	case BPF_LD:
		if (!is_imm64(in) || at + 1 == n || in->src_reg || in->off ||
		    in[1].code || in[1].dst_reg || in[1].src_reg || in[1].off)
			return "bad 64 bit constant";
		break;
	case BPF_LDX:
		if (check_load(in))
			return check_load(in);
		break;
	case BPF_ALU:
	case BPF_ALU64:
		if (check_alu(in))
			return check_alu(in);
		break;
	case BPF_JMP:
	case BPF_JMP32:
		return check_jump(in, at, n);
	default:
		return "unknown class";
	}
	return in->dst_reg == BPF_REG_1 ? "key pointer overwritten" : NULL;
}

/* NULL if the program is fine, else what is wrong with it */
const char *vm_check(const struct bpf_insn *insn, u32 n)
{
	const char *err = NULL;
	u8 *reach;
	u32 i;

	if (!n || insn[n - 1].code != (BPF_JMP | BPF_EXIT))
		return "no exit at the end";
	reach = calloc(n + 1, 1);
	reach[0] = 1;
	for (i = 0; i < n && !err; i++) {
		const struct bpf_insn *in = &insn[i];

		err = check_insn(insn, i, n);
		if (err)
			break;
		if (!reach[i])
			err = "unreachable code";
		if (is_imm64(in)) {
			if (reach[i + 1])
				err = "jump into a constant";
			reach[i + 2] = 1;
			i++;
			continue;
		}
		if (is_jump(in) && BPF_OP(in->code) != BPF_EXIT)
			reach[i + 1 + in->off] = 1;
		if (!is_jump(in) || (BPF_OP(in->code) != BPF_EXIT &&
				     BPF_OP(in->code) != BPF_JA))
			reach[i + 1] = 1;
	}
	free(reach);
	return err;
}

static bool holds(u8 op, u64 a, u64 b)
{
	switch (op) {
	case BPF_JEQ:
		return a == b;
	case BPF_JNE:
		return a != b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	case BPF_JLT:
		return a < b;
	default:
		return a <= b;
	}
}

static u64 load(const struct nfj_key *key, const struct bpf_insn *in)
{
	const u8 *p = (const u8 *)key + in->off;
	u16 v2;
	u32 v4;
	u64 v8;

	switch (BPF_SIZE(in->code)) {
	case BPF_B:
		return *p;
	case BPF_H:
		memcpy(&v2, p, 2);
		return v2;
	case BPF_W:
		memcpy(&v4, p, 4);
		return v4;
	default:
		memcpy(&v8, p, 8);
		return v8;
	}
}

static u64 alu(const struct bpf_insn *in, u64 a, u64 b)
{
	u64 v = b;

	if (BPF_OP(in->code) == BPF_END)
		return in->imm == 16 ? __builtin_bswap16(a) :
		       in->imm == 32 ? __builtin_bswap32(a) :
				       __builtin_bswap64(a);
	if (BPF_OP(in->code) == BPF_AND)
		v &= a;
	return BPF_CLASS(in->code) == BPF_ALU ? (u32)v : v;
}

/* Run a program that vm_check() likes; NULL or what went wrong */
const char *vm_run(const struct bpf_insn *insn, u32 n,
		   const struct nfj_key *key, u32 *res)
{
	u64 reg[16] = {}, b;
	u32 init = 1U << BPF_REG_1, i, need;

	for (i = 0; i < n; i++) {
		const struct bpf_insn *in = &insn[i];
		u8 class = BPF_CLASS(in->code), op = BPF_OP(in->code);

		if (is_imm64(in)) {
			reg[in->dst_reg] = (u64)(u32)in[1].imm << 32 |
					   (u32)in->imm;
			init |= 1U << in->dst_reg;
			i++;
			continue;
		}
		if (class == BPF_LDX) {
			reg[in->dst_reg] = load(key, in);
			init |= 1U << in->dst_reg;
			continue;
		}
		if (is_jump(in) && op == BPF_EXIT) {
			*res = reg[BPF_REG_0];
			return init & 1 ? NULL : "no result";
		}
		if (is_jump(in) && op == BPF_JA) {
			i += in->off;
			continue;
		}
		need = op == BPF_MOV && !is_jump(in) ? 0 : 1U << in->dst_reg;
		b = (s64)in->imm;
		if (op != BPF_END && BPF_SRC(in->code) == BPF_X) {
			need |= 1U << in->src_reg;
			b = reg[in->src_reg];
		}
		if ((init & need) != need)
			return "register read before it is written";
		if (!is_jump(in)) {
			reg[in->dst_reg] = alu(in, reg[in->dst_reg], b);
			init |= 1U << in->dst_reg;
		} else if (class == BPF_JMP32) {
			if (holds(op, (u32)reg[in->dst_reg], (u32)b))
				i += in->off;
		} else if (holds(op, reg[in->dst_reg], b)) {
			i += in->off;
		}
	}
	return "ran off the end";
}

#define INSN(_code, _dst, _src, _off, _imm) { \
	.code = (_code), .dst_reg = (_dst), .src_reg = (_src), \
	.off = (_off), .imm = (_imm) }
#define RET	INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define MOV0	INSN(BPF_ALU | BPF_MOV | BPF_K, 0, 0, 0, 0)
#define KEYSZ	((s16)sizeof(struct nfj_key))

/* The judge is judged: each of these programs must be refused */
int test_vm(u32 arg)
{
	static const struct bpf_insn bad[][3] = {
		{ MOV0, RET, MOV0 },
		{ RET, MOV0, RET },
		{ INSN(BPF_ALU | BPF_ADD | BPF_K, 0, 0, 0, 1), MOV0, RET },
		{ INSN(BPF_JMP | BPF_CALL, 0, 0, 0, 1), MOV0, RET },
		{ INSN(BPF_STX | BPF_MEM | BPF_W, 1, 0, 0, 0), MOV0, RET },
		{ MOV0, INSN(BPF_JMP | BPF_JA, 0, 0, -1, 0), RET },
		{ MOV0, INSN(BPF_JMP | BPF_JA, 0, 0, 1, 0), RET },
		{ MOV0, INSN(BPF_JMP | BPF_JSGT | BPF_K, 0, 0, 0, 0), RET },
		{ INSN(BPF_LDX | BPF_MEM | BPF_W, 0, 1, 2, 0), MOV0, RET },
		{ INSN(BPF_LDX | BPF_MEM | BPF_B, 0, 1, KEYSZ, 0), MOV0, RET },
		{ INSN(BPF_LDX | BPF_MEM | BPF_B, 0, 1, -1, 0), MOV0, RET },
		{ INSN(BPF_LDX | BPF_MEM | BPF_DW, 0, 1, KEYSZ - 4, 0), MOV0,
		  RET },
		{ INSN(BPF_LDX | BPF_MEM | BPF_B, 0, 2, 0, 0), MOV0, RET },
		{ INSN(BPF_LDX | BPF_MEM | BPF_B, 1, 1, 0, 0), MOV0, RET },
		{ INSN(BPF_LD | BPF_IMM | BPF_DW, 0, 1, 0, 0), {}, RET },
		{ INSN(BPF_ALU64 | BPF_MOV | BPF_K, 10, 0, 0, 0), MOV0, RET },
		{ INSN(BPF_ALU | BPF_END | BPF_TO_BE, 0, 0, 0, 8), MOV0, RET },
	};
	static const struct bpf_insn uninit[][3] = {
		{ INSN(BPF_ALU | BPF_AND | BPF_K, 2, 0, 0, 0), MOV0, RET },
		{ INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 3, 0, 0), MOV0, RET },
		{ INSN(BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 0, 0), MOV0, RET },
		{ INSN(BPF_ALU | BPF_MOV | BPF_K, 2, 0, 0, 0), RET, RET },
	};
	struct nfj_key key = {};
	u32 i, res;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (!vm_check(bad[i], 3))
			return fail("bad program %u taken", i);
	for (i = 0; i < ARRAY_SIZE(uninit); i++)
		if (!vm_run(uninit[i], 3, &key, &res))
			return fail("program %u reads nothing written", i);
	return TEST_OK;
}
