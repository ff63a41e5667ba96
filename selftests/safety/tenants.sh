#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A tenant, root in a user and network namespace of its own: its rules work, are
# not translated, and it cannot have it otherwise; it sees its own namespace
# only, and no memory for machine code is taken for it.  And somebody without
# any rights in a namespace sees nothing of its rules.
#
# timeout: 600
. "$(dirname "$0")/lib.sh"

# tenant FILE: run it as one, and see what it found.
tenant()
{
	setpriv --reuid 65534 --regid 65534 --clear-groups \
		unshare -Urn bash "$1" >"$TMP/tenant" 2>&1
}

# found TEXT: in what the last tenant wrote.
found() { grep -qx "$1" "$TMP/tenant" || { cat "$TMP/tenant"; return 1; }; }

chmod 755 "$TMP"
load_module
simple_ns a
ruleset 300 | in_ns a nft -f -
check "the host's rules are translated" is_state a bpf
used=$(<$PARAMS/used_kb)
was=$(programs)

{
	declare -f ruleset
	cat <<-'END'
		ip link set lo up
		ruleset 400 | nft -f - && echo "rules: taken"
		ping -q -c 5 -i 0.2 127.0.0.1 >/dev/null && echo "packets: pass"
		nft list chain ip t c | grep -q 'counter packets 10 ' && echo "packets: counted"
		awk '!/^#/ { print "status: " $1, $2, $3, $NF }' /proc/net/nft_bpfjit
		f=/proc/sys/net/netfilter/nft_jit_enable
		echo "switch: $(<$f)"
		(echo 1 >$f) 2>/dev/null && echo "switch: written"
		chmod u+w $f 2>/dev/null && (echo 1 >$f) 2>/dev/null && echo "switch: written"
		echo "switch: $(<$f)"
		for i in 1 2 3 4 5 6 7 8 9 10; do {
			echo "add chain ip t c$i"
			ruleset 400 | sed -n "s/^ip/add rule ip t c$i ip/p"
		} | nft -f - && many=$((many + 1)); done
		[ "$many" = 10 ] && echo "many rules: taken"
		nft flush ruleset && echo "rules: gone"
	END
} >"$TMP/script"

check "tenant runs" tenant "$TMP/script"
check "its rules are taken" found "rules: taken"
check "its packets pass" found "packets: pass"
check "they are counted" found "packets: counted"
check "it sees its own chain, interpreted" found "status: ip t c off"
check "it sees no other" test "$(grep -c '^status: ' "$TMP/tenant")" = 1
check "its switch is off" found "switch: 0"
check "the switch refuses" bash -c '! grep -q "switch: written" "$1"' -- "$TMP/tenant"
check "many rules are taken" found "many rules: taken"
check "its rules can go" found "rules: gone"
check "no program was loaded for it" test "$(programs)" = "$was"
check "no memory was taken for it" test "$(<$PARAMS/used_kb)" = "$used"

# A netns of the initial user namespace, entered without rights.
check "root sees the chains of a netns" \
	test -n "$(status a)"
# without COMMAND...: as root in a, without any capability.
without()
{
	in_ns a setpriv --bounding-set=-all --inh-caps=-all "$@"
}

for f in nft_bpfjit nft_bpfjit_rules; do
	check "root without capabilities does not read $f" \
		bash -c "$(declare -f without in_ns); ! without cat /proc/net/$f"
done
check "others do not" bash -c '! nsenter --net=/run/netns/a setpriv --reuid 65534 \
	--regid 65534 --clear-groups --inh-caps=-all cat /proc/net/nft_bpfjit'

# Names as no command line takes them, but netlink does.
echo '{"nftables": [
	{"add": {"table": {"family": "ip", "name": "x y"}}},
	{"add": {"chain": {"family": "ip", "table": "x y", "name": "c 1\nip t d"}}},
	{"add": {"rule": {"family": "ip", "table": "x y", "chain": "c 1\nip t d",
		"expr": [{"counter": null}]}}}]}' | in_ns a nft -j -f - || notok "odd names"
escaped='ip x\\040y c\\0401\\012ip\\040t\\040d '
check "names do not forge columns" grep -q "^$escaped.* cheap$" <(status a)
check "... nor lines" test "$(status a | wc -l)" = 2
check "... of rules" grep -q "^$escaped" <(in_ns a cat /proc/net/nft_bpfjit_rules)
echo '{"nftables": [{"delete": {"table": {"family": "ip", "name": "x y"}}}]}' |
	in_ns a nft -j -f -

# Tenants that come and go while rules are there.
cat >"$TMP/churn" <<-'END'
	ruleset 50 | nft -f -
	echo "table ip u { chain c { type filter hook output priority 0; }; }" | nft -f -
END
{ declare -f ruleset; cat "$TMP/churn"; } >"$TMP/script"
for _ in {1..10}; do tenant "$TMP/script"; done
check "tenants come and go" tenant "$TMP/script"
check "still no memory" test "$(<$PARAMS/used_kb)" = "$used"
check "the host's chain is still translated" is_state a bpf
check "and counts" counts a
finish
