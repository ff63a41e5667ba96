// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each load with each comparison, on the bounds: all header bases, lengths 1 to
 * 16, offsets odd and even and at the end of the window, all fields of meta and
 * ct; all six operators, both kinds of range; values with nothing below or
 * above them; packets with the value, one more, one less (in either byte
 * order), nothing, everything; with the bytes there and with one too few, with
 * the field there and not.
 *
 * Interpreted and translated must agree, and each comparison must have held for
 * some packets and failed for others.
 */
#include "expr.h"

static struct x_chain chain;

static const char * const fields[] = {
	"meta load len", "meta load protocol", "meta load nfproto",
	"meta load l4proto", "meta load priority", "meta load mark",
	"meta load iif", "meta load oif", "meta load iifname",
	"meta load oifname", "meta load iiftype", "meta load oiftype",
	"meta load pkttype", "ct load state", "ct load direction",
	"ct load status", "ct load mark",
};

#define AT_LL	offsetof(struct nfj_key, ll)
#define AT_NH	offsetof(struct nfj_key, nh)
#define AT_TH	offsetof(struct nfj_key, th)

#define OPS	8		/* cmp's six, range's two */

struct tally {
	u64	held[OPS];
	u64	failed[OPS];
	u64	rules;
};

static void add(u8 *v, u32 len, bool low_first, u8 d)
{
	u32 i, at;

	for (i = 0; i < len; i++) {
		at = low_first ? i : len - 1 - i;
		v[at] += d;
		if (v[at] != (d == 1 ? 0 : 0xff))
			break;
	}
}

/* Variation @n of a value; false when there are no more */
static bool vary(u8 *v, u32 len, u32 n)
{
	switch (n) {
	case 0:
		return true;
	case 1:
	case 2:
	case 3:
	case 4:
		add(v, len, n > 2, n % 2 ? 1 : 0xff);
		return true;
	case 5:
	case 6:
		memset(v, n == 5 ? 0 : 0xff, len);
		return true;
	}
	return false;
}

static const char *build(const char *load, u32 op, const u8 *v, u32 len)
{
	struct x_rule *rule = &chain.rule[0];
	struct x_expr *cmp = &rule->e[1];
	const char *why = x_parse(load, &rule->e[0]);

	chain.n = 1;
	rule->n = 3;
	memset(cmp, 0, sizeof(*cmp));
	cmp->sreg = NFT_REG_1;
	cmp->dlen = len;
	memcpy(cmp->data, v, len);
	cmp->kind = op < 6 ? X_CMP : X_RANGE;
	cmp->op = op < 6 ? op : op - 6;
	/* a range of four values, or up to the end */
	memcpy(cmp->data2, v, len);
	cmp->data2[len - 1] |= 3;
	return why ? : x_parse("immediate reg 0 accept", &rule->e[2]);
}

static int one(const char *load, u32 op, const u8 *v, u32 len, struct tally *t)
{
	static struct x_run want, got;
	struct progs ps[2] = {};
	const char *why = build(load, op, v, len);
	u32 koff, flen, valid, i, j, there;
	bool payload = chain.rule[0].e[0].kind == X_PAYLOAD;
	struct nfj_ir ir;
	int err;

	if (why || !x_field(&chain.rule[0].e[0], &koff, &flen, &valid))
		return fail("%s: not understood", load);
	err = x_translate(&chain, &ir);
	for (i = 0; i < ARRAY_SIZE(ps) && !err; i++)
		err = progs_compile(&ps[i], &ir, i ? NFJ_OPT_ALL : 0, false);
	if (!err && !(ir.entries[0].flags & NFJ_ENTRY_WHOLE))
		err = fail("%s: left to the interpreter", load);
	for (i = 0; !err; i++) {
		struct nfj_key key = {};
		u8 x[X_DATA];

		memcpy(x, v, len);
		if (!vary(x, len, i / 2))
			break;
		there = i % 2;
		memcpy((u8 *)&key + koff, x, len);
		key.valid = there ? 0x1f : 0x1f & ~valid;
		if (payload) {
			u32 have = koff + len - (koff < AT_NH ? AT_LL :
				   koff < AT_TH ? AT_NH : AT_TH) - !there;

			key.valid = 0x1f;
			memcpy((u8 *)&key + valid, &have, sizeof(have));
		}
		memset(&want, 0, sizeof(want));
		want.pkt = key;
		x_interpret(&want, &chain, 0);
		if (want.verdict == NF_ACCEPT)
			t->held[op]++;
		else
			t->failed[op]++;
		for (j = 0; j <= ARRAY_SIZE(ps) && !err; j++) {
			memset(&got, 0, sizeof(got));
			got.pkt = key;
			why = x_matched(&got, &chain, &ir,
					j ? &ps[j - 1] : NULL, 0, false, 0);
			if (!why)
				why = x_differ(&want, &got);
			if (why)
				err = fail("packet %u: %s", i, why);
		}
	}
	if (err)
		x_print_chain(stdout, &chain);
	for (i = 0; i < ARRAY_SIZE(ps); i++)
		progs_free(&ps[i]);
	nfj_ir_free(&ir);
	t->rules++;
	return err;
}

/* One load with all comparisons of values of a length */
static int all_ops(const char *load, u32 len, struct tally *t)
{
	static const u8 some[X_DATA] = {
		0x80, 0xff, 0, 1, 0x7f, 0, 0xff, 0xfe, 0x10, 0, 0, 0xff, 0xff,
		0x7f, 0x80, 4,
	};
	int err = TEST_OK;
	u32 op, i;
	u8 v[X_DATA];

	for (op = 0; op < OPS && !err; op++) {
		for (i = 0; i < 3 && !err; i++) {
			memcpy(v, some, len);
			/* ends of the range of values */
			if (i)
				memset(v, i == 1 ? 0 : 0xff, len);
			err = one(load, op, v, len, t);
		}
	}
	return err;
}

int test_bounds(u32 arg)
{
	static const struct {
		const char	*name;
		u32		window;
	} bases[] = {
		{ "link", NFJ_LL_WINDOW }, { "network", NFJ_NH_WINDOW },
		{ "transport", NFJ_TH_WINDOW },
	};
	struct tally t = {};
	int err = TEST_OK;
	u32 i, j, len;
	char load[80];

	for (i = 0; i < ARRAY_SIZE(bases); i++) {
		for (len = 1; len <= 16 && !err; len++) {
			u32 offs[] = { 0, 1, 4, 7, 13, bases[i].window - len };

			for (j = 0; j < ARRAY_SIZE(offs) && !err; j++) {
				snprintf(load, sizeof(load),
					 "payload load %ub @ %s header + %u => reg 1",
					 len, bases[i].name, offs[j]);
				err = all_ops(load, len, &t);
			}
		}
	}
	for (i = 0; i < ARRAY_SIZE(fields) && !err; i++) {
		struct x_expr x;
		u32 koff, flen, valid;

		snprintf(load, sizeof(load), "%s => reg 1", fields[i]);
		if (x_parse(load, &x) || !x_field(&x, &koff, &flen, &valid))
			return fail("%s: not understood", load);
		/* of a name also the beginning */
		for (len = flen; len > 0 && !err; len = len > 4 ? len - 1 : 0)
			err = all_ops(load, len, &t);
	}
	note("%llu rules", t.rules);
	for (i = 0; i < OPS && !err; i++)
		if (t.held[i] < t.rules / OPS / 4 ||
		    t.failed[i] < t.rules / OPS / 4)
			err = fail("operator %u held %llu times, failed %llu",
				   i, t.held[i], t.failed[i]);
	return err;
}
