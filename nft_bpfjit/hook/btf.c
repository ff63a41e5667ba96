// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is the kernel what it is taken for?  Names say nothing of types: functions that
 * are called by an address found by name, and structs that are written down here
 * because they are private to a file of the kernel, are compared with BTF, the
 * kernel's own description of its types, before anything is called or touched.
 *
 * A type is compared as text, so that what differs can be told in the log.  Where
 * the kernel, or nf_tables, has no BTF, the headers that the module was built with
 * are all there is to go by; the log says that.
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/err.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/static_call.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <net/netfilter/nf_tables.h>
#include "hook.h"
#include "private.h"

/* found by name; those that a header has take their types from there */
DEFINE_STATIC_CALL_NULL(nfj_btf_vmlinux, bpf_get_btf_vmlinux);
DEFINE_STATIC_CALL_NULL(nfj_btf_find_id, bpf_find_btf_id);
DEFINE_STATIC_CALL_NULL(nfj_btf_find_in, btf_find_by_name_kind);
DEFINE_STATIC_CALL_NULL(nfj_btf_name, btf_name_by_offset);
DEFINE_STATIC_CALL_NULL(nfj_btf_put, btf_put);

#define NFJ_TYPE_LEN	160

/* A function: the type as the compiler has it, where a prototype is at hand, and
 * as BTF is to have it.
 */
#define NFJ_FUNC(_name, _same, _ret, ...)				\
	{								\
		.name	= (_name) +					\
			  BUILD_BUG_ON_ZERO(!__same_type(_same, _ret(__VA_ARGS__))), \
		.type	= #_ret " (" #__VA_ARGS__ ")",			\
	}

#define NFJ_HOOKFN(_name)						\
	NFJ_FUNC(_name, nf_hookfn, unsigned int, void *,		\
		 struct sk_buff *, const struct nf_hook_state *)

struct nfj_func {
	const char	*name;
	const char	*type;
};

static const struct nfj_func nfj_funcs[] = {
	NFJ_FUNC("nf_tables_commit",
		 *((struct nfnetlink_subsystem *)NULL)->commit,
		 int, struct net *, struct sk_buff *),
	NFJ_FUNC("nf_tables_chain_destroy", nf_tables_chain_destroy,
		 void, struct nft_chain *),
	NFJ_FUNC("kern_sys_bpf", kern_sys_bpf,
		 int, int, union bpf_attr *, unsigned int),
	NFJ_HOOKFN("nft_do_chain_inet"),
	NFJ_HOOKFN("nft_do_chain_netdev"),
	NFJ_HOOKFN("nft_do_chain_bridge"),
};

/* what finds all others, looked up by itself */
static const struct nfj_func nfj_finder =
	NFJ_FUNC("bpf_find_btf_id", bpf_find_btf_id,
		 s32, const char *, u32, struct btf **);

/* A member: where it is in what is used for struct @_struct, and how large that is */
#define NFJ_MEMBER(_struct, _ours, _member)				\
	{								\
		.name	= (_struct),					\
		.member	= #_member,					\
		.total	= sizeof(_ours),				\
		.at	= offsetof(_ours, _member),			\
	}

static const struct {
	const char	*name;
	const char	*member;
	u32		total;
	u32		at;
} nfj_members[] = {
	NFJ_MEMBER("nft_set_elem_catchall", struct nfj_set_elem_catchall, list),
	NFJ_MEMBER("nft_set_elem_catchall", struct nfj_set_elem_catchall, elem),
	NFJ_MEMBER(NFJ_BLOB_TAIL, struct nfj_blob_tail, h),
	NFJ_MEMBER(NFJ_BLOB_TAIL, struct nfj_blob_tail, blob),
	/* from headers, which may be those of another kernel */
	NFJ_MEMBER("nft_chain", struct nft_chain, blob_gen_0),
	NFJ_MEMBER("nft_chain", struct nft_chain, blob_gen_1),
	NFJ_MEMBER("nft_chain", struct nft_chain, blob_next),
	NFJ_MEMBER("nft_trans", struct nft_trans, msg_type),
	NFJ_MEMBER("nftables_pernet", struct nftables_pernet, commit_list),
};

/* Write a type like C does: "const struct net *" */
static void nfj_btf_type(const struct btf *btf, u32 id, char *buf, size_t size)
{
	const char *name = "void", *kind = "", *cv = "";
	unsigned int stars = 0;

	while (id) {
		const struct btf_type *t = btf_type_by_id(btf, id);

		if (!t)
			break;
		switch (btf_kind(t)) {
		case BTF_KIND_PTR:
			stars++;
			id = t->type;
			continue;
		case BTF_KIND_CONST:
			cv = "const ";
			id = t->type;
			continue;
		case BTF_KIND_VOLATILE:
		case BTF_KIND_RESTRICT:
		case BTF_KIND_TYPE_TAG:
			id = t->type;
			continue;
		case BTF_KIND_STRUCT:
			kind = "struct ";
			break;
		case BTF_KIND_UNION:
			kind = "union ";
			break;
		case BTF_KIND_FWD:
			kind = btf_type_kflag(t) ? "union " : "struct ";
			break;
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
			kind = "enum ";
			break;
		}
		name = static_call(nfj_btf_name)(btf, t->name_off);
		/* the compiler's name for it */
		if (!strcmp(name, "long unsigned int"))
			name = "unsigned long";
		break;
	}
	snprintf(buf, size, "%s%s%s%s%.*s", cv, kind, name, stars ? " " : "",
		 stars, "********");
}

/* Write the type of a function: "int (struct net *, struct sk_buff *)" */
static void nfj_btf_proto(const struct btf *btf, u32 id, char *buf, size_t size)
{
	const struct btf_type *func = btf_type_by_id(btf, id);
	const struct btf_type *proto = func ? btf_type_by_id(btf, func->type)
					    : NULL;
	const struct btf_param *param;
	char one[NFJ_TYPE_LEN / 2];
	size_t len;
	u32 i;

	if (!proto || btf_kind(proto) != BTF_KIND_FUNC_PROTO) {
		strscpy(buf, "no function", size);
		return;
	}
	nfj_btf_type(btf, proto->type, one, sizeof(one));
	len = scnprintf(buf, size, "%s (", one);
	param = btf_params(proto);
	for (i = 0; i < btf_vlen(proto); i++) {
		nfj_btf_type(btf, param[i].type, one, sizeof(one));
		len += scnprintf(buf + len, size - len, "%s%s", i ? ", " : "",
				 one);
	}
	scnprintf(buf + len, size - len, "%s)", i ? "" : "void");
}

/* Is function @id what it is taken for? */
static int nfj_btf_same(const struct btf *btf, u32 id, const struct nfj_func *func)
{
	char has[NFJ_TYPE_LEN];

	nfj_btf_proto(btf, id, has, sizeof(has));
	if (!strcmp(has, func->type))
		return 0;
	pr_err("nft_bpfjit: %s() is %s in this kernel, not %s\n", func->name,
	       has, func->type);
	return -ENOEXEC;
}

static int nfj_btf_func(const struct nfj_func *func)
{
	struct btf *btf;
	s32 id;
	int err;

	id = static_call(nfj_btf_find_id)(func->name, BTF_KIND_FUNC, &btf);
	/* one whose arguments the compiler has changed is left out of BTF */
	if (id < 0)
		return 0;
	err = nfj_btf_same(btf, id, func);
	static_call(nfj_btf_put)(btf);
	return err;
}

/* Byte offset of a member of a struct, or an errno */
static int nfj_btf_offset(const struct btf *btf, const struct btf_type *t,
			  const char *name)
{
	const struct btf_member *m = btf_members(t);
	u32 i;

	for (i = 0; i < btf_vlen(t); i++, m++)
		if (!strcmp(static_call(nfj_btf_name)(btf, m->name_off), name))
			return __btf_member_bit_offset(t, m) / BITS_PER_BYTE;
	return -ENOENT;
}

static int nfj_btf_member(const char *name, const char *member, u32 total,
			  u32 at)
{
	const struct btf_type *t;
	struct btf *btf;
	int id, has, size;

	id = static_call(nfj_btf_find_id)(name, BTF_KIND_STRUCT, &btf);
	if (id < 0) {
		pr_err("nft_bpfjit: this kernel has no struct %s\n", name);
		return -ENOEXEC;
	}
	t = btf_type_by_id(btf, id);
	size = t->size;
	has = nfj_btf_offset(btf, t, member);
	static_call(nfj_btf_put)(btf);
	if (has == at && size == total)
		return 0;
	if (has < 0)
		pr_err("nft_bpfjit: struct %s has no %s in this kernel\n", name,
		       member);
	else
		pr_err("nft_bpfjit: struct %s has %s at %d of %d bytes in this kernel, not at %u of %u\n",
		       name, member, has, size, at, total);
	return -ENOEXEC;
}

/* Find what it takes to read BTF */
static bool nfj_btf_bind(void)
{
	unsigned long vmlinux = nfj_symbol("bpf_get_btf_vmlinux");
	unsigned long find_id = nfj_symbol("bpf_find_btf_id");
	unsigned long find_in = nfj_symbol("btf_find_by_name_kind");
	unsigned long name = nfj_symbol("btf_name_by_offset");
	unsigned long put = nfj_symbol("btf_put");

	if (!vmlinux || !find_id || !find_in || !name || !put)
		return false;
	static_call_update(nfj_btf_vmlinux, (void *)vmlinux);
	static_call_update(nfj_btf_find_id, (void *)find_id);
	static_call_update(nfj_btf_find_in, (void *)find_in);
	static_call_update(nfj_btf_name, (void *)name);
	static_call_update(nfj_btf_put, (void *)put);
	return true;
}

/**
 * nfj_btf_check - compare what is private with the kernel's BTF
 *
 * Context: process context; sleeps.
 *
 * Return: 0, or -ENOEXEC after one line in the log that names what differs.
 */
int nfj_btf_check(void)
{
	const char *lacks = "the kernel";
	struct btf *btf;
	unsigned int i;
	int err;
	s32 id;

	if (!nfj_btf_bind())
		goto unknown;
	btf = static_call(nfj_btf_vmlinux)();
	if (IS_ERR_OR_NULL(btf))
		goto unknown;
	id = static_call(nfj_btf_find_in)(btf, nfj_finder.name, BTF_KIND_FUNC);
	if (id < 0)
		goto unknown;
	err = nfj_btf_same(btf, id, &nfj_finder);
	if (err)
		return err;

	/* a module's may be missing where the kernel has it */
	lacks = "nf_tables";
	id = static_call(nfj_btf_find_id)("nft_chain", BTF_KIND_STRUCT, &btf);
	if (id < 0)
		goto unknown;
	static_call(nfj_btf_put)(btf);
	for (i = 0; i < ARRAY_SIZE(nfj_funcs); i++) {
		err = nfj_btf_func(&nfj_funcs[i]);
		if (err)
			return err;
	}
	for (i = 0; i < ARRAY_SIZE(nfj_members); i++) {
		err = nfj_btf_member(nfj_members[i].name, nfj_members[i].member,
				     nfj_members[i].total, nfj_members[i].at);
		if (err)
			return err;
	}
	return 0;

unknown:
	pr_notice("nft_bpfjit: %s has no BTF to check private types against, those of its headers count\n",
		  lacks);
	return 0;
}
