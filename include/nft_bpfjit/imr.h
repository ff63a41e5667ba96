/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IMR, the intermediate representation between nf_tables expressions and BPF.
 *
 * Most rules are one entry.  A rule with a verdict map is several, one for each
 * verdict, and so is one with a set that is no number (a concatenation): the
 * first entry that matches acts, and @next leads over the rest of its rule.
 *
 * A chain is an array of entries; an entry is a conjunction of tests on the flow
 * key, then an action.  "ip saddr 10.0.0.0/8 tcp dport 22 counter accept"
 * becomes
 *
 *	nh_len in [16, 65535]			the load of saddr succeeds
 *	nh[12..15] & 0xff000000 in [0x0a000000, 0x0a000000]
 *	valid & 1 in [1, 1]			the load of l4proto succeeds
 *	l4proto in [6, 6]
 *	thf_len in [4, 65535]			the load of dport succeeds
 *	th[2..3] in [22, 22]
 *	-> residue from expression 6 (counter), ends in accept
 *
 * A residue that reads registers has them filled from the flow key, where the
 * rule's loads would have left the same bytes: "ip saddr @blocked drop" becomes
 *
 *	nh_len in [16, 65535]
 *	-> reg 1 = nh[12..15], residue from expression 1 (lookup), ends in drop
 *
 * Front end, passes and emitter know nothing else, so that they compile in user
 * space as well.  Nothing here locks; an ir belongs to one task at a time.
 */
#ifndef _NFT_BPFJIT_IMR_H
#define _NFT_BPFJIT_IMR_H

#include <linux/types.h>
#include <linux/bpf.h>
#include <linux/netlink.h>
#ifdef __KERNEL__
#include <linux/bug.h>
#else
#include <assert.h>
#endif
#include <nft_bpfjit/key.h>

#define NFJ_NONE	0xffffffffU	/* matcher: no entry matches */

enum nfj_test_kind {
	NFJ_IN,		/* lo <= (x & mask) <= hi */
	NFJ_OUT,	/* not so */
	NFJ_WIDE_IN,	/* the same for a number of @n chunks, most */
	NFJ_WIDE_OUT,	/* significant first, compared lexicographically */
	NFJ_SET_IN,	/* x & mask in one of the intervals of a set */
	NFJ_SET_OUT,	/* in none of them */
};

/**
 * struct nfj_ival - an interval of numbers
 * @lo: lowest
 * @hi: highest
 */
struct nfj_ival {
	u64	lo;
	u64	hi;
};

/**
 * struct nfj_test - one test on a naturally aligned chunk of the flow key
 * @kind: enum nfj_test_kind
 * @n: chunks of a wide test (this one and the @n - 1 behind it), else 1
 * @size: bytes: 1, 2, 4 or 8
 * @order: enum nfj_order, how the chunk is read as a number
 * @off: byte offset in struct nfj_key, a multiple of @size
 * @mask: applied to the number
 * @lo: lowest value, within @mask; of a set the index of its first interval in
 *	nfj_ir::ivals
 * @hi: highest value, within @mask; of a set how many intervals it has: at least
 *	two, ascending, within @mask, with gaps between them
 *
 * Always in normal form, see imr/test.c.
 */
struct nfj_test {
	u8	kind;
	u8	n;
	u8	size;
	u8	order;
	u16	off;
	u64	mask;
	u64	lo;
	u64	hi;
};

/**
 * nfj_test_is_set - does a test refer to intervals of its chain?
 * @t: the test
 *
 * Return: true for NFJ_SET_IN and NFJ_SET_OUT.
 */
static inline bool nfj_test_is_set(const struct nfj_test *t)
{
	return t->kind == NFJ_SET_IN || t->kind == NFJ_SET_OUT;
}

/**
 * struct nfj_fill - a register word that a residue reads
 * @off: byte offset in struct nfj_key
 * @word: number of the register, 32 bits each
 * @len: bytes of the flow key, the rest is zero; 0: the word is @value
 * @value: a constant, as it stands in memory
 */
struct nfj_fill {
	u16	off;
	u8	word;
	u8	len;
	u32	value;
};

/* nfj_entry::flags */
#define NFJ_ENTRY_DEAD		0x01	/* cannot match, or matching does nothing */
#define NFJ_ENTRY_TERMINAL	0x02	/* a match never goes on to the next rule */
#define NFJ_ENTRY_WHOLE		0x04	/* the whole match part is in the tests */
#define NFJ_ENTRY_JUMPS		0x08	/* holds a jump or a goto */
#define NFJ_ENTRY_ODD		0x10	/* for packets with a short transport header */
#define NFJ_ENTRY_NOTIN		0x20	/* goes on when @set does not have the key */
#define NFJ_ENTRY_NOBREAK	0x40	/* jumps for sure when it matches */

/**
 * struct nfj_entry - an entry: a rule, or one case of a rule
 * @first: index of its first test in nfj_ir::tests
 * @fill: index of its first fill in nfj_ir::fills
 * @next: number of the entry to go on with when its action does not decide
 * @rule: number of the rule within the chain
 * @ntests: number of tests (chunks)
 * @nfills: number of fills
 * @nexpr: number of expressions
 * @cut: number of the expression where the residue starts
 * @stop: number of the expression that ended the match part; @cut lies before it
 *	  where the residue reads registers that can't be filled from the key
 * @end: number of the expression behind the residue, which is a verdict if there
 *	 is one
 * @flags: NFJ_ENTRY_*
 * @changes: NFJ_GROUP_* of the key that the residue may change
 * @verdict: what follows the residue: NF_ACCEPT, NF_DROP, NFT_*
 * @target: with NFT_JUMP and NFT_GOTO the chain, or NULL: expression @end knows
 * @set: nft's set that the residue begins by looking up, its key filled in, or NULL
 * @set_key: number of the register that holds the key
 * @set_data: index in nft_regs::data of the register that takes its data, or
 *	      NFJ_NO_DATA
 */
struct nfj_entry {
	u32	first;
	u32	fill;
	u32	next;
	u32	rule;
	u16	ntests;
	u8	nfills;
	u8	nexpr;
	u8	cut;
	u8	stop;
	u8	end;
	u8	flags;
	u16	changes;
	s32	verdict;
	const void *target;
	void	*set;
	u8	set_key;
	u8	set_data;
};

#define NFJ_NO_DATA	0xff

/* nfj_ir::taint: why registers or traces tie rules together, see frontend.c */
#define NFJ_TAINT_TRACE		0x01	/* a rule sets nftrace */
#define NFJ_TAINT_UNINIT	0x02	/* a rule reads a register of an earlier one */

/* nfj_ir::residue: rules with a residue in front of a verdict that ends all, and
 * others, behind which the chain goes on
 */
#define NFJ_RESIDUE_ENDS	0x01
#define NFJ_RESIDUE_GOES_ON	0x02

/**
 * struct nfj_ir - a chain in IMR
 * @entries: the entries in order
 * @nentries: how many
 * @tests: tests of all entries
 * @ntests: how many
 * @ivals: intervals of all sets
 * @nivals: how many
 * @fills: register words of all residues
 * @nfills: how many
 * @family: NFPROTO_* of its table
 * @taint: NFJ_TAINT_*
 * @cost: estimated instructions that the interpreter spends on rules with tests
 *	  when none matches
 * @residue: NFJ_RESIDUE_* of its rules
 * @entries_max: room in @entries
 * @tests_max: room in @tests
 * @ivals_max: room in @ivals
 * @fills_max: room in @fills
 */
struct nfj_ir {
	struct nfj_entry	*entries;
	u32			nentries;
	struct nfj_test	*tests;
	u32		ntests;
	struct nfj_ival	*ivals;
	u32		nivals;
	struct nfj_fill	*fills;
	u32		nfills;
	u8		family;
	u32		taint;
	u32		cost;
	u8		residue;
	u32		entries_max;
	u32		tests_max;
	u32		ivals_max;
	u32		fills_max;
};

#define NFJ_EXPRS_MAX	128	/* NFT_RULE_MAXEXPRS */
#define NFJ_SET_KEY_MAX	64	/* NFT_DATA_VALUE_MAXLEN */
#define NFJ_SET_FIELDS	16	/* NFT_REG32_COUNT */

/**
 * struct nfj_elem_in - an element of a set
 * @lo: key, or its lowest value
 * @hi: highest value, the same for a single key; compared field by field
 * @verdict: of a verdict map
 * @target: ... and the chain that it leads to
 */
struct nfj_elem_in {
	u8		lo[NFJ_SET_KEY_MAX];
	u8		hi[NFJ_SET_KEY_MAX];
	s32		verdict;
	const void	*target;
};

/**
 * struct nfj_set_in - a set whose elements never change
 * @verdicts: it is a verdict map
 * @catchall: has an element for what no other matches: the last one
 * @nfields: fields of a key
 * @field_len: bytes of each; a field takes whole words
 * @nelems: number of elements, with @catchall
 * @elems: the elements, in the order in which nft finds them: of two that hold a
 *	   key the first counts
 */
struct nfj_set_in {
	bool			verdicts;
	bool			catchall;
	u8			nfields;
	u8			field_len[NFJ_SET_FIELDS];
	u32			nelems;
	struct nfj_elem_in	*elems;
};

/**
 * struct nfj_expr_in - an expression as its ops->dump() wrote it
 * @name: name of its type
 * @attrs: its netlink attributes, or NULL where they were not asked for
 * @len: bytes of @attrs
 * @maxattr: the highest attribute number that this kernel knows of the type
 * @keylen: bytes of the source register where only the kernel knows (length of
 *	    a set's key), else 0
 * @datalen: bytes of the destination register where only the kernel knows (length
 *	     of a map's data), else 0
 * @set: the set that is looked up, if it never changes, else NULL
 * @named: nft's own set, if it can be looked up faster than nft does
 */
struct nfj_expr_in {
	const char		*name;
	const struct nlattr	*attrs;
	int			len;
	u16			maxattr;
	u16			keylen;
	u16			datalen;
	struct nfj_set_in	*set;
	void			*named;
};

/* For memory that stays: charged to the memory cgroup of the current task, and if
 * there is none to be had the chain is interpreted, no task is killed for it.
 */
#define NFJ_GFP	(GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN)

int nfj_room(void **p, u32 *max, u32 used, u32 n, size_t size);

void nfj_ir_init(struct nfj_ir *ir);
void nfj_ir_free(struct nfj_ir *ir);
struct nfj_entry *nfj_ir_add_entry(struct nfj_ir *ir);
int nfj_ir_push_test(struct nfj_ir *ir, const struct nfj_test *test);
int nfj_ir_add_ival(struct nfj_ir *ir, u64 lo, u64 hi);
int nfj_ir_add_fill(struct nfj_ir *ir, const struct nfj_fill *fill);
int nfj_ir_append(struct nfj_ir *ir, const struct nfj_ir *from, u32 first,
		  u32 last);

/* imr/test.c: tests in normal form, made nowhere else */
u32 nfj_test_normal(const struct nfj_ir *ir, const struct nfj_test *t, u32 n);
bool nfj_ir_normal(const struct nfj_ir *ir);
bool nfj_test_same(const struct nfj_test *a, const struct nfj_ival *av,
		   const struct nfj_test *b, const struct nfj_ival *bv);
int nfj_ir_add_test(struct nfj_ir *ir, struct nfj_entry *entry,
		    const struct nfj_test *add);
int nfj_ir_add_range(struct nfj_ir *ir, struct nfj_entry *entry,
		     const struct nfj_test *num, u64 lo, u64 hi, bool in);
int nfj_ir_add_set(struct nfj_ir *ir, struct nfj_entry *entry,
		   const struct nfj_test *num, const struct nfj_ival *v, u32 n,
		   bool in);
int nfj_ir_add_wide(struct nfj_ir *ir, struct nfj_entry *entry,
		    struct nfj_test *num, u32 n, bool in);

/* imr/inline.c: a chain and those that it jumps to, in one */

/**
 * struct nfj_origin - where an entry comes from
 * @ir: the chain that it was in
 * @entry: its number there
 */
struct nfj_origin {
	const struct nfj_ir	*ir;
	u32			entry;
};

int nfj_ir_inline(struct nfj_ir *to, const struct nfj_ir *ir,
		  const struct nfj_ir *(*callee)(void *arg, const struct nfj_ir *ir,
						 u32 entry),
		  void *arg, struct nfj_origin *origin, u32 max);

/* Something that no caller may ask for: user space stops there and then, so that
 * its tests see who did; the kernel says so once and leaves the chain alone.
 */
#ifdef __KERNEL__
#define NFJ_REFUSE(cond)	WARN_ON_ONCE(cond)
#else
#define NFJ_REFUSE(cond)	({ assert(!(cond)); false; })
#endif

bool nfj_frontend_wants(const char *name);
int nfj_frontend_rule(struct nfj_ir *ir, const struct nfj_expr_in *exprs,
		      unsigned int n);

/* nfj_compile() flags, each a pass that can be left out */
#define NFJ_OPT_SEARCH	0x01	/* decision tree instead of linear compares */
#define NFJ_OPT_LOADS	0x02	/* numbers that are read often in a register */
#define NFJ_OPT_COMMON	0x04	/* tests common to many rules once */
#define NFJ_OPT_EXACT	0x08	/* hash tables for rules that test equality */
#define NFJ_OPT_IVALS	0x10	/* sorted tables for intervals of a number */
#define NFJ_OPT_START	0x20	/* find the entry instead of a check per rule */
#define NFJ_OPT_PACK	0x40	/* leaves of large trees as data */
#define NFJ_OPT_ALL	0x7f

/**
 * struct nfj_insns - a program being written
 * @insn: instructions; one that loads an address (BPF_LD | BPF_IMM | BPF_DW)
 *	  with BPF_PSEUDO_MAP_VALUE refers to @data, the offset is in the second
 *	  half, and the map in the first is for the loader to fill in
 * @n: how many
 * @max: room
 * @data: tables that the program looks things up in
 * @ndata: bytes of them
 * @data_max: room
 * @need: what the program reads
 * @open: it may be entered at any rule up to this one
 */
struct nfj_insns {
	struct bpf_insn	*insn;
	u32		n;
	u32		max;
	u8		*data;
	u32		ndata;
	u32		data_max;
	struct nfj_need	need;
	u32		open;
};

int nfj_compile(const struct nfj_ir *ir, u32 first, u32 last, u32 opts,
		struct nfj_insns *out);
void nfj_insns_free(struct nfj_insns *out);

/* nfj_check() flags */
#define NFJ_CHECK_TABLES	0x01	/* may look up in read-only tables */

int nfj_check(const struct bpf_insn *insn, u32 n, u32 flags, u32 *where);

#endif /* _NFT_BPFJIT_IMR_H */
