#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
#: firewalld's nftables back end: public (eth0), internal (eth1), dmz (by source)
#: and trusted (virbr0) zones, services, ports, forward ports, masquerading, an
#: ipset, rich rules, a policy between two zones, denied packets logged.
. "${0%/*}/lib.sh"

regenerate firewalld.nft firewalld nftables ipset <<'END'
	{
		for dev in eth0 eth1 virbr0; do
			ip link add "$dev" type bridge
			ip link set "$dev" up
		done
		o() { firewall-offline-cmd "$@"; }
		o --set-log-denied=unicast
		o --zone=public --change-interface=eth0
		o --zone=internal --change-interface=eth1
		o --zone=trusted --change-interface=virbr0
		o --zone=dmz --add-source=192.0.2.0/24
		o --zone=dmz --add-source=2001:db8:d::/48
		for s in http https imaps dns wireguard; do
			o --zone=public --add-service=$s
		done
		o --zone=internal --add-service=nfs
		o --zone=internal --add-service=samba
		o --zone=dmz --add-service=smtp
		o --zone=public --add-port=8000-8100/tcp
		o --zone=public --add-port=5000/udp
		o --zone=public --add-source-port=68/udp
		o --zone=public --add-protocol=gre
		o --zone=public --add-masquerade
		o --zone=public --add-forward-port=port=2222:proto=tcp:toport=22:toaddr=10.2.0.5
		o --zone=public --add-icmp-block=timestamp-request
		o --zone=internal --add-icmp-block-inversion
		o --new-ipset=block --type=hash:net
		for n in 198.51.100.0/24 203.0.113.5 203.0.113.128/25; do
			o --ipset=block --add-entry=$n
		done
		r() { o --zone="$1" --add-rich-rule="rule ${*:2}"; }
		r public 'family="ipv4" source ipset="block" drop'
		r public 'family="ipv4" source address="192.0.2.77" service name="ssh"' \
			'log prefix="ssh " level="info" limit value="3/m" accept'
		r public 'family="ipv6" source address="2001:db8:77::/64"' \
			'port port="9000" protocol="tcp" reject'
		r public 'protocol value="esp" accept'
		r public 'family="ipv4" source NOT address="10.0.0.0/8" service name="ntp"' \
			'audit limit value="1/m" accept'
		r public 'priority="-10" family="ipv4" source address="203.0.113.9"' \
			'service name="http" mark set="0x10"'
		r dmz 'family="ipv4" forward-port port="8443" protocol="tcp"' \
			'to-port="443" to-addr="10.2.0.6"'
		o --new-policy=inout
		o --policy=inout --add-ingress-zone=internal
		o --policy=inout --add-egress-zone=public
		o --policy=inout --set-target=ACCEPT
		o --policy=inout --add-service=telnet
		# The firewall itself without its bus.
		python3 - <<-PY
		from firewall import config
		from firewall.core.logger import log
		from firewall.core.fw import Firewall
		log.setDebugLogLevel(0)
		Firewall().start()
		PY
	} >&2
	header firewalld
	nft -s list ruleset
END
