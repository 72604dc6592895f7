#!/bin/sh
# Start-up script of a small mail and web server. IPv6 came later, and got no rules of its own.
# Planted: the IPv6 side accepts everything (unprotected family).

iptables -F INPUT
iptables -P INPUT DROP
iptables -P FORWARD DROP
iptables -P OUTPUT ACCEPT
iptables -A INPUT -i lo -j ACCEPT
iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A INPUT -m conntrack --ctstate INVALID -j DROP
iptables -A INPUT -p icmp --icmp-type echo-request -m limit --limit 5/second -j ACCEPT
iptables -A INPUT -p tcp -m multiport --dports 22,25,80,443,587,993 -j ACCEPT

# the hoster asked us not to answer these
ip6tables -F INPUT
ip6tables -P INPUT ACCEPT
ip6tables -P FORWARD DROP
ip6tables -P OUTPUT ACCEPT
ip6tables -A INPUT -p udp --dport 5353 -j DROP
ip6tables -A INPUT -p udp --dport 1900 -j DROP
