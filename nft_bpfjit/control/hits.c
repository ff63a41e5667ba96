// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/net/nft_bpfjit_hits: a line for each rule.
 *
 *	family table chain	where the rule is
 *	handle			its handle, as of "nft -a list"
 *	packets			how many it was run for, as far as its end: what a
 *				"counter" before its verdict would show; "-" in a chain
 *				that is interpreted, where nothing counts, and for a
 *				rule that does nothing at all, or not in all cases:
 *				no packet is led to it
 *
 * They count while net.netfilter.nft_jit_hits is 1.  Writing 0 begins again.
 * CAP_NET_ADMIN reads and writes.
 */
#include <linux/capability.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <net/net_namespace.h>
#include <linux/netfilter/nft_bpfjit.h>
#include "../commit/commit.h"
#include "../engine/seen.h"
#include "control.h"

static void nfj_hits_chain(struct seq_file *m, const struct net *net,
			   const struct nft_chain *chain)
{
	const struct nfj_state *st = nfj_blob_state(nfj_blob_now(net, chain));
	const struct nfj_hits *hits = st ? st->hits : NULL;
	const struct nft_rule *rule;
	u32 i = 0, k = 0;
	bool dead;

	list_for_each_entry(rule, &chain->rules, list) {
		nfj_proc_where(m, chain);
		dead = false;
		for (; st && k < st->nacts && st->acts[k].rule == i; k++)
			dead |= st->acts[k].flags & NFJ_ACT_DEAD;
		/* a state is of just these rules, in their order */
		if (hits && !dead && i < hits->n &&
		    hits->hit[i]->handle == rule->handle)
			seq_printf(m, "%llu %llu\n", (u64)rule->handle,
				   nfj_hit_read(hits->hit[i]));
		else
			seq_printf(m, "%llu -\n", (u64)rule->handle);
		i++;
	}
}

static int nfj_hits_show(struct seq_file *m, void *v)
{
	struct net *net = seq_file_single_net(m);
	struct nftables_pernet *nft_net = nfj_nft_pernet(net);
	const struct nft_table *table;
	const struct nft_chain *chain;

	if (!file_ns_capable(m->file, net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	seq_puts(m, "# family table chain handle packets\n");
	mutex_lock(&nft_net->commit_mutex);
	list_for_each_entry(table, &nft_net->tables, list)
		list_for_each_entry(chain, &table->chains, list)
			nfj_hits_chain(m, net, chain);
	mutex_unlock(&nft_net->commit_mutex);
	return 0;
}

static int nfj_hits_write(struct file *file, char *buf, size_t size)
{
	struct net *net = seq_file_single_net(file->private_data);

	if (!file_ns_capable(file, net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	if (strcmp(strim(buf), "0"))
		return -EINVAL;
	nfj_hits_zero(net);
	return 0;
}

/**
 * nfj_hits_init - make the file of a netns
 * @net: the netns
 *
 * Return: 0 or -ENOMEM.
 */
int nfj_hits_init(struct net *net)
{
	return proc_create_net_single_write(NFT_BPFJIT_PROC_HITS, 0644,
					    net->proc_net, nfj_hits_show,
					    nfj_hits_write, NULL) ?
	       0 : -ENOMEM;
}

/**
 * nfj_hits_exit - remove it
 * @net: the netns
 */
void nfj_hits_exit(struct net *net)
{
	remove_proc_entry(NFT_BPFJIT_PROC_HITS, net->proc_net);
}
