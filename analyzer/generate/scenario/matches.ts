/** What generated rules ask of a packet: near the addresses, ports and states of the packets that are drawn with them. */
import type { Arbitrary, Family, Fc } from '../../values/value.js';
import { setMatches } from './ip-sets.js';
import { places } from './places.js';
import type { RulePlace } from './rule-place.js';

const states = ['NEW', 'ESTABLISHED', 'RELATED', 'INVALID', 'UNTRACKED', 'NEW,ESTABLISHED', 'RELATED,ESTABLISHED', 'SNAT', 'DNAT'];
const statuses = ['NONE', 'EXPECTED', 'SEEN_REPLY', 'ASSURED', 'CONFIRMED'];

function trackingMatches(family: Family): readonly string[] {
  const [first = '', second = ''] = places[family].own;
  return [
    ...states.map(state => `-m conntrack --ctstate ${state}`), ...states.map(state => `-m conntrack ! --ctstate ${state}`),
    ...statuses.map(status => `-m conntrack --ctstatus ${status}`), '-m conntrack ! --ctstatus NONE',
    '-m conntrack --ctdir ORIGINAL', '-m conntrack --ctdir REPLY', `-m conntrack --ctorigdst ${first}`, `-m conntrack ! --ctreplsrc ${second}`, '-m conntrack --ctproto 6', '-m conntrack --ctorigdstport 80',
    `-m conntrack --ctrepldst ${first}`, `-m conntrack --ctorigsrc ${second}`, '-m conntrack --ctorigsrcport 1024:', '-m conntrack ! --ctreplsrcport 80', '-m conntrack --ctrepldstport 1024:65535', '-m conntrack ! --ctstatus ASSURED',
    '-m conntrack --ctstatus SEEN_REPLY,ASSURED', '-m conntrack --ctstate NEW --ctdir ORIGINAL', '-m conntrack --ctexpire 0:125', '-m connmark --mark 0x2', '-m connmark ! --mark 0x0/0xff', '-m helper --helper ftp',
    '-m connlimit --connlimit-above 1', '-m connlimit --connlimit-upto 2 --connlimit-mask 0', '-m connlimit --connlimit-above 1 --connlimit-daddr', '-m connlimit --connlimit-upto 1 --connlimit-mask 8',
    '-m connbytes --connbytes 2: --connbytes-dir both --connbytes-mode packets', '-m connbytes --connbytes 1:2 --connbytes-dir reply --connbytes-mode packets', '-m connbytes ! --connbytes 100: --connbytes-dir original --connbytes-mode bytes',
    '-m connbytes --connbytes 41:60 --connbytes-dir both --connbytes-mode avgpkt', '-m connbytes --connbytes 1: --connbytes-dir reply --connbytes-mode avgpkt',
  ];
}

/** State that hangs on real time is kept slow enough to stand still. */
const statefulMatches = [
  '-m statistic --mode nth --every 3 --packet 1', '-m statistic --mode nth --every 2', '-m limit --limit 1/hour --limit-burst 2', '-m limit --limit 2/day', '-m quota --quota 150', '-m quota ! --quota 100',
  '-m recent --name R --set', '-m recent --name R --rcheck', '-m recent --name R --update --hitcount 3', '-m recent --name R --remove', '-m recent --name R ! --rcheck --rdest',
  '-m recent --name R --set --rdest', '-m recent --name R --rcheck --seconds 3600 --hitcount 2', '-m recent --name R --update --rttl', '-m recent --name S --set', '-m recent --name S ! --update --seconds 3600',
  '-m hashlimit --hashlimit-name H --hashlimit-mode srcip --hashlimit-upto 1/hour --hashlimit-burst 2', '-m hashlimit --hashlimit-name I --hashlimit-mode dstip,dstport --hashlimit-above 1/hour --hashlimit-burst 3',
  '-m hashlimit --hashlimit-name J --hashlimit-upto 1/hour --hashlimit-burst 3', '-m hashlimit --hashlimit-name K --hashlimit-mode srcip --hashlimit-srcmask 8 --hashlimit-above 1/hour --hashlimit-burst 1', '-m hashlimit --hashlimit-name L --hashlimit-mode srcip,srcport,dstip,dstport --hashlimit-upto 2/day --hashlimit-burst 1',
];

function headerMatches(family: Family): readonly string[] {
  const hop = family === 'ipv4' ? 'ttl --ttl' : 'hl --hl';
  return [
    `-m ${hop}-eq 64`, `-m ${hop}-lt 63`, `-m ${hop}-gt 3`, '-m length --length 0:60', '-m length ! --length 40', '-m dscp --dscp 0x0a', '-m tos --tos 0x10/0x3f',
    '-m string --algo kmp --string abc', '-m string --algo bm --string abc --from 28 --to 60',
    ...family === 'ipv4'
      ? ['-m iprange --src-range 198.51.100.7-198.51.100.9', '-m iprange ! --dst-range 10.0.0.1-10.0.0.5', '-f', '! -f', '-m u32 --u32 "6&0xFF=6"', '-m ipv4options --flags router-alert']
      : ['-m ipv6header --soft --header frag', '-m frag --fragfirst', '-m iprange --src-range 2001:db8:9::7-2001:db8:9::9'],
  ];
}

function arrivalMatches({ hook }: RulePlace): readonly string[] {
  const isOutgoing = hook === 'OUTPUT' || hook === 'POSTROUTING';
  return [
    '-m addrtype --dst-type LOCAL', '-m addrtype --src-type UNICAST', '-m addrtype ! --dst-type LOCAL', '-m addrtype --dst-type MULTICAST', '-m addrtype --dst-type BROADCAST', '-m addrtype --src-type LOCAL',
    '-m pkttype --pkt-type unicast', '-m pkttype --pkt-type broadcast', '-m pkttype ! --pkt-type multicast',
    '-m mark --mark 0x1', '-m mark ! --mark 0x1/0x3', '-m comment --comment x', '-m realm --realm 0',
    ...hook === 'PREROUTING' ? ['-m rpfilter', '-m rpfilter --invert', '-m rpfilter --loose', '-m addrtype --dst-type LOCAL --limit-iface-in'] : [],
    ...isOutgoing ? ['-m owner --uid-owner 1000', '-m owner ! --uid-owner 0', '-m owner --gid-owner 1000', '-m owner --socket-exists'] : ['-m mac ! --mac-source 02:00:00:00:00:99', '-m mac --mac-source 02:00:00:00:00:99'],
  ];
}

/** Matches of any protocol, by what people use most. */
export function matchesAnywhere(place: RulePlace): readonly string[] {
  const { family } = place;
  return [...trackingMatches(family), ...statefulMatches, ...headerMatches(family), ...arrivalMatches(place), ...setMatches];
}

const flagMatches = ['--syn', '! --syn', '--tcp-flags SYN,ACK,FIN,RST SYN', '--tcp-flags ALL NONE', '--tcp-flags RST RST', '--tcp-flags ACK,PSH ACK,PSH', '--tcp-option 2', '! --tcp-option 3'];
const icmpMatches: Readonly<Record<Family, readonly string[]>> = {
  ipv4: ['-p icmp', '-p icmp --icmp-type 8', '-p icmp --icmp-type echo-reply', '-p icmp --icmp-type 3', '-p icmp ! --icmp-type 3/3', '-p icmp --icmp-type 11', '-p icmp --icmp-type 13', '-p igmp'],
  ipv6: ['-p icmpv6', '-p icmpv6 --icmpv6-type 128', '-p icmpv6 --icmpv6-type 129', '-p icmpv6 --icmpv6-type 1', '-p icmpv6 ! --icmpv6-type 135', '-p icmpv6 --icmpv6-type 2', '-p icmpv6 --icmpv6-type 4/1'],
};

/** What the protocol itself is asked. */
export function protocolMatches(fc: Fc, { family }: RulePlace): Arbitrary<string> {
  const port = fc.constantFrom(...places[family].ports);
  const ports = fc.oneof(port.map(String), port.map(one => `${String(one)}:`), port.map(one => `:${String(one)}`));
  const side = fc.constantFrom('--dport', '--dport', '--sport', '! --dport');
  return fc.oneof(
    fc.constantFrom('', ''),
    fc.tuple(fc.constantFrom('tcp', 'tcp', 'udp', 'udplite', 'sctp'), side, ports).map(([protocol, name, value]) => `-p ${protocol} ${name} ${value}`),
    fc.tuple(fc.constantFrom('tcp', 'udp'), fc.constantFrom('--dports', '--sports', '--ports'), fc.uniqueArray(port, { minLength: 1, maxLength: 3 })).map(([protocol, name, list]) => `-p ${protocol} -m multiport ${name} ${list.join(',')}`),
    fc.constantFrom(...flagMatches).map(match => `-p tcp ${match}`),
    fc.constantFrom('-p tcp', '-p udp', '! -p tcp', '! -p udp', '-p sctp', '-p 47', '-p esp', '-p ah', '-p 253', ...icmpMatches[family]),
    fc.constantFrom('-p tcp -m tcpmss --mss 1000:1500', '-p tcp -m ecn --ecn-tcp-ece', '-p sctp --chunk-types any INIT', '-p esp -m esp --espspi 0:1000', '-p dccp --dport 80', '-p dccp --dccp-types REQUEST'),
  );
}
