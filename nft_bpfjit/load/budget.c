// SPDX-License-Identifier: GPL-2.0-only
/*
 * The budget: how much memory programs may take, in one netns and in all.
 *
 * Counted are the pages of the BPF program, its machine code, its tables, what is
 * to be done for each rule (commit/state.c), what is kept of the rules
 * (commit/read.c), and tables of named sets (sets/).  Chains that are interpreted
 * take none of it.  Both are caps, not reservations: who comes first is served, and
 * a chain that finds no room is left to the interpreter, a set to nft.  While a
 * chain is replaced its old and its new programs both count.
 *
 * What a netns uses is counted apart from the netns, since its last programs
 * are freed a grace period after it is gone.
 */
#include <linux/atomic.h>
#include <linux/moduleparam.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include "load.h"

struct nfj_budget {
	refcount_t	ref;
	bool		unlimited;
	atomic_long_t	used;
};

static atomic_long_t nfj_total = ATOMIC_LONG_INIT(0);

static unsigned int nfj_max_netns = 64 * 1024;
module_param_named(max_netns_kb, nfj_max_netns, uint, 0644);
MODULE_PARM_DESC(max_netns_kb, "kilobytes that programs, and what is kept of rules, may take in one network namespace");

static unsigned int nfj_max_total = 256 * 1024;
module_param_named(max_total_kb, nfj_max_total, uint, 0644);
MODULE_PARM_DESC(max_total_kb, "kilobytes that programs, and what is kept of rules, may take in all");

static int nfj_used_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%lu\n",
			  DIV_ROUND_UP(atomic_long_read(&nfj_total), 1024));
}

static const struct kernel_param_ops nfj_used_ops = {
	.get = nfj_used_get,
};

module_param_cb(used_kb, &nfj_used_ops, NULL, 0444);
MODULE_PARM_DESC(used_kb, "kilobytes that they all take now (read only)");

static bool nfj_charge(atomic_long_t *used, size_t bytes, unsigned int kb)
{
	if (atomic_long_add_return(bytes, used) <= (s64)kb * 1024)
		return true;
	atomic_long_sub(bytes, used);
	return false;
}

/**
 * nfj_budget_new - the budget of a new netns
 *
 * Return: the budget, to be released with nfj_budget_put(), or NULL.
 */
struct nfj_budget *nfj_budget_new(void)
{
	struct nfj_budget *b = kzalloc(sizeof(*b), GFP_KERNEL);

	if (b)
		refcount_set(&b->ref, 1);
	return b;
}

/**
 * nfj_budget_unlimited - a budget that no limit counts for
 *
 * For what is there for a moment while the module is loaded, whatever its limits.
 *
 * Return: the budget, to be released with nfj_budget_put(), or NULL.
 */
struct nfj_budget *nfj_budget_unlimited(void)
{
	struct nfj_budget *b = nfj_budget_new();

	if (b)
		b->unlimited = true;
	return b;
}

/**
 * nfj_budget_get - keep a budget
 * @b: the budget
 *
 * Return: the budget.
 */
struct nfj_budget *nfj_budget_get(struct nfj_budget *b)
{
	refcount_inc(&b->ref);
	return b;
}

/**
 * nfj_budget_put - no longer keep it
 * @b: the budget
 */
void nfj_budget_put(struct nfj_budget *b)
{
	if (refcount_dec_and_test(&b->ref))
		kfree(b);
}

static size_t nfj_left(const atomic_long_t *used, unsigned int kb)
{
	return max_t(s64, (s64)kb * 1024 - atomic_long_read(used), 0);
}

/**
 * nfj_budget_room - how much is left?
 * @b: of whose budget
 *
 * Return: bytes; others may take them first.
 */
size_t nfj_budget_room(const struct nfj_budget *b)
{
	return min(nfj_left(&b->used, READ_ONCE(nfj_max_netns)),
		   nfj_left(&nfj_total, READ_ONCE(nfj_max_total)));
}

/**
 * nfj_budget_charge - take memory
 * @b: of whose budget
 * @bytes: how much
 *
 * Return: 0, or -EDQUOT when that is more than is left.
 */
int nfj_budget_charge(struct nfj_budget *b, size_t bytes)
{
	if (b->unlimited)
		return 0;
	if (!nfj_charge(&b->used, bytes, READ_ONCE(nfj_max_netns)))
		return -EDQUOT;
	if (!nfj_charge(&nfj_total, bytes, READ_ONCE(nfj_max_total))) {
		atomic_long_sub(bytes, &b->used);
		return -EDQUOT;
	}
	return 0;
}

/**
 * nfj_budget_uncharge - give it back
 * @b: of whose budget
 * @bytes: how much
 */
void nfj_budget_uncharge(struct nfj_budget *b, size_t bytes)
{
	if (b->unlimited)
		return;
	atomic_long_sub(bytes, &b->used);
	atomic_long_sub(bytes, &nfj_total);
}
