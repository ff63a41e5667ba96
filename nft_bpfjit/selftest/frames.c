// SPDX-License-Identifier: GPL-2.0-only
/*
 * The packets of the self-test: what a network has, and what it should not have.
 *
 * Each is a row: how it is framed, and bytes.  Lengths and checksums are what the
 * row says, right or wrong: no function that is called with these packets checks
 * a sum.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/kernel.h>
#include <linux/netdevice.h>
#include <linux/string.h>
#include <net/net_namespace.h>
#include "selftest.h"

#define NFJ_F_NONLINEAR	0x01	/* only the first NFJ_LINEAR bytes are linear */
#define NFJ_F_HWTAG	0x02	/* a tag that the device has taken out */
#define NFJ_F_LOOPBACK	0x04	/* skb->pkt_type is PACKET_LOOPBACK */

#define NFJ_LINEAR	20
#define NFJ_FRAME_MAX	120	/* bytes of a row */

/* Pieces of the text of a row: addresses, and what is behind them */
#define NFJ_ADDR4	"c0000201 c6336407 "
#define NFJ_ADDR6	"20010db8 00000000 00000000 00000001 "	\
			"20010db8 00000000 00000000 00000002 "
#define NFJ_TCP		"30390050 01020304 05060708 50022000 11220000 "
#define NFJ_UDP		"14e90035 00083344 "
#define NFJ_ARP		"00010800 06040001 02000000 0001c000 " \
			"02010000 00000000 c6336407 "
#define NFJ_IP4_TCP	"45100028 12340000 3f06abcd " NFJ_ADDR4 NFJ_TCP
#define NFJ_IP6_TCP	"60123456 00140640 " NFJ_ADDR6 NFJ_TCP

struct nfj_frame_row {
	const char	*name;
	const char	*text;	/* from the network header on, in hexadecimal */
	u16		type;	/* what the Ethernet header says */
	u8		pf;	/* NFPROTO_UNSPEC: at netdev and bridge hooks */
	u8		flags;	/* NFJ_F_* */
};

#define NFJ_ROW4(_name, _flags, _text) \
	{ _name, _text, ETH_P_IP, NFPROTO_IPV4, _flags }
#define NFJ_ROW6(_name, _flags, _text) \
	{ _name, _text, ETH_P_IPV6, NFPROTO_IPV6, _flags }
#define NFJ_ROWL2(_name, _type, _flags, _text) \
	{ _name, _text, _type, NFPROTO_UNSPEC, _flags }

static const struct nfj_frame_row nfj_frame_rows[] = {
	/* enum nfj_frame_nr */
	NFJ_ROW4("a fragment", 0,
		 "45100028 12340010 3f06abcd " NFJ_ADDR4 NFJ_TCP),
	NFJ_ROWL2("802.1Q, IPv4", ETH_P_8021Q, 0, "20050800 " NFJ_IP4_TCP),
	NFJ_ROW4("TCP", 0, NFJ_IP4_TCP),

	NFJ_ROW4("TCP, not linear", NFJ_F_NONLINEAR, NFJ_IP4_TCP),
	NFJ_ROW4("a fragment, not linear", NFJ_F_NONLINEAR,
		 "45100028 12340010 3f06abcd " NFJ_ADDR4 NFJ_TCP),
	NFJ_ROW4("a first fragment", 0,
		 "45100028 12342000 3f06abcd " NFJ_ADDR4 NFJ_TCP),
	NFJ_ROW4("UDP", 0, "4510001c 12340000 3f11abcd " NFJ_ADDR4 NFJ_UDP),
	NFJ_ROW4("ICMP to the host", NFJ_F_LOOPBACK,
		 "4510001c 12340000 3f01abcd " NFJ_ADDR4 "08005566 00010002 "),
	NFJ_ROW4("a short TCP header", 0,
		 "45100017 12340000 3f06abcd " NFJ_ADDR4 "303900 "),
	NFJ_ROW4("no transport header", 0,
		 "45100014 12340000 3f11abcd " NFJ_ADDR4),
	NFJ_ROW4("IPv4 options", 0,
		 "4610002c 12340000 3f06abcd " NFJ_ADDR4 "07040000 " NFJ_TCP),
	NFJ_ROW4("an unknown protocol", 0,
		 "45100018 12340000 3ffdabcd " NFJ_ADDR4 "01020304 "),
	NFJ_ROW6("TCP over IPv6", 0, NFJ_IP6_TCP),
	NFJ_ROW6("IPv6 hop-by-hop and destination options", 0,
		 "60123456 00180040 " NFJ_ADDR6
		 "3c000104 00000000 11000104 00000000 " NFJ_UDP),
	NFJ_ROW6("IPv6 routing header", 0,
		 "60123456 00102b40 " NFJ_ADDR6 "11000400 00000000 " NFJ_UDP),
	NFJ_ROW6("a first fragment of IPv6", 0,
		 "60123456 001c2c40 " NFJ_ADDR6 "06000001 00000009 " NFJ_TCP),
	NFJ_ROW6("a fragment of IPv6", 0,
		 "60123456 001c2c40 " NFJ_ADDR6 "06000080 00000009 " NFJ_TCP),
	NFJ_ROW6("a fragment of IPv6, not linear", NFJ_F_NONLINEAR,
		 "60123456 001c2c40 " NFJ_ADDR6 "06000080 00000009 " NFJ_TCP),
	NFJ_ROW6("IPv6 AH", 0,
		 "60123456 00143340 " NFJ_ADDR6 "11010000 00000001 00000001 "
		 NFJ_UDP),
	NFJ_ROW6("IPv6 without a next header", 0,
		 "60123456 00003b40 " NFJ_ADDR6),
	NFJ_ROW6("a short IPv6 extension header", 0,
		 "60123456 00040040 " NFJ_ADDR6 "3c010104 "),
	NFJ_ROW6("a short TCP header over IPv6", 0,
		 "60123456 00030640 " NFJ_ADDR6 "303900 "),
	NFJ_ROWL2("IPv4", ETH_P_IP, 0, NFJ_IP4_TCP),
	NFJ_ROWL2("IPv4 to the host", ETH_P_IP, NFJ_F_LOOPBACK, NFJ_IP4_TCP),
	NFJ_ROWL2("IPv4 in a tag of the device", ETH_P_IP, NFJ_F_HWTAG,
		  "4510001c 12340000 3f11abcd " NFJ_ADDR4 NFJ_UDP),
	NFJ_ROWL2("an IPv4 fragment", ETH_P_IP, 0,
		  "45100028 12340010 3f06abcd " NFJ_ADDR4 NFJ_TCP),
	NFJ_ROWL2("IPv4, not linear", ETH_P_IP, NFJ_F_NONLINEAR, NFJ_IP4_TCP),
	NFJ_ROWL2("IPv4, cut off", ETH_P_IP, 0,
		  "4510005a 12340000 3f06abcd " NFJ_ADDR4 NFJ_TCP),
	NFJ_ROWL2("IPv4 with a short header", ETH_P_IP, 0,
		  "45000028 01020304 0506 "),
	NFJ_ROWL2("IPv4 of another version", ETH_P_IP, 0,
		  "55000028 00000000 40060000 01020304 05060708 " NFJ_TCP),
	NFJ_ROWL2("IPv6", ETH_P_IPV6, 0, NFJ_IP6_TCP),
	NFJ_ROWL2("IPv6, cut off", ETH_P_IPV6, 0,
		  "60123456 005a0640 " NFJ_ADDR6 NFJ_TCP),
	NFJ_ROWL2("802.1Q, IPv6", ETH_P_8021Q, 0, "000586dd " NFJ_IP6_TCP),
	NFJ_ROWL2("802.1Q, ARP", ETH_P_8021Q, 0, "00050806 " NFJ_ARP),
	NFJ_ROWL2("802.1Q, a fragment", ETH_P_8021Q, 0,
		  "00050800 45100028 12340010 3f06abcd " NFJ_ADDR4 NFJ_TCP),
	NFJ_ROWL2("802.1Q, cut off", ETH_P_8021Q, 0, "000508 "),
	NFJ_ROWL2("802.1ad", ETH_P_8021AD, 0, "00098100 00050800 " NFJ_IP4_TCP),
	NFJ_ROWL2("QinQ, the outer tag with the device", ETH_P_8021Q, NFJ_F_HWTAG,
		  "00050800 " NFJ_IP4_TCP),
	NFJ_ROWL2("QinQ", ETH_P_8021Q, 0, "00098100 00050800 " NFJ_IP4_TCP),
	NFJ_ROWL2("PPPoE, IPv4", ETH_P_PPP_SES, 0,
		  "11000007 002a0021 " NFJ_IP4_TCP),
	NFJ_ROWL2("PPPoE, IPv6", ETH_P_PPP_SES, 0,
		  "11000007 003e0057 " NFJ_IP6_TCP),
	NFJ_ROWL2("PPPoE, LCP", ETH_P_PPP_SES, 0,
		  "11000007 000ac021 09010008 01020304 "),
	NFJ_ROWL2("PPPoE, cut off", ETH_P_PPP_SES, 0, "110000 "),
	NFJ_ROWL2("ARP", ETH_P_ARP, 0, NFJ_ARP),
	NFJ_ROWL2("nothing", ETH_P_802_2, 0, "00 "),
};

/* The bytes of a row; how many */
static unsigned int nfj_frame_bytes(const char *text, u8 *to)
{
	unsigned int n = 0;

	while (n < NFJ_FRAME_MAX && sscanf(text, " %2hhx", &to[n]) == 1) {
		text += strspn(text, " ") + 2;
		n++;
	}
	return n;
}

static struct sk_buff *nfj_frame_skb(const struct nfj_frame_row *row,
				     struct net_device *dev)
{
	u8 bytes[NFJ_FRAME_MAX];
	unsigned int len = nfj_frame_bytes(row->text, bytes), linear = len;
	struct sk_buff *skb;
	struct ethhdr *eth;
	struct page *page;

	if (row->flags & NFJ_F_NONLINEAR)
		linear = NFJ_LINEAR;
	skb = alloc_skb(256, GFP_KERNEL);
	if (!skb)
		return NULL;
	skb_reserve(skb, NET_SKB_PAD + NET_IP_ALIGN);
	eth = skb_put(skb, ETH_HLEN);
	memcpy(eth->h_dest, "\x02\x00\x00\x00\x00\x02", ETH_ALEN);
	memcpy(eth->h_source, "\x02\x00\x00\x00\x00\x01", ETH_ALEN);
	eth->h_proto = htons(row->type);
	skb_put_data(skb, bytes, linear);
	if (linear < len) {
		page = alloc_page(GFP_KERNEL);
		if (!page) {
			kfree_skb(skb);
			return NULL;
		}
		memcpy(page_address(page), bytes + linear, len - linear);
		skb_add_rx_frag(skb, 0, page, 0, len - linear, PAGE_SIZE);
	}
	skb_reset_mac_header(skb);
	skb_pull(skb, ETH_HLEN);
	skb_reset_network_header(skb);
	skb_reset_mac_len(skb);
	skb->protocol = eth->h_proto;
	skb->dev = dev;
	skb->mark = 0x01020304;
	skb->priority = 6;
	if (row->flags & NFJ_F_LOOPBACK)
		skb->pkt_type = PACKET_LOOPBACK;
	if (row->flags & NFJ_F_HWTAG)
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021AD), 0x6003);
	return skb;
}

static int nfj_frame_add(struct nfj_frame *frame, const struct nfj_frame_row *row,
			 u8 family)
{
	struct net_device *dev = init_net.loopback_dev;
	struct nf_hook_state *state = &frame->state;

	frame->name = row->name;
	frame->family = family;
	frame->skb = nfj_frame_skb(row, dev);
	if (!frame->skb)
		return -ENOMEM;
	switch (family) {
	case NFPROTO_INET:
		nf_hook_state_init(state, NF_INET_PRE_ROUTING, row->pf, dev,
				   NULL, NULL, &init_net, NULL);
		break;
	case NFPROTO_NETDEV:
		nf_hook_state_init(state, NF_NETDEV_INGRESS, NFPROTO_NETDEV,
				   dev, NULL, NULL, &init_net, NULL);
		break;
	case NFPROTO_BRIDGE:
		nf_hook_state_init(state, NF_INET_FORWARD, NFPROTO_BRIDGE, dev,
				   dev, NULL, &init_net, NULL);
		break;
	}
	return 0;
}

/**
 * nfj_frames_make - make all packets
 * @frames: where to, NFJ_FRAMES_MAX
 * @n: how many there are now; the first are enum nfj_frame_nr
 *
 * Return: 0 or -ENOMEM; nfj_frames_free() is to be called in either case.
 */
int nfj_frames_make(struct nfj_frame *frames, unsigned int *n)
{
	const struct nfj_frame_row *row;
	unsigned int i;
	int err;

	BUILD_BUG_ON(2 * ARRAY_SIZE(nfj_frame_rows) > NFJ_FRAMES_MAX);
	*n = 0;
	for (i = 0; i < ARRAY_SIZE(nfj_frame_rows); i++) {
		row = &nfj_frame_rows[i];
		err = nfj_frame_add(&frames[*n], row,
				    row->pf ? NFPROTO_INET : NFPROTO_NETDEV);
		if (err)
			return err;
		(*n)++;
	}
	for (i = 0; i < ARRAY_SIZE(nfj_frame_rows); i++) {
		row = &nfj_frame_rows[i];
		/* a bridge has no such, and older kernels warn of it */
		if (row->pf || row->flags & NFJ_F_LOOPBACK)
			continue;
		err = nfj_frame_add(&frames[*n], row, NFPROTO_BRIDGE);
		if (err)
			return err;
		(*n)++;
	}
	return 0;
}

/**
 * nfj_frames_free - free packets
 * @frames: they
 * @n: how many
 */
void nfj_frames_free(struct nfj_frame *frames, unsigned int n)
{
	while (n--)
		kfree_skb(frames[n].skb);
}
