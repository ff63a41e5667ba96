#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# No ruleset of the corpus costs a packet more instructions with the switch on
# than off.  In a guest of "scripts/guest --icount", where a nanosecond is an
# instruction: probe -c sends each of some packets often enough to say what it
# costs, with the switch off, on, on and off, in one namespace.  What counts is the
# lower one of each two: now and then all of a packet's rounds meet work that is not
# the packet's.  How far the two of off differ is printed as noise.
#
# usage: cost.sh [ruleset...]
#
# timeout: 1500
. "$(dirname "$0")/lib.sh"

# Packets of each ruleset, evenly from all that there are.
PACKETS=${PACKETS:-30}
# Instructions that one measurement may differ from the next.
SLACK=12

# measure NAME FILE
measure()
{
	in_ns on conntrack -F >/dev/null 2>&1
	in_ns on-tx "$MADE/probe" -c <"$TMP/packets" >"$2"
}

# compare NAME: the worst, the sums, and whether all are within bounds.
compare()
{
	paste -d '|' "$TMP/off1" "$TMP/off2" "$TMP/on1" "$TMP/on2" |
		awk -F '|' -v slack=$SLACK -v name="$1" '
	function min(a, b) { return a < b ? a : b }
	{
		off = min($1 + 0, $2 + 0)
		on = min($3 + 0, $4 + 0)
		differ = $1 + $2 - 2 * off
		noise = differ > noise ? differ : noise
		n++
		sum_off += off
		sum_on += on
		if (on - off > worst || n == 1)
			worst = on - off
		if (on > off + slack) {
			bad++
			line = $1
			sub(/^[0-9]+ /, "", line)
			printf "%s: off %d %d, on %d %d: +%d for %s\n", name, $1, $2,
				$3, $4, on - off, line
		}
	}
	END {
		printf "%s: %d packets, off %.0f, on %.0f in the mean, worst %+d, " \
			"%d dearer, noise %d\n", name, n, sum_off / n, sum_on / n,
			worst, bad, noise
		exit !(n && !bad)
	}' | tee "$TMP/compared"
	[ "${PIPESTATUS[1]}" = 0 ]
}

corpus_init
corpus_ns on
jit on 0
[ $# -gt 0 ] || read -rd '' -a names < <(rulesets)
[ $# = 0 ] || names=("$@")
for name in "${names[@]}"; do
	load on "steady/$name" >"$TMP/loaded" 2>&1 ||
		{ sed 's/^/# /' "$TMP/loaded"; notok "$name: loads"; continue; }
	arp on "$name"
	awk -v max="$PACKETS" '/^dev/ { print; next } { p[n++] = $0 }
		END { for (i = 0; i < n; i += n > max ? n / max : 1) print p[int(i)] }' \
		"$MADE/$name.packets" >"$TMP/packets"
	measure "$name" "$TMP/off1"
	jit on 1
	measure "$name" "$TMP/on1"
	measure "$name" "$TMP/on2"
	jit on 0
	measure "$name" "$TMP/off2"
	check "$name: no packet is dearer" compare "$name"
	sed 's/^/# /' "$TMP/compared" | tail -n 1
	cat "$TMP/compared" >>"$RESULTS/corpus-cost"
done
finish
