/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stands in for <linux/slab.h>: allocation that can be told to fail.
 *
 * Memory that is not asked to be zero is filled with a pattern, so that a read
 * of what was never written gives a wrong result in all likelihood.
 */
#ifndef _SHIM_LINUX_SLAB_H
#define _SHIM_LINUX_SLAB_H

#include <stdlib.h>
#include <string.h>
#include <linux/types.h>

#define GFP_KERNEL		0
#define GFP_KERNEL_ACCOUNT	0
#define __GFP_NORETRY		0
#define __GFP_NOWARN		0

/* allocations until one fails, negative: none does */
extern long shim_alloc_fail;
/* allocations so far */
extern unsigned long shim_alloc_count;
/* allocations that were not given back */
extern long shim_alloc_live;

static inline void *shim_alloc(size_t n, size_t size, bool zero)
{
	void *p;

	shim_alloc_count++;
	if (shim_alloc_fail >= 0 && !shim_alloc_fail--)
		return NULL;
	if (size && n > SIZE_MAX / size)
		return NULL;
	p = malloc(n * size);
	if (!p)
		return NULL;
	shim_alloc_live++;
	memset(p, zero ? 0 : 0xa5, n * size);
	return p;
}

static inline void *kvmalloc(size_t size, int gfp)
{
	return shim_alloc(1, size, false);
}

static inline void *kvzalloc(size_t size, int gfp)
{
	return shim_alloc(1, size, true);
}

static inline void *kvmalloc_array(size_t n, size_t size, int gfp)
{
	return shim_alloc(n, size, false);
}

static inline void *kvcalloc(size_t n, size_t size, int gfp)
{
	return shim_alloc(n, size, true);
}

static inline void kvfree(const void *p)
{
	shim_alloc_live -= !!p;
	free((void *)p);
}

#define kmalloc				kvmalloc
#define kzalloc				kvzalloc
#define kmalloc_array			kvmalloc_array
#define kcalloc				kvcalloc
#define kfree				kvfree

#endif /* _SHIM_LINUX_SLAB_H */
