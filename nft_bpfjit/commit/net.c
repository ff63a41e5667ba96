// SPDX-License-Identifier: GPL-2.0-only
/*
 * Our part of a netns: comes and goes with it, or with the module.
 */
#include <linux/module.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "commit.h"

static unsigned int nfj_net_id;
static bool nfj_going;

/* Our part of each netns, for what is not about one of them.  net_rwsem would say
 * which there are, not whether they have a part of ours yet, or still.
 */
static LIST_HEAD(nfj_nets);
static DEFINE_MUTEX(nfj_nets_lock);

/**
 * nfj_pernet - our part of a netns
 * @net: the netns
 *
 * Return: the part.
 */
struct nfj_net *nfj_pernet(const struct net *net)
{
	return net_generic(net, nfj_net_id);
}

/**
 * nfj_nets_each - do something for our part of each netns
 * @fn: what; must not sleep for a netns to come or go
 *
 * Context: sleeps; none is added or goes meanwhile.
 */
void nfj_nets_each(void (*fn)(struct nfj_net *nn))
{
	struct nfj_net *nn;

	mutex_lock(&nfj_nets_lock);
	list_for_each_entry(nn, &nfj_nets, list)
		fn(nn);
	mutex_unlock(&nfj_nets_lock);
}

static int __net_init nfj_net_begin(struct net *net)
{
	struct nfj_net *nn = nfj_pernet(net);

	nn->net = net;
	nn->allowed = net->user_ns == &init_user_ns;
	INIT_DELAYED_WORK(&nn->unify, nfj_unify_work);
	INIT_DELAYED_WORK(&nn->rebuild, nfj_rebuild_work);
	nn->budget = nfj_budget_new();
	if (!nn->budget)
		return -ENOMEM;
	/* rules that are there already are translated by nfj_init() */
	nn->enable = nn->allowed;
	mutex_lock(&nfj_nets_lock);
	list_add(&nn->list, &nfj_nets);
	mutex_unlock(&nfj_nets_lock);
	return 0;
}

static void __net_exit nfj_net_end(struct net *net)
{
	struct nfj_net *nn = nfj_pernet(net);

	mutex_lock(&nfj_nets_lock);
	list_del(&nn->list);
	mutex_unlock(&nfj_nets_lock);
	/* of a netns that goes nf_tables destroys the chains, in a moment; but
	 * when the module goes first, packets must not meet it any more there
	 */
	if (nfj_going || check_net(net))
		nfj_switch(net, false);
	/* the first starts the second */
	cancel_delayed_work_sync(&nn->rebuild);
	cancel_delayed_work_sync(&nn->unify);
	nfj_budget_put(nn->budget);
}

static struct pernet_operations nfj_net_ops = {
	.init	= nfj_net_begin,
	.exit	= nfj_net_end,
	.id	= &nfj_net_id,
	.size	= sizeof(struct nfj_net),
};

/**
 * nfj_net_init - have a part of each netns
 *
 * Return: 0 or an errno.
 */
int nfj_net_init(void)
{
	return register_pernet_subsys(&nfj_net_ops);
}

/**
 * nfj_net_exit - put plain blobs back in all of them, and leave
 */
void nfj_net_exit(void)
{
	nfj_going = true;
	unregister_pernet_subsys(&nfj_net_ops);
}
