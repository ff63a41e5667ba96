// SPDX-License-Identifier: GPL-2.0-only
/*
 * nft_bpfjit: translates nf_tables rules into eBPF while they are committed.
 *
 * A tour, in the order in which a rule travels:
 *
 *	hook/		stands in nf_tables_commit()
 *	commit/		which chains change; blobs, states, the switch
 *	frontend/	expressions (netlink attributes) -> IMR
 *	imr/		the intermediate representation
 *	passes/		search, linear code, what is known where
 *	emit/		BPF instructions
 *	load/		verifier and JIT, on a worker
 *	engine/		packet path: the ebpf expression
 *	sets/		packet path: nft's sets, looked up in tables of our own
 *	flow/		packet path: the flow key
 *	control/	sysctl and proc
 *	selftest/	at load: does nf_tables what the engine does?
 *	compat/		what differs between kernels
 */
#include <linux/module.h>
#include <net/net_namespace.h>
#include "commit/commit.h"
#include "control/control.h"
#include "engine/state.h"
#include "hook/hook.h"
#include "load/load.h"
#include "selftest/selftest.h"

static const struct nfj_hook_fns nfj_hook_fns = {
	.prepare	= nfj_commit_prepare,
	.cancel		= nfj_commit_cancel,
	.finish		= nfj_commit_finish,
	.destroyed	= nfj_chain_destroyed,
};

/* What was there before us is translated last; no lock is held then, see
 * commit/net.c.
 */
static int __init nfj_init(void)
{
	int err;

	err = nfj_symbols_init();
	if (err)
		return err;
	nfj_counter_init();
	err = nfj_load_init();
	if (err)
		return err;
	err = nfj_state_init();
	if (err)
		goto err_load;
	err = nfj_net_init();
	if (err)
		goto err_state;
	err = nfj_selftest();
	if (err)
		goto err_net;
	err = nfj_hook_init(&nfj_hook_fns);
	if (err)
		goto err_net;
	err = nfj_control_init();
	if (err)
		goto err_hook;
	nfj_phase_set(NFJ_LIVE);
	nfj_nets_each(nfj_net_start);
	return 0;

err_hook:
	nfj_hook_exit();
	nfj_hook_exit_destroy();
err_net:
	nfj_net_exit();
err_state:
	nfj_chains_exit();
	nfj_state_exit();
err_load:
	nfj_load_exit();
	return err;
}

/* Commits are heard of until all is plain: one of them may bring what ties the
 * chains of a table together.  Likewise chains that are destroyed, until nothing is
 * known of any.
 */
static void __exit nfj_exit(void)
{
	nfj_phase_set(NFJ_GOING);
	nfj_control_close();
	nfj_nets_each(nfj_net_plain);
	nfj_hook_exit();
	nfj_nets_each(nfj_net_idle);
	nfj_control_exit();
	nfj_net_exit();
	nfj_hook_exit_destroy();
	nfj_chains_exit();
	nfj_state_exit();
	nfj_load_exit();
}

/* when built in: nf_tables comes before, whatever the order of linking */
late_initcall(nfj_init);
module_exit(nfj_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("nf_tables rules as eBPF, translated in the kernel");
MODULE_AUTHOR("nft_bpfjit maintainers");
MODULE_VERSION("0.1.0");
MODULE_SOFTDEP("pre: nf_tables");
