#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
#: libvirt's rules, through iptables-nft, for its default network (NAT, virbr0)
#: and a routed one with IPv6 (virbr1).
. "${0%/*}/lib.sh"

for family in 4 6; do
	export family
	regenerate libvirt.ipt$family libvirt-daemon libvirt-daemon-system \
		libvirt-daemon-config-network libvirt-clients dnsmasq-base iptables <<'END'
	{
		libvirtd --daemon
		v() { virsh -c network:///system "$@"; }
		for ((i = 0; i < 20; i++)); do
			! v net-list --all || break
			sleep 1
		done
		cat >/tmp/net.xml <<-XML
		<network><name>routed</name><forward mode="route" dev="eth0"/>
		<bridge name="virbr1"/>
		<ip address="10.77.0.1" netmask="255.255.255.0"/>
		<ip family="ipv6" address="fd77::1" prefix="64"/></network>
		XML
		v net-define /tmp/net.xml
		v net-start default
		v net-start routed
	} >&2
	header libvirt-daemon iptables
	if [ $family = 4 ]; then
		iptables-nft-save
	else
		ip6tables-nft-save
	fi | sed '/^# \(Gen\|Comp\)/d; s/ \[[0-9]*:[0-9]*\]$/ [0:0]/'
	v net-destroy default >&2
	v net-destroy routed >&2
END
done
