// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flow key of a packet.
 *
 * Each field must equal what nft's own eval function would have put into the
 * register; the function that a piece of code mirrors is named above it.
 * Only what the chain's programs read is extracted.
 */
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/netfilter/nf_tables.h>
#include "flow.h"

DEFINE_STATIC_KEY_FALSE(nfj_frag_slow);
DEFINE_STATIC_KEY_FALSE(nfj_meta_moves);

/**
 * nfj_flow_loopback - what a packet of the loopback device passes for
 * @key: the key, gets its packet type
 * @pkt: the packet
 *
 * Mirrors nft_meta_get_eval_pkttype_lo().
 *
 * Context: packet path, under RCU.
 *
 * Return: false where nft breaks off.
 */
bool nfj_flow_loopback(struct nfj_key *key, const struct nft_pktinfo *pkt)
{
	const struct sk_buff *skb = pkt->skb;
	const struct iphdr *iph;
	struct iphdr _iph;

	key->pkttype = PACKET_MULTICAST;
	switch (nft_pf(pkt)) {
	case NFPROTO_IPV4:
		if (!ipv4_is_multicast(ip_hdr(skb)->daddr))
			key->pkttype = PACKET_BROADCAST;
		return true;
	case NFPROTO_IPV6:
		return true;
	case NFPROTO_NETDEV:
		if (skb->protocol == htons(ETH_P_IPV6))
			return true;
		if (skb->protocol != htons(ETH_P_IP))
			return false;
		iph = skb_header_pointer(skb, skb_network_offset(skb),
					 sizeof(_iph), &_iph);
		if (!iph)
			return false;
		if (!ipv4_is_multicast(iph->daddr))
			key->pkttype = PACKET_BROADCAST;
		return true;
	default:
		return false;
	}
}

/* nft_meta_store_ifindex(), nft_meta_store_iftype() */
static void nfj_flow_if(struct nfj_key *key, const struct nft_pktinfo *pkt)
{
	const struct net_device *in = nft_in(pkt), *out = nft_out(pkt);
	const struct net_device *dev = pkt->skb->dev;

	nfj_key_fills(NFJ_GROUP_IF, iif);
	nfj_key_fills(NFJ_GROUP_IF, oif);
	nfj_key_fills(NFJ_GROUP_IF, iftype);
	nfj_key_fills(NFJ_GROUP_IF, oiftype);

	key->iif = in ? in->ifindex : 0;
	key->oif = out ? out->ifindex : 0;
	if (dev) {
		key->iftype = dev->type;
		key->valid |= NFJ_VALID_IFTYPE;
	}
	if (out) {
		key->oiftype = out->type;
		key->valid |= NFJ_VALID_OIFTYPE;
	}
}

/* nft_payload_eval(), NFT_PAYLOAD_LL_HEADER */
static void nfj_flow_ll(struct nfj_key *key, const struct nft_pktinfo *pkt)
{
	const struct sk_buff *skb = pkt->skb;
	int off, have;

	nfj_key_fills(NFJ_GROUP_LL, ll);
	nfj_key_fills(NFJ_GROUP_LL, ll_len);

	key->ll_len = 0;
	if (!skb_mac_header_was_set(skb) || skb_mac_header_len(skb) == 0)
		return;
	off = skb_mac_header(skb) - skb->data;
	have = min_t(int, (int)skb->len - off, NFJ_LL_WINDOW);
	if (have <= 0)
		return;
	if (!skb_vlan_tag_present(skb)) {
		if (!skb_copy_bits(skb, off, key->ll, have))
			key->ll_len = have;
		return;
	}
	/* nft_payload_copy_vlan(): the tag stands where it was on the wire.
	 * Loads that end before it need no tag, and only as many bytes.
	 */
	if (have < ETH_HLEN) {
		have = min(have, 2 * ETH_ALEN);
		if (!skb_copy_bits(skb, off, key->ll, have))
			key->ll_len = have;
		return;
	}
	have = min(have, NFJ_LL_WINDOW - VLAN_HLEN);
	if (skb_copy_bits(skb, off, key->ll, 2 * ETH_ALEN) ||
	    skb_copy_bits(skb, off + ETH_HLEN, key->ll + VLAN_ETH_HLEN,
			  have - ETH_HLEN))
		return;
	{
		struct vlan_ethhdr *veth = (void *)key->ll;

		veth->h_vlan_proto = skb->vlan_proto;
		veth->h_vlan_TCI = htons(skb_vlan_tag_get(skb));
		veth->h_vlan_encapsulated_proto = skb->protocol;
	}
	key->ll_len = have + VLAN_HLEN;
}

/**
 * nfj_flow_bytes - copy a piece of a header that isn't wholly linear
 * @to: where to
 * @skb: the packet
 * @off: first byte, from skb->data
 * @len: bytes; what the packet does not have is left out
 */
void nfj_flow_bytes(u8 *to, const struct sk_buff *skb, int off, int len)
{
	int have = min((int)skb->len - off, len);

	if (have > 0)
		skb_copy_bits(skb, off, to, have);
}

/**
 * nfj_flow_rare - fill in the groups that nfj_flow_extract() does not
 * @key: the key
 * @pkt: the packet
 * @groups: NFJ_GROUP_*
 *
 * Context: packet path, under RCU.
 */
void nfj_flow_rare(struct nfj_key *key, const struct nft_pktinfo *pkt,
		   u32 groups)
{
	if (groups & NFJ_GROUP_IF)
		nfj_flow_if(key, pkt);
	if (groups & NFJ_GROUP_LL)
		nfj_flow_ll(key, pkt);
}
