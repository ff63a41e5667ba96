/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Matches of x_tables as the tests have them: their info, and what they do.
 */
#ifndef _XT_H
#define _XT_H

#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter_ipv4/ipt_ttl.h>
#include "core.h"

/* what a match says; XT_SHORT: it drops the packet, whose header is too short */
enum { XT_NO, XT_YES, XT_SHORT };

struct xt_icmp_info {
	u8 type, code[2], invflags;
};

union xt_info {
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

/**
 * struct xt_match - a match that the front end translates
 * @name: its name
 * @rev: its revision
 * @len: bytes of its info
 */
struct xt_match {
	const char	*name;
	u32		rev;
	u32		len;
};

extern const struct xt_match xt_matches[];
extern const u32 xt_nmatches;

u8 xt_byte(struct rnd *r);
void xt_gen(struct rnd *r, const char *name, u32 rev, union xt_info *i);
int xt_ref(const char *name, u32 rev, const union xt_info *i,
	   const struct nfj_key *key);
void xt_satisfy(struct rnd *r, const char *name, const union xt_info *i,
		struct nfj_key *key);
u32 xt_some_state(struct rnd *r);
bool xt_is_state(u32 state);

#endif /* _XT_H */
