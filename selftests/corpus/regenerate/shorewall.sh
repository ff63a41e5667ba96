#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
#: shorewall's example of a router with three interfaces (net eth0, loc eth1,
#: dmz eth2), through iptables-nft, with macros, DNAT and logging.
. "${0%/*}/lib.sh"

regenerate shorewall.ipt4 shorewall iptables <<'END'
	{
		for i in 0 1 2; do
			ip link add eth$i type bridge
			ip link set eth$i up
			ip addr add 10.$i.0.1/24 dev eth$i
		done
		ip route add default via 10.0.0.254
		cp /usr/share/doc/shorewall/examples/three-interfaces/* /etc/shorewall/
		gunzip -f /etc/shorewall/*.gz || :
		cd /etc/shorewall
		ls
		cat >>rules <<-CONF
		DNAT		net	dmz:10.2.0.10	tcp	80,443
		DNAT		net	loc:10.1.0.20:22	tcp	2222
		ACCEPT		net:192.0.2.0/24	\$FW	tcp	9100
		DROP:info	net:203.0.113.0/24	all
		Web(ACCEPT)	loc	net
		SMTP(ACCEPT)	dmz	net
		IMAPS(ACCEPT)	loc	dmz
		ACCEPT		loc	\$FW	udp	53,67:68
		REJECT		loc	net	tcp	25
		Limit(SSHA,3,60):info	net	\$FW	tcp	22	-	-	s:3/min:5
		CONF
		sed -i '/Limit/d' rules
		echo 'ACCEPT net \$FW tcp 22 - - s:3/min:5' | sed 's/\\//' >>rules
		sed -i 's/^STARTUP_ENABLED=.*/STARTUP_ENABLED=Yes/' shorewall.conf
		mkdir -p /var/lib/shorewall /var/lock/subsys
		shorewall start
	} >&2
	header shorewall iptables
	iptables-nft-save | sed '/^# \(Gen\|Comp\)/d; s/ \[[0-9]*:[0-9]*\]$/ [0:0]/'
END
