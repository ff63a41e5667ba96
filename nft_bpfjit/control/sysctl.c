// SPDX-License-Identifier: GPL-2.0-only
/*
 * net.netfilter.nft_jit_enable, per netns.
 *
 * A netns that a non-initial user namespace owns shows 0 and is read-only: a
 * tenant must not spend the kernel's JIT memory.
 */
#include <linux/slab.h>
#include <linux/sysctl.h>
#include <linux/netfilter/nft_bpfjit.h>
#include "../nfj.h"

static int nfj_sysctl_handler(NFJ_CTL_CONST struct ctl_table *table, int write,
			      void *buffer, size_t *lenp, loff_t *ppos)
{
	struct nfj_net *nn = table->extra1;
	int val = nn->enable, err;
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
	if (!err && write && val != nn->enable)
		nfj_switch(nn->net, val);
	return err;
}

/**
 * nfj_sysctl_init - register the switch of a netns
 * @nn: the netns
 *
 * Return: 0 or -ENOMEM.
 */
int nfj_sysctl_init(struct nfj_net *nn)
{
	/* the empty entry at the end is for kernels that want one */
	nn->table = kcalloc(2, sizeof(*nn->table), GFP_KERNEL);
	if (!nn->table)
		return -ENOMEM;
	nn->table[0].procname = NFT_BPFJIT_SYSCTL;
	nn->table[0].maxlen = sizeof(int);
	nn->table[0].mode = nn->allowed ? 0644 : 0444;
	nn->table[0].proc_handler = nfj_sysctl_handler;
	nn->table[0].extra1 = nn;
	nn->sysctl = nfj_register_sysctl(nn->net, "net/netfilter", nn->table,
					 1);
	if (!nn->sysctl) {
		kfree(nn->table);
		return -ENOMEM;
	}
	return 0;
}

/**
 * nfj_sysctl_exit - unregister it; waits for writers
 * @nn: the netns
 */
void nfj_sysctl_exit(struct nfj_net *nn)
{
	unregister_net_sysctl_table(nn->sysctl);
	kfree(nn->table);
}
