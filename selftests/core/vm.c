// SPDX-License-Identifier: GPL-2.0-only
/*
 * A BPF interpreter for what the emitter may emit, and nothing else.
 *
 * vm_check() looks at a program as a whole: known instructions with their
 * unused fields zero, loads that lie within the key and are aligned, jumps that
 * go forward and not into the middle of an instruction, no code that cannot be
 * reached, an exit at the end.  vm_run() runs a checked program, and complains
 * about registers that were never written, loads outside of the tables, and
 * addresses that are used as numbers.
 *
 * vm_cost counts the machine instructions that x86's JIT makes of those that
 * were executed.
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

static const char *check_load(const struct bpf_insn *in, bool tables)
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
	if (in->imm)
		return "load with a number";
	if (in->off < 0 || in->off % size)
		return "misaligned load";
	/* from a table: seen when it runs */
	if (in->src_reg != BPF_REG_1)
		return tables ? NULL : "load not from the key";
	if (in->off < 0 || in->off + size > sizeof(struct nfj_key))
		return "load outside of the key";
	return NULL;
}

static const char *check_alu(const struct bpf_insn *in, bool tables)
{
	if (in->off)
		return "ALU with an offset";
	if (in->code == (BPF_ALU | BPF_END | BPF_TO_BE))
		return in->src_reg || (in->imm != 16 && in->imm != 32 &&
				       in->imm != 64) ? "bad swap" : NULL;
	switch (BPF_OP(in->code)) {
	case BPF_MOV:
	case BPF_AND:
	case BPF_XOR:
		break;
	case BPF_ADD:
	case BPF_SUB:
	case BPF_MUL:
	case BPF_LSH:
	case BPF_RSH:
	case BPF_ARSH:
		/* only tables need them */
		if (!tables || (BPF_CLASS(in->code) == BPF_ALU &&
				BPF_OP(in->code) != BPF_MUL &&
				BPF_OP(in->code) != BPF_ADD))
			return "unknown ALU operation";
		break;
	default:
		return "unknown ALU operation";
	}
	if (BPF_SRC(in->code) == BPF_X)
		return in->imm ? "ALU by register with a number" : NULL;
	return in->src_reg ? "ALU by number with a register" : NULL;
}

static const char *check_insn(const struct bpf_insn *insn, u32 at, u32 n,
			      u32 ndata)
{
	const struct bpf_insn *in = &insn[at];

	if (in->dst_reg > BPF_REG_9 || in->src_reg > BPF_REG_9)
		return "register out of range";
	switch (BPF_CLASS(in->code)) {
	case BPF_LD:
		if (!is_imm64(in) || at + 1 == n || in->off ||
		    in[1].code || in[1].dst_reg || in[1].src_reg || in[1].off)
			return "bad 64 bit constant";
		if (in->src_reg == BPF_PSEUDO_MAP_VALUE &&
		    (in->imm || (u32)in[1].imm >= ndata))
			return "bad address of a table";
		if (in->src_reg && in->src_reg != BPF_PSEUDO_MAP_VALUE)
			return "bad 64 bit constant";
		break;
	case BPF_LDX:
		if (check_load(in, ndata))
			return check_load(in, ndata);
		break;
	case BPF_ALU:
	case BPF_ALU64:
		if (check_alu(in, ndata))
			return check_alu(in, ndata);
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
const char *vm_check(const struct nfj_insns *code)
{
	const struct bpf_insn *insn = code->insn;
	u32 n = code->n;
	const char *err = NULL;
	u8 *reach;
	u32 i;

	if (!n || insn[n - 1].code != (BPF_JMP | BPF_EXIT))
		return "no exit at the end";
	reach = calloc(n + 1, 1);
	reach[0] = 1;
	for (i = 0; i < n && !err; i++) {
		const struct bpf_insn *in = &insn[i];

		err = check_insn(insn, i, n, code->ndata);
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

static u64 load(const void *from, const struct bpf_insn *in)
{
	const u8 *p = from;
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

	switch (BPF_OP(in->code)) {
	case BPF_END:
		return in->imm == 16 ? __builtin_bswap16(a) :
		       in->imm == 32 ? __builtin_bswap32(a) :
				       __builtin_bswap64(a);
	case BPF_AND:
		v = a & b;
		break;
	case BPF_ADD:
		v = a + b;
		break;
	case BPF_SUB:
		v = a - b;
		break;
	case BPF_MUL:
		v = a * b;
		break;
	case BPF_XOR:
		v = a ^ b;
		break;
	case BPF_LSH:
		v = a << (b & 63);
		break;
	case BPF_RSH:
		v = a >> (b & 63);
		break;
	case BPF_ARSH:
		v = (s64)a >> (b & 63);
		break;
	}
	return BPF_CLASS(in->code) == BPF_ALU ? (u32)v : v;
}

/* Machine instructions of an instruction on x86 */
static u32 cost(const struct bpf_insn *in)
{
	u8 op = BPF_OP(in->code);

	if (is_jump(in))
		return op == BPF_JA ? 1 : op == BPF_EXIT ? 3 : 2;
	if (op == BPF_END && BPF_CLASS(in->code) == BPF_ALU)
		return in->imm == 16 ? 2 : 1;
	return 1;
}

/* Those in front of a program, and to save and restore registers */
static u32 cost_frame(const struct nfj_insns *code)
{
	u32 used = 0, i, n = 4;

	for (i = 0; i < code->n; i++)
		used |= 1U << code->insn[i].dst_reg;
	for (i = BPF_REG_6; i <= BPF_REG_9; i++)
		n += used & 1U << i ? 2 : 0;
	return n;
}

u64 vm_cost;

/* Run a program that vm_check() likes; NULL or what went wrong */
const char *vm_run(const struct nfj_insns *code, const struct nfj_key *key,
		   u32 *res)
{
	const struct bpf_insn *insn = code->insn;
	u32 init = 1U << BPF_REG_1, addr = 0, i, need;
	u64 reg[16] = {}, b;

	vm_cost = cost_frame(code);
	for (i = 0; i < code->n; i++) {
		const struct bpf_insn *in = &insn[i];
		u8 class = BPF_CLASS(in->code), op = BPF_OP(in->code);
		u32 dst = 1U << in->dst_reg, src = 1U << in->src_reg;

		vm_cost += cost(in);
		if (is_imm64(in)) {
			reg[in->dst_reg] = (u64)(u32)in[1].imm << 32 |
					   (u32)in->imm;
			addr &= ~dst;
			if (in->src_reg == BPF_PSEUDO_MAP_VALUE) {
				reg[in->dst_reg] = (u32)in[1].imm;
				addr |= dst;
			}
			init |= dst;
			i++;
			continue;
		}
		if (class == BPF_LDX) {
			const u8 *from = (const u8 *)key + in->off;
			u64 at = reg[in->src_reg] + in->off;
			u32 size = BPF_SIZE(in->code) == BPF_B ? 1 :
				   BPF_SIZE(in->code) == BPF_H ? 2 :
				   BPF_SIZE(in->code) == BPF_W ? 4 : 8;

			if (in->src_reg != BPF_REG_1) {
				if (!(addr & src))
					return "load from a number";
				if (at > code->ndata ||
				    code->ndata - at < size || at % size)
					return "load outside of the tables";
				from = code->data + at;
			}
			reg[in->dst_reg] = load(from, in);
			init |= dst;
			addr &= ~dst;
			continue;
		}
		if (is_jump(in) && op == BPF_EXIT) {
			*res = reg[BPF_REG_0];
			return !(init & 1) ? "no result" :
			       addr & 1 ? "the result is an address" : NULL;
		}
		if (is_jump(in) && op == BPF_JA) {
			i += in->off;
			continue;
		}
		need = op == BPF_MOV && !is_jump(in) ? 0 : dst;
		b = (s64)in->imm;
		if (op != BPF_END && BPF_SRC(in->code) == BPF_X) {
			need |= src;
			b = reg[in->src_reg];
		}
		if ((init & need) != need)
			return "register read before it is written";
		if (op == BPF_MOV && class == BPF_ALU64 && !is_jump(in) &&
		    BPF_SRC(in->code) == BPF_X && addr & src) {
			addr |= dst;
		} else if (need & addr) {
			/* address + number is an address */
			if (class != BPF_ALU64 || op != BPF_ADD ||
			    (need & addr) != dst)
				return "an address used as a number";
		} else if (!is_jump(in)) {
			addr &= ~dst;
		}
		if (!is_jump(in)) {
			reg[in->dst_reg] = alu(in, reg[in->dst_reg], b);
			init |= dst;
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
#define DATA(_dst)	INSN(BPF_LD | BPF_IMM | BPF_DW, _dst, \
			     BPF_PSEUDO_MAP_VALUE, 0, 0)
#define AT(_off)	INSN(0, 0, 0, 0, _off)
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
	static const struct bpf_insn astray[][5] = {
		{ DATA(2), AT(0), INSN(BPF_LDX | BPF_MEM | BPF_DW, 0, 2, 16, 0),
		  RET, RET },
		{ DATA(2), AT(8), INSN(BPF_LDX | BPF_MEM | BPF_W, 0, 2, 2, 0),
		  RET, RET },
		{ DATA(2), AT(16), MOV0, RET, RET },
		{ DATA(0), AT(0), RET, RET, RET },
		{ DATA(0), AT(0), INSN(BPF_ALU64 | BPF_SUB | BPF_X, 0, 0, 0, 0),
		  RET, RET },
		{ DATA(2), AT(0), INSN(BPF_ALU | BPF_MOV | BPF_X, 0, 2, 0, 0), RET,
		  RET },
		{ INSN(BPF_ALU | BPF_MOV | BPF_K, 2, 0, 0, 0),
		  INSN(BPF_LDX | BPF_MEM | BPF_W, 0, 2, 0, 0), RET, RET, RET },
	};
	static u8 data[16];
	struct nfj_insns code = { .n = 3 };
	struct nfj_key key = {};
	u32 i, res;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		code.insn = (struct bpf_insn *)bad[i];
		if (!vm_check(&code))
			return fail("bad program %u taken", i);
	}
	for (i = 0; i < ARRAY_SIZE(uninit); i++) {
		code.insn = (struct bpf_insn *)uninit[i];
		if (!vm_run(&code, &key, &res))
			return fail("program %u reads nothing written", i);
	}
	code.data = data;
	code.ndata = sizeof(data);
	code.n = ARRAY_SIZE(astray[0]);
	for (i = 0; i < ARRAY_SIZE(astray); i++) {
		code.insn = (struct bpf_insn *)astray[i];
		if (!vm_check(&code) && !vm_run(&code, &key, &res))
			return fail("program %u strays from its table", i);
	}
	return TEST_OK;
}
