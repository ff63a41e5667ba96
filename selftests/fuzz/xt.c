// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules as iptables-nft writes them: matches and targets of x_tables, whose
 * parameters are structures of the kernel's ABI.
 *
 * Made for the families that have ports, ip and ip6.  A match may be for one
 * protocol only, which is the rule's to say (compat), once for all of its matches.
 */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_length.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_pkttype.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter_ipv4/ipt_ttl.h>
#include <netinet/in.h>
#include <string.h>
#include "gen.h"

/* struct ipt_icmp and struct ip6t_icmp */
struct icmp_info {
	uint8_t	type;
	uint8_t	code[2];
	uint8_t	invflags;
};

/* As the kernel aligns them */
#define XT_ROUND(len)	(((len) + 7) & ~7UL)

/**
 * xt_family - does the table take matches that know ports?
 *
 * Return: true if so.
 */
bool xt_family(void)
{
	return !strcmp(g.fam, "ip") || !strcmp(g.fam, "ip6");
}

static bool six(void)
{
	return !strcmp(g.fam, "ip6");
}

static void extension(const char *kind, const char *name, unsigned int rev,
		      const void *info, size_t len)
{
	const uint8_t *p = info;
	size_t i;

	if (g.rlen)
		add(" ; ");
	add("%s name=%s rev=%u info=", kind, name, rev);
	for (i = 0; i < XT_ROUND(len); i++)
		add("%02x", i < len ? p[i] : 0);
}

static void match(const char *name, unsigned int rev, const void *info,
		  size_t len)
{
	extension("match", name, rev, info, len);
}

/* May this rule be about a protocol? */
static bool about(uint8_t proto)
{
	if (g.compat && g.compat != proto)
		return false;
	g.compat = proto;
	return true;
}

/* What the frame has where ports are, or the type and code of ICMP */
static uint16_t port(unsigned int at)
{
	const struct frame *f = g.frame;

	if (!f->th || f->th + at + 2 > f->len)
		return g.pool.port[rnd(ARRAY_SIZE(g.pool.port))];
	return f->b[f->th + at] << 8 | f->b[f->th + at + 1];
}

/* The packets that are sent shall have it, or what is next to it */
static void note(unsigned int at, uint16_t v)
{
	struct point *p;

	if (g.npoints == POINTS)
		return;
	p = &g.points[g.npoints++];
	p->load = (struct load){ .kind = PAYLOAD, .base = 2, .off = at, .len = 2 };
	p->val[0] = v >> 8;
	p->val[1] = v;
}

static void ports(unsigned int at, uint16_t *range)
{
	uint16_t v = port(at);

	range[0] = 0;
	range[1] = 0xffff;
	switch (rnd(8)) {
	case 0:
	case 1:
		range[0] = v;
		range[1] = v;
		break;
	case 2:
		range[0] = v;
		break;
	case 3:
		range[1] = v;
		break;
	case 4:
		range[0] = v - rnd(3);
		range[1] = v + rnd(3);
		break;
	default:
		return;
	}
	note(at, v);
}

static bool tcp(void)
{
	struct xt_tcp info = { 0 };

	if (!about(IPPROTO_TCP))
		return false;
	ports(0, info.spts);
	ports(2, info.dpts);
	if (chance(30)) {
		info.flg_mask = chance(50) ? 0x17 : rnd(256);
		info.flg_cmp = rnd(256);
		if (chance(90))
			info.flg_cmp &= info.flg_mask;
	}
	if (chance(6))
		info.option = 2 + rnd(3);
	if (chance(25))
		info.invflags = rnd(16);
	match("tcp", 0, &info, sizeof(info));
	return true;
}

static bool udp(void)
{
	struct xt_udp info = { 0 };

	if (!about(IPPROTO_UDP))
		return false;
	ports(0, info.spts);
	ports(2, info.dpts);
	if (chance(25))
		info.invflags = rnd(4);
	match("udp", 0, &info, sizeof(info));
	return true;
}

static bool icmp(void)
{
	uint16_t v = port(0);
	struct icmp_info info = { .type = v >> 8, .code = { v, v } };

	if (!about(six() ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
		return false;
	switch (rnd(4)) {
	case 0:
		info.type = chance(50) ? 0xff : rnd(20);
		break;
	case 1:
		info.code[0] = 0;
		info.code[1] = 0xff;
		break;
	}
	info.invflags = chance(20);
	note(0, info.type << 8 | info.code[0]);
	match(six() ? "icmp6" : "icmp", 0, &info, sizeof(info));
	return true;
}

static bool multiport(void)
{
	static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP };
	struct xt_multiport_v1 info = { .flags = rnd(3) };
	unsigned int at = info.flags == XT_MULTIPORT_SOURCE ? 0 : 2, n, i;

	if (!about(g.compat ? g.compat : g.frame->proto == IPPROTO_TCP ||
		   g.frame->proto == IPPROTO_UDP ? g.frame->proto :
		   protos[rnd(ARRAY_SIZE(protos))]))
		return false;
	n = 1 + rnd(chance(80) ? 4 : XT_MULTI_PORTS);
	info.count = n;
	for (i = 0; i < n; i++) {
		info.ports[i] = chance(40) ? port(at) :
				g.pool.port[rnd(ARRAY_SIZE(g.pool.port))];
		note(at, info.ports[i]);
		if (i + 1 == n || !chance(20))
			continue;
		info.pflags[i] = 1;
		info.ports[i + 1] = info.ports[i] + rnd(4);
		i++;
	}
	info.invert = chance(20);
	match("multiport", 1, &info, sizeof(info));
	return true;
}

static void mark(void)
{
	struct xt_mark_mtinfo1 info;

	/* what is between and behind the fields is listed as well */
	memset(&info, 0, sizeof(info));
	info.mark = g.marks[rnd(ARRAY_SIZE(g.marks))];
	info.mask = chance(60) ? 0xffffffff : rnd(16);
	info.invert = chance(20);
	if (chance(80))
		info.mark &= info.mask;
	if (g.use_ct && chance(40))
		match("connmark", 1, &info, sizeof(info));
	else
		match("mark", 1, &info, sizeof(info));
}

/**
 * emit_state - write a match for the state of the connection
 *
 * xt_state's bits, and those of xt_conntrack, which has two more.
 *
 * Return: false if the case has no connections.
 */
bool emit_state(void)
{
	struct xt_conntrack_mtinfo1 first;
	struct xt_conntrack_mtinfo3 info;
	unsigned int rev = 1 + rnd(3);
	uint16_t states = rnd(chance(80) ? 16 : 256);

	if (!g.use_ct)
		return false;
	if (chance(25)) {
		struct xt_state_info old = { .statemask = states };

		match("state", 0, &old, sizeof(old));
		return true;
	}
	memset(&info, 0, sizeof(info));
	info.match_flags = XT_CONNTRACK_STATE;
	if (chance(15))
		info.match_flags |= XT_CONNTRACK_DIRECTION;
	if (chance(10)) {
		info.match_flags |= XT_CONNTRACK_PROTO;
		info.l4proto = g.frame->proto;
	}
	if (chance(25))
		info.invert_flags = XT_CONNTRACK_STATE;
	info.state_mask = states;
	if (rev == 1) {
		/* the masks are bytes there */
		memset(&first, 0, sizeof(first));
		first.match_flags = info.match_flags;
		first.invert_flags = info.invert_flags;
		first.l4proto = info.l4proto;
		first.state_mask = states;
		match("conntrack", rev, &first, sizeof(first));
		return true;
	}
	match("conntrack", rev, &info, rev == 3 ? sizeof(info) :
	      sizeof(struct xt_conntrack_mtinfo2));
	return true;
}

static void hops(void)
{
	const struct frame *f = g.frame;
	unsigned int at = f->nh + (six() ? 7 : 8);
	struct ipt_ttl_info info = {
		.mode = rnd(4),
		.ttl = at < f->len && chance(70) ? f->b[at] : rnd(256),
	};

	match(six() ? "hl" : "ttl", 0, &info, sizeof(info));
}

/* Such as nft_bpfjit leaves to x_tables */
static void others(void)
{
	struct xt_addrtype_info_v1 type = { 0 };
	struct xt_pkttype_info pkttype = { .pkttype = rnd(4), .invert = rnd(2) };
	struct xt_length_info length;

	memset(&length, 0, sizeof(length));
	length.min = rnd(60);
	length.max = 40 + rnd(100);
	length.invert = chance(20);
	switch (rnd(3)) {
	case 0:
		type.dest = 1 << (1 + rnd(3));
		type.flags = chance(20) ? XT_ADDRTYPE_INVERT_DEST : 0;
		match("addrtype", 1, &type, sizeof(type));
		break;
	case 1:
		match("pkttype", 0, &pkttype, sizeof(pkttype));
		break;
	case 2:
		match("length", 0, &length, sizeof(length));
		break;
	}
}

/**
 * emit_match - write a match, such as the rule can still have
 */
void emit_match(void)
{
	static const char comment[256] = "of the fuzzer";
	uint8_t proto = g.compat ? g.compat : g.frame->proto;
	bool done;

	switch (rnd(14)) {
	default:
		/* what iptables' "-p" brings along */
		done = proto == IPPROTO_TCP ? tcp() :
		       proto == IPPROTO_UDP ? udp() :
		       proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6 ? icmp() :
		       false;
		break;
	case 0:
		done = chance(50) ? tcp() : chance(70) ? udp() : icmp();
		break;
	case 1:
	case 2:
		done = multiport();
		break;
	case 3:
	case 4:
		done = emit_state();
		break;
	case 5:
		hops();
		return;
	case 6:
		match("comment", 0, comment, sizeof(comment));
		return;
	case 7:
		others();
		return;
	case 8:
		mark();
		return;
	}
	if (!done)
		mark();
}

/**
 * rule_xt - write the tests of a rule of iptables-nft
 */
void rule_xt(void)
{
	static const struct load l4 = { META, 0, 0, 1, NFT_META_L4PROTO };
	unsigned int n = 1 + rnd(3);

	if (chance(30))
		clause(&g.usual[0]);
	/* "-p" */
	if (chance(75)) {
		load_emit(&l4, 0);
		add(" ; cmp sreg=1 op=%u data=%02x",
		    chance(90) ? NFT_CMP_EQ : NFT_CMP_NEQ, g.frame->proto);
	}
	while (n-- && !g.closed)
		emit_match();
}

/**
 * emit_target - write a target that sets the packet's mark
 */
void emit_target(void)
{
	struct xt_mark_tginfo2 info = {
		.mark = g.marks[rnd(ARRAY_SIZE(g.marks))],
		.mask = chance(50) ? 0xffffffff : rnd(16),
	};

	extension("target", "MARK", 2, &info, sizeof(info));
}
