/** UDP, UDP-Lite, SCTP, GRE and what has no tracker of its own. */
import test from 'ava';
import type { ScenarioPacket } from '../../../analyzer/netfilter/scenario.js';
import { client, Lab, server } from './lab.js';

const question: ScenarioPacket = { proto: 'udp', src: client, dst: server, sport: 5000, dport: 53, payload: 'hi' };
const answer: ScenarioPacket = { proto: 'udp', src: server, dst: client, sport: 53, dport: 5000, payload: 'hi' };

test('a question and its answer are no stream; what goes on for more than two seconds is', t => {
  const lab = new Lab();
  t.is(lab.send(question), 'NEW ORIGINAL');
  t.is(lab.send(question), 'NEW ORIGINAL');
  t.is(lab.send(answer), 'ESTABLISHED REPLY');
  lab.now = 2;
  t.is(lab.send(question), 'ESTABLISHED ORIGINAL');
  t.is(lab.flow, '30');
  lab.now = 2.5;
  lab.send(question);
  t.is(lab.flow, '120 ASSURED');
});

test('an entry expires when its time is up, and the next packet is NEW', t => {
  const lab = new Lab();
  lab.send(question);
  lab.now = 29.9;
  t.is(lab.flow, '0 UNREPLIED');
  lab.now = 30;
  t.is(lab.flow, '');
  t.is(lab.send(question), 'NEW ORIGINAL');
});

test('UDP without a checksum and to port 0 is fine; a wrong length or checksum is not', t => {
  const lab = new Lab();
  t.is(lab.send({ ...question, nocsum: true, dport: 0 }), 'NEW ORIGINAL');
  t.is(lab.send({ ...question, badcsum: true }), 'INVALID');
  t.is(lab.send({ ...question, udplen: 7 }), 'INVALID');
  t.is(lab.send({ ...question, udplen: 11, nocsum: true }), 'INVALID');
  t.is(lab.send({ ...question, cut: 7 }), 'INVALID');
});

test('an SCTP association opens and closes', t => {
  const lab = new Lab();
  const send = (way: '>' | '<', rest: string): string => {
    const ends = way === '>' ? { src: client, dst: server } : { src: server, dst: client };
    return lab.send({ proto: 'sctp', ...ends, rest_hex: rest }, { hook: 'OUTPUT' });
  };
  const out = '1388006300', back = '0063138800';
  const chunk = (hex: string): string => `00000000${hex}`;
  t.is(send('>', `${out}000000${chunk('01000014000000bb000003e80001000100000001')}`), 'NEW ORIGINAL');
  t.is(lab.flow, 'CLOSED 10 UNREPLIED');
  t.is(send('<', `${back}0000bb${chunk('02000014000000aa000003e80001000100000001')}`), 'ESTABLISHED REPLY');
  t.is(lab.flow, 'COOKIE_WAIT 3');
  t.is(send('>', `${out}0000aa${chunk('0a000008636f6f6b')}`), 'ESTABLISHED ORIGINAL');
  t.is(send('<', `${back}0000bb${chunk('0b000004')}`), 'ESTABLISHED REPLY');
  t.is(lab.flow, 'ESTABLISHED 210 ASSURED');
  t.is(send('>', `${out}0000ab${chunk('00030014000000000000000000000000')}`), 'INVALID');
  t.is(send('>', `${out}0000aa${chunk('0700000800000000')}`), 'ESTABLISHED ORIGINAL');
  t.is(lab.flow, 'SHUTDOWN_SENT 3 ASSURED');
});

test('SCTP data first is invalid, a heartbeat first is NEW', t => {
  const lab = new Lab();
  const sctp = { proto: 'sctp', src: client, dst: server } as const;
  t.is(lab.send({ ...sctp, rest_hex: '1388006300000001000000000003001000000000000000000000000000' }, { hook: 'OUTPUT' }), 'INVALID');
  t.is(lab.send({ ...sctp, rest_hex: '138800630000000100000000040000080001 0004'.replace(' ', '') }, { hook: 'OUTPUT' }), 'NEW ORIGINAL');
  t.is(lab.flow, 'HEARTBEAT_SENT 30 UNREPLIED');
});

test('an SCTP packet with a wrong CRC is invalid in PREROUTING', t => {
  t.is(new Lab().send({ proto: 'sctp', src: client, dst: server, rest_hex: '13880063000000010000000004000008 00010004'.replace(' ', '') }), 'INVALID');
});

test('GRE is told apart by addresses, the enhanced one of PPTP by its call id too', t => {
  const lab = new Lab();
  const gre = (rest: string): string => lab.send({ proto: 'gre', src: client, dst: server, rest_hex: rest });
  t.is(gre('00000800'), 'NEW ORIGINAL');
  t.is(gre('2001880b00040007'), 'NEW ORIGINAL');
  t.is(gre('2001880b00040008'), 'NEW ORIGINAL');
  t.is(lab.conntrack.count, 3);
  t.is(gre('2001080000040008'), 'INVALID');
});

test('other protocols are flows between two addresses, DCCP among them', t => {
  const lab = new Lab();
  t.is(lab.send({ proto: 'dccp', src: client, dst: server, sport: 1, dport: 2 }), 'NEW ORIGINAL');
  t.is(lab.send({ proto: 'dccp', src: server, dst: client, sport: 7, dport: 9 }), 'ESTABLISHED REPLY');
  t.is(lab.flow, '600');
});
