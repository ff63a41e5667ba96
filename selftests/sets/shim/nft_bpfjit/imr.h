/* SPDX-License-Identifier: GPL-2.0-only */
struct nfj_insns;
struct nfj_ir;
struct bpf_prog;
struct nft_chain;

#define NFJ_GFP	0

struct nfj_need {
	int none;
};

struct nfj_key {
	u8	data[64];
};

struct nfj_fill {
	u16	off;
	u8	len;
	u8	word;
	u32	value;
};
