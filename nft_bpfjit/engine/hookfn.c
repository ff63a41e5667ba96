// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entry from the hook: what a base chain of type filter has in the place of
 * nft_do_chain_ipv4() and its like.
 *
 *	nf_hook_slow -> nft_do_chain_ipv4 -> nft_do_chain -> ebpf expression
 *	nf_hook_slow -> nfj_do_chain_ipv4
 *
 * Between the hook and the matcher nft_do_chain() spends more instructions (its
 * zeroed stack, one compare for each builtin expression, an indirect call) than
 * the matcher itself needs for a thousand rules.  These functions do the same,
 * in the same order, for a translated chain, and call nft_do_chain() for all
 * else: a chain that is not translated (any more), a traced packet.
 *
 * hook/redirect.c puts them in their place.  Mirrors nft_chain_filter.c and
 * nft_do_chain().
 */
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <net/netfilter/nf_tables.h>
#include <net/netfilter/nf_tables_core.h>
#include <net/netfilter/nf_tables_ipv4.h>
#include <net/netfilter/nf_tables_ipv6.h>
#include "../flow/flow.h"
#include "acts.h"
#include "engine.h"
#include "seen.h"
#include "verdict.h"

/* nft_do_chain(): a verdict of the chain, as its caller sees it */
static __always_inline unsigned int nfj_verdict(const struct nft_pktinfo *pkt,
						u32 verdict)
{
	if ((verdict & NF_VERDICT_MASK) == NF_DROP)
		return nfj_drop(pkt->skb, verdict);
	return verdict;
}

/* nft_update_chain_stats(): iptables-nft's base chains count what comes to their
 * policy
 */
static noinline void nfj_chain_stats(struct nft_stats __percpu *pstats,
				     const struct nft_pktinfo *pkt)
{
	struct nft_stats *stats;

	local_bh_disable();
	stats = this_cpu_ptr(pstats);
	u64_stats_update_begin(&stats->syncp);
	stats->pkts++;
	stats->bytes += pkt->skb->len;
	u64_stats_update_end(&stats->syncp);
	local_bh_enable();
}

/* nft_do_chain(): the policy */
static __always_inline unsigned int
nfj_policy(const struct nft_base_chain *base, const struct nft_pktinfo *pkt)
{
	struct nft_stats __percpu *pstats = READ_ONCE(base->stats);

	if (unlikely(pstats))
		nfj_chain_stats(pstats, pkt);
	if (trace_verdict_enabled())
		nfj_trace_policy(pkt, &base->chain);
	return nfj_verdict(pkt, base->policy);
}

/* An entry decides by itself */
static __always_inline unsigned int nfj_done(const struct nft_pktinfo *pkt,
					     const struct nfj_state *st,
					     const struct nfj_act *act)
{
	nfj_hit_act(st, act);
	if (trace_verdict_enabled())
		nfj_trace_act(pkt, st, act, act->verdict);
	return nfj_verdict(pkt, act->verdict);
}

static __always_inline unsigned int nfj_do_chain(struct nft_pktinfo *pkt,
						 void *priv)
{
	const struct nft_chain *chain = priv;
	struct nfj_key key __aligned(8) __uninitialized;
	struct nft_regs regs __uninitialized;
	u8 gen = READ_ONCE(nft_net(pkt)->nft.gencursor);
	const struct nfj_state *st = nfj_blob_state(nfj_blob_of(chain, gen));
	const struct nfj_act *act;
	enum nfj_found found;
	u32 k, verdict, have = 0;

	if (unlikely(!st || pkt->skb->nf_trace))
		goto interpret;

	k = nfj_match(st, &key, pkt, 0, &have);
	if (k == NFJ_NONE)
		goto policy;
	act = NULL;
	if (unlikely(k == NFJ_BAD))
		goto run;
	act = &st->acts[k];
	/* as most entries that match do: a verdict, and at most a counter, or a
	 * lookup in a set of addresses
	 */
	if (likely(nfj_is_final(act->verdict))) {
		if (!act->expr)
			return nfj_done(pkt, st, act);
		if (act->flags & NFJ_ACT_COUNT) {
			nfj_counter_eval(act->expr, pkt);
			return nfj_done(pkt, st, act);
		}
		if (act->flags & NFJ_ACT_QUICK) {
			const struct nft_set_ext *ext;

			found = nfj_look(act->look, &key, &ext);
			if (found == NFJ_MISS)
				goto policy;
			if (likely(found == NFJ_HIT && !ext))
				return nfj_done(pkt, st, act);
			/* elements that count, or have a limit */
			if (found == NFJ_HIT && act->look->dreg == NFJ_NO_DATA) {
				nfj_look_rest(st, act, &key, &regs, pkt, found,
					      ext);
				if (regs.verdict.code == NFT_CONTINUE)
					return nfj_done(pkt, st, act);
				goto policy;
			}
		}
	}
run:
	verdict = nfj_run(st, act, &key, have, &regs, pkt, gen);
	if (verdict != NFT_RETURN)
		return nfj_verdict(pkt, verdict);
policy:
	return nfj_policy(nft_base_chain(chain), pkt);

interpret:
	/* all from the beginning: nothing has been done yet */
	return nft_do_chain(pkt, priv);
}

/* nft_do_chain_ipv4() */
static unsigned int nfj_do_chain_ipv4(void *priv, struct sk_buff *skb,
				      const struct nf_hook_state *state)
{
	struct nft_pktinfo pkt;

	nft_set_pktinfo(&pkt, skb, state);
	nft_set_pktinfo_ipv4(&pkt);
	return nfj_do_chain(&pkt, priv);
}

/* nft_do_chain_ipv6() */
static unsigned int nfj_do_chain_ipv6(void *priv, struct sk_buff *skb,
				      const struct nf_hook_state *state)
{
	struct nft_pktinfo pkt;

	nft_set_pktinfo(&pkt, skb, state);
	nft_set_pktinfo_ipv6(&pkt);
	return nfj_do_chain(&pkt, priv);
}

/* nft_do_chain_inet() */
static unsigned int nfj_do_chain_inet(void *priv, struct sk_buff *skb,
				      const struct nf_hook_state *state)
{
	struct nft_pktinfo pkt;

	nft_set_pktinfo(&pkt, skb, state);
	switch (state->pf) {
	case NFPROTO_IPV4:
		nft_set_pktinfo_ipv4(&pkt);
		break;
	case NFPROTO_IPV6:
		nft_set_pktinfo_ipv6(&pkt);
		break;
	default:
		break;
	}
	return nfj_do_chain(&pkt, priv);
}

/* nft_do_chain_arp() */
static unsigned int nfj_do_chain_arp(void *priv, struct sk_buff *skb,
				     const struct nf_hook_state *state)
{
	struct nft_pktinfo pkt;

	nft_set_pktinfo(&pkt, skb, state);
	nft_set_pktinfo_unspec(&pkt);
	return nfj_do_chain(&pkt, priv);
}

/* What bridge and netdev know of a frame: its type */
static __always_inline void nfj_pktinfo_eth(struct nft_pktinfo *pkt,
					    __be16 proto)
{
	switch (proto) {
	case htons(ETH_P_IP):
		nft_set_pktinfo_ipv4_validate(pkt);
		break;
	case htons(ETH_P_IPV6):
		nft_set_pktinfo_ipv6_validate(pkt);
		break;
	default:
		nft_set_pktinfo_unspec(pkt);
		break;
	}
}

/* nft_do_chain_bridge() */
static unsigned int nfj_do_chain_bridge(void *priv, struct sk_buff *skb,
					const struct nf_hook_state *state)
{
	struct nft_pktinfo pkt;

	nft_set_pktinfo(&pkt, skb, state);
	nfj_pktinfo_eth(&pkt, eth_hdr(skb)->h_proto);
	if (nfj_moves(skb))
		return nft_do_chain(&pkt, priv);
	return nfj_do_chain(&pkt, priv);
}

/* nft_do_chain_netdev() */
static unsigned int nfj_do_chain_netdev(void *priv, struct sk_buff *skb,
					const struct nf_hook_state *state)
{
	struct nft_pktinfo pkt;

	nft_set_pktinfo(&pkt, skb, state);
	nfj_pktinfo_eth(&pkt, skb->protocol);
	if (nfj_moves(skb))
		return nft_do_chain(&pkt, priv);
	return nfj_do_chain(&pkt, priv);
}

/**
 * nfj_hook_fn - the function for a base chain's hook
 * @base: the chain
 *
 * Return: the function, or NULL where the hook stays with nf_tables: nat (not
 * called from a hook of its own), route (does more than nft_do_chain()), the
 * ingress hook of inet, and all of a kernel that nobody has compared.
 */
nf_hookfn *nfj_hook_fn(const struct nft_base_chain *base)
{
	if (!NFJ_HOOKS_COMPARED || base->type->type != NFT_CHAIN_T_DEFAULT)
		return NULL;
	switch (base->type->family) {
	case NFPROTO_IPV4:
		return nfj_do_chain_ipv4;
	case NFPROTO_IPV6:
		return nfj_do_chain_ipv6;
	case NFPROTO_INET:
		return base->ops.hooknum == NF_INET_INGRESS ?
		       NULL : nfj_do_chain_inet;
	case NFPROTO_ARP:
		return nfj_do_chain_arp;
	case NFPROTO_BRIDGE:
		return nfj_do_chain_bridge;
	case NFPROTO_NETDEV:
		return nfj_do_chain_netdev;
	default:
		return NULL;
	}
}

/**
 * nfj_hook_pktinfo - what nft_do_chain_inet() and so on find out about a packet
 * @pkt: where to
 * @family: NFPROTO_INET, NFPROTO_NETDEV or NFPROTO_BRIDGE
 * @skb: the packet
 * @state: the hook
 */
void nfj_hook_pktinfo(struct nft_pktinfo *pkt, u8 family, struct sk_buff *skb,
		      const struct nf_hook_state *state)
{
	nft_set_pktinfo(pkt, skb, state);
	switch (family) {
	case NFPROTO_NETDEV:
		nfj_pktinfo_eth(pkt, skb->protocol);
		break;
	case NFPROTO_BRIDGE:
		nfj_pktinfo_eth(pkt, eth_hdr(skb)->h_proto);
		break;
	default:
		if (state->pf == NFPROTO_IPV6)
			nft_set_pktinfo_ipv6(pkt);
		else
			nft_set_pktinfo_ipv4(pkt);
		break;
	}
}
