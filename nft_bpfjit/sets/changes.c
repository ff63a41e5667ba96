// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commits change shadows.
 *
 * Each element that a transaction adds or deletes is an entry of its list, in the
 * order in which that was asked for, so the shadow goes through the same: what is
 * deleted and added again is there, with what belongs to the newer one.
 *
 * Before nf_tables_commit() the shadows of all sets that are touched are closed and
 * become what the sets will be, behind it they are open again.  That end of a commit
 * comes without the commit mutex: the next one may have begun by then, and have
 * closed the same shadow (nfj_shadow::busy counts them).
 *
 * A commit that fails leaves shadows of what will not be: they are made anew.
 */
#include <linux/slab.h>
#include "../hook/hook.h"
#include "shadow.h"

/**
 * struct nfj_touch - a commit touches a shadow
 * @list: in the list of the commit
 * @sh: the shadow
 * @set: its set, while the commit mutex is held
 */
struct nfj_touch {
	struct list_head	list;
	struct nfj_shadow	*sh;
	struct nft_set		*set;
};

/**
 * nfj_shadow_touch - close a shadow until the commit that is under way is over
 * @all: of the netns
 * @sh: the shadow
 * @set: its set
 *
 * Context: commit mutex; sleeps.
 */
void nfj_shadow_touch(struct nfj_shadows *all, struct nfj_shadow *sh,
		      struct nft_set *set)
{
	struct list_head *touched = all->touched;
	struct nfj_touch *touch;

	/* outside of a commit, or known already */
	if (!touched || sh->touched == touched)
		return;
	touch = kmalloc(sizeof(*touch), GFP_KERNEL | __GFP_NOFAIL);
	refcount_inc(&sh->ref);
	touch->sh = sh;
	touch->set = set;
	sh->touched = touched;
	list_add_tail(&touch->list, touched);
	nfj_shadow_busy(sh, true);
}

/* What a transaction does to a set that has a shadow */
static void nfj_trans_apply(struct nfj_shadow *sh, struct nft_set *set,
			    struct nft_trans *trans)
{
	bool add = trans->msg_type == NFT_MSG_NEWSETELEM;
	unsigned int i, n = nfj_trans_nelems(trans);

	for (i = 0; i < n && sh->good; i++)
		nfj_shadow_change(sh, nfj_trans_elem_ext(set, trans, i), add,
				  nfj_trans_elem_updates(trans, i));
}

static struct nft_set *nfj_trans_set(struct nft_trans *trans)
{
	if (trans->msg_type != NFT_MSG_NEWSETELEM &&
	    trans->msg_type != NFT_MSG_DELSETELEM &&
	    trans->msg_type != NFT_MSG_DESTROYSETELEM)
		return NULL;
	return nft_trans_elem_set(trans);
}

/* Does it change an element that is there? */
static bool nfj_trans_changes(struct nft_trans *trans)
{
	unsigned int i;

	if (trans->msg_type != NFT_MSG_NEWSETELEM)
		return false;
	for (i = 0; i < nfj_trans_nelems(trans); i++)
		if (nfj_trans_elem_updates(trans, i))
			return true;
	return false;
}

/**
 * nfj_trans_updates - what was read of a set will have other time stamps
 * @sh: the shadow
 * @net: the netns
 * @set: its set
 *
 * Context: commit mutex, in a commit; sleeps.
 */
void nfj_trans_updates(struct nfj_shadow *sh, struct net *net,
		       struct nft_set *set)
{
	struct nft_trans *trans;
	unsigned int i;

	list_for_each_entry(trans, &nfj_nft_pernet(net)->commit_list, list) {
		if (nfj_trans_set(trans) != set || !nfj_trans_changes(trans))
			continue;
		for (i = 0; i < nfj_trans_nelems(trans) && sh->good; i++) {
			const struct nft_set_ext *ext;

			ext = nfj_trans_elem_ext(set, trans, i);
			if (nfj_trans_elem_updates(trans, i) &&
			    nft_is_active_next(net, ext))
				nfj_shadow_change(sh, ext, true, true);
		}
	}
}

/**
 * nfj_shadows_prepare - before a commit: shadows become what their sets will be
 * @all: of the netns
 * @net: the netns
 * @touched: filled in, for nfj_shadows_cancel() or nfj_shadows_finish()
 *
 * Until nfj_shadows_prepared() shadows that are made are added to the list.
 *
 * Context: commit mutex; sleeps.
 */
void nfj_shadows_prepare(struct nfj_shadows *all, struct net *net,
			 struct list_head *touched)
{
	struct nftables_pernet *nft_net = nfj_nft_pernet(net);
	struct nfj_shadow *sh = NULL;
	struct nft_set *last = NULL;
	struct nft_trans *trans;
	struct nfj_touch *touch;

	all->touched = touched;
	all->updates = false;
	list_for_each_entry(trans, &nft_net->commit_list, list) {
		struct nft_set *set = nfj_trans_set(trans);

		if (!set)
			continue;
		all->updates |= nfj_trans_changes(trans);
		if (set != last) {
			nfj_shadow_put(sh);
			sh = nfj_shadow_known(set);
			last = set;
			if (sh)
				nfj_shadow_touch(all, sh, set);
		}
		if (sh && sh->good)
			nfj_trans_apply(sh, set, trans);
		cond_resched();
	}
	nfj_shadow_put(sh);
	list_for_each_entry(touch, touched, list) {
		sh = touch->sh;
		if (sh->good) {
			nfj_shadow_trim(sh);
			continue;
		}
		if (sh->why == NFJ_SHADOW_DYNAMIC)
			continue;
		if (sh->skip) {
			sh->skip--;
			continue;
		}
		nfj_shadow_fill(sh, net, touch->set, nft_genmask_next(net));
		if (all->updates)
			nfj_trans_updates(sh, net, touch->set);
	}
}

/**
 * nfj_shadows_prepared - all chains of a commit have been translated
 * @all: of the netns
 *
 * Context: commit mutex.
 */
void nfj_shadows_prepared(struct nfj_shadows *all)
{
	struct nfj_touch *touch;

	list_for_each_entry(touch, all->touched, list)
		touch->sh->touched = NULL;
	all->touched = NULL;
}

static void nfj_touches_end(struct list_head *touched)
{
	struct nfj_touch *touch, *next;

	list_for_each_entry_safe(touch, next, touched, list) {
		nfj_shadow_busy(touch->sh, false);
		nfj_shadow_put(touch->sh);
		kfree(touch);
	}
}

/**
 * nfj_shadows_cancel - the commit failed
 * @net: the netns
 * @touched: what nfj_shadows_prepare() filled in
 *
 * Context: commit mutex, still held after a failure; sleeps.
 */
void nfj_shadows_cancel(struct net *net, struct list_head *touched)
{
	struct nfj_touch *touch;

	list_for_each_entry(touch, touched, list) {
		struct nfj_shadow *sh = touch->sh;

		/* what only this commit used goes with its states */
		if (sh->why != NFJ_SHADOW_DYNAMIC &&
		    refcount_read(&sh->ref) > 1)
			nfj_shadow_fill(sh, net, touch->set,
					nft_genmask_cur(net));
	}
	nfj_touches_end(touched);
}

/**
 * nfj_shadows_finish - the commit succeeded
 * @touched: what nfj_shadows_prepare() filled in
 *
 * Context: the commit mutex has been released.
 */
void nfj_shadows_finish(struct list_head *touched)
{
	nfj_touches_end(touched);
}

/**
 * nfj_shadow_check - find out whether rules write to a set by now
 * @set: the set
 * @written: tells
 *
 * Context: commit mutex; sleeps.
 */
void nfj_shadow_check(const struct nft_set *set,
		      bool (*written)(const struct nft_set *set))
{
	struct nfj_shadow *sh = nfj_shadow_known(set);

	if (sh && sh->why != NFJ_SHADOW_DYNAMIC && written(set))
		nfj_shadow_lose(sh, -EBUSY);
	nfj_shadow_put(sh);
}
