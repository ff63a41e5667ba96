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

/**
 * nfj_expr_target - where a jump leads
 * @expr: an immediate expression with NFT_JUMP or NFT_GOTO, which alone knows, and does
 *	  nothing but load it into the verdict register
 *
 * Return: the chain.
 */
const struct nft_chain *nfj_expr_target(const struct nft_expr *expr)
{
	struct nft_regs regs;

	regs.verdict.code = NFT_CONTINUE;
	expr->ops->eval(expr, &regs, NULL);
	return regs.verdict.chain;
}

/* An entry, whose rule's expressions are @data: their numbers become pointers */
static void nfj_act_place(struct nfj_act *act, const void *data, u32 dlen)
{
	const struct nft_expr *expr = data;
	u32 n, cut = act->cut, end = act->stop;

	act->expr = NULL;
	for (n = 0; (const void *)expr < data + dlen; n++) {
		if (n == cut && cut < end)
			act->expr = expr;
		if (n == cut + 1 && act->look)
			act->look->resume = expr;
		if (n == end)
			break;
		expr = (const void *)expr + expr->ops->size;
	}
	act->end = expr;
	if (act->look && cut + 1 == end)
		act->look->resume = act->end;
	if (act->expr && act->expr->ops == nfj_counter_ops && end == cut + 1)
		act->flags |= NFJ_ACT_COUNT;
	if ((act->verdict == NFT_JUMP || act->verdict == NFT_GOTO) && !act->chain)
		act->chain = nfj_expr_target(expr);
}

/* The entries from @act on of a rule of the blob, and those that it led to in other
 * chains: these have their expressions in their own rules, which go when what is made
 * of them has gone.  Returns the first entry of another rule.
 */
static struct nfj_act *nfj_acts_place(const struct nfj_state *st, struct nfj_act *act,
				      const struct nft_rule_dp *dp)
{
	u32 nr = act->rule;

	for (; act != st->acts + st->nacts && act->rule == nr; act++) {
		const struct nfj_place *place =
			st->places ? &st->places[act - st->acts] : NULL;

		if (place && place->chain != st->chain)
			nfj_act_place(act, place->rule->data, place->rule->dlen);
		else
			nfj_act_place(act, dp->data, dp->dlen);
	}
	return act;
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
		if (act != last_act && act->rule == nr)
			act = nfj_acts_place(st, act, dp);
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
