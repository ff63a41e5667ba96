// SPDX-License-Identifier: GPL-2.0-only
/*
 * net.netfilter.nft_jit_enable, per netns.
 *
 * Who writes 1 and may load BPF programs lets whoever commits in that netns have
 * some loaded.  From anybody else it is an ordinary 1: rules are translated when
 * somebody commits them who may (commit/table.c).
 *
 * A netns that a non-initial user namespace owns shows 0 and is read-only: a
 * tenant must not spend the kernel's JIT memory.
 */
#include <linux/slab.h>
#include <linux/sysctl.h>
#include <linux/netfilter/nft_bpfjit.h>
#include "../commit/commit.h"
#include "control.h"

static int nfj_sysctl_handler(NFJ_CTL_CONST struct ctl_table *table, int write,
			      void *buffer, size_t *lenp, loff_t *ppos)
{
	struct nfj_net *nn = nfj_pernet(table->extra1);
	int val = READ_ONCE(nn->enable), err;
	struct ctl_table tmp = {
		.data	= &val,
		.maxlen	= sizeof(val),
		.mode	= table->mode,
		.extra1	= SYSCTL_ZERO,
		.extra2	= SYSCTL_ONE,
	};

	if (write && !nn->allowed)
		return -EPERM;
	err = proc_dointvec_minmax(&tmp, write, buffer, lenp, ppos);
	if (!err && write)
		err = nfj_switch(nn->net, val, val && nfj_may_load());
	return err;
}

/**
 * nfj_sysctl_init - register the switch of a netns
 * @sysctl: filled in
 * @net: the netns
 *
 * Return: 0 or -ENOMEM.
 */
int nfj_sysctl_init(struct nfj_sysctl *sysctl, struct net *net)
{
	struct ctl_table *table;

	/* the empty entry at the end is for kernels that want one */
	table = kcalloc(2, sizeof(*table), GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	table->procname = NFT_BPFJIT_SYSCTL;
	table->maxlen = sizeof(int);
	table->mode = nfj_pernet(net)->allowed ? 0644 : 0444;
	table->proc_handler = nfj_sysctl_handler;
	table->extra1 = net;
	sysctl->table = table;
	sysctl->header = nfj_register_sysctl(net, "net/netfilter", table, 1);
	if (!sysctl->header) {
		kfree(table);
		return -ENOMEM;
	}
	return 0;
}

/**
 * nfj_sysctl_exit - unregister it; waits for writers
 * @sysctl: the switch
 */
void nfj_sysctl_exit(struct nfj_sysctl *sysctl)
{
	unregister_net_sysctl_table(sysctl->header);
	kfree(sysctl->table);
	sysctl->header = NULL;
}
