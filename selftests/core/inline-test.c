// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chains that jump to each other become one (imr/inline.c): what happens to a packet
 * is what happens when they are interpreted one by one, by the reference for IMR and
 * by the program with all passes.
 *
 * A jump leads to a later chain, which is interpreted where it was not put in, or to
 * one that is not known: that notes that it was there, and changes the packet.
 */
#include <errno.h>
#include "expr.h"

#define CHAINS	6
#define OUT	CHAINS		/* the chain that is not known */

static struct x_chain chain[CHAINS];
static struct nfj_ir ir[CHAINS];

struct inline_stats {
	u64	jumps;
	u64	gone;		/* jumps that are left in what came of it */
	u64	entries;
	u64	runs;
	u64	events;
	u64	decided;
};

/* Where a jump of a rule leads: @target is a verdict map's, or 0 */
static u32 target_of(u32 from, u32 rule, u32 target)
{
	u32 h = from * 31 + rule * 7 + target * 13;

	return h % 8 == 7 || from + 1 == CHAINS ? OUT :
	       from + 1 + h % (CHAINS - 1 - from);
}

/* A chain that is not known */
static void away(struct x_run *run, u32 from, u32 rule)
{
	run->first = 0;
	x_event(run, 60000, from, rule);
	run->pkt.mark = run->pkt.mark * 5 + 1;
	run->pkt.nh[15] ^= 3;
	run->pkt.th[3] ^= 1;
}

/* True when it is decided what becomes of the packet */
static bool interpret(struct x_run *run, u32 from)
{
	const struct x_chain *c = &chain[from];
	s32 verdict;
	u32 i, to;

	for (i = 0; i < c->n; i++) {
		run->first = from * X_RULES;
		verdict = x_exprs(run, c, i, 0, c->rule[i].n);
		switch (verdict) {
		case NFT_CONTINUE:
		case NFT_BREAK:
			continue;
		case NFT_RETURN:
			return false;
		case NFT_JUMP:
		case NFT_GOTO:
			to = target_of(from, i, run->target);
			if (to == OUT)
				away(run, from, i);
			else if (interpret(run, to))
				return true;
			if (verdict == NFT_GOTO)
				return false;
			continue;
		}
		run->verdict = verdict;
		x_event(run, i, 255, verdict);
		return true;
	}
	return false;
}

/* NULL, or what is wrong with @to */
static const char *matched(struct x_run *run, const struct nfj_ir *to,
			   const struct nfj_origin *origin, const struct progs *ps,
			   u64 poison)
{
	struct nfj_key key = run->pkt;
	u32 k, i, from, next = 0;
	s32 verdict;

	while (next < to->nentries) {
		const struct nfj_entry *r, *e;
		const struct x_chain *c;

		key.start = next;
		if (!ps)
			k = ref_match(to, 0, to->nentries, &key);
		else if (progs_run(ps, &key, false, &k))
			return "the program does not run";
		if (k == NFJ_NONE)
			return NULL;
		if (k < next || k >= to->nentries)
			return "no such entry";
		r = &to->entries[k];
		from = origin[k].ir - ir;
		c = &chain[from];
		e = &origin[k].ir->entries[origin[k].entry];
		for (i = 0; i < sizeof(run->regs); i++)
			run->regs[i] = poison * (i + k);
		x_fill_regs(run, to, r, &key);
		run->first = from * X_RULES;
		verdict = x_exprs(run, c, e->rule, r->cut, r->end);
		if (verdict == NFT_CONTINUE)
			verdict = x_verdict(run, r->verdict,
					    (uintptr_t)e->target, e->rule,
					    r->end < c->rule[e->rule].n ? r->end :
					    c->rule[e->rule].n - 1);
		x_reread(&key, &run->pkt, r->changes);
		if (r->next <= k || r->next > to->nentries)
			return "no such next entry";
		next = r->next;
		switch (verdict) {
		case NFT_RETURN:
			return NULL;
		case NFT_JUMP:
		case NFT_GOTO:
			if (verdict == NFT_GOTO && from)
				return "a goto of another chain";
			i = target_of(from, e->rule, run->target);
			if (i == OUT)
				away(run, from, e->rule);
			else if (interpret(run, i))
				return NULL;
			key = run->pkt;
			if (verdict == NFT_GOTO)
				return NULL;
			break;
		case NFT_CONTINUE:
		case NFT_BREAK:
			break;
		default:
			run->verdict = verdict;
			x_event(run, e->rule, 255, verdict);
			return NULL;
		}
		if (r->flags & NFJ_ENTRY_TERMINAL)
			return "a terminal entry goes on";
	}
	return NULL;
}

static const struct nfj_ir *callee(void *arg, const struct nfj_ir *from, u32 entry)
{
	const struct nfj_entry *e = &from->entries[entry];
	u32 to = target_of(from - ir, e->rule, (uintptr_t)e->target);
	struct inline_stats *st = arg;

	st->jumps++;
	return to == OUT ? NULL : &ir[to];
}

/* As both kernels have byteorder, or as 6.1 has it alone; @v61: which */
static int compare(const struct nfj_ir *to, const struct nfj_origin *origin,
		   const struct progs *ps, const struct nfj_key *key, u64 poison,
		   bool v61, struct inline_stats *st)
{
	static struct x_run want, got;
	const char *w;
	u32 way, i;

	memset(&want, 0, sizeof(want));
	want.pkt = *key;
	want.v61 = v61;
	want.calls = true;
	want.verdict = X_END;
	interpret(&want, 0);
	st->runs++;
	st->events += want.nevents;
	st->decided += want.verdict != X_END;
	for (way = 0; way < 2; way++) {
		memset(&got, 0, sizeof(got));
		got.pkt = *key;
		got.v61 = v61;
		got.calls = true;
		got.verdict = X_END;
		w = matched(&got, to, origin, way ? ps : NULL, poison);
		if (!w)
			w = x_differ(&want, &got);
		if (!w)
			continue;
		for (i = 0; i < CHAINS; i++) {
			note("chain %u", i);
			x_print_chain(stdout, &chain[i]);
		}
		dump_ir(stdout, to);
		for (i = 0; i < want.nevents && i < X_EVENTS; i++)
			note("interpreted: rule %u expression %u value %x",
			     want.event[i].rule, want.event[i].expr,
			     want.event[i].val);
		for (i = 0; i < got.nevents && i < X_EVENTS; i++)
			note("translated: rule %u expression %u value %x",
			     got.event[i].rule, got.event[i].expr,
			     got.event[i].val);
		return fail("%s: %s", way ? "program" : "IMR", w);
	}
	return TEST_OK;
}

static int one(struct rnd *r, struct inline_stats *st)
{
	static struct nfj_origin origin[256];
	static struct progs ps;
	struct nfj_ir to;
	struct nfj_key key;
	u32 i, k, most = chance(r, 20) ? 20 : 6;
	int err = TEST_OK, res = -E2BIG;
	bool taint = false, v61 = false;

	memset(&ps, 0, sizeof(ps));
	nfj_ir_init(&to);
	for (i = 0; i < CHAINS; i++) {
		if (chance(r, 15)) {
			chain[i].n = 0;
			x_init(&chain[i], &ir[i]);
			continue;
		}
		x_gen_jumps(r, &chain[i], 1 + rnd(r, most));
		if (x_translate(&chain[i], &ir[i]))
			err = fail("front end");
		taint |= ir[i].taint;
		v61 |= x_only_61(&chain[i]);
	}
	if (!err && !taint && ir[0].nentries && ir[0].nentries <= ARRAY_SIZE(origin))
		res = nfj_ir_inline(&to, &ir[0], callee, st, origin,
				    ARRAY_SIZE(origin));
	if (res < 0 && res != -E2BIG)
		err = fail("inline: %d", res);
	if (res >= 0 && !nfj_ir_normal(&to))
		err = fail("a test is not normal");
	if (res >= 0 && !err && to.nentries)
		err = progs_compile(&ps, &to, NFJ_OPT_ALL, false);
	for (i = 0; res >= 0 && i < to.nentries; i++) {
		st->entries++;
		st->gone += to.entries[i].verdict == NFT_JUMP ||
			    to.entries[i].verdict == NFT_GOTO;
	}
	for (k = 0; k < 40 && res >= 0 && !err; k++) {
		i = rnd(r, CHAINS);
		if (to.nentries && chance(r, 50))
			gen_key(r, &to, &key);
		else if (chain[i].n)
			x_gen_key(r, &chain[i], &key);
		else
			continue;
		for (i = 0; i < CHAINS; i++)
			x_real_key(r, &chain[i], &key);
		key.start = 0;
		err = compare(&to, origin, &ps, &key, rnd64(r) | 1,
			      v61 || chance(r, 50), st);
	}
	progs_free(&ps);
	nfj_ir_free(&to);
	for (i = 0; i < CHAINS; i++)
		nfj_ir_free(&ir[i]);
	return err;
}

/* arg: tables */
int test_inline(u32 arg)
{
	struct inline_stats st = {};
	int err = TEST_OK;
	struct rnd r;
	u32 i;

	for (i = 0; i < arg * rounds && !err; i++) {
		rnd_init(&r, 0x171e, i);
		err = one(&r, &st);
		if (err)
			note("table %u", i);
	}
	note("%llu runs, %llu%% decided, %llu events", st.runs,
	     st.decided * 100 / (st.runs ?: 1), st.events);
	note("jumps looked at %llu, left %llu of %llu entries", st.jumps, st.gone,
	     st.entries);
	if (!err && (st.runs < 10 * arg || st.gone * 2 > st.entries))
		err = fail("too little was compared");
	return err;
}
