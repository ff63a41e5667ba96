// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blobs: what nft_do_chain() walks.
 *
 *	[ebpf rule][original rule 1][original rule 2]...[end mark]
 *
 * Mirrors nf_tables_commit_chain_prepare(), with one rule in front when the
 * chain is translated.  When the ebpf expression does not decide it breaks off
 * its rule, and the interpreter goes on with the original rules.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "commit.h"

#define NFJ_EBPF_RULE	(sizeof(struct nft_rule_dp) + NFJ_EBPF_SIZE)

/* What a jump leads to only its expression knows, which does nothing but load
 * it into the verdict register.
 */
static void nfj_act_target(struct nfj_act *act, const struct nft_expr *expr)
{
	struct nft_regs regs;

	regs.verdict.code = NFT_CONTINUE;
	expr->ops->eval(expr, &regs, NULL);
	act->chain = regs.verdict.chain;
}

/* The entries of a rule from @act on: numbers of expressions become pointers */
static void nfj_acts_place(struct nfj_act *act, const struct nfj_act *last,
			   struct nft_rule_dp *dp)
{
	u32 nr = act->rule, n, cut, end;

	for (; act != last && act->rule == nr; act++) {
		struct nft_expr *expr = (void *)dp->data;

		cut = act->cut;
		end = act->stop;
		act->expr = NULL;
		for (n = 0; (void *)expr < (void *)dp->data + dp->dlen; n++) {
			if (n == cut && cut < end)
				act->expr = expr;
			if (n == cut + 1 && act->look)
				act->look->resume = expr;
			if (n == end)
				break;
			expr = (void *)expr + expr->ops->size;
		}
		act->end = expr;
		if (act->look && cut + 1 == end)
			act->look->resume = act->end;
		if (act->expr && act->expr->ops == nfj_counter_ops &&
		    end == cut + 1)
			act->flags |= NFJ_ACT_COUNT;
		if ((act->verdict == NFT_JUMP || act->verdict == NFT_GOTO) &&
		    !act->chain)
			nfj_act_target(act, expr);
	}
}

/**
 * nfj_blob_build - make the blob of a chain's next generation
 * @net: the netns
 * @chain: the chain
 * @st: its state, or NULL for a blob as nf_tables would make it
 * @gfp: __GFP_NOFAIL where no failure is allowed
 *
 * Sets nfj_state::blob, and makes its actions point to their expressions there,
 * once.
 *
 * Context: commit mutex.
 *
 * Return: the blob, to be freed with kvfree(), or NULL.
 */
struct nft_rule_blob *nfj_blob_build(struct net *net, struct nft_chain *chain,
				     struct nfj_state *st, gfp_t gfp)
{
	struct nfj_act *act = NULL, *last_act = NULL;
	const struct nft_expr *expr, *last;
	struct nft_rule_blob *blob;
	struct nft_rule_dp *dp;
	struct nft_rule *rule;
	size_t size = 0, len;
	void *data;
	u32 nr = 0;

	if (st)
		size += NFJ_EBPF_RULE;
	list_for_each_entry(rule, &chain->rules, list)
		if (nft_is_active_next(net, rule))
			size += sizeof(*dp) + rule->dlen;
	if (size > INT_MAX - sizeof(*blob) - NFJ_BLOB_TRAILER)
		return NULL;
	blob = kvmalloc(sizeof(*blob) + size + NFJ_BLOB_TRAILER,
			gfp | __GFP_ACCOUNT);
	if (!blob)
		return NULL;
	data = blob->data;

	if (st) {
		struct nft_expr *front;
		struct nfj_ebpf *priv;

		dp = data;
		dp->is_last = 0;
		dp->handle = 0;
		dp->dlen = NFJ_EBPF_SIZE;
		front = (void *)dp->data;
		front->ops = &nfj_ebpf_ops;
		priv = nft_expr_priv(front);
		priv->state = st;
		st->blob = blob;
		data += NFJ_EBPF_RULE;
	}

	if (st) {
		act = st->acts;
		last_act = act + st->nacts;
	}
	list_for_each_entry(rule, &chain->rules, list) {
		if (!nft_is_active_next(net, rule))
			continue;
		dp = data;
		data = dp->data;
		len = 0;
		nft_rule_for_each_expr(expr, last, rule) {
			memcpy(data + len, expr, expr->ops->size);
			len += expr->ops->size;
		}
		dp->is_last = 0;
		dp->handle = rule->handle;
		dp->dlen = len;
		data += len;
		if (act != last_act && act->rule == nr) {
			nfj_acts_place(act, last_act, dp);
			while (act != last_act && act->rule == nr)
				act++;
		}
		nr++;
	}
	blob->size = data - (void *)blob->data;
	nfj_blob_end(chain, data);
	return blob;
}

static void nfj_blob_free(struct rcu_head *head)
{
	kvfree(nfj_blob_of_rcu(head));
}

/**
 * nfj_blob_retire - free a blob after a grace period
 * @blob: the blob, ours or nf_tables' own; nobody can find it any more
 */
void nfj_blob_retire(struct nft_rule_blob *blob)
{
	nfj_blob_call_rcu(blob, nfj_blob_free);
}
