#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Everything at once, for STRESS_SECONDS (30):
#
#	 t              r                 b                u
#	+------+      +---------+       +--------+       +------+
#	|  vt0 |------| vr0 vr1 |-------| vb0    |       |      |
#	|      |      |         |       | br0 vb1|-------| vu0  |
#	+------+      +---------+       +--------+       +------+
#	 output        ingress         bridge           input
#	               prerouting      prerouting
#	               forward         forward
#	               postrouting     postrouting
#
# A sender in t sends UDP to all ports of u.  At each of these hooks a chain
# jumps to two others: the first counts the ports below a limit, the second
# those from the limit on.  In each namespace somebody moves the limit all the
# time, in both chains in one transaction.  So in each generation of rules each
# packet is counted exactly once, and a packet that saw rules of two generations
# may be counted twice or not at all: in the end what was counted at each hook
# must be what was sent.
#
# In b the same is done to two rules among sixty in one chain, by replacing just
# these, so that the chain keeps its program and gets another one beside it
# (nft_bpfjit/commit/edit.c), which the worker then makes one again.
#
# At the same time in r: tables come and go, elements of sets change, commits
# fail in their validation, nft is killed in the middle of commits, the switch
# is turned, interfaces get other names; namespaces with rules come and go; and
# the module is unloaded and loaded.
#
# timeout: 7200
. "$(dirname "$0")/../safety/lib.sh"

SECS=${STRESS_SECONDS:-30}
RUN=$TMP/run
# Large is what has this many rules.
PARAMETERS="min_cost=0 edit_min_rules=16"

running() { [ -e "$RUN" ]; }

# hook_chains FAMILY HOOK [device D]: its three chains and two counters.
hook_chains()
{
	local h=$2

	cat <<-END
		counter ${h}_lo { }
		counter ${h}_hi { }
		chain ${h}_1 { udp dport < 1000 counter name ${h}_lo; }
		chain ${h}_2 { udp dport >= 1000 counter name ${h}_hi; }
		chain $h {
			type filter hook $h ${*:3} priority 0; policy accept;
			udp sport != 4000 accept
			jump ${h}_1
			jump ${h}_2
		}
	END
}

# account NS FAMILY HOOK...: the accounting of a namespace.
account()
{
	local ns=$1 family=$2 h

	shift 2
	{
		echo "table $family acct {"
		for h; do
			# shellcheck disable=SC2086
			hook_chains "$family" $h
		done
		echo "}"
	} >"$TMP/acct"
	in_ns "$ns" nft -f "$TMP/acct"
}

# mover NS FAMILY HOOK...: moves the limits, a transaction a line.
mover()
{
	local ns=$1 f=$2 h x n=0

	shift 2
	while running; do
		for h; do
			x=$((RANDOM * 2 + 2))
			printf '%s; ' "flush chain $f acct ${h}_1" \
				"flush chain $f acct ${h}_2" \
				"add rule $f acct ${h}_1 udp dport < $x counter name ${h}_lo" \
				"add rule $f acct ${h}_2 udp dport >= $x counter name ${h}_hi"
		done
		echo
		n=$((n + 1))
		((n % 20)) || echo "list counters"
		# nft reads on when it has done what it has.
		sleep 0.05
	done | in_ns "$ns" nft -i >/dev/null 2>"$TMP/mover-$ns"
}

# edit_rules X: the two rules that count in "edit", one a line.
edit_rules()
{
	echo "udp dport < $1 counter name lo"
	echo "udp dport >= $1 counter name hi"
}

# edit_table: 60 rules that no packet matches, and those two among them.
edit_table()
{
	local i rules

	mapfile -t rules < <(edit_rules 1000)
	{
		echo "table bridge edit {"
		echo "counter lo { }"
		echo "counter hi { }"
		echo "chain c {"
		echo "type filter hook prerouting priority 20; policy accept;"
		echo "udp sport != 4000 accept"
		for ((i = 1; i <= 60; i++)); do
			echo "ip saddr 10.66.0.$i drop"
			((i != 20)) || echo "${rules[0]}"
			((i != 40)) || echo "${rules[1]}"
		done
		echo "}"
		echo "}"
	} | in_ns b nft -f -
	in_ns b nft -a list table bridge edit >"$TMP/edit"
}

# editor: replaces those two, a transaction a line; every other time a rule is
# added, or deleted.  A rule that is replaced has the handle of the old one, and
# one that is added has the next handle of the table.
editor()
{
	local n=0 h last rules

	mapfile -t h < <(sed -n 's/.*udp dport .* counter name .* # handle //p' "$TMP/edit")
	last=$(sed -n 's/.* # handle //p' "$TMP/edit" | sort -n | tail -n 1)
	while running; do
		mapfile -t rules < <(edit_rules $((RANDOM * 2 + 2)))
		printf 'replace rule bridge edit c handle %s %s; ' \
			"${h[0]}" "${rules[0]}" "${h[1]}" "${rules[1]}"
		if ((n % 2)); then
			echo "delete rule bridge edit c handle $last"
		else
			echo "insert rule bridge edit c ip saddr 10.66.1.1 drop"
			last=$((last + 1))
		fi
		n=$((n + 1))
		echo "$n edits" >"$TMP/edits"
		sleep 0.05
	done | in_ns b nft -i >/dev/null
	cat "$TMP/edits"
}

# edit_programs: of that chain.
edit_programs()
{
	in_ns b awk '$2 == "edit" && $NF == "bpf" { print $8 }' /proc/net/nft_bpfjit
}

# keeps: when all is over, the same edit leaves the chain its program, with another
# one beside it.
keeps()
{
	local h rules was now

	mapfile -t h < <(sed -n 's/.*udp dport .* counter name .* # handle //p' "$TMP/edit")
	mapfile -t rules < <(edit_rules 77)
	echo 100000000 >/sys/module/nft_bpfjit/parameters/rebuild_ms
	was=$(edit_programs)
	in_ns b nft "replace rule bridge edit c handle ${h[0]} ${rules[0]}
		replace rule bridge edit c handle ${h[1]} ${rules[1]}" || return 1
	now=$(edit_programs)
	echo "programs $was, then $now"
	[[ $now == "${was%%,*},"* ]]
}

# kept: how often is that chain seen in the program that it had, with another one
# beside it?  On a busy machine it may be never, see keeps().
kept()
{
	in_ns b bash -s "$RUN" <<-'END'
		n=0 was=
		while [ -e "$1" ]; do
			now=
			while read -r _ table _ _ _ _ _ progs state; do
				[[ $table != edit || $state != *bpf ]] || now=$progs
			done 2>/dev/null </proc/net/nft_bpfjit
			[[ $now != *,* || ${now%%,*} != "${was%%,*}" ]] || n=$((n + 1))
			was=$now
			sleep 0.05
		done
		echo "$n times"
	END
}

# tables: whole tables, replaced and flushed.
tables()
{
	local n=0

	ruleset 150 >"$TMP/t150"
	ruleset 40 >"$TMP/t40"
	while running; do
		in_ns r nft -f "$TMP/t150"
		in_ns r nft -a list chain ip t c >/dev/null
		in_ns r nft flush chain ip t c
		in_ns r nft -f "$TMP/t40"
		in_ns r nft "delete table ip t; add table ip t"
		n=$((n + 1))
	done
	echo "$n rounds"
}

sets()
{
	local i n=0

	in_ns r nft -f - <<-END
		table inet sets {
			set a { type ipv4_addr; }
			set p { type inet_service; flags interval; }
			map v { type inet_service : verdict; }
			chain x { ip ttl 1 counter; }
			chain c {
				type filter hook prerouting priority 5;
				ip saddr @a counter
				udp dport @p counter
				udp dport vmap @v
			}
		}
	END
	while running; do
		for i in 1 2 3 4 5 6 7 8 9; do
			echo "add element inet sets a { 10.9.0.$i }"
			echo "add element inet sets p { ${i}0-${i}5 }"
			echo "add element inet sets v { $i : jump x }"
		done
		echo "flush set inet sets a"
		echo "flush set inet sets p"
		echo "flush map inet sets v"
		n=$((n + 1))
		sleep 0.3
	done | in_ns r nft -i >/dev/null 2>"$TMP/sets.err"
}

# bad_commits: each is refused when it is validated, after our translation.
bad_commits()
{
	local n=0

	cat >"$TMP/loop" <<-END
		table ip bad {
			chain a { ip ttl 1 counter; jump b; }
			chain b { ip ttl 2 counter; jump a; }
			chain c { type filter hook input priority 0; jump a; }
		}
	END
	# Refused for a reason found late: a chain that exists, of another kind.
	cat >"$TMP/late" <<-END
		flush chain ip acct prerouting_1
		add rule ip acct prerouting_1 udp dport < 7 drop
		add rule ip acct prerouting jump prerouting_1
		add chain ip acct nat { type nat hook forward priority 0; }
	END
	while running; do
		in_ns r nft -f "$TMP/loop" 2>/dev/null && echo "a loop was taken"
		in_ns r nft -f "$TMP/late" 2>/dev/null && echo "a bad chain was taken"
		n=$((n + 1))
	done
	echo "$n rounds"
}

# killed: nft, by a signal, somewhere in a commit of many rules.
killed()
{
	local n=0 sig

	{ ruleset 600; echo "delete table ip t2"; } |
		sed 's/table ip t /table ip t2 /' >"$TMP/big"
	while running; do
		for sig in INT TERM KILL; do
			in_ns r nft -f "$TMP/big" >/dev/null 2>&1 &
			sleep 0.$((RANDOM % 10))
			kill -$sig $! 2>/dev/null
			wait $! 2>/dev/null
			n=$((n + 1))
		done
	done
	echo "$n times"
}

switch()
{
	local n=0

	while running; do
		for v in 0 1 1 0 1; do
			jit r $v 2>/dev/null
			jit b $v 2>/dev/null
			in_ns r cat /proc/net/nft_bpfjit >/dev/null 2>&1
		done
		sleep 0.4
		n=$((n + 1))
	done
	echo "$n rounds"
}

namespaces()
{
	local n=0 ns

	while running; do
		ns=churn$((n % 3))
		simple_ns $ns
		in_ns $ns nft -f "$TMP/t40"
		in_ns $ns ping -q -c 2 -i 0.01 127.0.0.1 >/dev/null
		in_ns $ns nft "add rule ip t c counter"
		ip netns delete $ns
		n=$((n + 1))
	done
	echo "$n namespaces"
}

names()
{
	local n=0 was=d0 now

	ip -n r link add d0 type dummy
	ip -n r addr add 10.7.0.1/24 dev d0
	in_ns r nft -f - <<-END
		table ip names {
			chain c {
				type filter hook output priority 0;
				oifname "d0" counter
				oifname "d1" counter
				oifname "d*" counter
				iifname "lo" counter
			}
		}
	END
	while running; do
		now=d$((n % 2))
		ip -n r link set $was down
		ip -n r link set $was name $now
		ip -n r link set $now up
		in_ns r ping -q -c 2 -i 0.01 -W 1 10.7.0.1 >/dev/null
		was=$now
		n=$((n + 1))
	done
	echo "$n names"
}

# module: what was edited is compiled as a whole soon, or later.
module()
{
	local n=0

	while running; do
		sleep 1.$((RANDOM % 10))
		rmmod nft_bpfjit || echo "rmmod failed"
		sleep 0.$((RANDOM % 10))
		# shellcheck disable=SC2086
		insmod "$MODULE" $PARAMETERS rebuild_ms=$((n % 2 ? 100 : 5000)) ||
			echo "insmod failed"
		n=$((n + 1))
	done
	echo "$n times"
}

# sender: says how many packets it has sent.
sender()
{
	in_ns t python3 - "$RUN" <<-'END'
		import os, socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.bind(("10.1.0.2", 4000))
		n = lost = 0
		while n < 200 or os.path.exists(sys.argv[1]):
		    for i in range(50):
		        try:
		            s.sendto(b"x", ("10.2.0.2", (n * 7919) % 65535 + 1))
		            n += 1
		        except OSError:
		            lost += 1
		print(n, lost)
	END
}

# sum NS FAMILY HOOK: what was counted there.
sum()
{
	if [[ $3 == edit ]]; then
		in_ns "$1" nft list counters table "$2" edit |
			awk '$1 == "packets" { n += $2 } END { print n + 0 }'
		return
	fi
	in_ns "$1" nft list counters table "$2" acct |
		awk -v h="$3" '$1 == "counter" { hit = $2 ~ "^" h "_(lo|hi)$" }
			       hit && $1 == "packets" { n += $2 } END { print n + 0 }'
}

# closes NS FAMILY HOOK
closes()
{
	local n

	n=$(sum "$@")
	[ "$n" = "$sent" ] || { echo "$n of $sent"; return 1; }
}

# memory: kilobytes that do not go away by themselves.
memory()
{
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^(SUnreclaim|VmallocUsed|Percpu|KernelStack|PageTables):/ { n += $2 }
	     END { print n }' /proc/meminfo
}

# grown KB: memory since $start, or less.
grown()
{
	local now

	now=$(memory)
	echo "$((now - start)) KB more"
	[ $((now - start)) -le "$1" ]
}

topology()
{
	local ns

	for ns in t r b u; do
		simple_ns $ns
		in_ns $ns sysctl -qw net.ipv6.conf.all.disable_ipv6=1 \
			net.ipv6.conf.default.disable_ipv6=1
	done
	sysctl -qw net.core.netdev_max_backlog=100000
	ip -n t link add vt0 type veth peer name vr0 netns r address 02:00:00:00:00:01
	ip -n r link add vr1 type veth peer name vb0 netns b
	ip -n b link add vb1 type veth peer name vu0 netns u address 02:00:00:00:00:02
	ip -n b link add br0 type bridge forward_delay 0 mcast_snooping 0
	ip -n b link set dev vb0 master br0
	ip -n b link set dev vb1 master br0
	ip -n t addr add 10.1.0.2/24 dev vt0
	ip -n r addr add 10.1.0.1/24 dev vr0
	ip -n r addr add 10.2.0.1/24 dev vr1
	ip -n u addr add 10.2.0.2/24 dev vu0
	for ns in t/vt0 r/vr0 r/vr1 b/vb0 b/vb1 b/br0 u/vu0; do
		ip -n "${ns%/*}" link set dev "${ns#*/}" up
	done
	ip -n t route add default via 10.1.0.1
	in_ns r sysctl -qw net.ipv4.ip_forward=1
	# Nothing is to be lost for want of a neighbour.
	ip -n t neigh replace 10.1.0.1 dev vt0 nud permanent lladdr 02:00:00:00:00:01
	ip -n r neigh replace 10.2.0.2 dev vr1 nud permanent lladdr 02:00:00:00:00:02
}

accounting()
{
	account t ip output
	account r netdev "ingress device vr0"
	account r ip prerouting forward postrouting
	account b bridge prerouting forward postrouting
	account u ip input
	edit_table
}

# all_bpf: the accounting is in BPF, all of it.
all_bpf()
{
	local ns

	for ns in t r b u; do
		status $ns | awk '$2 ~ /^(acct|edit)$/ && $NF != "bpf" { print; bad = 1 }
				  $2 == "acct" { n++ } END { exit bad || !n }' || return 1
	done
}

modprobe -a veth bridge dummy
load_module
rmmod nft_bpfjit
# shellcheck disable=SC2086
insmod "$MODULE" $PARAMETERS || notok "insmod $PARAMETERS"
topology
accounting
check "the accounting is translated" all_bpf

: >"$RUN"
sender >"$TMP/sender" 2>&1 &
jobs=($!)
for job in "mover t ip output" "mover r ip prerouting forward postrouting" \
	   "mover b bridge prerouting forward postrouting" "mover u ip input" \
	   editor kept tables sets bad_commits killed switch namespaces names module; do
	$job >"$TMP/job-${job// /-}" 2>"$TMP/err-${job// /-}" &
	jobs+=($!)
done
sleep 5
start=$(memory)
sleep "$SECS"
rm "$RUN"
wait "${jobs[@]}"

# shellcheck disable=SC2086
[ -e /sys/module/nft_bpfjit ] || insmod "$MODULE" $PARAMETERS
for job in editor kept tables bad_commits killed switch namespaces names module; do
	echo "# $job: $(<"$TMP/job-$job")"
done
read -r sent lost <"$TMP/sender"
echo "# $sent packets"
check "packets were sent" test "${sent:-0}" -gt 100
check "none was refused" test "$lost" = 0
sleep 1
for at in "t ip output" "r netdev ingress" "r ip prerouting" "r ip forward" \
	  "r ip postrouting" "b bridge prerouting" "b bridge forward" \
	  "b bridge postrouting" "u ip input" "b bridge edit"; do
	# shellcheck disable=SC2086
	check "${at#* }: each packet is counted once" closes $at
done
for ns in t r b u; do
	check "$ns: all transactions are taken" test ! -s "$TMP/mover-$ns"
done
check "edits: all transactions are taken" test ! -s "$TMP/err-editor"
check "sets: all transactions are taken" test ! -s "$TMP/sets.err"
check "the module came and went" bash -c '! grep -q failed "$1"' -- "$TMP/job-module"
check "what is bad was refused" bash -c '! grep -q taken "$1"' -- "$TMP/job-bad_commits"
for ns in t r b u; do
	jit $ns 0
	jit $ns 1
done
check "at the end: the accounting is translated" all_bpf
check "at the end: an edit keeps the chain's program" keeps

ip -all netns delete
check "no program is left, no memory is charged" eventually no_programs
check "memory is back" eventually grown 4096
finish
