/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stands in for the kernel's <linux/kernel.h>: the few macros the core uses.
 */
#ifndef _SHIM_LINUX_KERNEL_H
#define _SHIM_LINUX_KERNEL_H

#include <linux/types.h>
#include <linux/limits.h>

#define fallthrough	__attribute__((__fallthrough__))
#define BUILD_BUG_ON(cond)	((void)sizeof(char[1 - 2 * !!(cond)]))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define DIV_ROUND_UP(n, d) ({ \
	__typeof__(d) _d = (d); \
	((n) + _d - 1) / _d; })
#define ALIGN(x, a) ({ \
	__typeof__(x) _a = (a); \
	((x) + _a - 1) & ~(_a - 1); })

/* like the kernel's, refuses operands of different types */
#define min(x, y) ({ \
	__typeof__(x) _x = (x); \
	__typeof__(y) _y = (y); \
	(void)(&_x == &_y); \
	_x < _y ? _x : _y; })
#define max(x, y) ({ \
	__typeof__(x) _x = (x); \
	__typeof__(y) _y = (y); \
	(void)(&_x == &_y); \
	_x > _y ? _x : _y; })
#define min_t(type, x, y)	min((type)(x), (type)(y))
#define max_t(type, x, y)	max((type)(x), (type)(y))

#endif /* _SHIM_LINUX_KERNEL_H */
