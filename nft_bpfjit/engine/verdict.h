/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tracepoint nft_bpfjit:verdict: what a translated chain decided, and by which
 * rule.  What a packet is made of is read only when somebody listens; what is
 * recorded are the names, not the packet.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM nft_bpfjit
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH ../engine
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE verdict

#if !defined(_NFJ_VERDICT_H) || defined(TRACE_HEADER_MULTI_READ)
#define _NFJ_VERDICT_H

#include <linux/netfilter.h>
#include <linux/tracepoint.h>
#include <net/netfilter/nf_tables.h>
#include "seen.h"

/**
 * verdict - a translated chain has decided about a packet
 * @pkt: the packet
 * @chain: the chain that the deciding rule is in, a base chain for its policy
 * @name: its name, read once: it may be renamed meanwhile
 * @handle: the rule's handle, 0 for the policy
 * @code: the verdict, NF_*
 *
 * skb is an address to tell packets apart: with NF_STOLEN there may be no packet
 * there any more.
 */
TRACE_EVENT(verdict,

	TP_PROTO(const struct nft_pktinfo *pkt, const struct nft_chain *chain,
		 const char *name, u64 handle, u32 code),

	TP_ARGS(pkt, chain, name, handle, code),

	TP_STRUCT__entry(
		__field(const void *, skb)
		__field(u64, handle)
		__field(u32, netns)
		__field(u32, len)
		__field(int, ifindex)
		__field(u8, family)
		__field(u8, hook)
		__field(u8, verdict)
		__field(u8, proto)
		__array(char, dev, IFNAMSIZ)
		__array(u8, src, sizeof(struct sockaddr_in6))
		__array(u8, dst, sizeof(struct sockaddr_in6))
		__string(table, chain->table->name)
		__string(chain, name)
	),

	TP_fast_assign(
		struct nfj_seen seen;

		nfj_seen(&seen, pkt, code);
		__entry->skb = pkt->skb;
		__entry->handle = handle;
		__entry->netns = nft_net(pkt)->ns.inum;
		__entry->len = seen.len;
		__entry->ifindex = seen.dev ? seen.dev->ifindex : 0;
		__entry->family = chain->table->family;
		__entry->hook = nft_hook(pkt);
		__entry->verdict = code & NF_VERDICT_MASK;
		__entry->proto = seen.proto;
		memset(__entry->dev, 0, IFNAMSIZ);
		if (seen.dev)
			memcpy(__entry->dev, seen.dev->name, IFNAMSIZ);
		memcpy(__entry->src, &seen.src, sizeof(seen.src));
		memcpy(__entry->dst, &seen.dst, sizeof(seen.dst));
		nfj_assign_str(table, chain->table->name);
		nfj_assign_str(chain, name);
	),

	TP_printk("netns=%u dev=%s hook=%u table=%s/%s chain=%s handle=%llu verdict=%s skb=%p len=%u proto=%u src=%pISpc dst=%pISpc",
		  __entry->netns, __entry->dev, __entry->hook,
		  __print_symbolic(__entry->family,
				   { NFPROTO_INET, "inet" },
				   { NFPROTO_IPV4, "ip" },
				   { NFPROTO_IPV6, "ip6" },
				   { NFPROTO_ARP, "arp" },
				   { NFPROTO_BRIDGE, "bridge" },
				   { NFPROTO_NETDEV, "netdev" }),
		  __get_str(table), __get_str(chain), __entry->handle,
		  __print_symbolic(__entry->verdict,
				   { NF_DROP, "drop" },
				   { NF_ACCEPT, "accept" },
				   { NF_STOLEN, "stolen" },
				   { NF_QUEUE, "queue" }),
		  __entry->skb, __entry->len, __entry->proto,
		  __entry->src, __entry->dst)
);

#endif /* _NFJ_VERDICT_H */

/* must be outside of the guard */
#include <trace/define_trace.h>
