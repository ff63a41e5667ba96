// SPDX-License-Identifier: GPL-2.0-only
/*
 * IMR and programs as text, for the golden files.
 *
 * Places in the key have names instead of offsets, so that a golden file does
 * not change when a field of the key is moved.
 */
#include <inttypes.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include "core.h"

static const char *place(u32 off)
{
	const struct nfj_key_member *m = nfj_key_member(off);
	static char buf[24];

	snprintf(buf, sizeof(buf), off == m->off ? "%s" : "%s+%u", m->name,
		 off - m->off);
	return buf;
}

static void dump_test(FILE *f, const struct nfj_ir *ir,
		      const struct nfj_test *t, bool more)
{
	u32 i;
	u64 full = t->size == 8 ? ~0ULL : (1ULL << 8 * t->size) - 1;
	static const char * const kinds[] = {
		[NFJ_SET_IN] = "in", [NFJ_SET_OUT] = "not in",
		[NFJ_IN] = "in", [NFJ_OUT] = "not in",
		[NFJ_WIDE_IN] = "wide in", [NFJ_WIDE_OUT] = "wide not in",
	};

	fprintf(f, "\t%s%s %s%u", more ? "  and then " : "", place(t->off),
		t->size == 1 ? "u" : t->order == NFJ_BE ? "be" : "host",
		t->size * 8);
	if (t->mask != full)
		fprintf(f, " & %#llx", t->mask);
	fprintf(f, " %s ", kinds[t->kind]);
	if (t->kind == NFJ_SET_IN || t->kind == NFJ_SET_OUT) {
		fprintf(f, "{");
		for (i = 0; i < t->hi; i++) {
			const struct nfj_ival *v = &ir->ivals[t->lo + i];

			fprintf(f, v->lo == v->hi ? " %#llx" : " %#llx..%#llx",
				v->lo, v->hi);
		}
		fprintf(f, " }\n");
	} else if (t->lo == t->hi) {
		fprintf(f, "%#llx\n", t->lo);
	} else {
		fprintf(f, "%#llx..%#llx\n", t->lo, t->hi);
	}
}

static void dump_fill(FILE *f, const struct nfj_fill *fill)
{
	const u8 *v = (const u8 *)&fill->value;

	fprintf(f, "word %u = ", fill->word);
	if (fill->len)
		fprintf(f, "%s u%u, ", place(fill->off), fill->len * 8);
	else
		fprintf(f, "%02x%02x%02x%02x, ", v[0], v[1], v[2], v[3]);
}

static const char *verdict_name(s32 verdict)
{
	switch (verdict) {
	case NF_ACCEPT:
		return "accept";
	case NF_DROP:
		return "drop";
	case NF_QUEUE:
		return "queue";
	case NFT_RETURN:
		return "return";
	case NFT_BREAK:
		return "break";
	case NFT_CONTINUE:
		return "continue";
	case NFT_JUMP:
		return "jump";
	case NFT_GOTO:
		return "goto";
	}
	return "?";
}

/* An entry is its number, its rule's where that is another, its tests, and what
 * it does
 */
void dump_ir(FILE *f, const struct nfj_ir *ir)
{
	static const char * const flags[] = {
		"dead", "terminal", "whole", "jumps", "odd", "notin",
		"nobreak",
	};
	static const char * const groups[] = {
		"meta", "if", "iifname", "ct", "ll", "nh", "th", "base",
		"oifname",
	};
	u32 i, j, k, left;

	for (i = 0; i < ir->nentries; i++) {
		const struct nfj_entry *r = &ir->entries[i];

		fprintf(f, "entry %u", i);
		if (r->rule != i)
			fprintf(f, ", rule %u", r->rule);
		if (r->next != i + 1)
			fprintf(f, ", next %u", r->next);
		fprintf(f, "\n");
		for (j = 0, left = 0; j < r->ntests; j++) {
			const struct nfj_test *t = &ir->tests[r->first + j];

			dump_test(f, ir, t, left);
			left = left ? left - 1 : t->n - 1U;
		}
		fprintf(f, "\t-> ");
		for (j = 0; j < r->nfills; j++)
			dump_fill(f, &ir->fills[r->fill + j]);
		if (r->cut < r->end)
			fprintf(f, "expressions %u to %u, ", r->cut,
				r->end - 1);
		fprintf(f, "%s", verdict_name(r->verdict));
		if (r->target)
			fprintf(f, " %lu", (unsigned long)r->target);
		for (k = 0; k < ARRAY_SIZE(flags); k++)
			if (r->flags & 1U << k)
				fprintf(f, ", %s", flags[k]);
		if (r->changes)
			fprintf(f, ", changes%s",
				r->changes == NFJ_GROUPS_ALL ? " all" : "");
		for (k = 0; k < ARRAY_SIZE(groups); k++)
			if (r->changes != NFJ_GROUPS_ALL && r->changes & 1U << k)
				fprintf(f, " %s", groups[k]);
		fprintf(f, "\n");
	}
	if (ir->taint)
		fprintf(f, "taint:%s%s\n",
			ir->taint & NFJ_TAINT_TRACE ? " trace" : "",
			ir->taint & NFJ_TAINT_UNINIT ? " uninit" : "");
}

static void dump_insn(FILE *f, const struct bpf_insn *in, u32 at)
{
	static const char * const cmp[16] = {
		[BPF_JEQ >> 4] = "==", [BPF_JNE >> 4] = "!=",
		[BPF_JGT >> 4] = ">", [BPF_JGE >> 4] = ">=",
		[BPF_JLT >> 4] = "<", [BPF_JLE >> 4] = "<=",
	};
	u8 class = BPF_CLASS(in->code), op = BPF_OP(in->code);
	char r = class == BPF_ALU || class == BPF_JMP32 ? 'w' : 'r';

	fprintf(f, "%4u  ", at);
	if (class == BPF_LD) {
		fprintf(f, "r%u = %#llx\n", in->dst_reg,
			(u64)(u32)in[1].imm << 32 | (u32)in->imm);
	} else if (class == BPF_LDX) {
		fprintf(f, "r%u = u%u %s\n", in->dst_reg,
			BPF_SIZE(in->code) == BPF_B ? 8 :
			BPF_SIZE(in->code) == BPF_H ? 16 :
			BPF_SIZE(in->code) == BPF_W ? 32 : 64,
			place(in->off));
	} else if (in->code == (BPF_JMP | BPF_EXIT)) {
		fprintf(f, "exit\n");
	} else if (in->code == (BPF_JMP | BPF_JA)) {
		fprintf(f, "goto %u\n", at + 1 + in->off);
	} else if (class == BPF_JMP || class == BPF_JMP32) {
		fprintf(f, "if %c%u %s ", r, in->dst_reg, cmp[op >> 4]);
		if (BPF_SRC(in->code) == BPF_X)
			fprintf(f, "%c%u", r, in->src_reg);
		else
			fprintf(f, "%#x", in->imm);
		fprintf(f, " goto %u\n", at + 1 + in->off);
	} else if (op == BPF_END) {
		fprintf(f, "r%u = be%d r%u\n", in->dst_reg, in->imm,
			in->dst_reg);
	} else {
		fprintf(f, "%c%u %s ", r, in->dst_reg,
			op == BPF_MOV ? "=" : op == BPF_AND ? "&=" : "?=");
		if (BPF_SRC(in->code) == BPF_X)
			fprintf(f, "%c%u\n", r, in->src_reg);
		else if (in->imm < 0 && op == BPF_MOV)
			fprintf(f, "none\n");
		else if (op == BPF_MOV)
			fprintf(f, "%d\n", in->imm);
		else
			fprintf(f, "%#x\n", in->imm);
	}
}

void dump_code(FILE *f, const struct nfj_insns *code)
{
	static const char * const groups[] = {
		"meta", "if", "ifname", "ct", "ll", "nh", "th", "base",
	};
	const struct nfj_need *need = &code->need;
	u32 i;

	fprintf(f, "needs");
	for (i = 0; i < ARRAY_SIZE(groups); i++)
		if (need->groups & 1U << i)
			fprintf(f, " %s", groups[i]);
	if (need->nh_end)
		fprintf(f, " nh[%u..%u]", need->nh_first * 8,
			need->nh_end * 8 - 1);
	if (need->th_end)
		fprintf(f, " th[%u..%u]", need->th_first * 8,
			need->th_end * 8 - 1);
	fprintf(f, "\n");
	for (i = 0; i < code->n; i++) {
		dump_insn(f, &code->insn[i], i);
		if (BPF_CLASS(code->insn[i].code) == BPF_LD)
			i++;
	}
}
