// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rule that is being written: its text, and what its registers would hold
 * for the frame that it is made for.
 */
#include <stdarg.h>
#include "gen.h"

/**
 * add - write on the rule
 * @fmt: as of printf()
 */
void add(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	g.rlen += vsnprintf(g.rule + g.rlen, sizeof(g.rule) - g.rlen, fmt, ap);
	va_end(ap);
	if (g.rlen >= sizeof(g.rule))
		g.rlen = sizeof(g.rule) - 1;
}

/**
 * only_hook - is this where packets meet the chain, and nowhere else?
 * @hook: the hook's number
 *
 * Some expressions are for some hooks only.
 *
 * Return: true if so.
 */
bool only_hook(unsigned int hook)
{
	unsigned int i;

	if (g.self < g.nbase)
		return g.hooks[g.self] == hook;
	for (i = 0; i < g.nbase; i++)
		if (g.hooks[i] != hook)
			return false;
	return true;
}

/**
 * bytes - hexadecimal digits
 * @p: the bytes
 * @n: how many, 64 at most
 *
 * Return: a string that lasts for seven more calls.
 */
const char *bytes(const uint8_t *p, unsigned int n)
{
	static char ring[8][2 * REG_BYTES + 1];
	static unsigned int at;
	char *s = ring[at++ % ARRAY_SIZE(ring)];
	unsigned int i;

	s[0] = 0;
	for (i = 0; i < n; i++)
		sprintf(s + 2 * i, "%02x", p[i]);
	return s;
}

/**
 * words - words that an operand takes
 * @w: its first
 * @len: its bytes
 *
 * Return: a bit for each.
 */
uint32_t words(unsigned int w, unsigned int len)
{
	return ((1U << (len + 3) / 4) - 1) << w;
}

/**
 * readable - may an operand be read here?
 * @w: its first word
 * @len: its bytes
 *
 * Return: true if so.
 */
bool readable(unsigned int w, unsigned int len)
{
	return !g.strict || !(words(w, len) & ~g.loaded);
}

/**
 * regno - a name of a register
 * @w: the word that it begins with
 *
 * Return: one of the two numbers that the kernel knows it by.
 */
unsigned int regno(unsigned int w)
{
	return w % 4 == 0 && chance(60) ? 1 + w / 4 : 8 + w;
}

/**
 * step - the next number, or the one before
 * @val: the number, big endian
 * @len: its bytes
 * @by: 1 or -1
 */
void step(uint8_t *val, unsigned int len, int by)
{
	unsigned int i = len;

	while (i--) {
		val[i] += by;
		if (val[i] != (by > 0 ? 0 : 0xff))
			break;
	}
}

/**
 * noise - random bytes, many of them all zeros or all ones
 * @val: filled in
 * @len: how many
 */
void noise(uint8_t *val, unsigned int len)
{
	while (len--)
		*val++ = chance(30) ? (chance(50) ? 0 : 0xff) : rnd(256);
}
