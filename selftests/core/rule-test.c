// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random chains of expressions: what nft would have done, the translation does:
 * by the reference for IMR, by the program with all passes, with some and with
 * none, and by the program in the running kernel.
 *
 * What a program reads besides what it says it needs is found by spoiling the
 * rest of the key.
 */
#include <errno.h>
#include <time.h>
#include "expr.h"

static const u32 opts[] = {
	NFJ_OPT_ALL, 0, NFJ_OPT_SEARCH, NFJ_OPT_LOADS | NFJ_OPT_COMMON,
};

struct stats {
	u64	chains;
	u64	tainted;
	u64	rules;
	u64	whole;
	u64	tests;
	u64	pairs;
	u64	matches;
};

static bool word_needed(u32 word, u8 first, u8 end)
{
	return word >= first && word < end;
}

/* Is this byte of the key extracted for a program? */
static bool needed(const struct nfj_need *need, u32 off)
{
	const struct nfj_key_member *m = nfj_key_member(off);
	u32 word = (off - m->off) / 8;

	if (off < offsetof(struct nfj_key, ll_len))
		return true;	/* start and valid, see spoil() */
	if (m->off == offsetof(struct nfj_key, nh))
		return word_needed(word, need->nh_first, need->nh_end);
	if (m->off == offsetof(struct nfj_key, th))
		return word_needed(word, need->th_first, need->th_end);
	return need->groups & m->group;
}

static void spoil(struct rnd *r, const struct nfj_need *need,
		  struct nfj_key *key)
{
	u32 i, v = 0;

	for (i = 0; i < sizeof(*key); i++)
		if (!needed(need, i))
			((u8 *)key)[i] = rnd(r, 256);
	/* each bit of valid comes with the group that it is about */
	for (i = 1; i < 0x100; i <<= 1)
		if (!(nfj_key_groups(offsetof(struct nfj_key, valid), 4, i) &
		      need->groups))
			v |= i;
	key->valid ^= v & rnd(r, 256);
}

static void print_key(const struct nfj_key *key)
{
	u32 i;

	for (i = 0; i < sizeof(*key); i++)
		fprintf(stdout, "%s%02x%s", i % 32 ? "" : "#  ",
			((const u8 *)key)[i],
			i % 32 == 31 || i + 1 == sizeof(*key) ? "\n" : "");
}

/* One packet, in every way; NULL or how they differ */
static const char *differ(const struct x_chain *c, const struct nfj_ir *ir,
			  const struct progs *ps, u32 nps,
			  const struct nfj_key *key, bool kernel, u64 poison,
			  bool *match)
{
	static struct x_run want, got;
	static char why[200];
	const char *w;
	u32 v61, i;

	for (v61 = x_only_61(c); v61 < 2; v61++) {
		memset(&want, 0, sizeof(want));
		want.pkt = *key;
		want.v61 = v61;
		x_interpret(&want, c, key->start);
		for (i = 0; i <= nps; i++) {
			memset(&got, 0, sizeof(got));
			got.pkt = *key;
			got.v61 = v61;
			w = x_matched(&got, c, ir, i ? &ps[i - 1] : NULL,
				      key->start, kernel && i, poison);
			if (!w)
				w = x_differ(&want, &got);
			if (!w)
				continue;
			snprintf(why, sizeof(why), "%s: %s",
				 !i ? "IMR" : kernel ? "kernel" :
				 i == 1 ? "all passes" : "some passes", w);
			return why;
		}
		*match = want.verdict != X_END || want.nevents;
	}
	return NULL;
}

/* The same after translation and compilation */
static bool still_differs(const struct x_chain *c, const struct nfj_key *key)
{
	static struct progs ps[ARRAY_SIZE(opts)];
	bool bad = false, match;
	struct nfj_ir ir;
	u32 i;

	memset(ps, 0, sizeof(ps));
	if (!x_translate(c, &ir) && !ir.taint) {
		for (i = 0; i < ARRAY_SIZE(opts); i++)
			bad |= progs_compile(&ps[i], &ir, opts[i], false);
		bad = bad || differ(c, &ir, ps, ARRAY_SIZE(opts), key, false, 0,
				    &match);
		for (i = 0; i < ARRAY_SIZE(opts); i++)
			progs_free(&ps[i]);
	}
	nfj_ir_free(&ir);
	return bad;
}

/* Leave out rules and expressions as long as it stays wrong */
static void shrink(struct x_chain *c, struct nfj_key *key)
{
	static struct x_chain less;
	struct nfj_key k;
	struct x_rule *rule;
	bool again;
	u32 i, j;

	if (!still_differs(c, key))
		return;
	do {
		again = false;
		for (i = c->n; i-- > 0 && c->n > 1;) {
			less = *c;
			k = *key;
			memmove(&less.rule[i], &less.rule[i + 1],
				(less.n - i - 1) * sizeof(less.rule[0]));
			less.n--;
			if (i < k.start)
				k.start--;
			if (!still_differs(&less, &k))
				continue;
			*c = less;
			*key = k;
			again = true;
		}
		for (i = 0; i < c->n; i++) {
			for (j = c->rule[i].n; j-- > 0;) {
				less = *c;
				rule = &less.rule[i];
				memmove(&rule->e[j], &rule->e[j + 1],
					(rule->n - j - 1) *
					sizeof(rule->e[0]));
				rule->n--;
				if (!still_differs(&less, key))
					continue;
				*c = less;
				again = true;
			}
		}
	} while (again);
}

static int complain(struct x_chain *c, const struct nfj_key *key,
		    const char *why)
{
	static struct x_chain copy;
	struct nfj_key k = *key;
	char first[200];

	snprintf(first, sizeof(first), "%s", why);
	copy = *c;
	shrink(&copy, &k);
	note("the rules, and the key in hex, entry %u:", k.start);
	x_print_chain(stdout, &copy);
	print_key(&k);
	return fail("%s", first);
}

/* Does the residue of an entry get the same from two keys? */
static bool fills_equal(const struct nfj_ir *ir, const struct nfj_entry *rule,
			const struct nfj_key *a, const struct nfj_key *b)
{
	u32 i;

	for (i = 0; i < rule->nfills; i++) {
		const struct nfj_fill *f = &ir->fills[rule->fill + i];

		if (memcmp((const u8 *)a + f->off, (const u8 *)b + f->off,
			   f->len))
			return false;
	}
	return true;
}

/* Words @first .. @end - 1 are read too, none if @end is 0 */
static void words_add(u8 *to_first, u8 *to_end, u8 first, u8 end)
{
	if (!end)
		return;
	*to_first = *to_end ? min(*to_first, first) : first;
	*to_end = max(*to_end, end);
}

/* What all of a chain's programs read */
static void need_add(struct nfj_need *to, const struct nfj_need *more)
{
	to->groups |= more->groups;
	words_add(&to->nh_first, &to->nh_end, more->nh_first, more->nh_end);
	words_add(&to->th_first, &to->th_end, more->th_first, more->th_end);
}

static int one_key(struct rnd *r, struct x_chain *c, const struct nfj_ir *ir,
		   const struct progs *ps, u32 nps, const struct nfj_key *key,
		   bool kernel, struct stats *st)
{
	struct nfj_key spoilt;
	bool match = false;
	const char *why;
	u32 i, j, a, b;

	why = differ(c, ir, ps, nps, key, kernel, rnd64(r), &match);
	if (why)
		return complain(c, key, why);
	st->matches += match;
	st->pairs++;
	for (i = 0; i < nps && !kernel; i++) {
		struct nfj_need need = {};

		for (j = 0; j < ps[i].n; j++)
			need_add(&need, &ps[i].p[j].code.need);
		spoilt = *key;
		spoil(r, &need, &spoilt);
		if (progs_run(&ps[i], key, false, &a) ||
		    progs_run(&ps[i], &spoilt, false, &b))
			return TEST_FAIL;
		if (a != b)
			return complain(c, key, "reads what is not there");
		if (a != NFJ_NONE && !fills_equal(ir, &ir->entries[a], key, &spoilt))
			return complain(c, key, "fills in what is not there");
	}
	return TEST_OK;
}

/* The number of a rule behind one after which the chain may go on */
static u32 random_start(struct rnd *r, const struct nfj_ir *ir)
{
	u32 entry = gen_start(r, ir);

	if (entry)
		entry = ir->entries[entry - 1].next;
	return entry < ir->nentries ? ir->entries[entry].rule : 0;
}

static int one_chain(struct rnd *r, struct x_chain *c, u32 nkeys, bool kernel,
		     struct stats *st)
{
	static struct progs ps[ARRAY_SIZE(opts)];
	u32 i, n = kernel ? 1 : ARRAY_SIZE(opts);
	struct nfj_ir ir;
	struct nfj_key key;
	int err;

	memset(ps, 0, sizeof(ps));
	err = x_translate(c, &ir);
	if (err) {
		nfj_ir_free(&ir);
		return fail("front end: %d", err);
	}
	if (!nfj_ir_normal(&ir)) {
		x_print_chain(stdout, c);
		dump_ir(stdout, &ir);
		nfj_ir_free(&ir);
		return fail("a test is not normal");
	}
	st->chains++;
	st->tainted += !!ir.taint;
	for (i = 0; i < ir.nentries && !ir.taint; i++) {
		st->rules++;
		st->whole += !!(ir.entries[i].flags & NFJ_ENTRY_WHOLE);
	}
	st->tests += ir.ntests;
	/* programs are made of tainted chains as well, but not believed */
	for (i = 0; i < n && !err; i++) {
		/* one of them in two parts, wherever that cuts a rule */
		if (i == 1 && ir.nentries > 1 && chance(r, 50))
			err = progs_compile_split(&ps[i], &ir, NFJ_OPT_ALL,
						  1 + rnd(r, ir.nentries - 1));
		else
			err = progs_compile(&ps[i], &ir, opts[i], kernel);
	}
	for (i = 0; i < nkeys && !err && !ir.taint; i++) {
		if (chance(r, 50))
			gen_key(r, &ir, &key);
		else
			x_gen_key(r, c, &key);
		x_real_key(r, c, &key);
		key.start = random_start(r, &ir);
		err = one_key(r, c, &ir, ps, n, &key, kernel, st);
	}
	for (i = 0; i < n; i++)
		progs_free(&ps[i]);
	nfj_ir_free(&ir);
	return err;
}

int x_compare(struct x_chain *c, u32 nkeys)
{
	struct stats st = {};
	struct rnd r;

	rnd_init(&r, 0x901d, 0);
	return one_chain(&r, c, nkeys, false, &st) ||
	       (!kbpf_refused() && one_chain(&r, c, nkeys / 5, true, &st));
}

static void print_stats(const struct stats *st)
{
	note("%llu chains, %llu of them tainted, %llu rules, %llu%% whole, %llu tests",
	     st->chains, st->tainted, st->rules,
	     st->whole * 100 / (st->rules ? : 1), st->tests);
	note("%llu pairs of chain and key, %llu%% with a match", st->pairs,
	     st->matches * 100 / (st->pairs ? : 1));
}

static struct x_chain chain;

/* Leave out rules that taint: one of them would spoil a whole chain */
void x_drop_tainted(struct x_chain *c)
{
	static struct x_chain one = { .n = 1 };
	struct nfj_ir ir;
	u32 i, n = 0;

	for (i = 0; i < c->n; i++) {
		one.rule[0] = c->rule[i];
		x_translate(&one, &ir);
		if (!ir.taint)
			c->rule[n++] = one.rule[0];
		nfj_ir_free(&ir);
	}
	/* an empty rule is a chain, too */
	if (!n)
		c->rule[n++].n = 0;
	c->n = n;
}

static void random_chain(struct rnd *r, u32 n)
{
	x_gen(r, &chain, n);
	if (chance(r, 80))
		x_drop_tainted(&chain);
}

static int many(u32 nrules, u32 nchains, u32 nkeys, bool kernel)
{
	struct stats st = {};
	int err = TEST_OK;
	struct rnd r;
	u32 i;

	for (i = 0; i < nchains && !err; i++) {
		rnd_init(&r, 0x10000 + nrules * 2 + kernel, i);
		random_chain(&r, 1 + rnd(&r, nrules));
		err = one_chain(&r, &chain, nkeys, kernel, &st);
		if (err)
			note("chain %u", i);
	}
	print_stats(&st);
	/* a test that compares little is not one */
	if (!err && (st.tainted * 2 > st.chains || st.whole * 5 < st.rules ||
		     st.matches * 5 < st.pairs))
		err = fail("too little was compared");
	return err;
}

/* So many rules that no jump spans them, without tables: jumps go by stepping
 * stones, and the program need not be split; arg: rules
 */
int test_rules_big(u32 arg)
{
	u32 opts = NFJ_OPT_ALL & ~(NFJ_OPT_EXACT | NFJ_OPT_IVALS);
	static struct progs ps;
	struct nfj_insns code;
	struct nfj_key key = {};
	struct nfj_ir ir;
	int err = TEST_OK;
	u32 i, k, want;

	if (x_parse_chain("rule\n"
			  "payload load 4b @ network header + 12 => reg 1\n"
			  "cmp eq reg 1 0x00000000\n"
			  "immediate reg 0 drop\n", &chain))
		return fail("the rule is not understood");
	nfj_ir_init(&ir);
	for (i = 0; i < arg && !err; i++) {
		chain.rule[0].e[1].data[2] = i >> 8;
		chain.rule[0].e[1].data[3] = i;
		err = x_translate_more(&chain, &ir);
	}
	if (!err) {
		err = nfj_compile(&ir, 0, arg, opts, &code);
		if (err || code.n <= S16_MAX || code.ndata)
			err = fail("%u rules: %d, %u instructions, %u bytes of tables",
				   arg, err, code.n, code.ndata);
		nfj_insns_free(&code);
	}
	if (!err)
		err = progs_compile(&ps, &ir, opts, false);
	note("%u programs", ps.n);
	if (!err && ps.n != 1)
		err = fail("%u programs", ps.n);
	key.nh_len = NFJ_NH_WINDOW;
	for (i = 0; i <= arg && !err; i += i + 2 > arg ? 1 : 1 + i % 97) {
		key.nh[14] = i >> 8;
		key.nh[15] = i;
		want = i < arg ? i : NFJ_NONE;
		err = progs_run(&ps, &key, false, &k);
		if (!err && k != want)
			err = fail("rule %u, not %u", k, want);
	}
	progs_free(&ps);
	nfj_ir_free(&ir);
	return err;
}

/* arg: rules */
int test_rules(u32 arg)
{
	return many(arg, rounds * (arg > 50 ? 40 : arg > 5 ? 600 : 3000), 30,
		    false);
}

int test_rules_kernel(u32 arg)
{
	if (kbpf_refused())
		return skip("%s", kbpf_refused());
	return many(arg, rounds * (arg > 50 ? 2 : 40), 30, true);
}

/* For as long as asked: what "make fuzz" does; arg: seconds */
int test_rules_fuzz(u32 arg)
{
	time_t end = time(NULL) + arg, said = time(NULL);
	struct stats st = {};
	int err = TEST_OK;
	struct rnd r;
	u64 i;

	for (i = 0; time(NULL) < end && !err; i++) {
		rnd_init(&r, 0xf022, i);
		random_chain(&r, 1 + rnd(&r, chance(&r, 10) ? 200 :
					     chance(&r, 50) ? 4 : 20));
		err = one_chain(&r, &chain, 40, false, &st);
		if (err)
			note("chain %llu", i);
		if (time(NULL) >= said + 10) {
			said = time(NULL);
			note("%llu pairs so far", st.pairs);
		}
	}
	print_stats(&st);
	return err;
}
