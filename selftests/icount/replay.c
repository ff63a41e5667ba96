// SPDX-License-Identifier: GPL-2.0-only
/*
 * Say what each packet of a list costs under each of some rulesets.
 *
 * usage: replay [-t] [-n ROUNDS] DEV LIST COMMAND...
 *
 * LIST has a packet a line, in hex, from the network header on (with -t, for a tap
 * device, whole frames).  They are written to DEV, a tun device that is made, or
 * attached to where it is there already; write() returns when the packet has
 * been forwarded, delivered or dropped.  After each COMMAND (sh -c) the list is sent
 * twice to warm up, so that its connections are known, then each packet PER_ROUND
 * times, in ROUNDS (8) rounds, of which the least counts.
 *
 * Prints a line for each packet, with a figure for each command: nanoseconds (in a
 * guest whose clock counts them: instructions), the system call included.
 */
#include <ctype.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define LONGEST		2048
#define PER_ROUND	8

struct packet {
	uint8_t		*b;
	unsigned int	len;
	unsigned long	*cost;
};

static struct packet *packets;
static unsigned int nr;
static int fd;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void *room(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		die("calloc");
	return p;
}

static void read_list(const char *name, unsigned int ncommands)
{
	char line[2 * LONGEST + 2];
	FILE *f = fopen(name, "r");
	unsigned int v;
	int at;

	if (!f)
		die(name);
	while (fgets(line, sizeof(line), f)) {
		struct packet *p;

		packets = realloc(packets, (nr + 1) * sizeof(*packets));
		if (!packets)
			die("realloc");
		p = &packets[nr];
		p->len = 0;
		p->b = room(LONGEST);
		p->cost = room(ncommands * sizeof(*p->cost));
		for (at = 0; isxdigit(line[at]); at += 2) {
			if (sscanf(line + at, "%2x", &v) != 1)
				die("no packet");
			p->b[p->len++] = v;
		}
		nr += p->len > 0;
	}
	fclose(f);
}

static int device(const char *name, int flags)
{
	struct ifreq ifr = { .ifr_flags = flags | IFF_NO_PI };
	int f = open("/dev/net/tun", O_RDWR);

	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", name);
	if (f < 0 || ioctl(f, TUNSETIFF, &ifr) < 0)
		die("/dev/net/tun");
	return f;
}

static void once(const struct packet *p)
{
	/* one that is refused counts as well: it is so under each ruleset */
	if (write(fd, p->b, p->len) < 0)
		return;
}

static unsigned long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

static unsigned long cost(const struct packet *p, unsigned int rounds)
{
	unsigned long least = -1UL, t;
	unsigned int i;

	once(p);
	once(p);
	while (rounds--) {
		t = now();
		for (i = 0; i < PER_ROUND; i++)
			once(p);
		t = now() - t;
		if (t < least)
			least = t;
	}
	return least / PER_ROUND;
}

int main(int argc, char **argv)
{
	unsigned int rounds = 8, i, j, n;
	int c, flags = IFF_TUN;

	while ((c = getopt(argc, argv, "+tn:")) != -1) {
		if (c == 't')
			flags = IFF_TAP;
		else if (c == 'n')
			rounds = strtoul(optarg, NULL, 0);
		else
			return 2;
	}
	if (argc - optind < 3)
		return 2;
	fd = device(argv[optind], flags);
	n = argc - optind - 2;
	read_list(argv[optind + 1], n);
	for (i = 0; i < n; i++) {
		if (system(argv[optind + 2 + i])) {
			fprintf(stderr, "replay: %s\n", argv[optind + 2 + i]);
			return 1;
		}
		for (j = 0; j < 2 * nr; j++)
			once(&packets[j % nr]);
		for (j = 0; j < nr; j++)
			packets[j].cost[i] = cost(&packets[j], rounds);
	}
	for (j = 0; j < nr; j++) {
		printf("%u", j);
		for (i = 0; i < n; i++)
			printf(" %lu", packets[j].cost[i]);
		printf("\n");
	}
	return 0;
}
