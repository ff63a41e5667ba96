// SPDX-License-Identifier: GPL-2.0-only
/*
 * From IMR to a program: the passes in their order.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "../emit/emit.h"

/* What the engine fills into registers for the residue of an entry of this program
 * is read as well, when the program has found it.
 */
static void nfj_reads_fills(struct nfj_emit *e, const struct nfj_entry *entry)
{
	u32 i, j;

	for (i = 0; i < entry->nfills; i++) {
		const struct nfj_fill *fill = &e->ir->fills[entry->fill + i];

		for (j = 0; j < fill->len; j++)
			nfj_reads_key(e, fill->off + j, 1, 0);
	}
}

/**
 * nfj_compile - write the matcher for a range of entries
 * @ir: the chain
 * @first: first entry
 * @last: behind the last entry
 * @opts: NFJ_OPT_*, which passes to run
 * @out: the program; nfj_insns_free() it, also after an error
 *
 * The program returns the number of the first entry within the range that is
 * not before nfj_key::start and matches, or NFJ_NONE.
 *
 * A start lies at 0 or at the nfj_entry::next of an entry that is not terminal, or
 * anywhere up to nfj_insns::open, which is behind the last of these; what another
 * one would give is not defined.
 *
 * Return: 0; -ENOMEM; -EBADMSG for a chain that is not as the front end makes
 * them; -ERANGE or -E2BIG when the range must be split.
 */
int nfj_compile(const struct nfj_ir *ir, u32 first, u32 last, u32 opts,
		struct nfj_insns *out)
{
	struct nfj_emit *e;
	u32 *entries, r, n = 0;
	int err = -ENOMEM;

	memset(out, 0, sizeof(*out));
	e = kvzalloc(sizeof(*e), GFP_KERNEL);
	if (!e)
		return -ENOMEM;
	e->ir = ir;
	e->out = out;
	e->opts = opts;
	e->last_open = -1;
	e->pack = opts & NFJ_OPT_PACK && opts & NFJ_OPT_SEARCH &&
		  last - first >= NFJ_PACK_MIN;
	entries = kvmalloc_array(last - first + 1, sizeof(*entries), GFP_KERNEL);
	if (!entries)
		goto out_free;

	/* an earlier part of the chain may lead into this one */
	for (r = 0; r < last; r++) {
		const struct nfj_entry *entry = &ir->entries[r];

		if (entry->flags & NFJ_ENTRY_DEAD)
			continue;
		if (r >= first) {
			entries[n++] = r;
			nfj_reads_fills(e, entry);
		}
		if (!(entry->flags & NFJ_ENTRY_TERMINAL) && entry->next > first)
			e->last_open = max_t(s64, e->last_open,
					     entry->next - 1);
	}
	out->open = e->last_open + 1;
	err = nfj_dims_init(e, first, last);
	if (err)
		goto out_rules;
	nfj_dims_forget(e);

	nfj_emit_begin(e);
	nfj_search(e, entries, n);
	nfj_bind(e, e->exit);
	nfj_emit_exit(e);
	nfj_emit_fixup(e);
	err = e->err;
out_rules:
	kvfree(e->at);
	kvfree(e->dim_of);
	kvfree(e->test);
	kvfree(e->place);
	kvfree(e->open);
	kvfree(e->fixup);
	kvfree(entries);
out_free:
	kvfree(e);
	return err;
}
