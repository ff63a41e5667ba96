// SPDX-License-Identifier: GPL-2.0-only
/*
 * The match in a chain that was edited (commit/edit.c has the picture): by the
 * matcher of the chain as it was, and that of the rules that were added.  Each
 * finds the first entry of its own; the first of the two in the chain's order
 * counts.
 *
 * Where the old matcher finds an entry that is no more, it is asked for the next
 * one.  A matcher can be entered only where its chain might have gone on after a
 * match.  Asked for another entry it is entered at the last such place before
 * that, which does as well unless it finds one between the two: then it can't
 * tell, and the interpreter takes over (NFJ_BAD).
 */
#include <linux/minmax.h>
#include "engine.h"

/* First entry of a matcher that is not before @entry, NFJ_NONE or NFJ_BAD */
static u32 nfj_first(const struct nfj_matcher *m, struct nfj_key *key,
		     const struct nft_pktinfo *pkt, u32 entry, u32 *have)
{
	const struct nfj_prog *prog = m->prog, *end = prog + m->nprogs;
	u32 k;

	for (; prog < end; prog++) {
		if (entry >= prog->last)
			continue;
		nfj_flow_have(key, pkt, &prog->need, prog->needs, have);
		key->start = min(entry, prog->open);
		k = nfj_prog_run(prog->prog, key);
		if (k == NFJ_NONE)
			continue;
		if (unlikely(k >= m->nentries || k < key->start))
			return nfj_bad_match();
		return k < entry ? NFJ_BAD : k;
	}
	return NFJ_NONE;
}

/* Segments of one of the matchers, from a segment on */
static const struct nfj_seg *nfj_seg_of(const struct nfj_edits *ed,
					const struct nfj_seg *seg, bool added)
{
	const struct nfj_seg *end = &ed->seg[ed->nsegs];

	while (seg < end && seg->added != added)
		seg++;
	return seg < end ? seg : NULL;
}

/* The first match of one of the matchers, as a number of the chain; NFJ_NONE or
 * NFJ_BAD.  @seg holds @next.
 */
static u32 nfj_first_of(const struct nfj_matcher *m, const struct nfj_edits *ed,
			const struct nfj_seg *seg, bool added,
			struct nfj_key *key, const struct nft_pktinfo *pkt,
			u32 next, u32 *have)
{
	u32 k;

	seg = nfj_seg_of(ed, seg, added);
	while (seg) {
		u32 entry = seg->from;

		if (next > seg->first)
			entry += next - seg->first;
		k = nfj_first(m, key, pkt, entry, have);
		if (k == NFJ_NONE || k == NFJ_BAD)
			return k;
		/* in this segment, behind it, or between two */
		while (seg && k >= seg->from + (seg[1].first - seg->first))
			seg = nfj_seg_of(ed, seg + 1, added);
		if (seg && k >= seg->from)
			return seg->first + (k - seg->from);
	}
	return NFJ_NONE;
}

/**
 * nfj_match_edited - find the next entry that matches, in an edited chain
 * @st: the chain
 * @key: flow key
 * @pkt: the packet
 * @next: first entry to consider
 * @have: what is in the key
 *
 * Context: packet path, under RCU.
 *
 * Return: as nfj_match().
 */
noinline u32 nfj_match_edited(const struct nfj_state *st, struct nfj_key *key,
			      const struct nft_pktinfo *pkt, u32 next,
			      u32 *have)
{
	const struct nfj_edits *ed = st->edits;
	const struct nfj_seg *seg = ed->seg, *added;
	u32 a, b;

	while (next >= seg[1].first)
		seg++;
	a = nfj_first_of(st->matcher, ed, seg, false, key, pkt, next, have);
	added = nfj_seg_of(ed, seg, true);
	if (a == NFJ_BAD || !added || a < added->first)
		return a;
	b = nfj_first_of(ed->added, ed, added, true, key, pkt, next, have);
	return b == NFJ_BAD ? b : min(a, b);
}
