// SPDX-License-Identifier: GPL-2.0-only
/*
 * The programs that somebody who knows the addresses and BPF would write by hand:
 * what the benchmark has as the limit.
 *
 * usage: hand empty|hash|search tc|netfilter PATH <addresses
 *
 *	empty		pass every packet
 *	hash		look the source address up in a hash map
 *	search		compare it with constants, a binary search without a loop
 *
 *	tc		a classifier for "tc filter ... bpf da pinned PATH"
 *	netfilter	a BPF_PROG_TYPE_NETFILTER (6.4 and later), attached to the IPv4
 *			prerouting hook of the caller's namespace, priority 0, until
 *			PATH is removed
 *
 * Addresses come one to a line.  Whether one is found or not the packet passes, as
 * with the rules "ip saddr X accept" in a chain whose policy is to accept.
 *
 * A netfilter program is given a struct sk_buff that it may not look into; its
 * bytes are read with two kernel functions, which are called by the number of
 * their type in the kernel's BTF.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/netfilter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than Debian 12's headers. */
#define PROG_TYPE_NETFILTER	32
#define ATTACH_NETFILTER	45

struct link_netfilter {
	uint32_t prog_fd;
	uint32_t target_fd;
	uint32_t attach_type;
	uint32_t flags;
	uint32_t pf;
	uint32_t hooknum;
	int32_t priority;
	uint32_t netfilter_flags;
};

#define INSN_MAX	100000

static struct bpf_insn insns[INSN_MAX];
static unsigned int len;
static uint32_t *addrs;
static unsigned int nr;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int bpf(int cmd, void *attr, unsigned int size)
{
	return syscall(__NR_bpf, cmd, attr, size);
}

static unsigned int emit(uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm)
{
	if (len == INSN_MAX) {
		fprintf(stderr, "hand: too many addresses\n");
		exit(1);
	}
	insns[len] = (struct bpf_insn){ .code = code, .dst_reg = dst, .src_reg = src,
					.off = off, .imm = imm };
	return len++;
}

/* The jump at @insn goes to what comes next. */
static void land(unsigned int insn)
{
	unsigned int off = len - insn - 1;

	if (off > INT16_MAX) {
		fprintf(stderr, "hand: too many addresses\n");
		exit(1);
	}
	insns[insn].off = off;
}

static void mov(uint8_t dst, int32_t imm)
{
	emit(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm);
}

static void mov_reg(uint8_t dst, uint8_t src)
{
	emit(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

static void add(uint8_t dst, int32_t imm)
{
	emit(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, imm);
}

static void leave(void)
{
	emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* The number of a kernel function in the kernel's BTF. */
static int32_t kfunc(const char *name)
{
	static uint8_t *btf;
	const struct btf_header *h;
	const struct btf_type *t;
	const uint8_t *p, *end;
	const char *strings;
	struct stat st;
	int32_t id = 0;
	ssize_t got;
	size_t size = 0;
	int fd;

	if (!btf) {
		fd = open("/sys/kernel/btf/vmlinux", O_RDONLY);
		if (fd < 0 || fstat(fd, &st) < 0)
			die("/sys/kernel/btf/vmlinux");
		btf = malloc(st.st_size);
		while (btf && size < (size_t)st.st_size) {
			got = read(fd, btf + size, st.st_size - size);
			if (got <= 0)
				die("/sys/kernel/btf/vmlinux");
			size += got;
		}
		close(fd);
	}
	if (!btf)
		die("malloc");
	h = (const void *)btf;
	p = btf + h->hdr_len + h->type_off;
	end = p + h->type_len;
	strings = (const char *)btf + h->hdr_len + h->str_off;
	while (p < end) {
		unsigned int kind, vlen;

		t = (const void *)p;
		kind = BTF_INFO_KIND(t->info);
		vlen = BTF_INFO_VLEN(t->info);
		id++;
		if (kind == BTF_KIND_FUNC && !strcmp(strings + t->name_off, name))
			return id;
		p += sizeof(*t);
		switch (kind) {
		case BTF_KIND_INT:
		case BTF_KIND_VAR:
		case BTF_KIND_DECL_TAG:
			p += 4;
			break;
		case BTF_KIND_ARRAY:
			p += sizeof(struct btf_array);
			break;
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
			p += vlen * sizeof(struct btf_member);
			break;
		case BTF_KIND_ENUM:
			p += vlen * sizeof(struct btf_enum);
			break;
		case BTF_KIND_ENUM64:
			p += vlen * 12;
			break;
		case BTF_KIND_FUNC_PROTO:
			p += vlen * sizeof(struct btf_param);
			break;
		case BTF_KIND_DATASEC:
			p += vlen * sizeof(struct btf_var_secinfo);
			break;
		}
	}
	fprintf(stderr, "hand: this kernel has no %s\n", name);
	exit(1);
}

static void call_kfunc(const char *name)
{
	emit(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, kfunc(name));
}

/*
 * w6 = the source address, as it is in the packet; r0 = @pass on the way out.  The
 * bytes are there: IP has looked at its header before prerouting, and pktgen's are
 * linear.
 */
static void load_tc(void)
{
	unsigned int there;

	/* r2 = data, r3 = data_end */
	emit(BPF_LDX | BPF_MEM | BPF_W, 2, 1, offsetof(struct __sk_buff, data), 0);
	emit(BPF_LDX | BPF_MEM | BPF_W, 3, 1, offsetof(struct __sk_buff, data_end), 0);
	mov_reg(4, 2);
	add(4, 14 + 20);
	there = emit(BPF_JMP | BPF_JLE | BPF_X, 4, 3, 0, 0);
	mov(0, 0);
	leave();
	land(there);
	emit(BPF_LDX | BPF_MEM | BPF_W, 6, 2, 14 + 12, 0);
}

static void load_netfilter(void)
{
	unsigned int there;

	/* bpf_dynptr_from_skb(ctx->skb, 0, fp - 16) */
	emit(BPF_LDX | BPF_MEM | BPF_DW, 1, 1, 8, 0);
	mov(2, 0);
	mov_reg(3, 10);
	add(3, -16);
	call_kfunc("bpf_dynptr_from_skb");
	/* bpf_dynptr_slice(fp - 16, 12, fp - 24, 4) */
	emit(BPF_ST | BPF_MEM | BPF_DW, 10, 0, -24, 0);
	mov_reg(1, 10);
	add(1, -16);
	mov(2, 12);
	mov_reg(3, 10);
	add(3, -24);
	mov(4, 4);
	call_kfunc("bpf_dynptr_slice");
	there = emit(BPF_JMP | BPF_JNE | BPF_K, 0, 0, 0, 0);
	mov(0, NF_ACCEPT);
	leave();
	land(there);
	emit(BPF_LDX | BPF_MEM | BPF_W, 6, 0, 0, 0);
}

static void hash(int pass)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_HASH,
		.key_size = 4,
		.value_size = 4,
		.max_entries = nr,
	};
	unsigned int i, miss;
	uint32_t key, value = 1;
	int fd;

	fd = bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	if (fd < 0)
		die("BPF_MAP_CREATE");
	for (i = 0; i < nr; i++) {
		key = htonl(addrs[i]);
		memset(&attr, 0, sizeof(attr));
		attr.map_fd = fd;
		attr.key = (uintptr_t)&key;
		attr.value = (uintptr_t)&value;
		if (bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr)) < 0)
			die("BPF_MAP_UPDATE_ELEM");
	}
	emit(BPF_STX | BPF_MEM | BPF_W, 10, 6, -32, 0);
	emit(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, fd);
	emit(0, 0, 0, 0, 0);
	mov_reg(2, 10);
	add(2, -32);
	emit(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem);
	miss = emit(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0, 0);
	mov(0, pass);
	leave();
	land(miss);
	mov(0, pass);
	leave();
}

/* Addresses @lo .. @hi - 1; at least one.  r0 is what a miss returns. */
static void search_in(unsigned int lo, unsigned int hi, int pass)
{
	unsigned int mid = (lo + hi) / 2, insn;

	if (hi - lo == 1) {
		insn = emit(BPF_JMP32 | BPF_JNE | BPF_K, 6, 0, 0, addrs[lo]);
		mov(0, pass);
		leave();
		land(insn);
		leave();
		return;
	}
	insn = emit(BPF_JMP32 | BPF_JGE | BPF_K, 6, 0, 0, addrs[mid]);
	search_in(lo, mid, pass);
	land(insn);
	search_in(mid, hi, pass);
}

static void search(int pass)
{
	emit(BPF_ALU | BPF_END | BPF_TO_BE, 6, 0, 0, 32);
	mov(0, pass);
	search_in(0, nr, pass);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void read_addrs(void)
{
	unsigned int room = 0;
	struct in_addr in;
	char line[64];

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		if (inet_pton(AF_INET, line, &in) != 1) {
			fprintf(stderr, "hand: not an address: %s\n", line);
			exit(1);
		}
		if (nr == room) {
			room = room ? room * 2 : 1024;
			addrs = realloc(addrs, room * sizeof(*addrs));
			if (!addrs)
				die("realloc");
		}
		addrs[nr++] = ntohl(in.s_addr);
	}
	if (!nr) {
		fprintf(stderr, "hand: no addresses\n");
		exit(1);
	}
	qsort(addrs, nr, sizeof(*addrs), compare);
}

static int load(bool tc)
{
	static char log[65536];
	union bpf_attr attr = {
		.prog_type = tc ? BPF_PROG_TYPE_SCHED_CLS : PROG_TYPE_NETFILTER,
		.expected_attach_type = tc ? 0 : ATTACH_NETFILTER,
		.insns = (uintptr_t)insns,
		.insn_cnt = len,
		.license = (uintptr_t)"GPL",
	};
	int fd;

	fd = bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0) {
		perror("BPF_PROG_LOAD");
		attr.log_buf = (uintptr_t)log;
		attr.log_size = sizeof(log);
		attr.log_level = 1;
		bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
		fputs(log, stderr);
		exit(1);
	}
	return fd;
}

static int link_netfilter(int prog)
{
	struct link_netfilter attr = {
		.prog_fd = prog,
		.attach_type = ATTACH_NETFILTER,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
	};
	int fd;

	fd = bpf(BPF_LINK_CREATE, &attr, sizeof(attr));
	if (fd < 0)
		die("BPF_LINK_CREATE");
	return fd;
}

int main(int argc, char **argv)
{
	union bpf_attr attr = {};
	bool tc;
	int pass, fd;

	if (argc != 4) {
		fprintf(stderr, "usage: hand empty|hash|search tc|netfilter PATH\n");
		return 1;
	}
	tc = !strcmp(argv[2], "tc");
	pass = tc ? 0 /* TC_ACT_OK */ : NF_ACCEPT;
	if (!strcmp(argv[1], "empty")) {
		mov(0, pass);
		leave();
	} else {
		read_addrs();
		if (tc)
			load_tc();
		else
			load_netfilter();
		if (!strcmp(argv[1], "hash"))
			hash(pass);
		else
			search(pass);
	}
	fd = load(tc);
	if (!tc)
		fd = link_netfilter(fd);
	attr.pathname = (uintptr_t)argv[3];
	attr.bpf_fd = fd;
	if (bpf(BPF_OBJ_PIN, &attr, sizeof(attr)) < 0)
		die(argv[3]);
	return 0;
}
