// SPDX-License-Identifier: GPL-2.0-only
/*
 * Both ends of a conversation in one process, step by step, so that what is
 * said does not depend on time; and the user's end of NFQUEUE.
 *
 * usage: talk tcp|udp CNS SNS SRC SPORT DST DPORT LADDR LPORT [times N] [say TEXT]
 *                     [transparent] [silent]
 *        talk queue NUM COUNT accept|drop|repeat|mark
 *        talk reset-rules
 *
 *	tcp, udp	from SRC:SPORT in the netns CNS (a path) to DST:DPORT, with
 *			somebody at LADDR:LPORT in SNS, N times to and fro
 *	queue		binds queue NUM of the netns it runs in, and prints what it
 *			gets of COUNT packets, before it says what becomes of them
 *	reset-rules	NFT_MSG_GETRULE_RESET, for an nft that lacks the command;
 *			prints how many rules came, exits with 4 if the kernel lacks it
 *
 * An answer that does not come is waited for PATIENCE milliseconds, or, if none is
 * to come ("silent"), PATIENCE_SILENT; a packet for PATIENCE_QUEUE.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE	20000
#define PATIENCE_SILENT	2000
/* for a packet to be queued, which some program has yet to send */
#define PATIENCE_QUEUE	60000
/* of kernels after the oldest that this is compiled with */
#define GETRULE_RESET	25

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void enter(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(path);
	close(fd);
}

static socklen_t address(const char *host, const char *port,
			 struct sockaddr_storage *ss)
{
	struct addrinfo *ai, hint = { .ai_flags = AI_NUMERICHOST };
	socklen_t len;

	if (getaddrinfo(host, port, &hint, &ai)) {
		fprintf(stderr, "what is %s %s?\n", host, port);
		exit(2);
	}
	memcpy(ss, ai->ai_addr, ai->ai_addrlen);
	len = ai->ai_addrlen;
	freeaddrinfo(ai);
	return len;
}

static const char *text(const struct sockaddr_storage *ss)
{
	static char s[NI_MAXHOST + NI_MAXSERV];
	char host[NI_MAXHOST], port[NI_MAXSERV];

	if (getnameinfo((const void *)ss, sizeof(*ss), host, sizeof(host), port,
			sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV))
		return "?";
	snprintf(s, sizeof(s), "%s %s", host, port);
	return s;
}

/* a socket of the netns bound to host and port */
static int bound(const char *ns, int type, const char *host, const char *port,
		 int transparent)
{
	struct sockaddr_storage ss;
	socklen_t len = address(host, port, &ss);
	int one = 1, fd;

	enter(ns);
	fd = socket(ss.ss_family, type | SOCK_NONBLOCK, 0);
	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (transparent &&
	    setsockopt(fd, SOL_IP, IP_TRANSPARENT, &one, sizeof(one)))
		die("IP_TRANSPARENT");
	if (bind(fd, (void *)&ss, len))
		die("bind");
	return fd;
}

static int patience = PATIENCE;

static int ready_within(int fd, short what, int ms)
{
	struct pollfd p = { .fd = fd, .events = what };

	return poll(&p, 1, ms) > 0;
}

static int ready(int fd, short what)
{
	return ready_within(fd, what, patience);
}

/* what has come, or what has become of it */
static int heard(int fd, const char *who, struct sockaddr_storage *from)
{
	char buf[2000];
	socklen_t len = sizeof(*from);
	ssize_t n;

	if (!ready(fd, POLLIN)) {
		printf("%s hears nothing\n", who);
		return 0;
	}
	n = recvfrom(fd, buf, sizeof(buf) - 1, 0, (void *)from, &len);
	if (n < 0) {
		printf("%s: %s\n", who, strerror(errno));
		return 0;
	}
	buf[n] = 0;
	printf("%s hears \"%s\"", who, buf);
	if (len)
		printf(" from %s", text(from));
	printf("\n");
	return n > 0;
}

static int udp(char **a, const char *say, int times, int transparent)
{
	struct sockaddr_storage dst, from;
	socklen_t len = address(a[5], a[6], &dst);
	int s = bound(a[2], SOCK_DGRAM, a[7], a[8], transparent);
	int c = bound(a[1], SOCK_DGRAM, a[3], a[4], 0);
	struct pollfd p[2] = {
		{ .fd = s, .events = POLLIN }, { .fd = c, .events = POLLIN },
	};
	int one = 1;

	/* for ICMP errors to be told */
	setsockopt(c, SOL_IP, IP_RECVERR, &one, sizeof(one));
	if (dst.ss_family == AF_INET6)
		setsockopt(c, SOL_IPV6, IPV6_RECVERR, &one, sizeof(one));
	while (times--) {
		if (sendto(c, say, strlen(say), 0, (void *)&dst, len) < 0) {
			printf("client: %s\n", strerror(errno));
			return 0;
		}
		/* one of them hears of it: the client, if it is refused */
		p[0].revents = 0;
		if (poll(p, 2, patience) > 0 && !p[0].revents) {
			heard(c, "client", &from);
			continue;
		}
		if (!p[0].revents) {
			printf("nobody hears anything\n");
			continue;
		}
		if (!heard(s, "server", &from))
			continue;
		/* a transparent socket would not be the one that was addressed */
		if (transparent)
			continue;
		sendto(s, "answer", 6, 0, (void *)&from, sizeof(from));
		heard(c, "client", &from);
	}
	return 0;
}

static int tcp(char **a, const char *say, int times, int transparent)
{
	struct sockaddr_storage dst, from;
	socklen_t len = address(a[5], a[6], &dst), flen = sizeof(from);
	int l = bound(a[2], SOCK_STREAM, a[7], a[8], transparent);
	int c = bound(a[1], SOCK_STREAM, a[3], a[4], 0);
	int s, err = 0, one = 1;

	if (listen(l, 5))
		die("listen");
	if (connect(c, (void *)&dst, len) && errno != EINPROGRESS) {
		printf("client: %s\n", strerror(errno));
		return 0;
	}
	if (!ready(c, POLLOUT)) {
		printf("client: no connection\n");
		return 0;
	}
	len = sizeof(err);
	getsockopt(c, SOL_SOCKET, SO_ERROR, &err, &len);
	if (err) {
		printf("client: %s\n", strerror(err));
		return 0;
	}
	if (!ready(l, POLLIN)) {
		printf("server: no connection\n");
		return 0;
	}
	s = accept(l, (void *)&from, &flen);
	if (s < 0)
		die("accept");
	printf("server has a connection from %s", text(&from));
	flen = sizeof(from);
	getsockname(s, (void *)&from, &flen);
	printf(" to %s\n", text(&from));
	setsockopt(c, SOL_TCP, TCP_NODELAY, &one, sizeof(one));
	while (times--) {
		if (write(c, say, strlen(say)) < 0)
			printf("client: %s\n", strerror(errno));
		memset(&from, 0, sizeof(from));
		heard(s, "server", &from);
		if (write(s, "answer", 6) < 0)
			printf("server: %s\n", strerror(errno));
		heard(c, "client", &from);
	}
	return 0;
}

static struct mnl_socket *nl_open(void)
{
	struct mnl_socket *nl = mnl_socket_open(NETLINK_NETFILTER);

	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID))
		die("netlink");
	return nl;
}

static struct nlmsghdr *put_header(char *buf, int subsys, int type, int flags,
				   unsigned int res)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));

	h->nlmsg_type = subsys << 8 | type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	g->nfgen_family = AF_UNSPEC;
	g->version = NFNETLINK_V0;
	g->res_id = htons(res);
	return h;
}

static int queue_verdict;
static unsigned int queue_num, queue_left;

static int queue_attr(const struct nlattr *at, void *data)
{
	const struct nlattr **tb = data;

	if (mnl_attr_get_type(at) <= NFQA_MAX)
		tb[mnl_attr_get_type(at)] = at;
	return MNL_CB_OK;
}

static int queue_packet(const struct nlmsghdr *h, void *data)
{
	const struct nlattr *tb[NFQA_MAX + 1] = {};
	const struct nfqnl_msg_packet_hdr *ph;
	struct nfqnl_msg_verdict_hdr v;
	const unsigned char *p;
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *reply;
	unsigned int i, len, sum = 0;

	mnl_attr_parse(h, sizeof(struct nfgenmsg), queue_attr, tb);
	if (!tb[NFQA_PACKET_HDR] || !tb[NFQA_PAYLOAD])
		return MNL_CB_OK;
	ph = mnl_attr_get_payload(tb[NFQA_PACKET_HDR]);
	p = mnl_attr_get_payload(tb[NFQA_PAYLOAD]);
	len = mnl_attr_get_payload_len(tb[NFQA_PAYLOAD]);
	/* all of the packet but the IPv4 id and checksum, which may differ */
	for (i = 0; i < len; i++)
		if (i / 2 != 2 && i / 2 != 5)
			sum = sum * 31 + p[i];
	printf("%u: hook %u proto %04x mark %x in %d out %d, %u bytes, sum %08x\n",
	       ntohl(ph->packet_id), ph->hook, ntohs(ph->hw_protocol),
	       tb[NFQA_MARK] ? ntohl(mnl_attr_get_u32(tb[NFQA_MARK])) : 0,
	       tb[NFQA_IFINDEX_INDEV] ?
			ntohl(mnl_attr_get_u32(tb[NFQA_IFINDEX_INDEV])) : 0,
	       tb[NFQA_IFINDEX_OUTDEV] ?
			ntohl(mnl_attr_get_u32(tb[NFQA_IFINDEX_OUTDEV])) : 0,
	       len, sum);
	reply = put_header(buf, NFNL_SUBSYS_QUEUE, NFQNL_MSG_VERDICT, 0,
			   queue_num);
	v.verdict = htonl(queue_verdict);
	v.id = ph->packet_id;
	mnl_attr_put(reply, NFQA_VERDICT_HDR, sizeof(v), &v);
	/* once round, and not again */
	if (queue_verdict == NF_REPEAT || queue_verdict == NF_ACCEPT)
		mnl_attr_put_u32(reply, NFQA_MARK, htonl(0x51));
	if (mnl_socket_sendto(data, reply, reply->nlmsg_len) < 0)
		die("verdict");
	queue_left--;
	return MNL_CB_OK;
}

static int queue(char **a)
{
	struct nfqnl_msg_config_cmd cmd = { .command = NFQNL_CFG_CMD_BIND };
	struct nfqnl_msg_config_params par = {
		.copy_range = htonl(0xffff),
		.copy_mode = NFQNL_COPY_PACKET,
	};
	struct mnl_socket *nl = nl_open();
	char buf[0x12000];
	struct nlmsghdr *h;
	int n;

	queue_num = atoi(a[1]);
	queue_left = atoi(a[2]);
	queue_verdict = !strcmp(a[3], "drop") ? NF_DROP :
			!strcmp(a[3], "repeat") ? NF_REPEAT : NF_ACCEPT;
	h = put_header(buf, NFNL_SUBSYS_QUEUE, NFQNL_MSG_CONFIG, 0, queue_num);
	mnl_attr_put(h, NFQA_CFG_CMD, sizeof(cmd), &cmd);
	mnl_attr_put(h, NFQA_CFG_PARAMS, sizeof(par), &par);
	if (mnl_socket_sendto(nl, h, h->nlmsg_len) < 0)
		die("queue");
	while (queue_left) {
		if (!ready_within(mnl_socket_get_fd(nl), POLLIN,
				  PATIENCE_QUEUE)) {
			printf("%u did not come\n", queue_left);
			break;
		}
		n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		if (n < 0 || mnl_cb_run(buf, n, 0, 0, queue_packet, nl) < 0)
			die("queue");
	}
	return 0;
}

static int count_message(const struct nlmsghdr *h, void *data)
{
	(void)h;
	(*(unsigned int *)data)++;
	return MNL_CB_OK;
}

static int reset_rules(void)
{
	struct mnl_socket *nl = nl_open();
	char buf[MNL_SOCKET_BUFFER_SIZE];
	unsigned int rules = 0;
	struct nlmsghdr *h;
	int n, r = 1;

	h = put_header(buf, NFNL_SUBSYS_NFTABLES, GETRULE_RESET, NLM_F_DUMP, 0);
	h->nlmsg_seq = 1;
	if (mnl_socket_sendto(nl, h, h->nlmsg_len) < 0)
		die("reset-rules");
	while (r > 0) {
		n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		if (n < 0)
			die("reset-rules");
		r = mnl_cb_run(buf, n, 1, mnl_socket_get_portid(nl),
			       count_message, &rules);
	}
	if (r < 0) {
		perror("reset-rules");
		return errno == EINVAL || errno == EOPNOTSUPP ? 4 : 1;
	}
	printf("%u rules\n", rules);
	return 0;
}

int main(int argc, char **argv)
{
	const char *say = "hello";
	int i, times = 1, transparent = 0;

	setlinebuf(stdout);
	if (argc == 2 && !strcmp(argv[1], "reset-rules"))
		return reset_rules();
	if (argc == 5 && !strcmp(argv[1], "queue"))
		return queue(argv + 1);
	if (argc < 10) {
		fprintf(stderr, "see the head of talk.c\n");
		return 2;
	}
	for (i = 10; i < argc; i++) {
		if (!strcmp(argv[i], "transparent"))
			transparent = 1;
		else if (!strcmp(argv[i], "silent"))
			patience = PATIENCE_SILENT;
		else if (!strcmp(argv[i], "times") && i + 1 < argc)
			times = atoi(argv[++i]);
		else if (!strcmp(argv[i], "say") && i + 1 < argc)
			say = argv[++i];
		else
			return 2;
	}
	if (!strcmp(argv[1], "udp"))
		return udp(argv + 1, say, times, transparent);
	return tcp(argv + 1, say, times, transparent);
}
