// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chains that a chain jumps to become part of it.
 *
 * An entry that jumps is replaced by the entries of its target, each of which tests
 * what led there as well:
 *
 *	chain in				becomes
 *	0  tcp dport 22 jump ssh		0  tcp dport 22, saddr 10.0.0.1: accept
 *	1  udp dport 53 accept			1  tcp dport 22, mark 1: nothing, go on with 3
 *						2  tcp dport 22, counter: drop
 *	chain ssh				3  udp dport 53: accept
 *	0  ip saddr 10.0.0.1 accept
 *	1  meta mark 1 return
 *	2  counter drop
 *
 * Where none of the target's entries matches, the search goes on by itself with what
 * stands behind the jump.  "return" is an entry that does nothing, and says where to
 * go on.  A goto is a jump that comes back to the end of its chain, so behind its
 * target stands an entry that leads there.  Tests that contradict each other leave no
 * entry at all.
 *
 * What led into a chain is tested again with each of its entries, so it must still
 * be so.  A chain stays where it is if something in it, or in front of it in the rule
 * that jumps, may change what has been tested on the way; if the rule that jumps may
 * break off behind what is tested; if a return may; if something in it may return that
 * is not known to; and if it is too large.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <nft_bpfjit/imr.h>

/* As deep as nf_tables lets chains jump */
#define NFJ_INLINE_DEPTH	16

/* Entries that one jump may bring */
#define NFJ_INLINE_CALLEE	64

/**
 * struct nfj_inline - a chain that others are put into
 * @to: what it becomes
 * @origin: where each entry of @to comes from
 * @max: room in @origin
 * @callee: finds targets
 * @arg: for @callee
 * @label: for each place that an entry leads to, its number in @to
 * @nlabels: how many
 * @labels_max: room in @label
 * @guard: the entries that jumped here, outermost first
 * @guard_ir: the chains that they are of
 * @depth: how many
 * @jumps: how many were replaced
 * @rule: number of the rule of the outermost chain
 */
struct nfj_inline {
	struct nfj_ir			*to;
	struct nfj_origin		*origin;
	u32				max;
	const struct nfj_ir		*(*callee)(void *arg, const struct nfj_ir *ir,
						   u32 entry);
	void				*arg;
	u32				*label;
	u32				nlabels;
	u32				labels_max;
	const struct nfj_entry		*guard[NFJ_INLINE_DEPTH];
	const struct nfj_ir		*guard_ir[NFJ_INLINE_DEPTH];
	u32				depth;
	u32				jumps;
	u32				rule;
};

/* Groups of the key that an entry tests */
static u32 nfj_entry_groups(const struct nfj_ir *ir, const struct nfj_entry *e)
{
	u32 i, groups = 0;

	for (i = 0; i < e->ntests; i++) {
		const struct nfj_test *t = &ir->tests[e->first + i];

		groups |= nfj_key_groups(t->off, t->size, t->mask);
	}
	return groups;
}

static bool nfj_entry_calls(const struct nfj_entry *e)
{
	return !(e->flags & NFJ_ENTRY_DEAD) &&
	       (e->verdict == NFT_JUMP || e->verdict == NFT_GOTO);
}

/* Might its residue jump, or return, by itself?  A verdict map whose elements change
 * does, and what the front end does not know, which so may change all.
 */
static bool nfj_entry_wild(const struct nfj_entry *e)
{
	return e->cut != e->end &&
	       !(e->flags & (NFJ_ENTRY_NOBREAK | NFJ_ENTRY_TERMINAL)) &&
	       (e->flags & NFJ_ENTRY_JUMPS || e->changes == NFJ_GROUPS_ALL);
}

/* May @callee stand in the place of entry @e, where @groups have been tested on the
 * way?  Adds to @n how many entries that brings, or a few more.
 */
static bool nfj_inline_may(const struct nfj_inline *in, const struct nfj_ir *ir,
			   const struct nfj_entry *e, const struct nfj_ir *callee,
			   u32 groups, u32 depth, u32 *n)
{
	bool ends, back;
	u32 i;

	if (depth == NFJ_INLINE_DEPTH || callee->nentries > NFJ_INLINE_CALLEE ||
	    (e->cut != e->end &&
	     !(e->flags & (NFJ_ENTRY_NOBREAK | NFJ_ENTRY_TERMINAL))))
		return false;
	groups |= nfj_entry_groups(ir, e);
	if (e->changes & groups)
		return false;
	*n += 2;
	for (i = 0; i < callee->nentries; i++) {
		const struct nfj_entry *c = &callee->entries[i];
		const struct nfj_ir *next;

		if (c->flags & NFJ_ENTRY_DEAD)
			continue;
		if (++*n > NFJ_INLINE_CALLEE)
			return false;
		ends = c->flags & NFJ_ENTRY_TERMINAL;
		back = c->verdict == NFT_RETURN || c->verdict == NFT_GOTO;
		if ((back && !ends) || nfj_entry_wild(c))
			return false;
		if (nfj_entry_calls(c)) {
			next = in->callee(in->arg, callee, i);
			/* if it stays where it is it may change anything */
			if ((!next || !nfj_inline_may(in, callee, c, next, groups,
						      depth + 1, n)) && groups)
				return false;
		}
		if (c->changes & groups && (back || !ends))
			return false;
	}
	return true;
}

/* Labels for @n places; the first, or U32_MAX without memory */
static u32 nfj_inline_labels(struct nfj_inline *in, u32 n)
{
	u32 first = in->nlabels;

	if (nfj_room((void **)&in->label, &in->labels_max, first, n,
		     sizeof(*in->label)))
		return U32_MAX;
	in->nlabels += n;
	return first;
}

/* Does the entry have this test, as it stands in @ir? */
static bool nfj_inline_has(const struct nfj_ir *to, const struct nfj_entry *entry,
			   const struct nfj_ir *ir, const struct nfj_test *t)
{
	u32 i, k;

	for (i = 0; i < entry->ntests; i += to->tests[entry->first + i].n) {
		const struct nfj_test *has = &to->tests[entry->first + i];

		for (k = 0; k < t->n && k < has->n; k++)
			if (!nfj_test_same(&has[k], to->ivals, &t[k], ir->ivals))
				break;
		if (k == t->n)
			return true;
	}
	return false;
}

/* The tests of an entry of another chain are added to those of the last one */
static int nfj_inline_tests(struct nfj_ir *to, struct nfj_entry *entry,
			    const struct nfj_ir *ir, const struct nfj_entry *e)
{
	int err = 0;
	u32 i;

	for (i = 0; i < e->ntests && !err; i += ir->tests[e->first + i].n) {
		const struct nfj_test *t = &ir->tests[e->first + i];

		if (nfj_inline_has(to, entry, ir, t))
			continue;
		if (nfj_test_is_set(t))
			err = nfj_ir_add_set(to, entry, t, &ir->ivals[t->lo], t->hi,
					     t->kind == NFJ_SET_IN);
		else
			err = nfj_ir_add_test(to, entry, t);
	}
	return err;
}

/* Append entry @i of @ir, behind what led into its chain.  The entry, to be changed,
 * or NULL: with 0 in @err it can't match.
 */
static struct nfj_entry *nfj_inline_add(struct nfj_inline *in,
					const struct nfj_ir *ir, u32 i, int *err)
{
	const struct nfj_entry *e = &ir->entries[i];
	const u32 ntests = in->to->ntests, nivals = in->to->nivals;
	struct nfj_entry *entry;
	u32 k;

	if (in->to->nentries == in->max) {
		*err = -E2BIG;
		return NULL;
	}
	entry = nfj_ir_add_entry(in->to);
	if (!entry) {
		*err = -ENOMEM;
		return NULL;
	}
	*entry = *e;
	entry->rule = in->rule;
	entry->first = ntests;
	entry->ntests = 0;
	entry->fill = in->to->nfills;
	*err = 0;
	for (k = 0; k < in->depth && !*err; k++)
		*err = nfj_inline_tests(in->to, entry, in->guard_ir[k],
					in->guard[k]);
	if (!*err)
		*err = nfj_inline_tests(in->to, entry, ir, e);
	if (*err == -ERANGE) {
		in->to->nentries--;
		in->to->ntests = ntests;
		in->to->nivals = nivals;
		*err = 0;
		return NULL;
	}
	for (k = 0; k < e->nfills && !*err; k++)
		*err = nfj_ir_add_fill(in->to, &ir->fills[e->fill + k]);
	if (*err)
		return NULL;
	in->origin[in->to->nentries - 1] = (struct nfj_origin){
		.ir = ir,
		.entry = i,
	};
	return entry;
}

/* An entry that only leads somewhere */
static int nfj_inline_lead(struct nfj_inline *in, const struct nfj_ir *ir, u32 i,
			   s32 verdict, u32 next)
{
	struct nfj_entry *entry;
	int err;

	entry = nfj_inline_add(in, ir, i, &err);
	if (!entry)
		return err;
	in->to->nfills -= entry->nfills;
	entry->nfills = 0;
	entry->cut = entry->end;
	entry->changes = 0;
	entry->set = NULL;
	entry->target = NULL;
	entry->verdict = verdict;
	entry->next = next;
	entry->flags = NFJ_ENTRY_WHOLE;
	if (verdict == NFT_RETURN)
		entry->flags |= NFJ_ENTRY_TERMINAL;
	return 0;
}

static int nfj_inline_chain(struct nfj_inline *in, const struct nfj_ir *ir, u32 end);

/* Entry @i stays an entry; @next and @end are labels */
static int nfj_inline_copy(struct nfj_inline *in, const struct nfj_ir *ir, u32 i,
			   u32 next, u32 end)
{
	struct nfj_entry *entry;
	int err;

	entry = nfj_inline_add(in, ir, i, &err);
	if (!entry)
		return err;
	entry->next = next;
	if (!in->depth)
		return 0;
	switch (entry->verdict) {
	case NFT_RETURN:
		entry->verdict = NFT_CONTINUE;
		break;
	case NFT_GOTO:
		entry->verdict = NFT_JUMP;
		break;
	default:
		return 0;
	}
	entry->next = end;
	entry->flags &= ~NFJ_ENTRY_TERMINAL;
	return 0;
}

/* The entries of @callee in the place of entry @i, which goes on with @next; @end is
 * that of its chain
 */
static int nfj_inline_call(struct nfj_inline *in, const struct nfj_ir *ir, u32 i,
			   const struct nfj_ir *callee, u32 next, u32 end)
{
	const struct nfj_entry *e = &ir->entries[i];
	bool gone = e->verdict == NFT_GOTO, lead = gone;
	struct nfj_entry *entry;
	u32 k, begin;
	int err;

	in->jumps++;
	if (e->cut != e->end) {
		begin = nfj_inline_labels(in, 1);
		if (begin == U32_MAX)
			return -ENOMEM;
		entry = nfj_inline_add(in, ir, i, &err);
		/* what contradicts the way here never comes here */
		if (!entry)
			return err;
		entry->verdict = NFT_CONTINUE;
		entry->target = NULL;
		entry->next = begin;
		entry->flags &= ~NFJ_ENTRY_TERMINAL;
		in->label[begin] = in->to->nentries;
	}
	in->guard[in->depth] = e;
	in->guard_ir[in->depth] = ir;
	in->depth++;
	err = nfj_inline_chain(in, callee, gone ? end : next);
	in->depth--;
	if (err)
		return err;
	/* other cases of the same rule must not be looked at */
	for (k = i + 1; k < e->next && k < ir->nentries; k++)
		lead |= !(ir->entries[k].flags & NFJ_ENTRY_DEAD);
	if (!lead)
		return 0;
	if (!gone)
		return nfj_inline_lead(in, ir, i, NFT_CONTINUE, next);
	return nfj_inline_lead(in, ir, i, in->depth ? NFT_CONTINUE : NFT_RETURN, end);
}

/* All entries of a chain, at whose end it goes on at label @end */
static int nfj_inline_chain(struct nfj_inline *in, const struct nfj_ir *ir, u32 end)
{
	u32 i, k, groups = 0, base = nfj_inline_labels(in, ir->nentries);
	int err = 0;

	if (base == U32_MAX)
		return -ENOMEM;
	for (k = 0; k < in->depth; k++)
		groups |= nfj_entry_groups(in->guard_ir[k], in->guard[k]);
	for (i = 0; i < ir->nentries && !err; i++) {
		const struct nfj_entry *e = &ir->entries[i];
		u32 next = e->next < ir->nentries ? base + e->next : end;
		const struct nfj_ir *callee = NULL;
		u32 n = ir->nentries - i + in->to->nentries;

		if (!in->depth)
			in->rule = e->rule;
		in->label[base + i] = in->to->nentries;
		if (e->flags & NFJ_ENTRY_DEAD)
			continue;
		if (nfj_entry_calls(e))
			callee = in->callee(in->arg, ir, i);
		if (callee) {
			u32 more = 0;

			if (!nfj_inline_may(in, ir, e, callee, groups, in->depth,
					    &more) || n + more > in->max)
				callee = NULL;
		}
		err = callee ? nfj_inline_call(in, ir, i, callee, next, end) :
			       nfj_inline_copy(in, ir, i, next, end);
	}
	return err;
}

/* An entry that ends the chain for whatever comes here */
static int nfj_inline_end(struct nfj_inline *in, const struct nfj_ir *ir)
{
	struct nfj_entry *entry = nfj_ir_add_entry(in->to);

	if (!entry)
		return -ENOMEM;
	entry->verdict = NFT_RETURN;
	/* the label of the end */
	entry->next = 0;
	entry->flags = NFJ_ENTRY_WHOLE | NFJ_ENTRY_TERMINAL;
	in->origin[0] = (struct nfj_origin){ .ir = ir };
	return 0;
}

/**
 * nfj_ir_inline - put the chains that a chain jumps to in the place of the jumps
 * @to: an empty chain; what @ir becomes
 * @ir: the chain, of the same family
 * @callee: finds the chain that entry @entry of @ir jumps or goes to, NULL to leave it
 *	    where it is; may be called several times for one
 * @arg: for @callee
 * @origin: filled in for each entry of @to
 * @max: room in @origin; not fewer than @ir has entries
 *
 * Exact for packets that come to the first entry: what the entry of @to that is found
 * does, and where it leads, amounts to what the interpreter does with the chains.
 * The rule of an entry is the one of @ir that led there.
 *
 * Return: how many jumps are gone; -ENOMEM, or -E2BIG, then @to is good for nothing but
 * to be freed.
 */
int nfj_ir_inline(struct nfj_ir *to, const struct nfj_ir *ir,
		  const struct nfj_ir *(*callee)(void *arg, const struct nfj_ir *ir,
						 u32 entry),
		  void *arg, struct nfj_origin *origin, u32 max)
{
	struct nfj_inline *in;
	int err = -ENOMEM;
	u32 end, i;

	in = kzalloc(sizeof(*in), GFP_KERNEL);
	if (!in)
		return -ENOMEM;
	in->to = to;
	in->origin = origin;
	in->max = max;
	in->callee = callee;
	in->arg = arg;
	to->family = ir->family;
	to->taint = ir->taint;
	to->cost = ir->cost;
	to->residue = ir->residue;
	end = nfj_inline_labels(in, 1);
	if (end == U32_MAX)
		goto out_free;
	err = nfj_inline_chain(in, ir, end);
	if (err)
		goto out_free;
	/* jumps to empty chains and nothing else: what comes here is at the end */
	if (!to->nentries && in->jumps) {
		err = nfj_inline_end(in, ir);
		if (err)
			goto out_free;
	}
	in->label[end] = to->nentries;
	for (i = 0; i < to->nentries; i++)
		to->entries[i].next = in->label[to->entries[i].next];
	err = in->jumps;
out_free:
	kvfree(in->label);
	kfree(in);
	return err;
}
