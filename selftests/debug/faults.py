# SPDX-License-Identifier: GPL-2.0-only
#
# Every allocation of the module fails once, each in a run of its own: while it
# is loaded, while rules are committed, while the switch is turned on and off,
# and while a network namespace is made.
#
# What runs in the task itself is failed by /proc/thread-self/fail-nth, which
# lets the n-th allocation of that task fail; n goes up until there is no n-th.
# What runs in a worker (the loader) is failed by failslab and fail_page_alloc
# with an interval: they count allocations since boot, and an interval of what
# they have counted plus n fails the n-th from now on.  A filter on the call
# stack leaves alone what nf_tables allocates for itself: only allocations with
# the module on the stack count, and none with nf_tables_commit() on it, which
# our wrapper calls.
#
# A commit has to succeed each time, with its chain interpreted for want of
# memory or translated in spite of it, its packets counted; the next commit of
# the table has to translate it.  Loading and making a namespace may fail, with
# -ENOMEM, and work the next time.  Leaks are for kmemleak to find, when all is
# over (run-in-guest).

import ctypes
import os
import re
import subprocess
import sys

DEBUG = "/sys/kernel/debug/"
NS = "faults"
MODULE = os.environ["MODULE"]
PARAMS = "/sys/module/nft_bpfjit/parameters/"
SWITCH = "/proc/sys/net/netfilter/nft_jit_enable"
NTH = "/proc/thread-self/fail-nth"
CLONE_NEWNET = 0x40000000
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


def in_ns(*args, **kw):
    return run("ip", "netns", "exec", NS, *args, **kw)


def symbols():
    """Address of every function, and where the next one begins."""
    table = []
    for line in read("/proc/kallsyms").splitlines():
        f = line.split()
        if f[1] in "tT":
            table.append((int(f[0], 16), f[2], f[3] if len(f) > 3 else ""))
    table.sort()
    return table


def text_of(table, name=None, module=None):
    """[start, end) of a function or of all functions of a module."""
    at = [i for i, (_, n, m) in enumerate(table)
          if (name and n == name) or (module and m == "[%s]" % module)]
    last = next((a for a, _, _ in table[at[-1] + 1:] if a > table[at[-1]][0]),
                table[at[-1]][0] + 4096)
    return table[at[0]][0], min(last, table[at[-1]][0] + 16384)


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


def ruleset(n):
    rules = "\n".join("ip daddr 10.0.%d.1 tcp dport %d drop" % (i, i + 1) for i in range(n))
    return ("table ip t {\nchain c { type filter hook output priority 0;\n%s\n"
            "counter accept\n}\n}\n" % rules)


def states():
    """Of the chains in our namespace."""
    out = in_ns("cat", "/proc/net/nft_bpfjit").stdout
    return [line.split()[-1] for line in out.splitlines() if not line.startswith("#")]


def counts():
    def now():
        out = in_ns("nft", "list", "chain", "ip", "t", "c").stdout
        return int(re.search(r"counter packets (\d+)", out).group(1))
    before = now()
    if in_ns("ping", "-q", "-c", "2", "-i", "0.01", "127.0.0.1").returncode:
        return False
    return now() == before + 4


def commit(text, nth=0):
    """nft in our namespace; the file descriptor is opened before it is armed."""
    fd = os.open("/run/netns/" + NS, os.O_RDONLY)

    def arm():
        libc.setns(fd, CLONE_NEWNET)
        if nth:
            write(NTH, nth)
    p = subprocess.Popen(["nft", "-f", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, preexec_fn=arm)
    out = p.communicate(text)[0]
    os.close(fd)
    if p.returncode:
        note("nft: " + out.strip()[:300])
    return p.returncode == 0


class Tally:
    def __init__(self, name):
        self.name = name
        self.bad = []
        self.seen = {}

    def add(self, n, good, what):
        self.seen[what] = self.seen.get(what, 0) + 1
        if not good:
            self.bad.append("%d: %s" % (n, what))

    def close(self, least):
        total = sum(self.seen.values())
        note("%s: %d allocations: %s" % (self.name, total, self.seen))
        for line in self.bad[:10]:
            note(line)
        result(not self.bad and total >= least, self.name)


def after_commit(tally, n, good):
    """What has to hold after a commit in which something failed."""
    state = states()
    ok = good and len(state) == 1 and state[0] in STATES
    if n % 8 == 1:
        ok = ok and counts()
    again = commit("add chain ip t d\nadd rule ip t d ip ttl 1 counter\n")
    healed = again and "nomem" not in states()
    tally.add(n, ok and healed, " ".join(state) if good else "refused")
    commit("delete table ip t\n")


def commits_in_task():
    """fail-nth in nft itself: n goes up until the commit did not get that far."""
    tally = Tally("a commit, in the task")
    text = ruleset(40)
    n = clean = 0
    while clean < 3:
        n += 1
        good = commit(text, n)
        # Untouched runs are translated; a few of those in a row are the end.
        clean = clean + 1 if states() == ["bpf"] else 0
        after_commit(tally, n, good)
    tally.close(10)


def commits_in_worker(inj):
    tally = Tally("a commit, in the worker, " + inj.name)
    text = ruleset(40)
    n = 0
    while True:
        n += 1
        inj.arm(n)
        good = commit(text)
        if not inj.disarm():
            commit("delete table ip t\n")
            break
        after_commit(tally, n, good)
    tally.close(3)


def in_namespace(fn):
    """Run it in a child in our namespace; its exit code."""
    sys.stdout.flush()
    pid = os.fork()
    if not pid:
        fd = os.open("/run/netns/" + NS, os.O_RDONLY)
        libc.setns(fd, CLONE_NEWNET)
        code = 99
        try:
            code = fn()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


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
    tally = Tally("the switch, " + ("on" if on else "off"))
    commit(ruleset(40))
    n = 0
    while True:
        n += 1
        in_namespace(switch(not on))

        def body():
            err, hit = nth_call(n, switch(on))
            return 50 if err else 1 if hit else 0
        code = in_namespace(body)
        state = states()
        want = STATES if on else ("off",)
        if code == 0:
            break
        tally.add(n, code == 1 and state[0] in want and counts(), " ".join(state))
    tally.add(0, state[0] == ("bpf" if on else "off"), " ".join(state))
    in_namespace(switch(True))
    commit("delete table ip t\n")
    tally.close(1)


def namespaces():
    """The module's part of a new namespace."""
    tally = Tally("a network namespace")

    def make():
        if libc.unshare(CLONE_NEWNET):
            return ctypes.get_errno()
        return 0 if os.path.exists(SWITCH) else 98
    n = 0
    while True:
        n += 1

        def body():
            err, hit = nth_call(n, make)
            return err if err else 97 if hit else 0
        code = in_namespace(body)
        if code == 0:
            break
        # Made in spite of it, or refused for want of memory.
        tally.add(n, code in (97, 12), "made" if code == 97 else "errno %d" % code)
    tally.close(3)


def insmod():
    fd = os.open(MODULE, os.O_RDONLY)
    try:
        # finit_module
        err = libc.syscall(313, fd, b"cheap=0", 0)
        return ctypes.get_errno() if err else 0
    finally:
        os.close(fd)


def loaded():
    return os.path.exists("/sys/module/nft_bpfjit")


def loading(injectors):
    """All of insmod: its last part is the module's own."""
    tally = Tally("loading")
    for inj in injectors:
        inj.stack((0, 0xffffffffffffffff), (0, 0))
    commit(ruleset(40))
    fd = os.open(NTH, os.O_RDWR)
    os.pwrite(fd, b"1000000", 0)
    insmod()
    total = 1000000 - int(os.pread(fd, 32, 0))
    os.pwrite(fd, b"0", 0)
    os.close(fd)
    run("rmmod", "nft_bpfjit")
    first = max(1, total - 250)
    note("insmod: %d allocations, from number %d on" % (total, first))
    for n in range(first, total + 1):
        err, hit = nth_call(n, insmod)
        if err:
            ok = err == 12 and not loaded()
            what = "errno %d" % err
        else:
            state = states()
            ok = loaded() and len(state) == 1 and state[0] in STATES
            what = "loaded, " + " ".join(state)
        tally.add(n, ok, what)
        if loaded():
            run("rmmod", "nft_bpfjit")
    result(insmod() == 0 and states() == ["bpf"], "loads when nothing fails")
    commit("delete table ip t\n")
    tally.close(20)


def complaints():
    """What the kernel has to say, apart from the failures that were asked for."""
    out = run("dmesg").stdout
    bad = re.findall(r"^.*(?:BUG:|KASAN|UBSAN|WARNING:|circular|INFO: (?:task|rcu|possible)|"
                     r"suspicious RCU|refcount_t|ODEBUG|general protection|cut here).*$", out, re.M)
    for line in bad[:10]:
        note(line)
    result(not bad, "the kernel does not complain")


def main():
    # Failures of pages are told with a call trace each, as warnings.
    level = read("/proc/sys/kernel/printk").split()[0]
    write("/proc/sys/kernel/printk", 4)
    run("dmesg", "-C")
    write(PARAMS + "cheap", 0)
    run("ip", "netns", "add", NS)
    run("ip", "-n", NS, "link", "set", "lo", "up")

    table = symbols()
    module = text_of(table, module="nft_bpfjit")
    worker = text_of(table, name="nfj_load_work")
    nft = text_of(table, name="nf_tables_commit")
    note("module %x-%x, worker %x-%x, nf_tables_commit %x-%x" % (module + worker + nft))
    injectors = [Injector("failslab"), Injector("fail_page_alloc")]

    result(commit(ruleset(40)) and states() == ["bpf"] and counts(), "without failures")
    commit("delete table ip t\n")
    for inj in injectors:
        inj.stack(module, nft)
    commits_in_task()
    switching(True)
    switching(False)
    namespaces()
    for inj in injectors:
        inj.stack(worker, (0, 0))
        commits_in_worker(inj)
        inj.stack(module, nft)
    run("rmmod", "nft_bpfjit")
    loading(injectors)
    complaints()
    run("ip", "netns", "delete", NS)
    write("/proc/sys/kernel/printk", level)
    print("1..%d" % results)


main()
