// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each netns shows: the switches and the status files.
 *
 * To take them away is to wait for who writes or reads, and he for a commit mutex.
 * So when the module goes that is done first, netns by netns, with no lock held
 * (see commit/net.c).
 */
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "../commit/commit.h"
#include "control.h"

static unsigned int nfj_control_id;

static void nfj_control_hide(struct net *net)
{
	struct nfj_sysctl *sysctl = net_generic(net, nfj_control_id);

	if (!sysctl->header)
		return;
	nfj_hits_exit(net);
	nfj_proc_exit(net);
	nfj_sysctl_exit(sysctl);
}

static int __net_init nfj_control_begin(struct net *net)
{
	struct nfj_sysctl *sysctl = net_generic(net, nfj_control_id);
	int err;

	if (nfj_phase_now() == NFJ_GOING)
		return 0;
	err = nfj_sysctl_init(sysctl, net);
	if (err)
		return err;
	err = nfj_proc_init(net);
	if (err)
		goto err_sysctl;
	err = nfj_hits_init(net);
	if (err)
		goto err_proc;
	return 0;

err_proc:
	nfj_proc_exit(net);
err_sysctl:
	nfj_sysctl_exit(sysctl);
	return err;
}

static void __net_exit nfj_control_end(struct net *net)
{
	nfj_control_hide(net);
}

static struct pernet_operations nfj_control_ops = {
	.init	= nfj_control_begin,
	.exit	= nfj_control_end,
	.id	= &nfj_control_id,
	.size	= sizeof(struct nfj_sysctl),
};

/**
 * nfj_control_init - show it
 *
 * What commit/ has of each netns is there.
 *
 * Return: 0 or an errno.
 */
int nfj_control_init(void)
{
	return register_pernet_subsys(&nfj_control_ops);
}

/**
 * nfj_control_close - no longer, since the module goes
 *
 * Context: NFJ_GOING; sleeps until nobody writes or reads any more.
 */
void nfj_control_close(void)
{
	nfj_nets_each(nfj_control_hide);
}

/**
 * nfj_control_exit - have no part of any netns any more
 */
void nfj_control_exit(void)
{
	unregister_pernet_subsys(&nfj_control_ops);
}
