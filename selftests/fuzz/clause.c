// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clauses of rules: something is loaded, changed, compared or looked up.
 */
#include <linux/netfilter/nf_tables.h>
#include <string.h>
#include "gen.h"

/**
 * emit_mask - write a bitwise with mask and xor
 * @s: its source
 * @d: its destination
 * @len: its bytes
 */
void emit_mask(unsigned int s, unsigned int d, unsigned int len)
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
		tmp[i] = (g.reg[s * 4 + i] & mask[i]) ^ xor[i];
	g.loaded |= words(d, len);
	memcpy(g.reg + d * 4, tmp, (len + 3) / 4 * 4);
}

/**
 * emit_shift - write a bitwise that shifts
 * @s: its source
 * @d: its destination
 * @len: its bytes
 */
void emit_shift(unsigned int s, unsigned int d, unsigned int len)
{
	uint32_t src[4], dst[4] = { 0 }, by = 1 + rnd(31), carry = 0;
	bool left = chance(50);
	unsigned int n = (len + 3) / 4, i;

	memcpy(src, g.reg + s * 4, n * 4);
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
	memcpy(g.reg + d * 4, dst, n * 4);
	g.loaded |= words(d, len);
	add(" ; bitwise sreg=%u dreg=%u len=%u op=%u data=%s", regno(s),
	    regno(d), len, left ? 1 : 2, bytes((uint8_t *)&by, 4));
}

/**
 * emit_byteorder - write a byteorder
 * @s: its source
 * @d: its destination
 * @len: its bytes, an even number
 *
 * Return: the register that has the result: @d, or @s where @d could not be taken.
 */
unsigned int emit_byteorder(unsigned int s, unsigned int d, unsigned int len)
{
	unsigned int size = len % 8 == 0 && chance(40) ? 8 :
			    len % 4 == 0 && chance(60) ? 4 : 2, i;
	uint8_t tmp[16];

	/* 6.1 leaves some of the destination as it was, which is reading it */
	if (!readable(d, len))
		d = s;
	for (i = 0; i < len && i < 16; i++)
		tmp[i] = g.reg[s * 4 + i / size * size + size - 1 - i % size];
	memcpy(g.reg + d * 4, tmp, len < 16 ? len : 16);
	g.loaded |= words(d, len);
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

/**
 * emit_cmp - write a cmp or a range
 * @w: what is compared
 * @len: its bytes
 * @l: the load that it comes from as it is, or NULL
 */
void emit_cmp(unsigned int w, unsigned int len, const struct load *l)
{
	uint8_t val[16], hi[16];
	unsigned int op;

	value(g.reg + w * 4, len, val);
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
	if (l && l->kind == PAYLOAD && l->len >= len && g.npoints < POINTS) {
		g.points[g.npoints].load = *l;
		g.points[g.npoints].load.len = len;
		memcpy(g.points[g.npoints++].val, val, len);
	}
}

/**
 * verdict - a verdict that can be taken here
 * @map: by an element of a map
 *
 * Return: its name, for the rule's text.
 */
const char *verdict(bool map)
{
	static char s[24];
	unsigned int v = rnd(100), first = g.self < g.nbase ? g.nbase : g.self + 1;
	unsigned int all = g.nbase + g.nregular;

	if (v < (map ? 35 : 30) && first < all) {
		snprintf(s, sizeof(s), "%s:c%u", v < 6 ? "goto" : "jump",
			 first + rnd(chance(50) ? 1 : all - first));
		return s;
	}
	return v < 42 ? "accept" : v < 50 ? "drop" : v < 62 ? "return" :
	       v < 94 ? "continue" : v < 97 ? "break" : "queue";
}

/**
 * emit_elem - write the element of a set
 * @e: what it is like
 * @key: a value that it is about
 */
void emit_elem(const struct elem *e, const uint8_t *key)
{
	bool interval = e->interval, concat = e->concat, map = e->map;
	unsigned int datalen = e->datalen, len = e->len, id = e->id;
	const char *name = e->name;
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
		n += sprintf(opt + n, " data=%s", bytes(data, datalen));
	} else if (map) {
		n += sprintf(opt + n, " verdict=%s", verdict(true));
	}
	/* Gone when the next packets come, or not as long as the case lasts.  Chains
	 * are used, and ends of intervals are there, until they are collected, some
	 * time.
	 */
	if (e->timeout && chance(60))
		sprintf(opt + n, " timeout=%u",
			chance(40) && !interval && !strchr(opt, ':') ? 1 : 3600000);
	/* 6.1 warns when one is all there is in such a set */
	if (chance(3) && !(interval && concat))
		text_add(g.out, "elem %s %s %s catchall%s", g.fam, g.table, name,
			 strstr(opt, id ? " id=" : map ? datalen ? " data=" :
				" verdict=" : " timeout=") ? : "");
	else
		text_add(g.out, "elem %s %s %s key=%s%s", g.fam, g.table, name,
			 bytes(key, len), opt);
}

/* Has an element of a new set the same key as one before? */
static bool again(unsigned int first, const uint8_t *key, unsigned int len)
{
	const char *s = bytes(key, len);
	unsigned int i;

	for (i = first; i < g.out->n; i++)
		if (strstr(g.out->line[i], s))
			return true;
	return false;
}

/* Emit a lookup of @n loads that lie one behind the other from word @w on */
static void emit_lookup(const struct load *l, unsigned int n, unsigned int w)
{
	bool map = chance(45), vmap = map && chance(55);
	bool anonymous = chance(g.sets ? 8 : 60), interval = chance(50);
	bool concat = n > 1, odd = chance(5), timeout = false;
	unsigned int datalen = vmap ? 0 : chance(90) ? 4 : 1 + rnd(16);
	unsigned int len = 0, i, e, flags = 0, elems, id = 0, at, dreg = 0, first;
	char name[24], opt[160] = "";
	uint8_t key[64], tmp[16];
	struct elem elem;
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
	id = ++g.nsets;
	if (anonymous) {
		flags |= NFT_SET_ANONYMOUS | NFT_SET_CONSTANT;
		snprintf(name, sizeof(name), "__%s%%d", map ? "map" : "set");
	} else {
		if (chance(15) && !interval && !vmap)
			flags |= NFT_SET_EVAL;
		snprintf(name, sizeof(name), "s%u", g.nsets);
		timeout = chance(g.sets ? 35 : 10);
		if (timeout)
			flags |= NFT_SET_TIMEOUT;
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
	text_add(g.out, "set %s %s %s keylen=%u flags=%u%s id=%u", g.fam, g.table,
		 name, len, flags, opt, id);

	elem = (struct elem){
		.name = name, .id = anonymous ? id : 0, .interval = interval,
		.concat = concat, .timeout = timeout, .map = map,
		.datalen = datalen, .len = len,
	};
	first = g.out->n;
	elems = chance(80) ? 1 + rnd(6) : rnd(40);
	for (e = 0; e < elems; e++) {
		const struct frame *f = e ? any_frame() : g.frame;

		memset(key, 0, sizeof(key));
		for (i = 0, at = 0; i < n; i++) {
			if (e || l[i].kind != PAYLOAD)
				load_value(&l[i], f, tmp);
			else
				memcpy(tmp, g.reg + w * 4 + at, l[i].len);
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
		emit_elem(&elem, key);
	}
	if (!anonymous && !odd && g.nnamed < ARRAY_SIZE(g.named)) {
		struct named *s = &g.named[g.nnamed++];

		snprintf(s->name, sizeof(s->name), "%s", name);
		s->fam = g.fam;
		snprintf(s->table, sizeof(s->table), "%s", g.table);
		memcpy(s->load, l, n * sizeof(*l));
		s->nloads = n;
		s->len = len;
		s->interval = interval;
		s->timeout = timeout;
		s->map = map;
		s->datalen = datalen;
	}
	if (g.rlen)
		add(" ; ");
	add("lookup sreg=%u set=%s", regno(w), name);
	if (anonymous)
		add(" id=%u", id);
	if (vmap) {
		add(" dreg=0");
		/* mostly last, as nft has it */
		g.closed = chance(70);
	} else if (map) {
		dreg = rnd(16 - (datalen + 3) / 4 + 1);
		add(" dreg=%u", regno(dreg));
		memset(g.reg + dreg * 4, 0, (datalen + 3) / 4 * 4);
		g.reg[dreg * 4] = rnd(4);
		if (datalen == 4 && chance(60))
			add(" ; meta sreg=%u key=%u", regno(dreg),
			    chance(80) ? NFT_META_MARK : NFT_META_PRIORITY);
		else if (chance(80))
			emit_cmp(dreg, datalen, NULL);
	} else if (chance(20)) {
		add(" flags=1");
	}
}

/**
 * reuse - look something up in a named set that is there
 *
 * Return: false if there is none that fits.
 */
bool reuse(void)
{
	struct named *s;
	unsigned int w = rnd(8), i, at;

	if (!g.nnamed)
		return false;
	s = &g.named[rnd(g.nnamed)];
	if (s->fam != g.fam || strcmp(s->table, g.table) || (s->map && !s->datalen))
		return false;
	if (w * 4 + s->len > REG_BYTES)
		w = 0;
	for (i = 0, at = w; i < s->nloads; i++) {
		load_emit(&s->load[i], at);
		at += (s->load[i].len + 3) / 4;
	}
	add(" ; lookup sreg=%u set=%s", regno(w), s->name);
	if (s->map)
		add(" dreg=%u", regno(rnd(12)));
	else if (chance(25))
		add(" flags=1");
	return true;
}

/**
 * named_key - a key of a named set, as some frame has it
 * @s: the set
 * @key: filled in
 */
void named_key(const struct named *s, uint8_t *key)
{
	const struct frame *f = any_frame();
	unsigned int i, at = 0;

	memset(key, 0, s->len);
	for (i = 0; i < s->nloads; i++) {
		load_value(&s->load[i], f, key + at);
		at += (s->load[i].len + 3) / 4 * 4;
	}
}

/**
 * emit_other - write an expression that loads what only itself knows, and a test
 * @w: where to
 */
void emit_other(unsigned int w)
{
	static const uint8_t keys[] = {
		NFT_RT_CLASSID, NFT_RT_NEXTHOP4, NFT_RT_NEXTHOP6, NFT_RT_TCPMSS,
		NFT_RT_XFRM,
	};
	uint8_t zero[16] = { 0 };
	unsigned int key, len;

	if (g.rlen)
		add(" ; ");
	switch (rnd(10)) {
	case 0:
		add("exthdr dreg=%u type=%u off=%u len=%u op=0", regno(w),
		    chance(30) ? 0 : chance(50) ? 44 : 60, rnd(6), 1);
		memcpy(g.reg + w * 4, zero, 4);
		emit_cmp(w, 1, NULL);
		break;
	case 1:
		add("exthdr dreg=%u type=%u off=%u len=%u op=1", regno(w),
		    chance(50) ? 2 : 1, rnd(3), 1 + rnd(2));
		memcpy(g.reg + w * 4, zero, 4);
		emit_cmp(w, 1, NULL);
		break;
	case 2:
		add("exthdr dreg=%u type=%u off=0 len=1 flags=1 op=%u", regno(w),
		    chance(50) ? 44 : 2, rnd(2));
		memcpy(g.reg + w * 4, zero, 4);
		g.reg[w * 4] = rnd(2);
		add(" ; cmp sreg=%u op=%u data=%02x", regno(w), rnd(2), rnd(2));
		break;
	case 3:
		add("numgen dreg=%u mod=%u type=0", regno(w), 2 + rnd(4));
		memcpy(g.reg + w * 4, zero, 4);
		g.reg[w * 4] = rnd(4);
		emit_cmp(w, 4, NULL);
		break;
	case 4:
		add("payload dreg=%u base=1 off=12 len=4", regno(w));
		add(" ; hash sreg=%u dreg=%u len=4 mod=%u seed=7 type=0",
		    regno(w), regno(w), 2 + rnd(4));
		memcpy(g.reg + w * 4, zero, 4);
		g.reg[w * 4] = rnd(4);
		emit_cmp(w, 4, NULL);
		break;
	case 5:
		if (!only_hook(0) || g.families & (FAM_ARP | FAM_BRIDGE))
			break;
		add("fib dreg=%u result=3 flags=%u", regno(w), chance(50) ? 1 : 2);
		memcpy(g.reg + w * 4, zero, 4);
		g.reg[w * 4] = 1 + rnd(5);
		emit_cmp(w, 4, NULL);
		break;
	case 6:
		key = keys[rnd(ARRAY_SIZE(keys))];
		len = key == NFT_RT_NEXTHOP6 ? 16 : key == NFT_RT_XFRM ? 1 :
		      key == NFT_RT_TCPMSS ? 2 : 4;
		/* some have the gateway's address */
		memcpy(zero, "\x0a\x00\x02\xfe", 4);
		add("rt dreg=%u key=%u", regno(w), key);
		memcpy(g.reg + w * 4, zero, 16);
		emit_cmp(w, len, NULL);
		break;
	case 7:
		key = rnd(3);
		add("socket dreg=%u key=%u", regno(w), key);
		memcpy(g.reg + w * 4, zero, 4);
		emit_cmp(w, key == NFT_SOCKET_MARK ? 4 : 1, NULL);
		break;
	case 8:
		add("osf dreg=%u ttl=%u", regno(w), rnd(3));
		memcpy(g.reg + w * 4, chance(50) ? zero : (uint8_t *)"unknown\0\0\0\0\0\0\0\0",
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
		memcpy(g.reg + w * 4, zero, 4);
		emit_cmp(w, 1, NULL);
		break;
	}
}

/**
 * clause - write a load, something done to it, a test
 * @l: the load
 */
void clause(const struct load *l)
{
	unsigned int len = l->len, w = rnd(16 - (len + 3) / 4 + 1), d, n, i;
	const struct load *direct = l;
	struct load more[3];

	if (chance(g.sets ? 25 : 12)) {
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
	if (chance(g.sets ? 60 : 22)) {
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
