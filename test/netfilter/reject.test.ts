/** What REJECT and the host itself send: all cases were seen on Linux 6.18. */
import test from 'ava';
import * as fc from 'fast-check';
import { icmpError, rejectPacket, type AnswerHost } from '../../analyzer/netfilter/replies/reject.js';
import { sumOf } from '../../analyzer/packet/checksum.js';
import { Connection, swapped } from '../../analyzer/packet/connection.js';
import { ctstates } from '../../analyzer/packet/constraint.js';
import { Packet } from '../../analyzer/packet/packet.js';
import { pseudoHeaderSum, setTransportChecksum } from '../../analyzer/packet/rewrite.js';
import type { AddressType } from '../../analyzer/values/address-types.js';
import { printAddress } from '../../analyzer/values/address.js';
import { address, ascii, ip, ipv4, ipv6, tcp, udp, word } from './packet-bytes.js';

/** A router with 10.0.0.1 and fd0a::1 towards the sender. */
const host: AnswerHost = {
  addressTypes: of => new Set<AddressType>(typesOf[printAddress(of)] ?? ['UNICAST']),
  sourceTowards: destination => address(typeof destination === 'number' ? '10.0.0.1' : 'fd0a::1'),
  answerSource: ({ dst, family }) => typesOf[printAddress(dst)]?.includes('LOCAL') === true ? dst : address(family === 'ipv4' ? '10.0.0.1' : 'fd0a::1'),
  sysctl: name => ({ 'net.ipv4.ip_default_ttl': 64, 'net.ipv6.conf.all.hop_limit': 64 })[name] ?? 0,
};
const typesOf: Readonly<Record<string, AddressType[]>> = { '10.0.0.1': ['LOCAL'], 'fd0a::1': ['LOCAL'], '10.0.0.255': ['BROADCAST'], '224.0.0.9': ['MULTICAST'] };

function reset(packet: Packet): string | undefined {
  const answer = rejectPacket(packet, 'tcp-reset', host);
  if (answer === undefined) return undefined;
  t0(answer);
  const at = answer.transport;
  return `flags ${String(answer.tcpFlags)} seq ${String(answer.u32(at + 4))} ack ${String(answer.u32(at + 8))}`;
}

/** Its checksums hold. */
function t0(answer: Packet): void {
  const pseudo = answer.protocol === 1 ? 0 : pseudoHeaderSum(answer, answer.protocol, answer.transportLength);
  if (sumOf(answer.bytes, answer.transport, answer.bytes.length, pseudo) !== 0xffff) throw new Error('bad checksum of layer 4');
  if (answer.family === 'ipv4' && sumOf(answer.bytes, 0, 20) !== 0xffff) throw new Error('bad checksum of the header');
}

function isAnswered(packet: Packet): boolean {
  const answer = rejectPacket(packet, packet.family === 'ipv4' ? 'icmp-port-unreachable' : 'icmp6-port-unreachable', host);
  if (answer !== undefined) t0(answer);
  return answer !== undefined;
}

test('a SYN is answered with a reset that acknowledges it and its data', t => {
  t.is(reset(tcp({ seq: 5000 })), 'flags 20 seq 0 ack 5001');
  t.is(reset(tcp({ seq: 5000, flags: 3, text: 'hi' })), 'flags 20 seq 0 ack 5004');
  t.is(reset(tcp({ seq: 5000, flags: 0 })), 'flags 20 seq 0 ack 5000');
  t.is(reset(tcp({ seq: 0xffff_ffff })), 'flags 20 seq 0 ack 0');
});

test('a packet with ACK is answered with a reset at the number it acknowledges', t => {
  t.is(reset(tcp({ seq: 5000, ack: 7000, flags: 0x18, text: 'hello' })), 'flags 4 seq 7000 ack 0');
});

test('a false header length is counted as it is', t => {
  const packet = tcp({ seq: 5000 });
  packet.bytes[packet.transport + 12] = 0xf0;
  setTransportChecksum(packet);
  t.is(reset(packet), `flags 20 seq 0 ack ${String(0x1361)}`);
});

test('the reset comes from whom it was sent to, with DF, identification 0, TOS 0 and the default TTL', t => {
  const answer = rejectPacket(tcp({ sport: 1100 }, { tos: 0x10, ttl: 3 }), 'tcp-reset', host);
  t.is(answer?.src, address('10.0.1.2'));
  t.is(answer?.dst, address('10.0.0.2'));
  t.deepEqual([...answer?.bytes.subarray(0, 9) ?? []], [0x45, 0, 0, 40, 0, 0, 0x40, 0, 64]);
  t.deepEqual([answer?.sport, answer?.dport], [80, 1100]);
});

test('no reset for a reset, another protocol, a cut header, a later fragment, a bad checksum or a broadcast', t => {
  t.is(reset(tcp({ flags: 4 })), undefined);
  t.is(reset(udp(1, 2, 'x')), undefined);
  t.is(reset(ipv4({ protocol: 6, payload: tcp({}).bytes.subarray(20, 34) })), undefined);
  t.is(reset(tcp({}, { fragment: 5 })), undefined);
  const bad = tcp({ text: 'hello' });
  bad.bytes[42] = 0;
  t.is(reset(bad), undefined);
  bad.isChecksumTrusted = true;
  t.not(reset(bad), undefined);
  t.is(reset(tcp({}, { dst: '10.0.0.255' })), undefined);
});

test('IPv6 resets go between unicast addresses', t => {
  t.is(reset(tcp({}, {}, 'ipv6')), 'flags 20 seq 0 ack 1001');
  t.is(reset(tcp({}, { dst: 'ff0e::5' }, 'ipv6')), undefined);
  t.is(reset(tcp({}, { src: '::' }, 'ipv6')), undefined);
  t.is(reset(tcp({}, { src: '::ffff:10.0.0.1' }, 'ipv6')), undefined);
  t.not(reset(tcp({}, { src: '::1', dst: 'fe80::1' }, 'ipv6')), undefined);
});

test('every word of --reject-with has its type and code', t => {
  const told = (kind: string, packet: Packet): string | undefined => {
    const answer = rejectPacket(packet, kind, host);
    return answer === undefined ? undefined : `${String(answer.icmpType)}/${String(answer.icmpCode)}`;
  };
  const four = ['icmp-net-unreachable', 'icmp-host-unreachable', 'icmp-proto-unreachable', 'icmp-port-unreachable', 'icmp-net-prohibited', 'icmp-host-prohibited', 'icmp-admin-prohibited'];
  t.deepEqual(four.map(kind => told(kind, udp(1, 2, 'x'))), ['3/0', '3/1', '3/2', '3/3', '3/9', '3/10', '3/13']);
  const six = ['icmp6-no-route', 'icmp6-adm-prohibited', 'icmp6-addr-unreachable', 'icmp6-port-unreachable', 'icmp6-policy-fail', 'icmp6-reject-route'];
  t.deepEqual(six.map(kind => told(kind, udp(1, 2, 'x', {}, 'ipv6'))), ['1/0', '1/1', '1/3', '1/4', '1/5', '1/6']);
});

test('an ICMP error quotes what fits into 576 bytes, and 1280 in IPv6', t => {
  const answer = rejectPacket(udp(5, 6, 'x'.repeat(1000), { tos: 0x1f }), 'icmp-port-unreachable', host);
  t.is(answer?.length, 576);
  t.is(answer?.tos, 0xde);
  t.is(answer?.dontFragment, false);
  t.is(rejectPacket(udp(5, 6, 'x'), 'icmp-port-unreachable', host)?.length, 28 + 29);
  const answer6 = rejectPacket(udp(5, 6, 'x'.repeat(1400), {}, 'ipv6'), 'icmp6-port-unreachable', host);
  t.is(answer6?.length, 1280);
  t.is(rejectPacket(udp(5, 6, 'x', {}, 'ipv6'), 'icmp6-port-unreachable', host)?.length, 48 + 49);
});

test('it comes from the address it was sent to where that is the host, else from the one towards the sender', t => {
  t.is(rejectPacket(udp(5, 6, 'x'), 'icmp-port-unreachable', host)?.src, address('10.0.0.1'));
  t.is(rejectPacket(udp(5, 6, 'x', { dst: '10.0.0.1' }), 'icmp-port-unreachable', { ...host, answerSource: ({ dst }) => dst })?.src, address('10.0.0.1'));
  t.is(rejectPacket(udp(5, 6, 'x'), 'icmp-port-unreachable', { ...host, answerSource: () => undefined }), undefined);
});

test('ICMP queries are answered and errors are not', t => {
  const icmp = (type: number): Packet => {
    const packet = ipv4({ protocol: 1, payload: [type, 0, 0, 0, 0, 1, 0, 1] });
    setTransportChecksum(packet);
    return packet;
  };
  const types = [0, 3, 4, 5, 8, 9, 10, 11, 13, 15, 17, 18, 30, 40, 42, 43, 200];
  t.deepEqual(types.filter(type => isAnswered(icmp(type))), [0, 8, 13, 15, 17, 18]);
  const icmp6 = (type: number): Packet => {
    const packet = ipv6({ protocol: 58, payload: [type, 0, 0, 0, 0, 1, 0, 1] });
    setTransportChecksum(packet);
    return packet;
  };
  t.deepEqual([1, 2, 3, 128, 129, 135].filter(type => isAnswered(icmp6(type))), [128, 129, 135]);
});

test('what has a bad checksum is not answered; protocols with sums of their own are', t => {
  const noSum = ipv4({ payload: [...word(1), ...word(2), ...word(13), 0, 0, ...ascii('hello')] });
  const bad = udp(1, 2, 'hello');
  bad.bytes[30] = 9;
  t.deepEqual([noSum, bad, ipv4({ protocol: 47, payload: ascii('abcdefgh') })].map(isAnswered), [true, false, true]);
  t.true(isAnswered(ipv6({ payload: [...word(1), ...word(2), ...word(13), 0, 0, ...ascii('hello')] })));
});

test('unknown protocols are held to the Internet checksum', t => {
  const payloads = [ascii('abcdefgh'), [0xff, 0xff], []];
  t.deepEqual(payloads.map(payload => isAnswered(ipv4({ protocol: 253, payload }))), [false, true, true]);
  t.false(isAnswered(ipv4({ protocol: 33, payload: ascii('abcdefgh') })));
  t.false(isAnswered(ipv6({ protocol: 253, payload: ascii('abcd') })));
  t.false(isAnswered(ipv6({ protocol: 59, payload: ascii('abcd') })));
});

test('broadcast and multicast, of the link or of IP, are not answered', t => {
  const broadcast = udp(1, 2, 'x');
  broadcast.linkType = 'broadcast';
  t.false(isAnswered(broadcast));
  for (const dst of ['10.0.0.255', '224.0.0.9']) t.false(isAnswered(udp(1, 2, 'x', { dst })));
  t.false(isAnswered(udp(1, 2, 'x', { dst: 'ff0e::5' }, 'ipv6')));
  t.false(isAnswered(udp(1, 2, 'x', { src: '::' }, 'ipv6')));
});

test('the host tells the sender of an MTU, even of a multicast in IPv6', t => {
  const four = icmpError(udp(1, 2, 'x', { fragment: 0x4000 }), 3, 4, 700, host);
  t.deepEqual([...four?.bytes.subarray(24, 28) ?? []], [0, 0, 2, 188]);
  t.not(icmpError(udp(1, 2, 'x', { dst: 'ff0e::5' }, 'ipv6'), 2, 0, 1280, host), undefined);
  t.is(icmpError(udp(1, 2, 'x', { dst: 'ff0e::5' }, 'ipv6'), 3, 0, 0, host), undefined);
});

test('an answer is related to the connection of its cause, the other way, and inherits no mark', t => {
  const packet = tcp({});
  const tuple = { src: packet.src, dst: packet.dst, protocol: 6, sport: 1000, dport: 80 };
  packet.connection = new Connection(tuple, swapped(tuple));
  packet.ctstate = ctstates.ESTABLISHED;
  packet.mark = 7;
  const answer = rejectPacket(packet, 'tcp-reset', host);
  t.is(answer?.connection, packet.connection);
  t.deepEqual([answer?.ctstate, answer?.direction, answer?.mark, answer?.isRelatedError], [ctstates.RELATED, 1, 0, false]);
  t.true(rejectPacket(packet, 'icmp-port-unreachable', host)?.isRelatedError);
  t.is(rejectPacket(packet, 'tcp-reset', { ...host, sysctl: () => 1 })?.mark, 7);
  packet.connection = undefined;
  packet.ctstate = ctstates.INVALID;
  t.is(rejectPacket(packet, 'tcp-reset', host)?.ctstate, -1);
});

test('random bytes never throw', t => {
  const kinds = ['tcp-reset', 'icmp-port-unreachable', 'icmp6-adm-prohibited', 'nonsense'];
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), fc.constantFrom('ipv4', 'ipv6'), fc.constantFrom(1, 6, 17, 58, 0, 44, 60), fc.constantFrom(...kinds), (bytes, family, protocol, kind) => {
    rejectPacket(new Packet(family, bytes), kind, host);
    const packet = ip(family, { protocol, payload: bytes });
    packet.isChecksumTrusted = true;
    rejectPacket(packet, kind, host);
    icmpError(packet, 11, 0, 0, host);
    t.pass();
  }), { seed: 5, numRuns: 5000 });
});
