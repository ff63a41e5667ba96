#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What one chain does to the others of its table goes when that chain goes: its
# rules, itself, or in one transaction with other things.  And a commit that fails
# leaves all as it was.
#
# timeout: 600
. "$(dirname "$0")/lib.sh"

load_module
simple_ns a
ruleset 300 | in_ns a nft -f -
check "translated" is_state a bpf

# the usual recipe for tracing
recipe()
{
	in_ns a nft "add chain ip t trace { type filter hook prerouting priority -350; };
		add rule ip t trace ip saddr 10.9.9.9 meta nftrace set 1"
}

recipe
check "a chain that traces: the table is interpreted" is_state a nftrace
check "... packets are counted" counts a
in_ns a nft "flush chain ip t trace; delete chain ip t trace"
check "... it goes at once: translated" is_state a bpf
check "... packets are counted" counts a

recipe
in_ns a nft flush chain ip t trace
check "... its rules go: translated" is_state a bpf
in_ns a nft add rule ip t trace ip saddr 10.9.9.9 meta nftrace set 1
check "... come again: interpreted" is_state a nftrace
in_ns a nft add rule ip t c ip saddr 10.8.8.8 counter
check "... another commit: still" is_state a nftrace
in_ns a nft add rule ip t trace ip saddr 10.8.8.8 counter
check "... more rules beside it: still" is_state a nftrace
handle=$(in_ns a nft -a list chain ip t trace | sed -n 's/.*nftrace set 1 # handle //p')
in_ns a nft delete rule ip t trace handle "$handle"
check "... only that rule goes: translated" is_state a bpf
check "... packets are counted" counts a
in_ns a nft "flush chain ip t trace; delete chain ip t trace"

# A loop is found when the transaction is validated, after our part.
bad()
{
	! in_ns a nft "flush chain ip t c; add chain ip t x; add rule ip t x meta nftrace set 1;
		add rule ip t c counter accept; add chain ip t l; add rule ip t l jump l;
		add rule ip t c jump l" 2>/dev/null
}

check "a commit that fails" bad
check "... leaves the chain translated" is_state a bpf
in_ns a nft add rule ip t c ip saddr 10.7.7.7 counter
check "... the next one as well" is_state a bpf
check "... packets are counted" counts a

# Jumps: a small chain is translated for what it jumps to.
in_ns a nft -f - <<-END
	table ip j {
		chain deep { ip ttl 1 accept; }
		chain big {
			$(for i in {1..60}; do echo "ip saddr 10.3.0.$i drop"; done)
			jump deep
		}
		chain c { type filter hook output priority 10; jump big; }
	}
END
of_j() { [ "$(state a ip j c)" = "$1" ] || { status a; return 1; }; }
check "a small chain that jumps to one that jumps: translated" of_j bpf
in_ns a nft "flush chain ip j c; delete chain ip j big;
	add rule ip j c jump deep"
check "... that one goes: left to the interpreter" of_j cheap
check "... and so is a small chain that it jumps to" \
	test "$(state a ip j deep)" = cheap
in_ns a nft insert rule ip j c ip protocol udp jump deep
check "a test before the jump: both are translated" of_j bpf
check "... the small chain as well" test "$(state a ip j deep)" = bpf
in_ns a nft -f - < <(for i in {1..64}; do
	echo "add chain ip j small$i; add rule ip j small$i ip ttl 1 accept"
done)
check "64 more of them: too many" test "$(state a ip j deep)" = cheap
check "... left to the interpreter, all" \
	test "$(status a | grep -c '^ip j .* cheap$')" = 65
in_ns a nft delete chain ip j small1
check "one fewer: translated" test "$(state a ip j deep)" = bpf
in_ns a nft delete table ip j

in_ns a nft flush ruleset
check "the end: all is given back" eventually no_programs
finish
