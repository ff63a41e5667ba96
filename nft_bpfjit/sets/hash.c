// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shadows of sets of single keys: a hash table with linear probing.
 *
 * The tags of sixteen places are one cache line, and with three places of eight
 * taken at most, most lookups see no other.  A key of up to 32 bits is its own tag;
 * of a longer one the tag is a hash, which is odd, since 0 is the empty place.  For
 * the former "empty" is a number drawn by lot, and a set that holds just that one
 * gets a table with another.
 *
 *	hashed to	2	4	4	5
 *	place	...	2	3	4	5	6	...
 *	tag		a	none	b	c	d
 *
 * To take out b, the next that may lie there moves up: c, then d in its place.  So
 * there are no marks of what was deleted.
 */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "shadow.h"

#define NFJ_HASH_LEAST	16	/* places */
#define NFJ_HASH_MORE	64	/* places behind them */

/* Places for so many keys */
static size_t nfj_hash_places(u32 n)
{
	return max_t(size_t, NFJ_HASH_LEAST,
		     roundup_pow_of_two((n + 1UL) * 8 / 3));
}

/* Memory that a table takes */
static size_t nfj_hash_bytes(const struct nfj_shadow *sh, size_t places)
{
	size_t all = places + NFJ_HASH_MORE, size = sizeof(u32);

	if (sh->kind == NFJ_SHADOW_WIDE)
		size += sh->words * sizeof(u32);
	if (sh->times)
		size += sizeof(u64);
	if (sh->refs)
		size += sizeof(void *);
	return sizeof(struct nfj_hash) + all * size;
}

/**
 * nfj_hash_new - an empty table
 * @sh: whose
 * @n: keys that it is to have room for
 *
 * Context: sleeps.
 *
 * Return: the table, to be released with nfj_hash_free(), or an ERR_PTR():
 * -ENOMEM, -EDQUOT.
 */
struct nfj_hash *nfj_hash_new(const struct nfj_shadow *sh, u32 n)
{
	size_t places = nfj_hash_places(n), all = places + NFJ_HASH_MORE, i;
	size_t bytes = nfj_hash_bytes(sh, places);
	struct nfj_hash *t;
	void *at;
	int err;

	if (places > 1U << 30)
		return ERR_PTR(-ENOMEM);
	err = nfj_budget_charge(sh->budget, bytes);
	if (err)
		return ERR_PTR(err);
	t = kvzalloc(bytes, NFJ_GFP);
	if (!t) {
		nfj_budget_uncharge(sh->budget, bytes);
		return ERR_PTR(-ENOMEM);
	}
	t->bytes = bytes;
	t->places = places;
	t->shift = 32 - ilog2(places);
	t->mul = get_random_u64() | 1;
	t->words = sh->words;
	/* a multiple of eight bytes, with a header that is one */
	BUILD_BUG_ON(offsetof(struct nfj_hash, tag) % sizeof(u64) ||
		     NFJ_HASH_LEAST % 2 || NFJ_HASH_MORE % 2);
	at = &t->tag[all];
	if (sh->times) {
		t->expires = at;
		at = &t->expires[all];
	}
	if (sh->refs) {
		t->ext = at;
		at = &t->ext[all];
	}
	if (sh->kind == NFJ_SHADOW_WIDE) {
		t->keys = at;
		return t;
	}
	t->none = get_random_u32();
	for (i = 0; i < all; i++)
		t->tag[i] = t->none;
	return t;
}

/**
 * nfj_hash_free - release a table that no packet sees
 * @sh: whose
 * @t: the table, or NULL
 */
void nfj_hash_free(const struct nfj_shadow *sh, struct nfj_hash *t)
{
	if (t)
		nfj_budget_uncharge(sh->budget, t->bytes);
	kvfree(t);
}

/* Where a tag belongs */
static u32 nfj_hash_place(const struct nfj_hash *t, u32 tag)
{
	return t->keys ? tag >> t->shift : (tag * (u32)t->mul) >> t->shift;
}

/**
 * nfj_hash_tag - the tag of a key
 * @t: the table
 * @key: the key
 *
 * Return: the tag.
 */
static __always_inline u32 nfj_hash_tag(const struct nfj_hash *t,
					const u32 *key)
{
	u64 h = t->mul;
	u32 i;

	if (!t->keys)
		return *key;
	for (i = 0; i < t->words; i++)
		h = (h ^ key[i]) * t->mul + (h >> 32);
	return (u32)(h >> 32) | 1;
}

static __always_inline bool nfj_hash_is(const struct nfj_hash *t, u32 at,
					const u32 *key)
{
	const u32 *have = &t->keys[at * t->words];
	u32 i;

	for (i = 0; i < t->words; i++)
		if (have[i] != key[i])
			return false;
	return true;
}

/**
 * nfj_hash_find - find a key
 * @t: the table
 * @key: the key, whole words
 *
 * Context: packet path, under RCU; or whoever changes the table.
 *
 * Return: its place, or -1.
 */
int nfj_hash_find(const struct nfj_hash *t, const u32 *key)
{
	u32 tag, at;

	if (!t->keys)
		return nfj_hash_word(t, *key);
	tag = nfj_hash_tag(t, key);
	for (at = tag >> t->shift; ; at++) {
		u32 have = READ_ONCE(t->tag[at]);

		if (have == tag && nfj_hash_is(t, at, key))
			return at;
		if (!have)
			return -1;
	}
}

/**
 * nfj_hash_put - add a key, or what has changed of one
 * @t: the table
 * @item: the key, and what belongs to it
 *
 * Return: 0, or -ENOSPC when it needs a larger table, or another.
 */
int nfj_hash_put(struct nfj_hash *t, const struct nfj_item *item)
{
	u32 tag = nfj_hash_tag(t, item->key);
	int at = nfj_hash_find(t, item->key);

	if (at < 0) {
		if ((u64)(t->n + 1) * 8 > (u64)t->places * 3)
			return -ENOSPC;
		if (!t->keys && tag == t->none)
			return -ENOSPC;
		for (at = nfj_hash_place(t, tag); t->tag[at] != t->none; at++)
			;
		if (at + 1 >= t->places + NFJ_HASH_MORE)
			return -ENOSPC;
		t->n++;
		if (t->keys)
			memcpy(&t->keys[at * t->words], item->key,
			       t->words * sizeof(u32));
		WRITE_ONCE(t->tag[at], tag);
	}
	if (t->expires)
		t->expires[at] = item->expires;
	if (t->ext)
		t->ext[at] = item->ext;
	return 0;
}

/* What lies at a place moves to another */
static void nfj_hash_move(struct nfj_hash *t, u32 to, u32 from)
{
	if (t->keys)
		memcpy(&t->keys[to * t->words], &t->keys[from * t->words],
		       t->words * sizeof(u32));
	if (t->expires)
		t->expires[to] = t->expires[from];
	if (t->ext)
		t->ext[to] = t->ext[from];
	WRITE_ONCE(t->tag[to], t->tag[from]);
}

/**
 * nfj_hash_del - take out a key
 * @t: the table
 * @item: the key; it stays if another element has it by now
 */
void nfj_hash_del(struct nfj_hash *t, const struct nfj_item *item)
{
	int at = nfj_hash_find(t, item->key);
	u32 next;

	if (at < 0 || (t->ext && t->ext[at] != item->ext))
		return;
	t->n--;
	for (next = at + 1; t->tag[next] != t->none; next++) {
		if (nfj_hash_place(t, t->tag[next]) > at)
			continue;
		nfj_hash_move(t, at, next);
		at = next;
	}
	WRITE_ONCE(t->tag[at], t->none);
}

static bool nfj_hash_gone(const struct nfj_hash *t, u32 at, u64 now)
{
	return t->tag[at] == t->none ||
	       (t->expires && t->expires[at] != NFJ_ASK &&
		time_after_eq64(now, t->expires[at]));
}

/**
 * nfj_hash_idle - is a table much too large?
 * @t: the table
 *
 * Return: true if so.
 */
bool nfj_hash_idle(const struct nfj_hash *t)
{
	return t->places > 4 * NFJ_HASH_LEAST && t->n < t->places / 32;
}

/**
 * nfj_hash_remake - make a table of the size that is now needed, and some more
 * @sh: whose
 * @t: the table as it is; keys that have expired are left out
 *
 * Context: sleeps.
 *
 * Return: as nfj_hash_new().
 */
struct nfj_hash *nfj_hash_remake(const struct nfj_shadow *sh,
				 const struct nfj_hash *t)
{
	u32 at, all = t->places + NFJ_HASH_MORE, n = 0, tries;
	u64 now = get_jiffies_64();
	struct nfj_hash *new;
	int err;

	for (at = 0; at < all; at++)
		n += !nfj_hash_gone(t, at, now);
	for (tries = 0; tries < 4; tries++) {
		new = nfj_hash_new(sh, (n + n / 4 + 4) << tries);
		if (IS_ERR(new))
			return new;
		for (at = 0, err = 0; at < all && !err; at++) {
			const struct nfj_item item = {
				.key	 = t->keys ? &t->keys[at * t->words] :
						     &t->tag[at],
				.expires = t->expires ? t->expires[at] : 0,
				.ext	 = t->ext ? t->ext[at] : NULL,
			};

			if (!nfj_hash_gone(t, at, now))
				err = nfj_hash_put(new, &item);
		}
		if (!err)
			return new;
		nfj_hash_free(sh, new);
	}
	return ERR_PTR(-ENOMEM);
}
