/** MARK, CONNMARK, CONNSECMARK, SECMARK, CLASSIFY, HMARK, SET. */
import test from 'ava';
import * as fc from 'fast-check';
import { Connection, swapped } from '../../../analyzer/packet/connection.js';
import type { Packet } from '../../../analyzer/packet/packet.js';
import type { SetChange } from '../../../analyzer/packet/ip-sets.js';
import { fakeWorld } from '../fake-world.js';
import { address, ipv4, tcp, udp } from '../packet-bytes.js';
import { targetOf } from './act.js';

function marked(mark: number, connmark?: number): Packet {
  const packet = udp(1, 2, '');
  packet.mark = mark;
  if (connmark === undefined) return packet;
  const original = { src: 1, dst: 2, protocol: 17, sport: 1, dport: 2 };
  packet.connection = new Connection(original, swapped(original));
  packet.connection.mark = connmark;
  return packet;
}

test('MARK clears the bits of the mask and flips those of the value', t => {
  const markAfter = (rule: string, mark: number): number => {
    const packet = marked(mark);
    t.is(targetOf(`-j MARK ${rule}`)(packet).verdict, 'Continue');
    return packet.mark;
  };
  t.is(markAfter('--set-mark 5', 0xff), 5);
  t.is(markAfter('--set-mark 0x1/0xf', 0xff), 0xf1);
  t.is(markAfter('--set-xmark 0x10/0xf', 0xff), 0xe0);
  t.is(markAfter('--and-mark 0xf0', 0xff), 0xf0);
  t.is(markAfter('--or-mark 0xf0000000', 1), 0xf000_0001);
  t.is(markAfter('--xor-mark 3', 1), 2);
});

test('MARK always leaves 32 bits without a sign', t => {
  const word = fc.integer({ min: 0, max: 0xffff_ffff });
  fc.assert(fc.property(fc.constantFrom('--set-mark', '--set-xmark', '--and-mark', '--or-mark', '--xor-mark'), word, word, (option, value, mark) => {
    const packet = marked(mark);
    targetOf(`-j MARK ${option} ${String(value)}`)(packet);
    t.true(packet.mark >= 0 && packet.mark <= 0xffff_ffff);
  }), { numRuns: 50 });
});

test('CONNMARK sets, saves and restores, masked first and shifted then', t => {
  const after = (rule: string, mark: number, connmark: number): readonly number[] => {
    const packet = marked(mark, connmark);
    targetOf(`-j CONNMARK ${rule}`)(packet);
    return [packet.mark, packet.connection?.mark ?? -1];
  };
  t.deepEqual(after('--set-mark 0x1/0xf', 0, 0xff), [0, 0xf1]);
  t.deepEqual(after('--save-mark', 7, 1), [7, 7]);
  t.deepEqual(after('--save-mark --nfmask 0xf --ctmask 0xf0', 0x1234, 0xff), [0x1234, 0x0f ^ 4]);
  t.deepEqual(after('--restore-mark --mask 0xff', 0xabcd00, 0x1234), [0xabcd34, 0x1234]);
  t.deepEqual(after('--save-mark --left-shift-mark 8', 0x81, 0), [0x81, 0x8100]);
  t.deepEqual(after('--restore-mark --right-shift-mark 4', 0, 0xf0), [0xf, 0xf0]);
});

test('CONNMARK leaves a packet of no connection alone', t => {
  const packet = marked(7);
  t.is(targetOf('-j CONNMARK --restore-mark')(packet).verdict, 'Continue');
  t.is(packet.mark, 7);
});

test('security marks go from the packet to the connection and back, where there is none', t => {
  const packet = marked(0, 0);
  targetOf('-j SECMARK --selctx a:b:c')(packet);
  targetOf('-j CONNSECMARK --save')(packet);
  packet.secmark = '';
  targetOf('-j CONNSECMARK --restore')(packet);
  t.is(packet.secmark, 'a:b:c');
  packet.secmark = 'x';
  targetOf('-j CONNSECMARK --save')(packet);
  t.is(packet.connection?.secmark, 'a:b:c');
});

test('CLASSIFY sets the priority', t => {
  const packet = marked(0);
  targetOf('-j CLASSIFY --set-class ffff:10', { hook: 'POSTROUTING' })(packet);
  t.is(packet.priority, 0xffff_0010);
});

test('HMARK marks as the kernel does, and both directions alike', t => {
  const rule = '-j HMARK --hmark-tuple src,dst,sport,dport,proto --hmark-rnd 0x12345678 --hmark-mod 4294967295';
  const markOf = (packet: Packet): number => {
    targetOf(rule)(packet);
    return packet.mark;
  };
  // Seen in Linux 6.18.
  t.is(markOf(udp(40001, 53, 'x', { src: '127.0.0.1', dst: '127.0.0.2' })), 1_692_129_309);
  t.is(markOf(udp(40002, 53000, 'x', { src: '127.0.0.5', dst: '127.0.0.2' })), 1_730_536_044);
  t.is(markOf(udp(53, 40001, 'x', { src: '127.0.0.2', dst: '127.0.0.1' })), 1_692_129_309);
});

test('HMARK gives an ICMP error the mark of what it quotes', t => {
  const quoted = udp(40001, 53, 'x', { src: '127.0.0.1', dst: '127.0.0.2' });
  const error = ipv4({ src: '10.0.0.9', dst: '127.0.0.1', protocol: 1, payload: [3, 3, 0, 0, 0, 0, 0, 0, ...quoted.bytes.subarray(0, 28)] });
  targetOf('-j HMARK --hmark-tuple src,dst,sport,dport,proto --hmark-rnd 0x12345678 --hmark-mod 4294967295')(error);
  t.is(error.mark, 1_692_129_309);
});

test('HMARK by the connection needs one, and marks lie from the offset on', t => {
  const rule = '-j HMARK --hmark-tuple ct,src,dst --hmark-rnd 1 --hmark-mod 10 --hmark-offset 100';
  const alone = marked(7);
  targetOf(rule)(alone);
  t.is(alone.mark, 7);
  const packet = marked(7, 0);
  targetOf(rule)(packet);
  t.true(packet.mark >= 100 && packet.mark < 110);
});

test('SET adds, deletes and takes what an element says', t => {
  const changes: unknown[] = [];
  const sets = {
    test: () => true, add: (_: unknown, change: SetChange) => { changes.push(change); return true; }, remove: (_: unknown, change: unknown) => { changes.push(change); return true; },
    info: () => ({ mark: { value: 0x10, mask: 0xf0 } }),
  };
  const world = fakeWorld('ipv4', 'legacy', { sets });
  targetOf('-j SET --add-set web src --exist --timeout 60 --del-set nets dst,src', { world })(marked(0));
  t.deepEqual(changes, [{ name: 'web', flags: ['src'], exist: true, timeout: 60 }, { name: 'nets', flags: ['dst', 'src'] }]);
  const packet = marked(0xff);
  packet.priority = 9;
  targetOf('-j SET --map-set web src --map-mark --map-prio', { world })(packet);
  t.deepEqual([packet.mark, packet.priority], [0x1f, 0]);
});

test('SET with a set that nobody described is unknown', t => {
  t.deepEqual(targetOf('-j SET --add-set web src')(marked(0)).asked, ['what is in the set web']);
});

test('CT and NOTRACK say how the packet is tracked', t => {
  const templates: unknown[] = [];
  const world = fakeWorld('ipv4', 'legacy', { template: (_, template) => { templates.push(template); } });
  const raw = { world, table: 'raw', hook: 'PREROUTING' } as const;
  for (const rule of ['-j NOTRACK', '-j CT --notrack', '-p tcp -j CT --helper ftp --zone-orig 5', '-p tcp -j CT --zone mark --timeout slow']) t.is(targetOf(rule, raw)(tcp({})).verdict, 'Continue');
  t.deepEqual(templates, [
    { notrack: true }, { notrack: true }, { zone: { id: 5, direction: 'original' }, helper: 'ftp' }, { zone: { id: 'mark', direction: 'both' }, timeoutPolicy: 'slow' },
  ]);
  t.is(address('0.0.0.5'), 5);
});
