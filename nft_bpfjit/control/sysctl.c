// SPDX-License-Identifier: GPL-2.0-only
/*
 * net.netfilter.nft_jit_enable and nft_jit_hits, per netns.
 *
 * Who writes 1 and may load BPF programs lets whoever commits in that netns have
 * some loaded.  From anybody else it is an ordinary 1: rules are translated when
 * somebody commits them who may (commit/table.c).
 *
 * A netns that a non-initial user namespace owns shows 0 and they are read-only: a
 * tenant must not spend the kernel's JIT memory.
 */
#include <linux/slab.h>
#include <linux/sysctl.h>
#include <linux/netfilter/nft_bpfjit.h>
#include "../commit/commit.h"
#include "control.h"

/* Read or write a switch; @val is what it is, and what it shall be */
static int nfj_sysctl_bool(NFJ_CTL_CONST struct ctl_table *table, int write,
			   void *buffer, size_t *lenp, loff_t *ppos, int *val)
{
	struct ctl_table tmp = {
		.data	= val,
		.maxlen	= sizeof(*val),
		.mode	= table->mode,
		.extra1	= SYSCTL_ZERO,
		.extra2	= SYSCTL_ONE,
	};

	if (write && !nfj_pernet(table->extra1)->allowed)
		return -EPERM;
	return proc_dointvec_minmax(&tmp, write, buffer, lenp, ppos);
}

static int nfj_sysctl_enable(NFJ_CTL_CONST struct ctl_table *table, int write,
			     void *buffer, size_t *lenp, loff_t *ppos)
{
	struct nfj_net *nn = nfj_pernet(table->extra1);
	int val = READ_ONCE(nn->enable), err;

	err = nfj_sysctl_bool(table, write, buffer, lenp, ppos, &val);
	if (err || !write)
		return err;
	return nfj_switch(nn->net, val, val && nfj_may_load());
}

static int nfj_sysctl_hits(NFJ_CTL_CONST struct ctl_table *table, int write,
			   void *buffer, size_t *lenp, loff_t *ppos)
{
	struct nfj_net *nn = nfj_pernet(table->extra1);
	int val = READ_ONCE(nn->hits), err;

	err = nfj_sysctl_bool(table, write, buffer, lenp, ppos, &val);
	if (err || !write)
		return err;
	nfj_hits_switch(nn->net, val);
	return 0;
}

/**
 * nfj_sysctl_init - register the switches of a netns
 * @sysctl: filled in
 * @net: the netns
 *
 * Return: 0 or -ENOMEM.
 */
int nfj_sysctl_init(struct nfj_sysctl *sysctl, struct net *net)
{
	static const struct {
		const char	*name;
		proc_handler	*handler;
	} entry[] = {
		{ NFT_BPFJIT_SYSCTL, nfj_sysctl_enable },
		{ NFT_BPFJIT_SYSCTL_HITS, nfj_sysctl_hits },
	};
	struct ctl_table *table;
	unsigned int i;

	/* the empty entry at the end is for kernels that want one */
	table = kcalloc(ARRAY_SIZE(entry) + 1, sizeof(*table), GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(entry); i++) {
		table[i].procname = entry[i].name;
		table[i].maxlen = sizeof(int);
		table[i].mode = nfj_pernet(net)->allowed ? 0644 : 0444;
		table[i].proc_handler = entry[i].handler;
		table[i].extra1 = net;
	}
	sysctl->table = table;
	sysctl->header = nfj_register_sysctl(net, "net/netfilter", table,
					     ARRAY_SIZE(entry));
	if (!sysctl->header) {
		kfree(table);
		return -ENOMEM;
	}
	return 0;
}

/**
 * nfj_sysctl_exit - unregister it; waits for writers
 * @sysctl: the switches
 */
void nfj_sysctl_exit(struct nfj_sysctl *sysctl)
{
	unregister_net_sysctl_table(sysctl->header);
	kfree(sysctl->table);
	sysctl->header = NULL;
}
