# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Figures of selftests/bench/lib.sh are held to bounds.  To be sourced behind it.
#
# They are taken in parts, each a function of whoever sources this, which measures
# its own base.  Where a bound is broken the part that the figure is of runs again, at
# most HOLD_ROUNDS times in all: what comes between two packets (a timer, a callback
# of RCU) only adds, so the least of each figure counts, and noise goes while a
# slow-down stays.
#
#   hold_all "$table" part_one part_two
#
HOLD_ROUNDS=3

hold_round=1
hold_part=
hold_tests=0
hold_failed=0
# the part of each figure
declare -A hold_parts=()

# b_put WORK RULES CONTENDER FIGURE [NOTE]: in place of the one of lib.sh.
b_put()
{
	local figure="$3 $1 $2"

	hold_parts[$figure]=$hold_part
	[[ $hold_round -gt 1 && -n ${V[$figure]-} && ${V[$figure]} -le $4 ]] ||
		V[$figure]=$4
	b_report "$@"
}

# hold_lines TABLE: its lines without the rest.
hold_lines() { grep -v -e '^#' -e '^ *$' <<<"$1"; }

# holds FIGURE TIMES OF PLUS: FIGURE <= TIMES * OF + PLUS; the figures by their names
# in V.
holds()
{
	[[ -n ${V[$1]-} && -n ${V[$3]-} ]] &&
		awk -v f="${V[$1]}" -v t="$2" -v o="${V[$3]}" -v p="$4" \
			'BEGIN { exit !(f <= t * o + p) }'
}

# hold_broken TABLE: the parts whose figures break a bound.
hold_broken()
{
	local figure times of plus goal

	hold_lines "$1" | while read -r figure times of plus goal; do
		figure=${figure//:/ }
		holds "$figure" "$times" "${of//:/ }" "$plus" ||
			echo "${hold_parts[$figure]-}"
	done | sort -u | grep .
}

# hold FIGURE TIMES OF PLUS: a test.
hold()
{
	local text="$1 (${V[${1//:/ }]-none}) <= $2 * $3 (${V[${3//:/ }]-none}) + $4"

	hold_tests=$((hold_tests + 1))
	if holds "${1//:/ }" "$2" "${3//:/ }" "$4"; then
		echo "ok $hold_tests $text"
	else
		echo "not ok $hold_tests $text"
		hold_failed=1
	fi
}

# hold_all TABLE PART...: measure, then each line of the table, and the end.
hold_all()
{
	local table=$1 figure times of plus goal

	shift
	while :; do
		for hold_part; do
			$hold_part
		done
		# shellcheck disable=SC2046
		set -- $(hold_broken "$table")
		[[ $# -gt 0 && $hold_round -lt $HOLD_ROUNDS ]] || break
		hold_round=$((hold_round + 1))
		echo "# once more: $*"
	done
	while read -r figure times of plus goal; do
		hold "$figure" "$times" "$of" "$plus"
	done < <(hold_lines "$table")
	exit $hold_failed
}
