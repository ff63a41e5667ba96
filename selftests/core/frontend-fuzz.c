// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arbitrary attributes of arbitrary expressions, as no sane nft would send.
 *
 * An input is a sequence of expressions: a byte for the name (the last few make
 * a new rule begin), one for the length of a set's key, one for the length of
 * the attributes, the attributes.  Each expression's attributes lie in memory
 * of their own, without a byte to spare, so that reading past them is seen.
 *
 * libFuzzer calls fuzz_one() (make libfuzzer); the inputs in
 * corpus.txt, one a line in hex, and those made of the golden files are run in
 * every build.  What comes out must be sound IMR, and its programs must say
 * what the reference for IMR says.
 */
#include <errno.h>
#include "expr.h"

#define CHECK(cond) do { \
	if (!(cond)) { \
		fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
		abort(); \
	} \
} while (0)

#define NEW_RULE	0xf0
#define RULES		8
#define EXPRS		16

static const char * const names[] = {
	"payload", "meta", "ct", "cmp", "range", "bitwise", "byteorder",
	"immediate", "lookup", "dynset", "objref", "counter", "log", "last",
	"limit", "quota", "connlimit", "reject", "notrack", "flow_offload",
	"synproxy", "nat", "masq", "redir", "tproxy", "dup", "fwd", "queue",
	"hash", "exthdr", "fib", "numgen", "rt", "socket", "osf", "tunnel",
	"xfrm", "match", "target", "inner", "frobnicate", "",
};

static void check_test(const struct nfj_test *t, u32 left)
{
	u64 full = t->size == 8 ? ~0ULL : (1ULL << 8 * t->size) - 1;

	CHECK(t->size == 1 || t->size == 2 || t->size == 4 || t->size == 8);
	CHECK(t->off % t->size == 0);
	CHECK(t->off >= offsetof(struct nfj_key, valid));
	CHECK(t->off + t->size <= sizeof(struct nfj_key));
	CHECK(t->order == NFJ_HOST || t->order == NFJ_BE);
	CHECK(t->kind <= NFJ_SET_OUT);
	CHECK(t->mask && !(t->mask & ~full));
	if (t->kind == NFJ_SET_IN || t->kind == NFJ_SET_OUT)
		return;
	CHECK(!(t->lo & ~t->mask) && !(t->hi & ~t->mask));
	CHECK(t->n >= 1 && t->n <= left);
	if (t->kind == NFJ_IN || t->kind == NFJ_OUT)
		CHECK(t->n == 1 && t->lo <= t->hi);
}

static void check_ir(const struct nfj_ir *ir)
{
	u32 i, j, tests = 0;

	for (i = 0; i < ir->nfills; i++) {
		const struct nfj_fill *f = &ir->fills[i];

		CHECK(f->word < 16 && f->len <= 4);
		CHECK(!f->len || (f->off >= offsetof(struct nfj_key, len) &&
				  f->off + f->len <= sizeof(struct nfj_key)));
		CHECK(!f->len || !f->value);
	}
	for (i = 0; i < ir->nentries; i++) {
		const struct nfj_entry *r = &ir->entries[i];

		CHECK(r->fill + r->nfills <= ir->nfills);

		CHECK(r->first == tests);
		CHECK(r->flags & NFJ_ENTRY_DEAD || r->cut <= r->end);
		CHECK(r->end <= r->nexpr);
		CHECK(r->next > i && r->next <= ir->nentries);
		for (j = 0; j < r->ntests; j++)
			check_test(&ir->tests[r->first + j], r->ntests - j);
		tests += r->ntests;
	}
	CHECK(tests == ir->ntests);
}

static void check_programs(const struct nfj_ir *ir)
{
	static const u32 opts[] = { 0, NFJ_OPT_ALL };
	struct nfj_insns code;
	struct nfj_key key;
	struct rnd r = { .s = ir->ntests };
	u32 i, j, got;

	for (i = 0; i < ARRAY_SIZE(opts); i++) {
		CHECK(!nfj_compile(ir, 0, ir->nentries, opts[i], &code));
		CHECK(!vm_check(&code));
		for (j = 0; j < 6; j++) {
			gen_key(&r, ir, &key);
			CHECK(!vm_run(&code, &key, &got));
			CHECK(got == ref_match(ir, 0, ir->nentries, &key));
		}
		nfj_insns_free(&code);
	}
}

static void rule_done(struct nfj_ir *ir, struct nfj_expr_in *in, u32 *n)
{
	u32 i;

	CHECK(!nfj_frontend_rule(ir, in, *n));
	for (i = 0; i < *n; i++)
		free((void *)in[i].attrs);
	*n = 0;
}

/* libFuzzer wants it to have this name */
int fuzz_one(const u8 *data, size_t size) __asm__("LLVMFuzzerTestOneInput");

int fuzz_one(const u8 *data, size_t size)
{
	struct nfj_expr_in in[EXPRS];
	struct nfj_ir ir;
	u32 n = 0, len;
	void *attrs;

	nfj_ir_init(&ir);
	while (size && ir.nentries < RULES) {
		u8 name = *data++;

		size--;
		if (name >= NEW_RULE || n == EXPRS) {
			rule_done(&ir, in, &n);
			continue;
		}
		if (size < 2)
			break;
		memset(&in[n], 0, sizeof(in[n]));
		in[n].name = names[name % ARRAY_SIZE(names)];
		in[n].keylen = data[0];
		len = min((size_t)data[1], size - 2);
		/* without attributes, as where nobody asked for them */
		attrs = len ? malloc(len) : NULL;
		if (len)
			memcpy(attrs, data + 2, len);
		in[n].attrs = attrs;
		in[n++].len = len;
		data += 2 + len;
		size -= 2 + len;
	}
	rule_done(&ir, in, &n);
	check_ir(&ir);
	check_programs(&ir);
	nfj_ir_free(&ir);
	return 0;
}

/* A chain as an input; bytes written */
static u32 to_input(const struct x_chain *c, u8 *to, u32 room)
{
	u32 i, j, k, n = 0, len;

	for (i = 0; i < c->n; i++) {
		for (j = 0; j < c->rule[i].n; j++) {
			const struct x_expr *x = &c->rule[i].e[j];

			if (n + 260 > room)
				return n;
			for (k = 0; k < ARRAY_SIZE(names) - 1; k++)
				if (!strcmp(names[k], x_name(x)))
					break;
			len = x_attrs(x, to + n + 3, 256);
			to[n] = k;
			to[n + 1] = x->kind == X_LOOKUP ? x->len : 0;
			to[n + 2] = len;
			n += 3 + len;
		}
		to[n++] = NEW_RULE;
	}
	return n;
}

/* Run a golden chain as an input, or write it to a file for libFuzzer */
int fuzz_chain(const struct x_chain *c, const char *file)
{
	static u8 input[1 << 14];
	u32 n = to_input(c, input, sizeof(input));
	FILE *f;

	if (!file)
		return fuzz_one(input, n);
	f = fopen(file, "w");
	if (!f)
		return fail("%s: %s", file, strerror(errno));
	fwrite(input, 1, n, f);
	fclose(f);
	return TEST_OK;
}

/* Inputs that libFuzzer has found, one a line in hex */
int fuzz_corpus(const char *name)
{
	char *line = NULL;
	size_t room = 0;
	FILE *f = fopen(name, "r");
	u32 lines = 0;

	if (!f)
		return fail("%s: %s", name, strerror(errno));
	while (getline(&line, &room, f) > 0) {
		u32 n = strspn(line, "0123456789abcdef") / 2, i, byte;

		if (line[0] == '#')
			continue;
		for (i = 0; i < n; i++) {
			if (sscanf(line + 2 * i, "%2x", &byte) == 1)
				line[i] = byte;
		}
		/* of a size that leaves no room for reading on */
		line = realloc(line, n + 1);
		room = n + 1;
		fuzz_one((u8 *)line, n);
		lines++;
	}
	free(line);
	fclose(f);
	note("%u inputs", lines);
	return lines ? TEST_OK : fail("%s is empty", name);
}
