/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an entry does: its residue, run as nft_do_chain() runs expressions, and its
 * verdict.  Inline where a packet's first entry is done, and where it goes on.
 */
#ifndef _NFJ_ACTS_H
#define _NFJ_ACTS_H

#include <linux/netfilter.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>
#include <net/netfilter/nf_tables.h>
#include <net/netfilter/nf_tables_core.h>
#include "engine.h"

/* nft_payload_fast_eval() */
static __always_inline bool nfj_payload_fast(const struct nft_expr *expr,
					     struct nft_regs *regs,
					     const struct nft_pktinfo *pkt)
{
	const struct nft_payload *priv = nft_expr_priv(expr);
	const struct sk_buff *skb = pkt->skb;
	u32 *dest = &regs->data[priv->dreg];
	unsigned char *ptr;

	if (priv->base == NFT_PAYLOAD_NETWORK_HEADER) {
		ptr = skb_network_header(skb);
	} else {
		if (!(pkt->flags & NFT_PKTINFO_L4PROTO))
			return false;
		if (static_branch_unlikely(&nfj_frag_slow) && pkt->fragoff)
			return false;
		ptr = skb->data + nft_thoff(pkt);
	}
	ptr += priv->offset;
	if (unlikely(ptr + priv->len > skb_tail_pointer(skb)))
		return false;
	*dest = 0;
	if (priv->len == 2)
		memcpy(dest, ptr, 2);
	else if (priv->len == 4)
		memcpy(dest, ptr, 4);
	else
		memcpy(dest, ptr, 1);
	return true;
}

/* One expression, as nft_do_chain() evaluates it */
static __always_inline void nfj_expr_eval(const struct nft_expr *expr,
					  const struct nft_expr_ops *ops,
					  struct nft_regs *regs,
					  const struct nft_pktinfo *pkt)
{
	if (ops == nfj_sym.cmp_fast) {
		const struct nft_cmp_fast_expr *priv = nft_expr_priv(expr);

		if (!(((regs->data[priv->sreg] & priv->mask) == priv->data) ^
		      priv->inv))
			regs->verdict.code = NFT_BREAK;
	} else if (ops == nfj_sym.cmp16_fast) {
		const struct nft_cmp16_fast_expr *priv = nft_expr_priv(expr);
		const u64 *reg = (const u64 *)&regs->data[priv->sreg];
		const u64 *mask = (const u64 *)&priv->mask;
		const u64 *data = (const u64 *)&priv->data;

		if (!(((reg[0] & mask[0]) == data[0] &&
		       (reg[1] & mask[1]) == data[1]) ^ priv->inv))
			regs->verdict.code = NFT_BREAK;
	} else if (ops == nfj_sym.bitwise_fast) {
		const struct nft_bitwise_fast_expr *priv = nft_expr_priv(expr);

		regs->data[priv->dreg] = (regs->data[priv->sreg] &
					  priv->mask) ^ priv->xor;
	} else if (ops != nfj_sym.payload_fast ||
		   !nfj_payload_fast(expr, regs, pkt)) {
		ops->eval(expr, regs, pkt);
	}
}

/* nft_counter_eval(), where nfj_counter_init() has found it to be this.  Each of
 * the two additions is one instruction, on the CPU that it is about, so that there
 * is nothing to disable around them.
 */
static __always_inline void nfj_counter_eval(const struct nft_expr *expr,
					     const struct nft_pktinfo *pkt)
{
	const struct nfj_counter_priv *priv = nft_expr_priv(expr);

	this_cpu_add(priv->counter->bytes, pkt->skb->len);
	this_cpu_inc(priv->counter->packets);
}

/* Expressions from @expr up to @end; the verdict is in @regs */
static __always_inline void nfj_exprs_eval(const void *expr, const void *end,
					   struct nft_regs *regs,
					   const struct nft_pktinfo *pkt)
{
	while (expr != end) {
		const struct nft_expr_ops *ops =
			((const struct nft_expr *)expr)->ops;

		if (ops == nfj_counter_ops) {
			nfj_counter_eval(expr, pkt);
		} else {
			nfj_expr_eval(expr, ops, regs, pkt);
			if (regs->verdict.code != NFT_CONTINUE)
				break;
		}
		expr += ops->size;
	}
}

/* Registers as the rule's loads would have left them.  No memcpy(), which would be
 * checked against the size of the registers each time.
 */
static __always_inline void nfj_fill_regs(struct nft_regs *regs,
					  const struct nfj_key *key,
					  const struct nfj_fill *fill, u32 n)
{
	do {
		const u8 *from = (const u8 *)key + fill->off;
		/* the verdict register comes first */
		u32 *to = &regs->data[NFT_REG_SIZE / NFT_REG32_SIZE +
				      fill->word];

		*to = fill->value;
		switch (fill->len) {
		case 4:
			*to = get_unaligned((const u32 *)from);
			break;
		case 3:
			((u8 *)to)[2] = from[2];
			fallthrough;
		case 2:
			*(u16 *)to = get_unaligned((const u16 *)from);
			break;
		case 1:
			*(u8 *)to = *from;
			break;
		}
		fill++;
	} while (--n);
}

/* Do a lookup, see nfj_look_find() */
static __always_inline enum nfj_found nfj_look(const struct nfj_look *look,
					       const struct nfj_key *key,
					       const struct nft_set_ext **ext)
{
	enum nfj_found found;

	*ext = NULL;
	found = nfj_shadow_quick(look->quick, (const void *)key + look->off);
	return found == NFJ_DONE ? nfj_look_find(look, key, ext) : found;
}

void nfj_look_rest(const struct nfj_state *st, const struct nfj_act *act,
		   const struct nfj_key *key, struct nft_regs *regs,
		   const struct nft_pktinfo *pkt, enum nfj_found found,
		   const struct nft_set_ext *ext);

/* Does the lookup that a residue begins with miss?  Else what belongs to the element,
 * and the rest of the residue, has been done.  Most lookups miss.
 */
static __always_inline bool nfj_look_misses(const struct nfj_state *st,
					    const struct nfj_act *act,
					    const struct nfj_key *key,
					    struct nft_regs *regs,
					    const struct nft_pktinfo *pkt)
{
	const struct nfj_look *look = act->look;
	const struct nft_set_ext *ext;
	enum nfj_found found = nfj_look(look, key, &ext);

	if (found != NFJ_DONE) {
		if (found == (look->invert ? NFJ_HIT : NFJ_MISS))
			return true;
		if (!ext && look->resume == act->end)
			return false;
	}
	nfj_look_rest(st, act, key, regs, pkt, found, ext);
	return false;
}

/* What an entry does; NFT_CONTINUE when it comes to no verdict.  False: its lookup
 * has missed, and it has done nothing.
 */
static __always_inline bool nfj_act_eval(const struct nfj_state *st,
					 const struct nfj_act *act,
					 const struct nfj_key *key,
					 struct nft_regs *regs,
					 const struct nft_pktinfo *pkt)
{
	if (act->flags & NFJ_ACT_COUNT) {
		nfj_counter_eval(act->expr, pkt);
	} else if (act->look) {
		regs->verdict.code = NFT_CONTINUE;
		if (nfj_look_misses(st, act, key, regs, pkt))
			return false;
		if (regs->verdict.code != NFT_CONTINUE)
			return true;
	} else if (act->expr) {
		regs->verdict.code = NFT_CONTINUE;
		if (act->nfills)
			nfj_fill_regs(regs, key, &st->fills[act->fill],
				      act->nfills);
		nfj_exprs_eval(act->expr, act->end, regs, pkt);
		if (regs->verdict.code != NFT_CONTINUE)
			return true;
	}
	regs->verdict.code = act->verdict;
	regs->verdict.chain = (void *)act->chain;
	return true;
}

#endif /* _NFJ_ACTS_H */
