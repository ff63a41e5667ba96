// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine: BPF finds the next entry that matches, this file does what that
 * entry does.
 *
 *	extract the flow key, ask the matcher	hookfn.c, or the expression
 *	do the entry's residue, then its verdict
 *	  jump: remember where to go on, take the other chain
 *	  no decision: drop from the key what the residue may have changed
 *	ask the matcher for the next entry, and so on
 *	end of chain: go back to the caller, or NFT_RETURN
 *
 * Mirrors nft_do_chain().  A chain without a program is run rule by rule in the
 * same loop.
 *
 * Packets come here from the hook itself (hookfn.c), or from nft_do_chain(),
 * through the ebpf expression in front of a translated chain's rules: there
 * traced packets are not ours, NFT_BREAK sends them to the original rules behind
 * the expression.
 *
 * Which generation?  nft_do_chain() has read net->nft.gencursor before it came
 * to the expression, and a commit may have moved it since.  The first jump looks
 * which generation has this very blob, and stays with that one: base and targets
 * always come from the same.  When called for a chain that the interpreter
 * jumped to and that jumps on, that can't be known, and the interpreter goes on.
 */
#include <linux/filter.h>
#include <linux/moduleparam.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <net/netfilter/nf_tables.h>
#include <net/netfilter/nf_tables_core.h>
#include <linux/netfilter/nft_bpfjit.h>
#include "../flow/flow.h"
#include "acts.h"
#include "engine.h"
#include "seen.h"
#include "verdict.h"

/* Where to go on after a jump: in a translated chain or in a plain one */
struct nfj_frame {
	const struct nfj_state		*st;
	const struct nft_rule_blob	*blob;	/* NULL in a translated chain */
	union {
		u32				next;
		const struct nft_rule_dp	*rule;
	};
};

/* Does a generation have this state's blob, or one that came in its place? */
static bool nfj_is_of(const struct nfj_state *st, bool gen)
{
	const struct nft_rule_blob *blob = nfj_blob_of(st->chain, gen);
	const struct nfj_state *now;

	if (blob == st->blob)
		return true;
	now = nfj_blob_state(blob);
	return now && now->was == st->blob;
}

static bool nfj_generation(const struct net *net, const struct nfj_state *st)
{
	bool gen = READ_ONCE(net->nft.gencursor);

	if (nfj_is_of(st, gen))
		return gen;
	return nfj_is_of(st, !gen) ? !gen : gen;
}

static unsigned long nfj_bad_matches;
module_param_named(bad_matches, nfj_bad_matches, ulong, 0444);
MODULE_PARM_DESC(bad_matches, "results of programs that were out of range, and left to the interpreter");

/**
 * nfj_bad_match - count a result out of range
 *
 * That there is one is a bug; that there was more than one is all that the
 * number is good for, so it is not exact.
 *
 * Return: NFJ_BAD.
 */
noinline u32 nfj_bad_match(void)
{
	WRITE_ONCE(nfj_bad_matches, READ_ONCE(nfj_bad_matches) + 1);
	pr_warn_once("nft_bpfjit: a program returned an entry that there is not\n");
	return NFJ_BAD;
}

/**
 * nfj_match_rest - the rest of nfj_match(): what the first program does not find
 * @st: the chain
 * @key: flow key
 * @pkt: the packet
 * @next: first entry to consider
 * @have: what is in the key, see nfj_need_mask(); what a program reads besides is
 *	  added
 *
 * Return: likewise.
 */
noinline u32 nfj_match_rest(const struct nfj_state *st, struct nfj_key *key,
			    const struct nft_pktinfo *pkt, u32 next, u32 *have)
{
	u32 i, k = NFJ_NONE;

	for (i = 1; i < st->matcher->nprogs && k == NFJ_NONE; i++)
		if (next < st->prog[i].last)
			k = nfj_match_prog(st, &st->prog[i], key, pkt, next,
					   have);
	return k;
}

/**
 * nfj_match_long - nfj_match() where its short way does not do
 * @st: the chain: one that was edited, or whose first entry matches always
 * @key: flow key
 * @pkt: the packet
 * @next: first entry to consider
 * @have: what is in the key, see nfj_need_mask(); what a program reads besides is
 *	  added
 *
 * Return: likewise.
 */
noinline u32 nfj_match_long(const struct nfj_state *st, struct nfj_key *key,
			    const struct nft_pktinfo *pkt, u32 next, u32 *have)
{
	u32 k = NFJ_NONE;

	if (!next && st->acts->flags & NFJ_ACT_ALWAYS)
		return 0;
	if (st->edits)
		return nfj_match_edited(st, key, pkt, next, have);
	key->start = next;
	if (next < st->prog->last)
		k = nfj_match_prog(st, st->prog, key, pkt, next, have);
	return k == NFJ_NONE ? nfj_match_rest(st, key, pkt, next, have) : k;
}

/* The rule that entry @next belongs to */
static const struct nft_rule_dp *nfj_rule_of(const struct nfj_state *st,
					     u32 next)
{
	const struct nft_rule_dp *rule = (const void *)st->blob->data;
	u32 n = st->acts[next].rule + 1;	/* the first is ours */

	while (n--)
		rule = nft_rule_next(rule);
	return rule;
}

/**
 * nfj_run - do what an entry does, and go on from there
 * @st: the chain
 * @act: the entry, which has matched and has not been done yet; NULL when that
 *	 can't be told, and all rules are for the interpreter
 * @key: flow key
 * @have: what is in the key, see nfj_need_mask()
 * @regs: registers
 * @pkt: the packet
 * @gen: generation, or NFJ_GEN_UNKNOWN
 *
 * This is nft_do_chain()'s loop.  One turn of it is an entry, or the rest of a chain
 * in the interpreter.
 *
 * Context: packet path, under RCU.
 *
 * Return: the verdict of the packet, NFT_RETURN at the end of @st.
 */
u32 nfj_run(const struct nfj_state *st, const struct nfj_act *act,
	    struct nfj_key *key, u32 have, struct nft_regs *regs,
	    const struct nft_pktinfo *pkt, int gen)
{
	struct nfj_frame stack[NFT_JUMP_STACK_SIZE] __uninitialized;
	const struct nft_rule_blob *blob = NULL;
	const struct nft_rule_dp *rule = NULL;
	const struct nfj_state *base = st;
	unsigned int sp = 0;
	u32 k, next = 0;

	if (unlikely(!act))
		goto interpret;
	for (;;) {
		if (st) {
			if (!nfj_act_eval(st, act, key, regs, pkt)) {
				next = act->next;
				goto follow;
			}
			if (regs->verdict.code != NFT_BREAK)
				nfj_hit_act(st, act);
			if (nfj_is_final(regs->verdict.code))
				goto decided;
			have &= ~act->drops;
			next = act->next;
		} else {
			regs->verdict.code = NFT_CONTINUE;
			nfj_exprs_eval(rule->data, rule->data + rule->dlen,
				       regs, pkt);
			if (static_branch_unlikely(&nfj_hits_key) &&
			    regs->verdict.code != NFT_BREAK)
				nfj_hit_rule(blob, rule);
			/* what nf_tables has for itself is negative */
			if ((s32)regs->verdict.code >= 0)
				goto decided;
			rule = nft_rule_next(rule);
			have = 0;
		}

		switch (regs->verdict.code) {
		case NFT_CONTINUE:
		case NFT_BREAK:
			break;
		case NFT_RETURN:
			goto end_of_chain;
		case NFT_JUMP:
		case NFT_GOTO:
			if (gen == NFJ_GEN_UNKNOWN)
				gen = nfj_generation(nft_net(pkt), base);
			if (regs->verdict.code == (u32)NFT_JUMP) {
				if (WARN_ON_ONCE(sp >= NFT_JUMP_STACK_SIZE))
					return NF_DROP;
				/* nothing to come back from */
				if (!nfj_blob_of(regs->verdict.chain, gen)->size)
					break;
				stack[sp].st = st;
				stack[sp].blob = blob;
				if (st)
					stack[sp].next = next;
				else
					stack[sp].rule = rule;
				sp++;
			}
			blob = nfj_blob_of(regs->verdict.chain, gen);
			st = nfj_blob_state(blob);
			if (st)
				next = 0;
			else
				rule = (const void *)blob->data;
			goto match;
		default:
			/* queue, stolen */
			goto decided;
		}

follow:
		/* The next entry matches as well, unless what it fills in is not
		 * there: it was read for a program that another change made useless,
		 * or never.
		 */
		if (st && act->flags & NFJ_ACT_NEXT) {
			act = &st->acts[next];
			if (!act->nfills || !(st->needs & ~have))
				continue;
		}
match:
		if (!st) {
			if ((const void *)rule <
			    (const void *)blob->data + blob->size)
				continue;
			goto end_of_chain;
		}
		if (next >= st->nacts)
			goto end_of_chain;
		act = &st->acts[next];
		if (act->flags & NFJ_ACT_ALWAYS)
			continue;
		k = nfj_match(st, key, pkt, next, &have);
		if (k < NFJ_BAD) {
			act = &st->acts[k];
			continue;
		}
		if (unlikely(k == NFJ_BAD)) {
			/* in the midst of chains that were put together the
			 * interpreter can't be told where to go on
			 */
			if (st->places && next)
				return NF_DROP;
interpret:
			blob = st->blob;
			rule = nfj_rule_of(st, next);
			st = NULL;
			goto match;
		}

end_of_chain:
		if (!sp)
			return NFT_RETURN;
		sp--;
		st = stack[sp].st;
		blob = stack[sp].blob;
		if (st)
			next = stack[sp].next;
		else
			rule = stack[sp].rule;
		goto match;
	}

decided:
	if (trace_verdict_enabled()) {
		if (st)
			nfj_trace_act(pkt, st, act, regs->verdict.code);
		else
			nfj_trace_rule(pkt, base->chain->table, blob, rule,
				       regs->verdict.code);
	}
	return regs->verdict.code;
}

/* Mirrors an expression's eval: called by nft_do_chain() */
static void nfj_ebpf_eval(const struct nft_expr *expr, struct nft_regs *regs,
			  const struct nft_pktinfo *pkt)
{
	const struct nfj_ebpf *priv = nft_expr_priv(expr);
	const struct nfj_state *st = priv->state;
	struct nfj_key key __aligned(8) __uninitialized;
	u32 k, have = 0;

	if (unlikely(pkt->skb->nf_trace || !st->enter || nfj_moves(pkt->skb))) {
		regs->verdict.code = NFT_BREAK;
		return;
	}
	k = nfj_match(st, &key, pkt, 0, &have);
	if (k == NFJ_NONE)
		regs->verdict.code = NFT_RETURN;
	else
		regs->verdict.code = nfj_run(st, k == NFJ_BAD ? NULL :
							&st->acts[k],
					     &key, have, regs, pkt,
					     NFJ_GEN_UNKNOWN);
	/* in a base chain nft_do_chain() goes on to the policy */
	if (trace_verdict_enabled() && regs->verdict.code == NFT_RETURN)
		nfj_trace_policy(pkt, st->chain);
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
