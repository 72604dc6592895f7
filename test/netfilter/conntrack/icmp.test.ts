/** ICMP and ICMPv6: queries, errors, and what is never tracked. */
import test from 'ava';
import type { ScenarioPacket } from '../../../analyzer/netfilter/scenario.js';
import { client, Lab, server } from './lab.js';

const udp: ScenarioPacket = { proto: 'udp', src: client, dst: server, sport: 5000, dport: 53, payload: 'hi' };
const unreachable: ScenarioPacket = { proto: 'icmp', src: server, dst: client, type: 3, code: 3, quote: udp };

for (const [type, answers] of [[8, 0], [13, 14], [15, 16], [17, 18]] as const) {
  test(`ICMP type ${String(type)} is NEW and answered by type ${String(answers)}, which is invalid unasked`, t => {
    const reply = { proto: 'icmp', src: server, dst: client, type: answers, code: 0, id: 7 } as const;
    const lab = new Lab();
    t.is(lab.send(reply), 'INVALID');
    t.is(lab.send({ proto: 'icmp', src: client, dst: server, type, code: 0, id: 7 }), 'NEW ORIGINAL');
    t.is(lab.send(reply), 'ESTABLISHED REPLY');
    t.is(lab.send({ ...reply, id: 8 }), 'INVALID');
  });
}

for (const type of [9, 10, 19, 255]) {
  test(`ICMP type ${String(type)} is invalid`, t => {
    t.is(new Lab().send({ proto: 'icmp', src: client, dst: server, type, code: 0 }), 'INVALID');
  });
}

for (const type of [3, 4, 5, 11, 12]) {
  test(`ICMP type ${String(type)} about a flow is RELATED, and makes no entry`, t => {
    const lab = new Lab();
    lab.send(udp);
    const packet = lab.build({ ...unreachable, type, code: 0 });
    t.is(lab.pass(packet), 'RELATED REPLY');
    t.true(packet.isRelatedError);
    t.is(lab.flow, '30 UNREPLIED');
    t.is(lab.conntrack.count, 1);
  });
}

test('four bytes behind the quoted IP header suffice, and any router may send the error', t => {
  const lab = new Lab();
  lab.send(udp);
  t.is(lab.send({ ...unreachable, src: '10.0.9.9', quote_len: 24 }), 'RELATED REPLY');
  t.is(lab.send({ ...unreachable, quote_len: 23 }), 'INVALID');
});

test('an error about nothing we know, to somebody else, or with a wrong checksum is invalid', t => {
  const lab = new Lab();
  t.is(lab.send(unreachable), 'INVALID');
  lab.send(udp);
  t.is(lab.send({ ...unreachable, dst: '10.0.0.3' }), 'INVALID');
  t.is(lab.send({ ...unreachable, badcsum: true }), 'INVALID');
});

test('neighbour discovery, multicast listeners and multicast routers are untracked; a redirect about nothing is invalid', t => {
  const lab = new Lab('ipv6');
  const icmp6 = (type: number): string => lab.send({ proto: 'icmpv6', src: 'fe80::1', dst: 'fe80::2', type, code: 0 });
  for (const type of [130, 131, 132, 133, 134, 135, 136, 143, 151, 152]) t.is(icmp6(type), 'UNTRACKED', String(type));
  for (const type of [129, 137, 138, 144, 150, 153, 200]) t.is(icmp6(type), 'INVALID', String(type));
  t.is(icmp6(128), 'NEW ORIGINAL');
});

test('an ICMPv6 error about a flow is RELATED', t => {
  const lab = new Lab('ipv6');
  const quote: ScenarioPacket = { ...udp, src: 'fd00::2', dst: 'fd00:1::2' };
  t.is(lab.send(quote), 'NEW ORIGINAL');
  t.is(lab.send({ proto: 'icmpv6', src: 'fd00:1::9', dst: 'fd00::2', type: 1, code: 4, quote }), 'RELATED REPLY');
  t.is(lab.send({ proto: 'icmpv6', src: 'fd00:1::9', dst: 'fd00::3', type: 1, code: 4, quote }), 'INVALID');
});

test('ICMP of the other family is invalid', t => {
  t.is(new Lab('ipv6').send({ proto: 1, src: 'fd00::1', dst: 'fd00::2', rest_hex: '0800f7ff00000000' }), 'INVALID');
});
