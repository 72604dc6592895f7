#!/bin/sh
# Old start-up script of a small office's gateway, kept alive since the days of 2.6.
# Planted: -m state throughout (deprecated), a LAN address with a /24 mask (host bits set), and the ban on telnet
# below the rule that lets the LAN out (shadowed, other verdict), the answers of name servers told by their port (source port trusted),
# the file server's rule, for which the network's mask was forgotten (network without mask), a limit on a list that nobody gets on (list never filled),
# the statistics that were opened last, to eht1 (likely typo), and the two who are to use remote desktops, each of them kept out by the rule that is for the other (exception in vain).

# the gateway has to pass packets on
echo 1 > /proc/sys/net/ipv4/ip_forward 2>/dev/null

# start from nothing
iptables -F
iptables -X
iptables -t nat -F
iptables -t nat -X

iptables -P INPUT DROP
iptables -P FORWARD DROP
iptables -P OUTPUT ACCEPT

# the gateway itself
iptables -A INPUT -i lo -j ACCEPT
iptables -A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT
iptables -A INPUT -i eth1 -s 192.168.30.5 -p tcp --dport 22 -m state --state NEW -j ACCEPT
iptables -A INPUT -i eth1 -s 192.168.30.1/24 -p udp --dport 53 -j ACCEPT
iptables -A INPUT -i eth1 -p udp --dport 67 -m comment --comment "dhcp for the office" -j ACCEPT
iptables -A INPUT -i eth1 -s 192.168.30.0/24 -p tcp --dport 515 -j ACCEPT
iptables -A INPUT -i eth1 -s 192.168.30.0/24 -p tcp --dport 631 -j ACCEPT
iptables -A INPUT -i eth1 -s 192.168.30.0/24 -p tcp --dport 9100 -j ACCEPT
iptables -A INPUT -i eth1 -s 192.168.30.0 -p tcp --dport 445 -j ACCEPT
iptables -A INPUT -i eth0 -p udp --sport 53 -j ACCEPT
iptables -A INPUT -p icmp --icmp-type echo-request -m recent --update --seconds 10 --hitcount 20 --name ping -j DROP
iptables -A INPUT -p icmp --icmp-type echo-request -m limit --limit 5/second -j ACCEPT
iptables -A INPUT -i eht1 -s 192.168.30.7 -p tcp --dport 9090 -j ACCEPT

# everyone else
iptables -A FORWARD -m state --state ESTABLISHED,RELATED -j ACCEPT
iptables -A FORWARD -i eth1 ! -s 192.168.30.20 -p tcp --dport 3389 -j REJECT
iptables -A FORWARD -i eth1 ! -s 192.168.30.21 -p tcp --dport 3389 -j REJECT
iptables -A FORWARD -i eth1 -o eth0 -s 192.168.30.0/24 -j ACCEPT
iptables -A FORWARD -i eth1 -o eth0 -s 192.168.30.0/24 -p tcp --dport 23 -j REJECT --reject-with tcp-reset
iptables -A FORWARD -i eth0 -o eth1 -d 192.168.30.10 -p tcp --dport 443 \
     -m state --state NEW -j ACCEPT

# addresses
iptables -t nat -A PREROUTING -i eth0 -p tcp --dport 443 -j DNAT --to-destination 192.168.30.10:443
iptables -t nat -A POSTROUTING -o eth0 -s 192.168.30.0/24 -j MASQUERADE
