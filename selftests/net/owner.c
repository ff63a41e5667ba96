// SPDX-License-Identifier: GPL-2.0-only
/*
 * A table with an owner: it lives as long as the netlink socket that made it,
 * and nobody else may change it.
 *
 * usage: owner TABLE
 *
 * Makes, in one transaction, the table ip TABLE with a chain "in" at the hook
 * input and a rule "meta l4proto udp counter", says "ready", and holds the
 * socket open until its standard input ends.
 */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef NFT_TABLE_F_OWNER
#define NFT_TABLE_F_OWNER	0x2
#endif

static uint8_t buf[4096];
static unsigned int n;
static struct nlmsghdr *nlh;

static void begin(unsigned int type, unsigned int flags, unsigned int res)
{
	struct nfgenmsg *g;

	nlh = (void *)(buf + n);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = 1;
	g = (void *)(nlh + 1);
	g->nfgen_family = NFPROTO_IPV4;
	g->res_id = htons(res);
	n += sizeof(*nlh) + sizeof(*g);
}

static void end(void)
{
	nlh->nlmsg_len = buf + n - (uint8_t *)nlh;
}

static void attr(unsigned int type, const void *data, unsigned int len)
{
	struct nlattr *a = (void *)(buf + n);

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	memcpy(a + 1, data, len);
	n += NLA_ALIGN(a->nla_len);
}

static void attr_str(unsigned int type, const char *s)
{
	attr(type, s, strlen(s) + 1);
}

static void attr_u32(unsigned int type, uint32_t v)
{
	v = htonl(v);
	attr(type, &v, sizeof(v));
}

static struct nlattr *nest(unsigned int type)
{
	struct nlattr *a = (void *)(buf + n);

	a->nla_type = type | NLA_F_NESTED;
	n += NLA_HDRLEN;
	return a;
}

static void nest_end(struct nlattr *a)
{
	a->nla_len = buf + n - (uint8_t *)a;
}

#define MSG(type)	(NFNL_SUBSYS_NFTABLES << 8 | (type))

static void rule(void)
{
	struct nlattr *list = nest(NFTA_RULE_EXPRESSIONS), *elem, *data, *value;

	elem = nest(NFTA_LIST_ELEM);
	attr_str(NFTA_EXPR_NAME, "meta");
	data = nest(NFTA_EXPR_DATA);
	attr_u32(NFTA_META_DREG, NFT_REG_1);
	attr_u32(NFTA_META_KEY, NFT_META_L4PROTO);
	nest_end(data);
	nest_end(elem);

	elem = nest(NFTA_LIST_ELEM);
	attr_str(NFTA_EXPR_NAME, "cmp");
	data = nest(NFTA_EXPR_DATA);
	attr_u32(NFTA_CMP_SREG, NFT_REG_1);
	attr_u32(NFTA_CMP_OP, NFT_CMP_EQ);
	value = nest(NFTA_CMP_DATA);
	attr(NFTA_DATA_VALUE, "\x11", 1);
	nest_end(value);
	nest_end(data);
	nest_end(elem);

	elem = nest(NFTA_LIST_ELEM);
	attr_str(NFTA_EXPR_NAME, "counter");
	data = nest(NFTA_EXPR_DATA);
	nest_end(data);
	nest_end(elem);
	nest_end(list);
}

int main(int argc, char **argv)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };
	struct nlattr *hook;
	uint8_t reply[4096];
	int fd, len;

	if (argc != 2)
		return 2;
	begin(NFNL_MSG_BATCH_BEGIN, 0, NFNL_SUBSYS_NFTABLES);
	end();
	begin(MSG(NFT_MSG_NEWTABLE), NLM_F_CREATE, 0);
	attr_str(NFTA_TABLE_NAME, argv[1]);
	attr_u32(NFTA_TABLE_FLAGS, NFT_TABLE_F_OWNER);
	end();
	begin(MSG(NFT_MSG_NEWCHAIN), NLM_F_CREATE, 0);
	attr_str(NFTA_CHAIN_TABLE, argv[1]);
	attr_str(NFTA_CHAIN_NAME, "in");
	hook = nest(NFTA_CHAIN_HOOK);
	attr_u32(NFTA_HOOK_HOOKNUM, NF_INET_LOCAL_IN);
	attr_u32(NFTA_HOOK_PRIORITY, 0);
	nest_end(hook);
	attr_str(NFTA_CHAIN_TYPE, "filter");
	end();
	begin(MSG(NFT_MSG_NEWRULE), NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK, 0);
	attr_str(NFTA_RULE_TABLE, argv[1]);
	attr_str(NFTA_RULE_CHAIN, "in");
	rule();
	end();
	begin(NFNL_MSG_BATCH_END, 0, NFNL_SUBSYS_NFTABLES);
	end();

	fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
	if (fd < 0 || bind(fd, (void *)&to, sizeof(to)) ||
	    sendto(fd, buf, n, 0, (void *)&to, sizeof(to)) < 0) {
		perror("owner");
		return 1;
	}
	len = recv(fd, reply, sizeof(reply), 0);
	nlh = (void *)reply;
	if (len < (int)sizeof(*nlh) + 4 || nlh->nlmsg_type != NLMSG_ERROR ||
	    *(int *)(nlh + 1)) {
		fprintf(stderr, "owner: refused (%d)\n",
			len < (int)sizeof(*nlh) + 4 ? 0 : *(int *)(nlh + 1));
		return 1;
	}
	puts("ready");
	fflush(stdout);
	while (read(0, reply, sizeof(reply)) > 0)
		;
	return 0;
}
