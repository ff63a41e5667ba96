// SPDX-License-Identifier: GPL-2.0-only
/*
 * A rule with a match of x_tables in any revision and with any info, which
 * iptables-nft does not let one choose.
 *
 * usage: xtmatch TABLE CHAIN NAME REVISION INFO [PROTO]
 *
 * Adds the rule "match NAME, counter" to a chain of the family ip.  INFO is in
 * hexadecimal digits; PROTO is the protocol that the rule claims to be about, for
 * matches that ask for one.  Prints "match NAME REVISION: " and "added", or the
 * error; the exit code is 0 either way.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct nlmsghdr *put(char *buf, int type, int flags, int family, int res)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	h->nlmsg_seq = 1;
	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	g->res_id = htons(res);
	return h;
}

static void put_match(struct nlmsghdr *h, const char *name, int rev,
		      const void *info, size_t len)
{
	struct nlattr *elem, *data;

	elem = mnl_attr_nest_start(h, NFTA_LIST_ELEM);
	mnl_attr_put_strz(h, NFTA_EXPR_NAME, "match");
	data = mnl_attr_nest_start(h, NFTA_EXPR_DATA);
	mnl_attr_put_strz(h, NFTA_MATCH_NAME, name);
	mnl_attr_put_u32(h, NFTA_MATCH_REV, htonl(rev));
	mnl_attr_put(h, NFTA_MATCH_INFO, len, info);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, elem);
}

static void put_counter(struct nlmsghdr *h)
{
	struct nlattr *elem, *data;

	elem = mnl_attr_nest_start(h, NFTA_LIST_ELEM);
	mnl_attr_put_strz(h, NFTA_EXPR_NAME, "counter");
	data = mnl_attr_nest_start(h, NFTA_EXPR_DATA);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, elem);
}

int main(int argc, char **argv)
{
	char buf[16384] = {}, *at = buf;
	unsigned char info[1024];
	struct mnl_socket *nl;
	struct nlattr *nest;
	struct nlmsghdr *h;
	size_t len = 0;
	int n;

	if (argc < 6 || strlen(argv[5]) > 2 * sizeof(info))
		return 2;
	for (; sscanf(argv[5] + 2 * len, "%2hhx", &info[len]) == 1; len++)
		;

	h = put(at, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	at += NLMSG_ALIGN(h->nlmsg_len);

	h = put(at, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE,
		NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK, NFPROTO_IPV4, 0);
	mnl_attr_put_strz(h, NFTA_RULE_TABLE, argv[1]);
	mnl_attr_put_strz(h, NFTA_RULE_CHAIN, argv[2]);
	if (argc > 6) {
		nest = mnl_attr_nest_start(h, NFTA_RULE_COMPAT);
		mnl_attr_put_u32(h, NFTA_RULE_COMPAT_PROTO, htonl(atoi(argv[6])));
		mnl_attr_put_u32(h, NFTA_RULE_COMPAT_FLAGS, 0);
		mnl_attr_nest_end(h, nest);
	}
	nest = mnl_attr_nest_start(h, NFTA_RULE_EXPRESSIONS);
	put_match(h, argv[3], atoi(argv[4]), info, len);
	put_counter(h);
	mnl_attr_nest_end(h, nest);
	at += NLMSG_ALIGN(h->nlmsg_len);

	h = put(at, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	at += NLMSG_ALIGN(h->nlmsg_len);

	nl = mnl_socket_open(NETLINK_NETFILTER);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) ||
	    mnl_socket_sendto(nl, buf, at - buf) < 0) {
		perror("xtmatch");
		return 1;
	}
	n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
	h = (struct nlmsghdr *)buf;
	if (n < (int)sizeof(*h) + 4 || h->nlmsg_type != NLMSG_ERROR) {
		fprintf(stderr, "xtmatch: no answer\n");
		return 1;
	}
	n = *(int *)mnl_nlmsg_get_payload(h);
	printf("match %s %s: %s\n", argv[3], argv[4], n ? strerror(-n) : "added");
	return 0;
}
