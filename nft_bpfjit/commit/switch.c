// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes of blobs outside of transactions: the sysctl, unloading, and putting
 * past generations out of use.
 *
 * A chain has two blobs, one for each generation.  After a commit the past one
 * still points to the old rules, until the next commit of that netns replaces
 * it; with it our old program would stay loaded.  So a while after a commit,
 * when no packet uses the past generation any more, both are made the same.
 *
 * Outside of a transaction all rules in nft_chain::rules are active in both
 * generations.
 */
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include "../nfj.h"

#define NFJ_OLD_MAX	64

/* Blobs that nobody can find any more, to be freed after a grace period */
struct nfj_old {
	struct nft_rule_blob	*blob[NFJ_OLD_MAX];
	unsigned int		n;
};

static void nfj_old_flush(struct nfj_old *old)
{
	if (!old->n)
		return;
	synchronize_rcu();
	while (old->n)
		kvfree(old->blob[--old->n]);
}

static void nfj_old_add(struct nfj_old *old, struct nft_rule_blob *blob)
{
	if (old->n == NFJ_OLD_MAX)
		nfj_old_flush(old);
	old->blob[old->n++] = blob;
}

/* Retire the states of a chain that neither of its blobs points to */
static void nfj_chain_sweep(struct nft_chain *chain, struct nfj_chain *nc)
{
	const struct nfj_state *g0, *g1;
	struct nfj_state *st, *next;

	g0 = nfj_blob_state(rcu_dereference_raw(chain->blob_gen_0));
	g1 = nfj_blob_state(rcu_dereference_raw(chain->blob_gen_1));
	list_for_each_entry_safe(st, next, &nc->states, list) {
		if (st == g0 || st == g1)
			continue;
		list_del(&st->list);
		nfj_state_retire(st);
	}
}

/* Let the chain's hook call the engine if that is what the chain is for */
static void nfj_chain_hook(const struct net *net, const struct nft_chain *chain,
			   struct nfj_chain *nc)
{
	bool on = nfj_blob_state(nfj_blob_now(net, chain));

	if (on || nc->hooked)
		nfj_entries_sync(net, chain, on);
	nc->hooked = on;
}

/* Publish a blob for both generations */
static void nfj_chain_publish(struct net *net, struct nft_chain *chain,
			      struct nfj_chain *nc,
			      struct nft_rule_blob *blob, struct nfj_old *old)
{
	struct nft_rule_blob *g0 = rcu_dereference_raw(chain->blob_gen_0);
	struct nft_rule_blob *g1 = rcu_dereference_raw(chain->blob_gen_1);

	rcu_assign_pointer(chain->blob_gen_0, blob);
	rcu_assign_pointer(chain->blob_gen_1, blob);
	nfj_chain_sweep(chain, nc);
	nfj_chain_hook(net, chain, nc);
	if (g0 != blob)
		nfj_old_add(old, g0);
	if (g1 != blob && g1 != g0)
		nfj_old_add(old, g1);
}

/**
 * nfj_switch - translate, or stop translating, what a netns has loaded
 * @net: the netns
 * @on: which
 *
 * Takes effect at once, while packets flow.  Takes the commit mutex; sleeps.
 * Switching off does not fail.
 */
void nfj_switch(struct net *net, bool on)
{
	struct nftables_pernet *nft_net = nfj_nft_pernet(net);
	struct nft_table *table;
	struct nft_chain *chain;
	struct nfj_change *c;
	LIST_HEAD(changes);
	struct nfj_old *old;

	old = kzalloc(sizeof(*old), GFP_KERNEL | __GFP_NOFAIL);
	mutex_lock(&nft_net->commit_mutex);
	nfj_pernet(net)->enable = on;
	/* packets that began with the past generation */
	synchronize_rcu();

	list_for_each_entry(table, &nft_net->tables, list) {
		list_for_each_entry(chain, &table->chains, list) {
			struct nft_rule_blob *blob;
			struct nfj_chain *nc;

			if (on) {
				nfj_change_add(chain, &changes);
				continue;
			}
			nc = nfj_chain_find(chain);
			if (!nc)
				continue;
			nc->fig.why = NFJ_WHY_OFF;
			if (list_empty(&nc->states))
				continue;
			blob = nfj_blob_build(net, chain, NULL,
					      GFP_KERNEL | __GFP_NOFAIL);
			nfj_chain_publish(net, chain, nc, blob, old);
		}
	}
	if (on) {
		nfj_changes_translate(net, &changes);
		list_for_each_entry(c, &changes, list) {
			if (!c->blob)
				continue;
			if (c->st)
				list_add_tail(&c->st->list, &c->nc->states);
			nfj_chain_publish(net, c->chain, c->nc, c->blob,
					  old);
		}
		nfj_changes_free(&changes);
	}
	mutex_unlock(&nft_net->commit_mutex);
	nfj_old_flush(old);
	kfree(old);
}

/**
 * nfj_unify_work - put the past generation of a netns out of use
 * @work: nfj_net::unify
 *
 * Some time after a commit.  If there was another one while this waited for
 * packets of the past generation, it tries again later: then what was past at
 * first is no longer in use, but what is past now may be.
 */
void nfj_unify_work(struct work_struct *work)
{
	struct nfj_net *nn = container_of(to_delayed_work(work),
					  struct nfj_net, unify);
	struct nftables_pernet *nft_net = nfj_nft_pernet(nn->net);
	unsigned int seq = READ_ONCE(nn->commits);
	struct nft_table *table;
	struct nft_chain *chain;
	struct nfj_old *old;
	bool still;

	old = kzalloc(sizeof(*old), GFP_KERNEL);
	if (!old)
		goto again;
	synchronize_rcu();
	mutex_lock(&nft_net->commit_mutex);
	still = nn->commits == seq;
	list_for_each_entry(table, &nft_net->tables, list) {
		list_for_each_entry(chain, &table->chains, list) {
			struct nfj_chain *nc = nfj_chain_find(chain);

			if (!nc || (list_empty(&nc->states) && !nc->hooked))
				continue;
			if (still) {
				nfj_chain_publish(nn->net, chain, nc,
						  nfj_blob_now(nn->net, chain),
						  old);
			} else {
				nfj_chain_sweep(chain, nc);
				nfj_chain_hook(nn->net, chain, nc);
			}
		}
	}
	mutex_unlock(&nft_net->commit_mutex);
	nfj_old_flush(old);
	kfree(old);
	if (still)
		return;
again:
	queue_delayed_work(system_unbound_wq, &nn->unify, HZ / 10);
}
