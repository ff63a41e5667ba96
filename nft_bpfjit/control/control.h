/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What people see and turn: two sysctls and four files in each netns.
 */
#ifndef _NFJ_CONTROL_H
#define _NFJ_CONTROL_H

#include <net/net_namespace.h>

struct nft_chain;
struct seq_file;

/* control.c */
int nfj_control_init(void);
void nfj_control_close(void);
void nfj_control_exit(void);

/* sysctl.c */

/**
 * struct nfj_sysctl - the switches of a netns
 * @header: the registered table
 * @table: our copy of it
 */
struct nfj_sysctl {
	struct ctl_table_header	*header;
	struct ctl_table	*table;
};

int nfj_sysctl_init(struct nfj_sysctl *sysctl, struct net *net);
void nfj_sysctl_exit(struct nfj_sysctl *sysctl);

/* proc.c */
const char *nfj_family(u8 family);
void nfj_proc_name(struct seq_file *m, const char *name);
void nfj_proc_where(struct seq_file *m, const struct nft_chain *chain);
int nfj_proc_init(struct net *net);
void nfj_proc_exit(struct net *net);

/* hits.c */
int nfj_hits_init(struct net *net);
void nfj_hits_exit(struct net *net);

/* sets.c */
int nfj_proc_sets_init(struct net *net);
void nfj_proc_sets_exit(struct net *net);

#endif /* _NFJ_CONTROL_H */
