// SPDX-License-Identifier: GPL-2.0-only
/*
 * The planner, how a chain is searched: which entries go into tables, which into
 * trees.
 *
 * Entries of one shape (the same numbers tested for equality, everything else the
 * same) that are many make a table (exact.c).  What is between and beside them
 * makes a tree (tree.c), or, where very many entries test just one number, a
 * sorted table (ivals.c).
 *
 * The entries of a table need not be adjacent.  From the first to the last entry
 * of a table, and of those that overlap with it, is one part of the chain: its
 * tables are looked up one after the other, then the trees of its other entries,
 * and the lowest match is kept.  Parts follow in chain order, and the first that
 * has a match ends the search.
 *
 *	0	ct state established accept	part 1: a tree
 *	1	ip saddr A accept		part 2: table of 1, 2, 4 ...,
 *	2	ip saddr B drop			tree of 3
 *	3	tcp dport 22 counter
 *	4	ip saddr C accept
 *	...
 *
 * A table costs little, but parts add up: a chain that is sorted by shape would be
 * dozens of them.  So what a packet costs is estimated (cost.c) with all tables,
 * with the large ones, and with none, and the least is taken.
 *
 * Preserves: the first entry >= start that matches.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include "tree.h"

#define NFJ_EXACT_MIN	32	/* entries that are worth a table */
#define NFJ_OVERLAP_MAX	4	/* tables that overlap with one */
#define NFJ_TABLES_MAX	8	/* that are looked up in one part */
#define NFJ_SHAPES	1024	/* that are told apart */
#define NFJ_SHAPE_HEADS	256
#define NFJ_GAP		64U	/* other entries between those of a table */
#define NFJ_NOSHAPE	0xffff
#define NFJ_LARGE	4	/* a large table has one entry of so many */

/* A table is data that is written and verified in no time, a tree is code: it must
 * cost a packet less than so many eighths of what the tables do.
 */
#define NFJ_CODE_EIGHTHS	7

/**
 * struct nfj_shape - entries of one shape, by their index in the list
 * @sig: hash of the shape
 * @first: first entry
 * @last: last entry
 * @n: how many
 * @next: next one with this head
 * @may: they may become a table
 * @table: they become one
 */
struct nfj_shape {
	u32	sig;
	u32	first;
	u32	last;
	u32	n;
	u16	next;
	bool	may;
	bool	table;
};

/* a table of a part */
struct nfj_table {
	struct nfj_hash	hash;
	u32		*entries;
	u32		n;
};

/**
 * struct nfj_rest - entries that are in no hash table
 * @sorted: most of them go into an interval table first
 * @forest: trees of all, unless @sorted
 * @n: how many
 * @cost: machine instructions of a packet
 */
struct nfj_rest {
	bool			sorted;
	struct nfj_forest	forest;
	u32			n;
	u32			cost;
};

/**
 * struct nfj_plan - the search of a program
 * @e: the program
 * @cut: for the walk through trees
 * @entries: its entries
 * @n: how many
 * @shape_of: for each entry the number of its shape, or NFJ_NOSHAPE
 * @shape: the shapes
 * @nshapes: how many
 * @head: of the lists of shapes by hash
 * @table: tables of the part at hand
 * @ntables: how many
 * @list: for other entries of a part, twice
 */
struct nfj_plan {
	struct nfj_emit		*e;
	struct nfj_cut		*cut;
	const u32		*entries;
	u32			n;
	u16			*shape_of;
	struct nfj_shape	shape[NFJ_SHAPES];
	u32			nshapes;
	u16			head[NFJ_SHAPE_HEADS];
	struct nfj_table	table[NFJ_TABLES_MAX];
	u32			ntables;
	u32			*list;
};

static u32 nfj_mix32(u32 h, u64 val)
{
	val *= 0x9e3779b97f4a7c15ULL;
	return (h ^ (u32)(val >> 32)) * 0x85ebca6b;
}

static u32 nfj_shape_sig(const struct nfj_emit *e, u32 entry)
{
	const struct nfj_test *t, *end = nfj_entry_end(e, entry);
	u32 h = 0;

	for (t = nfj_entry_tests(e, entry); t < end; t++) {
		h = nfj_mix32(h, t->mask ^ (u64)t->off << 32 ^ t->size << 8 ^
			      t->order << 4 ^ t->kind);
		if (!nfj_exact_field(t))
			h = nfj_mix32(h, t->hi + (t->kind == NFJ_SET_IN ||
						  t->kind == NFJ_SET_OUT ?
						  0 : 3 * t->lo));
	}
	return h;
}

static bool nfj_shape_same(const struct nfj_emit *e, u32 a, u32 b)
{
	const struct nfj_test *s = nfj_entry_tests(e, a);
	const struct nfj_test *t = nfj_entry_tests(e, b);
	u32 i, n = nfj_entry_ntests(e, a);

	if (nfj_entry_ntests(e, b) != n)
		return false;
	for (i = 0; i < n; i++) {
		if (nfj_exact_field(&s[i]) && nfj_exact_field(&t[i])) {
			if (s[i].off != t[i].off || s[i].size != t[i].size ||
			    s[i].order != t[i].order || s[i].mask != t[i].mask)
				return false;
		} else if (!nfj_emit_same(e, &s[i], &t[i])) {
			return false;
		}
	}
	return true;
}

/* Number of the shape that the entry at an index continues or begins */
static u16 nfj_shape_get(struct nfj_plan *p, u32 i)
{
	u32 sig = nfj_shape_sig(p->e, p->entries[i]);
	u16 *head = &p->head[sig % NFJ_SHAPE_HEADS], g;
	struct nfj_shape *s;

	for (g = *head; g != NFJ_NOSHAPE; g = s->next) {
		s = &p->shape[g];
		/* a straggler is not worth a part that reaches to it */
		if (s->sig == sig && i - s->last <= max(NFJ_GAP, 2 * s->n) &&
		    nfj_shape_same(p->e, p->entries[s->first], p->entries[i])) {
			s->last = i;
			s->n++;
			return g;
		}
	}
	if (p->nshapes == NFJ_SHAPES)
		return NFJ_NOSHAPE;
	s = &p->shape[p->nshapes];
	*s = (struct nfj_shape) {
		.sig = sig,
		.first = i,
		.last = i,
		.n = 1,
		.next = *head,
	};
	*head = p->nshapes;
	return p->nshapes++;
}

/* Would the entries of a shape be better off in an interval table or in a tree
 * with their like?  So it is when they test just one number, under a mask, and
 * others of about that number do so under other masks.
 */
static bool nfj_shape_prefix(const struct nfj_plan *p,
			     const struct nfj_shape *s)
{
	const struct nfj_emit *e = p->e;
	u32 entry = p->entries[s->first], same = 0, others = 0, i;
	const struct nfj_test *t, *end = nfj_entry_end(e, entry), *key = NULL;

	for (t = nfj_entry_tests(e, entry); t < end; t += t->n) {
		if (!nfj_exact_field(t) || t->size == 1 ||
		    nfj_test_dim(e, t) == NFJ_NODIM)
			continue;
		if (key)
			return false;
		key = t;
	}
	if (!key)
		return false;
	/* a sample is enough */
	for (i = s->first; i <= s->last; i += s->n / 64 + 1) {
		t = nfj_dim_test(e, p->entries[i], nfj_test_dim(e, key));
		if (!t)
			continue;
		if (nfj_exact_field(t) && t->mask == key->mask)
			same++;
		else
			others++;
	}
	return others > same / 4;
}

/* Choose the shapes that may become tables, the largest first */
static void nfj_plan_tables(struct nfj_plan *p)
{
	u32 i, k, best, overlaps;

	for (;;) {
		best = NFJ_NOSHAPE;
		for (i = 0; i < p->nshapes; i++)
			if (p->shape[i].n >= NFJ_EXACT_MIN &&
			    !p->shape[i].may &&
			    (best == NFJ_NOSHAPE ||
			     p->shape[i].n > p->shape[best].n))
				best = i;
		if (best == NFJ_NOSHAPE)
			return;
		overlaps = 0;
		for (k = 0; k < p->nshapes; k++)
			overlaps += p->shape[k].may &&
				    p->shape[k].first <= p->shape[best].last &&
				    p->shape[k].last >= p->shape[best].first;
		if (overlaps < NFJ_OVERLAP_MAX &&
		    !nfj_shape_prefix(p, &p->shape[best]))
			p->shape[best].may = true;
		else
			p->shape[best].n = 0;
	}
}

/* Those with so many entries do, if they may; how many */
static u32 nfj_plan_use(struct nfj_plan *p, u32 least)
{
	u32 g, tables = 0;

	for (g = 0; g < p->nshapes; g++) {
		struct nfj_shape *s = &p->shape[g];

		s->table = s->may && s->n >= least;
		tables += s->table;
	}
	return tables;
}

/* The next part from the entry at an index on: where does it end, and is it one
 * with tables?
 */
static u32 nfj_plan_part(const struct nfj_plan *p, u32 from, bool *tables)
{
	u32 i, end = p->n, g;
	bool grown;

	*tables = false;
	for (g = 0; g < p->nshapes; g++) {
		if (!p->shape[g].table || p->shape[g].first < from)
			continue;
		if (p->shape[g].first > from) {
			end = min(end, p->shape[g].first);
			continue;
		}
		*tables = true;
	}
	if (!*tables)
		return end;
	/* all that overlap */
	end = from + 1;
	do {
		grown = false;
		for (i = 0; i < p->nshapes; i++) {
			const struct nfj_shape *s = &p->shape[i];

			if (s->table && s->first >= from && s->first < end &&
			    s->last >= end) {
				end = s->last + 1;
				grown = true;
			}
		}
	} while (grown);
	return end;
}

/* Make a table of a shape; what does not go into it is marked as rest */
static void nfj_plan_build(struct nfj_plan *p, u32 g)
{
	struct nfj_shape *s = &p->shape[g];
	struct nfj_table *t = &p->table[p->ntables];
	u32 i, k, m = 0, nleft, *left;

	t->entries = kvmalloc_array(2 * s->n, sizeof(*t->entries), GFP_KERNEL);
	if (!t->entries) {
		p->e->err = -ENOMEM;
		return;
	}
	left = t->entries + s->n;
	for (i = s->first; i <= s->last; i++)
		if (p->shape_of[i] == g)
			t->entries[m++] = p->entries[i];
	t->n = m;
	nleft = nfj_exact_build(p->e, t->entries, m, &t->hash, left);
	for (i = s->first, k = 0; i <= s->last && k < nleft; i++) {
		if (p->entries[i] == left[k]) {
			p->shape_of[i] = NFJ_NOSHAPE;
			k++;
		}
	}
	if (nleft == m)
		kvfree(t->entries);
	else
		p->ntables++;
}

/* How to search entries that are in no hash table; @left has room for as many */
static void nfj_rest_plan(struct nfj_plan *p, const u32 *entries, u32 n,
			  u32 limit, u32 *left, struct nfj_rest *rest)
{
	struct nfj_forest others = {};
	struct nfj_emit *e = p->e;
	u32 nleft, sorted;

	memset(rest, 0, sizeof(*rest));
	rest->n = n;
	if (!n)
		return;
	nleft = nfj_ivals_left(e, entries, n, left);
	sorted = nfj_cost_sorted(n - nleft);
	rest->sorted = !nleft;
	rest->cost = sorted;
	if (rest->sorted)
		return;
	e->err = nfj_forest_plan(p->cut, entries, n, limit, &rest->forest);
	rest->cost = rest->forest.cost;
	if (nleft == n || rest->cost <= sorted || e->err)
		return;
	e->err = nfj_forest_plan(p->cut, left, nleft, rest->cost - sorted,
				 &others);
	if (sorted + others.cost < rest->cost) {
		rest->sorted = true;
		rest->cost = sorted + others.cost;
		nfj_forest_free(&rest->forest);
	}
	nfj_forest_free(&others);
}

/* The entries of a part that are in no table; how many */
static u32 nfj_part_rest(const struct nfj_plan *p, u32 from, u32 to, u32 *list)
{
	u32 i, n = 0;
	u16 g;

	for (i = from; i < to; i++) {
		g = p->shape_of[i];
		if (g == NFJ_NOSHAPE || !p->shape[g].table)
			list[n++] = p->entries[i];
	}
	return n;
}

/* Would trees of these entries be too much code?  Not where leaves are data. */
static bool nfj_part_code(struct nfj_plan *p, const u32 *entries, u32 n)
{
	struct nfj_pack *pack;
	bool code;

	if (n < NFJ_PACK_MIN)
		return false;
	pack = nfj_pack_begin(p->e, entries, n);
	code = !pack || nfj_pack_misfits(pack, entries, n) > n / 8;
	nfj_pack_free(pack);
	return code;
}

/* What the lookups in the tables of a part cost; how many there are */
static u32 nfj_part_tables(const struct nfj_plan *p, u32 from, u32 to, u32 *n)
{
	u32 g, cost = 0;

	*n = 0;
	for (g = 0; g < p->nshapes; g++) {
		const struct nfj_shape *s = &p->shape[g];

		if (!s->table || s->first < from || s->first >= to)
			continue;
		cost += nfj_cost_table(p->e, p->entries[s->first]);
		(*n)++;
	}
	return cost;
}

/* The shapes of a part shall be no tables */
static void nfj_part_drop(struct nfj_plan *p, u32 from, u32 to)
{
	u32 g;

	for (g = 0; g < p->nshapes; g++)
		if (p->shape[g].first >= from && p->shape[g].first < to)
			p->shape[g].table = false;
}

/* How to search the entries at [from, to): with its tables or, where that is better,
 * without: then they are dropped.  What a packet costs; @rest is for all entries
 * that are in none, and to be released.
 */
static u32 nfj_part_plan(struct nfj_plan *p, u32 from, u32 to,
			 struct nfj_rest *rest)
{
	u32 n = nfj_part_rest(p, from, to, p->list), tables;
	u32 cost = nfj_part_tables(p, from, to, &tables), most;
	const u32 *entries = p->entries + from;
	struct nfj_rest all;

	nfj_rest_plan(p, p->list, n, U32_MAX, p->list + n, rest);
	cost += rest->cost;
	most = cost * NFJ_CODE_EIGHTHS / 8;
	/* for the chain as a whole it is known already */
	if (tables + !!n < 2 || to - from == p->n || p->e->err ||
	    most <= nfj_cost_least(to - from) ||
	    nfj_part_code(p, entries, to - from))
		return cost;
	nfj_rest_plan(p, entries, to - from, most, p->list, &all);
	if (all.cost >= most || p->e->err) {
		nfj_forest_free(&all.forest);
		return cost;
	}
	nfj_part_drop(p, from, to);
	nfj_forest_free(&rest->forest);
	*rest = all;
	return rest->cost;
}

/* What a packet costs with the tables that are in use now, or some more than a
 * limit.  Those that match go no further than their part, others through all.
 */
static u32 nfj_plan_cost(struct nfj_plan *p, u32 limit)
{
	struct nfj_rest rest;
	u32 from, to, cost = 0;
	bool tables;

	for (from = 0; from < p->n && cost < limit && !p->e->err; from = to) {
		to = nfj_plan_part(p, from, &tables);
		cost += (u64)nfj_part_plan(p, from, to, &rest) *
			(2 * p->n - from) / (2 * p->n);
		nfj_forest_free(&rest.forest);
	}
	return cost;
}

/* Choose the tables; true when there are none, and @whole is how to search all */
static bool nfj_plan_choose(struct nfj_plan *p, struct nfj_rest *whole)
{
	const u32 large = max_t(u32, DIV_ROUND_UP(p->n, NFJ_LARGE), NFJ_EXACT_MIN);
	const u32 least[] = { NFJ_EXACT_MIN, large };
	u32 ntables, nlarge, n, i, cost, best = U32_MAX, pick = NFJ_EXACT_MIN;

	memset(whole, 0, sizeof(*whole));
	nlarge = nfj_plan_use(p, large);
	if (!nfj_plan_use(p, NFJ_EXACT_MIN))
		return false;
	cost = nfj_part_tables(p, 0, p->n, &ntables);
	n = nfj_part_rest(p, 0, p->n, p->list);
	cost += n ? nfj_cost_least(n) : 0;
	if (cost > nfj_cost_least(p->n) * 8 / NFJ_CODE_EIGHTHS &&
	    !nfj_part_code(p, p->entries, p->n)) {
		nfj_rest_plan(p, p->entries, p->n, U32_MAX, p->list, whole);
		best = whole->cost * 8 / NFJ_CODE_EIGHTHS;
		pick = U32_MAX;
	} else if (!nlarge || nlarge == ntables) {
		return false;
	}
	for (i = 0; i < ARRAY_SIZE(least); i++) {
		if (i && (!nlarge || nlarge == ntables))
			break;
		nfj_plan_use(p, least[i]);
		cost = nfj_plan_cost(p, best);
		if (cost < best) {
			best = cost;
			pick = least[i];
		}
	}
	nfj_plan_use(p, pick);
	if (pick == U32_MAX)
		return true;
	nfj_forest_free(&whole->forest);
	return false;
}

/* Emit the entries at [from, to); @whole is how to search them if that is known, and
 * else NULL.
 */
static void nfj_plan_emit(struct nfj_plan *p, u32 from, u32 to,
			  struct nfj_rest *whole, u32 next)
{
	struct nfj_sorted sorted = {};
	struct nfj_emit *e = p->e;
	struct nfj_rest rest = {};
	u32 i, g, n, miss, *left;

	p->ntables = 0;
	if (whole) {
		rest = *whole;
		whole->forest.list = NULL;
	} else {
		nfj_part_plan(p, from, to, &rest);
	}
	for (g = 0; g < p->nshapes && !e->err; g++) {
		struct nfj_shape *s = &p->shape[g];

		if (!s->table || s->first < from || s->first >= to)
			continue;
		if (p->ntables < NFJ_TABLES_MAX)
			nfj_plan_build(p, g);
		else
			s->table = false;
	}
	n = nfj_part_rest(p, from, to, p->list);
	left = p->list + n;
	if (n != rest.n) {
		/* some found no place in their table */
		nfj_forest_free(&rest.forest);
		nfj_rest_plan(p, p->list, n, U32_MAX, left, &rest);
	}
	if (rest.sorted && !e->err) {
		n = nfj_ivals_build(e, p->list, n, &sorted, left);
		rest.sorted = n < rest.n;
		nfj_forest_free(&rest.forest);
		if (n && !e->err)
			e->err = nfj_forest_plan(p->cut, left, n, U32_MAX,
						 &rest.forest);
	}
	if (e->err)
		goto out;

	e->best = p->ntables + rest.sorted + !!n > 1;
	for (i = 0; i < p->ntables; i++) {
		bool last = i + 1 == p->ntables && !rest.sorted && !n;

		miss = last ? next : nfj_label(e);
		nfj_exact_emit(e, &p->table[i].hash, p->table[i].entries,
			       p->table[i].n, miss);
		if (!last)
			nfj_bind(e, miss);
	}
	if (rest.sorted) {
		miss = n ? nfj_label(e) : next;
		nfj_ivals_emit(e, &sorted, miss);
		if (n)
			nfj_bind(e, miss);
	}
	if (n)
		nfj_forest_emit(p->cut, &rest.forest, next);
out:
	for (i = 0; i < p->ntables; i++)
		kvfree(p->table[i].entries);
	nfj_forest_free(&rest.forest);
}

/**
 * nfj_search - emit entries, searching where that pays
 * @e: the program
 * @entries: numbers of the entries, ascending; none of them dead
 * @n: how many
 */
void nfj_search(struct nfj_emit *e, u32 *entries, u32 n)
{
	struct nfj_plan *p = kvmalloc(sizeof(*p), GFP_KERNEL);
	struct nfj_rest whole = {};
	bool tables, best, one = false;
	u32 i, end, next;

	if (!p) {
		e->err = -ENOMEM;
		return;
	}
	p->e = e;
	p->cut = kvmalloc(sizeof(*p->cut), GFP_KERNEL);
	p->entries = entries;
	p->n = n;
	p->nshapes = 0;
	p->shape_of = kvmalloc_array(n + 1, sizeof(*p->shape_of), GFP_KERNEL);
	p->list = kvmalloc_array(2 * n + 1, sizeof(*p->list), GFP_KERNEL);
	if (!p->cut || !p->shape_of || !p->list) {
		e->err = -ENOMEM;
		goto out;
	}
	p->cut->e = e;
	memset(p->head, 0xff, sizeof(p->head));
	memset(p->shape_of, 0xff, n * sizeof(*p->shape_of));
	if (e->opts & NFJ_OPT_EXACT && n >= NFJ_EXACT_MIN) {
		for (i = 0; i < n; i++)
			p->shape_of[i] = nfj_shape_get(p, i);
		nfj_plan_tables(p);
		one = nfj_plan_choose(p, &whole);
	}
	for (i = 0; i < n && !e->err; i = end) {
		end = nfj_plan_part(p, i, &tables);
		next = end < n ? nfj_label(e) : NFJ_LABEL_EXIT;
		nfj_dims_forget(e);
		if (end < n && (s64)entries[end - 1] < e->last_open)
			nfj_emit_skip(e, entries[end - 1], next, false);
		nfj_plan_emit(p, i, end, one ? &whole : NULL, next);
		best = e->best;
		e->best = false;
		if (end == n)
			break;
		nfj_bind(e, next);
		/* else the verifier would look at what follows once for each
		 * way that leads here, each with other numbers in registers
		 */
		e->loaded = 0;
		if (best)
			nfj_jump(e, BPF_JMP32 | BPF_JNE | BPF_K,
				 NFJ_REG_RESULT, 0, (s32)NFJ_NONE,
				 NFJ_LABEL_EXIT);
	}
out:
	nfj_forest_free(&whole.forest);
	kvfree(p->list);
	kvfree(p->shape_of);
	kvfree(p->cut);
	kvfree(p);
}
