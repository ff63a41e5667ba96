// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workers of a netns, which take its commit mutex.
 *
 * They have a workqueue of their own.  Each of them may wait as long as a commit
 * takes, and one that compiles waits for loads: on a workqueue of the system's they
 * would keep out others, and, where there are as many as it has room for, the very
 * loads that they wait for (load/load.c).
 */
#include <linux/workqueue.h>
#include "commit.h"

static struct workqueue_struct *nfj_wq;

/**
 * nfj_later_init - make the workqueue
 *
 * Return: 0 or -ENOMEM.
 */
int nfj_later_init(void)
{
	nfj_wq = alloc_workqueue("nft_bpfjit", WQ_UNBOUND, 0);
	return nfj_wq ? 0 : -ENOMEM;
}

/**
 * nfj_later_exit - nobody queues anything any more
 */
void nfj_later_exit(void)
{
	destroy_workqueue(nfj_wq);
}

/**
 * nfj_later - have something done, unless it is queued already
 * @work: what
 * @delay: in how many jiffies
 */
void nfj_later(struct delayed_work *work, unsigned long delay)
{
	queue_delayed_work(nfj_wq, work, delay);
}

/**
 * nfj_later_sooner - what is queued is done in so many jiffies from now
 * @work: what
 * @delay: jiffies
 */
void nfj_later_sooner(struct delayed_work *work, unsigned long delay)
{
	if (delayed_work_pending(work))
		mod_delayed_work(nfj_wq, work, delay);
}
