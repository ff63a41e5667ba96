#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Make tables and the plot of the benchmark's figures.

usage: report.py COMMAND DIR RELEASE=CSV...

Writes DIR/README.md and DIR/packets.svg (with gnuplot), and the short table into
the README.md at the top, between its marks.  The plot and the short table are of
the last kernel named.  COMMAND is what made the figures.
"""
import csv
import os
import subprocess
import sys

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
BEGIN = "<!-- figures: made by make bench -->"
END = "<!-- end of figures -->"

WORKS = (
    ("single-dport", 1, "one rule: `udp dport 53 accept`"),
    ("single-ports", 1, "one rule: `udp dport 100-200 accept`"),
    ("single-net", 1, "one rule: `ip saddr 10.32.0.0/13 accept`"),
    ("single-iifname", 1, "one rule: `iifname \"eth*\" accept`"),
    ("single-mark", 1, "one rule: `meta mark 5 accept`"),
    ("single-set", 1, "one rule: `ip saddr { 10.1.1.1, 10.1.1.2 } accept`"),
    ("single-both", 1, "one rule: `ip saddr X udp dport 53 counter drop`, address hits"),
    ("single-accept", 1, "one rule: `ip saddr X accept`, hits"),
    ("single-count", 1, "one rule: `ip saddr X counter`, hits"),
    ("saddr-miss", 1, "1 rule `ip saddr X accept`, no match"),
    ("saddr-miss", 10, "10 rules, no match"),
    ("saddr-miss", 100, "100 rules, no match"),
    ("saddr-miss", 1000, "1,000 rules, no match"),
    ("saddr-miss", 10000, "10,000 rules, no match"),
    ("saddr-miss", 100000, "100,000 rules, no match"),
    ("saddr-last", 1, "1 rule, matches it"),
    ("saddr-last", 10, "10 rules, matches the last"),
    ("saddr-last", 100, "100 rules, matches the last"),
    ("saddr-last", 1000, "1,000 rules, matches the last"),
    ("saddr-last", 10000, "10,000 rules, matches the last"),
    ("saddr-last", 100000, "100,000 rules, matches the last"),
    ("saddr-dport", 1000, "1,000 rules `ip saddr X tcp dport Y counter accept`, "
     "udp packet, addresses miss"),
    ("same-saddr-tcp", 1000, "the same, udp packet, every rule its address"),
    ("same-saddr", 1000, "1,000 rules `ip saddr X udp dport Y counter drop`, "
     "every rule its address, ports miss"),
    ("acl", 1000, "1,000 5-tuple rules: access list"),
    ("fw", 1000, "1,000 5-tuple rules: firewall"),
    ("ipc", 1000, "1,000 5-tuple rules: IP chain"),
    ("acl", 10000, "10,000 5-tuple rules: access list"),
    ("fw", 10000, "10,000 5-tuple rules: firewall"),
    ("ipc", 10000, "10,000 5-tuple rules: IP chain"),
    ("known", 30, "known connection, accepted by the first of 30 rules"),
    ("nested", 30, "30 rules behind 5 nested jumps, no match"),
    ("counters", 100, "100 rules with a counter, all match"),
    ("set-named", 1000, "one rule with a named set of 1,000 addresses"),
    ("set-anonymous", 1000, "the same, an anonymous set"),
    ("set-interval", 1000, "the same, an interval set"),
    ("set-concat", 1000, "the same, a concatenation with ranges"),
)

# Contender of the figures: work and contender, label, what it is measured above.
CONTENDERS = (
    ("saddr-miss", "off", "nft, linear rules"),
    ("saddr-miss", "on", "nft, linear rules, nft_bpfjit"),
    ("saddr-miss", "iptables", "iptables-legacy, linear rules"),
    ("set-named", "off", "nft, named set (rhash)"),
    ("set-anonymous", "off", "nft, anonymous set (hash)"),
    ("set-interval", "off", "nft, interval set (rbtree)"),
    ("set-concat", "off", "nft, concatenation with ranges (pipapo)"),
    ("saddr-miss", "hand-nf-hash", "BPF netfilter by hand, hash map"),
    ("saddr-miss", "hand-nf-search", "BPF netfilter by hand, search"),
    ("saddr-miss", "hand-tc-hash", "BPF tc by hand, hash map"),
    ("saddr-miss", "hand-tc-search", "BPF tc by hand, search"),
)

COMMANDS = (
    ("load", 1000, "`nft -f`, 1,000 linear rules"),
    ("load", 10000, "`nft -f`, 10,000 linear rules"),
    ("load-fw", 1000, "`nft -f`, firewall of 1,000 5-tuple rules"),
    ("load-fw", 10000, "`nft -f`, firewall of 10,000 5-tuple rules"),
    ("add", 10000, "add a rule to 10,000"),
    ("replace", 10000, "replace one of 10,000"),
    ("delete", 10000, "delete one of 10,000"),
    ("later", 10000, "compile it as a whole, later"),
    ("namespaces-50", 500, "`nft -f`, 500 rules, in each of 50 namespaces"),
)

RULES = (1, 10, 100, 1000, 10000, 100000)


def read(path):
    """(work, rules, contender): (figure, note)"""
    figures = {}
    with open(path, encoding="ascii", newline="") as file:
        for row in csv.DictReader(file):
            figures[row["work"], int(row["rules"]), row["contender"]] = \
                (int(row["instructions"]), row["note"])
    return figures


def number(figures, *key):
    """As a cell."""
    return f"{figures[key][0]:,}" if key in figures else ""


def million(figures, *key):
    """As a cell."""
    return f"{figures[key][0] / 1e6:,.1f}" if key in figures else ""


def ratio(figures, work, rules):
    """On over off."""
    on, off = figures.get((work, rules, "on")), figures.get((work, rules, "off"))
    return f"{on[0] / off[0]:.2f}" if on and off and off[0] > 0 else ""


def table(head, rows):
    """Markdown; rows with nothing but a title are left out."""
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows if any(row[1:])]
    return "\n".join(lines) + "\n"


def work_table(kernels):
    """Off against on, for each kernel."""
    head = ["work"]
    for release, _ in kernels:
        head += [f"{release}: off", "on", "state"]
    rows = []
    for work, rules, title in WORKS:
        row = [title]
        for _, figures in kernels:
            note = figures.get((work, rules, "on"), (0, ""))[1]
            row += [number(figures, work, rules, "off"),
                    number(figures, work, rules, "on"), note.partition(" ")[0]]
        rows.append(row)
    return table(head, rows)


def contender_table(figures, rules=RULES):
    """One kernel's."""
    return table(["rules or elements"] + [f"{n:,}" for n in rules],
                 [[label] + [number(figures, work, n, who) for n in rules]
                  for work, who, label in CONTENDERS])


def tuple_table(figures):
    """One kernel's."""
    return table(["5-tuple rules", "nft", "nft_bpfjit", "iptables-legacy"],
                 [[title] + [number(figures, work, n, who)
                             for who in ("off", "on", "iptables")]
                  for work, n, title in WORKS
                  if work in ("acl", "fw", "ipc", "saddr-dport", "same-saddr-tcp",
                              "same-saddr")])


def command_table(figures):
    """One kernel's, millions."""
    return table(["command", "off", "on", "on/off", "iptables-legacy-restore"],
                 [[title, million(figures, work, n, "off"), million(figures, work, n, "on"),
                   ratio(figures, work, n), million(figures, work, n, "iptables-legacy")]
                  for work, n, title in COMMANDS])


def memory_table(figures):
    """One kernel's; what /proc/net/nft_bpfjit says."""
    sizes = (1000, 10000)
    rows = []
    for work, title in (("saddr", "`ip saddr X accept`"), ("acl", "access list"),
                        ("fw", "firewall"), ("ipc", "IP chain")):
        row = [title]
        for n in sizes:
            figure = figures.get((work + "-memory", n, "on"))
            row.append(f"{figure[0] / n:.0f}" if figure else "")
        rows.append(row)
    return table(["rules"] + [f"{n:,}" for n in sizes], rows)


def plot(release, figures, path):
    """Instructions over rules."""
    lines = []
    data = []
    for work, who, label in CONTENDERS:
        points = [(n, figures[work, n, who][0]) for n in RULES
                  if (work, n, who) in figures and figures[work, n, who][0] > 0]
        if len(points) < 2:
            continue
        width = 4 if who == "on" else 1.5
        dash = {"set": 2, "sad": 1}[work[:3]] if not who.startswith("hand") else 4
        lines.append(f"'-' using 1:2 with linespoints lw {width} dt {dash} title \"{label}\"")
        data.append("\n".join(f"{n} {value}" for n, value in points) + "\ne\n")
    if not lines:
        return
    script = f"""
set terminal svg noenhanced size 960,560 font "sans,13" background "white"
set output "{path}"
set title "Linux {release}: instructions per packet above an empty chain (make bench)"
set xlabel "rules (or elements of the set)"
set ylabel "instructions per packet"
set logscale xy
set grid
set key outside right top
plot {", ".join(lines)}
"""
    subprocess.run(["gnuplot"], input=script + "".join(data), text=True, check=True)


def main():
    """See the top."""
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    command, folder = sys.argv[1:3]
    kernels = []
    for arg in sys.argv[3:]:
        release, _, path = arg.partition("=")
        kernels.append((release, read(path)))
    last, figures = kernels[-1]
    made = (f"Guest instructions, on Debian's {' and '.join(name for name, _ in kernels)}; "
            f"made by `{command}`.\n")
    text = "# What a packet costs, and what a command\n\n" + made + """
A packet's instructions are those above an empty nft chain in the same place (for the
5-tuple rules: the average over packets drawn from the rules); iptables-legacy is
measured above an empty chain of its own, a tc program above an empty one.  "Off" and
"on" is the switch `net.netfilter.nft_jit_enable`, the state is that of
`/proc/net/nft_bpfjit`.  A packet's figure is the least of five measurements;
from one run to the next it differs by less than one percent, except where nft
itself hashes with a seed that is random (sets).

Below zero are figures of 6.1: there nft_do_chain() spends more on an empty chain,
which is left to it, than the module on one with rules.

![instructions per packet over the number of rules](packets.svg)

## Off and on

""" + work_table(kernels)
    text += f"\n## Memory, {last}: bytes of programs and tables a rule\n\n" + \
        memory_table(figures)
    for release, each in kernels:
        text += f"\n## Contenders, {release}\n\n" + contender_table(each) + \
            "\n" + tuple_table(each)
        text += f"\n## Commands, {release}: millions of instructions\n\n" + \
            command_table(each)
    with open(os.path.join(folder, "README.md"), "w", encoding="ascii") as file:
        file.write(text)
    plot(last, figures, os.path.join(folder, "packets.svg"))

    readme = os.path.join(TOP, "README.md")
    if os.path.realpath(folder) != os.path.join(TOP, "Documentation", "bench"):
        return
    with open(readme, encoding="ascii") as file:
        text = file.read()
    head, _, rest = text.partition(BEGIN + "\n")
    _, mark, tail = rest.partition(END)
    if not mark:
        sys.exit("README.md has no marks for the figures")
    short = ("![instructions per packet over the number of rules]"
             "(Documentation/bench/packets.svg)\n\n"
             f"Instructions per packet above an empty chain, Linux {last}, no match, taken by "
             f"`{command}`\n([all figures](Documentation/bench/README.md)):\n\n" +
             contender_table(figures, (10, 100, 1000, 10000)))
    with open(readme, "w", encoding="ascii") as file:
        file.write(head + BEGIN + "\n" + short + END + tail)


main()
