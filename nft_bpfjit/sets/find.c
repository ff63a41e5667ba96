// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets look up shadows.  The most frequent kind is inline, in engine/acts.h.
 */
#include "shadow.h"

const struct nfj_shadow nfj_shadow_closed = {
	.seq		= 1,
	.quick_seq	= 1,
};

/* A word of a key, from where its rule's loads would have had it */
static __always_inline u32 nfj_find_word(const struct nfj_key *key,
					 const struct nfj_fill *fill)
{
	static const u32 mask[] = {
		0,
		(__force u32)cpu_to_le32(0xff),
		(__force u32)cpu_to_le32(0xffff),
		(__force u32)cpu_to_le32(0xffffff),
		0xffffffff,
	};
	const void *from = (const void *)key + fill->off;

	return (get_unaligned((const u32 *)from) & mask[fill->len]) |
	       fill->value;
}

/* What belongs to a place of a hash table */
static __always_inline enum nfj_found
nfj_find_place(const struct nfj_hash *t, int at,
	       const struct nft_set_ext **ext)
{
	u64 expires;

	if (at < 0)
		return NFJ_MISS;
	if (t->expires) {
		expires = READ_ONCE(t->expires[at]);
		if (expires == NFJ_ASK)
			return NFJ_DONE;
		if (time_after_eq64(get_jiffies_64(), expires))
			return NFJ_MISS;
	}
	if (t->ext)
		*ext = READ_ONCE(t->ext[at]);
	return NFJ_HIT;
}

static __always_inline enum nfj_found
nfj_find_one(const struct nfj_look *look, const struct nfj_key *key,
	     const struct nft_set_ext **ext)
{
	const struct nfj_shadow *sh = look->shadow;
	const struct nfj_hash *t = rcu_dereference(sh->hash);

	if (unlikely(!t))
		return NFJ_DONE;
	return nfj_find_place(t, nfj_hash_word(t, nfj_find_word(key, look->fill) &
					       sh->mask), ext);
}

static noinline enum nfj_found nfj_find_wide(const struct nfj_look *look,
					     const struct nfj_key *key,
					     const struct nft_set_ext **ext)
{
	const struct nfj_shadow *sh = look->shadow;
	const struct nfj_hash *t = rcu_dereference(sh->hash);
	u32 word[NFJ_SHADOW_WORDS] __uninitialized, i;
	const u32 words = sh->words;

	if (unlikely(!t))
		return NFJ_DONE;
	for (i = 0; i < words; i++)
		word[i] = nfj_find_word(key, &look->fill[i]);
	word[words - 1] &= sh->mask;
	return nfj_find_place(t, nfj_hash_find(t, word), ext);
}

/* Which interval is a number in? */
static __always_inline enum nfj_found
nfj_find_ivals(const struct nfj_look *look, const struct nfj_key *key, u32 seq,
	       const struct nft_set_ext **ext)
{
	const struct nfj_shadow *sh = look->shadow;
	const struct nfj_ivals *t = rcu_dereference(sh->ivals);
	u32 nr;

	if (unlikely(!t))
		return NFJ_DONE;
	nr = nfj_ivals_find(t, nfj_shadow_number(sh,
						 nfj_find_word(key, look->fill)));
	if (!nr)
		return NFJ_MISS;
	if (!t->ext)
		return NFJ_HIT;
	/* a number that was none, in a table that changes, leads nowhere */
	if (!nfj_shadow_held(sh, seq))
		return NFJ_DONE;
	*ext = READ_ONCE(t->ext[nr]);
	return NFJ_HIT;
}

/* The element for what no other matches */
static noinline enum nfj_found nfj_find_all(const struct nfj_shadow *sh,
					    const struct nft_set_ext **ext)
{
	u64 expires = READ_ONCE(sh->all_expires);

	if (expires == NFJ_ASK)
		return NFJ_DONE;
	if (time_after_eq64(get_jiffies_64(), expires))
		return NFJ_MISS;
	if (sh->refs)
		*ext = READ_ONCE(sh->all_ext);
	return NFJ_HIT;
}

/**
 * nfj_look_find - do a lookup
 * @look: which
 * @key: flow key
 * @ext: with NFJ_HIT the element, if it matters; else anything
 *
 * Context: packet path, under RCU.
 *
 * Return: NFJ_MISS, NFJ_HIT, or NFJ_DONE when nft is to be asked.
 */
noinline enum nfj_found nfj_look_find(const struct nfj_look *look,
				      const struct nfj_key *key,
				      const struct nft_set_ext **ext)
{
	const struct nfj_shadow *sh = look->shadow;
	enum nfj_found found;
	u32 seq;

	*ext = NULL;
	if (!nfj_shadow_open(sh, &seq))
		return NFJ_DONE;
	switch (sh->kind) {
	case NFJ_SHADOW_WORD:
		found = nfj_find_one(look, key, ext);
		break;
	case NFJ_SHADOW_WIDE:
		found = nfj_find_wide(look, key, ext);
		break;
	default:
		found = nfj_find_ivals(look, key, seq, ext);
	}
	if (unlikely(READ_ONCE(sh->all))) {
		/* "not in the set" was also true of some that are, once */
		if (look->invert)
			return NFJ_DONE;
		if (found == NFJ_MISS)
			found = nfj_find_all(sh, ext);
	}
	return nfj_shadow_held(sh, seq) ? found : NFJ_DONE;
}
