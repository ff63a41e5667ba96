# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the scripts share that build a kernel from Debian's source of 6.12.  To be
# sourced, after lib.sh.

# kernel_packages: what it takes besides what scripts/setup installs.
kernel_packages()
{
	local missing=() p

	for p in flex bison bc libelf-dev libssl-dev; do
		have_package "$p" || missing+=("$p")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	[ "$(id -u)" = 0 ] || die "needs root to install ${missing[*]}"
	DEBIAN_FRONTEND=noninteractive apt-get -qq install -y \
		--no-install-recommends "${missing[@]}" >/dev/null </dev/null
}

# kernel_unpack FOLDER: all but what is large and of no use here, once.
kernel_unpack()
{
	local name=linux-source-$SOURCE_SERIES

	[ ! -e "$1" ] || return 0
	rm -rf "$1.tmp"
	mkdir -p "$1.tmp"
	tar -xJf "/usr/src/$name.tar.xz" -C "$1.tmp" --strip-components=1 \
		--exclude "$name/Documentation/*/*" --exclude "$name/drivers/gpu/drm/*/*.[ch]"
	mv "$1.tmp" "$1"
}

# kernel_configure CONFIG BUILD COMMAND...: allnoconfig and what the file switches
# on; COMMAND is the make for it.  Fails if an option that was asked for did not
# come out.
kernel_configure()
{
	local config=$1 build=$2 line option value lost=0

	shift 2
	"$@" KCONFIG_ALLCONFIG="$config" allnoconfig
	while read -r line; do
		option=${line%%=*} value=${line#*=}
		if [ "$value" = n ]; then
			! grep -q "^$option=" "$build/.config" && continue
		else
			grep -qx "$line" "$build/.config" && continue
		fi
		warn "did not come out: $line"
		lost=1
	done < <(grep '^CONFIG_' "$config")
	[ $lost = 0 ] || die "see $config"
}
