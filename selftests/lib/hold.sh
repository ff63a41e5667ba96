# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Figures of selftests/bench/lib.sh are held to bounds.  To be sourced behind it.

hold_tests=0
hold_failed=0

# hold FIGURE TIMES OF PLUS: a test, FIGURE <= TIMES * OF + PLUS
hold()
{
	local figure=${V[${1//:/ }]-} of=${V[${3//:/ }]-} text

	hold_tests=$((hold_tests + 1))
	text="$1 (${figure:-none}) <= $2 * $3 (${of:-none}) + $4"
	if [[ -n $figure && -n $of ]] && awk -v f="$figure" -v t="$2" -v o="$of" \
		-v p="$4" 'BEGIN { exit !(f <= t * o + p) }'; then
		echo "ok $hold_tests $text"
	else
		echo "not ok $hold_tests $text"
		hold_failed=1
	fi
}

# hold_all TABLE: each line of it, and the end
hold_all()
{
	local figure times of plus goal

	while read -r figure times of plus goal; do
		[[ -n $figure && $figure != '#' ]] || continue
		hold "$figure" "$times" "$of" "$plus" "$goal"
	done <<<"$1"
	exit $hold_failed
}
