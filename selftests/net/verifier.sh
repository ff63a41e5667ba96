#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What this kernel's verifier and JIT make of the programs: the tests of
# selftests/core that load them with bpf(2) and run them.  Natively they see one
# kernel only, and verifiers differ in what they can tell of a register.
#
# timeout: 600
. "$(dirname "$0")/lib.sh"

begin
"$HERE/../../build/core/core-test" --kernel >"$TMP/core" 2>&1
rc=$?
sed 's/^/# /' "$TMP/core"
check "verifier: the programs are loaded and run" [ $rc = 0 ]
check "verifier: none is skipped" awk '/^ok/ && !/SKIP/ { n++ } /SKIP/ { bad++ }
	END { exit !(n && !bad) }' "$TMP/core"
finish
