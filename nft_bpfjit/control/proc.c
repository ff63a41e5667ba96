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
 * /proc/net/nft_bpfjit_rules: a line for each rule.  The front end is asked anew about
 * each; what it says of the match part holds whatever the state of the chain is.
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
 * Both are only for whom nf_tables would show its rules to as well (CAP_NET_ADMIN).
 * The files' owner cannot say who that is: a netns that a tenant makes together with
 * its user namespace has no root yet when the file is made.
 *
 * They are read chain by chain, under the commit mutex, which is given up between
 * two of them, now and then.  In the name of a table or a chain a space, a backslash
 * and the like stand as \ooo, in octal.
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
	[NFJ_WHY_NOCAP]		= "no-cap",
	[NFJ_WHY_NOMEM]		= "nomem",
	[NFJ_WHY_NOFILE]	= "nofile",
	[NFJ_WHY_LIMIT]		= "limit",
	[NFJ_WHY_CHECK]		= "checker",
	[NFJ_WHY_UNSUPPORTED]	= "unsupported",
};

/**
 * struct nfj_proc - where a reader is
 * @seq: of struct net, must be first
 * @table: handle of the table
 * @chain: handle of the last chain in it that has been read
 * @since: when the commit mutex was taken, in jiffies
 * @locked: it is held
 */
struct nfj_proc {
	struct seq_net_private	seq;
	u64			table;
	u64			chain;
	unsigned long		since;
	bool			locked;
};

/**
 * nfj_proc_name - write a name, with what would be taken for the end of it as \ooo
 * @m: where to
 * @name: the name
 */
void nfj_proc_name(struct seq_file *m, const char *name)
{
	seq_escape(m, name, " \t\n\v\f\r\\#");
	seq_puts(m, " ");
}

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
	return nc ? nc->out.why : NFJ_WHY_EMPTY;
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

/* unsupported:EXPRESSION@HANDLE, of the first rule that has one */
static int nfj_proc_unsupported(void *arg, const struct nft_rule *rule,
				const struct nfj_ir *ir)
{
	const struct nfj_entry *r = ir->entries;
	const struct nft_expr *expr, *last;
	struct seq_file *m = arg;
	unsigned int n = 0;

	if (r->flags & (NFJ_ENTRY_WHOLE | NFJ_ENTRY_DEAD))
		return 0;
	seq_puts(m, nfj_why_name[NFJ_WHY_UNSUPPORTED]);
	nft_rule_for_each_expr(expr, last, rule) {
		if (n++ != r->stop)
			continue;
		seq_puts(m, ":");
		nfj_proc_expr(m, expr);
		seq_printf(m, "@%llu", (u64)rule->handle);
		break;
	}
	return 1;
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

/**
 * nfj_proc_where - the columns that say which chain it is
 * @m: the file
 * @chain: the chain
 */
void nfj_proc_where(struct seq_file *m, const struct nft_chain *chain)
{
	seq_printf(m, "%s ", nfj_family(chain->table->family));
	nfj_proc_name(m, chain->table->name);
	nfj_proc_name(m, chain->name);
}

static void nfj_proc_chain(struct seq_file *m, struct net *net,
			   struct nft_chain *chain)
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
	nfj_proc_where(m, chain);
	seq_printf(m, "%llu %u %u %u ", chain->handle, rules, st ? nc->stats.whole : 0,
		   st ? nc->stats.leave : 0);
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
	seq_puts(m, "- - 0 0 0 ");
	if (why == NFJ_WHY_UNSUPPORTED) {
		/* the rules that had one may be gone */
		if (nfj_rules_each(net, chain, nfj_proc_unsupported, m) != 1)
			seq_puts(m, nfj_why_name[NFJ_WHY_CHEAP]);
		seq_puts(m, "\n");
		return;
	}
	seq_puts(m, nfj_why_name[why]);
	if (why == NFJ_WHY_VERIFIER)
		seq_printf(m, ":%d", -nc->out.err);
	seq_puts(m, "\n");
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
	nfj_proc_where(m, p->chain);
	seq_printf(m, "%llu %s %u %u %u ", (u64)rule->handle, p->state, whole,
		   r->cut, r->nexpr);

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

/* Handles rise from the first table, and its first chain, to the last */
static struct nft_chain *nfj_proc_next(const struct net *net, u64 in, u64 after)
{
	struct nft_table *table;
	struct nft_chain *chain;

	list_for_each_entry(table, &nfj_nft_pernet(net)->tables, list) {
		if (table->handle < in)
			continue;
		list_for_each_entry(chain, &table->chains, list)
			if (table->handle > in || chain->handle > after)
				return chain;
	}
	return NULL;
}

static struct nft_chain *nfj_proc_after(const struct net *net,
					struct nft_chain *chain)
{
	if (list_is_last(&chain->list, &chain->table->chains))
		return nfj_proc_next(net, chain->table->handle,
				     chain->handle);
	return list_next_entry(chain, list);
}

/* What nfj_proc_seq does: go from chain to chain.  At position 0 is the heading. */
static void *nfj_proc_start(struct seq_file *m, loff_t *pos)
{
	struct nfj_proc *p = m->private;
	struct net *net = seq_file_net(m);

	p->locked = false;
	if (!file_ns_capable(m->file, net->user_ns, CAP_NET_ADMIN))
		return ERR_PTR(-EPERM);
	if (!*pos) {
		p->table = 0;
		p->chain = 0;
	}
	p->locked = !mutex_lock_interruptible(&nfj_nft_pernet(net)->commit_mutex);
	if (!p->locked)
		return ERR_PTR(-EINTR);
	p->since = jiffies;
	if (!*pos)
		return SEQ_START_TOKEN;
	return nfj_proc_next(net, p->table, p->chain);
}

static void *nfj_proc_go_on(struct seq_file *m, void *v, loff_t *pos)
{
	struct nfj_proc *p = m->private;
	struct net *net = seq_file_net(m);
	struct mutex *mutex = &nfj_nft_pernet(net)->commit_mutex;
	struct nft_chain *chain = v;

	++*pos;
	if (v != SEQ_START_TOKEN) {
		p->table = chain->table->handle;
		p->chain = chain->handle;
	}
	/* others wait for it, too */
	if (v == SEQ_START_TOKEN || time_after(jiffies, p->since)) {
		mutex_unlock(mutex);
		cond_resched();
		p->locked = !mutex_lock_interruptible(mutex);
		if (!p->locked)
			return ERR_PTR(-EINTR);
		p->since = jiffies;
		return nfj_proc_next(net, p->table, p->chain);
	}
	return nfj_proc_after(net, chain);
}

static void nfj_proc_stop(struct seq_file *m, void *v)
{
	struct nfj_proc *p = m->private;

	if (p->locked)
		mutex_unlock(&nfj_nft_pernet(seq_file_net(m))->commit_mutex);
	p->locked = false;
}

static int nfj_proc_show(struct seq_file *m, void *v)
{
	if (v == SEQ_START_TOKEN)
		seq_puts(m, "# family table chain handle rules whole residue prog tag insns jited tables state\n");
	else
		nfj_proc_chain(m, seq_file_net(m), v);
	return 0;
}

static int nfj_proc_rules_show(struct seq_file *m, void *v)
{
	struct net *net = seq_file_net(m);
	struct nfj_proc_rules p = { .m = m, .chain = v };
	int err;

	if (v == SEQ_START_TOKEN) {
		seq_puts(m, "# family table chain handle state whole cut exprs stop residue\n");
		return 0;
	}
	p.state = nfj_why_name[nfj_proc_why(net, v)];
	err = nfj_rules_each(net, v, nfj_proc_rule, &p);
	return err < 0 ? err : 0;
}

static const struct seq_operations nfj_proc_seq = {
	.start	= nfj_proc_start,
	.next	= nfj_proc_go_on,
	.stop	= nfj_proc_stop,
	.show	= nfj_proc_show,
};

static const struct seq_operations nfj_proc_rules_seq = {
	.start	= nfj_proc_start,
	.next	= nfj_proc_go_on,
	.stop	= nfj_proc_stop,
	.show	= nfj_proc_rules_show,
};

/**
 * nfj_proc_init - make the status files of a netns
 * @net: the netns
 *
 * Return: 0 or -ENOMEM.
 */
int nfj_proc_init(struct net *net)
{
	if (!proc_create_net(NFT_BPFJIT_PROC, 0444, net->proc_net,
			     &nfj_proc_seq, sizeof(struct nfj_proc)))
		return -ENOMEM;
	if (!proc_create_net(NFT_BPFJIT_PROC_RULES, 0400, net->proc_net,
			     &nfj_proc_rules_seq, sizeof(struct nfj_proc)))
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
