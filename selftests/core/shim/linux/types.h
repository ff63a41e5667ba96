/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stands in for the kernel's <linux/types.h>: the uapi one plus what only the
 * kernel has.  Little endian hosts only: the C library defines __LITTLE_ENDIAN
 * on big endian ones as well, and the core asks with #ifdef.
 */
#ifndef _SHIM_LINUX_TYPES_H
#define _SHIM_LINUX_TYPES_H

#include_next <linux/types.h>
#include <asm/byteorder.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __BIG_ENDIAN_BITFIELD
#error "the user space build of the core is for little endian hosts"
#endif

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
/* as in the kernel on every architecture, so that %llx fits */
typedef unsigned long long u64;
typedef __s8 s8;
typedef __s16 s16;
typedef __s32 s32;
typedef long long s64;

#endif /* _SHIM_LINUX_TYPES_H */
