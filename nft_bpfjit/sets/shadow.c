// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shadows of sets (shadow.h has the picture): which sets have one, how it is
 * filled and changed, and how long it lives.
 *
 * A shadow is made when the first chain is translated that looks its set up, and
 * goes with the last state that uses it.  It is found by the address of the set
 * and known by three numbers that no other set ever has, so it does not matter when
 * and by whom the set is destroyed.
 *
 * Sets that rules write to (dynset) are left to nft.
 */
#include <linux/err.h>
#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <net/netfilter/nf_tables.h>
#include "../hook/private.h"
#include "shadow.h"

#define NFJ_FILL_TRIES	4

/* At most so many times is the number of commits to let pass doubled */
#define NFJ_FAILS_MAX	8

static DEFINE_HASHTABLE(nfj_shadows, 10);
static DEFINE_SPINLOCK(nfj_shadows_lock);
static atomic_t nfj_nshadows = ATOMIC_INIT(0);

/* Open, or closed?  Tables change only between the two barriers. */
static void nfj_shadow_settle(struct nfj_shadow *sh)
{
	bool open = !sh->busy && sh->good;
	bool quick = open && sh->kind == NFJ_SHADOW_WORD && !sh->refs &&
		     !sh->times && !sh->all && sh->klen == sizeof(u32);

	lockdep_assert_held(&sh->lock);
	if (open == !(sh->seq & 1))
		return;
	if (quick)
		sh->quick = rcu_dereference_raw(sh->hash);
	smp_wmb();	/* what was changed, before it is open */
	WRITE_ONCE(sh->seq, sh->seq + 1);
	if (quick || !open)
		WRITE_ONCE(sh->quick_seq, sh->seq);
	smp_wmb();	/* it is closed, before anything changes */
}

/**
 * nfj_shadow_busy - a commit begins to touch a shadow, or ends
 * @sh: the shadow
 * @busy: which
 */
void nfj_shadow_busy(struct nfj_shadow *sh, bool busy)
{
	spin_lock_bh(&sh->lock);
	if (busy)
		sh->busy++;
	else
		sh->busy--;
	nfj_shadow_settle(sh);
	spin_unlock_bh(&sh->lock);
}

static void nfj_shadow_good(struct nfj_shadow *sh, bool good)
{
	spin_lock_bh(&sh->lock);
	sh->good = good;
	nfj_shadow_settle(sh);
	spin_unlock_bh(&sh->lock);
}

/* Another table takes the place of the one that is there */
static void nfj_shadow_hash(struct nfj_shadow *sh, struct nfj_hash *t)
{
	struct nfj_hash *old = rcu_dereference_raw(sh->hash);

	rcu_assign_pointer(sh->hash, t);
	if (!old)
		return;
	nfj_budget_uncharge(sh->budget, old->bytes);
	kvfree_rcu(old, rcu);
}

static void nfj_shadow_ivals(struct nfj_shadow *sh, struct nfj_ivals *t)
{
	struct nfj_ivals *old = rcu_dereference_raw(sh->ivals);

	rcu_assign_pointer(sh->ivals, t);
	if (!old)
		return;
	nfj_budget_uncharge(sh->budget, old->bytes);
	kvfree_rcu(old, rcu);
}

/**
 * nfj_shadow_lose - a shadow is no longer what its set is
 * @sh: the shadow; its set is looked up in nft from now on
 * @err: why: -EDQUOT, -ENOMEM, -EOPNOTSUPP (an element), -EBUSY (rules write to it)
 *
 * Context: commit mutex.
 */
void nfj_shadow_lose(struct nfj_shadow *sh, int err)
{
	nfj_shadow_good(sh, false);
	nfj_shadow_hash(sh, NULL);
	nfj_shadow_ivals(sh, NULL);
	sh->all = false;
	sh->skip = (1U << sh->fails) - 1;
	if (sh->fails < NFJ_FAILS_MAX)
		sh->fails++;
	sh->why = err == -EDQUOT ? NFJ_SHADOW_LIMIT :
		  err == -ENOMEM ? NFJ_SHADOW_NOMEM :
		  err == -EBUSY ? NFJ_SHADOW_DYNAMIC : NFJ_SHADOW_ELEMENT;
}

/* Has an element an expression that decides when it is collected? */
static bool nfj_elem_collects(const struct nft_set_ext *ext)
{
	const struct nft_set_elem_expr *exprs = nft_set_ext_expr(ext);
	const struct nft_expr *expr;
	u32 size;

	nft_setelem_expr_foreach(expr, exprs, size)
		if (expr->ops->gc)
			return true;
	return false;
}

/* What a shadow needs of an element.  False: it is not like the others */
static bool nfj_item_read(const struct nfj_shadow *sh,
			  const struct nft_set_ext *ext, struct nfj_item *item,
			  u32 *key)
{
	if (nft_set_ext_exists(ext, NFT_SET_EXT_OBJREF) ||
	    nft_set_ext_exists(ext, NFT_SET_EXT_KEY_END) ||
	    (nft_set_ext_exists(ext, NFT_SET_EXT_EXPRESSIONS) &&
	     (!sh->refs || nfj_elem_collects(ext))))
		return false;
	memset(item, 0, sizeof(*item));
	if (nft_set_ext_exists(ext, NFT_SET_EXT_FLAGS)) {
		u8 flags = *nft_set_ext_flags(ext);

		item->over = flags & NFT_SET_ELEM_INTERVAL_END;
		item->all = flags & NFT_SET_ELEM_CATCHALL;
	}
	item->ext = ext;
	item->expires = nfj_elem_expires(ext, NFJ_NEVER);
	item->key = key;
	if (item->all)
		return true;
	if (!nft_set_ext_exists(ext, NFT_SET_EXT_KEY))
		return false;
	key[sh->words - 1] = 0;
	memcpy(key, nft_set_ext_key(ext), sh->klen);
	return true;
}

static void nfj_shadow_all(struct nfj_shadow *sh, const struct nfj_item *item,
			   bool add)
{
	if (!add && sh->all_ext != item->ext)
		return;
	sh->all_ext = item->ext;
	sh->all_expires = item->expires;
	WRITE_ONCE(sh->all, add);
}

struct nfj_filler {
	struct nft_set_iter	iter;
	struct nfj_shadow	*sh;
	struct nfj_hash		*hash;
	struct nfj_ends		ends;
	bool			sorted;
};

/* Ends are collected; a tree is walked from its highest key down */
static int nfj_fill_end(struct nfj_filler *f, const struct nfj_item *item)
{
	u32 key = nfj_shadow_number(f->sh, *item->key), nr = NFJ_END_OVER;
	struct nfj_ends *ends = &f->ends;

	if (ends->n == ends->max)
		return -ENOSPC;
	if (!item->over) {
		nr = f->sh->refs ? ends->nelems : 1;
		if (ends->ext)
			ends->ext[ends->nelems++] = item->ext;
	}
	if (ends->n && key > ends->end[ends->n - 1].key)
		f->sorted = false;
	ends->end[ends->n++] = (struct nfj_end){ key, nr };
	return 0;
}

static int nfj_fill_elem(struct nfj_filler *f, const struct nft_set_ext *ext)
{
	u32 key[NFJ_SHADOW_WORDS];
	struct nfj_item item;

	if (!nft_set_elem_active(ext, f->iter.genmask))
		return 0;
	if (!nfj_item_read(f->sh, ext, &item, key))
		return -EOPNOTSUPP;
	if (item.all) {
		nfj_shadow_all(f->sh, &item, true);
		return 0;
	}
	if (f->hash)
		return nfj_hash_put(f->hash, &item);
	return nfj_fill_end(f, &item);
}

static int nfj_fill_walk(const struct nft_ctx *ctx, struct nft_set *set,
			 const struct nft_set_iter *iter, nfj_elem_priv *priv)
{
	struct nfj_filler *f = container_of(iter, struct nfj_filler, iter);

	return nfj_fill_elem(f, nfj_elem_ext(set, priv));
}

static int nfj_end_cmp(const void *a, const void *b)
{
	const struct nfj_end *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

/* Ascending, one for each number */
static void nfj_ends_tidy(struct nfj_ends *ends, bool descending)
{
	u32 i, n = 0;

	if (descending)
		for (i = 0; i < ends->n / 2; i++)
			swap(ends->end[i], ends->end[ends->n - 1 - i]);
	else
		sort(ends->end, ends->n, sizeof(*ends->end), nfj_end_cmp, NULL);
	for (i = 0; i < ends->n; i++) {
		if (n && ends->end[n - 1].key == ends->end[i].key)
			ends->end[n - 1].val |= ends->end[i].val;
		else
			ends->end[n++] = ends->end[i];
	}
	ends->n = n;
}

/* Does an interval begin where another is over? */
static bool nfj_ends_meet(const struct nfj_ends *ends)
{
	u32 i;

	for (i = 0; i < ends->n; i++)
		if (ends->end[i].val & NFJ_END_OVER &&
		    ends->end[i].val & NFJ_END_ELEM)
			return true;
	return false;
}

static int nfj_fill_ivals(struct nfj_filler *f, const struct nft_ctx *ctx,
			  struct nft_set *set, u32 n)
{
	struct nfj_ends *ends = &f->ends;
	struct nfj_ivals *t;
	int err = -ENOMEM;

	/* not in vain */
	err = nfj_budget_charge(f->sh->budget, n * sizeof(*ends->end));
	if (err)
		return err;
	err = -ENOMEM;
	ends->max = n;
	ends->nelems = 1;
	ends->end = kvmalloc_array(n, sizeof(*ends->end), NFJ_GFP);
	if (f->sh->refs)
		ends->ext = kvmalloc_array(n + 1, sizeof(*ends->ext), NFJ_GFP);
	if (!ends->end || (f->sh->refs && !ends->ext))
		goto out_free;
	if (ends->ext)
		ends->ext[0] = NULL;
	f->sorted = true;
	set->ops->walk(ctx, set, &f->iter);
	err = f->iter.err;
	if (err < 0)
		goto out_free;
	nfj_ends_tidy(ends, f->sorted);
	/* what nft finds in one that is anonymous depends on its tree */
	if (nft_set_is_anonymous(set) && nfj_ends_meet(ends)) {
		err = -EOPNOTSUPP;
		goto out_free;
	}
	t = nfj_ivals_new(f->sh, ends);
	err = PTR_ERR_OR_ZERO(t);
	if (!err)
		nfj_shadow_ivals(f->sh, t);
out_free:
	nfj_budget_uncharge(f->sh->budget, n * sizeof(*ends->end));
	kvfree(ends->end);
	kvfree(ends->ext);
	return err;
}

static int nfj_fill_hash(struct nfj_filler *f, const struct nft_ctx *ctx,
			 struct nft_set *set, u32 n)
{
	f->hash = nfj_hash_new(f->sh, n);
	if (IS_ERR(f->hash))
		return PTR_ERR(f->hash);
	set->ops->walk(ctx, set, &f->iter);
	if (f->iter.err < 0)
		nfj_hash_free(f->sh, f->hash);
	else
		nfj_shadow_hash(f->sh, f->hash);
	return f->iter.err;
}

/**
 * nfj_shadow_fill - make a shadow what its set is
 * @sh: the shadow
 * @net: the netns
 * @set: the set
 * @genmask: in which generation
 *
 * Context: commit mutex; sleeps.
 */
void nfj_shadow_fill(struct nfj_shadow *sh, struct net *net,
		     struct nft_set *set, u8 genmask)
{
	struct nft_ctx ctx = { .net = net, .table = set->table };
	struct nfj_set_elem_catchall *all;
	unsigned int try;
	u32 n;
	int err;

	nfj_shadow_good(sh, false);
	sh->all = false;
	for (try = 0; try < NFJ_FILL_TRIES; try++) {
		struct nfj_filler f = {
			.iter	= {
				.genmask = genmask,
				.type	 = NFT_ITER_UPDATE,
				.fn	 = nfj_fill_walk,
			},
			.sh	= sh,
		};

		n = min_t(u32, atomic_read(&set->nelems), U32_MAX / 32);
		n = (n + 8) << try;
		if (sh->kind == NFJ_SHADOW_IVALS)
			err = nfj_fill_ivals(&f, &ctx, set, n);
		else
			err = nfj_fill_hash(&f, &ctx, set, n);
		if (!err)
			list_for_each_entry(all, &set->catchall_list, list) {
				err = nfj_fill_elem(&f, nft_set_elem_ext(set, all->elem));
				if (err)
					break;
			}
		if (err != -ENOSPC)
			break;
	}
	if (err) {
		nfj_shadow_lose(sh, err == -ENOSPC ? -ENOMEM : err);
		return;
	}
	sh->why = NFJ_SHADOW_GOOD;
	sh->fails = 0;
	nfj_shadow_good(sh, true);
}

/* Add or take out, to or from the table that there is */
static int nfj_shadow_apply(struct nfj_shadow *sh, const struct nfj_item *item,
			    bool add)
{
	struct nfj_ivals *ivals = rcu_dereference_raw(sh->ivals);
	struct nfj_hash *hash = rcu_dereference_raw(sh->hash);
	u32 number;

	if (sh->kind != NFJ_SHADOW_IVALS) {
		if (add)
			return nfj_hash_put(hash, item);
		nfj_hash_del(hash, item);
		return 0;
	}
	number = nfj_shadow_number(sh, *item->key);
	if (add)
		return nfj_ivals_put(ivals, item, number);
	nfj_ivals_del(ivals, item, number);
	return 0;
}

/* A table with more room, or less that is not used */
static int nfj_shadow_remake(struct nfj_shadow *sh)
{
	struct nfj_ivals *ivals = rcu_dereference_raw(sh->ivals);
	struct nfj_hash *hash = rcu_dereference_raw(sh->hash);

	if (sh->kind == NFJ_SHADOW_IVALS) {
		ivals = nfj_ivals_remake(sh, ivals);
		if (IS_ERR(ivals))
			return PTR_ERR(ivals);
		nfj_shadow_ivals(sh, ivals);
	} else {
		hash = nfj_hash_remake(sh, hash);
		if (IS_ERR(hash))
			return PTR_ERR(hash);
		nfj_shadow_hash(sh, hash);
	}
	return 0;
}

/**
 * nfj_shadow_change - an element comes, or goes
 * @sh: the shadow, closed; it is lost if that can't be
 * @ext: the element
 * @add: it comes, or changes
 * @unknown: only nft will know when it expires
 *
 * Context: commit mutex; sleeps.
 */
void nfj_shadow_change(struct nfj_shadow *sh, const struct nft_set_ext *ext,
		       bool add, bool unknown)
{
	u32 key[NFJ_SHADOW_WORDS];
	struct nfj_item item;
	unsigned int try;
	int err;

	if (!nfj_item_read(sh, ext, &item, key)) {
		nfj_shadow_lose(sh, -EOPNOTSUPP);
		return;
	}
	if (unknown)
		item.expires = NFJ_ASK;
	if (item.all) {
		nfj_shadow_all(sh, &item, add);
		return;
	}
	err = nfj_shadow_apply(sh, &item, add);
	for (try = 0; try < NFJ_FILL_TRIES && err == -ENOSPC; try++) {
		err = nfj_shadow_remake(sh);
		if (!err)
			err = nfj_shadow_apply(sh, &item, add);
	}
	if (err)
		nfj_shadow_lose(sh, err == -ENOSPC ? -ENOMEM : err);
}

/**
 * nfj_shadow_trim - give back what a shadow no longer needs
 * @sh: the shadow, closed
 *
 * Context: commit mutex; sleeps.
 */
void nfj_shadow_trim(struct nfj_shadow *sh)
{
	const struct nfj_ivals *ivals = rcu_dereference_raw(sh->ivals);
	const struct nfj_hash *hash = rcu_dereference_raw(sh->hash);

	if (sh->kind == NFJ_SHADOW_IVALS ? nfj_ivals_idle(ivals) :
					   nfj_hash_idle(hash))
		/* else it stays as it is */
		nfj_shadow_remake(sh);
}

/**
 * nfj_shadow_why - can a set have a shadow?
 * @set: the set
 *
 * Return: NFJ_SHADOW_GOOD, or why not.
 */
enum nfj_shadow_why nfj_shadow_why(const struct nft_set *set)
{
	unsigned int i;

	if (!NFJ_SETS_COMPARED)
		return NFJ_SHADOW_KERNEL;
	if (set->flags & NFT_SET_EVAL)
		return NFJ_SHADOW_DYNAMIC;
	if (set->flags & NFT_SET_OBJECT)
		return NFJ_SHADOW_OBJECTS;
	if (!set->klen || set->klen > NFJ_SHADOW_WORDS * sizeof(u32))
		return NFJ_SHADOW_TYPE;
	if (set->flags & NFT_SET_INTERVAL &&
	    (set->field_count || set->klen > sizeof(u32) ||
	     set->flags & NFT_SET_TIMEOUT))
		return NFJ_SHADOW_TYPE;
	/* an rbtree may have a key twice then, and finds either */
	if (set->flags & NFT_SET_TIMEOUT && !set->ops->update)
		return NFJ_SHADOW_TYPE;
	for (i = 0; i < set->num_exprs; i++)
		if (set->exprs[i]->ops->gc)
			return NFJ_SHADOW_DYNAMIC;
	return NFJ_SHADOW_GOOD;
}

static struct nfj_shadow *nfj_shadow_new(const struct nft_set *set,
					 struct nfj_budget *budget)
{
	struct nfj_shadow *sh;

	if (nfj_budget_charge(budget, sizeof(*sh)))
		return NULL;
	sh = kzalloc(sizeof(*sh), NFJ_GFP);
	if (!sh) {
		nfj_budget_uncharge(budget, sizeof(*sh));
		return NULL;
	}
	sh->seq = 1;
	sh->quick_seq = 1;
	spin_lock_init(&sh->lock);
	refcount_set(&sh->ref, 1);
	sh->kind = set->flags & NFT_SET_INTERVAL ? NFJ_SHADOW_IVALS :
		   set->klen <= sizeof(u32) ? NFJ_SHADOW_WORD : NFJ_SHADOW_WIDE;
	sh->klen = set->klen;
	sh->words = DIV_ROUND_UP(set->klen, sizeof(u32));
	sh->mask = nfj_shadow_mask(set->klen);
	sh->refs = set->flags & NFT_SET_MAP || set->num_exprs;
	sh->times = set->flags & NFT_SET_TIMEOUT;
	sh->set = set;
	sh->handle = set->handle;
	sh->table = set->table->handle;
	sh->cookie = read_pnet(&set->net)->net_cookie;
	sh->budget = nfj_budget_get(budget);
	return sh;
}

/**
 * nfj_shadow_known - the shadow of a set, if it has one
 * @set: the set
 *
 * Context: commit mutex of the set's netns.
 *
 * Return: the shadow, to be released with nfj_shadow_put(), or NULL.
 */
struct nfj_shadow *nfj_shadow_known(const struct nft_set *set)
{
	struct nfj_shadow *sh;

	if (!atomic_read(&nfj_nshadows))
		return NULL;
	spin_lock_bh(&nfj_shadows_lock);
	hash_for_each_possible(nfj_shadows, sh, node, (unsigned long)set)
		if (sh->set == set && sh->handle == set->handle &&
		    sh->table == set->table->handle &&
		    sh->cookie == read_pnet(&set->net)->net_cookie &&
		    refcount_inc_not_zero(&sh->ref)) {
			spin_unlock_bh(&nfj_shadows_lock);
			return sh;
		}
	spin_unlock_bh(&nfj_shadows_lock);
	return NULL;
}

/**
 * nfj_shadow_make - make the shadow of a set that has none
 * @all: of the netns
 * @net: the netns
 * @set: a set that can have one; the next generation knows it
 * @budget: whose memory it is to take
 * @written: rules write to it: nft is always to be asked
 *
 * Context: commit mutex; sleeps.
 *
 * Return: the shadow, to be released with nfj_shadow_put(), or NULL.
 */
struct nfj_shadow *nfj_shadow_make(struct nfj_shadows *all, struct net *net,
				   struct nft_set *set,
				   struct nfj_budget *budget, bool written)
{
	struct nfj_shadow *sh = nfj_shadow_new(set, budget);

	if (!sh)
		return NULL;
	nfj_shadow_touch(all, sh, set);
	if (written)
		nfj_shadow_lose(sh, -EBUSY);
	else
		nfj_shadow_fill(sh, net, set, nft_genmask_next(net));
	if (!written && all->touched && all->updates)
		nfj_trans_updates(sh, net, set);
	atomic_inc(&nfj_nshadows);
	spin_lock_bh(&nfj_shadows_lock);
	hash_add(nfj_shadows, &sh->node, (unsigned long)set);
	spin_unlock_bh(&nfj_shadows_lock);
	return sh;
}

/**
 * nfj_shadow_bytes - memory that a shadow's table takes
 * @sh: the shadow
 *
 * Context: commit mutex.
 *
 * Return: bytes.
 */
size_t nfj_shadow_bytes(const struct nfj_shadow *sh)
{
	const struct nfj_ivals *ivals = rcu_dereference_raw(sh->ivals);
	const struct nfj_hash *hash = rcu_dereference_raw(sh->hash);

	return (hash ? hash->bytes : 0) + (ivals ? ivals->bytes : 0);
}

/**
 * nfj_shadow_put - no longer use a shadow
 * @sh: the shadow, or NULL; no packet is in it on the caller's account
 */
void nfj_shadow_put(struct nfj_shadow *sh)
{
	if (!sh || !refcount_dec_and_test(&sh->ref))
		return;
	spin_lock_bh(&nfj_shadows_lock);
	hash_del(&sh->node);
	spin_unlock_bh(&nfj_shadows_lock);
	atomic_dec(&nfj_nshadows);
	nfj_hash_free(sh, rcu_dereference_raw(sh->hash));
	nfj_ivals_free(sh, rcu_dereference_raw(sh->ivals));
	nfj_budget_uncharge(sh->budget, sizeof(*sh));
	nfj_budget_put(sh->budget);
	kfree(sh);
}
