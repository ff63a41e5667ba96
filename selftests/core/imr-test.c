// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random chains in IMR: what the reference says, the program says, with all
 * passes, with each alone and with none.
 */
#include "core.h"

static const u32 all_opts[] = {
	0, NFJ_OPT_SEARCH, NFJ_OPT_LOADS, NFJ_OPT_COMMON, NFJ_OPT_EXACT,
	NFJ_OPT_IVALS, NFJ_OPT_START,
	NFJ_OPT_SEARCH | NFJ_OPT_LOADS, NFJ_OPT_SEARCH | NFJ_OPT_COMMON,
	NFJ_OPT_SEARCH | NFJ_OPT_PACK, NFJ_OPT_ALL & ~NFJ_OPT_PACK,
	NFJ_OPT_ALL & ~NFJ_OPT_EXACT, NFJ_OPT_ALL,
};

/* what is loaded into the kernel, where that takes its time */
static const u32 kernel_opts[] = {
	NFJ_OPT_ALL, 0, NFJ_OPT_ALL & ~NFJ_OPT_EXACT
};

struct stats {
	u64	runs;
	u64	keys;
	u64	hits;
	u64	programs;
	u64	too_complex;
};

/* Where all programs may be entered, whether the chain would go on there or not;
 * 0 where they were made in parts
 */
static u32 open_start(struct rnd *r, const struct progs *ps, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (ps[i].n != 1 || ps[i].p[0].code.open !=
				    ps[0].p[0].code.open)
			return 0;
	return rnd(r, ps[0].p[0].code.open + 1);
}

/* @shape: that of the chain, or SHAPES for random tests */
static int one_chain(struct rnd *r, u32 shape, u32 nrules, u32 nkeys,
		     const u32 *opts, u32 nopts, bool kernel, struct stats *st)
{
	struct progs ps[ARRAY_SIZE(all_opts)] = {};
	struct nfj_ir ir;
	struct nfj_key key;
	u32 i, k, want, got;
	int err = TEST_OK;

	if (shape < SHAPES) {
		shape_ir(r, &ir, shape, nrules, rnd(r, 3) * 45);
		gen_cases(r, &ir, chance(r, 30) ? 20 : 0);
	} else {
		gen_ir(r, &ir, nrules);
	}
	for (i = 0; i < nopts && !err; i++) {
		err = progs_compile(&ps[i], &ir, opts[i], kernel);
		st->programs += ps[i].n;
		st->too_complex += ps[i].too_complex;
	}
	for (k = 0; k < nkeys && !err; k++) {
		gen_key(r, &ir, &key);
		if (chance(r, 25))
			key.start = open_start(r, ps, nopts);
		want = ref_match(&ir, 0, nrules, &key);
		st->keys++;
		st->hits += want != NFJ_NONE;
		for (i = 0; i < nopts && !err; i++) {
			st->runs++;
			err = progs_run(&ps[i], &key, kernel, &got);
			if (!err && got != want)
				err = fail("shape %u %u rules opts %x key %u entry %u: %d, not %d",
					   shape, nrules, opts[i], k, key.start,
					   (int)got, (int)want);
		}
	}
	for (i = 0; i < nopts; i++)
		progs_free(&ps[i]);
	nfj_ir_free(&ir);
	return err;
}

/* @shapes: chains take one after the other, or random tests */
static int many_chains(u32 nrules, u32 nchains, u32 nkeys, const u32 *opts,
		       u32 nopts, bool kernel, bool shapes)
{
	struct stats st = {};
	int err = TEST_OK;
	struct rnd r;
	u32 i;

	for (i = 0; i < nchains && !err; i++) {
		rnd_init(&r, nrules * 2 + kernel, i);
		/* the size is the most for small chains, exact for big ones */
		err = one_chain(&r, shapes ? i % SHAPES : SHAPES,
				nrules > 50 ? nrules : 1 + rnd(&r, nrules),
				nkeys, opts, nopts, kernel, &st);
		if (err)
			note("chain %u", i);
	}
	note("%u chains, %llu programs, %llu runs, %llu%% of the keys match",
	     i, st.programs, st.runs, st.hits * 100 / (st.keys ? : 1));
	if (st.too_complex)
		note("%llu times too complex for the verifier, then split",
		     st.too_complex);
	return err;
}

/* arg: rules */
int test_imr(u32 arg)
{
	return many_chains(arg, rounds * (20 + 6000 / arg), 60, all_opts,
			   ARRAY_SIZE(all_opts), false, false);
}

int test_imr_kernel(u32 arg)
{
	if (kbpf_refused())
		return skip("%s", kbpf_refused());
	return many_chains(arg, rounds * (arg > 100 ? 1 : 20), 60,
			   kernel_opts, arg > 100 ? 1 : ARRAY_SIZE(kernel_opts),
			   true, false);
}

int test_shape(u32 arg)
{
	return many_chains(arg, rounds * SHAPES * (1 + 1000 / arg), 200,
			   all_opts, ARRAY_SIZE(all_opts), false, true);
}

int test_shape_kernel(u32 arg)
{
	if (kbpf_refused())
		return skip("%s", kbpf_refused());
	return many_chains(arg, rounds * SHAPES, 60, kernel_opts, 1, true,
			   true);
}
