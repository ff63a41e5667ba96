// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules one after the other: the plain way, and the leaves of every search.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include "../emit/emit.h"

/* Emit one rule; true when it matches whatever the packet */
static bool nfj_linear_rule(struct nfj_emit *e, u32 r)
{
	const struct nfj_rule *rule = &e->ir->rules[r];
	const struct nfj_test *tests = e->ir->tests;
	bool always = true;
	u32 i, fail;

	for (i = rule->first; i < rule->first + rule->ntests; i += tests[i].n)
		if (nfj_dim_known(e, &tests[i]) == NFJ_FALSE)
			return false;

	fail = nfj_label(e);
	if ((s64)r <= e->last_open) {
		nfj_emit_entry(e, r, fail);
		always = false;
	}
	for (i = rule->first; i < rule->first + rule->ntests; i += tests[i].n) {
		if (nfj_dim_known(e, &tests[i]) == NFJ_TRUE)
			continue;
		nfj_emit_test(e, &tests[i], fail);
		always = false;
	}
	nfj_emit_match(e, r);
	nfj_bind(e, fail);
	return always;
}

/**
 * nfj_linear - emit rules in order
 * @e: the program
 * @rules: their numbers, ascending
 * @n: how many
 * @next: where to go when none matches
 *
 * Preserves: order and entry.  A rule that always matches ends the list.
 *
 * Return: true when one of the rules always matches.
 */
bool nfj_linear(struct nfj_emit *e, const u32 *rules, u32 n, u32 next)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (nfj_linear_rule(e, rules[i]))
			return true;
	nfj_goto(e, next);
	return false;
}
