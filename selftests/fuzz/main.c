// SPDX-License-Identifier: GPL-2.0-only
/*
 * Differential fuzzing: the interpreter is the reference.
 *
 * usage: nft-fuzz gen SEED N		print case N of a seed
 *	  nft-fuzz run SEED SECONDS DIR [CASES]
 *					run cases until the time is over, or that
 *					many of them; what fails is left in DIR
 *	  nft-fuzz replay FILE...	run cases from files; TAP
 *	  nft-fuzz shrink FILE OUT	make a failing case smaller
 *
 * A case is run in two namespaces, with the switch off and on (world.c), and all
 * that nft can tell of both must be the same afterwards.  One that fails, and does
 * not differ between two runs with the switch off, is shrunk: lines, then
 * expressions, are taken out as long as it still fails.
 *
 * In DIR, "current" always is the case that is being run, for when the kernel
 * does not survive it.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "fuzz.h"

#define TRIES_MAX	500
#define FAILURES_MAX	6

static struct figures total;
static unsigned int unstable;	/* cases that differ with the switch off as well */
static unsigned int once;	/* cases that did not differ again */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Does it fail?  If so it may have become shorter. */
static bool fails(struct text *t)
{
	struct figures skip = { 0 };

	return t->n && world_case(t, &skip, NULL) == DIFFERENT &&
	       !world_unstable(t);
}

/* Try a case without some lines; true if it became the case */
static bool without(struct text *t, const bool *drop)
{
	struct text less = { 0 };

	text_copy(&less, t);
	text_drop(&less, drop);
	if (!fails(&less)) {
		text_free(&less);
		return false;
	}
	text_free(t);
	*t = less;
	return true;
}

static void shrink_lines(struct text *t, unsigned int *tries)
{
	unsigned int size, at, i;
	bool *drop;

	for (size = (t->n + 1) / 2; size; size = size > 1 ? (size + 1) / 2 : 0) {
		for (at = t->n; at > 0 && *tries;) {
			unsigned int from = at > size ? at - size : 0;

			drop = need(calloc(t->n + 1, sizeof(*drop)));
			for (i = from; i < at; i++)
				drop[i] = true;
			--*tries;
			without(t, drop);
			free(drop);
			at = from < t->n ? from : t->n;
		}
		if (size == 1)
			break;
	}
}

/* Take single expressions out of rules */
static void shrink_exprs(struct text *t, unsigned int *tries)
{
	unsigned int i, k;

	for (i = 0; i < t->n && *tries; i++) {
		bool nth = !strncmp(t->line[i], "before ", 7) ||
			   !strncmp(t->line[i], "behind ", 7) ||
			   !strncmp(t->line[i], "replace ", 8);

		if (!nth && strncmp(t->line[i], "rule ", 5) &&
		    strncmp(t->line[i], "insert ", 7))
			continue;
		for (k = 0; *tries; k++) {
			struct text less = { 0 };
			char *l, *from, *to;
			unsigned int j;

			text_copy(&less, t);
			l = less.line[i];
			/* behind family, table and chain, and number */
			for (from = l, j = 0; from && j < 4U + nth; j++)
				from = strchr(from, ' ') ? strchr(from, ' ') + 1
							 : NULL;
			for (j = 0; from && j < k; j++)
				from = strchr(from, ';') ? strchr(from, ';') + 1
							 : NULL;
			if (!from) {
				text_free(&less);
				break;
			}
			to = strchr(from, ';');
			if (to)
				memmove(from, to + 1, strlen(to + 1) + 1);
			else
				*from = 0;
			--*tries;
			if (less.n == t->n && fails(&less) && less.n == t->n) {
				text_free(t);
				*t = less;
				k--;
			} else {
				text_free(&less);
			}
		}
	}
}

static void shrink(struct text *t)
{
	unsigned int tries = TRIES_MAX, before;

	do {
		before = t->n;
		shrink_lines(t, &tries);
	} while (t->n < before && tries);
	shrink_exprs(t, &tries);
	shrink_lines(t, &tries);
}

/* Run a case; what differs is printed */
static enum outcome told(struct text *t, struct figures *fig)
{
	char *mem = NULL, *l, *rest;
	size_t size;
	FILE *f = need(open_memstream(&mem, &size));
	enum outcome o = world_case(t, fig, f);

	fclose(f);
	for (rest = mem; (l = strsep(&rest, "\n"));)
		if (*l)
			printf("# %.300s\n", l);
	free(mem);
	return o;
}

/* A case has failed.  True if it does so again: a packet may have been lost, or
 * the kernel have sent one of its own accord.
 */
static bool failed(struct text *t, const char *name, const char *dir)
{
	struct figures skip = { 0 };
	char file[512], head[160];
	struct text small = { 0 };
	unsigned int i;
	bool again;

	printf("# case %s differs\n", name);
	if (world_unstable(t)) {
		printf("# case %s differs from itself with the switch off\n", name);
		unstable++;
		return false;
	}
	text_copy(&small, t);
	again = fails(&small) || fails(&small) || fails(&small);
	if (again) {
		shrink(&small);
		printf("# shrunk to %u lines:\n", small.n);
		told(&small, &skip);
	} else {
		printf("# case %s does not differ again\n", name);
		once++;
	}
	snprintf(file, sizeof(file), "%s/%s.case", dir, name);
	snprintf(head, sizeof(head), "found by nft-fuzz: case %s%s", name,
		 again ? "" : " (did not fail again)");
	text_write(&small, file, head);
	for (i = 0; again && i < small.n && i < 40; i++)
		printf("# %.600s\n", small.line[i]);
	printf("# in %s\n", file);
	text_free(&small);
	fflush(stdout);
	return again;
}

static void figures(double seconds)
{
	unsigned long per = total.rules ? total.bpf * 100 / total.rules : 0;

	printf("# %lu rulesets (%lu commits, %lu lines refused) and %lu packets in %.0f s\n",
	       total.cases, total.commits, total.pruned, total.packets, seconds);
	printf("# %lu rules, %lu (%lu %%) of them in BPF, %lu with their whole match part\n",
	       total.rules, total.bpf, per, total.whole);
	printf("# %lu rules counted %lu matches, the same with the switch off and on\n",
	       total.hit, total.matches);
	printf("# %lu times a chain had changed and kept its programs\n",
	       total.edits);
}

static int run(uint64_t s, double seconds, const char *dir, unsigned long cases)
{
	double start = now();
	unsigned int bad = 0, refused = 0;
	unsigned long n;
	char name[64], file[512];
	bool few;

	snprintf(file, sizeof(file), "%s/current", dir);
	for (n = 0; n < cases && now() - start < seconds; n++) {
		struct text t = { 0 };
		enum outcome o;

		seed(s, n);
		gen_case(&t);
		snprintf(name, sizeof(name), "%llu-%lu", (unsigned long long)s,
			 n);
		text_write(&t, file, name);
		o = told(&t, &total);
		if (o == REFUSED)
			refused++;
		if (o == DIFFERENT && failed(&t, name, dir))
			bad++;
		text_free(&t);
		if (bad == FAILURES_MAX)
			break;
		if (n % 100 == 99) {
			printf("# %lu cases, %lu rules, %lu in BPF, %lu packets\n",
			       n + 1, total.rules, total.bpf, total.packets);
			fflush(stdout);
		}
	}
	figures(now() - start);
	printf("%sok 1 seed %llu: %lu cases the same, %u differ\n",
	       bad ? "not " : "", (unsigned long long)s,
	       total.cases - bad - once - unstable, bad);
	printf("%sok 2 cases are taken (%u not at all, %u differ only once, %u by themselves)\n",
	       (refused + once + unstable) * 20 > n ? "not " : "", refused,
	       once, unstable);
	/* few cases say little: one rule that shares registers, or sets nftrace,
	 * ties up a whole table
	 */
	few = total.cases <= 20;
	printf("%sok 3 enough rules are in BPF\n",
	       total.bpf * (few ? 4 : 2) < total.rules || !total.bpf ?
	       "not " : "");
	printf("%sok 4 rules match\n",
	       total.hit * 10 < total.rules || total.matches * 2 < total.packets ?
	       "not " : "");
	/* of few cases there may be none in which a translated chain changes */
	printf("%sok 5 chains change and keep their programs\n",
	       few || total.edits ? "" : "not ");
	printf("1..5\n");
	return 0;
}

static int replay(char **files)
{
	int n = 0;

	for (; *files; files++) {
		const char *name = strrchr(*files, '/');
		struct text t = { 0 };
		enum outcome o = REFUSED;

		name = name ? name + 1 : *files;
		if (text_read(&t, *files))
			o = told(&t, &total);
		printf("%sok %d %s%s\n", o == SAME ? "" : "not ", ++n, name,
		       o == REFUSED ? " (refused)" : "");
		text_free(&t);
		fflush(stdout);
	}
	printf("1..%d\n", n);
	return 0;
}

int main(int argc, char **argv)
{
	struct text t = { 0 };
	unsigned int i;

	if (argc == 4 && !strcmp(argv[1], "gen")) {
		seed(strtoull(argv[2], NULL, 0), strtoul(argv[3], NULL, 0));
		gen_case(&t);
		for (i = 0; i < t.n; i++)
			puts(t.line[i]);
		return 0;
	}
	if (argc < 3 || (strcmp(argv[1], "run") && strcmp(argv[1], "replay") &&
			 strcmp(argv[1], "shrink"))) {
		fputs("usage: see the head of the source\n", stderr);
		return 2;
	}
	if (!world_init()) {
		perror("nft-fuzz: namespaces");
		return 2;
	}
	if (!strcmp(argv[1], "replay"))
		return replay(argv + 2);
	if (!strcmp(argv[1], "shrink") && argc == 4) {
		if (!text_read(&t, argv[2]) || !fails(&t))
			return 1;
		shrink(&t);
		told(&t, &total);
		return !text_write(&t, argv[3], "shrunk");
	}
	if (argc < 5)
		return 2;
	return run(strtoull(argv[2], NULL, 0), atof(argv[3]), argv[4],
		   argc > 5 ? strtoul(argv[5], NULL, 0) : ~0UL);
}
