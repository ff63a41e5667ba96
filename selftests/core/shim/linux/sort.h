/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stands in for <linux/sort.h>; the swap function is never given.
 */
#ifndef _SHIM_LINUX_SORT_H
#define _SHIM_LINUX_SORT_H

#include <stdlib.h>

static inline void sort(void *base, size_t n, size_t size,
			int (*cmp)(const void *a, const void *b), void *swap)
{
	/* qsort() wants an array even if it has no elements */
	if (n)
		qsort(base, n, size, cmp);
}

#endif /* _SHIM_LINUX_SORT_H */
