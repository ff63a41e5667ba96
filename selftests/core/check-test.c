// SPDX-License-Identifier: GPL-2.0-only
/*
 * The checker (nft_bpfjit/load/check.c): refuses bad programs, each at the
 * instruction that is bad; takes all that the emitter writes; and of what
 * chance makes of those, takes nothing that does not run to its end.
 */
#include <errno.h>
#include "core.h"

#define INSN(c, d, s, o, i) { \
	.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) }
#define R0(i)		INSN(BPF_ALU | BPF_MOV | BPF_K, 0, 0, 0, i)
#define EXIT		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define LOAD(sz, d, s, o)	INSN(BPF_LDX | BPF_MEM | (sz), d, s, o, 0)
#define IMM64(d, s)	INSN(BPF_LD | BPF_IMM | BPF_DW, d, s, 0, 1)
#define HALF		INSN(0, 0, 0, 0, 1)
#define ALU(op, d, i)	INSN(BPF_ALU64 | (op) | BPF_K, d, 0, 0, i)
#define ALUX(op, d, s)	INSN(BPF_ALU64 | (op) | BPF_X, d, s, 0, 0)
#define END		((s32)sizeof(struct nfj_key))
#define GOOD		-1

static const struct {
	const char	*name;
	int		at;	/* GOOD or the instruction that is refused */
	u32		flags;
	struct bpf_insn	insn[10];
	u32		n;
} programs[] = {
	{ "a number", GOOD, 0, { R0(1), EXIT }, 2 },
	{ "last bytes of the key", GOOD, 0,
	  { LOAD(BPF_DW, 0, 1, END - 8), EXIT }, 2 },
	{ "ALU", GOOD, 0,
	  { R0(1), ALU(BPF_ADD, 0, 1), ALU(BPF_RSH, 0, 63), ALUX(BPF_MOV, 2, 0),
	    ALUX(BPF_XOR, 0, 2), INSN(BPF_ALU64 | BPF_NEG, 0, 0, 0, 0), EXIT },
	  7 },
	{ "byte order", GOOD, 0,
	  { R0(1), INSN(BPF_ALU | BPF_END | BPF_TO_BE, 0, 0, 0, 16), EXIT }, 3 },
	{ "64 bit constant", GOOD, 0, { IMM64(0, 0), HALF, EXIT }, 3 },
	{ "jump over it", GOOD, 0,
	  { R0(1), INSN(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2, 1), IMM64(0, 0),
	    HALF, EXIT }, 5 },
	{ "table", GOOD, NFJ_CHECK_TABLES,
	  { IMM64(2, BPF_PSEUDO_MAP_VALUE), HALF, LOAD(BPF_W, 3, 1, 0),
	    ALUX(BPF_ADD, 2, 3), LOAD(BPF_W, 0, 2, 4), EXIT }, 6 },
	{ "table, offset first", GOOD, NFJ_CHECK_TABLES,
	  { IMM64(2, BPF_PSEUDO_MAP_VALUE), HALF, LOAD(BPF_W, 3, 1, 0),
	    ALUX(BPF_ADD, 3, 2), LOAD(BPF_W, 0, 3, 4), EXIT }, 6 },

	{ "nothing", 0, 0, { R0(1) }, 0 },
	{ "no exit", 0, 0, { R0(1) }, 1 },
	{ "exit without a number", 0, 0, { EXIT }, 1 },
	{ "exit with the number on one way only", 3, 0,
	  { LOAD(BPF_W, 2, 1, 0), INSN(BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 1, 1),
	    R0(1), EXIT }, 4 },
	{ "exit with an operand", 1, 0,
	  { R0(1), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 1) }, 2 },
	{ "load behind the key", 0, 0, { LOAD(BPF_W, 0, 1, END), EXIT }, 2 },
	{ "load over the end of the key", 0, 0,
	  { LOAD(BPF_DW, 0, 1, END - 4), EXIT }, 2 },
	{ "load before the key", 0, 0, { LOAD(BPF_W, 0, 1, -4), EXIT }, 2 },
	{ "misaligned load, 2", 0, 0, { LOAD(BPF_H, 0, 1, 1), EXIT }, 2 },
	{ "misaligned load, 4", 0, 0, { LOAD(BPF_W, 0, 1, 2), EXIT }, 2 },
	{ "misaligned load, 8", 0, 0, { LOAD(BPF_DW, 0, 1, 4), EXIT }, 2 },
	{ "load with an immediate", 0, 0,
	  { INSN(BPF_LDX | BPF_MEM | BPF_W, 0, 1, 0, 4), EXIT }, 2 },
	{ "load from a number", 1, 0, { R0(1), LOAD(BPF_W, 0, 0, 0), EXIT }, 3 },
	{ "load from the stack", 0, 0, { LOAD(BPF_W, 0, 10, -8), EXIT }, 2 },
	{ "load with sign", 0, 0,
	  { INSN(BPF_LDX | 0x80 | BPF_W, 0, 1, 0, 0), EXIT }, 2 },
	{ "packet load", 0, 0,
	  { INSN(BPF_LD | BPF_ABS | BPF_W, 0, 0, 0, 0), EXIT }, 2 },
	{ "load into the key's register", 0, 0,
	  { LOAD(BPF_DW, 1, 1, 0), R0(1), EXIT }, 3 },
	{ "store", 1, 0,
	  { R0(1), INSN(BPF_STX | BPF_MEM | BPF_W, 1, 0, 0, 0), EXIT }, 3 },
	{ "store of a constant", 1, 0,
	  { R0(1), INSN(BPF_ST | BPF_MEM | BPF_W, 1, 0, 0, 0), EXIT }, 3 },
	{ "atomic", 1, 0,
	  { R0(1), INSN(BPF_STX | BPF_ATOMIC | BPF_W, 1, 0, 0, 0), EXIT }, 3 },
	{ "call", 0, 0, { INSN(BPF_JMP | BPF_CALL, 0, 0, 0, 7), EXIT }, 2 },
	{ "call of a function", 0, 0,
	  { INSN(BPF_JMP | BPF_CALL, 0, 1, 0, 1), EXIT, R0(1), EXIT }, 4 },
	{ "long jump", 0, 0,
	  { INSN(BPF_JMP32 | BPF_JA, 0, 0, 0, 0), R0(1), EXIT }, 3 },
	{ "loop", 1, 0,
	  { R0(1), INSN(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, -1, 1), EXIT }, 3 },
	{ "loop, always", 1, 0,
	  { R0(1), INSN(BPF_JMP | BPF_JA, 0, 0, -1, 0), EXIT }, 3 },
	{ "jump out of the program", 1, 0,
	  { R0(1), INSN(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1, 1), EXIT }, 3 },
	{ "jump far out of the program", 1, 0,
	  { R0(1), INSN(BPF_JMP | BPF_JA, 0, 0, 32767, 0), EXIT }, 3 },
	{ "jump into a constant", 2, 0,
	  { R0(1), INSN(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1, 1), IMM64(0, 0),
	    HALF, EXIT }, 5 },
	{ "jump by nothing", 0, 0,
	  { INSN(BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 0, 1), R0(1), EXIT }, 3 },
	{ "jump by the key's address", 0, 0,
	  { INSN(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0, 1), R0(1), EXIT }, 3 },
	{ "jump by the key's address, the other way", 1, 0,
	  { R0(1), INSN(BPF_JMP | BPF_JEQ | BPF_X, 0, 1, 0, 0), EXIT }, 3 },
	{ "jump by two operands", 1, 0,
	  { R0(1), INSN(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 0, 1), EXIT }, 3 },
	{ "unknown jump", 1, 0,
	  { R0(1), INSN(BPF_JMP | 0xe0, 0, 0, 0, 0), EXIT }, 3 },
	{ "code that is not reached", 2, 0, { R0(1), EXIT, R0(1), EXIT }, 4 },
	{ "half a constant", 0, 0, { IMM64(0, 0) }, 1 },
	{ "a constant with code inside", 0, 0, { IMM64(0, 0), R0(1), EXIT }, 3 },
	{ "key's register as a constant", 0, 0,
	  { IMM64(1, 0), HALF, R0(1), EXIT }, 4 },
	{ "address of a map", 0, NFJ_CHECK_TABLES,
	  { IMM64(0, BPF_PSEUDO_MAP_FD), HALF, EXIT }, 3 },
	{ "ALU on the key's register", 0, 0,
	  { ALU(BPF_ADD, 1, 8), R0(1), EXIT }, 3 },
	{ "copy of the key's register", 0, 0, { ALUX(BPF_MOV, 0, 1), EXIT }, 2 },
	{ "ALU on nothing", 0, 0, { ALU(BPF_ADD, 0, 8), EXIT }, 2 },
	{ "ALU with nothing", 1, 0, { R0(1), ALUX(BPF_ADD, 0, 5), EXIT }, 3 },
	{ "ALU on the frame pointer", 0, 0, { ALUX(BPF_MOV, 0, 10), EXIT }, 2 },
	{ "register 15", 0, 0, { ALU(BPF_MOV, 15, 1), R0(1), EXIT }, 3 },
	{ "division", 1, 0, { R0(1), ALU(BPF_DIV, 0, 0), EXIT }, 3 },
	{ "modulo", 1, 0, { R0(1), ALU(BPF_MOD, 0, 0), EXIT }, 3 },
	{ "shift too far", 1, 0, { R0(1), ALU(BPF_LSH, 0, 64), EXIT }, 3 },
	{ "move with sign", 1, 0,
	  { R0(1), INSN(BPF_ALU64 | BPF_MOV | BPF_X, 0, 0, 8, 0), EXIT }, 3 },
	{ "ALU by two operands", 1, 0,
	  { R0(1), INSN(BPF_ALU64 | BPF_ADD | BPF_X, 0, 0, 0, 1), EXIT }, 3 },
	{ "ALU by a number and a register", 1, 0,
	  { R0(1), INSN(BPF_ALU64 | BPF_ADD | BPF_K, 0, 2, 0, 1), EXIT }, 3 },
	{ "byte order of 24 bits", 1, 0,
	  { R0(1), INSN(BPF_ALU | BPF_END | BPF_TO_BE, 0, 0, 0, 24), EXIT }, 3 },

	{ "table that was not asked for", 0, 0,
	  { IMM64(2, BPF_PSEUDO_MAP_VALUE), HALF, LOAD(BPF_W, 0, 2, 0), EXIT },
	  4 },
	{ "table's address as the number", 2, NFJ_CHECK_TABLES,
	  { IMM64(0, BPF_PSEUDO_MAP_VALUE), HALF, EXIT }, 3 },
	{ "table + table", 5, NFJ_CHECK_TABLES,
	  { IMM64(2, BPF_PSEUDO_MAP_VALUE), HALF,
	    IMM64(3, BPF_PSEUDO_MAP_VALUE), HALF, ALUX(BPF_ADD, 2, 3),
	    LOAD(BPF_W, 0, 2, 0), EXIT }, 7 },
	{ "table by 32 bits", 3, NFJ_CHECK_TABLES,
	  { IMM64(2, BPF_PSEUDO_MAP_VALUE), HALF,
	    INSN(BPF_ALU | BPF_ADD | BPF_K, 2, 0, 0, 4), LOAD(BPF_W, 0, 2, 0),
	    EXIT }, 5 },
	{ "table on one way only", 5, NFJ_CHECK_TABLES,
	  { LOAD(BPF_W, 2, 1, 0), INSN(BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 2, 1),
	    IMM64(2, BPF_PSEUDO_MAP_VALUE), HALF, R0(1), LOAD(BPF_W, 0, 2, 0),
	    EXIT }, 7 },
	{ "store into a table", 3, NFJ_CHECK_TABLES,
	  { IMM64(2, BPF_PSEUDO_MAP_VALUE), HALF, R0(1),
	    INSN(BPF_STX | BPF_MEM | BPF_W, 2, 0, 0, 0), EXIT }, 5 },
};

int test_check(u32 arg)
{
	u32 i, where;
	int err;

	for (i = 0; i < ARRAY_SIZE(programs); i++) {
		err = nfj_check(programs[i].insn, programs[i].n,
				programs[i].flags, &where);
		if (err != (programs[i].at == GOOD ? 0 : -EBADMSG))
			return fail("%s: %d", programs[i].name, err);
		if (err && where != (u32)programs[i].at)
			return fail("%s: at %u, not %d", programs[i].name,
				    where, programs[i].at);
	}
	note("%zu programs", ARRAY_SIZE(programs));
	return TEST_OK;
}

/* One bit, or one field, or one instruction of a program becomes another */
static void spoil(struct rnd *r, struct bpf_insn *insn, u32 n)
{
	struct bpf_insn *in = &insn[rnd(r, n)];

	switch (rnd(r, 6)) {
	case 0:
		((u8 *)in)[rnd(r, sizeof(*in))] ^= 1 << rnd(r, 8);
		break;
	case 1:
		in->off = rnd(r, 2 * sizeof(struct nfj_key)) - 16;
		break;
	case 2:
		in->dst_reg = rnd(r, 16);
		break;
	case 3:
		in->src_reg = rnd(r, 16);
		break;
	case 4:
		in->code = rnd(r, 256);
		break;
	default:
		*in = insn[rnd(r, n)];
		break;
	}
}

int test_check_random(u32 arg)
{
	u32 i, j, k, where, res, taken = 0, refused = 0, ran = 0;
	struct nfj_key key;
	struct progs ps;
	struct nfj_ir ir;
	struct rnd r;
	int err;

	for (i = 0; i < 40 * rounds; i++) {
		rnd_init(&r, 0xc4ec, i);
		nfj_ir_init(&ir);
		memset(&ps, 0, sizeof(ps));
		gen_ir(&r, &ir, 1 + rnd(&r, arg));
		err = progs_compile(&ps, &ir, NFJ_OPT_ALL, false);
		for (j = 0; j < ps.n && err == TEST_OK; j++) {
			struct nfj_insns *code = &ps.p[j].code;
			size_t size = code->n * sizeof(*code->insn);
			struct bpf_insn *copy = malloc(size);
			struct nfj_insns spoilt = *code;

			spoilt.insn = copy;
			if (nfj_check(code->insn, code->n, NFJ_CHECK_TABLES,
				      &where))
				err = fail("chain %u: refused at %u", i, where);
			/* how large a table is only the verifier knows */
			for (k = 0; k < 500 && err == TEST_OK && !code->ndata;
			     k++) {
				memcpy(copy, code->insn, size);
				do
					spoil(&r, copy, code->n);
				while (chance(&r, 30));
				if (nfj_check(copy, code->n, NFJ_CHECK_TABLES,
					      &where)) {
					refused++;
					continue;
				}
				taken++;
				/* what our own interpreter knows as well */
				if (vm_check(&spoilt))
					continue;
				ran++;
				gen_key(&r, &ir, &key);
				key.start = gen_start(&r, &ir);
				if (vm_run(&spoilt, &key, &res))
					err = fail("chain %u: %s", i,
						   vm_run(&spoilt, &key, &res));
			}
			free(copy);
		}
		progs_free(&ps);
		nfj_ir_free(&ir);
		if (err != TEST_OK)
			return err;
	}
	note("spoilt programs: %u refused, %u taken, %u of them run", refused,
	     taken, ran);
	return refused && ran ? TEST_OK : fail("nothing was tested");
}
