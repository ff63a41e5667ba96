/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the rooms of the module know of each other.
 *
 * Locking: a chain's control-plane state (struct nfj_chain) is written under
 * the commit mutex of its netns.  The table that finds it by the chain's
 * address has a lock of its own, because nf_tables_chain_destroy() runs
 * without that mutex.  Packets see only struct nfj_state, through an
 * expression in a blob, under RCU; it does not change once published.
 */
#ifndef _NFJ_H
#define _NFJ_H

#include <linux/bpf.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/netfilter/nf_tables.h>
#include <nft_bpfjit/imr.h>

struct nfj_net;

/* hook/symbols.c: what nf_tables does not export */

/**
 * struct nfj_symbols - addresses found by name
 * @commit: nf_tables_commit()
 * @chain_destroy: nf_tables_chain_destroy()
 * @jit_enable: bpf_jit_enable, there is none without a JIT
 * @jit_harden: bpf_jit_harden
 * @net_id: nf_tables_net_id
 * @cmp_fast: nft_cmp_fast_ops, which nft_do_chain() evaluates inline
 * @cmp16_fast: nft_cmp16_fast_ops, likewise
 * @bitwise_fast: nft_bitwise_fast_ops, likewise
 * @payload_fast: nft_payload_fast_ops, likewise
 * @hook_mutex: nf_hook_mutex, under which the hooks of a netns change
 */
struct nfj_symbols {
	int				(*commit)(struct net *net,
						  struct sk_buff *skb);
	void				(*chain_destroy)(struct nft_chain *chain);
	int				*jit_enable;
	int				*jit_harden;
	unsigned int			*net_id;
	const struct nft_expr_ops	*cmp_fast;
	const struct nft_expr_ops	*cmp16_fast;
	const struct nft_expr_ops	*bitwise_fast;
	const struct nft_expr_ops	*payload_fast;
	/* static in net/netfilter/core.c */
	struct mutex			*hook_mutex;
};

extern struct nfj_symbols nfj_sym;

int nfj_symbols_init(void);

/* hook/hook.c: standing in nf_tables_commit() and nf_tables_chain_destroy() */
int nfj_hook_init(void);
void nfj_hook_exit(void);
void nfj_hook_exit_destroy(void);

/* load/load.c */

/**
 * struct nfj_prog - a loaded matcher for some of a chain's rules
 * @prog: the program; holds a reference
 * @last: behind the last entry that it covers
 * @open: it may be entered anywhere up to there
 * @needs: @need as a set of bits, see nfj_need_mask()
 * @need: what it reads of the flow key
 */
struct nfj_prog {
	struct bpf_prog	*prog;
	u32		last;
	u32		open;
	u32		needs;
	struct nfj_need	need;
};

/**
 * struct nfj_matcher - the programs that search a chain, or a part of it
 * @ref: states that use it
 * @nprogs: programs
 * @prog: programs in rule order
 * @nentries: entries that they find
 * @insns: BPF instructions, all programs
 * @jited: bytes of machine code, all programs
 * @tables: bytes of the data that they search
 * @budget: whose memory it is
 * @charged: bytes taken from there
 */
struct nfj_matcher {
	refcount_t		ref;
	u32			nprogs;
	struct nfj_prog		*prog;
	u32			nentries;
	u32			insns;
	u32			jited;
	u32			tables;
	struct nfj_budget	*budget;
	size_t			charged;
};

int nfj_load(const struct nfj_insns *insns, const char *name,
	     struct bpf_prog **prog);
size_t nfj_load_size(const struct bpf_prog *prog);
void nfj_load_name(char *name, const struct nft_chain *chain);

/* load/budget.c */
struct nfj_budget;

struct nfj_budget *nfj_budget_new(void);
struct nfj_budget *nfj_budget_get(struct nfj_budget *b);
void nfj_budget_put(struct nfj_budget *b);
int nfj_budget_charge(struct nfj_budget *b, size_t bytes);
void nfj_budget_uncharge(struct nfj_budget *b, size_t bytes);

/* engine/engine.c */

/* nfj_act::flags */
#define NFJ_ACT_MUTATES	0x01	/* extract the key anew afterwards */
#define NFJ_ACT_NEXT	0x02	/* entry @next matches as well, for sure */
#define NFJ_ACT_ALWAYS	0x04	/* matches any packet: no program need be asked */

/**
 * struct nfj_act - what the engine does when an entry matches
 * @expr: offset in the blob's data of the first expression to run, 0 for none
 * @end: offset behind the last expression to run
 * @next: entry to go on with when there is no decision
 * @rule: number of the rule
 * @verdict: behind the expressions: NF_ACCEPT, NF_DROP or NFT_*
 * @flags: NFJ_ACT_*
 * @nfills: register words to fill in for the expressions
 * @fill: index of the first of them in nfj_state::fills
 * @chain: with NFT_JUMP and NFT_GOTO
 */
struct nfj_act {
	u32			expr;
	u32			end;
	u32			next;
	u32			rule;
	s32			verdict;
	u16			flags;
	u16			nfills;
	const struct nft_chain	*chain;
	u32			fill;
};

/**
 * struct nfj_seg - entries of an edited chain that follow one another
 * @first: number of the first
 * @from: its number in the matcher that finds it
 * @added: that is nfj_edits::added
 */
struct nfj_seg {
	u32	first;
	u32	from;
	bool	added;
};

/**
 * struct nfj_edits - how a chain differs from the one its matcher was made for
 * @added: matcher of the rules that were added, or NULL
 * @nsegs: segments; they cover all entries
 * @tried: the worker has seen it
 * @seg: in order, and one more to tell where the last one ends
 */
struct nfj_edits {
	struct nfj_matcher	*added;
	u32			nsegs;
	bool			tried;
	struct nfj_seg		seg[];
};

/**
 * struct nfj_state - a translated chain, as packets see it
 * @nprogs: programs of @matcher; 0 for a chain that was edited, and for one whose
 *	    first entry matches any packet
 * @prog: the first of them
 * @acts: for each entry what to do
 * @nacts: entries
 * @fills: register words that residues read
 * @enter: may be entered from nft_do_chain(): a base chain, or one that does
 *	   not jump
 * @chain: the chain
 * @blob: the blob whose first expression points here
 * @was: the blob that this one came for, with the same rules
 * @list: in nfj_chain::states
 * @rwork: frees it after a grace period
 * @matcher: finds entries
 * @edits: what has changed since @matcher was made, or NULL
 * @serial: no other state has had this one
 */
struct nfj_state {
	u32			nprogs;
	struct nfj_prog		*prog;
	struct nfj_act		*acts;
	u32			nacts;
	struct nfj_fill		*fills;
	bool			enter;
	const struct nft_chain	*chain;
	struct nft_rule_blob	*blob;
	const struct nft_rule_blob	*was;
	struct list_head	list;
	struct rcu_work		rwork;
	struct nfj_matcher	*matcher;
	struct nfj_edits	*edits;
	u64			serial;
};

extern const struct nft_expr_ops nfj_ebpf_ops;

/**
 * struct nfj_ebpf - private part of the ebpf expression
 * @state: the chain's state, lives longer than the blob
 */
struct nfj_ebpf {
	const struct nfj_state	*state;
};

#define NFJ_EBPF_SIZE	NFT_EXPR_SIZE(sizeof(struct nfj_ebpf))

/**
 * nfj_blob_state - is this blob ours, and what does it belong to?
 * @blob: a blob
 *
 * What is behind the end mark of a blob is not initialised, so it counts that
 * there is a rule of the right length in front.
 *
 * Return: the state, or NULL for a blob that nf_tables made.
 */
static __always_inline const struct nfj_state *
nfj_blob_state(const struct nft_rule_blob *blob)
{
	const struct nft_rule_dp *rule = (const void *)blob->data;
	const struct nft_expr *expr = (const void *)rule->data;

	if (rule->is_last || rule->dlen != NFJ_EBPF_SIZE ||
	    expr->ops != &nfj_ebpf_ops)
		return NULL;
	return ((const struct nfj_ebpf *)nft_expr_priv(expr))->state;
}

/* engine/hookfn.c: in the place of nft_do_chain_ipv4() and so on */
nf_hookfn *nfj_hook_fn(const struct nft_base_chain *base);

/* hook/redirect.c */
void nfj_redirect_sync(const struct net *net, const struct nft_chain *chain,
		       bool on);

/* commit/ */

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
	bool			edited;
	u32			nruns;
	struct nfj_run		run[NFJ_RUNS_MAX];
};

/* commit/chains.c: chains by address, states and their end */
struct nfj_chain *nfj_chain_find(const struct nft_chain *chain);
struct nfj_chain *nfj_chain_get(struct nft_chain *chain);
void nfj_chain_destroyed(const struct nft_chain *chain);
void nfj_state_retire(struct nfj_state *st);
void nfj_state_free(struct nfj_state *st);
int nfj_chains_init(void);
void nfj_chains_exit(void);

/* commit/read.c */
typedef int nfj_rule_fn(void *arg, const struct nft_rule *rule,
			const struct nfj_ir *ir);
int nfj_rules_each(struct net *net, struct nft_chain *chain, nfj_rule_fn *each,
		   void *arg);
int nfj_change_read(struct net *net, struct nfj_change *c);
void nfj_change_settle(struct nfj_change *c);
void nfj_change_unread(struct nfj_change *c);
void nfj_kept_free(struct nfj_kept *kept);

/* commit/translate.c */
void nfj_change_look(struct net *net, struct nfj_change *c);
bool nfj_table_deep(const struct net *net, const struct nft_table *table);
void nfj_translate(struct net *net, struct nfj_change *c, bool deep);
struct nfj_state *nfj_state_new(const struct nft_chain *chain,
				const struct nfj_chain *nc);
struct nfj_matcher *nfj_matcher_new(struct nfj_budget *budget);
void nfj_matcher_put(struct nfj_matcher *m);
int nfj_matcher_build(struct nfj_matcher *m, const struct nfj_ir *ir,
		      const char *name);
void nfj_matcher_use(struct nfj_state *st, struct nfj_matcher *m);

/* commit/edit.c */
int nfj_edit(struct net *net, struct nfj_change *c, struct nfj_state *st);
void nfj_rebuild_queue(struct nfj_net *nn);
void nfj_rebuild_work(struct work_struct *work);

/* commit/sets.c */
struct nfj_set_in *nfj_set_read(struct net *net, struct nft_set *set);
void nfj_set_free(struct nfj_set_in *in);

/* commit/blob.c */
struct nft_rule_blob *nfj_blob_build(struct net *net, struct nft_chain *chain,
				     struct nfj_state *st, gfp_t gfp);
void nfj_blob_retire(struct nft_rule_blob *blob);

/* commit/commit.c */
void nfj_commit_prepare(struct net *net, struct list_head *changes);
void nfj_commit_cancel(struct net *net, struct list_head *changes);
void nfj_commit_finish(struct net *net, struct list_head *changes);
struct nfj_change *nfj_change_add(struct nft_chain *chain,
				  struct list_head *changes);
void nfj_changes_translate(struct net *net, struct list_head *changes);
void nfj_changes_free(struct list_head *changes);

/* commit/switch.c */
void nfj_switch(struct net *net, bool on);
void nfj_publish_now(struct net *net, struct nft_chain *chain,
		     struct nfj_chain *nc, struct nft_rule_blob *blob);
void nfj_unify_work(struct work_struct *work);

/* control/ */

/**
 * struct nfj_net - per netns
 * @net: the netns
 * @enable: what the sysctl shows
 * @allowed: owned by the initial user namespace
 * @sysctl: the registered table
 * @table: our copy of it
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
	struct ctl_table_header	*sysctl;
	struct ctl_table	*table;
	struct nfj_budget	*budget;
	struct delayed_work	unify;
	unsigned int		commits;
	struct delayed_work	rebuild;
	unsigned long		rebuild_time;
};

struct nfj_net *nfj_pernet(const struct net *net);
int nfj_sysctl_init(struct nfj_net *nn);
void nfj_sysctl_exit(struct nfj_net *nn);
int nfj_proc_init(struct net *net);
void nfj_proc_exit(struct net *net);

/**
 * nfj_nft_pernet - nf_tables' per-netns data
 * @net: the netns
 *
 * Return: what nft_pernet() would return, if it could be called.
 */
static inline struct nftables_pernet *nfj_nft_pernet(const struct net *net)
{
	return net_generic(net, *nfj_sym.net_id);
}

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

#endif /* _NFJ_H */
