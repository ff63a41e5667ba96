// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cases out of a seed.
 *
 * Frames are made first, and each rule is made for one of them: the generator
 * follows what the registers would hold for that frame, so that a comparison,
 * whatever was done to its operand before, mostly is with a value that the frame
 * has, or with one next to it.  Then more frames are made by writing the values
 * of the rules, and those next to them, where the rules look.
 *
 * There are chains whose rules all look at the same few fields, as people write
 * them and as searches want them, chains of rules at random, and chains that no
 * nft would write: registers reused, skipped, overlapping or read with another
 * length than they were written with.
 */
#include <linux/netfilter/nf_tables.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "fuzz.h"

#define FRAMES		24
#define CHAINS		18
#define POINTS		64
#define REG_BYTES	64

/* ---- randomness ---- */

static uint64_t state;

static uint64_t next(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/**
 * seed - begin a case
 * @s: the run's seed
 * @n: number of the case
 */
void seed(uint64_t s, uint64_t n)
{
	state = s * 0xd1342543de82ef95ULL + n;
	next();
	state ^= next();
}

/**
 * rnd - a random number
 * @n: above the highest, not 0
 *
 * Return: 0 .. @n - 1.
 */
uint32_t rnd(uint32_t n)
{
	return next() % n;
}

/**
 * chance - true now and then
 * @percent: how often
 *
 * Return: true or false.
 */
bool chance(unsigned int percent)
{
	return rnd(100) < percent;
}

/* ---- what is being made ---- */

enum load_kind { PAYLOAD, META, CT };

struct load {
	uint8_t		kind;
	uint8_t		base;		/* of CT: direction plus one, 0: none */
	uint8_t		off;
	uint8_t		len;
	uint8_t		key;
};

/* A value that a rule compares a piece of a header with */
struct point {
	struct load	load;
	uint8_t		val[16];
};

enum style { UNIFORM, MIXED, RAW };

static struct text *out;
static struct pool pool;
static struct frame frames[FRAMES];
static unsigned int nframes;
static unsigned int families;
static struct point points[POINTS];
static unsigned int npoints;
static uint32_t marks[6];
static bool use_ct;
static unsigned int nsets;

/* the table and chain */
static const char *fam;
static char table[16];
static unsigned int nbase, nregular;
static unsigned int self;	/* number of the chain: base ones first */
static unsigned int hooks[CHAINS];
static bool nat[CHAINS];
static unsigned int nnat;	/* rules that translate addresses */
static enum style style;
static struct load usual[3];	/* what a uniform chain looks at */
static unsigned int nusual;

/* named sets of this table, to be used again and changed later */
static struct named {
	char		name[24];
	const char	*fam;
	char		table[16];
	struct load	load;
	bool		interval;
	bool		map;
	unsigned int	datalen;	/* 0 for verdicts */
} named[16];
static unsigned int nnamed;

/* the rule */
static char rule[16384];
static size_t rlen;
static const struct frame *frame;
static uint8_t reg[REG_BYTES];
static uint32_t loaded;		/* words that the rule has written */
static bool closed;		/* nothing more behind it */
static bool strict;		/* read no others: newer kernels do not allow it */

static __printf(1, 2) void add(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	rlen += vsnprintf(rule + rlen, sizeof(rule) - rlen, fmt, ap);
	va_end(ap);
	if (rlen >= sizeof(rule))
		rlen = sizeof(rule) - 1;
}

/* Some expressions are for some hooks only: is that where this chain is seen? */
static bool only_hook(unsigned int hook)
{
	unsigned int i;

	if (self < nbase)
		return hooks[self] == hook;
	for (i = 0; i < nbase; i++)
		if (hooks[i] != hook)
			return false;
	return true;
}

static const char *bytes(const uint8_t *p, unsigned int n)
{
	static char ring[8][2 * REG_BYTES + 1];
	static unsigned int at;
	char *s = ring[at++ % ARRAY_SIZE(ring)];
	unsigned int i;

	s[0] = 0;
	for (i = 0; i < n; i++)
		sprintf(s + 2 * i, "%02x", p[i]);
	return s;
}

static uint32_t words(unsigned int w, unsigned int len)
{
	return ((1U << (len + 3) / 4) - 1) << w;
}

/* May words be read here? */
static bool readable(unsigned int w, unsigned int len)
{
	return !strict || !(words(w, len) & ~loaded);
}

/* Names of the register that begins at word @w */
static unsigned int regno(unsigned int w)
{
	return w % 4 == 0 && chance(60) ? 1 + w / 4 : 8 + w;
}

static void step(uint8_t *val, unsigned int len, int by)
{
	unsigned int i = len;

	while (i--) {
		val[i] += by;
		if (val[i] != (by > 0 ? 0 : 0xff))
			break;
	}
}

static void noise(uint8_t *val, unsigned int len)
{
	while (len--)
		*val++ = chance(30) ? (chance(50) ? 0 : 0xff) : rnd(256);
}

/* ---- loads ---- */

static const struct frame *any_frame(void)
{
	return &frames[rnd(nframes)];
}

/* What a load gives for a frame, as far as that is known here */
static void load_value(const struct load *l, const struct frame *f, uint8_t *val)
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
		    l->key == NFT_CT_MARK ? marks[rnd(ARRAY_SIZE(marks))] :
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
			v = marks[rnd(ARRAY_SIZE(marks))];
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

static void load_common(struct load *l)
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

static void load_any(struct load *l)
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
	if (use_ct && chance(25)) {
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
				(strcmp(fam, "bridge") ? 2 : 0))];
	}
	/* the link layer is not set everywhere, and the same everywhere else */
	if (l->kind == PAYLOAD && !l->base && !(families & (FAM_BRIDGE | FAM_NETDEV)) &&
	    chance(70))
		l->base = 1;
}

/* Emit a load into word @w; the sample's value into the registers */
static void load_emit(const struct load *l, unsigned int w)
{
	unsigned int end = (l->len + 3) / 4 * 4;

	if (rlen)
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
	memset(reg + w * 4, 0, end);
	load_value(l, frame, reg + w * 4);
	loaded |= words(w, l->len);
}

/* ---- what is done to registers before they are compared ---- */

static void emit_mask(unsigned int s, unsigned int d, unsigned int len)
{
	uint8_t mask[16], xor[16], tmp[16] = { 0 };
	unsigned int i, bits;

	memset(mask, 0, sizeof(mask));
	memset(xor, 0, sizeof(xor));
	switch (rnd(4)) {
	case 0:
	case 1:	/* a prefix */
		bits = rnd(len * 8 + 1);
		for (i = 0; i < bits; i++)
			mask[i / 8] |= 0x80 >> i % 8;
		break;
	case 2:	/* a run of bits */
		bits = rnd(len * 8);
		for (i = bits; i < len * 8 && i < bits + 1 + rnd(12); i++)
			mask[i / 8] |= 0x80 >> i % 8;
		break;
	default:
		noise(mask, len);
	}
	if (chance(20))
		noise(xor, len);
	if (chance(40))
		for (i = 0; i < len; i++)
			xor[i] &= ~mask[i];
	add(" ; bitwise sreg=%u dreg=%u len=%u%s mask=%s xor=%s", regno(s),
	    regno(d), len, chance(50) ? " op=0" : "", bytes(mask, len),
	    bytes(xor, len));
	for (i = 0; i < len; i++)
		tmp[i] = (reg[s * 4 + i] & mask[i]) ^ xor[i];
	loaded |= words(d, len);
	memcpy(reg + d * 4, tmp, (len + 3) / 4 * 4);
}

static void emit_shift(unsigned int s, unsigned int d, unsigned int len)
{
	uint32_t src[4], dst[4] = { 0 }, by = 1 + rnd(31), carry = 0;
	bool left = chance(50);
	unsigned int n = (len + 3) / 4, i;

	memcpy(src, reg + s * 4, n * 4);
	if (left) {
		for (i = n; i-- > 0;) {
			dst[i] = src[i] << by | carry;
			carry = src[i] >> (32 - by);
		}
	} else {
		for (i = 0; i < n; i++) {
			dst[i] = carry | src[i] >> by;
			carry = src[i] << (32 - by);
		}
	}
	memcpy(reg + d * 4, dst, n * 4);
	loaded |= words(d, len);
	add(" ; bitwise sreg=%u dreg=%u len=%u op=%u data=%s", regno(s),
	    regno(d), len, left ? 1 : 2, bytes((uint8_t *)&by, 4));
}

/* The register that has the result: @d, or @s where @d could not be taken */
static unsigned int emit_byteorder(unsigned int s, unsigned int d,
				   unsigned int len)
{
	unsigned int size = len % 8 == 0 && chance(40) ? 8 :
			    len % 4 == 0 && chance(60) ? 4 : 2, i;
	uint8_t tmp[16];

	/* 6.1 leaves some of the destination as it was, which is reading it */
	if (!readable(d, len))
		d = s;
	for (i = 0; i < len && i < 16; i++)
		tmp[i] = reg[s * 4 + i / size * size + size - 1 - i % size];
	memcpy(reg + d * 4, tmp, len < 16 ? len : 16);
	loaded |= words(d, len);
	add(" ; byteorder sreg=%u dreg=%u op=%u len=%u size=%u", regno(s),
	    regno(d), rnd(2), len, size);
	return d;
}

/* ---- tests ---- */

/* A value to compare a register with: its own, a neighbour's, or any */
static void value(const uint8_t *from, unsigned int len, uint8_t *val)
{
	memcpy(val, from, len);
	switch (rnd(10)) {
	case 0:
		step(val, len, 1);
		break;
	case 1:
		step(val, len, -1);
		break;
	case 2:
		if (chance(30))
			noise(val, len);
		else
			val[rnd(len)] ^= 1 << rnd(8);
		break;
	}
}

static void emit_cmp(unsigned int w, unsigned int len, const struct load *l)
{
	uint8_t val[16], hi[16];
	unsigned int op;

	value(reg + w * 4, len, val);
	if (chance(20)) {
		memcpy(hi, val, len);
		if (chance(50)) {
			step(hi, len, 1);
		} else {
			noise(hi, len);
			if (memcmp(val, hi, len) > 0) {
				uint8_t t[16];

				memcpy(t, val, len);
				memcpy(val, hi, len);
				memcpy(hi, t, len);
			}
		}
		add(" ; range sreg=%u op=%u from=%s to=%s", regno(w),
		    chance(70) ? 0 : 1, bytes(val, len), bytes(hi, len));
	} else {
		op = chance(60) ? NFT_CMP_EQ : rnd(6);
		add(" ; cmp sreg=%u op=%u data=%s", regno(w), op,
		    bytes(val, len));
	}
	if (l && l->kind == PAYLOAD && l->len >= len && npoints < POINTS) {
		points[npoints].load = *l;
		points[npoints].load.len = len;
		memcpy(points[npoints++].val, val, len);
	}
}

static const char *verdict(bool map)
{
	static char s[24];
	unsigned int v = rnd(100), first = self < nbase ? nbase : self + 1;
	unsigned int all = nbase + nregular;

	if (v < (map ? 35 : 30) && first < all) {
		snprintf(s, sizeof(s), "%s:c%u", v < 6 ? "goto" : "jump",
			 first + rnd(chance(50) ? 1 : all - first));
		return s;
	}
	return v < 42 ? "accept" : v < 50 ? "drop" : v < 62 ? "return" :
	       v < 94 ? "continue" : v < 97 ? "break" : "queue";
}

static void emit_elem(const char *name, unsigned int id, bool interval,
		      bool concat, bool map, unsigned int datalen,
		      const uint8_t *key, unsigned int len)
{
	uint8_t to[64], data[16];
	char opt[64 * 3 + 96] = "";
	unsigned int n = 0, i;

	memcpy(to, key, len);
	if (interval && chance(70)) {
		if (concat) {
			/* ends are not below beginnings, field by field */
			for (i = 0; i < len; i++)
				if (to[i] < 0xff && chance(50))
					to[i] += rnd(256 - to[i]);
		} else if (chance(50)) {
			for (i = 0; i < 1 + rnd(4); i++)
				step(to, len, 1);
		} else {
			to[len - 1] = 0xff;
		}
		if (memcmp(to, key, len) < 0)
			memcpy(to, key, len);
	}
	if (interval && concat)
		n = sprintf(opt, " keyend=%s", bytes(to, len));
	else if (interval)
		n = sprintf(opt, " to=%s", bytes(to, len));
	if (id)
		n += sprintf(opt + n, " id=%u", id);
	if (map && datalen) {
		memset(data, 0, sizeof(data));
		data[0] = rnd(4);
		if (chance(30))
			noise(data, datalen);
		sprintf(opt + n, " data=%s", bytes(data, datalen));
	} else if (map) {
		sprintf(opt + n, " verdict=%s", verdict(true));
	}
	/* 6.1 warns when one is all there is in such a set */
	if (chance(3) && !(interval && concat))
		text_add(out, "elem %s %s %s catchall%s", fam, table, name,
			 strstr(opt, id ? " id=" : map ? datalen ? " data=" :
				" verdict=" : " ") ? : "");
	else
		text_add(out, "elem %s %s %s key=%s%s", fam, table, name,
			 bytes(key, len), opt);
}

/* Has an element of a new set the same key as one before? */
static bool again(unsigned int first, const uint8_t *key, unsigned int len)
{
	const char *s = bytes(key, len);
	unsigned int i;

	for (i = first; i < out->n; i++)
		if (strstr(out->line[i], s))
			return true;
	return false;
}

/* Emit a lookup of @n loads that lie one behind the other from word @w on */
static void emit_lookup(const struct load *l, unsigned int n, unsigned int w)
{
	bool map = chance(45), vmap = map && chance(55);
	bool anonymous = chance(60), interval = chance(50), concat = n > 1;
	bool odd = chance(5);
	unsigned int datalen = vmap ? 0 : chance(90) ? 4 : 1 + rnd(16);
	unsigned int len = 0, i, e, flags = 0, elems, id = 0, at, dreg = 0, first;
	char name[24], opt[160] = "";
	uint8_t key[64], tmp[16];
	int o = 0;

	for (i = 0; i < n; i++)
		len += concat ? (l[i].len + 3) / 4 * 4 : l[i].len;
	if (len > 64 || w * 4 + len > REG_BYTES)
		return;
	if (map)
		flags |= NFT_SET_MAP;
	if (interval)
		flags |= NFT_SET_INTERVAL;
	if (concat)
		flags |= NFT_SET_CONCAT;
	id = ++nsets;
	if (anonymous) {
		flags |= NFT_SET_ANONYMOUS | NFT_SET_CONSTANT;
		snprintf(name, sizeof(name), "__%s%%d", map ? "map" : "set");
	} else {
		if (chance(15) && !interval && !vmap)
			flags |= NFT_SET_EVAL;
		snprintf(name, sizeof(name), "s%u", nsets);
	}
	if (concat) {
		o = sprintf(opt, " fields=");
		/* once in a while not as long as what is loaded there */
		for (i = 0; i < n; i++)
			o += sprintf(opt + o, "%s%u", i ? "," : "",
				     odd && l[i].len > 1 && l[i].len % 4 != 1 ?
				     l[i].len - 1 : l[i].len);
	}
	if (map)
		o += sprintf(opt + o, " datatype=%s", vmap ? "0xffffff00" : "1");
	if (map && !vmap)
		o += sprintf(opt + o, " datalen=%u", datalen);
	if (flags & NFT_SET_EVAL)
		o += sprintf(opt + o, " size=1000");
	text_add(out, "set %s %s %s keylen=%u flags=%u%s id=%u", fam, table,
		 name, len, flags, opt, id);

	first = out->n;
	elems = chance(80) ? 1 + rnd(6) : rnd(40);
	for (e = 0; e < elems; e++) {
		const struct frame *f = e ? any_frame() : frame;

		memset(key, 0, sizeof(key));
		for (i = 0, at = 0; i < n; i++) {
			if (e || l[i].kind != PAYLOAD)
				load_value(&l[i], f, tmp);
			else
				memcpy(tmp, reg + w * 4 + at, l[i].len);
			if (e)
				value(tmp, l[i].len, key + at);
			else
				memcpy(key + at, tmp, l[i].len);
			at += concat ? (l[i].len + 3) / 4 * 4 : l[i].len;
			if (odd && at > l[i].len && chance(10))
				key[at - 1] ^= 1;
		}
		if (again(first, key, len))
			continue;
		emit_elem(name, anonymous ? id : 0, interval, concat, map,
			  datalen, key, len);
	}
	if (!anonymous && n == 1 && nnamed < ARRAY_SIZE(named)) {
		struct named *s = &named[nnamed++];

		snprintf(s->name, sizeof(s->name), "%s", name);
		s->fam = fam;
		snprintf(s->table, sizeof(s->table), "%s", table);
		s->load = l[0];
		s->interval = interval;
		s->map = map;
		s->datalen = datalen;
	}
	if (rlen)
		add(" ; ");
	add("lookup sreg=%u set=%s", regno(w), name);
	if (anonymous)
		add(" id=%u", id);
	if (vmap) {
		add(" dreg=0");
		/* mostly last, as nft has it */
		closed = chance(70);
	} else if (map) {
		dreg = rnd(16 - (datalen + 3) / 4 + 1);
		add(" dreg=%u", regno(dreg));
		memset(reg + dreg * 4, 0, (datalen + 3) / 4 * 4);
		reg[dreg * 4] = rnd(4);
		if (datalen == 4 && chance(60))
			add(" ; meta sreg=%u key=%u", regno(dreg),
			    chance(80) ? NFT_META_MARK : NFT_META_PRIORITY);
		else if (chance(80))
			emit_cmp(dreg, datalen, NULL);
	} else if (chance(20)) {
		add(" flags=1");
	}
}

/* One more set of the same kind of key that is there already */
static bool reuse(void)
{
	struct named *s;
	unsigned int w = rnd(8);

	if (!nnamed)
		return false;
	s = &named[rnd(nnamed)];
	if (s->fam != fam || strcmp(s->table, table) || (s->map && !s->datalen))
		return false;
	load_emit(&s->load, w);
	add(" ; lookup sreg=%u set=%s", regno(w), s->name);
	if (s->map)
		add(" dreg=%u", regno(rnd(12)));
	return true;
}

/* A value from elsewhere than the packet, and a comparison */
static void emit_other(unsigned int w)
{
	static const uint8_t keys[] = {
		NFT_RT_CLASSID, NFT_RT_NEXTHOP4, NFT_RT_NEXTHOP6, NFT_RT_TCPMSS,
		NFT_RT_XFRM,
	};
	uint8_t zero[16] = { 0 };
	unsigned int key, len;

	if (rlen)
		add(" ; ");
	switch (rnd(10)) {
	case 0:
		add("exthdr dreg=%u type=%u off=%u len=%u op=0", regno(w),
		    chance(30) ? 0 : chance(50) ? 44 : 60, rnd(6), 1);
		memcpy(reg + w * 4, zero, 4);
		emit_cmp(w, 1, NULL);
		break;
	case 1:
		add("exthdr dreg=%u type=%u off=%u len=%u op=1", regno(w),
		    chance(50) ? 2 : 1, rnd(3), 1 + rnd(2));
		memcpy(reg + w * 4, zero, 4);
		emit_cmp(w, 1, NULL);
		break;
	case 2:
		add("exthdr dreg=%u type=%u off=0 len=1 flags=1 op=%u", regno(w),
		    chance(50) ? 44 : 2, rnd(2));
		memcpy(reg + w * 4, zero, 4);
		reg[w * 4] = rnd(2);
		add(" ; cmp sreg=%u op=%u data=%02x", regno(w), rnd(2), rnd(2));
		break;
	case 3:
		add("numgen dreg=%u mod=%u type=0", regno(w), 2 + rnd(4));
		memcpy(reg + w * 4, zero, 4);
		reg[w * 4] = rnd(4);
		emit_cmp(w, 4, NULL);
		break;
	case 4:
		add("payload dreg=%u base=1 off=12 len=4", regno(w));
		add(" ; hash sreg=%u dreg=%u len=4 mod=%u seed=7 type=0",
		    regno(w), regno(w), 2 + rnd(4));
		memcpy(reg + w * 4, zero, 4);
		reg[w * 4] = rnd(4);
		emit_cmp(w, 4, NULL);
		break;
	case 5:
		if (!only_hook(0) || families & (FAM_ARP | FAM_BRIDGE))
			break;
		add("fib dreg=%u result=3 flags=%u", regno(w), chance(50) ? 1 : 2);
		memcpy(reg + w * 4, zero, 4);
		reg[w * 4] = 1 + rnd(5);
		emit_cmp(w, 4, NULL);
		break;
	case 6:
		key = keys[rnd(ARRAY_SIZE(keys))];
		len = key == NFT_RT_NEXTHOP6 ? 16 : key == NFT_RT_XFRM ? 1 :
		      key == NFT_RT_TCPMSS ? 2 : 4;
		/* some have the gateway's address */
		memcpy(zero, "\x0a\x00\x02\xfe", 4);
		add("rt dreg=%u key=%u", regno(w), key);
		memcpy(reg + w * 4, zero, 16);
		emit_cmp(w, len, NULL);
		break;
	case 7:
		key = rnd(3);
		add("socket dreg=%u key=%u", regno(w), key);
		memcpy(reg + w * 4, zero, 4);
		emit_cmp(w, key == NFT_SOCKET_MARK ? 4 : 1, NULL);
		break;
	case 8:
		add("osf dreg=%u ttl=%u", regno(w), rnd(3));
		memcpy(reg + w * 4, chance(50) ? zero : (uint8_t *)"unknown\0\0\0\0\0\0\0\0",
		       16);
		emit_cmp(w, 16, NULL);
		break;
	case 9:
		/* of packets that came through neither */
		if (chance(50))
			add("tunnel dreg=%u key=%u", regno(w), rnd(2));
		else
			add("xfrm dreg=%u key=%u dir=%u", regno(w),
			    chance(50) ? NFT_XFRM_KEY_REQID : NFT_XFRM_KEY_SPI,
			    rnd(2));
		memcpy(reg + w * 4, zero, 4);
		emit_cmp(w, 1, NULL);
		break;
	}
}

/* A load, something done to it, a test */
static void clause(const struct load *l)
{
	unsigned int len = l->len, w = rnd(16 - (len + 3) / 4 + 1), d, n, i;
	const struct load *direct = l;
	struct load more[3];

	if (chance(12)) {
		/* a concatenation */
		more[0] = *l;
		n = 2 + rnd(2);
		w = rnd(4);
		load_emit(l, w);
		d = w + (len + 3) / 4;
		for (i = 1; i < n; i++) {
			load_any(&more[i]);
			if (d + (more[i].len + 3) / 4 > 16)
				break;
			load_emit(&more[i], d);
			d += (more[i].len + 3) / 4;
		}
		emit_lookup(more, i, w);
		return;
	}
	load_emit(l, w);
	if (chance(22)) {
		emit_lookup(l, 1, w);
		return;
	}
	for (i = 0; i < 2 && chance(25); i++) {
		d = chance(60) ? w : rnd(16 - (len + 3) / 4 + 1);
		direct = NULL;
		switch (rnd(4)) {
		case 0:
			emit_shift(w, d, len);
			break;
		case 1:
			if (len % 2)
				continue;
			d = emit_byteorder(w, d, len);
			break;
		default:
			emit_mask(w, d, len);
		}
		w = d;
	}
	if (chance(12) && len > 1)
		len = 1 + rnd(len);
	emit_cmp(w, len, direct);
	if (chance(10))
		emit_cmp(w, len, direct);
}

/* ---- what a rule does ---- */

static void emit_effect(void)
{
	uint8_t mask[4], xor[4], val[16];
	unsigned int w = rnd(13);
	uint32_t m = marks[rnd(ARRAY_SIZE(marks))];
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

	if (rlen)
		add(" ; ");
	/* out0 sends on what came in, or a copy of it */
	if (!strcmp(fam, "netdev") && only_hook(0) && chance(20)) {
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
	switch (rnd(use_ct ? 20 : 15)) {
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
		if (only_hook(0) && !(families & FAM_ARP))
			add("immediate dreg=%u data=%02x ; meta sreg=%u key=%u",
			    regno(w), rnd(4), regno(w), NFT_META_PKTTYPE);
		break;
	case 6:
	case 7:
		i = rnd(ARRAY_SIZE(writes));
		noise(val, sizeof(val));
		if (chance(60))
			memcpy(val, frame->b + frame->nh + writes[i].off,
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
		if (!strcmp(fam, "ip") && chance(30))
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

static void emit_verdict(void)
{
	unsigned int v = rnd(100);

	if (v < 55)
		return;
	if (v < 58 && !(families & (FAM_ARP | FAM_NETDEV)) && (only_hook(0) || only_hook(1))) {
		add(" ; reject type=%u code=%u", chance(50) ? 0 : 1 + rnd(2),
		    1 + rnd(4));
		return;
	}
	add(" ; immediate dreg=0 verdict=%s", verdict(false));
}

/* ---- translation of addresses ---- */

/* Two connections that become the same get a port at random, which is nothing to
 * compare.  So a rule takes the connections of one flow, or it takes what comes
 * and moves its addresses to a net of its own, where they differ as before.
 */
static bool flow(void)
{
	return frame->th && frame->th + 4 <= frame->len &&
	       (frame->proto == 6 || frame->proto == 17);
}

static void rule_flow(void)
{
	const uint8_t *nh = frame->b + frame->nh;
	bool six = frame->type == 0x86dd;
	unsigned int at = six ? 8 : 12, len = six ? 16 : 4, i;

	for (i = 0; i < 2; i++, at += len) {
		add("payload dreg=1 base=1 off=%u len=%u ; ", at, len);
		add("cmp sreg=1 op=0 data=%s ; ", bytes(nh + at, len));
	}
	add("payload dreg=2 base=2 off=0 len=4 ; cmp sreg=2 op=0 data=%s",
	    bytes(frame->b + frame->th, 4));
}

static void emit_nat(bool one)
{
	bool six = frame->type == 0x86dd;
	bool dst = hooks[self] == 0 || hooks[self] == 3;
	unsigned int n = ++nnat, len = six ? 16 : 4;
	uint8_t min[16] = { six ? 0xfd : 20, n }, max[16];
	unsigned int amin = regno(0), amax = regno(4), port = regno(8);

	closed = true;
	memcpy(max, min, sizeof(max));
	if (one) {
		min[len - 1] = 1;
		add(" ; immediate dreg=%u data=%04x", port, 30000 + n);
		if (hooks[self] != 1 && chance(60)) {
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

static void rule_usual(void)
{
	unsigned int i, n = 1 + rnd(nusual);

	/* always the first, which is what is searched */
	for (i = 0; i < n; i++) {
		if (i && chance(30))
			continue;
		if (!closed)
			clause(&usual[i]);
	}
	if (!closed && chance(8)) {
		struct load l;

		load_any(&l);
		clause(&l);
	}
}

static void rule_mixed(void)
{
	struct load l;
	unsigned int n = rnd(4);

	while (n-- && !closed) {
		if (chance(8)) {
			emit_other(rnd(8));
		} else if (chance(10) && reuse()) {
			;
		} else {
			load_any(&l);
			clause(&l);
		}
		if (closed)
			break;
		if (chance(10))
			add(" ; counter");
		if (chance(6))
			emit_effect();
	}
}

/* Registers as no nft would use them */
static void rule_raw(void)
{
	unsigned int n = 2 + rnd(8), w, d, len;
	struct load l;

	while (n--) {
		w = rnd(16);
		d = rnd(16);
		len = 1 + rnd(16);
		if (chance(70)) {
			/* few registers, so that they meet */
			w %= 5;
			d %= 5;
		}
		if (w * 4 + len > REG_BYTES || d * 4 + len > REG_BYTES)
			continue;
		switch (rnd(11)) {
		case 0:
		case 1:
		case 2:
			load_any(&l);
			if (w * 4 + l.len <= REG_BYTES)
				load_emit(&l, w);
			break;
		case 3:
			if (readable(w, len))
				emit_mask(w, d, len);
			break;
		case 4:
			if (readable(w, len))
				emit_shift(w, d, len);
			break;
		case 5:
			len = (len + 1) & ~1U;
			if (readable(w, len) && d * 4 + len <= REG_BYTES)
				emit_byteorder(w, d, len);
			break;
		case 6:
			loaded |= words(w, len);
			noise(reg + w * 4, len);
			if (rlen)
				add(" ; ");
			add("immediate dreg=%u data=%s", regno(w),
			    bytes(reg + w * 4, len));
			memset(reg + w * 4 + len, 0, (4 - len % 4) % 4);
			break;
		case 7:
			if (chance(15))
				add(" ; immediate dreg=0 verdict=%s",
				    verdict(false));
			else if (chance(30))
				emit_effect();
			break;
		case 8:
			if (!readable(w, len))
				break;
			add(" ; hash sreg=%u dreg=%u len=%u mod=4 seed=7 type=0",
			    regno(w), regno(d), len);
			loaded |= words(d, 4);
			memset(reg + d * 4, 0, 4);
			reg[d * 4] = rnd(4);
			emit_cmp(d, 4, NULL);
			break;
		default:
			if (readable(w, len))
				emit_cmp(w, len, NULL);
		}
	}
}

static void make_rule(const char *how)
{
	bool translate, one;
	unsigned int i;

	rlen = 0;
	rule[0] = 0;
	frame = any_frame();
	memset(reg, 0, sizeof(reg));
	loaded = 0;
	closed = false;
	translate = self < nbase && nat[self] && chance(45);
	one = translate && flow() && chance(50);
	if (!one && chance(8))
		add("counter");
	if (one)
		rule_flow();
	else if (style == RAW && chance(70))
		rule_raw();
	else if (style == UNIFORM && chance(85))
		rule_usual();
	else
		rule_mixed();
	for (i = 0; !closed && i < 2 && chance(i ? 10 : 28); i++)
		emit_effect();
	if (!closed && chance(94))
		add(" ; counter");
	if (!closed && translate)
		emit_nat(one);
	else if (!closed)
		emit_verdict();
	if (!closed && chance(2))
		add(" ; counter ; immediate dreg=0 verdict=accept");
	if (rlen)
		text_add(out, "%s %s %s c%u %s", how, fam, table, self, rule);
}

static void make_chain_rules(unsigned int n)
{
	unsigned int i;

	style = chance(50) ? UNIFORM : chance(65) ? MIXED : RAW;
	nusual = 1 + rnd(3);
	for (i = 0; i < nusual; i++)
		if (chance(70))
			load_common(&usual[i]);
		else
			load_any(&usual[i]);
	for (i = 0; i < n; i++)
		make_rule("rule");
}

/* ---- tables and chains ---- */

static const struct {
	const char	*name;
	unsigned int	bit;
	unsigned int	weight;
	unsigned int	hooks;
} fams[] = {
	{ "ip", FAM_IP, 24, 5 }, { "inet", FAM_INET, 26, 5 },
	{ "ip6", FAM_IP6, 18, 5 }, { "netdev", FAM_NETDEV, 12, 2 },
	{ "bridge", FAM_BRIDGE, 12, 5 }, { "arp", FAM_ARP, 8, 2 },
};

static unsigned int pick_family(void)
{
	unsigned int v = rnd(100), i;

	for (i = 0; v >= fams[i].weight; i++)
		v -= fams[i].weight;
	return i;
}

static unsigned int pick_hook(unsigned int f)
{
	static const uint8_t five[] = { 0, 0, 0, 0, 1, 1, 2, 2, 3, 4 };

	if (fams[f].hooks == 5)
		return five[rnd(ARRAY_SIZE(five))];
	return chance(85) ? 0 : 1;
}

static void make_table(unsigned int f, unsigned int number, unsigned int *budget)
{
	static const int prios[] = { -500, -300, -150, 0, 0, 0, 10, 100, 300 };
	unsigned int i, n;
	const char *type;
	int prio;

	fam = fams[f].name;
	snprintf(table, sizeof(table), "t%u", number);
	nbase = 1 + (chance(50) ? 0 : rnd(3));
	nregular = chance(10) ? 15 : chance(25) ? 0 : rnd(7);
	text_add(out, "table %s %s", fam, table);
	for (i = 0; i < nbase; i++) {
		hooks[i] = pick_hook(f);
		type = hooks[i] == 3 && f < 3 && chance(20) ? "route" : "filter";
		prio = prios[rnd(ARRAY_SIZE(prios))];
		nat[i] = use_ct && f < 3 && hooks[i] != 2 && chance(25);
		if (nat[i]) {
			type = "nat";
			prio = hooks[i] == 0 || hooks[i] == 3 ? -100 : 100;
		}
		if (fams[f].bit == FAM_NETDEV)
			text_add(out, "chain %s %s c%u hook=%u prio=%d policy=%u dev=%s",
				 fam, table, i, hooks[i], prio, chance(88),
				 hooks[i] ? "out0" : "in0");
		else if (fams[f].bit == FAM_INET && !nat[i] && chance(8))
			text_add(out, "chain %s %s c%u hook=5 prio=%d policy=1 dev=in0",
				 fam, table, i, prio);
		else
			text_add(out, "chain %s %s c%u hook=%u prio=%d policy=%u type=%s",
				 fam, table, i, hooks[i], prio, chance(88), type);
	}
	for (; i < nbase + nregular; i++)
		text_add(out, "chain %s %s c%u", fam, table, i);
	text_add(out, "obj %s %s o1 counter", fam, table);
	text_add(out, "set %s %s dyn keylen=2 flags=0x20 size=500", fam, table);
	for (i = 0; i < nbase + nregular; i++) {
		self = i;
		n = i < nbase ? 3 + rnd(18) : 1 + rnd(nregular > 7 ? 3 : 9);
		if (i < nbase && chance(12))
			n = 30 + rnd(60);
		if (n > *budget)
			n = *budget;
		*budget -= n;
		make_chain_rules(n);
		if (nregular == 15 && i + 1 < nbase + nregular &&
		    (i >= nbase || chance(70)))
			text_add(out, "rule %s %s c%u counter ; %s:c%u ; counter",
				 fam, table, i, "immediate dreg=0 verdict=jump",
				 i < nbase ? nbase : i + 1);
	}
}

/* Write a rule's value, or one next to it, where the rule looks */
static bool make_near(struct frame *f)
{
	const struct point *p;
	uint8_t val[16];
	unsigned int at;

	if (!npoints)
		return false;
	p = &points[rnd(npoints)];
	*f = *any_frame();
	at = p->load.off + (p->load.base == 0 ? 0 : p->load.base == 1 ? f->nh :
			    f->th ? f->th : FRAME_MAX);
	if (at + p->load.len > f->len)
		return false;
	memcpy(val, p->val, p->load.len);
	switch (rnd(4)) {
	case 0:
		step(val, p->load.len, 1);
		break;
	case 1:
		step(val, p->load.len, -1);
		break;
	}
	memcpy(f->b + at, val, p->load.len);
	/* the packet socket takes no frame without a source of its own */
	if (chance(85))
		frame_sum(f);
	return true;
}

static void send_frames(unsigned int n)
{
	struct frame f;

	while (n--) {
		if (!chance(50) || !make_near(&f))
			f = *any_frame();
		frame_text(&f, out);
	}
}

/* A rule at the place of one that is there, or next to it */
static void make_rule_at(const char *how)
{
	unsigned int n = out->n;
	char *l, *r, *of;

	make_rule("rule");
	if (out->n == n)
		return;
	/* the last line is the rule, those before are its sets */
	l = out->line[--out->n];
	r = l;
	word(&r, ' ');
	of = word(&r, ' ');
	word(&r, ' ');
	word(&r, ' ');
	text_add(out, "%s %s %s c%u %u %s", how, of, table, self, rnd(50), r);
	free(l);
}

/* Changes of what is loaded */
static void make_changes(unsigned int *budget)
{
	unsigned int n = 1 + rnd(5);
	struct named *s;
	uint8_t key[16];

	while (n--) {
		self = rnd(nbase + nregular);
		/* each in a transaction of its own, or all in one */
		if (chance(30))
			text_add(out, "commit");
		switch (rnd(11)) {
		case 0:
			text_add(out, "delrule %s %s c%u %u", fam, table, self,
				 rnd(50));
			break;
		case 1:
			if (!*budget)
				break;
			--*budget;
			make_rule("insert");
			break;
		case 2:
		case 3:
			if (!*budget)
				break;
			--*budget;
			make_rule("rule");
			break;
		case 4:
			make_rule_at("replace");
			break;
		case 9:
		case 10:
			if (!*budget)
				break;
			--*budget;
			make_rule_at(chance(50) ? "before" : "behind");
			break;
		case 5:
			if (chance(30))
				text_add(out, "flush %s %s c%u", fam, table, self);
			break;
		default:
			if (!nnamed)
				break;
			s = &named[rnd(nnamed)];
			if (s->fam != fam || strcmp(s->table, table))
				break;
			load_value(&s->load, any_frame(), key);
			if (chance(70))
				emit_elem(s->name, 0, s->interval, false, s->map,
					  s->datalen, key, s->load.len);
			else if (chance(20))
				text_add(out, "flushset %s %s %s", fam, table,
					 s->name);
			else
				text_add(out, "delelem %s %s %s key=%s%s%s", fam,
					 table, s->name, bytes(key, s->load.len),
					 s->interval ? " to=" : "",
					 s->interval ? bytes(key, s->load.len) : "");
			break;
		}
	}
}

/**
 * gen_case - make a case
 * @t: an empty text
 *
 * seed() tells which.
 */
void gen_case(struct text *t)
{
	unsigned int f[2], n = chance(70) ? 1 : 2, i, budget = 130, phases;

	out = t;
	nframes = 0;
	npoints = 0;
	nsets = 0;
	nnamed = 0;
	nnat = 0;
	families = 0;
	strict = chance(95);
	for (i = 0; i < ARRAY_SIZE(marks); i++)
		marks[i] = chance(70) ? rnd(5) : next();
	for (i = 0; i < n; i++) {
		f[i] = pick_family();
		families |= fams[f[i]].bit;
	}
	/* conntrack is not for these */
	use_ct = !(families & (FAM_ARP | FAM_NETDEV)) && chance(40);
	pool_make(&pool);
	while (nframes < FRAMES)
		frame_make(&frames[nframes++], &pool, families);
	if (chance(12))
		text_add(t, "jit 0");
	for (i = 0; i < n; i++)
		make_table(f[i], i, &budget);
	if (!strcmp(t->line[0], "jit 0")) {
		text_add(t, "commit");
		text_add(t, "jit 1");
	}
	send_frames(50);
	phases = chance(55) ? 1 + rnd(3) : 0;
	if (phases && chance(80))
		text_add(t, "edits %u %u", 1 + rnd(8),
			 chance(70) ? 100000000 : 0);
	for (; phases; phases--) {
		budget += 3;
		/* what is edited is made anew while packets come */
		if (chance(15))
			text_add(t, "edits %u 0", rnd(8));
		make_changes(&budget);
		if (chance(8))
			text_add(t, "jit %u", rnd(2));
		if (chance(30))
			text_add(t, "commit");
		send_frames(24);
	}
}
