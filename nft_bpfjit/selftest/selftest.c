// SPDX-License-Identifier: GPL-2.0-only
/*
 * The self-test at load: does this kernel's nf_tables evaluate rules as the engine
 * does?
 *
 * The engine mirrors functions of nf_tables, and these change, with stable updates
 * too: nothing of that shows when the module is compiled.  So the interpreter is
 * asked.  Packets made by hand (frames.c) are passed through chains made by hand
 * (rules.c), a rule for each kind of expression and each value that occurs; each
 * rule that is true sets a bit.  Each packet takes three ways:
 *
 *	nft_do_chain_inet()	a blob as nf_tables makes it
 *	nfj_do_chain_inet()	a blob of ours, entered from the hook
 *	nft_do_chain_inet()	a blob of ours, entered through the expression
 *
 * and sets the same bits each time, or the module does not load, and says which
 * expression differs for which packet.
 *
 * Some differences the engine knows.  Which of them this kernel has is seen from
 * what the first way gives (nfj_probes), and a flag is set before the other two.
 *
 * Nothing of this is ever part of a ruleset.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/netfilter/nf_tables.h>
#include "../commit/commit.h"
#include "../engine/state.h"
#include "../flow/flow.h"
#include "../hook/hook.h"
#include "selftest.h"

static unsigned int nfj_lie;
module_param_named(selftest_lie, nfj_lie, uint, 0);
MODULE_PARM_DESC(selftest_lie, "for tests: invert an answer of nf_tables, 1.. of a probe, 100.. of a rule");

#define NFJ_LIE_RULE	100

/**
 * struct nfj_st - all that the test needs
 * @rules: the chain
 * @type: its type
 * @frames: the packets
 * @nframes: how many
 * @nft: what is called for a packet of nf_tables' own
 * @nc: what the translator knows of the chain
 * @plain: the blob that nf_tables would make
 * @ours: a blob of ours
 * @st: what it leads to
 * @want: for each packet, which rules are true
 * @got: what has come of the packet
 */
struct nfj_st {
	struct nfj_st_rules	rules;
	struct nft_chain_type	type;
	struct nfj_frame	frames[NFJ_FRAMES_MAX];
	unsigned int		nframes;
	nf_hookfn		*nft;
	struct nfj_chain	nc;
	struct nft_rule_blob	*plain;
	struct nft_rule_blob	*ours;
	struct nfj_state	*st;
	DECLARE_BITMAP(want[NFJ_FRAMES_MAX], NFJ_ST_RULES_MAX);
	DECLARE_BITMAP(got, NFJ_ST_RULES_MAX);
};

static const struct {
	u8		family;
	const char	*symbol;
} nfj_st_families[] = {
	{ NFPROTO_INET,		"nft_do_chain_inet" },
	{ NFPROTO_NETDEV,	"nft_do_chain_netdev" },
	{ NFPROTO_BRIDGE,	"nft_do_chain_bridge" },
};

/* What the engine does in one of two ways: a rule that is true for a packet, or
 * not, tells which
 */
static const struct {
	u8			family;
	enum nfj_frame_nr	frame;
	const char		*rule;
	bool			flag_if;
	struct static_key_false	*flag;
	const char		*what;
} nfj_probes[] = {
	{ NFPROTO_INET, NFJ_FRAME_FRAGMENT, "payload transport 2@0", false,
	  &nfj_frag_slow, "fragments have no transport header for fast loads" },
	{ NFPROTO_NETDEV, NFJ_FRAME_8021Q, "meta key 16", true,
	  &nfj_meta_moves, "meta l4proto looks behind 802.1Q and PPPoE" },
};

static void nfj_st_run(struct nfj_st *t, nf_hookfn *fn, const struct nfj_frame *f,
		       const struct nft_rule_blob *blob, unsigned long *hits)
{
	struct nft_chain *chain = &t->rules.base.chain;
	struct nft_rule_blob *b = (void *)blob;

	RCU_INIT_POINTER(chain->blob_gen_0, b);
	RCU_INIT_POINTER(chain->blob_gen_1, b);
	bitmap_zero(hits, NFJ_ST_RULES_MAX);
	nfj_st_hits(hits);
	local_bh_disable();
	rcu_read_lock();
	fn(chain, f->skb, &f->state);
	rcu_read_unlock();
	local_bh_enable();
	nfj_st_hits(NULL);
}

/* What nf_tables says */
static void nfj_st_ask(struct nfj_st *t)
{
	unsigned int i;

	for (i = 0; i < t->nframes; i++) {
		if (t->frames[i].family != t->rules.family)
			continue;
		nfj_st_run(t, t->nft, &t->frames[i], t->plain, t->want[i]);
		if (nfj_lie >= NFJ_LIE_RULE &&
		    nfj_lie - NFJ_LIE_RULE < t->rules.n)
			change_bit(nfj_lie - NFJ_LIE_RULE, t->want[i]);
		cond_resched();
	}
}

static int nfj_st_probe(struct nfj_st *t)
{
	unsigned int i, k;
	bool set;

	for (i = 0; i < ARRAY_SIZE(nfj_probes); i++) {
		if (nfj_probes[i].family != t->rules.family)
			continue;
		for (k = 0; k < t->rules.n; k++)
			if (!strcmp(t->rules.name[k], nfj_probes[i].rule))
				break;
		if (WARN_ON_ONCE(k == t->rules.n))
			return -EINVAL;
		set = test_bit(k, t->want[nfj_probes[i].frame]) ==
		      nfj_probes[i].flag_if;
		if (nfj_lie == i + 1)
			set = !set;
		if (!set)
			continue;
		static_branch_enable(nfj_probes[i].flag);
		pr_info("nft_bpfjit: %s\n", nfj_probes[i].what);
	}
	return 0;
}

static int nfj_st_differ(const struct nfj_st *t, unsigned int i, const char *way)
{
	const unsigned long *want = t->want[i], *got = t->got;
	unsigned int k;

	if (bitmap_equal(want, got, NFJ_ST_RULES_MAX))
		return 0;
	for (k = 0; k < t->rules.n; k++)
		if (test_bit(k, want) != test_bit(k, got))
			break;
	pr_err("nft_bpfjit: not loaded: \"%s\" is %s for nf_tables and %s for the engine (%s, %s), see Documentation/kernels.rst\n",
	       k < t->rules.n ? t->rules.name[k] : "?",
	       test_bit(k, want) ? "true" : "false",
	       test_bit(k, got) ? "true" : "false",
	       t->frames[i].name, way);
	return -EOPNOTSUPP;
}

static int nfj_st_compare(struct nfj_st *t)
{
	nf_hookfn *fn = nfj_hook_fn(&t->rules.base);
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < t->nframes; i++) {
		if (t->frames[i].family != t->rules.family)
			continue;
		nfj_st_run(t, t->nft, &t->frames[i], t->ours, t->got);
		err = nfj_st_differ(t, i, "through the expression");
		if (!err && fn) {
			nfj_st_run(t, fn, &t->frames[i], t->ours, t->got);
			err = nfj_st_differ(t, i, "from the hook");
		}
		cond_resched();
	}
	return err;
}

/* Translate the rules, as a commit does */
static int nfj_st_translate(struct nfj_st *t, struct nfj_budget *budget)
{
	struct nft_chain *chain = &t->rules.base.chain;
	struct nfj_change c = { .chain = chain, .nc = &t->nc };
	struct nfj_matcher *m;
	struct nfj_state *st;
	size_t wanted = 0;
	int err;

	t->nc.chain = chain;
	err = nfj_change_read(&init_net, &c);
	if (err)
		return err;
	st = nfj_state_new(&init_net, &t->nc, NULL, budget, &wanted);
	if (IS_ERR(st))
		return PTR_ERR(st);
	t->st = st;
	m = nfj_matcher_new(budget);
	if (!m)
		return -ENOMEM;
	/* the JIT may be switched on later */
	m->payer.slow = true;
	err = nfj_matcher_build(m, &t->nc.kept->ir, "nfj_selftest");
	if (err) {
		nfj_matcher_put(m);
		return err;
	}
	nfj_state_use(st, m);
	t->ours = nfj_blob_build(&init_net, chain, t->st, GFP_KERNEL);
	return t->ours ? 0 : -ENOMEM;
}

static void nfj_st_chain_init(struct nfj_st *t, u8 family)
{
	struct nfj_st_rules *r = &t->rules;
	struct nft_base_chain *base = &r->base;

	memset(r, 0, sizeof(*r));
	r->family = family;
	r->frames = t->frames;
	r->nframes = t->nframes;
	INIT_LIST_HEAD(&r->table.chains);
	INIT_LIST_HEAD(&r->table.sets);
	INIT_LIST_HEAD(&r->table.objects);
	INIT_LIST_HEAD(&r->table.flowtables);
	r->table.family = family;
	r->table.name = "nft_selftest";
	t->type = (struct nft_chain_type){
		.name	= "filter",
		.type	= NFT_CHAIN_T_DEFAULT,
		.family	= family,
	};
	base->type = &t->type;
	base->policy = NF_ACCEPT;
	base->ops.hooknum = NF_INET_FORWARD;
	INIT_LIST_HEAD(&base->hook_list);
	INIT_LIST_HEAD(&base->chain.rules);
	base->chain.table = &r->table;
	base->chain.name = "nft_selftest";
	base->chain.flags = NFT_CHAIN_BASE;
}

/* A chain of one family, all packets that come to its hooks */
static int nfj_st_family(struct nfj_st *t, u8 family, struct nfj_budget *budget)
{
	int err;

	nfj_st_chain_init(t, family);
	err = nfj_st_rules_make(&t->rules);
	if (err)
		goto out;
	err = -ENOMEM;
	t->plain = nfj_blob_build(&init_net, &t->rules.base.chain, NULL,
				  GFP_KERNEL);
	if (!t->plain)
		goto out;
	nfj_st_ask(t);
	err = nfj_st_probe(t);
	if (err)
		goto out;
	err = nfj_st_translate(t, budget);
	if (!err)
		err = nfj_st_compare(t);
	else if (err != -ENOMEM)
		/* nor will any chain be */
		pr_err("nft_bpfjit: not loaded: this kernel refuses the programs of the self-test (%d)\n",
		       err);
out:
	kvfree(t->ours);
	if (t->st)
		nfj_state_free(t->st);
	kvfree(t->plain);
	nfj_kept_free(t->nc.kept);
	memset(&t->nc, 0, sizeof(t->nc));
	t->ours = NULL;
	t->plain = NULL;
	t->st = NULL;
	nfj_st_rules_free(&t->rules);
	return err;
}

/**
 * nfj_selftest - compare nf_tables with the engine
 *
 * Before anything is hooked.  Process context.
 *
 * Return: 0; -EOPNOTSUPP or -ENOENT after one line in the log; -ENOMEM.
 */
int nfj_selftest(void)
{
	struct nfj_budget *budget = nfj_budget_unlimited();
	struct nfj_st *t = kvzalloc(sizeof(*t), GFP_KERNEL);
	unsigned int i;
	int err = -ENOMEM;

	if (!t || !budget)
		goto out;
	err = nfj_frames_make(t->frames, &t->nframes);
	for (i = 0; !err && i < ARRAY_SIZE(nfj_st_families); i++) {
		t->nft = (void *)nfj_symbol(nfj_st_families[i].symbol);
		/* not every kernel has each family */
		if (t->nft)
			err = nfj_st_family(t, nfj_st_families[i].family, budget);
	}
	nfj_frames_free(t->frames, t->nframes);
out:
	if (budget)
		nfj_budget_put(budget);
	kvfree(t);
	return err;
}
