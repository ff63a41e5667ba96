# SPDX-License-Identifier: GPL-2.0-only
#
# Put a counter on each rule of a ruleset (as nft lists it) that has none, behind
# what it matches and before what it does, as far as that can be told from its
# words.
#
# usage: awk -f instrument.awk RULESET

function words(what) { return "(^|[ \t])" what "([ \t]|$)" }

BEGIN {
	does = words("(accept|drop|return|continue|jump|goto|reject|masquerade|redirect|" \
		     "notrack|log|limit|queue|(dnat|snat) (ip |ip6 )?to|flow add|fwd to|" \
		     "(mark|priority|helper|dscp|daddr|saddr|size) set|update @|add @)")
}

/^[ \t]*chain / { in_chain = 1; print; next }
/^[ \t]*}/ { in_chain = 0; print; next }
!in_chain || /^[ \t]*(#|type|policy|comment|$)/ || / counter( |$)/ || / vmap / ||
/^[ \t]*counter/ {
	print
	next
}
# where the key of a set statement begins, two words ahead of "set"
match($0, /[ \t](meta|ct|ip|ip6|tcp option|ether) [a-z]+ (size )?set /) && $0 !~ /counter/ {
	print substr($0, 1, RSTART) "counter " substr($0, RSTART + 1)
	next
}
match($0, does) {
	# the match may begin with the blank before, or the one that indents
	at = RSTART
	while (substr($0, at, 1) ~ /[ \t]/)
		at++
	print substr($0, 1, at - 1) "counter " substr($0, at)
	next
}
match($0, / comment "/) { print substr($0, 1, RSTART) "counter" substr($0, RSTART); next }
{ print $0 " counter" }
