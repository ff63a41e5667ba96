// SPDX-License-Identifier: GPL-2.0-only
/*
 * A case as text: one operation a line, in the order in which they are done.
 *
 *	table FAMILY TABLE
 *	chain FAMILY TABLE CHAIN [hook=N prio=N [type=T] [policy=N] [dev=D]]
 *	set FAMILY TABLE SET keylen=N flags=N [id=N] [datalen=N] [datatype=N]
 *		[fields=N,N...] [size=N]
 *	elem FAMILY TABLE SET key=HEX | catchall [to=HEX] [keyend=HEX] [id=N]
 *		[data=HEX | verdict=V]
 *	delelem FAMILY TABLE SET key=HEX [to=HEX] [keyend=HEX]
 *	flushset FAMILY TABLE SET
 *	obj FAMILY TABLE NAME counter | quota BYTES
 *	rule | insert FAMILY TABLE CHAIN EXPR [attr=val...] ; EXPR ...
 *	before | behind FAMILY TABLE CHAIN N EXPR ...	next to the N-th
 *	replace FAMILY TABLE CHAIN N EXPR ...	the N-th rule, modulo their number
 *	delrule FAMILY TABLE CHAIN N
 *	flush FAMILY TABLE CHAIN
 *	commit			end of a transaction (packet, jit, edits, wait imply it)
 *	jit 0|1			the switch, in the namespace where it is on
 *	edits LEAST MS		edit_min_rules and rebuild_ms, from here on
 *	wait MS			and commit before that
 *	packet DEV [linear=N] [fill=N] HEX
 *
 * Numbers are those of linux/netfilter/nf_tables.h; the names of expressions'
 * attributes are in nl.c.  "to" makes an interval of an element, and verdicts
 * are accept, drop, queue, continue, break, return, jump:CHAIN and goto:CHAIN.
 * Lines that begin with # are comments.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "fuzz.h"

/**
 * need - memory, or the end
 * @p: what malloc() returned
 *
 * Return: @p.
 */
void *need(void *p)
{
	if (!p) {
		perror("nft-fuzz");
		exit(2);
	}
	return p;
}

/**
 * text_add - append a line
 * @t: the text
 * @fmt: as printf()
 */
void text_add(struct text *t, const char *fmt, ...)
{
	va_list ap;

	if (t->n == t->max) {
		t->max = t->max ? t->max * 2 : 64;
		t->line = need(realloc(t->line, t->max * sizeof(*t->line)));
	}
	va_start(ap, fmt);
	if (vasprintf(&t->line[t->n], fmt, ap) < 0)
		need(NULL);
	va_end(ap);
	t->n++;
}

/**
 * text_free - free all lines
 * @t: the text, empty and usable afterwards
 */
void text_free(struct text *t)
{
	while (t->n)
		free(t->line[--t->n]);
	free(t->line);
	memset(t, 0, sizeof(*t));
}

/**
 * text_copy - copy all lines
 * @to: an empty text
 * @from: the text
 */
void text_copy(struct text *to, const struct text *from)
{
	unsigned int i;

	for (i = 0; i < from->n; i++)
		text_add(to, "%s", from->line[i]);
}

/**
 * text_drop - take lines out
 * @t: the text
 * @drop: which
 */
void text_drop(struct text *t, const bool *drop)
{
	unsigned int i, n = 0;

	for (i = 0; i < t->n; i++) {
		if (drop[i])
			free(t->line[i]);
		else
			t->line[n++] = t->line[i];
	}
	t->n = n;
}

/**
 * text_read - read a file
 * @t: an empty text
 * @file: its name
 *
 * Return: false if it can't be read.
 */
bool text_read(struct text *t, const char *file)
{
	FILE *f = fopen(file, "r");
	char *line = NULL;
	size_t max = 0;
	ssize_t len;

	if (!f)
		return false;
	while ((len = getline(&line, &max, f)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = 0;
		if (line[0] && line[0] != '#')
			text_add(t, "%s", line);
	}
	free(line);
	fclose(f);
	return true;
}

/**
 * text_write - write a file
 * @t: the text
 * @file: its name
 * @head: comment in front of it, or NULL
 *
 * Return: false if it can't be written.
 */
bool text_write(const struct text *t, const char *file, const char *head)
{
	FILE *f = fopen(file, "w");
	unsigned int i;

	if (!f)
		return false;
	if (head)
		fprintf(f, "# %s-Identifier: GPL-2.0-only\n# %s\n",
			"SPDX-License", head);
	for (i = 0; i < t->n; i++)
		fprintf(f, "%s\n", t->line[i]);
	return !fclose(f);
}

/**
 * text_has - is a string in one of the rules?
 * @t: the text
 * @what: the string
 *
 * Return: true if so.
 */
bool text_has(const struct text *t, const char *what)
{
	unsigned int i;

	for (i = 0; i < t->n; i++)
		if (strstr(t->line[i], what))
			return true;
	return false;
}

/**
 * word - cut the next word off a line
 * @at: where to look, moved behind the word
 * @sep: what stands behind it; if it is not a space, the word may hold spaces
 *
 * Return: the word, or NULL at the end.
 */
char *word(char **at, char sep)
{
	char *w = *at, *end;

	while (*w == ' ')
		w++;
	if (!*w)
		return NULL;
	for (end = w; *end && *end != sep; end++)
		;
	*at = *end ? end + 1 : end;
	*end = 0;
	while (end > w && end[-1] == ' ')
		*--end = 0;
	return w;
}

/**
 * field - is a word "name=value"?
 * @w: the word
 * @name: the name
 * @val: the value, if so
 *
 * Return: true if so.
 */
bool field(char *w, const char *name, char **val)
{
	size_t len = strlen(name);

	if (strncmp(w, name, len) || w[len] != '=')
		return false;
	*val = w + len + 1;
	return true;
}

/**
 * hex - bytes from hexadecimal digits
 * @s: the digits
 * @to: where to
 * @max: room there
 *
 * Return: number of bytes, or -1.
 */
int hex(const char *s, uint8_t *to, unsigned int max)
{
	unsigned int n = 0, v;

	for (; s[0] && s[1]; s += 2) {
		if (n == max || sscanf(s, "%2x", &v) != 1)
			return -1;
		to[n++] = v;
	}
	return *s ? -1 : (int)n;
}

/**
 * family_number - NFPROTO_* of a family
 * @name: as nft calls it
 *
 * Return: the number, or -1.
 */
int family_number(const char *name)
{
	static const char * const names[] = {
		[1] = "inet", [2] = "ip", [3] = "arp", [5] = "netdev",
		[7] = "bridge", [10] = "ip6",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i] && !strcmp(names[i], name))
			return i;
	return -1;
}
