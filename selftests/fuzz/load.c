// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads: pieces of headers, meta and conntrack, and what they would give for a
 * frame.
 */
#include <linux/netfilter/nf_tables.h>
#include <string.h>
#include "gen.h"

/**
 * any_frame - one of the frames of the case
 *
 * Return: the frame.
 */
const struct frame *any_frame(void)
{
	return &g.frames[rnd(g.nframes)];
}

/**
 * load_value - what a load gives for a frame, as far as that is known here
 * @l: the load
 * @f: the frame
 * @val: filled in, as long as @l says
 */
void load_value(const struct load *l, const struct frame *f, uint8_t *val)
{
	static const char * const names[] = { "in0", "out0", "br0", "p0", "lo" };
	const char *name = names[rnd(ARRAY_SIZE(names))];
	unsigned int start, i;
	uint32_t v = 0;

	memset(val, 0, l->len);
	if (l->kind == PAYLOAD) {
		start = l->base == 0 ? 0 : l->base == 1 ? f->nh :
			f->th ? f->th : f->nh + 20;
		for (i = 0; i < l->len; i++)
			val[i] = start + l->off + i < f->len ?
				 f->b[start + l->off + i] : 0;
		return;
	}
	if (l->kind == CT) {
		v = l->key == NFT_CT_STATE ? 1U << rnd(7) :
		    l->key == NFT_CT_MARK ? g.marks[rnd(ARRAY_SIZE(g.marks))] :
		    l->key == NFT_CT_STATUS ? rnd(2) << 8 | rnd(16) :
		    l->key == NFT_CT_L3PROTOCOL ? (chance(50) ? 2 : 10) :
		    l->key == NFT_CT_PROTOCOL ? f->proto : rnd(3);
		start = f->nh + (l->key == NFT_CT_SRC_IP ? 12 :
				 l->key == NFT_CT_DST_IP ? 16 :
				 l->key == NFT_CT_SRC_IP6 ? 8 : 24);
		if (l->key >= NFT_CT_SRC_IP && l->key <= NFT_CT_DST_IP6) {
			if (start + l->len <= f->len)
				memcpy(val, f->b + start, l->len);
			return;
		}
		start = f->th + (l->key == NFT_CT_PROTO_DST ? 2 : 0);
		if (l->key == NFT_CT_PROTO_SRC || l->key == NFT_CT_PROTO_DST) {
			if (f->th && start + 2 <= f->len)
				memcpy(val, f->b + start, 2);
			return;
		}
	} else {
		switch (l->key) {
		case NFT_META_LEN:
			v = f->len + f->fill - (chance(70) ? f->nh : 0);
			break;
		case NFT_META_PROTOCOL:
			val[0] = f->type >> 8;
			val[1] = f->type;
			return;
		case NFT_META_PRIORITY:
		case NFT_META_MARK:
			v = g.marks[rnd(ARRAY_SIZE(g.marks))];
			break;
		case NFT_META_IIF:
		case NFT_META_OIF:
			v = chance(20) ? 0 : 10 + rnd(5);
			break;
		case NFT_META_IIFNAME:
		case NFT_META_OIFNAME:
		case NFT_META_BRI_IIFNAME:
		case NFT_META_BRI_OIFNAME:
			memcpy(val, name, strlen(name));
			return;
		case NFT_META_IIFTYPE:
		case NFT_META_OIFTYPE:
			v = chance(90) ? 1 : 772;
			break;
		case NFT_META_NFPROTO:
			v = f->type == 0x86dd ? 10 : 2;
			break;
		case NFT_META_L4PROTO:
			v = f->proto;
			break;
		case NFT_META_IIFKIND:
		case NFT_META_OIFKIND:
			memcpy(val, chance(60) ? "veth\0\0" : "bridge", 6);
			return;
		case NFT_META_BRI_IIFVPROTO:
			val[0] = 0x81;
			return;
		case NFT_META_PKTTYPE:
			v = rnd(4);
			break;
		default:
			v = rnd(3);
			break;
		}
	}
	memcpy(val, &v, l->len < 4 ? l->len : 4);
}

/**
 * load_common - a load as in most rulesets
 * @l: filled in
 */
void load_common(struct load *l)
{
	static const struct load common[] = {
		{ PAYLOAD, 1, 12, 4, 0 }, { PAYLOAD, 1, 16, 4, 0 },
		{ PAYLOAD, 1, 9, 1, 0 }, { PAYLOAD, 1, 8, 16, 0 },
		{ PAYLOAD, 1, 24, 16, 0 }, { PAYLOAD, 1, 6, 1, 0 },
		{ PAYLOAD, 1, 8, 1, 0 }, { PAYLOAD, 1, 1, 1, 0 },
		{ PAYLOAD, 1, 6, 2, 0 }, { PAYLOAD, 1, 2, 2, 0 },
		{ PAYLOAD, 1, 4, 2, 0 }, { PAYLOAD, 1, 12, 3, 0 },
		{ PAYLOAD, 1, 0, 4, 0 }, { PAYLOAD, 1, 12, 8, 0 },
		{ PAYLOAD, 2, 0, 2, 0 }, { PAYLOAD, 2, 2, 2, 0 },
		{ PAYLOAD, 2, 0, 2, 0 }, { PAYLOAD, 2, 2, 2, 0 },
		{ PAYLOAD, 2, 0, 4, 0 }, { PAYLOAD, 2, 13, 1, 0 },
		{ PAYLOAD, 2, 0, 1, 0 }, { PAYLOAD, 2, 1, 1, 0 },
		{ PAYLOAD, 2, 12, 1, 0 }, { PAYLOAD, 2, 4, 4, 0 },
		{ PAYLOAD, 0, 0, 6, 0 }, { PAYLOAD, 0, 6, 6, 0 },
		{ PAYLOAD, 0, 12, 2, 0 }, { PAYLOAD, 0, 14, 2, 0 },
		{ PAYLOAD, 0, 16, 2, 0 }, { PAYLOAD, 0, 12, 4, 0 },
		{ PAYLOAD, 1, 6, 2, 0 }, { PAYLOAD, 1, 14, 4, 0 },
		{ PAYLOAD, 1, 24, 4, 0 },
		{ META, 0, 0, 1, NFT_META_L4PROTO },
		{ META, 0, 0, 1, NFT_META_L4PROTO },
		{ META, 0, 0, 1, NFT_META_NFPROTO },
		{ META, 0, 0, 2, NFT_META_PROTOCOL },
		{ META, 0, 0, 4, NFT_META_MARK },
		{ META, 0, 0, 4, NFT_META_MARK },
		{ META, 0, 0, 4, NFT_META_PRIORITY },
		{ META, 0, 0, 4, NFT_META_LEN },
		{ META, 0, 0, 4, NFT_META_IIF },
		{ META, 0, 0, 4, NFT_META_OIF },
		{ META, 0, 0, 16, NFT_META_IIFNAME },
		{ META, 0, 0, 16, NFT_META_OIFNAME },
		{ META, 0, 0, 1, NFT_META_PKTTYPE },
		{ META, 0, 0, 2, NFT_META_IIFTYPE },
		{ META, 0, 0, 2, NFT_META_OIFTYPE },
	};

	*l = common[rnd(ARRAY_SIZE(common))];
}

/**
 * load_any - any load that the chain may have
 * @l: filled in
 */
void load_any(struct load *l)
{
	/* the last two are the bridge's */
	static const struct load others[] = {
		{ META, 0, 0, 4, NFT_META_SKUID }, { META, 0, 0, 4, NFT_META_SKGID },
		{ META, 0, 0, 4, NFT_META_IIFGROUP }, { META, 0, 0, 4, NFT_META_OIFGROUP },
		{ META, 0, 0, 1, NFT_META_SECPATH }, { META, 0, 0, 4, NFT_META_RTCLASSID },
		{ META, 0, 0, 4, NFT_META_CPU }, { META, 0, 0, 4, NFT_META_CGROUP },
		{ META, 0, 0, 16, NFT_META_IIFKIND }, { META, 0, 0, 16, NFT_META_OIFKIND },
		{ META, 0, 0, 4, NFT_META_SDIF }, { META, 0, 0, 16, NFT_META_SDIFNAME },
		{ META, 0, 0, 2, NFT_META_BRI_IIFPVID },
		{ META, 0, 0, 2, NFT_META_BRI_IIFVPROTO },
	};
	static const struct load ct[] = {
		{ CT, 0, 0, 4, NFT_CT_STATE }, { CT, 0, 0, 4, NFT_CT_STATE },
		{ CT, 0, 0, 4, NFT_CT_MARK }, { CT, 0, 0, 4, NFT_CT_MARK },
		{ CT, 0, 0, 1, NFT_CT_DIRECTION }, { CT, 0, 0, 4, NFT_CT_STATUS },
		{ CT, 0, 0, 1, NFT_CT_L3PROTOCOL }, { CT, 0, 0, 4, NFT_CT_STATE },
		{ CT, 0, 0, 2, NFT_CT_ZONE }, { CT, 2, 0, 2, NFT_CT_ZONE },
		{ CT, 1, 0, 4, NFT_CT_SRC_IP }, { CT, 2, 0, 4, NFT_CT_SRC_IP },
		{ CT, 1, 0, 4, NFT_CT_DST_IP }, { CT, 2, 0, 4, NFT_CT_DST_IP },
		{ CT, 1, 0, 16, NFT_CT_SRC_IP6 }, { CT, 2, 0, 16, NFT_CT_DST_IP6 },
		{ CT, 1, 0, 2, NFT_CT_PROTO_SRC }, { CT, 1, 0, 2, NFT_CT_PROTO_DST },
		{ CT, 2, 0, 2, NFT_CT_PROTO_SRC }, { CT, 2, 0, 2, NFT_CT_PROTO_DST },
		{ CT, 1, 0, 1, NFT_CT_PROTOCOL }, { CT, 0, 0, 8, NFT_CT_PKTS },
		{ CT, 1, 0, 8, NFT_CT_BYTES }, { CT, 2, 0, 8, NFT_CT_AVGPKT },
		{ CT, 0, 0, 16, NFT_CT_HELPER }, { CT, 0, 0, 16, NFT_CT_LABELS },
	};

	memset(l, 0, sizeof(*l));
	if (g.use_ct && chance(25)) {
		*l = ct[rnd(ARRAY_SIZE(ct))];
	} else if (chance(60)) {
		load_common(l);
	} else if (chance(85)) {
		l->kind = PAYLOAD;
		l->base = chance(25) ? 0 : chance(55) ? 1 : 2;
		l->off = rnd(chance(90) ? 44 : 80);
		l->len = chance(60) ? 1U << rnd(5) : 1 + rnd(16);
	} else {
		*l = others[rnd(ARRAY_SIZE(others) -
				(strcmp(g.fam, "bridge") ? 2 : 0))];
	}
	/* the link layer is not set everywhere, and the same everywhere else */
	if (l->kind == PAYLOAD && !l->base && !(g.families & (FAM_BRIDGE | FAM_NETDEV)) &&
	    chance(70))
		l->base = 1;
}

/**
 * load_emit - write a load, and keep what it gives for the rule's frame
 * @l: the load
 * @w: where to
 */
void load_emit(const struct load *l, unsigned int w)
{
	unsigned int end = (l->len + 3) / 4 * 4;

	if (g.rlen)
		add(" ; ");
	if (l->kind == PAYLOAD)
		add("payload dreg=%u base=%u off=%u len=%u", regno(w), l->base,
		    l->off, l->len);
	else
		add("%s dreg=%u key=%u", l->kind == META ? "meta" : "ct",
		    regno(w), l->key);
	if (l->kind == CT && l->base)
		add(" dir=%u", l->base - 1);
	if (w * 4 + end > REG_BYTES)
		return;
	memset(g.reg + w * 4, 0, end);
	load_value(l, g.frame, g.reg + w * 4);
	g.loaded |= words(w, l->len);
}
