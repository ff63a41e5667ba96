// SPDX-License-Identifier: GPL-2.0-only
/*
 * States: what each entry of a chain does, and the matcher that finds it.
 *
 * A state outlives its blob: it is freed one RCU grace period after the blob
 * was replaced, was never published, or its chain was destroyed.
 */
#include <linux/atomic.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "../flow/flow.h"
#include "commit.h"

static struct workqueue_struct *nfj_wq;

/* Does entry @b match whenever entry @a does? */
static bool nfj_implies(const struct nfj_ir *ir, const struct nfj_entry *a,
			const struct nfj_entry *b)
{
	u32 i, j;

	for (i = 0; i < b->ntests; i++) {
		const struct nfj_test *t = &ir->tests[b->first + i];

		if (a->changes & nfj_key_groups(t->off, t->size, t->mask))
			return false;
		/* the chunks of a wide test belong together */
		if (t->kind == NFJ_WIDE_IN || t->kind == NFJ_WIDE_OUT)
			return false;
		for (j = 0; j < a->ntests; j++)
			if (nfj_test_same(&ir->tests[a->first + j], ir->ivals, t,
					  ir->ivals))
				break;
		if (j == a->ntests)
			return false;
	}
	return true;
}

/* The actions, for nfj_blob_build() to put in offsets for numbers */
static struct nfj_act *nfj_acts_make(const struct nfj_ir *ir)
{
	struct nfj_act *acts;
	u32 i;

	acts = kvcalloc(ir->nentries, sizeof(*acts), NFJ_GFP);
	if (!acts)
		return NULL;
	for (i = 0; i < ir->nentries; i++) {
		const struct nfj_entry *r = &ir->entries[i];
		struct nfj_act *act = &acts[i];

		act->cut = r->cut;
		act->stop = r->end;
		act->rule = r->rule;
		act->verdict = r->verdict;
		act->chain = r->target;
		act->fill = r->fill;
		act->nfills = r->nfills;
		act->drops = nfj_flow_drops(r->changes);
		/* what is filled in has to be extracted for a program */
		if (r->flags & NFJ_ENTRY_DEAD)
			act->flags |= NFJ_ACT_DEAD;
		else if (!r->ntests && !r->nfills)
			act->flags |= NFJ_ACT_ALWAYS;
		act->next = r->next;
		/* one by one: behind a dead entry its rule may have another,
		 * for packets whose transport header is too short
		 */
		while (act->next < ir->nentries &&
		       ir->entries[act->next].flags & NFJ_ENTRY_DEAD)
			act->next++;
		if (act->next < ir->nentries &&
		    nfj_implies(ir, r, &ir->entries[act->next]))
			act->flags |= NFJ_ACT_NEXT;
	}
	return acts;
}

/* What a state takes, but for its matcher */
static int nfj_state_charge(struct nfj_state *st, const struct nfj_ir *ir,
			    const struct nfj_flat *flat,
			    struct nfj_budget *budget, size_t *wanted)
{
	size_t size = sizeof(*st) + ir->nentries * sizeof(*st->acts) +
		      ir->nfills * sizeof(*st->fills) +
		      ir->nentries * sizeof(*st->handles);
	int err;
	u32 i;

	for (i = 0; i < ir->nentries; i++)
		size += ir->entries[i].set ? sizeof(*st->looks) : 0;
	if (flat)
		size += ir->nentries * sizeof(*st->places) +
			struct_size(st->inlined, chain, flat->ncallees);
	*wanted += size;
	err = nfj_budget_charge(budget, size);
	if (err)
		return err;
	st->budget = nfj_budget_get(budget);
	st->charged = size;
	return 0;
}

/* Which rule each entry is of */
static int nfj_rules_note(struct nfj_state *st, const struct nfj_kept *kept,
			  const struct nfj_flat *flat)
{
	u32 i;

	st->handles = kvmalloc_array(st->nacts, sizeof(*st->handles), NFJ_GFP);
	if (!st->handles)
		return -ENOMEM;
	if (flat)
		return nfj_flat_places(flat, st);
	for (i = 0; i < st->nacts; i++)
		st->handles[i] = kept->rule[kept->ir.entries[i].rule].handle;
	return 0;
}

/* Where the key of a lookup lies: fills are in the order of registers.  False: not
 * all of it is filled in, or so near to the end of the key that a whole word can't
 * be read.
 */
static bool nfj_look_key(struct nfj_look *look, const struct nfj_fill *fill,
			 const struct nfj_entry *r)
{
	const struct nfj_shadow *sh = look->shadow;
	u32 i, words = 0;

	for (i = 0; i < r->nfills && words < sh->words; i++, fill++) {
		if (fill->word != r->set_key + words)
			continue;
		if (!words++)
			look->fill = fill;
		if (fill->off + sizeof(u32) > sizeof(struct nfj_key))
			return false;
	}
	if (words < sh->words)
		return false;
	look->quick = &nfj_shadow_closed;
	if (sh->klen == sizeof(u32) && look->fill->len == sizeof(u32)) {
		look->quick = sh;
		look->off = look->fill->off;
	}
	return true;
}

/* The lookups that residues begin with.  One that has no shadow stays nft's. */
static int nfj_looks_make(struct net *net, struct nfj_state *st,
			  const struct nfj_ir *ir)
{
	u32 i, n = 0;

	for (i = 0; i < ir->nentries; i++)
		n += !!ir->entries[i].set;
	if (!n)
		return 0;
	st->looks = kvcalloc(n, sizeof(*st->looks), NFJ_GFP);
	if (!st->looks)
		return -ENOMEM;
	for (i = 0; i < ir->nentries; i++) {
		const struct nfj_entry *r = &ir->entries[i];
		struct nfj_look *look = &st->looks[st->nlooks];
		const struct nft_set *set = r->set;

		if (!set)
			continue;
		look->shadow = nfj_set_shadow(net, r->set);
		if (!look->shadow)
			continue;
		if (!nfj_look_key(look, &st->fills[r->fill], r)) {
			nfj_shadow_put(look->shadow);
			continue;
		}
		look->dreg = r->set_data;
		look->dlen = set->dlen;
		look->invert = r->flags & NFJ_ENTRY_NOTIN;
		st->acts[i].look = look;
		if (!look->invert && r->cut + 1 == r->end &&
		    st->acts[i].next >= ir->nentries &&
		    (r->verdict == NF_ACCEPT || r->verdict == NF_DROP))
			st->acts[i].flags |= NFJ_ACT_QUICK;
		st->nlooks++;
	}
	return 0;
}

/**
 * nfj_state_new - a state without a matcher
 * @net: the netns
 * @nc: what is known of a chain, its rules among it
 * @flat: the chain with others in it, or NULL
 * @budget: whose memory it is to be
 * @wanted: bytes are added
 *
 * Context: commit mutex.
 *
 * Return: the state, to be freed with nfj_state_free(), or an errno.
 */
struct nfj_state *nfj_state_new(struct net *net, const struct nfj_chain *nc,
				const struct nfj_flat *flat,
				struct nfj_budget *budget, size_t *wanted)
{
	static atomic64_t serial = ATOMIC64_INIT(0);
	struct nfj_state *st = kzalloc(sizeof(*st), NFJ_GFP);
	const struct nfj_ir *ir = flat ? &flat->ir : &nc->kept->ir;
	const struct nft_chain *chain = nc->chain;
	int err;

	if (!st)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&st->list);
	err = nfj_state_charge(st, ir, flat, budget, wanted);
	if (err)
		goto out_free;
	err = -ENOMEM;
	st->chain = chain;
	st->serial = atomic64_inc_return(&serial);
	st->enter = nft_is_base_chain(chain) || !nc->stats.jumps;
	st->nacts = ir->nentries;
	st->needs = U32_MAX;
	st->acts = nfj_acts_make(ir);
	if (!st->acts)
		goto out_free;
	if (nfj_rules_note(st, nc->kept, flat))
		goto out_free;
	if (!ir->nfills)
		return st;
	st->fills = kvmalloc_array(ir->nfills, sizeof(*st->fills), NFJ_GFP);
	if (!st->fills)
		goto out_free;
	memcpy(st->fills, ir->fills, ir->nfills * sizeof(*st->fills));
	if (nfj_looks_make(net, st, ir))
		goto out_free;
	return st;

out_free:
	nfj_state_free(st);
	return ERR_PTR(err);
}

/**
 * nfj_state_use - let a state use a matcher that was made for its entries
 * @st: the state
 * @m: the matcher, which the state keeps from now on
 */
void nfj_state_use(struct nfj_state *st, struct nfj_matcher *m)
{
	u32 i;

	st->matcher = m;
	st->nprogs = st->acts->flags & NFJ_ACT_ALWAYS ? 0 : m->nprogs;
	st->prog = m->prog;
	st->needs = 0;
	for (i = 0; i < m->nprogs; i++)
		st->needs |= m->prog[i].needs;
}

/**
 * nfj_state_free - free a state that no packet can see
 * @st: the state
 */
void nfj_state_free(struct nfj_state *st)
{
	u32 i;

	for (i = 0; i < st->nlooks; i++)
		nfj_shadow_put(st->looks[i].shadow);
	kvfree(st->looks);
	nfj_matcher_put(st->matcher);
	if (st->edits)
		nfj_matcher_put(st->edits->added);
	kfree(st->edits);
	kvfree(st->acts);
	kvfree(st->fills);
	kvfree(st->handles);
	kvfree(st->places);
	kfree(st->inlined);
	nfj_hits_put(st->hits);
	if (st->charged) {
		nfj_budget_uncharge(st->budget, st->charged);
		nfj_budget_put(st->budget);
	}
	kfree(st);
}

static void nfj_state_work(struct work_struct *work)
{
	nfj_state_free(container_of(to_rcu_work(work), struct nfj_state,
				    rwork));
}

/**
 * nfj_state_retire - free a state after a grace period
 * @st: the state; no blob that can still be reached points to it
 *
 * Context: any that may queue work.
 */
void nfj_state_retire(struct nfj_state *st)
{
	INIT_RCU_WORK(&st->rwork, nfj_state_work);
	queue_rcu_work(nfj_wq, &st->rwork);
}

/**
 * nfj_state_init - make the workqueue that frees states
 *
 * Return: 0 or -ENOMEM.
 */
int nfj_state_init(void)
{
	nfj_wq = alloc_workqueue("nft_bpfjit_free", WQ_UNBOUND, 0);
	return nfj_wq ? 0 : -ENOMEM;
}

/**
 * nfj_state_exit - wait for all states that were retired
 */
void nfj_state_exit(void)
{
	rcu_barrier();
	destroy_workqueue(nfj_wq);
}
