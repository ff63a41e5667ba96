// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chains about the states of connections, and what has them: rules that all test
 * one number, the state, in all ways that there are, so that what is said of one
 * must not be taken for what is said of another:
 *
 *	ct state new,related accept		a mask, compared with 0
 *	-m conntrack --ctstate RELATED		the same, by a match of x_tables
 *	ct state vmap { ... }			one state
 *
 * For all states to come up, a table of its own does not track some packets and
 * puts others in a zone (which gives them a template), and has a helper read FTP;
 * and frames follow others, see frame_reply() and those behind it.
 */
#include <linux/netfilter/nf_tables.h>
#include <string.h>
#include "gen.h"

#define FTP	21

/* As NF_CT_STATE_BIT() has them, and none, all, and what is not one */
static uint32_t some_states(void)
{
	static const uint32_t usual[] = {
		1, 2, 4, 8, 64, 6, 12, 14, 65, 15, 79, 3, 5, 0x80000000, 0xffffffff,
	};

	return chance(85) ? usual[rnd(ARRAY_SIZE(usual))] : rnd(256);
}

/**
 * states_table - write the table that tells packets apart
 *
 * It comes before connection tracking and behind it, and has no part in the rest.
 */
void states_table(void)
{
	static const char * const lines[] = {
		"table inet st",
		"obj inet st ftp cthelper helper=ftp",
		"obj inet st short cttimeout seconds=600",
		"obj inet st more ctexpect dport=4000",
		"chain inet st raw hook=0 prio=-300 policy=1 type=filter",
		"chain inet st sent hook=3 prio=-300 policy=1 type=filter",
		"chain inet st help hook=0 prio=-160 policy=1 type=filter",
	};
	static const char * const objects[] = {
		"type=3 name=ftp", "type=7 name=short", "type=9 name=more",
	};
	unsigned int i, n = rnd(3);
	uint16_t port;

	for (i = 0; i < ARRAY_SIZE(lines); i++)
		text_add(g.out, "%s", lines[i]);
	while (n--) {
		port = g.pool.port[rnd(ARRAY_SIZE(g.pool.port))];
		text_add(g.out, "rule inet st %s %s off=%u len=2 ; %s data=%04x ; %s",
			 chance(80) ? "raw" : "sent", "payload dreg=1 base=2",
			 chance(50) ? 0 : 2, "cmp sreg=1 op=0", port,
			 chance(60) ? "notrack" :
			 "immediate dreg=1 data=0300 ; ct sreg=1 key=12");
	}
	for (i = 0; i < ARRAY_SIZE(objects); i++) {
		port = i ? g.pool.port[rnd(ARRAY_SIZE(g.pool.port))] : FTP;
		text_add(g.out, "rule inet st help %s ; %s ; %s data=%04x ; objref %s",
			 "meta dreg=1 key=16 ; cmp sreg=1 op=0 data=06",
			 "payload dreg=1 base=2 off=2 len=2",
			 "cmp sreg=1 op=0", port, objects[i]);
	}
}

/**
 * rule_states - write the tests of a rule about states
 */
void rule_states(void)
{
	static const struct load state = { CT, 0, 0, 4, NFT_CT_STATE };
	static const uint8_t zero[4];
	uint32_t mask = some_states();
	unsigned int w = rnd(12);

	if (xt_family() && chance(45)) {
		emit_state();
	} else if (chance(15)) {
		/* one of them, or a few in a set or map */
		clause(&state);
	} else {
		load_emit(&state, w);
		add(" ; bitwise sreg=%u dreg=%u len=4 mask=%s xor=%s", regno(w),
		    regno(w), bytes((uint8_t *)&mask, 4), bytes(zero, 4));
		add(" ; cmp sreg=%u op=%u data=%s", regno(w),
		    chance(80) ? NFT_CMP_NEQ : NFT_CMP_EQ,
		    bytes(chance(85) ? zero : (uint8_t *)&mask, 4));
	}
	if (!g.closed && chance(35))
		clause(&g.usual[0]);
}

/**
 * states_frames - send frames that other frames have to do with
 * @n: how many, or some more
 */
void states_frames(unsigned int n)
{
	struct frame f, talk[FTP_FRAMES];
	unsigned int i;

	if (chance(40)) {
		frame_ftp(talk, &g.pool, FTP);
		for (i = 0; i < ARRAY_SIZE(talk); i++)
			frame_text(&talk[i], g.out);
	}
	while (n--) {
		const struct frame *of = any_frame();

		frame_text(of, g.out);
		if (chance(40) && frame_reply(&f, of))
			frame_text(&f, g.out);
		if (chance(30))
			frame_text(of, g.out);
		if (chance(25) && frame_error(&f, of))
			frame_text(&f, g.out);
		if (chance(20) && frame_odd(&f, of))
			frame_text(&f, g.out);
	}
}
