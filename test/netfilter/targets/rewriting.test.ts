/** TTL, HL, DSCP, TOS, ECN, TCPMSS, TCPOPTSTRIP, CHECKSUM: every one keeps the checksums right. */
import test from 'ava';
import * as fc from 'fast-check';
import { sumOf } from '../../../analyzer/packet/checksum.js';
import { Packet } from '../../../analyzer/packet/packet.js';
import { pseudoHeaderSum } from '../../../analyzer/packet/rewrite.js';
import { fakeWorld } from '../fake-world.js';
import { ipv4, tcp, udp } from '../packet-bytes.js';
import { targetOf } from './act.js';

const ipv6World = fakeWorld('ipv6', 'legacy');

function isIntact(packet: Packet): boolean {
  const { bytes, transport, transportLength, protocol, family } = packet;
  const header = family === 'ipv6' || sumOf(bytes, 0, transport) === 0xffff;
  return header && packet.isSound && sumOf(bytes, transport, bytes.length, pseudoHeaderSum(packet, protocol, transportLength)) === 0xffff;
}

test('TTL and HL stay within 0 and 255', t => {
  const after = (rule: string, ttl: number): number => {
    const packet = tcp({}, { ttl });
    targetOf(`-j TTL ${rule}`)(packet);
    t.true(isIntact(packet));
    return packet.ttl;
  };
  t.deepEqual([after('--ttl-set 7', 64), after('--ttl-inc 5', 252), after('--ttl-dec 5', 3), after('--ttl-dec 1', 64)], [7, 255, 0, 63]);
  const packet = tcp({}, { ttl: 9 }, 'ipv6');
  targetOf('-j HL --hl-inc 1', { world: ipv6World })(packet);
  t.is(packet.ttl, 10);
});

test('DSCP leaves the bits of ECN, TOS changes what its mask says', t => {
  const after = (rule: string, tos: number): number => {
    const packet = tcp({}, { tos });
    targetOf(rule)(packet);
    t.true(isIntact(packet));
    return packet.tos;
  };
  t.is(after('-j DSCP --set-dscp 0x2e', 3), 0xbb);
  t.is(after('-j DSCP --set-dscp-class cs1', 1), 0x21);
  t.is(after('-j TOS --set-tos 0x10/0x3f', 0xff), 0xd0);
  t.is(after('-j TOS --and-tos 0x0f', 0xff), 0x0f);
  t.is(after('-j TOS --or-tos 0x80', 0x01), 0x81);
  t.is(after('-j TOS --xor-tos 0x03', 0x01), 0x02);
});

test('ECN clears and sets bits of both headers', t => {
  const packet = tcp({ flags: 0xc2 }, { tos: 3 });
  targetOf('-p tcp -j ECN --ecn-tcp-remove')(packet);
  t.deepEqual([packet.tcpFlags, packet.tos, isIntact(packet)], [2, 3, true]);
  targetOf('-p tcp -j ECN --ecn-tcp-ece 1 --ecn-ip-ect 0')(packet);
  t.deepEqual([packet.tcpFlags, packet.tos, isIntact(packet)], [0x42, 0, true]);
  t.is(targetOf('-p tcp -j ECN --ecn-tcp-cwr 1')(ipv4({ protocol: 6, payload: [0, 1] })).verdict, 'Drop');
});

const mss = (value: number): number[] => [2, 4, value >>> 8, value & 0xff];

test('TCPMSS lowers an MSS and never raises one', t => {
  const after = (rule: string, value: number): number => {
    const packet = tcp({ options: mss(value) });
    t.is(targetOf(`-p tcp --syn -j TCPMSS ${rule}`)(packet).verdict, 'Continue');
    t.true(isIntact(packet));
    return packet.u16(packet.transport + 22);
  };
  t.deepEqual([after('--set-mss 1200', 1460), after('--set-mss 1400', 1200)], [1200, 1200]);
  t.is(after('--clamp-mss-to-pmtu', 9000), 1460);
});

test('the MSS that the path allows is that of its MTU', t => {
  const world = fakeWorld('ipv4', 'legacy', { pathMtu: () => 1400 });
  const packet = tcp({ options: mss(1460) });
  targetOf('-p tcp --syn -j TCPMSS --clamp-mss-to-pmtu', { world })(packet);
  t.is(packet.u16(packet.transport + 22), 1360);
  const tiny = fakeWorld('ipv4', 'legacy', { pathMtu: () => 40 });
  t.is(targetOf('-p tcp --syn -j TCPMSS --clamp-mss-to-pmtu', { world: tiny })(tcp({})).verdict, 'Drop');
});

test('a missing MSS is added as 536, or 1220 in IPv6, unless data follows', t => {
  const packet = tcp({ options: [1, 1, 1, 0] });
  const before = packet.bytes.length;
  targetOf('-p tcp --syn -j TCPMSS --set-mss 1400')(packet);
  t.deepEqual([packet.bytes.length, packet.length, packet.u8(packet.transport + 12) >> 4], [before + 4, before + 4, 7]);
  t.deepEqual([...packet.bytes.subarray(40, 48)], [...mss(536), 1, 1, 1, 0]);
  t.true(isIntact(packet));
  const six = tcp({}, {}, 'ipv6');
  targetOf('-p tcp --syn -j TCPMSS --set-mss 1400', { world: ipv6World })(six);
  t.deepEqual([six.u16(six.transport + 22), isIntact(six)], [1220, true]);
  const low = tcp({});
  targetOf('-p tcp --syn -j TCPMSS --set-mss 500')(low);
  t.is(low.u16(low.transport + 22), 500);
  const withData = tcp({ text: 'hello' });
  targetOf('-p tcp --syn -j TCPMSS --set-mss 1400')(withData);
  t.is(withData.bytes.length, 45);
  const full = tcp({ options: new Array<number>(40).fill(1) });
  targetOf('-p tcp --syn -j TCPMSS --set-mss 1400')(full);
  t.is(full.bytes.length, 80);
});

test('TCPOPTSTRIP makes options no-operations, wherever they stand', t => {
  const packet = tcp({ options: [1, ...mss(1460), 4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0] });
  t.is(targetOf('-p tcp -j TCPOPTSTRIP --strip-options mss,timestamp')(packet).verdict, 'Continue');
  t.deepEqual([...packet.bytes.subarray(40)], [1, 1, 1, 1, 1, 4, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0]);
  t.true(isIntact(packet));
  t.is(targetOf('-p tcp -j TCPOPTSTRIP --strip-options mss')(ipv4({ protocol: 6, payload: [0, 1] })).verdict, 'Drop');
});

test('CHECKSUM fills in what was left to the network card, and nothing else', t => {
  const packet = udp(1, 2, 'hello');
  const right = packet.u16(26);
  packet.bytes[26] = 0xde;
  targetOf('-j CHECKSUM --checksum-fill', { hook: 'POSTROUTING' })(packet);
  t.not(packet.u16(26), right);
  packet.isChecksumTrusted = true;
  targetOf('-j CHECKSUM --checksum-fill', { hook: 'POSTROUTING' })(packet);
  t.is(packet.u16(26), right);
});

const rules = [
  '-p tcp -j ECN --ecn-tcp-remove --ecn-ip-ect 1', '-p tcp --syn -j TCPMSS --set-mss 1000', '-p tcp --syn -j TCPMSS --clamp-mss-to-pmtu', '-p tcp -j TCPOPTSTRIP --strip-options 2,3,4,5,8',
  '-j TTL --ttl-dec 1', '-j DSCP --set-dscp 5', '-j TOS --set-tos 5', '-j HMARK --hmark-tuple src,dst,sport,dport,proto --hmark-rnd 1 --hmark-mod 7',
  '-p tcp -j TPROXY --on-port 80', '-j CHECKSUM --checksum-fill',
];

test('no bytes make a target throw', t => {
  const compiled = rules.map(rule => targetOf(rule, rule.includes('TPROXY') ? { hook: 'PREROUTING' } : rule.includes('CHECKSUM') ? { hook: 'POSTROUTING' } : {}));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (bytes, sound) => {
    if (sound && bytes.length >= 20) {
      bytes.set([0x45, 0, bytes.length >> 8, bytes.length & 255]);
      bytes[9] = 6;
    }
    for (const act of compiled) t.truthy(act(new Packet('ipv4', bytes.slice())).verdict);
  }), { numRuns: 300 });
});

test('a right checksum stays right, whatever the options are', t => {
  fc.assert(fc.property(fc.array(fc.constantFrom(...[...mss(1460), 1, 0, 3, 8, 10, 255]), { maxLength: 10 }), fc.nat(rules.length - 1), (list, index) => {
    const options = [...mss(1400), ...list, ...new Array<number>((4 - list.length % 4) % 4).fill(0)];
    const rule = rules[index] ?? '';
    const packet = tcp({ options, text: 'data' });
    if (rule.includes('TPROXY') || rule.includes('CHECKSUM')) return;
    targetOf(rule)(packet);
    t.true(isIntact(packet));
  }), { numRuns: 100 });
});
