// SPDX-License-Identifier: GPL-2.0-only
/*
 * A chain compiled.  A range that nfj_compile() refuses as too long is split in
 * halves, as the module does, and so is one that is too much for the verifier;
 * to match is to ask one program after the other, from the one that holds the
 * entry on.
 */
#include <errno.h>
#include <unistd.h>
#include "core.h"

static int compile_range(struct progs *ps, const struct nfj_ir *ir, u32 opts,
			 bool kernel, u32 first, u32 last);

static int compile_halves(struct progs *ps, const struct nfj_ir *ir, u32 opts,
			  bool kernel, u32 first, u32 last)
{
	u32 mid = first + (last - first) / 2;
	int err;

	nfj_insns_free(&ps->p[--ps->n].code);
	err = compile_range(ps, ir, opts, kernel, first, mid);
	return err ? : compile_range(ps, ir, opts, kernel, mid, last);
}

static int compile_range(struct progs *ps, const struct nfj_ir *ir, u32 opts,
			 bool kernel, u32 first, u32 last)
{
	static char log[1 << 16];
	struct prog *p;
	const char *why;
	int err;

	if (ps->n == PROGS_MAX)
		return fail("more than %u programs", PROGS_MAX);
	p = &ps->p[ps->n++];
	p->first = first;
	p->last = last;
	p->fd = -1;
	err = nfj_compile(ir, first, last, opts, &p->code);
	if ((err == -ERANGE || err == -E2BIG || err == -EOVERFLOW) &&
	    last - first > 1)
		return compile_halves(ps, ir, opts, kernel, first, last);
	if (err)
		return fail("nfj_compile: %d for rules %u..%u, opts %x", err,
			    first, last, opts);
	why = vm_check(&p->code);
	if (why)
		return fail("opts %x: %s", opts, why);
	if (!kernel)
		return TEST_OK;
	p->fd = kbpf_load(&p->code, NULL, 0);
	if (p->fd >= 0)
		return TEST_OK;
	err = errno;
	if (err == E2BIG && last - first > 1) {
		ps->too_complex++;
		return compile_halves(ps, ir, opts, kernel, first, last);
	}
	kbpf_load(&p->code, log, sizeof(log));
	log[strlen(log) > 300 ? 300 : strlen(log)] = 0;
	return fail("kernel refuses rules %u..%u opts %x: %s: %s", first, last,
		    opts, strerror(err), log);
}

int progs_compile(struct progs *ps, const struct nfj_ir *ir, u32 opts,
		  bool kernel)
{
	ps->n = 0;
	ps->too_complex = 0;
	return compile_range(ps, ir, opts, kernel, 0, ir->nentries);
}

/* The same, but in two parts at least */
int progs_compile_split(struct progs *ps, const struct nfj_ir *ir, u32 opts,
			u32 at)
{
	int err;

	ps->n = 0;
	ps->too_complex = 0;
	err = compile_range(ps, ir, opts, false, 0, at);
	return err ? : compile_range(ps, ir, opts, false, at, ir->nentries);
}

int progs_run(const struct progs *ps, const struct nfj_key *key, bool kernel,
	      u32 *res)
{
	const char *why;
	u32 i;
	int err;

	*res = NFJ_NONE;
	for (i = 0; i < ps->n && *res == NFJ_NONE; i++) {
		const struct prog *p = &ps->p[i];

		if (p->last <= key->start)
			continue;
		if (kernel) {
			err = kbpf_run(p->fd, key, res);
			if (err)
				return fail("run: %s", strerror(-err));
		} else {
			why = vm_run(&p->code, key, res);
			if (why)
				return fail("%s", why);
		}
		if (*res != NFJ_NONE && (*res < p->first || *res >= p->last))
			return fail("rule %u is not in %u..%u", *res, p->first,
				    p->last);
	}
	return TEST_OK;
}

void progs_free(struct progs *ps)
{
	while (ps->n) {
		struct prog *p = &ps->p[--ps->n];

		nfj_insns_free(&p->code);
		if (p->fd >= 0)
			close(p->fd);
	}
}
