#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# No ruleset of the corpus costs a packet more instructions with the switch on
# than off.  In a guest of "scripts/guest --icount", where a nanosecond is an
# instruction: probe -c sends each of some packets often enough to say what it
# costs, with the switch off and on in turn, in one namespace.  What counts is the least
# of each: now and then all of a packet's rounds meet work that is not the packet's.
# So a ruleset with a packet that seems dearer is measured again, a few times.  How far
# the figures of off differ is printed as noise.
#
# usage: cost.sh [ruleset...]
#
# timeout: 1500
. "$(dirname "$0")/lib.sh"

# Packets of each ruleset, evenly from all that there are.
PACKETS=${PACKETS:-30}
# Instructions that one measurement may differ from the next, besides a thousandth of
# the packet.
SLACK=12

# How often each ruleset is measured, and how often at the most.
LEAST=2
MOST=5

# measure FILE: each packet, into FILE if it is less than what is there, in front of
# the most that there was.
measure()
{
	in_ns on conntrack -F >/dev/null 2>&1
	[ -e "$1" ] || : >"$1"
	in_ns on-tx "$MADE/probe" -c <"$TMP/packets" |
		awk -v old="$1" '
		{
			cost = $1
			sub(/^[0-9]+ /, "")
			least = most = cost
			if ((getline was <old) > 0) {
				split(was, f, " ")
				least = f[1] < cost ? f[1] : cost
				most = f[2] > cost ? f[2] : cost
			}
			print least, most, $0
		}' >"$1.new"
	mv "$1.new" "$1"
}

# compare NAME: the worst, the sums, and whether all are within bounds.
compare()
{
	paste -d '|' "$TMP/off" "$TMP/on" | awk -F '|' -v slack=$SLACK -v name="$1" '
	{
		split($1, off, " ")
		split($2, on, " ")
		noise = off[2] - off[1] > noise ? off[2] - off[1] : noise
		n++
		sum_off += off[1]
		sum_on += on[1]
		if (on[1] - off[1] > worst || n == 1)
			worst = on[1] - off[1]
		if (on[1] > off[1] + slack + off[1] / 1000) {
			bad++
			sub(/^[0-9]+ [0-9]+ /, "", $1)
			printf "%s: off %d to %d, on %d to %d: +%d for %s\n", name, off[1],
				off[2], on[1], on[2], on[1] - off[1], $1
		}
	}
	END {
		printf "%s: %d packets, off %.0f, on %.0f in the mean, worst %+d, " \
			"%d dearer, noise %d\n", name, n, sum_off / n, sum_on / n,
			worst, bad, noise
		exit !(n && !bad)
	}' >"$TMP/compared"
}

# one NAME: loaded.
one()
{
	local try

	rm -f "$TMP/off" "$TMP/on"
	for ((try = 1; try <= MOST; try++)); do
		measure "$TMP/off"
		jit on 1
		measure "$TMP/on"
		jit on 0
		compare "$1" && [ $try -ge $LEAST ] && return
	done
	cat "$TMP/compared"
	return 1
}

corpus_init
corpus_ns on
jit on 0
# What waits for a neighbour costs more as soon as the queue is full.
in_ns on sh -c 'for f in /proc/sys/net/ipv[46]/neigh/*/unres_qlen_bytes; do echo 0 >$f; done'
[ $# -gt 0 ] || read -rd '' -a names < <(rulesets)
[ $# = 0 ] || names=("$@")
for name in "${names[@]}"; do
	load on "steady/$name" >"$TMP/loaded" 2>&1 ||
		{ sed 's/^/# /' "$TMP/loaded"; notok "$name: loads"; continue; }
	arp on "$name"
	awk -v max="$PACKETS" '/^dev/ { print; next } { p[n++] = $0 }
		END { for (i = 0; i < n; i += n > max ? n / max : 1) print p[int(i)] }' \
		"$MADE/$name.packets" >"$TMP/packets"
	check "$name: no packet is dearer" one "$name"
	sed 's/^/# /' "$TMP/compared" | tail -n 1
	cat "$TMP/compared" >>"$RESULTS/corpus-cost"
done
finish
