/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to the engine: the match, inline where a packet enters (hookfn.c, and the
 * expression) and where it goes on (nfj_run()).
 */
#ifndef _NFJ_ENGINE_H
#define _NFJ_ENGINE_H

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/rcupdate.h>
#include "../flow/flow.h"
#include "../hook/hook.h"
#include "state.h"

#define NFJ_GEN_UNKNOWN	(-1)

u32 nfj_run(const struct nfj_state *st, const struct nfj_act *act,
	    struct nfj_key *key, u32 have, struct nft_regs *regs,
	    const struct nft_pktinfo *pkt, int gen);

/* A matcher touches nothing but its key, so that it needs no pinning to a CPU;
 * only the accounting of kernel.bpf_stats_enabled does.
 */
static __always_inline u32 nfj_prog_run(const struct bpf_prog *prog,
					const struct nfj_key *key)
{
	u32 k;

	if (static_branch_unlikely(&bpf_stats_enabled_key)) {
		migrate_disable();
		k = bpf_prog_run(prog, key);
		migrate_enable();
		return k;
	}
	return bpf_dispatcher_nop_func(key, prog->insnsi, prog->bpf_func);
}

/* nfj_match(): a number out of range.  Only NFJ_NONE is above. */
#define NFJ_BAD		0xfffffffeU

u32 nfj_bad_match(void);
u32 nfj_match_edited(const struct nfj_state *st, struct nfj_key *key,
		     const struct nft_pktinfo *pkt, u32 next, u32 *have);
u32 nfj_match_rest(const struct nfj_state *st, struct nfj_key *key,
		   const struct nft_pktinfo *pkt, u32 next, u32 *have);
u32 nfj_match_long(const struct nfj_state *st, struct nfj_key *key,
		   const struct nft_pktinfo *pkt, u32 next, u32 *have);

/* Ask one program; NFJ_NONE, NFJ_BAD or the number of an entry */
static __always_inline u32 nfj_match_prog(const struct nfj_state *st,
					  const struct nfj_prog *prog,
					  struct nfj_key *key,
					  const struct nft_pktinfo *pkt,
					  u32 next, u32 *have)
{
	u32 k;

	nfj_flow_have(key, pkt, &prog->need, prog->needs, have);
	k = nfj_prog_run(prog->prog, key);
	if (k == NFJ_NONE || likely(k >= next && k < st->nacts))
		return k;
	return nfj_bad_match();
}

/**
 * nfj_match - find the next entry that matches
 * @st: the chain
 * @key: flow key
 * @pkt: the packet
 * @next: first entry to consider
 * @have: what is in the key, see nfj_need_mask(); what a program reads besides
 *	  is added when it comes to that program
 *
 * Most chains are one program, whose way is the short one.
 *
 * Return: its number, NFJ_NONE, or NFJ_BAD when a program has returned what it
 * must not, or can't tell, and the rules from @next on are for the interpreter.
 */
static __always_inline u32 nfj_match(const struct nfj_state *st,
				     struct nfj_key *key,
				     const struct nft_pktinfo *pkt, u32 next,
				     u32 *have)
{
	u32 k = NFJ_NONE;

	if (unlikely(!st->nprogs))
		return nfj_match_long(st, key, pkt, next, have);
	key->start = next;
	if (!next || next < st->prog->last)
		k = nfj_match_prog(st, st->prog, key, pkt, next, have);
	if (k != NFJ_NONE || likely(st->nprogs == 1))
		return k;
	return nfj_match_rest(st, key, pkt, next, have);
}

/* A frame whose headers nf_tables finds while it evaluates the rules is for the
 * interpreter
 */
static __always_inline bool nfj_moves(const struct sk_buff *skb)
{
	return static_branch_unlikely(&nfj_meta_moves) &&
	       (skb->protocol == htons(ETH_P_8021Q) ||
		skb->protocol == htons(ETH_P_PPP_SES));
}

/* The blob of a chain in a generation */
static __always_inline const struct nft_rule_blob *
nfj_blob_of(const struct nft_chain *chain, bool gen)
{
	return gen ? rcu_dereference(chain->blob_gen_1) :
		     rcu_dereference(chain->blob_gen_0);
}

/* A verdict that ends the chain and all that led to it, as most do */
static __always_inline bool nfj_is_final(u32 verdict)
{
	BUILD_BUG_ON(NF_DROP != 0 || NF_ACCEPT != 1);

	return verdict <= NF_ACCEPT;
}

#endif /* _NFJ_ENGINE_H */
