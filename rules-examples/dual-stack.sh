#!/bin/sh
# Start-up script of a monitoring server with both families.
# Planted: PostgreSQL is for the office only in IPv4, and for everybody in IPv6 (family parity, exposed service).

iptables -F INPUT
iptables -P INPUT DROP
iptables -P FORWARD DROP
iptables -A INPUT -i lo -j ACCEPT
iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A INPUT -p icmp --icmp-type echo-request -j ACCEPT
iptables -A INPUT -p tcp -m multiport --dports 22,443 -j ACCEPT
iptables -A INPUT -s 192.0.2.64/27 -p tcp --dport 5432 -j ACCEPT

ip6tables -F INPUT
ip6tables -P INPUT DROP
ip6tables -P FORWARD DROP
ip6tables -A INPUT -i lo -j ACCEPT
ip6tables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
ip6tables -A INPUT -p ipv6-icmp -j ACCEPT
ip6tables -A INPUT -p tcp -m multiport --dports 22,443 -j ACCEPT
ip6tables -A INPUT -p tcp --dport 5432 -j ACCEPT
