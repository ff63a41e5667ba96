// SPDX-License-Identifier: GPL-2.0-only
/*
 * Our part of a netns: comes and goes with it, or with the module.
 *
 * Whoever commits may wait for the commit mutex of his netns while he holds it for
 * another module to be loaded (nft_compat asks for x_tables extensions), and a
 * module that is being loaded may want pernet_ops_rwsem.  So neither that lock nor
 * net_rwsem, which a new netns takes while it holds the first, may be held where a
 * commit mutex is waited for, or one who holds it: a writer of the sysctl, a reader
 * in /proc, our workers.  The module therefore comes and goes in phases:
 *
 *	NFJ_COMING	nothing is translated
 *	NFJ_LIVE	first what was there, netns by netns
 *	NFJ_GOING	nothing is translated any more; all is taken back, netns by
 *			netns, and what is left to do under these locks waits for
 *			nobody
 *
 * A netns that goes is another matter: nobody has a socket in it any more.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "commit.h"

static unsigned int nfj_net_id;
static enum nfj_phase nfj_phase;

static bool nfj_enable = true;
module_param_named(enable, nfj_enable, bool, 0444);
MODULE_PARM_DESC(enable, "what net.netfilter.nft_jit_enable is at first: 1 translates, 0 leaves all to the interpreter");

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

static bool nfj_net_admin;
module_param_named(allow_net_admin, nfj_net_admin, bool, 0644);
MODULE_PARM_DESC(allow_net_admin, "1: also rules of tasks that may not load BPF programs (CAP_BPF) are translated, in all network namespaces of the initial user namespace");

/**
 * nfj_net_granted - may whoever commits in a netns have programs loaded?
 * @net: the netns
 *
 * In the first one it is who has loaded the module that says so.
 *
 * Return: true if so; false if it depends on the task.
 */
bool nfj_net_granted(const struct net *net)
{
	return net_eq(net, &init_net) || READ_ONCE(nfj_net_admin) ||
	       nfj_pernet(net)->granted;
}

/**
 * nfj_phase_now - where is the module between coming and going?
 *
 * Return: the phase.
 */
enum nfj_phase nfj_phase_now(void)
{
	return READ_ONCE(nfj_phase);
}

/**
 * nfj_phase_set - go on to the next phase
 * @phase: which
 *
 * Each netns that does not know of it is found by nfj_nets_each() afterwards.
 *
 * Context: sleeps until each netns that is about to be made is made.
 */
void nfj_phase_set(enum nfj_phase phase)
{
	WRITE_ONCE(nfj_phase, phase);
	down_write(nfj_sym.pernet_rwsem);
	up_write(nfj_sym.pernet_rwsem);
}

/* The next one that does not go; one that is held stays in the list */
static struct net *nfj_nets_next(struct net *net)
{
	net = list_prepare_entry(net, &net_namespace_list, list);
	list_for_each_entry_continue(net, &net_namespace_list, list)
		if (maybe_get_net(net))
			return net;
	return NULL;
}

/**
 * nfj_nets_each - do something in each netns
 * @each: is called without any lock; the netns stays meanwhile
 */
void nfj_nets_each(void (*each)(struct net *net))
{
	struct net *net = NULL, *next;

	do {
		down_read(&net_rwsem);
		next = nfj_nets_next(net);
		up_read(&net_rwsem);
		if (net)
			put_net(net);
		net = next;
		if (net)
			each(net);
	} while (net);
}

/**
 * nfj_net_start - translate what a netns had before the module
 * @net: the netns
 *
 * Context: sleeps; takes the commit mutex.
 */
void nfj_net_start(struct net *net)
{
	if (nfj_pernet(net)->allowed && nfj_enable)
		nfj_switch(net, true, false);
}

/**
 * nfj_net_plain - put plain blobs back for good
 * @net: the netns, in which nobody can turn the switch any more
 *
 * Context: sleeps; takes the commit mutex, but only where something may have been
 * translated.
 */
void nfj_net_plain(struct net *net)
{
	struct nfj_net *nn = nfj_pernet(net);

	if (READ_ONCE(nn->enable))
		nfj_switch(net, false, false);
	nn->plain = true;
}

/**
 * nfj_net_idle - no worker is in a netns any more
 * @net: the netns, plain
 *
 * Context: sleeps; commits are no longer heard of.
 */
void nfj_net_idle(struct net *net)
{
	struct nfj_net *nn = nfj_pernet(net);

	/* the first starts the second */
	cancel_delayed_work_sync(&nn->rebuild);
	cancel_delayed_work_sync(&nn->unify);
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
	if (nfj_phase_now() == NFJ_LIVE && nn->allowed)
		nn->enable = READ_ONCE(nfj_pernet(&init_net)->enable);
	return 0;
}

static void __net_exit nfj_net_end(struct net *net)
{
	struct nfj_net *nn = nfj_pernet(net);

	/* Of a netns that goes nf_tables destroys the chains, in a moment.  But
	 * where the module goes first, packets must not meet it any more there;
	 * and it may be here because another part of a new one was not made.
	 */
	if (!nn->plain && (nfj_phase_now() != NFJ_LIVE || check_net(net)))
		nfj_net_plain(net);
	nfj_net_idle(net);
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
	int err;

	err = nfj_later_init();
	if (err)
		return err;
	err = register_pernet_subsys(&nfj_net_ops);
	if (err)
		nfj_later_exit();
	return err;
}

/**
 * nfj_net_exit - have none any more
 *
 * All are plain and idle, but for those that go themselves.
 */
void nfj_net_exit(void)
{
	unregister_pernet_subsys(&nfj_net_ops);
	nfj_later_exit();
}
