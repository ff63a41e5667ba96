// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packed leaves: the leaves of a large tree as data.
 *
 * A tree of ten thousand entries has thousands of leaves, and a leaf of code is
 * dozens of instructions, each of which the verifier has to look at.  Here the
 * entries of a leaf are records in the data of the program, and all leaves end in
 * one piece of code that compares the packet with records:
 *
 *	ip saddr 10.0.0.0/8 tcp dport 22 ...	saddr	10.0.0.0 .. 10.255.255.255
 *						dport	22 .. 22
 *						l4proto	6 .. 6
 *						nh_len	16 ..
 *						thf_len	4 ..
 *						the entry's number
 *
 * What an entry does not test is an interval of everything.  Fields that tell
 * whether another exists come last, with a lower bound only: reading a field
 * that does not exist does no harm.
 *
 * A leaf of three records enters at the third copy from the end:
 *
 *	leaf:	r9 += where its records are; goto enter 3
 *	enter 3:	r4 = their address - (copies - 3) records; goto the third
 *			copy from the end
 *	...
 *	copy 5:	compare with record 5 of r4; match: leave with its number
 *	copy 6:	...
 *	copy 7:	...; no match
 *
 * Leaves with the same entries are one.  The code of a leaf stands somewhere
 * behind the compares that lead there, so that these jump to it themselves.
 *
 * To the verifier, where the records are must be just some number: if it knew
 * which one, it would follow the copies for each leaf anew.  It loses track of
 * it in a sum with r9, which was zero in a way that it does not see through
 * (x & ~x).
 *
 * Preserves: the first entry >= start of the leaf that matches.  Records are in
 * the order of their entries and hold all of their tests; a leaf with an entry that
 * can't be put so is left to linear.c.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include "../emit/emit.h"

#define NFJ_PACK_FIELDS	12
#define NFJ_PACK_LEAF	64	/* records in a leaf at most */
#define NFJ_PACK_HEADS	512	/* of lists of leaves */
#define NFJ_PACK_PENDING	64	/* leaves that are yet to be emitted */
#define NFJ_NOLEAF	U32_MAX

/**
 * struct nfj_pack_field - what records hold of a number
 * @dim: the number
 * @size: bytes of a bound
 * @at: offset of the lower bound, the upper one is behind it
 * @guard: whether a field exists: one byte, a lower bound only
 */
struct nfj_pack_field {
	u8	dim;
	u8	size;
	u16	at;
	bool	guard;
};

/**
 * struct nfj_pack_leaf - a leaf
 * @first: number of its first record
 * @n: how many
 * @label: where it stands
 * @next: next leaf in the list of its hash
 */
struct nfj_pack_leaf {
	u32	first;
	u32	n;
	u32	label;
	u32	next;
};

/**
 * struct nfj_pack - leaves of a tree
 * @e: the program
 * @field: parts of a record, in the order of comparison
 * @nfields: how many
 * @of: for each number its field, or NFJ_NODIM
 * @entry_at: offset of the entry's number
 * @stride: bytes of a record
 * @start: entries may lie before the start
 * @head: of the lists of leaves by their entries
 * @leaf: leaves
 * @placed: so many of them stand somewhere already
 * @nleaves: how many
 * @leaves_max: room
 * @rec: records
 * @nrecs: how many
 * @recs_max: room
 * @most: in one leaf
 * @enter: for each number of records where a leaf with so many goes
 * @used: ... and whether there is one
 */
struct nfj_pack {
	struct nfj_emit		*e;
	struct nfj_pack_field	field[NFJ_PACK_FIELDS];
	u32			nfields;
	u8			of[NFJ_DIMS];
	u32			entry_at;
	u32			stride;
	bool			start;
	u32			head[NFJ_PACK_HEADS];
	struct nfj_pack_leaf	*leaf;
	u32			placed;
	u32			nleaves;
	u32			leaves_max;
	u8			*rec;
	u32			nrecs;
	u32			recs_max;
	u32			most;
	u32			enter[NFJ_PACK_LEAF + 1];
	bool			used[NFJ_PACK_LEAF + 1];
};

static void nfj_pack_count(const struct nfj_emit *e, const u32 *entries, u32 n,
			   u32 *uses)
{
	const struct nfj_test *t, *end;
	u32 i;
	u8 d;

	for (i = 0; i < n; i++) {
		end = nfj_entry_end(e, entries[i]);
		for (t = nfj_entry_tests(e, entries[i]); t < end; t += t->n) {
			d = nfj_test_dim(e, t);
			if (t->kind == NFJ_IN && d != NFJ_NODIM)
				uses[d]++;
		}
	}
}

/* What most entries test is compared first, existence last */
static void nfj_pack_fields(struct nfj_pack *p, const u32 *entries, u32 n)
{
	const struct nfj_emit *e = p->e;
	u32 uses[NFJ_DIMS] = {}, guard, size, f, at = 0, align = 4;

	memset(p->of, NFJ_NODIM, sizeof(p->of));
	nfj_pack_count(e, entries, n, uses);
	for (guard = 0; guard < 2; guard++) {
		while (p->nfields < NFJ_PACK_FIELDS) {
			struct nfj_pack_field *field = &p->field[p->nfields];
			u32 d, best = e->ndims;

			for (d = 0; d < e->ndims; d++)
				if (uses[d] &&
				    nfj_dim_guard(&e->dim[d]) == guard &&
				    (best == e->ndims || uses[d] > uses[best]))
					best = d;
			if (best == e->ndims)
				break;
			field->dim = best;
			field->guard = guard;
			field->size = guard ? 1 : e->dim[best].size;
			p->of[best] = p->nfields;
			uses[best] = 0;
			p->nfields++;
		}
	}
	for (size = 8; size; size /= 2) {
		for (f = 0; f < p->nfields; f++) {
			if (p->field[f].size != size)
				continue;
			p->field[f].at = at;
			align = max(align, size);
			at += p->field[f].guard ? size : 2 * size;
		}
		if (size == 4) {
			p->entry_at = at;
			at += 4;
		}
	}
	p->stride = ALIGN(at, align);
}

/**
 * nfj_pack_begin - a tree may have packed leaves
 * @e: the program
 * @entries: entries of the tree, ascending
 * @n: how many
 *
 * Return: to be given to the other functions and then to nfj_pack_free(), or
 * NULL when leaves are to be code.
 */
struct nfj_pack *nfj_pack_begin(struct nfj_emit *e, const u32 *entries, u32 n)
{
	struct nfj_pack *p;

	if (!e->pack || n < NFJ_PACK_MIN || e->err)
		return NULL;
	p = kvzalloc(sizeof(*p), GFP_KERNEL);
	if (!p) {
		e->err = -ENOMEM;
		return NULL;
	}
	p->e = e;
	nfj_pack_fields(p, entries, n);
	if (!p->nfields) {
		kvfree(p);
		return NULL;
	}
	memset(p->head, 0xff, sizeof(p->head));
	p->start = (s64)entries[0] <= e->last_open;
	return p;
}

/* Number of the field of a record that a test can be put into, or NFJ_NODIM */
static u8 nfj_pack_test(const struct nfj_pack *p, const struct nfj_test *t)
{
	const struct nfj_emit *e = p->e;
	u8 d = nfj_test_dim(e, t), f;

	if (t->kind != NFJ_IN || d == NFJ_NODIM)
		return NFJ_NODIM;
	f = p->of[d];
	if (f != NFJ_NODIM && p->field[f].guard &&
	    (t->lo > U8_MAX ||
	     nfj_dim_high(&e->dim[d], t, t->hi) < e->dim[d].mask))
		return NFJ_NODIM;
	return f;
}

/* Can an entry?  What is known at this point need not. */
static bool nfj_pack_entry(const struct nfj_pack *p, u32 entry)
{
	const struct nfj_test *t, *end = nfj_entry_end(p->e, entry);

	for (t = nfj_entry_tests(p->e, entry); t < end; t += t->n)
		if (nfj_pack_test(p, t) == NFJ_NODIM &&
		    nfj_dim_known(p->e, t) != NFJ_TRUE)
			return false;
	return true;
}

/**
 * nfj_pack_misfits - which of these entries can't be in packed leaves?
 * @p: the leaves
 * @entries: the entries
 * @n: how many
 *
 * Return: how many must be code.
 */
u32 nfj_pack_misfits(const struct nfj_pack *p, const u32 *entries, u32 n)
{
	u32 i, misfits = 0;

	for (i = 0; i < n; i++)
		misfits += !nfj_pack_entry(p, entries[i]);
	return misfits;
}

/**
 * nfj_pack_fits - can these entries be a packed leaf?
 * @p: the leaves
 * @entries: the entries
 * @n: how many
 *
 * Return: false when they must be code.
 */
bool nfj_pack_fits(const struct nfj_pack *p, const u32 *entries, u32 n)
{
	return n && n <= NFJ_PACK_LEAF && !nfj_pack_misfits(p, entries, n);
}

static void nfj_pack_write(const struct nfj_pack *p, u32 entry, u8 *rec)
{
	const struct nfj_emit *e = p->e;
	const struct nfj_test *t, *end = nfj_entry_end(e, entry);
	u64 lo[NFJ_PACK_FIELDS], hi[NFJ_PACK_FIELDS];
	u32 f;

	for (f = 0; f < p->nfields; f++) {
		lo[f] = 0;
		hi[f] = e->dim[p->field[f].dim].mask;
	}
	for (t = nfj_entry_tests(e, entry); t < end; t += t->n) {
		f = nfj_pack_test(p, t);
		if (f == NFJ_NODIM)
			continue;
		lo[f] = max(lo[f], t->lo);
		hi[f] = min(hi[f], nfj_dim_high(&e->dim[p->field[f].dim], t,
						t->hi));
	}
	memset(rec, 0, p->stride);
	for (f = 0; f < p->nfields; f++) {
		const struct nfj_pack_field *field = &p->field[f];

		nfj_data_store(rec + field->at, lo[f], field->size);
		if (!field->guard)
			nfj_data_store(rec + field->at + field->size, hi[f],
				       field->size);
	}
	*(u32 *)(rec + p->entry_at) = entry;
}

/* Does a leaf have these entries? */
static bool nfj_pack_same(const struct nfj_pack *p,
			  const struct nfj_pack_leaf *leaf, const u32 *entries,
			  u32 n)
{
	const u8 *rec = p->rec + leaf->first * p->stride + p->entry_at;
	u32 i;

	if (leaf->n != n)
		return false;
	for (i = 0; i < n; i++, rec += p->stride)
		if (*(const u32 *)rec != entries[i])
			return false;
	return true;
}

/* Number of the leaf with these entries, which may be a new one; its records are
 * there once, but it stands wherever it is needed.  NFJ_NOLEAF without memory.
 */
static u32 nfj_pack_find(struct nfj_pack *p, const u32 *entries, u32 n)
{
	struct nfj_emit *e = p->e;
	u32 i, hash = n, first = NFJ_NOLEAF, *head;

	for (i = 0; i < n; i++)
		hash = (hash ^ entries[i]) * 0x9e3779b1;
	head = &p->head[hash >> 16 & (NFJ_PACK_HEADS - 1)];
	for (i = *head; i != NFJ_NOLEAF; i = p->leaf[i].next) {
		if (!nfj_pack_same(p, &p->leaf[i], entries, n))
			continue;
		if (i >= p->placed)
			return i;
		first = p->leaf[i].first;
		break;
	}
	if (e->err)
		return NFJ_NOLEAF;
	e->err = nfj_room((void **)&p->leaf, &p->leaves_max, p->nleaves, 1,
			  sizeof(*p->leaf)) ? :
		 nfj_room((void **)&p->rec, &p->recs_max, p->nrecs, n,
			  p->stride);
	if (e->err)
		return NFJ_NOLEAF;
	if (first == NFJ_NOLEAF) {
		first = p->nrecs;
		for (i = 0; i < n; i++)
			nfj_pack_write(p, entries[i],
				       p->rec + p->nrecs++ * p->stride);
	}
	p->leaf[p->nleaves] = (struct nfj_pack_leaf) {
		.first	= first,
		.n	= n,
		.label	= nfj_label(e),
		.next	= *head,
	};
	*head = p->nleaves;
	return p->nleaves++;
}

/**
 * nfj_pack_leaf - a leaf to jump to
 * @p: the leaves
 * @entries: entries that nfj_pack_fits() likes, ascending
 * @n: how many
 *
 * Return: its label, which is good until nfj_pack_place() is called.
 */
u32 nfj_pack_leaf(struct nfj_pack *p, const u32 *entries, u32 n)
{
	u32 i = nfj_pack_find(p, entries, n);

	return i == NFJ_NOLEAF ? NFJ_LABEL_EXIT : p->leaf[i].label;
}

/**
 * nfj_pack_place - emit leaves here, where nothing runs into
 * @p: the leaves
 * @all: or only if there are many
 */
void nfj_pack_place(struct nfj_pack *p, bool all)
{
	struct nfj_emit *e = p->e;
	u32 i;

	if (!all && p->nleaves - p->placed < NFJ_PACK_PENDING)
		return;
	/* labels are found from the end */
	for (i = p->nleaves; i-- > p->placed && !e->err;) {
		const struct nfj_pack_leaf *leaf = &p->leaf[i];

		if (!p->used[leaf->n]) {
			p->used[leaf->n] = true;
			p->enter[leaf->n] = nfj_label(e);
		}
		p->most = max(p->most, leaf->n);
		nfj_bind(e, leaf->label);
		/* r9 = where the records end, less those of all copies */
		nfj_insn(e, BPF_ALU | BPF_ADD | BPF_K, NFJ_REG_ZERO, 0, 0,
			 (leaf->first + leaf->n) * p->stride);
		nfj_goto(e, p->enter[leaf->n]);
	}
	p->placed = p->nleaves;
}

/* The records become data; offset of it.  In front is room for as many records as
 * a leaf can have, which the verifier takes into account.
 */
static u32 nfj_pack_data(struct nfj_pack *p)
{
	struct nfj_emit *e = p->e;
	u32 at;

	at = nfj_emit_data(e, (p->nrecs + p->most) * p->stride, 8);
	if (!e->err)
		memcpy(e->out->data + at + p->most * p->stride, p->rec,
		       p->nrecs * p->stride);
	return at;
}

/* r4 = address of the records of a leaf with so many, less those of the copies that
 * it leaves out
 */
static void nfj_pack_enter(struct nfj_pack *p, u32 at, u32 n, u32 miss)
{
	struct nfj_emit *e = p->e;
	u32 f;

	/* it never is, but that is how it is bounded */
	nfj_jump(e, BPF_JMP | BPF_JGT | BPF_K, NFJ_REG_ZERO, 0,
		 p->nrecs * p->stride, miss);
	nfj_data_addr(e, NFJ_REG_PTR, at);
	nfj_insn(e, BPF_ALU64 | BPF_ADD | BPF_X, NFJ_REG_PTR, NFJ_REG_ZERO, 0,
		 0);
	if (e->best) {
		/* not if what is found is before all of these */
		nfj_data_load(e, NFJ_REG_TMP, NFJ_REG_PTR,
			      (p->most - n) * p->stride + p->entry_at, 4);
		nfj_jump(e, BPF_JMP32 | BPF_JGE | BPF_X, NFJ_REG_TMP,
			 NFJ_REG_RESULT, 0, miss);
	}
	e->loaded &= ~(1U << NFJ_REG_PTR);
	for (f = 0; f < p->nfields; f++) {
		const struct nfj_dim *d = &e->dim[p->field[f].dim];

		if (d->reg && !(e->loaded & 1U << d->reg))
			nfj_value(e, d->off, d->size, d->order, d->mask);
	}
}

/* Compare with a record; to @fail when it does not match */
static void nfj_pack_copy(struct nfj_pack *p, u32 copy, u32 fail, u32 miss)
{
	struct nfj_emit *e = p->e;
	u32 f, base = copy * p->stride;

	for (f = 0; f < p->nfields; f++) {
		const struct nfj_pack_field *field = &p->field[f];
		const struct nfj_dim *d = &e->dim[field->dim];
		u8 reg = nfj_value(e, d->off, d->size, d->order, d->mask);
		u8 class = d->size == 8 ? BPF_JMP : BPF_JMP32;

		/* r3 = lower bound; number < r3 ? */
		nfj_data_load(e, NFJ_REG_IMM, NFJ_REG_PTR, base + field->at,
			      field->size);
		nfj_jump(e, class | BPF_JLT | BPF_X, reg, NFJ_REG_IMM, 0, fail);
		if (field->guard)
			continue;
		nfj_data_load(e, NFJ_REG_IMM, NFJ_REG_PTR,
			      base + field->at + field->size, field->size);
		nfj_jump(e, class | BPF_JGT | BPF_X, reg, NFJ_REG_IMM, 0, fail);
	}
	nfj_data_load(e, NFJ_REG_TMP, NFJ_REG_PTR, base + p->entry_at, 4);
	if (p->start) {
		nfj_emit_load(e, NFJ_REG_IMM, offsetof(struct nfj_key, start), 4,
			      NFJ_HOST);
		nfj_jump(e, BPF_JMP32 | BPF_JLT | BPF_X, NFJ_REG_TMP,
			 NFJ_REG_IMM, 0, fail);
	}
	if (e->best)
		nfj_jump(e, BPF_JMP32 | BPF_JGE | BPF_X, NFJ_REG_TMP,
			 NFJ_REG_RESULT, 0, miss);
	nfj_insn(e, BPF_ALU | BPF_MOV | BPF_X, NFJ_REG_RESULT, NFJ_REG_TMP, 0,
		 0);
	nfj_goto(e, e->found);
}

/**
 * nfj_pack_finish - emit what the leaves have in common
 * @p: the leaves
 * @next: where to go when no entry matches
 */
void nfj_pack_finish(struct nfj_pack *p, u32 next)
{
	u32 at, m, c, copy[NFJ_PACK_LEAF];
	struct nfj_emit *e = p->e;

	nfj_pack_place(p, true);
	if (!p->most || e->err)
		return;
	at = nfj_pack_data(p);
	for (c = 0; c < p->most; c++)
		copy[c] = nfj_label(e);
	for (m = 1; m <= p->most; m++) {
		if (!p->used[m])
			continue;
		nfj_bind(e, p->enter[m]);
		nfj_pack_enter(p, at, m, next);
		nfj_goto(e, copy[p->most - m]);
	}
	for (c = 0; c < p->most; c++) {
		nfj_bind(e, copy[c]);
		nfj_pack_copy(p, c, c + 1 < p->most ? copy[c + 1] : next, next);
	}
}

/**
 * nfj_pack_zero - make the register that is zero, unknown to the verifier
 * @e: the program
 *
 * It is so until a leaf is reached.
 */
void nfj_pack_zero(struct nfj_emit *e)
{
	nfj_emit_load(e, NFJ_REG_ZERO, offsetof(struct nfj_key, start), 4,
		      NFJ_HOST);
	nfj_insn(e, BPF_ALU64 | BPF_MOV | BPF_X, NFJ_REG_TMP, NFJ_REG_ZERO, 0,
		 0);
	nfj_insn(e, BPF_ALU64 | BPF_XOR | BPF_K, NFJ_REG_TMP, 0, 0, -1);
	nfj_insn(e, BPF_ALU64 | BPF_AND | BPF_X, NFJ_REG_ZERO, NFJ_REG_TMP, 0,
		 0);
}

/**
 * nfj_pack_free - release leaves
 * @p: the leaves, or NULL
 */
void nfj_pack_free(struct nfj_pack *p)
{
	if (!p)
		return;
	kvfree(p->leaf);
	kvfree(p->rec);
	kvfree(p);
}
