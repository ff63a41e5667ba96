# SPDX-License-Identifier: GPL-2.0-only
#
# Make packets for probe.c out of a ruleset: for each rule one that has the values
# that the rule names, and some that are near, but not the same.
#
# usage: awk -f packets.awk [-v max=N] ruleset...	(nft and iptables-restore)
#
# Not a parser: it looks for words such as "saddr" or "--dport" and takes what
# stands behind them; of a set it takes some elements.  What a rule does not say
# comes from a table of defaults.  If that makes more packets than max, every
# n-th is taken.  Rules that choose at random, and packets that would get there,
# are left out.

function is6(a) { return index(a, ":") > 0 }

# one address of a prefix or range, the k-th or so
function addr(v, k,    p, o, len)
{
	sub(/^.*-/, k % 2 ? "" : "&", v)
	sub(/-.*$/, "", v)
	len = -1
	if (split(v, p, "/") == 2)
		len = p[2]
	v = p[1]
	if (is6(v)) {
		if (len >= 0 && len < 128 && v ~ /::$/)
			v = v (len > 112 ? "1" : "1:" k % 9000 + 1)
		return v
	}
	if (len < 0 || len > 30)
		return v
	split(v, o, ".")
	return o[1] "." o[2] "." o[3] "." (o[4] + 1 + k % (len > 24 ? 2 : 200)) % 256
}

# an address near by
function near(v,    o)
{
	if (is6(v))
		return v ~ /::/ ? "2001:db8:ffff::" ++nears : v
	split(v, o, ".")
	return o[1] "." o[2] "." (o[3] + 1) % 256 "." o[4]
}

function port(v, k)
{
	sub(/^!/, "", v)
	if (k % 2)
		sub(/^[0-9]*[-:]/, "", v)
	sub(/[-:].*$/, "", v)
	return v + 0
}

# the value at word i: itself, or the k-th of { ... } or of @set
function value(i, k,    j, n, list)
{
	if (w[i] == "!=")
		i++
	if (w[i] ~ /^@/) {
		n = nset[substr(w[i], 2)]
		return n ? set[substr(w[i], 2), k % n] : ""
	}
	if (w[i] != "{")
		return w[i]
	for (j = i + 1; j <= nw && w[j] != "}"; j++)
		if (w[j] != "," && (w[j - 1] == "{" || w[j - 1] == ","))
			list[n++] = w[j]
	return n ? list[k % n] : ""
}

function emit(proto, dev, src, dst, a, b, flags, mac,    six)
{
	dev = dev == "" ? (table == "bridge" ? "vm0" : first) : dev
	if (dev == "lo")
		return
	if (src ~ mac_like || dst ~ mac_like)
		return
	if (dev ~ /^vm[0-9]$/ && count % 4) {
		if (mac == "")
			mac = "52:54:00:00:00:1" substr(dev, 3)
		if (src == "" && !want6 && !is6(dst))
			src = "10.5.0.1" substr(dev, 3)
	}
	six = is6(src) || is6(dst) || (src == "" && dst == "" && want6)
	if (src == "")
		src = six ? "2001:db8:77::9" : proto == "arp" ? "10.0.0.2" : \
			dev != "eth0" && local4[dev] ? local4[dev] "9" : "203.0.113.200"
	if (dst == "")
		dst = six ? local6 : local4[dev] ? local4[dev] : "10.0.0.1"
	if (is6(src) != is6(dst) || src !~ address || dst !~ address)
		return
	if (proto == "")
		proto = a != "" || b != "" ? "tcp" : count % 3 ? "tcp" : "udp"
	if (six && proto == "icmp")
		proto = "icmp6"
	if (proto == "icmp" || proto == "icmp6") {
		if (a == "")
			a = six ? 128 : 8
	} else {
		if (a == "")
			a = 1024 + count % 60000
		if (b == "")
			b = 80
	}
	key = proto " " dev " " src " " dst " " b " " flags " " mac
	if (key in sent)
		return
	sent[key]
	packets[count++] = proto " " dev " " src " " dst " " a + 0 " " b + 0 " " \
		(flags == "" ? 2 : flags) " " (mac == "" ? "-" : mac)
}

# what a rule says, and three packets near it
function rule_packets(    b)
{
	if (!said)
		return
	emit(proto, dev, src, dst, sport, dport, flags, mac)
	if (calm && (src != "" || dst != ""))
		return
	emit(proto, dev, src == "" ? "" : near(src), dst, sport, dport, flags, mac)
	if (dport != "")
		emit(proto, dev, src, dst, sport, dport + 1, flags, mac)
	# through the router
	if (dst == "")
		emit(proto, dev, src, is6(src) || want6 ? "fd00:2::77" : "10.2.0.77",
		     sport, dport, flags, mac)
	else
		emit(proto, dev, src, near(dst), sport, dport, flags, mac)
	# on another way in, of those that the ruleset names
	if (ndevs)
		emit(proto, devs[said++ % ndevs], src, dst, sport, dport, flags, mac)
	if (ndevs)
		emit(proto, devs[count % ndevs], "", dst, sport, dport, flags, mac)
	if (proto == "tcp")
		emit(proto, dev, src, dst, sport, dport, 16 + said % 3, mac)
}

function icmp_type(v)
{
	return v ~ /^[0-9]+$/ ? v : v in types ? types[v] : 8
}

function nft_rule(k,    i, x)
{
	for (i = 1; i <= nw; i++) {
		x = value(i + 1, k)
		if (x ~ /^"/)
			x = substr(x, 2, length(x) - 2)
		if (w[i] == "iifname" || w[i] == "iif") {
			dev = x; said++
			if (w[i + 1] == "!=")
				dev = dev == "eth0" ? "eth1" : "eth0"
			if (w[i + 2] == "." && w[i + 5] ~ /^@/) {
				dev = ""
			}
		} else if (w[i] == "saddr" && w[i - 1] == "ether") {
			if (x ~ /^..:..:..:..:..:..$/)
				mac = x
			said++
		} else if (w[i] == "saddr" && w[i + 1] != "ether" && w[i + 1] != ".") {
			if (w[i + 1] == "ip")
				x = value(i + 2, k)
			if (x ~ /^[0-9a-f:.\/-]+$/) {
				src = addr(x, k); said++
			}
		} else if (w[i] == "daddr" && w[i + 1] != "ether" && w[i - 1] != "ether" &&
			   w[i + 1] != ".") {
			if (w[i + 1] == "ip")
				x = value(i + 2, k)
			if (x ~ /^[0-9a-f:.\/-]+$/) {
				dst = addr(x, k); said++
			}
		} else if (w[i] == "dport" || w[i] == "sport") {
			if (x !~ /^[0-9]+(-[0-9]+)?$/)
				x = 80
			if (w[i] == "dport")
				dport = port(x, k)
			else
				sport = port(x, k)
			if (w[i - 1] == "tcp" || w[i - 1] == "udp")
				proto = w[i - 1]
			said++
		} else if (w[i] == "l4proto" || w[i] == "protocol" || w[i] == "nexthdr") {
			if (w[i - 1] == "ct" || x == ".")
				continue
			proto = x == "ipv6-icmp" ? "icmp6" : x in numbers ? numbers[x] : x
			said++
		} else if (w[i] == "icmp" && w[i + 1] == "type") {
			proto = "icmp"; sport = icmp_type(value(i + 2, k)); dport = 0; said++
		} else if (w[i] == "icmpv6" && w[i + 1] == "type") {
			proto = "icmp6"; dport = 0; want6 = 1; said++
			sport = icmp_type(value(i + 2, k))
		} else if (w[i] == "flags" && w[i - 1] == "tcp") {
			proto = "tcp"; said++
			flags = (k % 4 == 0) ? 2 : k % 4 == 1 ? 3 : k % 4 == 2 ? 0 : 41
		} else if (w[i] == "operation") {
			proto = "arp"; sport = x == "reply" ? 2 : 1; dport = 1; said++
		} else if (w[i] == "vlan" && w[i + 1] == "id") {
			proto = "vlan"; sport = port(value(i + 2, k), k); said++
		} else if (w[i] == "ip6") {
			want6 = 1
		} else if (w[i] == "frag-off") {
			proto = "frag"; said++
		} else if (w[i] == "pkttype") {
			dst = "255.255.255.255"; said++
		} else if (w[i] == "counter" || w[i] == "log" || w[i] == "accept" ||
			   w[i] == "drop" || w[i] == "dnat" || w[i] == "comment") {
			if (w[i - 1] != "status")
				break
		} else if (w[i] == "jump" || w[i] == "goto") {
			break
		}
	}
	rule_packets()
}

function ipt_rule(k,    i, x, neg)
{
	for (i = 3; i <= nw; i++) {
		neg = w[i - 1] == "!"
		x = w[i + 1]
		gsub(/"/, "", x)
		if (w[i] == "-i") {
			dev = neg ? (x == "eth0" ? "eth1" : "eth0") : x; said++
		} else if (w[i] == "-s") {
			src = addr(x, k); said++
			if (neg)
				src = near(src)
		} else if (w[i] == "-d") {
			dst = addr(x, k); said++
			if (neg)
				dst = near(dst)
		} else if (w[i] == "-p") {
			proto = x == "ipv6-icmp" || x == "icmpv6" ? "icmp6" : x in numbers ? numbers[x] : x
			said++
		} else if (w[i] ~ /^--(dport|dports|ctorigdstport)$/) {
			split(x, p, ",")
			dport = port(p[1 + k % 2 in p ? 1 + k % 2 : 1], k); said++
		} else if (w[i] ~ /^--sports?$/) {
			sport = port(x, k); said++
		} else if (w[i] ~ /^--icmp(v6)?-type$/) {
			sport = x + 0; dport = 0; said++
		} else if (w[i] == "--tcp-flags") {
			flags = k % 4 == 0 ? 2 : k % 4 == 1 ? 3 : k % 4 == 2 ? 0 : 41; said++
		} else if (w[i] == "-j" || w[i] == "-g") {
			break
		}
	}
	rule_packets()
}

function reset()
{
	proto = dev = src = dst = sport = dport = flags = mac = ""
	said = 0
	want6 = six_only
}

BEGIN {
	max = max ? max : 150
	split("eth0 10.0.0.1 eth1 10.1.0.1 eth2 10.2.0.1 docker0 172.17.0.1 br-web 172.18.0.1 " \
	      "br-db 172.19.0.1 virbr0 192.168.122.1 virbr1 10.77.0.1 br-lan 192.168.1.1 " \
	      "br-guest 192.168.3.1 wan 198.51.100.10 cni0 10.244.0.1", l, " ")
	for (i = 1; i in l; i += 2)
		local4[l[i]] = l[i + 1]
	local6 = "2001:db8:10::1"
	mac_like = "^..:..:..:..:..:..$"
	address = "^([0-9]+[.][0-9]+[.][0-9]+[.][0-9]+|[0-9a-f]*:[0-9a-f:]*)$"
	first = "eth0"
	split("echo-request 8 echo-reply 0 destination-unreachable 3 time-exceeded 11 " \
	      "parameter-problem 4 packet-too-big 2 nd-neighbor-solicit 135 " \
	      "nd-neighbor-advert 136 nd-router-solicit 133 nd-router-advert 134 " \
	      "nd-redirect 137 mld-listener-query 130 mld2-listener-report 143 " \
	      "timestamp-request 13", l, " ")
	for (i = 1; i in l; i += 2)
		types[l[i]] = l[i + 1]
	split("igmp 2 esp 50 ah 51 gre 47 sctp 132 ipv6-icmp icmp6 all 6", l, " ")
	for (i = 1; i in l; i += 2)
		numbers[l[i]] = l[i + 1]
	# twice over the files: sets and what is random first
	n = ARGC
	for (i = 1; i < n; i++)
		if (ARGV[i] !~ /=/)
			ARGV[ARGC++] = ARGV[i]
	half = (ARGC - n)
}

FNR == 1 {
	files++
	six_only = FILENAME ~ /\.ipt6$/
	table = ""
}

{
	line = $0
	gsub(/[{},]/, " & ", line)
	nw = split(line, w, /[ \t]+/)
	if (w[1] == "") {
		for (i = 1; i < nw; i++)
			w[i] = w[i + 1]
		nw--
	}
}

w[1] == "#" || w[1] ~ /^#/ { next }
w[1] == "table" { table = w[2]; six_only = table == "ip6" }
w[1] == "chain" { chain = w[2] }

# first pass
files <= half {
	if (w[1] == "set" || w[1] == "map")
		name = w[2]
	if (w[1] == "elements" || more) {
		more = 1
		for (i = 1; i <= nw; i++) {
			if (w[i] == "}" )
				more = 0
			else if (w[i] ~ /^[0-9a-f]/ && (i == 1 || w[i - 1] == "{" || w[i - 1] == ",") &&
				 w[i] != "elements")
				set[name, nset[name]++] = w[i]
		}
	}
	for (i = 1; i < nw; i++)
		if ((w[i] == "iifname" || w[i] == "-i") && w[i + 1] ~ /^"?[a-z]/) {
			x = w[i + 1]
			gsub(/"/, "", x)
			if (!(x in is_dev) && x != "lo")
				devs[ndevs++] = x
			is_dev[x]
		}
	if (/numgen random mod ([2-9]|[1-9][0-9])/) {
		random[chain]
		calm = 1
	}
	if (/--mode random/) {
		random[w[2]]
		calm = 1
	}
	next
}

w[1] == "type" || w[1] == "policy" || w[1] == "elements" && w[2] != "=" { next }

# elements of a map: "10.96.0.1 . tcp . 80 : goto chain"
/ \. (tcp|udp) \. [0-9]/ && /(goto|jump) / {
	for (i = 1; i <= nw; i++) {
		if (w[i] != "." || w[i + 1] !~ /^(tcp|udp)$/)
			continue
		reset()
		for (j = i; j <= nw && w[j] != ","; j++)
			if (w[j] == "goto" || w[j] == "jump")
				break
		if (w[j + 1] in random)
			continue
		proto = w[i + 1]
		dst = w[i - 1] ~ /\./ ? w[i - 1] : ""
		dport = w[i + 3] + 0
		said = 1
		emit(proto, "eth0", "", dst, "", dport, 2, "")
		emit(proto, "eth1", "10.244.0.9", dst, "", dport + 1, 2, "")
	}
	next
}
/^[ \t]*(set|map|table|chain|type|flags|size|timeout|comment|elements|flowtable|devices|hook|policy|})/ { next }
/^[:*#]/ { next }

{
	for (i = 1; i < nw; i++)
		if ((w[i] == "goto" || w[i] == "-j") && w[i + 1] in random)
			next
	if (chain in random || $2 in random)
		next
	for (k = 0; k < (/[{@]|tcp-flags|tcp flags|[0-9]-[0-9]|:[0-9]/ ? 4 : 1); k++) {
		reset()
		if (w[1] == "-A")
			ipt_rule(k + NR)
		else
			nft_rule(k + NR)
	}
}

END {
	step = count > max ? count / max : 1
	for (i = 0; i < count; i += step)
		print packets[int(i)]
	reset()
	count = 0
	# and some of every kind
	delete sent
	emit("icmp", "eth0", "203.0.113.9", "10.0.0.1", 8, 0, "", "")
	emit("icmp", "eth0", "203.0.113.9", "10.0.0.1", 13, 0, "", "")
	emit("udp", "eth0", "0.0.0.0", "255.255.255.255", 68, 67, "", "")
	emit("udp", "eth0", "203.0.113.9", "224.0.0.251", 5353, 5353, "", "")
	emit("2", "eth0", "203.0.113.9", "224.0.0.1", 0, 0, "", "")
	emit("50", "eth0", "203.0.113.9", "10.0.0.1", 0, 0, "", "")
	emit("132", "eth0", "203.0.113.9", "10.2.0.9", 80, 80, "", "")
	emit("tcp", "eth0", "203.0.113.9", "10.0.0.1", 1, 22, 0, "")
	emit("tcp", "eth0", "203.0.113.9", "10.0.0.1", 2, 22, 41, "")
	emit("tcp", "eth0", "203.0.113.9", "10.0.0.1", 3, 22, 4, "")
	emit("tcp", "eth1", "10.1.0.9", "203.0.113.77", 5555, 443, 2, "")
	emit("tcp", "eth0", "203.0.113.77", "10.1.0.9", 443, 5555, 18, "")
	emit("frag", "eth0", "203.0.113.9", "10.0.0.1", 9, 9, "", "")
	emit("icmp6", "eth0", "fe80::9", "ff02::1", 135, 0, "", "")
	emit("icmp6", "eth0", "2001:db8:77::9", local6, 128, 0, "", "")
	emit("icmp6", "eth0", "fe80::9", "ff02::1", 134, 0, "", "")
	emit("tcp", "eth0", "2001:db8:77::9", local6, 1, 22, 2, "")
	emit("udp", "eth0", "2001:db8:77::9", "fd00:2::77", 53, 53, "", "")
	for (i = 0; i < count; i++)
		print packets[i]
}
