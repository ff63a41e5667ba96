// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules that are kept from one commit to the next, as commit/read.c does it: some
 * of a chain's rules are copied from the chain, others read anew, some are gone.
 * What comes out is to be what reading all of them gives.
 */
#include "expr.h"

static char *dump(const struct nfj_ir *ir)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	dump_ir(f, ir);
	fclose(f);
	return text;
}

/* First entry of a rule, and behind the last one */
static u32 entry_of(const struct nfj_ir *ir, u32 rule)
{
	u32 i;

	for (i = 0; i < ir->nentries; i++)
		if (ir->entries[i].rule == rule)
			break;
	return i;
}

/* @fate: of each rule, see below */
enum { GONE, KEPT, READ };

static int edit(const struct x_chain *c, const struct nfj_ir *all,
		const u8 *fate, struct nfj_ir *ir, struct x_chain *left)
{
	static struct x_chain one;
	u32 i, end;
	int err;

	left->n = 0;
	x_init(c, ir);
	for (i = 0; i < c->n; i = end) {
		end = i + 1;
		while (end < c->n && fate[end] == fate[i])
			end++;
		if (fate[i] == GONE)
			continue;
		one.n = end - i;
		memcpy(one.rule, &c->rule[i], one.n * sizeof(one.rule[0]));
		memcpy(&left->rule[left->n], one.rule,
		       one.n * sizeof(one.rule[0]));
		left->n += one.n;
		if (fate[i] == READ)
			err = x_translate_more(&one, ir);
		else
			err = nfj_ir_append(ir, all, entry_of(all, i),
					    entry_of(all, end));
		if (err)
			return err;
	}
	/* for the caller to say, from what it knows of each rule */
	ir->taint = 0;
	return 0;
}

static int one_chain(struct rnd *r, u64 *kept)
{
	static struct x_chain c, left;
	struct nfj_ir all, ir, want;
	u8 fate[X_RULES];
	char *a, *b;
	int err;
	u32 i;

	x_gen(r, &c, 1 + rnd(r, 12));
	for (i = 0; i < c.n; i++) {
		fate[i] = rnd(r, 3);
		*kept += fate[i] == KEPT;
	}
	err = x_translate(&c, &all);
	if (err)
		return fail("x_translate: %d", err);
	err = edit(&c, &all, fate, &ir, &left);
	if (err)
		return fail("edit: %d", err);
	x_init(&c, &want);
	err = x_translate_more(&left, &want);
	if (err)
		return fail("x_translate: %d", err);
	want.taint = 0;
	a = dump(&ir);
	b = dump(&want);
	if (strcmp(a, b)) {
		x_print_chain(stdout, &left);
		note("edited:\n%s", a);
		note("wanted:\n%s", b);
		err = fail("edited and read differ");
	}
	free(a);
	free(b);
	nfj_ir_free(&want);
	nfj_ir_free(&ir);
	nfj_ir_free(&all);
	return err;
}

int test_append(u32 arg)
{
	struct rnd r;
	u64 kept = 0;
	int err = TEST_OK;
	u32 i;

	for (i = 0; i < arg * rounds && !err; i++) {
		rnd_init(&r, 4711, i);
		err = one_chain(&r, &kept);
		if (err)
			note("chain %u", i);
	}
	note("%u chains, %llu rules kept", i, kept);
	return err;
}
