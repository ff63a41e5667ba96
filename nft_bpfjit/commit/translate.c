// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is a chain worth a program?  Then it becomes a state (state.c): its rules have
 * become IMR (read.c), and that becomes a matcher, all of it (load/matcher.c) or
 * what is new (edit.c).
 */
#include <linux/moduleparam.h>
#include "commit.h"

/* At most so many times is the number of commits to let pass doubled */
#define NFJ_FAILS_MAX		6

/* What the interpreter may cost more, in estimated instructions, where it enters the
 * engine on its way or where programs are too many: by itself, and for residues that
 * the engine has to run, in front of a verdict that ends all or of more rules.
 */
#define NFJ_CHEAP_DETOUR	120
#define NFJ_CHEAP_ENDS		20
#define NFJ_CHEAP_GOES_ON	120

/* Left to the interpreter up to here: 1 is what has a test.  0 translates all that
 * has something to match, wherever it is.
 */
static unsigned int nfj_min_cost = 1;
module_param_named(min_cost, nfj_min_cost, uint, 0644);
MODULE_PARM_DESC(min_cost, "estimated instructions up to which a chain is left to the interpreter");

static u8 nfj_why(int err)
{
	switch (err) {
	case -ENOMEM:
		return NFJ_WHY_NOMEM;
	case -EMFILE:
	case -ENFILE:
		return NFJ_WHY_NOFILE;
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

/**
 * nfj_failed - a chain could not be translated
 * @out: says so from now on
 * @err: why
 *
 * The more often it fails in a row, the longer nobody tries again.
 */
void nfj_failed(struct nfj_outcome *out, int err)
{
	out->why = nfj_why(err);
	out->err = err;
	out->skip = (1U << out->fails) - 1;
	if (out->fails < NFJ_FAILS_MAX)
		out->fails++;
}

/**
 * nfj_all - is everything to be translated, whatever it costs?
 *
 * Return: true if so.
 */
bool nfj_all(void)
{
	return !READ_ONCE(nfj_min_cost);
}

/**
 * nfj_small - is a chain, by itself, not worth a program?
 * @nc: what is known of it
 * @near: a chain that is jumped to is entered by the engine
 *
 * The engine runs one rule for less than the interpreter, but only if it is there: a
 * base chain whose hook calls it, or a chain that a program jumps to.
 *
 * Return: true if it is not.
 */
bool nfj_small(const struct nfj_chain *nc, bool near)
{
	unsigned int cheap = READ_ONCE(nfj_min_cost);

	if (!cheap)
		return !nc->stats.cost;
	if (nft_is_base_chain(nc->chain))
		near = nfj_hook_fn(nft_base_chain(nc->chain));
	if (near)
		return nc->stats.cost <= cheap;
	cheap += NFJ_CHEAP_DETOUR;
	if (nc->stats.residue & NFJ_RESIDUE_GOES_ON)
		cheap += NFJ_CHEAP_GOES_ON;
	else if (nc->stats.residue & NFJ_RESIDUE_ENDS)
		cheap += NFJ_CHEAP_ENDS;
	return nc->stats.cost <= cheap;
}

/**
 * nfj_change_look - find out about the next generation of a chain
 * @net: the netns
 * @c: the chain; what is known of it is brought up to date
 *
 * Of a chain that is translated, or may well be, all rules have been read then.
 *
 * Context: commit mutex; sleeps.
 */
void nfj_change_look(struct net *net, struct nfj_change *c)
{
	int err;

	if (!c->nc->kept && !nfj_change_peek(net, c))
		return;
	err = nfj_change_read(net, c);
	if (err)
		nfj_failed(&c->nc->out, err);
}

/* A matcher for all of the chain */
static int nfj_translate_whole(struct net *net, const struct nfj_change *c,
			       const struct nfj_flat *flat, struct nfj_state *st,
			       size_t *wanted)
{
	struct nfj_matcher *m = nfj_matcher_new(nfj_pernet(net)->budget);
	char name[BPF_OBJ_NAME_LEN];
	int err;

	if (!m)
		return -ENOMEM;
	nfj_load_name(name, c->chain);
	err = nfj_matcher_build(m, flat ? &flat->ir : &c->nc->kept->ir, name);
	*wanted += m->charged + m->refused;
	if (err)
		nfj_matcher_put(m);
	else
		nfj_state_use(st, m);
	return err;
}

/* All that a state takes is asked for before anything is compiled */
static int nfj_translate_state(struct net *net, struct nfj_change *c,
			       const struct nfj_flat *flat, size_t *wanted)
{
	struct nfj_budget *budget = nfj_pernet(net)->budget;
	struct nfj_kept *kept = c->nc->kept;
	struct nfj_state *st;
	int err;

	err = kept->charged ? 0 : nfj_kept_charge(kept, budget, wanted);
	if (err)
		return err;
	st = nfj_state_new(net, c->nc, flat, budget, wanted);
	if (IS_ERR(st))
		return PTR_ERR(st);
	nfj_hits_attach(net, c->chain, c->nc, st);
	err = flat ? -EINVAL : nfj_edit(net, c, st);
	if (err)
		err = nfj_translate_whole(net, c, flat, st, wanted);
	if (err)
		nfj_state_free(st);
	else
		c->st = st;
	return err;
}

/**
 * nfj_translate - translate the next generation of a chain
 * @net: the netns
 * @c: the chain, which is worth it; gets the new state, without a blob yet, or NULL
 *     when that failed: nfj_outcome::why tells why
 *
 * Context: commit mutex; sleeps.
 */
void nfj_translate(struct net *net, struct nfj_change *c)
{
	struct nfj_outcome *out = &c->nc->out;
	struct nfj_flat *flat;
	size_t wanted = 0;
	int err;

	flat = nfj_flat_new(net, c->nc);
	err = nfj_translate_state(net, c, flat, &wanted);
	nfj_flat_free(flat);
	if (err) {
		nfj_failed(out, err);
		out->wanted = wanted;
	} else {
		memset(out, 0, sizeof(*out));
	}
}
