#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
#: fail2ban with nftables actions: jails for sshd, postfix and all ports, IPv4
#: and IPv6 addresses banned in each.
. "${0%/*}/lib.sh"

regenerate fail2ban.nft fail2ban nftables <<'END'
	{
		: >/tmp/log
		cat >/etc/fail2ban/jail.d/corpus.local <<-CONF
		[DEFAULT]
		backend = polling
		banaction = nftables
		banaction_allports = nftables[type=allports]
		[sshd]
		enabled = true
		logpath = /tmp/log
		[postfix]
		enabled = true
		logpath = /tmp/log
		[recidive]
		enabled = true
		logpath = /tmp/log
		CONF
		rm -f /etc/fail2ban/jail.d/defaults-debian.conf
		mkdir -p /var/run/fail2ban
		fail2ban-server -xf start &
		for ((i = 0; i < 100; i++)); do
			! fail2ban-client ping || break
			sleep 0.5
		done
		for i in 192.0.2.{7,19,200} 198.51.100.{1,99} 2001:db8:bad::{1,17}; do
			for jail in sshd postfix recidive; do
				fail2ban-client set $jail banip $i
			done
		done
		sleep 3
	} >&2
	header fail2ban
	nft -s list ruleset
	fail2ban-client stop >&2
END
