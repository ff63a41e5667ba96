// SPDX-License-Identifier: GPL-2.0-only
/*
 * Send the packets that stdin describes, and print what comes back or out.
 *
 * usage: probe [-p | -c]	in the namespace with the far ends, x-DEV of each DEV
 *
 * Lines of stdin, "-" for what does not apply:
 *
 *	dev DEV MAC			the address of DEV at the near end
 *	PROTO DEV SRC DST A B FLAGS SMAC	a packet; PROTO is
 *		tcp, udp, udplite, sctp, dccp	A and B are the ports, FLAGS those
 *				of TCP (a number)
 *		icmp, icmp6	A and B are type and code
 *		arp		A is the operation, B the hardware type
 *		a number	of an IP protocol
 *		vlan		A is the VLAN; an IPv4/UDP packet in it
 *		frag		a fragment that is not the first, of UDP
 *		ether		A is the type, some bytes follow
 *
 * The packets are numbered by TCP's sequence number and UDP's first bytes.  The
 * number goes into what answers them, so that each frame that comes out tells
 * of which packet it is.  Printed of each are the interface, the length, the
 * protocol, addresses, ports or type and code, TCP's flags; not the source port
 * with -p, which is for rulesets that masquerade with random ports.
 *
 * With -c nothing is received.  Each packet is sent many times, in rounds, and
 * printed is what the best round took, in nanoseconds a packet, and the line.
 * Where a nanosecond is an instruction and there is one processor, that is what
 * the packet costs, up to where it is dropped, answered or forwarded, and the
 * same amount for sending it; the best round is one without a timer's tick.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "../lib/cksum.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define MAX_DEVS	64
#define ROUNDS		6
#define PER_ROUND	16

static struct dev {
	char		name[IFNAMSIZ];
	uint8_t		mac[6];
	unsigned int	index;
} devs[MAX_DEVS];
static unsigned int ndevs;
static uint8_t f[2048];
static unsigned int n, number;
static int fd, hide_sport, costs;

static void put8(unsigned int v) { f[n++] = v; }
static void put16(unsigned int v) { put8(v >> 8); put8(v); }
static void put32(uint32_t v) { put16(v >> 16); put16(v & 0xffff); }

static void put(const void *p, unsigned int len)
{
	memcpy(f + n, p, len);
	n += len;
}

static void set16(unsigned int at, unsigned int v)
{
	f[at] = v >> 8;
	f[at + 1] = v;
}

static struct dev *dev_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ndevs; i++)
		if (!strcmp(devs[i].name, name))
			return &devs[i];
	return NULL;
}

/* The transport header and its data; where its checksum is, or 0 */
static unsigned int transport(unsigned int proto, unsigned int a, unsigned int b,
			      unsigned int flags)
{
	unsigned int th = n, csum = 0;

	switch (proto) {
	case IPPROTO_TCP:
		put16(a); put16(b);
		put32(0x10000000 + number);
		put32(0x20000000);
		put16((flags & 2 ? 0x6000 : 0x5000) | flags);
		put16(8192);
		csum = n;
		put32(0);
		if (flags & 2)
			put32(0x020401f4);	/* MSS 500 */
		return csum;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		put16(a); put16(b);
		put16(12);
		csum = n;
		put16(0);
		put32(number);
		return csum;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		put8(a); put8(b);
		csum = n;
		put16(0);
		put16(number); put16(1);
		/* the largest header of a neighbour discovery message */
		for (; n < th + 24;)
			put8(0);
		return csum;
	default:
		put16(a); put16(b);
		put32(number);
		for (; n < th + 32;)
			put8(0);
		return 0;
	}
}

static void ip(unsigned int proto, const char *src, const char *dst, unsigned int a,
	       unsigned int b, unsigned int flags, unsigned int frag)
{
	unsigned int nh = n, th, csum, len;
	struct in6_addr s, d;
	int v6 = !!strchr(src, ':');

	if (inet_pton(v6 ? AF_INET6 : AF_INET, src, &s) != 1 ||
	    inet_pton(v6 ? AF_INET6 : AF_INET, dst, &d) != 1) {
		fprintf(stderr, "probe: no pair of addresses: %s %s\n", src, dst);
		exit(2);
	}
	if (v6) {
		put32(0x60000000);
		put16(0);
		put8(proto);
		/* as neighbour discovery wants it */
		put8(proto == IPPROTO_ICMPV6 && a >= 133 && a <= 137 ? 255 : 64);
		put(&s, 16);
		put(&d, 16);
	} else {
		put16(0x4500);
		put16(0);
		put16(number);
		put16(frag);
		put8(64);
		put8(proto);
		put16(0);
		put(&s, 4);
		put(&d, 4);
	}
	th = n;
	csum = transport(proto, a, b, flags);
	len = n - th;
	if (csum) {
		uint32_t pseudo = 0;

		if (proto != IPPROTO_ICMP)
			pseudo = cksum_add(f + (v6 ? nh + 8 : nh + 12),
					   v6 ? 32 : 8, proto + len);
		set16(csum, cksum_fold(cksum_add(f + th, len, pseudo)));
	}
	if (v6) {
		set16(nh + 4, len);
	} else {
		set16(nh + 2, n - nh);
		set16(nh + 10, cksum_fold(cksum_add(f + nh, 20, 0)));
	}
}

static void arp(const uint8_t *smac, const char *src, const char *dst, unsigned int op,
		unsigned int htype)
{
	struct in_addr s, d;

	if (inet_pton(AF_INET, src, &s) != 1 || inet_pton(AF_INET, dst, &d) != 1)
		exit(2);
	put16(htype);
	put16(0x0800);
	put16(0x0604);
	put16(op);
	put(smac, 6);
	put(&s, 4);
	put32(0); put16(0);
	put(&d, 4);
}

static void print_ip(const uint8_t *p, unsigned int len, int inner)
{
	char s[INET6_ADDRSTRLEN], d[INET6_ADDRSTRLEN];
	unsigned int proto, hl, a, b;
	int v6;

	if (len < 20)
		return;
	v6 = p[0] >> 4 == 6;
	hl = v6 ? 40 : (p[0] & 15) * 4;
	if (len < hl + 8)
		return;
	proto = v6 ? p[6] : p[9];
	inet_ntop(v6 ? AF_INET6 : AF_INET, p + (v6 ? 8 : 12), s, sizeof(s));
	inet_ntop(v6 ? AF_INET6 : AF_INET, p + (v6 ? 24 : 16), d, sizeof(d));
	printf(" %u %s %s", proto, s, d);
	/* the class, and no fragment but the first has more to say */
	printf(" %02x", v6 ? (p[0] << 4 | p[1] >> 4) & 0xff : p[1]);
	if (!v6 && (p[6] & 0x1f || p[7])) {
		printf(" fragment");
		return;
	}
	p += hl;
	len -= hl;
	a = p[0] << 8 | p[1];
	b = p[2] << 8 | p[3];
	if (proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6) {
		printf(" type %u code %u", p[0], p[1]);
		if (!inner && (v6 ? p[0] < 128 : p[0] == 3 || p[0] == 11 || p[0] == 12))
			print_ip(p + 8, len - 8, 1);
		return;
	}
	if (hide_sport)
		printf(" to %u", b);
	else
		printf(" %u to %u", a, b);
	if (proto == IPPROTO_TCP && len >= 20) {
		printf(" seq %u ack %u flags %02x", p[4] << 24 | p[5] << 16 | p[6] << 8 | p[7],
		       p[8] << 24 | p[9] << 16 | p[10] << 8 | p[11], p[13]);
		/* what clamping left of the MSS */
		if (p[12] >> 4 > 5 && len >= 24)
			printf(" mss %u", p[22] << 8 | p[23]);
	} else if (proto == IPPROTO_UDP && len >= 12) {
		printf(" number %u", p[8] << 24 | p[9] << 16 | p[10] << 8 | p[11]);
	}
}

/* Everything that has arrived; for @wait ms of silence */
static void drain(int wait)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint8_t in[4096];

	while (poll(&pfd, 1, wait) > 0) {
		struct sockaddr_ll from;
		socklen_t fromlen = sizeof(from);
		char name[IFNAMSIZ];
		unsigned int type;
		ssize_t len;

		len = recvfrom(fd, in, sizeof(in), 0, (void *)&from, &fromlen);
		if (len < 14 || from.sll_pkttype == PACKET_OUTGOING ||
		    !if_indextoname(from.sll_ifindex, name))
			continue;
		type = in[12] << 8 | in[13];
		/* what the near end says of its own accord */
		if (type == 0x86dd && in[20] == IPPROTO_ICMPV6 && in[54] == 143)
			continue;
		if (type == 0x86dd && in[20] == 0)
			continue;
		printf("%s %zd %04x", name, len, type);
		if (type == 0x0800 || type == 0x86dd)
			print_ip(in + 14, len - 14, 0);
		else if (type == 0x0806 && len >= 42)
			printf(" op %u of %u.%u.%u.%u for %u.%u.%u.%u", in[21], in[28],
			       in[29], in[30], in[31], in[38], in[39], in[40], in[41]);
		printf("\n");
	}
}

static unsigned int protocol(const char *name)
{
	static const struct {
		const char	*name;
		unsigned int	proto;
	} protos[] = {
		{ "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP },
		{ "udplite", IPPROTO_UDPLITE }, { "icmp", IPPROTO_ICMP },
		{ "icmp6", IPPROTO_ICMPV6 }, { "sctp", IPPROTO_SCTP },
		{ "dccp", IPPROTO_DCCP }, { "vlan", IPPROTO_UDP },
		{ "frag", IPPROTO_UDP },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(protos); i++)
		if (!strcmp(name, protos[i].name))
			return protos[i].proto;
	return strtoul(name, NULL, 0);
}

static unsigned long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void send_frame(struct sockaddr_ll *to)
{
	if (sendto(fd, f, n, 0, (void *)to, sizeof(*to)) < 0) {
		perror("probe: sendto");
		exit(1);
	}
}

static void cost(struct sockaddr_ll *to, const char *line)
{
	unsigned long long best = ~0ULL, start;
	int i, j;

	for (i = 0; i < PER_ROUND / 2; i++)
		send_frame(to);
	for (i = 0; i < ROUNDS; i++) {
		start = now();
		for (j = 0; j < PER_ROUND; j++)
			send_frame(to);
		start = now() - start;
		if (start < best)
			best = start;
	}
	printf("%llu %s", best / PER_ROUND, line);
}

static void packet(const char *line)
{
	char proto[16], name[IFNAMSIZ], src[64], dst[64], mac[32];
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_halen = 6 };
	uint8_t smac[6] = { 2, 0, 0, 0, 1, 2 };
	unsigned int a, b, flags, i;
	struct dev *dev;

	if (sscanf(line, "%15s %15s %63s %63s %u %u %u %31s", proto, name, src, dst, &a,
		   &b, &flags, mac) != 8) {
		fprintf(stderr, "probe: what is this? %s", line);
		exit(2);
	}
	dev = dev_find(name);
	if (!dev)
		return;
	if (strcmp(mac, "-") && sscanf(mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", smac, smac + 1,
				       smac + 2, smac + 3, smac + 4, smac + 5) != 6)
		exit(2);
	n = 0;
	number++;
	put(dev->mac, 6);
	put(smac, 6);
	if (!strcmp(dst, "255.255.255.255") || !strcmp(proto, "arp"))
		memset(f, 0xff, 6);
	else if (!strncmp(dst, "224.", 4))
		memcpy(f, "\x01\x00\x5e\x00\x00\x01", 6);
	else if (!strncmp(dst, "ff0", 3))
		memcpy(f, "\x33\x33\x00\x00\x00\x01", 6);
	if (!strcmp(proto, "arp")) {
		put16(0x0806);
		arp(smac, src, dst, a, b);
	} else if (!strcmp(proto, "ether")) {
		put16(a);
		for (i = 0; i < 46; i++)
			put8(i);
	} else {
		if (!strcmp(proto, "vlan")) {
			put16(0x8100);
			put16(a);
		}
		put16(strchr(src, ':') ? 0x86dd : 0x0800);
		ip(protocol(proto), src, dst, a, b, flags, !strcmp(proto, "frag") ? 3 : 0);
	}
	to.sll_ifindex = dev->index;
	memcpy(to.sll_addr, f, 6);
	memcpy(&to.sll_protocol, f + 12, 2);
	if (costs)
		cost(&to, line);
	else
		send_frame(&to);
}

int main(int argc, char **argv)
{
	int size = 8 << 20;
	char line[512];

	if (argc > 1 && !strcmp(argv[1], "-p"))
		hide_sport = 1;
	if (argc > 1 && !strcmp(argv[1], "-c"))
		costs = 1;
	/* with no protocol, nothing is received */
	fd = socket(AF_PACKET, SOCK_RAW, costs ? 0 : htons(0x0003));
	if (fd < 0) {
		perror("probe");
		return 1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	while (fgets(line, sizeof(line), stdin)) {
		struct dev *dev = &devs[ndevs];
		char far[IFNAMSIZ + 8];

		if (strncmp(line, "dev ", 4)) {
			packet(line);
			if (!costs)
				drain(0);
			continue;
		}
		if (ndevs == MAX_DEVS ||
		    sscanf(line, "dev %15s %hhx:%hhx:%hhx:%hhx:%hhx:%hhx", dev->name,
			   dev->mac, dev->mac + 1, dev->mac + 2, dev->mac + 3,
			   dev->mac + 4, dev->mac + 5) != 7)
			return 2;
		snprintf(far, sizeof(far), "x-%s", dev->name);
		dev->index = if_nametoindex(far);
		if (dev->index)
			ndevs++;
	}
	if (!costs)
		drain(500);
	return 0;
}
