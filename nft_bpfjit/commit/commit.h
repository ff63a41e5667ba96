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
#include "../sets/shadow.h"

/**
 * struct nfj_net - per netns
 * @net: the netns
 * @enable: rules are translated; changes under the commit mutex
 * @allowed: owned by the initial user namespace
 * @granted: whoever may commit may have programs loaded
 * @plain: will never have anything translated again, since the module goes
 * @hits: rules count how often they are run
 * @budget: what its programs may take
 * @unify: takes past generations out of use
 * @commits: counts commits, under the commit mutex
 * @rebuild: makes new matchers for chains that were edited
 * @rebuild_time: what that took the last time, in jiffies
 * @shadows: of sets
 */
struct nfj_net {
	struct net		*net;
	int			enable;
	bool			allowed;
	bool			granted;
	bool			plain;
	bool			hits;
	struct nfj_budget	*budget;
	struct delayed_work	unify;
	unsigned int		commits;
	struct delayed_work	rebuild;
	unsigned long		rebuild_time;
	struct nfj_shadows	shadows;
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
	NFJ_WHY_NOJIT,		/* there would be no machine code */
	NFJ_WHY_NOCAP,		/* who committed it may not load programs */
	NFJ_WHY_NOMEM,
	NFJ_WHY_NOFILE,		/* no descriptor for a moment */
	NFJ_WHY_LIMIT,		/* no room in the budget */
	NFJ_WHY_CHECK,		/* refused by our own checker */
	NFJ_WHY_UNSUPPORTED,	/* nothing to match on, because of an expression */
};

/**
 * struct nfj_stats - what is known of the rules of a chain
 * @known: they have been read.  If not, they may be anything.
 * @jumps: some jump or go to another chain
 * @tests: some have a match part
 * @partly: some have a match part that is not translated as a whole
 * @residue: NFJ_RESIDUE_*
 * @taint: NFJ_TAINT_*
 * @cost: what the interpreter spends on them, see nfj_ir::cost
 * @rules: how many
 * @whole: rules whose match part is wholly in BPF
 * @leave: rules that leave a residue
 *
 * The last two are of a chain that is translated.  Of one that is not, rules that
 * are gone may still count in all but @taint and @rules (nfj_change_peek()).
 */
struct nfj_stats {
	bool	known;
	bool	jumps;
	bool	tests;
	bool	partly;
	u8	residue;
	u32	taint;
	u32	cost;
	u32	rules;
	u32	whole;
	u32	leave;
};

/**
 * struct nfj_outcome - what became of a chain
 * @why: enum nfj_why
 * @fails: how many times in a row it could not be translated
 * @skip: commits to let pass before it is tried again
 * @err: with NFJ_WHY_VERIFIER: errno
 * @wanted: with NFJ_WHY_LIMIT: bytes that it takes at least
 */
struct nfj_outcome {
	u8	why;
	u8	fails;
	u8	skip;
	int	err;
	size_t	wanted;
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
 * @charged: bytes
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
 * @stats: its rules, those of the next generation if a commit is under way
 * @out: what became of it, likewise
 * @kept: its rules as IMR, likewise; NULL if it is not translated
 * @hits: what its rules counted last, or NULL
 * @change: what it becomes, in the list of changes that is being made up
 * @hooked: a base chain whose hook calls the engine
 * @writes: has, or had, rules that write to sets
 */
struct nfj_chain {
	struct hlist_node	node;
	struct nft_chain	*chain;
	struct list_head	states;
	struct nfj_stats	stats;
	struct nfj_outcome	out;
	struct nfj_kept		*kept;
	struct nfj_hits		*hits;
	struct nfj_change	*change;
	bool			hooked;
	bool			writes;
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
 * @stats: what was known before the change
 * @out: what had become of it
 * @was: rules before the change
 * @read: nfj_chain::kept is new
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
	struct nfj_stats	stats;
	struct nfj_outcome	out;
	struct nfj_kept		*was;
	bool			read;
	bool			edited;
	u32			nruns;
	struct nfj_run		run[NFJ_RUNS_MAX];
};

/**
 * struct nfj_flat - a chain and those that it jumps to, in one
 * @net: the netns
 * @nc: the chain
 * @ir: what it becomes
 * @origin: of each entry of @ir
 * @callees: chains that may be in it
 * @ncallees: how many
 */
struct nfj_flat {
	struct net		*net;
	struct nfj_chain	*nc;
	struct nfj_ir		ir;
	struct nfj_origin	*origin;
	struct list_head	callees;
	u32			ncallees;
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

/**
 * nfj_published - is a chain translated, in either generation?
 * @chain: the chain
 *
 * Context: commit mutex.
 *
 * Return: true if so.
 */
static inline bool nfj_published(const struct nft_chain *chain)
{
	return nfj_blob_state(rcu_dereference_raw(chain->blob_gen_0)) ||
	       nfj_blob_state(rcu_dereference_raw(chain->blob_gen_1));
}

/* net.c: our part of a netns */

/**
 * enum nfj_phase - of the module's life
 * @NFJ_COMING: not all is in place yet
 * @NFJ_LIVE: rules are translated
 * @NFJ_GOING: never again
 */
enum nfj_phase {
	NFJ_COMING,
	NFJ_LIVE,
	NFJ_GOING,
};

struct nfj_net *nfj_pernet(const struct net *net);
enum nfj_phase nfj_phase_now(void);
void nfj_phase_set(enum nfj_phase phase);
bool nfj_net_granted(const struct net *net);
void nfj_nets_each(void (*each)(struct net *net));
void nfj_net_start(struct net *net);
void nfj_net_plain(struct net *net);
void nfj_net_idle(struct net *net);
int nfj_net_init(void);
void nfj_net_exit(void);

/* later.c: what is done after a commit, by workers */
int nfj_later_init(void);
void nfj_later_exit(void);
void nfj_later(struct delayed_work *work, unsigned long delay);
void nfj_later_sooner(struct delayed_work *work, unsigned long delay);

/* chains.c: chains by address, and their end */
struct nfj_chain *nfj_chain_find(const struct nft_chain *chain);
struct nfj_chain *nfj_chain_get(struct nft_chain *chain);
void nfj_chain_destroyed(const struct nft_chain *chain);
int nfj_chains_init(void);
void nfj_chains_exit(void);

/* state.c: what packets see of a chain */
struct nfj_state *nfj_state_new(struct net *net, const struct nfj_chain *nc,
				const struct nfj_flat *flat,
				struct nfj_budget *budget, size_t *wanted);
void nfj_state_use(struct nfj_state *st, struct nfj_matcher *m);
void nfj_state_free(struct nfj_state *st);
void nfj_state_retire(struct nfj_state *st);
int nfj_state_init(void);
void nfj_state_exit(void);

/* hits.c: how often rules are run */
struct nfj_hit;

u64 nfj_hit_read(const struct nfj_hit *hit);
void nfj_hits_put(struct nfj_hits *hits);
void nfj_hits_attach(const struct net *net, const struct nft_chain *chain,
		     struct nfj_chain *nc, struct nfj_state *st);
void nfj_hits_switch(struct net *net, bool on);
void nfj_hits_zero(struct net *net);
void nfj_hits_end(struct nfj_net *nn);

/* read.c: rules become IMR */
typedef int nfj_rule_fn(void *arg, const struct nft_rule *rule,
			const struct nfj_ir *ir);
int nfj_rules_each(struct net *net, struct nft_chain *chain, nfj_rule_fn *each,
		   void *arg);
int nfj_change_read(struct net *net, struct nfj_change *c);
int nfj_change_peek(struct net *net, struct nfj_change *c);
struct nfj_kept *nfj_kept_new(struct net *net, struct nft_chain *chain);
void nfj_change_forget(struct nfj_change *c);
void nfj_change_unread(struct nfj_change *c);
int nfj_kept_charge(struct nfj_kept *kept, struct nfj_budget *budget,
		    size_t *wanted);
void nfj_kept_free(struct nfj_kept *kept);

/* sets.c: what is in a set */
#define NFJ_SET_ELEMS_MAX	65536	/* of one that is read for a program */

struct nfj_set_in *nfj_set_read(struct net *net, struct nft_set *set);
void nfj_set_free(struct nfj_set_in *in);
void nfj_sets_prepare(struct net *net, struct list_head *touched);
struct nfj_shadow *nfj_set_shadow(struct net *net, struct nft_set *set);

/* translate.c: is a chain worth a program, and which */
void nfj_change_look(struct net *net, struct nfj_change *c);
bool nfj_small(const struct nfj_chain *nc, bool near);
bool nfj_all(void);
void nfj_failed(struct nfj_outcome *out, int err);
void nfj_translate(struct net *net, struct nfj_change *c);

/* table.c: what ties the chains of a table together */
void nfj_table_settle(struct net *net, struct nft_table *table,
		      struct list_head *changes);

/* inline.c: chains that a chain jumps to, in one with it */
u32 nfj_inline_room(void);
struct nfj_flat *nfj_flat_new(struct net *net, struct nfj_chain *nc);
void nfj_flat_free(struct nfj_flat *flat);
int nfj_flat_places(const struct nfj_flat *flat, struct nfj_state *st);
bool nfj_inline_stale(const struct nfj_state *st);

/* edit.c: large chains of which little changes */
extern unsigned int nfj_edit_min_rules;

int nfj_edit(struct net *net, struct nfj_change *c, struct nfj_state *st);
void nfj_rebuild_queue(struct nfj_net *nn);
void nfj_rebuild_work(struct work_struct *work);

/* blob.c: what nft_do_chain() walks */
struct nft_rule_blob *nfj_blob_build(struct net *net, struct nft_chain *chain,
				     struct nfj_state *st, gfp_t gfp);
const struct nft_chain *nfj_expr_target(const struct nft_expr *expr);
void nfj_blob_retire(struct nft_rule_blob *blob);

/* commit.c: a transaction */
void nfj_commit_prepare(struct net *net, struct nfj_changes *changes);
void nfj_commit_cancel(struct net *net, struct nfj_changes *changes);
void nfj_commit_finish(struct net *net, struct nfj_changes *changes);
struct nfj_change *nfj_change_add(struct nft_chain *chain,
				  struct list_head *changes);
void nfj_changes_build(struct net *net, struct list_head *changes);
void nfj_changes_publish(struct net *net, struct list_head *changes);
void nfj_changes_free(struct list_head *changes);

/* switch.c: without one */
int nfj_switch(struct net *net, bool on, bool grant);
void nfj_publish_now(struct net *net, struct nft_chain *chain,
		     struct nfj_chain *nc, struct nft_rule_blob *blob);
void nfj_unify_queue(struct nfj_net *nn);
void nfj_unify_work(struct work_struct *work);

#endif /* _NFJ_COMMIT_H */
