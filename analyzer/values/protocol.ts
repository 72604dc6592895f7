import { parseInteger } from './number.js';
import { refuse, unresolved, type Problem } from './value.js';

/** Protocol names (IANA protocol-numbers, as Debian ships them): `number name aliases…`. */
const table = `
0 ip IP
0 hopopt HOPOPT
1 icmp ICMP
2 igmp IGMP
3 ggp GGP
4 ipencap IP-ENCAP
5 st ST
6 tcp TCP
8 egp EGP
9 igp IGP
12 pup PUP
17 udp UDP
20 hmp HMP
22 xns-idp XNS-IDP
27 rdp RDP
29 iso-tp4 ISO-TP4
33 dccp DCCP
36 xtp XTP
37 ddp DDP
38 idpr-cmtp IDPR-CMTP
41 ipv6 IPv6
43 ipv6-route IPv6-Route
44 ipv6-frag IPv6-Frag
45 idrp IDRP
46 rsvp RSVP
47 gre GRE
50 esp IPSEC-ESP
51 ah IPSEC-AH
57 skip SKIP
58 ipv6-icmp IPv6-ICMP
59 ipv6-nonxt IPv6-NoNxt
60 ipv6-opts IPv6-Opts
73 rspf RSPF CPHB
81 vmtp VMTP
88 eigrp EIGRP
89 ospf OSPFIGP
93 ax.25 AX.25
94 ipip IPIP
97 etherip ETHERIP
98 encap ENCAP
103 pim PIM
108 ipcomp IPCOMP
112 vrrp VRRP
115 l2tp L2TP
124 isis ISIS
132 sctp SCTP
133 fc FC
135 mobility-header Mobility-Header
136 udplite UDPLite
137 mpls-in-ip MPLS-in-IP
138 manet
139 hip HIP
140 shim6 Shim6
141 wesp WESP
142 rohc ROHC
143 ethernet Ethernet
262 mptcp MPTCP
`;

/** Names that iptables itself knows, before any table (`xtables_chain_protos`, libxtables/xtables.c). The first name of a number is the saved one. */
const ownNames: readonly (readonly [string, number])[] = [
  ['tcp', 6], ['sctp', 132], ['udp', 17], ['udplite', 136], ['icmp', 1], ['ipv6-icmp', 58], ['icmpv6', 58],
  ['esp', 50], ['ah', 51], ['mobility-header', 135], ['ipv6-mh', 135], ['mh', 135], ['all', 0],
];

function read(): { numbers: Map<string, number>; names: Map<number, string> } {
  const numbers = new Map<string, number>();
  const names = new Map<number, string>();
  for (const [name, number] of ownNames) {
    numbers.set(name, number);
    if (!names.has(number)) names.set(number, name);
  }
  for (const row of table.trim().split('\n')) {
    const [number = '', ...spellings] = row.split(' ');
    for (const name of spellings) if (!numbers.has(name)) numbers.set(name, Number(number));
    if (!names.has(Number(number)) && spellings[0] !== undefined) names.set(Number(number), spellings[0]);
  }
  return { numbers, names };
}

const { numbers, names } = read();

/** A word as a protocol number (0 to 255; 0 means all), by number or name. iptables lower-cases it first. */
export function parseProtocol(word: string): number | Problem {
  const number = parseInteger(word, 0, 255) ?? numbers.get(word.toLowerCase());
  if (number !== undefined) return number;
  return /^[a-z][\w.+-]*$/iu.test(word) ? unresolved(word, 'protocol') : refuse(`\`${word}\` is not a protocol (a name, or 0 to 255)`);
}

/** How `iptables-save` writes protocol `number`. */
export function protocolWord(number: number): string {
  return names.get(number) ?? String(number);
}

/** Every name that is known, for suggestions. */
export function protocolNames(): readonly string[] {
  return [...numbers.keys()];
}
