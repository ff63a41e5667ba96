// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two namespaces, "off" and "on", as selftests/net/lib.sh makes them, and a
 * case in them.
 *
 * What a packet had to show for itself is seen in the counters of the case's
 * own rules, and at the end of each hook by the witness: a table whose chains
 * come last and add what is left of the packet (mark, priority, type, length,
 * first bytes of the headers, ct mark) as an element with a counter to a set.
 *
 * All is done by one task on one CPU, and a packet goes as far as it can before
 * sendmsg() returns, or soon afterwards; a frame of our own that is sent behind
 * the others (se0 -> sx0) tells when all of them have gone.  Nothing but the
 * packets and the rules decides what happens:
 *
 *  - the first chain of all sets the id of locally made IPv4 packets to 0, which
 *    the kernel makes up from a secret of the namespace;
 *  - conntrack is emptied before each run, and fragments get an id of that run.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include "fuzz.h"

#define SENTINEL	0x88b5
#define ROUNDS_MAX	20

static const char * const devs[] = { "tx0", "tx1", "tp0", "tp1" };

static struct world {
	const char	*name;
	int		ns;
	int		nl;
	bool		jit;
	int		tx;		/* packet socket on the far side */
	int		index[ARRAY_SIZE(devs)];
	int		sx;		/* se0 there */
	int		sentinel;	/* packet socket at sx0 */
	struct dump	dump;
} worlds[2] = {
	{ .name = "off" },
	{ .name = "on" },
};

static struct batch batch;

static bool enter(const char *ns)
{
	char path[64];
	int fd, err;

	snprintf(path, sizeof(path), "/run/netns/%s", ns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	err = setns(fd, CLONE_NEWNET);
	close(fd);
	return !err;
}

static bool jit(struct world *w, bool on)
{
	int fd;
	bool good;

	w->jit = on;
	if (setns(w->ns, CLONE_NEWNET))
		return false;
	fd = open("/proc/sys/net/netfilter/nft_jit_enable", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	good = write(fd, on ? "1" : "0", 1) == 1;
	close(fd);
	return good;
}

static bool world_open(struct world *w)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(SENTINEL),
	};
	char name[32];
	unsigned int i;
	int one = 1;

	snprintf(name, sizeof(name), "/run/netns/%s", w->name);
	w->ns = open(name, O_RDONLY | O_CLOEXEC);
	snprintf(name, sizeof(name), "%s-tx", w->name);
	if (w->ns < 0 || !enter(name))
		return false;
	w->tx = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (w->tx < 0 || setsockopt(w->tx, SOL_PACKET, PACKET_VNET_HDR, &one,
				    sizeof(one)))
		return false;
	for (i = 0; i < ARRAY_SIZE(devs); i++)
		w->index[i] = if_nametoindex(devs[i]);
	w->sx = if_nametoindex("sx0");
	if (!w->sx || setns(w->ns, CLONE_NEWNET))
		return false;
	w->nl = nl_open();
	at.sll_ifindex = if_nametoindex("se0");
	w->sentinel = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	return w->nl >= 0 && at.sll_ifindex && w->sentinel >= 0 &&
	       !bind(w->sentinel, (void *)&at, sizeof(at));
}

/**
 * world_init - open both namespaces
 *
 * Return: false if something is missing.
 */
bool world_init(void)
{
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	return !sched_setaffinity(0, sizeof(cpu), &cpu) &&
	       world_open(&worlds[0]) && world_open(&worlds[1]) &&
	       jit(&worlds[0], false) && jit(&worlds[1], true);
}

/* ---- frames ---- */

static uint8_t wire[80000];
static unsigned int nonce;

static bool send_wire(const struct world *w, int index, size_t len,
		      unsigned int linear)
{
	struct virtio_net_hdr vh = { .hdr_len = linear };
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_ifindex = index,
		.sll_halen = MAC_LEN,
	};
	struct iovec iov[2] = { { &vh, sizeof(vh) }, { wire, len } };
	struct msghdr msg = {
		.msg_name = &to, .msg_namelen = sizeof(to),
		.msg_iov = iov, .msg_iovlen = 2,
	};
	int i;

	memcpy(to.sll_addr, wire, MAC_LEN);
	memcpy(&to.sll_protocol, wire + 12, 2);
	for (i = 0; i < 1000; i++) {
		if (sendmsg(w->tx, &msg, 0) >= 0)
			return true;
		if (errno != ENOBUFS && errno != EAGAIN)
			break;
	}
	return false;
}

/* An id of this run for fragments, or they would be put together with others */
static void new_id(size_t len)
{
	uint8_t *p = wire + 14, next = p[6];
	unsigned int at = 40;
	uint32_t sum;

	if (len >= 34 && wire[12] == 0x08 && !wire[13] &&
	    (p[6] & 0x3f || p[7])) {
		uint16_t old = p[4] << 8 | p[5], new = old ^ nonce << 3;

		sum = p[10] << 8 | p[11];
		sum = (uint16_t)~sum + (uint16_t)~old + new;
		sum = (sum & 0xffff) + (sum >> 16);
		sum = ~((sum & 0xffff) + (sum >> 16));
		p[4] = new >> 8;
		p[5] = new;
		p[10] = sum >> 8;
		p[11] = sum;
	} else if (len >= 62 && wire[12] == 0x86 && wire[13] == 0xdd) {
		/* behind other extension headers as well */
		while ((next == 0 || next == 43 || next == 51 || next == 60) &&
		       at + 8 <= len - 14) {
			unsigned int step = next == 51 ?
					    (p[at + 1] + 2) * 4U :
					    (p[at + 1] + 1) * 8U;

			next = p[at];
			at += step;
		}
		if (next == 44 && at + 8 <= len - 14) {
			p[at + 4] ^= nonce >> 8;
			p[at + 5] ^= nonce;
		}
	}
}

static bool packet(const struct world *w, const char *text)
{
	char *line = need(strdup(text)), *s = line, *dev, *f, *val;
	unsigned int linear = 0, fill = 0, i, index = 0;
	int len = -1;

	word(&s, ' ');
	dev = word(&s, ' ');
	while ((f = word(&s, ' '))) {
		if (field(f, "linear", &val))
			linear = atoi(val);
		else if (field(f, "fill", &val))
			fill = atoi(val);
		else
			len = hex(f, wire, 2000);
	}
	for (i = 0; dev && i < ARRAY_SIZE(devs); i++)
		if (!strcmp(dev, devs[i]))
			index = w->index[i];
	free(line);
	if (len < 14 || !index || fill > sizeof(wire) - 2000)
		return false;
	for (i = 0; i < fill; i++)
		wire[len + i] = 0x40 + i % 61;
	new_id(len);
	return send_wire(w, index, len + fill, linear);
}

/* Wait for what was sent to be gone, and for what that led to */
static bool settle(const struct world *w)
{
	struct pollfd p = { .fd = w->sentinel, .events = POLLIN };
	uint8_t in[64];
	int round;

	for (round = 0; round < 3; round++) {
		memset(wire, 0xff, 60);
		wire[12] = SENTINEL >> 8;
		wire[13] = SENTINEL & 0xff;
		if (!send_wire(w, w->sx, 60, 0) || poll(&p, 1, 20000) != 1)
			return false;
		while (recv(w->sentinel, in, sizeof(in), MSG_DONTWAIT) > 0)
			;
	}
	return true;
}

/* ---- the witness ---- */

#define LOADS	5

/* A rule that adds what some loads give, and the hook, to a set */
static void watch_rule(struct text *t, const char *fam, const char *chain,
		       int hook, char set, const char *const *loads)
{
	char all[256] = "";
	unsigned int i;

	for (i = 0; i < LOADS && loads[i]; i++)
		sprintf(all + strlen(all), " ; %s", loads[i]);
	text_add(t, "rule %s w %s immediate dreg=8 data=%02x000000%s ; %s=%c %s",
		 fam, chain, hook, all, "dynset set", set, "op=1 key=8 expr=");
}

static void watch(struct text *t, const char *fam, int hook, const char *dev,
		  bool ct)
{
	static const char * const meta[LOADS] = {
		"meta dreg=9 key=3", "meta dreg=10 key=2", "meta dreg=11 key=0",
		"meta dreg=12 key=1", "meta dreg=13 key=19",
	};
	static const char * const nh[LOADS] = {
		"payload dreg=9 base=1 off=0 len=16",
		"payload dreg=13 base=1 off=16 len=12",
	};
	static const char * const th[LOADS] = {
		"payload dreg=9 base=2 off=0 len=16",
	};
	static const char * const track[LOADS] = {
		"ct dreg=9 key=0", "ct dreg=10 key=3", "ct dreg=11 key=2",
	};
	char name[24];

	snprintf(name, sizeof(name), "%s%d", dev, hook);
	text_add(t, "chain %s w %s type=filter hook=%d prio=2147483647 policy=1%s%s",
		 fam, name, hook, *dev ? " dev=" : "", dev);
	watch_rule(t, fam, name, hook, 'a', meta);
	watch_rule(t, fam, name, hook, 'b', nh);
	watch_rule(t, fam, name, hook, 'c', th);
	if (ct)
		watch_rule(t, fam, name, hook, 'd', track);
}

static void watch_table(struct text *t, const char *fam, bool ct)
{
	text_add(t, "table %s w", fam);
	text_add(t, "set %s w a keylen=24 flags=0x20 size=4000 id=9001", fam);
	text_add(t, "set %s w b keylen=32 flags=0x20 size=4000 id=9002", fam);
	text_add(t, "set %s w c keylen=20 flags=0x20 size=4000 id=9003", fam);
	if (ct)
		text_add(t, "set %s w d keylen=16 flags=0x20 size=4000 id=9004",
			 fam);
}

static void witness(struct text *t, const struct text *rules)
{
	/* and so conntrack stays, which goes from the hooks some time after the
	 * last expression that needs it
	 */
	bool ct = text_has(rules, " ct ") || text_has(rules, "notrack") ||
		  text_has(rules, "type=nat");
	int hook;

	watch_table(t, "inet", ct);
	text_add(t, "chain inet w first hook=3 prio=-2147483648 policy=1");
	text_add(t, "rule inet w first %s ; %s ; %s ; %s",
		 "meta dreg=1 key=15", "cmp sreg=1 op=0 data=02",
		 "immediate dreg=1 data=0000",
		 "payload sreg=1 base=1 off=4 len=2 csum=1 csumoff=10");
	text_add(t, "rule inet w first %s ; %s ; %s ; %s ; %s",
		 "meta dreg=1 key=16", "cmp sreg=1 op=0 data=01",
		 "payload dreg=1 base=2 off=0 len=1", "cmp sreg=1 op=0 data=0e",
		 "immediate dreg=0 verdict=drop");
	for (hook = 0; hook < 5; hook++)
		watch(t, "inet", hook, "", ct);
	if (text_has(rules, "chain bridge ")) {
		watch_table(t, "bridge", ct);
		for (hook = 0; hook < 5; hook++)
			watch(t, "bridge", hook, "", ct);
	}
	if (text_has(rules, "chain arp ")) {
		watch_table(t, "arp", false);
		for (hook = 0; hook < 2; hook++)
			watch(t, "arp", hook, "", false);
	}
	if (text_has(rules, "chain netdev ")) {
		watch_table(t, "netdev", false);
		watch(t, "netdev", 0, "in0", false);
		watch(t, "netdev", 1, "out0", false);
	}
}

/* ---- a case ---- */

/* Commit what has been collected */
static int commit(struct batch *b, struct refusal *r, struct figures *fig)
{
	int n;

	if (!b->msgs)
		return 0;
	n = batch_send(b, r, REFUSALS_MAX);
	fig->commits++;
	batch_begin(b, b->fd);
	return n;
}

/* A parameter of the module's */
static bool param(const char *name, const char *val)
{
	char file[96];
	bool good;
	int fd;

	snprintf(file, sizeof(file), "/sys/module/nft_bpfjit/parameters/%s",
		 name);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	good = fd >= 0 && write(fd, val, strlen(val)) > 0;
	if (fd >= 0)
		close(fd);
	return good;
}

/* The witness is always interpreted: its translation would take longer than all
 * of the case.  Zero for a case: also what is not worth it is translated.
 */
static bool set_cheap(const char *n)
{
	return param("min_cost", n);
}

/* From which size on chains keep their programs when edited, and how long */
static bool set_edits(const char *line)
{
	char *copy = need(strdup(line)), *s = copy;
	char *least = word(&s, ' '), *ms = word(&s, ' ');
	bool good = least && ms && param("edit_min_rules", least) &&
		    param("rebuild_ms", ms);

	free(copy);
	return good;
}

/* ---- chains that kept their programs ---- */

#define CHAINS_MAX	64

/* What /proc says of a translated chain: its first program, and all of them */
static struct kept {
	unsigned long	prog;
	unsigned long	rules;
	unsigned int	nprogs;
	char		name[96];
} kept[CHAINS_MAX];
static unsigned int nkept;

/* After a commit: how many chains have another program than before, or another
 * number of rules, but still the same first one?
 */
static void count_kept(const struct world *w, struct figures *fig)
{
	struct kept was[CHAINS_MAX];
	unsigned int nwas = nkept, i;
	char line[4096], state[32];
	FILE *f;

	memcpy(was, kept, sizeof(was));
	nkept = 0;
	if (setns(w->ns, CLONE_NEWNET))
		return;
	f = fopen("/proc/thread-self/net/nft_bpfjit", "r");
	if (!f)
		return;
	while (nkept < CHAINS_MAX && fgets(line, sizeof(line), f)) {
		struct kept *k = &kept[nkept];
		char fam[8], table[32], chain[32], progs[512], *p;

		if (sscanf(line, "%7s %31s %31s %*s %lu %*s %*s %511s %*s %*s %*s %*s %31s",
			   fam, table, chain, &k->rules, progs, state) != 6 ||
		    strcmp(state, "bpf"))
			continue;
		snprintf(k->name, sizeof(k->name), "%s %s %s", fam, table, chain);
		k->prog = strtoul(progs, NULL, 10);
		k->nprogs = 1;
		for (p = progs; (p = strchr(p, ',')); p++)
			k->nprogs++;
		nkept++;
		for (i = 0; i < nwas; i++)
			if (was[i].prog == k->prog &&
			    !strcmp(was[i].name, k->name) &&
			    (was[i].nprogs != k->nprogs ||
			     was[i].rules != k->rules))
				fig->edits++;
	}
	fclose(f);
}

/* From nothing to the witness */
static bool fresh(struct world *w, const struct text *t)
{
	struct refusal r[REFUSALS_MAX];
	struct text wit = { 0 };
	unsigned int i;
	bool good = true;
	int n;

	batch_begin(&batch, w->nl);
	batch_flush_ruleset(&batch);
	n = batch_send(&batch, r, REFUSALS_MAX);
	if (!setns(w->ns, CLONE_NEWNET))
		nl_barrier();
	ct_flush(w->nl);
	if (w == &worlds[1] && !w->jit)
		good = jit(w, true);
	/* as when the module is loaded */
	good = good && set_edits("256 500");
	nkept = 0;
	witness(&wit, t);
	good = good && set_cheap("1000000");
	batch_begin(&batch, w->nl);
	for (i = 0; i < wit.n && good; i++) {
		good = batch_line(&batch, wit.line[i], i);
		if (!good)
			fprintf(stderr, "witness: %s\n", wit.line[i]);
	}
	if (good) {
		n = batch_send(&batch, r, REFUSALS_MAX);
		good = !n;
		for (; n > 0; n--)
			fprintf(stderr, "witness: %s: %s\n",
				r[n - 1].line >= 0 ? wit.line[r[n - 1].line] : "",
				strerror(r[n - 1].err));
	}
	text_free(&wit);
	return set_cheap("0") && good;
}

/* Do all lines.  Number of refusals (the rest of the case is not done then), -1
 * when the machinery is at fault.
 */
static int play(struct world *w, const struct text *t, struct refusal *r,
		struct figures *fig)
{
	unsigned int i;
	bool sent = false;
	int n;

	if (!fresh(w, t))
		return -1;
	batch_begin(&batch, w->nl);
	for (i = 0; i <= t->n; i++) {
		const char *l = i < t->n ? t->line[i] : "commit";
		bool is_packet = !strncmp(l, "packet ", 7);
		bool is_jit = !strncmp(l, "jit ", 4);
		bool is_edits = !strncmp(l, "edits ", 6);
		bool is_wait = !strncmp(l, "wait ", 5);

		if (sent && !is_packet) {
			if (!settle(w)) {
				fprintf(stderr, "%s: packets do not end\n",
					w->name);
				return -1;
			}
			sent = false;
		}
		if (is_packet || is_jit || is_edits || is_wait ||
		    !strcmp(l, "commit")) {
			bool any = batch.msgs;

			n = commit(&batch, r, fig);
			if (n)
				return n;
			if (any && w == &worlds[1])
				count_kept(w, fig);
		}
		if (is_packet) {
			if (packet(w, l))
				fig->packets++;
			sent = true;
		} else if (is_jit) {
			if (w == &worlds[1] && !jit(w, l[4] == '1'))
				return -1;
		} else if (is_edits) {
			if (!set_edits(l + 6))
				return -1;
		} else if (is_wait) {
			usleep(atoi(l + 5) * 1000);
		} else if (strcmp(l, "commit") &&
			   !batch_line(&batch, l, i)) {
			r[0].line = i;
			r[0].err = EINVAL;
			return 1;
		}
	}
	return 0;
}

/* What /proc/net/nft_bpfjit says of the chains that are not the witness's */
static void status(const struct world *w, struct figures *fig)
{
	char line[4096], table[256], *state;
	unsigned long rules, whole;
	FILE *f;

	if (setns(w->ns, CLONE_NEWNET))
		return;
	f = fopen("/proc/thread-self/net/nft_bpfjit", "r");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %255s %*s %*s %lu %lu", table, &rules,
			   &whole) != 3 || !strcmp(table, "w"))
			continue;
		state = strrchr(line, ' ');
		fig->rules += rules;
		if (getenv("FUZZ_STATES"))
			fputs(line, stderr);
		if (!state || strcmp(state, " bpf\n"))
			continue;
		fig->bpf += rules;
		fig->whole += whole;
	}
	fclose(f);
}

/* Number of an anonymous set that a line is about, 0 for none */
static unsigned int anonymous(const char *line)
{
	const char *id = strstr(line, " id=");

	return id && strstr(line, "%d") ? strtoul(id + 4, NULL, 10) : 0;
}

/* A transaction with an anonymous set that no rule uses is refused as a whole */
static void drop_unused(struct text *t)
{
	bool *drop = need(calloc(t->n + 1, sizeof(*drop)));
	unsigned int i, j, id;

	for (i = 0; i < t->n; i++) {
		if (strncmp(t->line[i], "set ", 4))
			continue;
		id = anonymous(t->line[i]);
		if (!id)
			continue;
		for (j = i + 1; j < t->n; j++)
			if (strncmp(t->line[j], "elem ", 5) &&
			    anonymous(t->line[j]) == id)
				break;
		if (j < t->n)
			continue;
		for (j = i; j < t->n; j++)
			drop[j] |= anonymous(t->line[j]) == id;
	}
	text_drop(t, drop);
	free(drop);
}

/* With the switch off.  Lines that the kernel does not take are taken out, until
 * it takes the rest.
 */
static bool prune(struct text *t, struct figures *fig)
{
	struct refusal r[REFUSALS_MAX];
	int round, n, i, first;
	bool *drop;

	for (round = 0; round < ROUNDS_MAX; round++) {
		drop_unused(t);
		nonce = (nonce + 1) & 0xffff;
		n = play(&worlds[0], t, r, fig);
		if (!n)
			return true;
		if (n < 0)
			return false;
		drop = need(calloc(t->n + 1, sizeof(*drop)));
		for (i = 0, first = -1; i < n; i++) {
			if (r[i].line < 0 || r[i].line >= (int)t->n)
				continue;
			/* once a rule has made a table invalid, all is refused
			 * that comes later
			 */
			if (r[i].err == EOPNOTSUPP || r[i].err == ELOOP ||
			    r[i].err == EMLINK) {
				if (first >= 0 && first < r[i].line)
					continue;
				first = r[i].line;
			}
			if (getenv("FUZZ_REFUSED"))
				fprintf(stderr, "refused (%s): %s\n",
					strerror(r[i].err), t->line[r[i].line]);
			drop[r[i].line] = true;
			fig->pruned++;
		}
		text_drop(t, drop);
		free(drop);
	}
	return false;
}

/**
 * world_case - run a case in both namespaces and compare
 * @t: the case; lines that the kernel refuses are taken out
 * @fig: figures, added to
 * @out: where to describe differences, or NULL
 *
 * Return: SAME, DIFFERENT or REFUSED.
 */
enum outcome world_case(struct text *t, struct figures *fig, FILE *out)
{
	struct refusal r[REFUSALS_MAX];
	unsigned long rules = 0;
	unsigned int i;
	int n;

	if (!prune(t, fig))
		return REFUSED;
	n = play(&worlds[1], t, r, fig);
	if (n) {
		if (out)
			fprintf(out, "  taken with the switch off, but on: %s: %s\n",
				n > 0 && r[0].line >= 0 ? t->line[r[0].line] : "?",
				n > 0 ? strerror(r[0].err) : "no end");
		return DIFFERENT;
	}
	for (i = 0; i < 2; i++) {
		dump_reset(&worlds[i].dump);
		if (!dump_all(worlds[i].nl, &worlds[i].dump)) {
			if (out)
				fprintf(out, "  %s: no dump\n", worlds[i].name);
			return DIFFERENT;
		}
	}
	dump_count(&worlds[0].dump, &rules, &fig->hit, &fig->matches);
	status(&worlds[1], fig);
	fig->cases++;
	return dump_compare(&worlds[0].dump, &worlds[1].dump, out) ? DIFFERENT :
								      SAME;
}

/**
 * world_unstable - does a case differ from itself?
 * @t: a case that has been pruned
 *
 * With the switch off, twice.  Two connections that a translation of addresses
 * makes the same, for one, are told apart by a port that the kernel takes at
 * random.
 *
 * Return: true if the interpreter alone gives two results.
 */
bool world_unstable(const struct text *t)
{
	static struct dump first;
	struct figures skip = { 0 };
	struct refusal r[REFUSALS_MAX];
	struct dump *d = &worlds[0].dump, was;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		was = first;
		first = *d;
		*d = was;
		dump_reset(d);
		if (play(&worlds[0], t, r, &skip) || !dump_all(worlds[0].nl, d))
			return false;
	}
	return dump_compare(&first, d, NULL);
}
