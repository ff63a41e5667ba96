#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In hundreds of namespaces at once a worker compiles a chain as a whole, and waits
# for it to be loaded: more than a workqueue has workers for (512).  All get done,
# and the system's workqueue stays free for others.
#
# timeout: 1500
. "$(dirname "$0")/../safety/lib.sh"

load_module
rmmod nft_bpfjit
insmod "$MODULE" min_cost=0 edit_min_rules=16 rebuild_ms=100000000 ||
	notok "insmod"

# One process, as so many of nft and ip would take longer than all else.
cat >"$TMP/many.py" <<'END'
import ctypes, os, sys, time

MANY = 560
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL("libc.so.6", use_errno=True)
nft = ctypes.CDLL("libnftables.so.1")
nft.nft_ctx_new.restype = ctypes.c_void_p
nft.nft_ctx_free.argtypes = [ctypes.c_void_p]
nft.nft_run_cmd_from_buffer.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
params = "/sys/module/nft_bpfjit/parameters/"
rules = "\n".join(
    ["table ip t {", "chain c {", "type filter hook input priority 0"] +
    ["ip saddr 10.0.0.%d counter" % i for i in range(20)] + ["}", "}", ""])

def run(command):
    ctx = nft.nft_ctx_new(0)
    err = nft.nft_run_cmd_from_buffer(ctx, command.encode())
    nft.nft_ctx_free(ctx)
    if err:
        sys.exit("nft failed")

def programs():
    with open("/proc/self/net/nft_bpfjit") as f:
        fields = f.read().splitlines()[-1].split()
    return fields[7] if fields[-1] == "bpf" else "-"

def edited(spaces):
    n = 0
    for fd in spaces:
        libc.setns(fd, CLONE_NEWNET)
        n += "," in programs()
    return n

spaces = []
for i in range(MANY):
    if libc.unshare(CLONE_NEWNET):
        sys.exit("unshare failed")
    spaces.append(os.open("/proc/self/ns/net", os.O_RDONLY))
    run(rules)
    run("add rule ip t c ip saddr 10.1.0.1 counter")
n = edited(spaces)
print("%d of %d chains are edited" % (n, MANY))
if n != MANY:
    sys.exit(1)
with open(params + "rebuild_ms", "w") as f:
    f.write("0")
# as long as there are fewer from one look to the next
while n:
    was = n
    for _ in range(60):
        time.sleep(0.5)
        n = edited(spaces)
        if n < was:
            break
    else:
        sys.exit("%d of %d chains are never compiled" % (n, MANY))
print("all are compiled as a whole")
END
check "hundreds of chains are edited, and compiled as a whole" \
	python3 "$TMP/many.py"
check "the end: all is given back" eventually no_programs
finish
