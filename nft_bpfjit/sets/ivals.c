// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shadows of sets of intervals: an index by the upper bits of a number, and a few
 * ends of intervals in each bucket.
 *
 * nft keeps an interval as two elements, where it begins and where it is over, and
 * so does this.  What lies between two ends is in the set if the lower one begins;
 * where one interval is over and the next begins at once, that which begins counts
 * (nft_rbtree_lookup(), whose ends of a named set may be both there).
 *
 *	{ 0x12-0x14, 0x19-0x35 }, buckets by the upper four bits of eight:
 *
 *	bucket	0	1				2	3		4
 *		out	out, 12 in, 15 out, 19 in	in	in, 36 out	out
 *
 * A bucket says what holds at its begin, so a lookup sees one bucket.  A new end
 * changes its own bucket, and what holds at the begin of those that follow, up to
 * the next that has an end.
 */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "shadow.h"

#define NFJ_BUCKET_ENDS		2	/* aimed at */
#define NFJ_BUCKET_BITS		20	/* at most */

/* Blocks of the pool: 2, 4, 6 and 8 ends, then by powers of two */
static u32 nfj_block_class(u32 n)
{
	return n <= 8 ? (n + 1) / 2 - 1 : ilog2(n - 1) + 1;
}

static u32 nfj_block_size(u32 class)
{
	return class < 4 ? (class + 1) * 2 : 1U << class;
}

/* An end in front of those of the bucket, too */
static u32 nfj_block_room(u32 ends)
{
	return ends ? nfj_block_size(nfj_block_class(ends + 1)) : 0;
}

static u32 nfj_ivals_bits(const struct nfj_shadow *sh, u32 n)
{
	u32 bits = ilog2(roundup_pow_of_two(n / NFJ_BUCKET_ENDS + 16));

	return min_t(u32, bits, min_t(u32, NFJ_BUCKET_BITS, sh->klen * 8));
}

/* Room to grow: a quarter */
static u32 nfj_ivals_more(u32 n)
{
	return n + n / 4 + 64;
}

/* Value of a number from an end on */
static u32 nfj_end_value(const struct nfj_end *end)
{
	return end->val & NFJ_END_ELEM;
}

static u32 nfj_bucket_ends(u64 bucket)
{
	return bucket >> 32;
}

static u64 nfj_bucket(u32 at, u32 ends)
{
	return (u64)ends << 32 | at;
}

/**
 * nfj_ivals_find - which element is a number in?
 * @t: the table
 * @key: the number
 *
 * Context: packet path, under RCU.  Where the shadow is no longer what it was, the
 * result is anything.
 *
 * Return: number of the element, or 0.
 */
u32 nfj_ivals_find(const struct nfj_ivals *t, u32 key)
{
	u64 bucket = READ_ONCE(t->bucket[(u64)key >> t->shift]);
	u32 n = nfj_bucket_ends(bucket), half;
	const struct nfj_end *end;

	if (!n)
		return bucket;
	end = &t->pool[(u32)bucket];
	while (n > 4) {
		half = n / 2;
		if (key >= READ_ONCE(end[half].key)) {
			end += half;
			n -= half;
		} else {
			n = half - 1;
		}
	}
	for (; n && key >= READ_ONCE(end[1].key); n--)
		end++;
	return READ_ONCE(end->val) & NFJ_END_ELEM;
}

/* A block for so many ends; 0 (which is never given out): none left */
static u32 nfj_block_get(struct nfj_ivals *t, u32 ends)
{
	u32 class = nfj_block_class(ends + 1), size = nfj_block_size(class);
	u32 at = t->free[class];

	if (at) {
		t->free[class] = t->pool[at].val;
		return at;
	}
	if (size > t->pool_max - t->pool_n)
		return 0;
	at = t->pool_n;
	t->pool_n += size;
	return at;
}

static void nfj_block_put(struct nfj_ivals *t, u32 at, u32 ends)
{
	u32 class = nfj_block_class(ends + 1);

	t->pool[at].val = t->free[class];
	t->free[class] = at;
}

/* A number for an element; 0: none left */
static u32 nfj_elem_get(struct nfj_ivals *t, const struct nft_set_ext *ext)
{
	u32 nr = t->free_elem;

	if (!t->ext)
		return 1;
	if (nr)
		t->free_elem = (unsigned long)t->ext[nr];
	else if (t->nelems < t->elems_max)
		nr = t->nelems++;
	else
		return 0;
	t->ext[nr] = ext;
	return nr;
}

/* No packet follows what now is no pointer: the shadow is closed */
static void nfj_elem_put(struct nfj_ivals *t, u32 nr)
{
	if (!t->ext)
		return;
	t->ext[nr] = (void *)(unsigned long)t->free_elem;
	t->free_elem = nr;
}

/* What holds at the end of a bucket holds for those behind it */
static void nfj_bucket_pass(struct nfj_ivals *t, u32 nr)
{
	u64 bucket = t->bucket[nr];
	u32 n = nfj_bucket_ends(bucket);
	u32 value = n ? nfj_end_value(&t->pool[(u32)bucket + n]) : bucket;

	while (++nr < t->nbuckets) {
		bucket = t->bucket[nr];
		if (nfj_bucket_ends(bucket)) {
			t->pool[(u32)bucket].val = value;
			break;
		}
		if ((u32)bucket == value)
			break;
		WRITE_ONCE(t->bucket[nr], nfj_bucket(value, 0));
	}
}

/* The first end of a bucket that is not below a number: 1 for the first of all */
static u32 nfj_bucket_at(const struct nfj_ivals *t, u64 bucket, u32 key)
{
	const struct nfj_end *end = &t->pool[(u32)bucket];
	u32 lo = 1, hi = nfj_bucket_ends(bucket) + 1, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (end[mid].key < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Make room for an end in its bucket, and leave out what was there */
static int nfj_bucket_grow(struct nfj_ivals *t, u32 nr, u32 at,
			   struct nfj_end end)
{
	u64 bucket = t->bucket[nr];
	u32 n = nfj_bucket_ends(bucket), from = bucket, to;
	struct nfj_end *old = &t->pool[from], *new;

	to = from;
	if (nfj_block_room(n) < n + 2) {
		to = nfj_block_get(t, n + 1);
		if (!to)
			return -ENOSPC;
	}
	new = &t->pool[to];
	if (!n) {
		new[0] = (struct nfj_end){ 0, (u32)bucket };
	} else {
		memmove(&new[at + 1], &old[at], (n + 1 - at) * sizeof(*new));
		if (to != from)
			memcpy(new, old, at * sizeof(*new));
	}
	new[at] = end;
	WRITE_ONCE(t->bucket[nr], nfj_bucket(to, n + 1));
	if (n && to != from)
		nfj_block_put(t, from, n);
	t->nends++;
	return 0;
}

/* An end goes, to a smaller block if there is one; else the rest of the block is
 * not used until the table is made anew
 */
static void nfj_bucket_shrink(struct nfj_ivals *t, u32 nr, u32 at)
{
	u64 bucket = t->bucket[nr];
	u32 n = nfj_bucket_ends(bucket), from = bucket, to = from;
	struct nfj_end *end = &t->pool[from];

	t->nends--;
	memmove(&end[at], &end[at + 1], (n - at) * sizeof(*end));
	if (n == 1) {
		WRITE_ONCE(t->bucket[nr], nfj_bucket(end->val, 0));
		nfj_block_put(t, from, n);
		return;
	}
	if (nfj_block_room(n) != nfj_block_room(n - 1)) {
		to = nfj_block_get(t, n - 1);
		if (to) {
			memcpy(&t->pool[to], end, n * sizeof(*end));
			nfj_block_put(t, from, n);
		} else {
			to = from;
		}
	}
	WRITE_ONCE(t->bucket[nr], nfj_bucket(to, n - 1));
}

/**
 * nfj_ivals_put - add an end, or what has changed of an element
 * @t: the table
 * @item: the element
 * @key: as a number
 *
 * Return: 0, or -ENOSPC when it needs a larger table.
 */
int nfj_ivals_put(struct nfj_ivals *t, const struct nfj_item *item, u32 key)
{
	u32 nr = (u64)key >> t->shift, at = 1, n, elem;
	u64 bucket = t->bucket[nr];
	struct nfj_end *end = NULL;
	int err;

	n = nfj_bucket_ends(bucket);
	if (n) {
		at = nfj_bucket_at(t, bucket, key);
		if (at <= n && t->pool[(u32)bucket + at].key == key)
			end = &t->pool[(u32)bucket + at];
	}
	if (item->over) {
		if (end) {
			end->val |= NFJ_END_OVER;
			return 0;
		}
		err = nfj_bucket_grow(t, nr, at,
				      (struct nfj_end){ key, NFJ_END_OVER });
		if (!err)
			nfj_bucket_pass(t, nr);
		return err;
	}
	elem = end ? nfj_end_value(end) : 0;
	if (elem) {
		if (t->ext)
			t->ext[elem] = item->ext;
		return 0;
	}
	elem = nfj_elem_get(t, item->ext);
	if (!elem)
		return -ENOSPC;
	if (end) {
		end->val |= elem;
	} else {
		err = nfj_bucket_grow(t, nr, at, (struct nfj_end){ key, elem });
		if (err) {
			nfj_elem_put(t, elem);
			return err;
		}
	}
	nfj_bucket_pass(t, nr);
	return 0;
}

/**
 * nfj_ivals_del - take out an end
 * @t: the table
 * @item: the element; what begins stays if another element begins there by now
 * @key: as a number
 */
void nfj_ivals_del(struct nfj_ivals *t, const struct nfj_item *item, u32 key)
{
	u32 nr = (u64)key >> t->shift, at, elem;
	u64 bucket = t->bucket[nr];
	struct nfj_end *end;

	if (!nfj_bucket_ends(bucket))
		return;
	at = nfj_bucket_at(t, bucket, key);
	end = &t->pool[(u32)bucket + at];
	if (at > nfj_bucket_ends(bucket) || end->key != key)
		return;
	if (item->over) {
		end->val &= NFJ_END_ELEM;
	} else {
		elem = nfj_end_value(end);
		if (!elem || (t->ext && t->ext[elem] != item->ext))
			return;
		nfj_elem_put(t, elem);
		end->val &= NFJ_END_OVER;
	}
	if (!end->val)
		nfj_bucket_shrink(t, nr, at);
	nfj_bucket_pass(t, nr);
}

/* Lay out sorted ends of a table that has room for them */
static void nfj_ivals_lay(struct nfj_ivals *t, const struct nfj_end *end, u32 n)
{
	u32 nr, k, i = 0, value = 0, at;

	for (nr = 0; nr < t->nbuckets; nr++) {
		for (k = i; k < n && (u64)end[k].key >> t->shift == nr; k++)
			;
		if (k == i) {
			t->bucket[nr] = nfj_bucket(value, 0);
			continue;
		}
		at = nfj_block_get(t, k - i);
		t->bucket[nr] = nfj_bucket(at, k - i);
		t->pool[at++] = (struct nfj_end){ 0, value };
		memcpy(&t->pool[at], &end[i], (k - i) * sizeof(*end));
		value = nfj_end_value(&end[k - 1]);
		i = k;
	}
	t->nends = n;
}

/* Entries of the pool that they take, and some to grow; the largest bucket may need
 * a block of twice the size with the next end
 */
static u32 nfj_ivals_room(const struct nfj_end *end, u32 n, u32 shift)
{
	u32 i, k, room = 1, most = 0;

	for (i = 0; i < n; i = k) {
		for (k = i + 1; k < n; k++)
			if ((u64)end[k].key >> shift != (u64)end[i].key >> shift)
				break;
		room += nfj_block_room(k - i);
		most = max_t(u32, most, nfj_block_room(k - i));
	}
	return nfj_ivals_more(room) + 2 * most;
}

/**
 * nfj_ivals_new - make a table
 * @sh: whose
 * @ends: its ends, sorted, one for each number; and its elements
 *
 * Context: sleeps.
 *
 * Return: the table, to be released with nfj_ivals_free(), or an ERR_PTR():
 * -ENOMEM, -EDQUOT.
 */
struct nfj_ivals *nfj_ivals_new(const struct nfj_shadow *sh,
				const struct nfj_ends *ends)
{
	u32 bits = nfj_ivals_bits(sh, ends->n), shift = sh->klen * 8 - bits;
	u32 pool = nfj_ivals_room(ends->end, ends->n, shift);
	u32 elems = sh->refs ? nfj_ivals_more(ends->nelems) : 0;
	struct nfj_ivals *t;
	size_t bytes;
	int err;

	bytes = sizeof(*t) + (sizeof(u64) << bits) +
		pool * sizeof(*t->pool) + elems * sizeof(*t->ext);
	err = nfj_budget_charge(sh->budget, bytes);
	if (err)
		return ERR_PTR(err);
	t = kvzalloc(bytes, NFJ_GFP);
	if (!t) {
		nfj_budget_uncharge(sh->budget, bytes);
		return ERR_PTR(-ENOMEM);
	}
	t->bytes = bytes;
	t->shift = shift;
	t->nbuckets = 1U << bits;
	t->pool = (void *)&t->bucket[t->nbuckets];
	t->pool_n = 1;
	t->pool_max = pool;
	t->nelems = 1;
	if (sh->refs) {
		t->ext = (void *)&t->pool[pool];
		t->nelems = ends->nelems;
		t->elems_max = elems;
		t->free_elem = ends->free_elem;
		memcpy(t->ext, ends->ext, ends->nelems * sizeof(*t->ext));
	}
	nfj_ivals_lay(t, ends->end, ends->n);
	return t;
}

/**
 * nfj_ivals_free - release a table that no packet sees
 * @sh: whose
 * @t: the table, or NULL
 */
void nfj_ivals_free(const struct nfj_shadow *sh, struct nfj_ivals *t)
{
	if (t)
		nfj_budget_uncharge(sh->budget, t->bytes);
	kvfree(t);
}

/**
 * nfj_ivals_idle - is a table much too large?
 * @t: the table
 *
 * Return: true if so.
 */
bool nfj_ivals_idle(const struct nfj_ivals *t)
{
	return t->pool_max > 1024 && t->nends < t->pool_max / 16;
}

/**
 * nfj_ivals_remake - make a table that has more room
 * @sh: whose
 * @t: the table as it is
 *
 * Context: sleeps.
 *
 * Return: as nfj_ivals_new().
 */
struct nfj_ivals *nfj_ivals_remake(const struct nfj_shadow *sh,
				   const struct nfj_ivals *t)
{
	struct nfj_ends ends = {
		.nelems	   = t->nelems,
		.free_elem = t->free_elem,
		.ext	   = t->ext,
	};
	struct nfj_ivals *new;
	u32 nr, n;

	ends.end = kvmalloc_array(t->nends + 1, sizeof(*ends.end), NFJ_GFP);
	if (!ends.end)
		return ERR_PTR(-ENOMEM);
	for (nr = 0; nr < t->nbuckets; nr++) {
		n = nfj_bucket_ends(t->bucket[nr]);
		memcpy(&ends.end[ends.n], &t->pool[(u32)t->bucket[nr] + 1],
		       n * sizeof(*ends.end));
		ends.n += n;
	}
	new = nfj_ivals_new(sh, &ends);
	kvfree(ends.end);
	return new;
}
