#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A namespace that a non-initial user namespace owns: its rules work, nothing of
# it is translated, and its root can't switch that on.
#
# timeout: 600
. "$(dirname "$0")/lib.sh"

SWITCH=/proc/sys/net/netfilter/nft_jit_enable

begin
before=$(programs)
# Holds the namespaces open, and says when they are there.
coproc unshare -Urn sh -c 'ip link set lo up; echo up; read -r x'
read -r _ <&"${COPROC[0]}"
inside() { nsenter -U -n --preserve-credentials -t "$COPROC_PID" "$@"; }

check "rules are taken" inside nft -f - <<-END
	table inet t {
		chain out {
			type filter hook output priority 0;
			ip daddr 127.0.0.1 udp dport 7 counter
			ip daddr 127.0.0.1 udp dport 8 counter
			ip daddr 127.0.0.2 udp dport 9 counter drop
			tcp dport 1-100 counter
		}
	}
END
states() { inside sed 1d /proc/net/nft_bpfjit | awk '{ print $3, $8, $NF }'; }
check "not translated" [ "$(states)" = "out - off" ]
check "no program" [ "$(programs)" = "$before" ]
check "the switch shows 0" [ "$(inside cat $SWITCH)" = 0 ]
check "the switch is read-only" [ "$(inside stat -c %a $SWITCH)" = 444 ]
turn() { ! inside sh -c "echo $1 >$SWITCH" 2>/dev/null; }
check "root there can't set it" turn 1
check "nor unset it" turn 0
# The owner of the machine can't either: root here, in that network namespace.
outside() { ! nsenter -n -t "$COPROC_PID" sh -c "echo 1 >$SWITCH" 2>/dev/null; }
check "nor can root of the machine" outside
check "still 0" [ "$(inside cat $SWITCH)" = 0 ]

inside bash -c 'for i in 1 2 3; do echo x >/dev/udp/127.0.0.1/7; done
	echo x >/dev/udp/127.0.0.1/8; :' 2>/dev/null
inside nft list ruleset >"$TMP/list"
check "the rules count" grep -q 'udp dport 7 counter packets 3 ' "$TMP/list"
check "commits go on" inside nft add rule inet t out udp dport 10 counter
check "still not translated" [ "$(states)" = "out - off" ]

# what is there when the module is loaded
check "rmmod" rmmod nft_bpfjit
check "insmod" insmod "$MODULE" min_cost=0
check "not translated when the module is loaded" [ "$(states)" = "out - off" ]
check "still no program" programs_are 0

# one that root makes in its own user namespace is like any other
ip netns add mine
ruleset mine <<-END
	table ip t {
		chain out {
			type filter hook output priority 0;
			tcp dport 1 counter
			udp dport 2 counter
		}
	}
END
check "a namespace of the initial user namespace is translated" is_state mine ip t out bpf
eval "exec ${COPROC[1]}>&-"
wait
finish
