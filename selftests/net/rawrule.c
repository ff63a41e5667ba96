// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules that nft cannot write, or writes in one way only: each expression is said,
 * with the registers that it uses.
 *
 * usage: rawrule add FAMILY TABLE CHAIN		rules from stdin, one a line
 *        rawrule list FAMILY TABLE CHAIN
 *
 * FAMILY is a number (NFPROTO_*).  A rule is a list of expressions, these:
 *
 *	payload,BASE,OFFSET,LEN,REG	BASE: l, n, t, i (inner) or u (tunnel)
 *	meta,KEY,REG			KEY is a number (NFT_META_*)
 *	inner,TYPE,FLAGS,HDRSIZE,EXPR	EXPR is one of the two above
 *	cmp,REG,OP,HEX			OP: eq, ne, lt, lte, gt, gte
 *	bitwise,REG,HEX			a mask
 *	lookup,REG,SET[,not]
 *	vmap,REG,MAP
 *	setmark,REG
 *	counter accept drop jump,CHAIN
 *
 * What a line says is the rule's comment as well.  "add" prints the line of a rule
 * that is refused, and why; all of them are one transaction, in which nothing is
 * added then.  "list" prints what the rule's counter has, the comment, and the
 * expressions as the kernel says them, in hexadecimal digits.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* of kernels after the oldest that this is compiled with */
enum {
	INNER_NUM = 1,
	INNER_TYPE,
	INNER_FLAGS,
	INNER_HDRSIZE,
	INNER_EXPR,
};

#define MAX_RULES	256
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define MAX_ARGS	10

static char buf[1 << 19];
static const char *table, *chain;
static int family;

static void die(const char *what)
{
	fprintf(stderr, "rawrule: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void bad(const char *what)
{
	fprintf(stderr, "rawrule: what is %s?\n", what);
	exit(2);
}

static struct nlmsghdr *put(char *at, int type, int flags, int nfproto, int res,
			    int seq)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(at);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	h->nlmsg_seq = seq;
	g->nfgen_family = nfproto;
	g->version = NFNETLINK_V0;
	g->res_id = htons(res);
	return h;
}

static void put_be32(struct nlmsghdr *h, int attr, uint32_t v)
{
	mnl_attr_put_u32(h, attr, htonl(v));
}

/* A value of hexadecimal digits */
static void put_value(struct nlmsghdr *h, int attr, const char *hex)
{
	struct nlattr *nest = mnl_attr_nest_start(h, attr);
	unsigned char v[64];
	size_t len = 0;

	for (; len < sizeof(v) && sscanf(hex + 2 * len, "%2hhx", &v[len]) == 1; len++)
		;
	mnl_attr_put(h, NFTA_DATA_VALUE, len, v);
	mnl_attr_nest_end(h, nest);
}

static int number(const char *list, const char *word)
{
	const char *at = strstr(list, word);
	int n = 0;

	if (!at)
		bad(word);
	while (at-- > list)
		n += *at == ' ';
	return n;
}

static void put_verdict(struct nlmsghdr *h, int code, const char *to)
{
	struct nlattr *data, *verdict;

	put_be32(h, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = mnl_attr_nest_start(h, NFTA_IMMEDIATE_DATA);
	verdict = mnl_attr_nest_start(h, NFTA_DATA_VERDICT);
	put_be32(h, NFTA_VERDICT_CODE, code);
	if (to)
		mnl_attr_put_strz(h, NFTA_VERDICT_CHAIN, to);
	mnl_attr_nest_end(h, verdict);
	mnl_attr_nest_end(h, data);
}

static void put_expr(struct nlmsghdr *h, char **arg, int n);

/* The attributes of an expression; false: there is none of this name */
static bool put_data(struct nlmsghdr *h, char **a, int n)
{
	const char *what = a[0];

	if (!strcmp(what, "payload") && n == 5) {
		put_be32(h, NFTA_PAYLOAD_BASE, number("l n t i u", a[1]));
		put_be32(h, NFTA_PAYLOAD_OFFSET, atoi(a[2]));
		put_be32(h, NFTA_PAYLOAD_LEN, atoi(a[3]));
		put_be32(h, NFTA_PAYLOAD_DREG, atoi(a[4]));
	} else if (!strcmp(what, "meta") && n == 3) {
		put_be32(h, NFTA_META_KEY, atoi(a[1]));
		put_be32(h, NFTA_META_DREG, atoi(a[2]));
	} else if (!strcmp(what, "setmark") && n == 2) {
		put_be32(h, NFTA_META_KEY, NFT_META_MARK);
		put_be32(h, NFTA_META_SREG, atoi(a[1]));
	} else if (!strcmp(what, "inner") && n > 4) {
		struct nlattr *nest;

		put_be32(h, INNER_NUM, 0);
		put_be32(h, INNER_TYPE, atoi(a[1]));
		put_be32(h, INNER_FLAGS, atoi(a[2]));
		put_be32(h, INNER_HDRSIZE, atoi(a[3]));
		nest = mnl_attr_nest_start(h, INNER_EXPR);
		put_expr(h, a + 4, n - 4);
		mnl_attr_nest_end(h, nest);
	} else if (!strcmp(what, "cmp") && n == 4) {
		put_be32(h, NFTA_CMP_SREG, atoi(a[1]));
		put_be32(h, NFTA_CMP_OP, number("eq ne lt lte gt gte", a[2]));
		put_value(h, NFTA_CMP_DATA, a[3]);
	} else if (!strcmp(what, "bitwise") && n == 3) {
		char zero[] = "00000000000000000000000000000000";
		size_t len = strlen(a[2]);

		put_be32(h, NFTA_BITWISE_SREG, atoi(a[1]));
		put_be32(h, NFTA_BITWISE_DREG, atoi(a[1]));
		put_be32(h, NFTA_BITWISE_LEN, len / 2);
		put_value(h, NFTA_BITWISE_MASK, a[2]);
		zero[len < sizeof(zero) ? len : sizeof(zero) - 1] = 0;
		put_value(h, NFTA_BITWISE_XOR, zero);
	} else if ((!strcmp(what, "lookup") && n >= 3) ||
		   (!strcmp(what, "vmap") && n == 3)) {
		mnl_attr_put_strz(h, NFTA_LOOKUP_SET, a[2]);
		put_be32(h, NFTA_LOOKUP_SREG, atoi(a[1]));
		if (*what == 'v')
			put_be32(h, NFTA_LOOKUP_DREG, NFT_REG_VERDICT);
		if (n > 3)
			put_be32(h, NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
	} else if (!strcmp(what, "accept")) {
		put_verdict(h, NF_ACCEPT, NULL);
	} else if (!strcmp(what, "drop")) {
		put_verdict(h, NF_DROP, NULL);
	} else if (!strcmp(what, "jump") && n == 2) {
		put_verdict(h, NFT_JUMP, a[1]);
	} else {
		return !strcmp(what, "counter");
	}
	return true;
}

static void put_expr(struct nlmsghdr *h, char **arg, int n)
{
	static const char * const name[][2] = {
		{ "setmark", "meta" }, { "vmap", "lookup" },
		{ "accept", "immediate" }, { "drop", "immediate" },
		{ "jump", "immediate" },
	};
	const char *called = arg[0];
	struct nlattr *data;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(name); i++) {
		if (!strcmp(called, name[i][0]))
			called = name[i][1];
	}
	mnl_attr_put_strz(h, NFTA_EXPR_NAME, called);
	data = mnl_attr_nest_start(h, NFTA_EXPR_DATA);
	if (!put_data(h, arg, n))
		bad(arg[0]);
	mnl_attr_nest_end(h, data);
}

static void put_rule(struct nlmsghdr *h, char *line)
{
	struct nlattr *list, *elem;
	unsigned char note[256];
	char *word, *arg[MAX_ARGS];
	size_t len;
	int n;

	mnl_attr_put_strz(h, NFTA_RULE_TABLE, table);
	mnl_attr_put_strz(h, NFTA_RULE_CHAIN, chain);
	/* a comment, as nft has it: type, length, string */
	len = strlen(line) < 120 ? strlen(line) : 120;
	note[0] = 0;
	note[1] = len + 1;
	memcpy(note + 2, line, len);
	note[2 + len] = 0;
	mnl_attr_put(h, NFTA_RULE_USERDATA, len + 3, note);
	list = mnl_attr_nest_start(h, NFTA_RULE_EXPRESSIONS);
	for (word = strtok(line, " \t"); word; word = strtok(NULL, " \t")) {
		for (n = 0; word && n < MAX_ARGS; n++) {
			arg[n] = word;
			word = strchr(word, ',');
			if (word)
				*word++ = 0;
		}
		elem = mnl_attr_nest_start(h, NFTA_LIST_ELEM);
		put_expr(h, arg, n);
		mnl_attr_nest_end(h, elem);
	}
	mnl_attr_nest_end(h, list);
}

/* What the kernel says to the rule of each line; one socket's buffer is enough */
static int answers(struct mnl_socket *nl, char lines[][256], int rules)
{
	int n, err, seen = 0, failed = 0;
	struct nlmsghdr *h;

	while (seen < rules) {
		n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		if (n < 0)
			die("recv");
		for (h = (struct nlmsghdr *)buf; mnl_nlmsg_ok(h, n);
		     h = mnl_nlmsg_next(h, &n)) {
			if (h->nlmsg_type != NLMSG_ERROR)
				continue;
			seen++;
			err = *(int *)mnl_nlmsg_get_payload(h);
			if (!err)
				continue;
			failed = 1;
			printf("%s: %s\n", lines[h->nlmsg_seq % MAX_RULES],
			       strerror(-err));
		}
	}
	return failed;
}

static int add(struct mnl_socket *nl)
{
	static char lines[MAX_RULES][256];
	char copy[256], *at = buf;
	struct nlmsghdr *h;
	int rules = 0;

	h = put(at, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES, 0);
	at += NLMSG_ALIGN(h->nlmsg_len);
	while (rules < MAX_RULES && fgets(lines[rules], sizeof(lines[0]), stdin)) {
		char *line = lines[rules] + strspn(lines[rules], " \t");

		line[strcspn(line, "\n")] = 0;
		if (!*line || *line == '#')
			continue;
		memcpy(copy, line, strlen(line) + 1);
		h = put(at, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE,
			NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK, family, 0, rules);
		put_rule(h, copy);
		at += NLMSG_ALIGN(h->nlmsg_len);
		rules++;
	}
	h = put(at, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES, 0);
	at += NLMSG_ALIGN(h->nlmsg_len);
	if (mnl_socket_sendto(nl, buf, at - buf) < 0)
		die("send");
	return answers(nl, lines, rules);
}

/* The attribute @type among those in @nest, NULL: there is none */
static const struct nlattr *find(const struct nlattr *nest, int type)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, nest) {
		if (mnl_attr_get_type(a) == type)
			return a;
	}
	return NULL;
}

static void print_rule(const struct nlmsghdr *h)
{
	const struct nlattr *a, *list = NULL, *note = NULL, *e, *v;
	const unsigned char *p;
	unsigned int i;

	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(a) == NFTA_RULE_EXPRESSIONS)
			list = a;
		else if (mnl_attr_get_type(a) == NFTA_RULE_USERDATA)
			note = a;
	}
	if (!list)
		return;
	mnl_attr_for_each_nested(e, list) {
		v = find(e, NFTA_EXPR_NAME);
		if (!v || strcmp(mnl_attr_get_str(v), "counter"))
			continue;
		a = find(e, NFTA_EXPR_DATA);
		v = find(a, NFTA_COUNTER_PACKETS);
		printf("packets %llu ", (unsigned long long)be64toh(mnl_attr_get_u64(v)));
		v = find(a, NFTA_COUNTER_BYTES);
		printf("bytes %llu ", (unsigned long long)be64toh(mnl_attr_get_u64(v)));
	}
	if (note && mnl_attr_get_payload_len(note) > 2)
		printf("# %s", (char *)mnl_attr_get_payload(note) + 2);
	printf("\n ");
	p = mnl_attr_get_payload(list);
	for (i = 0; i < mnl_attr_get_payload_len(list); i++)
		printf("%02x", p[i]);
	printf("\n");
}

static int list(struct mnl_socket *nl)
{
	struct nlmsghdr *h;
	int n;

	h = put(buf, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE, NLM_F_DUMP, family, 0,
		1);
	mnl_attr_put_strz(h, NFTA_RULE_TABLE, table);
	mnl_attr_put_strz(h, NFTA_RULE_CHAIN, chain);
	if (mnl_socket_sendto(nl, buf, h->nlmsg_len) < 0)
		die("send");
	for (;;) {
		n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		if (n < 0)
			die("recv");
		for (h = (struct nlmsghdr *)buf; mnl_nlmsg_ok(h, n);
		     h = mnl_nlmsg_next(h, &n)) {
			if (h->nlmsg_type == NLMSG_DONE)
				return 0;
			if (h->nlmsg_type == NLMSG_ERROR)
				return 1;
			print_rule(h);
		}
	}
}

int main(int argc, char **argv)
{
	struct mnl_socket *nl;

	if (argc != 5 || (strcmp(argv[1], "add") && strcmp(argv[1], "list")))
		return 2;
	family = atoi(argv[2]);
	table = argv[3];
	chain = argv[4];
	nl = mnl_socket_open(NETLINK_NETFILTER);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID))
		die("socket");
	return argv[1][0] == 'a' ? add(nl) : list(nl);
}
