// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hook: prepare -> nf_tables_commit() -> finish or cancel.
 *
 * ftrace redirects calls of nf_tables_commit() to a wrapper with the same
 * arguments.  The wrapper enters the original behind the call of ftrace that
 * begins it, as the trampolines of BPF do: ftrace, and all others who trace that
 * function, see each commit once.  A second wrapper stands in
 * nf_tables_chain_destroy() in the same way and hears of chains that go, whoever
 * destroys them: a transaction, a netns, a socket that owned the table.  It is a
 * wrapper because an ftrace handler itself runs with preemption off, where
 * PREEMPT_RT forbids the locks and the memory allocator that our part of it
 * takes.
 *
 * The originals are entered by static calls, which are direct ones: that is no
 * branch that indirect branch tracking (IBT) looks at, and the kernel takes away
 * the landing pads of functions whose address nobody has taken.  The wrappers
 * keep their own, since a trampoline of BPF may call them through a pointer.
 *
 * Unloading: once the handlers are unregistered nobody enters a wrapper anew,
 * but a task may be on its way into it (synchronize_rcu_tasks()), sleep in it
 * (the counter), or be about to leave (synchronize_rcu_tasks() again).
 */
#include <linux/atomic.h>
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/static_call.h>
#include <linux/wait.h>
#include "hook.h"

/* tasks in either wrapper */
static atomic_t nfj_inflight = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(nfj_idle);

static const struct nfj_hook_fns *nfj_fns;

static int nfj_commit(struct net *net, struct sk_buff *skb);
static void nfj_chain_destroy(struct nft_chain *chain);

/* the originals */
DEFINE_STATIC_CALL_NULL(nfj_orig_commit, nfj_commit);
DEFINE_STATIC_CALL_NULL(nfj_orig_chain_destroy, nfj_chain_destroy);

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
	struct nfj_changes changes = {
		.chains	= LIST_HEAD_INIT(changes.chains),
		.sets	= LIST_HEAD_INIT(changes.sets),
	};
	int err;

	nfj_enter();
	nfj_fns->prepare(net, &changes);
	err = static_call(nfj_orig_commit)(net, skb);
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
	static_call(nfj_orig_chain_destroy)(chain);
	nfj_leave();
}

static void notrace nfj_commit_thunk(unsigned long ip, unsigned long parent_ip,
				     struct ftrace_ops *ops,
				     struct ftrace_regs *fregs)
{
	ftrace_regs_set_instruction_pointer(fregs, (unsigned long)nfj_commit);
}

static void notrace nfj_destroy_thunk(unsigned long ip,
				      unsigned long parent_ip,
				      struct ftrace_ops *ops,
				      struct ftrace_regs *fregs)
{
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

static int nfj_hook_one(struct ftrace_ops *ops, unsigned long func,
			const char *name)
{
	int err;

	err = ftrace_set_filter_ip(ops, func, 0, 0);
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
	unsigned long commit, destroy;
	int err;

	commit = nfj_behind_fentry(nfj_sym.commit);
	destroy = nfj_behind_fentry(nfj_sym.chain_destroy);
	if (!commit || !destroy) {
		pr_err("nft_bpfjit: ftrace does not trace %s from its begin on\n",
		       commit ? "nf_tables_chain_destroy" : "nf_tables_commit");
		return -EOPNOTSUPP;
	}
	static_call_update(nfj_orig_commit, (void *)commit);
	static_call_update(nfj_orig_chain_destroy, (void *)destroy);

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
