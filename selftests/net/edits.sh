#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A few rules of a large chain change: its matcher stays, until a worker has made a
# new one (commit/edit.c).  Each change is made in both twins (lib.sh), switch off
# and on, then the same packets are sent and what nft says and lists, counters and
# all, has to be equal; and once more when the worker has been there.  It comes
# when the test says so (rebuild_ms).
#
# That the matcher stayed, and then did not, is seen from its program's number.
#
# timeout: 1800
. "$(dirname "$0")/lib.sh"

REBUILD=/sys/module/nft_bpfjit/parameters/rebuild_ms
LEAST=/sys/module/nft_bpfjit/parameters/edit_min_rules
NEVER=100000000

# rules: the ruleset.  "in" decides at each match, so its matcher can be entered
# only at its begin; "open" goes on after each; "sub" is jumped to and does both.
rules()
{
	local i

	echo "table inet t {"
	echo "chain open { type filter hook prerouting priority -10;"
	for ((i = 1; i <= 100; i++)); do
		echo "tcp dport $i-$((i + i % 7)) counter comment \"o$i\""
	done
	echo "}"
	echo "chain sub {"
	for ((i = 1; i <= 100; i++)); do
		case $((i % 3)) in
		0) echo "tcp dport $i counter comment \"s$i\"" ;;
		1) echo "tcp dport $i counter accept comment \"s$i\"" ;;
		2) echo "tcp dport $i counter return comment \"s$i\"" ;;
		esac
	done
	echo "}"
	echo "chain in { type filter hook prerouting priority 0;"
	echo "meta mark 7 counter accept comment \"mark\""
	for ((i = 1; i <= 60; i++)); do
		echo "tcp dport $i counter accept comment \"p$i\""
	done
	echo "tcp dport vmap { 61-70 : jump sub, 71 : drop, 72-75 : goto sub } comment \"map\""
	for ((i = 76; i <= 100; i++)); do
		echo "tcp dport $i counter drop comment \"p$i\""
	done
	echo "ip saddr 10.99.0.1 drop"
	echo "}"
	echo "}"
}

# handles CODE: the code with @name for the handle of the rule with that comment.
handles()
{
	local code=$1 name handle

	while [[ $code =~ @([a-z]+[0-9]*) ]]; do
		name=${BASH_REMATCH[1]}
		handle=$(awk -v c="\"$name\"" '$0 ~ c { print $NF; exit }' "$TMP/list-off")
		code=${code/@$name/${handle:-0}}
	done
	echo "$code"
}

# compare NAME: the same packets, then what is to be equal.
compare()
{
	local ns

	for ns in off on; do
		inject "$ns" tx0 tcp udp >/dev/null
		settle "$ns"
		in_ns "$ns" nft -a list ruleset >"$TMP/list-$ns" 2>&1
	done
	same "$1" "$TMP/list-off" "$TMP/list-on"
}

# prog CHAIN: the number of its first program.
prog() { status on | awk -v c="$1" '$3 == c && $NF == "bpf" { sub(",.*", "", $8); print $8 }'; }

# progs CHAIN...: of each.
progs() { local c; for c; do echo "$c $(prog "$c")"; done; }
all_bpf() { ! status on | grep -v ' bpf$'; }
stayed() { diff "$TMP/progs" <(progs "$@"); }

# changed CHAIN...: none has the program that it had.
changed() { ! progs "$@" | grep -Fx -f "$TMP/progs"; }

# apply CODE: in both.
apply()
{
	local ns code

	code=$(handles "$1")
	for ns in off on; do
		in_ns "$ns" nft -a -e -f - <<<"$code" >"$TMP/said" 2>&1
		echo "exit code $?" >>"$TMP/said"
		sed "s/^\(# new generation [0-9]*\) by process .*/\1/" "$TMP/said" >"$TMP/said-$ns"
	done
}

# rebuild NAME CHAIN...: let the worker come to these.
rebuild()
{
	local name=$1

	shift
	echo 0 >$REBUILD
	check "$name: a new program for $*" eventually changed "$@"
	echo $NEVER >$REBUILD
	check "$name: all translated" all_bpf
	compare "$name: after the worker"
}

# edit NAME "CHAIN..." CODE: the chains' matchers stay.
edit()
{
	local name=$1 code=$3

	# shellcheck disable=SC2086
	set -- $2
	progs "$@" >"$TMP/progs"
	apply "$code"
	same "$name: what nft says" "$TMP/said-off" "$TMP/said-on"
	check "$name: done" grep -qx "exit code 0" "$TMP/said-on"
	compare "$name: the same"
	check "$name: the programs of $* stay" stayed "$@"
}

# quick CHAIN CODE: a change, and nothing looked at but that it is one.
quick()
{
	progs "$1" >"$TMP/progs"
	apply "$2"
	check "its program stays" stayed "$1"
}

begin
echo 16 >$LEAST
echo $NEVER >$REBUILD
make_twins
for ns in off on; do
	rules | ruleset "$ns"
done
compare "loaded"
check "loaded: all translated" all_bpf

edit "add at the end" "in open sub" 'add rule inet t in meta l4proto udp counter
	add rule inet t open tcp dport 30-60 counter
	add rule inet t sub tcp dport 60-80 counter'
edit "insert at the head" "in open sub" 'insert rule inet t in tcp dport 1-20 counter
	insert rule inet t open tcp dport 5 counter accept
	insert rule inet t sub tcp dport 62-66 counter'
edit "insert in the middle, add behind" "in open sub" '
	insert rule inet t in position @p30 tcp dport 25-35 counter accept
	add rule inet t in position @p10 tcp dport 9-15 counter comment "new1"
	insert rule inet t open position @o70 tcp dport 1-100 counter
	insert rule inet t sub position @s66 tcp dport 60-69 counter return'
rebuild "insert in the middle, add behind" in open sub

edit "delete" "in open sub" 'delete rule inet t in handle @p50
	delete rule inet t open handle @o50
	delete rule inet t sub handle @s63'
edit "replace, add what a deleted rule hid" "in open sub" '
	add rule inet t in tcp dport 45-55 counter comment "new2"
	replace rule inet t in handle @p20 tcp dport 20-24 counter drop comment "new3"
	replace rule inet t open handle @o1 tcp dport 1-3 counter comment "new4"
	replace rule inet t sub handle @s100 tcp dport 1-100 counter comment "new5"'
edit "delete what was added" "in" 'delete rule inet t in handle @new1
	delete rule inet t in handle @new3'
rebuild "delete what was added" in open sub

edit "sets and maps" "in open sub" '
	insert rule inet t in position @p40 tcp dport { 3, 11-15, 40 } counter comment "new6"
	insert rule inet t in position @p35 tcp dport vmap { 40 : jump sub, 41 : drop, 42 : accept }
	insert rule inet t open position @o90 ip saddr . tcp dport {
		10.0.1.2 . 5, 10.0.2.2 . 6-99 } counter
	add rule inet t open tcp dport vmap { 80-85 : goto sub, 86 : drop } comment "new7"
	insert rule inet t sub position @s90 tcp dport { 61-65, 80, 90 } counter accept'
edit "sets and maps go" "in open sub" '
	delete rule inet t in handle @new6
	delete rule inet t in handle @map
	delete rule inet t open handle @new7
	insert rule inet t sub position @s68 tcp dport 60-70 counter
	delete rule inet t sub handle @s61'
rebuild "sets and maps" in open sub

edit "a rule that changes the packet" "in open" '
	insert rule inet t in position @p5 tcp dport 5-9 meta mark set 1 counter
	insert rule inet t in position @p54 tcp dport 54-58 meta mark set 7 counter comment "new8"
	add rule inet t in meta mark 7 counter drop
	insert rule inet t in position @p7 meta mark 1 tcp dport 7-8 counter drop
	insert rule inet t open position @o20 tcp dport 20-22 meta mark set 9 counter
	add rule inet t open meta mark 9 counter'
edit "a rule behind it goes" "in" 'delete rule inet t in handle @p55
	delete rule inet t in handle @p8'
rebuild "a rule that changes the packet" in open

edit "all at once" "in open" '
	delete rule inet t in handle @p1
	replace rule inet t in handle @p2 tcp dport 1-2 counter comment "new9"
	insert rule inet t in tcp dport 1 counter
	add rule inet t in position @p100 counter
	delete rule inet t open handle @o98
	delete rule inet t open handle @o97
	insert rule inet t open position @o2 counter
	add rule inet t open position @o2 tcp dport 2-9 counter'

progs in open sub >"$TMP/progs"
cp "$TMP/list-on" "$TMP/list-before"
apply 'delete rule inet t in handle @p3
	insert rule inet t in counter drop
	delete rule inet t open handle @o3
	add element inet t nowhere { 1 }'
same "refused: what nft says" "$TMP/said-off" "$TMP/said-on"
check "refused" grep -qx "exit code 1" "$TMP/said-on"
check "refused: the programs stay" stayed in open sub
compare "refused: the same"
edit "after a refused one" "in" 'delete rule inet t in handle @p4'
rebuild "all at once" in open

# Too many for a matcher that is not theirs.
progs open >"$TMP/progs"
many=
for ((i = 10; i < 60; i += 2)); do
	many+="insert rule inet t open position @o$i tcp dport $i counter
"
done
apply "$many"
check "too many places: compiled at once" changed open
progs in >"$TMP/progs"
many=
for ((i = 0; i < 100; i++)); do
	many+="add rule inet t in tcp dport $i counter
"
done
apply "$many"
check "too many rules: compiled at once" changed in
progs sub >"$TMP/progs"
many=
for ((i = 1; i < 80; i++)); do
	[[ $i == 61 || $i == 63 ]] || many+="delete rule inet t sub handle @s$i
"
done
apply "$many"
check "too many gone: compiled at once" changed sub
compare "too many: the same"

quick in 'insert rule inet t in tcp dport 10-20 counter'
apply 'insert rule inet t sub tcp dport 100 meta nftrace set 1 comment "trace"'
check "left to nft" is_state on inet t in nftrace
compare "left to nft: the same"
apply 'delete rule inet t sub handle @trace'
check "translated again" all_bpf
compare "translated again: the same"

quick in 'insert rule inet t in tcp dport 10-21 counter
	insert rule inet t open tcp dport 10-21 counter'
jit on 0
check "switched off: no program" eventually programs_are 0
compare "switched off: the same"
jit on 1
check "switched on: all translated" all_bpf

quick in 'insert rule inet t in tcp dport 10-22 counter
	add rule inet t open tcp dport 10-22 counter'
check "the module goes with an edited chain" rmmod nft_bpfjit
load_module
cheap 0
echo 16 >$LEAST
echo $NEVER >$REBUILD
jit off 0
check "the module is back: all translated" all_bpf
compare "the module is back: the same"
quick in 'insert rule inet t in tcp dport 10-23 counter'
ip netns delete on
check "the namespace goes with an edited chain" eventually programs_are 0
echo 500 >$REBUILD
echo 256 >$LEAST
finish
