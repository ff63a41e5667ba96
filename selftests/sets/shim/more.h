/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What sets/hash.c, ivals.c and find.c take from the kernel besides what the core does
 * (selftests/core/shim), for user space.  Nobody else looks at the tables here.
 */
#ifndef _SHIM_MORE_H
#define _SHIM_MORE_H

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/types.h>

#define BIT_ULL(n)		(1ULL << (n))
#define __rcu
#define __force
#define likely(x)		(x)
#define unlikely(x)		(x)
#define READ_ONCE(x)		(x)
#define WRITE_ONCE(x, v)	((x) = (v))
#define smp_rmb()		((void)0)	/* one thread */
#define get_unaligned(p)	(*(p))
#define be32_to_cpu(x)		be32toh(x)
#define cpu_to_le32(x)		(x)	/* little endian only */
#define rcu_dereference(p)	(p)
#define noinline
#define __uninitialized
#define time_after_eq64(a, b)	((s64)((a) - (b)) >= 0)
#define NFT_SET_CONSTANT	0x2

struct rcu_head {
	void	*none;
};

struct hlist_node {
	void	*none;
};

struct list_head {
	void	*none;
};

struct nft_set_ops {
	void	*update;
};

struct nft_set {
	const struct nft_set_ops	*ops;
	unsigned int			flags;
};

struct net;
struct nft_set_ext;

#define refcount_t	int
#define spinlock_t	int

static inline void *ERR_PTR(long err)
{
	return (void *)err;
}

static inline long PTR_ERR(const void *p)
{
	return (long)p;
}

static inline bool IS_ERR(const void *p)
{
	return (unsigned long)p >= -4095UL;
}

static inline int ilog2(u64 n)
{
	return 63 - __builtin_clzll(n);
}

static inline u64 roundup_pow_of_two(u64 n)
{
	return n <= 1 ? 1 : 1ULL << (ilog2(n - 1) + 1);
}

u64 get_jiffies_64(void);
u64 get_random_u64(void);
u32 get_random_u32(void);

#endif /* _SHIM_MORE_H */
