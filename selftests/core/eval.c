// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reference for the translation of expressions: what nft would have done.
 *
 * x_interpret() is nft_do_chain() on a packet that is described by a struct
 * nfj_key: it evaluates every expression of every rule on a register file, the
 * way the kernel's *_eval functions do (6.1's or 6.12's, where they differ),
 * with no idea of tests, dimensions and programs.  x_matched() is what the
 * module does: ask the matcher for a rule, run its residue with those same
 * functions, go on behind it.
 *
 * Both leave behind a list of events: each expression with an effect that was
 * evaluated, with the value it was given.  The translation is right when the
 * lists and the verdicts are equal.  What an effect does is made up, but
 * depends on nothing but its place in the chain, its operands and how often
 * such things happened, and it does to the packet what the kernel's may do.
 */
#include "expr.h"

static u32 mix(u32 a, u32 b)
{
	u64 z = ((u64)a << 32 | b) + 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static u32 mix_bytes(const u8 *p, u32 n)
{
	u32 v = n;

	while (n--)
		v = mix(v, *p++);
	return v;
}

void x_event(struct x_run *run, u32 rule, u32 expr, u32 val)
{
	rule += run->first;
	run->hash = run->hash * 0x100000001b3ULL ^ mix(rule << 16 | expr, val);
	if (run->nevents < X_EVENTS) {
		struct x_event *e = &run->event[run->nevents];

		e->rule = rule;
		e->expr = expr;
		e->val = val;
	}
	run->nevents++;
}

/* Register file: the rest of the last word becomes zero, as in nft's stores */
static void store(struct x_run *run, u32 reg, const void *data, u32 len)
{
	u8 *to = run->regs + x_reg(reg);

	memset(to + len / 4 * 4, 0, len % 4 ? 4 : 0);
	memcpy(to, data, len);
}

/* What the engine reads anew: the members of some groups, and what says that they
 * exist
 */
void x_reread(struct nfj_key *key, const struct nfj_key *pkt, u32 groups)
{
	const u32 ct = NFJ_VALID_CT | NFJ_VALID_CTMARK;
	u32 valid = 0;

	if (groups == NFJ_GROUPS_ALL) {
		*key = *pkt;
		return;
	}
	if (groups & NFJ_GROUP_META) {
		key->len = pkt->len;
		key->mark = pkt->mark;
		key->priority = pkt->priority;
		key->protocol = pkt->protocol;
		key->pkttype = pkt->pkttype;
		valid |= NFJ_VALID_PKTTYPE;
	}
	if (groups & NFJ_GROUP_CT) {
		key->ct_dir = pkt->ct_dir;
		key->ct_state = pkt->ct_state;
		key->ct_status = pkt->ct_status;
		key->ct_mark = pkt->ct_mark;
		valid |= ct;
	}
	if (groups & NFJ_GROUP_LL) {
		key->ll_len = pkt->ll_len;
		memcpy(key->ll, pkt->ll, sizeof(key->ll));
	}
	if (groups & NFJ_GROUP_NH) {
		key->nh_len = pkt->nh_len;
		memcpy(key->nh, pkt->nh, sizeof(key->nh));
	}
	if (groups & NFJ_GROUP_TH) {
		key->th_len = pkt->th_len;
		key->thf_len = pkt->thf_len;
		memcpy(key->th, pkt->th, sizeof(key->th));
	}
	key->valid = (key->valid & ~valid) | (pkt->valid & valid);
}

struct field {
	u32	key;
	u32	koff;
	u32	len;
	u32	valid;
};

#define AT(member)	offsetof(struct nfj_key, member)

static const struct field metas[] = {
	{ NFT_META_LEN, AT(len), 4, 0 },
	{ NFT_META_PROTOCOL, AT(protocol), 2, 0 },
	{ NFT_META_NFPROTO, AT(nfproto), 1, 0 },
	{ NFT_META_L4PROTO, AT(l4proto), 1, NFJ_VALID_L4PROTO },
	{ NFT_META_PRIORITY, AT(priority), 4, 0 },
	{ NFT_META_MARK, AT(mark), 4, 0 },
	{ NFT_META_IIF, AT(iif), 4, 0 },
	{ NFT_META_OIF, AT(oif), 4, 0 },
	{ NFT_META_IIFNAME, AT(iifname), 16, 0 },
	{ NFT_META_OIFNAME, AT(oifname), 16, 0 },
	{ NFT_META_IIFTYPE, AT(iftype), 2, NFJ_VALID_IFTYPE },
	{ NFT_META_OIFTYPE, AT(oiftype), 2, NFJ_VALID_OIFTYPE },
	{ NFT_META_PKTTYPE, AT(pkttype), 1, NFJ_VALID_PKTTYPE },
	{}
};

static const struct field cts[] = {
	{ NFT_CT_STATE, AT(ct_state), 4, 0 },
	{ NFT_CT_DIRECTION, AT(ct_dir), 1, NFJ_VALID_CT },
	{ NFT_CT_STATUS, AT(ct_status), 4, NFJ_VALID_CT },
	{ NFT_CT_MARK, AT(ct_mark), 4, NFJ_VALID_CT },
	{}
};

static bool scalar(const struct field *f, u32 key, u32 *koff, u32 *len,
		   u32 *valid)
{
	for (; f->len; f++) {
		if (f->key != key)
			continue;
		*koff = f->koff;
		*len = f->len;
		*valid = f->valid;
		return true;
	}
	return false;
}

/* Where in the key a load finds its bytes; false: not in the key at all.
 * @valid: bit that must be set, or for a payload the offset of the length that
 * must reach behind it.
 */
bool x_field(const struct x_expr *x, u32 *koff, u32 *len, u32 *valid)
{
	u32 window;

	if (x->kind == X_META)
		return scalar(metas, x->key, koff, len, valid);
	if (x->kind == X_CT)
		return scalar(cts, x->key, koff, len, valid);
	*len = x->len;
	switch (x->base) {
	case NFT_PAYLOAD_LL_HEADER:
		*koff = offsetof(struct nfj_key, ll);
		*valid = offsetof(struct nfj_key, ll_len);
		window = NFJ_LL_WINDOW;
		break;
	case NFT_PAYLOAD_NETWORK_HEADER:
		*koff = offsetof(struct nfj_key, nh);
		*valid = offsetof(struct nfj_key, nh_len);
		window = NFJ_NH_WINDOW;
		break;
	case NFT_PAYLOAD_TRANSPORT_HEADER:
		*koff = offsetof(struct nfj_key, th);
		/* nft_payload_select_ops(): power of two, up to 4, aligned */
		*valid = x->len <= 4 && x->len != 3 && x->off % x->len == 0 ?
			 offsetof(struct nfj_key, thf_len) :
			 offsetof(struct nfj_key, th_len);
		window = NFJ_TH_WINDOW;
		break;
	default:
		return false;
	}
	*koff += x->off;
	return x->off + x->len <= window;
}

static u32 key_u32(const struct nfj_key *key, u32 off)
{
	u32 v;

	memcpy(&v, (const u8 *)key + off, sizeof(v));
	return v;
}

static s32 eval_load(struct x_run *run, const struct x_expr *x)
{
	u32 koff, len, valid, i;
	u8 made_up[64];

	if (!x_field(x, &koff, &len, &valid)) {
		/* something that the key knows nothing of */
		for (i = 0; i < sizeof(made_up); i++)
			made_up[i] = mix(mix(x->key, x->off + i), x->base);
		store(run, x->dreg, made_up, x->kind == X_PAYLOAD ? x->len : 4);
		return mix(x->off, x->key) & 8 ? NFT_CONTINUE : NFT_BREAK;
	}
	if (x->kind == X_PAYLOAD) {
		if (key_u32(&run->pkt, valid) < x->off + x->len)
			return NFT_BREAK;
	} else if ((run->pkt.valid & valid) != valid) {
		return NFT_BREAK;
	}
	store(run, x->dreg, (const u8 *)&run->pkt + koff, len);
	return NFT_CONTINUE;
}

static s32 eval_cmp(const struct x_run *run, const struct x_expr *x)
{
	int d = memcmp(run->regs + x_reg(x->sreg), x->data, x->dlen);
	bool ok = true;

	switch (x->op) {
	case NFT_CMP_EQ:
		ok = !d;
		break;
	case NFT_CMP_NEQ:
		ok = d;
		break;
	case NFT_CMP_LT:
		ok = d < 0;
		break;
	case NFT_CMP_LTE:
		ok = d <= 0;
		break;
	case NFT_CMP_GT:
		ok = d > 0;
		break;
	case NFT_CMP_GTE:
		ok = d >= 0;
		break;
	}
	return ok ? NFT_CONTINUE : NFT_BREAK;
}

static s32 eval_range(const struct x_run *run, const struct x_expr *x)
{
	const u8 *reg = run->regs + x_reg(x->sreg);
	bool in = memcmp(reg, x->data, x->dlen) >= 0 &&
		  memcmp(reg, x->data2, x->dlen) <= 0;

	return in == (x->op == NFT_RANGE_EQ) ? NFT_CONTINUE : NFT_BREAK;
}

/* Whole words, in host order; the first is the most significant */
static void eval_bitwise(struct x_run *run, const struct x_expr *x)
{
	u32 src[16], dst[16], mask[4] = {}, xor[4] = {}, i;
	u32 n = DIV_ROUND_UP(x->len, 4), carry = 0, k = x->shift;

	memcpy(src, run->regs + x_reg(x->sreg), n * 4);
	memcpy(mask, x->data, X_DATA);
	memcpy(xor, x->data2, X_DATA);
	switch (x->op) {
	case NFT_BITWISE_MASK_XOR:
		for (i = 0; i < n; i++)
			dst[i] = (src[i] & mask[i]) ^ xor[i];
		break;
	case NFT_BITWISE_LSHIFT:
		for (i = n; i-- > 0;) {
			dst[i] = src[i] << k | carry;
			carry = src[i] >> (32 - k);
		}
		break;
	case NFT_BITWISE_RSHIFT:
		for (i = 0; i < n; i++) {
			dst[i] = carry | src[i] >> k;
			carry = src[i] << (32 - k);
		}
		break;
	default:
		memcpy(dst, run->regs + x_reg(x->sreg2), n * 4);
		for (i = 0; i < n; i++)
			dst[i] = x->op == X_BITWISE_AND ? src[i] & dst[i] :
				 x->op == X_BITWISE_OR ? src[i] | dst[i] :
							 src[i] ^ dst[i];
	}
	memcpy(run->regs + x_reg(x->dreg), dst, n * 4);
}

static void swap_bytes(u8 *p, u32 n)
{
	u32 i;

	for (i = 0; i < n / 2; i++) {
		u8 c = p[i];

		p[i] = p[n - 1 - i];
		p[n - 1 - i] = c;
	}
}

static void eval_byteorder(struct x_run *run, const struct x_expr *x)
{
	const u8 *src = run->regs + x_reg(x->sreg);
	u8 *dst = run->regs + x_reg(x->dreg), b[64];
	u32 i, n = run->v61 ? x->len / x->size : 1;

	/* 6.1 advances by words of the source, whatever the size */
	for (i = 0; i < n; i++) {
		memcpy(b, src + (x->size == 8 ? i * 4 : i * x->size), x->size);
		swap_bytes(b, x->size);
		if (x->size == 2 && !run->v61)
			memset(dst, 0, 4);
		memcpy(dst + i * x->size, b, x->size);
	}
}

/* The register that an expression writes of which no more is known, or 0 */
static u32 other_dreg(const struct x_expr *x)
{
	static const struct {
		const char	*name;
		u16		type;
	} dregs[] = {
		{ "numgen", NFTA_NG_DREG }, { "fib", NFTA_FIB_DREG },
		{ "exthdr", NFTA_EXTHDR_DREG }, { "rt", NFTA_RT_DREG },
		{ "socket", NFTA_SOCKET_DREG }, { "osf", NFTA_OSF_DREG },
		{ "tunnel", NFTA_TUNNEL_DREG }, { "xfrm", NFTA_XFRM_DREG },
		{ "hash", NFTA_HASH_DREG },
		{ "inner", X_IN_PAYLOAD + NFTA_PAYLOAD_DREG },
		{ "inner", X_IN_META + NFTA_META_DREG },
	};
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(dregs); i++)
		for (j = 0; j < x->nattr; j++)
			if (!strcmp(dregs[i].name, x->name) &&
			    dregs[i].type == x->attr[j].type)
				return x->attr[j].val;
	return 0;
}

/* Something with an effect */
static s32 eval_effect(struct x_run *run, const struct x_expr *x, u32 rule,
		       u32 expr)
{
	const u8 *src = run->regs + (x->sreg ? x_reg(x->sreg) : 0);
	u32 i, val = 0, koff, len, valid, made_up, reg;

	switch (x->kind) {
	case X_META_SET:
		val = key_u32((const void *)src, 0);
		if (x->key == NFT_META_MARK)
			run->pkt.mark = val;
		if (x->key == NFT_META_PRIORITY)
			run->pkt.priority = val;
		break;
	case X_CT_SET:
		val = key_u32((const void *)src, 0);
		if (x->key == NFT_CT_MARK)
			run->pkt.ct_mark = val;
		break;
	case X_PAYLOAD_SET:
		val = mix_bytes(src, x->len);
		if (x_field(x, &koff, &len, &valid))
			memcpy((u8 *)&run->pkt + koff, src, len);
		break;
	case X_LOOKUP:
		val = mix_bytes(src, x->len);
		x_event(run, rule, expr, val);
		if (val & 1)
			return NFT_BREAK;
		made_up = mix(val, expr);
		if (x->dreg)
			store(run, x->dreg, &made_up, sizeof(made_up));
		else if (x->size)
			return val & 2 ? NF_DROP : NFT_CONTINUE;
		return NFT_CONTINUE;
	case X_DYNSET:
		val = mix_bytes(src, x->len);
		x_event(run, rule, expr, val);
		return val & 1 ? NFT_BREAK : NFT_CONTINUE;
	default:
		for (i = 0; i < x->nattr; i++)
			val = mix(val, x->attr[i].val);
		if (!strcmp(x->name, "limit") || !strcmp(x->name, "quota")) {
			x_event(run, rule, expr, 0);
			return mix(run->steps++, rule) & 1 ? NFT_CONTINUE :
							     NFT_BREAK;
		}
		reg = other_dreg(x);
		if (reg) {
			val = mix(run->steps++, rule);
			store(run, reg, &val, sizeof(val));
		}
		if (!strcmp(x->name, "nat"))
			val = key_u32((const void *)(run->regs +
						     x_reg(x->attr[0].val)), 0);
		if (!strcmp(x->name, "notrack")) {
			run->pkt.valid &= ~NFJ_VALID_CT;
			run->pkt.ct_state = 64;
		}
		if (!strcmp(x->name, "reject")) {
			x_event(run, rule, expr, 0);
			return NF_DROP;
		}
	}
	x_event(run, rule, expr, val);
	return NFT_CONTINUE;
}

/* A jump or a goto, to a chain that a number stands for */
s32 x_verdict(struct x_run *run, s32 verdict, u32 target, u32 rule,
	      u32 expr)
{
	run->target = target;
	if (run->calls && (verdict == NFT_JUMP || verdict == NFT_GOTO))
		return verdict;
	if (verdict == NFT_JUMP || verdict == NFT_GOTO || verdict == NF_QUEUE)
		x_event(run, rule, expr, verdict ^ target << 8);
	return verdict;
}

/* A lookup in a set that never changes has no other effect */
static s32 eval_set(struct x_run *run, const struct x_expr *x, u32 rule,
		    u32 expr)
{
	const u8 *key = run->regs + x_reg(x->sreg);
	const struct x_elem *found = NULL;
	u32 i, j, at;

	for (i = 0; i < x->nelems && !found; i++) {
		const struct x_elem *e = &x->elem[i];

		for (j = 0, at = 0; j < x->nfields && !e->catchall; j++) {
			if (memcmp(key + at, e->lo + at, x->field[j]) < 0 ||
			    memcmp(key + at, e->hi + at, x->field[j]) > 0)
				break;
			at += ALIGN(x->field[j], 4);
		}
		if (e->catchall || j == x->nfields)
			found = e;
	}
	if (!found == !x->inv)
		return NFT_BREAK;
	if (x->kind == X_SET)
		return NFT_CONTINUE;
	return x_verdict(run, found->verdict, found->target, rule, expr);
}

/* A match has no other effect than to drop what is too short for it */
static s32 eval_match(struct x_run *run, const struct x_expr *x, u32 rule,
		      u32 expr)
{
	switch (xt_ref(x->name, x->rev, &x->info, &run->pkt)) {
	case XT_YES:
		return NFT_CONTINUE;
	case XT_NO:
		return NFT_BREAK;
	default:
		x_event(run, rule, expr, 0);
		return NF_DROP;
	}
}

static s32 eval(struct x_run *run, const struct x_expr *x, u32 rule, u32 expr)
{
	switch (x->kind) {
	case X_PAYLOAD:
	case X_META:
	case X_CT:
		return eval_load(run, x);
	case X_CMP:
		return eval_cmp(run, x);
	case X_RANGE:
		return eval_range(run, x);
	case X_BITWISE:
	case X_SHIFT:
	case X_BITREG:
		eval_bitwise(run, x);
		return NFT_CONTINUE;
	case X_BYTEORDER:
		eval_byteorder(run, x);
		return NFT_CONTINUE;
	case X_IMMEDIATE:
		store(run, x->dreg, x->data, x->dlen);
		return NFT_CONTINUE;
	case X_VERDICT:
		return x_verdict(run, x->verdict, 0, rule, expr);
	case X_SET:
	case X_MAP:
		return eval_set(run, x, rule, expr);
	case X_MATCH:
		return eval_match(run, x, rule, expr);
	}
	return eval_effect(run, x, rule, expr);
}

/* What a verdict means for the chain: true when it goes on.  A jump is taken to
 * have returned.
 */
static bool goes_on(struct x_run *run, s32 verdict, u32 rule)
{
	if (verdict == NFT_CONTINUE || verdict == NFT_BREAK ||
	    verdict == NFT_JUMP)
		return true;
	run->verdict = verdict;
	x_event(run, rule, 255, verdict);
	return false;
}

/* Expressions of a rule; the verdict */
s32 x_exprs(struct x_run *run, const struct x_chain *c, u32 rule,
	    u32 from, u32 to)
{
	s32 verdict = NFT_CONTINUE;
	u32 i;

	for (i = from; i < to && verdict == NFT_CONTINUE; i++)
		verdict = eval(run, &c->rule[rule].e[i], rule, i);
	return verdict;
}

void x_interpret(struct x_run *run, const struct x_chain *c, u32 entry)
{
	u32 i;

	run->verdict = X_END;
	for (i = entry; i < c->n; i++)
		if (!goes_on(run, x_exprs(run, c, i, 0, c->rule[i].n), i))
			return;
}

/* What the engine fills in for a residue */
void x_fill_regs(struct x_run *run, const struct nfj_ir *ir,
		 const struct nfj_entry *r, const struct nfj_key *key)
{
	u32 i;

	for (i = 0; i < r->nfills; i++) {
		const struct nfj_fill *f = &ir->fills[r->fill + i];
		u8 *to = run->regs + f->word * 4;

		memcpy(to, &f->value, 4);
		memcpy(to, (const u8 *)key + f->off, f->len);
	}
}

/* Through the matcher: by the reference for IMR without @ps */
const char *x_matched(struct x_run *run, const struct x_chain *c,
		      const struct nfj_ir *ir, const struct progs *ps,
		      u32 entry, bool kernel, u64 poison)
{
	struct nfj_key key = run->pkt;
	u32 k, next = 0, i, n;
	s32 verdict;

	run->verdict = X_END;
	while (next < ir->nentries && ir->entries[next].rule < entry)
		next++;
	while (next < ir->nentries) {
		const struct nfj_entry *r;

		key.start = next;
		if (ps && progs_run(ps, &key, kernel, &k))
			return "the program does not run";
		if (!ps)
			k = ref_match(ir, 0, ir->nentries, &key);
		if (k == NFJ_NONE)
			return NULL;
		if (k < next || k >= ir->nentries)
			return "no such entry";
		r = &ir->entries[k];
		n = c->rule[r->rule].n;
		if (r->end > n || r->cut > r->end)
			return "no such expression";
		/* nobody promises anything about the registers */
		for (i = 0; i < sizeof(run->regs); i++)
			run->regs[i] = mix(poison + k, i);
		x_fill_regs(run, ir, r, &key);
		verdict = x_exprs(run, c, r->rule, r->cut, r->end);
		/* behind the residue its verdict, which the entry knows;
		 * that of a verdict map stands for its last expression
		 */
		if (verdict == NFT_CONTINUE)
			verdict = x_verdict(run, r->verdict,
					    (uintptr_t)r->target, r->rule,
					    r->end < n ? r->end : n - 1);
		if (!goes_on(run, verdict, r->rule))
			return NULL;
		if (r->flags & NFJ_ENTRY_TERMINAL)
			return "a terminal rule goes on";
		x_reread(&key, &run->pkt, r->changes);
		if (r->next <= k || r->next > ir->nentries)
			return "no such next entry";
		next = r->next;
	}
	return NULL;
}

/* Does the chain hold what 6.12 refuses? */
bool x_only_61(const struct x_chain *c)
{
	u32 i, j;

	for (i = 0; i < c->n; i++)
		for (j = 0; j < c->rule[i].n; j++)
			if (c->rule[i].e[j].kind == X_BYTEORDER &&
			    c->rule[i].e[j].len != c->rule[i].e[j].size)
				return true;
	return false;
}

/* NULL, or in which way two runs of the same packet differ */
const char *x_differ(const struct x_run *a, const struct x_run *b)
{
	static char why[160];
	u32 i;

	for (i = 0; i < max(a->nevents, b->nevents) && i < X_EVENTS; i++) {
		const struct x_event *x = &a->event[i], *y = &b->event[i];

		if (i < a->nevents && i < b->nevents &&
		    !memcmp(x, y, sizeof(*x)))
			continue;
		snprintf(why, sizeof(why),
			 "event %u: interpreted %s rule %u expr %u value %x, translated %s rule %u expr %u value %x",
			 i, i < a->nevents ? "" : "(none)", x->rule, x->expr,
			 x->val, i < b->nevents ? "" : "(none)", y->rule,
			 y->expr, y->val);
		return why;
	}
	if (a->verdict == b->verdict && a->nevents == b->nevents &&
	    a->hash == b->hash && !memcmp(&a->pkt, &b->pkt, sizeof(a->pkt)))
		return NULL;
	snprintf(why, sizeof(why), "verdict %d, not %d", b->verdict,
		 a->verdict);
	return why;
}
