/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stands in for <linux/mm.h>, where some kernels have the kv* allocators.
 */
#include <linux/slab.h>
