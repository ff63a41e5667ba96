// SPDX-License-Identifier: GPL-2.0-only
/*
 * Growing arrays, for all of the translator core.
 */
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <nft_bpfjit/imr.h>

#define NFJ_ROOM_MORE	16U	/* items beyond those that are asked for */

/**
 * nfj_room - make room for more items in an array
 * @p: the array, or NULL while there is none; to be released with kvfree()
 * @max: items that there is room for
 * @used: items in use
 * @n: items to come
 * @size: bytes of an item
 *
 * What is appended to again and again grows to twice its size.
 *
 * Return: 0, -ENOMEM, or -E2BIG when there are too many to be counted; then the
 * array is as it was.
 */
int nfj_room(void **p, u32 *max, u32 used, u32 n, size_t size)
{
	u32 want;
	void *q;

	if (n <= *max - used)
		return 0;
	if (n > U32_MAX / 4 - used)
		return -E2BIG;
	want = used + n + NFJ_ROOM_MORE;
	if (used && want < 2 * *max)
		want = 2 * *max;
	q = kvmalloc_array(want, size, NFJ_GFP);
	if (!q)
		return -ENOMEM;
	if (used)
		memcpy(q, *p, used * size);
	kvfree(*p);
	*p = q;
	*max = want;
	return 0;
}
