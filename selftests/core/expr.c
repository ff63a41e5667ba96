// SPDX-License-Identifier: GPL-2.0-only
/*
 * Expressions as text and as netlink attributes.
 *
 * The text is that of "nft --debug=netlink", one expression a line, but values
 * are bytes in the order of memory, so that they read the same on every machine
 * and have a length:
 *
 *	payload load 4b @ network header + 12 => reg 1
 *	payload write reg 1 => 2b @ transport header + 2
 *	meta load mark => reg 1			meta set mark with reg 1
 *	ct load state => reg 1			ct set mark with reg 1
 *	cmp eq reg 1 0x0a000001			(eq neq lt lte gt gte)
 *	range eq reg 1 0x0016 0x0050		(eq neq)
 *	bitwise reg 1 = ( reg 1 & 0xff000000 ) ^ 0x00000000
 *	bitwise 4b reg 1 = ( reg 1 << 8 )	(<< >>)
 *	bitwise 4b reg 1 = ( reg 1 | reg 2 )	(| & ^)
 *	byteorder reg 1 = hton(reg 1, 2, 2)	(size, length)
 *	immediate reg 1 0x01000000
 *	immediate reg 0 accept			(drop return continue break jump
 *						goto queue)
 *	lookup reg 1 len 4			lookup reg 1 len 4 => reg 2
 *						(reg 0: a verdict map)
 *	set reg 1 in 4 { 0x0a000001 0x0a000008-0x0a00000f }	a set that never
 *	set reg 1 out 4 { 0x0a000001 }				changes, or not in
 *	set reg 1 in 4.2 { 0x0a00000100160000 }			concatenation
 *	map reg 1 in 2 { 0x0016=accept 0x0050=jump 0xffff-0xffff=drop *=return }
 *	dynset reg 1 len 4
 *	match state 0 0x04000000		of x_tables: revision, info
 *	counter					any name, without attributes
 *	expr nat 5=1				any name, attribute 5 is 1
 *
 * The attributes are written in the order in which the kernel's dump functions
 * write them.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <linux/netfilter/nf_tables_compat.h>
#include "expr.h"

struct word {
	const char	*name;
	u32		val;
};

static const struct word bases[] = {
	{ "link", NFT_PAYLOAD_LL_HEADER },
	{ "network", NFT_PAYLOAD_NETWORK_HEADER },
	{ "transport", NFT_PAYLOAD_TRANSPORT_HEADER },
	{ "inner", NFT_PAYLOAD_INNER_HEADER },
	{}
};

static const struct word metas[] = {
	{ "len", NFT_META_LEN }, { "protocol", NFT_META_PROTOCOL },
	{ "nfproto", NFT_META_NFPROTO }, { "l4proto", NFT_META_L4PROTO },
	{ "priority", NFT_META_PRIORITY }, { "mark", NFT_META_MARK },
	{ "iif", NFT_META_IIF }, { "oif", NFT_META_OIF },
	{ "iifname", NFT_META_IIFNAME }, { "oifname", NFT_META_OIFNAME },
	{ "iiftype", NFT_META_IIFTYPE }, { "oiftype", NFT_META_OIFTYPE },
	{ "pkttype", NFT_META_PKTTYPE }, { "nftrace", NFT_META_NFTRACE },
	{ "skuid", NFT_META_SKUID }, { "cpu", NFT_META_CPU },
	{}
};

static const struct word cts[] = {
	{ "state", NFT_CT_STATE }, { "direction", NFT_CT_DIRECTION },
	{ "status", NFT_CT_STATUS }, { "mark", NFT_CT_MARK },
	{ "l3proto", NFT_CT_L3PROTOCOL }, { "labels", NFT_CT_LABELS },
	{}
};

static const struct word cmps[] = {
	{ "eq", NFT_CMP_EQ }, { "neq", NFT_CMP_NEQ }, { "lt", NFT_CMP_LT },
	{ "lte", NFT_CMP_LTE }, { "gt", NFT_CMP_GT }, { "gte", NFT_CMP_GTE },
	{}
};

static const struct word ranges[] = {
	{ "eq", NFT_RANGE_EQ }, { "neq", NFT_RANGE_NEQ },
	{}
};

static const struct word shifts[] = {
	{ "<<", NFT_BITWISE_LSHIFT }, { ">>", NFT_BITWISE_RSHIFT },
	{}
};

static const struct word bitregs[] = {
	{ "|", X_BITWISE_OR }, { "&", X_BITWISE_AND }, { "^", X_BITWISE_XOR },
	{}
};

static const struct word orders[] = {
	{ "ntoh", NFT_BYTEORDER_NTOH }, { "hton", NFT_BYTEORDER_HTON },
	{}
};

static const struct word verdicts[] = {
	{ "accept", NF_ACCEPT }, { "drop", NF_DROP }, { "queue", NF_QUEUE },
	{ "return", (u32)NFT_RETURN }, { "continue", (u32)NFT_CONTINUE },
	{ "break", (u32)NFT_BREAK }, { "jump", (u32)NFT_JUMP },
	{ "goto", (u32)NFT_GOTO },
	{}
};

/* Each list ends in an entry without a name */
static bool word_val(const struct word *w, const char *name, u32 *val)
{
	for (; w->name; w++) {
		if (strcmp(w->name, name))
			continue;
		*val = w->val;
		return true;
	}
	return false;
}

static const char *word_name(const struct word *w, u32 val)
{
	for (; w->name; w++)
		if (w->val == val)
			return w->name;
	return "?";
}

static bool parse_bytes(const char *hex, u8 *data, u32 *len, u32 max)
{
	u32 n = strlen(hex), i;
	unsigned int byte;

	if (n % 2 || n / 2 > max)
		return false;
	for (i = 0; i < n / 2; i++) {
		if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
			return false;
		data[i] = byte;
	}
	*len = n / 2;
	return true;
}

static bool parse_hex(const char *hex, u8 *data, u32 *len)
{
	return parse_bytes(hex, data, len, X_DATA);
}

#define HEX	"0x%32[0-9a-f]"

static bool parse_bitwise(const char *s, struct x_expr *x)
{
	char hex[33], hex2[33], op[3];
	u32 n2;
	int n = -1;

	x->kind = X_BITWISE;
	x->op = NFT_BITWISE_MASK_XOR;
	if (sscanf(s, "bitwise reg %u = ( reg %u & " HEX " ) ^ " HEX "%n",
		   &x->dreg, &x->sreg, hex, hex2, &n) == 4)
		return n == (int)strlen(s) &&
		       parse_hex(hex, x->data, &x->dlen) &&
		       parse_hex(hex2, x->data2, &n2) && n2 == x->dlen &&
		       (x->len = n2);
	x->kind = X_SHIFT;
	if (sscanf(s, "bitwise %ub reg %u = ( reg %u %2[<>] %u )%n", &x->len,
		   &x->dreg, &x->sreg, op, &x->shift, &n) == 5)
		return n == (int)strlen(s) && word_val(shifts, op, &x->op);
	x->kind = X_BITREG;
	if (sscanf(s, "bitwise %ub reg %u = ( reg %u %1[|&^] reg %u )%n",
		   &x->len, &x->dreg, &x->sreg, op, &x->sreg2, &n) == 5)
		return n == (int)strlen(s) && word_val(bitregs, op, &x->op);
	return false;
}

/* fields, then elements, in which a jump goes to a chain of its own */
static bool parse_set(const char *s, struct x_expr *x)
{
	char name[4], way[4], verdict[16], hex[33], *copy, *w, *save;
	u32 len, v;
	int n = -1;
	bool ok;

	x->kind = X_SET;
	if (sscanf(s, "%3[setmap] reg %u %3[inout] %n", name, &x->sreg, way,
		   &n) != 3 || n < 0)
		return false;
	if (!strcmp(name, "map"))
		x->kind = X_MAP;
	x->inv = !strcmp(way, "out");
	copy = strdup(s + n);
	w = strtok_r(copy, " ", &save);
	for (; w && x->nfields < X_FIELDS; w = strchr(w, '.') + 1) {
		x->field[x->nfields] = atoi(w);
		x->len += ALIGN(x->field[x->nfields++], 4);
		if (!strchr(w, '.'))
			break;
	}
	if (x->nfields == 1)
		x->len = x->field[0];
	w = strtok_r(NULL, " ", &save);
	ok = w && !strcmp(w, "{");
	while (ok && (w = strtok_r(NULL, " ", &save)) && strcmp(w, "}")) {
		struct x_elem *e = &x->elem[x->nelems++];

		if (x->nelems > X_ELEMS)
			break;
		e->catchall = *w == '*';
		if (!e->catchall) {
			ok = sscanf(w, HEX, hex) == 1 &&
			     parse_hex(hex, e->lo, &len) && len == x->len;
			memcpy(e->hi, e->lo, X_DATA);
			if (ok && strchr(w, '-'))
				ok = sscanf(strchr(w, '-') + 1, HEX,
					    hex) == 1 &&
				     parse_hex(hex, e->hi, &len) &&
				     len == x->len;
		}
		if (ok && x->kind == X_MAP) {
			ok = strchr(w, '=') &&
			     sscanf(strchr(w, '=') + 1, "%15s", verdict) == 1 &&
			     word_val(verdicts, verdict, &v);
			e->verdict = v;
			if (e->verdict == NFT_JUMP || e->verdict == NFT_GOTO)
				e->target = x->nelems;
		}
	}
	ok = ok && w && !strcmp(w, "}") && x->nelems <= X_ELEMS;
	free(copy);
	return ok;
}

static bool parse_other(const char *s, struct x_expr *x)
{
	unsigned int type, val;
	int n = -1;

	x->kind = X_OTHER;
	if (sscanf(s, "expr %15[a-z_0-9]%n", x->name, &n) != 1)
		return sscanf(s, "%15[a-z_0-9]%n", x->name, &n) == 1 &&
		       n == (int)strlen(s);
	for (s += n; *s; s += n) {
		n = -1;
		if (x->nattr == X_ATTRS ||
		    sscanf(s, " %u=%u%n", &type, &val, &n) != 2)
			return false;
		x->attr[x->nattr].type = type;
		x->attr[x->nattr++].val = val;
	}
	return true;
}

/* Text to expression; NULL or what is wrong */
const char *x_parse(const char *line, struct x_expr *x)
{
	char hex[33], hex2[33], w[16];
	const char *s = line;
	u32 n2, v;
	int n = -1;
	bool ok;

	memset(x, 0, sizeof(*x));
#define DONE	(n == (int)strlen(s))
	if (sscanf(s, "payload load %ub @ %15s header + %u => reg %u%n",
		   &x->len, w, &x->off, &x->dreg, &n) == 4) {
		x->kind = X_PAYLOAD;
		ok = DONE && word_val(bases, w, &x->base);
	} else if (sscanf(s, "payload write reg %u => %ub @ %15s header + %u%n",
			  &x->sreg, &x->len, w, &x->off, &n) == 4) {
		x->kind = X_PAYLOAD_SET;
		ok = DONE && word_val(bases, w, &x->base);
	} else if (sscanf(s, "meta load %15s => reg %u%n", w, &x->dreg,
			  &n) == 2) {
		x->kind = X_META;
		ok = DONE && word_val(metas, w, &x->key);
	} else if (sscanf(s, "meta set %15s with reg %u%n", w, &x->sreg,
			  &n) == 2) {
		x->kind = X_META_SET;
		ok = DONE && word_val(metas, w, &x->key);
	} else if (sscanf(s, "ct load %15s => reg %u%n", w, &x->dreg,
			  &n) == 2) {
		x->kind = X_CT;
		ok = DONE && word_val(cts, w, &x->key);
	} else if (sscanf(s, "ct set %15s with reg %u%n", w, &x->sreg,
			  &n) == 2) {
		x->kind = X_CT_SET;
		ok = DONE && word_val(cts, w, &x->key);
	} else if (sscanf(s, "cmp %15s reg %u " HEX "%n", w, &x->sreg, hex,
			  &n) == 3) {
		x->kind = X_CMP;
		ok = DONE && word_val(cmps, w, &x->op) &&
		     parse_hex(hex, x->data, &x->dlen);
	} else if (sscanf(s, "range %15s reg %u " HEX " " HEX "%n", w, &x->sreg,
			  hex, hex2, &n) == 4) {
		x->kind = X_RANGE;
		ok = DONE && word_val(ranges, w, &x->op) &&
		     parse_hex(hex, x->data, &x->dlen) &&
		     parse_hex(hex2, x->data2, &n2) && n2 == x->dlen;
	} else if (!strncmp(s, "match ", 6)) {
		x->kind = X_MATCH;
		ok = sscanf(s, "match %15[a-z0-9] %u 0x%n", x->name, &x->rev,
			    &n) == 2 && n > 0 &&
		     parse_bytes(s + n, x->info.raw, &x->len,
				 sizeof(x->info.raw));
	} else if (!strncmp(s, "set ", 4) || !strncmp(s, "map ", 4)) {
		ok = parse_set(s, x);
	} else if (!strncmp(s, "bitwise ", 8)) {
		ok = parse_bitwise(s, x);
	} else if (sscanf(s, "byteorder reg %u = %4[hton](reg %u, %u, %u)%n",
			  &x->dreg, w, &x->sreg, &x->size, &x->len, &n) == 5) {
		x->kind = X_BYTEORDER;
		ok = DONE && word_val(orders, w, &x->op);
	} else if (sscanf(s, "immediate reg 0 %15[a-z]%n", w, &n) == 1) {
		x->kind = X_VERDICT;
		ok = DONE && word_val(verdicts, w, &v);
		x->verdict = ok ? (s32)v : 0;
	} else if (sscanf(s, "immediate reg %u " HEX "%n", &x->dreg, hex,
			  &n) == 2) {
		x->kind = X_IMMEDIATE;
		ok = DONE && parse_hex(hex, x->data, &x->dlen);
	} else if (sscanf(s, "lookup reg %u len %u%n", &x->sreg, &x->len,
			  &n) == 2) {
		x->kind = X_LOOKUP;
		x->size = !DONE;
		ok = DONE ||
		     (sscanf(s, "lookup reg %*u len %*u => reg %u%n", &x->dreg,
			     &n) == 1 && DONE);
	} else if (sscanf(s, "dynset reg %u len %u%n", &x->sreg, &x->len,
			  &n) == 2) {
		x->kind = X_DYNSET;
		ok = DONE;
	} else {
		ok = parse_other(s, x);
	}
	return ok ? NULL : line;
#undef DONE
}

static void print_hex(FILE *f, const u8 *data, u32 len)
{
	u32 i;

	fprintf(f, "0x");
	for (i = 0; i < len; i++)
		fprintf(f, "%02x", data[i]);
}

static void print_set(FILE *f, const struct x_expr *x)
{
	u32 i;

	fprintf(f, "%s reg %u %s ", x->kind == X_MAP ? "map" : "set", x->sreg,
		x->inv ? "out" : "in");
	for (i = 0; i < x->nfields; i++)
		fprintf(f, "%s%u", i ? "." : "", x->field[i]);
	fprintf(f, " {");
	for (i = 0; i < x->nelems; i++) {
		const struct x_elem *e = &x->elem[i];

		fprintf(f, e->catchall ? " *" : " ");
		if (!e->catchall)
			print_hex(f, e->lo, x->len);
		if (memcmp(e->lo, e->hi, x->len)) {
			fprintf(f, "-");
			print_hex(f, e->hi, x->len);
		}
		if (x->kind == X_MAP)
			fprintf(f, "=%s", word_name(verdicts, (u32)e->verdict));
	}
	fprintf(f, " }");
}

/* Expression to text */
void x_print(FILE *f, const struct x_expr *x)
{
	u32 i;

	switch (x->kind) {
	case X_PAYLOAD:
		fprintf(f, "payload load %ub @ %s header + %u => reg %u",
			x->len, word_name(bases, x->base), x->off, x->dreg);
		break;
	case X_PAYLOAD_SET:
		fprintf(f, "payload write reg %u => %ub @ %s header + %u",
			x->sreg, x->len, word_name(bases, x->base), x->off);
		break;
	case X_META:
		fprintf(f, "meta load %s => reg %u", word_name(metas, x->key),
			x->dreg);
		break;
	case X_META_SET:
		fprintf(f, "meta set %s with reg %u", word_name(metas, x->key),
			x->sreg);
		break;
	case X_CT:
		fprintf(f, "ct load %s => reg %u", word_name(cts, x->key), x->dreg);
		break;
	case X_CT_SET:
		fprintf(f, "ct set %s with reg %u", word_name(cts, x->key), x->sreg);
		break;
	case X_CMP:
		fprintf(f, "cmp %s reg %u ", word_name(cmps, x->op), x->sreg);
		print_hex(f, x->data, x->dlen);
		break;
	case X_RANGE:
		fprintf(f, "range %s reg %u ", word_name(ranges, x->op), x->sreg);
		print_hex(f, x->data, x->dlen);
		fprintf(f, " ");
		print_hex(f, x->data2, x->dlen);
		break;
	case X_BITWISE:
		fprintf(f, "bitwise reg %u = ( reg %u & ", x->dreg, x->sreg);
		print_hex(f, x->data, x->dlen);
		fprintf(f, " ) ^ ");
		print_hex(f, x->data2, x->dlen);
		break;
	case X_SHIFT:
		fprintf(f, "bitwise %ub reg %u = ( reg %u %s %u )", x->len,
			x->dreg, x->sreg, word_name(shifts, x->op), x->shift);
		break;
	case X_BITREG:
		fprintf(f, "bitwise %ub reg %u = ( reg %u %s reg %u )", x->len,
			x->dreg, x->sreg, word_name(bitregs, x->op), x->sreg2);
		break;
	case X_BYTEORDER:
		fprintf(f, "byteorder reg %u = %s(reg %u, %u, %u)", x->dreg,
			word_name(orders, x->op), x->sreg, x->size, x->len);
		break;
	case X_IMMEDIATE:
		fprintf(f, "immediate reg %u ", x->dreg);
		print_hex(f, x->data, x->dlen);
		break;
	case X_VERDICT:
		fprintf(f, "immediate reg 0 %s",
			word_name(verdicts, (u32)x->verdict));
		break;
	case X_LOOKUP:
		fprintf(f, "lookup reg %u len %u", x->sreg, x->len);
		if (x->size)
			fprintf(f, " => reg %u", x->dreg);
		break;
	case X_SET:
	case X_MAP:
		print_set(f, x);
		break;
	case X_DYNSET:
		fprintf(f, "dynset reg %u len %u", x->sreg, x->len);
		break;
	case X_MATCH:
		fprintf(f, "match %s %u ", x->name, x->rev);
		print_hex(f, x->info.raw, x->len);
		break;
	default:
		fprintf(f, "%s%s", x->nattr ? "expr " : "", x->name);
		for (i = 0; i < x->nattr; i++)
			fprintf(f, " %u=%u", x->attr[i].type, x->attr[i].val);
	}
	fprintf(f, "\n");
}

void x_print_chain(FILE *f, const struct x_chain *c)
{
	u32 i, j;

	for (i = 0; i < c->n; i++) {
		fprintf(f, "rule\n");
		for (j = 0; j < c->rule[i].n; j++) {
			fprintf(f, "\t");
			x_print(f, &c->rule[i].e[j]);
		}
	}
}

/* Lines up to one that starts with "==", "rule" begins one, # is a comment */
const char *x_parse_chain(const char *text, struct x_chain *c)
{
	static char line[2000];
	struct x_rule *rule;
	const char *why;
	size_t n;

	c->n = 0;
	for (; *text && strncmp(text, "==", 2); text += n + !!text[n]) {
		n = strcspn(text, "\n");
		if (n >= sizeof(line))
			return "line too long";
		memcpy(line, text, n);
		line[n] = 0;
		if (!line[strspn(line, " \t")] || line[0] == '#')
			continue;
		if (!strcmp(line, "rule")) {
			if (c->n == X_RULES)
				return "too many rules";
			c->rule[c->n++].n = 0;
			continue;
		}
		if (!c->n)
			return "no rule begun";
		rule = &c->rule[c->n - 1];
		if (rule->n == X_EXPRS)
			return "too many expressions";
		why = x_parse(line + strspn(line, " \t"), &rule->e[rule->n++]);
		if (why)
			return why;
	}
	return c->n ? NULL : "no rules";
}

struct buf {
	u8	*p;
	u32	n;
	u32	max;
};

static u32 put(struct buf *b, u16 type, const void *data, u32 len)
{
	struct nlattr a = { .nla_len = NLA_HDRLEN + len, .nla_type = type };
	u32 at = b->n, all = NLA_ALIGN(a.nla_len);

	if (b->n + all > b->max)
		abort();
	memset(b->p + at, 0, all);
	memcpy(b->p + at, &a, sizeof(a));
	if (len)
		memcpy(b->p + at + NLA_HDRLEN, data, len);
	b->n += all;
	return at;
}

static void put_u32(struct buf *b, u16 type, u32 val)
{
	val = htonl(val);
	put(b, type, &val, sizeof(val));
}

/* A nest is closed by giving it its length */
static u32 nest(struct buf *b, u16 type)
{
	return put(b, type | NLA_F_NESTED, NULL, 0);
}

static void nest_end(struct buf *b, u32 at)
{
	struct nlattr a;

	memcpy(&a, b->p + at, sizeof(a));
	a.nla_len = b->n - at;
	memcpy(b->p + at, &a, sizeof(a));
}

static void put_data(struct buf *b, u16 type, const u8 *data, u32 len)
{
	u32 at = nest(b, type);

	put(b, NFTA_DATA_VALUE, data, len);
	nest_end(b, at);
}

static void put_verdict(struct buf *b, s32 verdict)
{
	u32 data = nest(b, NFTA_IMMEDIATE_DATA), at;

	at = nest(b, NFTA_DATA_VERDICT);
	put_u32(b, NFTA_VERDICT_CODE, verdict);
	if (verdict == NFT_JUMP || verdict == NFT_GOTO)
		put(b, NFTA_VERDICT_CHAIN, "there", 6);
	nest_end(b, at);
	nest_end(b, data);
}

static void put_bitwise(struct buf *b, const struct x_expr *x)
{
	put_u32(b, NFTA_BITWISE_SREG, x->sreg);
	put_u32(b, NFTA_BITWISE_DREG, x->dreg);
	put_u32(b, NFTA_BITWISE_LEN, x->len);
	put_u32(b, NFTA_BITWISE_OP, x->op);
	if (x->kind == X_BITWISE) {
		put_data(b, NFTA_BITWISE_MASK, x->data, x->dlen);
		put_data(b, NFTA_BITWISE_XOR, x->data2, x->dlen);
	} else if (x->kind == X_SHIFT) {
		put_data(b, NFTA_BITWISE_DATA, (const u8 *)&x->shift, 4);
	} else {
		put_u32(b, X_BITWISE_SREG2, x->sreg2);
	}
}

/* An expression of no more than numbers, those of the one in it behind them */
static void put_other(struct buf *b, const struct x_expr *x)
{
	u32 i, of, at, data;

	for (i = 0; i < x->nattr && x->attr[i].type < X_IN_PAYLOAD; i++)
		put_u32(b, x->attr[i].type, x->attr[i].val);
	if (i == x->nattr)
		return;
	of = x->attr[i].type < X_IN_META ? X_IN_PAYLOAD : X_IN_META;
	at = nest(b, X_INNER_EXPR);
	if (of == X_IN_META)
		put(b, NFTA_EXPR_NAME, "meta", 5);
	else
		put(b, NFTA_EXPR_NAME, "payload", 8);
	data = nest(b, NFTA_EXPR_DATA);
	for (; i < x->nattr; i++)
		put_u32(b, x->attr[i].type - of, x->attr[i].val);
	nest_end(b, data);
	nest_end(b, at);
}

/* Expression to attributes; bytes written */
u32 x_attrs(const struct x_expr *x, u8 *to, u32 room)
{
	struct buf b = { .p = to, .max = room };

	switch (x->kind) {
	case X_PAYLOAD:
		put_u32(&b, NFTA_PAYLOAD_DREG, x->dreg);
		put_u32(&b, NFTA_PAYLOAD_BASE, x->base);
		put_u32(&b, NFTA_PAYLOAD_OFFSET, x->off);
		put_u32(&b, NFTA_PAYLOAD_LEN, x->len);
		break;
	case X_PAYLOAD_SET:
		put_u32(&b, NFTA_PAYLOAD_SREG, x->sreg);
		put_u32(&b, NFTA_PAYLOAD_BASE, x->base);
		put_u32(&b, NFTA_PAYLOAD_OFFSET, x->off);
		put_u32(&b, NFTA_PAYLOAD_LEN, x->len);
		put_u32(&b, NFTA_PAYLOAD_CSUM_TYPE, NFT_PAYLOAD_CSUM_NONE);
		put_u32(&b, NFTA_PAYLOAD_CSUM_OFFSET, 0);
		put_u32(&b, NFTA_PAYLOAD_CSUM_FLAGS, 0);
		break;
	case X_META:
		put_u32(&b, NFTA_META_KEY, x->key);
		put_u32(&b, NFTA_META_DREG, x->dreg);
		break;
	case X_META_SET:
		put_u32(&b, NFTA_META_KEY, x->key);
		put_u32(&b, NFTA_META_SREG, x->sreg);
		break;
	case X_CT:
		put_u32(&b, NFTA_CT_DREG, x->dreg);
		put_u32(&b, NFTA_CT_KEY, x->key);
		break;
	case X_CT_SET:
		put_u32(&b, NFTA_CT_KEY, x->key);
		put_u32(&b, NFTA_CT_SREG, x->sreg);
		break;
	case X_CMP:
		put_u32(&b, NFTA_CMP_SREG, x->sreg);
		put_u32(&b, NFTA_CMP_OP, x->op);
		put_data(&b, NFTA_CMP_DATA, x->data, x->dlen);
		break;
	case X_RANGE:
		put_u32(&b, NFTA_RANGE_SREG, x->sreg);
		put_u32(&b, NFTA_RANGE_OP, x->op);
		put_data(&b, NFTA_RANGE_FROM_DATA, x->data, x->dlen);
		put_data(&b, NFTA_RANGE_TO_DATA, x->data2, x->dlen);
		break;
	case X_BITWISE:
	case X_SHIFT:
	case X_BITREG:
		put_bitwise(&b, x);
		break;
	case X_BYTEORDER:
		put_u32(&b, NFTA_BYTEORDER_SREG, x->sreg);
		put_u32(&b, NFTA_BYTEORDER_DREG, x->dreg);
		put_u32(&b, NFTA_BYTEORDER_OP, x->op);
		put_u32(&b, NFTA_BYTEORDER_LEN, x->len);
		put_u32(&b, NFTA_BYTEORDER_SIZE, x->size);
		break;
	case X_IMMEDIATE:
		put_u32(&b, NFTA_IMMEDIATE_DREG, x->dreg);
		put_data(&b, NFTA_IMMEDIATE_DATA, x->data, x->dlen);
		break;
	case X_VERDICT:
		put_u32(&b, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
		put_verdict(&b, x->verdict);
		break;
	case X_LOOKUP:
		put(&b, NFTA_LOOKUP_SET, "s", 2);
		put_u32(&b, NFTA_LOOKUP_SREG, x->sreg);
		if (x->size)
			put_u32(&b, NFTA_LOOKUP_DREG, x->dreg);
		put_u32(&b, NFTA_LOOKUP_FLAGS, 0);
		break;
	case X_SET:
	case X_MAP:
		put(&b, NFTA_LOOKUP_SET, "s", 2);
		put_u32(&b, NFTA_LOOKUP_SREG, x->sreg);
		if (x->kind == X_MAP)
			put_u32(&b, NFTA_LOOKUP_DREG, NFT_REG_VERDICT);
		put_u32(&b, NFTA_LOOKUP_FLAGS, x->inv ? NFT_LOOKUP_F_INV : 0);
		break;
	case X_DYNSET:
		put_u32(&b, NFTA_DYNSET_SREG_KEY, x->sreg);
		put_u32(&b, NFTA_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
		put(&b, NFTA_DYNSET_SET_NAME, "s", 2);
		break;
	case X_MATCH:
		put(&b, NFTA_MATCH_NAME, x->name, strlen(x->name) + 1);
		put_u32(&b, NFTA_MATCH_REV, x->rev);
		put(&b, NFTA_MATCH_INFO, &x->info, x->len);
		break;
	default:
		put_other(&b, x);
	}
	return b.n;
}

/* Name of the type in the kernel */
const char *x_name(const struct x_expr *x)
{
	static const char * const names[] = {
		[X_PAYLOAD] = "payload", [X_PAYLOAD_SET] = "payload",
		[X_META] = "meta", [X_META_SET] = "meta",
		[X_CT] = "ct", [X_CT_SET] = "ct",
		[X_CMP] = "cmp", [X_RANGE] = "range",
		[X_BITWISE] = "bitwise", [X_SHIFT] = "bitwise",
		[X_BITREG] = "bitwise", [X_BYTEORDER] = "byteorder",
		[X_IMMEDIATE] = "immediate", [X_VERDICT] = "immediate",
		[X_LOOKUP] = "lookup", [X_SET] = "lookup",
		[X_MAP] = "lookup", [X_DYNSET] = "dynset",
		[X_MATCH] = "match",
	};

	return x->kind == X_OTHER ? x->name : names[x->kind];
}

/* A set as the module would have read it */
static struct nfj_set_in *set_in(const struct x_expr *x, u32 slot)
{
	static struct nfj_elem_in elems[X_EXPRS][X_ELEMS];
	static struct nfj_set_in sets[X_EXPRS];
	struct nfj_set_in *set = &sets[slot];
	u32 i;

	memset(set, 0, sizeof(*set));
	memset(elems[slot], 0, sizeof(elems[slot]));
	set->verdicts = x->kind == X_MAP;
	set->nfields = x->nfields;
	memcpy(set->field_len, x->field, x->nfields);
	set->nelems = x->nelems;
	set->elems = elems[slot];
	for (i = 0; i < x->nelems; i++) {
		struct nfj_elem_in *e = &elems[slot][i];

		memcpy(e->lo, x->elem[i].lo, X_DATA);
		memcpy(e->hi, x->elem[i].hi, X_DATA);
		e->verdict = x->elem[i].verdict;
		e->target = (const void *)(uintptr_t)x->elem[i].target;
		set->catchall |= x->elem[i].catchall;
	}
	return set;
}

/* An empty chain, of a family that has matches of x_tables if @c has some */
void x_init(const struct x_chain *c, struct nfj_ir *ir)
{
	u32 i, j;

	nfj_ir_init(ir);
	for (i = 0; i < c->n; i++)
		for (j = 0; j < c->rule[i].n; j++)
			if (c->rule[i].e[j].kind == X_MATCH)
				ir->family = NFPROTO_IPV4;
}

/* Through the front end, as the module does it: 0 or its error */
int x_translate(const struct x_chain *c, struct nfj_ir *ir)
{
	x_init(c, ir);
	return x_translate_more(c, ir);
}

int x_translate_more(const struct x_chain *c, struct nfj_ir *ir)
{
	static struct nfj_expr_in in[X_EXPRS];
	static u64 words[X_EXPRS * 32];
	u8 *buf = (u8 *)words;
	u32 i, j, used;
	int err;

	for (i = 0; i < c->n; i++) {
		used = 0;
		for (j = 0; j < c->rule[i].n; j++) {
			const struct x_expr *x = &c->rule[i].e[j];

			memset(&in[j], 0, sizeof(in[j]));
			in[j].name = x_name(x);
			if (!nfj_frontend_wants(in[j].name))
				continue;
			in[j].attrs = (const void *)(buf + used);
			in[j].len = x_attrs(x, buf + used, sizeof(words) - used);
			used += in[j].len;
			if (x->kind >= X_LOOKUP && x->kind <= X_DYNSET)
				in[j].keylen = x->len;
			if (x->kind == X_SET || x->kind == X_MAP)
				in[j].set = set_in(x, j);
		}
		err = nfj_frontend_rule(ir, in, c->rule[i].n);
		if (err)
			return err;
	}
	return 0;
}

/* First byte of a register in the register file; netlink has two numberings */
int x_reg(u32 reg)
{
	if (reg >= NFT_REG_1 && reg <= NFT_REG_4)
		return (reg - NFT_REG_1) * 16;
	if (reg >= NFT_REG32_00 && reg <= NFT_REG32_15)
		return (reg - NFT_REG32_00) * 4;
	return -1;
}
