// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hook: prepare -> nf_tables_commit() -> finish or cancel.
 *
 * ftrace redirects calls of nf_tables_commit() to a wrapper with the same
 * arguments.  The wrapper calls the original; ftrace sees that call too and
 * lets it through because it comes from this module, which is why the wrapper
 * must not tail-call.  A second wrapper stands in nf_tables_chain_destroy() in
 * the same way and hears of chains that go, whoever destroys them: a
 * transaction, a netns, a socket that owned the table.  It is a wrapper because
 * an ftrace handler itself runs with preemption off, where PREEMPT_RT forbids
 * the locks and the memory allocator that our part of it takes.
 *
 * Unloading: once the handlers are unregistered nobody enters a wrapper anew,
 * but a task may be on its way into it (synchronize_rcu_tasks()), sleep in it
 * (the counter), or be about to leave (synchronize_rcu_tasks() again).
 */
#include <linux/atomic.h>
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/wait.h>
#include "hook.h"

/* tasks in either wrapper */
static atomic_t nfj_inflight = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(nfj_idle);

static const struct nfj_hook_fns *nfj_fns;

static void nfj_enter(void)
{
	atomic_inc(&nfj_inflight);
}

static void nfj_leave(void)
{
	if (atomic_dec_and_test(&nfj_inflight))
		wake_up_all(&nfj_idle);
}

/* Called instead of nf_tables_commit(), with the commit mutex held; on success
 * the original has released it, after a failure it is still held.
 */
static noinline int nfj_commit(struct net *net, struct sk_buff *skb)
{
	LIST_HEAD(changes);
	int err;

	nfj_enter();
	nfj_fns->prepare(net, &changes);
	err = nfj_sym.commit(net, skb);
	if (err)
		nfj_fns->cancel(net, &changes);
	else
		nfj_fns->finish(net, &changes);
	nfj_leave();
	return err;
}

/* Called instead of nf_tables_chain_destroy(), which may sleep */
static noinline void nfj_chain_destroy(struct nft_chain *chain)
{
	nfj_enter();
	nfj_fns->destroyed(chain);
	nfj_sym.chain_destroy(chain);
	nfj_leave();
}

static void notrace nfj_commit_thunk(unsigned long ip, unsigned long parent_ip,
				     struct ftrace_ops *ops,
				     struct ftrace_regs *fregs)
{
	if (!within_module(parent_ip, THIS_MODULE))
		ftrace_regs_set_instruction_pointer(fregs,
						    (unsigned long)nfj_commit);
}

static void notrace nfj_destroy_thunk(unsigned long ip,
				      unsigned long parent_ip,
				      struct ftrace_ops *ops,
				      struct ftrace_regs *fregs)
{
	if (!within_module(parent_ip, THIS_MODULE))
		ftrace_regs_set_instruction_pointer(fregs,
						    (unsigned long)nfj_chain_destroy);
}

static struct ftrace_ops nfj_commit_ops = {
	.func	= nfj_commit_thunk,
	.flags	= FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY |
		  FTRACE_OPS_FL_PERMANENT,
};

static struct ftrace_ops nfj_destroy_ops = {
	.func	= nfj_destroy_thunk,
	.flags	= FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY |
		  FTRACE_OPS_FL_PERMANENT,
};

static int nfj_hook_one(struct ftrace_ops *ops, void *func, const char *name)
{
	int err;

	err = ftrace_set_filter_ip(ops, (unsigned long)func, 0, 0);
	if (!err)
		err = register_ftrace_function(ops);
	if (!err)
		return 0;
	ftrace_free_filter(ops);
	pr_err("nft_bpfjit: can't hook %s with ftrace (%d)%s\n", name,
	       err, err == -EBUSY ? ": ftrace is switched off, or a live patch has it"
				  : "");
	return err;
}

static void nfj_unhook(struct ftrace_ops *ops)
{
	unregister_ftrace_function(ops);
	synchronize_rcu_tasks();
	wait_event(nfj_idle, !atomic_read(&nfj_inflight));
	synchronize_rcu_tasks();
	ftrace_free_filter(ops);
}

/**
 * nfj_hook_init - stand in the commit path
 * @fns: who is called there from now on
 *
 * From here on commits are translated.
 *
 * Return: 0, or an errno after one line in the log.
 */
int nfj_hook_init(const struct nfj_hook_fns *fns)
{
	int err;

	nfj_fns = fns;
	err = nfj_hook_one(&nfj_destroy_ops, nfj_sym.chain_destroy,
			   "nf_tables_chain_destroy");
	if (err)
		return err;
	err = nfj_hook_one(&nfj_commit_ops, nfj_sym.commit,
			   "nf_tables_commit");
	if (err)
		nfj_unhook(&nfj_destroy_ops);
	return err;
}

/**
 * nfj_hook_exit - leave the commit path
 *
 * Sleeps until no task is in the wrapper.  Chains that were translated stay so;
 * the caller puts plain blobs back afterwards, nf_tables_chain_destroy() is
 * still heard of until nfj_hook_exit_destroy().
 */
void nfj_hook_exit(void)
{
	nfj_unhook(&nfj_commit_ops);
}

/**
 * nfj_hook_exit_destroy - no longer hear of chains that are destroyed
 */
void nfj_hook_exit_destroy(void)
{
	nfj_unhook(&nfj_destroy_ops);
}
