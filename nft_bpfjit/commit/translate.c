// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is a chain worth a program?  Then it becomes a state (state.c): its rules have
 * become IMR (read.c), and that becomes a matcher, all of it (load/matcher.c) or
 * what is new (edit.c).
 */
#include <linux/moduleparam.h>
#include "commit.h"
#include "whole.h"

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

/* A matcher for all of the chain */
static int nfj_translate_all(struct net *net, const struct nfj_change *c,
			     const struct nfj_ir *ir, struct nfj_state *st)
{
	struct nfj_matcher *m = nfj_matcher_new(nfj_pernet(net)->budget);
	char name[BPF_OBJ_NAME_LEN];
	int err;

	if (!m)
		return -ENOMEM;
	nfj_load_name(name, c->chain);
	err = nfj_matcher_build(m, ir, name);
	if (err)
		nfj_matcher_put(m);
	else
		nfj_state_use(st, m);
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
	struct nfj_whole *whole = NULL;
	struct nfj_state *st = NULL;
	const struct nfj_ir *ir;
	int err;

	/* without memory it has not been read */
	if (!c->nc->kept)
		return;
	ir = &c->nc->kept->ir;
	if (nft_is_base_chain(chain) && fig->jumps && !ir->taint)
		whole = nfj_whole_make(net, chain, c->nc->kept);
	if (whole) {
		ir = &whole->ir;
		fig->small = ir->cost <= nfj_cheap_limit(chain, ir);
	}
	if (!c->nc->kept->ir.nentries || ir->taint ||
	    (fig->small && !(fig->jumps && deep))) {
		fig->why = !c->nc->kept->ir.nentries ? NFJ_WHY_EMPTY :
			  ir->taint & NFJ_TAINT_TRACE ? NFJ_WHY_TRACE :
			  ir->taint ? NFJ_WHY_UNINIT :
			  nfj_unsupported(net, chain, &c->nc->kept->ir, fig) ?
			  NFJ_WHY_UNSUPPORTED : NFJ_WHY_CHEAP;
		nfj_whole_free(whole);
		return;
	}

	err = -ENOMEM;
	st = nfj_state_new(chain, c->nc, whole);
	if (!st)
		goto out;
	err = whole ? -EINVAL : nfj_edit(net, c, st);
	if (err)
		err = nfj_translate_all(net, c, ir, st);
	if (!err)
		c->st = st;
out:
	fig->why = nfj_why(err);
	fig->err = err;
	if (err && st)
		nfj_state_free(st);
	nfj_whole_free(whole);
}
