// SPDX-License-Identifier: GPL-2.0-only
/*
 * A chain of nf_tables becomes a state: rules -> IMR (read.c) -> programs ->
 * loaded.
 */
#include <linux/filter.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "../flow/flow.h"
#include "../nfj.h"

/* The interpreter is left alone below this many estimated instructions, and some
 * more where the hook does not lead to the engine directly, or where the engine
 * has residues to run.  0 translates all.
 */
#define NFJ_CHEAP_DETOUR	80
#define NFJ_CHEAP_RESIDUE	120
static unsigned int nfj_cheap = 40;
module_param_named(cheap, nfj_cheap, uint, 0644);
MODULE_PARM_DESC(cheap, "estimated instructions up to which a chain is left to the interpreter");

/* Passes that run, for comparison; see NFJ_OPT_* */
static unsigned int nfj_opts = NFJ_OPT_ALL;
module_param_named(passes, nfj_opts, uint, 0644);
MODULE_PARM_DESC(passes, "bit mask of passes: 1 tree, 2 loads, 4 common tests, 8 hash tables, 16 interval tables, 32 entry, 64 packed leaves");

/* Load a program, within the budget */
static int nfj_program(struct nfj_state *st, const char *name, u32 last,
		       const struct nfj_insns *insns)
{
	size_t size = insns->n * sizeof(*insns->insn) + insns->ndata;
	struct nfj_prog *prog;
	int err;

	prog = kvmalloc_array(st->nprogs + 1, sizeof(*prog), GFP_KERNEL);
	if (!prog)
		return -ENOMEM;
	if (st->nprogs)
		memcpy(prog, st->prog, st->nprogs * sizeof(*prog));
	kvfree(st->prog);
	st->prog = prog;
	prog += st->nprogs;
	prog->last = last;

	/* at least this, so as not to bother the verifier in vain */
	err = nfj_budget_charge(st->budget, size);
	if (err)
		return err;
	err = nfj_load(insns, name, &prog->prog);
	nfj_budget_uncharge(st->budget, size);
	if (err)
		return err;
	size = nfj_load_size(prog->prog) + insns->ndata;
	err = nfj_budget_charge(st->budget, size);
	if (err) {
		bpf_prog_put(prog->prog);
		return err;
	}
	st->charged += size;
	st->nprogs++;
	prog->need = insns->need;
	prog->have = nfj_need_mask(&prog->need);
	st->insns += insns->n;
	st->jited += prog->prog->jited_len;
	return 0;
}

/* Compile and load rules [first, last), in halves where one is too large for
 * the emitter, the verifier or the JIT
 */
static int nfj_programs(const struct nfj_ir *ir, struct nfj_state *st,
			const char *name, u32 first, u32 last)
{
	struct nfj_insns insns;
	int err;

	err = nfj_compile(ir, first, last, READ_ONCE(nfj_opts), &insns);
	if (!err)
		err = nfj_program(st, name, last, &insns);
	nfj_insns_free(&insns);
	if ((err == -ERANGE || err == -E2BIG || err == -EOVERFLOW) &&
	    last - first > 1) {
		u32 mid = first + (last - first) / 2;

		err = nfj_programs(ir, st, name, first, mid);
		if (!err)
			err = nfj_programs(ir, st, name, mid, last);
	}
	return err;
}

/* Rules about the connection at the head of a chain, as nearly each firewall has
 * them ("ct state established accept"), get a matcher of their own: most packets
 * end there, and for these nothing else need be extracted.
 */
static u32 nfj_front(const struct nfj_ir *ir)
{
	const u32 ct = NFJ_VALID_CT | NFJ_VALID_CTMARK;
	u32 i, j;

	for (i = 0; i < ir->nrules; i++) {
		const struct nfj_rule *r = &ir->rules[i];

		if (!r->ntests || r->flags & NFJ_RULE_DEAD)
			break;
		for (j = 0; j < r->ntests; j++) {
			const struct nfj_test *t = &ir->tests[r->first + j];

			if (t->off == offsetof(struct nfj_key, valid) ?
			    t->mask & ~ct :
			    t->off < offsetof(struct nfj_key, ct_state) ||
			    t->off > offsetof(struct nfj_key, ct_mark))
				return i;
		}
	}
	return i;
}

/* All programs of a chain */
static int nfj_programs_all(const struct nfj_ir *ir, struct nfj_state *st,
			    const char *name)
{
	u32 front = nfj_front(ir);
	int err;

	/* an entry leads over the rest of its rule: they stay together */
	while (front && front < ir->nrules &&
	       ir->rules[front].rule == ir->rules[front - 1].rule)
		front--;
	if (front && ir->nrules - front > 2) {
		err = nfj_programs(ir, st, name, 0, front);
		if (err)
			return err;
	} else {
		front = 0;
	}
	return nfj_programs(ir, st, name, front, ir->nrules);
}

static u8 nfj_why(int err)
{
	switch (err) {
	case 0:
		return NFJ_WHY_BPF;
	case -ENOMEM:
		return NFJ_WHY_NOMEM;
	case -ENOTSUPP:
		return NFJ_WHY_NOJIT;
	case -EDQUOT:
		return NFJ_WHY_LIMIT;
	case -EBADMSG:
		return NFJ_WHY_CHECK;
	case -ERANGE:
	case -E2BIG:
	case -EOVERFLOW:
		return NFJ_WHY_TOOBIG;
	default:
		return NFJ_WHY_VERIFIER;
	}
}

static void nfj_figures_count(struct nfj_figures *fig, const struct nfj_ir *ir)
{
	u32 i, rules = 0;

	fig->whole = 0;
	fig->residue = 0;
	fig->taint = ir->taint;
	fig->jumps = false;
	for (i = 0; i < ir->nrules; i++) {
		const struct nfj_rule *r = &ir->rules[i];

		fig->jumps |= !!(r->flags & NFJ_RULE_JUMPS);
		/* a rule of several entries counts once */
		if (r->rule < rules)
			continue;
		rules = r->rule + 1;
		fig->whole += !!(r->flags & NFJ_RULE_WHOLE);
		fig->residue += !(r->flags & NFJ_RULE_DEAD) && r->cut < r->end;
	}
	fig->rules = rules;
}

/* Is a chain all residue because of something that is not understood?  Remembers
 * the first such expression.
 */
static bool nfj_unsupported(const struct net *net, const struct nft_chain *chain,
			    const struct nfj_ir *ir, struct nfj_figures *fig)
{
	const struct nfj_rule *first = NULL;
	const struct nft_rule *rule;
	u32 i, n = 0;

	for (i = 0; i < ir->nrules; i++) {
		const struct nfj_rule *r = &ir->rules[i];

		if (r->ntests)
			return false;
		if (!first && !(r->flags & (NFJ_RULE_WHOLE | NFJ_RULE_DEAD)))
			first = r;
	}
	if (!first)
		return false;
	list_for_each_entry(rule, &chain->rules, list) {
		if (!nft_is_active_next(net, rule) || n++ != first->rule)
			continue;
		fig->handle = rule->handle;
		fig->stop = first->stop;
		return true;
	}
	return false;
}

static bool nfj_tests_equal(const struct nfj_ir *ir, const struct nfj_test *a,
			    const struct nfj_test *b)
{
	if (a->kind != b->kind || a->n != b->n || a->size != b->size ||
	    a->order != b->order || a->off != b->off || a->mask != b->mask ||
	    a->hi != b->hi)
		return false;
	if (a->kind == NFJ_SET_IN || a->kind == NFJ_SET_OUT)
		return !memcmp(&ir->ivals[a->lo], &ir->ivals[b->lo],
			       a->hi * sizeof(*ir->ivals));
	return a->lo == b->lo;
}

/* Does entry @b match whenever entry @a does? */
static bool nfj_implies(const struct nfj_ir *ir, const struct nfj_rule *a,
			const struct nfj_rule *b)
{
	u32 i, j;

	/* only a program that has found b has made b's part of the key */
	if (b->nfills || (b->ntests && a->flags & NFJ_RULE_MUTATES))
		return false;
	for (i = 0; i < b->ntests; i++) {
		const struct nfj_test *t = &ir->tests[b->first + i];

		/* the chunks of a wide test belong together */
		if (t->kind == NFJ_WIDE_IN || t->kind == NFJ_WIDE_OUT)
			return false;
		for (j = 0; j < a->ntests; j++)
			if (nfj_tests_equal(ir, &ir->tests[a->first + j], t))
				break;
		if (j == a->ntests)
			return false;
	}
	return true;
}

/* The actions, for nfj_blob_build() to put in offsets for numbers */
static struct nfj_act *nfj_acts_make(const struct nfj_ir *ir)
{
	struct nfj_act *acts;
	u32 i;

	acts = kvcalloc(ir->nrules, sizeof(*acts), GFP_KERNEL);
	if (!acts)
		return NULL;
	for (i = 0; i < ir->nrules; i++) {
		const struct nfj_rule *r = &ir->rules[i];
		struct nfj_act *act = &acts[i];

		act->expr = r->cut;
		act->end = r->end;
		act->rule = r->rule;
		act->verdict = r->verdict;
		act->chain = r->target;
		act->fill = r->fill;
		act->nfills = r->nfills;
		if (r->flags & NFJ_RULE_MUTATES)
			act->flags |= NFJ_ACT_MUTATES;
		act->next = r->next;
		while (act->next < ir->nrules &&
		       ir->rules[act->next].flags & NFJ_RULE_DEAD)
			act->next = ir->rules[act->next].next;
		if (act->next < ir->nrules &&
		    nfj_implies(ir, r, &ir->rules[act->next]))
			act->flags |= NFJ_ACT_NEXT;
	}
	return acts;
}

static unsigned int nfj_cheap_limit(const struct nft_chain *chain,
				    const struct nfj_ir *ir)
{
	unsigned int cheap = READ_ONCE(nfj_cheap);

	if (!cheap)
		return 0;
	if (ir->residue)
		cheap += NFJ_CHEAP_RESIDUE;
	if (!nft_is_base_chain(chain) || !nfj_entry_fn(nft_base_chain(chain)))
		cheap += NFJ_CHEAP_DETOUR;
	return cheap;
}

/**
 * nfj_translate - translate the next generation of a chain
 * @net: the netns
 * @c: the chain; gets the new state, without a blob yet, or NULL when the chain
 *     is left to the interpreter: nfj_figures::why tells why
 *
 * Brings up to date what is known of the chain: its figures and its rules.
 *
 * Context: commit mutex; sleeps.
 *
 * Return: 0, or an errno that nfj_figures::why stands for as well.
 */
int nfj_translate(struct net *net, struct nfj_change *c)
{
	struct nfj_figures *fig = &c->nc->fig;
	const struct nft_chain *chain = c->chain;
	char name[BPF_OBJ_NAME_LEN];
	struct nfj_state *st = NULL;
	const struct nfj_ir *ir;
	int err;

	err = nfj_change_read(net, c);
	if (err) {
		/* what was not read may be anything */
		fig->taint = NFJ_TAINT_UNINIT;
		goto out;
	}
	ir = &c->nc->kept->ir;

	nfj_figures_count(fig, ir);
	if (!ir->nrules || ir->taint ||
	    (ir->cost <= nfj_cheap_limit(chain, ir) && !fig->jumps)) {
		fig->why = !ir->nrules ? NFJ_WHY_EMPTY :
			  ir->taint & NFJ_TAINT_TRACE ? NFJ_WHY_TRACE :
			  ir->taint ? NFJ_WHY_UNINIT :
			  nfj_unsupported(net, chain, ir, fig) ?
			  NFJ_WHY_UNSUPPORTED : NFJ_WHY_CHEAP;
		return 0;
	}

	err = -ENOMEM;
	st = kzalloc(sizeof(*st), GFP_KERNEL);
	if (!st)
		goto out;
	INIT_LIST_HEAD(&st->list);
	st->budget = nfj_budget_get(nfj_pernet(net)->budget);
	st->chain = chain;
	st->enter = nft_is_base_chain(chain) || !fig->jumps;
	st->nacts = ir->nrules;
	st->acts = nfj_acts_make(ir);
	if (!st->acts)
		goto out;
	if (ir->nfills) {
		st->fills = kvmalloc_array(ir->nfills, sizeof(*st->fills),
					   GFP_KERNEL);
		if (!st->fills)
			goto out;
		memcpy(st->fills, ir->fills, ir->nfills * sizeof(*st->fills));
	}
	nfj_load_name(name, chain);
	err = nfj_programs_all(ir, st, name);
	if (!err)
		c->st = st;
out:
	fig->why = nfj_why(err);
	fig->err = err;
	if (err && st)
		nfj_state_free(st);
	return err;
}
