#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Make a set of 5-tuple rules, and packets that are drawn from them.

usage: rules.py SHAPE RULES SEED PREFIX

  acl    an access list: hosts and their neighbours to few servers, one port each
  fw     a firewall: wildcards wherever one may stand, ports at either end
  ipc    an IP chain: networks of all lengths, many of them without a port

Writes the same rules as PREFIX.nft (rules only, for a chain of the family ip)
and PREFIX.ipt (arguments of iptables -A), and PREFIX.packets (for send.c).  The
verdicts alternate.  The same arguments make the same files, on any machine.

The sets have what the literature on classification finds in real ones, and what
public sets that are made after these have (ClassBench):

  - classes of ports: any (WC), 1024 and up (HI), 0 to 1023 (LO), another range
    (AR), one port (EM), of which some pairs and protocols go together
  - prefixes that nest: an address comes again with its last bits left open, and
    all are in few networks, some of which are named far more often than others
  - rules sorted by how much they leave open: the special ones come before the
    general ones, so that rules of one shape follow one another
  - some rules less than were asked for, as those that come twice are left out

With SEED 1 the shares are those below; another one draws them as well, around
these, so that sets of a shape differ as those of different sites do.
"""
import math
import random
import sys

PACKETS = 256
PORTS = {"WC": (0, 65535), "HI": (1024, 65535), "LO": (0, 1023)}
PROTO = {"icmp": 1, "tcp": 6, "udp": 17, "gre": 47}
EXACT = (20, 21, 22, 23, 25, 53, 67, 69, 80, 88, 110, 119, 123, 135, 137, 139, 143,
         161, 389, 443, 445, 514, 554, 636, 750, 993, 1433, 1521, 1526, 1711, 1723,
         2105, 2121, 3306, 3389, 5060, 5432, 5555, 5631, 6000, 6789, 7648, 8080,
         9003, 14753, 24032, 27400, 31000)
RANGES = (1, 1, 3, 7, 49, 50, 99, 166, 1000, 9999)


class Net:
    """An IPv4 prefix."""

    def __init__(self, addr, bits):
        self.bits = bits
        self.mask = 0xffffffff << (32 - bits) & 0xffffffff
        self.addr = addr & self.mask

    def draw(self, rnd):
        """An address in it."""
        addr = 0
        while not 1 <= addr >> 24 < 224 or addr >> 24 == 127:
            addr = self.addr | rnd.getrandbits(32) & ~self.mask & 0xffffffff
            if self.bits >= 8:
                break
        return addr

    def __str__(self):
        text = dotted(self.addr)
        return text if self.bits == 32 else f"{text}/{self.bits}"


def dotted(addr):
    """As text."""
    return ".".join(str(addr >> shift & 255) for shift in (24, 16, 8, 0))


def choose(rnd, shares):
    """One of the keys of a dict, its value is its weight."""
    return rnd.choices(list(shares), weights=list(shares.values()))[0]


class Place:
    """Where the addresses at one end of the rules are."""

    def __init__(self, rnd, sites, hosts, skew):
        self.rnd = rnd
        self.skew = skew
        # All sites are somewhere, the hosts of a site are close to each other.
        self.sites = []
        for _ in range(max(1, round(sites))):
            near = rnd.randrange(0x01000000, 0xdf000000)
            while near >> 24 == 127:
                near = rnd.randrange(0x01000000, 0xdf000000)
            self.sites.append([near ^ rnd.getrandbits(rnd.choice((4, 6, 8, 10)))
                               for _ in range(max(1, round(hosts)))])

    def some(self, items):
        """One of them, the first ones more often."""
        return items[int(len(items) * self.rnd.random() ** self.skew)]

    def net(self, bits):
        """A prefix of this length, or one a little shorter."""
        while bits > 0 and self.rnd.random() < 0.3:
            bits -= 1
        if bits == 0 and self.rnd.random() < 0.35:
            bits = self.rnd.choice((1, 1, 1, 2))
        return Net(self.some(self.some(self.sites)), bits)


class Shape:
    """What the rules of a set have in common."""

    # Classes of ports at both ends and protocol, then the length of both prefixes:
    # weight.
    kinds = {}
    # Sites and hosts of each, for 1,000 rules; how they grow with the rules; how
    # unequal they are.
    src = (10, 10, 0.5, 0.5, 2)
    dst = (10, 10, 0.5, 0.5, 2)

    def __init__(self, rnd, rules, seed):
        self.rnd = rnd
        self.weights = dict(self.kinds)
        thousands = rules / 1000
        ends = []
        for sites, hosts, more, denser, skew in (self.src, self.dst):
            if seed > 1:
                sites *= math.exp(rnd.gauss(0, 0.5))
                hosts *= math.exp(rnd.gauss(0, 0.5))
            ends.append(Place(rnd, sites * thousands ** more,
                              hosts * thousands ** denser, skew))
        self.ends = ends
        if seed > 1:
            for kind in self.weights:
                self.weights[kind] *= math.exp(rnd.gauss(0, 0.7))
        self.exact = rnd.sample(EXACT, len(EXACT))

    def port(self, kind):
        """A range of ports of a class."""
        if kind == "EM":
            port = self.exact[int(len(self.exact) * self.rnd.random() ** 2)]
            return (port, port)
        if kind == "AR":
            low = self.rnd.choice((109, 1300, 1600, 1645, 5000, 7500, 33434))
            return (low, low + self.rnd.choice(RANGES))
        return PORTS[kind]

    def rules(self, count):
        """Some, by kind: (proto, src, dst, sport, dport)"""
        drawn = {}
        for _ in range(count):
            kind = choose(self.rnd, self.weights)
            drawn.setdefault(kind, []).append(self.rule(*kind))
        for rules in drawn.values():
            yield from rules

    def rule(self, ports, proto, bits):
        """One of a kind."""
        return (proto, self.ends[0].net(bits[0]), self.ends[1].net(bits[1]),
                self.port(ports[0]), self.port(ports[1]))


def kinds(ports, lengths):
    """All pairs of a way to give ports and one to give prefixes"""
    return {(tuple(p.split()[:2]), p.split()[2], bits): share * part
            for p, share in ports.items() for bits, part in lengths.items()}


class Acl(Shape):
    """An access list."""
    kinds = kinds({"WC EM tcp": 60, "WC EM udp": 1, "WC AR tcp": 11, "WC WC tcp": 17,
                   "WC WC any": 8, "WC WC icmp": 3},
                  {(32, 32): 66, (32, 23): 10, (24, 32): 14, (32, 16): 4,
                   (24, 24): 5, (0, 16): 1})
    src = (8, 9, 1.25, 0.5, 1.5)
    dst = (20, 12, 0.3, 0.1, 3)


class Fw(Shape):
    """A firewall."""
    kinds = {
        **kinds({"WC EM tcp": 38, "WC EM udp": 18, "EM WC udp": 10, "EM EM udp": 2.5,
                 "HI HI tcp": 5, "HI EM udp": 2, "EM HI udp": 2},
                {(0, 32): 60, (32, 0): 22, (32, 32): 10, (22, 0): 4, (29, 29): 3}),
        **kinds({"WC WC tcp": 9, "WC WC gre": 6, "WC WC icmp": 5, "WC WC any": 1},
                {(32, 32): 30, (0, 32): 25, (32, 0): 30, (22, 0): 10, (12, 0): 4,
                 (0, 0): 0.5}),
        **kinds({"HI AR udp": 0.2, "AR HI udp": 0.1}, {(0, 0): 1}),
    }
    src = (40, 3, 1.9, -0.4, 1.5)
    dst = (40, 3, 1.9, -0.4, 1.5)


class Ipc(Shape):
    """An IP chain."""
    kinds = kinds({"WC WC any": 33, "WC EM udp": 24, "WC EM tcp": 11, "EM WC udp": 8,
                   "EM WC tcp": 8, "WC HI tcp": 6, "WC AR tcp": 3, "AR WC tcp": 1.5,
                   "EM EM udp": 0.6, "WC WC tcp": 3, "WC WC icmp": 1.5},
                  {(32, 32): 20, (24, 32): 16, (32, 24): 10, (25, 25): 14,
                   (24, 24): 14, (17, 26): 6, (0, 32): 6, (0, 25): 6, (32, 0): 5,
                   (24, 0): 6, (16, 16): 4})
    src = (70, 4, 0.6, 0.2, 2)
    dst = (80, 6, 0.6, 0.2, 2)


SHAPES = {"acl": Acl, "fw": Fw, "ipc": Ipc}


def scope(rule):
    """How much a rule leaves open, in bits, and as the next key its shape."""
    proto, src, dst, *both = rule
    widths = [math.log2(high - low + 1) for low, high in both]
    return (8 * (proto == "any") + 64 - src.bits - dst.bits + sum(widths),
            src.bits, widths, proto)


def distinct(rules):
    """Rules in their order, none of them twice."""
    seen = set()
    for rule in rules:
        proto, src, dst, *ports = rule
        key = (proto, str(src), str(dst), *ports)
        if key not in seen:
            seen.add(key)
            yield rule


def ports(form, name, port, joint):
    """A port's part of a rule, or nothing."""
    if port == PORTS["WC"]:
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
    if sport != PORTS["WC"] or dport != PORTS["WC"]:
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
    made = SHAPES[shape](rnd, int(count), int(seed)).rules(int(count))
    rules = sorted(distinct(made), key=scope)
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
