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
#include "whole.h"

static struct workqueue_struct *nfj_wq;

static bool nfj_tests_equal(const struct nfj_ir *ir, const struct nfj_test *a,
			    const struct nfj_test *b)
{
	if (a->kind != b->kind || a->n != b->n || a->size != b->size ||
	    a->order != b->order || a->off != b->off || a->mask != b->mask ||
	    a->hi != b->hi)
		return false;
	if (a->kind == NFJ_SET_IN || a->kind == NFJ_SET_OUT)
		return !memcmp(&ir->ivals[a->lo], &ir->ivals[b->lo],
			       a->hi * sizeof(*ir->ivals));
	return a->lo == b->lo;
}

/**
 * nfj_key_groups - the groups that a test reads
 * @off: byte offset of its chunk in struct nfj_key
 * @size: bytes
 * @mask: its mask
 *
 * Return: NFJ_GROUP_*.
 */
u32 nfj_key_groups(unsigned int off, unsigned int size, u64 mask)
{
	static const struct {
		u16	end;
		u16	groups;
	} part[] = {
		{ offsetof(struct nfj_key, ll_len),	NFJ_GROUP_BASE },
		{ offsetof(struct nfj_key, nh_len),	NFJ_GROUP_LL },
		{ offsetof(struct nfj_key, th_len),	NFJ_GROUP_NH },
		{ offsetof(struct nfj_key, len),	NFJ_GROUP_TH },
		{ offsetof(struct nfj_key, iif),	NFJ_GROUP_META },
		{ offsetof(struct nfj_key, nfproto),	NFJ_GROUP_IF },
		{ offsetof(struct nfj_key, pkttype),	NFJ_GROUP_BASE },
		{ offsetof(struct nfj_key, ct_dir),	NFJ_GROUP_META },
		{ offsetof(struct nfj_key, protocol),	NFJ_GROUP_CT },
		{ offsetof(struct nfj_key, iftype),	NFJ_GROUP_META },
		{ offsetof(struct nfj_key, pad),	NFJ_GROUP_IF },
		{ offsetof(struct nfj_key, ct_state),	0 },
		{ offsetof(struct nfj_key, pad2),	NFJ_GROUP_CT },
		{ offsetof(struct nfj_key, iifname),	0 },
		{ offsetof(struct nfj_key, oifname),	NFJ_GROUP_IIFNAME },
		{ offsetof(struct nfj_key, ll),		NFJ_GROUP_OIFNAME },
		{ offsetof(struct nfj_key, nh),		NFJ_GROUP_LL },
		{ offsetof(struct nfj_key, th),		NFJ_GROUP_NH },
		{ sizeof(struct nfj_key),		NFJ_GROUP_TH },
	};
	u32 groups = 0, i = 0, at;

	if (off == offsetof(struct nfj_key, valid)) {
		if (mask & (NFJ_VALID_CT | NFJ_VALID_CTMARK))
			groups |= NFJ_GROUP_CT;
		if (mask & (NFJ_VALID_IFTYPE | NFJ_VALID_OIFTYPE))
			groups |= NFJ_GROUP_IF;
		if (mask & NFJ_VALID_PKTTYPE)
			groups |= NFJ_GROUP_META;
	}
	for (at = off; at < off + size; at++) {
		while (at >= part[i].end)
			i++;
		groups |= part[i].groups;
	}
	return groups;
}

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
			if (nfj_tests_equal(ir, &ir->tests[a->first + j], t))
				break;
		if (j == a->ntests)
			return false;
	}
	return true;
}

/* The actions, for nfj_blob_build() to put in offsets for numbers */
static struct nfj_act *nfj_acts_make(const struct nfj_ir *ir,
				     const struct nfj_whole *whole)
{
	struct nfj_act *acts;
	u32 i;

	acts = kvcalloc(ir->nentries, sizeof(*acts), GFP_KERNEL);
	if (!acts)
		return NULL;
	for (i = 0; i < ir->nentries; i++) {
		const struct nfj_entry *r = &ir->entries[i];
		struct nfj_act *act = &acts[i];

		act->cut = r->cut;
		act->stop = r->end;
		act->rule = r->rule;
		act->back = r->rule + 1;
		act->verdict = r->verdict;
		act->chain = r->target;
		act->fill = r->fill;
		act->nfills = r->nfills;
		act->drops = nfj_flow_drops(r->changes);
		/* what is filled in has to be extracted for a program */
		if (!r->ntests && !r->nfills && !(r->flags & NFJ_ENTRY_DEAD))
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
		if (whole) {
			const struct nfj_origin *origin = &whole->origin[i];

			act->level = origin->back_level;
			act->back = origin->back;
			nfj_act_place(act, origin->rule->data,
				      origin->rule->dlen);
		}
	}
	return acts;
}

/**
 * nfj_state_new - a state without a matcher
 * @chain: the chain
 * @nc: what is known of it, its rules among it
 * @whole: the same with its callees, or NULL; what the state keeps of it is taken
 *	   out
 *
 * Context: commit mutex.
 *
 * Return: the state, to be freed with nfj_state_free(), or NULL.
 */
struct nfj_state *nfj_state_new(const struct nft_chain *chain,
				const struct nfj_chain *nc,
				struct nfj_whole *whole)
{
	static atomic64_t serial = ATOMIC64_INIT(0);
	struct nfj_state *st = kzalloc(sizeof(*st), GFP_KERNEL);
	const struct nfj_ir *ir = whole ? &whole->ir : &nc->kept->ir;

	if (!st)
		return NULL;
	INIT_LIST_HEAD(&st->list);
	st->chain = chain;
	st->serial = atomic64_inc_return(&serial);
	st->enter = nft_is_base_chain(chain) || !nc->fig.jumps;
	st->nacts = ir->nentries;
	st->needs = U32_MAX;
	st->acts = nfj_acts_make(ir, whole);
	if (!st->acts)
		goto out_free;
	if (whole) {
		swap(st->levels, whole->levels);
		swap(st->deps, whole->deps);
		st->ndeps = whole->ndeps;
	}
	if (!ir->nfills)
		return st;
	st->fills = kvmalloc_array(ir->nfills, sizeof(*st->fills), GFP_KERNEL);
	if (!st->fills)
		goto out_free;
	memcpy(st->fills, ir->fills, ir->nfills * sizeof(*st->fills));
	return st;

out_free:
	nfj_state_free(st);
	return NULL;
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
	/* a chain may be all jumps to empty ones */
	st->nprogs = st->nacts && st->acts->flags & NFJ_ACT_ALWAYS ?
		     0 : m->nprogs;
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
	nfj_matcher_put(st->matcher);
	if (st->edits)
		nfj_matcher_put(st->edits->added);
	kfree(st->edits);
	kvfree(st->acts);
	kvfree(st->fills);
	kvfree(st->levels);
	kvfree(st->deps);
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
