// SPDX-License-Identifier: GPL-2.0-only
/*
 * Matches of x_tables, which iptables-nft puts into "match" expressions.
 *
 * One row each, by name and revision; a function reads the match's info blob,
 * whose layout is uapi, and adds tests.  A match that has no row, or uses what
 * its function does not know, is where the residue starts.
 *
 * Matches that read the transport header drop the packet where it is too short
 * ("hotdrop"), which no test can say.  A rule with one becomes two entries:
 *
 *	-p tcp -m tcp --dport 22 -m comment ... -j ACCEPT
 *
 *	l4proto 6, th_len >= 20, th[2..3] == 22		-> accept
 *	l4proto 6, th_len < 20				-> from the match on as it is
 *
 * All of it mirrors the match functions of net/netfilter/xt_*.c, called by
 * nft_match_eval().
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter_ipv4/ipt_ttl.h>
#include <linux/netfilter_ipv6/ip6t_hl.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include "frontend.h"

/* struct ipt_icmp and struct ip6t_icmp, whose headers want the rest of iptables */
struct nfj_xt_icmp {
	u8	type;
	u8	code[2];
	u8	invflags;
};

struct nfj_xt_row {
	const char	*name;
	u8		rev_min;
	u8		rev_max;
	u16		size;	/* of the info, at least */
	int		(*fn)(struct nfj_fe *fe, const void *info, u32 rev);
};

#define NFJ_KEY(_member)	offsetof(struct nfj_key, _member)

/* The transport header must have @len bytes; what becomes of the packet if it
 * hasn't, the match itself decides.
 */
static int nfj_xt_transport(struct nfj_fe *fe, unsigned int len)
{
	int err;

	if (fe->odd_at < 0) {
		if (fe->cases.nentries || fe->no_odd)
			return NFJ_FE_STOP;
		err = nfj_case_add(&fe->odd, fe->ir, fe->entry, 0, NULL);
		if (err)
			return err;
		fe->odd_at = fe->at;
		fe->odd_len = 0;
	}
	if (len > fe->odd_len)
		fe->odd_len = len;
	return nfj_value_number(fe, NFJ_KEY(th_len), 4, U32_MAX, len, U32_MAX,
				true);
}

static int nfj_xt_port(struct nfj_fe *fe, unsigned int at, const __u16 *ports,
		       bool invert)
{
	return nfj_value_number(fe, NFJ_KEY(th) + at, 2, U16_MAX, ports[0],
				ports[1], !invert);
}

/* tcp_mt() */
static int nfj_xt_tcp(struct nfj_fe *fe, const void *data, u32 rev)
{
	const struct xt_tcp *info = data;
	int res;

	if (info->option || info->invflags & ~XT_TCP_INV_MASK)
		return NFJ_FE_STOP;
	res = nfj_xt_transport(fe, 20);
	if (res == NFJ_FE_PURE)
		res = nfj_xt_port(fe, 0, info->spts,
				  info->invflags & XT_TCP_INV_SRCPT);
	if (res == NFJ_FE_PURE)
		res = nfj_xt_port(fe, 2, info->dpts,
				  info->invflags & XT_TCP_INV_DSTPT);
	if (res == NFJ_FE_PURE)
		res = nfj_value_number(fe, NFJ_KEY(th) + 13, 1, info->flg_mask,
				       info->flg_cmp, info->flg_cmp,
				       !(info->invflags & XT_TCP_INV_FLAGS));
	return res;
}

/* udp_mt() */
static int nfj_xt_udp(struct nfj_fe *fe, const void *data, u32 rev)
{
	const struct xt_udp *info = data;
	int res;

	if (info->invflags & ~XT_UDP_INV_MASK)
		return NFJ_FE_STOP;
	res = nfj_xt_transport(fe, 8);
	if (res == NFJ_FE_PURE)
		res = nfj_xt_port(fe, 0, info->spts,
				  info->invflags & XT_UDP_INV_SRCPT);
	if (res == NFJ_FE_PURE)
		res = nfj_xt_port(fe, 2, info->dpts,
				  info->invflags & XT_UDP_INV_DSTPT);
	return res;
}

/* icmp_match(), icmp6_match(): type and code are one number */
static int nfj_xt_type(struct nfj_fe *fe, const struct nfj_xt_icmp *info,
		       bool any)
{
	bool invert = info->invflags & 1;
	int res;

	if (info->invflags & ~1 || info->code[0] > info->code[1])
		return NFJ_FE_STOP;
	res = nfj_xt_transport(fe, 8);
	if (res != NFJ_FE_PURE)
		return res;
	if (any)
		return invert ? NFJ_FE_NEVER : NFJ_FE_PURE;
	return nfj_value_number(fe, NFJ_KEY(th), 2, U16_MAX,
				info->type << 8 | info->code[0],
				info->type << 8 | info->code[1], !invert);
}

static int nfj_xt_icmp(struct nfj_fe *fe, const void *data, u32 rev)
{
	const struct nfj_xt_icmp *info = data;

	return nfj_xt_type(fe, info, info->type == 0xff);
}

static int nfj_xt_icmp6(struct nfj_fe *fe, const void *data, u32 rev)
{
	return nfj_xt_type(fe, data, false);
}

/* multiport_mt() */
static int nfj_xt_multiport(struct nfj_fe *fe, const void *data, u32 rev)
{
	const struct xt_multiport_v1 *info = data;
	struct nfj_ival ports[XT_MULTI_PORTS];
	unsigned int i, n = 0, at;
	int res;

	if (info->count > XT_MULTI_PORTS)
		return NFJ_FE_STOP;
	if (info->flags == XT_MULTIPORT_SOURCE)
		at = 0;
	else if (info->flags == XT_MULTIPORT_DESTINATION)
		at = 2;
	else
		return NFJ_FE_STOP;
	for (i = 0; i < info->count; i++, n++) {
		u16 lo = info->ports[i], hi = lo;

		if (info->pflags[i]) {
			if (++i == info->count)
				return NFJ_FE_STOP;
			hi = info->ports[i];
		}
		if (lo > hi)
			return NFJ_FE_STOP;
		ports[n] = (struct nfj_ival){ lo, hi };
	}
	res = nfj_xt_transport(fe, 4);
	if (res != NFJ_FE_PURE)
		return res;
	return nfj_lookup_ports(fe, NFJ_KEY(th) + at, ports, n,
				!info->invert);
}

/* mark_mt() */
static int nfj_xt_mark(struct nfj_fe *fe, const void *data, u32 rev)
{
	const struct xt_mark_mtinfo1 *info = data;

	return nfj_value_number(fe, NFJ_KEY(mark), 4, info->mask, info->mark,
				info->mark, !info->invert);
}

/* connmark_mt() */
static int nfj_xt_connmark(struct nfj_fe *fe, const void *data, u32 rev)
{
	const struct xt_connmark_mtinfo1 *info = data;
	int res;

	res = nfj_value_number(fe, NFJ_KEY(valid), 4, NFJ_VALID_CTMARK,
			       NFJ_VALID_CTMARK, NFJ_VALID_CTMARK, true);
	if (res != NFJ_FE_PURE)
		return res;
	return nfj_value_number(fe, NFJ_KEY(ct_mark), 4, info->mask, info->mark,
				info->mark, !info->invert);
}

/* Some of a set of states, or none of them; bits as "ct state" has them */
static int nfj_xt_states(struct nfj_fe *fe, u32 mask, bool invert)
{
	return nfj_value_number(fe, NFJ_KEY(ct_state), 4, mask, 0, 0, invert);
}

#define NFJ_XT_STATES	(NF_CT_STATE_INVALID_BIT | \
			 NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | \
			 NF_CT_STATE_BIT(IP_CT_RELATED) | \
			 NF_CT_STATE_BIT(IP_CT_NEW))

/* state_mt() */
static int nfj_xt_state(struct nfj_fe *fe, const void *data, u32 rev)
{
	const struct xt_state_info *info = data;
	u32 mask = info->statemask & NFJ_XT_STATES;

	if (info->statemask & XT_STATE_UNTRACKED)
		mask |= NF_CT_STATE_UNTRACKED_BIT;
	return nfj_xt_states(fe, mask, false);
}

/* conntrack_mt(), as far as it is about the state */
static int nfj_xt_conntrack(struct nfj_fe *fe, const void *data, u32 rev)
{
	const struct xt_conntrack_mtinfo1 *v1 = data;
	const struct xt_conntrack_mtinfo2 *v2 = data;
	u32 states = rev == 1 ? v1->state_mask : v2->state_mask;
	u32 mask = states & NFJ_XT_STATES;

	BUILD_BUG_ON(offsetof(struct xt_conntrack_mtinfo1, match_flags) !=
		     offsetof(struct xt_conntrack_mtinfo2, match_flags));
	BUILD_BUG_ON(offsetof(struct xt_conntrack_mtinfo3, state_mask) !=
		     offsetof(struct xt_conntrack_mtinfo2, state_mask));

	if (v2->match_flags != XT_CONNTRACK_STATE ||
	    v2->invert_flags & ~XT_CONNTRACK_STATE ||
	    states & (XT_CONNTRACK_STATE_SNAT | XT_CONNTRACK_STATE_DNAT))
		return NFJ_FE_STOP;
	if (states & XT_CONNTRACK_STATE_UNTRACKED)
		mask |= NF_CT_STATE_UNTRACKED_BIT;
	return nfj_xt_states(fe, mask, v2->invert_flags);
}

/* ttl_mt(), ttl_mt6(): modes EQ, NE, LT, GT of a byte */
static int nfj_xt_hops(struct nfj_fe *fe, unsigned int at, u8 mode, u8 val)
{
	switch (mode) {
	case IPT_TTL_EQ:
	case IPT_TTL_NE:
		return nfj_value_number(fe, NFJ_KEY(nh) + at, 1, U8_MAX, val,
					val, mode == IPT_TTL_EQ);
	case IPT_TTL_LT:
		return nfj_value_number(fe, NFJ_KEY(nh) + at, 1, U8_MAX, val,
					U8_MAX, false);
	case IPT_TTL_GT:
		return nfj_value_number(fe, NFJ_KEY(nh) + at, 1, U8_MAX, 0,
					val, false);
	default:
		return NFJ_FE_STOP;
	}
}

static int nfj_xt_ttl(struct nfj_fe *fe, const void *data, u32 rev)
{
	const struct ipt_ttl_info *info = data;

	return nfj_xt_hops(fe, 8, info->mode, info->ttl);
}

static int nfj_xt_hl(struct nfj_fe *fe, const void *data, u32 rev)
{
	const struct ip6t_hl_info *info = data;

	BUILD_BUG_ON((int)IP6T_HL_EQ != (int)IPT_TTL_EQ ||
		     (int)IP6T_HL_GT != (int)IPT_TTL_GT);
	return nfj_xt_hops(fe, 7, info->mode, info->hop_limit);
}

/* comment_mt() */
static int nfj_xt_comment(struct nfj_fe *fe, const void *data, u32 rev)
{
	return NFJ_FE_PURE;
}

static const struct nfj_xt_row nfj_xt_rows[] = {
	{ "comment", 0, 0, 0, nfj_xt_comment },
	{ "tcp", 0, 0, sizeof(struct xt_tcp), nfj_xt_tcp },
	{ "udp", 0, 0, sizeof(struct xt_udp), nfj_xt_udp },
	{ "icmp", 0, 0, sizeof(struct nfj_xt_icmp), nfj_xt_icmp },
	{ "icmp6", 0, 0, sizeof(struct nfj_xt_icmp), nfj_xt_icmp6 },
	{ "multiport", 1, 1, sizeof(struct xt_multiport_v1), nfj_xt_multiport },
	{ "mark", 1, 1, sizeof(struct xt_mark_mtinfo1), nfj_xt_mark },
	{ "connmark", 1, 1, sizeof(struct xt_connmark_mtinfo1), nfj_xt_connmark },
	{ "state", 0, 0, sizeof(struct xt_state_info), nfj_xt_state },
	{ "conntrack", 1, 1, sizeof(struct xt_conntrack_mtinfo1), nfj_xt_conntrack },
	{ "conntrack", 2, 3, sizeof(struct xt_conntrack_mtinfo2), nfj_xt_conntrack },
	{ "ttl", 0, 0, sizeof(struct ipt_ttl_info), nfj_xt_ttl },
	{ "hl", 0, 0, sizeof(struct ip6t_hl_info), nfj_xt_hl },
};

/**
 * nfj_xt_match - translate a match of x_tables
 * @fe: the rule's state; tests are added to its rule
 * @name: name of the match
 * @rev: its revision
 * @info: its info, aligned as a netlink attribute
 * @len: bytes of @info
 *
 * Return: NFJ_FE_PURE, NFJ_FE_STOP when it can't be expressed, NFJ_FE_NEVER
 * when it can't hold, or -ENOMEM.
 */
int nfj_xt_match(struct nfj_fe *fe, const char *name, u32 rev,
		 const void *info, unsigned int len)
{
	u64 aligned[32];
	unsigned int i;

	/* bridges have no network header, ARP has no ports */
	if (!fe->collect || (fe->ir->family != NFPROTO_IPV4 &&
			     fe->ir->family != NFPROTO_IPV6))
		return NFJ_FE_STOP;
	for (i = 0; i < ARRAY_SIZE(nfj_xt_rows); i++) {
		const struct nfj_xt_row *row = &nfj_xt_rows[i];

		if (strcmp(name, row->name) || rev < row->rev_min ||
		    rev > row->rev_max)
			continue;
		if (len < row->size || row->size > sizeof(aligned))
			return NFJ_FE_STOP;
		memcpy(aligned, info, row->size);
		return row->fn(fe, aligned, rev);
	}
	return NFJ_FE_STOP;
}
