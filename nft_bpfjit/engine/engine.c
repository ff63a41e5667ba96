// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ebpf expression: BPF finds the next rule that matches, this file does
 * what that rule does.
 *
 *	extract the flow key
 *	while the matcher finds a rule >= next
 *		verdict, or run the rule's residue
 *		jump: remember where to go on, take the other chain
 *		no decision: next = rule + 1
 *	end of chain: go back to the caller, or NFT_RETURN to nft_do_chain()
 *
 * Mirrors nft_do_chain().  A chain without a program is run rule by rule in the
 * same loop.  Traced packets are not ours: NFT_BREAK sends them to the original
 * rules behind this expression.
 *
 * Which generation?  nft_do_chain() has read net->nft.gencursor before, and a
 * commit may have moved it since.  The first jump looks which generation has
 * this very blob, and stays with that one: base and targets always come from
 * the same.  When called for a chain that the interpreter jumped to and that
 * jumps on, that can't be known, and the interpreter goes on.
 */
#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <net/netfilter/nf_tables.h>
#include <net/netfilter/nf_tables_core.h>
#include <linux/netfilter/nft_bpfjit.h>
#include "../flow/flow.h"
#include "../nfj.h"

/* Where to go on after a jump: in a translated chain or in a plain one */
struct nfj_frame {
	const struct nfj_state		*st;
	const struct nft_rule_blob	*blob;	/* NULL in a translated chain */
	union {
		u32				next;
		const struct nft_rule_dp	*rule;
	};
};

/* nft_payload_fast_eval() */
static bool nfj_payload_fast(const struct nft_expr *expr, struct nft_regs *regs,
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
static void nfj_expr_eval(const struct nft_expr *expr, struct nft_regs *regs,
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
static void nfj_exprs_eval(const void *expr, const void *end,
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

/* A matcher touches nothing but its key, so that it needs no pinning to a CPU;
 * only the accounting of kernel.bpf_stats_enabled does.
 */
static __always_inline u32 nfj_prog_run(const struct bpf_prog *prog,
					const struct nfj_key *key)
{
	u32 k;

	if (static_branch_unlikely(&bpf_stats_enabled_key)) {
		migrate_disable();
		k = bpf_prog_run(prog, key);
		migrate_enable();
		return k;
	}
	return bpf_dispatcher_nop_func(key, prog->insnsi, prog->bpf_func);
}

static __always_inline u32 nfj_match(const struct nfj_state *st,
				     struct nfj_key *key, u32 next)
{
	const struct nfj_prog *prog = st->prog;
	u32 left, k;

	key->entry = next;
	for (left = st->nprogs; left; left--, prog++) {
		if (next >= prog->last)
			continue;
		k = nfj_prog_run(prog->prog, key);
		if (k != NFJ_NONE)
			return likely(k < st->nacts) ? k : NFJ_NONE;
	}
	return NFJ_NONE;
}

static bool nfj_generation(const struct net *net, const struct nfj_state *st)
{
	bool gen = READ_ONCE(net->nft.gencursor);
	const struct nft_rule_blob *blob;

	blob = gen ? rcu_dereference(st->chain->blob_gen_1) :
		     rcu_dereference(st->chain->blob_gen_0);
	if (blob == st->blob)
		return gen;
	blob = gen ? rcu_dereference(st->chain->blob_gen_0) :
		     rcu_dereference(st->chain->blob_gen_1);
	return blob == st->blob ? !gen : gen;
}

/* The matcher of @st has found rule @k, which has a residue: go on from there */
static noinline void nfj_run(const struct nfj_state *st, u32 k,
			     struct nfj_key *key, struct nft_regs *regs,
			     const struct nft_pktinfo *pkt)
{
	struct nfj_frame stack[NFT_JUMP_STACK_SIZE] __uninitialized;
	const struct nfj_state *base = st, *extracted = st;
	const struct nft_rule_blob *blob = NULL;
	const struct nft_rule_dp *rule = NULL;
	const struct nfj_act *act;
	unsigned int sp = 0;
	const void *data;
	u32 next;
	int gen = -1;

	goto act;
	for (;;) {
		if (st) {
			if (extracted != st) {
				nfj_flow_extract(key, pkt, &st->need);
				extracted = st;
			}
			k = nfj_match(st, key, next);
			if (k == NFJ_NONE)
				goto end_of_chain;
act:
			next = k + 1;
			act = &st->acts[k];
			if (!act->expr) {
				if (act->verdict != NFT_RETURN) {
					regs->verdict.code = act->verdict;
					return;
				}
				goto end_of_chain;
			}
			data = st->blob->data;
			nfj_exprs_eval(data + act->expr, data + act->end, regs,
				       pkt);
			if (act->flags & NFJ_ACT_MUTATES)
				extracted = NULL;
		} else {
			if ((const void *)rule >=
			    (const void *)blob->data + blob->size)
				goto end_of_chain;
			nfj_exprs_eval(rule->data, rule->data + rule->dlen,
				       regs, pkt);
			rule = nft_rule_next(rule);
			extracted = NULL;
		}

		switch (regs->verdict.code) {
		case NFT_BREAK:
			regs->verdict.code = NFT_CONTINUE;
			continue;
		case NFT_CONTINUE:
			continue;
		case NFT_RETURN:
			goto end_of_chain;
		case NFT_JUMP:
			if (WARN_ON_ONCE(sp >= NFT_JUMP_STACK_SIZE)) {
				regs->verdict.code = NF_DROP;
				return;
			}
			stack[sp].st = st;
			stack[sp].blob = blob;
			if (st)
				stack[sp].next = next;
			else
				stack[sp].rule = rule;
			sp++;
			fallthrough;
		case NFT_GOTO:
			if (gen < 0)
				gen = nfj_generation(nft_net(pkt), base);
			blob = gen ?
			       rcu_dereference(regs->verdict.chain->blob_gen_1) :
			       rcu_dereference(regs->verdict.chain->blob_gen_0);
			st = nfj_blob_state(blob);
			next = 0;
			rule = (const void *)blob->data;
			regs->verdict.code = NFT_CONTINUE;
			continue;
		default:
			/* accept, drop, queue, stolen */
			return;
		}

end_of_chain:
		if (!sp) {
			regs->verdict.code = NFT_RETURN;
			return;
		}
		sp--;
		st = stack[sp].st;
		blob = stack[sp].blob;
		if (st)
			next = stack[sp].next;
		else
			rule = stack[sp].rule;
		regs->verdict.code = NFT_CONTINUE;
	}
}

/* Most packets end here, with a verdict or at the end of the chain */
static void nfj_ebpf_eval(const struct nft_expr *expr, struct nft_regs *regs,
			  const struct nft_pktinfo *pkt)
{
	const struct nfj_ebpf *priv = nft_expr_priv(expr);
	const struct nfj_state *st = priv->state;
	struct nfj_key key __aligned(8) __uninitialized;
	const struct nfj_act *act;
	u32 k;

	if (unlikely(pkt->skb->nf_trace || !st->enter)) {
		regs->verdict.code = NFT_BREAK;
		return;
	}
	nfj_flow_extract(&key, pkt, &st->need);
	k = nfj_match(st, &key, 0);
	if (k == NFJ_NONE) {
		regs->verdict.code = NFT_RETURN;
		return;
	}
	act = &st->acts[k];
	if (!act->expr)
		regs->verdict.code = act->verdict;
	else
		nfj_run(st, k, &key, regs, pkt);
}

static struct nft_expr_type nfj_ebpf_type = {
	.name	= NFT_BPFJIT_EXPR,
	.owner	= THIS_MODULE,
};

/* Never registered: no rule can name it, only our blobs point to it */
const struct nft_expr_ops nfj_ebpf_ops = {
	.type	= &nfj_ebpf_type,
	.size	= NFT_EXPR_SIZE(sizeof(struct nfj_ebpf)),
	.eval	= nfj_ebpf_eval,
};
