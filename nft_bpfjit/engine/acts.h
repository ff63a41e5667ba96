/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What entries do, as long as they stay in one chain: residues, run as
 * nft_do_chain() runs expressions, and verdicts.  Inline in all places that begin
 * or go on with a chain.
 */
#ifndef _NFJ_ACTS_H
#define _NFJ_ACTS_H

#include <linux/netfilter.h>
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
					  struct nft_regs *regs,
					  const struct nft_pktinfo *pkt)
{
	const struct nft_expr_ops *ops = expr->ops;

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

/* Expressions from @expr up to @end; the verdict is in @regs */
static __always_inline void nfj_exprs_eval(const void *expr, const void *end,
					   struct nft_regs *regs,
					   const struct nft_pktinfo *pkt)
{
	while (expr != end) {
		nfj_expr_eval(expr, regs, pkt);
		if (regs->verdict.code != NFT_CONTINUE)
			break;
		expr += ((const struct nft_expr *)expr)->ops->size;
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
	const struct nft_set_ext *ext = NULL;
	enum nfj_found found;

	found = nfj_shadow_quick(look->quick, (const void *)key + look->off);
	if (found == NFJ_DONE)
		found = nfj_look_find(look, key, &ext);
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
	regs->verdict.code = NFT_CONTINUE;
	if (act->look) {
		if (nfj_look_misses(st, act, key, regs, pkt))
			return false;
		if (regs->verdict.code != NFT_CONTINUE)
			return true;
	} else if (act->expr) {
		const void *data = st->blob->data;

		if (act->nfills)
			nfj_fill_regs(regs, key, &st->fills[act->fill],
				      act->nfills);
		nfj_exprs_eval(data + act->expr, data + act->end, regs, pkt);
		if (regs->verdict.code != NFT_CONTINUE)
			return true;
	}
	regs->verdict.code = act->verdict;
	regs->verdict.chain = (void *)act->chain;
	return true;
}

/**
 * nfj_acts_run - go on in a chain, and do what its entries do
 * @st: the chain
 * @act: the entry that was done last, its verdict in @regs; NULL to look for one,
 *	 from @next on
 * @key: flow key
 * @have: what is in the key, see nfj_need_mask()
 * @regs: registers; the verdict is left here: one that is final or leads to
 *	  another chain, NFT_RETURN at the end of this one
 * @pkt: the packet
 * @next: the entry to go on with after a jump
 *
 * Inline in the entry from the expression as well as in nfj_run(): the end of the
 * chain is what most packets come to, and a stack of jumps costs more than that.
 *
 * Return: false, with NFT_CONTINUE, when the rules from @next on are for the
 * interpreter.
 */
static __always_inline bool nfj_acts_run(const struct nfj_state *st,
					 const struct nfj_act *act,
					 struct nfj_key *key, u32 *have,
					 struct nft_regs *regs,
					 const struct nft_pktinfo *pkt,
					 u32 *next)
{
	u32 k;

	if (!act)
		goto match;
	goto evaluated;
	for (;;) {
		if (!nfj_act_eval(st, act, key, regs, pkt)) {
			*next = act->next;
			goto follow;
		}
evaluated:
		if (nfj_is_final(regs->verdict.code))
			return true;
		*next = act->next;
		if (act->flags & NFJ_ACT_MUTATES)
			*have = 0;
		if (regs->verdict.code != NFT_CONTINUE &&
		    regs->verdict.code != NFT_BREAK)
			return true;
follow:
		if (act->flags & NFJ_ACT_NEXT) {
			act = &st->acts[*next];
			continue;
		}
match:
		if (*next >= st->nacts)
			break;
		act = &st->acts[*next];
		if (act->flags & NFJ_ACT_ALWAYS)
			continue;
		if (!*have)
			key->valid = 0;
		k = nfj_match(st, key, pkt, *next, have);
		if (k == NFJ_NONE)
			break;
		if (unlikely(k == NFJ_BAD)) {
			regs->verdict.code = NFT_CONTINUE;
			return false;
		}
		act = &st->acts[k];
	}
	regs->verdict.code = NFT_RETURN;
	return true;
}

#endif /* _NFJ_ACTS_H */
