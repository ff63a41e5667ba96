// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables of sets' shadows (nft_bpfjit/sets/hash.c, ivals.c, find.c) against lists that are
 * searched one by one: elements come, change and go at random, in few numbers that
 * collide and in many, and after each change keys are looked up, those next to each
 * element among them.
 *
 * usage: tables [SEED [ROUNDS]]
 *
 * What the kernel has is in shim/; memory is checked by the sanitizers.
 */
#include <stdio.h>
#include <more.h>
#include "../../nft_bpfjit/sets/shadow.h"

#define MANY	6000

static u64 state;
static u64 now = 1000;
static long charged;
long shim_alloc_fail = -1;
unsigned long shim_alloc_count;
long shim_alloc_live;
static unsigned int tests, failed;

u64 get_random_u64(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dULL;
}

u32 get_random_u32(void)
{
	return get_random_u64() >> 32;
}

u64 get_jiffies_64(void)
{
	return now;
}

int nfj_budget_charge(struct nfj_budget *b, size_t bytes)
{
	charged += bytes;
	return 0;
}

void nfj_budget_uncharge(struct nfj_budget *b, size_t bytes)
{
	charged -= bytes;
}

static u32 below(u32 n)
{
	return get_random_u32() % n;
}

/* An element as the lists have it */
struct elem {
	u32		key[NFJ_SHADOW_WORDS];
	u32		number;
	bool		over;
	u64		expires;
	unsigned long	ext;
};

static struct elem list[MANY];
static u32 nlist;

static struct nfj_item item_of(const struct elem *e)
{
	return (struct nfj_item){
		.key = e->key, .ext = (void *)e->ext,
		.expires = e->expires, .over = e->over,
	};
}

static struct elem *find(const struct elem *like, u32 words)
{
	u32 i;

	for (i = 0; i < nlist; i++)
		if (!memcmp(list[i].key, like->key, words * 4) &&
		    list[i].over == like->over)
			return &list[i];
	return NULL;
}

/* Returns why not, or NULL */
static const char *hash_same(const struct nfj_hash *t, const struct elem *like,
			     u32 words)
{
	const struct elem *e = find(like, words);
	int at = nfj_hash_find(t, like->key);

	if (!e)
		return at < 0 || (t->expires && t->expires[at] <= now) ?
		       NULL : "found what is not there";
	if (at < 0)
		return t->expires && e->expires <= now ? NULL :
		       "did not find what is there";
	if (t->ext && t->ext[at] != (void *)e->ext)
		return "another element";
	if (t->expires && t->expires[at] != e->expires)
		return "another time stamp";
	return NULL;
}

static void random_key(struct elem *e, u32 words, u32 keys, u32 step)
{
	u32 i;

	memset(e, 0, sizeof(*e));
	for (i = 0; i < words; i++)
		e->key[i] = below(keys) * step;
}

static const char *hash_test(u32 words, bool refs, bool times, u32 keys,
			     u32 step, u32 many)
{
	struct nfj_shadow sh = {
		.kind = words > 1 ? NFJ_SHADOW_WIDE : NFJ_SHADOW_WORD,
		.words = words, .klen = words * 4, .refs = refs, .times = times,
	};
	struct nfj_hash *t = nfj_hash_new(&sh, 0), *new;
	const char *why = NULL;
	struct elem e, *old;
	struct nfj_item item;
	u32 i, try;
	int err;

	nlist = 0;
	for (i = 0; i < 4 * many && !why; i++) {
		random_key(&e, words, keys, step);
		e.ext = i + 1;
		e.expires = times && below(4) ? now + below(200) : NFJ_NEVER;
		old = find(&e, words);
		now += times;
		if (below(many) >= nlist && nlist < MANY) {
			item = item_of(&e);
			for (try = 0; ; try++) {
				err = nfj_hash_put(t, &item);
				if (!err)
					break;
				new = try > 4 ? ERR_PTR(-ENOMEM) :
						nfj_hash_remake(&sh, t);
				if (IS_ERR(new))
					return "no room";
				nfj_hash_free(&sh, t);
				t = new;
			}
			if (!old)
				old = &list[nlist++];
			*old = e;
		} else if (nlist) {
			old = &list[below(nlist)];
			e = *old;
			item = item_of(&e);
			nfj_hash_del(t, &item);
			*old = list[--nlist];
			if (nfj_hash_find(t, e.key) >= 0)
				why = "found what was deleted";
		}
		if (!why)
			why = hash_same(t, &e, words);
		random_key(&e, words, keys, step);
		if (!why)
			why = hash_same(t, &e, words);
		if (!why && i % 500 == 499)
			for (try = 0; try < nlist && !why; try++)
				why = hash_same(t, &list[try], words);
		if (nfj_hash_idle(t)) {
			new = nfj_hash_remake(&sh, t);
			nfj_hash_free(&sh, t);
			t = new;
		}
	}
	nfj_hash_free(&sh, t);
	return why ? why : charged ? "the budget" : NULL;
}

/* The element that a number is in: of ends at or below it the greatest, and what
 * begins there counts
 */
static const struct elem *in(u32 number)
{
	const struct elem *best = NULL;
	u32 i;

	for (i = 0; i < nlist; i++) {
		const struct elem *e = &list[i];

		if (e->number > number ||
		    (best && (e->number < best->number ||
			      (e->number == best->number && e->over))))
			continue;
		best = e;
	}
	return best && !best->over ? best : NULL;
}

static const char *ivals_same(const struct nfj_ivals *t, u32 number)
{
	const struct elem *e = in(number);
	u32 nr = nfj_ivals_find(t, number);

	if (!e != !nr)
		return e ? "did not find what is there" :
			   "found what is not there";
	return e && t->ext && t->ext[nr] != (void *)e->ext ? "another element" :
							     NULL;
}

static u32 number_of(u32 klen, u32 keys, u32 step)
{
	u32 max = klen < 4 ? (1U << 8 * klen) - 1 : U32_MAX;

	if (!below(20))
		return below(2) ? 0 : max;
	return below(keys) * step & max;
}

static const char *ivals_test(u32 klen, bool refs, u32 keys, u32 step, u32 many)
{
	struct nfj_shadow sh = {
		.kind = NFJ_SHADOW_IVALS, .words = 1, .klen = klen, .refs = refs,
	};
	struct nfj_ends none = { .nelems = 1 };
	static const struct nft_set_ext *nothing[1];
	const char *why = NULL;
	struct nfj_ivals *t, *new;
	struct nfj_item item;
	struct elem e, *old;
	u32 i, try;
	int err;

	none.ext = nothing;
	t = nfj_ivals_new(&sh, &none);
	nlist = 0;
	for (i = 0; i < 4 * many && !why; i++) {
		memset(&e, 0, sizeof(e));
		e.number = number_of(klen, keys, step);
		e.key[0] = htobe32(e.number << (32 - 8 * klen));
		e.over = below(2);
		e.ext = i + 1;
		old = find(&e, 1);
		item = item_of(&e);
		if (below(many) >= nlist && nlist < MANY) {
			for (try = 0; ; try++) {
				err = nfj_ivals_put(t, &item, e.number);
				if (!err)
					break;
				new = try > 4 ? ERR_PTR(-ENOMEM) :
						nfj_ivals_remake(&sh, t);
				if (IS_ERR(new))
					return "no room";
				nfj_ivals_free(&sh, t);
				t = new;
			}
			if (!old)
				old = &list[nlist++];
			*old = e;
		} else if (nlist) {
			old = &list[below(nlist)];
			e = *old;
			item = item_of(&e);
			nfj_ivals_del(t, &item, e.number);
			*old = list[--nlist];
		}
		why = ivals_same(t, e.number);
		if (!why && e.number)
			why = ivals_same(t, e.number - 1);
		if (!why && e.number < U32_MAX >> (32 - 8 * klen))
			why = ivals_same(t, e.number + 1);
		if (!why)
			why = ivals_same(t, number_of(klen, keys, step));
		if (!why && i % 500 == 499)
			for (try = 0; try < nlist && !why; try++)
				why = ivals_same(t, list[try].number);
		if (!why && (nfj_ivals_idle(t) || !below(200))) {
			new = nfj_ivals_remake(&sh, t);
			nfj_ivals_free(&sh, t);
			t = new;
			for (try = 0; try < nlist && !why; try++)
				why = ivals_same(t, list[try].number);
		}
	}
	nfj_ivals_free(&sh, t);
	return why ? why : charged ? "the budget" : NULL;
}

/* Lookups in a set of one word with an element for what no other matches: what is
 * found of 0 and of 7, which is in the set, as digits
 */
static int all_found(bool open, bool all, bool invert, u64 expires)
{
	struct nfj_shadow sh = {
		.kind = NFJ_SHADOW_WORD, .klen = 4, .words = 1, .mask = U32_MAX,
		.seq = !open, .all = all, .all_expires = expires,
	};
	const struct nfj_fill fill = { .len = 4 };
	const struct nfj_look look = {
		.shadow = &sh, .quick = &nfj_shadow_closed, .fill = &fill,
		.invert = invert,
	};
	const struct elem e = { .key = { 7 } };
	const struct nfj_item item = item_of(&e);
	const struct nft_set_ext *ext;
	struct nfj_key key = { };
	int found;

	sh.hash = nfj_hash_new(&sh, 1);
	while (nfj_hash_put(sh.hash, &item)) {
		nfj_hash_free(&sh, sh.hash);
		sh.hash = nfj_hash_new(&sh, 1);
	}
	found = nfj_look_find(&look, &key, &ext) * 10;
	key.data[0] = 7;
	found += nfj_look_find(&look, &key, &ext);
	nfj_hash_free(&sh, sh.hash);
	return found;
}

static const char *all_test(void)
{
	const int miss = NFJ_MISS * 10, hit = NFJ_HIT * 10, ask = NFJ_DONE * 10;

	if (all_found(true, false, false, 0) != miss + NFJ_HIT ||
	    all_found(true, false, true, 0) != miss + NFJ_HIT)
		return "without one";
	if (all_found(true, true, false, NFJ_NEVER) != hit + NFJ_HIT ||
	    all_found(true, true, false, now + 1) != hit + NFJ_HIT)
		return "with one";
	if (all_found(true, true, false, now) != miss + NFJ_HIT)
		return "one that has expired";
	if (all_found(true, true, false, NFJ_ASK) != ask + NFJ_HIT)
		return "one whose time is not known";
	if (all_found(true, true, true, NFJ_NEVER) != ask + NFJ_DONE)
		return "\"not in the set\" is for nft to say";
	if (all_found(false, false, false, 0) != ask + NFJ_DONE)
		return "closed";
	return charged ? "the budget" : NULL;
}

/* No memory for a table, or for the larger one that comes next: what is there stays,
 * and nothing is charged for what is not
 */
static const char *memory_test(void)
{
	struct nfj_shadow sh = {
		.kind = NFJ_SHADOW_WIDE, .words = 2, .klen = 8, .refs = true,
		.times = true,
	};
	struct nfj_shadow iv = {
		.kind = NFJ_SHADOW_IVALS, .words = 1, .klen = 4, .refs = true,
	};
	struct nfj_ends ends = { .nelems = 1 };
	const struct elem e = { .key = { 7, 8 }, .ext = 9, .expires = NFJ_NEVER };
	const struct nfj_item item = item_of(&e);
	struct nfj_hash *t;
	struct nfj_ivals *v;
	long had;
	int i;

	ends.ext = calloc(1, sizeof(*ends.ext));
	shim_alloc_fail = 0;
	if (!IS_ERR(nfj_hash_new(&sh, 5)) || charged)
		return "a new table";
	shim_alloc_fail = 0;
	if (!IS_ERR(nfj_ivals_new(&iv, &ends)) || charged)
		return "a new table of intervals";
	shim_alloc_fail = -1;
	t = nfj_hash_new(&sh, 5);
	v = nfj_ivals_new(&iv, &ends);
	nfj_hash_put(t, &item);
	nfj_ivals_put(v, &item, 7);
	had = charged;
	for (i = 0; i < 2; i++) {
		if (!i) {
			shim_alloc_fail = 0;
			if (!IS_ERR(nfj_hash_remake(&sh, t)) || charged != had)
				return "a larger table";
		}
		shim_alloc_fail = i;
		if (!IS_ERR(nfj_ivals_remake(&iv, v)) || charged != had)
			return "a larger table of intervals";
	}
	shim_alloc_fail = -1;
	if (nfj_hash_find(t, e.key) < 0 || !nfj_ivals_find(v, 7))
		return "what is there";
	nfj_hash_free(&sh, t);
	nfj_ivals_free(&iv, v);
	free(ends.ext);
	return charged ? "the budget" : NULL;
}

static void result(const char *what, const char *why)
{
	tests++;
	failed += !!why;
	printf("%sok %u %s%s%s\n", why ? "not " : "", tests, what,
	       why ? ": " : "", why ? why : "");
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 2 ? strtoul(argv[2], NULL, 0) : 1, i;
	u64 seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;

	for (i = 0; i < rounds; i++) {
		state = (seed + i) * 0x9e3779b97f4a7c15ULL | 1;
		result("hash: few words, close", hash_test(1, false, false, 300, 1, 100));
		result("hash: many words", hash_test(1, true, false, 1 << 20, 1 << 12, 3000));
		result("hash: words that expire", hash_test(1, true, true, 5000, 1 << 24, 1000));
		result("hash: addresses in order", hash_test(1, false, false, 4000, 1 << 16, 2000));
		result("hash: long keys", hash_test(4, true, false, 12, 1, 2000));
		result("hash: long keys that expire", hash_test(16, false, true, 2, 7, 500));
		result("intervals: of addresses", ivals_test(4, false, 1 << 20, 4096, 3000));
		result("intervals: close", ivals_test(4, false, 200, 1, 100));
		result("intervals: in one bucket", ivals_test(4, true, 3000, 1, 2000));
		result("intervals: with elements", ivals_test(4, true, 1 << 20, 4096, 3000));
		result("intervals: of ports", ivals_test(2, true, 65536, 1, 1500));
		result("intervals: of bytes", ivals_test(1, false, 256, 1, 100));
		result("what no element matches", all_test());
		result("no memory", memory_test());
	}
	printf("1..%u\n", tests);
	return !!failed;
}
