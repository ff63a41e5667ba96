/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between kernels, force-included in front of every file: the
 * only place that looks at LINUX_VERSION_CODE.  Code elsewhere is written for
 * the newest kernel; this file makes older ones look like it.
 */
#ifndef _NFJ_COMPAT_H
#define _NFJ_COMPAT_H

#include <linux/version.h>
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/netfilter.h>
#include <linux/sysctl.h>
#include <net/netfilter/nf_tables.h>

/* is the kernel that we are built for at least this one? */
#define NFJ_KERNEL(a, b)	(LINUX_VERSION_CODE >= KERNEL_VERSION(a, b, 0))

/* Kernels whose nft_chain_filter.c has been compared with engine/hookfn.c: there the
 * engine may stand in the hook.  On all others it is entered through its expression.
 */
#define NFJ_IS(a, b) \
	(LINUX_VERSION_MAJOR == (a) && LINUX_VERSION_PATCHLEVEL == (b))
#ifndef NFJ_HOOKS_COMPARED
#define NFJ_HOOKS_COMPARED	(NFJ_IS(6, 1) || NFJ_IS(6, 12) || NFJ_IS(7, 3))
#endif

/* Kernels whose sets have been compared with sets/: what changes them, and what a commit
 * says of it.  On all others they are looked up in nf_tables.  NFJ_TRANS_ELEMS is from
 * Kbuild: 6.12 learnt to put several elements into one entry in a stable release.
 */
#ifndef NFJ_SETS_COMPARED
#define NFJ_SETS_COMPARED	(NFJ_IS(6, 1) || (NFJ_IS(6, 12) && NFJ_TRANS_ELEMS))
#endif

/* kern_sys_bpf() has no prototype in any header */
union bpf_attr;
int kern_sys_bpf(int cmd, union bpf_attr *attr, unsigned int size);

/* 6.13: the namespace is a string */
#if NFJ_KERNEL(6, 13)
#define NFJ_IMPORT_BPF_INTERNAL	MODULE_IMPORT_NS("BPF_INTERNAL")
#elif NFJ_KERNEL(6, 2)
#define NFJ_IMPORT_BPF_INTERNAL	MODULE_IMPORT_NS(BPF_INTERNAL)
#else
#define NFJ_IMPORT_BPF_INTERNAL
#endif

/* 6.2: another name */
#if !NFJ_KERNEL(6, 2)
#define ftrace_regs_set_instruction_pointer(fregs, ip) \
	ftrace_instruction_pointer_set(fregs, ip)
#endif

/* 6.16: a hook of a netdev chain has an ops for each device that its name matches.
 * The one behind @ops, or the first behind NULL; NULL behind the last.
 */
static inline const struct nf_hook_ops *
nfj_hook_ops_next(const struct nft_hook *hook, const struct nf_hook_ops *ops)
{
#if NFJ_KERNEL(6, 16)
	const struct list_head *at = ops ? &ops->list : &hook->ops_list;

	return list_is_last(at, &hook->ops_list) ? NULL :
	       list_entry(at->next, struct nf_hook_ops, list);
#else
	return ops ? NULL : &hook->ops;
#endif
}

/* Did BPF_PROG_LOAD get as far as the verifier, which always writes this field?
 * Older kernels have no other errno for "no memory" that would make one ask.
 */
#if NFJ_KERNEL(6, 4)
#define nfj_verifier_mark(attr)	((attr)->log_true_size = U32_MAX)
#define nfj_verifier_ran(attr)	((attr)->log_true_size != U32_MAX)
#else
#define nfj_verifier_mark(attr)	((void)(attr))
#define nfj_verifier_ran(attr)	((void)(attr), true)
#endif

#if NFJ_KERNEL(6, 11)
#define NFJ_CTL_CONST	const
#else
#define NFJ_CTL_CONST
#endif

/* in a tracepoint: a string that __string() has made room for */
#if NFJ_KERNEL(6, 10)
#define nfj_assign_str(dst, src)	do { (void)(src); __assign_str(dst); } while (0)
#else
#define nfj_assign_str(dst, src)	__assign_str(dst, src)
#endif

#if NFJ_KERNEL(6, 6)
#define nfj_register_sysctl	register_net_sysctl_sz
#else
/* finds the end of the table by its empty entry */
static inline struct ctl_table_header *
nfj_register_sysctl(struct net *net, const char *path, struct ctl_table *table,
		    size_t n)
{
	return register_net_sysctl(net, path, table);
}
#endif

/* A kprobe on a function sits behind its landing pad, a call must go to it */
#ifdef CONFIG_X86_KERNEL_IBT
#include <asm/ibt.h>

#define NFJ_LANDING_PAD	ENDBR_INSN_SIZE

static inline void *nfj_kprobe_entry(void *addr)
{
	u8 *pad = (u8 *)addr - ENDBR_INSN_SIZE;

#if NFJ_KERNEL(6, 15)
	return __is_endbr(*(u32 *)pad) ? pad : addr;
#else
	return is_endbr(*(u32 *)pad) ? pad : addr;
#endif
}
#else
#define NFJ_LANDING_PAD	0

static inline void *nfj_kprobe_entry(void *addr)
{
	return addr;
}
#endif

/* What nft_do_chain() returns for a drop: newer kernels free the packet there */
static __always_inline unsigned int nfj_drop(struct sk_buff *skb, u32 verdict)
{
#if NFJ_KERNEL(6, 7)
	return NF_DROP_REASON(skb, SKB_DROP_REASON_NETFILTER_DROP, EPERM);
#else
	return verdict;
#endif
}

#if NFJ_KERNEL(6, 11)
#define nfj_trans_table(trans)		((trans)->table)
#else
/* the table, and the chain of a rule, used to be in a transaction's context */
#define nfj_trans_table(trans)		((trans)->ctx.table)
#define nft_trans_rule_chain(trans)	((trans)->ctx.chain)
#endif

/* What nf_tables puts behind a blob: the end mark and room for freeing it, which
 * is in a struct of the kernel by the name of NFJ_BLOB_TAIL
 */
#if NFJ_KERNEL(6, 4)
#define NFJ_BLOB_TRAILER	sizeof(struct nft_rule_dp_last)
#define NFJ_BLOB_TAIL		"nft_rule_dp_last"
#define nfj_blob_tail		nft_rule_dp_last

static inline void nfj_blob_end(const struct nft_chain *chain, void *data)
{
	struct nft_rule_dp_last *last = data;

	memset(last, 0, sizeof(*last));
	last->end.is_last = 1;
	last->chain = chain;
}

static inline void nfj_blob_call_rcu(struct nft_rule_blob *blob,
				     rcu_callback_t fn)
{
	struct nft_rule_dp_last *last = (void *)blob->data + blob->size;

	last->blob = blob;
	call_rcu(&last->h, fn);
}

static inline struct nft_rule_blob *nfj_blob_of_rcu(struct rcu_head *head)
{
	return container_of(head, struct nft_rule_dp_last, h)->blob;
}
#else
/* struct nft_rules_old is private, this is the same: hook/btf.c sees to that */
struct nfj_rules_old {
	struct rcu_head		h;
	struct nft_rule_blob	*blob;
};

#define NFJ_BLOB_TAIL		"nft_rules_old"
#define nfj_blob_tail		nfj_rules_old
#define NFJ_BLOB_TRAILER	(sizeof(struct nft_rule_dp) + \
				 sizeof(struct nfj_rules_old))

static inline void nfj_blob_call_rcu(struct nft_rule_blob *blob,
				     rcu_callback_t fn)
{
	struct nfj_rules_old *old = (void *)blob->data + blob->size;

	old->blob = blob;
	call_rcu(&old->h, fn);
}

static inline struct nft_rule_blob *nfj_blob_of_rcu(struct rcu_head *head)
{
	return container_of(head, struct nfj_rules_old, h)->blob;
}

static inline void nfj_blob_end(const struct nft_chain *chain, void *data)
{
	struct nft_rule_dp *last = data;

	memset(last, 0, sizeof(*last));
	last->is_last = 1;
}

static inline const struct nft_rule_dp *
nft_rule_next(const struct nft_rule_dp *rule)
{
	return (const void *)rule + sizeof(*rule) + rule->dlen;
}
#endif

/* An element of a set, as a walk passes it on */
#if NFJ_KERNEL(6, 7)
#define nfj_elem_priv		struct nft_elem_priv
#define nfj_elem_ext(set, priv)	nft_set_elem_ext(set, priv)
#else
#define nfj_elem_priv		struct nft_set_elem
#define nfj_elem_ext(set, elem)	nft_set_elem_ext(set, (elem)->priv)
#endif

/* Private to nft_counter.c, all kernels so far (engine/counter.c sees to it) */
struct nfj_counter {
	u64	bytes;
	u64	packets;
};

struct nfj_counter_priv {
	struct nfj_counter __percpu	*counter;
};

/* When an element expires; @never when it doesn't */
static inline u64 nfj_elem_expires(const struct nft_set_ext *ext, u64 never)
{
#if NFJ_KERNEL(6, 11)
	const struct nft_timeout *timeout;

	if (!nft_set_ext_exists(ext, NFT_SET_EXT_TIMEOUT))
		return never;
	timeout = nft_set_ext_timeout(ext);
	return READ_ONCE(timeout->timeout) ? READ_ONCE(timeout->expiration) :
					     never;
#else
	return nft_set_ext_exists(ext, NFT_SET_EXT_EXPIRATION) ?
	       *nft_set_ext_expiration(ext) : never;
#endif
}

/* Elements of a transaction's entry.  6.12 puts several into one, and changes the
 * timeouts of elements that are there.
 */
#if NFJ_IS(6, 12) && NFJ_TRANS_ELEMS
static inline unsigned int nfj_trans_nelems(const struct nft_trans *trans)
{
	return nft_trans_container_elem(trans)->nelems;
}

static inline const struct nft_set_ext *
nfj_trans_elem_ext(const struct nft_set *set, struct nft_trans *trans,
		   unsigned int i)
{
	return nft_set_elem_ext(set, nft_trans_container_elem(trans)->elems[i].priv);
}

static inline bool nfj_trans_elem_updates(const struct nft_trans *trans,
					  unsigned int i)
{
	return nft_trans_container_elem(trans)->elems[i].update_flags;
}
#else
static inline unsigned int nfj_trans_nelems(const struct nft_trans *trans)
{
	return NFJ_SETS_COMPARED;
}

static inline const struct nft_set_ext *
nfj_trans_elem_ext(const struct nft_set *set, struct nft_trans *trans,
		   unsigned int i)
{
#if NFJ_IS(6, 1)
	return nft_set_elem_ext(set, nft_trans_elem(trans).priv);
#else
	return NULL;	/* no set has a table of ours */
#endif
}

static inline bool nfj_trans_elem_updates(const struct nft_trans *trans,
					  unsigned int i)
{
	return false;
}
#endif

#if !NFJ_KERNEL(6, 3)
#define NFT_MSG_DESTROYSETELEM	NFT_MSG_DELSETELEM
#endif

#endif /* _NFJ_COMPAT_H */
