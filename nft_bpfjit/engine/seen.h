/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What people may see of packets: the tracepoint nft_bpfjit:verdict, and hits of
 * rules.  Both are behind static keys: as long as nobody asks, each is a nop in the
 * packet path.
 */
#ifndef _NFJ_SEEN_H
#define _NFJ_SEEN_H

#include <linux/in6.h>
#include <linux/jump_label.h>
#include <linux/percpu.h>
#include <linux/refcount.h>
#include <net/netfilter/nf_tables.h>
#include "state.h"

/**
 * struct nfj_hit - how often a rule was run
 * @n: packets, of each CPU
 * @base: what @n was in all when it was last set to zero
 * @handle: the rule's
 * @ref: tables that it is in
 *
 * It goes with the rule from one state to the next.
 */
struct nfj_hit {
	u64 __percpu	*n;
	u64		base;
	u64		handle;
	refcount_t	ref;
};

/**
 * struct nfj_hits - those of a chain, by the number of the rule
 * @list: on the way out, when the netns stops counting
 * @ref: the state that it was made for, and what is known of the chain
 * @n: rules
 * @hit: of each
 */
struct nfj_hits {
	struct list_head	list;
	refcount_t		ref;
	u32			n;
	struct nfj_hit		*hit[];
};

/* some netns counts */
DECLARE_STATIC_KEY_FALSE(nfj_hits_key);

/**
 * struct nfj_seen - a packet, as the tracepoint shows it
 * @dev: device that it came in by, or else that it goes out by
 * @len: length from the network header on
 * @proto: transport protocol, 0 if that is not known
 * @src: address and, of protocols that have them, port; AF_UNSPEC if it is not IP
 * @dst: likewise
 */
struct nfj_seen {
	const struct net_device	*dev;
	u32			len;
	u8			proto;
	struct sockaddr_in6	src;
	struct sockaddr_in6	dst;
};

void nfj_seen(struct nfj_seen *seen, const struct nft_pktinfo *pkt, u32 code);

void nfj_trace_act(const struct nft_pktinfo *pkt, const struct nfj_state *st,
		   const struct nfj_act *act, u32 code);
void nfj_trace_rule(const struct nft_pktinfo *pkt, const struct nft_table *table,
		    const struct nft_rule_blob *blob,
		    const struct nft_rule_dp *rule, u32 code);
void nfj_trace_policy(const struct nft_pktinfo *pkt,
		      const struct nft_chain *chain);
void nfj_hit_rule(const struct nft_rule_blob *blob,
		  const struct nft_rule_dp *rule);

/**
 * nfj_hit_act - count that an entry was run, if that is wanted
 * @st: the chain
 * @act: the entry, whose residue has not said NFT_BREAK
 */
static __always_inline void nfj_hit_act(const struct nfj_state *st,
					const struct nfj_act *act)
{
	if (static_branch_unlikely(&nfj_hits_key)) {
		const struct nfj_hits *hits = READ_ONCE(st->hits);

		if (hits)
			this_cpu_inc(*hits->hit[act->rule]->n);
	}
}

#endif /* _NFJ_SEEN_H */
