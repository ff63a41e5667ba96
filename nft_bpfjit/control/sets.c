// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/net/nft_bpfjit_sets: a line for each named set and map of a netns.
 *
 *	family table set	the set
 *	handle			its handle
 *	elements		that nft counts, ends of intervals one by one
 *	bytes			that our own table takes
 *	state			where packets look it up: "compiled", in that table;
 *				"live:" nft and why: off, unused (by no chain that
 *				is translated), dynamic (rules write to it), objects,
 *				type (of keys), element (one is unlike the others),
 *				limit, nomem; the last column, whatever else may come
 *
 * Names are only for whom nf_tables would show them to as well, as in proc.c.
 */
#include <linux/capability.h>
#include <linux/netfilter.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <net/net_namespace.h>
#include <linux/netfilter/nft_bpfjit.h>
#include "../commit/commit.h"
#include "control.h"

static const char * const nfj_shadow_state[] = {
	[NFJ_SHADOW_GOOD]	= "compiled",
	[NFJ_SHADOW_KERNEL]	= "live:kernel",
	[NFJ_SHADOW_DYNAMIC]	= "live:dynamic",
	[NFJ_SHADOW_OBJECTS]	= "live:objects",
	[NFJ_SHADOW_TYPE]	= "live:type",
	[NFJ_SHADOW_ELEMENT]	= "live:element",
	[NFJ_SHADOW_LIMIT]	= "live:limit",
	[NFJ_SHADOW_NOMEM]	= "live:nomem",
};

static void nfj_proc_set(struct seq_file *m, const struct net *net,
			 const struct nft_table *table,
			 const struct nft_set *set)
{
	struct nfj_shadow *sh = nfj_shadow_known(set);
	enum nfj_shadow_why why = sh ? sh->why : nfj_shadow_why(set);
	const char *state = nfj_shadow_state[why];

	if (!nfj_pernet(net)->enable)
		state = "live:off";
	else if (!sh && why == NFJ_SHADOW_GOOD)
		state = "live:unused";
	seq_printf(m, "%s ", nfj_family(table->family));
	nfj_proc_name(m, table->name);
	nfj_proc_name(m, set->name);
	seq_printf(m, "%llu %u %zu %s\n", set->handle,
		   atomic_read(&set->nelems), sh ? nfj_shadow_bytes(sh) : 0,
		   state);
	nfj_shadow_put(sh);
}

static int nfj_proc_sets_show(struct seq_file *m, void *v)
{
	struct net *net = seq_file_single_net(m);
	struct nftables_pernet *nft_net = nfj_nft_pernet(net);
	const struct nft_table *table;
	const struct nft_set *set;

	if (!file_ns_capable(m->file, net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	seq_puts(m, "# family table set handle elements bytes state\n");
	mutex_lock(&nft_net->commit_mutex);
	list_for_each_entry(table, &nft_net->tables, list)
		list_for_each_entry(set, &table->sets, list)
			if (!nft_set_is_anonymous(set) ||
			    atomic_read(&set->nelems) > NFJ_SET_ELEMS_MAX)
				nfj_proc_set(m, net, table, set);
	mutex_unlock(&nft_net->commit_mutex);
	return 0;
}

/**
 * nfj_proc_sets_init - make the file of a netns
 * @net: the netns
 *
 * Return: 0 or -ENOMEM.
 */
int nfj_proc_sets_init(struct net *net)
{
	return proc_create_net_single(NFT_BPFJIT_PROC_SETS, 0444, net->proc_net,
				      nfj_proc_sets_show, NULL) ? 0 : -ENOMEM;
}

/**
 * nfj_proc_sets_exit - remove it
 * @net: the netns
 */
void nfj_proc_sets_exit(struct net *net)
{
	remove_proc_entry(NFT_BPFJIT_PROC_SETS, net->proc_net);
}
