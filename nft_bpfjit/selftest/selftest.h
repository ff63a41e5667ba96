/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The self-test at load: nft's own code and the engine, on the same rules and
 * packets.  See selftest.c.
 */
#ifndef _NFJ_SELFTEST_H
#define _NFJ_SELFTEST_H

#include <linux/list.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <net/netfilter/nf_tables.h>

/* frames.c: the packets */

/**
 * struct nfj_frame - a packet made by hand
 * @name: what it is
 * @family: NFPROTO_INET, NFPROTO_NETDEV or NFPROTO_BRIDGE: which hook it comes to
 * @state: the hook
 * @skb: the packet
 */
struct nfj_frame {
	const char		*name;
	u8			family;
	struct nf_hook_state	state;
	struct sk_buff		*skb;
};

/* frames that probes ask about, see nfj_frames_make() */
enum nfj_frame_nr {
	NFJ_FRAME_FRAGMENT,	/* a later fragment of IPv4, all linear */
	NFJ_FRAME_8021Q,	/* IPv4 behind a tag that is in the packet */
	NFJ_FRAME_PLAIN,	/* TCP over IPv4 */
};

#define NFJ_FRAMES_MAX	128

int nfj_frames_make(struct nfj_frame *frames, unsigned int *n);
void nfj_frames_free(struct nfj_frame *frames, unsigned int n);

/* rules.c: the rules */

#define NFJ_ST_RULES_MAX	2048

/**
 * struct nfj_st_rules - the rules of a chain under test
 * @base: the chain
 * @table: its table
 * @frames: packets, whose values are compared with
 * @nframes: how many
 * @family: packets of this family are meant
 * @rule: each rule
 * @name: what each tests
 * @n: how many
 */
struct nfj_st_rules {
	struct nft_base_chain	base;
	struct nft_table	table;
	struct nfj_frame	*frames;
	unsigned int		nframes;
	u8			family;
	struct nft_rule		*rule[NFJ_ST_RULES_MAX];
	char			name[NFJ_ST_RULES_MAX][40];
	unsigned int		n;
};

int nfj_st_rules_make(struct nfj_st_rules *r);
void nfj_st_rules_free(struct nfj_st_rules *r);
void nfj_st_hits(unsigned long *hits);
void nfj_st_eval(const struct nft_expr *expr, struct nft_regs *regs,
		 const struct nft_pktinfo *pkt);

int nfj_selftest(void);

#endif /* _NFJ_SELFTEST_H */
