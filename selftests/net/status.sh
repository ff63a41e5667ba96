#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The last column of /proc/net/nft_bpfjit: why a chain is interpreted.  The
# reasons that take some doing have tests of their own (nojit.sh, trace.sh, and
# limits.sh and settings.sh in ../safety).
#
# timeout: 300
. "$(dirname "$0")/lib.sh"

# handle CHAIN N: of its Nth rule.
handle()
{
	in_ns on nft -a list chain inet t "$1" |
		sed -n 's/.*counter.* # handle \([0-9]*\)$/\1/p' | sed -n "${2}p"
}

# descriptors SOFT:HARD: so many for the kernel's threads, and those they start.
descriptors()
{
	local pid

	for pid in 2 $(pgrep -P 2); do
		# one that has ended meanwhile
		prlimit --pid="$pid" --nofile="$1" || [ ! -e "/proc/$pid" ]
	done
}

load_module
ip netns add on
ruleset on <<-END
	table inet t {
		chain nil { }
		chain one { tcp dport 1 counter; }
		chain always { counter; }
		chain fibs {
			type filter hook input priority 0;
			counter
			fib daddr type local counter
			fib saddr type local counter
		}
		chain mixed {
			type filter hook input priority 0;
			fib daddr type local counter
			$(printf 'tcp dport %d counter\n' 1 3 5 7 9 11 13 15)
		}
		chain ports {
			type filter hook input priority 0;
			$(printf 'tcp dport %d drop\n' 1 3 5 7 9 11 13 15)
		}
		chain hosts {
			type filter hook input priority 0;
			$(printf 'ip saddr 10.0.0.%d drop\n' {1..200})
		}
	}
END
check "the heading names the columns" grep -qx \
	"# family table chain handle rules whole residue prog tag insns jited tables state" \
	<(in_ns on head -n 1 /proc/net/nft_bpfjit)
check "a line for each chain" [ "$(status on | wc -l)" = 7 ]
check "no rules: empty" is_state on inet t nil empty
check "one rule: cheap" is_state on inet t one cheap
check "nothing to match: cheap" is_state on inet t always cheap
check "nothing understood: unsupported, what and where" \
	is_state on inet t fibs "unsupported:fib@$(handle fibs 2)"
check "something understood: bpf" is_state on inet t mixed bpf
check "all understood: bpf" is_state on inet t ports bpf
check "how many rules, whole, with a residue" [ "$(status on |
	awk '$3 == "mixed" { print $5, $6, $7 }')" = "9 8 9" ]
check "a program, its tag and size" [ "$(status on | awk '$3 == "ports" {
	print ($8 ~ /^[0-9]+$/), ($9 ~ /^[0-9a-f]+$/ && length($9) == 16),
		($10 > 0), ($11 > 0) }')" \
	= "1 1 1 1" ]
check "a few ports take no table, many addresses do" [ "$(status on |
	awk '$3 == "ports" { print ($12 == 0) } $3 == "hosts" { print ($12 >= 4 * $5) }' |
	xargs)" = "1 1" ]
check "an interpreted chain has neither" [ "$(status on |
	awk '$3 == "one" { print $8, $9, $10, $11, $12, NF }')" = "- - 0 0 0 13" ]

in_ns on nft delete rule inet t fibs handle "$(handle fibs 2)"
check "that rule is gone: the next one" \
	is_state on inet t fibs "unsupported:fib@$(handle fibs 2)"
in_ns on nft delete rule inet t fibs handle "$(handle fibs 2)"
check "both are gone: cheap" is_state on inet t fibs cheap

# Programs are loaded by a kernel thread, which has two descriptors for a moment.
descriptors 0:0
in_ns on nft add rule inet t ports tcp dport 15 drop
check "no descriptor: the commit succeeds, nofile" is_state on inet t ports nofile
check "... the others are as they were" is_state on inet t hosts bpf
descriptors 1024:4096
in_ns on nft add rule inet t one tcp dport 2
check "descriptors again: its table's next commit has it translated" \
	is_state on inet t ports bpf

jit on 0
for c in nil one always fibs mixed ports hosts; do
	check "switched off: $c is off" is_state on inet t $c off
done
finish
