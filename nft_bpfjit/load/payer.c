// SPDX-License-Identifier: GPL-2.0-only
/*
 * On whose account programs are loaded.
 *
 * It is a worker that loads them, but for a task that commits.  What that task may
 * do, and whose memory it takes, is found out while it runs and goes along with the
 * matcher; a matcher that takes the place of another goes on the same account.
 *
 * Memory is charged to the task's memory cgroup, as that of the rules is.  Machine
 * code is not: no allocation of the kernel's for it knows of cgroups.  It counts in
 * the budget, like all else.
 */
#include <linux/capability.h>
#include <linux/memcontrol.h>
#include <linux/sched.h>
#include "load.h"

/**
 * nfj_may_load - may the current task load BPF programs?
 *
 * Asks what BPF_PROG_LOAD asks.  That it does not would be no news: nothing is
 * audited.
 *
 * Return: true if so.
 */
bool nfj_may_load(void)
{
	return ns_capable_noaudit(&init_user_ns, CAP_BPF) ||
	       ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN);
}

/**
 * nfj_payer_init - on the account of the current task
 * @payer: filled in, to be released with nfj_payer_exit()
 * @budget: of its netns
 */
void nfj_payer_init(struct nfj_payer *payer, struct nfj_budget *budget)
{
	payer->budget = nfj_budget_get(budget);
	payer->memcg = get_mem_cgroup_from_mm(current->mm);
	payer->slow = false;
}

/**
 * nfj_payer_copy - on the same account
 * @payer: filled in, to be released with nfj_payer_exit()
 * @from: the same as that
 */
void nfj_payer_copy(struct nfj_payer *payer, const struct nfj_payer *from)
{
	*payer = *from;
	nfj_budget_get(payer->budget);
#ifdef CONFIG_MEMCG
	if (payer->memcg)
		css_get(&payer->memcg->css);
#endif
}

/**
 * nfj_payer_exit - no longer
 * @payer: released
 */
void nfj_payer_exit(struct nfj_payer *payer)
{
	mem_cgroup_put(payer->memcg);
	nfj_budget_put(payer->budget);
}
