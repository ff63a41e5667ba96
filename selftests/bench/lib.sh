# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The work that is measured, and how.  To be sourced by what runs in a guest of
# "scripts/guest --icount" with the module loaded: the benchmark (packets,
# rulesets) and the tests that hold the figures to their bounds
# (selftests/icount/figures.sh), which so measure the same things.
#
# All figures are guest instructions: a packet's above that of an empty chain in
# the same place, or a command's.  A ruleset is loaded once and measured with the
# switch off and on (contenders "off" and "on").
#
#   b_base                             the empty chain: B_BASE
#   b_chain saddr 1000 | b_load        a ruleset
#   b_both saddr-miss 1000 src=...     V[off saddr-miss 1000], V[on ...]
#
# Each figure is kept in V, and handed to the function b_report, which whoever
# sources this may define anew: WORK RULES CONTENDER FIGURE [NOTE].
#
# Starting a program costs more here than what is to be measured.  So the script
# that sources this starts once more, in the namespace under test, and all that is
# done often is done by the shell itself.

# shellcheck source=selftests/lib/pktgen.sh
. "$TOP/selftests/lib/pktgen.sh"

b_die() { echo "Bail out! $*"; exit 1; }

if [[ -z ${B_NS-} ]]; then
	export B_NS=bench
	[[ -e /sys/module/nft_bpfjit ]] || b_die "the module is not loaded"
	modprobe -a nf_tables nf_conntrack pktgen tun
	pg_init $B_NS
	exec ip netns exec $B_NS bash "$0" "$@"
fi

# Enough for figures that differ by no more than two or three instructions from
# one run to the next, all of one measurement.
B_BUDGET=${B_BUDGET:-30000000}

# How often a figure is taken; the least counts, since what comes in between (a timer
# more, a callback of RCU) only adds.  A while lies between two of them: what is still
# going on from the load before adds four instructions to each packet for as long as
# it lasts.  Waiting costs nothing, the guest's clock leaps over it.
B_TIMES=${B_TIMES:-5}

B_PROC=/proc/net/nft_bpfjit
B_SWITCH=/proc/sys/net/netfilter/nft_jit_enable
B_REBUILD=/sys/module/nft_bpfjit/parameters/rebuild_ms
B_TMP=$(mktemp -d)
B_BASE=
declare -A V=()
exec {B_NOTHING}<> <(:)

b_report() { printf '# %-14s %7s  %-14s %10s  %s\n' "$1" "$2" "$3" "$4" "${5-}"; }

# b_wait: what was replaced goes a grace period later.
b_wait() { read -r -t 0.1 -u "$B_NOTHING" || :; }

# b_put WORK RULES CONTENDER FIGURE [NOTE]
b_put()
{
	V["$3 $1 $2"]=$4
	b_report "$@"
}

# b_switch off|on
b_switch()
{
	local value=0

	[[ $1 == off ]] || value=1
	echo $value >$B_SWITCH || b_die "the switch"
	b_wait
}

# b_column NAME [CHAIN]: sets B_COLUMN from the proc file, by the name in its
# first line.
b_column()
{
	local words where='' i

	B_COLUMN=
	while read -r -a words; do
		if [[ ${words[0]} == '#'* ]]; then
			[[ ${words[0]} != '#' ]] || words=("${words[@]:1}")
			for i in "${!words[@]}"; do
				[[ ${words[i]} != chain ]] || where=$i
				[[ ${words[i]} != "$1" ]] || B_COLUMN=$i
			done
			[[ -n $where && -n $B_COLUMN ]] || b_die "no column $1"
		elif [[ ${words[where]} == "${2:-c}" ]]; then
			B_COLUMN=${words[B_COLUMN]}
			return
		fi
	done <$B_PROC
	B_COLUMN=-
}

# b_memory WORK N: bytes of the programs and of the tables of the chain, on.
b_memory()
{
	local jited

	b_column jited
	jited=$B_COLUMN
	b_column tables
	b_put "$1-memory" "$2" on $((jited + B_COLUMN)) "bytes, $B_COLUMN of them of tables"
}

# b_pktgen COUNT [key=value...]: COUNT of pktgen's packets; sets B_COST to hundredths
# of an instruction per packet.  The keys are pg_send's: src=, src_max=, dst=,
# sport=, dport=.
b_pktgen()
{
	local count=$1 src=10.9.0.1 src_max='' dst=10.99.0.1 sport=1000 dport=2000
	local mac arg line

	shift
	for arg; do
		local "$arg"
	done
	read -r mac </sys/class/net/$PG_DEV/address
	{
		echo rem_device_all
		echo add_device $PG_DEV
	} >/proc/net/pktgen/kpktgend_0
	for line in "count $count" "pkt_size 60" "clone_skb 0" "burst 1" "delay 0" \
		    "xmit_mode netif_receive" "dst_mac $mac" "src_min $src" \
		    "src_max ${src_max:-$src}" "dst_min $dst" "dst_max $dst" "udp_src_min $sport" \
		    "udp_src_max $sport" "udp_dst_min $dport" "udp_dst_max $dport"; do
		echo "$line" >/proc/net/pktgen/$PG_DEV || b_die "pktgen: $line"
	done
	echo start >/proc/net/pktgen/pgctrl
	B_COST=
	while read -r line; do
		# Result: OK: 93703(c93693+d10) usec, 20000 (60byte,0frags)
		[[ $line =~ ^Result:\ OK:\ [0-9]+\(c([0-9]+)\+.*usec,\ ([0-9]+)\  ]] || continue
		B_COST=$((BASH_REMATCH[1] * 100000 / BASH_REMATCH[2]))
	done </proc/net/pktgen/$PG_DEV
	[[ -n $B_COST ]] || b_die "pktgen"
}

# b_packet [key=value...]: as many as fit the budget, after some to warm up.
b_packet()
{
	local count least='' i

	b_pktgen 20 "$@"
	count=$((B_BUDGET * 100 / B_COST))
	for ((i = 0; i < B_TIMES; i++)); do
		b_wait
		b_pktgen $((count > 20 ? count : 20)) "$@"
		[[ -n $least && $least -le $B_COST ]] || least=$B_COST
	done
	B_COST=$least
}

# The frame of the chain under test, whose rules come from stdin; $1 are its
# table's other parts, $2 its policy.
b_table()
{
	printf 'table ip t {\n%s\n\tchain c {\n' "${1-}"
	printf '\t\ttype filter hook prerouting priority 0; policy %s;\n' "${2:-accept}"
	cat
	printf '\t}\n}\n'
}

# b_load: the ruleset on stdin instead of what was there.
b_load()
{
	{ echo "table ip t; delete table ip t"; cat; } >"$B_TMP/load"
	nft -f "$B_TMP/load" || b_die "nft -f: $(head -n 5 "$B_TMP/load")"
	b_wait
}

# b_base [key=value...]: measure the empty chain anew, after the surroundings have
# changed.
b_base()
{
	b_table </dev/null | b_load
	b_packet "$@"
	B_BASE=$B_COST
	b_report base 0 empty $((B_BASE / 100))
}

# b_awk N PROGRAM: print something for each i below N.  addr(i) is an address of
# 131072 in an order that is not theirs, none of them 10.9.0.1; port(i) one of
# 16384, not 2000.
b_awk()
{
	awk -v n="$1" "BEGIN { for (i = 0; i < n; i++) { $2 } }"'
	function addr(i,  a) {
		a = i * 48271 % 131072
		return sprintf("10.%d.%d.%d", 100 + int(a / 65536), int(a / 256) % 256, a % 256)
	}
	function port(i) { return 10000 + i * 4649 % 16384 }'
}

# b_rules KIND N: the rules of a chain.
b_rules()
{
	case $1 in
	saddr)
		b_awk "$2" 'print "ip saddr " addr(i) " accept"' ;;
	saddr-dport)
		b_awk "$2" 'print "ip saddr " addr(i) " tcp dport " port(i) " counter accept"' ;;
	same-saddr-tcp)
		b_awk "$2" 'print "ip saddr 10.9.0.1 tcp dport " port(i) " counter accept"' ;;
	same-saddr)
		b_awk "$2" 'print "ip saddr 10.9.0.1 udp dport " port(i) " counter drop"' ;;
	counters)
		b_awk "$2" 'print "ip saddr 10.9.0.1 counter"' ;;
	known)
		# The input chain of a server.
		echo "ct state established,related accept"
		b_awk $(($2 - 1)) 'print "ip saddr " addr(i) " tcp dport " port(i),
			"ct state new accept"' ;;
	*)
		b_die "no rules $1" ;;
	esac
}

b_chain() { b_rules "$1" "$2" | b_table; }

# b_elements N: of a set, with commas.
b_elements() { b_awk "$1" 'printf "%s%s", i ? ", " : "", addr(i)'; }

# b_nested N: N rules at the end of five jumps.
b_nested()
{
	local i

	echo "table ip t {"
	echo "	chain c5 {"
	b_rules saddr "$1"
	echo "	}"
	for i in 4 3 2 1; do
		echo "	chain c$i { ip protocol udp jump c$((i + 1)); }"
	done
	echo "}"
	echo "ip protocol udp jump c1" | b_table
}

# What a hash finds depends on its seed, which is another each time: so what has one
# is measured with many packets, no two of 1024 from the same address.
B_MANY=src_max=10.9.4.0

# b_set KIND N: a rule with a set of N addresses.
b_set()
{
	local flags='' type=ipv4_addr rule='ip saddr @s accept' elements

	case $1 in
	named)
		elements=$(b_elements "$2") ;;
	anonymous)
		echo "ip saddr { $(b_elements "$2") } accept" | b_table
		return ;;
	interval)
		flags='flags interval;'
		elements=$(b_awk "$2" 'printf "%s%s/31", i ? ", " : "", addr(i * 2)') ;;
	concat)
		# Ranges of ports, so that only pipapo will do.
		type='ipv4_addr . inet_service' flags='flags interval;'
		rule='ip saddr . udp dport @s accept'
		elements=$(b_awk "$2" 'printf "%s%s . %d-%d", i ? ", " : "", addr(i),
			port(i), port(i) + 9') ;;
	esac
	echo "$rule" | b_table "set s { type $type; $flags elements = { $elements }; }"
}

# b_figure WORK RULES CONTENDER [key=value...]: above the base.
b_figure()
{
	local work=$1 rules=$2 contender=$3

	shift 3
	b_packet "$@"
	B_COLUMN=
	[[ $contender != on ]] || b_column state
	b_put "$work" "$rules" "$contender" $(((B_COST - B_BASE + 50) / 100)) "$B_COLUMN"
}

# b_both WORK RULES [key=value...]: switch off and on.
b_both()
{
	local work=$1 rules=$2

	shift 2
	b_switch off
	b_figure "$work" "$rules" off "$@"
	b_switch on
	b_figure "$work" "$rules" on "$@"
}

# Lists of packets (send.c).

# Where selftests/bench/prepare has left its files.
B_INPUT=${B_INPUT:-$TOP/build/bench/input}

# b_list LIST [BUDGET]: instructions per packet.
b_list()
{
	"$B_INPUT/send" -n "$B_TIMES" -b "${2:-$B_BUDGET}" <"$1" || b_die "send"
}

# b_accepted LIST: how many of its packets come to the end of prerouting.
b_accepted()
{
	nft -f - <<-END
	table ip seen {
		chain c {
			type filter hook prerouting priority 100; policy accept;
			counter
		}
	}
	END
	b_list "$1" 0
	nft list table ip seen | sed -n 's/.*counter packets \([0-9]*\).*/\1/p'
	nft delete table ip seen
}

# b_list_base LIST: what its packets cost when all are accepted, and when all are
# dropped, which ends their way before the sink; sets B_ACCEPT, B_DROP.
b_list_base()
{
	b_table "" accept </dev/null | b_load
	B_ACCEPT=$(b_list "$1")
	b_table "" drop </dev/null | b_load
	B_DROP=$(b_list "$1")
}

# b_list_above FIGURE PACKETS ACCEPTED: above the base of the same verdicts.
b_list_above()
{
	awk -v f="$1" -v n="$2" -v a="$3" -v accept="$B_ACCEPT" -v drop="$B_DROP" \
		'BEGIN { printf "%.0f\n", f - (accept * a + drop * (n - a)) / n }'
}

# b_list_both WORK RULES LIST: switch off and on.  V["accepted-off
# ..."] and "on" are how many packets of the list were.
b_list_both()
{
	local work=$1 rules=$2 list=$3 n contender accepted figure note

	n=$(wc -l <"$list")
	for contender in off on; do
		b_switch $contender
		accepted=$(b_accepted "$list")
		V["accepted-$contender $work $rules"]=$accepted
		note="accepted $accepted/$n"
		figure=$(b_list "$list")
		if [[ $contender == on ]]; then
			b_column state
			note="$B_COLUMN $note"
		fi
		b_put "$work" "$rules" "$contender" \
			"$(b_list_above "$figure" "$n" "$accepted")" "$note"
	done
}

# b_tuples SHAPE N: rules.py's.
b_tuples()
{
	local prefix=$B_INPUT/$1-$2

	[[ -e $prefix.packets ]] || b_die "no $prefix.packets, run selftests/bench/prepare"
	b_list_base "$prefix.packets"
	b_table <"$prefix.nft" | b_load
	b_list_both "$1" "$2" "$prefix.packets"
	b_memory "$1" "$2"
}

# b_single: rules that stand alone.  The module is to leave them to the interpreter
# unless it does better.
b_single()
{
	local rule name

	while read -r name rule; do
		echo "$rule" | b_table | b_load
		b_both "$name" 1
	done <<-END
	single-dport udp dport 53 accept
	single-ports udp dport 100-200 accept
	single-net ip saddr 10.32.0.0/13 accept
	single-iifname iifname "eth*" accept
	single-mark meta mark 5 accept
	single-set ip saddr { 10.1.1.1, 10.1.1.2 } accept
	single-both ip saddr 10.9.0.1 udp dport 53 counter drop
	single-accept ip saddr 10.9.0.1 accept
	single-count ip saddr 10.9.0.1 counter
	END
}

# b_known: a connection that is known; connection tracking stays on after this.
b_known()
{
	nft -f - <<-END
	table ip tracked {
		chain output {
			type filter hook output priority 0; policy accept;
			ct state new counter
		}
	}
	END
	# it is there when this is measured once more
	conntrack -D -p udp -s 10.9.0.1 -d 10.99.0.1 --sport 1000 --dport 2000 \
		>/dev/null 2>&1
	conntrack -I -p udp -s 10.9.0.1 -d 10.99.0.1 --sport 1000 --dport 2000 -t 6000 \
		-u SEEN_REPLY,ASSURED >/dev/null 2>&1 || b_die "conntrack"
	b_base
	b_chain known 30 | b_load
	b_both known 30
	# It is the first rule that accepts them: the last of its packets says so.
	{ echo "ct state established counter"; b_rules known 30; } | b_table | b_load
	b_pktgen 10
	nft list chain ip t c | grep -q 'established counter packets 10 ' ||
		b_die "no known connection"
	nft delete table ip tracked
}

# What commands cost.

# How often a command is run; the least counts.
B_COMMANDS=${B_COMMANDS:-1}

# b_cost WORK RULES CONTENDER COMMAND...: V has the least of all calls.
b_cost()
{
	local figure="$3 $1 $2" cost

	shift 3
	pg_busy
	cost=$PG_BUSY
	"$@" >/dev/null || b_die "$*"
	pg_busy
	cost=$((PG_BUSY - cost))
	[[ -n ${V[$figure]-} && ${V[$figure]} -le $cost ]] || V[$figure]=$cost
}

# b_cost_put WORK RULES CONTENDER
b_cost_put() { b_put "$@" "${V["$3 $1 $2"]}"; }

b_forget()
{
	nft "table ip t; delete table ip t"
	b_wait
}

# b_cost_file WORK RULES: nft -f of the ruleset in $B_TMP/load, into no table; once to
# warm up.
b_cost_file()
{
	local contender i

	for contender in off on; do
		b_switch $contender
		b_forget
		nft -f "$B_TMP/load" || b_die "nft -f"
		for ((i = 0; i < B_COMMANDS; i++)); do
			b_forget
			b_cost "$1" "$2" $contender nft -f "$B_TMP/load"
		done
		b_cost_put "$1" "$2" $contender
	done
}

# b_cost_load N
b_cost_load()
{
	b_chain saddr "$1" >"$B_TMP/load"
	b_cost_file load "$1"
}

# b_cost_tuples SHAPE N
b_cost_tuples()
{
	b_table <"$B_INPUT/$1-$2.nft" >"$B_TMP/load"
	b_cost_file "load-$1" "$2"
}

# b_cost_edit N: one rule of a chain.  Handles count on from 2, a replaced rule has
# that of the old one.  The first time is to warm up.  Then what the worker does
# some time after a change, however many there were (contender on, figure later),
# which for that has to wait until it is asked for.
b_cost_edit()
{
	local n=$1 contender new was i

	was=$(<$B_REBUILD)
	for contender in off on; do
		b_switch $contender
		b_forget
		echo 100000000 >$B_REBUILD
		b_chain saddr "$n" >"$B_TMP/load"
		nft -f "$B_TMP/load" || b_die "nft -f"
		new=$((n + 2))
		nft add rule ip t c ip saddr 10.8.0.1 accept &&
			nft replace rule ip t c handle $new ip saddr 10.8.0.2 accept &&
			nft delete rule ip t c handle $new || b_die "nft"
		for ((i = 0; i < B_COMMANDS; i++)); do
			new=$((new + 1))
			b_wait
			b_cost add "$n" $contender nft add rule ip t c ip saddr 10.8.0.1 accept
			b_cost replace "$n" $contender \
				nft replace rule ip t c handle $new ip saddr 10.8.0.2 accept
			b_cost delete "$n" $contender nft delete rule ip t c handle $new
		done
		for i in add replace delete; do
			b_cost_put $i "$n" $contender
		done
		if [[ $contender == on ]]; then
			b_cost later "$n" $contender b_rebuild
			b_cost_put later "$n" $contender
		fi
		echo "$was" >$B_REBUILD
	done
}

# b_rebuild: let the worker do what it has to do.
b_rebuild()
{
	local was

	b_column prog
	was=$B_COLUMN
	echo 0 >$B_REBUILD
	b_wait
	b_column prog
	[[ $B_COLUMN != "$was" ]]
}

# b_cost_namespaces MANY N: the same N rules in each of many namespaces.
b_cost_namespaces()
{
	local many=$1 n=$2 contender i

	b_forget
	b_chain saddr "$n" >"$B_TMP/load"
	for contender in off on; do
		for ((i = 0; i < many; i++)); do
			ip netns add "many$i" || b_die "ip netns"
			[[ $contender == on ]] ||
				nsenter "--net=/run/netns/many$i" \
					bash -c "echo 0 >$B_SWITCH" || b_die "the switch"
		done
		b_cost namespaces-$many "$n" $contender b_load_namespaces "$many"
		b_cost_put namespaces-$many "$n" $contender
		for ((i = 0; i < many; i++)); do
			ip netns del "many$i"
		done
		b_wait
	done
}

b_load_namespaces()
{
	local i

	for ((i = 0; i < $1; i++)); do
		nsenter "--net=/run/netns/many$i" nft -f "$B_TMP/load" || return 1
	done
}
