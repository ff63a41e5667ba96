/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of the flow key that is made inline, on the way of every packet.
 *
 * An extraction that costs more than the rules it saves is a loss, so only the
 * words of the headers that the programs read are copied, eight bytes at a
 * time, and the rarer fields are left to nfj_flow_more().
 */
#ifndef _NFJ_FLOW_H
#define _NFJ_FLOW_H

#include <linux/skbuff.h>
#include "../nfj.h"

void nfj_flow_bytes(u8 *to, const struct sk_buff *skb, int off, int len);
void nfj_flow_more(struct nfj_key *key, const struct nft_pktinfo *pkt,
		   u32 groups);

/* Words first .. end - 1 of the header at off */
static __always_inline void nfj_flow_words(u8 *to, const struct sk_buff *skb,
					   int off, unsigned int first,
					   unsigned int end)
{
	const u8 *from = skb->data + off;

	if (unlikely((int)skb_headlen(skb) - off < (int)end * 8)) {
		nfj_flow_bytes(to + first * 8, skb, off + first * 8,
			       (end - first) * 8);
		return;
	}
	do {
		memcpy(to + first * 8, from + first * 8, 8);
	} while (++first < end);
}

/**
 * nfj_flow_add - fill in what a chain's programs read, besides what is there
 * @key: the key; everything not asked for stays as it was
 * @pkt: the packet
 * @need: what is asked for
 * @fresh: nothing is there yet
 *
 * Mirrors nft_payload_eval() and nft_payload_fast_eval() for the network and
 * transport header.  The latter does not care for fragments as long as the
 * bytes are in the linear area, hence the two lengths.
 *
 * Context: packet path, under RCU.
 */
static __always_inline void nfj_flow_add(struct nfj_key *key,
					 const struct nft_pktinfo *pkt,
					 const struct nfj_need *need,
					 bool fresh)
{
	const struct sk_buff *skb = pkt->skb;
	u32 groups = need->groups;
	int off, have;

	if (groups & NFJ_GROUP_NH) {
		off = skb_network_offset(skb);
		key->nh_len = max((int)skb->len - off, 0);
		if (need->nh_end)
			nfj_flow_words(key->nh, skb, off, need->nh_first,
				       need->nh_end);
	}
	if (groups & NFJ_GROUP_TH) {
		key->th_len = 0;
		key->thf_len = 0;
		if (likely(pkt->flags & NFT_PKTINFO_L4PROTO)) {
			off = nft_thoff(pkt);
			have = max((int)skb->len - off, 0);
			if (unlikely(pkt->fragoff)) {
				key->thf_len = max((int)skb_headlen(skb) - off,
						   0);
			} else {
				key->th_len = have;
				key->thf_len = have;
			}
			if (need->th_end)
				nfj_flow_words(key->th, skb, off,
					       need->th_first, need->th_end);
		}
	}
	groups &= ~(NFJ_GROUP_NH | NFJ_GROUP_TH);
	if (!groups)
		return;
	if (fresh)
		key->valid = 0;
	key->nfproto = nft_pf(pkt);
	if (likely(pkt->flags & NFT_PKTINFO_L4PROTO)) {
		key->valid |= NFJ_VALID_L4PROTO;
		key->l4proto = pkt->tprot;
	}
	groups &= ~NFJ_GROUP_BASE;
	if (groups)
		nfj_flow_more(key, pkt, groups);
}

/**
 * nfj_flow_extract - the same for a key of which nothing is there yet
 * @key: the key; everything not asked for stays undefined
 * @pkt: the packet
 * @need: what is asked for
 */
static __always_inline void nfj_flow_extract(struct nfj_key *key,
					     const struct nft_pktinfo *pkt,
					     const struct nfj_need *need)
{
	nfj_flow_add(key, pkt, need, true);
}

/**
 * nfj_need_mask - what programs read as a set
 * @need: the same as ranges
 *
 * Return: NFJ_GROUP_* in the lowest byte, then a bit for each word of the
 * network header and of the transport header.
 */
static inline u32 nfj_need_mask(const struct nfj_need *need)
{
	u32 mask = need->groups;

	BUILD_BUG_ON(NFJ_NH_WINDOW > 64 || NFJ_TH_WINDOW > 64);
	if (need->nh_end)
		mask |= GENMASK(need->nh_end - 1, need->nh_first) << 8;
	if (need->th_end)
		mask |= GENMASK(need->th_end - 1, need->th_first) << 16;
	return mask;
}

#endif /* _NFJ_FLOW_H */
