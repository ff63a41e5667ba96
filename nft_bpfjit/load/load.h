/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs: IMR is compiled, checked, loaded and paid for.
 */
#ifndef _NFJ_LOAD_H
#define _NFJ_LOAD_H

#include <linux/bpf.h>
#include <linux/refcount.h>
#include <net/netfilter/nf_tables.h>
#include <nft_bpfjit/imr.h>

/* budget.c: how much memory they may take */
struct nfj_budget;

struct nfj_budget *nfj_budget_new(void);
struct nfj_budget *nfj_budget_unlimited(void);
struct nfj_budget *nfj_budget_get(struct nfj_budget *b);
void nfj_budget_put(struct nfj_budget *b);
size_t nfj_budget_room(const struct nfj_budget *b);
int nfj_budget_charge(struct nfj_budget *b, size_t bytes);
void nfj_budget_uncharge(struct nfj_budget *b, size_t bytes);

/* payer.c: on whose account */

/**
 * struct nfj_payer - for whom programs are loaded
 * @budget: of the netns; what they take counts there
 * @memcg: memory cgroup that is charged, or NULL
 * @slow: does without machine code as well: the self-test
 */
struct nfj_payer {
	struct nfj_budget	*budget;
	struct mem_cgroup	*memcg;
	bool			slow;
};

void nfj_payer_init(struct nfj_payer *payer, struct nfj_budget *budget);
void nfj_payer_copy(struct nfj_payer *payer, const struct nfj_payer *from);
void nfj_payer_exit(struct nfj_payer *payer);
bool nfj_may_load(void);

/* load.c: one program */
int nfj_load_init(void);
void nfj_load_exit(void);
int nfj_load(const struct nfj_insns *insns, const char *name,
	     const struct nfj_payer *payer, struct bpf_prog **prog);
size_t nfj_load_size(const struct bpf_prog *prog);
void nfj_load_name(char *name, const struct nft_chain *chain);

/* matcher.c: all programs of a chain */

/**
 * struct nfj_prog - a loaded matcher for some of a chain's rules
 * @prog: the program; holds a reference
 * @last: behind the last entry that it covers
 * @open: it may be entered anywhere up to there
 * @needs: @need as a set of bits, see nfj_need_mask()
 * @need: what it reads of the flow key
 */
struct nfj_prog {
	struct bpf_prog	*prog;
	u32		last;
	u32		open;
	u32		needs;
	struct nfj_need	need;
};

/**
 * struct nfj_matcher - the programs that search a chain, or a part of it
 * @ref: states that use it
 * @nprogs: programs
 * @prog: programs in rule order
 * @nentries: entries that they find
 * @insns: BPF instructions, all programs
 * @jited: bytes of machine code, all programs
 * @tables: bytes of the data that they search
 * @payer: whose memory it is
 * @charged: bytes taken from its budget
 * @refused: bytes for which there was no room
 */
struct nfj_matcher {
	refcount_t		ref;
	u32			nprogs;
	struct nfj_prog		*prog;
	u32			nentries;
	u32			insns;
	u32			jited;
	u32			tables;
	struct nfj_payer	payer;
	size_t			charged;
	size_t			refused;
};

struct nfj_matcher *nfj_matcher_new(struct nfj_budget *budget);
struct nfj_matcher *nfj_matcher_like(const struct nfj_matcher *from);
void nfj_matcher_put(struct nfj_matcher *m);
int nfj_matcher_build(struct nfj_matcher *m, const struct nfj_ir *ir,
		      const char *name);

#endif /* _NFJ_LOAD_H */
