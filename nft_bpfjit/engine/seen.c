// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tracepoint shows of a packet, and the parts of tracing and counting that
 * are not in the packet path of those who do neither.
 */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <net/netfilter/nf_tables.h>
#include "engine.h"
#include "seen.h"

#define CREATE_TRACE_POINTS
#include "verdict.h"

DEFINE_STATIC_KEY_FALSE(nfj_hits_key);

/* Is this packet IP, whatever the family of the table is? */
static __be16 nfj_seen_ethertype(const struct nft_pktinfo *pkt)
{
	switch (nft_pf(pkt)) {
	case NFPROTO_IPV4:
		return htons(ETH_P_IP);
	case NFPROTO_IPV6:
		return htons(ETH_P_IPV6);
	case NFPROTO_BRIDGE:
	case NFPROTO_NETDEV:
		return pkt->skb->protocol;
	default:
		return 0;
	}
}

static bool nfj_has_ports(u8 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		return true;
	default:
		return false;
	}
}

/* The first two words of a transport header, where @pkt knows where that is */
static void nfj_seen_ports(struct nfj_seen *seen, const struct nft_pktinfo *pkt)
{
	const __be16 *ports;
	__be16 buf[2];

	seen->proto = pkt->tprot;
	if (!nfj_has_ports(seen->proto) || pkt->fragoff)
		return;
	ports = skb_header_pointer(pkt->skb, nft_thoff(pkt), sizeof(buf), buf);
	if (!ports)
		return;
	/* the same offset as in struct sockaddr_in */
	seen->src.sin6_port = ports[0];
	seen->dst.sin6_port = ports[1];
}

static void nfj_seen_ipv4(struct nfj_seen *seen, const struct sk_buff *skb)
{
	struct sockaddr_in *src = (void *)&seen->src, *dst = (void *)&seen->dst;
	const struct iphdr *iph;
	struct iphdr buf;

	iph = skb_header_pointer(skb, skb_network_offset(skb), sizeof(buf),
				 &buf);
	if (!iph)
		return;
	src->sin_family = AF_INET;
	src->sin_addr.s_addr = iph->saddr;
	dst->sin_family = AF_INET;
	dst->sin_addr.s_addr = iph->daddr;
}

static void nfj_seen_ipv6(struct nfj_seen *seen, const struct sk_buff *skb)
{
	const struct ipv6hdr *ip6h;
	struct ipv6hdr buf;

	ip6h = skb_header_pointer(skb, skb_network_offset(skb), sizeof(buf),
				  &buf);
	if (!ip6h)
		return;
	seen->src.sin6_family = AF_INET6;
	seen->src.sin6_addr = ip6h->saddr;
	seen->dst.sin6_family = AF_INET6;
	seen->dst.sin6_addr = ip6h->daddr;
}

/**
 * nfj_seen - read what the tracepoint shows of a packet
 * @seen: where to
 * @pkt: the packet
 * @code: verdict; with NF_STOLEN the packet may be gone
 */
void nfj_seen(struct nfj_seen *seen, const struct nft_pktinfo *pkt, u32 code)
{
	const struct sk_buff *skb = pkt->skb;

	BUILD_BUG_ON(offsetof(struct sockaddr_in, sin_port) !=
		     offsetof(struct sockaddr_in6, sin6_port));
	memset(seen, 0, sizeof(*seen));
	seen->dev = nft_in(pkt) ?: nft_out(pkt);
	if ((code & NF_VERDICT_MASK) == NF_STOLEN)
		return;
	seen->len = skb->len - skb_network_offset(skb);
	switch (nfj_seen_ethertype(pkt)) {
	case htons(ETH_P_IP):
		nfj_seen_ipv4(seen, skb);
		break;
	case htons(ETH_P_IPV6):
		nfj_seen_ipv6(seen, skb);
		break;
	default:
		return;
	}
	if (pkt->flags & NFT_PKTINFO_L4PROTO)
		nfj_seen_ports(seen, pkt);
}

static void nfj_trace(const struct nft_pktinfo *pkt,
		      const struct nft_chain *chain, u64 handle, u32 code)
{
	trace_verdict(pkt, chain, READ_ONCE(chain->name), handle, code);
}

/**
 * nfj_trace_act - trace a verdict of an entry
 * @pkt: the packet
 * @st: the chain
 * @act: the entry
 * @code: the verdict
 */
noinline void nfj_trace_act(const struct nft_pktinfo *pkt,
			    const struct nfj_state *st,
			    const struct nfj_act *act, u32 code)
{
	const u32 k = act - st->acts;

	nfj_trace(pkt, st->places ? st->places[k].chain : st->chain, st->handles[k],
		  code);
}

/* The chain of a blob.  What packets walk does not say. */
static const struct nft_chain *nfj_chain_of(const struct nft_table *table,
					    const struct nft_rule_blob *blob)
{
	const struct nft_chain *chain;

	list_for_each_entry_rcu(chain, &table->chains, list)
		if (rcu_access_pointer(chain->blob_gen_0) == blob ||
		    rcu_access_pointer(chain->blob_gen_1) == blob)
			return chain;
	return NULL;
}

/**
 * nfj_trace_rule - trace a verdict of a rule that was interpreted on the way
 * @pkt: the packet
 * @table: the table
 * @blob: the blob that has the rule
 * @rule: the rule
 * @code: the verdict
 *
 * No trace when a commit has taken the blob away meanwhile.
 */
noinline void nfj_trace_rule(const struct nft_pktinfo *pkt,
			     const struct nft_table *table,
			     const struct nft_rule_blob *blob,
			     const struct nft_rule_dp *rule, u32 code)
{
	const struct nft_chain *chain = nfj_chain_of(table, blob);

	if (chain)
		nfj_trace(pkt, chain, rule->handle, code);
}

/**
 * nfj_trace_policy - trace that a base chain came to its end
 * @pkt: the packet
 * @chain: the chain
 */
noinline void nfj_trace_policy(const struct nft_pktinfo *pkt,
			       const struct nft_chain *chain)
{
	if (nft_is_base_chain(chain))
		nfj_trace(pkt, chain, 0, nft_base_chain(chain)->policy);
}

/**
 * nfj_hit_rule - count a rule that was interpreted on the way
 * @blob: the blob that has the rule
 * @rule: the rule, which has not said NFT_BREAK
 *
 * Of a translated chain whose matcher could not tell; others do not count.
 */
noinline void nfj_hit_rule(const struct nft_rule_blob *blob,
			   const struct nft_rule_dp *rule)
{
	const struct nfj_state *st = nfj_blob_state(blob);
	const struct nfj_hits *hits = st ? READ_ONCE(st->hits) : NULL;
	u32 i;

	for (i = 0; hits && i < hits->n; i++) {
		if (hits->hit[i]->handle != rule->handle)
			continue;
		this_cpu_inc(*hits->hit[i]->n);
		return;
	}
}
