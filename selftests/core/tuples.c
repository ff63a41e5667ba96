// SPDX-License-Identifier: GPL-2.0-only
/*
 * What 5-tuple rules cost: what the matchers say is compared with the reference,
 * and the machine instructions are counted (vm.c).  Rules and packets are
 *
 *  - as selftests/bench/rules.py has written them: NAME.nft, NAME.packets;
 *  - any others in the same form, of a folder that CLASSBENCH in the environment
 *    names: NAME.rules or NAME.rules.gz, NAME.packets.
 *
 *	core-test --tuples FILE		FILE.nft and so on, or without its ending; also
 *					how long the kernel's verifier is at it
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <time.h>
#include <unistd.h>
#include "expr.h"

#define MORE	300	/* packets of which the cost is of no interest */

/* Text of a chunk of expressions for one rule, see expr.c */
struct text {
	char	buf[2048];
	u32	n;
};

static __printf(2, 3) void put(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	t->n += vsnprintf(t->buf + t->n, sizeof(t->buf) - t->n, fmt, ap);
	va_end(ap);
}

static void put_load(struct text *t, u32 len, const char *base, u32 off)
{
	put(t, "payload load %ub @ %s header + %u => reg 1\n", len, base, off);
}

static const struct {
	const char	*name;
	u32		val;
} protos[] = {
	{ "icmp", 1 }, { "tcp", 6 }, { "udp", 17 }, { "gre", 47 },
};

static u32 proto_of(const char *name)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(protos); i++)
		if (!strcmp(name, protos[i].name))
			return protos[i].val;
	return atoi(name);
}

/* "10.0.0.0/8", as nft writes it: whole bytes are a shorter load */
static void put_addr(struct text *t, u32 off, char *word)
{
	char *slash = strchr(word, '/');
	u32 plen = slash ? atoi(slash + 1) : 32, val, mask;

	if (slash)
		*slash = 0;
	val = ntohl(inet_addr(word));
	mask = plen ? ~0U << (32 - plen) : 0;
	put_load(t, plen % 8 ? 4 : plen / 8, "network", off);
	if (plen % 8)
		put(t, "bitwise reg 1 = ( reg 1 & 0x%08x ) ^ 0x00000000\n",
		    mask);
	put(t, "cmp eq reg 1 0x%0*x\n", plen % 8 ? 8 : (int)plen / 4,
	    plen % 8 ? val : val >> (32 - plen));
}

static void put_port(struct text *t, u32 off, const u32 *port)
{
	put_load(t, 2, "transport", off);
	if (port[0] == port[1]) {
		put(t, "cmp eq reg 1 0x%04x\n", port[0]);
		return;
	}
	put(t, "cmp gte reg 1 0x%04x\n", port[0]);
	put(t, "cmp lte reg 1 0x%04x\n", port[1]);
}

/* A rule of the file as its expressions; NULL or what is wrong */
static const char *put_rule(struct text *t, char *line)
{
	char *word[16], *p;
	u32 n = 0, i, proto = 0, port[2][2], have = 0, k;

	line[strcspn(line, "\n")] = 0;
	for (p = strtok(line, " "); p && n < 16; p = strtok(NULL, " "))
		word[n++] = p;
	t->n = 0;
	put(t, "rule\n");
	for (i = 0; i + 2 < n; i += 3) {
		if (!strcmp(word[i + 1], "saddr")) {
			put_addr(t, 12, word[i + 2]);
		} else if (!strcmp(word[i + 1], "daddr")) {
			put_addr(t, 16, word[i + 2]);
		} else if (!strcmp(word[i + 1], "protocol")) {
			put_load(t, 1, "network", 9);
			put(t, "cmp eq reg 1 0x%02x\n", proto_of(word[i + 2]));
		} else if (!strcmp(word[i + 1] + 1, "port")) {
			proto = proto_of(word[i]);
			k = word[i + 1][0] == 'd';
			have |= 1 << k;
			p = strchr(word[i + 2], '-');
			port[k][0] = atoi(word[i + 2]);
			port[k][1] = p ? atoi(p + 1) : (int)port[k][0];
		} else {
			return word[i + 1];
		}
	}
	if (i + 1 != n)
		return "no verdict";
	if (have)
		put(t, "meta load l4proto => reg 1\ncmp eq reg 1 0x%02x\n",
		    proto);
	if (have == 3 && port[0][0] == port[0][1] && port[1][0] == port[1][1]) {
		/* neighbours are loaded at once */
		put_load(t, 4, "transport", 0);
		put(t, "cmp eq reg 1 0x%04x%04x\n", port[0][0], port[1][0]);
		have = 0;
	}
	for (k = 0; k < 2; k++)
		if (have & 1 << k)
			put_port(t, 2 * k, port[k]);
	put(t, "immediate reg 0 %s\n", word[n - 1]);
	return NULL;
}

/* The rules of a set, whatever the ending of their file */
static FILE *open_rules(const char *prefix, bool *pipe)
{
	static const char * const ending[] = { "nft", "rules" };
	char name[512];
	FILE *f = NULL;
	u32 i;

	*pipe = false;
	for (i = 0; i < ARRAY_SIZE(ending) && !f; i++) {
		snprintf(name, sizeof(name), "%s.%s", prefix, ending[i]);
		f = fopen(name, "r");
	}
	snprintf(name, sizeof(name), "%s.rules.gz", prefix);
	if (!f && !access(name, R_OK)) {
		snprintf(name, sizeof(name), "gzip -dc '%s.rules.gz'", prefix);
		f = popen(name, "r");
		*pipe = true;
	}
	return f;
}

static int read_rules(const char *prefix, struct nfj_ir *ir)
{
	static struct x_chain chain;
	static struct text text;
	const char *why = NULL;
	char line[512];
	bool pipe;
	FILE *f;

	nfj_ir_init(ir);
	ir->family = NFPROTO_IPV4;
	f = open_rules(prefix, &pipe);
	if (!f)
		return fail("%s: no rules: %s", prefix, strerror(errno));
	while (!why && fgets(line, sizeof(line), f)) {
		why = put_rule(&text, line);
		if (!why)
			why = x_parse_chain(text.buf, &chain);
		if (!why && x_translate_more(&chain, ir))
			why = "not translated";
	}
	if (pipe ? pclose(f) : fclose(f))
		why = "cannot be read";
	return why ? fail("%s: rule %u: %s", prefix, ir->nentries, why) :
		     TEST_OK;
}

static bool read_packet(FILE *f, struct nfj_key *key)
{
	char src[32], dst[32];
	u32 proto, sport, dport, addr;

	if (fscanf(f, "%u %31s %31s %u %u", &proto, src, dst, &sport,
		   &dport) != 5)
		return false;
	memset(key, 0, sizeof(*key));
	key->valid = NFJ_VALID_L4PROTO;
	key->nfproto = NFPROTO_IPV4;
	key->l4proto = proto;
	key->nh_len = 60;
	key->th_len = 40;
	key->thf_len = 40;
	key->nh[0] = 0x45;
	key->nh[9] = proto;
	addr = inet_addr(src);
	memcpy(&key->nh[12], &addr, 4);
	addr = inet_addr(dst);
	memcpy(&key->nh[16], &addr, 4);
	if (proto == 1) {
		key->th[0] = 8;
	} else {
		key->th[0] = sport >> 8;
		key->th[1] = sport;
		key->th[2] = dport >> 8;
		key->th[3] = dport;
	}
	return true;
}

/* On to the next one; the cost of all programs that the packet passes */
static int one_packet(const struct progs *ps, const struct nfj_ir *ir,
		      const struct nfj_key *key, u64 *cost)
{
	u32 p, res = NFJ_NONE, want = ref_match(ir, 0, ir->nentries, key);

	*cost = 0;
	for (p = 0; p < ps->n && res == NFJ_NONE; p++) {
		const char *why = vm_run(&ps->p[p].code, key, &res);

		if (why)
			return fail("%s", why);
		*cost += vm_cost;
	}
	return res == want ? TEST_OK : fail("rule %u, not %u", res, want);
}

/* Further ones, drawn from the rules and beside them: only what is found counts */
static int more_packets(const struct progs *ps, const struct nfj_ir *ir, u32 n)
{
	struct nfj_key key;
	int err = TEST_OK;
	struct rnd r;
	u64 cost;
	u32 i;

	for (i = 0; i < n && !err; i++) {
		rnd_init(&r, 79, i);
		gen_packet(&r, ir, &key, i & 1);
		err = one_packet(ps, ir, &key, &cost);
	}
	return err;
}

/**
 * tuples_cost - instructions per packet
 * @prefix: of the files
 * @opts: NFJ_OPT_*
 * @mean: what a packet costs
 * @ps: the programs, to be released
 *
 * Return: TEST_OK or TEST_FAIL.
 */
int tuples_cost(const char *prefix, u32 opts, u64 *mean, struct progs *ps)
{
	char name[512];
	u64 cost, sum = 0, most = 0, insns = 0, data = 0;
	struct nfj_key key;
	struct nfj_ir ir;
	u32 n = 0, p, rules;
	FILE *f;
	int err;

	ps->n = 0;
	err = read_rules(prefix, &ir);
	if (!err)
		err = progs_compile(ps, &ir, opts, false);
	snprintf(name, sizeof(name), "%s.packets", prefix);
	f = fopen(name, "r");
	if (!f && !err)
		err = fail("%s: %s", name, strerror(errno));
	while (!err && read_packet(f, &key)) {
		err = one_packet(ps, &ir, &key, &cost);
		sum += cost;
		most = cost > most ? cost : most;
		n++;
	}
	if (f)
		fclose(f);
	if (!err)
		err = more_packets(ps, &ir, MORE);
	rules = ir.nentries;
	nfj_ir_free(&ir);
	if (err)
		return err;
	if (!n)
		return fail("%s: no packets", name);
	for (p = 0; p < ps->n; p++) {
		insns += ps->p[p].code.n;
		data += ps->p[p].code.ndata;
	}
	*mean = sum / n;
	note("%s: mean %llu max %llu, programs %u, a rule %llu.%llu insns and %llu bytes",
	     prefix, sum / n, most, ps->n, insns / rules,
	     insns * 10 / rules % 10, data / rules);
	return TEST_OK;
}

/* What a packet may cost in a public set of about 1,000 and 10,000 rules */
#define SET_SMALL	118
#define SET_LARGE	185

/* What may be spent; instructions of programs and bytes of tables per rule, which
 * the verifier and memory pay for
 */
static const struct {
	const char	*name;
	u32		mean;
	u32		insns;
	u32		bytes;
} rows[] = {
	{ "acl-1000", 108, 11, 85 },
	{ "fw-1000", 120, 22, 30 },
	{ "ipc-1000", 120, 11, 215 },
	{ "acl-10000", 126, 4, 85 },
	{ "fw-10000", 200, 5, 80 },
	{ "ipc-10000", 170, 5, 80 },
};

/* arg: 1 for the small ones with passes left out as well, 0 for all */
int test_tuples(u32 arg)
{
	static const u32 opts[] = {
		NFJ_OPT_ALL, NFJ_OPT_ALL & ~NFJ_OPT_PACK,
		NFJ_OPT_SEARCH | NFJ_OPT_PACK, NFJ_OPT_ALL & ~NFJ_OPT_EXACT,
	};
	static struct progs ps;
	const char *dir = getenv("TUPLES");
	char prefix[512];
	u32 i, k, p, insns, bytes, n;
	int err = TEST_OK;
	u64 mean;

	if (!dir)
		return skip("TUPLES does not say where rules and packets are");
	for (i = 0; i < (arg ? 3 : ARRAY_SIZE(rows)) && !err; i++) {
		n = atoi(strchr(rows[i].name, '-') + 1);
		snprintf(prefix, sizeof(prefix), "%s/%s", dir, rows[i].name);
		for (k = 0; k < (arg ? ARRAY_SIZE(opts) : 1) && !err; k++) {
			insns = 0;
			bytes = 0;
			err = tuples_cost(prefix, opts[k], &mean, &ps);
			for (p = 0; p < ps.n; p++) {
				insns += ps.p[p].code.n;
				bytes += ps.p[p].code.ndata;
			}
			progs_free(&ps);
			if (!err && !k && (mean > rows[i].mean ||
					   insns > rows[i].insns * n ||
					   bytes > rows[i].bytes * n))
				err = fail("%s: %llu a packet, %u insns and %u bytes in all",
					   rows[i].name, mean, insns, bytes);
		}
	}
	return err;
}

/* A set of the folder: its size tells what it may cost */
static int one_set(const char *dir, const char *file, u32 *n)
{
	static struct progs ps;
	char prefix[512];
	u64 mean;
	int err;

	snprintf(prefix, sizeof(prefix), "%s/%.*s", dir,
		 (int)(strstr(file, ".rules") - file), file);
	err = tuples_cost(prefix, NFJ_OPT_ALL, &mean, &ps);
	if (!err && mean > (ps.p[ps.n - 1].last < 2000 ? SET_SMALL : SET_LARGE))
		err = fail("%s: %llu a packet", prefix, mean);
	progs_free(&ps);
	(*n)++;
	return err;
}

/* Public sets, sorted by shape as no random generator does it */
int test_classbench(u32 arg)
{
	const char *dir = getenv("CLASSBENCH");
	struct dirent *file;
	int err = TEST_OK;
	u32 n = 0;
	DIR *d;

	if (!dir || !*dir)
		return skip("CLASSBENCH names no folder with sets");
	d = opendir(dir);
	if (!d)
		return fail("%s: %s", dir, strerror(errno));
	while (!err && (file = readdir(d)))
		if (strstr(file->d_name, ".rules"))
			err = one_set(dir, file->d_name, &n);
	closedir(d);
	return err ? : n ? TEST_OK : fail("%s: no sets", dir);
}

/* What main() shall return */
int tuples_show(const char *prefix)
{
	static struct progs ps;
	static char log[4096];
	struct timespec a, b;
	u64 mean;
	u32 p;
	int fd;

	if (tuples_cost(prefix, NFJ_OPT_ALL, &mean, &ps)) {
		report(&(u32){ 0 }, prefix, TEST_FAIL);
		return 1;
	}
	kbpf_log_level = 4;
	for (p = 0; p < ps.n && !kbpf_refused(); p++) {
		clock_gettime(CLOCK_MONOTONIC, &a);
		fd = kbpf_load(&ps.p[p].code, log, sizeof(log));
		clock_gettime(CLOCK_MONOTONIC, &b);
		if (fd < 0)
			perror("load");
		else
			close(fd);
		note("  %u instructions, %ld ms: %.*s", ps.p[p].code.n,
		     (b.tv_sec - a.tv_sec) * 1000 +
		     (b.tv_nsec - a.tv_nsec) / 1000000,
		     (int)strcspn(log, "\n"), log);
		note("  %s", log + strcspn(log, "\n"));
	}
	progs_free(&ps);
	return 0;
}
