// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exact tables: many entries that test the same numbers for equality become a
 * hash table, data instead of code.
 *
 *	ip saddr 10.0.0.1 tcp dport 22 accept		key (saddr, dport)
 *	ip saddr 10.0.0.9 tcp dport 80 drop		guards: nh_len, th_len,
 *	...						l4proto = 6
 *
 * What is the same in all of the entries is tested once, in front.  The rest is
 * the key, as it lies in the flow key's memory.  The hash of a key chooses a
 * bucket, whose displacement was chosen such that the keys of all buckets get
 * slots of their own (hash and displace):
 *
 *	hash = sum of field * constant			(64 bits)
 *	hash ^= hash >> 32				(not for a single field)
 *	d = disp[high bits of hash]
 *	slot = slots[(u32)((u32)hash * d) * nslots >> 32]
 *	slot's key == key ? slot's entries : none
 *
 * An empty slot holds the key of another one, which no lookup of that key ever
 * reaches.
 *
 * Several entries may have one key.  One behind an entry that always decides is
 * left out; where the chain goes on after the first, a slot holds up to four
 * entries, ascending, and a lookup takes the first that is not before the start.
 * Entries that do not fit are handed back.
 *
 * Preserves: the first entry >= start that matches, of those that are not handed
 * back.  Keys are compared in full; the hash only says where.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include "../emit/emit.h"

#define NFJ_TRIES	8	/* seeds until it is given up */
#define NFJ_VALS_MAX	4	/* entries in a slot */
#define NFJ_PER_BUCKET	4	/* keys, at most on average */
#define NFJ_SIZES	32	/* sizes of buckets that are told apart */
#define NFJ_NOKEY	U32_MAX

/**
 * struct nfj_key_rec - a key while the table is built
 * @hash: what its slot is computed from
 * @next: next key of its bucket
 * @nvals: entries that have it
 * @vals: their numbers
 */
struct nfj_key_rec {
	u32	hash;
	u32	next;
	u32	nvals;
	u32	vals[NFJ_VALS_MAX];
};

struct nfj_exact_job {
	struct nfj_emit		*e;
	struct nfj_hash		*h;
	struct nfj_key_rec	*key;
	u32			nkeys;
	u32			*bucket;		/* first key */
	u32			nbuckets;
	u32			*order;			/* buckets by size */
	u32			*owner;			/* key of each slot */
};

static u64 nfj_mix(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 32) * 0xd6e8feb86659fd93ULL;
	return z ^ z >> 32;
}

/**
 * nfj_exact_field - could this test be a field of a key?
 * @t: the test
 *
 * Return: true for a value of a field; whether a field exists is no such.
 */
bool nfj_exact_field(const struct nfj_test *t)
{
	return t->kind == NFJ_IN && t->lo == t->hi &&
	       !nfj_key_is_guard(t->off);
}

/* A number of a test as it lies in memory, read in host byte order */
static u64 nfj_raw(const struct nfj_test *t, u64 v)
{
	if (t->order == NFJ_HOST || t->size == 1)
		return v;
#ifdef __LITTLE_ENDIAN
	return t->size == 2 ? __builtin_bswap16(v) :
	       t->size == 4 ? __builtin_bswap32(v) : __builtin_bswap64(v);
#else
	return v;
#endif
}

static u64 nfj_key_field(const struct nfj_exact_job *j, u32 entry, u32 f)
{
	const struct nfj_test *t = nfj_entry_tests(j->e, entry) +
				   j->h->field[f].test;

	return nfj_raw(t, t->lo);
}

/* Four bytes of a number, as they follow each other in memory */
static u32 nfj_half(u64 v, u32 second)
{
#ifdef __LITTLE_ENDIAN
	return second ? v >> 32 : v;
#else
	return second ? v : v >> 32;
#endif
}

static u64 nfj_key_hash(const struct nfj_exact_job *j, u32 entry)
{
	u64 x = 0;
	u32 f;

	for (f = 0; f < j->h->nfields; f++) {
		const struct nfj_field *field = &j->h->field[f];
		u64 v = nfj_key_field(j, entry, f);

		x += (field->size < 8 ? v : nfj_half(v, 0)) * field->mul;
		if (field->size == 8)
			x += (u64)nfj_half(v, 1) * field->mul2;
	}
	return j->h->fold ? x ^ x >> 32 : x;
}

static bool nfj_key_same(const struct nfj_exact_job *j, u32 a, u32 b)
{
	u32 f;

	for (f = 0; f < j->h->nfields; f++)
		if (nfj_key_field(j, a, f) != nfj_key_field(j, b, f))
			return false;
	return true;
}

static u32 nfj_slot(const struct nfj_hash *h, u32 hash, u32 d)
{
	return (u64)(u32)(hash * d) * h->nslots >> 32;
}

/* Which tests differ between the entries?  Those become fields, largest first, so
 * that each lies at a multiple of its size in a slot.
 */
static bool nfj_exact_fields(struct nfj_exact_job *j, const u32 *entries, u32 n)
{
	const struct nfj_test *t = nfj_entry_tests(j->e, entries[0]), *o;
	const u32 ntests = nfj_entry_ntests(j->e, entries[0]);
	struct nfj_hash *h = j->h;
	u32 size, i, k, at = 0;

	for (size = 8; size; size /= 2) {
		for (i = 0; i < ntests; i++) {
			if (t[i].size != size || !nfj_exact_field(&t[i]))
				continue;
			for (k = 1; k < n; k++) {
				o = nfj_entry_tests(j->e, entries[k]) + i;
				if (o->lo != t[i].lo)
					break;
			}
			if (k == n)
				continue;
			if (h->nfields == NFJ_FIELDS)
				return false;
			h->field[h->nfields] = (struct nfj_field) {
				.off	= t[i].off,
				.size	= size,
				.at	= at,
				.test	= i,
				.mask	= nfj_raw(&t[i], t[i].mask),
			};
			h->nfields++;
			at += size;
		}
	}
	h->vals = ALIGN(at, 4);
	/* a single number of 32 bits has low bits of its own */
	h->fold = at > 4 || h->nfields > 1;
	return h->nfields > 0;
}

/* Put the entries into buckets by their key; those that find no place in @left */
static u32 nfj_exact_fill(struct nfj_exact_job *j, const u32 *entries, u32 n,
			  u32 *left)
{
	struct nfj_emit *e = j->e;
	u32 i, b, k, nleft = 0, v;
	u64 x;

	j->nkeys = 0;
	j->h->nvals = 1;
	for (b = 0; b < j->nbuckets; b++)
		j->bucket[b] = NFJ_NOKEY;
	for (i = 0; i < n; i++) {
		struct nfj_key_rec *key = NULL;

		x = nfj_key_hash(j, entries[i]);
		b = x >> j->h->shift;
		for (k = j->bucket[b]; k != NFJ_NOKEY; k = j->key[k].next) {
			key = &j->key[k];
			if (key->hash == (u32)x &&
			    nfj_key_same(j, key->vals[0], entries[i]))
				break;
		}
		if (k == NFJ_NOKEY) {
			key = &j->key[j->nkeys];
			key->hash = x;
			key->next = j->bucket[b];
			key->nvals = 1;
			key->vals[0] = entries[i];
			j->bucket[b] = j->nkeys++;
			continue;
		}
		/* hidden by an earlier one, for every start */
		for (v = 0; v < key->nvals; v++)
			if ((s64)key->vals[v] > e->last_open)
				break;
		if (v < key->nvals)
			continue;
		if (key->nvals == NFJ_VALS_MAX) {
			left[nleft++] = entries[i];
			continue;
		}
		key->vals[key->nvals++] = entries[i];
		j->h->nvals = max(j->h->nvals, key->nvals);
	}
	return nleft;
}

/* Buckets in falling order of their size */
static void nfj_exact_order(struct nfj_exact_job *j)
{
	u32 start[NFJ_SIZES + 1] = {}, b, k, size;
	u8 *sizes = (u8 *)j->owner;	/* not in use yet */

	for (b = 0; b < j->nbuckets; b++) {
		size = 0;
		for (k = j->bucket[b]; k != NFJ_NOKEY; k = j->key[k].next)
			size++;
		sizes[b] = min_t(u32, size, NFJ_SIZES - 1);
		start[NFJ_SIZES - sizes[b]]++;
	}
	for (size = 1; size <= NFJ_SIZES; size++)
		start[size] += start[size - 1];
	for (b = 0; b < j->nbuckets; b++)
		j->order[start[NFJ_SIZES - 1 - sizes[b]]++] = b;
}

/* Find a displacement for a bucket */
static u32 nfj_exact_place(struct nfj_exact_job *j, u32 b)
{
	u32 d, k, undo;

	/* odd, or bits of the hash would be lost */
	for (d = 1; d <= U16_MAX; d += 2) {
		for (k = j->bucket[b]; k != NFJ_NOKEY; k = j->key[k].next) {
			u32 *owner = &j->owner[nfj_slot(j->h, j->key[k].hash,
							d)];

			if (*owner != NFJ_NOKEY)
				break;
			*owner = k;
		}
		if (k == NFJ_NOKEY)
			return d;
		for (undo = j->bucket[b]; undo != k; undo = j->key[undo].next)
			j->owner[nfj_slot(j->h, j->key[undo].hash, d)] =
				NFJ_NOKEY;
	}
	return 0;
}

static bool nfj_exact_displace(struct nfj_exact_job *j)
{
	u16 *disp = (u16 *)(j->e->out->data + j->h->disp_at);
	u32 i, s;

	nfj_exact_order(j);
	for (s = 0; s < j->h->nslots; s++)
		j->owner[s] = NFJ_NOKEY;
	for (i = 0; i < j->nbuckets; i++) {
		u32 b = j->order[i], d = 1;

		if (j->bucket[b] != NFJ_NOKEY)
			d = nfj_exact_place(j, b);
		if (!d)
			return false;
		disp[b] = d;
	}
	return true;
}

static void nfj_exact_write(struct nfj_exact_job *j)
{
	const struct nfj_hash *h = j->h;
	u8 *slot = j->e->out->data + h->slots_at;
	u32 s, f, v;

	for (s = 0; s < h->nslots; s++, slot += h->slot) {
		bool empty = j->owner[s] == NFJ_NOKEY;
		const struct nfj_key_rec *key;
		u32 *vals = (u32 *)(slot + h->vals);

		key = &j->key[empty ? 0 : j->owner[s]];
		for (f = 0; f < h->nfields; f++)
			nfj_data_store(slot + h->field[f].at,
				       nfj_key_field(j, key->vals[0], f),
				       h->field[f].size);
		for (v = 0; v < h->nvals; v++)
			vals[v] = !empty && v < key->nvals ? key->vals[v] :
				  NFJ_NONE;
	}
}

/**
 * nfj_exact_build - make a table of entries of one shape
 * @e: the program
 * @entries: their numbers, ascending
 * @n: how many
 * @h: the table
 * @left: entries that are not in it, ascending; room for @n
 *
 * Return: how many are left: @n when there is no table.
 */
u32 nfj_exact_build(struct nfj_emit *e, const u32 *entries, u32 n,
		    struct nfj_hash *h, u32 *left)
{
	struct nfj_exact_job j = { .e = e, .h = h };
	u32 bits = 1, try, nleft = n, f, align, ndata = e->out->ndata, max;
	u64 seed = 0x6e66745f62706a69ULL + n;

	memset(h, 0, sizeof(*h));
	if (!nfj_exact_fields(&j, entries, n))
		goto out;
	while (NFJ_PER_BUCKET << bits < n)
		bits++;
	h->shift = 64 - bits;
	j.nbuckets = 1 << bits;
	max = n + n * (NFJ_TRIES + 1) / 16 + 8;
	j.key = kvmalloc_array(n, sizeof(*j.key), GFP_KERNEL);
	j.bucket = kvmalloc_array(j.nbuckets, sizeof(*j.bucket), GFP_KERNEL);
	j.order = kvmalloc_array(j.nbuckets, sizeof(*j.order), GFP_KERNEL);
	j.owner = kvmalloc_array(max, sizeof(*j.owner), GFP_KERNEL);
	if (!j.key || !j.bucket || !j.order || !j.owner) {
		e->err = -ENOMEM;
		goto out;
	}
	align = h->field[0].size > 4 ? 8 : 4;
	h->disp_at = nfj_emit_data(e, j.nbuckets * sizeof(u16), 8);
	for (try = 0; try < NFJ_TRIES && !e->err; try++) {
		for (f = 0; f < h->nfields; f++) {
			h->field[f].mul = nfj_mix(&seed) | 1;
			h->field[f].mul2 = nfj_mix(&seed) | 1;
		}
		nleft = nfj_exact_fill(&j, entries, n, left);
		/* filled to 8/9 at first */
		h->nslots = j.nkeys + j.nkeys * (try + 2) / 16 + 1;
		if (!nfj_exact_displace(&j))
			continue;
		h->slot = ALIGN(h->vals + 4 * h->nvals, align);
		h->slots_at = nfj_emit_data(e, h->nslots * h->slot, 8);
		if (!e->err)
			nfj_exact_write(&j);
		goto out;
	}
	if (!e->err)
		e->out->ndata = ndata;
	memcpy(left, entries, n * sizeof(*entries));
	nleft = n;
out:
	kvfree(j.owner);
	kvfree(j.order);
	kvfree(j.bucket);
	kvfree(j.key);
	if (nleft == n)
		memcpy(left, entries, n * sizeof(*entries));
	return nleft;
}

/**
 * nfj_exact_emit - emit the lookup in a table
 * @e: the program
 * @h: the table
 * @entries: the entries that it was made from
 * @n: how many
 * @miss: as in nfj_emit_hash()
 */
void nfj_exact_emit(struct nfj_emit *e, const struct nfj_hash *h,
		    const u32 *entries, u32 n, u32 miss)
{
	const struct nfj_test *first = nfj_entry_tests(e, entries[0]), *t;
	u32 f;

	for (t = first; t < nfj_entry_end(e, entries[0]); t += t->n) {
		for (f = 0; f < h->nfields; f++)
			if (first + h->field[f].test == t)
				break;
		if (f == h->nfields && nfj_dim_known(e, t) != NFJ_TRUE)
			nfj_emit_test(e, t, miss);
	}
	nfj_emit_hash(e, h, (s64)entries[0] <= e->last_open, miss);
}
