// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters without a call.
 *
 * What a counter consists of is private to nft_counter.c (compat.h has it once
 * more), so before any is touched the kernel's own function is asked to count a
 * packet on one of ours: where anything else comes of it than what nfj_counter_eval()
 * would have done, counters are evaluated like any other expression.
 *
 * nft_counter_do_eval() keeps softirqs off around its two additions.  Each is one
 * atomic instruction on this CPU, for us as for nft_counter_reset(), so that
 * whoever comes in between changes no sum; and as there is no sequence count, readers
 * may see one of the two without the other, of the kernel's own function as well.
 */
#include <linux/percpu.h>
#include <linux/skbuff.h>
#include <net/netfilter/nf_tables.h>
#include "../hook/hook.h"
#include "../hook/private.h"
#include "state.h"

#define NFJ_COUNTER_BYTES	43

/* nft_counter_ops where nfj_counter_eval() does, else NULL: no expression's */
const struct nft_expr_ops *nfj_counter_ops __ro_after_init;

/* Does it count a packet as nfj_counter_eval() would? */
static bool nfj_counter_proven(const struct nft_expr_ops *ops,
			       struct nfj_counter __percpu *counter,
			       struct sk_buff *skb)
{
	struct {
		struct nft_expr			expr;
		struct nfj_counter_priv		priv;
	} fake __aligned(__alignof__(struct nft_expr)) = {};
	struct nft_pktinfo pkt = { .skb = skb };
	u64 packets = 0, bytes = 0;
	struct nft_regs regs;
	int cpu;

	if (ops->size != NFT_EXPR_SIZE(sizeof(struct nfj_counter_priv)) ||
	    nft_expr_priv(&fake.expr) != (void *)&fake.priv)
		return false;
	skb_put(skb, NFJ_COUNTER_BYTES);
	fake.expr.ops = ops;
	fake.priv.counter = counter;
	regs.verdict.code = NFT_CONTINUE;
	ops->eval(&fake.expr, &regs, &pkt);
	for_each_possible_cpu(cpu) {
		packets += per_cpu_ptr(counter, cpu)->packets;
		bytes += per_cpu_ptr(counter, cpu)->bytes;
	}
	return packets == 1 && bytes == NFJ_COUNTER_BYTES &&
	       regs.verdict.code == NFT_CONTINUE;
}

/**
 * nfj_counter_init - find out whether counters can be counted inline
 *
 * Process context, before there is any translated chain.  Does not fail: without
 * memory they can't.
 */
void __init nfj_counter_init(void)
{
	struct nfj_counter __percpu *counter;
	struct sk_buff *skb;

	/* Else there is a sequence count around them: a reader never sees a packet's
	 * bytes without the packet, which is more than two additions can do.
	 */
	if (!IS_ENABLED(CONFIG_64BIT) || !nfj_sym.counter ||
	    nfj_symbol("nft_counter_seq"))
		return;
	counter = alloc_percpu(struct nfj_counter);
	skb = alloc_skb(NFJ_COUNTER_BYTES, GFP_KERNEL);
	if (counter && skb && nfj_counter_proven(nfj_sym.counter, counter, skb))
		nfj_counter_ops = nfj_sym.counter;
	kfree_skb(skb);
	free_percpu(counter);
}
