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
#include <linux/rcupdate.h>
#include "commit.h"

/* Retire all states of a chain but those that its blobs point to */
static void nfj_chain_sweep(const struct nft_chain *chain,
			    struct nfj_chain *nc)
{
	const struct nfj_state *s0, *s1;
	struct nfj_state *st, *next;

	/* not by st->blob: where that was there may be another one by now */
	s0 = nfj_blob_state(rcu_dereference_raw(chain->blob_gen_0));
	s1 = nfj_blob_state(rcu_dereference_raw(chain->blob_gen_1));
	list_for_each_entry_safe(st, next, &nc->states, list) {
		if (st == s0 || st == s1)
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
	nf_hookfn *fn = NULL;

	if (nft_is_base_chain(chain))
		fn = nfj_hook_fn(nft_base_chain(chain));
	if (fn && (on || nc->hooked))
		nfj_redirect_sync(net, nft_base_chain(chain), on ? fn : NULL);
	nc->hooked = on;
}

/* Publish a blob for both generations */
static void nfj_chain_publish(struct net *net, struct nft_chain *chain,
			      struct nfj_chain *nc,
			      struct nft_rule_blob *blob)
{
	struct nft_rule_blob *g0 = rcu_dereference_raw(chain->blob_gen_0);
	struct nft_rule_blob *g1 = rcu_dereference_raw(chain->blob_gen_1);

	rcu_assign_pointer(chain->blob_gen_0, blob);
	rcu_assign_pointer(chain->blob_gen_1, blob);
	nfj_chain_sweep(chain, nc);
	nfj_chain_hook(net, chain, nc);
	if (g0 != blob)
		nfj_blob_retire(g0);
	if (g1 != blob && g1 != g0)
		nfj_blob_retire(g1);
}

/**
 * nfj_publish_now - publish another blob for the same rules
 * @net: the netns
 * @chain: a translated chain
 * @nc: what is known of it
 * @blob: the blob, ours
 *
 * In the current generation only: packets of the past one, if there are any left,
 * go on with what they have, and there is nothing to wait for.  As soon as nobody
 * uses the past generation nfj_unify_work() puts the blob there as well.
 *
 * Context: commit mutex, not in a commit.
 */
void nfj_publish_now(struct net *net, struct nft_chain *chain,
		     struct nfj_chain *nc, struct nft_rule_blob *blob)
{
	struct nft_rule_blob *g0 = rcu_dereference_raw(chain->blob_gen_0);
	struct nft_rule_blob *g1 = rcu_dereference_raw(chain->blob_gen_1);
	bool gen = net->nft.gencursor;

	if (gen)
		rcu_assign_pointer(chain->blob_gen_1, blob);
	else
		rcu_assign_pointer(chain->blob_gen_0, blob);
	nfj_chain_sweep(chain, nc);
	if (g0 != g1)
		nfj_blob_retire(gen ? g1 : g0);
	nfj_unify_queue(nfj_pernet(net));
}

/* Does any chain of a netns have a program? */
static bool nfj_net_busy(const struct nftables_pernet *nft_net)
{
	const struct nft_table *table;
	const struct nft_chain *chain;

	list_for_each_entry(table, &nft_net->tables, list) {
		list_for_each_entry(chain, &table->chains, list) {
			const struct nfj_chain *nc = nfj_chain_find(chain);

			if (nc && (nc->hooked || !list_empty(&nc->states)))
				return true;
		}
	}
	return false;
}

/**
 * nfj_changes_publish - let packets use what chains have become, outside of a commit
 * @net: the netns
 * @changes: the chains, all of them settled; empty afterwards
 *
 * Context: commit mutex, and no packet uses the past generation; sleeps.
 */
void nfj_changes_publish(struct net *net, struct list_head *changes)
{
	struct nfj_change *c;

	nfj_changes_build(net, changes);
	list_for_each_entry(c, changes, list) {
		if (!c->blob)
			continue;
		if (c->st)
			list_add_tail(&c->st->list, &c->nc->states);
		nfj_chain_publish(net, c->chain, c->nc, c->blob);
	}
	nfj_changes_free(changes);
}

/**
 * nfj_switch - translate, or stop translating, what a netns has loaded
 * @net: the netns
 * @on: which
 * @grant: with @on: somebody has said so, who may load BPF programs
 *
 * Takes effect at once, while packets flow.  Takes the commit mutex; sleeps.
 *
 * Return: 0, or -ENODEV when the module goes and @on is set.
 */
int nfj_switch(struct net *net, bool on, bool grant)
{
	struct nftables_pernet *nft_net = nfj_nft_pernet(net);
	struct nfj_net *nn = nfj_pernet(net);
	struct nft_table *table;
	struct nft_chain *chain;
	LIST_HEAD(changes);
	int err = 0;
	bool all;

	mutex_lock(&nft_net->commit_mutex);
	/* who asks twice is not made to wait, nor are packets */
	if (nn->enable == on && (!grant || nn->granted))
		goto out;
	if (on && nfj_phase_now() != NFJ_LIVE) {
		err = -ENODEV;
		goto out;
	}
	nn->granted = on && grant;
	/* chains that lacked no more than that are found by their tables */
	all = nn->enable != on;
	WRITE_ONCE(nn->enable, on);
	/* packets that began with the past generation; a netns that goes, as
	 * thousands may at once, mostly has nothing to wait for
	 */
	if (on ? !list_empty(&nft_net->tables) : nfj_net_busy(nft_net))
		synchronize_rcu();

	list_for_each_entry(table, &nft_net->tables, list) {
		list_for_each_entry(chain, &table->chains, list) {
			struct nft_rule_blob *blob;
			struct nfj_chain *nc;

			if (on) {
				if (all)
					nfj_change_add(chain, &changes);
				continue;
			}
			nc = nfj_chain_find(chain);
			if (!nc)
				continue;
			nc->out = (struct nfj_outcome){ .why = NFJ_WHY_OFF };
			nc->stats.known = false;
			nfj_kept_free(nc->kept);
			nc->kept = NULL;
			if (list_empty(&nc->states) && !nc->hooked)
				continue;
			blob = nfj_blob_build(net, chain, NULL,
					      GFP_KERNEL | __GFP_NOFAIL);
			nfj_chain_publish(net, chain, nc, blob);
		}
	}
	if (on) {
		list_for_each_entry(table, &nft_net->tables, list)
			nfj_table_settle(net, table, &changes);
		nfj_changes_publish(net, &changes);
	}
out:
	mutex_unlock(&nft_net->commit_mutex);
	return err;
}

/**
 * nfj_unify_queue - put the past generation of a netns out of use, soon
 * @nn: the netns
 */
void nfj_unify_queue(struct nfj_net *nn)
{
	nfj_later(&nn->unify, 1);
}

/**
 * nfj_unify_work - put the past generation of a netns out of use
 * @work: nfj_net::unify
 *
 * Some time after a commit.  If there was another one while this waited for
 * packets of the past generation, then the past one is another one, with packets
 * of its own, and the next run waits for those.  What fell out of both
 * generations goes now, or commits in quick succession would heap up programs.
 */
void nfj_unify_work(struct work_struct *work)
{
	struct nfj_net *nn = container_of(to_delayed_work(work),
					  struct nfj_net, unify);
	struct nftables_pernet *nft_net = nfj_nft_pernet(nn->net);
	struct nft_table *table;
	struct nft_chain *chain;
	unsigned int commits;
	bool still;

	/* under the mutex: not in the middle of a commit */
	mutex_lock(&nft_net->commit_mutex);
	commits = nn->commits;
	mutex_unlock(&nft_net->commit_mutex);
	synchronize_rcu();
	mutex_lock(&nft_net->commit_mutex);
	still = nn->commits == commits;
	list_for_each_entry(table, &nft_net->tables, list) {
		list_for_each_entry(chain, &table->chains, list) {
			struct nfj_chain *nc = nfj_chain_find(chain);

			if (!nc || (list_empty(&nc->states) && !nc->hooked))
				continue;
			if (still) {
				nfj_chain_publish(nn->net, chain, nc,
						  nfj_blob_now(nn->net, chain));
			} else {
				nfj_chain_sweep(chain, nc);
				nfj_chain_hook(nn->net, chain, nc);
			}
		}
	}
	if (!still)
		nfj_unify_queue(nn);
	mutex_unlock(&nft_net->commit_mutex);
}
