/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The generator's parts and what they share: the case, the chain and the rule
 * that are being made.
 *
 *	gen.c		tables, chains, rules, and changes of them
 *	rule.c		a rule's text and registers
 *	load.c		loads
 *	clause.c	what is done to what was loaded: changed, compared, looked up
 *	effect.c	what a rule does
 *	xt.c		matches and targets of x_tables
 *	states.c	chains about the states of connections, and frames for them
 *
 * Registers go by the number of their first word, 0 .. 15.
 */
#ifndef GEN_H
#define GEN_H

#include "fuzz.h"

#define FRAMES		24
#define CHAINS		18
#define POINTS		64
#define REG_BYTES	64

enum load_kind { PAYLOAD, META, CT };

struct load {
	uint8_t		kind;
	uint8_t		base;		/* of CT: direction plus one, 0: none */
	uint8_t		off;
	uint8_t		len;
	uint8_t		key;
};

/* A value that a rule compares a piece of a header with */
struct point {
	struct load	load;
	uint8_t		val[16];
};

/* A named set, to be used again and changed later */
struct named {
	char		name[24];
	const char	*fam;
	char		table[16];
	struct load	load[3];
	unsigned int	nloads;
	unsigned int	len;
	bool		interval;
	bool		timeout;
	bool		map;
	unsigned int	datalen;	/* 0 for verdicts */
};

/* What an element of a set is like */
struct elem {
	const char	*name;
	unsigned int	id;		/* of an anonymous set */
	bool		interval;
	bool		concat;
	bool		timeout;
	bool		map;
	unsigned int	datalen;	/* 0 for verdicts */
	unsigned int	len;
};

enum style { UNIFORM, MIXED, RAW, XT, FIREWALL, STATES };

struct gen {
	/* the case */
	struct text	*out;
	struct pool	pool;
	struct frame	frames[FRAMES];
	unsigned int	nframes;
	unsigned int	families;
	struct point	points[POINTS];
	unsigned int	npoints;
	uint32_t	marks[6];
	bool		use_ct;
	bool		states;		/* ... and what state it has */
	bool		strict;		/* read nothing but what was loaded: newer
					 * kernels do not allow it
					 */
	unsigned int	nsets;
	bool		sets;		/* named sets that change are what it is about */
	struct named	named[16];
	unsigned int	nnamed;
	unsigned int	nnat;		/* rules that translate addresses */

	/* the table and chain */
	const char	*fam;
	char		table[16];
	unsigned int	nbase, nregular;
	unsigned int	self;		/* number of the chain: base ones first */
	unsigned int	hooks[CHAINS];
	bool		nat[CHAINS];
	bool		jumps;		/* mostly jumps, to small chains */
	enum style	style;
	struct load	usual[3];	/* what a uniform chain looks at */
	unsigned int	nusual;

	/* the rule */
	char		rule[16384];
	size_t		rlen;
	const struct frame *frame;
	uint8_t		reg[REG_BYTES];
	uint32_t	loaded;		/* words that the rule has written */
	bool		closed;		/* nothing more behind it */
	uint8_t		compat;		/* protocol of its matches, 0: any */
};

extern struct gen g;

/* ---- rule.c ---- */
__printf(1, 2) void add(const char *fmt, ...);
bool only_hook(unsigned int hook);
const char *bytes(const uint8_t *p, unsigned int n);
uint32_t words(unsigned int w, unsigned int len);
bool readable(unsigned int w, unsigned int len);
unsigned int regno(unsigned int w);
void step(uint8_t *val, unsigned int len, int by);
void noise(uint8_t *val, unsigned int len);

/* ---- load.c ---- */
const struct frame *any_frame(void);
void load_value(const struct load *l, const struct frame *f, uint8_t *val);
void load_common(struct load *l);
void load_any(struct load *l);
void load_emit(const struct load *l, unsigned int w);

/* ---- clause.c ---- */
void emit_mask(unsigned int s, unsigned int d, unsigned int len);
void emit_shift(unsigned int s, unsigned int d, unsigned int len);
unsigned int emit_byteorder(unsigned int s, unsigned int d, unsigned int len);
void emit_cmp(unsigned int w, unsigned int len, const struct load *l);
const char *verdict(bool map);
void emit_elem(const struct elem *e, const uint8_t *key);
bool reuse(void);
void emit_other(unsigned int w);
void clause(const struct load *l);
void named_key(const struct named *s, uint8_t *key);

/* ---- effect.c ---- */
void emit_effect(void);
void emit_mark(bool ct);
void emit_mark_test(bool ct);
void emit_verdict(void);
bool flow(void);
void rule_flow(void);
void emit_nat(bool one);

/* ---- xt.c ---- */
bool xt_family(void);
bool emit_state(void);
void emit_match(void);
void rule_xt(void);
void emit_target(void);

/* ---- states.c ---- */
void states_table(void);
void rule_states(void);
void states_frames(unsigned int n);

#endif /* GEN_H */
