// SPDX-License-Identifier: GPL-2.0-only
/*
 * Matches of x_tables: random infos, what the match functions of
 * net/netfilter/xt_*.c make of a packet, and packets close to what they ask for.
 */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include "xt.h"

const struct xt_match xt_matches[] = {
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

const u32 xt_nmatches = ARRAY_SIZE(xt_matches);

/* all that a packet's connection can be in, one at a time */
static const u32 states[] = {
	NF_CT_STATE_INVALID_BIT, NF_CT_STATE_BIT(IP_CT_ESTABLISHED),
	NF_CT_STATE_BIT(IP_CT_RELATED), NF_CT_STATE_BIT(IP_CT_NEW),
	NF_CT_STATE_UNTRACKED_BIT,
};

u32 xt_some_state(struct rnd *r)
{
	return states[rnd(r, ARRAY_SIZE(states))];
}

bool xt_is_state(u32 state)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(states); i++)
		if (state == states[i])
			return true;
	return false;
}

static bool port(const __u16 *range, u16 val, bool invert)
{
	return (val >= range[0] && val <= range[1]) ^ invert;
}

int xt_ref(const char *name, u32 rev, const union xt_info *i,
	   const struct nfj_key *key)
{
	u16 sport = key->th[0] << 8 | key->th[1];
	u16 dport = key->th[2] << 8 | key->th[3];
	bool found = false;
	u32 n, bits, mask;

	if (!strcmp(name, "tcp")) {
		if (key->th_len < 20)
			return XT_SHORT;
		return port(i->tcp.spts, sport,
			    i->tcp.invflags & XT_TCP_INV_SRCPT) &&
		       port(i->tcp.dpts, dport,
			    i->tcp.invflags & XT_TCP_INV_DSTPT) &&
		       (((key->th[13] & i->tcp.flg_mask) == i->tcp.flg_cmp) ^
			!!(i->tcp.invflags & XT_TCP_INV_FLAGS));
	}
	if (!strcmp(name, "udp")) {
		if (key->th_len < 8)
			return XT_SHORT;
		return port(i->udp.spts, sport,
			    i->udp.invflags & XT_UDP_INV_SRCPT) &&
		       port(i->udp.dpts, dport,
			    i->udp.invflags & XT_UDP_INV_DSTPT);
	}
	if (!strncmp(name, "icmp", 4)) {
		if (key->th_len < 8)
			return XT_SHORT;
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
			return XT_SHORT;
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
			i->connmark.mark) ^ i->connmark.invert : XT_NO;
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
		return XT_YES;
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

u8 xt_byte(struct rnd *r)
{
	static const u8 odd[] = { 0, 1, 7, 8, 127, 128, 254, 255 };

	return odd[rnd(r, sizeof(odd))];
}

static void range(struct rnd *r, __u16 *to)
{
	to[0] = xt_byte(r);
	to[1] = chance(r, 40) ? to[0] : chance(r, 30) ? 0xffff : to[0] + xt_byte(r);
	if (chance(r, 5))
		to[1] = to[0] ? to[0] - 1 : 0;
}

void xt_gen(struct rnd *r, const char *name, u32 rev, union xt_info *i)
{
	u32 n;

	memset(i, 0, sizeof(*i));
	if (!strcmp(name, "tcp")) {
		range(r, i->tcp.spts);
		range(r, i->tcp.dpts);
		i->tcp.flg_mask = xt_byte(r);
		i->tcp.flg_cmp = chance(r, 80) ? i->tcp.flg_mask & xt_byte(r) :
						 xt_byte(r);
		i->tcp.invflags = rnd(r, 16) & XT_TCP_INV_MASK & ~XT_TCP_INV_OPTION;
	} else if (!strcmp(name, "udp")) {
		range(r, i->udp.spts);
		range(r, i->udp.dpts);
		i->udp.invflags = rnd(r, 4);
	} else if (!strncmp(name, "icmp", 4)) {
		i->icmp.type = xt_byte(r);
		i->icmp.code[0] = xt_byte(r);
		i->icmp.code[1] = chance(r, 50) ? 255 : i->icmp.code[0];
		i->icmp.invflags = rnd(r, 2);
	} else if (!strcmp(name, "multiport")) {
		i->ports.flags = chance(r, 50) ? XT_MULTIPORT_SOURCE :
						 XT_MULTIPORT_DESTINATION;
		i->ports.count = rnd(r, XT_MULTI_PORTS + 1);
		for (n = 0; n < i->ports.count; n++) {
			i->ports.ports[n] = xt_byte(r);
			if (n + 1 < i->ports.count && chance(r, 30)) {
				i->ports.pflags[n] = 1;
				i->ports.ports[n + 1] = i->ports.ports[n] + rnd(r, 9);
				n++;
			}
		}
		i->ports.invert = rnd(r, 2);
	} else if (!strcmp(name, "mark") || !strcmp(name, "connmark")) {
		i->mark.mask = chance(r, 50) ? 0xffffffff : xt_byte(r);
		i->mark.mark = xt_byte(r);
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
		i->ttl.ttl = xt_byte(r);
	}
}

static void put_port(struct rnd *r, u8 *to, u32 val)
{
	val += chance(r, 30) ? rnd(r, 3) - 1 : 0;
	to[0] = val >> 8;
	to[1] = val;
}

/* Make a match hold, mostly */
void xt_satisfy(struct rnd *r, const char *name, const union xt_info *i,
		struct nfj_key *key)
{
	u32 n;

	if (!strcmp(name, "tcp") || !strcmp(name, "udp")) {
		/* both begin with the ranges of the two ports */
		put_port(r, key->th, i->tcp.spts[rnd(r, 2)]);
		put_port(r, key->th + 2, i->tcp.dpts[rnd(r, 2)]);
		if (*name == 't')
			key->th[13] = (key->th[13] & ~i->tcp.flg_mask) |
				      i->tcp.flg_cmp;
	} else if (!strncmp(name, "icmp", 4)) {
		key->th[0] = i->icmp.type;
		key->th[1] = i->icmp.code[rnd(r, 2)];
	} else if (!strcmp(name, "multiport") && i->ports.count) {
		n = rnd(r, i->ports.count);
		put_port(r, key->th + (i->ports.flags ==
				       XT_MULTIPORT_DESTINATION ? 2 : 0),
			 i->ports.ports[n]);
	} else if (!strcmp(name, "mark")) {
		key->mark = (key->mark & ~i->mark.mask) | i->mark.mark;
	} else if (!strcmp(name, "connmark")) {
		key->ct_mark = (key->ct_mark & ~i->connmark.mask) |
			       i->connmark.mark;
	} else if (!strcmp(name, "state") || !strcmp(name, "conntrack")) {
		key->ct_state = xt_some_state(r);
	} else if (!strcmp(name, "ttl") || !strcmp(name, "hl")) {
		key->nh[!strcmp(name, "ttl") ? 8 : 7] = i->ttl.ttl +
							rnd(r, 3) - 1;
	}
}
