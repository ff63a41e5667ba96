// SPDX-License-Identifier: GPL-2.0-only
/*
 * What became of the rules of a netns, for people and for tests.
 *
 * /proc/net/nft_bpfjit: a line for each chain, translated or not.
 *
 *	family table chain	the chain
 *	handle			its handle
 *	rules whole residue	rules that it has; those whose whole match part is in
 *				the program; those that leave something to be run
 *	prog tag		numbers of the programs and their tags, as bpftool
 *				shows them, separated by commas; "-": none
 *	insns			BPF instructions of all programs
 *	jited			bytes of machine code
 *	tables			bytes of the tables that the programs search
 *	state			"bpf", or why the chain is interpreted; the last
 *				column, whatever else may come
 *
 * /proc/net/nft_bpfjit_rules: a line for each rule.  Only root reads it, since
 * it asks the front end anew about each rule, under the commit mutex; what it
 * says of the match part holds whatever the state of the chain is.
 *
 *	family table chain	where the rule is
 *	handle			its handle, as of "nft -a list"
 *	state			"bpf", or why the chain is interpreted: off, cheap...
 *	whole			1: the whole match part is in the program
 *	cut			expressions that the program stands for, from the
 *				first on
 *	exprs			expressions that the rule has
 *	stop			what ended the match part, "-" if it is whole
 *	residue			what is run for a packet that matches, from @cut on and
 *				before the verdict, separated by commas; "-": nothing
 *
 * An expression is shown by its name: payload, lookup, counter.  Those of
 * iptables-nft tell whose they are: match:addrtype and target:LOG.
 *
 * Names of tables and chains are only for whom nf_tables would show them to as
 * well.  The files' owner cannot say who that is: a netns that a tenant makes
 * together with its user namespace has no root yet when the file is made.
 */
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/netfilter/x_tables.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <net/net_namespace.h>
#include <linux/netfilter/nft_bpfjit.h>
#include "../commit/commit.h"
#include "control.h"

static const char * const nfj_why_name[] = {
	[NFJ_WHY_BPF]		= "bpf",
	[NFJ_WHY_OFF]		= "off",
	[NFJ_WHY_EMPTY]		= "empty",
	[NFJ_WHY_CHEAP]		= "cheap",
	[NFJ_WHY_TRACE]		= "nftrace",
	[NFJ_WHY_UNINIT]	= "shared-registers",
	[NFJ_WHY_TOOBIG]	= "too-big",
	[NFJ_WHY_VERIFIER]	= "verifier",
	[NFJ_WHY_NOJIT]		= "no-jit",
	[NFJ_WHY_NOMEM]		= "nomem",
	[NFJ_WHY_LIMIT]		= "limit",
	[NFJ_WHY_CHECK]		= "checker",
	[NFJ_WHY_UNSUPPORTED]	= "unsupported",
};

/**
 * nfj_family - the name of a family, as nft has it
 * @family: NFPROTO_*
 *
 * Return: the name.
 */
const char *nfj_family(u8 family)
{
	switch (family) {
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_ARP:
		return "arp";
	case NFPROTO_BRIDGE:
		return "bridge";
	case NFPROTO_NETDEV:
		return "netdev";
	default:
		return "?";
	}
}

/* Where a chain runs now, an NFJ_WHY_* */
static u8 nfj_proc_why(const struct net *net, const struct nft_chain *chain)
{
	const struct nfj_chain *nc = nfj_chain_find(chain);

	if (nfj_blob_state(nfj_blob_now(net, chain)))
		return NFJ_WHY_BPF;
	if (!nfj_pernet(net)->enable)
		return NFJ_WHY_OFF;
	return nc ? nc->fig.why : NFJ_WHY_EMPTY;
}

static void nfj_proc_expr(struct seq_file *m, const struct nft_expr *expr)
{
	const char *name = expr->ops->type ? expr->ops->type->name : "?";

	/* nft_compat hangs its extension on the ops */
	if (!strcmp(name, "match"))
		seq_printf(m, "match:%s",
			   ((const struct xt_match *)expr->ops->data)->name);
	else if (!strcmp(name, "target"))
		seq_printf(m, "target:%s",
			   ((const struct xt_target *)expr->ops->data)->name);
	else
		seq_puts(m, name);
}

/* unsupported:EXPRESSION@HANDLE */
static void nfj_proc_unsupported(struct seq_file *m,
				 const struct nft_chain *chain,
				 const struct nfj_figures *fig)
{
	const struct nft_expr *expr, *last;
	const struct nft_rule *rule;
	unsigned int n;

	list_for_each_entry(rule, &chain->rules, list) {
		if (rule->handle != fig->handle)
			continue;
		n = 0;
		nft_rule_for_each_expr(expr, last, rule) {
			if (n++ != fig->stop)
				continue;
			seq_puts(m, ":");
			nfj_proc_expr(m, expr);
			seq_printf(m, "@%llu", fig->handle);
			return;
		}
	}
}

/* Numbers of all programs, or their tags */
static void nfj_proc_progs(struct seq_file *m, const struct nfj_state *st,
			   bool tags)
{
	const struct nfj_matcher *part = st->matcher;
	const char *sep = "";
	u32 i;

	while (part) {
		for (i = 0; i < part->nprogs; i++, sep = ",") {
			const struct bpf_prog *prog = part->prog[i].prog;

			if (tags)
				seq_printf(m, "%s%*phN", sep, BPF_TAG_SIZE,
					   prog->tag);
			else
				seq_printf(m, "%s%u", sep, prog->aux->id);
		}
		part = part == st->matcher && st->edits ? st->edits->added :
							  NULL;
	}
	seq_puts(m, " ");
}

static void nfj_proc_chain(struct seq_file *m, const struct net *net,
			   const struct nft_table *table,
			   const struct nft_chain *chain)
{
	const struct nfj_chain *nc = nfj_chain_find(chain);
	const struct nfj_state *st;
	u8 why = nfj_proc_why(net, chain);
	const struct nfj_matcher *added;
	const struct nft_rule *rule;
	u32 rules = 0;

	st = nfj_blob_state(nfj_blob_now(net, chain));
	list_for_each_entry(rule, &chain->rules, list)
		rules++;
	seq_printf(m, "%s %s %s %llu %u %u %u ", nfj_family(table->family),
		   table->name, chain->name, chain->handle, rules,
		   st ? nc->fig.whole : 0, st ? nc->fig.residue : 0);
	if (st) {
		nfj_proc_progs(m, st, false);
		nfj_proc_progs(m, st, true);
		added = st->edits ? st->edits->added : NULL;
		seq_printf(m, "%u %u %u bpf\n",
			   st->matcher->insns + (added ? added->insns : 0),
			   st->matcher->jited + (added ? added->jited : 0),
			   st->matcher->tables + (added ? added->tables : 0));
		return;
	}
	seq_printf(m, "- - 0 0 0 %s", nfj_why_name[why]);
	if (why == NFJ_WHY_VERIFIER)
		seq_printf(m, ":%d", -nc->fig.err);
	if (why == NFJ_WHY_UNSUPPORTED)
		nfj_proc_unsupported(m, chain, &nc->fig);
	seq_puts(m, "\n");
}

static int nfj_proc_show(struct seq_file *m, void *v)
{
	struct net *net = seq_file_single_net(m);
	struct nftables_pernet *nft_net = nfj_nft_pernet(net);
	const struct nft_table *table;
	const struct nft_chain *chain;

	if (!file_ns_capable(m->file, net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	seq_puts(m, "# family table chain handle rules whole residue prog tag insns jited tables state\n");
	mutex_lock(&nft_net->commit_mutex);
	list_for_each_entry(table, &nft_net->tables, list)
		list_for_each_entry(chain, &table->chains, list)
			nfj_proc_chain(m, net, table, chain);
	mutex_unlock(&nft_net->commit_mutex);
	return 0;
}

struct nfj_proc_rules {
	struct seq_file		*m;
	const struct nft_chain	*chain;
	const char		*state;
};

static int nfj_proc_rule(void *arg, const struct nft_rule *rule,
			 const struct nfj_ir *ir)
{
	const struct nfj_proc_rules *p = arg;
	const struct nfj_entry *r = ir->entries;
	const struct nft_expr *expr, *last;
	struct seq_file *m = p->m;
	bool residue = false, whole = true;
	u32 i, n = 0;

	/* Entries of a rule differ in their verdicts only, but for the one of
	 * packets whose transport header is cut off: nft looks at these itself.
	 */
	for (i = 0; i < ir->nentries; i++) {
		u8 flags = ir->entries[i].flags;

		if (flags & NFJ_ENTRY_ODD)
			continue;
		residue |= ir->entries[i].cut < ir->entries[i].end &&
			   !(flags & NFJ_ENTRY_DEAD);
		whole &= !!(flags & (NFJ_ENTRY_WHOLE | NFJ_ENTRY_DEAD));
	}
	seq_printf(m, "%s %s %s %llu %s %u %u %u ",
		   nfj_family(p->chain->table->family), p->chain->table->name,
		   p->chain->name, (u64)rule->handle, p->state, whole, r->cut,
		   r->nexpr);

	if (whole)
		seq_puts(m, "-");
	nft_rule_for_each_expr(expr, last, rule)
		if (n++ == r->stop && !whole)
			nfj_proc_expr(m, expr);
	seq_puts(m, residue ? " " : " -");
	n = 0;
	nft_rule_for_each_expr(expr, last, rule) {
		if (residue && n >= r->cut && n < r->end) {
			if (n > r->cut)
				seq_puts(m, ",");
			nfj_proc_expr(m, expr);
		}
		n++;
	}
	seq_puts(m, "\n");
	/* seq_file will come back with a larger buffer */
	return seq_has_overflowed(m);
}

static int nfj_proc_rules_show(struct seq_file *m, void *v)
{
	struct net *net = seq_file_single_net(m);
	struct nftables_pernet *nft_net = nfj_nft_pernet(net);
	struct nfj_proc_rules p = { .m = m };
	struct nft_table *table;
	struct nft_chain *chain;
	int err = 0;

	seq_puts(m, "# family table chain handle state whole cut exprs stop residue\n");
	mutex_lock(&nft_net->commit_mutex);
	list_for_each_entry(table, &nft_net->tables, list) {
		list_for_each_entry(chain, &table->chains, list) {
			p.chain = chain;
			p.state = nfj_why_name[nfj_proc_why(net, chain)];
			err = nfj_rules_each(net, chain, nfj_proc_rule, &p);
			if (err)
				break;
		}
		if (err)
			break;
	}
	mutex_unlock(&nft_net->commit_mutex);
	return err < 0 ? err : 0;
}

/**
 * nfj_proc_init - make the status files of a netns
 * @net: the netns
 *
 * Return: 0 or -ENOMEM.
 */
int nfj_proc_init(struct net *net)
{
	if (!proc_create_net_single(NFT_BPFJIT_PROC, 0444, net->proc_net,
				    nfj_proc_show, NULL))
		return -ENOMEM;
	if (!proc_create_net_single(NFT_BPFJIT_PROC_RULES, 0400, net->proc_net,
				    nfj_proc_rules_show, NULL))
		goto err_chains;
	if (nfj_proc_sets_init(net))
		goto err_rules;
	return 0;

err_rules:
	remove_proc_entry(NFT_BPFJIT_PROC_RULES, net->proc_net);
err_chains:
	remove_proc_entry(NFT_BPFJIT_PROC, net->proc_net);
	return -ENOMEM;
}

/**
 * nfj_proc_exit - remove them
 * @net: the netns
 */
void nfj_proc_exit(struct net *net)
{
	nfj_proc_sets_exit(net);
	remove_proc_entry(NFT_BPFJIT_PROC_RULES, net->proc_net);
	remove_proc_entry(NFT_BPFJIT_PROC, net->proc_net);
}
