/** The table as text: `conntrack -L` in and out, and the answer of a scenario. */
import test from 'ava';
import { conntrackAnswers, printConntrack, readConntrack } from '../../../analyzer/netfilter/conntrack/conntrack.js';
import { Lab } from './lab.js';

const listing = `tcp      6 431999 ESTABLISHED src=10.0.0.2 dst=10.0.1.2 sport=4000 dport=80 src=10.0.1.2 dst=10.0.0.2 sport=80 dport=4000 [ASSURED] mark=7 use=1
udp      17 29 src=10.0.0.2 dst=10.0.1.2 sport=5000 dport=53 zone-orig=5 [UNREPLIED] src=10.0.1.2 dst=192.0.2.1 sport=53 dport=5000 mark=0 use=1
icmp     1 29 src=10.0.0.2 dst=10.0.1.2 type=8 code=0 id=7 src=10.0.1.2 dst=10.0.0.2 type=0 code=0 id=7 mark=0 zone=7 use=1
gre      47 29 src=10.0.0.2 dst=10.0.1.2 srckey=0x0 dstkey=0x7 packets=1 bytes=52 [UNREPLIED] src=10.0.1.2 dst=10.0.0.2 srckey=0x7 dstkey=0x0 packets=0 bytes=0 mark=0 use=1
unknown  50 599 src=10.0.0.2 dst=10.0.1.2 [UNREPLIED] src=10.0.1.2 dst=10.0.0.2 mark=0 use=1
dccp     33 599 src=10.0.0.2 dst=10.0.1.2 sport=0 dport=0 [UNREPLIED] src=10.0.1.2 dst=10.0.0.2 sport=0 dport=0 mark=0 use=1
tcp      6 119 SYN_SENT src=10.0.0.2 dst=10.0.1.2 sport=4001 dport=21 [UNREPLIED] src=10.0.1.2 dst=10.0.0.2 sport=21 dport=4001 mark=5 helper=ftp use=1
`;

test('what conntrack -L prints is read and printed the same', t => {
  const lab = new Lab();
  t.deepEqual(readConntrack(listing, lab.conntrack), []);
  t.is(printConntrack(lab.conntrack), listing);
});

test('the extended format, counters, ids and what else stands around are understood', t => {
  const lab = new Lab();
  const text = `conntrack v1.4.7 (conntrack-tools): 1 flow entries have been shown.

ipv4     2 tcp      6 100 ESTABLISHED src=10.0.0.2 dst=10.0.1.2 sport=1 dport=2 packets=3 bytes=300 src=10.0.1.2 dst=10.0.0.2 sport=2 dport=1 packets=2 bytes=200 [ASSURED] mark=0 secctx=system_u delta-time=3 use=1 id=99
ipv6     10 udp      17 29 src=fd00::1 dst=fd00::2 sport=1 dport=2 [UNREPLIED] src=fd00::2 dst=fd00::1 sport=2 dport=1 mark=0 use=1
`;
  t.deepEqual(readConntrack(text, lab.conntrack), []);
  t.is(lab.conntrack.count, 1);
  t.deepEqual([...lab.conntrack.connections()][0]?.packets, [3n, 2n]);
});

test('a flow that was read lives on, whatever its sequence numbers', t => {
  const lab = new Lab();
  readConntrack(listing, lab.conntrack);
  t.is(lab.tcp('<', 'A', 123_456, 999), 'ESTABLISHED REPLY');
  t.is(lab.tcp('>', 'A', 999, 77), 'ESTABLISHED ORIGINAL');
});

test('what is no flow is said, with its line', t => {
  const lab = new Lab();
  const problems = readConntrack(`nonsense
tcp 6 10 DREAMING src=10.0.0.2 dst=10.0.1.2 sport=1 dport=2 src=10.0.1.2 dst=10.0.0.2 sport=2 dport=1
udp 17 10 src=10.0.0.2 dst=10.0.1.2 sport=1 src=10.0.1.2 dst=10.0.0.2 sport=2 dport=1
udp 17 10 src=10.0.0.2 dst=10.0.1.2 sport=1 dport=70000 src=10.0.1.2 dst=10.0.0.2 sport=2 dport=1
udp 17 10 src=10.0.0.2 dst=10.0.1.2 sport=1 dport=2 src=10.0.1.2 dst=10.0.0.2 sport=2 dport=1
udp 17 10 src=10.0.0.2 dst=10.0.1.2 sport=1 dport=2 src=10.0.1.2 dst=10.0.0.2 sport=2 dport=1
tcp 17 10 src=10.0.0.2 dst=10.0.1.2 sport=1 dport=2 src=10.0.1.2 dst=10.0.0.2 sport=2 dport=1`, lab.conntrack);
  t.deepEqual(problems.map(({ line }) => line), [1, 2, 3, 4, 6, 7]);
  t.regex(problems[2]?.message ?? '', /dport=.* is missing/u);
  t.is(lab.conntrack.count, 1);
});

test('the answer names each flow, its status, and what is left of its time', t => {
  const lab = new Lab();
  readConntrack(listing, lab.conntrack);
  lab.now = 9.5;
  const [tcp, udp, icmp, gre, esp] = conntrackAnswers(lab.conntrack);
  t.deepEqual(tcp, { orig: 'tcp 10.0.0.2:4000>10.0.1.2:80', reply: 'tcp 10.0.1.2:80>10.0.0.2:4000', status: ['SEEN_REPLY', 'ASSURED', 'CONFIRMED'], tcp: 'ESTABLISHED', timeout: 431_989, mark: 7, zone: 0 });
  t.deepEqual(udp?.status, ['CONFIRMED', 'SNAT']);
  t.is(udp?.zone, 5);
  t.is(icmp?.orig, 'icmp 10.0.0.2>10.0.1.2 type 8 code 0 id 7');
  t.is(gre?.orig, 'gre 10.0.0.2>10.0.1.2 key 0x0>0x7');
  t.is(esp?.orig, 'esp 10.0.0.2>10.0.1.2');
});

test('IPv6 addresses stand in brackets before a port', t => {
  const lab = new Lab('ipv6');
  lab.send({ proto: 'udp', src: 'fd00::1', dst: 'fd00::2', sport: 1, dport: 53 });
  t.is(conntrackAnswers(lab.conntrack)[0]?.orig, 'udp [fd00::1]:1>[fd00::2]:53');
});
