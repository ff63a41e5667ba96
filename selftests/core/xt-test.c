// SPDX-License-Identifier: GPL-2.0-only
/*
 * Matches of x_tables: what the front end makes of a random info blob, against
 * the match as net/netfilter/xt_*.c has it, on random keys close to the info.
 *
 * A match says yes or no, or, where it reads a transport header that is too
 * short, that the packet is none of the tests' business: then the entry that is
 * found must leave the packet to the match itself.
 */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter_ipv4/ipt_ttl.h>
#include <byteswap.h>
#include <stdlib.h>
#include <string.h>
#include "core.h"

enum { NO, YES, SHORT };

struct xt_icmp_info {
	u8 type, code[2], invflags;
};

union info {
	struct xt_tcp tcp;
	struct xt_udp udp;
	struct xt_icmp_info icmp;
	struct xt_multiport_v1 ports;
	struct xt_mark_mtinfo1 mark;
	struct xt_connmark_mtinfo1 connmark;
	struct xt_state_info state;
	struct xt_conntrack_mtinfo1 ct1;
	struct xt_conntrack_mtinfo3 ct3;
	struct ipt_ttl_info ttl;
	u8 raw[192];
};

static u32 put(u8 *to, u32 at, u16 type, const void *data, u32 len)
{
	struct nlattr a = { .nla_len = NLA_HDRLEN + len, .nla_type = type };

	memset(to + at, 0, NLA_ALIGN(a.nla_len));
	memcpy(to + at, &a, sizeof(a));
	memcpy(to + at + NLA_HDRLEN, data, len);
	return at + NLA_ALIGN(a.nla_len);
}

/* match NAME, then accept; an immediate that accepts */
static int translate(struct nfj_ir *ir, const char *name, u32 rev,
		     const union info *info, u32 len)
{
	static u64 match[64], imm[8];
	u32 be = __bswap_32(rev), n, verdict = __bswap_32(NF_ACCEPT), dreg = 0;
	u8 code[16], nest[16];
	struct nfj_expr_in in[2] = {
		{ .name = "match", .attrs = (const void *)match },
		{ .name = "immediate", .attrs = (const void *)imm },
	};

	n = put((u8 *)match, 0, NFTA_MATCH_NAME, name, strlen(name) + 1);
	n = put((u8 *)match, n, NFTA_MATCH_REV, &be, 4);
	in[0].len = put((u8 *)match, n, NFTA_MATCH_INFO, info, len);
	n = put(code, 0, NFTA_VERDICT_CODE, &verdict, 4);
	n = put(nest, 0, NFTA_DATA_VERDICT, code, n);
	dreg = put((u8 *)imm, 0, NFTA_IMMEDIATE_DREG, &dreg, 4);
	in[1].len = put((u8 *)imm, dreg, NFTA_IMMEDIATE_DATA, nest, n);
	return nfj_frontend_rule(ir, in, 2);
}

static bool port(const __u16 *range, u16 val, bool invert)
{
	return (val >= range[0] && val <= range[1]) ^ invert;
}

static int xt_ref(const char *name, u32 rev, const union info *i,
		  const struct nfj_key *key)
{
	u16 sport = key->th[0] << 8 | key->th[1];
	u16 dport = key->th[2] << 8 | key->th[3];
	bool found = false;
	u32 n, bits, mask;

	if (!strcmp(name, "tcp")) {
		if (key->th_len < 20)
			return SHORT;
		return port(i->tcp.spts, sport,
			    i->tcp.invflags & XT_TCP_INV_SRCPT) &&
		       port(i->tcp.dpts, dport,
			    i->tcp.invflags & XT_TCP_INV_DSTPT) &&
		       (((key->th[13] & i->tcp.flg_mask) == i->tcp.flg_cmp) ^
			!!(i->tcp.invflags & XT_TCP_INV_FLAGS));
	}
	if (!strcmp(name, "udp")) {
		if (key->th_len < 8)
			return SHORT;
		return port(i->udp.spts, sport,
			    i->udp.invflags & XT_UDP_INV_SRCPT) &&
		       port(i->udp.dpts, dport,
			    i->udp.invflags & XT_UDP_INV_DSTPT);
	}
	if (!strncmp(name, "icmp", 4)) {
		if (key->th_len < 8)
			return SHORT;
		found = key->th[0] == i->icmp.type &&
			key->th[1] >= i->icmp.code[0] &&
			key->th[1] <= i->icmp.code[1];
		if (!strcmp(name, "icmp") && i->icmp.type == 0xff)
			found = true;
		return found ^ i->icmp.invflags;
	}
	if (!strcmp(name, "multiport")) {
		u16 val = i->ports.flags == XT_MULTIPORT_SOURCE ? sport : dport;

		if (key->th_len < 4)
			return SHORT;
		for (n = 0; n < i->ports.count; n++) {
			u16 lo = i->ports.ports[n], hi = lo;

			if (i->ports.pflags[n])
				hi = i->ports.ports[++n];
			found |= val >= lo && val <= hi;
		}
		return found ^ i->ports.invert;
	}
	if (!strcmp(name, "mark"))
		return ((key->mark & i->mark.mask) == i->mark.mark) ^
		       i->mark.invert;
	if (!strcmp(name, "connmark"))
		return key->valid & NFJ_VALID_CTMARK ?
		       ((key->ct_mark & i->connmark.mask) ==
			i->connmark.mark) ^ i->connmark.invert : NO;
	if (!strcmp(name, "ttl") || !strcmp(name, "hl")) {
		u8 val = key->nh[!strcmp(name, "ttl") ? 8 : 7];

		switch (i->ttl.mode) {
		case IPT_TTL_EQ:
			return val == i->ttl.ttl;
		case IPT_TTL_NE:
			return val != i->ttl.ttl;
		case IPT_TTL_LT:
			return val < i->ttl.ttl;
		default:
			return val > i->ttl.ttl;
		}
	}
	if (!strcmp(name, "comment"))
		return YES;
	/* state, conntrack: bits 0..3 alike, untracked each in its own way */
	if (!strcmp(name, "state")) {
		mask = i->state.statemask;
		bits = key->ct_state == NF_CT_STATE_UNTRACKED_BIT ?
		       XT_STATE_UNTRACKED : key->ct_state;
		return !!(mask & bits);
	}
	mask = rev == 1 ? i->ct1.state_mask : i->ct3.state_mask;
	bits = key->ct_state == NF_CT_STATE_UNTRACKED_BIT ?
	       XT_CONNTRACK_STATE_UNTRACKED : key->ct_state;
	return !!(mask & bits) ^ !!i->ct3.invert_flags;
}

static u8 some_byte(struct rnd *r)
{
	static const u8 odd[] = { 0, 1, 7, 8, 127, 128, 254, 255 };

	return odd[rnd(r, sizeof(odd))];
}

static void range(struct rnd *r, __u16 *to)
{
	to[0] = some_byte(r);
	to[1] = chance(r, 40) ? to[0] : chance(r, 30) ? 0xffff : to[0] + some_byte(r);
	if (chance(r, 5))
		to[1] = to[0] ? to[0] - 1 : 0;
}

static void gen_info(struct rnd *r, const char *name, u32 rev, union info *i)
{
	u32 n;

	memset(i, 0, sizeof(*i));
	if (!strcmp(name, "tcp")) {
		range(r, i->tcp.spts);
		range(r, i->tcp.dpts);
		i->tcp.flg_mask = some_byte(r);
		i->tcp.flg_cmp = chance(r, 80) ? i->tcp.flg_mask & some_byte(r) :
						 some_byte(r);
		i->tcp.invflags = rnd(r, 16) & XT_TCP_INV_MASK & ~XT_TCP_INV_OPTION;
	} else if (!strcmp(name, "udp")) {
		range(r, i->udp.spts);
		range(r, i->udp.dpts);
		i->udp.invflags = rnd(r, 4);
	} else if (!strncmp(name, "icmp", 4)) {
		i->icmp.type = some_byte(r);
		i->icmp.code[0] = some_byte(r);
		i->icmp.code[1] = chance(r, 50) ? 255 : i->icmp.code[0];
		i->icmp.invflags = rnd(r, 2);
	} else if (!strcmp(name, "multiport")) {
		i->ports.flags = chance(r, 50) ? XT_MULTIPORT_SOURCE :
						 XT_MULTIPORT_DESTINATION;
		i->ports.count = rnd(r, XT_MULTI_PORTS + 1);
		for (n = 0; n < i->ports.count; n++) {
			i->ports.ports[n] = some_byte(r);
			if (n + 1 < i->ports.count && chance(r, 30)) {
				i->ports.pflags[n] = 1;
				i->ports.ports[n + 1] = i->ports.ports[n] + rnd(r, 9);
				n++;
			}
		}
		i->ports.invert = rnd(r, 2);
	} else if (!strcmp(name, "mark") || !strcmp(name, "connmark")) {
		i->mark.mask = chance(r, 50) ? 0xffffffff : some_byte(r);
		i->mark.mark = some_byte(r);
		i->mark.invert = rnd(r, 2);
	} else if (!strcmp(name, "state")) {
		i->state.statemask = rnd(r, 16) | (rnd(r, 2) ? XT_STATE_UNTRACKED : 0);
	} else if (!strcmp(name, "conntrack")) {
		i->ct3.match_flags = XT_CONNTRACK_STATE;
		i->ct3.invert_flags = chance(r, 50) ? XT_CONNTRACK_STATE : 0;
		if (rev == 1)
			i->ct1.state_mask = rnd(r, 16);
		else
			i->ct3.state_mask = rnd(r, 16) |
				(rnd(r, 2) ? XT_CONNTRACK_STATE_UNTRACKED : 0);
	} else {
		i->ttl.mode = rnd(r, 4);
		i->ttl.ttl = some_byte(r);
	}
}

static void gen_xt_key(struct rnd *r, struct nfj_key *key)
{
	static const u32 lens[] = { 0, 3, 4, 7, 8, 19, 20, 64 };
	static const u32 states[] = {
		NF_CT_STATE_INVALID_BIT, NF_CT_STATE_BIT(IP_CT_ESTABLISHED),
		NF_CT_STATE_BIT(IP_CT_RELATED), NF_CT_STATE_BIT(IP_CT_NEW),
		NF_CT_STATE_UNTRACKED_BIT,
	};
	u32 n;

	memset(key, 0, sizeof(*key));
	key->th_len = chance(r, 60) ? 64 : lens[rnd(r, ARRAY_SIZE(lens))];
	key->thf_len = key->th_len;
	key->nh_len = 64;
	for (n = 0; n < 16; n++) {
		key->th[n] = n == 0 || n == 2 ? 0 : some_byte(r);
		key->nh[n] = some_byte(r);
	}
	if (chance(r, 50))
		key->th[0] = some_byte(r);
	key->mark = some_byte(r);
	key->ct_mark = some_byte(r);
	key->ct_state = states[rnd(r, ARRAY_SIZE(states))];
	if (chance(r, 80))
		key->valid |= NFJ_VALID_CTMARK;
}

/* Is the match itself asked: an entry whose residue begins with it? */
static bool asks(const struct nfj_ir *ir, u32 k)
{
	return k != NFJ_NONE && !ir->entries[k].cut && ir->entries[k].end;
}

/* What is not known, or not like this, stays residue */
static int xt_stops(void)
{
	static const struct {
		const char *name;
		u32 rev, len;
		u8 family;
	} odd[] = {
		{ "tcp", 1, sizeof(struct xt_tcp), NFPROTO_IPV4 },
		{ "tcp", 0, 4, NFPROTO_IPV4 },
		{ "tcp", 0, sizeof(struct xt_tcp), NFPROTO_BRIDGE },
		{ "addrtype", 1, 12, NFPROTO_IPV4 },
		{ "conntrack", 3, sizeof(struct xt_conntrack_mtinfo3), NFPROTO_IPV4 },
	};
	union info info = { 0 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		struct nfj_ir ir;
		bool ok;

		nfj_ir_init(&ir);
		ir.family = odd[i].family;
		ok = !translate(&ir, odd[i].name, odd[i].rev, &info, odd[i].len) &&
		     ir.nentries == 1 && asks(&ir, 0) && !ir.entries[0].ntests;
		nfj_ir_free(&ir);
		if (!ok)
			return fail("%s rev %u should have been left alone",
				    odd[i].name, odd[i].rev);
	}
	return TEST_OK;
}

/**
 * test_xt - matches of x_tables, translated and as they are
 * @arg: infos for each match
 *
 * Return: TEST_OK or TEST_FAIL.
 */
int test_xt(u32 arg)
{
	static const struct {
		const char *name;
		u32 rev;
		u32 len;
	} matches[] = {
		{ "tcp", 0, sizeof(struct xt_tcp) },
		{ "udp", 0, sizeof(struct xt_udp) },
		{ "icmp", 0, sizeof(struct xt_icmp_info) },
		{ "icmp6", 0, sizeof(struct xt_icmp_info) },
		{ "multiport", 1, sizeof(struct xt_multiport_v1) },
		{ "mark", 1, sizeof(struct xt_mark_mtinfo1) },
		{ "connmark", 1, sizeof(struct xt_connmark_mtinfo1) },
		{ "state", 0, sizeof(struct xt_state_info) },
		{ "conntrack", 1, sizeof(struct xt_conntrack_mtinfo1) },
		{ "conntrack", 2, sizeof(struct xt_conntrack_mtinfo2) },
		{ "conntrack", 3, sizeof(struct xt_conntrack_mtinfo3) },
		{ "ttl", 0, sizeof(struct ipt_ttl_info) },
		{ "hl", 0, sizeof(struct ipt_ttl_info) },
		{ "comment", 0, 16 },
	};
	u32 m, i, j, k, yes = 0, no = 0, odd = 0;
	struct rnd r;

	rnd_init(&r, base_seed, 77);
	for (m = 0; m < ARRAY_SIZE(matches); m++) {
		for (i = 0; i < arg; i++) {
			union info info;
			struct nfj_ir ir;

			gen_info(&r, matches[m].name, matches[m].rev, &info);
			nfj_ir_init(&ir);
			ir.family = NFPROTO_IPV4;
			if (translate(&ir, matches[m].name, matches[m].rev,
				      &info, matches[m].len))
				return fail("%s: no memory", matches[m].name);
			for (j = 0; j < 60; j++) {
				struct nfj_key key;
				bool ok;
				int is;

				gen_xt_key(&r, &key);
				is = xt_ref(matches[m].name, matches[m].rev,
					    &info, &key);
				k = ref_match(&ir, 0, ir.nentries, &key);
				if (is == SHORT)
					ok = asks(&ir, k);
				else if (is == YES)
					ok = k != NFJ_NONE && !asks(&ir, k);
				else
					ok = k == NFJ_NONE;
				yes += is == YES;
				no += is == NO;
				odd += is == SHORT;
				if (!ok) {
					dump_ir(stderr, &ir);
					nfj_ir_free(&ir);
					return fail("%s.%u %u.%u: %d, entry %d",
						    matches[m].name,
						    matches[m].rev, i, j, is,
						    (int)k);
				}
			}
			nfj_ir_free(&ir);
		}
	}
	note("%u yes, %u no, %u with a header that is too short", yes, no, odd);
	return xt_stops();
}
