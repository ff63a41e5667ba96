// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random numbers that a seed and the number of a case determine (splitmix64).
 */
#include "fuzz.h"

static uint64_t state;

/**
 * rnd64 - 64 random bits
 *
 * Return: these.
 */
uint64_t rnd64(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/**
 * seed - begin a case
 * @s: the run's seed
 * @n: number of the case
 */
void seed(uint64_t s, uint64_t n)
{
	state = s * 0xd1342543de82ef95ULL + n;
	rnd64();
	state ^= rnd64();
}

/**
 * rnd - a random number
 * @n: above the highest, not 0
 *
 * Return: 0 .. @n - 1.
 */
uint32_t rnd(uint32_t n)
{
	return rnd64() % n;
}

/**
 * chance - true now and then
 * @percent: how often
 *
 * Return: true or false.
 */
bool chance(unsigned int percent)
{
	return rnd(100) < percent;
}
