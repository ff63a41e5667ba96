/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * What user space may rely on: the names under which nft_bpfjit shows itself.
 */
#ifndef _UAPI_LINUX_NETFILTER_NFT_BPFJIT_H
#define _UAPI_LINUX_NETFILTER_NFT_BPFJIT_H

/* per-netns switch, under net.netfilter: 0 interpret, 1 translate */
#define NFT_BPFJIT_SYSCTL	"nft_jit_enable"

/* likewise: 1 counts how often each rule is run */
#define NFT_BPFJIT_SYSCTL_HITS	"nft_jit_hits"

/* per-netns status files, under /proc/net: chains, rules, how often
 * rules were run; writing 0 to the last begins again
 */
#define NFT_BPFJIT_PROC		"nft_bpfjit"
#define NFT_BPFJIT_PROC_RULES	"nft_bpfjit_rules"
#define NFT_BPFJIT_PROC_HITS	"nft_bpfjit_hits"
#define NFT_BPFJIT_PROC_SETS	"nft_bpfjit_sets"

/* name of the expression in front of a translated chain's rules; it is never
 * part of a rule and so never seen by nft
 */
#define NFT_BPFJIT_EXPR		"ebpf"

/* every matcher's name in "bpftool prog" begins with this */
#define NFT_BPFJIT_PROG_PREFIX	"nft_"

#endif /* _UAPI_LINUX_NETFILTER_NFT_BPFJIT_H */
