// SPDX-License-Identifier: GPL-2.0-only
/*
 * Netlink: lines of a case become messages, and dumps become records.
 *
 * Messages are made by hand, without libnftnl, which would not make those that
 * are of most interest.  A message's sequence number is the number of its line
 * plus one, so that the kernel's answer tells which line it refuses.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "fuzz.h"

#define NFT_TYPE(m)	(NFNL_SUBSYS_NFTABLES << 8 | (m))

enum kind {
	U8, U16, U32, U64, DATA, BYTES, VERDICT, STR, COUNTER,
};

struct attr {
	const char	*name;
	uint16_t	type;
	uint8_t		kind;
};

#define ATTRS_MAX	9

static const struct {
	const char	*name;
	struct attr	attr[ATTRS_MAX];
} exprs[] = {
	{ "payload", {
		{ "dreg", NFTA_PAYLOAD_DREG, U32 },
		{ "sreg", NFTA_PAYLOAD_SREG, U32 },
		{ "base", NFTA_PAYLOAD_BASE, U32 },
		{ "off", NFTA_PAYLOAD_OFFSET, U32 },
		{ "len", NFTA_PAYLOAD_LEN, U32 },
		{ "csum", NFTA_PAYLOAD_CSUM_TYPE, U32 },
		{ "csumoff", NFTA_PAYLOAD_CSUM_OFFSET, U32 },
		{ "csumflags", NFTA_PAYLOAD_CSUM_FLAGS, U32 } } },
	{ "meta", {
		{ "dreg", NFTA_META_DREG, U32 },
		{ "sreg", NFTA_META_SREG, U32 },
		{ "key", NFTA_META_KEY, U32 } } },
	{ "ct", {
		{ "dreg", NFTA_CT_DREG, U32 },
		{ "sreg", NFTA_CT_SREG, U32 },
		{ "key", NFTA_CT_KEY, U32 },
		{ "dir", NFTA_CT_DIRECTION, U8 } } },
	{ "cmp", {
		{ "sreg", NFTA_CMP_SREG, U32 },
		{ "op", NFTA_CMP_OP, U32 },
		{ "data", NFTA_CMP_DATA, DATA } } },
	{ "range", {
		{ "sreg", NFTA_RANGE_SREG, U32 },
		{ "op", NFTA_RANGE_OP, U32 },
		{ "from", NFTA_RANGE_FROM_DATA, DATA },
		{ "to", NFTA_RANGE_TO_DATA, DATA } } },
	{ "bitwise", {
		{ "sreg", NFTA_BITWISE_SREG, U32 },
		{ "dreg", NFTA_BITWISE_DREG, U32 },
		{ "len", NFTA_BITWISE_LEN, U32 },
		{ "op", NFTA_BITWISE_OP, U32 },
		{ "mask", NFTA_BITWISE_MASK, DATA },
		{ "xor", NFTA_BITWISE_XOR, DATA },
		{ "data", NFTA_BITWISE_DATA, DATA } } },
	{ "byteorder", {
		{ "sreg", NFTA_BYTEORDER_SREG, U32 },
		{ "dreg", NFTA_BYTEORDER_DREG, U32 },
		{ "op", NFTA_BYTEORDER_OP, U32 },
		{ "len", NFTA_BYTEORDER_LEN, U32 },
		{ "size", NFTA_BYTEORDER_SIZE, U32 } } },
	{ "immediate", {
		{ "dreg", NFTA_IMMEDIATE_DREG, U32 },
		{ "data", NFTA_IMMEDIATE_DATA, DATA },
		{ "verdict", NFTA_IMMEDIATE_DATA, VERDICT } } },
	{ "lookup", {
		{ "sreg", NFTA_LOOKUP_SREG, U32 },
		{ "dreg", NFTA_LOOKUP_DREG, U32 },
		{ "set", NFTA_LOOKUP_SET, STR },
		{ "id", NFTA_LOOKUP_SET_ID, U32 },
		{ "flags", NFTA_LOOKUP_FLAGS, U32 } } },
	{ "dynset", {
		{ "set", NFTA_DYNSET_SET_NAME, STR },
		{ "op", NFTA_DYNSET_OP, U32 },
		{ "key", NFTA_DYNSET_SREG_KEY, U32 },
		{ "data", NFTA_DYNSET_SREG_DATA, U32 },
		{ "flags", NFTA_DYNSET_FLAGS, U32 },
		{ "expr", NFTA_DYNSET_EXPR, COUNTER } } },
	{ "objref", {
		{ "type", NFTA_OBJREF_IMM_TYPE, U32 },
		{ "name", NFTA_OBJREF_IMM_NAME, STR } } },
	{ "counter", { } },
	{ "notrack", { } },
	{ "log", {
		{ "group", NFTA_LOG_GROUP, U16 } } },
	{ "limit", {
		{ "rate", NFTA_LIMIT_RATE, U64 },
		{ "unit", NFTA_LIMIT_UNIT, U64 },
		{ "burst", NFTA_LIMIT_BURST, U32 },
		{ "type", NFTA_LIMIT_TYPE, U32 },
		{ "flags", NFTA_LIMIT_FLAGS, U32 } } },
	{ "quota", {
		{ "bytes", NFTA_QUOTA_BYTES, U64 },
		{ "flags", NFTA_QUOTA_FLAGS, U32 } } },
	{ "reject", {
		{ "type", NFTA_REJECT_TYPE, U32 },
		{ "code", NFTA_REJECT_ICMP_CODE, U8 } } },
	{ "queue", {
		{ "num", NFTA_QUEUE_NUM, U16 },
		{ "total", NFTA_QUEUE_TOTAL, U16 },
		{ "flags", NFTA_QUEUE_FLAGS, U16 } } },
	{ "hash", {
		{ "sreg", NFTA_HASH_SREG, U32 },
		{ "dreg", NFTA_HASH_DREG, U32 },
		{ "len", NFTA_HASH_LEN, U32 },
		{ "mod", NFTA_HASH_MODULUS, U32 },
		{ "seed", NFTA_HASH_SEED, U32 },
		{ "type", NFTA_HASH_TYPE, U32 } } },
	{ "nat", {
		{ "type", NFTA_NAT_TYPE, U32 },
		{ "family", NFTA_NAT_FAMILY, U32 },
		{ "amin", NFTA_NAT_REG_ADDR_MIN, U32 },
		{ "amax", NFTA_NAT_REG_ADDR_MAX, U32 },
		{ "pmin", NFTA_NAT_REG_PROTO_MIN, U32 },
		{ "pmax", NFTA_NAT_REG_PROTO_MAX, U32 },
		{ "flags", NFTA_NAT_FLAGS, U32 } } },
	{ "masq", {
		{ "pmin", NFTA_MASQ_REG_PROTO_MIN, U32 },
		{ "pmax", NFTA_MASQ_REG_PROTO_MAX, U32 },
		{ "flags", NFTA_MASQ_FLAGS, U32 } } },
	{ "redir", {
		{ "pmin", NFTA_REDIR_REG_PROTO_MIN, U32 },
		{ "pmax", NFTA_REDIR_REG_PROTO_MAX, U32 },
		{ "flags", NFTA_REDIR_FLAGS, U32 } } },
	{ "socket", {
		{ "dreg", NFTA_SOCKET_DREG, U32 },
		{ "key", NFTA_SOCKET_KEY, U32 } } },
	{ "osf", {
		{ "dreg", NFTA_OSF_DREG, U32 },
		{ "ttl", NFTA_OSF_TTL, U8 } } },
	{ "tunnel", {
		{ "dreg", NFTA_TUNNEL_DREG, U32 },
		{ "key", NFTA_TUNNEL_KEY, U32 } } },
	{ "xfrm", {
		{ "dreg", NFTA_XFRM_DREG, U32 },
		{ "key", NFTA_XFRM_KEY, U32 },
		{ "dir", NFTA_XFRM_DIR, U8 } } },
	{ "numgen", {
		{ "dreg", NFTA_NG_DREG, U32 },
		{ "mod", NFTA_NG_MODULUS, U32 },
		{ "type", NFTA_NG_TYPE, U32 } } },
	{ "exthdr", {
		{ "dreg", NFTA_EXTHDR_DREG, U32 },
		{ "sreg", NFTA_EXTHDR_SREG, U32 },
		{ "type", NFTA_EXTHDR_TYPE, U8 },
		{ "off", NFTA_EXTHDR_OFFSET, U32 },
		{ "len", NFTA_EXTHDR_LEN, U32 },
		{ "flags", NFTA_EXTHDR_FLAGS, U32 },
		{ "op", NFTA_EXTHDR_OP, U32 } } },
	{ "fib", {
		{ "dreg", NFTA_FIB_DREG, U32 },
		{ "result", NFTA_FIB_RESULT, U32 },
		{ "flags", NFTA_FIB_FLAGS, U32 } } },
	{ "rt", {
		{ "dreg", NFTA_RT_DREG, U32 },
		{ "key", NFTA_RT_KEY, U32 } } },
	{ "dup", {
		{ "addr", NFTA_DUP_SREG_ADDR, U32 },
		{ "dev", NFTA_DUP_SREG_DEV, U32 } } },
	{ "fwd", {
		{ "dev", NFTA_FWD_SREG_DEV, U32 } } },
	{ "match", {
		{ "name", NFTA_MATCH_NAME, STR },
		{ "rev", NFTA_MATCH_REV, U32 },
		{ "info", NFTA_MATCH_INFO, BYTES } } },
	{ "target", {
		{ "name", NFTA_TARGET_NAME, STR },
		{ "rev", NFTA_TARGET_REV, U32 },
		{ "info", NFTA_TARGET_INFO, BYTES } } },
};

/* ---- writing ---- */

static void room(struct batch *b, size_t more)
{
	if (b->used + more + 64 <= b->max)
		return;
	b->max = (b->max + more) * 2 + 65536;
	b->mem = need(realloc(b->mem, b->max));
}

static void put(struct batch *b, unsigned int type, const void *p, size_t len)
{
	struct nlattr a = { .nla_len = NLA_HDRLEN + len, .nla_type = type };

	room(b, NLA_HDRLEN + NLA_ALIGN(len));
	memcpy(b->mem + b->used, &a, sizeof(a));
	memcpy(b->mem + b->used + NLA_HDRLEN, p, len);
	memset(b->mem + b->used + NLA_HDRLEN + len, 0, NLA_ALIGN(len) - len);
	b->used += NLA_HDRLEN + NLA_ALIGN(len);
}

static void put_str(struct batch *b, unsigned int type, const char *s)
{
	put(b, type, s, strlen(s) + 1);
}

static void put_u8(struct batch *b, unsigned int type, uint8_t v)
{
	put(b, type, &v, sizeof(v));
}

static void put_u16(struct batch *b, unsigned int type, uint16_t v)
{
	v = htons(v);
	put(b, type, &v, sizeof(v));
}

static void put_u32(struct batch *b, unsigned int type, uint32_t v)
{
	v = htonl(v);
	put(b, type, &v, sizeof(v));
}

static void put_u64(struct batch *b, unsigned int type, uint64_t v)
{
	uint32_t w[2] = { htonl(v >> 32), htonl(v) };

	put(b, type, w, sizeof(w));
}

static size_t nest(struct batch *b, unsigned int type)
{
	size_t at = b->used;

	put(b, NLA_F_NESTED | type, NULL, 0);
	return at;
}

static void unnest(struct batch *b, size_t at)
{
	struct nlattr *a = (void *)(b->mem + at);

	a->nla_len = b->used - at;
}

static size_t message(struct batch *b, unsigned int type, unsigned int flags,
		      int family, int seq)
{
	struct nlmsghdr h = {
		.nlmsg_type = type,
		.nlmsg_flags = NLM_F_REQUEST | flags,
		.nlmsg_seq = seq,
	};
	struct nfgenmsg g = { .nfgen_family = family };
	size_t at = b->used;

	if (type < NLMSG_MIN_TYPE + 16)
		g.res_id = htons(NFNL_SUBSYS_NFTABLES);
	room(b, sizeof(h) + sizeof(g));
	memcpy(b->mem + at, &h, sizeof(h));
	memcpy(b->mem + at + sizeof(h), &g, sizeof(g));
	b->used += sizeof(h) + sizeof(g);
	return at;
}

static void end(struct batch *b, size_t at)
{
	struct nlmsghdr *h = (void *)(b->mem + at);

	h->nlmsg_len = b->used - at;
	b->msgs++;
}

static void put_verdict(struct batch *b, unsigned int type, const char *v)
{
	static const struct {
		const char	*name;
		int		code;
	} verdicts[] = {
		{ "accept", NF_ACCEPT }, { "drop", NF_DROP },
		{ "queue", NF_QUEUE }, { "continue", NFT_CONTINUE },
		{ "break", NFT_BREAK }, { "return", NFT_RETURN },
	};
	size_t data = nest(b, type), in = nest(b, NFTA_DATA_VERDICT);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(verdicts); i++)
		if (!strcmp(v, verdicts[i].name))
			put_u32(b, NFTA_VERDICT_CODE, verdicts[i].code);
	if (!strncmp(v, "jump:", 5) || !strncmp(v, "goto:", 5)) {
		put_u32(b, NFTA_VERDICT_CODE,
			v[0] == 'j' ? NFT_JUMP : NFT_GOTO);
		put_str(b, NFTA_VERDICT_CHAIN, v + 5);
	}
	unnest(b, in);
	unnest(b, data);
}

static bool put_data(struct batch *b, unsigned int type, const char *s)
{
	uint8_t val[64];
	int len = hex(s, val, sizeof(val));
	size_t at;

	if (len < 0)
		return false;
	at = nest(b, type);
	put(b, NFTA_DATA_VALUE, val, len);
	unnest(b, at);
	return true;
}

static bool put_bytes(struct batch *b, unsigned int type, const char *s)
{
	uint8_t val[512];
	int len = hex(s, val, sizeof(val));

	if (len < 0)
		return false;
	put(b, type, val, len);
	return true;
}

static bool put_attr(struct batch *b, const struct attr *a, const char *val)
{
	unsigned long long v = strtoull(val, NULL, 0);
	uint16_t v16 = htons(v);
	uint8_t v8 = v;
	size_t at;

	switch (a->kind) {
	case U8:
		put(b, a->type, &v8, sizeof(v8));
		break;
	case U16:
		put(b, a->type, &v16, sizeof(v16));
		break;
	case U32:
		put_u32(b, a->type, v);
		break;
	case U64:
		put_u64(b, a->type, v);
		break;
	case DATA:
		return put_data(b, a->type, val);
	case BYTES:
		return put_bytes(b, a->type, val);
	case VERDICT:
		put_verdict(b, a->type, val);
		break;
	case STR:
		put_str(b, a->type, val);
		break;
	case COUNTER:
		at = nest(b, a->type);
		put_str(b, NFTA_EXPR_NAME, "counter");
		unnest(b, nest(b, NFTA_EXPR_DATA));
		unnest(b, at);
		break;
	}
	return true;
}

static bool put_expr(struct batch *b, char *s)
{
	char *name = word(&s, ' '), *w, *val;
	unsigned int e, i;
	size_t list, data;

	if (!name)
		return true;
	for (e = 0; e < ARRAY_SIZE(exprs); e++)
		if (!strcmp(name, exprs[e].name))
			break;
	if (e == ARRAY_SIZE(exprs))
		return false;
	list = nest(b, NFTA_LIST_ELEM);
	put_str(b, NFTA_EXPR_NAME, name);
	data = nest(b, NFTA_EXPR_DATA);
	while ((w = word(&s, ' '))) {
		for (i = 0; i < ATTRS_MAX; i++)
			if (exprs[e].attr[i].name &&
			    field(w, exprs[e].attr[i].name, &val))
				break;
		if (i == ATTRS_MAX || !put_attr(b, &exprs[e].attr[i], val))
			return false;
	}
	unnest(b, data);
	unnest(b, list);
	return true;
}

/* What a rule says for all of its matches of x_tables; not an expression, though
 * it is written as one, in front of them
 */
static bool put_compat(struct batch *b, char *s)
{
	size_t at = nest(b, NFTA_RULE_COMPAT);
	char *w, *val;

	while ((w = word(&s, ' '))) {
		if (field(w, "proto", &val))
			put_u32(b, NFTA_RULE_COMPAT_PROTO, atoi(val));
		else if (field(w, "flags", &val))
			put_u32(b, NFTA_RULE_COMPAT_FLAGS, atoi(val));
		else
			return false;
	}
	unnest(b, at);
	return true;
}

static bool put_exprs(struct batch *b, char *s)
{
	static const char compat[] = "compat ";
	size_t at;
	char *e;

	if (!strncmp(s, compat, sizeof(compat) - 1) &&
	    !put_compat(b, word(&s, ';') + sizeof(compat) - 1))
		return false;
	at = nest(b, NFTA_RULE_EXPRESSIONS);
	while ((e = word(&s, ';')))
		if (!put_expr(b, e))
			return false;
	unnest(b, at);
	return true;
}

static bool put_chain(struct batch *b, char *s)
{
	size_t at = 0;
	char *w, *val;
	int policy = -1;
	const char *type = NULL;

	while ((w = word(&s, ' '))) {
		if (!at)
			at = nest(b, NFTA_CHAIN_HOOK);
		if (field(w, "hook", &val))
			put_u32(b, NFTA_HOOK_HOOKNUM, atoi(val));
		else if (field(w, "prio", &val))
			put_u32(b, NFTA_HOOK_PRIORITY, strtol(val, NULL, 0));
		else if (field(w, "dev", &val))
			put_str(b, NFTA_HOOK_DEV, val);
		else if (field(w, "policy", &val))
			policy = atoi(val);
		else if (field(w, "type", &val))
			type = val;
		else
			return false;
	}
	if (!at)
		return true;
	unnest(b, at);
	if (policy >= 0)
		put_u32(b, NFTA_CHAIN_POLICY, policy);
	put_str(b, NFTA_CHAIN_TYPE, type ? type : "filter");
	return true;
}

static bool put_set(struct batch *b, char *s, int number)
{
	unsigned int id = number + 1, size = 0;
	char *w, *val, *fields = NULL, *f;
	size_t desc, concat, one;

	while ((w = word(&s, ' '))) {
		if (field(w, "id", &val))
			id = atoi(val);
		else if (field(w, "keylen", &val))
			put_u32(b, NFTA_SET_KEY_LEN, atoi(val));
		else if (field(w, "flags", &val))
			put_u32(b, NFTA_SET_FLAGS, strtoul(val, NULL, 0));
		else if (field(w, "datalen", &val))
			put_u32(b, NFTA_SET_DATA_LEN, atoi(val));
		else if (field(w, "datatype", &val))
			put_u32(b, NFTA_SET_DATA_TYPE, strtoul(val, NULL, 0));
		else if (field(w, "size", &val))
			size = atoi(val);
		else if (!field(w, "fields", &fields))
			return false;
	}
	put_u32(b, NFTA_SET_ID, id);
	desc = nest(b, NFTA_SET_DESC);
	if (size)
		put_u32(b, NFTA_SET_DESC_SIZE, size);
	if (fields) {
		concat = nest(b, NFTA_SET_DESC_CONCAT);
		while ((f = word(&fields, ','))) {
			one = nest(b, NFTA_LIST_ELEM);
			put_u32(b, NFTA_SET_FIELD_LEN, atoi(f));
			unnest(b, one);
		}
		unnest(b, concat);
	}
	unnest(b, desc);
	return true;
}

/* The element behind an interval, false when there is none */
static bool behind(const char *last, char *next, size_t max)
{
	uint8_t val[64];
	int len = hex(last, val, sizeof(val)), i;

	if (len < 0 || (size_t)len * 2 >= max)
		return false;
	for (i = len; i-- > 0;)
		if (++val[i])
			break;
	if (i < 0)
		return false;
	for (i = 0; i < len; i++)
		sprintf(next + 2 * i, "%02x", val[i]);
	return true;
}

static bool put_elem(struct batch *b, char *s, const char *set)
{
	char *w, *key = NULL, *to = NULL, *keyend = NULL, *data = NULL;
	char *verdict = NULL, *id = NULL, *timeout = NULL, next[160];
	bool rest = false;
	size_t list, one;

	while ((w = word(&s, ' '))) {
		if (!strcmp(w, "catchall")) {
			rest = true;
			continue;
		}
		if (!field(w, "key", &key) && !field(w, "to", &to) &&
		    !field(w, "keyend", &keyend) && !field(w, "data", &data) &&
		    !field(w, "verdict", &verdict) && !field(w, "id", &id) &&
		    !field(w, "timeout", &timeout))
			return false;
	}
	put_str(b, NFTA_SET_ELEM_LIST_SET, set);
	if (id)
		put_u32(b, NFTA_SET_ELEM_LIST_SET_ID, atoi(id));
	list = nest(b, NFTA_SET_ELEM_LIST_ELEMENTS);
	one = nest(b, NFTA_LIST_ELEM);
	if (rest)
		put_u32(b, NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_CATCHALL);
	else if (!key || !put_data(b, NFTA_SET_ELEM_KEY, key))
		return false;
	if (keyend && !put_data(b, NFTA_SET_ELEM_KEY_END, keyend))
		return false;
	if (data && !put_data(b, NFTA_SET_ELEM_DATA, data))
		return false;
	if (verdict)
		put_verdict(b, NFTA_SET_ELEM_DATA, verdict);
	if (timeout)
		put_u64(b, NFTA_SET_ELEM_TIMEOUT, atoi(timeout));
	unnest(b, one);
	if (to && behind(to, next, sizeof(next))) {
		one = nest(b, NFTA_LIST_ELEM);
		put_data(b, NFTA_SET_ELEM_KEY, next);
		put_u32(b, NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
		unnest(b, one);
	}
	unnest(b, list);
	return true;
}

static bool put_obj(struct batch *b, char *s)
{
	static const struct {
		const char	*name;
		uint32_t	type;
	} types[] = {
		{ "counter", NFT_OBJECT_COUNTER }, { "quota", NFT_OBJECT_QUOTA },
		{ "cthelper", NFT_OBJECT_CT_HELPER },
		{ "cttimeout", NFT_OBJECT_CT_TIMEOUT },
		{ "ctexpect", NFT_OBJECT_CT_EXPECT },
	};
	char *type = word(&s, ' '), *arg = word(&s, ' '), *val = arg;
	unsigned int i, n;
	size_t at, in;

	for (i = 0; type && i < ARRAY_SIZE(types); i++)
		if (!strcmp(type, types[i].name))
			break;
	if (!type || i == ARRAY_SIZE(types))
		return false;
	if (arg && strchr(arg, '='))
		val = strchr(arg, '=') + 1;
	n = val ? strtoul(val, NULL, 0) : 1;
	put_u32(b, NFTA_OBJ_TYPE, types[i].type);
	at = nest(b, NFTA_OBJ_DATA);
	switch (types[i].type) {
	case NFT_OBJECT_QUOTA:
		put_u64(b, NFTA_QUOTA_BYTES, n);
		break;
	case NFT_OBJECT_CT_HELPER:
		put_str(b, NFTA_CT_HELPER_NAME, val ? : "");
		put_u8(b, NFTA_CT_HELPER_L4PROTO, IPPROTO_TCP);
		break;
	case NFT_OBJECT_CT_TIMEOUT:
		put_u8(b, NFTA_CT_TIMEOUT_L4PROTO, IPPROTO_TCP);
		in = nest(b, NFTA_CT_TIMEOUT_DATA);
		/* of the states whose numbers are CTA_TIMEOUT_TCP_* */
		put_u32(b, 1, n);
		put_u32(b, 3, n);
		unnest(b, in);
		break;
	case NFT_OBJECT_CT_EXPECT:
		put_u16(b, NFTA_CT_EXPECT_L3PROTO, NFPROTO_IPV4);
		put_u8(b, NFTA_CT_EXPECT_L4PROTO, IPPROTO_TCP);
		put_u16(b, NFTA_CT_EXPECT_DPORT, n);
		/* milliseconds, in the host's byte order */
		put_u32(b, NFTA_CT_EXPECT_TIMEOUT, htonl(600000));
		put_u8(b, NFTA_CT_EXPECT_SIZE, 12);
		break;
	}
	unnest(b, at);
	return true;
}

/* ---- sockets ---- */

/**
 * nl_open - a socket in the current namespace
 *
 * Return: the file descriptor, or -1.
 */
int nl_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	int size = 4 << 20, one = 1;

	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	return fd;
}

static bool nl_send(int fd, const void *p, size_t len)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };

	return sendto(fd, p, len, 0, (void *)&to, sizeof(to)) == (ssize_t)len;
}

static uint8_t answer[1 << 17];

/* Run a dump; each() gets all messages */
static bool nl_dump(int fd, unsigned int type, int family,
		    void (*attrs)(struct batch *b, const void *arg),
		    const void *arg,
		    void (*each)(void *to, const struct nlmsghdr *h), void *to)
{
	struct batch b = { 0 };
	size_t at = message(&b, type, NLM_F_DUMP, family, 1);
	bool good;

	if (attrs)
		attrs(&b, arg);
	end(&b, at);
	good = nl_send(fd, b.mem, b.used);
	free(b.mem);
	while (good) {
		ssize_t len = recv(fd, answer, sizeof(answer), 0);
		struct nlmsghdr *h = (void *)answer;

		if (len < 0)
			return false;
		for (; NLMSG_OK(h, (size_t)len); h = NLMSG_NEXT(h, len)) {
			if (h->nlmsg_type == NLMSG_DONE)
				return true;
			if (h->nlmsg_type == NLMSG_ERROR)
				return false;
			each(to, h);
		}
	}
	return false;
}

/* ---- looking up the handle of a rule by its place ---- */

struct place {
	const char	*table;
	const char	*chain;
	uint64_t	handle[512];
	unsigned int	n;
};

static void place_attrs(struct batch *b, const void *arg)
{
	const struct place *p = arg;

	put_str(b, NFTA_RULE_TABLE, p->table);
	put_str(b, NFTA_RULE_CHAIN, p->chain);
}

static const struct nlattr *find(const void *from, size_t len, unsigned int type)
{
	const uint8_t *p = from;

	while (len >= NLA_HDRLEN) {
		const struct nlattr *a = (const void *)p;

		if (a->nla_len < NLA_HDRLEN || a->nla_len > len)
			break;
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return a;
		if ((size_t)NLA_ALIGN(a->nla_len) >= len)
			break;
		p += NLA_ALIGN(a->nla_len);
		len -= NLA_ALIGN(a->nla_len);
	}
	return NULL;
}

static const struct nlattr *in(const struct nlattr *a, unsigned int type)
{
	if (!a)
		return NULL;
	return find((const uint8_t *)a + NLA_HDRLEN, a->nla_len - NLA_HDRLEN,
		    type);
}

static const char *str(const struct nlattr *a)
{
	return a ? (const char *)a + NLA_HDRLEN : "";
}

static uint64_t be64(const struct nlattr *a)
{
	uint32_t w[2];

	if (!a || a->nla_len < NLA_HDRLEN + sizeof(w))
		return 0;
	memcpy(w, (const uint8_t *)a + NLA_HDRLEN, sizeof(w));
	return (uint64_t)ntohl(w[0]) << 32 | ntohl(w[1]);
}

static void place_each(void *to, const struct nlmsghdr *h)
{
	const uint8_t *p = (const uint8_t *)h + NLMSG_HDRLEN +
			   sizeof(struct nfgenmsg);
	size_t len = h->nlmsg_len - NLMSG_HDRLEN - sizeof(struct nfgenmsg);
	struct place *pl = to;

	if (pl->n < ARRAY_SIZE(pl->handle) &&
	    !strcmp(str(find(p, len, NFTA_RULE_TABLE)), pl->table) &&
	    !strcmp(str(find(p, len, NFTA_RULE_CHAIN)), pl->chain))
		pl->handle[pl->n++] = be64(find(p, len, NFTA_RULE_HANDLE));
}

static uint64_t rule_handle(int fd, int family, const char *table,
			    const char *chain, unsigned int nth)
{
	struct place p = { .table = table, .chain = chain };

	if (!nl_dump(fd, NFT_TYPE(NFT_MSG_GETRULE), family, place_attrs, &p,
		     place_each, &p) || !p.n)
		return 0;
	return p.handle[nth % p.n];
}

/* ---- batches ---- */

/**
 * batch_begin - begin a transaction
 * @b: zeroed, or used before
 * @fd: the socket that it will be sent through
 */
void batch_begin(struct batch *b, int fd)
{
	b->used = 0;
	b->msgs = 0;
	b->fd = fd;
	end(b, message(b, NFNL_MSG_BATCH_BEGIN, 0, 0, 0));
	b->msgs = 0;
}

/**
 * batch_flush_ruleset - add the end of all tables
 * @b: the transaction
 */
void batch_flush_ruleset(struct batch *b)
{
	end(b, message(b, NFT_TYPE(NFT_MSG_DELTABLE), 0, 0, 0));
}

/**
 * batch_line - add a line
 * @b: the transaction
 * @text: the line
 * @number: its number
 *
 * Return: false if it makes no sense; nothing is added then.
 */
bool batch_line(struct batch *b, const char *text, int number)
{
	static const struct {
		const char	*name;
		int		msg;
		unsigned int	flags;
	} ops[] = {
		{ "table", NFT_MSG_NEWTABLE, NLM_F_CREATE },
		{ "chain", NFT_MSG_NEWCHAIN, NLM_F_CREATE },
		{ "set", NFT_MSG_NEWSET, NLM_F_CREATE },
		{ "elem", NFT_MSG_NEWSETELEM, NLM_F_CREATE },
		{ "delelem", NFT_MSG_DELSETELEM, 0 },
		{ "flushset", NFT_MSG_DELSETELEM, 0 },
		{ "obj", NFT_MSG_NEWOBJ, NLM_F_CREATE },
		{ "rule", NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND },
		{ "insert", NFT_MSG_NEWRULE, NLM_F_CREATE },
		{ "before", NFT_MSG_NEWRULE, NLM_F_CREATE },
		{ "behind", NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND },
		{ "replace", NFT_MSG_NEWRULE, NLM_F_REPLACE },
		{ "delrule", NFT_MSG_DELRULE, 0 },
		{ "flush", NFT_MSG_DELRULE, 0 },
	};
	char *line = need(strdup(text)), *s = line;
	char *op = word(&s, ' '), *fam = word(&s, ' ');
	char *table = word(&s, ' '), *name = word(&s, ' '), *nth;
	int family = fam ? family_number(fam) : -1;
	size_t start = b->used;
	bool good = false, place;
	unsigned int i;
	uint64_t h;

	for (i = 0; i < ARRAY_SIZE(ops) && op; i++)
		if (!strcmp(op, ops[i].name))
			break;
	if (!op || i == ARRAY_SIZE(ops) || family < 0 || !table ||
	    (i && !name))
		goto out;
	message(b, NFT_TYPE(ops[i].msg), ops[i].flags, family, number + 1);
	/* 1 in all of these: NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, ... */
	put_str(b, 1, table);
	switch (ops[i].msg) {
	case NFT_MSG_NEWTABLE:
		good = true;
		break;
	case NFT_MSG_NEWCHAIN:
		put_str(b, NFTA_CHAIN_NAME, name);
		good = put_chain(b, s);
		break;
	case NFT_MSG_NEWSET:
		put_str(b, NFTA_SET_NAME, name);
		good = put_set(b, s, number);
		break;
	case NFT_MSG_NEWOBJ:
		put_str(b, NFTA_OBJ_NAME, name);
		good = put_obj(b, s);
		break;
	case NFT_MSG_NEWSETELEM:
	case NFT_MSG_DELSETELEM:
		if (!strcmp(op, "flushset")) {
			put_str(b, NFTA_SET_ELEM_LIST_SET, name);
			good = true;
			break;
		}
		good = put_elem(b, s, name);
		break;
	case NFT_MSG_NEWRULE:
	case NFT_MSG_DELRULE:
		put_str(b, NFTA_RULE_CHAIN, name);
		place = !strcmp(op, "before") || !strcmp(op, "behind");
		if (place || !strcmp(op, "replace") || !strcmp(op, "delrule")) {
			nth = word(&s, ' ');
			h = nth ? rule_handle(b->fd, family, table, name,
					      atoi(nth)) : 0;
			if (!h)
				break;
			put_u64(b, place ? NFTA_RULE_POSITION : NFTA_RULE_HANDLE, h);
		}
		good = ops[i].msg == NFT_MSG_DELRULE || put_exprs(b, s);
		break;
	}
	if (good)
		end(b, start);
	else
		b->used = start;
out:
	free(line);
	return good;
}

/**
 * batch_send - commit a transaction
 * @b: the transaction
 * @r: filled in with what the kernel refuses
 * @max: room there
 *
 * Return: number of refusals; -1 if it can't be sent.
 */
int batch_send(struct batch *b, struct refusal *r, unsigned int max)
{
	struct nlmsghdr *h;
	unsigned int n = 0;
	ssize_t len;

	if (!b->msgs)
		return 0;
	end(b, message(b, NFNL_MSG_BATCH_END, 0, 0, 0));
	if (!nl_send(b->fd, b->mem, b->used))
		return -1;
	/* all answers are there by now */
	while ((len = recv(b->fd, answer, sizeof(answer), MSG_DONTWAIT)) > 0) {
		for (h = (void *)answer; NLMSG_OK(h, (size_t)len);
		     h = NLMSG_NEXT(h, len)) {
			struct nlmsgerr *e = NLMSG_DATA(h);

			if (h->nlmsg_type != NLMSG_ERROR || !e->error ||
			    n == max)
				continue;
			r[n].line = (int)h->nlmsg_seq - 1;
			r[n].err = -e->error;
			n++;
		}
	}
	return n;
}

/**
 * nl_barrier - wait until what was deleted is gone
 *
 * nf_tables destroys expressions later, and only with the last one that needs
 * it conntrack goes from the hooks.  When a socket is closed it waits for that.
 */
void nl_barrier(void)
{
	struct sockaddr_nl at = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (fd < 0)
		return;
	/* only one with an address is worth a notice */
	bind(fd, (void *)&at, sizeof(at));
	close(fd);
}

/**
 * ct_flush - forget all connections of a namespace
 * @fd: a socket there
 */
void ct_flush(int fd)
{
	struct batch b = { 0 };

	end(&b, message(&b, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE,
			NLM_F_ACK, 0, 1));
	if (nl_send(fd, b.mem, b.used))
		recv(fd, answer, sizeof(answer), 0);
	free(b.mem);
}

/* ---- dumps ---- */

/**
 * dump_reset - forget all records
 * @d: the dump
 */
void dump_reset(struct dump *d)
{
	d->used = 0;
	d->n = 0;
}

static void record(struct dump *d, unsigned int type, const void *p, size_t len)
{
	if (d->n == d->nmax) {
		d->nmax = d->nmax * 2 + 256;
		d->at = need(realloc(d->at, d->nmax * sizeof(*d->at)));
		d->rec = need(realloc(d->rec, d->nmax * sizeof(*d->rec)));
		d->len = need(realloc(d->len, d->nmax * sizeof(*d->len)));
		d->type = need(realloc(d->type, d->nmax * sizeof(*d->type)));
	}
	if (d->used + len + 8 > d->max) {
		d->max = (d->max + len) * 2 + 65536;
		d->mem = need(realloc(d->mem, d->max));
	}
	d->at[d->n] = d->used;
	d->len[d->n] = len;
	d->type[d->n++] = type;
	memcpy(d->mem + d->used, p, len);
	/* attributes are to be aligned */
	d->used += (len + 7) & ~7UL;
}

/* The family and the attributes; the rest of struct nfgenmsg is a generation.
 * Tables are numbered as they come, all through the life of a namespace.
 */
static void dump_each(void *to, const struct nlmsghdr *h)
{
	uint8_t tmp[65536], *handle;
	const struct nfgenmsg *g = NLMSG_DATA(h);
	size_t len = h->nlmsg_len - NLMSG_HDRLEN - sizeof(*g);

	if (len + 4 > sizeof(tmp))
		return;
	memset(tmp, 0, 4);
	tmp[0] = g->nfgen_family;
	memcpy(tmp + 4, g + 1, len);
	if ((h->nlmsg_type & 0xff) == NFT_MSG_NEWTABLE) {
		handle = (void *)find(tmp + 4, len, NFTA_TABLE_HANDLE);
		if (handle)
			memset(handle + NLA_HDRLEN, 0, 8);
	}
	record(to, h->nlmsg_type & 0xff, tmp, len + 4);
}

/* Each element of a set is a record of its own */
static void dump_elems(void *to, const struct nlmsghdr *h)
{
	const uint8_t *p = (const uint8_t *)h + NLMSG_HDRLEN +
			   sizeof(struct nfgenmsg);
	size_t len = h->nlmsg_len - NLMSG_HDRLEN - sizeof(struct nfgenmsg);
	const struct nlattr *list = find(p, len, NFTA_SET_ELEM_LIST_ELEMENTS);
	uint8_t *expires;
	int left;

	if (!list)
		return;
	p = (const uint8_t *)list + NLA_HDRLEN;
	left = list->nla_len - NLA_HDRLEN;
	while (left >= NLA_HDRLEN) {
		const struct nlattr *a = (const void *)p;

		if (a->nla_len < NLA_HDRLEN || a->nla_len > left)
			break;
		expires = (void *)find(p + NLA_HDRLEN, a->nla_len - NLA_HDRLEN,
				       NFTA_SET_ELEM_EXPIRATION);
		/* which is another one each time */
		if (expires)
			memset(expires + NLA_HDRLEN, 0, 8);
		record(to, NFT_MSG_NEWSETELEM, a, a->nla_len);
		p += NLA_ALIGN(a->nla_len);
		left -= NLA_ALIGN(a->nla_len);
	}
}

static struct dump *sorted;

static int by_bytes(const void *a, const void *b)
{
	unsigned int x = *(const unsigned int *)a, y = *(const unsigned int *)b;
	uint32_t n = sorted->len[x] < sorted->len[y] ? sorted->len[x] :
						       sorted->len[y];
	int c = memcmp(sorted->mem + sorted->at[x],
		       sorted->mem + sorted->at[y], n);

	return c ? c : (int)sorted->len[x] - (int)sorted->len[y];
}

/* A hash has no order: sort the records from @first on */
static void sort_from(struct dump *d, unsigned int first)
{
	unsigned int n = d->n - first, i;
	unsigned int *order = need(malloc((n + 1) * sizeof(*order)));
	size_t *at = need(malloc((n + 1) * sizeof(*at)));
	uint32_t *len = need(malloc((n + 1) * sizeof(*len)));

	for (i = 0; i < n; i++)
		order[i] = first + i;
	sorted = d;
	qsort(order, n, sizeof(*order), by_bytes);
	for (i = 0; i < n; i++) {
		at[i] = d->at[order[i]];
		len[i] = d->len[order[i]];
	}
	memcpy(d->at + first, at, n * sizeof(*at));
	memcpy(d->len + first, len, n * sizeof(*len));
	free(order);
	free(at);
	free(len);
}

struct set_name {
	const char	*table;
	const char	*set;
};

static void set_attrs(struct batch *b, const void *arg)
{
	const struct set_name *s = arg;

	put_str(b, NFTA_SET_ELEM_LIST_TABLE, s->table);
	put_str(b, NFTA_SET_ELEM_LIST_SET, s->set);
}

/**
 * dump_all - all that the kernel tells of a namespace's ruleset
 * @fd: a socket there
 * @d: where to
 *
 * Return: false if it does not tell.
 */
bool dump_all(int fd, struct dump *d)
{
	static const int what[] = {
		NFT_MSG_GETTABLE, NFT_MSG_GETCHAIN, NFT_MSG_GETOBJ,
		NFT_MSG_GETRULE, NFT_MSG_GETSET,
	};
	unsigned int i, first, last = 0, sets = 0;

	for (i = 0; i < ARRAY_SIZE(what); i++) {
		sets = d->n;
		if (!nl_dump(fd, NFT_TYPE(what[i]), 0, NULL, NULL, dump_each,
			     d))
			return false;
	}
	last = d->n;
	for (i = sets; i < last; i++) {
		struct set_name s;
		char table[64], set[64];
		uint8_t *p = d->mem + d->at[i];

		snprintf(table, sizeof(table), "%s",
			 str(find(p + 4, d->len[i] - 4, NFTA_SET_TABLE)));
		snprintf(set, sizeof(set), "%s",
			 str(find(p + 4, d->len[i] - 4, NFTA_SET_NAME)));
		s.table = table;
		s.set = set;
		first = d->n;
		if (!nl_dump(fd, NFT_TYPE(NFT_MSG_GETSETELEM), p[0], set_attrs,
			     &s, dump_elems, d))
			return false;
		sort_from(d, first);
		/* where the elements of one set end */
		record(d, NFT_MSG_GETSETELEM, set, strlen(set) + 1);
	}
	for (i = 0; i < d->n; i++)
		d->rec[i] = d->mem + d->at[i];
	return true;
}

/* Go through the counters of a rule */
static unsigned int counters(const uint8_t *p, size_t len, uint64_t *sum,
			     FILE *out)
{
	const struct nlattr *list = find(p + 4, len - 4, NFTA_RULE_EXPRESSIONS);
	const struct nlattr *a, *data;
	unsigned int n = 0;
	size_t left;

	*sum = 0;
	if (!list)
		return 0;
	p = (const uint8_t *)list + NLA_HDRLEN;
	left = list->nla_len - NLA_HDRLEN;
	while (left >= NLA_HDRLEN) {
		a = (const void *)p;
		if (!strcmp(str(in(a, NFTA_EXPR_NAME)), "counter")) {
			data = in(a, NFTA_EXPR_DATA);
			*sum += be64(in(data, NFTA_COUNTER_PACKETS));
			if (out)
				fprintf(out, " packets %llu bytes %llu",
					(unsigned long long)be64(in(data, NFTA_COUNTER_PACKETS)),
					(unsigned long long)be64(in(data, NFTA_COUNTER_BYTES)));
			n++;
		}
		if ((size_t)NLA_ALIGN(a->nla_len) >= left)
			break;
		p += NLA_ALIGN(a->nla_len);
		left -= NLA_ALIGN(a->nla_len);
	}
	return n;
}

/**
 * dump_count - sum up the rules of all tables but the witness
 * @d: the dump
 * @rules: add the number of rules here
 * @hits: add the number of those that counted something
 * @matches: add the sum of what they counted
 */
void dump_count(const struct dump *d, unsigned long *rules, unsigned long *hits,
		unsigned long *matches)
{
	unsigned int i;
	uint64_t sum;

	for (i = 0; i < d->n; i++) {
		const uint8_t *p = d->rec[i];

		if (d->type[i] != NFT_MSG_NEWRULE ||
		    !strcmp(str(find(p + 4, d->len[i] - 4, NFTA_RULE_TABLE)),
			    "w"))
			continue;
		++*rules;
		if (counters(p, d->len[i], &sum, NULL) && sum) {
			++*hits;
			*matches += sum;
		}
	}
}

static void show(const struct dump *d, unsigned int i, const char *who, FILE *out)
{
	const uint8_t *p = d->rec[i], *q;
	size_t len = d->len[i], k;
	unsigned int nth = 0, j;
	uint64_t sum;

	fprintf(out, "  %s: ", who);
	switch (d->type[i]) {
	case NFT_MSG_NEWRULE:
		for (j = i; j-- > 0 && d->type[j] == NFT_MSG_NEWRULE;) {
			q = d->rec[j];
			if (q[0] != p[0] ||
			    strcmp(str(find(q + 4, d->len[j] - 4,
					    NFTA_RULE_CHAIN)),
				   str(find(p + 4, len - 4, NFTA_RULE_CHAIN))))
				break;
			nth++;
		}
		fprintf(out, "family %u table %s chain %s rule %u:", p[0],
			str(find(p + 4, len - 4, NFTA_RULE_TABLE)),
			str(find(p + 4, len - 4, NFTA_RULE_CHAIN)), nth);
		counters(p, len, &sum, out);
		break;
	case NFT_MSG_NEWSETELEM:
		for (j = i; j < d->n && d->type[j] != NFT_MSG_GETSETELEM; j++)
			;
		fprintf(out, "set %s: ", j < d->n ? (char *)d->rec[j] : "?");
		for (k = 0; k < len; k++)
			fprintf(out, "%02x%s", p[k], k % 4 == 3 ? " " : "");
		break;
	default:
		fprintf(out, "message %u, family %u, %s:", d->type[i], p[0],
			str(find(p + 4, len - 4, 1)));
		for (k = 0; k < len; k++)
			fprintf(out, " %02x", p[k]);
	}
	fputc('\n', out);
}

/**
 * dump_compare - find what differs
 * @a: one dump
 * @b: another
 * @out: where to say it, or NULL
 *
 * Return: number of differences.
 */
unsigned int dump_compare(const struct dump *a, const struct dump *b, FILE *out)
{
	unsigned int i, n = 0;

	for (i = 0; i < a->n && i < b->n; i++) {
		if (a->type[i] == b->type[i] && a->len[i] == b->len[i] &&
		    !memcmp(a->rec[i], b->rec[i], a->len[i]))
			continue;
		if (out && n < 12) {
			show(a, i, "off", out);
			show(b, i, " on", out);
		}
		n++;
	}
	if (a->n != b->n) {
		if (out)
			fprintf(out, "  off: %u records, on: %u\n", a->n, b->n);
		n++;
	}
	return n;
}
