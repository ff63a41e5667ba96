# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Cases that are done in two twin namespaces (lib.sh), one with the switch off
# and one with it on: all that a case prints must be the same, and "nft -j list
# ruleset" and "conntrack -L" afterwards.  To be sourced.  Each twin here has two
# more neighbours, who can talk (talk.c):
#
#	  ns "off-c" / "on-c"      "off" / "on"        "off-s" / "on-s"
#	+-------------------+   +-----------------+   +-------------------+
#	| eth0 10.0.9.2     |---| c0   10.0.9.1   |   |                   |
#	|      fd00:9::2    |   |      fd00:9::1  |   |                   |
#	+-------------------+   | s0   10.0.8.1   |---| eth0 10.0.8.2     |
#	                        |      fd00:8::1  |   |      fd00:8::2    |
#	                        +-----------------+   +-------------------+
#
# A case is a function case_NAME that works on the twin $ns.  In front of it
# stand patterns for lines that it has to have printed ("# happens: PATTERN"): a
# case in which nothing happened has tested nothing.  So has one with no
# translated chain.  "# bpf: PATTERN" is about lines of /proc/net/nft_bpfjit and
# /proc/net/nft_bpfjit_rules, of the twin whose switch is on.
#
# The twins do it at the same time, except for cases that are about something
# they share, which say so ("# alone").  For each the script is called once more,
# in the namespace, which a guest is faster at than to enter it for each command.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# in_ns NS COMMAND...
in_ns()
{
	if [[ $1 == "${ns-}" && -n ${TEST_TMP-} ]]; then
		"${@:2}"
	else
		nsenter --net="/run/netns/$1" "${@:2}"
	fi
}

# For a twin, what lib.sh has programs for.
if [[ -n ${TEST_TMP-} ]]; then
	settle() { settle_here; }
	status()
	{
		local lines

		mapfile -ts 1 lines </proc/net/nft_bpfjit
		[[ ${#lines[@]} == 0 ]] || printf '%s\n' "${lines[@]}"
	}
fi

# make_end NS c|s NET INDEX: a neighbour.  How many segments a TCP connection has
# must not depend on time: each one is acknowledged at once, none is sent twice.
make_end()
{
	local ns=$1 end=$1-$2 dev=${2}0 net=$3 mac=02:00:00:00:0$3

	ip netns add "$end"
	# No announcements of multicast memberships, at a time of their own.
	in_ns "$end" nft -f - <<-END
		table ip6 quiet {
			chain out {
				type filter hook output priority 0; policy accept;
				ip6 daddr ff02::/16 drop
			}
		}
	END
	in_ns "$end" sysctl -qw net.ipv4.conf.all.rp_filter=0 \
		net.ipv4.conf.default.rp_filter=0 net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.all.accept_ra=0 net.ipv6.conf.default.accept_ra=0 \
		net.ipv4.tcp_early_retrans=0
	ip -n "$ns" -batch - <<-END
		link add $dev index $4 address $mac:01 type veth peer name eth0 netns $end
		link set $dev up
		addr add 10.0.$net.1/24 dev $dev
		addr add fd00:$net::1/64 dev $dev nodad
		neigh add 10.0.$net.2 lladdr $mac:02 dev $dev nud permanent
		neigh add fd00:$net::2 lladdr $mac:02 dev $dev nud permanent
	END
	ip -n "$end" -batch - <<-END
		link set lo up
		link set eth0 address $mac:02 up
		addr add 10.0.$net.2/24 dev eth0
		addr add fd00:$net::2/64 dev eth0 nodad
		route add default via 10.0.$net.1 quickack 1 rto_min 60s
		route add default via fd00:$net::1 quickack 1 rto_min 60s
		neigh add 10.0.$net.1 lladdr $mac:01 dev eth0 nud permanent
		neigh add fd00:$net::1 lladdr $mac:01 dev eth0 nud permanent
	END
	in_ns "$ns" sysctl -qw "net.ipv4.conf.$dev.rp_filter=0"
}

# rules: from stdin.  nft COMMAND...: in the twin.
rules() { in_ns "$ns" nft -f - || echo "nft fails: $?"; }
nft_() { in_ns "$ns" nft "$@" || echo "nft $1 fails: $?"; }

# send SET...: frames of inject.c for in0.
send()
{
	inject "$ns" tx0 "$@" >/dev/null
	settle "$ns"
}

# at_once DEV SET...: the same, from any far end, when all of them have been made:
# they wait in a queue that is plugged.
at_once()
{
	tc -n "$ns-tx" qdisc add dev "$1" root plug limit 100000000
	inject "$ns" "$1" -q "${@:2}" >/dev/null
	tc -n "$ns-tx" qdisc change dev "$1" root plug release_indefinite
	settle "$ns"
	tc -n "$ns-tx" qdisc del dev "$1" root
}

# in_bpf: which rules are, for "# bpf:".
in_bpf()
{
	status "$ns" >>"$TMP/$ns.status"
	in_ns "$ns" cat /proc/net/nft_bpfjit_rules >>"$TMP/$ns.status"
}

# talk tcp|udp SPORT DST DPORT LADDR LPORT [option...]: from the neighbour c to
# whoever is meant, with the neighbour s (or SERVER) listening.
talk()
{
	local src=10.0.9.2

	[[ $3 != *:* ]] || src=fd00:9::2
	"$TALK" "$1" "/run/netns/$ns-c" "/run/netns/${SERVER-$ns-s}" "$src" "$2" \
		"$3" "$4" "$5" "$6" "${@:7}"
	settle "$ns"
}

# arrived DEV: how many frames, on the far side.
arrived() { in_ns "$ns-tx" awk -v d="$1:" '$1 == d { print $3 }' /proc/net/dev; }

# came_out DEV COMMAND...: how many frames did while the command ran.
came_out()
{
	local before

	before=$(arrived "$1")
	"${@:2}"
	echo "out at $1: $(($(arrived "$1") - before))"
}

# connections [option...]: conntrack -L without what depends on time, as whether
# a UDP connection that has gone on for two seconds is assured.
connections()
{
	in_ns "$ns" conntrack -L "$@" 2>/dev/null | sed -E \
		's/^([a-z0-9]+ +[0-9]+ )[0-9]+ /\1/; s/^[0-9]+ proto/proto/; s/ use=[0-9]+//
		/^udp/s/ \[ASSURED\]//' |
		sort
}

# listing: the ruleset as nft prints it, handles and all.
listing()
{
	in_ns "$ns" nft -a list ruleset
	in_ns "$ns" nft -j list ruleset
}

# timeless FILE: without the time that is left, and without the handles of tables,
# which are counted across all namespaces; the parts of JSON on lines of their own.
timeless()
{
	sed -E 's/expires [0-9a-z]+/expires/g; s/"expires": [0-9]+/"expires"/g
		s/^(table .* # handle) [0-9]+/\1/
		s/(\{"table": \{[^}]*"handle": )[0-9]+/\1/g
		s/\{"(rule|chain|set|map|elem)"/\n&/g' "$1"
}

# happened CASE: what its comment wants, in the files of the twin that is on.
happened()
{
	local pattern patterns bad=0

	grep -q ' bpf$' "$TMP/on.status" || { echo "nothing was translated"; bad=1; }
	mapfile -t patterns < <(about "$1" happens:)
	for pattern in "${patterns[@]}"; do
		grep -qE -- "$pattern" "$TMP/on" || { echo "there is no $pattern"; bad=1; }
	done
	mapfile -t patterns < <(about "$1" bpf:)
	for pattern in "${patterns[@]}"; do
		grep -qE -- "$pattern" "$TMP/on.status" ||
			{ echo "not in BPF: $pattern"; bad=1; }
	done
	[ $bad = 0 ] || cat "$TMP/on.status" "$TMP/on"
	return $bad
}

# about CASE WORD: what the comment in front of its function has behind "# WORD".
about()
{
	awk -v f="case_$1()" -v word="$2" '
		$1 == "#" && $2 == word { w[n++] = substr($0, length(word) + 4); next }
		$0 == f { for (i = 0; i < n; i++) print w[i] }
		!/^#/ { n = 0 }' "$0"
}

# twin CASE: on $ns, in it, and how things are then.
twin()
{
	{
		"case_$1" 2>&1
		status "$ns" >>"$TMP/$ns.status"
		echo "== ruleset"
		nft -j list ruleset
		echo "== connections"
		connections
	} >"$TMP/$ns.raw" 2>&1
	nft flush ruleset
	conntrack -F 2>/dev/null
}

# one CASE
one()
{
	local case=$1 ns pids=() start=$SECONDS

	rm -f "$TMP"/{off,on}.status
	for ns in off on; do
		TEST_TMP=$TMP nsenter --net="/run/netns/$ns" bash "$0" --twin "$ns" "$case" &
		pids+=($!)
		[[ -z $(about "$case" alone) ]] || wait "${pids[@]}"
	done
	wait "${pids[@]}"
	for ns in off on; do
		timeless "$TMP/$ns.raw" >"$TMP/$ns"
	done
	check "$case: translated, and it happened" happened "$case"
	same "$case: the same with the switch off and on" "$TMP/off" "$TMP/on"
	echo "# $case took $((SECONDS - start)) s"
}

# run_cases [CASE...]: those that are named, or all of CASES.  A module that has to
# be loaded for a rule makes nf_tables begin again, and count its handles once more
# for the twin that came first: so all are loaded before.
run_cases()
{
	local name ns

	if [[ ${1-} == --twin ]]; then
		ns=$2
		twin "$3"
		exit
	fi
	load_module
	find "/lib/modules/$(uname -r)/kernel/net" -name 'nft_*.ko*' -o -name 'xt_*.ko*' \
		-o -name 'ipt_*.ko*' | sed 's|.*/||; s|\.ko.*||' | xargs modprobe -aq
	build_tools inject talk "${TOOLS[@]}"
	export INJECT TALK XTMATCH RAWRULE
	cheap 0
	make_twins
	for ns in off on; do
		make_end "$ns" c 9 20
		make_end "$ns" s 8 21
	done
	[ $# -gt 0 ] || set -- "${CASES[@]}"
	for name; do
		one "$name"
	done
	finish
}
