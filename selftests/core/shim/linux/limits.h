/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stands in for the kernel's <linux/limits.h>.
 */
#ifndef _SHIM_LINUX_LIMITS_H
#define _SHIM_LINUX_LIMITS_H

#include_next <linux/limits.h>

#define U8_MAX		0xff
#define U16_MAX		0xffff
#define S16_MAX		0x7fff
#define U32_MAX		0xffffffffU
#define S32_MAX		0x7fffffff
#define U64_MAX		0xffffffffffffffffULL

#endif /* _SHIM_LINUX_LIMITS_H */
