// SPDX-License-Identifier: GPL-2.0-only
/*
 * Matchers: IMR -> programs -> loaded, within the budget.
 *
 * One program searches a chain, or several one after the other where one would be
 * too long, or where it pays to ask about the connection first.
 */
#include <linux/filter.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include "../flow/flow.h"
#include "load.h"

/* Passes that run, for comparison; see NFJ_OPT_* */
static unsigned int nfj_opts = NFJ_OPT_ALL;
module_param_named(passes, nfj_opts, uint, 0644);
MODULE_PARM_DESC(passes, "bit mask of passes: 1 tree, 2 loads, 4 common tests, 8 hash tables, 16 interval tables, 32 start, 64 packed leaves");

/**
 * nfj_matcher_new - a matcher without programs
 * @budget: of the netns; they are on the account of the current task
 *
 * Return: the matcher, to be released with nfj_matcher_put(), or NULL.
 */
struct nfj_matcher *nfj_matcher_new(struct nfj_budget *budget)
{
	struct nfj_matcher *m = kzalloc(sizeof(*m), NFJ_GFP);

	if (!m)
		return NULL;
	refcount_set(&m->ref, 1);
	nfj_payer_init(&m->payer, budget);
	return m;
}

/**
 * nfj_matcher_like - the same, on the account of another
 * @from: the other one
 *
 * Return: the matcher, to be released with nfj_matcher_put(), or NULL.
 */
struct nfj_matcher *nfj_matcher_like(const struct nfj_matcher *from)
{
	struct nfj_matcher *m = kzalloc(sizeof(*m), NFJ_GFP);

	if (!m)
		return NULL;
	refcount_set(&m->ref, 1);
	nfj_payer_copy(&m->payer, &from->payer);
	return m;
}

/**
 * nfj_matcher_put - no longer use a matcher
 * @m: the matcher, or NULL; no packet is in it on the caller's account
 */
void nfj_matcher_put(struct nfj_matcher *m)
{
	u32 i;

	if (!m || !refcount_dec_and_test(&m->ref))
		return;
	for (i = 0; i < m->nprogs; i++)
		bpf_prog_put(m->prog[i].prog);
	kvfree(m->prog);
	nfj_budget_uncharge(m->payer.budget, m->charged);
	nfj_payer_exit(&m->payer);
	kfree(m);
}

/* Load a program, within the budget */
static int nfj_program(struct nfj_matcher *m, const char *name, u32 last,
		       const struct nfj_insns *insns)
{
	size_t size = insns->n * sizeof(*insns->insn) + insns->ndata;
	struct nfj_prog *prog;
	int err;

	prog = kvmalloc_array(m->nprogs + 1, sizeof(*prog), NFJ_GFP);
	if (!prog)
		return -ENOMEM;
	if (m->nprogs)
		memcpy(prog, m->prog, m->nprogs * sizeof(*prog));
	kvfree(m->prog);
	m->prog = prog;
	prog += m->nprogs;
	prog->last = last;
	prog->open = insns->open;

	/* at least this, so as not to bother the verifier in vain */
	err = nfj_budget_charge(m->payer.budget, size);
	if (err) {
		m->refused = size;
		return err;
	}
	err = nfj_load(insns, name, &m->payer, &prog->prog);
	nfj_budget_uncharge(m->payer.budget, size);
	if (err)
		return err;
	size = nfj_load_size(prog->prog) + insns->ndata;
	err = nfj_budget_charge(m->payer.budget, size);
	if (err) {
		m->refused = size;
		bpf_prog_put(prog->prog);
		return err;
	}
	m->charged += size;
	m->nprogs++;
	prog->need = insns->need;
	prog->needs = nfj_need_mask(&prog->need);
	m->insns += insns->n;
	m->jited += prog->prog->jited_len;
	m->tables += insns->ndata;
	return 0;
}

/* Compile and load rules [first, last), in halves where one is too large for
 * the emitter, the verifier or the JIT
 */
static int nfj_programs(const struct nfj_ir *ir, struct nfj_matcher *m,
			const char *name, u32 first, u32 last)
{
	struct nfj_insns insns;
	int err;

	err = nfj_compile(ir, first, last, READ_ONCE(nfj_opts), &insns);
	if (!err)
		err = nfj_program(m, name, last, &insns);
	nfj_insns_free(&insns);
	if ((err == -ERANGE || err == -E2BIG || err == -EOVERFLOW) &&
	    last - first > 1) {
		u32 mid = first + (last - first) / 2;

		err = nfj_programs(ir, m, name, first, mid);
		if (!err)
			err = nfj_programs(ir, m, name, mid, last);
	}
	return err;
}

/* Rules about the connection at the head of a chain, as nearly each firewall has
 * them ("ct state established accept"), get a matcher of their own: most packets
 * end there, and for these nothing else need be extracted.
 */
static u32 nfj_front(const struct nfj_ir *ir)
{
	u32 i, j;

	for (i = 0; i < ir->nentries; i++) {
		const struct nfj_entry *r = &ir->entries[i];

		if (!r->ntests || r->flags & NFJ_ENTRY_DEAD)
			break;
		for (j = 0; j < r->ntests; j++) {
			const struct nfj_test *t = &ir->tests[r->first + j];

			if (nfj_key_groups(t->off, t->size, t->mask) !=
			    NFJ_GROUP_CT)
				return i;
		}
	}
	return i;
}

/**
 * nfj_matcher_build - compile and load all programs of a chain
 * @m: without programs so far
 * @ir: the chain
 * @name: what bpftool shows, see nfj_load_name()
 *
 * Context: sleeps.
 *
 * Return: 0, or an errno; then @m is good for nothing but to be released.
 */
int nfj_matcher_build(struct nfj_matcher *m, const struct nfj_ir *ir,
		      const char *name)
{
	u32 front = nfj_front(ir);
	int err;

	m->nentries = ir->nentries;
	/* an entry leads over the rest of its rule: they stay together */
	while (front && front < ir->nentries &&
	       ir->entries[front].rule == ir->entries[front - 1].rule)
		front--;
	if (front && ir->nentries - front > 2) {
		err = nfj_programs(ir, m, name, 0, front);
		if (err)
			return err;
	} else {
		front = 0;
	}
	return nfj_programs(ir, m, name, front, ir->nentries);
}
