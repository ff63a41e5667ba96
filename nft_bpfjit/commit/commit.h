/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control plane: what is known of each chain, and what a transaction makes of
 * it.
 *
 * Locking: a chain's control-plane state (struct nfj_chain) is written under
 * the commit mutex of its netns.  The table that finds it by the chain's
 * address has a lock of its own, because nf_tables_chain_destroy() runs
 * without that mutex.
 */
#ifndef _NFJ_COMMIT_H
#define _NFJ_COMMIT_H

#include <linux/list.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/netfilter/nf_tables.h>
#include <nft_bpfjit/imr.h>
#include "../engine/state.h"
#include "../hook/hook.h"
#include "../load/load.h"

/**
 * struct nfj_net - per netns
 * @net: the netns
 * @enable: rules are translated
 * @allowed: owned by the initial user namespace
 * @budget: what its programs may take
 * @unify: takes past generations out of use
 * @commits: counts commits, under the commit mutex
 * @rebuild: makes new matchers for chains that were edited
 * @rebuild_time: what that took the last time, in jiffies
 */
struct nfj_net {
	struct net		*net;
	int			enable;
	bool			allowed;
	struct nfj_budget	*budget;
	struct delayed_work	unify;
	unsigned int		commits;
	struct delayed_work	rebuild;
	unsigned long		rebuild_time;
};

enum nfj_why {
	NFJ_WHY_BPF,		/* translated */
	NFJ_WHY_OFF,		/* the switch is off */
	NFJ_WHY_EMPTY,		/* no rules */
	NFJ_WHY_CHEAP,		/* the interpreter is as quick */
	NFJ_WHY_TRACE,		/* a rule of the table sets nftrace */
	NFJ_WHY_UNINIT,		/* rules share registers */
	NFJ_WHY_TOOBIG,		/* no room for 16 bit jumps even when split */
	NFJ_WHY_VERIFIER,	/* refused, with an errno */
	NFJ_WHY_NOJIT,		/* loaded, but not as machine code */
	NFJ_WHY_NOMEM,
	NFJ_WHY_LIMIT,		/* no room in the budget */
	NFJ_WHY_CHECK,		/* refused by our own checker */
	NFJ_WHY_UNSUPPORTED,	/* nothing to match on, because of an expression */
};

/**
 * struct nfj_figures - what /proc/net/nft_bpfjit shows of a chain
 * @why: enum nfj_why
 * @err: with NFJ_WHY_VERIFIER: errno
 * @handle: with NFJ_WHY_UNSUPPORTED: of the rule
 * @stop: with NFJ_WHY_UNSUPPORTED: number of the expression in it
 * @rules: rules of the chain
 * @whole: rules whose match part is wholly in BPF
 * @residue: rules that leave a residue
 * @taint: NFJ_TAINT_* of its own rules
 * @jumps: holds a jump or a goto
 * @small: by itself not worth a program
 */
struct nfj_figures {
	u8	why;
	bool	jumps;
	bool	small;
	u8	stop;
	int	err;
	u64	handle;
	u32	rules;
	u32	whole;
	u32	residue;
	u32	taint;
};

/**
 * struct nfj_kept_rule - a rule that the front end has read
 * @rule: the rule, which may be gone: an address to compare with
 * @handle: its handle
 * @entry: its first entry in nfj_kept::ir
 * @cost: its part of nfj_ir::cost
 * @taint: ... of nfj_ir::taint
 * @residue: ... of nfj_ir::residue
 */
struct nfj_kept_rule {
	const struct nft_rule	*rule;
	u64			handle;
	u32			entry;
	u16			cost;
	u8			taint;
	u8			residue;
};

/**
 * struct nfj_kept - what is kept of the rules of a chain, see read.c
 * @ir: all of them
 * @rule: each
 * @nrules: how many
 * @budget: of whose budget @charged was taken
 * @charged: bytes, or 0 when it was too much to be kept for the next commit
 */
struct nfj_kept {
	struct nfj_ir		ir;
	struct nfj_kept_rule	*rule;
	u32			nrules;
	struct nfj_budget	*budget;
	size_t			charged;
};

/**
 * struct nfj_chain - what the control plane knows of a chain
 * @node: in the table of chains
 * @chain: its chain
 * @states: all states that some blob may still point to
 * @fig: figures of the next generation, if a commit is under way
 * @kept: its rules, likewise, or NULL
 * @busy: already in the list of changes that is being made up
 * @hooked: a base chain whose hook calls the engine
 */
struct nfj_chain {
	struct hlist_node	node;
	const struct nft_chain	*chain;
	struct list_head	states;
	struct nfj_figures	fig;
	struct nfj_kept		*kept;
	bool			busy;
	bool			hooked;
};

/**
 * struct nfj_run - entries that stay from one generation to the next
 * @first: number of the first
 * @from: number that it had
 * @n: how many
 */
struct nfj_run {
	u32	first;
	u32	from;
	u32	n;
};

#define NFJ_RUNS_MAX	16

/**
 * struct nfj_change - a chain that gets a new blob
 * @list: in the list of changes
 * @chain: the chain
 * @nc: what is known of it
 * @st: its new state, or NULL: back to the interpreter
 * @blob: the new blob, or NULL when nf_tables shall make it
 * @saved: figures before the change
 * @was: rules before the change
 * @read: nfj_chain::kept is new
 * @must: its state is made of rules of others that change: it must not stay
 * @edited: the new state has nfj_state::edits
 * @nruns: how many of @run are in use; more than there are: too many
 * @run: entries that stay
 */
struct nfj_change {
	struct list_head	list;
	struct nft_chain	*chain;
	struct nfj_chain	*nc;
	struct nfj_state	*st;
	struct nft_rule_blob	*blob;
	struct nfj_figures	saved;
	struct nfj_kept		*was;
	bool			read;
	bool			must;
	bool			edited;
	u32			nruns;
	struct nfj_run		run[NFJ_RUNS_MAX];
};

/**
 * nfj_blob_now - the blob that packets use
 * @net: the netns
 * @chain: the chain
 *
 * Context: commit mutex.
 *
 * Return: the blob of the current generation.
 */
static inline struct nft_rule_blob *nfj_blob_now(const struct net *net,
						 const struct nft_chain *chain)
{
	return net->nft.gencursor ? rcu_dereference_raw(chain->blob_gen_1) :
				    rcu_dereference_raw(chain->blob_gen_0);
}

/* net.c: our part of a netns */
struct nfj_net *nfj_pernet(const struct net *net);
int nfj_net_init(void);
void nfj_net_exit(void);

/* chains.c: chains by address, and their end */
struct nfj_chain *nfj_chain_find(const struct nft_chain *chain);
struct nfj_chain *nfj_chain_get(struct nft_chain *chain);
void nfj_chain_destroyed(const struct nft_chain *chain);
int nfj_chains_init(void);
void nfj_chains_exit(void);

/* state.c: what packets see of a chain */
u32 nfj_key_groups(unsigned int off, unsigned int size, u64 mask);
struct nfj_whole;
struct nfj_state *nfj_state_new(const struct nft_chain *chain,
				const struct nfj_chain *nc,
				struct nfj_whole *whole);
void nfj_state_use(struct nfj_state *st, struct nfj_matcher *m);
void nfj_state_free(struct nfj_state *st);
void nfj_state_retire(struct nfj_state *st);
int nfj_state_init(void);
void nfj_state_exit(void);

/* read.c: rules become IMR */
typedef int nfj_rule_fn(void *arg, const struct nft_rule *rule,
			const struct nfj_ir *ir);
int nfj_rules_each(struct net *net, struct nft_chain *chain, nfj_rule_fn *each,
		   void *arg);
int nfj_change_read(struct net *net, struct nfj_change *c);
void nfj_change_settle(struct nfj_change *c);
void nfj_change_unread(struct nfj_change *c);
void nfj_kept_free(struct nfj_kept *kept);

/* sets.c: what is in a set */
struct nfj_set_in *nfj_set_read(struct net *net, struct nft_set *set);
void nfj_set_free(struct nfj_set_in *in);

/* translate.c: is a chain worth a program, and which */
void nfj_change_look(struct net *net, struct nfj_change *c);
bool nfj_table_deep(const struct net *net, const struct nft_table *table);
void nfj_translate(struct net *net, struct nfj_change *c, bool deep);

/* edit.c: large chains of which little changes */
int nfj_edit(struct net *net, struct nfj_change *c, struct nfj_state *st);
void nfj_rebuild_queue(struct nfj_net *nn);
void nfj_rebuild_work(struct work_struct *work);

/* blob.c: what nft_do_chain() walks */
struct nft_rule_blob *nfj_blob_build(struct net *net, struct nft_chain *chain,
				     struct nfj_state *st, gfp_t gfp);
void nfj_act_place(struct nfj_act *act, const void *data, unsigned int dlen);
void nfj_blob_retire(struct nft_rule_blob *blob);

/* commit.c: a transaction */
void nfj_commit_prepare(struct net *net, struct list_head *changes);
void nfj_commit_cancel(struct net *net, struct list_head *changes);
void nfj_commit_finish(struct net *net, struct list_head *changes);
struct nfj_change *nfj_change_add(struct nft_chain *chain,
				  struct list_head *changes);
void nfj_changes_translate(struct net *net, struct list_head *changes);
void nfj_changes_free(struct list_head *changes);

/* switch.c: without one */
void nfj_switch(struct net *net, bool on);
void nfj_publish_now(struct net *net, struct nft_chain *chain,
		     struct nfj_chain *nc, struct nft_rule_blob *blob);
void nfj_unify_work(struct work_struct *work);

#endif /* _NFJ_COMMIT_H */
