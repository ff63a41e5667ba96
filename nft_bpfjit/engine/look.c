// SPDX-License-Identifier: GPL-2.0-only
/*
 * Residues that begin with a lookup in a shadow (sets/), behind that.
 */
#include "acts.h"

/**
 * nfj_look_rest - do the rest of a residue whose lookup has not missed
 * @st: the chain
 * @act: the entry, with nfj_act::look
 * @key: flow key
 * @regs: registers; the verdict is left here, NFT_CONTINUE when it is the entry's
 * @pkt: the packet
 * @found: NFJ_HIT or NFJ_DONE, as of nfj_look_find(), but for look::invert
 * @ext: with NFJ_HIT the element, if it matters
 *
 * Mirrors nft_lookup_eval(), or lets it do what it does.
 *
 * Context: packet path, under RCU.
 */
noinline void nfj_look_rest(const struct nfj_state *st,
			    const struct nfj_act *act,
			    const struct nfj_key *key, struct nft_regs *regs,
			    const struct nft_pktinfo *pkt,
			    enum nfj_found found,
			    const struct nft_set_ext *ext)
{
	const struct nfj_look *look = act->look;
	const struct nft_expr *expr = act->expr;

	regs->verdict.code = NFT_CONTINUE;
	if (found == NFJ_DONE || look->resume != act->end)
		nfj_fill_regs(regs, key, &st->fills[act->fill], act->nfills);
	if (found != NFJ_DONE)
		expr = look->resume;
	if (found == NFJ_HIT && ext) {
		if (look->dreg != NFJ_NO_DATA)
			nft_data_copy(&regs->data[look->dreg],
				      nft_set_ext_data(ext), look->dlen);
		nft_set_elem_update_expr(ext, regs, pkt);
		if (regs->verdict.code != NFT_CONTINUE)
			return;
	}
	nfj_exprs_eval(expr, act->end, regs, pkt);
}
