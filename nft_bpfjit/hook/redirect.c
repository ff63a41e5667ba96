// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hooks of base chains: who is called, nf_tables or the engine.
 *
 * A netns (or a device) has for each hook an array of function and argument,
 * which packets walk under RCU.  nf_tables' function for a base chain and the
 * engine's (engine/hookfn.c) take the same argument and do the same, so all that
 * changes is one pointer, in place, as nf_unregister_net_hook() itself does it.
 * Arrays are replaced when a hook comes or goes, by a copy: what was set stays
 * set.  The registered nf_hook_ops, which unregistering and "nft list hooks" go
 * by, are not touched.
 *
 * Before the module goes every pointer is set back, and a grace period passes.
 */
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/rcupdate.h>
#include <net/net_namespace.h>
#include <net/netfilter/nf_tables.h>
#include "hook.h"

/* One array: the elements that belong to the chain */
static void nfj_redirect_set(struct nf_hook_entries __rcu *entries,
			     const struct nft_chain *chain, nf_hookfn *fn)
{
	struct nf_hook_entries *e = rcu_dereference_raw(entries);
	struct nf_hook_ops **ops;
	unsigned int i;

	if (!e)
		return;
	ops = nf_hook_entries_get_hook_ops(e);
	for (i = 0; i < e->num_hook_entries; i++) {
		nf_hookfn *want;

		/* what is unregistered has an argument of its own */
		if (ops[i]->priv != chain)
			continue;
		want = fn ? fn : ops[i]->hook;
		if (READ_ONCE(e->hooks[i].hook) != want)
			WRITE_ONCE(e->hooks[i].hook, want);
	}
}

static void nfj_redirect_set_ops(const struct nf_hook_ops *ops,
				 const struct nft_chain *chain, nf_hookfn *fn)
{
	const struct net_device *dev = ops->dev;

	if (!dev)
		return;
#ifdef CONFIG_NETFILTER_INGRESS
	if (ops->hooknum == NF_NETDEV_INGRESS)
		nfj_redirect_set(dev->nf_hooks_ingress, chain, fn);
#endif
#ifdef CONFIG_NETFILTER_EGRESS
	if (ops->hooknum == NF_NETDEV_EGRESS)
		nfj_redirect_set(dev->nf_hooks_egress, chain, fn);
#endif
}

static void nfj_redirect_set_dev(const struct nft_base_chain *base, nf_hookfn *fn)
{
	const struct nft_hook *hook;
	const struct nf_hook_ops *ops;

	list_for_each_entry(hook, &base->hook_list, list)
		for (ops = nfj_hook_ops_next(hook, NULL); ops;
		     ops = nfj_hook_ops_next(hook, ops))
			nfj_redirect_set_ops(ops, &base->chain, fn);
}

/**
 * nfj_redirect_sync - who is called by the hook of a base chain
 * @net: the netns
 * @base: the chain
 * @fn: the engine, or NULL for nf_tables
 *
 * Chains whose table is dormant have no hook, and may get one any time later:
 * what is called then is nf_tables, until this function is called again.
 *
 * Context: commit mutex; sleeps.
 */
void nfj_redirect_sync(const struct net *net, const struct nft_base_chain *base,
		       nf_hookfn *fn)
{
	const struct nft_chain *chain = &base->chain;
	unsigned int num = base->ops.hooknum;

	mutex_lock(nfj_sym.hook_mutex);
	switch (base->type->family) {
	case NFPROTO_INET:
		nfj_redirect_set(net->nf.hooks_ipv4[num], chain, fn);
		nfj_redirect_set(net->nf.hooks_ipv6[num], chain, fn);
		break;
	case NFPROTO_IPV4:
		nfj_redirect_set(net->nf.hooks_ipv4[num], chain, fn);
		break;
	case NFPROTO_IPV6:
		nfj_redirect_set(net->nf.hooks_ipv6[num], chain, fn);
		break;
#ifdef CONFIG_NETFILTER_FAMILY_ARP
	case NFPROTO_ARP:
		nfj_redirect_set(net->nf.hooks_arp[num], chain, fn);
		break;
#endif
#ifdef CONFIG_NETFILTER_FAMILY_BRIDGE
	case NFPROTO_BRIDGE:
		nfj_redirect_set(net->nf.hooks_bridge[num], chain, fn);
		break;
#endif
	case NFPROTO_NETDEV:
		nfj_redirect_set_dev(base, fn);
		break;
	}
	mutex_unlock(nfj_sym.hook_mutex);
}
