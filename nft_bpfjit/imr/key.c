// SPDX-License-Identifier: GPL-2.0-only
/*
 * The layout of the flow key by offset: NFJ_KEY_LAYOUT of key.h as a table, and
 * for each byte of the key its row there.  A new member is a row in key.h and what
 * fills it in, in flow/.
 */
#include <linux/kernel.h>
#include <nft_bpfjit/imr.h>

enum nfj_key_row {
#define NFJ_KEY_X(_member, _group, _order, _valid)	NFJ_KEY_ROW_##_member,
	NFJ_KEY_LAYOUT(NFJ_KEY_X)
#undef NFJ_KEY_X
};

#define NFJ_KEY_SIZEOF(_member)	sizeof(((struct nfj_key *)NULL)->_member)

static const struct nfj_key_member nfj_key_members[] = {
#define NFJ_KEY_X(_member, _group, _order, _valid) \
	[NFJ_KEY_ROW_##_member] = { \
		.name	= #_member, \
		.off	= offsetof(struct nfj_key, _member), \
		.size	= NFJ_KEY_SIZEOF(_member), \
		.order	= _order, \
		.group	= _group, \
		.valid	= _valid, \
	},
	NFJ_KEY_LAYOUT(NFJ_KEY_X)
#undef NFJ_KEY_X
};

static const u8 nfj_key_rows[sizeof(struct nfj_key)] = {
#define NFJ_KEY_X(_member, _group, _order, _valid) \
	[offsetof(struct nfj_key, _member) ... \
	 offsetof(struct nfj_key, _member) + NFJ_KEY_SIZEOF(_member) - 1] = \
		NFJ_KEY_ROW_##_member,
	NFJ_KEY_LAYOUT(NFJ_KEY_X)
#undef NFJ_KEY_X
};

/* Each member at a multiple of what is loaded of it, and none without a row */
static inline void nfj_key_check(void)
{
#define NFJ_KEY_X(_member, _group, _order, _valid) + NFJ_KEY_SIZEOF(_member)
	BUILD_BUG_ON(sizeof(struct nfj_key) !=
		     0 NFJ_KEY_LAYOUT(NFJ_KEY_X));
#undef NFJ_KEY_X
#define NFJ_KEY_X(_member, _group, _order, _valid) \
	| (offsetof(struct nfj_key, _member) % \
	   (NFJ_KEY_SIZEOF(_member) < 8 ? NFJ_KEY_SIZEOF(_member) : 8))
	BUILD_BUG_ON(0 NFJ_KEY_LAYOUT(NFJ_KEY_X));
#undef NFJ_KEY_X
	/* nfj_key_is_guard(): what is in front of this one */
	BUILD_BUG_ON(NFJ_KEY_ROW_len != NFJ_KEY_ROW_thf_len + 1);
}

/**
 * nfj_key_member - which member of the flow key is at an offset?
 * @off: offset in struct nfj_key
 *
 * Return: the member's row.
 */
const struct nfj_key_member *nfj_key_member(unsigned int off)
{
	nfj_key_check();
	return &nfj_key_members[nfj_key_rows[off]];
}

/**
 * nfj_key_groups - what must be extracted for a test
 * @off: offset of its chunk, which may hold several small members
 * @size: bytes
 * @mask: bits of the chunk, as a number in host byte order, that are of interest;
 *	  looked at for nfj_key::valid only, each bit of which comes with a group
 *
 * Return: NFJ_GROUP_*.
 */
__u32 nfj_key_groups(unsigned int off, unsigned int size, __u64 mask)
{
	const struct nfj_key_member *m;
	u32 groups = 0, i;

	for (i = off; i < off + size; i = m->off + m->size) {
		m = nfj_key_member(i);
		groups |= m->group;
	}
	if (off != offsetof(struct nfj_key, valid))
		return groups;
#define NFJ_KEY_X(_bit, _group)	| (mask & (_bit) ? (_group) : 0)
	groups |= 0 NFJ_KEY_VALIDS(NFJ_KEY_X);
#undef NFJ_KEY_X
	return groups;
}
