#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
#: an example that comes with nftables, as nft lists it.
. "${0%/*}/lib.sh"

# secmark.nft needs SELinux; the rest is included by all-in-one.nft.
for example in all-in-one ct_helpers load_balancing nat overview sets_and_maps \
	       workstation; do
	export example
	regenerate "nftables-$example.nft" <<'END'
	{
		for dev in eth0 eth1 eth2 eth3 bond0 bond1; do
			ip link add "$dev" type bridge
			ip link set "$dev" up
		done
		cd /usr/share/doc/nftables/examples
		# No kernel takes that priority for NAT.
		sed "s/\(type nat hook prerouting priority\) -300/\1 -100/" $example.nft \
			 >/tmp/$example.nft
		[ $example = all-in-one ] || cp /tmp/$example.nft .
		# It deletes that table before it makes it.
		[ $example != sets_and_maps ] || nft -f ipv4-filter.nft
		nft -f $example.nft
	} >&2
	header nftables
	nft -s list ruleset
END
done
