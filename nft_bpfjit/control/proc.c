// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/net/nft_bpfjit: a line for each chain of the netns, translated or not.
 *
 * Names of tables and chains are only for whom nf_tables would show them to as
 * well.  The file's owner cannot say who that is: a netns that a tenant makes
 * together with its user namespace has no root yet when the file is made.
 */
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <net/net_namespace.h>
#include <linux/netfilter/nft_bpfjit.h>
#include "../nfj.h"

static const char * const nfj_why_name[] = {
	[NFJ_WHY_BPF]		= "bpf",
	[NFJ_WHY_OFF]		= "off",
	[NFJ_WHY_EMPTY]		= "empty",
	[NFJ_WHY_CHEAP]		= "cheap",
	[NFJ_WHY_TRACE]		= "nftrace",
	[NFJ_WHY_UNINIT]	= "shared-registers",
	[NFJ_WHY_TOOBIG]	= "too-big",
	[NFJ_WHY_VERIFIER]	= "verifier",
	[NFJ_WHY_NOJIT]		= "no-jit",
	[NFJ_WHY_NOMEM]		= "nomem",
	[NFJ_WHY_LIMIT]		= "limit",
	[NFJ_WHY_CHECK]		= "checker",
};

static const char *nfj_family(u8 family)
{
	switch (family) {
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_ARP:
		return "arp";
	case NFPROTO_BRIDGE:
		return "bridge";
	case NFPROTO_NETDEV:
		return "netdev";
	default:
		return "?";
	}
}

static void nfj_proc_chain(struct seq_file *m, const struct net *net,
			   const struct nft_table *table,
			   const struct nft_chain *chain)
{
	const struct nfj_chain *nc = nfj_chain_find(chain);
	const struct nfj_state *st;
	u8 why = nfj_pernet(net)->enable ? NFJ_WHY_EMPTY : NFJ_WHY_OFF;
	const struct nft_rule *rule;
	u32 i, rules = 0;

	st = nfj_blob_state(nfj_blob_now(net, chain));
	list_for_each_entry(rule, &chain->rules, list)
		rules++;
	seq_printf(m, "%s %s %s %llu %u %u %u ", nfj_family(table->family),
		   table->name, chain->name, chain->handle, rules,
		   st ? nc->fig.whole : 0, st ? nc->fig.residue : 0);
	if (st) {
		for (i = 0; i < st->nprogs; i++)
			seq_printf(m, "%s%u", i ? "," : "",
				   st->prog[i].prog->aux->id);
		seq_puts(m, " ");
		for (i = 0; i < st->nprogs; i++)
			seq_printf(m, "%s%*phN", i ? "," : "", BPF_TAG_SIZE,
				   st->prog[i].prog->tag);
		seq_printf(m, " %u %u bpf\n", st->insns, st->jited);
		return;
	}
	if (nc && nfj_pernet(net)->enable)
		why = nc->fig.why;
	seq_printf(m, "- - 0 0 %s", nfj_why_name[why]);
	if (why == NFJ_WHY_VERIFIER)
		seq_printf(m, ":%d", -nc->fig.err);
	seq_puts(m, "\n");
}

static int nfj_proc_show(struct seq_file *m, void *v)
{
	struct net *net = seq_file_single_net(m);
	struct nftables_pernet *nft_net = nfj_nft_pernet(net);
	const struct nft_table *table;
	const struct nft_chain *chain;

	if (!file_ns_capable(m->file, net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	seq_puts(m, "# family table chain handle rules whole residue prog tag insns jited state\n");
	mutex_lock(&nft_net->commit_mutex);
	list_for_each_entry(table, &nft_net->tables, list)
		list_for_each_entry(chain, &table->chains, list)
			nfj_proc_chain(m, net, table, chain);
	mutex_unlock(&nft_net->commit_mutex);
	return 0;
}

/**
 * nfj_proc_init - make the status file of a netns
 * @net: the netns
 *
 * Return: 0 or -ENOMEM.
 */
int nfj_proc_init(struct net *net)
{
	if (!proc_create_net_single(NFT_BPFJIT_PROC, 0444, net->proc_net,
				    nfj_proc_show, NULL))
		return -ENOMEM;
	return 0;
}

/**
 * nfj_proc_exit - remove it
 * @net: the netns
 */
void nfj_proc_exit(struct net *net)
{
	remove_proc_entry(NFT_BPFJIT_PROC, net->proc_net);
}
