# SPDX-License-Identifier: GPL-2.0-only
#
# Allocations of the module fail, one in each run: while it is loaded, while rules
# are committed, while a few rules of a chain are changed, while the switch is
# turned on and off, and while a network namespace is made.  In a commit that is
# every one of them.  Of the other parts each has FAULT_SECONDS (600), and where
# all would take longer, those that are tried lie apart: the output says how many
# of how many.  FAULT_PARTS chooses parts by their names.
#
# What runs in the task itself is failed by /proc/thread-self/fail-nth, which
# lets the n-th allocation of that task fail; n goes up until there is no n-th.
# What runs in a worker (the loader) is failed by failslab and fail_page_alloc
# with an interval: they count allocations since boot, and an interval of what
# they have counted plus n fails the n-th from now on.  How many there are is not
# known before: they are tried one by one until half of the time is over, and then
# ever farther apart.  A filter on the call stack leaves alone what nf_tables
# allocates for itself: only allocations with the module on the stack count, and
# none with nf_tables_commit() on it, which our wrapper calls.
#
# A commit has to succeed each time, with its chain interpreted for want of
# memory or translated in spite of it, its packets counted; the next commit of
# the table has to translate it.  Loading and making a namespace may fail, with
# -ENOMEM, and work the next time.  Leaks are for kmemleak to find, when all is
# over (run-in-guest).

import ctypes
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

DEBUG = "/sys/kernel/debug/"
NS = "faults"
MODULE = os.environ["MODULE"]
PARAMS = "/sys/module/nft_bpfjit/parameters/"
SWITCH = "/proc/sys/net/netfilter/nft_jit_enable"
NTH = "/proc/thread-self/fail-nth"
CLONE_NEWNET = 0x40000000
NEVER = 100000000
# Rules of the chain: some more than make it a large one.
RULES = 24
SECONDS = int(os.environ.get("FAULT_SECONDS", 600))
# Only the parts in whose names this is found.
PARTS = os.environ.get("FAULT_PARTS", "")
# What a run may say of the chain.  A JIT without memory is "nomem" as well.
STATES = ("bpf", "nomem")

libc = ctypes.CDLL(None, use_errno=True)
results = 0


def result(good, name):
    global results
    results += 1
    print("%sok %d %s" % ("" if good else "not ", results, name))


def note(text):
    print("# " + text)


def write(path, value):
    # Unbuffered: the write is the system call and nothing else.
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, str(value).encode())
    finally:
        os.close(fd)


def read(path):
    with open(path) as f:
        return f.read()


def run(*args, **kw):
    return subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, **kw)


class Inside:
    """With it: this task is in our namespace, or in one that it makes there."""

    def __init__(self):
        self.home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self.ns = os.open("/run/netns/" + NS, os.O_RDONLY)

    def __enter__(self):
        if libc.setns(self.ns, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")

    def __exit__(self, *_):
        if libc.setns(self.home, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


class Nft:
    """libnftables in this task, in our namespace: a process for each command
    would take most of the time."""

    def __init__(self):
        self.lib = ctypes.CDLL("libnftables.so.1")
        self.lib.nft_ctx_new.restype = ctypes.c_void_p
        self.lib.nft_ctx_get_output_buffer.restype = ctypes.c_char_p
        self.lib.nft_ctx_get_error_buffer.restype = ctypes.c_char_p
        # The socket stays where it is made.
        with inside:
            self.ctx = ctypes.c_void_p(self.lib.nft_ctx_new(0))
        # NFT_CTX_OUTPUT_HANDLE
        self.lib.nft_ctx_output_set_flags(self.ctx, 1 << 3)
        self.lib.nft_ctx_buffer_output(self.ctx)
        self.lib.nft_ctx_buffer_error(self.ctx)

    def __call__(self, text):
        """Did it succeed, and what did it say?"""
        err = self.lib.nft_run_cmd_from_buffer(self.ctx, text.encode())
        out = self.lib.nft_ctx_get_output_buffer(self.ctx).decode()
        said = self.lib.nft_ctx_get_error_buffer(self.ctx).decode()
        if err:
            note("nft: " + said.strip()[:300])
        return not err, out


def symbols():
    """Address of every function, and where the next one begins."""
    table = []
    for line in read("/proc/kallsyms").splitlines():
        f = line.split()
        if f[1] in "tT":
            table.append((int(f[0], 16), f[2], f[3] if len(f) > 3 else ""))
    table.sort()
    return table


def text_of(table, name, module=False):
    """[start, end) of a function, or of all functions of its module; not those of
    module_init, which are somewhere else, and others' may be in between."""
    first = last = next(i for i, (_, n, _) in enumerate(table) if n == name)
    whose = table[first][2]
    while module and table[first - 1][2] == whose:
        first -= 1
    while module and last + 1 < len(table) and table[last + 1][2] == whose:
        last += 1
    end = next((a for a, _, _ in table[last + 1:] if a > table[last][0]),
               table[last][0] + 4096)
    return table[first][0], min(end, table[last][0] + 16384)


class Injector:
    """failslab or fail_page_alloc."""

    def __init__(self, name):
        self.dir = DEBUG + name + "/"
        self.name = name
        self.count = 0  # what it has counted, with an interval
        for key, value in (("ignore-gfp-wait", "N"), ("ignore-gfp-highmem", "N"),
                           ("min-order", 0), ("verbose", 0), ("task-filter", "N"),
                           ("probability", 0), ("times", 0), ("space", 0),
                           ("stacktrace-depth", 32)):
            if os.path.exists(self.dir + key):
                write(self.dir + key, value)

    def stack(self, require, reject):
        for key, value in (("require-start", require[0]), ("require-end", require[1]),
                           ("reject-start", reject[0]), ("reject-end", reject[1])):
            write(self.dir + key, hex(value))

    def arm(self, n):
        """Fail the n-th allocation from now on, in whatever task."""
        self.n = n
        write(self.dir + "interval", self.count + n)
        write(self.dir + "times", 1)
        write(self.dir + "probability", 100)

    def disarm(self):
        """Did it come to that?"""
        write(self.dir + "probability", 0)
        failed = int(read(self.dir + "times")) == 0
        write(self.dir + "times", 0)
        if failed and self.count + self.n > 1:
            self.count += self.n
        return failed

    def catch_up(self, work):
        """After one that did not fail it is not known how many were counted."""
        self.arm(self.n)
        while int(read(self.dir + "times")):
            work()
        self.disarm()


def ruleset(n):
    rules = "\n".join("ip daddr 10.0.%d.1 tcp dport %d drop" % (i, i + 1) for i in range(n))
    return ("table ip t {\nchain c { type filter hook output priority 0;\n%s\n"
            "counter accept\n}\n}\n" % rules)


def status():
    """What /proc says of the chains in our namespace, in columns."""
    with inside:
        lines = read("/proc/thread-self/net/nft_bpfjit").splitlines()
    return [line.split() for line in lines if not line.startswith("#")]


def states():
    return [columns[-1] for columns in status()]


def programs():
    """Of the one chain."""
    return status()[0][7].split(",")


def counts():
    """Are four packets counted?"""
    def now():
        return int(re.search(r"counter packets (\d+)", nft("list chain ip t c")[1]).group(1))
    before = now()
    for _ in range(4):
        sender.sendto(b"x", receiver.getsockname())
        receiver.recv(16)
    return now() == before + 4


def commit(text, nth=0):
    """A transaction in our namespace, the nth allocation of which fails: was it
    taken, and did it come to that?"""
    if nth:
        write(NTH, nth)
    good = nft(text)[0]
    if not nth:
        return good
    left = int(read(NTH))
    write(NTH, 0)
    return good, left == 0


def allocations(text):
    """How many there are in this commit."""
    write(NTH, NEVER)
    nft(text)
    total = NEVER - int(read(NTH))
    write(NTH, 0)
    return total


class Tally:
    """What became of a part, and which numbers it tries."""

    def __init__(self, name, total=0, every=False):
        """total: how many allocations there are, if that is known; every: it is
        not, and none is left out."""
        self.name = name
        self.bad = []
        self.seen = {}
        self.runs = 0
        self.last = 0
        self.total = total
        self.every = every
        self.began = time.monotonic()

    def numbers(self):
        """What to try: all, as long as there is time.  Where it is known how many
        there are, first some that lie apart, then those in between, and in the end
        the first that does not come to it; otherwise one by one, and ever farther
        apart when half of the time is over."""
        stride = 32
        while self.total and stride:
            for n in range(1, self.total + 1, stride):
                if (n - 1) % (2 * stride) == 0 and stride < 32:
                    continue
                if self.spent() > SECONDS:
                    break
                yield n
            stride //= 2
        n = self.total
        self.hit = True
        while self.hit:
            late = not self.every and not self.total and self.spent() > SECONDS / 2
            n += 1 + (n // 8 if late else 0)
            yield n

    def spent(self):
        return time.monotonic() - self.began

    def add(self, n, good, what, hit=True):
        """hit: something failed in this run."""
        self.runs += 1
        self.hit = hit
        if hit:
            self.seen[what] = self.seen.get(what, 0) + 1
            self.last = max(self.last, n)
        if not self.runs % 25:
            note("%s: %d runs, %d s" % (self.name, self.runs, self.spent()))
        if not good:
            self.bad.append("%d: %s" % (n, what))

    def close(self, least):
        failed = sum(self.seen.values())
        note("%s: %d failed of %d allocations, %d s: %s" %
             (self.name, failed, max(self.total, self.last),
              self.spent(), self.seen))
        for line in self.bad[:10]:
            note(line)
        result(not self.bad and failed >= least, self.name)


def after_commit(tally, n, good, hit):
    """What has to hold after a commit in which something failed."""
    state = states()
    ok = good and len(state) == 1 and state[0] in STATES
    if n % 8 == 1:
        ok = ok and counts()
    again = commit("add chain ip t d\nadd rule ip t d ip ttl 1 counter\n")
    healed = again and all(state == "bpf" for state in states())
    tally.add(n, ok and healed, " ".join(state) if good else "refused", hit)
    commit("delete table ip t\n")


def commits_in_task():
    """fail-nth in nft itself: n goes up until the commit did not get that far."""
    text = ruleset(RULES)
    tally = Tally("a commit, in the task", every=True)
    for n in tally.numbers():
        good, hit = commit(text, n)
        if not hit:
            good = good and states() == ["bpf"]
        after_commit(tally, n, good, hit)
    tally.close(10)


def edit():
    """Of the ruleset that is loaded: a rule more, a rule less, one replaced."""
    handles = re.findall(r"tcp dport (\d+) drop # handle (\d+)", nft("list chain ip t c")[1])
    handles = {int(port): int(handle) for port, handle in handles}
    return ("insert rule ip t c position %d ip daddr 10.1.0.1 tcp dport 1-9 drop\n"
            "delete rule ip t c handle %d\n"
            "replace rule ip t c handle %d ip daddr 10.1.0.2 tcp dport { 1, 3 } drop\n" %
            (handles[6], handles[12], handles[18]))


def edits_in_task():
    """The same for a change of a few rules, where a chain keeps its program and
    gets another one beside it."""
    write(PARAMS + "rebuild_ms", NEVER)
    commit(ruleset(RULES))
    tally = Tally("a change of a few rules, in the task", allocations(edit()))
    commit("delete table ip t\n")
    for n in tally.numbers():
        commit(ruleset(RULES))
        before = programs()
        good, hit = commit(edit(), n)
        if not hit:
            good = good and len(programs()) == 2 and programs()[0] == before[0]
        after_commit(tally, n, good, hit)
    tally.close(10)


def edits_in_worker(inj):
    """The worker makes such a chain's program anew, or leaves it as it is."""
    tally = Tally("a change of a few rules, the worker, " + inj.name)
    for n in tally.numbers():
        write(PARAMS + "rebuild_ms", NEVER)
        commit(ruleset(RULES))
        commit(edit())
        before = programs()
        inj.arm(n)
        write(PARAMS + "rebuild_ms", 0)
        # Where it fails nothing is to be seen; then the wait is for nothing.
        # The worker lets sixteen times of what it took the last time pass, which
        # in this kernel and on a busy machine is a minute.
        for i in range(6000):
            if programs() != before or i > 10 and int(read(inj.dir + "times")) == 0:
                break
            time.sleep(0.05)
        hit = inj.disarm()
        good = True
        if not hit:
            good = len(programs()) == 1 and programs() != before
        after_commit(tally, n, good and counts(), hit)
    tally.close(3)


def commits_in_worker(inj):
    tally = Tally("a commit, in the worker, " + inj.name)
    text = ruleset(RULES)
    for n in tally.numbers():
        inj.arm(n)
        good = commit(text)
        hit = inj.disarm()
        if not hit:
            good = good and states() == ["bpf"]
        after_commit(tally, n, good, hit)

    def work():
        commit(text)
        commit("delete table ip t\n")
    inj.catch_up(work)
    tally.close(4)


def nth_call(n, call):
    """Let the n-th allocation of call() fail; -1, an errno or 0, and did it?"""
    fd = os.open(NTH, os.O_RDWR)
    os.write(fd, str(n).encode())
    try:
        err = call()
    finally:
        left = int(os.pread(fd, 32, 0))
        os.pwrite(fd, b"0", 0)
        os.close(fd)
    return err, left == 0


def count_call(call):
    """How many allocations there are in call()."""
    fd = os.open(NTH, os.O_RDWR)
    os.write(fd, str(NEVER).encode())
    try:
        call()
    finally:
        left = int(os.pread(fd, 32, 0))
        os.pwrite(fd, b"0", 0)
        os.close(fd)
    return NEVER - left


def switch(on):
    def call():
        fd = os.open(SWITCH, os.O_WRONLY)
        try:
            os.write(fd, b"1" if on else b"0")
            return 0
        except OSError as e:
            return e.errno
        finally:
            os.close(fd)
    return call


def switching(on):
    want = STATES if on else ("off",)
    commit(ruleset(RULES))
    with inside:
        switch(not on)()
        total = count_call(switch(on))
    tally = Tally("the switch, " + ("on" if on else "off"), total)
    for n in tally.numbers():
        with inside:
            switch(not on)()
            err, hit = nth_call(n, switch(on))
        state = states()
        tally.add(n, not err and state[0] in (want if hit else want[:1]) and counts(),
                  " ".join(state), hit)
    with inside:
        switch(True)()
    commit("delete table ip t\n")
    tally.close(1)


def namespaces():
    """The module's part of a new namespace."""
    def make():
        if libc.unshare(CLONE_NEWNET):
            return ctypes.get_errno()
        return 0 if os.path.exists(SWITCH) else 98
    with inside:
        total = count_call(make)
    tally = Tally("a network namespace", total)
    for n in tally.numbers():
        with inside:
            err, hit = nth_call(n, make)
        # Made in spite of it, or refused for want of memory.
        tally.add(n, err == 0 or hit and err == 12, "errno %d" % err if err else "made", hit)
    tally.close(4)


def insmod():
    # finit_module
    err = libc.syscall(313, module_fd, b"min_cost=0", 0)
    return ctypes.get_errno() if err else 0


def loaded():
    return os.path.exists("/sys/module/nft_bpfjit")


def loading(name, text):
    """What the module does while it is loaded, with these rules in place."""
    run("rmmod", "nft_bpfjit")
    want = []
    if text:
        commit(text)
        want = ["bpf"]
    total = count_call(insmod)
    run("rmmod", "nft_bpfjit")
    tally = Tally("loading, " + name, total)
    for n in tally.numbers():
        err, hit = nth_call(n, insmod)
        if err:
            ok = err == 12 and not loaded()
            what = "errno %d" % err
        else:
            state = states()
            ok = loaded() and (state == want or hit and state == ["nomem"])
            what = "loaded " + " ".join(state)
        tally.add(n, ok, what, hit)
        if loaded():
            run("rmmod", "nft_bpfjit")
    result(insmod() == 0 and states() == want, "loads when nothing fails, " + name)
    if text:
        commit("delete table ip t\n")
    tally.close(10)


def unloading():
    """Nothing can be refused here, and nothing may stay behind."""
    def rmmod():
        # delete_module
        err = libc.syscall(176, b"nft_bpfjit", os.O_NONBLOCK)
        return ctypes.get_errno() if err else 0
    commit(ruleset(RULES))
    tally = Tally("unloading", count_call(rmmod))
    for n in tally.numbers():
        good = insmod() == 0 and states() == ["bpf"]
        err, hit = nth_call(n, rmmod)
        tally.add(n, good and not err and not loaded(), "errno %d" % err if err else "gone", hit)
    insmod()
    commit("delete table ip t\n")
    tally.close(1)


def complaints():
    """What the kernel has to say, apart from the failures that were asked for."""
    out = run("dmesg").stdout
    bad = re.findall(r"^.*(?:BUG:|KASAN|UBSAN|WARNING:|circular|INFO: (?:task|rcu|possible)|"
                     r"suspicious RCU|refcount_t|ODEBUG|general protection|cut here).*$", out, re.M)
    for line in bad[:10]:
        note(line)
    result(not bad, "the kernel does not complain")


def main():
    global inside, nft, sender, receiver, module_fd

    # Not from the host, whose file system does not get over a close that fails.
    copy = os.path.join(tempfile.mkdtemp(), "module")
    shutil.copyfile(MODULE, copy)
    module_fd = os.open(copy, os.O_RDONLY)
    # Failures of pages are told with a call trace each, as warnings.
    level = read("/proc/sys/kernel/printk").split()[0]
    write("/proc/sys/kernel/printk", 4)
    run("dmesg", "-C")
    write(PARAMS + "min_cost", 0)
    run("ip", "netns", "add", NS)
    run("ip", "-n", NS, "link", "set", "lo", "up")
    write(PARAMS + "edit_min_rules", 16)
    inside = Inside()
    nft = Nft()
    with inside:
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.settimeout(60)
    receiver.bind(("127.0.0.1", 0))

    table = symbols()
    module = text_of(table, "nfj_load_work", module=True)
    worker = text_of(table, "nfj_load_work")
    rebuild = text_of(table, "nfj_rebuild_work")
    stock = text_of(table, "nf_tables_commit")
    note("module %x-%x, workers %x-%x %x-%x, nf_tables_commit %x-%x" %
         (module + worker + rebuild + stock))
    injectors = [Injector("failslab"), Injector("fail_page_alloc")]

    result(commit(ruleset(RULES)) and states() == ["bpf"] and counts(), "without failures")
    commit("delete table ip t\n")
    everywhere = (0, 0xffffffffffffffff), (0, 0)
    in_module = module, stock
    # The module's own init function is not in any symbol table by now.
    in_init = text_of(table, "do_init_module"), (0, 0)
    parts = [("task", in_module, commits_in_task, []),
             ("edits", in_module, edits_in_task, []),
             ("switch", in_module, switching, [True]),
             ("switch", in_module, switching, [False]),
             ("namespace", in_module, namespaces, [])]
    for inj in injectors:
        parts += [("worker", (worker, (0, 0)), commits_in_worker, [inj]),
                  ("worker edits", (rebuild, (0, 0)), edits_in_worker, [inj])]
    parts += [("loading", in_init, loading, ["without rules", ""]),
              ("loading", in_init, loading, ["with rules", ruleset(RULES)]),
              ("unloading", everywhere, unloading, [])]
    for name, stack, part, args in parts:
        if not re.search(PARTS, name):
            continue
        for inj in injectors:
            inj.stack(*stack)
        part(*args)
    complaints()
    run("ip", "netns", "delete", NS)
    write("/proc/sys/kernel/printk", level)
    print("1..%d" % results)


main()
