/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the translator core share.
 */
#ifndef _CORE_H
#define _CORE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <nft_bpfjit/imr.h>

enum { TEST_OK, TEST_FAIL, TEST_SKIP };

/* main.c: why a test failed or was skipped; returns TEST_FAIL, TEST_SKIP */
__printf(1, 2) int fail(const char *fmt, ...);
__printf(1, 2) int skip(const char *fmt, ...);
__printf(1, 2) void note(const char *fmt, ...);

extern u64 base_seed;
extern unsigned int rounds;

/* main.c: random numbers, reproducible */
struct rnd {
	u64 s;
};

void rnd_init(struct rnd *r, u64 a, u64 b);
u64 rnd64(struct rnd *r);
u32 rnd(struct rnd *r, u32 n);

static inline bool chance(struct rnd *r, u32 percent)
{
	return rnd(r, 100) < percent;
}

/* ref.c: the meaning of the IMR */
u64 ref_number(const struct nfj_key *key, const struct nfj_test *t);
void ref_set(struct nfj_key *key, const struct nfj_test *t, u64 val);
bool ref_rule(const struct nfj_ir *ir, u32 rule, const struct nfj_key *key);
u32 ref_match(const struct nfj_ir *ir, u32 first, u32 last,
	      const struct nfj_key *key);

/* vm.c: the meaning of the program */
extern u64 vm_cost;	/* machine instructions of the last run */
const char *vm_check(const struct nfj_insns *code);
const char *vm_run(const struct nfj_insns *code, const struct nfj_key *key,
		   u32 *res);

/* kbpf.c: the same by the running kernel */
extern u32 kbpf_log_level;	/* 1: all, 4: statistics */
int kbpf_load(const struct nfj_insns *code, char *log, u32 logsz);
int kbpf_run(int fd, const struct nfj_key *key, u32 *res);
const char *kbpf_refused(void);

/* progs.c: a chain compiled, in as many programs as it takes */
#define PROGS_MAX	64

struct prog {
	u32			first;
	u32			last;
	struct nfj_insns	code;
	int			fd;
};

struct progs {
	struct prog	p[PROGS_MAX];
	u32		n;
	u32		too_complex;	/* times the verifier gave up */
};

int progs_compile(struct progs *ps, const struct nfj_ir *ir, u32 opts,
		  bool kernel);
int progs_compile_split(struct progs *ps, const struct nfj_ir *ir, u32 opts,
			u32 at);
int progs_run(const struct progs *ps, const struct nfj_key *key, bool kernel,
	      u32 *res);
void progs_free(struct progs *ps);

/* gen.c: random chains in IMR and keys that suit them */
void gen_ir(struct rnd *r, struct nfj_ir *ir, u32 n);
void gen_cases(struct rnd *r, struct nfj_ir *ir, u32 percent);
void gen_key(struct rnd *r, const struct nfj_ir *ir, struct nfj_key *key);
void gen_packet(struct rnd *r, const struct nfj_ir *ir, struct nfj_key *key,
		bool miss);
u32 gen_start(struct rnd *r, const struct nfj_ir *ir);

/* shape.c: chains as administrators write them */
enum {
	SHAPE_ADDR,
	SHAPE_SERVICE,
	SHAPE_ONEADDR,
	SHAPE_ADDR6,
	SHAPE_PREFIX,
	SHAPE_RANGE,
	SHAPE_NEXT,
	SHAPE_TUPLE,
	SHAPE_MIXED,
	SHAPE_SETS,
	SHAPE_DOUBLE,
	SHAPE_SORTED,
	SHAPES
};

extern const char * const shape_name[SHAPES];
void shape_ir(struct rnd *r, struct nfj_ir *ir, u32 shape, u32 n, u32 open);

/* bench.c */
int test_bench(u32 arg);
int bench_compile(u32 shape, u32 n);

/* tuples.c */
int tuples_cost(const char *prefix, u32 opts, u64 *mean, struct progs *ps);
int tuples_show(const char *prefix);
int test_tuples(u32 arg);
int test_classbench(u32 arg);

/* dump.c: text */
void dump_ir(FILE *f, const struct nfj_ir *ir);
void dump_code(FILE *f, const struct nfj_insns *code);

/* golden.c */
int golden_all(const char *folder, bool write, u32 *n);
int golden_seeds(const char *folder, const char *to);
u32 golden_count(const char *folder);

/* tests */
int report(u32 *n, const char *name, int res);
struct test {
	const char	*name;
	int		(*fn)(u32 arg);
	u32		arg;
};

int test_vm(u32 arg);
int test_xt(u32 arg);
int test_check(u32 arg);
int test_check_random(u32 arg);
int test_imr(u32 arg);
int test_imr_kernel(u32 arg);
int test_shape(u32 arg);
int test_shape_kernel(u32 arg);
int test_alloc(u32 arg);
int test_normal(u32 arg);
int test_rows(u32 arg);
int test_bounds(u32 arg);
int test_exprs(u32 arg);
int test_append(u32 arg);
int test_inline(u32 arg);
int test_rules(u32 arg);
int test_rules_big(u32 arg);
int test_rules_kernel(u32 arg);
int test_rules_fuzz(u32 arg);

#endif /* _CORE_H */
