/** What generated rules do with a packet, table by table. */
import type { Family } from '../../values/value.js';
import { setTargets } from './ip-sets.js';
import { places } from './places.js';
import type { RulePlace } from './rule-place.js';

const bracketed = (address: string): string => address.includes(':') ? `[${address}]` : address;

const common = ['-j ACCEPT', '-j DROP', '-j LOG', '', '-j RETURN', '-j NFLOG --nflog-group 9', ...setTargets];

const rawTargets = [
  '-j ACCEPT', '-j CT --notrack', '-j NOTRACK', '-j CT --zone 1', '-j CT --zone-orig 2', '-j CT --zone-reply 3', '-j CT --zone mark',
  '-p tcp --dport 21 -j CT --helper ftp', '-p tcp --dport 21 -j CT --helper ftp --zone 1', '-p udp --dport 53 -j CT --helper tftp', '-j MARK --set-mark 1',
];

function mangleTargets(family: Family): readonly string[] {
  const hop = family === 'ipv4' ? '-j TTL --ttl-' : '-j HL --hl-';
  return [
    '-j MARK --set-mark 1', '-j MARK --set-mark 1', '-j MARK --or-mark 2', '-j MARK --set-xmark 0x1/0x3', '-j MARK --and-mark 0xfffffffe',
    '-j CONNMARK --set-mark 2', '-j CONNMARK --save-mark', '-j CONNMARK --restore-mark', '-j CONNMARK --set-xmark 0x10/0xff', '-j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff',
    '-j MARK --xor-mark 3', '-j MARK --set-mark 0x1/0x1', '-j CONNMARK --or-mark 1', '-j CONNMARK --xor-mark 0x2', '-j CONNMARK --and-mark 0xfe', '-j CONNMARK --save-mark --nfmask 0x1 --ctmask 0x3',
    `${hop}set 10`, `${hop}dec 1`, `${hop}inc 5`, '-j DSCP --set-dscp 10', '-j TOS --set-tos 0x10', '-j DSCP --set-dscp-class EF', '-j TOS --or-tos 0x04', '-j TOS --xor-tos 0x10', '-j TOS --set-tos 0x08/0x3f', '-j CLASSIFY --set-class 1:2',
    '-p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1200', '-p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu', '-p tcp -j TCPOPTSTRIP --strip-options sack-permitted', '-p tcp -j TPROXY --on-port 8080', '-p udp -j TPROXY --on-port 0 --tproxy-mark 0x1/0x1', ...family === 'ipv4' ? ['-p tcp -j ECN --ecn-tcp-remove'] : ['-j SNPT --src-pfx 2001:db8:2::/64 --dst-pfx 2001:db8:7::/64', '-j DNPT --src-pfx 2001:db8:7::/64 --dst-pfx 2001:db8:2::/64', '-j SNPT --src-pfx 2001:db8:9::/48 --dst-pfx 2001:db8:a::/48'],
  ];
}

/** Of a destination in nat: REDIRECT and NETMAP too. */
function destinationTargets(family: Family): readonly string[] {
  const { own: [first = ''], inside, insideNetwork } = places[family];
  const [here, there] = [bracketed(first), bracketed(inside)];
  return [
    `-j DNAT --to-destination ${inside}`, `-p tcp -j DNAT --to-destination ${there}:8080`, `-p udp -j DNAT --to-destination ${here}:53`, `-p tcp -j DNAT --to-destination ${there}:8080-8090`,
    `-p tcp -j DNAT --to-destination ${there}:1000-1100/40000`, `-j DNAT --to-destination ${inside}-${inside.slice(0, -1)}7`, `-j DNAT --to-destination ${inside}-${inside.slice(0, -1)}7 --persistent`,
    '-p tcp -j REDIRECT --to-ports 8080', '-p udp -j REDIRECT --to-ports 600-610', '-j REDIRECT', `-j NETMAP --to ${insideNetwork}`,
    ...family === 'ipv4' ? ['-p tcp -j DNAT --to-destination :8080', '-p udp -j DNAT --to-destination :53', '-j DNAT --to-destination 127.0.0.1', `-j NETMAP --to ${inside}`, '-p icmp -j DNAT --to-destination 10.0.0.6'] : [],
  ];
}

function sourceTargets(family: Family): readonly string[] {
  const { own: [first = '', second = ''] } = places[family];
  return [
    `-j SNAT --to-source ${second}`, `-j SNAT --to-source ${first}`, `-p tcp -j SNAT --to-source ${bracketed(first)}:1024-1030`, `-p udp -j SNAT --to-source ${bracketed(second)}:600`, `-p tcp -j SNAT --to-source ${bracketed(second)}:80`,
    `-j SNAT --to-source ${second}-${second.slice(0, -1)}4`, `-j SNAT --to-source ${second}-${second.slice(0, -1)}4 --persistent`,
  ];
}

function natTargets({ hook, family }: RulePlace): readonly string[] {
  const plain = ['-j ACCEPT', '', '-j RETURN', '-j LOG'];
  if (hook === 'PREROUTING' || hook === 'OUTPUT') return [...plain, ...destinationTargets(family)];
  const sources = [...plain, ...sourceTargets(family), `-j NETMAP --to ${places[family].insideNetwork}`];
  return hook === 'POSTROUTING' ? [...sources, '-j MASQUERADE', '-j MASQUERADE', '-p tcp -j MASQUERADE --to-ports 2000-2002', '-p udp -j MASQUERADE --random'] : sources;
}

/** Targets that need a protocol bring it along. */
export function targetsOf(place: RulePlace): readonly string[] {
  const { table, family } = place;
  switch (table) {
    case 'raw': return [...common, ...rawTargets];
    case 'mangle': return [...common, ...mangleTargets(family)];
    case 'nat': return natTargets(place);
    case 'security': return ['-j ACCEPT', '-j DROP', '', '-j RETURN'];
    case 'filter': {
      const refusals = family === 'ipv4' ? ['icmp-host-prohibited', 'icmp-net-unreachable', 'icmp-admin-prohibited'] : ['icmp6-adm-prohibited', 'icmp6-addr-unreachable', 'icmp6-reject-route'];
      return [...common, '-j ACCEPT', '-j ACCEPT', '-j ACCEPT', '-j REJECT', '-j REJECT', '-p tcp -j REJECT --reject-with tcp-reset', '-p tcp -j REJECT --reject-with tcp-reset', ...refusals.map(how => `-j REJECT --reject-with ${how}`)];
    }
  }
}
