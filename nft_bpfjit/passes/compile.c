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

/**
 * nfj_compile - write the matcher for a range of rules
 * @ir: the chain
 * @first: first rule
 * @last: behind the last rule
 * @opts: NFJ_OPT_*, which passes to run
 * @out: the program; nfj_insns_free() it, also after an error
 *
 * The program returns the number of the first rule within the range that is
 * not before nfj_key::entry and matches, or NFJ_NONE.
 *
 * Return: 0; -ENOMEM; -ERANGE or -E2BIG when the range must be split.
 */
int nfj_compile(const struct nfj_ir *ir, u32 first, u32 last, u32 opts,
		struct nfj_insns *out)
{
	struct nfj_emit *e;
	u32 *rules, r, n = 0;
	int err = -ENOMEM;

	memset(out, 0, sizeof(*out));
	e = kvzalloc(sizeof(*e), GFP_KERNEL);
	if (!e)
		return -ENOMEM;
	e->ir = ir;
	e->out = out;
	e->opts = opts;
	e->last_open = -1;
	rules = kvmalloc_array(last - first + 1, sizeof(*rules), GFP_KERNEL);
	if (!rules)
		goto out_free;

	/* a rule of several entries may have begun in another program */
	for (r = first; r > 0 && first < last &&
	     ir->rules[r - 1].rule == ir->rules[first].rule; r--)
		if (!(ir->rules[r - 1].flags & NFJ_RULE_TERMINAL))
			e->last_open = ir->rules[r - 1].next - 1;
	for (r = first; r < last; r++) {
		if (ir->rules[r].flags & NFJ_RULE_DEAD)
			continue;
		rules[n++] = r;
		/* what a match skips must look at the entry as well */
		if (!(ir->rules[r].flags & NFJ_RULE_TERMINAL))
			e->last_open = ir->rules[r].next - 1;
	}
	err = nfj_dims_init(e, first, last);
	if (err)
		goto out_rules;

	nfj_emit_start(e);
	if (opts & NFJ_OPT_SEARCH)
		nfj_search(e, rules, n);
	else
		nfj_linear(e, rules, n, NFJ_LABEL_EXIT);
	nfj_emit_exit(e);
	nfj_emit_fixup(e);
	err = e->err;
	kvfree(e->dim_of);
	kvfree(e->label);
	kvfree(e->fixup);
out_rules:
	kvfree(rules);
out_free:
	kvfree(e);
	return err;
}
