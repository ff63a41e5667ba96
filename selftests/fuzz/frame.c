// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames, good and bad, out of a small pool of addresses and ports, so that
 * rules that name values of the pool match some of them.
 */
#include <string.h>
#include "../lib/cksum.h"
#include "fuzz.h"

#define ETH_IP		0x0800
#define ETH_ARP		0x0806
#define ETH_8021Q	0x8100
#define ETH_8021AD	0x88a8
#define ETH_IP6		0x86dd

static void put8(struct frame *f, unsigned int v)
{
	if (f->len < FRAME_MAX)
		f->b[f->len++] = v;
}

static void put16(struct frame *f, unsigned int v)
{
	put8(f, v >> 8);
	put8(f, v & 0xff);
}

static void put32(struct frame *f, uint32_t v)
{
	put16(f, v >> 16);
	put16(f, v & 0xffff);
}

static void put(struct frame *f, const uint8_t *p, unsigned int n)
{
	while (n--)
		put8(f, *p++);
}

static void set16(struct frame *f, unsigned int at, unsigned int v)
{
	if (at + 2 <= f->len) {
		f->b[at] = v >> 8;
		f->b[at + 1] = v;
	}
}

static void set32(uint8_t *p, uint32_t v)
{
	p[0] = v >> 24;
	p[1] = v >> 16;
	p[2] = v >> 8;
	p[3] = v;
}

/**
 * pool_make - choose the addresses and ports of a case
 * @p: the pool
 */
void pool_make(struct pool *p)
{
	static const uint32_t a4[] = {
		0x0a000101, 0x0a000102, 0x0a0001fe, 0x0a000202, 0x0a0002ff,
		0xc0a80001, 0xc0a800ff, 0xac100000, 0x08080808, 0xe0000005,
		0x7fffffff, 0x80000000, 0x0a0a0a0a,
	};
	static const uint8_t prefix[][8] = {
		{ 0xfd, 0, 0, 1 }, { 0xfd, 0, 0, 2 },
		{ 0x20, 1, 0xd, 0xb8 }, { 0x20, 1, 0xd, 0xb8, 0, 1 },
	};
	static const uint16_t ports[] = {
		0, 1, 22, 53, 80, 443, 1023, 1024, 8080, 0x1600, 0x7fff, 0x8000,
		0xffff,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(p->a4); i++)
		p->a4[i] = chance(80) ? a4[rnd(ARRAY_SIZE(a4))] :
					0x0a000200 + rnd(256);
	p->a4[0] = 0x0a000101;
	p->a4[1] = 0x0a000202;
	for (i = 0; i < ARRAY_SIZE(p->a6); i++) {
		memset(p->a6[i], 0, 16);
		memcpy(p->a6[i], prefix[rnd(ARRAY_SIZE(prefix))], 8);
		p->a6[i][15] = 1 + rnd(5);
		if (chance(20))
			memset(p->a6[i] + 8, 0xff, 8);
	}
	memcpy(p->a6[0], prefix[0], 8);
	memset(p->a6[0] + 8, 0, 7);
	p->a6[0][15] = 1;
	memcpy(p->a6[1], prefix[1], 8);
	memset(p->a6[1] + 8, 0, 7);
	p->a6[1][15] = 2;
	for (i = 0; i < ARRAY_SIZE(p->port); i++)
		p->port[i] = chance(75) ? ports[rnd(ARRAY_SIZE(ports))] :
					  rnd(65536);
}

static uint16_t port(const struct pool *p)
{
	uint16_t v = p->port[rnd(ARRAY_SIZE(p->port))];

	return chance(20) ? v + (chance(50) ? 1 : -1) : v;
}

static void transport(struct frame *f, const struct pool *p, unsigned int proto)
{
	unsigned int data = chance(30) ? 0 : rnd(40), i;

	f->th = f->len;
	f->proto = proto;
	switch (proto) {
	case 6:
		put16(f, port(p));
		put16(f, port(p));
		put32(f, rnd(4));
		put32(f, rnd(4));
		i = chance(20) ? 1 + rnd(3) : 0;
		put16(f, (5 + i) << 12 | (chance(60) ? 2 : rnd(256)));
		put16(f, 0x2000);
		put32(f, 0);
		if (i--) {
			put32(f, 0x020405b4);	/* MSS */
			while (i--)
				put32(f, 0x01010101);
		}
		break;
	case 17:
	case 136:
		put16(f, port(p));
		put16(f, port(p));
		put16(f, 8 + data);
		put16(f, 0);
		break;
	case 1:
	case 58:
		put8(f, chance(50) ? (proto == 1 ? 8 : 128) : rnd(20));
		/* not neighbour discovery, which answers later */
		put8(f, rnd(3));
		put16(f, 0);
		put16(f, 0x1234);
		put16(f, rnd(3));
		break;
	case 132:
		put16(f, port(p));
		put16(f, port(p));
		put32(f, 0);
		put32(f, 0);
		put32(f, rnd(15) << 24 | 4);
		break;
	default:
		put32(f, rnd(2) ? 0 : 0x01020304);
		break;
	}
	for (i = 0; i < data; i++)
		put8(f, 0x30 + i);
}

static unsigned int some_proto(bool six)
{
	static const uint8_t protos[] = { 6, 6, 6, 17, 17, 17, 1, 132, 136, 47 };
	unsigned int p;

	if (chance(6))
		return rnd(256) & ~1;
	p = protos[rnd(ARRAY_SIZE(protos))];
	return p == 1 && six ? 58 : p;
}

static void ipv4(struct frame *f, const struct pool *p)
{
	unsigned int opt = chance(12) ? 1 + rnd(10) : 0, i;
	unsigned int frag = 0, proto = some_proto(false);

	if (chance(8))
		frag = 0x4000;
	else if (chance(10))
		frag = (chance(60) ? 0x2000 : 0) |
		       (chance(60) ? 1 + rnd(30) : 0);
	f->nh = f->len;
	f->type = ETH_IP;
	put8(f, 0x45 + opt);
	put8(f, chance(50) ? 0 : rnd(256));
	put16(f, 0);
	put16(f, rnd(4));
	put16(f, frag);
	put8(f, chance(80) ? 64 : rnd(256));
	put8(f, proto);
	put16(f, 0);
	put32(f, p->a4[rnd(ARRAY_SIZE(p->a4))]);
	put32(f, p->a4[rnd(chance(70) ? 2 : ARRAY_SIZE(p->a4))]);
	for (i = 0; i < opt; i++)
		put32(f, 0x01010101);
	transport(f, p, proto);
	if (frag & 0x1fff)
		f->th = 0;
}

/* Extension headers and what is behind them */
static void ipv6(struct frame *f, const struct pool *p)
{
	static const uint8_t exts[] = { 0, 60, 43, 51, 44 };
	unsigned int proto = some_proto(true), n = 0, i;
	uint8_t chain[4];
	bool later = false;

	if (chance(30))
		for (n = 1 + rnd(2), i = 0; i < n; i++)
			chain[i] = exts[rnd(ARRAY_SIZE(exts))];
	f->nh = f->len;
	f->type = ETH_IP6;
	put32(f, 0x60000000 | rnd(2) << 20 | rnd(2));
	put16(f, 0);
	put8(f, n ? chain[0] : proto);
	put8(f, chance(80) ? 64 : rnd(256));
	put(f, p->a6[rnd(ARRAY_SIZE(p->a6))], 16);
	put(f, p->a6[rnd(chance(70) ? 2 : ARRAY_SIZE(p->a6))], 16);
	for (i = 0; i < n; i++) {
		put8(f, i + 1 < n ? chain[i + 1] : proto);
		switch (chain[i]) {
		case 44:
			put8(f, 0);
			if (chance(50)) {
				put16(f, (1 + rnd(20)) << 3 | rnd(2));
				later = true;
			} else {
				put16(f, rnd(2));
			}
			put32(f, rnd(3));
			break;
		case 51:
			put8(f, 1);
			put16(f, 0);
			put32(f, 1);
			put32(f, 1);
			break;
		case 43:
			put8(f, 0);
			put16(f, 0x0400);
			put32(f, 0);
			break;
		default:
			put8(f, 0);
			put16(f, 0x0104);
			put32(f, 0);
			break;
		}
	}
	transport(f, p, proto);
	if (later)
		f->th = 0;
}

static void arp(struct frame *f, const struct pool *p)
{
	static const uint8_t mac[MAC_LEN] = { 2, 0, 0, 0, 1, 2 };

	f->nh = f->len;
	f->type = ETH_ARP;
	put16(f, chance(95) ? 1 : rnd(5));
	put16(f, chance(95) ? ETH_IP : rnd(65536));
	put8(f, 6);
	put8(f, 4);
	put16(f, chance(80) ? 1 + rnd(2) : rnd(12));
	put(f, mac, MAC_LEN);
	put32(f, p->a4[rnd(ARRAY_SIZE(p->a4))]);
	put(f, mac, MAC_LEN);
	put32(f, p->a4[rnd(ARRAY_SIZE(p->a4))]);
}

static uint8_t filler(unsigned int i)
{
	return 0x40 + i % 61;
}

/**
 * frame_sum - make the lengths and checksums right
 * @f: the frame
 */
void frame_sum(struct frame *f)
{
	unsigned int total = f->len + f->fill, hlen, at, i;
	uint32_t s;

	if (f->type == ETH_IP && f->len >= f->nh + 20) {
		hlen = (f->b[f->nh] & 15) * 4;
		set16(f, f->nh + 2, total - f->nh);
		set16(f, f->nh + 10, 0);
		if (hlen >= 20 && f->nh + hlen <= f->len)
			set16(f, f->nh + 10,
			      cksum_fold(cksum_add(f->b + f->nh, hlen, 0)));
	} else if (f->type == ETH_IP6 && f->len >= f->nh + 40) {
		set16(f, f->nh + 4, total - f->nh - 40);
	} else {
		return;
	}
	if (!f->th || f->th >= f->len)
		return;
	switch (f->proto) {
	case 6:
		at = f->th + 16;
		break;
	case 17:
		at = f->th + 6;
		set16(f, f->th + 4, total - f->th);
		break;
	case 1:
	case 58:
		at = f->th + 2;
		break;
	default:
		return;
	}
	set16(f, at, 0);
	s = f->proto == 1 ? 0 :
	    f->type == ETH_IP ? cksum_add(f->b + f->nh + 12, 8, f->proto + total - f->th) :
	    cksum_add(f->b + f->nh + 8, 32, f->proto + total - f->th);
	s = cksum_add(f->b + f->th, f->len - f->th, s);
	for (i = 0; i < f->fill; i++)
		s += (f->len - f->th + i) & 1 ? filler(i) : filler(i) << 8;
	set16(f, at, cksum_fold(s));
}

/**
 * frame_make - a random frame
 * @f: the frame
 * @p: where addresses and ports come from
 * @families: FAM_* of the rules it is for
 */
void frame_make(struct frame *f, const struct pool *p, unsigned int families)
{
	static const uint16_t others[] = { 0x0801, 0x8035, 0x88cc, 0x9000, 0xffff };
	unsigned int kind;

	memset(f, 0, sizeof(*f));
	f->bridge = families & FAM_BRIDGE ? chance(70) : chance(4);
	set32(f->b, 0x02000000);
	f->b[4] = f->bridge ? 3 : 1;
	f->b[5] = f->bridge ? (chance(60) ? 0 : 1 + rnd(3)) : 1;
	if (chance(f->bridge ? 15 : 4))
		memset(f->b, 0xff, MAC_LEN);
	else if (chance(f->bridge ? 10 : 3))
		set32(f->b, 0x01005e00);
	set32(f->b + 6, 0x02000000);
	f->b[10] = f->bridge ? 4 : 1;
	f->b[11] = 2 + rnd(f->bridge ? 3 : 2);
	f->len = 12;
	if (chance(families & (FAM_BRIDGE | FAM_NETDEV) ? 20 : 3)) {
		put16(f, chance(80) ? ETH_8021Q : ETH_8021AD);
		put16(f, rnd(4) << 13 | rnd(4));
		f->tags = 4;
		if (chance(20)) {
			put16(f, ETH_8021Q);
			put16(f, 100 + rnd(3));
		}
	}
	kind = rnd(100);
	if (families & FAM_ARP ? kind < 60 : kind < 5) {
		put16(f, ETH_ARP);
		arp(f, p);
	} else if (chance(3)) {
		f->type = others[rnd(ARRAY_SIZE(others))];
		put16(f, f->type);
		f->nh = f->len;
		transport(f, p, 99);
	} else if (!(families & FAM_IP6) ||
		   (families & ~(FAM_IP6 | FAM_ARP) &&
		    chance(families & (FAM_IP) ? 85 : 50))) {
		put16(f, ETH_IP);
		ipv4(f, p);
	} else {
		put16(f, ETH_IP6);
		ipv6(f, p);
	}
	if (families & FAM_INET && f->type == ETH_IP && chance(35)) {
		struct frame again = *f;

		again.len = 12 + f->tags;
		/* of two minds: half of inet's packets are of each family */
		if (again.len + 2 == again.nh) {
			again.fill = 0;
			put16(&again, ETH_IP6);
			again.th = 0;
			ipv6(&again, p);
			*f = again;
		}
	}
	if (chance(10)) {
		f->fill = 4000 + rnd(1000);
		f->linear = chance(70) ? 14 + rnd(60) : 0;
	}
	frame_sum(f);
	if (chance(7)) {
		/* cut off, and mostly honest about it */
		f->fill = 0;
		f->linear = 0;
		f->len = 14 + f->tags + rnd(f->len - 13 - f->tags);
		if (f->len < 15)
			f->len = 15;
		if (f->th >= f->len)
			f->th = 0;
		if (chance(75))
			frame_sum(f);
	}
}

/* Both ends the other way round */
static void swap(uint8_t *a, uint8_t *b, unsigned int n)
{
	uint8_t t;

	while (n--) {
		t = *a;
		*a++ = *b;
		*b++ = t;
	}
}

/* Is all of a frame there, up to so many bytes behind the transport header? */
static bool whole(const struct frame *f, unsigned int n)
{
	return f->th && f->th + n <= f->len &&
	       (f->type == ETH_IP || f->type == ETH_IP6);
}

static void turn(struct frame *f)
{
	unsigned int len = f->type == ETH_IP ? 4 : 16;
	uint8_t *src = f->b + f->nh + (f->type == ETH_IP ? 12 : 8);

	swap(src, src + len, len);
}

/**
 * frame_reply - what the other side answers
 * @f: filled in
 * @of: what it answers
 *
 * It comes in where @of did, which is all the same to connection tracking.
 *
 * Return: false if there is no answer.
 */
bool frame_reply(struct frame *f, const struct frame *of)
{
	if (!whole(of, 8))
		return false;
	*f = *of;
	turn(f);
	switch (f->proto) {
	case 6:
		if (f->th + 20 > f->len)
			return false;
		f->b[f->th + 13] = chance(60) ? 0x12 : 0x10;
		__attribute__((fallthrough));
	case 17:
	case 132:
	case 136:
		swap(f->b + f->th, f->b + f->th + 2, 2);
		break;
	case 1:
		f->b[f->th] = 0;
		break;
	case 58:
		f->b[f->th] = 129;
		break;
	default:
		return false;
	}
	frame_sum(f);
	return true;
}

/**
 * frame_error - what a router says of a packet
 * @f: filled in: "unreachable", to whom has sent it
 * @of: the packet
 *
 * Return: false if it is none that a router speaks of.
 */
bool frame_error(struct frame *f, const struct frame *of)
{
	unsigned int n = of->type == ETH_IP ? 20 : 40;
	const unsigned int quote = of->th + 8 - of->nh;

	if (!whole(of, 8) || of->nh + n + 8 + quote > FRAME_MAX)
		return false;
	*f = *of;
	f->fill = 0;
	f->linear = 0;
	f->len = f->nh + n;
	turn(f);
	if (f->type == ETH_IP) {
		f->b[f->nh] = 0x45;
		set16(f, f->nh + 6, 0);
		f->b[f->nh + 8] = 64;
		f->b[f->nh + 9] = 1;
		f->proto = 1;
	} else {
		f->b[f->nh + 6] = 58;
		f->b[f->nh + 7] = 64;
		f->proto = 58;
	}
	f->th = f->len;
	put8(f, f->type == ETH_IP ? 3 : 1);
	put8(f, rnd(4));
	put16(f, 0);
	put32(f, 0);
	put(f, of->b + of->nh, quote);
	frame_sum(f);
	return true;
}

/**
 * frame_odd - what no connection has
 * @f: filled in: a segment with flags that do not go together
 * @of: a segment
 *
 * Return: false if it is none.
 */
bool frame_odd(struct frame *f, const struct frame *of)
{
	static const uint8_t flags[] = { 0x03, 0x00, 0x29, 0x3f, 0x06 };

	if (!whole(of, 20) || of->proto != 6)
		return false;
	*f = *of;
	f->b[f->th + 13] = flags[rnd(ARRAY_SIZE(flags))];
	frame_sum(f);
	return true;
}

static void segment(struct frame *f, uint32_t src, uint32_t dst, unsigned int sport,
		    unsigned int dport, unsigned int flags, uint32_t seq,
		    uint32_t ack, const char *data)
{
	memset(f, 0, sizeof(*f));
	set32(f->b, 0x02000000);
	f->b[4] = 1;
	f->b[5] = 1;
	set32(f->b + 6, 0x02000000);
	f->b[10] = 1;
	f->b[11] = 2;
	f->len = 12;
	put16(f, ETH_IP);
	f->nh = f->len;
	f->type = ETH_IP;
	put32(f, 0x45000000);
	put32(f, 0x00014000);
	put32(f, 0x40060000);
	put32(f, src);
	put32(f, dst);
	f->th = f->len;
	f->proto = 6;
	put16(f, sport);
	put16(f, dport);
	put32(f, seq);
	put32(f, ack);
	put16(f, 0x5000 | flags);
	put16(f, 0x2000);
	put32(f, 0);
	put(f, (const uint8_t *)data, strlen(data));
	frame_sum(f);
}

/**
 * frame_ftp - a client asks to be called, and is
 * @f: FTP_FRAMES frames, filled in
 * @p: where the addresses come from
 * @port: the server's
 *
 * With a helper for that port the last one is related to the others.  It is the
 * second line that a helper takes notice of.
 */
void frame_ftp(struct frame *f, const struct pool *p, unsigned int port)
{
	const uint32_t client = p->a4[0] + 1, server = p->a4[1];
	const unsigned int from = 1025 + rnd(60000), data = rnd(8);
	const uint32_t seq = 1000, ack = 5000;
	char ask[40];

	snprintf(ask, sizeof(ask), "PORT %u,%u,%u,%u,8,%u\r\n", client >> 24,
		 client >> 16 & 255, client >> 8 & 255, client & 255, data);
	segment(f++, client, server, from, port, 0x02, seq, 0, "");
	segment(f++, server, client, port, from, 0x12, ack, seq + 1, "");
	segment(f++, client, server, from, port, 0x10, seq + 1, ack + 1, "");
	segment(f++, client, server, from, port, 0x18, seq + 1, ack + 1, "NOOP\r\n");
	segment(f++, client, server, from, port, 0x18, seq + 7, ack + 1, ask);
	segment(f, server, client, port - 1, 8 << 8 | data, 0x02, 1, 0, "");
}

/**
 * frame_text - add the line that sends a frame
 * @f: the frame
 * @t: the case
 */
void frame_text(const struct frame *f, struct text *t)
{
	char digits[2 * FRAME_MAX + 1], opt[48] = "";
	unsigned int i, n = 0;

	for (i = 0; i < f->len; i++)
		sprintf(digits + 2 * i, "%02x", f->b[i]);
	digits[2 * f->len] = 0;
	if (f->linear)
		n = sprintf(opt, " linear=%u", f->linear);
	if (f->fill)
		sprintf(opt + n, " fill=%u", f->fill);
	text_add(t, "packet %s%s %s", f->bridge ? "tp0" : "tx0", opt, digits);
}
