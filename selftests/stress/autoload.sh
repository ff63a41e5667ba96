#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A commit that waits for a module to be loaded while others want what it holds.
#
# nft_compat asks for an x_tables match under the commit mutex of its netns, and
# xt_recent, as many do, registers something for all namespaces, under
# pernet_ops_rwsem.  Here modprobe stands still until it is told to go on.  In the
# meantime our module is unloaded, or loaded, its files are read and its switch is
# turned in that netns, and namespaces are made.  Then all of them have to come to
# an end: none may wait for the commit mutex while it holds, or keeps waiting, who
# is needed by xt_recent.
#
# The same in a netns of a tenant, who needs no more than this to do it.
#
# timeout: 900
. "$(dirname "$0")/../safety/lib.sh"

build_tools xtmatch
MODPROBE=$(</proc/sys/kernel/modprobe)

# add_match: a rule with "-m recent", in the current netns.
add_match() { "$XTMATCH" t c recent 0 "$(printf '%0464d' 0)"; }

# tenant COMMAND...: in namespaces of its own.
tenant()
{
	setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Urn "$@"
}

# asks WHERE: somebody adds such a rule, and modprobe is in the middle of it.
asks()
{
	rm -f "$TMP/asked" "$TMP/go"
	rmmod xt_recent 2>/dev/null
	case $1 in
	netns) start a bash -c "$(declare -f add_match); add_match" ;;
	tenant) tenant bash -c "$(declare -f add_match ruleset)
		ruleset 3 | nft -f - && add_match" & ;;
	esac
	jobs=($!)
	eventually test -e "$TMP/asked"
}

# meanwhile COMMAND...: in the background, for long enough to get stuck.
meanwhile()
{
	"$@" >/dev/null 2>&1 &
	jobs+=($!)
	sleep 2
}

# over: modprobe goes on; all are done in a while.
over()
{
	touch "$TMP/go"
	eventually ended
}

ended()
{
	local pid

	for pid in "${jobs[@]}"; do
		! kill -0 "$pid" 2>/dev/null || return 1
	done
}

cat >"$TMP/modprobe" <<END
#!/bin/sh
case "\$*" in
*recent*)
	: >$TMP/asked
	while [ ! -e $TMP/go ]; do sleep 0.1; done ;;
esac
exec $MODPROBE "\$@"
END
chmod 755 "$TMP" "$TMP/modprobe" "$XTMATCH"
export XTMATCH
modprobe -a nft_compat x_tables
load_module
simple_ns a
ruleset 300 | in_ns a nft -f -
echo "$TMP/modprobe" >/proc/sys/kernel/modprobe

for where in netns tenant; do
	check "$where: a match is asked for" asks $where
	meanwhile rmmod nft_bpfjit
	meanwhile unshare -n true
	check "... rmmod meanwhile: all come to an end" over
	check "... the module is gone" test ! -e /sys/module/nft_bpfjit

	check "$where: a match is asked for" asks $where
	meanwhile insmod "$MODULE"
	meanwhile unshare -n true
	check "... insmod meanwhile: all come to an end" over
	check "... the module is there" is_state a bpf
done

for what in "cat /proc/net/nft_bpfjit" "cat /proc/net/nft_bpfjit_rules" "jit a 0"; do
	check "a match is asked for" asks netns
	# shellcheck disable=SC2086
	case $what in
	jit*) meanwhile $what ;;
	*) meanwhile in_ns a $what ;;
	esac
	meanwhile rmmod nft_bpfjit
	meanwhile unshare -n true
	check "... $what and rmmod meanwhile: all come to an end" over
	check "... the module is gone" test ! -e /sys/module/nft_bpfjit
	check "... and comes again" insmod "$MODULE"
	check "... the chain is translated" is_state a bpf
done
echo "$MODPROBE" >/proc/sys/kernel/modprobe

rmmod xt_recent 2>/dev/null
ip netns delete a
check "the end: all is given back" eventually no_programs
finish
