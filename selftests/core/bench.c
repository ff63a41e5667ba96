// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much a matcher costs: machine instructions that x86's JIT makes of what
 * is executed, on average and at most, for keys drawn from the rules and for
 * keys that match nothing.  What is to be reached is asserted; the figures are
 * the same on every machine.
 *
 *	core-test --compile shape rules		compile once, to be counted
 */
#include "core.h"

static const struct {
	u32	shape;
	u32	n;
	u32	open;
	u32	mean;	/* at most, or 0 */
	u32	max;
} rows[] = {
	{ SHAPE_ADDR, 1, 0, 20, 20 },
	{ SHAPE_ADDR, 10, 0, 26, 28 },
	{ SHAPE_ADDR, 100, 0, 35, 35 },
	{ SHAPE_ADDR, 1000, 0, 35, 35 },
	{ SHAPE_ADDR, 10000, 0, 35, 35 },
	{ SHAPE_ADDR, 100000, 0, 35, 35 },
	{ SHAPE_ADDR, 1000, 100, 40, 40 },
	{ SHAPE_SERVICE, 1000, 100, 70, 70 },
	{ SHAPE_ONEADDR, 1000, 100, 62, 62 },
	{ SHAPE_ADDR6, 1000, 0, 55, 55 },
	{ SHAPE_PREFIX, 1000, 0, 80, 80 },
	{ SHAPE_PREFIX, 10000, 0, 100, 100 },
	{ SHAPE_RANGE, 1000, 0, 80, 80 },
	{ SHAPE_NEXT, 10000, 0, 38, 38 },
	{ SHAPE_TUPLE, 100, 0, 100, 200 },
	{ SHAPE_TUPLE, 1000, 0, 120, 240 },
	{ SHAPE_TUPLE, 1000, 50, 400, 500 },
	{ SHAPE_TUPLE, 10000, 0, 320, 600 },
	{ SHAPE_MIXED, 1000, 0, 200, 330 },
	{ SHAPE_MIXED, 10000, 20, 400, 720 },
	{ SHAPE_SETS, 1000, 0, 70, 120 },
	{ SHAPE_DOUBLE, 10000, 50, 75, 80 },
	{ SHAPE_SORTED, 1000, 0, 130, 400 },
	{ SHAPE_SORTED, 10000, 0, 150, 250 },
	{ SHAPE_SORTED, 10000, 20, 160, 330 },
};

#define KEYS	2000

int test_bench(u32 arg)
{
	static struct progs ps;
	int err = TEST_OK;
	u32 i, k, p, j;

	for (i = 0; i < ARRAY_SIZE(rows) && !err; i++) {
		u64 sum[2] = {}, most = 0, insns = 0, data = 0;
		u32 count[2] = {}, res, hit;
		struct nfj_key key;
		struct nfj_ir ir;
		struct rnd r;

		rnd_init(&r, 77, i);
		shape_ir(&r, &ir, rows[i].shape, rows[i].n, rows[i].open);
		err = progs_compile(&ps, &ir, NFJ_OPT_ALL, false);
		for (p = 0; p < ps.n; p++) {
			insns += ps.p[p].code.n;
			data += ps.p[p].code.ndata;
		}
		for (k = 0; k < KEYS && !err; k++) {
			u64 cost = 0;

			rnd_init(&r, 78, k);
			gen_packet(&r, &ir, &key, k & 1);
			res = NFJ_NONE;
			for (p = 0; p < ps.n && !err && res == NFJ_NONE; p++) {
				if (vm_run(&ps.p[p].code, &key, &res))
					err = fail("does not run");
				cost += vm_cost;
			}
			hit = res != NFJ_NONE;
			sum[hit] += cost;
			count[hit]++;
			most = cost > most ? cost : most;
		}
		for (j = 0; j < 2; j++)
			sum[j] = count[j] ? sum[j] / count[j] : 0;
		note("%s, %u rules%s: hit %llu miss %llu max %llu,",
		     shape_name[rows[i].shape], rows[i].n,
		     rows[i].open ? ", open" : "", sum[1], sum[0], most);
		note("  programs %u, a rule %llu.%llu insns and %llu bytes",
		     ps.n,
		     insns / rows[i].n, insns * 10 / rows[i].n % 10,
		     data / rows[i].n);
		if (!err && rows[i].mean &&
		    (sum[0] > rows[i].mean || sum[1] > rows[i].mean))
			err = fail("%s, %u rules: %llu, %llu, not %u",
				   shape_name[rows[i].shape], rows[i].n,
				   sum[0], sum[1], rows[i].mean);
		if (!err && rows[i].max && most > rows[i].max)
			err = fail("%s, %u rules: up to %llu, not %u",
				   shape_name[rows[i].shape], rows[i].n, most,
				   rows[i].max);
		progs_free(&ps);
		nfj_ir_free(&ir);
	}
	return err;
}

/* Compile a shape once; returns what main() shall */
int bench_compile(u32 shape, u32 n)
{
	static char log[4096];
	struct nfj_insns code;
	struct nfj_ir ir;
	struct rnd r;
	int err;

	rnd_init(&r, 77, 0);
	shape_ir(&r, &ir, shape % SHAPES, n, 0);
	err = nfj_compile(&ir, 0, n, NFJ_OPT_ALL, &code);
	printf("%s, %u rules: %d, %u instructions, %u bytes of tables\n",
	       shape_name[shape % SHAPES], n, err, code.n, code.ndata);
	if (!err && shape >= SHAPES) {
		kbpf_log_level = 4;
		if (kbpf_load(&code, log, sizeof(log)) < 0)
			perror("load");
		printf("%s", log);
	}
	nfj_insns_free(&code);
	nfj_ir_free(&ir);
	return err != 0;
}
