/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of the flow key that is made inline, on the way of every packet.
 *
 * An extraction that costs more than the rules it saves is a loss, so only the
 * words of the headers that the programs read are copied, eight bytes at a
 * time, and the rarer fields are left to nfj_flow_rare().
 */
#ifndef _NFJ_FLOW_H
#define _NFJ_FLOW_H

#include <linux/jump_label.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_tables.h>
#include <nft_bpfjit/imr.h>

/* What this kernel's nf_tables does, set by the self-test when the module is loaded.
 *
 * nfj_frag_slow: nft_payload_fast_eval() fails in fragments, as nft_payload_eval()
 * does everywhere.
 *
 * nfj_meta_moves: "meta protocol" and "meta l4proto" look behind 802.1Q and PPPoE,
 * and all that is loaded later is relative to what they found.
 */
DECLARE_STATIC_KEY_FALSE(nfj_frag_slow);
DECLARE_STATIC_KEY_FALSE(nfj_meta_moves);

void nfj_flow_bytes(u8 *to, const struct sk_buff *skb, int off, int len);
bool nfj_flow_loopback(struct nfj_key *key, const struct nft_pktinfo *pkt);
void nfj_flow_rare(struct nfj_key *key, const struct nft_pktinfo *pkt,
		   u32 groups);

/* A word of a packet, at any address.  memcpy() would do as well, but a kernel
 * with FORTIFY_SOURCE checks it against the size of the key each time, fifteen
 * instructions for one.
 */
struct nfj_word {
	u64	v;
} __packed;

/* nfj_need_mask(): what belongs to the two headers */
#define NFJ_MASK_NH	(NFJ_GROUP_NH | 0xffU << 16)
#define NFJ_MASK_TH	(NFJ_GROUP_TH | 0xffU << 24)

/* Words first .. end - 1 of the header at off */
static __always_inline void nfj_flow_words(u64 *to, const struct sk_buff *skb,
					   int off, unsigned int first,
					   unsigned int end)
{
	const struct nfj_word *from = (const void *)(skb->data + off);

	if (unlikely((int)skb_headlen(skb) - off < (int)end * 8)) {
		nfj_flow_bytes((u8 *)(to + first), skb, off + first * 8,
			       (end - first) * 8);
		return;
	}
	do {
		to[first] = from[first].v;
	} while (++first < end);
}

/* A word of a name without what is behind its end: the lowest zero byte of the
 * string borrows, as in the kernel's own word-at-a-time
 */
static __always_inline u64 nfj_flow_name_word(u64 w, bool *ended)
{
	u64 ones = REPEAT_BYTE(0x01), zero;

	zero = (w - ones) & ~w & (ones << 7);
	*ended = zero;
#ifdef __LITTLE_ENDIAN
	return zero ? w & (((zero & -zero) >> 7) - 1) : w;
#else
	return zero ? w & ~(U64_MAX >> (__builtin_clzll(zero) - 7)) : w;
#endif
}

/* nft_meta_store_ifname(): zero padded.  What is behind the end of a device's
 * name may be left from an earlier one.
 */
static __always_inline void nfj_flow_name(u8 *name,
					  const struct net_device *dev)
{
	struct nfj_word *to = (void *)name;
	const struct nfj_word *from;
	bool ended = true;

	BUILD_BUG_ON(sizeof(dev->name) != NFJ_IFNAMSIZ);
	BUILD_BUG_ON(2 * sizeof(*to) != NFJ_IFNAMSIZ);

	to[0].v = 0;
	if (dev) {
		from = (const void *)dev->name;
		to[0].v = nfj_flow_name_word(from[0].v, &ended);
	}
	to[1].v = ended ? 0 : nfj_flow_name_word(from[1].v, &ended);
}

/* nft_meta_get_eval() */
static __always_inline void nfj_flow_meta(struct nfj_key *key,
					  const struct nft_pktinfo *pkt)
{
	const struct sk_buff *skb = pkt->skb;

	key->len = skb->len;
	key->mark = skb->mark;
	key->priority = skb->priority;
	key->protocol = skb->protocol;
	key->pkttype = skb->pkt_type;
	key->valid |= NFJ_VALID_PKTTYPE;
	if (unlikely(skb->pkt_type == PACKET_LOOPBACK) &&
	    !nfj_flow_loopback(key, pkt))
		key->valid &= ~NFJ_VALID_PKTTYPE;
}

/* nft_ct_get_eval() */
static __always_inline void nfj_flow_ct(struct nfj_key *key,
					const struct nft_pktinfo *pkt)
{
	enum ip_conntrack_info ctinfo;
	const struct nf_conn *ct = nf_ct_get(pkt->skb, &ctinfo);

	nfj_key_fills(NFJ_GROUP_CT, ct_state);
	nfj_key_fills(NFJ_GROUP_CT, ct_mark);
	nfj_key_fills(NFJ_GROUP_CT, ct_dir);
	nfj_key_fills(NFJ_GROUP_CT, ct_status);

	key->valid &= ~(NFJ_VALID_CT | NFJ_VALID_CTMARK);
	if (!ct) {
		key->ct_state = ctinfo == IP_CT_UNTRACKED ?
				NF_CT_STATE_UNTRACKED_BIT :
				NF_CT_STATE_INVALID_BIT;
		return;
	}
	key->ct_state = NF_CT_STATE_BIT(ctinfo);
#ifdef CONFIG_NF_CONNTRACK_MARK
	key->ct_mark = READ_ONCE(ct->mark);
#endif
	key->valid |= NFJ_VALID_CTMARK;
	if (nf_ct_is_template(ct))
		return;
	key->ct_dir = CTINFO2DIR(ctinfo);
	key->ct_status = ct->status;
	key->valid |= NFJ_VALID_CT;
}

/**
 * nfj_flow_add - fill in what a program reads, besides what is there
 * @key: the key; everything not asked for stays as it was; nfj_key::valid must
 *	 be 0 when nothing is there yet
 * @pkt: the packet
 * @need: what is asked for
 * @lacks: what of that is not there, as nfj_need_mask() has it
 *
 * Mirrors nft_payload_eval() and nft_payload_fast_eval() for the network and
 * transport header.  The latter of some kernels does not care for fragments as
 * long as the bytes are in the linear area, hence the two lengths.
 *
 * Context: packet path, under RCU.
 */
static __always_inline void nfj_flow_add(struct nfj_key *key,
					 const struct nft_pktinfo *pkt,
					 const struct nfj_need *need,
					 u32 lacks)
{
	const struct sk_buff *skb = pkt->skb;
	u32 groups;
	int off, left;

	nfj_key_fills(NFJ_GROUP_NH, nh);
	nfj_key_fills(NFJ_GROUP_NH, nh_len);
	nfj_key_fills(NFJ_GROUP_TH, th);
	nfj_key_fills(NFJ_GROUP_TH, th_len);
	nfj_key_fills(NFJ_GROUP_TH, thf_len);
	nfj_key_fills(NFJ_GROUP_BASE, nfproto);
	nfj_key_fills(NFJ_GROUP_BASE, l4proto);
	nfj_key_fills(NFJ_GROUP_IIFNAME, iifname);
	nfj_key_fills(NFJ_GROUP_OIFNAME, oifname);

	if (lacks & NFJ_MASK_NH) {
		off = skb_network_offset(skb);
		key->nh_len = max((int)skb->len - off, 0);
		if (need->nh_end)
			nfj_flow_words((u64 *)key->nh, skb, off, need->nh_first,
				       need->nh_end);
	}
	if (lacks & NFJ_MASK_TH) {
		key->th_len = 0;
		key->thf_len = 0;
		if (likely(pkt->flags & NFT_PKTINFO_L4PROTO)) {
			off = nft_thoff(pkt);
			left = max((int)skb->len - off, 0);
			if (unlikely(pkt->fragoff)) {
				if (!static_branch_unlikely(&nfj_frag_slow))
					key->thf_len = max((int)skb_headlen(skb) - off, 0);
			} else {
				key->th_len = left;
				key->thf_len = left;
			}
			if (need->th_end)
				nfj_flow_words((u64 *)key->th, skb, off,
					       need->th_first, need->th_end);
		}
	}
	groups = lacks & (NFJ_GROUPS_ALL & ~(NFJ_GROUP_NH | NFJ_GROUP_TH));
	if (!groups)
		return;
	if (groups & NFJ_GROUP_META) {
		nfj_flow_meta(key, pkt);
		groups &= ~NFJ_GROUP_META;
		if (!groups)
			return;
	}
	key->nfproto = nft_pf(pkt);
	if (likely(pkt->flags & NFT_PKTINFO_L4PROTO)) {
		key->valid |= NFJ_VALID_L4PROTO;
		key->l4proto = pkt->tprot;
	}
	if (likely(!(groups & ~NFJ_GROUP_BASE)))
		return;
	if (groups & NFJ_GROUP_CT)
		nfj_flow_ct(key, pkt);
	if (groups & NFJ_GROUP_IIFNAME)
		nfj_flow_name(key->iifname, nft_in(pkt));
	if (groups & NFJ_GROUP_OIFNAME)
		nfj_flow_name(key->oifname, nft_out(pkt));
	groups &= ~(NFJ_GROUP_BASE | NFJ_GROUP_CT | NFJ_GROUP_IIFNAME |
		    NFJ_GROUP_OIFNAME);
	if (groups)
		nfj_flow_rare(key, pkt, groups);
}

/**
 * nfj_flow_have - see that all that a program reads is there
 * @key: the key
 * @pkt: the packet
 * @need: what the program reads
 * @needs: the same, as nfj_need_mask() has it
 * @have: what is there; brought up to date
 *
 * Context: packet path, under RCU.
 */
static __always_inline void nfj_flow_have(struct nfj_key *key,
					  const struct nft_pktinfo *pkt,
					  const struct nfj_need *need,
					  u32 needs, u32 *have)
{
	if (!(needs & ~*have))
		return;
	if (!*have)
		key->valid = 0;
	nfj_flow_add(key, pkt, need, needs & ~*have);
	*have |= needs;
}

/**
 * nfj_need_mask - what programs read as a set
 * @need: the same as ranges
 *
 * Return: NFJ_GROUP_* in the lower half, then a bit for each word of the network
 * header and of the transport header.
 */
static inline u32 nfj_need_mask(const struct nfj_need *need)
{
	u32 mask = need->groups;

	BUILD_BUG_ON(NFJ_NH_WINDOW > 64 || NFJ_TH_WINDOW > 64);
	if (need->nh_end)
		mask |= GENMASK(need->nh_end - 1, need->nh_first) << 16;
	if (need->th_end)
		mask |= GENMASK(need->th_end - 1, need->th_first) << 24;
	return mask;
}

/**
 * nfj_flow_drops - what of a key is no longer there when groups have changed
 * @groups: NFJ_GROUP_*
 *
 * Return: the same, as nfj_need_mask() has it.
 */
static inline u32 nfj_flow_drops(u32 groups)
{
	if (groups & NFJ_GROUP_NH)
		groups |= NFJ_MASK_NH;
	if (groups & NFJ_GROUP_TH)
		groups |= NFJ_MASK_TH;
	return groups;
}

#endif /* _NFJ_FLOW_H */
