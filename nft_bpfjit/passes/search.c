// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a chain is searched: which entries go into tables, which into trees.
 *
 * Entries of one shape (the same numbers tested for equality, everything else the
 * same) that are many make a table (exact.c).  What is between and beside them
 * makes a tree (tree.c), or, where very many entries test just one number, a
 * sorted table (ivals.c).
 *
 * The entries of a table need not be adjacent.  From the first to the last entry
 * of a table, and of those that overlap with it, is one part of the chain: its
 * tables are looked up one after the other, then the tree of its other entries,
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
 * Preserves: the first entry >= start that matches.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include "../emit/emit.h"

#define NFJ_EXACT_MIN	32	/* entries that are worth a table */
#define NFJ_OVERLAP_MAX	4	/* tables that overlap with one */
#define NFJ_TABLES_MAX	8	/* that are looked up in one part */
#define NFJ_SHAPES	1024	/* that are told apart */
#define NFJ_SHAPE_HEADS	256
#define NFJ_GAP		64U	/* other entries between those of a table */
#define NFJ_NOSHAPE	0xffff

/**
 * struct nfj_shape - entries of one shape, by their index in the list
 * @sig: hash of the shape
 * @first: first entry
 * @last: last entry
 * @n: how many
 * @next: next one with this head
 * @table: they become a table
 */
struct nfj_shape {
	u32	sig;
	u32	first;
	u32	last;
	u32	n;
	u16	next;
	bool	table;
};

/* a table of a part */
struct nfj_table {
	struct nfj_hash	hash;
	u32		*entries;
	u32		n;
};

/**
 * struct nfj_plan - the search of a program
 * @e: the program
 * @entries: its entries
 * @n: how many
 * @shape_of: for each entry the number of its shape, or NFJ_NOSHAPE
 * @shape: the shapes
 * @nshapes: how many
 * @head: of the lists of shapes by hash
 * @table: tables of the part at hand
 * @ntables: how many
 * @sorted: its interval table
 * @rest: its other entries
 * @nrest: how many
 */
struct nfj_plan {
	struct nfj_emit		*e;
	const u32		*entries;
	u32			n;
	u16			*shape_of;
	struct nfj_shape	shape[NFJ_SHAPES];
	u32			nshapes;
	u16			head[NFJ_SHAPE_HEADS];
	struct nfj_table	table[NFJ_TABLES_MAX];
	u32			ntables;
	struct nfj_sorted	sorted;
	u32			*rest;
	u32			nrest;
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
		} else if (!nfj_test_same(e, &s[i], &t[i])) {
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

/* Choose the shapes that become tables, the largest first */
static void nfj_plan_tables(struct nfj_plan *p)
{
	u32 i, k, best, overlaps;

	for (;;) {
		best = NFJ_NOSHAPE;
		for (i = 0; i < p->nshapes; i++)
			if (p->shape[i].n >= NFJ_EXACT_MIN &&
			    !p->shape[i].table &&
			    (best == NFJ_NOSHAPE ||
			     p->shape[i].n > p->shape[best].n))
				best = i;
		if (best == NFJ_NOSHAPE)
			return;
		overlaps = 0;
		for (k = 0; k < p->nshapes; k++)
			overlaps += p->shape[k].table &&
				    p->shape[k].first <= p->shape[best].last &&
				    p->shape[k].last >= p->shape[best].first;
		if (overlaps < NFJ_OVERLAP_MAX &&
		    !nfj_shape_prefix(p, &p->shape[best]))
			p->shape[best].table = true;
		else
			p->shape[best].n = 0;
	}
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

/* Are tables worth while for the entries at [from, to), or is one tree better? */
static bool nfj_plan_worth(const struct nfj_plan *p, u32 from, u32 to)
{
	u32 g, tables = 0, in = 0;

	for (g = 0; g < p->nshapes; g++) {
		const struct nfj_shape *s = &p->shape[g];

		if (!s->table || s->first < from || s->first >= to)
			continue;
		tables++;
		in += s->n;
	}
	return !nfj_tree_better(p->e, p->entries + from, to - from, tables,
				to - from - in);
}

/* Emit the entries at [from, to) */
static void nfj_plan_emit(struct nfj_plan *p, u32 from, u32 to, bool tables,
			  u32 next)
{
	struct nfj_emit *e = p->e;
	u32 i, g, miss, *rest = p->rest, nrest, tmp;
	bool sorted;

	p->ntables = 0;
	p->nrest = 0;
	tables = tables && nfj_plan_worth(p, from, to);
	for (g = 0; tables && g < p->nshapes && !e->err; g++) {
		struct nfj_shape *s = &p->shape[g];

		if (!s->table || s->first < from || s->first >= to)
			continue;
		if (p->ntables < NFJ_TABLES_MAX)
			nfj_plan_build(p, g);
		else
			s->table = false;
	}
	for (i = from; i < to; i++) {
		g = p->shape_of[i];
		if (!tables || g == NFJ_NOSHAPE || !p->shape[g].table)
			rest[p->nrest++] = p->entries[i];
	}
	/* of those the ones that are left stand behind */
	nrest = nfj_ivals_build(e, rest, p->nrest, &p->sorted,
				rest + p->nrest);
	sorted = nrest < p->nrest;
	rest += p->nrest;
	if (e->err)
		goto out;

	e->best = p->ntables + sorted + (nrest > 0) > 1;
	for (i = 0; i < p->ntables; i++) {
		bool last = i + 1 == p->ntables && !sorted && !nrest;

		miss = last ? next : nfj_label(e);
		nfj_exact_emit(e, &p->table[i].hash, p->table[i].entries,
			       p->table[i].n, miss);
		if (!last)
			nfj_bind(e, miss);
	}
	if (sorted) {
		miss = nrest ? nfj_label(e) : next;
		nfj_ivals_emit(e, &p->sorted, miss);
		if (nrest)
			nfj_bind(e, miss);
	}
	if (nrest)
		nfj_tree(e, rest, nrest, next);
out:
	for (tmp = 0; tmp < p->ntables; tmp++)
		kvfree(p->table[tmp].entries);
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
	u32 i, end, next;
	bool tables, best;

	if (!p) {
		e->err = -ENOMEM;
		return;
	}
	p->e = e;
	p->entries = entries;
	p->n = n;
	p->nshapes = 0;
	p->shape_of = kvmalloc_array(n + 1, sizeof(*p->shape_of), GFP_KERNEL);
	p->rest = kvmalloc_array(2 * n + 1, sizeof(*p->rest), GFP_KERNEL);
	if (!p->shape_of || !p->rest) {
		e->err = -ENOMEM;
		goto out;
	}
	memset(p->head, 0xff, sizeof(p->head));
	if (e->opts & NFJ_OPT_EXACT && n >= NFJ_EXACT_MIN) {
		for (i = 0; i < n; i++)
			p->shape_of[i] = nfj_shape_get(p, i);
		nfj_plan_tables(p);
	}
	for (i = 0; i < n && !e->err; i = end) {
		end = nfj_plan_part(p, i, &tables);
		next = end < n ? nfj_label(e) : NFJ_LABEL_EXIT;
		nfj_dims_forget(e);
		if (end < n && (s64)entries[end - 1] < e->last_open)
			nfj_emit_skip(e, entries[end - 1], next, false);
		nfj_plan_emit(p, i, end, tables, next);
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
	kvfree(p->rest);
	kvfree(p->shape_of);
	kvfree(p);
}
