// SPDX-License-Identifier: GPL-2.0-only
/*
 * Golden tests: golden/NAME.txt holds rules, then what is expected of them,
 * each part under a line that starts with "==": the IMR, the program without
 * passes, the program with all of them.  "core-test --write" (make golden)
 * writes all but the rules anew; what it changed is to be looked at, as
 * any change of code is.
 *
 * Besides, each chain is run on packets made for it and compared with the
 * interpreter of expressions, so that a golden file cannot hold what is wrong.
 */
#include <dirent.h>
#include <errno.h>
#include "expr.h"

static char *read_file(const char *name)
{
	FILE *f = fopen(name, "r");
	char *text = NULL;
	size_t room = 0;

	if (!f)
		return NULL;
	if (getdelim(&text, &room, 0, f) < 0)
		*text = 0;
	fclose(f);
	return text;
}

static int dump_opts(FILE *f, const struct nfj_ir *ir, u32 opts,
		     const char *title)
{
	struct nfj_insns code;
	const char *why;
	int err;

	fprintf(f, "== %s\n", title);
	err = nfj_compile(ir, 0, ir->nentries, opts, &code);
	if (!err)
		dump_code(f, &code);
	why = err ? "nfj_compile() fails" : vm_check(&code);
	nfj_insns_free(&code);
	return why ? fail("%s: %s", title, why) : TEST_OK;
}

/* What should be in the file behind the rules */
static int expected(const struct x_chain *c, char **text)
{
	size_t size;
	FILE *f = open_memstream(text, &size);
	struct nfj_ir ir;
	int err;

	err = x_translate(c, &ir);
	if (!err) {
		fprintf(f, "== IMR\n");
		dump_ir(f, &ir);
		err = dump_opts(f, &ir, 0, "BPF, no passes");
		if (!err)
			err = dump_opts(f, &ir, NFJ_OPT_ALL, "BPF, all passes");
	}
	nfj_ir_free(&ir);
	fclose(f);
	return err;
}

static u32 line_of(const char *a, const char *b)
{
	u32 line = 1;

	for (; *a && *a == *b; a++, b++)
		line += *a == '\n';
	return line;
}

static struct x_chain chain;

/* The chain of a file; its text, which the caller frees, and where it ends */
static char *read_chain(const char *name, char **tail)
{
	char *text = read_file(name);
	const char *why;

	if (!text) {
		fail("%s: %s", name, strerror(errno));
		return NULL;
	}
	why = x_parse_chain(text, &chain);
	if (why) {
		fail("%s: %s", name, why);
		free(text);
		return NULL;
	}
	*tail = strstr(text, "\n==");
	*tail = *tail ? *tail + 1 : text + strlen(text);
	return text;
}

static int one_file(const char *name, bool write)
{
	char *tail, *text = read_chain(name, &tail), *want = NULL;
	int err;

	if (!text)
		return TEST_FAIL;
	err = expected(&chain, &want);
	if (!err && write && strcmp(tail, want)) {
		FILE *f = fopen(name, "w");

		if (f) {
			fprintf(f, "%.*s%s", (int)(tail - text), text, want);
			fclose(f);
			printf("%s\n", name);
		} else {
			err = fail("%s: %s", name, strerror(errno));
		}
	} else if (!err && !write && strcmp(tail, want)) {
		err = fail("%s: line %u behind the rules differs, make golden shows how",
			   name, line_of(tail, want));
	}
	if (!err)
		err = x_compare(&chain, 200);
	if (!err)
		err = fuzz_chain(&chain, NULL);
	free(want);
	free(text);
	return err;
}

static int is_golden(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 4 && !strcmp(d->d_name + n - 4, ".txt");
}

/* All files of a folder, one result each; the number that failed, or -1 */
int golden_all(const char *folder, bool write, u32 *first)
{
	char name[512];
	struct dirent **d;
	int n = scandir(folder, &d, is_golden, alphasort), i, bad = 0;

	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s/%s", folder, d[i]->d_name);
		bad += report(first, d[i]->d_name, one_file(name, write));
		free(d[i]);
	}
	if (n >= 0)
		free(d);
	return n > 0 ? bad : -1;
}

/* Write the chains as inputs for libFuzzer */
int golden_seeds(const char *folder, const char *to)
{
	char name[512], *text, *tail;
	struct dirent **d;
	int n = scandir(folder, &d, is_golden, alphasort), i, bad = n < 1;

	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s/%s", folder, d[i]->d_name);
		text = read_chain(name, &tail);
		snprintf(name, sizeof(name), "%s/%s", to, d[i]->d_name);
		bad |= !text || fuzz_chain(&chain, name);
		free(text);
		free(d[i]);
	}
	if (n >= 0)
		free(d);
	return bad;
}

/* How many there are, for the plan */
u32 golden_count(const char *folder)
{
	struct dirent **d;
	int n = scandir(folder, &d, is_golden, NULL), i;

	for (i = 0; i < n; i++)
		free(d[i]);
	if (n >= 0)
		free(d);
	return n > 0 ? n : 0;
}
