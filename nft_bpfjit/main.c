// SPDX-License-Identifier: GPL-2.0-only
/*
 * nft_bpfjit: translates nf_tables rules into eBPF while they are committed.
 *
 * A tour, in the order in which a rule travels:
 *
 *	hook/		stands in nf_tables_commit()
 *	commit/		which chains change; blobs, states, the switch
 *	frontend/	expressions (netlink attributes) -> IMR
 *	imr/		the intermediate representation
 *	passes/		search, linear code, what is known where
 *	emit/		BPF instructions
 *	load/		verifier and JIT, on a worker
 *	engine/		packet path: the ebpf expression
 *	flow/		packet path: the flow key
 *	control/	sysctl and proc
 *	compat/		what differs between kernels
 */
#include <linux/module.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "nfj.h"

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

static int __net_init nfj_net_init(struct net *net)
{
	struct nfj_net *nn = nfj_pernet(net);
	int err;

	nn->net = net;
	nn->allowed = net->user_ns == &init_user_ns;
	INIT_DELAYED_WORK(&nn->unify, nfj_unify_work);
	INIT_DELAYED_WORK(&nn->rebuild, nfj_rebuild_work);
	nn->budget = nfj_budget_new();
	if (!nn->budget)
		return -ENOMEM;
	err = nfj_sysctl_init(nn);
	if (err)
		goto err_budget;
	err = nfj_proc_init(net);
	if (err)
		goto err_sysctl;
	/* rules that are there already are translated by nfj_init() */
	nn->enable = nn->allowed;
	return 0;

err_sysctl:
	nfj_sysctl_exit(nn);
err_budget:
	nfj_budget_put(nn->budget);
	return err;
}

static void __net_exit nfj_net_exit(struct net *net)
{
	struct nfj_net *nn = nfj_pernet(net);

	nfj_proc_exit(net);
	nfj_sysctl_exit(nn);
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
	.init	= nfj_net_init,
	.exit	= nfj_net_exit,
	.id	= &nfj_net_id,
	.size	= sizeof(struct nfj_net),
};

static int __init nfj_init(void)
{
	struct net *net;
	int err;

	err = nfj_symbols_init();
	if (err)
		return err;
	err = nfj_chains_init();
	if (err)
		return err;
	err = register_pernet_subsys(&nfj_net_ops);
	if (err)
		goto err_chains;
	err = nfj_hook_init();
	if (err)
		goto err_pernet;

	/* what was loaded before us */
	down_read(&net_rwsem);
	for_each_net(net)
		if (nfj_pernet(net)->enable)
			nfj_switch(net, true);
	up_read(&net_rwsem);
	return 0;

err_pernet:
	unregister_pernet_subsys(&nfj_net_ops);
err_chains:
	nfj_chains_exit();
	return err;
}

static void __exit nfj_exit(void)
{
	nfj_hook_exit();
	nfj_going = true;
	unregister_pernet_subsys(&nfj_net_ops);
	nfj_hook_exit_destroy();
	nfj_chains_exit();
}

module_init(nfj_init);
module_exit(nfj_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("nf_tables rules as eBPF, translated in the kernel");
MODULE_AUTHOR("nft_bpfjit maintainers");
MODULE_VERSION("0.1.0");
MODULE_SOFTDEP("pre: nf_tables");
