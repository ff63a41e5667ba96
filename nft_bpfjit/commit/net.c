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
	return 0;
}

static void __net_exit nfj_net_end(struct net *net)
{
	struct nfj_net *nn = nfj_pernet(net);

	/* of a netns that goes nf_tables destroys the chains, in a moment; but
	 * when the module goes first, packets must not meet it any more there
	 */
	if (nfj_going || check_net(net))
		nfj_switch(net, false);
	/* the first starts the second */
	cancel_delayed_work_sync(&nn->rebuild);
	cancel_delayed_work_sync(&nn->unify);
	nfj_hits_end(nn);
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
