// SPDX-License-Identifier: GPL-2.0-only
/*
 * Send a list of packets, many times over, and say what one costs.
 *
 * usage: send [-b BUDGET] [-n TIMES] <list
 *
 * pktgen makes UDP packets of one flow, or of flows at random.  This takes any
 * list of them: each line is "PROTO SRC DST [SPORT DPORT]", PROTO a number, and
 * becomes an IPv4 packet (TCP has the ACK flag alone).  They are written to a
 * tun device of the program's own, which hands each one to the receive path in
 * the context of the writer: everything up to the end of prerouting has happened
 * when write() returns, and nothing is left to a softirq.
 *
 *	write() -> tun_get_user() -> netif_receive_skb() -> ip_rcv() -> prerouting
 *
 * The list is sent once to warm up, then as often as fits into BUDGET nanoseconds
 * (default 40 million, 0: that was all), but once at least; all that TIMES (1), of
 * which the least counts.  Prints nanoseconds (in a guest whose clock counts them:
 * instructions) per packet, with two decimals, the system call included: subtract what
 * the same list costs with an empty chain.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PACKET	60	/* bytes of each: headers, and zeroes */

struct packet {
	uint8_t b[PACKET];
};

static struct packet *packets;
static unsigned int nr;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint16_t sum(const uint8_t *p, unsigned int len)
{
	uint32_t s = 0;
	unsigned int i;

	for (i = 0; i < len; i += 2)
		s += p[i] << 8 | p[i + 1];
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return ~s;
}

static void put16(uint8_t *p, unsigned int v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void make(uint8_t *b, unsigned int proto, const char *src, const char *dst,
		 unsigned int sport, unsigned int dport)
{
	memset(b, 0, PACKET);
	b[0] = 0x45;
	put16(b + 2, PACKET);
	b[8] = 64;
	b[9] = proto;
	if (inet_pton(AF_INET, src, b + 12) != 1 || inet_pton(AF_INET, dst, b + 16) != 1) {
		fprintf(stderr, "send: not addresses: %s, %s\n", src, dst);
		exit(1);
	}
	put16(b + 10, sum(b, 20));
	switch (proto) {
	case IPPROTO_TCP:
		put16(b + 20, sport);
		put16(b + 22, dport);
		b[32] = 5 << 4;
		b[33] = 0x10;
		break;
	case IPPROTO_UDP:
		put16(b + 20, sport);
		put16(b + 22, dport);
		put16(b + 24, PACKET - 20);
		break;
	case IPPROTO_ICMP:
		b[20] = 8;
		put16(b + 22, sum(b + 20, PACKET - 20));
		break;
	}
}

static void read_list(void)
{
	char line[200], src[64], dst[64];
	unsigned int proto, sport, dport, room = 0;

	while (fgets(line, sizeof(line), stdin)) {
		sport = 0;
		dport = 0;
		if (sscanf(line, "%u %63s %63s %u %u", &proto, src, dst, &sport, &dport) < 3) {
			fprintf(stderr, "send: not a packet: %s", line);
			exit(1);
		}
		if (nr == room) {
			room = room ? room * 2 : 256;
			packets = realloc(packets, room * sizeof(*packets));
			if (!packets)
				die("realloc");
		}
		make(packets[nr++].b, proto, src, dst, sport, dport);
	}
	if (!nr) {
		fprintf(stderr, "send: no packets\n");
		exit(1);
	}
}

static int device(void)
{
	struct ifreq ifr = { .ifr_name = "send%d", .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd, s;

	fd = open("/dev/net/tun", O_RDWR);
	if (fd < 0)
		die("/dev/net/tun");
	if (ioctl(fd, TUNSETIFF, &ifr) < 0)
		die("TUNSETIFF");
	s = socket(AF_INET, SOCK_DGRAM, 0);
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	if (s < 0 || ioctl(s, SIOCSIFFLAGS, &ifr) < 0)
		die("SIOCSIFFLAGS");
	close(s);
	return fd;
}

/* Nanoseconds that it takes to send the list so often. */
static unsigned long send_list(int fd, unsigned long times)
{
	struct timespec a, b;
	unsigned int i;

	clock_gettime(CLOCK_MONOTONIC, &a);
	while (times--)
		for (i = 0; i < nr; i++)
			if (write(fd, packets[i].b, PACKET) != PACKET)
				die("write");
	clock_gettime(CLOCK_MONOTONIC, &b);
	return (b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec;
}

int main(int argc, char **argv)
{
	unsigned long budget = 40000000, n = 1, once, times, t, least = -1UL;
	int fd, c;

	while ((c = getopt(argc, argv, "b:n:")) != -1) {
		switch (c) {
		case 'b':
			budget = strtoul(optarg, NULL, 0);
			break;
		case 'n':
			n = strtoul(optarg, NULL, 0);
			break;
		default:
			return 1;
		}
	}
	read_list();
	fd = device();
	once = send_list(fd, 1);
	if (!budget)
		return 0;
	times = once < budget ? budget / once : 1;
	while (n--) {
		t = send_list(fd, times);
		if (t < least)
			least = t;
	}
	printf("%.2f\n", (double)least / times / nr);
	return 0;
}
