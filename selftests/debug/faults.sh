#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Every allocation fails once: see faults.py.
#
# timeout: 3600
cd "$(dirname "$0")" || exit 1
if [ ! -e /sys/kernel/debug/failslab/require-start ]; then
	echo "1..0 # SKIP this kernel has no fault injection (make check-debug has)"
	exit 4
fi
exec python3 -u ./faults.py
