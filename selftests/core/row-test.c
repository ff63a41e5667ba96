// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every row of the front end, with an attribute and with a flag that it does not
 * know: the match part ends there, registers and verdicts are nobody's business
 * from there on, and nothing is taken to be as it was.
 */
#include <arpa/inet.h>
#include "expr.h"
#include "../../nft_bpfjit/frontend/frontend.h"

/* An expression of each type, as the tests write it; of those that the kernel does
 * not write out for us, its name alone
 */
static const char * const samples[] = {
	"payload load 4b @ network header + 16 => reg 2",
	"meta load mark => reg 2", "ct load state => reg 2",
	"cmp eq reg 1 0x00000001", "range eq reg 1 0x00000001 0x00000005",
	"bitwise reg 2 = ( reg 1 & 0xff000000 ) ^ 0x00000000",
	"byteorder reg 2 = hton(reg 1, 4, 4)", "immediate reg 2 0x00000001",
	"immediate reg 0 accept", "set reg 1 in 4 { 0x0a000001 }",
	"map reg 1 in 4 { 0x0a000001=accept }", "dynset reg 1 len 4",
	"expr objref 3=1", "counter", "log", "last", "limit", "quota",
	"connlimit", "reject", "notrack", "flow_offload", "synproxy",
	"expr nat 3=1 7=1", "expr masq 1=1", "expr redir 1=1 3=1",
	"expr tproxy 2=1", "expr dup 2=1", "expr fwd 1=1", "expr queue 4=1",
	"expr hash 1=1 2=2", "expr exthdr 1=2 4=4 5=1", "expr fib 1=2 2=1 3=1",
	"expr numgen 1=2", "expr rt 1=2 2=0", "expr socket 2=2 1=1",
	"expr osf 1=2 3=1", "expr tunnel 2=2 1=0", "expr xfrm 1=2 2=1",
	"expr inner 1=0 2=1 3=15 4=8 101=2 104=4",
	"match mark 1 0x01000000ffffffff0000000000", "expr target 2=0",
};

struct buf {
	u64	words[160];
	u32	n;
};

static void put(struct buf *b, u16 type, u32 val)
{
	u8 *to = (u8 *)b->words + b->n;
	struct nlattr a = { .nla_len = NLA_HDRLEN + 4, .nla_type = type };

	memcpy(to, &a, sizeof(a));
	val = htonl(val);
	memcpy(to + NLA_HDRLEN, &val, 4);
	b->n += NLA_HDRLEN + 4;
}

/* The flags that the sample has, with one more; as many bytes as it had */
static bool spoil_bits(struct buf *b, u8 attr)
{
	u8 *p = (u8 *)b->words;
	u32 at;

	for (at = 0; at + NLA_HDRLEN <= b->n;) {
		struct nlattr a;

		memcpy(&a, p + at, sizeof(a));
		if ((a.nla_type & NLA_TYPE_MASK) == attr) {
			p[at + NLA_HDRLEN] |= 0x80;
			return true;
		}
		at += NLA_ALIGN(a.nla_len);
	}
	return false;
}

enum { AS_IS, NEW_ATTR, NEW_ATTR_31, TWICE, CUT_OFF, NEW_BIT, NEWER_TYPE, WAYS };

/* load => reg 1, the expression, a test of another register, accept */
static int translate(struct nfj_ir *ir, const struct x_expr *x,
		     const struct nfj_fe_row *row, u32 way)
{
	static const char * const around[] = {
		"payload load 4b @ network header + 12 => reg 1",
		"cmp neq reg 1 0x00000000",
		NULL,
		"meta load mark => reg 3", "cmp eq reg 3 0x01000000",
		"counter", "immediate reg 0 accept",
	};
	static struct nfj_elem_in elem;
	static struct nfj_set_in set = {
		.nfields = 1, .field_len = { 4 }, .nelems = 1, .elems = &elem,
	};
	static struct buf buf[ARRAY_SIZE(around)];
	static struct x_expr expr[ARRAY_SIZE(around)];
	struct nfj_expr_in in[ARRAY_SIZE(around)];
	u32 i;

	memset(in, 0, sizeof(in));
	for (i = 0; i < ARRAY_SIZE(around); i++) {
		expr[i] = *x;
		if (around[i] && x_parse(around[i], &expr[i]))
			return -1;
		in[i].name = x_name(&expr[i]);
		buf[i].n = x_attrs(&expr[i], (u8 *)buf[i].words,
				   sizeof(buf[i].words) - 16);
		if (around[i])
			continue;
		if (x->kind >= X_LOOKUP && x->kind <= X_DYNSET)
			in[i].keylen = 4;
		set.verdicts = x->kind == X_MAP;
		elem.verdict = NF_ACCEPT;
		if (x->kind == X_SET || x->kind == X_MAP)
			in[i].set = &set;
		switch (way) {
		case NEW_ATTR:
			put(&buf[i], 24, 1);
			break;
		case NEW_ATTR_31:
			put(&buf[i], 40, 1);
			break;
		case TWICE:
			put(&buf[i], 1, 1);
			put(&buf[i], 1, 1);
			break;
		case CUT_OFF:
			buf[i].n += 3;
			break;
		case NEW_BIT:
			if (!spoil_bits(&buf[i], row->bits_attr))
				put(&buf[i], row->bits_attr, 0x80000000);
			break;
		case NEWER_TYPE:
			in[i].maxattr = 24;
			break;
		}
	}
	for (i = 0; i < ARRAY_SIZE(around); i++) {
		if (!nfj_frontend_wants(in[i].name))
			continue;
		in[i].attrs = (const void *)buf[i].words;
		in[i].len = buf[i].n;
	}
	nfj_ir_init(ir);
	ir->family = NFPROTO_IPV4;
	return nfj_frontend_rule(ir, in, ARRAY_SIZE(around));
}

/* What is to be seen where the row does not know all of it */
static const char *left_alone(const struct nfj_ir *ir)
{
	const struct nfj_entry *e = &ir->entries[0];
	u32 i;

	if (ir->nentries != 1)
		return "it became several entries";
	if (e->stop != 2 || e->cut > 2)
		return "the match part goes on behind it";
	if (e->end < 6)
		return "its verdict is believed";
	if (e->flags & (NFJ_ENTRY_TERMINAL | NFJ_ENTRY_WHOLE | NFJ_ENTRY_DEAD))
		return "it is taken to be whole, dead or the end";
	if (e->changes != NFJ_GROUPS_ALL || !(e->flags & NFJ_ENTRY_JUMPS))
		return "it is taken to change nothing, or not to jump";
	for (i = 0; i < e->ntests; i++)
		if (ir->tests[e->first + i].off == offsetof(struct nfj_key, mark))
			return "what is behind it is tested";
	return NULL;
}

int test_rows(u32 arg)
{
	u32 i, j, way, spoilt = 0;

	for (i = 0; i < nfj_fe_nrows; i++) {
		const struct nfj_fe_row *row = &nfj_fe_rows[i];
		bool found = false;

		for (j = 0; j < ARRAY_SIZE(samples); j++) {
			struct x_expr x;
			struct nfj_ir ir;
			const char *why;

			if (x_parse(samples[j], &x))
				return fail("not understood: %s", samples[j]);
			if (strcmp(x_name(&x), row->name))
				continue;
			found = true;
			for (way = AS_IS; way < WAYS; way++) {
				if ((way == NEW_BIT && !row->bits_attr) ||
				    (way == NEWER_TYPE && row->fn) ||
				    (way && way != NEWER_TYPE && !row->fn))
					continue;
				if (translate(&ir, &x, row, way))
					return fail("%s: no memory", samples[j]);
				why = left_alone(&ir);
				if (way && why)
					dump_ir(stdout, &ir);
				nfj_ir_free(&ir);
				/* a map in the middle of a rule always is */
				if (!way && !why && x.kind != X_MAP)
					return fail("%s: not known as it is",
						    samples[j]);
				if (way && why)
					return fail("%s, way %u: %s",
						    samples[j], way, why);
				spoilt += !!way;
			}
		}
		if (!found)
			return fail("no sample of %s", row->name);
	}
	note("%u rows, %u spoilt expressions", i, spoilt);
	return TEST_OK;
}
