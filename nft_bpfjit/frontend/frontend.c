// SPDX-License-Identifier: GPL-2.0-only
/*
 * Front end: one rule's expressions become tests and a residue.
 *
 * The expressions are walked in order.  Those that only load and compare
 * become tests; the first that does something else (counts, logs, sets a mark,
 * looks up, decides) is where the residue starts.  But the residue runs on
 * registers that the matcher never loads.  What it reads of them is mostly a
 * piece of the flow key, or constant, and then the engine fills it in (value.c
 * knows where each bit came from):
 *
 *	ct load mark => reg 1
 *	meta set mark with reg 1		<- cut, reg 1 = key->ct_mark
 *
 * Where it is not, the cut moves back until every register the residue reads is
 * also written there:
 *
 *	ct load mark => reg 1			<- cut
 *	bitwise reg 1 = (reg 1 & 0xf) ^ 0x10
 *	meta set mark with reg 1
 *
 * Registers live across the rules of a chain.  A rule that reads what an
 * earlier rule left there (6.1 lets raw netlink do so) ties the two together;
 * such a chain is marked NFJ_TAINT_UNINIT and left to the interpreter with all
 * that may reach it.  NFJ_TAINT_TRACE is the same for rules that set nftrace.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/netfilter.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "frontend.h"

/* instructions that the interpreter spends on one expression, roughly, and besides
 * on a lookup in a set
 */
#define NFJ_COST_EXPR	33
#define NFJ_COST_SET	250

struct nfj_fe_step {
	const struct nfj_fe_row	*row;
	u32			rd;
	u32			rd_may;
	u32			wr;
	s32			verdict;
	u16			changes;
	bool			is_verdict;
	bool			live;
};

struct nfj_fe_scratch {
	struct nfj_fe		fe;
	struct nfj_fe_step	step[NFJ_EXPRS_MAX];
};

/**
 * nfj_frontend_wants - does the front end read this expression's attributes?
 * @name: name of its type
 *
 * Return: true when nfj_expr_in::attrs should be filled in; a dump that is not
 * needed is not made.
 */
bool nfj_frontend_wants(const char *name)
{
	const struct nfj_fe_row *row = nfj_fe_row(name);

	return row && row->fn;
}

/* What an expression reads, writes and tests.  One that this front end has never
 * heard of, or that has something about it that its row does not know, may do
 * anything with registers, and jump.
 */
static int nfj_fe_expr(struct nfj_fe_scratch *s, const struct nfj_expr_in *in,
		       struct nfj_fe_step *step)
{
	const struct nlattr *tb[NFJ_FE_MAXATTR];
	const struct nfj_fe_row *row = nfj_fe_row(in->name);
	const bool collect = s->fe.collect;
	struct nfj_fe *fe = &s->fe;
	int res = NFJ_FE_STOP;

	fe->rd = 0;
	fe->rd_may = 0;
	fe->wr = 0;
	fe->is_verdict = false;
	fe->live = false;
	fe->changes = row && row->flags & NFJ_FE_CHANGES ? NFJ_GROUPS_ALL : 0;
	step->row = row;
	if (!row || !nfj_fe_knows(row, in, tb)) {
		step->row = NULL;
		/* what taints is of interest all the same */
		fe->collect = false;
		if (row && row->fn)
			res = row->fn(fe, tb, in);
		fe->collect = collect;
		fe->rd_may = (1U << NFJ_REG_WORDS) - 1;
		fe->wr = 0;
		fe->is_verdict = false;
		fe->live = false;
		fe->changes = NFJ_GROUPS_ALL;
		fe->jumps = true;
		nfj_value_reset(fe);
		res = res < 0 ? res : NFJ_FE_STOP;
	} else if (row->fn) {
		res = row->fn(fe, tb, in);
	}
	step->rd = fe->rd;
	step->rd_may = fe->rd_may;
	step->wr = fe->wr;
	step->is_verdict = fe->is_verdict;
	step->verdict = fe->verdict;
	step->live = fe->live;
	step->changes = fe->changes;
	if (fe->is_verdict &&
	    (fe->verdict == NFT_JUMP || fe->verdict == NFT_GOTO))
		fe->jumps = true;
	return res;
}

/* Walk the @n expressions of a rule, or those before @behind: registers are as they
 * are there then.  The number of the first that is not pure, or @behind.
 */
static int nfj_fe_walk(struct nfj_fe_scratch *s, const struct nfj_expr_in *in,
		       unsigned int n, unsigned int behind, bool *never)
{
	struct nfj_fe *fe = &s->fe;
	unsigned int i, stop = behind;
	int res;

	nfj_value_reset(fe);
	fe->collect = true;
	fe->vmap = false;
	fe->odd_at = -1;
	nfj_ir_free(&fe->cases);
	nfj_ir_free(&fe->odd);
	*never = false;
	for (i = 0; i < behind; i++) {
		fe->last = i + 1 == n;
		fe->at = i;
		res = nfj_fe_expr(s, &in[i], &s->step[i]);
		if (res < 0)
			return res;
		if (res == NFJ_FE_NEVER && fe->collect)
			*never = true;
		if (res != NFJ_FE_PURE && fe->collect) {
			fe->collect = false;
			stop = i;
		}
	}
	return stop;
}

/* Move the cut from @stop to where the residue loads all that it reads.  Words
 * that are read at @stop and were written before it are left in @needed.
 */
static unsigned int nfj_fe_cut(struct nfj_fe_scratch *s, unsigned int stop,
			       unsigned int n, u32 *uninit, u32 *needed)
{
	u32 live = 0, must = 0, written = 0;
	unsigned int i, cut;

	for (i = 0; i < stop; i++)
		written |= s->step[i].wr;
	for (i = n; i-- > stop;) {
		live &= ~s->step[i].wr;
		live |= s->step[i].rd | s->step[i].rd_may;
		must = (must & ~s->step[i].wr) | s->step[i].rd;
	}
	*needed = live & written;
	for (cut = stop; cut > 0 && live & written; cut--) {
		const struct nfj_fe_step *step = &s->step[cut - 1];

		live = (live & ~step->wr) | step->rd | step->rd_may;
		must = (must & ~step->wr) | step->rd;
		written = 0;
		for (i = 0; i < cut - 1; i++)
			written |= s->step[i].wr;
	}
	for (i = cut; i-- > 0;)
		must = (must & ~s->step[i].wr) | s->step[i].rd;
	*uninit = must;
	return cut;
}

/* Fills for the words in @needed, from what the registers hold after a walk that
 * ended where the residue starts.  1: done, 0: it can't be done.
 */
static int nfj_fe_fills(struct nfj_fe *fe, u32 needed)
{
	struct nfj_ir *ir = fe->ir;
	u32 first = ir->nfills;
	struct nfj_fill fill;
	unsigned int word;
	int err;

	for (word = 0; word < NFJ_REG_WORDS; word++) {
		if (!(needed & 1U << word))
			continue;
		if (!nfj_value_fill(fe, word, &fill)) {
			ir->nfills = first;
			return 0;
		}
		err = nfj_ir_add_fill(ir, &fill);
		if (err)
			return err;
	}
	fe->fill = first;
	fe->nfills = ir->nfills - first;
	return 1;
}

/* What the rule does once its tests hold */
static void nfj_fe_action(struct nfj_fe_scratch *s, struct nfj_entry *entry,
			  unsigned int cut, unsigned int n)
{
	bool nobreak = true, whole = true, live = true;
	unsigned int i;

	while (cut < n && s->step[cut].is_verdict &&
	       s->step[cut].verdict == NFT_CONTINUE)
		cut++;
	entry->nexpr = n;
	entry->cut = cut;
	entry->verdict = NFT_CONTINUE;
	entry->fill = s->fe.fill;
	entry->nfills = s->fe.nfills;
	if (s->fe.jumps)
		entry->flags |= NFJ_ENTRY_JUMPS;

	for (i = cut; i < n; i++) {
		const struct nfj_fe_step *step = &s->step[i];

		if (step->is_verdict && step->verdict != NFT_CONTINUE) {
			entry->verdict = step->verdict;
			break;
		}
		if (!step->row || !(step->row->flags & NFJ_FE_NOBREAK))
			nobreak = false;
		entry->changes |= step->changes;
		if (step->row && i == cut && s->fe.set && s->fe.set_at == i &&
		    entry->nfills) {
			entry->set = s->fe.set;
			entry->set_key = s->fe.set_key;
			entry->set_data = s->fe.set_data;
			if (s->fe.set_not)
				entry->flags |= NFJ_ENTRY_NOTIN;
		}
		/* a lookup that comes first has its key from the matcher, or
		 * chooses by a number that was drawn
		 */
		live &= step->live;
		if (!step->row || (step->row->flags & NFJ_FE_MATCH && !live))
			whole = false;
	}
	entry->end = i;
	if (whole)
		entry->flags |= NFJ_ENTRY_WHOLE;
	switch (entry->verdict) {
	case NFT_CONTINUE:
	case NFT_BREAK:
		if (entry->cut == entry->end)
			entry->flags |= NFJ_ENTRY_DEAD;
		break;
	case NFT_JUMP:
		if (nobreak)
			entry->flags |= NFJ_ENTRY_NOBREAK;
		break;
	default:
		if (nobreak)
			entry->flags |= NFJ_ENTRY_TERMINAL;
	}
}

/* The same for an entry that a verdict map has become: its verdict is known */
static void nfj_fe_case(struct nfj_entry *entry, unsigned int n)
{
	entry->nexpr = n;
	entry->cut = n;
	entry->end = n;
	entry->flags |= NFJ_ENTRY_WHOLE;
	if (entry->verdict == NFT_JUMP || entry->verdict == NFT_GOTO)
		entry->flags |= NFJ_ENTRY_JUMPS;
	if (entry->verdict != NFT_JUMP && entry->verdict != NFT_CONTINUE &&
	    entry->verdict != NFT_BREAK)
		entry->flags |= NFJ_ENTRY_TERMINAL;
}

/* All entries of the rule: what they do */
static int nfj_fe_actions(struct nfj_fe_scratch *s, unsigned int cut,
			  unsigned int n, bool never)
{
	struct nfj_ir *ir = s->fe.ir;
	u32 first = ir->nentries - 1, i;
	struct nfj_entry *odd;
	int err;

	if (never) {
		s->fe.entry->nexpr = n;
		s->fe.entry->flags |= NFJ_ENTRY_DEAD | NFJ_ENTRY_WHOLE;
		ir->ntests = s->fe.entry->first;
		s->fe.entry->ntests = 0;
	} else if (s->fe.cases.nentries) {
		err = nfj_cases_apply(&s->fe);
		if (err)
			return err;
	}
	for (i = first; i < ir->nentries && !never; i++) {
		if (s->fe.vmap)
			nfj_fe_case(&ir->entries[i], n);
		else
			nfj_fe_action(s, &ir->entries[i], cut, n);
	}
	if (s->fe.odd_at < 0)
		return 0;
	odd = nfj_odd_apply(&s->fe, &err);
	if (odd) {
		nfj_fe_action(s, odd, s->fe.odd_at, n);
		odd->flags |= NFJ_ENTRY_ODD;
		/* its residue makes its own loads */
		odd->nfills = 0;
	}
	for (i = first; i < ir->nentries; i++)
		ir->entries[i].next = ir->nentries;
	return err;
}

/* Make the tests of the expressions before @behind once more */
static int nfj_fe_again(struct nfj_fe_scratch *s, const struct nfj_expr_in *in,
			unsigned int n, unsigned int behind, u32 ntests)
{
	bool never;

	s->fe.ir->ntests = ntests;
	s->fe.entry->ntests = 0;
	return nfj_fe_walk(s, in, n, behind, &never);
}

/* The interpreter evaluates a rule up to its first comparison */
static u32 nfj_fe_cost(const struct nfj_expr_in *in, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (!strcmp(in[i].name, "cmp") ||
		    !strcmp(in[i].name, "range") ||
		    !strcmp(in[i].name, "lookup"))
			return (i + 1) * NFJ_COST_EXPR;
	return n * NFJ_COST_EXPR;
}

/* A rule without tests saves nothing, unless it looks up a set that we can look up as
 * well.  And a residue that is run from the engine
 * is dearer at first than one that nft_do_chain() is at already.  What has
 * registers filled is most often a lookup, behind which the chain may go on.
 */
static void nfj_fe_count(struct nfj_ir *ir, u32 first, u32 cost)
{
	const struct nfj_entry *entry = &ir->entries[first];

	if (entry->ntests || entry->flags & NFJ_ENTRY_DEAD)
		ir->cost += cost;
	if (entry->set) {
		ir->cost += NFJ_COST_SET;
		if (entry->cut + 1 == entry->end)
			return;
	}
	if (!(entry->flags & NFJ_ENTRY_DEAD) && entry->cut < entry->end)
		ir->residue |= !entry->nfills &&
			       (entry->verdict == NF_ACCEPT ||
				entry->verdict == NF_DROP) ?
			       NFJ_RESIDUE_ENDS : NFJ_RESIDUE_GOES_ON;
}

/**
 * nfj_frontend_rule - translate a rule
 * @ir: chain to which it is appended
 * @exprs: its expressions
 * @n: how many
 *
 * May sleep.  Any rule can be translated: in the worst case it has no tests and
 * is all residue.
 *
 * Return: 0, or -ENOMEM.
 */
int nfj_frontend_rule(struct nfj_ir *ir, const struct nfj_expr_in *exprs,
		      unsigned int n)
{
	u32 uninit, needed, ntests, first = ir->nentries;
	struct nfj_fe_scratch *s;
	bool never;
	int stop, cut;
	int err = -ENOMEM;

	if (n > NFJ_EXPRS_MAX)
		return -EINVAL;
	s = kvmalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	nfj_ir_init(&s->fe.cases);
	nfj_ir_init(&s->fe.odd);
	s->fe.no_odd = false;
	s->fe.ir = ir;
	s->fe.taint = 0;
	s->fe.jumps = false;
	s->fe.fill = 0;
	s->fe.nfills = 0;
	s->fe.set = NULL;
	ntests = ir->ntests;
	s->fe.entry = nfj_ir_add_entry(ir);
	if (!s->fe.entry)
		goto out_free;

walk:
	stop = nfj_fe_walk(s, exprs, n, n, &never);
	if (stop < 0) {
		err = stop;
		goto out_free;
	}
	if (s->fe.odd_at >= 0 &&
	    nfj_fe_cut(s, s->fe.odd_at, n, &uninit, &needed) < s->fe.odd_at) {
		/* the odd case would need what was loaded before */
		s->fe.no_odd = true;
		ir->ntests = ntests;
		s->fe.entry->ntests = 0;
		goto walk;
	}
	cut = nfj_fe_cut(s, stop, n, &uninit, &needed);
	/* Registers have changed since the walk passed there, and tests may have been
	 * merged with later ones: once more.  Few rules come here, and to note
	 * down all registers at each expression is dearer.
	 */
	if (needed && !never) {
		err = nfj_fe_again(s, exprs, n, stop, ntests);
		if (err >= 0)
			err = nfj_fe_fills(&s->fe, needed);
		if (err > 0)
			cut = stop;
		else if (!err)
			err = nfj_fe_again(s, exprs, n, cut, ntests);
		if (err < 0)
			goto out_free;
	}
	ir->taint |= s->fe.taint;
	if (uninit)
		ir->taint |= NFJ_TAINT_UNINIT;
	err = nfj_fe_actions(s, cut, n, never);
	if (!err)
		nfj_fe_count(ir, first, nfj_fe_cost(exprs, n));
	if (!err)
		ir->entries[first].stop = stop;
out_free:
	nfj_ir_free(&s->fe.odd);
	nfj_ir_free(&s->fe.cases);
	kvfree(s);
	return err;
}
