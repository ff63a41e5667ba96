#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034
#
# What the other scripts share: where things are, which kernels the project is
# tested on, and how to say so.  Source it; it runs nothing.
#
# A kernel is named by its series (6.1, 6.12; 6.1-rt is the one with PREEMPT_RT,
# which only some tests ask for).  The release (uname -r) behind a
# series is whatever Debian's headers meta package depends on right now, so that
# the headers a module is built against and the image it is run on always are of
# one version.  Nothing is recorded that could go stale: it is asked of dpkg.

# The checkout, and the place for what is fetched or unpacked once.
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
CACHE=${NFT_BPFJIT_CACHE:-/var/cache/nft_bpfjit}

# The series under test, and the one whose source holds checkpatch and lib.mk.
SERIES=(6.1 6.12)
SOURCE_SERIES=6.12

say() { printf '%s: %s\n' "${0##*/}" "$*"; }
warn() { say "$@" >&2; }
die() { warn "$@"; exit 1; }

# headers_meta SERIES: the meta package that stands for a series' headers.
headers_meta()
{
	case $1 in
	6.1) echo linux-headers-amd64 ;;
	6.1-rt) echo linux-headers-rt-amd64 ;;
	*) echo "linux-headers-$1-amd64" ;;
	esac
}

# have_package NAME: is it installed, and completely so?
have_package()
{
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# kernel_id SERIES: "RELEASE VERSION" of the installed headers, from a line like
# "linux-headers-6.1.0-56-amd64 (= 6.1.192-2)".
kernel_id()
{
	# The ${Depends} is dpkg-query's.
	# shellcheck disable=SC2016
	dpkg-query -W -f '${Depends}\n' "$(headers_meta "$1")" 2>/dev/null |
		sed -n 's/^linux-headers-\([^ ]*\) (= \([^)]*\)).*/\1 \2/p'
}

# kernel_release SERIES: what uname -r says there.
kernel_release()
{
	local id

	id=$(kernel_id "$1")
	[ -n "$id" ] || die "no headers of $1 are installed, run scripts/setup"
	echo "${id% *}"
}

# kernel_dir SERIES: where setup leaves the unpacked image: vmlinux, config,
# lib/modules/RELEASE.
kernel_dir()
{
	local id

	id=$(kernel_id "$1")
	[ -n "$id" ] || die "no headers of $1 are installed, run scripts/setup"
	echo "$CACHE/kernel/${id% *}_${id#* }"
}

# source_dir: the part of the kernel's source that the checks need.
source_dir()
{
	local version

	# shellcheck disable=SC2016
	version=$(dpkg-query -W -f '${Version}' "linux-source-$SOURCE_SERIES" 2>/dev/null) ||
		die "linux-source-$SOURCE_SERIES is not installed, run scripts/setup"
	echo "$CACHE/source/${SOURCE_SERIES}_$version"
}

# upstream_folder SERIES: where that kernel keeps its netfilter tests, below
# tools/testing/selftests.
upstream_folder()
{
	case $1 in
	6.1) echo netfilter ;;
	*) echo net/netfilter ;;
	esac
}

# upstream_dir SERIES: the kernel's own netfilter tests, out of its source.
upstream_dir()
{
	local version

	# shellcheck disable=SC2016
	version=$(dpkg-query -W -f '${Version}' "linux-source-$1" 2>/dev/null) ||
		die "linux-source-$1 is not installed, run scripts/setup"
	echo "$CACHE/upstream/$1_$version"
}

# debug_dir: where scripts/debug-kernel leaves the debug kernel, in the way of
# kernel_dir.
debug_dir()
{
	local dir

	dir=$(source_dir)
	echo "$CACHE/debug/${dir##*/}"
}

# The kernel proper out of a bzImage: the boot protocol says where in the file
# it is (setup_sects, payload_offset, payload_length) and the last four bytes of
# it are its size.  QEMU starts the bare ELF file over its PVH entry, which saves
# the seconds that a guest without KVM takes to decompress itself.
extract_vmlinux()
{
	local bz=$1 setup_sects offset length

	field() { od -An -"tu$2" -j$(($1)) -N"$2" "$bz" | tr -d ' '; }
	setup_sects=$(field 0x1f1 1)
	offset=$(((setup_sects + 1) * 512 + $(field 0x248 4)))
	length=$(($(field 0x24c 4) - 4))
	tail -c +$((offset + 1)) "$bz" | head -c "$length" >"$2.packed"
	case $(od -An -tx1 -N4 "$2.packed" | tr -d ' ') in
	fd377a58) xz -dc "$2.packed" >"$2" ;;
	28b52ffd) zstd -qdc "$2.packed" >"$2" ;;
	*) die "$bz: unknown compression" ;;
	esac
	rm "$2.packed"
}
