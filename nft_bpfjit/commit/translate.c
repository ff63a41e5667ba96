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
 * has residues to run, in front of a verdict that ends all or of more rules.  0
 * translates all.
 */
#define NFJ_CHEAP_DETOUR	80
#define NFJ_CHEAP_ENDS		20
#define NFJ_CHEAP_GOES_ON	120
static unsigned int nfj_cheap = 40;
module_param_named(cheap, nfj_cheap, uint, 0644);
MODULE_PARM_DESC(cheap, "estimated instructions up to which a chain is left to the interpreter");

/* Passes that run, for comparison; see NFJ_OPT_* */
static unsigned int nfj_opts = NFJ_OPT_ALL;
module_param_named(passes, nfj_opts, uint, 0644);
MODULE_PARM_DESC(passes, "bit mask of passes: 1 tree, 2 loads, 4 common tests, 8 hash tables, 16 interval tables, 32 start, 64 packed leaves");

/**
 * nfj_matcher_new - a matcher without programs
 * @budget: whose memory they are to be
 *
 * Return: the matcher, to be released with nfj_matcher_put(), or NULL.
 */
struct nfj_matcher *nfj_matcher_new(struct nfj_budget *budget)
{
	struct nfj_matcher *m = kzalloc(sizeof(*m), GFP_KERNEL);

	if (!m)
		return NULL;
	refcount_set(&m->ref, 1);
	m->budget = nfj_budget_get(budget);
	return m;
}

/**
 * nfj_matcher_put - no longer use a matcher
 * @m: the matcher, or NULL; no packet is in it on the caller's account
 */
void nfj_matcher_put(struct nfj_matcher *m)
{
	u32 i;

	if (!m || !refcount_dec_and_test(&m->ref))
		return;
	for (i = 0; i < m->nprogs; i++)
		bpf_prog_put(m->prog[i].prog);
	kvfree(m->prog);
	nfj_budget_uncharge(m->budget, m->charged);
	nfj_budget_put(m->budget);
	kfree(m);
}

/**
 * nfj_matcher_use - let a state use a matcher that was made for its entries
 * @st: the state
 * @m: the matcher, which the state keeps from now on
 */
void nfj_matcher_use(struct nfj_state *st, struct nfj_matcher *m)
{
	st->matcher = m;
	st->nprogs = st->acts->flags & NFJ_ACT_ALWAYS ? 0 : m->nprogs;
	st->prog = m->prog;
}

/* Load a program, within the budget */
static int nfj_program(struct nfj_matcher *m, const char *name, u32 last,
		       const struct nfj_insns *insns)
{
	size_t size = insns->n * sizeof(*insns->insn) + insns->ndata;
	struct nfj_prog *prog;
	int err;

	prog = kvmalloc_array(m->nprogs + 1, sizeof(*prog), GFP_KERNEL);
	if (!prog)
		return -ENOMEM;
	if (m->nprogs)
		memcpy(prog, m->prog, m->nprogs * sizeof(*prog));
	kvfree(m->prog);
	m->prog = prog;
	prog += m->nprogs;
	prog->last = last;
	prog->open = insns->open;

	/* at least this, so as not to bother the verifier in vain */
	err = nfj_budget_charge(m->budget, size);
	if (err)
		return err;
	err = nfj_load(insns, name, &prog->prog);
	nfj_budget_uncharge(m->budget, size);
	if (err)
		return err;
	size = nfj_load_size(prog->prog) + insns->ndata;
	err = nfj_budget_charge(m->budget, size);
	if (err) {
		bpf_prog_put(prog->prog);
		return err;
	}
	m->charged += size;
	m->nprogs++;
	prog->need = insns->need;
	prog->needs = nfj_need_mask(&prog->need);
	m->insns += insns->n;
	m->jited += prog->prog->jited_len;
	m->tables += insns->ndata;
	return 0;
}

/* Compile and load rules [first, last), in halves where one is too large for
 * the emitter, the verifier or the JIT
 */
static int nfj_programs(const struct nfj_ir *ir, struct nfj_matcher *m,
			const char *name, u32 first, u32 last)
{
	struct nfj_insns insns;
	int err;

	err = nfj_compile(ir, first, last, READ_ONCE(nfj_opts), &insns);
	if (!err)
		err = nfj_program(m, name, last, &insns);
	nfj_insns_free(&insns);
	if ((err == -ERANGE || err == -E2BIG || err == -EOVERFLOW) &&
	    last - first > 1) {
		u32 mid = first + (last - first) / 2;

		err = nfj_programs(ir, m, name, first, mid);
		if (!err)
			err = nfj_programs(ir, m, name, mid, last);
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

	for (i = 0; i < ir->nentries; i++) {
		const struct nfj_entry *r = &ir->entries[i];

		if (!r->ntests || r->flags & NFJ_ENTRY_DEAD)
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

/**
 * nfj_matcher_build - compile and load all programs of a chain
 * @m: without programs so far
 * @ir: the chain
 * @name: what bpftool shows, see nfj_load_name()
 *
 * Context: sleeps.
 *
 * Return: 0, or an errno; then @m is good for nothing but to be released.
 */
int nfj_matcher_build(struct nfj_matcher *m, const struct nfj_ir *ir,
		      const char *name)
{
	u32 front = nfj_front(ir);
	int err;

	m->nentries = ir->nentries;
	/* an entry leads over the rest of its rule: they stay together */
	while (front && front < ir->nentries &&
	       ir->entries[front].rule == ir->entries[front - 1].rule)
		front--;
	if (front && ir->nentries - front > 2) {
		err = nfj_programs(ir, m, name, 0, front);
		if (err)
			return err;
	} else {
		front = 0;
	}
	return nfj_programs(ir, m, name, front, ir->nentries);
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
	for (i = 0; i < ir->nentries; i++) {
		const struct nfj_entry *r = &ir->entries[i];

		fig->jumps |= !!(r->flags & NFJ_ENTRY_JUMPS);
		/* a rule of several entries counts once */
		if (r->rule < rules)
			continue;
		rules = r->rule + 1;
		fig->whole += !!(r->flags & NFJ_ENTRY_WHOLE);
		fig->residue += !(r->flags & NFJ_ENTRY_DEAD) && r->cut < r->end;
	}
	fig->rules = rules;
}

/* Is a chain all residue because of something that is not understood?  Remembers
 * the first such expression.
 */
static bool nfj_unsupported(const struct net *net, const struct nft_chain *chain,
			    const struct nfj_ir *ir, struct nfj_figures *fig)
{
	const struct nfj_entry *first = NULL;
	const struct nft_rule *rule;
	u32 i, n = 0;

	for (i = 0; i < ir->nentries; i++) {
		const struct nfj_entry *r = &ir->entries[i];

		if (r->ntests)
			return false;
		if (!first && !(r->flags & (NFJ_ENTRY_WHOLE | NFJ_ENTRY_DEAD)))
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
static bool nfj_implies(const struct nfj_ir *ir, const struct nfj_entry *a,
			const struct nfj_entry *b)
{
	u32 i, j;

	/* only a program that has found b has made b's part of the key */
	if (b->nfills || (b->ntests && a->flags & NFJ_ENTRY_MUTATES))
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

	acts = kvcalloc(ir->nentries, sizeof(*acts), GFP_KERNEL);
	if (!acts)
		return NULL;
	for (i = 0; i < ir->nentries; i++) {
		const struct nfj_entry *r = &ir->entries[i];
		struct nfj_act *act = &acts[i];

		act->expr = r->cut;
		act->end = r->end;
		act->rule = r->rule;
		act->verdict = r->verdict;
		act->chain = r->target;
		act->fill = r->fill;
		act->nfills = r->nfills;
		if (r->flags & NFJ_ENTRY_MUTATES)
			act->flags |= NFJ_ACT_MUTATES;
		/* what is filled in has to be extracted for a program */
		if (!r->ntests && !r->nfills && !(r->flags & NFJ_ENTRY_DEAD))
			act->flags |= NFJ_ACT_ALWAYS;
		act->next = r->next;
		/* one by one: behind a dead entry its rule may have another,
		 * for packets whose transport header is too short
		 */
		while (act->next < ir->nentries &&
		       ir->entries[act->next].flags & NFJ_ENTRY_DEAD)
			act->next++;
		if (act->next < ir->nentries &&
		    nfj_implies(ir, r, &ir->entries[act->next]))
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
	if (ir->residue & NFJ_RESIDUE_GOES_ON)
		cheap += NFJ_CHEAP_GOES_ON;
	else if (ir->residue & NFJ_RESIDUE_ENDS)
		cheap += NFJ_CHEAP_ENDS;
	if (!nft_is_base_chain(chain) || !nfj_hook_fn(nft_base_chain(chain)))
		cheap += NFJ_CHEAP_DETOUR;
	return cheap;
}

/**
 * nfj_state_new - a state without a matcher
 * @chain: the chain
 * @nc: what is known of it, its rules among it
 *
 * Context: commit mutex.
 *
 * Return: the state, to be freed with nfj_state_free(), or NULL.
 */
struct nfj_state *nfj_state_new(const struct nft_chain *chain,
				const struct nfj_chain *nc)
{
	static atomic64_t serial = ATOMIC64_INIT(0);
	struct nfj_state *st = kzalloc(sizeof(*st), GFP_KERNEL);
	const struct nfj_ir *ir = &nc->kept->ir;

	if (!st)
		return NULL;
	INIT_LIST_HEAD(&st->list);
	st->chain = chain;
	st->serial = atomic64_inc_return(&serial);
	st->enter = nft_is_base_chain(chain) || !nc->fig.jumps;
	st->nacts = ir->nentries;
	st->acts = nfj_acts_make(ir);
	if (!st->acts)
		goto out_free;
	if (!ir->nfills)
		return st;
	st->fills = kvmalloc_array(ir->nfills, sizeof(*st->fills), GFP_KERNEL);
	if (!st->fills)
		goto out_free;
	memcpy(st->fills, ir->fills, ir->nfills * sizeof(*st->fills));
	return st;

out_free:
	nfj_state_free(st);
	return NULL;
}

/* A matcher for all of the chain */
static int nfj_translate_whole(struct net *net, const struct nfj_change *c,
			       struct nfj_state *st)
{
	struct nfj_matcher *m = nfj_matcher_new(nfj_pernet(net)->budget);
	char name[BPF_OBJ_NAME_LEN];
	int err;

	if (!m)
		return -ENOMEM;
	nfj_load_name(name, c->chain);
	err = nfj_matcher_build(m, &c->nc->kept->ir, name);
	if (err)
		nfj_matcher_put(m);
	else
		nfj_matcher_use(st, m);
	return err;
}

/**
 * nfj_change_look - find out about the next generation of a chain
 * @net: the netns
 * @c: the chain; its rules and figures are brought up to date
 *
 * Context: commit mutex; sleeps.
 */
void nfj_change_look(struct net *net, struct nfj_change *c)
{
	struct nfj_figures *fig = &c->nc->fig;
	const struct nfj_ir *ir;
	int err;

	err = nfj_change_read(net, c);
	if (err) {
		/* what was not read may be anything */
		fig->taint = NFJ_TAINT_UNINIT;
		fig->why = nfj_why(err);
		fig->err = err;
		return;
	}
	ir = &c->nc->kept->ir;
	nfj_figures_count(fig, ir);
	fig->small = ir->cost <= nfj_cheap_limit(c->chain, ir);
}

/**
 * nfj_table_deep - must jumps of the table's chains be taken by the engine?
 * @net: the netns
 * @table: the table
 *
 * A chain that is jumped to and jumps on can be entered only by the engine (see
 * engine.c).  As long as none of these is worth it, chains that do little but jump
 * are left to the interpreter, which enters the others by itself.
 *
 * Context: commit mutex.
 *
 * Return: true if so.
 */
bool nfj_table_deep(const struct net *net, const struct nft_table *table)
{
	const struct nft_chain *chain;

	/* all are worth it */
	if (!READ_ONCE(nfj_cheap))
		return true;
	list_for_each_entry(chain, &table->chains, list) {
		const struct nfj_chain *nc;

		if (nft_is_base_chain(chain) || !nft_is_active_next(net, chain))
			continue;
		nc = nfj_chain_find(chain);
		if (nc && nc->fig.jumps && !nc->fig.small)
			return true;
	}
	return false;
}

/**
 * nfj_translate - translate the next generation of a chain
 * @net: the netns
 * @c: the chain, looked at; gets the new state, without a blob yet, or NULL when
 *     the chain is left to the interpreter: nfj_figures::why tells why
 * @deep: nfj_table_deep() of its table
 *
 * Context: commit mutex; sleeps.
 */
void nfj_translate(struct net *net, struct nfj_change *c, bool deep)
{
	struct nfj_figures *fig = &c->nc->fig;
	const struct nft_chain *chain = c->chain;
	struct nfj_state *st = NULL;
	const struct nfj_ir *ir;
	int err;

	/* without memory it has not been read */
	if (!c->nc->kept)
		return;
	ir = &c->nc->kept->ir;
	if (!ir->nentries || ir->taint ||
	    (fig->small && !(fig->jumps && deep))) {
		fig->why = !ir->nentries ? NFJ_WHY_EMPTY :
			  ir->taint & NFJ_TAINT_TRACE ? NFJ_WHY_TRACE :
			  ir->taint ? NFJ_WHY_UNINIT :
			  nfj_unsupported(net, chain, ir, fig) ?
			  NFJ_WHY_UNSUPPORTED : NFJ_WHY_CHEAP;
		return;
	}

	err = -ENOMEM;
	st = nfj_state_new(chain, c->nc);
	if (!st)
		goto out;
	err = nfj_edit(net, c, st);
	if (err)
		err = nfj_translate_whole(net, c, st);
	if (!err)
		c->st = st;
out:
	fig->why = nfj_why(err);
	fig->err = err;
	if (err && st)
		nfj_state_free(st);
}
