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
#include "../nfj.h"

#define NFJ_EBPF_RULE	(sizeof(struct nft_rule_dp) + \
			 NFT_EXPR_SIZE(sizeof(struct nfj_ebpf)))

/**
 * nfj_blob_build - make the blob of a chain's next generation
 * @net: the netns
 * @chain: the chain
 * @st: its state, or NULL for a blob as nf_tables would make it
 * @gfp: __GFP_NOFAIL where no failure is allowed
 *
 * Sets nfj_state::blob, and turns the numbers of expressions in its actions
 * into offsets.
 *
 * Context: commit mutex.
 *
 * Return: the blob, to be freed with kvfree(), or NULL.
 */
struct nft_rule_blob *nfj_blob_build(struct net *net, struct nft_chain *chain,
				     struct nfj_state *st, gfp_t gfp)
{
	const struct nft_expr *expr, *last;
	struct nft_rule_blob *blob;
	struct nft_rule_dp *dp;
	struct nft_rule *rule;
	size_t size = 0, len;
	u32 nr = 0, n;
	void *data;

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
		dp->dlen = NFT_EXPR_SIZE(sizeof(*priv));
		front = (void *)dp->data;
		front->ops = &nfj_ebpf_ops;
		priv = nft_expr_priv(front);
		priv->state = st;
		st->blob = blob;
		data += NFJ_EBPF_RULE;
	}

	list_for_each_entry(rule, &chain->rules, list) {
		struct nfj_act *act = st ? &st->acts[nr] : NULL;

		if (!nft_is_active_next(net, rule))
			continue;
		dp = data;
		data = dp->data;
		n = 0;
		len = 0;
		nft_rule_for_each_expr(expr, last, rule) {
			if (act && act->expr == n + 1) {
				act->expr = data + len - (void *)blob->data;
				act = NULL;
			}
			memcpy(data + len, expr, expr->ops->size);
			len += expr->ops->size;
			n++;
		}
		dp->is_last = 0;
		dp->handle = rule->handle;
		dp->dlen = len;
		data += len;
		if (st)
			st->acts[nr].end = data - (void *)blob->data;
		nr++;
	}
	blob->size = data - (void *)blob->data;
	nfj_blob_end(chain, data);
	return blob;
}
