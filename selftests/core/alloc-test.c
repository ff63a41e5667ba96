// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every allocation fails once: the front end and nfj_compile() return -ENOMEM,
 * hold nothing that is not given back by nfj_ir_free() and nfj_insns_free(), and
 * never pass off half a program as a whole one.
 */
#include <errno.h>
#include "expr.h"

static const u32 opts[] = { 0, NFJ_OPT_ALL };

static int compile(const struct nfj_ir *ir)
{
	struct nfj_insns code;
	int err = 0;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(opts) && !err; i++) {
		err = nfj_compile(ir, 0, ir->nentries, opts[i], &code);
		nfj_insns_free(&code);
	}
	return err;
}

/* Front end and compiler, or only the compiler; 0 or the first error */
static int build(const struct x_chain *c, const struct nfj_ir *made)
{
	struct nfj_ir ir;
	int err;

	if (made)
		return compile(made);
	err = x_translate(c, &ir);
	if (!err)
		err = compile(&ir);
	nfj_ir_free(&ir);
	return err;
}

static int one_chain(const struct x_chain *c, const struct nfj_ir *made,
		     u32 *count)
{
	long live = shim_alloc_live;
	bool failed = true;
	u32 i;
	int err;

	for (i = 0; failed; i++) {
		shim_alloc_fail = i;
		err = build(c, made);
		failed = shim_alloc_fail < 0;
		shim_alloc_fail = -1;
		if (err != (failed ? -ENOMEM : 0))
			return fail("allocation %u fails: error %d", i, err);
		if (shim_alloc_live != live)
			return fail("allocation %u fails: %ld are left", i,
				    shim_alloc_live - live);
	}
	*count += i - 1;
	return TEST_OK;
}

int test_alloc(u32 arg)
{
	static struct x_chain chain;
	int err = TEST_OK;
	u32 i, count = 0;
	struct rnd r;

	for (i = 0; i < rounds * 40 && !err; i++) {
		rnd_init(&r, 0xa110c, i);
		x_gen(&r, &chain, i % 20 ? 1 + rnd(&r, 12) : 100);
		err = one_chain(&chain, NULL, &count);
		if (err)
			x_print_chain(stdout, &chain);
	}
	note("%u chains, %u allocations failed", i, count);
	/* so many that leaves are packed */
	for (i = 0; i < SHAPES && !err; i++) {
		struct nfj_ir ir;

		rnd_init(&r, 0xa110d, i);
		shape_ir(&r, &ir, i, 300, 20);
		err = one_chain(NULL, &ir, &count);
		nfj_ir_free(&ir);
	}
	note("with shapes %u", count);
	return err;
}

/* As many expressions as nft allows in a rule, and one more */
int test_exprs(u32 arg)
{
	static struct nfj_expr_in in[NFJ_EXPRS_MAX + 1];
	struct nfj_ir ir;
	int most, more;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(in); i++)
		in[i].name = "counter";
	nfj_ir_init(&ir);
	most = nfj_frontend_rule(&ir, in, NFJ_EXPRS_MAX);
	more = nfj_frontend_rule(&ir, in, NFJ_EXPRS_MAX + 1);
	i = ir.nentries;
	nfj_ir_free(&ir);
	return most || more != -EINVAL || i != 1 ?
	       fail("%d, %d, %u rules", most, more, i) : TEST_OK;
}
