import test from 'ava';
import fc from 'fast-check';
import type { ScenarioPacket } from '../../../analyzer/netfilter/scenario.js';
import { sumOf } from '../../../analyzer/packet/checksum.js';
import { ctstates } from '../../../analyzer/packet/constraint.js';
import { Packet } from '../../../analyzer/packet/packet.js';
import { pseudoHeaderSum } from '../../../analyzer/packet/rewrite.js';
import { Verdict } from '../../../analyzer/packet/traversal.js';
import { printAddress } from '../../../analyzer/values/address.js';
import { NatBox, flow, packetOf, to, udp } from './host.js';

const rules = { PREROUTING: to('destination', '192.0.2.9'), POSTROUTING: to('source', '192.0.2.1') };

/** A host through which `10.0.0.5:4000 > 198.51.100.1:80` has gone as `192.0.2.1:4000 > 192.0.2.9:80`. */
function translated(first: ScenarioPacket = sent): NatBox {
  const box = new NatBox(rules);
  box.forward(packetOf(first));
  return box;
}

const sent: ScenarioPacket = { proto: 'udp', src: '10.0.0.5', sport: 4000, dst: '198.51.100.1', dport: 80, payload: 'hello' };
const arrived: ScenarioPacket = { ...sent, src: '192.0.2.1', dst: '192.0.2.9' };

function error(quote: ScenarioPacket, more: Partial<ScenarioPacket> = {}): Packet {
  return packetOf({ proto: 'icmp', src: '192.0.2.9', dst: '192.0.2.1', type: 3, code: 3, quote, ...more });
}

function quoted(packet: Packet): string {
  const inner = new Packet('ipv4', packet.bytes.slice(packet.transport + 8));
  return `${printAddress(inner.u32(12))}:${String(inner.u16(20))} > ${printAddress(inner.u32(16))}:${String(inner.u16(22))}`;
}

function addresses(packet: Packet): string {
  return `${printAddress(packet.src)} > ${printAddress(packet.dst)}`;
}

test('an error from outside reaches the client as one about the packet that it sent', t => {
  const packet = error(arrived);
  t.true(translated().forwardError(packet));
  t.is(addresses(packet), '198.51.100.1 > 10.0.0.5');
  t.is(quoted(packet), '10.0.0.5:4000 > 198.51.100.1:80');
  t.is(sumOf(packet.bytes, packet.transport), 0xffff);
});

test('an error from a third router comes out with the address of the DNAT too', t => {
  const packet = error(arrived, { src: '192.0.2.77' });
  t.true(translated().forwardError(packet));
  t.is(addresses(packet), '198.51.100.1 > 10.0.0.5');
});

test('an error of the client about a reply is translated the other way', t => {
  const box = translated();
  box.forward(udp('192.0.2.9:80 > 192.0.2.1:4000'));
  const packet = packetOf({ proto: 'icmp', src: '10.0.0.77', dst: '198.51.100.1', type: 3, code: 3, quote: { ...sent, src: '198.51.100.1', sport: 80, dst: '10.0.0.5', dport: 4000 } });
  t.true(box.forwardError(packet));
  t.is(addresses(packet), '192.0.2.1 > 192.0.2.9');
  t.is(quoted(packet), '192.0.2.9:80 > 192.0.2.1:4000');
});

test('an error does not ask the nat chains', t => {
  const box = translated();
  const before = box.asked.length;
  box.forwardError(error(arrived));
  t.is(box.asked.length, before);
});

test('a quote that is cut off behind 8 bytes will do for TCP, UDP and SCTP; a shorter one is dropped', t => {
  for (const name of ['tcp', 'udp', 'sctp']) {
    for (const [length, passes] of [[40, true], [39, true], [28, true], [27, false], [24, false]] as const) {
      const packet = error({ ...arrived, proto: name }, { quote_len: length });
      t.is(translated({ ...sent, proto: name }).forwardError(packet), passes, `${name} ${String(length)}`);
      if (passes) t.is(sumOf(packet.bytes, packet.transport), 0xffff);
    }
  }
});

// Checked against Linux 6.18: TCP's checksum is followed where all of its header is quoted, and left alone where it is not.
test('the checksum of a quoted TCP header follows if it is there whole', t => {
  for (const [length, outer] of [[40, '3151'], [39, '8122'], [28, 'e924']] as const) {
    const tcp: ScenarioPacket = { proto: 'tcp', src: '10.0.0.5', sport: 4000, dst: '198.51.100.1', dport: 80, seq: 1000, win: 65_535, ip_id: 1, flags: 'S' };
    const packet = error({ ...tcp, src: '192.0.2.1', dst: '192.0.2.9' }, { quote_len: length });
    t.true(translated(tcp).forwardError(packet));
    t.is(packet.u16(packet.transport + 2).toString(16), outer);
  }
});

test('the MTU in an error stays what it is', t => {
  const packet = error(arrived, { code: 4, rest: 1500 });
  t.true(translated().forwardError(packet));
  t.is(packet.u32(packet.transport + 4), 1500);
});

test('a redirect about a translated flow is dropped, one about another passes', t => {
  t.false(translated().forwardError(error(arrived, { type: 5, code: 1 })));
  const plain = new NatBox();
  plain.forward(packetOf(sent));
  t.true(plain.forwardError(packetOf({ proto: 'icmp', src: '198.51.100.1', dst: '10.0.0.5', type: 5, code: 1, quote: sent })));
});

test('an error with a bad checksum is dropped, unless it is taken on trust', t => {
  t.false(translated().forwardError(error(arrived, { badcsum: true })));
  const trusted = error(arrived, { badcsum: true });
  trusted.isChecksumTrusted = true;
  t.true(translated().forwardError(trusted));
});

test('an error about a ping gives back its id', t => {
  const box = new NatBox(rules);
  const ping = (src: string): ScenarioPacket => ({ proto: 'icmp', src, dst: '198.51.100.1', type: 8, id: 77 });
  box.forward(packetOf(ping('10.0.0.5')));
  const second = packetOf(ping('10.0.0.6'));
  box.forward(second);
  const id = second.u16(second.transport + 4);
  t.not(id, 77);
  const packet = error({ proto: 'icmp', src: '192.0.2.1', dst: '192.0.2.9', type: 8, id });
  t.true(box.forwardError(packet));
  t.is(packet.u16(packet.transport + 8 + 20 + 4), 77);
  t.is(addresses(packet), '198.51.100.1 > 10.0.0.6');
});

test('ICMPv6 errors are translated inside and out', t => {
  const box = new NatBox({ POSTROUTING: to('source', '2001:db8::1') });
  const first: ScenarioPacket = { proto: 'udp', src: 'fd00::5', sport: 4000, dst: '2001:db8:1::9', dport: 80, payload: 'hello' };
  const out = packetOf(first, 'ipv6');
  t.is(box.forward(out), '2001:db8::1:4000 > 2001:db8:1::9:80');
  const packet = packetOf({ proto: 'icmpv6', src: '2001:db8:1::77', dst: '2001:db8::1', type: 1, code: 4, quote: { ...first, src: '2001:db8::1' } }, 'ipv6');
  t.true(box.forwardError(packet));
  t.is(addresses(packet), '2001:db8:1::77 > fd00::5');
  t.is(flow(new Packet('ipv6', packet.bytes.slice(48))), 'fd00::5:4000 > 2001:db8:1::9:80');
  t.is(sumOf(packet.bytes, 40, packet.bytes.length, pseudoHeaderSum(packet, 58, packet.transportLength)), 0xffff);
});

test('no bytes make the hook throw', t => {
  for (const family of ['ipv4', 'ipv6'] as const) {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), fc.boolean(), fc.constantFrom(ctstates.NEW, ctstates.ESTABLISHED, ctstates.RELATED), fc.constantFrom(0, 1), (bytes, fixed, ctstate, direction) => {
      if (fixed && bytes.length > 10) {
        bytes[0] = family === 'ipv4' ? 0x45 : 0x60;
        bytes[family === 'ipv4' ? 9 : 6] = family === 'ipv4' ? 1 : 58;
        bytes[2] = bytes[4] = 0;
        bytes[3] = bytes[5] = bytes.length - (family === 'ipv4' ? 0 : 40);
      }
      const box = family === 'ipv4' ? translated() : new NatBox({ POSTROUTING: to('source', 'fd00::1') });
      const packet = new Packet(family, bytes);
      packet.connection = box.connections.all[0] ?? box.track(packetOf({ proto: 'udp', src: 'fd00::5', dst: 'fd00::6' }, 'ipv6'));
      packet.ctstate = ctstate;
      packet.direction = direction === 0 ? 0 : 1;
      packet.isChecksumTrusted = fixed;
      for (const hook of ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'] as const) t.true(Object.values(Verdict).includes(box.pass(packet, hook)));
    }), { numRuns: 500 });
  }
});
