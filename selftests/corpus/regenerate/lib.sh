# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the regenerators share.  To be sourced.
#
# A tool is installed and run in a copy of this machine that ends with it: a
# root under an overlay on a tmpfs, in mount, PID and network namespaces of its
# own.  Packages are installed there with the network of the host, but may start
# nothing (policy-rc.d); the tool runs where there is no network, and no firewall
# but its own.  Nothing is left but the ruleset.
#
#	. "${0%/*}/lib.sh"
#	regenerate firewalld.nft firewalld python3-nftables <<'END'
#	... a bash script that writes the ruleset to stdout
#	END

SELF=$(realpath "$0")
CORPUS=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

# header PACKAGE...: where a ruleset comes from.
header()
{
	local p

	echo "# Made by regenerate/${SELF##*/} on Debian $(cut -d. -f1 /etc/debian_version):"
	for p; do
		# shellcheck disable=SC2016
		dpkg-query -W -f '#	${Package} ${Version}\n' "$p"
	done
	sed -n 's/^#: */# /p' "$SELF"
}

# regenerate FILE PACKAGE... <SCRIPT: FILE (in the corpus) becomes what the
# script prints.  The script's own functions: veth, see below.
regenerate()
{
	local file=$CORPUS/$1 tmp

	shift
	tmp=$(mktemp -d)
	cat >"$tmp/script"
	export -f header
	export SELF
	# The script's arguments are the packages.
	# shellcheck disable=SC2016
	unshare --mount --pid --fork --kill-child bash -euc '
		tmp=$1 name=$2
		shift 2
		mount --make-rprivate /
		mount -t tmpfs tmpfs "$tmp"
		mkdir "$tmp"/{upper,work,root}
		cp /proc/self/fd/3 "$tmp/script"
		mount -t overlay overlay "$tmp/root" \
			-o "lowerdir=/,upperdir=$tmp/upper,workdir=$tmp/work"
		cd "$tmp/root"
		for fs in dev sys; do mount --rbind /$fs $fs; done
		mount -t proc proc proc
		mount -t tmpfs tmpfs run
		mount -t tmpfs tmpfs tmp
		printf "#!/bin/sh\nexit 101\n" >usr/sbin/policy-rc.d
		chmod 755 usr/sbin/policy-rc.d
		mkdir -p run/lock
		cp "$tmp/script" tmp/script
		export DEBIAN_FRONTEND=noninteractive
		[ $# = 0 ] || chroot . apt-get -qq -o APT::Sandbox::User=root \
			-o Dpkg::Use-Pty=0 install -y --no-install-recommends "$@" >&2
		export PATH=/usr/sbin:/usr/bin:/sbin:/bin
		exec unshare --net chroot . bash -euc "
			cd /
			ip link set lo up
			. /tmp/script"
	' "$0" "$tmp" "${file##*/}" "$@" 3<"$tmp/script" >"$tmp.out" </dev/null || {
		rm -rf "$tmp" "$tmp.out"
		echo "$0: no ${file##*/}" >&2
		return 1
	}
	rm -rf "$tmp"
	mv "$tmp.out" "$file"
	chmod 644 "$file"
	echo "${file##*/}: $(wc -l <"$file") lines"
}
