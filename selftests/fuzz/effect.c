// SPDX-License-Identifier: GPL-2.0-only
/*
 * What rules do to a packet that they match.
 */
#include <linux/netfilter/nf_tables.h>
#include <string.h>
#include "gen.h"

/**
 * emit_effect - write something that changes the packet, or is counted
 */
void emit_effect(void)
{
	uint8_t mask[4], xor[4], val[16];
	unsigned int w = rnd(13);
	uint32_t m = g.marks[rnd(ARRAY_SIZE(g.marks))];
	static const struct {
		uint8_t base, off, len, csum, csumoff, flags;
	} writes[] = {
		{ 1, 1, 1, 1, 10, 0 }, { 1, 8, 1, 1, 10, 0 },
		{ 1, 12, 4, 1, 10, 1 }, { 2, 0, 2, 1, 16, 0 },
		{ 2, 2, 2, 1, 6, 0 }, { 1, 8, 16, 0, 0, 1 },
		{ 1, 7, 1, 0, 0, 0 }, { 0, 6, 6, 0, 0, 0 },
		{ 2, 13, 1, 1, 16, 0 }, { 2, 0, 1, 0, 0, 0 },
	};
	unsigned int i;

	if (g.rlen)
		add(" ; ");
	/* out0 sends on what came in, or a copy of it */
	if (!strcmp(g.fam, "netdev") && only_hook(0) && chance(20)) {
		add("immediate dreg=%u data=0b000000 ; %s dev=%u", regno(w),
		    chance(50) ? "fwd" : "dup", regno(w));
		return;
	}
	/* one of these, and all of the table is for nft */
	if (!rnd(300)) {
		add("immediate dreg=%u data=%02x ; meta sreg=%u key=%u",
		    regno(w), rnd(2), regno(w), NFT_META_NFTRACE);
		return;
	}
	if (xt_family() && chance(g.style == XT ? 30 : 3)) {
		emit_target();
		return;
	}
	switch (rnd(g.use_ct ? 20 : 15)) {
	case 0:
	case 1:
	case 2:
		add("immediate dreg=%u data=%s ; meta sreg=%u key=%u", regno(w),
		    bytes((uint8_t *)&m, 4), regno(w),
		    chance(75) ? NFT_META_MARK : NFT_META_PRIORITY);
		break;
	case 3:
	case 4:
		noise(mask, 4);
		noise(xor, 4);
		add("meta dreg=%u key=3", regno(w));
		add(" ; bitwise sreg=%u dreg=%u len=4 mask=%s xor=%s", regno(w),
		    regno(w), bytes(mask, 4), bytes(xor, 4));
		add(" ; meta sreg=%u key=3", regno(w));
		break;
	case 5:
		if (only_hook(0) && !(g.families & FAM_ARP))
			add("immediate dreg=%u data=%02x ; meta sreg=%u key=%u",
			    regno(w), rnd(4), regno(w), NFT_META_PKTTYPE);
		break;
	case 6:
	case 7:
		i = rnd(ARRAY_SIZE(writes));
		noise(val, sizeof(val));
		if (chance(60))
			memcpy(val, g.frame->b + g.frame->nh + writes[i].off,
			       writes[i].len);
		add("immediate dreg=%u data=%s", regno(w),
		    bytes(val, writes[i].len));
		add(" ; payload sreg=%u base=%u off=%u len=%u", regno(w),
		    writes[i].base, writes[i].off, writes[i].len);
		add(" csum=%u csumoff=%u csumflags=%u", writes[i].csum,
		    writes[i].csumoff, writes[i].flags);
		break;
	case 8:
		add("quota bytes=%u flags=%u", chance(50) ? 500 : 100000, rnd(2));
		break;
	case 9:
		add("limit rate=1000000 unit=1 burst=1000000 type=0 flags=%u",
		    chance(80) ? 0 : 1);
		break;
	case 10:
		add("log group=7");
		break;
	case 11:
		add("objref type=1 name=o1");
		break;
	case 12:
		add("payload dreg=%u base=1 off=12 len=2 ; dynset set=dyn op=%u key=%u expr=",
		    regno(w), rnd(2), regno(w));
		break;
	case 13:
		/* an option's value, or the option */
		if (chance(60))
			add("immediate dreg=%u data=%04x ; exthdr sreg=%u type=2 off=2 len=2 op=1",
			    regno(w), 500 + rnd(1000), regno(w));
		else
			add("exthdr type=%u op=1", 2 + rnd(2));
		break;
	case 14:
		/* a copy by the way that all packets go */
		if (!strcmp(g.fam, "ip") && chance(30))
			add("immediate dreg=%u data=0a0002fe ; dup addr=%u",
			    regno(w), regno(w));
		break;
	case 15:
		add("immediate dreg=%u data=%s ; ct sreg=%u key=3", regno(w),
		    bytes((uint8_t *)&m, 4), regno(w));
		break;
	case 16:
		add("meta dreg=%u key=3 ; ct sreg=%u key=3", regno(w), regno(w));
		break;
	case 17:
		add("notrack");
		break;
	case 18:
		noise(val, sizeof(val));
		w = rnd(10);
		add("immediate dreg=%u data=%s ; ct sreg=%u key=%u", regno(w),
		    bytes(val, 16), regno(w), NFT_CT_LABELS);
		break;
	case 19:
		add("immediate dreg=%u data=%02x00 ; ct sreg=%u key=%u", regno(w),
		    rnd(3), regno(w), NFT_CT_ZONE);
		break;
	}
}

/**
 * emit_mark - write a part of a mark
 * @ct: of the connection's, otherwise of the packet's
 */
void emit_mark(bool ct)
{
	uint32_t m = g.marks[rnd(ARRAY_SIZE(g.marks))], mask = 0;
	unsigned int w = rnd(13);

	if (g.rlen)
		add(" ; ");
	if (chance(30))
		noise((uint8_t *)&mask, 4);
	else if (chance(60))
		mask = 0xffU << 8 * rnd(4);
	if (!mask) {
		add("immediate dreg=%u data=%s", regno(w), bytes((uint8_t *)&m, 4));
	} else {
		m &= mask;
		mask = ~mask;
		add("%s dreg=%u key=3", ct && chance(70) ? "ct" : "meta", regno(w));
		add(" ; bitwise sreg=%u dreg=%u len=4 mask=%s xor=%s", regno(w),
		    regno(w), bytes((uint8_t *)&mask, 4), bytes((uint8_t *)&m, 4));
	}
	add(" ; %s sreg=%u key=3", ct ? "ct" : "meta", regno(w));
}

/**
 * emit_mark_test - write a test of what emit_mark() may have written
 * @ct: of the connection's mark, otherwise of the packet's
 */
void emit_mark_test(bool ct)
{
	uint32_t m = g.marks[rnd(ARRAY_SIZE(g.marks))], mask = -1;
	unsigned int w = rnd(13);

	if (g.rlen)
		add(" ; ");
	add("%s dreg=%u key=3", ct ? "ct" : "meta", regno(w));
	if (chance(60)) {
		mask = 0xffU << 8 * rnd(4);
		add(" ; bitwise sreg=%u dreg=%u len=4 mask=%s xor=00000000",
		    regno(w), regno(w), bytes((uint8_t *)&mask, 4));
	}
	m = chance(25) ? 0 : m & mask;
	add(" ; cmp sreg=%u op=%u data=%s", regno(w), chance(30),
	    bytes((uint8_t *)&m, 4));
}

/**
 * emit_verdict - write the end of a rule
 */
void emit_verdict(void)
{
	unsigned int v = rnd(100);

	if (v < 55)
		return;
	if (v < 58 && !(g.families & (FAM_ARP | FAM_NETDEV)) && (only_hook(0) || only_hook(1))) {
		add(" ; reject type=%u code=%u", chance(50) ? 0 : 1 + rnd(2),
		    1 + rnd(4));
		return;
	}
	add(" ; immediate dreg=0 verdict=%s", verdict(false));
}

/* ---- translation of addresses ---- */

/**
 * flow - does the rule's frame have ports?
 *
 * Return: true if they are all there.
 */
bool flow(void)
{
	return g.frame->th && g.frame->th + 4 <= g.frame->len &&
	       (g.frame->proto == 6 || g.frame->proto == 17);
}

/**
 * rule_flow - write the tests for the flow of the rule's frame
 */
void rule_flow(void)
{
	const uint8_t *nh = g.frame->b + g.frame->nh;
	bool six = g.frame->type == 0x86dd;
	unsigned int at = six ? 8 : 12, len = six ? 16 : 4, i;

	for (i = 0; i < 2; i++, at += len) {
		add("payload dreg=1 base=1 off=%u len=%u ; ", at, len);
		add("cmp sreg=1 op=0 data=%s ; ", bytes(nh + at, len));
	}
	add("payload dreg=2 base=2 off=0 len=4 ; cmp sreg=2 op=0 data=%s",
	    bytes(g.frame->b + g.frame->th, 4));
}

/**
 * emit_nat - write a translation of addresses
 * @one: of one flow; otherwise of all that comes
 *
 * Two connections that become the same get a port at random, which is nothing to
 * compare.  So a rule takes the connections of one flow, or it takes what comes
 * and moves its addresses to a net of its own, where they differ as before.
 */
void emit_nat(bool one)
{
	bool six = g.frame->type == 0x86dd;
	bool dst = g.hooks[g.self] == 0 || g.hooks[g.self] == 3;
	unsigned int n = ++g.nnat, len = six ? 16 : 4;
	uint8_t min[16] = { six ? 0xfd : 20, n }, max[16];
	unsigned int amin = regno(0), amax = regno(4), port = regno(8);

	g.closed = true;
	memcpy(max, min, sizeof(max));
	if (one) {
		min[len - 1] = 1;
		add(" ; immediate dreg=%u data=%04x", port, 30000 + n);
		if (g.hooks[g.self] != 1 && chance(60)) {
			add(" ; %s pmin=%u flags=0", dst ? "redir" : "masq", port);
			return;
		}
	} else {
		/* the last 16 bits of IPv4's, the last half of IPv6's */
		memset(max + len / 2, 0xff, len / 2);
	}
	add(" ; immediate dreg=%u data=%s", amin, bytes(min, len));
	if (!one)
		add(" ; immediate dreg=%u data=%s", amax, bytes(max, len));
	add(" ; nat type=%u family=%u amin=%u", dst, six ? 10 : 2, amin);
	if (one)
		add(" pmin=%u", port);
	else
		add(" amax=%u flags=0x40", amax);
}
