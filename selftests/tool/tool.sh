#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# nft-jit where it belongs: what it says of the ruleset that is loaded is what it
# says of its own recording, for which recorded-test looks at each word.  Then what
# a recording does not have: another netns, no module, no privileges.
#
# timeout: 300
. "$(dirname "$0")/../net/lib.sh"

TOOL=$HERE/../../scripts/nft-jit

# same_live COMMAND...: now and recorded.
same_live()
{
	in_ns on "$TOOL" "$@" >"$TMP/live" && "$TOOL" --recorded "$TMP/rec" "$@" >"$TMP/rec.out" &&
		diff -u "$TMP/live" "$TMP/rec.out"
}

# fails WORDS COMMAND...: with status 1, and says so in these words.
fails()
{
	local words=$1 out

	shift
	out=$("$@" 2>&1 >/dev/null)
	[ $? = 1 ] && [[ $out == "nft-jit: "*"$words"* && $out != *Traceback* ]] ||
		{ echo "$out"; return 1; }
}

unprivileged() { in_ns on setpriv --reuid 65534 --clear-groups "$TOOL" "$@"; }

load_module
ip netns add on
ip netns add off
in_ns on nft -f "$HERE/../tool/ruleset.nft"
check "record writes what it reads" in_ns on "$TOOL" record "$TMP/rec"
for command in list why sets metrics graph; do
	check "$command: as of its recording" same_live $command
	check "$command: the same as JSON" same_live $command --json
done
check "list: nft's own words" diff \
	<(in_ns on nft -a list table inet filter) \
	<(in_ns on "$TOOL" list table inet filter | sed -E -e '$d' \
		-e 's/\t# (bpf|interpreter\()[^\t]*$//')
check "list: says what nft says of what there is not" fails "No such file" \
	in_ns on "$TOOL" list table inet none
check "translated chains are told from others" [ "$(in_ns on "$TOOL" why |
	awk '/is translated/ { print $3 }' | xargs)" = "dns services one input" ]
jit on 0
check "switched off: why says what to do" grep -q "nft_jit_enable=1" \
	<(in_ns on "$TOOL" why inet filter input)
jit on 1
check "another netns has nothing" [ "$(in_ns off "$TOOL" why | wc -l)" = 0 ]
check "without privileges: says what it takes" fails "CAP_NET_ADMIN" unprivileged why
check "without privileges: nor rules" fails "CAP_NET_ADMIN" unprivileged list

ip -all netns delete
rmmod nft_bpfjit
check "without the module: says so" fails "not loaded" "$TOOL" why
check "without the module: nor metrics" fails "not loaded" "$TOOL" metrics
finish
