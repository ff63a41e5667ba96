// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules of a chain become IMR.  What the front end made of a rule is kept for
 * the next commit, since a rule never changes: so to add one rule to ten thousand
 * is to read one.
 *
 * The front end reads what each expression's own ops->dump() writes, into one
 * socket buffer that serves for all rules.
 *
 * A rule is known from the last commit if it is active in the current generation
 * and, in order, has the address and the handle of a rule that is kept: in a
 * transaction the rules that it brings are active in the next generation only.
 *
 *	kept		chain->rules				read
 *	1  tcp 22	1  tcp 22	active now and next	kept, entry 0
 *	2  tcp 80	2  tcp 80	active now only		passed over
 *			5  udp 53	active next only	by the front end
 *	3  vmap		3  vmap		now and next		kept, entries 2 to 4
 *	4  counter	4  counter	now and next		kept, entry 5
 *
 * Rules that are kept and follow one another are copied at once.
 *
 * A commit that fails gives back what was kept before (nfj_change_unread()).
 *
 * Only of chains that are translated is it kept.  Of others it is enough to know
 * what all of their rules amount to (struct nfj_stats), and a commit reads only what
 * it brings (nfj_change_peek()), until that would be worth a program.
 */
#include <linux/mm.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <net/netlink.h>
#include "commit.h"

#define NFJ_DUMP_ROOM	16384

/* More rules than this are not read only to say more precisely why a chain is not
 * translated
 */
#define NFJ_PEEK_FROM	64

/* What the translation of a chain's rules has in common */
struct nfj_reader {
	struct net		*net;
	struct nft_table	*table;
	struct list_head	*at;	/* the set that was found last */
	struct nfj_expr_in	*in;
	struct sk_buff		*skb;
	bool			writes;	/* there was a dynset */
};

static int nfj_reader_init(struct nfj_reader *rd, struct net *net,
			   struct nft_table *table)
{
	rd->net = net;
	rd->table = table;
	rd->writes = false;
	/* the sets of a rule that was added are the last ones */
	rd->at = table->sets.prev->prev;
	rd->in = kvmalloc_array(NFJ_EXPRS_MAX, sizeof(*rd->in), GFP_KERNEL);
	rd->skb = alloc_skb(NFJ_DUMP_ROOM, GFP_KERNEL);
	return rd->in && rd->skb ? 0 : -ENOMEM;
}

static void nfj_reader_exit(struct nfj_reader *rd)
{
	kfree_skb(rd->skb);
	kvfree(rd->in);
}

/* Rules and their anonymous sets mostly come in the same order, so the search
 * goes on where the last one ended, and around.
 */
static struct nft_set *nfj_set_find(struct nfj_reader *rd, const char *name)
{
	struct list_head *sets = &rd->table->sets, *p = rd->at;
	struct nft_set *set;

	do {
		p = p->next;
		if (p == sets)
			continue;
		set = list_entry(p, struct nft_set, list);
		if (!nft_is_active_next(rd->net, set) ||
		    strcmp(set->name, name))
			continue;
		rd->at = p;
		return set;
	} while (p != rd->at);
	return NULL;
}

/* What the front end can't see in an expression: the set that it looks up */
static void nfj_expr_set(struct nfj_reader *rd, struct nfj_expr_in *in)
{
	bool lookup = !strcmp(in->name, "lookup");
	const struct nlattr *attr;
	struct nft_set *set;
	int type;

	if (lookup) {
		type = NFTA_LOOKUP_SET;
	} else if (!strcmp(in->name, "dynset")) {
		type = NFTA_DYNSET_SET_NAME;
		rd->writes = true;
	} else if (!strcmp(in->name, "objref")) {
		type = NFTA_OBJREF_SET_NAME;
	} else {
		return;
	}
	attr = nla_find(in->attrs, in->len, type);
	set = attr ? nfj_set_find(rd, nla_data(attr)) : NULL;
	if (!set)
		return;
	in->keylen = set->klen;
	in->datalen = set->dlen;
	if (!lookup)
		return;
	in->set = nfj_set_read(rd->net, set);
	if (!in->set && nfj_shadow_why(set) == NFJ_SHADOW_GOOD)
		in->named = set;
}

/* Append a rule */
static int nfj_rule_ir(struct nfj_reader *rd, struct nfj_ir *ir,
		       struct nft_rule *rule)
{
	const struct nft_expr *expr, *last;
	struct nfj_expr_in *in = rd->in;
	struct sk_buff *skb = rd->skb;
	unsigned int n = 0;
	int err;

	ir->family = rd->table->family;
	skb_trim(skb, 0);
	nft_rule_for_each_expr(expr, last, rule) {
		unsigned int start = skb->len;

		if (n == NFJ_EXPRS_MAX) {
			err = -E2BIG;
			goto out;
		}
		in[n] = (struct nfj_expr_in) {
			.name = expr->ops->type ? expr->ops->type->name : "",
			.maxattr = expr->ops->type ? expr->ops->type->maxattr : 0,
		};
		if (expr->ops->dump && nfj_frontend_wants(in[n].name)) {
			/* an expression that can't be read is not understood */
			if (expr->ops->dump(skb, expr, false) < 0) {
				in[n].name = "";
				skb_trim(skb, start);
			} else {
				in[n].attrs = (void *)skb->data + start;
				in[n].len = skb->len - start;
				nfj_expr_set(rd, &in[n]);
			}
		}
		n++;
	}
	err = nfj_frontend_rule(ir, in, n);
out:
	while (n--)
		nfj_set_free(in[n].set);
	cond_resched();
	return err;
}

/**
 * nfj_rules_each - see what becomes of the rules of a chain, one by one
 * @net: the netns
 * @chain: the chain
 * @each: called for each rule of the next generation, with the rule's IMR; a
 *	  value other than 0 ends the walk
 * @arg: for @each
 *
 * Context: commit mutex; sleeps.
 *
 * Return: 0, an errno, or what @each returned.
 */
int nfj_rules_each(struct net *net, struct nft_chain *chain, nfj_rule_fn *each,
		   void *arg)
{
	struct nfj_reader rd;
	struct nft_rule *rule;
	struct nfj_ir ir;
	int err;

	nfj_ir_init(&ir);
	err = nfj_reader_init(&rd, net, chain->table);
	list_for_each_entry(rule, &chain->rules, list) {
		if (err)
			break;
		if (!nft_is_active_next(net, rule))
			continue;
		err = nfj_rule_ir(&rd, &ir, rule);
		if (!err)
			err = each(arg, rule, &ir);
		nfj_ir_free(&ir);
	}
	nfj_reader_exit(&rd);
	return err;
}

/* Rules first .. end - 1 of what was kept are in the next generation as well */
static int nfj_kept_copy(struct nfj_change *c, struct nfj_kept *to,
			 const struct nfj_kept *from, u32 first, u32 end)
{
	u32 i, entry, behind, at = to->ir.nentries;
	int err;

	if (first == end)
		return 0;
	entry = from->rule[first].entry;
	behind = end < from->nrules ? from->rule[end].entry : from->ir.nentries;
	err = nfj_ir_append(&to->ir, &from->ir, entry, behind);
	if (err)
		return err;
	if (c->nruns < NFJ_RUNS_MAX)
		c->run[c->nruns] = (struct nfj_run){ at, entry, behind - entry };
	c->nruns++;
	memcpy(&to->rule[to->nrules], &from->rule[first],
	       (end - first) * sizeof(*to->rule));
	for (i = first; i < end; i++) {
		struct nfj_kept_rule *r = &to->rule[to->nrules++];

		r->entry += at - entry;
		to->ir.taint |= r->taint;
		to->ir.cost += r->cost;
		to->ir.residue |= r->residue;
	}
	return 0;
}

/* A rule that is not known */
static int nfj_kept_read(struct nfj_kept *to, struct nfj_reader *rd,
			 struct nft_rule *rule)
{
	struct nfj_ir *ir = &to->ir;
	struct nfj_kept_rule *r = &to->rule[to->nrules++];
	const u32 taint = ir->taint, cost = ir->cost;
	const u8 residue = ir->residue;
	int err;

	r->rule = rule;
	r->handle = rule->handle;
	r->entry = ir->nentries;
	ir->taint = 0;
	ir->cost = 0;
	ir->residue = 0;
	err = nfj_rule_ir(rd, ir, rule);
	r->taint = ir->taint;
	r->cost = ir->cost;
	r->residue = ir->residue;
	ir->taint |= taint;
	ir->cost += cost;
	ir->residue |= residue;
	return err;
}

/* All rules of the next generation; the part that is known, from @old */
static int nfj_kept_rules(struct nfj_change *c, struct nfj_kept *to,
			  struct nfj_reader *rd)
{
	const struct nfj_kept *old = c->was;
	/* rules first .. at - 1 of @old are still to be copied */
	u32 first = 0, at = 0;
	struct nft_rule *rule;
	bool known;
	int err;

	list_for_each_entry(rule, &c->chain->rules, list) {
		known = old && nft_is_active(rd->net, rule);
		if (known && (at == old->nrules ||
			      old->rule[at].rule != rule ||
			      old->rule[at].handle != rule->handle)) {
			/* never: what is kept is the current generation */
			err = nfj_kept_copy(c, to, old, first, at);
			if (err)
				return err;
			old = NULL;
			known = false;
		}
		if (known && nft_is_active_next(rd->net, rule)) {
			at++;
			continue;
		}
		if (old) {
			err = nfj_kept_copy(c, to, old, first, at);
			if (err)
				return err;
			at += known;
			first = at;
		}
		if (!nft_is_active_next(rd->net, rule))
			continue;
		err = nfj_kept_read(to, rd, rule);
		if (err)
			return err;
	}
	return old ? nfj_kept_copy(c, to, old, first, at) : 0;
}

/**
 * nfj_kept_charge - pay for what is kept
 * @kept: what
 * @budget: of whose budget
 * @wanted: bytes are added
 *
 * Return: 0 or -EDQUOT.
 */
int nfj_kept_charge(struct nfj_kept *kept, struct nfj_budget *budget,
		    size_t *wanted)
{
	const struct nfj_ir *ir = &kept->ir;
	size_t size = sizeof(*kept);
	int err;

	size += kept->nrules * sizeof(*kept->rule);
	size += ir->entries_max * sizeof(*ir->entries);
	size += ir->tests_max * sizeof(*ir->tests);
	size += ir->ivals_max * sizeof(*ir->ivals);
	size += ir->fills_max * sizeof(*ir->fills);
	*wanted += size;
	err = nfj_budget_charge(budget, size);
	if (err)
		return err;
	kept->budget = nfj_budget_get(budget);
	kept->charged = size;
	return 0;
}

/* What the rules of @ir add to what is known of a chain */
static void nfj_stats_add(struct nfj_stats *stats, const struct nfj_ir *ir)
{
	u32 i, rules = 0;

	stats->residue |= ir->residue;
	stats->taint |= ir->taint;
	stats->cost += ir->cost;
	for (i = 0; i < ir->nentries; i++) {
		const struct nfj_entry *r = &ir->entries[i];

		stats->jumps |= !!(r->flags & NFJ_ENTRY_JUMPS);
		stats->tests |= !!r->ntests;
		stats->partly |= !(r->flags & (NFJ_ENTRY_WHOLE |
					       NFJ_ENTRY_DEAD));
		/* a rule of several entries counts once */
		if (r->rule < rules)
			continue;
		rules = r->rule + 1;
		stats->whole += !!(r->flags & NFJ_ENTRY_WHOLE);
		stats->leave += !(r->flags & NFJ_ENTRY_DEAD) && r->cut < r->end;
	}
}

/* The rules that a transaction brings */
static int nfj_change_new(struct net *net, struct nfj_change *c)
{
	struct nfj_reader rd;
	struct nft_rule *rule;
	struct nfj_ir ir;
	int err;

	nfj_ir_init(&ir);
	err = nfj_reader_init(&rd, net, c->chain->table);
	list_for_each_entry(rule, &c->chain->rules, list) {
		if (err)
			break;
		if (!nft_is_active_next(net, rule) || nft_is_active(net, rule))
			continue;
		err = nfj_rule_ir(&rd, &ir, rule);
	}
	nfj_reader_exit(&rd);
	if (!err)
		nfj_stats_add(&c->nc->stats, &ir);
	nfj_ir_free(&ir);
	return err;
}

/**
 * nfj_change_peek - bring what is known of a chain's rules up to date
 * @net: the netns
 * @c: the chain, whose rules are not kept
 *
 * Reads only rules that the transaction brings.
 *
 * Context: commit mutex; sleeps.
 *
 * Return: 0, or an errno when all rules are to be read instead: they are not known,
 * most of them are new, or what may be gone matters.
 */
int nfj_change_peek(struct net *net, struct nfj_change *c)
{
	struct nfj_stats *stats = &c->nc->stats;
	u32 stay = 0, come = 0, gone = 0;
	const struct nft_rule *rule;

	if (!stats->known)
		return -ENODATA;
	list_for_each_entry(rule, &c->chain->rules, list) {
		if (!nft_is_active_next(net, rule))
			gone++;
		else if (nft_is_active(net, rule))
			stay++;
		else
			come++;
	}
	if (stay + come && come >= stay)
		return -ENODATA;
	if (gone && (stats->taint || (stats->partly && stay <= NFJ_PEEK_FROM)))
		return -ENODATA;
	stats->rules = stay + come;
	return come ? nfj_change_new(net, c) : 0;
}

/* The rules of the next generation of a chain; *@writes is set if they write to sets */
static struct nfj_kept *nfj_kept_make(struct net *net, struct nfj_change *c,
				      bool *writes)
{
	struct nfj_kept *kept = kzalloc(sizeof(*kept), NFJ_GFP);
	const struct nft_rule *rule;
	struct nfj_reader rd;
	u32 n = 0;
	int err;

	if (!kept)
		return ERR_PTR(-ENOMEM);
	list_for_each_entry(rule, &c->chain->rules, list)
		n += nft_is_active_next(net, rule);
	nfj_ir_init(&kept->ir);
	kept->ir.family = c->chain->table->family;
	err = nfj_reader_init(&rd, net, c->chain->table);
	kept->rule = kvmalloc_array(n, sizeof(*kept->rule), NFJ_GFP);
	if (!kept->rule && n)
		err = -ENOMEM;
	if (!err)
		err = nfj_kept_rules(c, kept, &rd);
	nfj_reader_exit(&rd);
	*writes |= rd.writes;
	if (!err)
		return kept;
	nfj_kept_free(kept);
	return ERR_PTR(err);
}

/**
 * nfj_kept_new - read the rules of the next generation of a chain
 * @net: the netns
 * @chain: the chain, of which nothing is kept
 *
 * Context: commit mutex; sleeps.
 *
 * Return: the rules, to be freed with nfj_kept_free(), or NULL.
 */
struct nfj_kept *nfj_kept_new(struct net *net, struct nft_chain *chain)
{
	struct nfj_change *c = kzalloc(sizeof(*c), GFP_KERNEL);
	struct nfj_kept *kept;
	bool writes = false;

	if (!c)
		return NULL;
	c->chain = chain;
	kept = nfj_kept_make(net, c, &writes);
	kfree(c);
	return IS_ERR(kept) ? NULL : kept;
}

/**
 * nfj_change_read - make the IMR of the next generation of a chain
 * @net: the netns
 * @c: the chain; what was kept of its rules is brought up to date, and which
 *     entries stay is noted
 *
 * Context: commit mutex; sleeps.
 *
 * Return: 0 or an errno, then nothing is kept and nothing is known.
 */
int nfj_change_read(struct net *net, struct nfj_change *c)
{
	struct nfj_stats *stats = &c->nc->stats;
	struct nfj_kept *kept;
	bool writes = false;

	nfj_change_forget(c);
	memset(stats, 0, sizeof(*stats));
	kept = nfj_kept_make(net, c, &writes);
	c->nc->writes |= writes;
	nfj_pernet(net)->shadows.written |= writes;
	if (IS_ERR(kept))
		return PTR_ERR(kept);
	c->nc->kept = kept;
	stats->known = true;
	stats->rules = kept->nrules;
	nfj_stats_add(stats, &kept->ir);
	return 0;
}

/**
 * nfj_change_forget - a chain is no longer translated: its rules need not be kept
 * @c: the chain
 *
 * Context: commit mutex.
 */
void nfj_change_forget(struct nfj_change *c)
{
	if (c->read)
		nfj_kept_free(c->nc->kept);
	else
		c->was = c->nc->kept;
	c->read = true;
	c->nruns = 0;
	c->nc->kept = NULL;
}

/**
 * nfj_change_unread - the commit failed: the rules of before are the current ones
 * @c: the chain
 *
 * Context: commit mutex.
 */
void nfj_change_unread(struct nfj_change *c)
{
	if (!c->read)
		return;
	nfj_kept_free(c->nc->kept);
	c->nc->kept = c->was;
	c->was = NULL;
}

/**
 * nfj_kept_free - forget what is known of a chain's rules
 * @kept: what is known, or NULL
 */
void nfj_kept_free(struct nfj_kept *kept)
{
	if (!kept)
		return;
	if (kept->charged) {
		nfj_budget_uncharge(kept->budget, kept->charged);
		nfj_budget_put(kept->budget);
	}
	nfj_ir_free(&kept->ir);
	kvfree(kept->rule);
	kfree(kept);
}
