/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A translated chain, as commit/ makes it and packets see it: through an
 * expression in a blob, under RCU.  It does not change once published.
 */
#ifndef _NFJ_STATE_H
#define _NFJ_STATE_H

#include <linux/list.h>
#include <linux/netfilter.h>
#include <linux/workqueue.h>
#include <net/netfilter/nf_tables.h>
#include "../load/load.h"
#include "../sets/shadow.h"

struct nfj_hits;

/* nfj_act::flags */
#define NFJ_ACT_COUNT	0x01	/* its residue is a counter, and no more */
#define NFJ_ACT_NEXT	0x02	/* entry @next matches as well, for sure */
#define NFJ_ACT_ALWAYS	0x04	/* matches any packet: no program need be asked */
#define NFJ_ACT_DEAD	0x08	/* is never found: to match would do nothing */
#define NFJ_ACT_QUICK	0x10	/* a lookup and a verdict that ends all, at the end */

/**
 * struct nfj_act - what the engine does when an entry matches
 * @expr: the first expression to run, in the blob, or NULL
 * @end: behind the last expression to run
 * @chain: with NFT_JUMP and NFT_GOTO
 * @look: the first of the expressions, as we look it up, or NULL
 * @verdict: behind the expressions: NF_ACCEPT, NF_DROP or NFT_*
 * @next: entry to go on with when there is no decision
 * @drops: what the expressions may change of the key, as nfj_need_mask() has it
 * @fill: index in nfj_state::fills of the first register word to fill in for them
 * @rule: number of the rule
 * @flags: NFJ_ACT_*
 * @nfills: register words to fill in
 * @cut: number of the first expression to run
 * @stop: number of the one behind the last
 */
struct nfj_act {
	const struct nft_expr	*expr;
	const struct nft_expr	*end;
	const struct nft_chain	*chain;
	struct nfj_look		*look;
	s32			verdict;
	u32			next;
	u32			drops;
	u32			fill;
	u32			rule;
	u8			flags;
	u8			nfills;
	u8			cut;
	u8			stop;
};

/**
 * struct nfj_place - where an entry stands, in a chain that others were put into
 * @chain: the chain
 * @rule: its rule, which lives as long as packets find it there
 */
struct nfj_place {
	const struct nft_chain	*chain;
	const struct nft_rule	*rule;
};

/**
 * struct nfj_inlined - chains that a chain was made of, besides itself
 * @n: how many
 * @chain: each; when one of them changes all is made anew
 */
struct nfj_inlined {
	u32			n;
	const struct nft_chain	*chain[];
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
 * @needs: what all its programs read, as nfj_need_mask() has it
 * @fills: register words that residues read
 * @looks: lookups of residues
 * @nlooks: how many
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
 * @budget: of whose budget @charged was taken
 * @charged: bytes, but for the matchers
 * @handles: of each entry, the handle of its rule
 * @places: of each entry, where that rule is; NULL where all are @chain's own
 * @inlined: with @places: of which chains
 * @hits: where rules count, or NULL; of what is published this alone changes
 */
struct nfj_state {
	u32			nprogs;
	struct nfj_prog		*prog;
	struct nfj_act		*acts;
	u32			nacts;
	u32			needs;
	struct nfj_fill		*fills;
	struct nfj_look		*looks;
	u32			nlooks;
	bool			enter;
	const struct nft_chain	*chain;
	struct nft_rule_blob	*blob;
	const struct nft_rule_blob	*was;
	struct list_head	list;
	struct rcu_work		rwork;
	struct nfj_matcher	*matcher;
	struct nfj_edits	*edits;
	u64			serial;
	struct nfj_budget	*budget;
	size_t			charged;
	u64			*handles;
	struct nfj_place	*places;
	struct nfj_inlined	*inlined;
	struct nfj_hits		*hits;
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

/* counter.c */
extern const struct nft_expr_ops *nfj_counter_ops;
void nfj_counter_init(void);

/* hookfn.c: in the place of nft_do_chain_ipv4() and so on */
nf_hookfn *nfj_hook_fn(const struct nft_base_chain *base);
void nfj_hook_pktinfo(struct nft_pktinfo *pkt, u8 family, struct sk_buff *skb,
		      const struct nf_hook_state *state);

#endif /* _NFJ_STATE_H */
