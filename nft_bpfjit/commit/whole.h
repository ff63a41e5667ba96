/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A base chain with the chains that it leads to, as one: whole.c makes it, state.c
 * what packets see of it.
 */
#ifndef _NFJ_WHOLE_H
#define _NFJ_WHOLE_H

#include "commit.h"

/**
 * struct nfj_origin - where an entry has come from
 * @rule: its rule
 * @level: index in nfj_whole::levels
 * @back_level: where the interpreter would go on behind it: a level ...
 * @back: ... and the number of a rule in its chain, or NFJ_LEVEL_END
 * @placed: nfj_entry::next is right as it is
 */
struct nfj_origin {
	struct nft_rule	*rule;
	u32		level;
	u32		back_level;
	u32		back;
	bool		placed;
};

/**
 * struct nfj_whole - a chain that has its callees in it
 * @ir: its entries
 * @origin: of each
 * @levels: the chain, then each copy of another
 * @nlevels: how many
 * @deps: chains of whose rules it was made, but for the first
 * @ndeps: how many
 * @net: scratch: the netns
 * @ctx: scratch: the tests of the jumps that lead to where we are, an entry for each
 * @max: scratch: room in @origin
 * @visits: scratch: chains that were searched for changes
 */
struct nfj_whole {
	struct nfj_ir		ir;
	struct nfj_origin	*origin;
	struct nfj_level	*levels;
	u32			nlevels;
	const struct nft_chain	**deps;
	u32			ndeps;
	const struct net	*net;
	struct nfj_ir		ctx;
	u32			max;
	u32			visits;
};

struct nfj_whole *nfj_whole_make(const struct net *net,
				 const struct nft_chain *chain,
				 const struct nfj_kept *kept);
void nfj_whole_free(struct nfj_whole *w);
bool nfj_whole_depends(const struct nfj_state *st);

#endif /* _NFJ_WHOLE_H */
