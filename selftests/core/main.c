// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the tests of the translator core, TAP on stdout.
 *
 * usage: core-test [--write] golden-folder
 *	  core-test --kernel
 *	  core-test --fuzz seconds
 *	  core-test --bench
 *	  core-test --compile shape rules
 *	  core-test --tuples prefix
 *	  core-test --seeds golden-folder folder
 *
 * SEED in the environment makes the random tests repeat an earlier run, ROUNDS
 * multiplies their number; with neither, the seed is 1, so that a run without
 * them is the same every time.  TUPLES is the folder where "make run" has put
 * what selftests/bench/rules.py writes, CLASSBENCH one with sets of others (tuples.c).
 */
#include <stdarg.h>
#include "expr.h"

long shim_alloc_fail = -1;
unsigned long shim_alloc_count;
long shim_alloc_live;
u64 base_seed = 1;
unsigned int rounds = 1;

static char why[2048];

int fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return TEST_FAIL;
}

int skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return TEST_SKIP;
}

void note(const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

u64 rnd64(struct rnd *r)
{
	/* splitmix64 */
	u64 z = r->s += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

u32 rnd(struct rnd *r, u32 n)
{
	return rnd64(r) % n;
}

void rnd_init(struct rnd *r, u64 a, u64 b)
{
	r->s = base_seed;
	r->s = rnd64(r) ^ a;
	r->s = rnd64(r) ^ b;
}

/* Print a result; 1 if it is a failure */
int report(u32 *n, const char *name, int res)
{
	if (res == TEST_FAIL)
		note("%s", why);
	printf("%sok %u %s", res == TEST_FAIL ? "not " : "", ++*n, name);
	if (res == TEST_SKIP)
		printf(" # SKIP %s", why);
	printf("\n");
	return res == TEST_FAIL;
}

#ifndef NFJ_LIBFUZZER
static const char *folder;

static int test_corpus(u32 arg)
{
	char name[512];

	snprintf(name, sizeof(name), "%s/../corpus.txt", folder);
	return fuzz_corpus(name);
}

static const struct test tests[] = {
	{ "the interpreter refuses bad programs", test_vm, 0 },
	{ "the checker refuses bad programs", test_check, 0 },
	{ "the checker and spoilt programs", test_check_random, 60 },
	{ "tests in normal form", test_normal, 50 },
	{ "attributes and flags that no row knows", test_rows, 0 },
	{ "random IMR, up to 8 rules", test_imr, 8 },
	{ "random IMR, up to 50 rules", test_imr, 50 },
	{ "random IMR, 300 rules", test_imr, 300 },
	{ "random IMR, 2000 rules", test_imr, 2000 },
	{ "rules of 128 and 129 expressions", test_exprs, 0 },
	{ "rules that are kept and rules that are read", test_append, 3000 },
	{ "chains that jump, in one", test_inline, 4000 },
	{ "each allocation fails once", test_alloc, 0 },
	{ "each load and comparison, on the bounds", test_bounds, 0 },
	{ "inputs that libFuzzer found", test_corpus, 0 },
	{ "matches of x_tables", test_xt, 200 },
	{ "random rules, up to 5", test_rules, 5 },
	{ "random rules, up to 50", test_rules, 50 },
	{ "random rules, up to 300", test_rules, 300 },
	{ "12000 rules", test_rules_big, 12000 },
	{ "random rules in the kernel, up to 5", test_rules_kernel, 5 },
	{ "random rules in the kernel, up to 50", test_rules_kernel, 50 },
	{ "rules of one shape, up to 50", test_shape, 50 },
	{ "rules of one shape, 100", test_shape, 100 },
	{ "rules of one shape, 300", test_shape, 300 },
	{ "rules of one shape, 1500", test_shape, 1500 },
	{ "random IMR in the kernel, up to 8 rules", test_imr_kernel, 8 },
	{ "random IMR in the kernel, up to 50 rules", test_imr_kernel, 50 },
	{ "random IMR in the kernel, 300 rules", test_imr_kernel, 300 },
	{ "random IMR in the kernel, 2000 rules", test_imr_kernel, 2000 },
	{ "rules of one shape in the kernel, 100", test_shape_kernel, 100 },
	{ "rules of one shape in the kernel, 1500", test_shape_kernel, 1500 },
	{ "cost of a matcher", test_bench, 0 },
	{ "5-tuple rules, passes left out", test_tuples, 1 },
	{ "5-tuple rules, what they cost", test_tuples, 0 },
	{ "public sets of 5-tuple rules", test_classbench, 0 },
};

static u64 env(const char *name, u64 val)
{
	const char *s = getenv(name);

	return s && *s ? strtoull(s, NULL, 0) : val;
}

/* Those alone with @part in their names */
static int test_only(const char *part)
{
	u32 i, n = 0, failed = 0;

	note("SEED=%llu ROUNDS=%u", base_seed, rounds);
	for (i = 0; i < ARRAY_SIZE(tests); i++)
		if (strstr(tests[i].name, part))
			failed += report(&n, tests[i].name,
					 tests[i].fn(tests[i].arg));
	printf("1..%u\n", n);
	return failed || !n;
}

int main(int argc, char **argv)
{
	bool write = argc > 1 && !strcmp(argv[1], "--write");
	bool kernel = argc > 1 && !strcmp(argv[1], "--kernel");
	u32 i, n = 0, failed = 0;
	int bad;

	setvbuf(stdout, NULL, _IOLBF, 0);
	base_seed = env("SEED", 1);
	rounds = env("ROUNDS", 1);
	if (argc == 2 && !strcmp(argv[1], "--bench"))
		return test_bench(0);
	if (argc == 3 && !strcmp(argv[1], "--tuples"))
		return tuples_show(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "--compile"))
		return bench_compile(atoi(argv[2]), atoi(argv[3]));
	if (argc == 3 && !strcmp(argv[1], "--fuzz")) {
		printf("1..1\n");
		return report(&n, "random rules",
			      test_rules_fuzz(atoi(argv[2])));
	}
	if (argc == 4 && !strcmp(argv[1], "--seeds"))
		return golden_seeds(argv[2], argv[3]);
	if (argc == 3 && !strcmp(argv[1], "--only"))
		return test_only(argv[2]);
	if (kernel)
		return test_only("in the kernel");
	if (argc != 2 + write)
		return 2;
	folder = argv[argc - 1];
	if (!write) {
		printf("1..%zu\n", ARRAY_SIZE(tests) + golden_count(folder));
		note("SEED=%llu ROUNDS=%u", base_seed, rounds);
	}
	bad = golden_all(folder, write, &n);
	if (write || bad < 0)
		return !!bad;
	failed += bad;
	for (i = 0; i < ARRAY_SIZE(tests); i++)
		failed += report(&n, tests[i].name, tests[i].fn(tests[i].arg));
	return failed ? 1 : 0;
}
#endif /* NFJ_LIBFUZZER */
