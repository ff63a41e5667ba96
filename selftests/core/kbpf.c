// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs in the running kernel: loaded the way the module loads them
 * (BPF_PROG_TYPE_SYSCALL, sleepable) and run with BPF_PROG_TEST_RUN, the key as
 * context.  Where bpf(2) is refused, that is found out once and told.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "core.h"

static long sys_bpf(int cmd, union bpf_attr *attr)
{
	return syscall(__NR_bpf, cmd, attr, sizeof(*attr));
}

/* The tables of a program as a map of one element, frozen; or -1 and errno */
static int kbpf_table(const struct nfj_insns *code)
{
	union bpf_attr attr;
	u32 zero = 0;
	int fd, err;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = sizeof(zero);
	attr.value_size = code->ndata;
	attr.max_entries = 1;
	attr.map_flags = BPF_F_RDONLY_PROG;
	fd = sys_bpf(BPF_MAP_CREATE, &attr);
	if (fd < 0)
		return fd;
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = fd;
	attr.key = (uintptr_t)&zero;
	attr.value = (uintptr_t)code->data;
	err = sys_bpf(BPF_MAP_UPDATE_ELEM, &attr);
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = fd;
	if (err || sys_bpf(BPF_MAP_FREEZE, &attr)) {
		err = errno;
		close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

u32 kbpf_log_level = 1;

/* File descriptor, or -1 and errno */
int kbpf_load(const struct nfj_insns *code, char *log, u32 logsz)
{
	struct bpf_insn *insn = NULL;
	union bpf_attr attr;
	int fd, map = -1, err;
	u32 i;

	memset(&attr, 0, sizeof(attr));
	attr.insns = (uintptr_t)code->insn;
	if (code->ndata) {
		map = kbpf_table(code);
		if (map < 0)
			return -1;
		insn = malloc(code->n * sizeof(*insn));
		memcpy(insn, code->insn, code->n * sizeof(*insn));
		for (i = 0; i < code->n; i++)
			if (insn[i].code == (BPF_LD | BPF_IMM | BPF_DW) &&
			    insn[i].src_reg == BPF_PSEUDO_MAP_VALUE)
				insn[i].imm = map;
		attr.insns = (uintptr_t)insn;
	}
	attr.prog_type = BPF_PROG_TYPE_SYSCALL;
	attr.prog_flags = BPF_F_SLEEPABLE;
	attr.insn_cnt = code->n;
	attr.license = (uintptr_t)"GPL";
	if (log) {
		log[0] = 0;
		attr.log_buf = (uintptr_t)log;
		attr.log_size = logsz;
		attr.log_level = kbpf_log_level;
	}
	fd = sys_bpf(BPF_PROG_LOAD, &attr);
	err = errno;
	if (map >= 0)
		close(map);
	free(insn);
	errno = err;
	return fd;
}

int kbpf_run(int fd, const struct nfj_key *key, u32 *res)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = fd;
	attr.test.ctx_in = (uintptr_t)key;
	attr.test.ctx_size_in = sizeof(*key);
	if (sys_bpf(BPF_PROG_TEST_RUN, &attr))
		return -errno;
	*res = attr.test.retval;
	return 0;
}

/* NULL when programs can be loaded and run here, else the reason */
const char *kbpf_refused(void)
{
	static const struct bpf_insn seven[] = {
		{ .code = BPF_ALU | BPF_MOV | BPF_K, .imm = 7 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	const struct nfj_insns code = {
		.insn	= (struct bpf_insn *)seven,
		.n	= ARRAY_SIZE(seven),
	};
	static char why[80];
	static bool known;
	struct nfj_key key = {};
	u32 res = 0;
	int fd, err;

	if (known)
		return why[0] ? why : NULL;
	known = true;
	fd = kbpf_load(&code, NULL, 0);
	if (fd < 0) {
		snprintf(why, sizeof(why), "bpf(BPF_PROG_LOAD): %s",
			 strerror(errno));
		return why;
	}
	err = kbpf_run(fd, &key, &res);
	if (err)
		snprintf(why, sizeof(why), "bpf(BPF_PROG_TEST_RUN): %s",
			 strerror(-err));
	else if (res != 7)
		snprintf(why, sizeof(why), "a program returns %u, not 7", res);
	close(fd);
	return why[0] ? why : NULL;
}
