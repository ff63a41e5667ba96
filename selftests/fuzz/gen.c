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
 * them and as searches want them, chains as firewalls have them (marks written, then
 * tested, the same set looked up again, jumps to many small chains, or empty ones),
 * chains of rules at random, and chains that no nft would write: registers reused,
 * skipped, overlapping or read with another length than they were written with.
 */
#include <stdlib.h>
#include <string.h>
#include "gen.h"

struct gen g;

static void rule_usual(void)
{
	unsigned int i, n = 1 + rnd(g.nusual);

	/* always the first, which is what is searched */
	for (i = 0; i < n; i++) {
		if (i && chance(30))
			continue;
		if (!g.closed)
			clause(&g.usual[i]);
	}
	if (!g.closed && chance(8)) {
		struct load l;

		load_any(&l);
		clause(&l);
	}
}

static void rule_firewall(void)
{
	unsigned int v = rnd(100);

	if (chance(35))
		clause(&g.usual[0]);
	if (g.closed)
		return;
	if (v < 25)
		emit_mark(g.use_ct && chance(40));
	else if (v < 55)
		emit_mark_test(g.use_ct && chance(40));
	else if (v < 80 && reuse())
		;
	else if (v < 90)
		clause(&g.usual[rnd(g.nusual)]);
}

/* To any chain that this one may lead to */
static bool jump(void)
{
	unsigned int first = g.self < g.nbase ? g.nbase : g.self + 1;
	unsigned int all = g.nbase + g.nregular;

	if (first >= all || !chance(g.self < g.nbase ? 60 : 15))
		return false;
	add(" ; immediate dreg=0 verdict=%s:c%u", chance(8) ? "goto" : "jump",
	    first + rnd(all - first));
	return true;
}

static void rule_mixed(void)
{
	struct load l;
	unsigned int n = rnd(4);

	while (n-- && !g.closed) {
		if (chance(8)) {
			emit_other(rnd(8));
		} else if (chance(6) && xt_family()) {
			emit_match();
		} else if (chance(g.sets ? 50 : 10) && reuse()) {
			;
		} else {
			load_any(&l);
			clause(&l);
		}
		if (g.closed)
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
			g.loaded |= words(w, len);
			noise(g.reg + w * 4, len);
			if (g.rlen)
				add(" ; ");
			add("immediate dreg=%u data=%s", regno(w),
			    bytes(g.reg + w * 4, len));
			memset(g.reg + w * 4 + len, 0, (4 - len % 4) % 4);
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
			g.loaded |= words(d, 4);
			memset(g.reg + d * 4, 0, 4);
			g.reg[d * 4] = rnd(4);
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
	char compat[40] = "";
	bool translate, one;
	unsigned int i;

	g.rlen = 0;
	g.rule[0] = 0;
	g.frame = any_frame();
	memset(g.reg, 0, sizeof(g.reg));
	g.loaded = 0;
	g.closed = false;
	g.compat = 0;
	translate = g.self < g.nbase && g.nat[g.self] && chance(45);
	one = translate && flow() && chance(50);
	if (!one && chance(8))
		add("counter");
	if (one)
		rule_flow();
	else if (g.style == STATES)
		rule_states();
	else if (g.style == RAW && chance(70))
		rule_raw();
	else if (g.style == XT && chance(85))
		rule_xt();
	else if (g.style == FIREWALL && chance(90))
		rule_firewall();
	else if (g.style == UNIFORM && chance(85))
		rule_usual();
	else
		rule_mixed();
	for (i = 0; !g.closed && i < 2 && chance(i ? 10 : 28); i++)
		emit_effect();
	if (!g.closed && chance(94))
		add(" ; counter");
	if (!g.closed && translate)
		emit_nat(one);
	else if (!g.closed && !(g.style == FIREWALL && jump()))
		emit_verdict();
	if (!g.closed && chance(2))
		add(" ; counter ; immediate dreg=0 verdict=accept");
	if (!g.rlen)
		return;
	if (g.compat)
		snprintf(compat, sizeof(compat), "compat proto=%u flags=0 ; ",
			 g.compat);
	text_add(g.out, "%s %s %s c%u %s%s", how, g.fam, g.table, g.self, compat,
		 g.rule);
}

static void make_chain_rules(unsigned int n)
{
	unsigned int i;

	g.style = g.states && chance(75) ? STATES :
		  g.jumps && chance(80) ? FIREWALL : xt_family() && chance(20) ? XT :
		  chance(10) ? FIREWALL : chance(50) ? UNIFORM : chance(65) ? MIXED : RAW;
	g.nusual = 1 + rnd(3);
	for (i = 0; i < g.nusual; i++)
		if (chance(70))
			load_common(&g.usual[i]);
		else
			load_any(&g.usual[i]);
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

	g.fam = fams[f].name;
	snprintf(g.table, sizeof(g.table), "t%u", number);
	g.nbase = 1 + (chance(50) ? 0 : rnd(3));
	g.nregular = chance(10) ? 15 : chance(25) ? 0 : rnd(7);
	g.jumps = chance(25);
	if (g.jumps)
		g.nregular = 5 + rnd(10);
	text_add(g.out, "table %s %s", g.fam, g.table);
	for (i = 0; i < g.nbase; i++) {
		g.hooks[i] = pick_hook(f);
		type = g.hooks[i] == 3 && f < 3 && chance(20) ? "route" : "filter";
		prio = prios[rnd(ARRAY_SIZE(prios))];
		/* answers may meet on a port that the kernel then takes at random */
		g.nat[i] = g.use_ct && !g.states && f < 3 && g.hooks[i] != 2 && chance(25);
		if (g.nat[i]) {
			type = "nat";
			prio = g.hooks[i] == 0 || g.hooks[i] == 3 ? -100 : 100;
		}
		if (fams[f].bit == FAM_NETDEV)
			text_add(g.out, "chain %s %s c%u hook=%u prio=%d policy=%u dev=%s",
				 g.fam, g.table, i, g.hooks[i], prio, chance(88),
				 g.hooks[i] ? "out0" : "in0");
		else if (fams[f].bit == FAM_INET && !g.nat[i] && chance(8))
			text_add(g.out, "chain %s %s c%u hook=5 prio=%d policy=1 dev=in0",
				 g.fam, g.table, i, prio);
		else
			text_add(g.out, "chain %s %s c%u hook=%u prio=%d policy=%u type=%s",
				 g.fam, g.table, i, g.hooks[i], prio, chance(88), type);
	}
	for (; i < g.nbase + g.nregular; i++)
		text_add(g.out, "chain %s %s c%u", g.fam, g.table, i);
	text_add(g.out, "obj %s %s o1 counter", g.fam, g.table);
	text_add(g.out, "set %s %s dyn keylen=2 flags=0x20 size=500", g.fam, g.table);
	for (i = 0; i < g.nbase + g.nregular; i++) {
		g.self = i;
		n = i < g.nbase ? 3 + rnd(18) : 1 + rnd(g.nregular > 7 ? 3 : 9);
		if (i < g.nbase && chance(12))
			n = 30 + rnd(60);
		if (i >= g.nbase && g.jumps && chance(40))
			n = 0;
		if (g.states && i < g.nbase)
			n = 5 + rnd(36);
		if (n > *budget)
			n = *budget;
		*budget -= n;
		make_chain_rules(n);
		if (g.nregular == 15 && i + 1 < g.nbase + g.nregular &&
		    (i >= g.nbase || chance(70)))
			text_add(g.out, "rule %s %s c%u counter ; %s:c%u ; counter",
				 g.fam, g.table, i, "immediate dreg=0 verdict=jump",
				 i < g.nbase ? g.nbase : i + 1);
	}
}

/* Write a rule's value, or one next to it, where the rule looks */
static bool make_near(struct frame *f)
{
	const struct point *p;
	uint8_t val[16];
	unsigned int at;

	if (!g.npoints)
		return false;
	p = &g.points[rnd(g.npoints)];
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

	if (g.states) {
		states_frames(n / 2);
		n /= 2;
	}
	while (n--) {
		if (!chance(50) || !make_near(&f))
			f = *any_frame();
		frame_text(&f, g.out);
	}
}

/* A rule at the place of one that is there, or next to it */
static void make_rule_at(const char *how)
{
	unsigned int n = g.out->n;
	char *l, *r, *of;

	make_rule("rule");
	if (g.out->n == n)
		return;
	/* the last line is the rule, those before are its sets */
	l = g.out->line[--g.out->n];
	r = l;
	word(&r, ' ');
	of = word(&r, ' ');
	word(&r, ' ');
	word(&r, ' ');
	text_add(g.out, "%s %s %s c%u %u %s", how, of, g.table, g.self, rnd(50), r);
	free(l);
}

/* Is there an element with this key that will be over in a moment, and has there been
 * no time since?
 */
static bool passing(const struct named *s, const char *key)
{
	unsigned int i = g.out->n, len, n;
	char head[240];

	len = snprintf(head, sizeof(head), "elem %s %s %s key=%s", s->fam, s->table,
		       s->name, key);
	while (i-- && strncmp(g.out->line[i], "wait ", 5)) {
		n = strlen(g.out->line[i]);
		if (!strncmp(g.out->line[i], head, len) && n > 10 &&
		    !strcmp(g.out->line[i] + n - 10, " timeout=1"))
			return true;
	}
	return false;
}

/* An element of a named set that was written before */
static const char *elem_before(const struct named *s)
{
	const char *found = NULL, *at;
	unsigned int i, n = 0, len;
	char head[64], key[160];

	len = snprintf(head, sizeof(head), "elem %s %s %s key=", s->fam, s->table,
		       s->name);
	for (i = 0; i < g.out->n; i++)
		if (!strncmp(g.out->line[i], head, len) && !rnd(++n))
			found = g.out->line[i] + len;
	if (!found)
		return NULL;
	at = strchr(found, ' ');
	snprintf(key, sizeof(key), "%.*s",
		 at ? (int)(at - found) : (int)strlen(found), found);
	return passing(s, key) ? NULL : found;
}

/* It goes, key and end of it */
static void emit_delelem(const struct named *s, const char *key)
{
	const char *end = strchr(key, ' ');
	unsigned int n;

	if (end && (!strncmp(end, " to=", 4) || !strncmp(end, " keyend=", 8)))
		end = strchr(end + 1, ' ');
	n = end ? (size_t)(end - key) : strlen(key);
	text_add(g.out, "delelem %s %s %s key=%.*s", s->fam, s->table, s->name, n,
		 key);
}

static void emit_newelem(const struct named *s)
{
	const struct elem elem = {
		.name = s->name, .interval = s->interval,
		.concat = s->nloads > 1, .timeout = s->timeout, .map = s->map,
		.datalen = s->datalen, .len = s->len,
	};
	uint8_t key[64];

	named_key(s, key);
	if (passing(s, bytes(key, s->len)))
		return;
	emit_elem(&elem, key);
}

static void change_set(const struct named *s)
{
	const char *old = elem_before(s);
	unsigned int n;

	switch (rnd(g.sets ? 8 : 7)) {
	case 0:
	case 1:
		if (old)
			emit_delelem(s, old);
		break;
	case 2:
		/* the same again, perhaps with another timeout */
		if (old)
			text_add(g.out, "elem %s %s %s key=%s", s->fam, s->table,
				 s->name, old);
		break;
	case 7:
		text_add(g.out, "flushset %s %s %s", s->fam, s->table, s->name);
		for (n = rnd(6); n; n--)
			emit_newelem(s);
		break;
	default:
		emit_newelem(s);
	}
}

/* Changes of what is loaded */
static void make_changes(unsigned int *budget)
{
	unsigned int n = 1 + rnd(5);
	struct named *s;

	if (g.sets)
		n *= 3;
	while (n--) {
		g.self = rnd(g.nbase + g.nregular);
		/* each in a transaction of its own, or all in one */
		if (chance(30))
			text_add(g.out, "commit");
		switch (g.sets && chance(70) ? 6 : rnd(11)) {
		case 0:
			text_add(g.out, "delrule %s %s c%u %u", g.fam, g.table, g.self,
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
				text_add(g.out, "flush %s %s c%u", g.fam, g.table, g.self);
			break;
		default:
			if (!g.nnamed)
				break;
			s = &g.named[rnd(g.nnamed)];
			if (s->fam != g.fam || strcmp(s->table, g.table))
				break;
			change_set(s);
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

	g.out = t;
	g.nframes = 0;
	g.npoints = 0;
	g.nsets = 0;
	g.nnamed = 0;
	g.nnat = 0;
	g.families = 0;
	g.strict = chance(95);
	g.sets = chance(30);
	for (i = 0; i < ARRAY_SIZE(g.marks); i++)
		g.marks[i] = chance(70) ? rnd(5) : rnd64();
	for (i = 0; i < n; i++) {
		f[i] = pick_family();
		g.families |= fams[f[i]].bit;
	}
	/* conntrack is not for these */
	g.use_ct = !(g.families & (FAM_ARP | FAM_NETDEV)) && chance(40);
	g.states = g.use_ct && chance(45);
	pool_make(&g.pool);
	while (g.nframes < FRAMES)
		frame_make(&g.frames[g.nframes++], &g.pool, g.families);
	if (chance(12))
		text_add(t, "jit 0");
	if (g.states)
		states_table();
	for (i = 0; i < n; i++)
		make_table(f[i], i, &budget);
	if (!strcmp(t->line[0], "jit 0")) {
		text_add(t, "commit");
		text_add(t, "jit 1");
	}
	text_add(t, "wait 20");
	send_frames(50);
	phases = g.sets ? 2 + rnd(4) : chance(55) ? 1 + rnd(3) : 0;
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
		/* an element that lasts a millisecond is over then */
		text_add(t, "wait 20");
		send_frames(24);
	}
}
