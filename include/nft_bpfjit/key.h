/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flow key: everything a matcher may look at.
 *
 * A matcher is a BPF_PROG_TYPE_SYSCALL program whose context is this struct, so
 * each member lies at a multiple of its size (the verifier refuses anything
 * else) and the layout is the same in kernel and user space.
 *
 * A member holds the bytes that nft's own *_get_eval would have stored in the
 * register: fields that nft keeps in host byte order (mark, interface index)
 * are in host byte order here, header bytes are as on the wire.  Whether nft
 * would have stored anything at all (it breaks off the rule when a field does
 * not exist) is told by @valid and by the number of readable bytes of each
 * header.  A key must lie at a multiple of eight bytes.
 */
#ifndef _NFT_BPFJIT_KEY_H
#define _NFT_BPFJIT_KEY_H

#include <linux/types.h>

#define NFJ_LL_WINDOW	32	/* bytes of the link-layer header in the key */
#define NFJ_NH_WINDOW	64	/* ... of the network header */
#define NFJ_TH_WINDOW	64	/* ... of the transport header */
#define NFJ_IFNAMSIZ	16

/* bits of nfj_key::valid: the field exists for this packet */
#define NFJ_VALID_L4PROTO	0x01	/* l4proto */
#define NFJ_VALID_CT		0x02	/* ct_dir, ct_status, ct_mark */
#define NFJ_VALID_IFTYPE	0x04	/* iftype: skb->dev */
#define NFJ_VALID_OIFTYPE	0x08	/* oiftype */
#define NFJ_VALID_PKTTYPE	0x10	/* pkttype */
#define NFJ_VALID_CTMARK	0x20	/* ct_mark, of a template as well */

/**
 * struct nfj_key - flow key, context of a matcher
 * @start: number of the first entry to consider
 * @valid: NFJ_VALID_*
 * @ll_len: readable bytes of the link-layer header, VLAN tag included
 * @nh_len: readable bytes from the network header on
 * @th_len: readable bytes from the transport header on for nft_payload_eval():
 *	    none in a fragment other than the first
 * @thf_len: the same for nft_payload_fast_eval(), which does not look at the
 *	    fragment offset as long as the bytes are in the linear area
 * @len: skb->len
 * @mark: skb->mark
 * @priority: skb->priority
 * @iif: input interface index or 0
 * @oif: output interface index or 0
 * @nfproto: protocol family of the hook
 * @l4proto: transport protocol
 * @pkttype: PACKET_*
 * @ct_dir: enum ip_conntrack_dir
 * @protocol: skb->protocol, network byte order
 * @iftype: type of skb->dev, which is what "meta iiftype" means to nft
 * @oiftype: type of the output interface
 * @pad: not used
 * @ct_state: NF_CT_STATE_*
 * @ct_status: IPS_*
 * @ct_mark: conntrack mark
 * @pad2: not used
 * @iifname: name of the input interface, zero padded
 * @oifname: name of the output interface, zero padded
 * @ll: bytes of the link-layer header
 * @nh: bytes of the network header
 * @th: bytes of the transport header
 */
struct nfj_key {
	__u32	start;
	__u32	valid;
	__u32	ll_len;
	__u32	nh_len;
	__u32	th_len;
	__u32	thf_len;
	__u32	len;
	__u32	mark;
	__u32	priority;
	__u32	iif;
	__u32	oif;
	__u8	nfproto;
	__u8	l4proto;
	__u8	pkttype;
	__u8	ct_dir;
	__be16	protocol;
	__u16	iftype;
	__u16	oiftype;
	__u16	pad;
	__u32	ct_state;
	__u32	ct_status;
	__u32	ct_mark;
	__u32	pad2;
	__u8	iifname[NFJ_IFNAMSIZ];
	__u8	oifname[NFJ_IFNAMSIZ];
	__u8	ll[NFJ_LL_WINDOW];
	__u8	nh[NFJ_NH_WINDOW];
	__u8	th[NFJ_TH_WINDOW];
};

/* groups of fields that are extracted together */
#define NFJ_GROUP_BASE		0x80	/* valid nfproto l4proto */
#define NFJ_GROUP_META		0x01	/* len mark priority protocol pkttype */
#define NFJ_GROUP_IF		0x02	/* iif oif iftype oiftype */
#define NFJ_GROUP_IIFNAME	0x04	/* iifname */
#define NFJ_GROUP_CT		0x08	/* ct_* */
#define NFJ_GROUP_LL		0x10	/* ll ll_len */
#define NFJ_GROUP_NH		0x20	/* nh nh_len */
#define NFJ_GROUP_TH		0x40	/* th th_len thf_len */
#define NFJ_GROUP_OIFNAME	0x100	/* oifname */

#define NFJ_GROUPS_ALL		0x1ff

/**
 * struct nfj_need - what a matcher reads of the flow key
 * @groups: NFJ_GROUP_*
 * @nh_first: first word (of eight bytes) of the network header
 * @nh_end: behind the last one, 0 for none
 * @th_first: the same for the transport header
 * @th_end: likewise
 */
struct nfj_need {
	__u32	groups;
	__u8	nh_first;
	__u8	nh_end;
	__u8	th_first;
	__u8	th_end;
};

#endif /* _NFT_BPFJIT_KEY_H */
