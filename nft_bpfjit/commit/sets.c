// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets that never change, read for the front end.
 *
 * An anonymous set belongs to one rule and lives and dies with it, so its
 * elements can go into the program.  All else is looked up when the packet
 * comes, in nft's own set: named sets, which change any time, and sets whose
 * elements count or expire.  Those may have a shadow (sets/shadow.h).
 *
 * Elements are read from the set itself, as the next generation will have it.
 * An rbtree keeps intervals as two elements, where one begins and where it is
 * over; they are put together here.  A pipapo set has both ends in one element,
 * for each field.  Keys of other sets are just keys.
 */
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include "../hook/private.h"
#include "commit.h"

struct nfj_set_reader {
	struct nft_set_iter	iter;
	struct nfj_set_in	*in;
	u8			klen;
	u32			max;
	bool			ends;	/* elements are ends of intervals */
};

/* While intervals are ends, nfj_elem_in::hi[0] tells which end */
#define NFJ_END_OPEN	0
#define NFJ_END_CLOSE	1

static int nfj_set_elem(struct nfj_set_reader *r, const struct nft_set_ext *ext)
{
	struct nfj_elem_in *elem;
	bool close = false;

	if (!nft_set_elem_active(ext, r->iter.genmask))
		return 0;
	/* what counts, expires or leads to an object is for the packet path */
	if (nft_set_ext_exists(ext, NFT_SET_EXT_EXPRESSIONS) ||
	    nft_set_ext_exists(ext, NFT_SET_EXT_TIMEOUT) ||
	    nft_set_ext_exists(ext, NFT_SET_EXT_OBJREF))
		return -EOPNOTSUPP;
	if (r->in->nelems == r->max)
		return -E2BIG;
	elem = &r->in->elems[r->in->nelems++];
	memset(elem, 0, sizeof(*elem));
	if (nft_set_ext_exists(ext, NFT_SET_EXT_KEY))
		memcpy(elem->lo, nft_set_ext_key(ext), r->klen);
	if (nft_set_ext_exists(ext, NFT_SET_EXT_FLAGS))
		close = *nft_set_ext_flags(ext) & NFT_SET_ELEM_INTERVAL_END;
	if (r->ends)
		elem->hi[0] = close ? NFJ_END_CLOSE : NFJ_END_OPEN;
	else if (nft_set_ext_exists(ext, NFT_SET_EXT_KEY_END))
		memcpy(elem->hi, nft_set_ext_key_end(ext), r->klen);
	else
		memcpy(elem->hi, elem->lo, r->klen);
	if (r->in->verdicts && !close) {
		const struct nft_data *data;

		if (!nft_set_ext_exists(ext, NFT_SET_EXT_DATA))
			return -EOPNOTSUPP;
		data = nft_set_ext_data(ext);
		elem->verdict = data->verdict.code;
		if (elem->verdict == NFT_JUMP || elem->verdict == NFT_GOTO)
			elem->target = data->verdict.chain;
	}
	return 0;
}

static int nfj_set_walk(const struct nft_ctx *ctx, struct nft_set *set,
			const struct nft_set_iter *iter, nfj_elem_priv *priv)
{
	struct nfj_set_reader *r = container_of(iter, struct nfj_set_reader,
						iter);

	return nfj_set_elem(r, nfj_elem_ext(set, priv));
}

static int nfj_elem_cmp(const void *a, const void *b)
{
	const struct nfj_elem_in *x = a, *y = b;

	return memcmp(x->lo, y->lo, sizeof(x->lo));
}

/* A key less one */
static void nfj_key_before(u8 *to, const u8 *key, unsigned int len)
{
	memcpy(to, key, len);
	while (len--)
		if (to[len]--)
			break;
}

/* Ends become intervals.  What lies between two ends is in the set if the
 * lower one opens, as nft_rbtree_lookup() has it.  False where one interval is
 * over and the next begins at once: nft leaves out the former of these two ends
 * in an anonymous set, and with both it depends on the shape of the tree whether
 * the key is found.
 */
static bool nfj_set_intervals(struct nfj_set_in *in, unsigned int klen)
{
	u32 i, k = 0, n = in->nelems;

	sort(in->elems, n, sizeof(*in->elems), nfj_elem_cmp, NULL);
	for (i = 0; i < n; i++) {
		struct nfj_elem_in elem = in->elems[i];

		if (i + 1 < n && !memcmp(elem.lo, in->elems[i + 1].lo, klen))
			return false;
		if (elem.hi[0] == NFJ_END_CLOSE)
			continue;
		if (i + 1 < n)
			nfj_key_before(elem.hi, in->elems[i + 1].lo, klen);
		else
			memset(elem.hi, 0xff, klen);
		in->elems[k++] = elem;
	}
	in->nelems = k;
	return true;
}

/* How the key is made up.  Only a pipapo set compares field by field; others take
 * the key as a whole, padding between the fields and all, and one that is too
 * long for one comparison and has no intervals can be cut anywhere.
 */
static bool nfj_set_fields(const struct nft_set *set, struct nfj_set_in *in)
{
	unsigned int i, left;

	if (set->field_count > 1 && set->flags & NFT_SET_INTERVAL) {
		if (set->field_count > NFJ_SET_FIELDS)
			return false;
		in->nfields = set->field_count;
		memcpy(in->field_len, set->field_len, in->nfields);
		for (i = 0, left = 0; i < in->nfields; i++)
			left += ALIGN(in->field_len[i], 4);
		return left == ALIGN(set->klen, 4);
	}
	if (set->flags & NFT_SET_INTERVAL && set->klen > 16)
		return false;
	for (left = set->klen; left; left -= in->field_len[in->nfields++])
		in->field_len[in->nfields] = min(left, 16U);
	return true;
}

/**
 * nfj_set_read - read a set that never changes
 * @net: the netns
 * @set: the set, as a rule of the next generation looks it up
 *
 * Context: commit mutex; sleeps.
 *
 * Return: the set, to be released with nfj_set_free(), or NULL for a set that
 * may change, that is too large or for which there is no memory.
 */
struct nfj_set_in *nfj_set_read(struct net *net, struct nft_set *set)
{
	struct nft_ctx ctx = { .net = net, .table = set->table };
	struct nfj_set_elem_catchall *all;
	struct nfj_set_reader r = {
		.iter	= {
			.genmask = nft_genmask_next(net),
			.type	 = NFT_ITER_UPDATE,
			.fn	 = nfj_set_walk,
		},
		.klen	= set->klen,
		.max	= atomic_read(&set->nelems) + 1,
	};

	if (!nft_set_is_anonymous(set) || set->num_exprs || !set->klen ||
	    set->klen > NFJ_SET_KEY_MAX || r.max > NFJ_SET_ELEMS_MAX ||
	    set->flags & (NFT_SET_TIMEOUT | NFT_SET_EVAL | NFT_SET_OBJECT))
		return NULL;
	if (set->flags & NFT_SET_MAP && set->dtype != NFT_DATA_VERDICT)
		return NULL;
	r.in = kzalloc(sizeof(*r.in), GFP_KERNEL);
	if (!r.in)
		return NULL;
	r.in->elems = kvmalloc_array(r.max, sizeof(*r.in->elems), GFP_KERNEL);
	if (!r.in->elems || !nfj_set_fields(set, r.in))
		goto out_free;
	r.in->verdicts = set->flags & NFT_SET_MAP;
	r.ends = set->flags & NFT_SET_INTERVAL && set->field_count <= 1;
	set->ops->walk(&ctx, set, &r.iter);
	if (r.iter.err < 0)
		goto out_free;
	if (r.ends && !nfj_set_intervals(r.in, set->klen))
		goto out_free;
	list_for_each_entry(all, &set->catchall_list, list) {
		if (!nft_set_elem_active(nft_set_elem_ext(set, all->elem),
					 r.iter.genmask))
			continue;
		if (r.in->catchall ||
		    nfj_set_elem(&r, nft_set_elem_ext(set, all->elem)))
			goto out_free;
		r.in->catchall = true;
	}
	return r.in;

out_free:
	nfj_set_free(r.in);
	return NULL;
}

/**
 * nfj_set_free - release what nfj_set_read() returned
 * @in: the set, or NULL
 */
void nfj_set_free(struct nfj_set_in *in)
{
	if (in)
		kvfree(in->elems);
	kfree(in);
}

static bool nfj_expr_writes(const struct nft_expr *expr)
{
	return !expr->ops->type || !strcmp(expr->ops->type->name, "dynset");
}

static bool nfj_rule_writes(const struct nft_rule *rule)
{
	const struct nft_expr *expr, *last;

	nft_rule_for_each_expr(expr, last, rule)
		if (nfj_expr_writes(expr))
			return true;
	return false;
}

/* Does a rule write to the set of a binding?  That lies in the rule's expression. */
static bool nfj_binding_writes(const struct nft_rule *rule, const void *binding)
{
	const struct nft_expr *expr, *last;

	if (binding < (const void *)rule->data ||
	    binding >= (const void *)rule->data + rule->dlen)
		return false;
	nft_rule_for_each_expr(expr, last, rule)
		if (binding >= (const void *)expr &&
		    binding < (const void *)expr + expr->ops->size)
			return nfj_expr_writes(expr);
	return true;
}

/* Rules that go are still there, as their bindings are */
static bool nfj_set_written(const struct nft_set *set)
{
	const struct nft_set_binding *b;
	const struct nft_rule *rule;

	if (!nfj_shadow_writable(set))
		return false;
	list_for_each_entry(b, &set->bindings, list) {
		const struct nfj_chain *nc = nfj_chain_find(b->chain);

		if (nc && nc->kept && !nc->writes)
			continue;
		list_for_each_entry(rule, &b->chain->rules, list)
			if (nfj_binding_writes(rule, b))
				return true;
	}
	return false;
}

/* A rule of a chain that comes or goes writes to sets */
static void nfj_chain_writes(struct nfj_net *nn, const struct nft_chain *chain,
			     bool comes)
{
	struct nfj_chain *nc = nfj_chain_find(chain);
	struct nft_set *set;

	nn->shadows.written = true;
	if (nc)
		nc->writes = true;
	if (!comes)
		return;
	list_for_each_entry(set, &chain->table->sets, list)
		if (nfj_shadow_writable(set))
			nfj_shadow_check(set, nfj_set_written);
}

/**
 * nfj_sets_prepare - before a commit: sets become what they will be
 * @net: the netns
 * @touched: filled in, see nfj_shadows_prepare()
 *
 * Sets that are written to need not be marked as such: any that can be may be.  So
 * when a shadow is made the rules that refer to its set are looked at, and here
 * those that come later.
 *
 * Context: commit mutex; sleeps.
 */
void nfj_sets_prepare(struct net *net, struct list_head *touched)
{
	struct nfj_net *nn = nfj_pernet(net);
	struct nft_trans *trans;

	list_for_each_entry(trans, &nfj_nft_pernet(net)->commit_list, list)
		if ((trans->msg_type == NFT_MSG_NEWRULE ||
		     trans->msg_type == NFT_MSG_DELRULE) &&
		    nfj_rule_writes(nft_trans_rule(trans)))
			nfj_chain_writes(nn, nft_trans_rule_chain(trans),
					 trans->msg_type == NFT_MSG_NEWRULE);
	nfj_shadows_prepare(&nn->shadows, net, touched);
}

/**
 * nfj_set_shadow - the shadow of a set that a rule looks up
 * @net: the netns
 * @set: the set
 *
 * Context: commit mutex; sleeps.
 *
 * Return: the shadow, to be released with nfj_shadow_put(), or NULL.
 */
struct nfj_shadow *nfj_set_shadow(struct net *net, struct nft_set *set)
{
	struct nfj_net *nn = nfj_pernet(net);
	struct nfj_shadow *sh = nfj_shadow_known(set);
	bool written;

	if (sh || nfj_shadow_why(set) != NFJ_SHADOW_GOOD)
		return sh;
	written = nfj_set_written(set);
	/* packets may still be at a rule that is gone, which wrote to it */
	if (!written && nn->shadows.written && nfj_shadow_writable(set) &&
	    nft_is_active(net, set) && nn->shadows.waited != nn->commits + 1) {
		synchronize_rcu();
		nn->shadows.waited = nn->commits + 1;
	}
	return nfj_shadow_make(&nn->shadows, net, set, nn->budget, written);
}
