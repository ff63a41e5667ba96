/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shadows: tables of our own in which the engine looks up nft's sets.
 *
 * A set that no rule writes to changes in commits only, apart from time, so a
 * commit that touches it knows all that changes.  Its shadow holds the same keys
 * in a form that takes fewer instructions.  Elements come and go in place, in the
 * shadow, and no program knows of them.
 *
 * When may it be asked?  From the beginning of a commit that touches the set until
 * its end, packets ask nft's own set, which knows generations; in between the
 * shadow becomes what the set will be.  A counter says so: odd, the shadow is
 * closed, and a reader that finds another number behind its lookup than in front
 * of it asks nft as well.
 *
 *	seq	commit of the set's elements
 *	4	(open)
 *	5	prepare: closed, brought up to date
 *		nf_tables_commit(): the generation switches
 *	6	finish: open
 *
 * So a writer may move things in place.  What a reader may meet in the middle of
 * that is wrong but never out of bounds: tables have a fixed size, and when one
 * is outgrown another takes its place and it goes after a grace period.
 *
 * Elements expire by nft's own comparison, with a copy of their time stamp: whether
 * nft has collected them yet can't be seen.  Where an element matters beyond being
 * there (data, counters) its shadow points to it, nft frees it a grace period after
 * a commit took it out, or after it expired.
 */
#ifndef _NFJ_SHADOW_H
#define _NFJ_SHADOW_H

#include <linux/bits.h>
#include <linux/jiffies.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include <net/netfilter/nf_tables.h>
#include "../load/load.h"

/* The longest key: registers of a rule */
#define NFJ_SHADOW_WORDS	16

/* Time stamps: one that never comes, and one that only nft knows */
#define NFJ_NEVER		BIT_ULL(62)
#define NFJ_ASK			0

/**
 * enum nfj_shadow_kind - how a set is looked up
 * @NFJ_SHADOW_WORD: keys of up to 32 bits, hashed
 * @NFJ_SHADOW_WIDE: longer keys, hashed
 * @NFJ_SHADOW_IVALS: intervals of numbers of up to 32 bits
 */
enum nfj_shadow_kind {
	NFJ_SHADOW_WORD,
	NFJ_SHADOW_WIDE,
	NFJ_SHADOW_IVALS,
};

/**
 * enum nfj_shadow_why - why a set is looked up in nft
 * @NFJ_SHADOW_GOOD: it is not
 * @NFJ_SHADOW_KERNEL: this kernel's sets have not been compared with ours
 * @NFJ_SHADOW_DYNAMIC: rules write to it
 * @NFJ_SHADOW_OBJECTS: a map of objects
 * @NFJ_SHADOW_TYPE: keys that no shadow is made for
 * @NFJ_SHADOW_ELEMENT: an element is not like those of its set
 * @NFJ_SHADOW_LIMIT: no room in the budget
 * @NFJ_SHADOW_NOMEM: no memory
 */
enum nfj_shadow_why {
	NFJ_SHADOW_GOOD,
	NFJ_SHADOW_KERNEL,
	NFJ_SHADOW_DYNAMIC,
	NFJ_SHADOW_OBJECTS,
	NFJ_SHADOW_TYPE,
	NFJ_SHADOW_ELEMENT,
	NFJ_SHADOW_LIMIT,
	NFJ_SHADOW_NOMEM,
};

/**
 * struct nfj_hash - keys, hashed
 * @rcu: frees it
 * @bytes: that it takes
 * @mul: what hashes; odd, of the table's own
 * @shift: what is left of the product is the place
 * @none: tag of an empty place
 * @places: that keys may be hashed to; more follow, the last one is always empty
 * @n: keys
 * @words: of a key, in @keys
 * @keys: by place; NULL where the tag is the key
 * @expires: by place, or NULL
 * @ext: by place, or NULL
 * @tag: by place: the key, or a hash of it
 *
 * A key lies at the first empty place from its own on.  At most three places of
 * eight are taken.
 */
struct nfj_hash {
	struct rcu_head			rcu;
	size_t				bytes;
	u64				mul;
	u32				shift;
	u32				none;
	u32				places;
	u32				n;
	u32				words;
	u32				*keys;
	u64				*expires;
	const struct nft_set_ext	**ext;
	u32				tag[];
};

/**
 * struct nfj_end - where an interval begins, or is over
 * @key: first number
 * @val: NFJ_END_OVER, and which element begins there, 0 for none.  Elements of a
 *	 set without data and such are all 1.
 */
struct nfj_end {
	u32	key;
	u32	val;
};

#define NFJ_END_OVER	0x80000000U
#define NFJ_END_ELEM	0x7fffffffU

/**
 * struct nfj_ivals - intervals of numbers, by their upper bits
 * @rcu: frees it
 * @bytes: that it takes
 * @shift: what is left of a number is its bucket
 * @nbuckets: buckets
 * @nends: ends of intervals
 * @pool_n: entries of @pool that were given out
 * @pool_max: entries that there are
 * @nelems: elements that were given a number; there is none with 0
 * @elems_max: numbers that there are
 * @free_elem: list of free numbers, by what stands in @ext; 0: none
 * @free: lists of free blocks of @pool, by size
 * @pool: ends
 * @ext: elements, or NULL
 * @bucket: lower half: where its ends lie in @pool, upper half: how many.  There is
 *	    one in front of them, for numbers below the first.  Without ends the
 *	    lower half is the value of all numbers of the bucket.
 */
struct nfj_ivals {
	struct rcu_head			rcu;
	size_t				bytes;
	u32				shift;
	u32				nbuckets;
	u32				nends;
	u32				pool_n;
	u32				pool_max;
	u32				nelems;
	u32				elems_max;
	u32				free_elem;
	u32				free[32];
	struct nfj_end			*pool;
	const struct nft_set_ext	**ext;
	u64				bucket[];
};

/**
 * struct nfj_shadow - our own table of a set
 * @seq: odd: not to be asked
 * @quick_seq: the same for @quick
 * @quick: @hash, where keys are four bytes and there is nothing else to them
 * @mask: bits of the last word of a key that count
 * @hash: the table, or NULL
 * @ivals: likewise
 * @kind: enum nfj_shadow_kind
 * @words: of a key
 * @klen: bytes of a key
 * @refs: elements have data or expressions
 * @times: elements may expire
 * @all: there is an element for what no other matches
 * @all_ext: that
 * @all_expires: when it expires
 * @set: the set, which may be gone; an address to compare with
 * @handle: its handle
 * @table: handle of its table
 * @cookie: of its netns; the three of them are unique
 * @node: in the table of shadows
 * @ref: states, and commits, that use it
 * @lock: guards @busy and changes of @seq
 * @busy: commits that are under way and touch the set
 * @why: enum nfj_shadow_why
 * @fails: how often it could not be made, or kept, in a row
 * @skip: commits to let pass before it is tried again
 * @good: the table is what the set is, or will be in a moment
 * @touched: list of the commit that brings it up to date
 * @budget: whose memory it takes
 */
struct nfj_shadow {
	u32				seq;
	u32				quick_seq;
	const struct nfj_hash		*quick;
	u32				mask;
	struct nfj_hash	__rcu		*hash;
	struct nfj_ivals __rcu		*ivals;
	u8				kind;
	u8				words;
	u8				klen;
	bool				refs;
	bool				times;
	bool				all;
	const struct nft_set_ext	*all_ext;
	u64				all_expires;

	const struct nft_set		*set;
	u64				handle;
	u64				table;
	u64				cookie;
	struct hlist_node		node;
	refcount_t			ref;
	spinlock_t			lock;	/* @busy, @seq */
	u32				busy;
	u8				why;
	u8				fails;
	u32				skip;
	bool				good;
	struct list_head		*touched;
	struct nfj_budget		*budget;
};

/**
 * struct nfj_look - a lookup at the beginning of a residue
 * @quick: @shadow, where it has nothing but keys of four bytes, or one that is
 *	   always closed
 * @off: offset of such a key in struct nfj_key
 * @invert: goes on when there is no such element
 * @dreg: index in nft_regs::data of where data goes, or NFJ_NO_DATA
 * @dlen: bytes of data
 * @resume: the expression behind it
 * @shadow: where
 * @fill: the words of the key
 */
struct nfj_look {
	const struct nfj_shadow	*quick;
	u16			off;
	bool			invert;
	u8			dreg;
	u8			dlen;
	const struct nft_expr	*resume;
	struct nfj_shadow	*shadow;
	const struct nfj_fill	*fill;
};

/* One element, for what keeps tables */
struct nfj_item {
	const u32			*key;
	const struct nft_set_ext	*ext;
	u64				expires;
	bool				over;	/* an interval is over here */
	bool				all;	/* for what no other matches */
};

/**
 * struct nfj_shadows - what commits of a netns have to do with shadows
 * @touched: list of the commit that is being prepared, or NULL
 * @updates: it changes time stamps of elements
 * @written: there are, or were, rules that write to sets
 * @waited: that was for the packets that were at such a rule, in this commit
 */
struct nfj_shadows {
	struct list_head	*touched;
	bool			updates;
	bool			written;
	u32			waited;
};

/* hash.c: tables of keys */
struct nfj_hash *nfj_hash_new(const struct nfj_shadow *sh, u32 n);
void nfj_hash_free(const struct nfj_shadow *sh, struct nfj_hash *t);
struct nfj_hash *nfj_hash_remake(const struct nfj_shadow *sh,
				 const struct nfj_hash *t);
bool nfj_hash_idle(const struct nfj_hash *t);
int nfj_hash_put(struct nfj_hash *t, const struct nfj_item *item);
void nfj_hash_del(struct nfj_hash *t, const struct nfj_item *item);
int nfj_hash_find(const struct nfj_hash *t, const u32 *key);

/**
 * struct nfj_ends - ends of intervals, to make a table of
 * @end: the ends
 * @n: how many
 * @max: room
 * @ext: elements by number, if they matter
 * @nelems: behind the last number
 * @free_elem: nfj_ivals::free_elem
 */
struct nfj_ends {
	struct nfj_end			*end;
	u32				n;
	u32				max;
	const struct nft_set_ext	**ext;
	u32				nelems;
	u32				free_elem;
};

/* ivals.c: tables of intervals */
struct nfj_ivals *nfj_ivals_new(const struct nfj_shadow *sh,
				const struct nfj_ends *ends);
void nfj_ivals_free(const struct nfj_shadow *sh, struct nfj_ivals *t);
struct nfj_ivals *nfj_ivals_remake(const struct nfj_shadow *sh,
				   const struct nfj_ivals *t);
int nfj_ivals_put(struct nfj_ivals *t, const struct nfj_item *item, u32 key);
void nfj_ivals_del(struct nfj_ivals *t, const struct nfj_item *item, u32 key);
bool nfj_ivals_idle(const struct nfj_ivals *t);
u32 nfj_ivals_find(const struct nfj_ivals *t, u32 key);

/* shadow.c: a shadow */
void nfj_shadow_busy(struct nfj_shadow *sh, bool busy);
void nfj_shadow_fill(struct nfj_shadow *sh, struct net *net,
		     struct nft_set *set, u8 genmask);
void nfj_shadow_lose(struct nfj_shadow *sh, int err);
void nfj_shadow_change(struct nfj_shadow *sh, const struct nft_set_ext *ext,
		       bool add, bool unknown);
void nfj_shadow_trim(struct nfj_shadow *sh);
enum nfj_shadow_why nfj_shadow_why(const struct nft_set *set);
struct nfj_shadow *nfj_shadow_known(const struct nft_set *set);
struct nfj_shadow *nfj_shadow_make(struct nfj_shadows *all, struct net *net,
				   struct nft_set *set,
				   struct nfj_budget *budget, bool written);
size_t nfj_shadow_bytes(const struct nfj_shadow *sh);
void nfj_shadow_put(struct nfj_shadow *sh);

/* changes.c: commits */
void nfj_shadow_touch(struct nfj_shadows *all, struct nfj_shadow *sh,
		      struct nft_set *set);
void nfj_trans_updates(struct nfj_shadow *sh, struct net *net,
		       struct nft_set *set);
void nfj_shadows_prepare(struct nfj_shadows *all, struct net *net,
			 struct list_head *touched);
void nfj_shadows_prepared(struct nfj_shadows *all);
void nfj_shadows_cancel(struct net *net, struct list_head *touched);
void nfj_shadows_finish(struct list_head *touched);
void nfj_shadow_check(const struct nft_set *set,
		      bool (*written)(const struct nft_set *set));

/**
 * enum nfj_found - what a lookup says
 * @NFJ_MISS: the key is not in the set
 * @NFJ_HIT: it is
 * @NFJ_DONE: nft is to be asked
 */
enum nfj_found {
	NFJ_MISS,
	NFJ_HIT,
	NFJ_DONE,
};

/* find.c: packets */
extern const struct nfj_shadow nfj_shadow_closed;

enum nfj_found nfj_look_find(const struct nfj_look *look,
			     const struct nfj_key *key,
			     const struct nft_set_ext **ext);

/**
 * nfj_hash_word - find a key that is its own tag
 * @t: the table
 * @key: the key
 *
 * Context: packet path, under RCU.
 *
 * Return: its place, or -1.
 */
static __always_inline int nfj_hash_word(const struct nfj_hash *t, u32 key)
{
	u32 none = t->none;
	const u32 *at = &t->tag[(key * (u32)t->mul) >> t->shift];

	for (;; at++) {
		u32 tag = READ_ONCE(*at);

		if (tag == key)
			return key == none ? -1 : at - t->tag;
		if (tag == none)
			return -1;
	}
}

/* May a rule write to a set? */
static inline bool nfj_shadow_writable(const struct nft_set *set)
{
	return set->ops->update && !(set->flags & NFT_SET_CONSTANT);
}

/* Bits of a key's last word that count, as it stands in memory */
static inline u32 nfj_shadow_mask(u32 klen)
{
	u8 byte[4] = { 0xff };
	u32 mask, i;

	for (i = 1; i < 4; i++)
		byte[i] = klen % 4 && klen % 4 <= i ? 0 : 0xff;
	memcpy(&mask, byte, sizeof(mask));
	return mask;
}

/* A key of up to four bytes as nft compares it: the first byte counts most */
static __always_inline u32 nfj_shadow_number(const struct nfj_shadow *sh,
					     u32 key)
{
	return be32_to_cpu((__force __be32)key) >> (32 - 8 * sh->klen);
}

/* May a shadow be asked?  What it then says holds if nfj_shadow_held() */
static __always_inline bool nfj_shadow_open(const struct nfj_shadow *sh,
					    u32 *seq)
{
	*seq = READ_ONCE(sh->seq);
	if (unlikely(*seq & 1))
		return false;
	smp_rmb();	/* pairs with nfj_shadow_settle() */
	return true;
}

static __always_inline bool nfj_shadow_held(const struct nfj_shadow *sh,
					    u32 seq)
{
	smp_rmb();	/* pairs with nfj_shadow_settle() */
	return likely(READ_ONCE(sh->seq) == seq);
}

/**
 * nfj_shadow_quick - look up a key in a set of nothing but keys of four bytes
 * @sh: its shadow, or any other
 * @key: where the key is
 *
 * Context: packet path, under RCU.
 *
 * Return: NFJ_MISS, NFJ_HIT, or NFJ_DONE: ask nfj_look_find().
 */
static __always_inline enum nfj_found
nfj_shadow_quick(const struct nfj_shadow *sh, const void *key)
{
	u32 seq = READ_ONCE(sh->quick_seq);
	bool found;

	if (unlikely(seq & 1))
		return NFJ_DONE;
	smp_rmb();	/* pairs with nfj_shadow_settle() */
	found = nfj_hash_word(READ_ONCE(sh->quick),
			      get_unaligned((const u32 *)key)) >= 0;
	smp_rmb();	/* pairs with nfj_shadow_settle() */
	if (unlikely(READ_ONCE(sh->quick_seq) != seq))
		return NFJ_DONE;
	return found ? NFJ_HIT : NFJ_MISS;
}

#endif /* _NFJ_SHADOW_H */
