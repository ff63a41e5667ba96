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

#include <linux/stddef.h>
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

/* groups of members that are extracted together */
#define NFJ_GROUP_META		0x01	/* what the packet says of itself */
#define NFJ_GROUP_IF		0x02	/* interfaces, but for their names */
#define NFJ_GROUP_IIFNAME	0x04
#define NFJ_GROUP_CT		0x08	/* its connection */
#define NFJ_GROUP_LL		0x10	/* link-layer header */
#define NFJ_GROUP_NH		0x20	/* network header */
#define NFJ_GROUP_TH		0x40	/* transport header */
#define NFJ_GROUP_BASE		0x80	/* what is known of any packet */
#define NFJ_GROUP_OIFNAME	0x100

enum nfj_order {
	NFJ_HOST,	/* the number is in host byte order in the key */
	NFJ_BE,		/* big endian */
};

/*
 * The layout, written down once: a row for each member of struct nfj_key, in their
 * order.  Whoever asks which group extracts a byte, in which byte order nft
 * compares it, or what must be there for nft to load it, asks this table (imr/key.c
 * looks it up by offset), and flow/ can't fill in a member in another group's
 * function (nfj_key_fills()).  The build fails when a member has no row.
 *
 *	X(member, group, byte order, NFJ_VALID_* that nft's load asks for)
 */
#define NFJ_KEY_LAYOUT(X) \
	X(start,     0,			NFJ_HOST, 0) \
	X(valid,     0,			NFJ_HOST, 0) \
	X(ll_len,    NFJ_GROUP_LL,	NFJ_HOST, 0) \
	X(nh_len,    NFJ_GROUP_NH,	NFJ_HOST, 0) \
	X(th_len,    NFJ_GROUP_TH,	NFJ_HOST, 0) \
	X(thf_len,   NFJ_GROUP_TH,	NFJ_HOST, 0) \
	X(len,	     NFJ_GROUP_META,	NFJ_HOST, 0) \
	X(mark,	     NFJ_GROUP_META,	NFJ_HOST, 0) \
	X(priority,  NFJ_GROUP_META,	NFJ_HOST, 0) \
	X(iif,	     NFJ_GROUP_IF,	NFJ_HOST, 0) \
	X(oif,	     NFJ_GROUP_IF,	NFJ_HOST, 0) \
	X(nfproto,   NFJ_GROUP_BASE,	NFJ_HOST, 0) \
	X(l4proto,   NFJ_GROUP_BASE,	NFJ_HOST, NFJ_VALID_L4PROTO) \
	X(pkttype,   NFJ_GROUP_META,	NFJ_HOST, NFJ_VALID_PKTTYPE) \
	X(ct_dir,    NFJ_GROUP_CT,	NFJ_HOST, NFJ_VALID_CT) \
	X(protocol,  NFJ_GROUP_META,	NFJ_BE,	  0) \
	X(iftype,    NFJ_GROUP_IF,	NFJ_HOST, NFJ_VALID_IFTYPE) \
	X(oiftype,   NFJ_GROUP_IF,	NFJ_HOST, NFJ_VALID_OIFTYPE) \
	X(pad,	     0,			NFJ_HOST, 0) \
	X(ct_state,  NFJ_GROUP_CT,	NFJ_HOST, 0) \
	X(ct_status, NFJ_GROUP_CT,	NFJ_HOST, NFJ_VALID_CT) \
	X(ct_mark,   NFJ_GROUP_CT,	NFJ_HOST, NFJ_VALID_CT) \
	X(pad2,	     0,			NFJ_HOST, 0) \
	X(iifname,   NFJ_GROUP_IIFNAME,	NFJ_BE,	  0) \
	X(oifname,   NFJ_GROUP_OIFNAME,	NFJ_BE,	  0) \
	X(ll,	     NFJ_GROUP_LL,	NFJ_BE,	  0) \
	X(nh,	     NFJ_GROUP_NH,	NFJ_BE,	  0) \
	X(th,	     NFJ_GROUP_TH,	NFJ_BE,	  0)

/* The same for the bits of nfj_key::valid: X(bit, group that sets it) */
#define NFJ_KEY_VALIDS(X) \
	X(NFJ_VALID_L4PROTO,	NFJ_GROUP_BASE) \
	X(NFJ_VALID_CT,		NFJ_GROUP_CT) \
	X(NFJ_VALID_IFTYPE,	NFJ_GROUP_IF) \
	X(NFJ_VALID_OIFTYPE,	NFJ_GROUP_IF) \
	X(NFJ_VALID_PKTTYPE,	NFJ_GROUP_META) \
	X(NFJ_VALID_CTMARK,	NFJ_GROUP_CT)

/* Where only a constant will do: NFJ_KEY_GROUP_mark and so on */
enum {
#define NFJ_KEY_X(_member, _group, _order, _valid) \
	NFJ_KEY_GROUP_##_member = (_group),
	NFJ_KEY_LAYOUT(NFJ_KEY_X)
#undef NFJ_KEY_X
};

/* At the place that fills in members for a group: theirs it is in the table, too */
#define nfj_key_fills(_group, _member) \
	BUILD_BUG_ON(NFJ_KEY_GROUP_##_member != (_group))

/**
 * struct nfj_key_member - a row of the layout
 * @name: of the member in struct nfj_key
 * @off: its offset there
 * @size: bytes
 * @group: NFJ_GROUP_* that extracts it, 0 for none; each bit of nfj_key::valid has
 *	   one of its own
 * @order: enum nfj_order, in which nft compares it unless told to swap
 * @valid: NFJ_VALID_* that nft's load of it asks for
 */
struct nfj_key_member {
	const char	*name;
	__u16		off;
	__u8		size;
	__u8		order;
	__u16		group;
	__u16		valid;
};

const struct nfj_key_member *nfj_key_member(unsigned int off);
__u32 nfj_key_groups(unsigned int off, unsigned int size, __u64 mask);

/**
 * nfj_key_is_guard - does a member tell whether others exist?
 * @off: its offset
 *
 * Reading a member that does not exist does no harm, so passes test these last.
 *
 * Return: true for the valid bits and the lengths of headers.
 */
static inline bool nfj_key_is_guard(unsigned int off)
{
	/* they come first, imr/key.c sees to it */
	return off < offsetof(struct nfj_key, len);
}

#define NFJ_GROUPS_ALL		0x1ff

/**
 * struct nfj_need - what a matcher reads of the flow key
 * @groups: NFJ_GROUP_*
 * @nh_first: first word (of eight bytes) of the network header
 * @nh_end: behind the last one, 0 for none
 * @th_first: first word of the transport header
 * @th_end: behind the last one, 0 for none
 */
struct nfj_need {
	__u32	groups;
	__u8	nh_first;
	__u8	nh_end;
	__u8	th_first;
	__u8	th_end;
};

#endif /* _NFT_BPFJIT_KEY_H */
