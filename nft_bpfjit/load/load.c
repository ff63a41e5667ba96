// SPDX-License-Identifier: GPL-2.0-only
/*
 * The loader: hands a program to the kernel's verifier and JIT.
 *
 * This happens in a kernel worker, whatever task commits: so the descriptor
 * that BPF_PROG_LOAD returns is never in that task's table, and neither its
 * credentials nor its signals matter.
 *
 * The worker is one of a workqueue of our own, on which nothing waits for anything
 * of ours: so there is always one that gets on, however many commits, and workers
 * of other workqueues, wait for their loads.  To load is work for a processor, so
 * there are no more at once than processors.  It takes two descriptors for a
 * moment, of the table that all kernel threads share.
 *
 * The tables of a program become the one element of an array map that the
 * program can only read, frozen, so that nobody else can write it either.  The
 * program holds the map; no descriptor of it remains.
 */
#include <linux/bpf.h>
#include <linux/ctype.h>
#include <linux/fdtable.h>
#include <linux/filter.h>
#include <linux/sched/mm.h>
#include <linux/workqueue.h>
#include <linux/netfilter/nft_bpfjit.h>
#include "../hook/hook.h"
#include "load.h"

NFJ_IMPORT_BPF_INTERNAL;

/* Hardening writes several instructions for one, and takes time by the square
 * of their number: not more than this at once.
 */
#define NFJ_HARDEN_MAX	2048

static struct workqueue_struct *nfj_wq;

struct nfj_load_job {
	struct work_struct	work;
	const struct nfj_insns	*insns;
	const char		*name;
	const struct nfj_payer	*payer;
	struct bpf_prog		*prog;
	int			err;
};

/* Descriptor of a map with the tables, or an errno */
static int nfj_load_table(const struct nfj_load_job *job)
{
	const u32 zero = 0;
	union bpf_attr attr = {
		.map_type	= BPF_MAP_TYPE_ARRAY,
		.key_size	= sizeof(zero),
		.value_size	= job->insns->ndata,
		.max_entries	= 1,
		.map_flags	= BPF_F_RDONLY_PROG,
	};
	int fd, err;

	strscpy(attr.map_name, job->name, sizeof(attr.map_name));
	fd = kern_sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	if (fd < 0)
		return fd;
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = fd;
	attr.key = (unsigned long)&zero;
	attr.value = (unsigned long)job->insns->data;
	err = kern_sys_bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr));
	if (!err) {
		memset(&attr, 0, sizeof(attr));
		attr.map_fd = fd;
		err = kern_sys_bpf(BPF_MAP_FREEZE, &attr, sizeof(attr));
	}
	if (err) {
		close_fd(fd);
		return err;
	}
	return fd;
}

/* Where the program takes the address of its tables, name the map */
static void nfj_load_patch(const struct nfj_insns *insns, int fd)
{
	u32 i;

	for (i = 0; i < insns->n; i++)
		if (insns->insn[i].code == (BPF_LD | BPF_IMM | BPF_DW) &&
		    insns->insn[i].src_reg == BPF_PSEUDO_MAP_VALUE)
			insns->insn[i].imm = fd;
}

/* What BPF_PROG_LOAD fails with.  It has several words for a lack of memory, and
 * a chain that lacked memory is tried again, one that was refused is not.
 */
static int nfj_load_errno(int err, const union bpf_attr *attr)
{
	switch (err) {
	case -EINVAL:
		/* no room for the program itself */
		return nfj_verifier_ran(attr) ? err : -ENOMEM;
	case -EFAULT:
		/* The addresses that it has from us are good: older kernels say
		 * so when too many branches wait to be looked at, or when there
		 * is no room for one.  Half as many may do.
		 */
		return -EOVERFLOW;
	case -ENOTSUPP:
		/* where there must be a JIT, none for what it makes */
		return READ_ONCE(*nfj_sym.jit_enable) ? -ENOMEM : err;
	default:
		return err;
	}
}

static void nfj_load_run(struct nfj_load_job *job)
{
	union bpf_attr attr = {
		.prog_type	= BPF_PROG_TYPE_SYSCALL,
		.prog_flags	= BPF_F_SLEEPABLE,
		.insns		= (unsigned long)job->insns->insn,
		.insn_cnt	= job->insns->n,
		.license	= (unsigned long)"GPL",
	};
	int fd, table = -1;

	if (job->insns->ndata) {
		table = nfj_load_table(job);
		if (table < 0) {
			job->err = table;
			return;
		}
		nfj_load_patch(job->insns, table);
	}
	strscpy(attr.prog_name, job->name, sizeof(attr.prog_name));
	nfj_verifier_mark(&attr);
	fd = kern_sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	if (table >= 0)
		close_fd(table);
	if (fd < 0) {
		job->err = nfj_load_errno(fd, &attr);
		return;
	}
	job->prog = bpf_prog_get_type_dev(fd, BPF_PROG_TYPE_SYSCALL, false);
	close_fd(fd);
	if (IS_ERR(job->prog)) {
		job->err = PTR_ERR(job->prog);
		return;
	}
	job->err = 0;
	if (!job->prog->jited && !job->payer->slow) {
		bpf_prog_put(job->prog);
		/* nothing in a matcher is too much for the JIT, but it may have
		 * found no memory
		 */
		job->err = READ_ONCE(*nfj_sym.jit_enable) ? -ENOMEM :
							    -ENOTSUPP;
	}
}

static void nfj_load_work(struct work_struct *work)
{
	struct nfj_load_job *job = container_of(work, struct nfj_load_job,
						work);
	struct mem_cgroup *was = set_active_memcg(job->payer->memcg);

	nfj_load_run(job);
	set_active_memcg(was);
}

/**
 * nfj_load_init - make the workqueue
 *
 * Return: 0 or -ENOMEM.
 */
int nfj_load_init(void)
{
	nfj_wq = alloc_workqueue("nft_bpfjit_load", WQ_UNBOUND,
				 num_possible_cpus());
	return nfj_wq ? 0 : -ENOMEM;
}

/**
 * nfj_load_exit - nobody loads anything any more
 */
void nfj_load_exit(void)
{
	destroy_workqueue(nfj_wq);
}

/**
 * nfj_load - load a program
 * @insns: the program
 * @name: what bpftool shows, see nfj_load_name()
 * @payer: on whose account
 * @prog: the loaded program, to be released with bpf_prog_put()
 *
 * Sleeps until a worker has loaded it.
 *
 * Return: 0; -EBADMSG when our own checker refuses it; -ENOTSUPP when there is
 * no JIT; -EOVERFLOW when half of it may fit; -ENOMEM; or what the verifier
 * said.
 */
int nfj_load(const struct nfj_insns *insns, const char *name,
	     const struct nfj_payer *payer, struct bpf_prog **prog)
{
	struct nfj_load_job job = {
		.insns = insns, .name = name, .payer = payer,
	};
	u32 where;
	int err;

	/* 1 is for programs of unprivileged users, which ours are not */
	if (READ_ONCE(*nfj_sym.jit_harden) > 1 && insns->n > NFJ_HARDEN_MAX)
		return -EOVERFLOW;
	err = nfj_check(insns->insn, insns->n,
			insns->ndata ? NFJ_CHECK_TABLES : 0, &where);
	if (err == -EBADMSG)
		pr_warn_ratelimited("nft_bpfjit: %s: the checker refuses instruction %u, please report\n",
				    name, where);
	if (err)
		return err;
	INIT_WORK_ONSTACK(&job.work, nfj_load_work);
	queue_work(nfj_wq, &job.work);
	flush_work(&job.work);
	destroy_work_on_stack(&job.work);
	if (!job.err)
		*prog = job.prog;
	return job.err;
}

/**
 * nfj_load_size - memory that a loaded program takes
 * @prog: the program
 *
 * Return: bytes, its machine code among them.
 */
size_t nfj_load_size(const struct bpf_prog *prog)
{
	return prog->pages * PAGE_SIZE + ALIGN(prog->jited_len, 64);
}

/**
 * nfj_load_name - name of the program of a chain
 * @name: BPF_OBJ_NAME_LEN bytes
 * @chain: the chain
 *
 * The kernel takes letters, digits, "_" and "." only.
 */
void nfj_load_name(char *name, const struct nft_chain *chain)
{
	char *p;

	snprintf(name, BPF_OBJ_NAME_LEN, NFT_BPFJIT_PROG_PREFIX "%s",
		 chain->name);
	for (p = name; *p; p++)
		if (!isalnum(*p) || !isascii(*p))
			*p = '_';
}
