/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fuzzer's parts and what they share.
 *
 *	gen.c	makes cases out of a seed: rules, sets, changes of them; its own
 *		parts are in gen.h
 *	frame.c	makes the frames that are sent through them
 *	text.c	a case is a list of lines of text; the lines' grammar
 *	nl.c	lines become netlink messages; dumps
 *	world.c	runs a case in a namespace and collects what can be seen of it
 *	main.c	compares, shrinks and reports
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define MAC_LEN		6

/* ---- text.c ---- */

/* A case, or a part of one */
struct text {
	char		**line;
	unsigned int	n;
	unsigned int	max;
};

void *need(void *p);
__printf(2, 3) void text_add(struct text *t, const char *fmt, ...);
void text_free(struct text *t);
void text_copy(struct text *to, const struct text *from);
void text_drop(struct text *t, const bool *drop);
bool text_read(struct text *t, const char *file);
bool text_write(const struct text *t, const char *file, const char *head);
bool text_has(const struct text *t, const char *what);

char *word(char **at, char sep);
bool field(char *w, const char *name, char **val);
int hex(const char *s, uint8_t *to, unsigned int max);
int family_number(const char *name);

/* ---- nl.c ---- */

/* What the kernel refused: number of the line (-1: none in particular), errno */
struct refusal {
	int	line;
	int	err;
};

#define REFUSALS_MAX	256

/* Records of netlink dumps */
struct dump {
	uint8_t		*mem;
	size_t		used;
	size_t		max;
	uint8_t		**rec;	/* valid once complete */
	size_t		*at;
	uint32_t	*len;
	uint16_t	*type;
	unsigned int	n;
	unsigned int	nmax;
};

struct batch {
	uint8_t		*mem;
	size_t		used;
	size_t		max;
	unsigned int	msgs;
	int		fd;	/* for what has to be looked up */
};

int nl_open(void);
void batch_begin(struct batch *b, int fd);
bool batch_line(struct batch *b, const char *line, int number);
void batch_flush_ruleset(struct batch *b);
int batch_send(struct batch *b, struct refusal *r, unsigned int max);
void nl_barrier(void);
void ct_flush(int fd);

void dump_reset(struct dump *d);
bool dump_all(int fd, struct dump *d);
unsigned int dump_compare(const struct dump *a, const struct dump *b, FILE *out);
void dump_count(const struct dump *d, unsigned long *rules, unsigned long *hits,
		unsigned long *matches);

/* ---- world.c ---- */
struct figures {
	unsigned long	cases;
	unsigned long	commits;
	unsigned long	packets;
	unsigned long	rules;		/* with the switch on */
	unsigned long	bpf;		/* ... in chains that are in BPF */
	unsigned long	whole;		/* ... with their whole match part */
	unsigned long	hit;		/* rules with a counter above 0 */
	unsigned long	matches;	/* sum of all rules' counters */
	unsigned long	pruned;		/* lines that the kernel refused */
	unsigned long	edits;		/* chains that changed but not their program */
};

enum outcome {
	SAME,
	DIFFERENT,
	REFUSED,	/* nothing left to compare */
};

bool world_init(void);
enum outcome world_case(struct text *t, struct figures *fig, FILE *out);
bool world_unstable(const struct text *t);

/* ---- frame.c ---- */
#define FRAME_MAX	400

struct frame {
	uint8_t		b[FRAME_MAX];
	unsigned int	len;
	unsigned int	fill;		/* more bytes behind it */
	unsigned int	linear;		/* bytes in the linear area, 0: all */
	unsigned int	tags;		/* bytes of VLAN tags the kernel takes off */
	unsigned int	nh;
	unsigned int	th;		/* 0: none */
	uint8_t		proto;
	uint16_t	type;		/* at nh */
	bool		bridge;
};

/* Addresses and ports of one case */
struct pool {
	uint32_t	a4[6];
	uint8_t		a6[5][16];
	uint16_t	port[8];
};

void pool_make(struct pool *p);
void frame_make(struct frame *f, const struct pool *p, unsigned int families);
void frame_sum(struct frame *f);
bool frame_reply(struct frame *f, const struct frame *of);
bool frame_error(struct frame *f, const struct frame *of);
bool frame_odd(struct frame *f, const struct frame *of);

#define FTP_FRAMES	6
void frame_ftp(struct frame *f, const struct pool *p, unsigned int port);
void frame_text(const struct frame *f, struct text *t);

/* bits of the families of a case */
#define FAM_IP		0x01
#define FAM_IP6		0x02
#define FAM_INET	0x04
#define FAM_ARP		0x08
#define FAM_BRIDGE	0x10
#define FAM_NETDEV	0x20

/* ---- random.c ---- */
void seed(uint64_t s, uint64_t n);
uint64_t rnd64(void);
uint32_t rnd(uint32_t n);
bool chance(unsigned int percent);

/* ---- gen.c ---- */
void gen_case(struct text *t);

#endif /* FUZZ_H */
