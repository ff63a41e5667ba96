// SPDX-License-Identifier: GPL-2.0-only
/*
 * A few rules of a large chain change: its matcher stays for a while.
 *
 * To compile and load ten thousand rules for the sake of one is dear.  Instead
 * the new state uses the matcher of the old one, gets a small one for the rules
 * that were added, and knows which numbers mean what:
 *
 *	the matcher's	the chain now		the small
 *	entries		number	rule		matcher's
 *	0 a		0	a
 *	1 b			(deleted)
 *			1	x		0
 *			2	y		1
 *	2 c		3	c
 *	3 d		4	d
 *			5	z		2
 *
 *	segments: 0 -> 0 of the old, 1 -> 0 of the small, 3 -> 2 of the old,
 *		  5 -> 2 of the small
 *
 * How packets are matched then is in engine/edited.c.  All else of the state,
 * what each entry does and where it goes on, is made from the chain's IMR as for
 * any other.  The next edit of such a chain goes by the same old matcher and a
 * new small one, until there are too many; then, as with chains that are not
 * large, all is compiled at once.
 *
 * A while after the commit a worker compiles the chain as a whole, not under the
 * commit mutex, and publishes what came of it if the chain is still the same.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include "commit.h"

#define NFJ_EDIT_GONE	64	/* entries of it that may be gone */
#define NFJ_EDIT_ADDED	64	/* entries that may be added */
#define NFJ_SEGS_MAX	32

/* The worker takes no more than one part of time out of so many */
#define NFJ_REBUILD_SHARE	16

unsigned int nfj_edit_min_rules = 256;
module_param_named(edit_min_rules, nfj_edit_min_rules, uint, 0644);
MODULE_PARM_DESC(edit_min_rules, "rules from which on a chain keeps its program for a while when some of them change");

/* Append a segment, or extend the last one */
static bool nfj_seg_add(struct nfj_edits *ed, u32 first, u32 from, bool added)
{
	if (ed->nsegs) {
		const struct nfj_seg *last = &ed->seg[ed->nsegs - 1];

		if (last->added == added &&
		    last->from + (first - last->first) == from)
			return true;
	}
	if (ed->nsegs == NFJ_SEGS_MAX)
		return false;
	ed->seg[ed->nsegs++] = (struct nfj_seg){ first, from, added };
	return true;
}

/* Entries that were added in this transaction, or before it */
static bool nfj_seg_added(struct nfj_edits *ed, u32 first, u32 n, u32 *added)
{
	bool room = !n || nfj_seg_add(ed, first, *added, true);

	*added += n;
	return room && *added <= NFJ_EDIT_ADDED;
}

/* A run of entries that stay; those that the old matcher finds are counted */
static bool nfj_seg_run(struct nfj_edits *ed, const struct nfj_state *old,
			const struct nfj_run *run, u32 *added, u32 *stay)
{
	const struct nfj_seg whole[] = { { 0, 0, false },
					 { old->nacts, 0, false } };
	const struct nfj_seg *seg = old->edits ? old->edits->seg : whole;
	u32 at = run->from, end = at + run->n;

	while (at < end) {
		u32 first = run->first + (at - run->from), n;

		while (at >= seg[1].first)
			seg++;
		n = min(end, seg[1].first) - at;
		if (seg->added) {
			if (!nfj_seg_added(ed, first, n, added))
				return false;
		} else {
			if (!nfj_seg_add(ed, first,
					 seg->from + (at - seg->first), false))
				return false;
			*stay += n;
		}
		at += n;
	}
	return true;
}

/* All segments of the next generation */
static bool nfj_segs_make(struct nfj_edits *ed, const struct nfj_state *old,
			  const struct nfj_change *c, u32 nacts)
{
	u32 i, at = 0, added = 0, stay = 0;

	for (i = 0; i < c->nruns; i++) {
		const struct nfj_run *run = &c->run[i];

		if (!nfj_seg_added(ed, at, run->first - at, &added) ||
		    !nfj_seg_run(ed, old, run, &added, &stay))
			return false;
		at = run->first + run->n;
	}
	if (!nfj_seg_added(ed, at, nacts - at, &added))
		return false;
	ed->seg[ed->nsegs] = (struct nfj_seg){ nacts, 0, false };
	return stay + NFJ_EDIT_GONE >= old->matcher->nentries;
}

/* Compile and load what was added */
static int nfj_edit_added(struct nfj_edits *ed, const struct nfj_ir *ir,
			  struct nfj_budget *budget,
			  const struct nft_chain *chain)
{
	char name[BPF_OBJ_NAME_LEN];
	const struct nfj_seg *seg;
	struct nfj_ir added;
	int err = 0;

	nfj_ir_init(&added);
	added.family = ir->family;
	for (seg = ed->seg; seg < &ed->seg[ed->nsegs] && !err; seg++)
		if (seg->added)
			err = nfj_ir_append(&added, ir, seg->first,
					    seg[1].first);
	if (!err && added.nentries) {
		ed->added = nfj_matcher_new(budget);
		nfj_load_name(name, chain);
		err = ed->added ? nfj_matcher_build(ed->added, &added, name) :
				  -ENOMEM;
	}
	nfj_ir_free(&added);
	return err;
}

/**
 * nfj_edit - make do with the matcher that a chain has
 * @net: the netns
 * @c: the chain, whose rules have been read
 * @st: its new state
 *
 * Context: commit mutex; sleeps.
 *
 * Return: 0, or an errno when the chain is to be compiled as a whole.
 */
int nfj_edit(struct net *net, struct nfj_change *c, struct nfj_state *st)
{
	const struct nfj_state *old = nfj_blob_state(nfj_blob_now(net, c->chain));
	struct nfj_budget *budget = nfj_pernet(net)->budget;
	struct nfj_edits *ed;
	size_t size = struct_size(ed, seg, NFJ_SEGS_MAX + 1);
	int err = -E2BIG;

	if (!old || old->places || !c->was || c->was->ir.nentries != old->nacts || !c->nruns ||
	    c->nruns > NFJ_RUNS_MAX ||
	    old->matcher->nentries < READ_ONCE(nfj_edit_min_rules))
		return -EINVAL;
	ed = kzalloc(size, NFJ_GFP);
	if (!ed)
		return -ENOMEM;
	if (!nfj_segs_make(ed, old, c, st->nacts))
		goto out_free;
	err = nfj_edit_added(ed, &c->nc->kept->ir, budget, c->chain);
	if (!err)
		err = nfj_budget_charge(budget, size);
	if (err)
		goto out_free;
	st->charged += size;
	refcount_inc(&old->matcher->ref);
	st->matcher = old->matcher;
	st->edits = ed;
	return 0;

out_free:
	nfj_matcher_put(ed->added);
	kfree(ed);
	return err;
}

static unsigned int nfj_rebuild_ms = 500;

static unsigned long nfj_rebuild_delay(const struct nfj_net *nn)
{
	return msecs_to_jiffies(READ_ONCE(nfj_rebuild_ms)) +
	       READ_ONCE(nn->rebuild_time) * NFJ_REBUILD_SHARE;
}

/* Those who wait already wait as long as is now asked for */
static int nfj_rebuild_set(const char *val, const struct kernel_param *kp)
{
	int err = param_set_uint(val, kp);
	struct net *net;

	/* the word of the command line comes before anything is known of any netns */
	if (err || nfj_phase_now() != NFJ_LIVE)
		return err;
	/* while our part of each netns is there */
	down_read(nfj_sym.pernet_rwsem);
	if (nfj_phase_now() == NFJ_LIVE) {
		down_read(&net_rwsem);
		for_each_net(net) {
			struct nfj_net *nn = nfj_pernet(net);

			nfj_later_sooner(&nn->rebuild, nfj_rebuild_delay(nn));
		}
		up_read(&net_rwsem);
	}
	up_read(nfj_sym.pernet_rwsem);
	return 0;
}

static const struct kernel_param_ops nfj_rebuild_ops = {
	.set = nfj_rebuild_set,
	.get = param_get_uint,
};

module_param_cb(rebuild_ms, &nfj_rebuild_ops, &nfj_rebuild_ms, 0644);
__MODULE_PARM_TYPE(rebuild_ms, "uint");
MODULE_PARM_DESC(rebuild_ms, "milliseconds after a change of a few rules until a large chain is compiled as a whole");

/**
 * nfj_rebuild_queue - compile edited chains as a whole, later
 * @nn: the netns
 */
void nfj_rebuild_queue(struct nfj_net *nn)
{
	nfj_later(&nn->rebuild, nfj_rebuild_delay(nn));
}

/* The edited chain with this serial number, or, with 0, the next to do */
static struct nft_chain *nfj_edited(struct nfj_net *nn, u64 serial)
{
	struct nft_table *table;
	struct nft_chain *chain;

	list_for_each_entry(table, &nfj_nft_pernet(nn->net)->tables, list) {
		list_for_each_entry(chain, &table->chains, list) {
			const struct nfj_state *st;

			st = nfj_blob_state(nfj_blob_now(nn->net, chain));
			if (!st || !st->edits)
				continue;
			if (serial ? st->serial == serial : !st->edits->tried)
				return chain;
		}
	}
	return NULL;
}

/* Take the IMR of a chain that is to be compiled */
static u64 nfj_rebuild_take(struct nfj_net *nn, struct nfj_ir *ir, char *name,
			    struct nfj_matcher **m)
{
	struct nft_chain *chain = nfj_edited(nn, 0);
	const struct nfj_state *st;
	const struct nfj_kept *kept;

	if (!chain)
		return 0;
	st = nfj_blob_state(nfj_blob_now(nn->net, chain));
	st->edits->tried = true;
	nfj_load_name(name, chain);
	kept = nfj_chain_find(chain)->kept;
	/* never: what is translated is kept */
	if (WARN_ON_ONCE(!kept))
		return 0;
	ir->family = kept->ir.family;
	if (nfj_ir_append(ir, &kept->ir, 0, kept->ir.nentries))
		nfj_ir_free(ir);
	/* on the account of who has edited it last */
	if (ir->nentries)
		*m = nfj_matcher_like(st->edits->added ? st->edits->added :
							 st->matcher);
	return st->serial;
}

/* Put a matcher in the place of what a chain has */
static void nfj_rebuild_give(struct nfj_net *nn, u64 serial,
			     struct nfj_matcher *m)
{
	struct nft_chain *chain = nfj_edited(nn, serial);
	struct nft_rule_blob *blob = NULL, *was;
	struct mem_cgroup *memcg;
	struct nfj_state *st;
	struct nfj_chain *nc;
	size_t wanted = 0;

	/* another commit came first, which has queued us once more, or none of
	 * the chain's rules is of interest any more
	 */
	if (!chain)
		goto out_put;
	nc = nfj_chain_find(chain);
	if (WARN_ON_ONCE(!nc->kept))
		goto out_put;
	memcg = set_active_memcg(m->payer.memcg);
	st = nfj_state_new(nn->net, nc, NULL, nn->budget, &wanted);
	if (!IS_ERR(st)) {
		nfj_hits_attach(nn->net, chain, nc, st);
		blob = nfj_blob_build(nn->net, chain, st, GFP_KERNEL);
		if (!blob)
			nfj_state_free(st);
	}
	set_active_memcg(memcg);
	if (!blob)
		goto out_put;
	was = nfj_blob_now(nn->net, chain);
	st->was = was;
	nfj_state_use(st, m);
	list_add_tail(&st->list, &nc->states);
	nfj_publish_now(nn->net, chain, nc, blob);
	return;

out_put:
	nfj_matcher_put(m);
}

/**
 * nfj_rebuild_work - compile edited chains as a whole
 * @work: nfj_net::rebuild
 *
 * Where that fails, for want of memory or room in the budget, the chain stays as
 * it is until its next commit.
 */
void nfj_rebuild_work(struct work_struct *work)
{
	struct nfj_net *nn = container_of(to_delayed_work(work),
					  struct nfj_net, rebuild);
	struct nftables_pernet *nft_net = nfj_nft_pernet(nn->net);
	const unsigned long start = jiffies;
	char name[BPF_OBJ_NAME_LEN];
	struct nfj_matcher *m;
	struct nfj_ir ir;
	u64 serial;

	for (;;) {
		nfj_ir_init(&ir);
		m = NULL;
		mutex_lock(&nft_net->commit_mutex);
		serial = nfj_rebuild_take(nn, &ir, name, &m);
		mutex_unlock(&nft_net->commit_mutex);
		if (!serial)
			break;
		if (m && !nfj_matcher_build(m, &ir, name)) {
			mutex_lock(&nft_net->commit_mutex);
			nfj_rebuild_give(nn, serial, m);
			mutex_unlock(&nft_net->commit_mutex);
		} else {
			nfj_matcher_put(m);
		}
		nfj_ir_free(&ir);
	}
	WRITE_ONCE(nn->rebuild_time, jiffies - start);
}
