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
#include <byteswap.h>
#include <stdlib.h>
#include <string.h>
#include "xt.h"

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
		     const union xt_info *info, u32 len)
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

static void gen_xt_key(struct rnd *r, struct nfj_key *key)
{
	static const u32 lens[] = { 0, 3, 4, 7, 8, 19, 20, 64 };
	u32 n;

	memset(key, 0, sizeof(*key));
	key->th_len = chance(r, 60) ? 64 : lens[rnd(r, ARRAY_SIZE(lens))];
	key->thf_len = key->th_len;
	key->nh_len = 64;
	for (n = 0; n < 16; n++) {
		key->th[n] = n == 0 || n == 2 ? 0 : xt_byte(r);
		key->nh[n] = xt_byte(r);
	}
	if (chance(r, 50))
		key->th[0] = xt_byte(r);
	key->mark = xt_byte(r);
	key->ct_mark = xt_byte(r);
	key->ct_state = xt_some_state(r);
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
	union xt_info info = { 0 };
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
	u32 m, i, j, k, yes = 0, no = 0, odd = 0;
	struct rnd r;

	rnd_init(&r, base_seed, 77);
	for (m = 0; m < xt_nmatches; m++) {
		for (i = 0; i < arg; i++) {
			union xt_info info;
			struct nfj_ir ir;

			xt_gen(&r, xt_matches[m].name, xt_matches[m].rev, &info);
			nfj_ir_init(&ir);
			ir.family = NFPROTO_IPV4;
			if (translate(&ir, xt_matches[m].name, xt_matches[m].rev,
				      &info, xt_matches[m].len))
				return fail("%s: no memory", xt_matches[m].name);
			for (j = 0; j < 60; j++) {
				struct nfj_key key;
				bool ok;
				int is;

				gen_xt_key(&r, &key);
				is = xt_ref(xt_matches[m].name, xt_matches[m].rev,
					    &info, &key);
				k = ref_match(&ir, 0, ir.nentries, &key);
				if (is == XT_SHORT)
					ok = asks(&ir, k);
				else if (is == XT_YES)
					ok = k != NFJ_NONE && !asks(&ir, k);
				else
					ok = k == NFJ_NONE;
				yes += is == XT_YES;
				no += is == XT_NO;
				odd += is == XT_SHORT;
				if (!ok) {
					dump_ir(stderr, &ir);
					nfj_ir_free(&ir);
					return fail("%s.%u %u.%u: %d, entry %d",
						    xt_matches[m].name,
						    xt_matches[m].rev, i, j, is,
						    (int)k);
				}
			}
			nfj_ir_free(&ir);
		}
	}
	note("%u yes, %u no, %u with a header that is too short", yes, no, odd);
	return xt_stops();
}
