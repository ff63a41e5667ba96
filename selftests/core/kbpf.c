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

/* File descriptor, or -1 and errno */
int kbpf_load(const struct bpf_insn *insn, u32 n, char *log, u32 logsz)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SYSCALL;
	attr.prog_flags = BPF_F_SLEEPABLE;
	attr.insns = (uintptr_t)insn;
	attr.insn_cnt = n;
	attr.license = (uintptr_t)"GPL";
	if (log) {
		log[0] = 0;
		attr.log_buf = (uintptr_t)log;
		attr.log_size = logsz;
		attr.log_level = 1;
	}
	return sys_bpf(BPF_PROG_LOAD, &attr);
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
	static char why[80];
	static bool known;
	struct nfj_key key = {};
	u32 res = 0;
	int fd, err;

	if (known)
		return why[0] ? why : NULL;
	known = true;
	fd = kbpf_load(seven, ARRAY_SIZE(seven), NULL, 0);
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
