/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Internet's checksum (RFC 1071), for programs that make frames by hand.
 *
 * Example: cksum_fold(cksum_add(header, 20, 0)) is what belongs into an IPv4
 * header whose checksum is 0.
 */
#ifndef SELFTESTS_CKSUM_H
#define SELFTESTS_CKSUM_H

#include <stdint.h>

/* A sum to begin with, @s, and bytes that begin at an even place */
static inline uint32_t cksum_add(const uint8_t *p, unsigned int len, uint32_t s)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		s += i & 1 ? p[i] : p[i] << 8;
	return s;
}

/* The checksum, as a number of the host's */
static inline uint16_t cksum_fold(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return ~s;
}

#endif /* SELFTESTS_CKSUM_H */
