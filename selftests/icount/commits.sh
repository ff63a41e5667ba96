#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 1200
#
# What commits cost where a chain can't be translated: those of a rule each to a chain
# of 3,000 rules, with the switch on, against the same with the switch off.
# Whatever keeps the chain from being translated is not to be found out anew, at its
# full price, by each of them.
set -u

RULES=3000
COMMITS=5

# the states of the chain, and how many times as much a commit may cost
declare -A LIMIT=([bpf]=1.8 [nftrace]=1.5 [limit]=1.5 [no-jit]=1.5)
STATES=(bpf nftrace limit no-jit)

[[ -n ${B_NS-} ]] || echo "1..$((2 * ${#STATES[@]}))"
# shellcheck source=selftests/bench/lib.sh
. "$TOP/selftests/bench/lib.sh"
# shellcheck source=selftests/lib/hold.sh
. "$TOP/selftests/lib/hold.sh"

PARAMS=/sys/module/nft_bpfjit/parameters
tests=0 failed=0

result()
{
	tests=$((tests + 1))
	if [[ $1 = 0 ]]; then
		echo "ok $tests $2"
	else
		echo "not ok $tests $2"
		failed=1
	fi
}

# jit 0|1: the kernel's, which the first netns governs.
jit() { nsenter -t 1 -n sysctl -qw net.core.bpf_jit_enable="$1"; }

# bring STATE: about
bring()
{
	case $1 in
	limit) echo 64 >$PARAMS/max_netns_kb ;;
	no-jit) jit 0 ;;
	esac
}

usual()
{
	echo 65536 >$PARAMS/max_netns_kb
	jit 1
}

# Each line is a transaction.
commits()
{
	local i

	for ((i = 0; i < COMMITS; i++)); do
		echo "add rule ip t c ip saddr 10.8.0.$i counter"
	done | nft -i
}

# cost STATE CONTENDER
cost()
{
	# what a worker does later is not part of it, see figures.sh
	echo 100000000 >"$B_REBUILD"
	b_forget
	b_switch "$2"
	bring "$1"
	nft -f "$B_TMP/load" || b_die "nft -f"
	[[ $1 != nftrace ]] || nft -f - <<-END || b_die "nft"
	table ip t {
		chain other {
			meta nftrace set 1
		}
	}
	END
	# once to warm up, and for whoever wants to know better than to try again
	commits || b_die "nft"
	b_wait
	b_cost "$1" $RULES "$2" commits
	echo 500 >"$B_REBUILD"
	B_COLUMN=
	[[ $2 = off ]] || b_column state
	b_put "$1" $RULES "$2" "${V["$2 $1 $RULES"]}" "$B_COLUMN"
	usual
}

main()
{
	local state off on text bound=()

	b_chain saddr $RULES >"$B_TMP/load"
	for state in "${STATES[@]}"; do
		off="off $state $RULES" on="on $state $RULES"
		bound=("$on" "${LIMIT[$state]}" "$off" 0)
		# The least of three at most (hold.sh says why).
		for _ in 1 2 3; do
			cost "$state" off
			cost "$state" on
			! holds "${bound[@]}" || break
		done
		[[ $B_COLUMN = "$state" ]]
		result $? "the chain's state is $state ($B_COLUMN)"
		text="on (${V[$on]}) <= ${LIMIT[$state]} * off (${V[$off]})"
		holds "${bound[@]}"
		result $? "$state: $COMMITS commits: $text"
	done
	exit $failed
}

main
