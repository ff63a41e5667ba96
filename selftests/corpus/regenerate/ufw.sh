#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
#: ufw, through iptables-nft: its defaults (deny incoming), allowed services,
#: a limited one, addresses, routes, logging of medium level.
. "${0%/*}/lib.sh"

for family in 4 6; do
	export family
	regenerate ufw.ipt$family ufw iptables <<'END'
	{
		for dev in eth0 eth1; do
			ip link add "$dev" type bridge
			ip link set "$dev" up
		done
		u() { ufw "$@"; }
		u logging medium
		u default deny incoming
		u default allow outgoing
		u limit 22/tcp comment 'ssh, but not too often'
		u allow proto tcp from any to any port 80,443,8080:8090
		u allow proto udp from any to any port 60000:61000
		u allow from 192.0.2.0/24 to any port 5432 proto tcp
		u allow from 2001:db8:1::/48 to any port 5432 proto tcp
		u deny from 203.0.113.0/24
		u reject 113/tcp
		u allow in on eth1 to any port 53
		u deny out 25/tcp
		u route allow in on eth1 out on eth0 from 10.2.0.0/16
		ufw --force enable
	} >&2
	header ufw iptables
	if [ $family = 4 ]; then
		iptables-nft-save
	else
		ip6tables-nft-save
	fi | sed '/^# \(Gen\|Comp\)/d; s/ \[[0-9]*:[0-9]*\]$/ [0:0]/'
END
done
