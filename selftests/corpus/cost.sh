#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# No ruleset of the corpus costs a packet more instructions with the switch on
# than off.  In a guest of "scripts/guest --icount", where a nanosecond is an
# instruction: probe -c sends each of some packets often enough to say what it
# costs, first with the switch off, then on, then off again, in one namespace.
# The two figures of off tell how far the figure can be trusted.
#
# usage: cost.sh [ruleset...]
#
# timeout: 1500
. "$(dirname "$0")/lib.sh"

# Packets of each ruleset, evenly from all that there are.
PACKETS=${PACKETS:-30}
# Instructions that one measurement may differ from the next, besides what the
# two of "off" differ.
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
	paste -d '|' "$TMP/off1" "$TMP/on1" "$TMP/off2" | awk -F '|' -v slack=$SLACK \
		-v name="$1" '
	{
		off = $1 + 0; on = $2 + 0; again = $3 + 0
		hi = off > again ? off : again
		lo = off < again ? off : again
		noise = hi - lo > noise ? hi - lo : noise
		n++
		sum_off += (off + again) / 2
		sum_on += on
		if (on - hi > worst || n == 1)
			worst = on - hi
		if (on > hi + slack) {
			bad++
			line = $1
			sub(/^[0-9]+ /, "", line)
			printf "%s: off %d (%d), on %d: +%d for %s\n", name, off, again, on,
				on - hi, line
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
	jit on 0
	measure "$name" "$TMP/off2"
	check "$name: no packet is dearer" compare "$name"
	sed 's/^/# /' "$TMP/compared" | tail -n 1
	cat "$TMP/compared" >>"$RESULTS/corpus-cost"
done
finish
