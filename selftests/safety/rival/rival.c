// SPDX-License-Identifier: GPL-2.0-only
/*
 * Another module that redirects nf_tables_commit(), as a live patch does: only
 * one may, and the other has to be told so.  To where it was anyway.
 */
#include <linux/ftrace.h>
#include <linux/module.h>

static void notrace rival_thunk(unsigned long ip, unsigned long parent_ip,
				struct ftrace_ops *ops,
				struct ftrace_regs *fregs)
{
}

static struct ftrace_ops rival_ops = {
	.func	= rival_thunk,
	.flags	= FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY,
};

static int __init rival_init(void)
{
	char name[] = "nf_tables_commit";
	int err;

	err = ftrace_set_filter(&rival_ops, name, strlen(name), 0);
	if (err)
		return err;
	err = register_ftrace_function(&rival_ops);
	if (err)
		ftrace_free_filter(&rival_ops);
	return err;
}

static void __exit rival_exit(void)
{
	unregister_ftrace_function(&rival_ops);
	ftrace_free_filter(&rival_ops);
}

module_init(rival_init);
module_exit(rival_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("redirects nf_tables_commit() to itself, for tests");
