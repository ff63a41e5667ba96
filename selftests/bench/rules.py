#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Make a set of 5-tuple rules, and packets that are drawn from them.

usage: rules.py SHAPE RULES SEED PREFIX

  acl    an access list: few of the many servers, one by one, from anywhere or
         from somebody's network, at a well-known port
  fw     a firewall: wildcards wherever one may stand, ranges of ports
  ipc    an IP chain: pairs of networks, some with a port at both ends

Writes the same rules as PREFIX.nft (rules only, for a chain of the family ip)
and PREFIX.ipt (arguments of iptables -A), and PREFIX.packets (for send.c).  The
verdicts alternate.  The same arguments make the same files, on any machine.

The shapes are those that are told apart in the literature on classification;
the shares below are this project's own guess at them.  A rule that leaves both
addresses open names a port, so that none hides all that come behind it.
"""
import random
import sys

PACKETS = 256
ANY_PORT = (0, 65535)
WELL_KNOWN = (20, 21, 22, 25, 53, 80, 110, 123, 135, 137, 139, 143, 161, 389, 443,
              445, 514, 636, 993, 995, 1433, 1521, 1723, 3306, 3389, 5060, 5432,
              5900, 6379, 8080, 8443, 9090)
PROTO = {"tcp": 6, "udp": 17, "icmp": 1}


class Net:
    """An IPv4 prefix."""

    def __init__(self, addr, bits):
        self.bits = bits
        self.mask = 0xffffffff << (32 - bits) & 0xffffffff
        self.addr = addr & self.mask

    def draw(self, rnd):
        """An address in it."""
        if self.bits == 0:
            return rnd.randrange(0x01000000, 0xdf000000)
        return self.addr | rnd.getrandbits(32) & ~self.mask & 0xffffffff

    def __str__(self):
        text = dotted(self.addr)
        return text if self.bits == 32 else f"{text}/{self.bits}"


ANY = Net(0, 0)


def dotted(addr):
    """As text."""
    return ".".join(str(addr >> shift & 255) for shift in (24, 16, 8, 0))


def choose(rnd, shares):
    """One of the keys of a dict, its value is its weight."""
    return rnd.choices(list(shares), weights=list(shares.values()))[0]


class Shape:
    """What the rules of a set have in common."""

    # Length of the prefix: weight.
    src = {}
    dst = {}
    # How a port is given: weight.
    sport = {}
    dport = {}
    proto = {}

    def __init__(self, rnd, rules):
        self.rnd = rnd
        # The networks that all is about, fewer than rules: prefixes nest.
        self.homes = [rnd.randrange(0x01000000, 0xdf000000)
                      for _ in range(max(4, rules // 20))]

    def net(self, shares):
        """A prefix near one of the homes."""
        bits = choose(self.rnd, shares)
        if bits == 0:
            return ANY
        home = self.rnd.choice(self.homes)
        return Net(home & 0xffff0000 | self.rnd.getrandbits(16), bits)

    def port(self, shares):
        """A range of ports."""
        kind = choose(self.rnd, shares)
        if kind == "any":
            return ANY_PORT
        if kind == "high":
            return (1024, 65535)
        if kind == "known":
            port = self.rnd.choice(WELL_KNOWN)
            return (port, port)
        if kind == "exact":
            port = self.rnd.randrange(1024, 65536)
            return (port, port)
        low = self.rnd.randrange(1, 65000)
        return (low, min(65535, low + self.rnd.choice((1, 5, 9, 99, 500, 4000))))

    def rule(self):
        """(proto, src, dst, sport, dport)"""
        proto = choose(self.rnd, self.proto)
        ports = proto in ("tcp", "udp")
        return (proto, self.net(self.src), self.net(self.dst),
                self.port(self.sport) if ports else ANY_PORT,
                self.port(self.dport) if ports else ANY_PORT)


class Acl(Shape):
    """An access list."""
    src = {0: 30, 16: 5, 20: 5, 24: 20, 27: 5, 28: 5, 30: 5, 32: 25}
    dst = {24: 10, 27: 5, 28: 5, 30: 5, 32: 75}
    sport = {"any": 98, "high": 2}
    dport = {"any": 15, "known": 45, "exact": 25, "range": 10, "high": 5}
    proto = {"tcp": 65, "udp": 22, "icmp": 5, "any": 8}


class Fw(Shape):
    """A firewall."""
    src = {0: 45, 8: 2, 16: 10, 24: 13, 28: 5, 32: 25}
    dst = {0: 40, 16: 5, 24: 15, 28: 10, 32: 30}
    sport = {"any": 60, "high": 20, "known": 10, "exact": 5, "range": 5}
    dport = {"any": 25, "known": 30, "exact": 20, "range": 15, "high": 10}
    proto = {"tcp": 55, "udp": 25, "icmp": 8, "any": 12}


class Ipc(Shape):
    """An IP chain."""
    src = {0: 10, 8: 2, 16: 13, 20: 10, 24: 25, 28: 10, 32: 30}
    dst = {0: 8, 16: 12, 20: 10, 24: 25, 28: 10, 32: 35}
    sport = {"any": 70, "known": 12, "exact": 6, "high": 12}
    dport = {"any": 45, "known": 30, "exact": 12, "range": 8, "high": 5}
    proto = {"tcp": 45, "udp": 25, "icmp": 5, "any": 25}


SHAPES = {"acl": Acl, "fw": Fw, "ipc": Ipc}


def distinct(shape, rules):
    """Rules, none of them twice, none of them for nearly everything."""
    seen = set()
    while len(seen) < rules:
        rule = shape.rule()
        _, src, dst, sport, dport = rule
        if not (src.bits or dst.bits) and \
           min(sport[1] - sport[0], dport[1] - dport[0]) > 10:
            continue
        key = (rule[0], str(src), str(dst), sport, dport)
        if key not in seen:
            seen.add(key)
            yield rule


def ports(form, name, port, joint):
    """A port's part of a rule, or nothing."""
    if port == ANY_PORT:
        return ""
    text = str(port[0]) if port[0] == port[1] else f"{port[0]}{joint}{port[1]}"
    return form.format(name, text)


def nft(rule, verdict):
    """As nft has it."""
    proto, src, dst, sport, dport = rule
    text = ""
    if src.bits:
        text += f"ip saddr {src} "
    if dst.bits:
        text += f"ip daddr {dst} "
    if sport != ANY_PORT or dport != ANY_PORT:
        text += ports(proto + " {} {} ", "sport", sport, "-")
        text += ports(proto + " {} {} ", "dport", dport, "-")
    elif proto != "any":
        text += f"ip protocol {proto} "
    return text + verdict


def ipt(rule, verdict):
    """As iptables has it."""
    proto, src, dst, sport, dport = rule
    text = ""
    if src.bits:
        text += f"-s {src} "
    if dst.bits:
        text += f"-d {dst} "
    if proto != "any":
        text += f"-p {proto} "
    text += ports("--{} {} ", "sport", sport, ":")
    text += ports("--{} {} ", "dport", dport, ":")
    return text + f"-j {verdict.upper()}"


def packet(rnd, rule):
    """One that the rule matches (an earlier one may as well)."""
    proto, src, dst, sport, dport = rule
    if proto == "any":
        proto = rnd.choice(("tcp", "udp", "icmp"))
    return (f"{PROTO[proto]} {dotted(src.draw(rnd))} {dotted(dst.draw(rnd))} "
            f"{rnd.randint(*sport)} {rnd.randint(*dport)}")


def main():
    """See the top."""
    if len(sys.argv) != 5 or sys.argv[1] not in SHAPES:
        sys.exit(__doc__)
    shape, count, seed, prefix = sys.argv[1:]
    rnd = random.Random(f"{shape} {count} {seed}")
    rules = list(distinct(SHAPES[shape](rnd, int(count)), int(count)))
    verdicts = ("accept", "drop")
    with open(prefix + ".nft", "w", encoding="ascii") as file:
        for i, rule in enumerate(rules):
            print(nft(rule, verdicts[i % 2]), file=file)
    with open(prefix + ".ipt", "w", encoding="ascii") as file:
        for i, rule in enumerate(rules):
            print(ipt(rule, verdicts[i % 2]), file=file)
    with open(prefix + ".packets", "w", encoding="ascii") as file:
        for _ in range(PACKETS):
            print(packet(rnd, rnd.choice(rules)), file=file)


main()
