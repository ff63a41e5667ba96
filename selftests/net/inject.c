// SPDX-License-Identifier: GPL-2.0-only
/*
 * Send a fixed set of packets, good and bad, through a packet socket.
 *
 * usage: inject DEV [-m DST-MAC] [-r REPEAT] [-q] set...
 *
 *	ip4   tcp, udp, icmp, sctp, unknown protocols; addresses, ports, flags,
 *	      ttl, dscp at and around the values that the rulesets name;
 *	      options, fragments, truncated headers, large and non-linear frames
 *	ip6   the same, with extension headers
 *	arp   requests, replies and odd ones
 *	eth   VLAN tags, unknown types, multicast and foreign addresses
 *	udp   one plain IPv4/UDP packet, for floods and sums
 *	tcp   TCP SYN to ports 1 .. 100
 *	tunnel	packets in VXLAN, Geneve, GRE and IP, good and cut off; the first and
 *		the last frame are the same
 *	parts	fragments small enough that the whole has many parts
 *	gso	segments that are not cut yet, with little in the linear area
 *	runs	datagrams and segments that GRO puts together
 *
 * -q: the queue of the device keeps all of them, do not wait for it.
 *
 * Nothing in it is random: two runs send the same bytes in the same order.
 * Prints how many frames were sent; SIGTERM ends it after a whole round.
 *
 * Addresses: 10.0.1.1, fd00:1::1 and 02:00:00:00:01:01 are the namespace under
 * test, 10.0.2.0/24 and fd00:2::/64 are behind it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include "../lib/cksum.h"

#define ETH_IP		0x0800
#define ETH_ARP		0x0806
#define ETH_8021Q	0x8100
#define ETH_8021AD	0x88a8
#define ETH_IP6		0x86dd
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static uint8_t f[70000];	/* the frame */
static unsigned int n;		/* its length */
static unsigned int nh;		/* network header */
static unsigned int th;		/* transport header */
static uint8_t th_proto;
static unsigned int linear;	/* bytes in the linear area, 0: all */
static struct virtio_net_hdr vh;
static uint8_t dmac[6] = { 2, 0, 0, 0, 1, 1 };
static const uint8_t smac[6] = { 2, 0, 0, 0, 1, 2 };
static unsigned int ifindex;
static unsigned long sent;
static int fd;

static bool asked_to_stop(void)
{
	sigset_t set;

	return !sigpending(&set) && sigismember(&set, SIGTERM);
}

static void put8(unsigned int v) { f[n++] = v; }
static void put16(unsigned int v) { put8(v >> 8); put8(v & 0xff); }
static void put32(uint32_t v) { put16(v >> 16); put16(v & 0xffff); }

static void put(const void *p, unsigned int len)
{
	memcpy(f + n, p, len);
	n += len;
}

static void fill(unsigned int len)
{
	while (len--)
		put8(0x40 + (len & 0x1f));
}

static void set16(unsigned int at, unsigned int v)
{
	f[at] = v >> 8;
	f[at + 1] = v;
}

static void send_frame(void)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_ifindex = ifindex,
		.sll_halen = 6,
	};
	struct iovec iov[2] = { { &vh, sizeof(vh) }, { f, n } };
	struct msghdr msg = {
		.msg_name = &to, .msg_namelen = sizeof(to),
		.msg_iov = iov, .msg_iovlen = 2,
	};

	memcpy(to.sll_addr, f, 6);
	memcpy(&to.sll_protocol, f + 12, 2);
	if (linear)
		vh.hdr_len = linear;
	while (sendmsg(fd, &msg, 0) < 0) {
		if (errno == ENOBUFS || errno == EAGAIN)
			continue;
		fprintf(stderr, "inject: frame of %u bytes: %s\n", n,
			strerror(errno));
		exit(1);
	}
	sent++;
}

static void eth(unsigned int type)
{
	n = 0;
	linear = 0;
	memset(&vh, 0, sizeof(vh));
	put(dmac, 6);
	put(smac, 6);
	put16(type);
}

/* ---- transport ---- */

static void l4_begin(unsigned int proto)
{
	th = n;
	th_proto = proto;
}

static void tcp(unsigned int sport, unsigned int dport, unsigned int flags,
		unsigned int seq)
{
	l4_begin(6);
	put16(sport);
	put16(dport);
	put32(seq);
	put32(0x01020304);
	put16(0x5000 | flags);
	put16(0x2000);
	put32(0);
}

static void udp(unsigned int sport, unsigned int dport, unsigned int data)
{
	l4_begin(17);
	put16(sport);
	put16(dport);
	put16(8 + data);
	put16(0);
	fill(data);
}

static void icmp(unsigned int proto, unsigned int type, unsigned int code)
{
	l4_begin(proto);
	put8(type);
	put8(code);
	put16(0);
	put16(0x1234);
	put16(1);
	fill(16);
}

static void sctp(unsigned int sport, unsigned int dport, unsigned int chunk)
{
	l4_begin(132);
	put16(sport);
	put16(dport);
	put32(0);
	put32(0);
	put8(chunk);
	put8(0);
	put16(20);
	fill(16);
}

/* pseudo header of @alen bytes of addresses */
static void l4_end(const uint8_t *addr, unsigned int alen)
{
	unsigned int at;
	uint32_t s;

	switch (th_proto) {
	case 6:
		at = th + 16;
		break;
	case 17:
		at = th + 6;
		break;
	case 1:
	case 58:
		at = th + 2;
		break;
	default:
		return;
	}
	set16(at, 0);
	s = th_proto == 1 ? 0 : cksum_add(addr, alen, th_proto + n - th);
	set16(at, cksum_fold(cksum_add(f + th, n - th, s)));
}

/* ---- IPv4 ---- */

struct h4 {
	uint32_t src, dst;
	uint8_t tos, ttl, proto, optlen;
	uint16_t id, frag;
};

static const struct h4 h4_plain = {
	.src = 0x0a000102, .dst = 0x0a000101, .ttl = 64, .id = 0x4711,
};

static void ip4(struct h4 h)
{
	nh = n;
	put8(0x45 + h.optlen / 4);
	put8(h.tos);
	put16(0);
	put16(h.id);
	put16(h.frag);
	put8(h.ttl);
	put8(h.proto);
	put16(0);
	put32(h.src);
	put32(h.dst);
	while (h.optlen--)
		put8(h.optlen ? 1 : 0);	/* no-operation, end */
}

static void ip4_end(void)
{
	set16(nh + 2, n - nh);
	set16(nh + 10, cksum_fold(cksum_add(f + nh, (f[nh] & 15) * 4, 0)));
}

static void send4(void)
{
	l4_end(f + nh + 12, 8);
	ip4_end();
	send_frame();
}

#define V4(...) ({				\
	struct h4 _h = h4_plain;		\
	struct h4 *h = &_h;			\
	__VA_ARGS__;				\
	eth(ETH_IP);				\
	ip4(_h);				\
})

static const uint16_t ports[] = {
	0, 1, 21, 22, 23, 24, 52, 53, 54, 79, 80, 81, 99, 100, 101, 442, 443, 444,
	1023, 1024, 1025, 2000, 8079, 8080, 8081, 32767, 32768, 65534, 65535,
};

static const uint32_t addrs4[] = {
	0x0a000100, 0x0a000102, 0x0a000103, 0x0a0001fe, 0x0a0001ff, 0x0a000000,
	0x09ffffff, 0x0a00ffff, 0x0b000000, 0x0a010000, 0xac100000, 0xac0fffff,
	0xac1fffff, 0xac200000, 0xc0a80000, 0xc0a8ffff, 0xc0a90000, 0xc0a80105,
	0xc0000201, 0xc6336401, 0x01010101, 0xdfffffff, 0x08080808, 0x08080809,
};

static const uint32_t dsts4[] = {
	0x0a000101, 0x0a000202, 0x0a000201, 0xe0000005, 0xffffffff, 0x0a000203,
};

static const uint8_t flags[] = {
	0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0x14, 0x00, 0x29, 0xff, 0x20, 0x01,
	0x06, 0x03, 0xc2, 0x40, 0x80,
};

static const uint8_t protos[] = {
	0, 2, 4, 41, 47, 50, 51, 88, 103, 112, 136, 253, 255,
};

static void set_ip4(void)
{
	unsigned int i, j, len;

	for (i = 0; i < ARRAY_SIZE(addrs4); i++) {
		for (j = 0; j < ARRAY_SIZE(dsts4); j++) {
			V4(h->src = addrs4[i], h->dst = dsts4[j], h->proto = 17);
			udp(1000 + i, 2000 + j, 10);
			send4();
		}
		V4(h->src = addrs4[i], h->proto = 6);
		tcp(4000 + i, 80, 2, i);
		send4();
		V4(h->src = 0x0a000102, h->dst = addrs4[i], h->proto = 17);
		udp(1000, 2000, 0);
		send4();
	}
	for (i = 0; i < ARRAY_SIZE(ports); i++) {
		V4(h->proto = 6);
		tcp(40000, ports[i], 2, 7);
		send4();
		V4(h->proto = 6, h->dst = 0x0a000202);
		tcp(ports[i], 5000, 2, 7);
		send4();
		V4(h->proto = 17);
		udp(40000, ports[i], i);
		send4();
		V4(h->proto = 17, h->dst = 0x0a000202);
		udp(ports[i], ports[ARRAY_SIZE(ports) - 1 - i], i);
		send4();
		V4(h->proto = 132, h->dst = 0x0a000202);
		sctp(ports[i], 80, i);
		send4();
	}
	/* a connection forward and back, then its end */
	V4(h->proto = 6, h->dst = 0x0a000202); tcp(777, 80, 2, 1); send4();
	V4(h->proto = 6, h->dst = 0x0a000102, h->src = 0x0a000202);
	tcp(80, 777, 0x12, 1); send4();
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		V4(h->proto = 6, h->dst = 0x0a000202);
		tcp(777, 80, flags[i], 2);
		send4();
		V4(h->proto = 6);
		tcp(778 + i, 80, flags[i], 2);
		send4();
	}
	for (i = 0; i < 256; i += i < 20 ? 1 : 47) {
		V4(h->proto = 1);
		icmp(1, i, i & 3);
		send4();
	}
	/* an error about a packet that conntrack knows */
	V4(h->proto = 1, h->dst = 0x0a000102, h->src = 0x0a000202);
	icmp(1, 3, 3);
	n -= 16;
	put8(0x45); put8(0); put16(48); put32(0); put8(63); put8(17); put16(0);
	put32(0x0a000102); put32(0x0a000202);
	put16(2000); put16(1000); put16(28); put16(0); fill(20);
	set16(th + 8 + 10, cksum_fold(cksum_add(f + th + 8, 20, 0)));
	send4();
	for (i = 0; i < ARRAY_SIZE(protos); i++) {
		V4(h->proto = protos[i]);
		l4_begin(protos[i]);
		fill(24);
		send4();
	}
	for (i = 0; i < 256; i += 4) {
		V4(h->proto = 17, h->tos = i + (i >> 4) % 4,
		   h->ttl = i ? i - 1 : 255, h->id = i * 257);
		udp(53, 53, 4);
		send4();
	}
	/* options: the transport header moves */
	for (i = 4; i <= 40; i += 4) {
		V4(h->proto = 6, h->optlen = i);
		tcp(40000, 22, 2, 7);
		send4();
		V4(h->proto = 17, h->optlen = i, h->dst = 0x0a000202);
		udp(53, 80, i);
		send4();
	}
	/* fragments: the first, one in the middle, the last, a tiny one */
	for (i = 0; i < 4; i++) {
		static const uint8_t pr[] = { 6, 17, 1, 132 };

		V4(h->proto = pr[i], h->frag = 0x2000, h->id = 100 + i);
		tcp(40000, 22, 2, 7); th_proto = 0; fill(12); send4();
		V4(h->proto = pr[i], h->frag = 0x2004, h->id = 100 + i);
		th_proto = 0; tcp(80, 22, 2, 7); th_proto = 0; fill(12); send4();
		V4(h->proto = pr[i], h->frag = 0x0010, h->id = 100 + i);
		tcp(80, 22, 2, 7); th_proto = 0; fill(13); send4();
		V4(h->proto = pr[i], h->frag = 0x2000, h->id = 110 + i,
		   h->dst = 0x0a000202);
		l4_begin(0); put16(22); put16(22); put32(1); send4();
		V4(h->proto = pr[i], h->frag = 0x4000, h->dst = 0x0a000202);
		udp(22, 22, 30); th_proto = 0; send4();
	}
	/* cut off anywhere, with a total length that tells the truth or not */
	for (len = 15; len < 64; len++) {
		V4(h->proto = 6);
		tcp(40000, 80, 2, 7);
		fill(20);
		l4_end(f + nh + 12, 8);
		ip4_end();
		n = len;
		send_frame();
		if (len < 14 + 20)
			continue;
		ip4_end();
		send_frame();
	}
	for (i = 0; i < 12; i++) {
		V4(h->proto = i & 1 ? 17 : 1);
		udp(80, 80, 0);
		n = th + i;
		th_proto = 0;
		send4();
	}
	/* a wrong version, header length, checksum */
	for (i = 0; i < 16; i++) {
		V4(h->proto = 17);
		udp(80, 80, 40);
		l4_end(f + nh + 12, 8);
		ip4_end();
		f[nh] = 0x40 | i;
		set16(nh + 10, 0);
		set16(nh + 10, cksum_fold(cksum_add(f + nh, i < 5 ? 20 : i * 4, 0)));
		send_frame();
		f[nh] = i << 4 | 5;
		send_frame();
	}
	/* large, and with little or none of it in the linear area */
	for (i = 0; i < 6; i++) {
		static const uint16_t lin[] = { 14, 20, 34, 38, 54, 0 };

		V4(h->proto = 6);
		tcp(40000, 443, 0x10, 7); fill(8000);
		linear = lin[i];
		send4();
		V4(h->proto = 17, h->dst = 0x0a000202);
		udp(53, 443, 8500);
		linear = lin[i];
		send4();
		V4(h->proto = 17, h->optlen = 12);
		udp(53, 22, 8500);
		linear = lin[i];
		send4();
	}
	for (len = 60; len < 70; len++) {
		V4(h->proto = 17);
		udp(53, 5353, len);
		send4();
	}
}

/* ---- IPv6 ---- */

struct a6 { uint8_t b[16]; };

static struct a6 a6(const char *s)
{
	struct a6 a;

	if (inet_pton(AF_INET6, s, &a) != 1)
		abort();
	return a;
}

static void ip6(const char *src, const char *dst, unsigned int next,
		unsigned int hops, unsigned int tclass)
{
	struct a6 s = a6(src), d = a6(dst);

	eth(ETH_IP6);
	nh = n;
	put32(0x60000000 | tclass << 20 | 0x12345);
	put16(0);
	put8(next);
	put8(hops);
	put(&s, 16);
	put(&d, 16);
}

static void send6(void)
{
	l4_end(f + nh + 8, 32);
	set16(nh + 4, n - nh - 40);
	send_frame();
}

static const char * const addrs6[] = {
	"fd00:1::2", "fd00:1::3", "fd00:1::", "fd00:1::ffff", "fd00::ffff",
	"fd00:1:0:0:ffff:ffff:ffff:ffff", "fd00:1:0:1::", "fd00:2::2",
	"fe80::1", "2001:db8::", "2001:db8::1", "2001:db8::2",
	"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::",
	"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "64:ff9b::1", "::1", "::",
};

#define LOCAL6	"fd00:1::1"
#define FAR6	"fd00:2::2"

static void ext(unsigned int next, unsigned int len8)
{
	put8(next);
	put8(len8);
	put8(1);	/* PadN over the rest */
	put8(4 + len8 * 8);
	put32(0);
	while (len8--) {
		put32(0);
		put32(0);
	}
}

static void frag6(unsigned int next, unsigned int off, uint32_t id)
{
	put8(next);
	put8(0);
	put16(off);
	put32(id);
}

static void set_ip6(void)
{
	unsigned int i, len;

	for (i = 0; i < ARRAY_SIZE(addrs6); i++) {
		ip6(addrs6[i], LOCAL6, 17, 64, 0); udp(1000 + i, 53, 9); send6();
		ip6(addrs6[i], FAR6, 17, 64, 0); udp(1000 + i, 53, 9); send6();
		ip6(addrs6[i], "ff02::5", 17, 1, 0); udp(1000 + i, 5, 9); send6();
		ip6("fd00:1::2", addrs6[i], 6, 64, 0); tcp(1, 80, 2, 9); send6();
	}
	for (i = 0; i < ARRAY_SIZE(ports); i++) {
		ip6("fd00:1::2", LOCAL6, 6, 64, 0);
		tcp(40000, ports[i], 2, 7); send6();
		ip6("fd00:1::2", FAR6, 17, 64, 0);
		udp(ports[i], ports[i], 7); send6();
		ip6("fd00:1::2", FAR6, 132, 64, 0);
		sctp(80, ports[i], 7); send6();
	}
	ip6("fd00:1::2", FAR6, 6, 64, 0); tcp(777, 80, 2, 1); send6();
	ip6(FAR6, "fd00:1::2", 6, 64, 0); tcp(80, 777, 0x12, 1); send6();
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		ip6("fd00:1::2", FAR6, 6, 64, i << 2);
		tcp(777, 80, flags[i], 2); send6();
	}
	for (i = 0; i < 160; i += i < 4 || i > 126 ? 1 : 41) {
		if (i >= 133 && i <= 137)	/* not to be answered later */
			continue;
		ip6("fd00:1::2", LOCAL6, 58, 255, 0); icmp(58, i, i & 3); send6();
	}
	/* neighbour advertisement and solicitation, not for us */
	ip6("fe80::9", "ff02::1", 58, 255, 0); icmp(58, 136, 0); send6();
	ip6("fd00:1::2", "ff02::1:ff00:77", 58, 255, 0);
	icmp(58, 135, 0); send6();
	for (i = 0; i < ARRAY_SIZE(protos); i++) {
		ip6("fd00:1::2", LOCAL6, protos[i], 64, 0);
		l4_begin(protos[i]); fill(40); send6();
	}
	for (i = 0; i < 256; i += 5) {
		ip6("fd00:1::2", FAR6, 17, i, i); udp(53, 53, i); send6();
	}
	/* extension headers before the transport header */
	for (i = 0; i < 6; i++) {
		ip6("fd00:1::2", LOCAL6, 0, 64, 0);
		ext(6, i); tcp(40000, 22, 2, 7); send6();
		ip6("fd00:1::2", FAR6, 60, 64, 0);
		ext(17, i); udp(53, 80, 7); send6();
		ip6("fd00:1::2", LOCAL6, 0, 64, 0);
		ext(60, 0); ext(58, i); icmp(58, 128, 0); send6();
		ip6("fd00:1::2", FAR6, 0, 64, 0);
		ext(59, i); l4_begin(0); fill(i); send6();
		ip6("fd00:1::2", LOCAL6, 43, 64, 0);
		put8(6); put8(0); put8(4); put8(0); put32(0);
		tcp(40000, 22, 2, 7); send6();
		ip6("fd00:1::2", LOCAL6, 51, 64, 0);
		put8(6); put8(1 + i); put16(0); put32(1); put32(i); fill(4 * i);
		tcp(40000, 22, 2, 7); send6();
	}
	for (i = 0; i < 4; i++) {
		static const uint8_t pr[] = { 6, 17, 58, 132 };

		ip6("fd00:1::2", LOCAL6, 44, 64, 0);
		frag6(pr[i], 1, 100 + i); tcp(40000, 22, 2, 7); th_proto = 0;
		fill(4); send6();
		ip6("fd00:1::2", LOCAL6, 44, 64, 0);
		frag6(pr[i], 0x19, 100 + i); tcp(80, 22, 2, 7); th_proto = 0;
		fill(4); send6();
		ip6("fd00:1::2", FAR6, 44, 64, 0);
		frag6(pr[i], 0x40, 110 + i); tcp(80, 22, 2, 7); th_proto = 0;
		fill(5); send6();
		/* atomic: whole, with a fragment header */
		ip6("fd00:1::2", FAR6, 44, 64, 0);
		frag6(17, 0, 120 + i); udp(53, 22, 7); send6();
		ip6("fd00:1::2", LOCAL6, 0, 64, 0);
		ext(44, i); frag6(6, 0, 130 + i); tcp(40000, 80, 2, 7); send6();
	}
	for (len = 15; len < 90; len++) {
		ip6("fd00:1::2", LOCAL6, 6, 64, 0);
		tcp(40000, 80, 2, 7); fill(20);
		l4_end(f + nh + 8, 32);
		set16(nh + 4, n - nh - 40);
		n = len;
		send_frame();
		if (len < 54)
			continue;
		set16(nh + 4, n - nh - 40);
		send_frame();
	}
	for (len = 54; len < 90; len++) {
		ip6("fd00:1::2", LOCAL6, 0, 64, 0);
		ext(60, 0); ext(17, 0); udp(53, 53, 12);
		n = len;
		th_proto = 0;
		send6();
	}
	for (i = 0; i < 16; i++) {
		ip6("fd00:1::2", LOCAL6, 17, 64, 0); udp(53, 53, 12);
		f[nh] = i << 4;
		send6();
	}
	for (i = 0; i < 6; i++) {
		static const uint16_t lin[] = { 14, 20, 54, 58, 74, 0 };

		ip6("fd00:1::2", LOCAL6, 6, 64, 0);
		tcp(40000, 443, 0x10, 7); fill(8000);
		linear = lin[i]; send6();
		ip6("fd00:1::2", FAR6, 17, 64, 0); udp(53, 443, 8500);
		linear = lin[i]; send6();
		ip6("fd00:1::2", LOCAL6, 60, 64, 0);
		ext(17, 3); udp(53, 22, 8500);
		linear = lin[i]; send6();
	}
}

/* ---- ARP ---- */

static void arp(unsigned int hw, unsigned int proto, unsigned int op,
		uint32_t spa, uint32_t tpa)
{
	eth(ETH_ARP);
	put16(hw);
	put16(proto);
	put8(6);
	put8(4);
	put16(op);
	put(smac, 6);
	put32(spa);
	put(dmac, 6);
	put32(tpa);
}

static void set_arp(void)
{
	uint8_t was[6];
	unsigned int i;

	for (i = 0; i < 12; i++) {
		arp(1, ETH_IP, i, 0x0a000102, 0x0a000101); send_frame();
		arp(1, ETH_IP, 1, 0x0a000100 + i, 0x0a000101); send_frame();
		arp(1, ETH_IP, 2, 0x0a000102, 0x0a0000ff + i); send_frame();
		arp(i, ETH_IP, 1, 0x0a000102, 0x0a000101); send_frame();
		arp(1, ETH_IP + i, 1, 0x0a000102, 0x0a000101); send_frame();
	}
	for (i = 15; i < 43; i++) {
		arp(1, ETH_IP, 1, 0x0a000102, 0x0a000101);
		n = i;
		send_frame();
	}
	memcpy(was, dmac, 6);
	memset(dmac, 0xff, 6);
	arp(1, ETH_IP, 1, 0x0a000102, 0x0a000101); send_frame();
	arp(1, ETH_IP, 1, 0xc0a80001, 0x0a000101); send_frame();
	arp(1, ETH_IP, 1, 0x0a000101, 0x0a000101); send_frame();
	memcpy(dmac, was, 6);
}

/* ---- Ethernet ---- */

static void vlan_tail(unsigned int kind, unsigned int i)
{
	/* what lies behind the tags; eth() is not called again */
	nh = n;
	if (kind == ETH_IP) {
		struct h4 h = h4_plain;

		h.proto = i & 1 ? 17 : 6;
		ip4(h);
		if (i & 1)
			udp(53, 22 + i % 3, 10);
		else
			tcp(40000, 22 + i % 3, 2, 1);
		l4_end(f + nh + 12, 8);
		ip4_end();
	} else {
		fill(46);
	}
}

static void set_eth(void)
{
	static const uint16_t types[] = {
		0x0000, 0x002e, 0x0100, 0x05ff, 0x0600, 0x0801, 0x0805, 0x0807,
		0x8035, 0x809b, 0x8137, 0x8847, 0x8864, 0x888e, 0x88cc, 0x8906,
		0x9000, 0xffff,
	};
	static const uint16_t tcis[] = {
		0, 1, 9, 10, 11, 99, 100, 101, 4094, 4095, 0x2001, 0xe00a,
		0x100a, 0xffff,
	};
	static const uint8_t macs[][6] = {
		{ 2, 0, 0, 0, 1, 1 }, { 2, 0, 0, 0, 1, 0 }, { 2, 0, 0, 0, 9, 9 },
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, { 1, 0, 0x5e, 0, 0, 1 },
		{ 0x33, 0x33, 0, 0, 0, 1 },
	};
	uint8_t was[6];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		eth(types[i]);
		fill(types[i] < 1500 && types[i] ? types[i] : 46);
		send_frame();
	}
	for (i = 0; i < ARRAY_SIZE(tcis); i++) {
		eth(ETH_8021Q); put16(tcis[i]); put16(ETH_IP);
		vlan_tail(ETH_IP, i); send_frame();
		eth(ETH_8021AD); put16(tcis[i]); put16(ETH_IP);
		vlan_tail(ETH_IP, i); send_frame();
		eth(ETH_8021AD); put16(10); put16(ETH_8021Q); put16(tcis[i]);
		put16(ETH_IP); vlan_tail(ETH_IP, i); send_frame();
		eth(ETH_8021Q); put16(tcis[i]); put16(ETH_8021Q); put16(10);
		put16(ETH_ARP); vlan_tail(0, i); send_frame();
		eth(ETH_8021Q); put16(tcis[i]); put16(0x9000);
		vlan_tail(0, i); send_frame();
	}
	for (i = 15; i < 24; i++) {
		eth(ETH_8021Q); put16(10); put16(ETH_IP); vlan_tail(ETH_IP, 0);
		n = i; send_frame();
	}
	memcpy(was, dmac, 6);
	for (i = 0; i < ARRAY_SIZE(macs); i++) {
		memcpy(dmac, macs[i], 6);
		V4(h->proto = 17); udp(53, 53, 10); send4();
		V4(h->proto = 17, h->dst = 0xe0000001); udp(53, 53, 10); send4();
		ip6("fd00:1::2", LOCAL6, 17, 64, 0); udp(53, 53, 9); send6();
		eth(ETH_8021Q); put16(10); put16(ETH_IP); vlan_tail(ETH_IP, i);
		send_frame();
		eth(0x9000); fill(46); send_frame();
	}
	memcpy(dmac, was, 6);
}

static void set_tcp(void)
{
	unsigned int i;

	for (i = 1; i <= 100; i++) {
		V4(h->proto = 6);
		tcp(40000, i, 2, 7);
		send4();
	}
}

/* ---- tunnels ---- */

static struct {
	unsigned int nh, th, proto;
} outer;

/* The outer headers: IPv4, with options, IPv6, with an extension header */
static void tunnel_ip(unsigned int how, unsigned int proto)
{
	switch (how) {
	case 0:
	case 1:
		V4(h->proto = proto, h->dst = 0x0a000202, h->optlen = how * 8);
		break;
	case 2:
		ip6("fd00:1::2", FAR6, proto, 64, 0);
		break;
	default:
		ip6("fd00:1::2", FAR6, 60, 64, 0);
		ext(proto, 1);
	}
	outer.nh = nh;
	outer.th = n;
	outer.proto = proto;
}

enum {
	TUN_VXLAN, TUN_GENEVE, TUN_GENEVE_OPT, TUN_OTHER, TUN_GRETAP, TUN_ETHER,
	TUN_GRE = TUN_ETHER, TUN_GRE_KEY, TUN_IPIP, TUN_ALL
};

static void tunnel_begin(unsigned int how, unsigned int kind, unsigned int type)
{
	switch (kind) {
	case TUN_VXLAN:
	case TUN_OTHER:
		tunnel_ip(how, 17);
		udp(40000 + type % 7, kind == TUN_VXLAN ? 4789 : 4790, 0);
		put32(0x08000000);
		put32(0x00007b00 + (type & 0xff00));
		break;
	case TUN_GENEVE:
	case TUN_GENEVE_OPT:
		tunnel_ip(how, 17);
		udp(40000 + type % 7, 6081, 0);
		put8(kind == TUN_GENEVE ? 0 : 2);
		put8(0);
		put16(0x6558);
		put32(0x00007b00);
		if (kind == TUN_GENEVE_OPT) {
			put32(0x01020001);
			put32(0x45000000);
		}
		break;
	case TUN_GRETAP:
		tunnel_ip(how, 47);
		put16(0);
		put16(0x6558);
		break;
	case TUN_GRE:
		tunnel_ip(how, 47);
		put16(0);
		put16(type);
		break;
	case TUN_GRE_KEY:
		tunnel_ip(how, 47);
		put16(0xb000);		/* checksum (wrong), key, sequence number */
		put16(type);
		put32(0);
		put32(0x7b);
		put32(9);
		break;
	default:
		tunnel_ip(how, type == ETH_IP6 ? 41 : 4);
	}
}

static void tunnel_end(void)
{
	nh = outer.nh;
	th = outer.th;
	th_proto = 0;
	if (outer.proto == 17) {
		th_proto = 17;
		set16(th + 4, n - th);
	}
	if (f[nh] >> 4 == 4)
		send4();
	else
		send6();
}

static void inner_eth(unsigned int type)
{
	static const uint8_t macs[12] = { 2, 0, 0, 0, 7, 1, 2, 0, 0, 0, 7, 2 };

	put(macs, 12);
	put16(type);
}

static void inner_ip6(unsigned int next)
{
	struct a6 s = a6("fd00:7::1"), d = a6("fd00:7::2");

	nh = n;
	put32(0x60012345);
	put16(0);
	put8(next);
	put8(63);
	put(&s, 16);
	put(&d, 16);
}

/* What is inside; -1: there is no such packet in a tunnel of this kind */
static int tunnel_type(unsigned int kind, unsigned int what)
{
	static const uint16_t types[] = {
		ETH_IP, ETH_IP, ETH_IP, ETH_IP, ETH_IP, ETH_IP, ETH_IP, ETH_IP,
		ETH_IP6, ETH_IP6, ETH_IP6, ETH_IP6, ETH_IP6,
		ETH_ARP, ETH_8021Q, ETH_8021Q, ETH_8021Q, ETH_8021AD, 0x88cc,
	};

	if (what >= ARRAY_SIZE(types))
		return -1;
	if (what >= 13 && kind >= TUN_ETHER)
		return 0;
	return types[what];
}

static void tunnel_inside(unsigned int kind, unsigned int what, unsigned int type)
{
	struct h4 h = {
		.src = 0x0a070001, .dst = 0x0a070002 + what, .ttl = 63, .id = 7,
	};
	unsigned int at;

	if (kind < TUN_ETHER)
		inner_eth(type);
	if (type == ETH_8021Q) {
		put16(7);
		put16(what == 14 ? ETH_IP : what == 15 ? ETH_IP6 : ETH_ARP);
	} else if (type == ETH_8021AD) {
		put16(8);
		put16(ETH_8021Q);
		put16(7);
		put16(ETH_IP);
	}
	switch (what) {
	case 0:
	case 14:
	case 17:
		h.proto = 17; ip4(h); udp(1000, 53, 12); ip4_end();
		break;
	case 1:
		h.proto = 6; ip4(h); tcp(1000, 80, 2, 1); ip4_end();
		break;
	case 2:
		h.proto = 17; h.optlen = 12; ip4(h); udp(1000, 53, 12); ip4_end();
		break;
	case 3:
		h.proto = 17; h.frag = 0x2000; ip4(h); udp(1000, 53, 24); ip4_end();
		break;
	case 4:
		h.proto = 17; h.frag = 0x0003; ip4(h); udp(1000, 53, 12); ip4_end();
		break;
	case 5:
		h.proto = 1; ip4(h); icmp(1, 8, 0); ip4_end();
		break;
	case 6:		/* a wrong version, and below a header that is too short */
	case 7:
		at = n;
		h.proto = 17; ip4(h); udp(1000, 53, 12); ip4_end();
		f[at] = what == 6 ? 0x55 : 0x44;
		break;
	case 8:
	case 15:
		inner_ip6(17); udp(1000, 53, 12);
		break;
	case 9:
		inner_ip6(0); ext(60, 0); ext(6, 1); tcp(1000, 80, 2, 1);
		break;
	case 10:
		inner_ip6(44); frag6(17, 1, 7); udp(1000, 53, 16);
		break;
	case 11:
		inner_ip6(44); frag6(17, 0x18, 7); udp(1000, 53, 16);
		break;
	case 12:
		inner_ip6(58); icmp(58, 128, 0);
		break;
	default:
		fill(28);
	}
}

/* The packet that comes first and last */
static void tunnel_same(void)
{
	tunnel_begin(0, TUN_VXLAN, ETH_IP);
	tunnel_inside(TUN_VXLAN, 0, ETH_IP);
	tunnel_end();
}

static void set_tunnel(void)
{
	unsigned int how, kind, what, whole, cut;
	int type;

	tunnel_same();
	for (how = 0; how < 4; how++) {
		for (kind = 0; kind < TUN_ALL; kind++) {
			for (what = 0; (type = tunnel_type(kind, what)) >= 0; what++) {
				if (!type)
					continue;
				tunnel_begin(how, kind, type);
				tunnel_inside(kind, what, type);
				tunnel_end();
			}
		}
	}
	/* cut off anywhere, by a sender who says so */
	for (kind = 0; kind < TUN_ALL; kind++) {
		for (what = 0; (type = tunnel_type(kind, what)) >= 0; what++) {
			if (!type || what == 5 || what == 7)
				continue;
			for (cut = 3, whole = -1; cut < whole; cut += 7) {
				tunnel_begin(0, kind, type);
				tunnel_inside(kind, what, type);
				whole = n - outer.th;
				n = outer.th + (cut < whole ? cut : whole);
				if (outer.proto == 17 && n < outer.th + 8)
					n = outer.th + 8;
				tunnel_end();
			}
		}
	}
	/* not linear: the outer headers, part of the inner ones */
	for (cut = 14; cut < 120; cut += 3) {
		for (how = 0; how < 4; how += 2) {
			tunnel_begin(how, TUN_VXLAN, how ? ETH_IP6 : ETH_IP);
			tunnel_inside(TUN_VXLAN, how ? 9 : 1, how ? ETH_IP6 : ETH_IP);
			fill(8000);
			linear = cut;
			tunnel_end();
		}
	}
	/* outer fragments: the first, with the inner headers in it, and the last */
	for (how = 0; how < 2; how++) {
		V4(h->proto = 17, h->dst = 0x0a000202, h->id = 200 + how,
		   h->frag = how ? 0x000c : 0x2000);
		outer.nh = nh;
		udp(40000, 4789, 0);
		set16(n - 4, 8 + 8 + 14 + 20 + 8 + 12 + 26);
		put32(0x08000000);
		put32(0x00007b00);
		inner_eth(ETH_IP);
		tunnel_inside(TUN_GRE, 0, ETH_IP);
		fill(26);
		nh = outer.nh;
		th_proto = 0;
		send4();
	}
	tunnel_same();
}

/* ---- what is not linear ---- */

/* Bytes by which the place of each is known, other ones for each datagram */
static void pattern(unsigned int len, unsigned int which)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		put8(i * 7 + which * 29 + (i >> 5));
}

/* The datagram that is in the frame, in fragments of @size bytes, of which conntrack
 * makes a packet with a list of parts
 */
static void send_parts(unsigned int size, unsigned int id)
{
	static uint8_t whole[4096];
	unsigned int len = n - th, proto, off, now, more;
	bool six = f[nh] >> 4 == 6;
	struct h4 h = h4_plain;

	l4_end(f + nh + (six ? 8 : 12), six ? 32 : 8);
	proto = th_proto;
	th_proto = 0;
	memcpy(whole, f + th, len);
	for (off = 0; off < len; off += now) {
		now = len - off < size ? len - off : size;
		more = off + now < len;
		if (six) {
			ip6("fd00:1::2", FAR6, 44, 64, 0);
			frag6(proto, off | more, id);
			put(whole + off, now);
			send6();
		} else {
			h.dst = 0x0a000202;
			h.id = id;
			h.frag = off / 8 | more << 13;
			h.proto = proto;
			eth(ETH_IP);
			ip4(h);
			put(whole + off, now);
			send4();
		}
	}
}

static void set_parts(void)
{
	static const uint16_t sizes[] = { 8, 16, 24, 32, 40, 64, 96, 128, 200, 512 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		V4(h->proto = 17, h->dst = 0x0a000202);
		udp(53, 5000 + i, 0); set16(n - 4, 608); pattern(600, i);
		send_parts(sizes[i], 300 + i);
		V4(h->proto = 6, h->dst = 0x0a000202);
		tcp(40000, 80, 2, i); pattern(500, i);
		send_parts(sizes[i], 400 + i);
		ip6("fd00:1::2", FAR6, 17, 64, 0);
		udp(53, 5000 + i, 0); set16(n - 4, 608); pattern(600, i);
		send_parts(sizes[i], 500 + i);
		ip6("fd00:1::2", FAR6, 6, 64, 0);
		tcp(40000, 80, 2, i); pattern(500, i);
		send_parts(sizes[i], 600 + i);
	}
}

/* What is in the frame, as segments of @size bytes that are not cut yet */
static void send_gso(unsigned int type, unsigned int size, unsigned int lin)
{
	linear = lin;
	vh.gso_type = type;
	vh.gso_size = size;
	if (f[nh] >> 4 == 6)
		send6();
	else
		send4();
}

static void set_gso(void)
{
	static const uint16_t lin[] = { 14, 34, 38, 54, 58, 74, 78, 90, 120, 200 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lin); i++) {
		V4(h->proto = 6, h->dst = 0x0a000202);
		tcp(40000, 80, 0x10, i); pattern(4000, i);
		send_gso(VIRTIO_NET_HDR_GSO_TCPV4, 1000, lin[i]);
		V4(h->proto = 6, h->dst = 0x0a000202);
		tcp(40000, 81, 0x18, i); pattern(30000, i);
		send_gso(VIRTIO_NET_HDR_GSO_TCPV4, 1400, lin[i]);
		V4(h->proto = 17, h->dst = 0x0a000202);
		udp(53, 5000 + i, 0); set16(n - 4, 20008); pattern(20000, i);
		send_gso(VIRTIO_NET_HDR_GSO_UDP, 1000, lin[i]);
		ip6("fd00:1::2", FAR6, 6, 64, 0);
		tcp(40000, 80, 0x10, i); pattern(20000, i);
		send_gso(VIRTIO_NET_HDR_GSO_TCPV6, 1400, lin[i]);
	}
}

/* Runs of datagrams and segments, each of 30 with the same length */
static void set_runs(void)
{
	static const uint16_t lens[] = { 3, 8, 20, 21, 33, 64, 100, 500, 1400 };
	static const uint16_t lin[] = { 0, 14, 34, 42, 50 };
	unsigned int i, j, k;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		for (k = 0; k < ARRAY_SIZE(lin); k++) {
			unsigned int port = 5000 + 10 * i + k;

			for (j = 0; j < 30; j++) {
				V4(h->proto = 17, h->dst = 0x0a000202, h->frag = 0x4000);
				udp(53, port, 0); set16(n - 4, 8 + lens[i]);
				pattern(lens[i], j + k);
				linear = lin[k] < n ? lin[k] : 0;
				send4();
			}
			for (j = 0; j < 30; j++) {
				ip6("fd00:1::2", FAR6, 17, 64, 0);
				udp(53, port, 0); set16(n - 4, 8 + lens[i]);
				pattern(lens[i], j + k);
				linear = lin[k] < n ? lin[k] : 0;
				send6();
			}
			for (j = 0; j < 30; j++) {
				V4(h->proto = 6, h->dst = 0x0a000202, h->frag = 0x4000,
				   h->id = j);
				tcp(40000, port, 0x10, 1000 + j * lens[i]);
				pattern(lens[i], j + k);
				linear = lin[k] < n ? lin[k] : 0;
				send4();
			}
			for (j = 0; j < 30; j++) {
				ip6("fd00:1::2", FAR6, 6, 64, 0);
				tcp(40000, port, 0x10, 1000 + j * lens[i]);
				pattern(lens[i], j + k);
				linear = lin[k] < n ? lin[k] : 0;
				send6();
			}
		}
	}
}

int main(int argc, char **argv)
{
	unsigned long repeat = 1;
	int opt, one = 1, room = 0, i;
	cpu_set_t cpus;
	sigset_t term;

	/* behind the device, which argv[1] is to getopt */
	argc--;
	argv++;
	while ((opt = getopt(argc, argv, "+m:r:q")) > 0) {
		if (opt == 'r')
			repeat = strtoul(optarg, NULL, 0);
		else if (opt == 'q')
			room = 1 << 30;
		else if (opt != 'm' ||
			 sscanf(optarg, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx",
				dmac, dmac + 1, dmac + 2, dmac + 3, dmac + 4,
				dmac + 5) != 6)
			return 2;
	}
	if (argc < 1)
		return 2;
	/* each processor has a queue of packets of its own: use only one */
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	ifindex = if_nametoindex(argv[0]);
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (!ifindex || fd < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) ||
	    (room && setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)))) {
		perror("inject");
		return 1;
	}
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	while (repeat-- && !asked_to_stop()) {
		for (i = optind; i < argc; i++) {
			if (!strcmp(argv[i], "ip4")) {
				set_ip4();
			} else if (!strcmp(argv[i], "ip6")) {
				set_ip6();
			} else if (!strcmp(argv[i], "arp")) {
				set_arp();
			} else if (!strcmp(argv[i], "eth")) {
				set_eth();
			} else if (!strcmp(argv[i], "tcp")) {
				set_tcp();
			} else if (!strcmp(argv[i], "tunnel")) {
				set_tunnel();
			} else if (!strcmp(argv[i], "parts")) {
				set_parts();
			} else if (!strcmp(argv[i], "gso")) {
				set_gso();
			} else if (!strcmp(argv[i], "runs")) {
				set_runs();
			} else if (!strcmp(argv[i], "udp")) {
				V4(h->proto = 17);
				udp(53, 5353, 10);
				send4();
			} else {
				fprintf(stderr, "inject: no set %s\n", argv[i]);
				return 2;
			}
		}
	}
	printf("%lu\n", sent);
	return 0;
}
