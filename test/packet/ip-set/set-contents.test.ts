/** What being in a set asks of packets is what a look-up answers for each of them. */
import test from 'ava';
import * as fc from 'fast-check';
import { compileConstraint } from '../../../analyzer/packet/compile-constraint.js';
import type { Constraint } from '../../../analyzer/packet/constraint.js';
import { readIpSets } from '../../../analyzer/packet/ip-set/read-ip-sets.js';
import { setContents } from '../../../analyzer/packet/ip-set/set-contents.js';
import type { SetFlag } from '../../../analyzer/packet/ip-sets.js';
import { Packet } from '../../../analyzer/packet/packet.js';
import type { Traversal } from '../../../analyzer/packet/traversal.js';
import { ipv4, tcp, udp } from '../../netfilter/packet-bytes.js';

const last = fc.integer({ min: 0, max: 7 });
const host = last.map(one => `10.0.0.${String(one)}`);
const net = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom(29, 30, 31, 32)).map(([one, length]) => `10.0.0.${String((one * 2) & -(2 ** (32 - length)))}/${String(length)}`);
const port = fc.constantFrom('tcp:1', 'tcp:2', 'udp:1', 'icmp:8/0', 'icmp:0/0', 'esp:0');
const nomatch = fc.constantFrom('', '', ' nomatch');

interface Drawn {
  readonly create: string;
  readonly flags: readonly SetFlag[];
  readonly element: fc.Arbitrary<string>;
}

const kinds: readonly Drawn[] = [
  { create: 'hash:ip', flags: ['src'], element: host },
  { create: 'hash:ip', flags: ['dst'], element: host },
  { create: 'hash:ip netmask 31', flags: ['src'], element: host },
  { create: 'bitmap:ip range 10.0.0.0-10.0.0.7', flags: ['src'], element: host },
  { create: 'hash:net', flags: ['src'], element: fc.tuple(net, nomatch).map(words => words.join('')) },
  { create: 'hash:net', flags: ['dst'], element: net },
  { create: 'hash:ip,port', flags: ['src', 'dst'], element: fc.tuple(host, port).map(words => words.join()) },
  { create: 'hash:ip,port', flags: ['dst', 'src'], element: fc.tuple(host, port).map(words => words.join()) },
  { create: 'hash:net,port', flags: ['src', 'dst'], element: fc.tuple(net, port).map(words => words.join()) },
  { create: 'hash:net,net', flags: ['src', 'dst'], element: fc.tuple(net, net).map(words => words.join()) },
  { create: 'hash:ip,port,net', flags: ['src', 'dst', 'dst'], element: fc.tuple(host, port, net).map(words => words.join()) },
  { create: 'hash:ip,mark markmask 0x3', flags: ['src', 'src'], element: fc.tuple(host, last).map(([a, mark]) => `${a},${String(mark)}`) },
  { create: 'bitmap:port range 0-9', flags: ['dst'], element: last.map(String) },
  { create: 'hash:ip family inet6', flags: ['src'], element: fc.constant('fd00::1') },
  { create: 'hash:ip,port', flags: ['src'], element: fc.tuple(host, port).map(words => words.join()) },
];

const packets: fc.Arbitrary<Packet> = fc.record({
  src: host, dst: host, low: fc.integer({ min: 1, max: 2 }), high: fc.integer({ min: 1, max: 9 }), kind: fc.constantFrom('tcp', 'udp', 'ping', 'pong', 'esp', 'fragment'), mark: fc.integer({ min: 0, max: 8 }),
}).map(({ src, dst, low, high, kind, mark }) => {
  const made = kind === 'tcp' ? tcp({ sport: low, dport: high }, { src, dst }) : kind === 'udp' ? udp(low, high, '', { src, dst })
    : kind === 'esp' ? ipv4({ src, dst, protocol: 50, payload: [1, 2, 3, 4] }) : kind === 'fragment' ? ipv4({ src, dst, protocol: 6, payload: [0, 1, 0, 1], fragment: 5 })
      : ipv4({ src, dst, protocol: 1, payload: [kind === 'ping' ? 8 : 0, 0, 0, 0, 0, 0, 0, 0] });
  made.mark = mark;
  return made;
});

function asked(constraint: Constraint, packet: Packet): boolean {
  const traversal: Pick<Traversal, 'packet' | 'unknown'> = { packet, unknown: why => { throw new Error(why); } };
  return compileConstraint(constraint, 'ipv4')(traversal as Traversal);
}

test('of each packet the constraint says what the look-up answers', t => {
  let [exact, inside] = [0, 0];
  const drawn = fc.constantFrom(...kinds).chain(({ create, flags, element }) => fc.record({ create: fc.constant(create), flags: fc.constant(flags), elements: fc.uniqueArray(element, { minLength: 1, maxLength: 6, selector: one => one.split(' ')[0] }), packets: fc.array(packets, { minLength: 20, maxLength: 20 }), returnNomatch: fc.boolean() }));
  fc.assert(fc.property(drawn, ({ create, flags, elements, packets: some, returnNomatch }) => {
    const { sets } = readIpSets(`create s ${create}\n${elements.map(one => `add s ${one} -exist\n`).join('')}`, { now: () => 0 });
    const constraint = setContents(sets, 'ipv4', () => false)({ name: 's', directions: flags }, returnNomatch);
    if (constraint === undefined) return;
    exact++;
    for (const packet of some) {
      const found = sets.test(packet, { name: 's', flags, returnNomatch });
      if (found === true) inside++;
      t.is(asked(constraint, packet), found === true, `${create} ${flags.join()} ${elements.join(' ')}${returnNomatch ? ' nomatch' : ''}`);
    }
  }), { seed: 3, numRuns: 600 });
  t.true(exact > 400 && inside > 1000, `${String(exact)} ${String(inside)}`);
});

function constraintOf(text: string, directions: readonly SetFlag[], isChanged: (name: string) => boolean = () => false): Constraint | undefined {
  return setContents(readIpSets(text, { now: () => 0 }).sets, 'ipv4', isChanged)({ name: 's', directions }, false);
}

test('what packets do not say, or may change, is left open', t => {
  t.is(constraintOf('create s hash:mac\nadd s 02:00:00:00:00:01\n', ['src']), undefined);
  t.is(constraintOf('create s hash:net,iface\nadd s 10.0.0.0/8,eth0\n', ['src', 'src']), undefined);
  t.is(constraintOf('create s hash:ip\n', ['src']), undefined, 'it waits to be filled');
  t.is(constraintOf('create other hash:ip\n', ['src']), undefined);
  t.is(constraintOf('create s hash:ip\nadd s 10.0.0.1\n', ['src'], name => name === 's'), undefined);
  const passing = constraintOf('create s hash:ip timeout 60\nadd s 10.0.0.1\nadd s 10.0.0.2 timeout 0\n', ['src']);
  t.deepEqual(passing, { kind: 'any', of: [{ kind: 'within', field: 'src', ranges: [{ low: 0x0a00_0002, high: 0x0a00_0002 }] }, { kind: 'atom', name: 'set s src for a time' }] });
});

test('neighbours are one range, and 65,000 addresses are read in a moment', t => {
  const text = `create s hash:ip maxelem 70000\n${Array.from({ length: 65_000 }, (_, i) => `add s 10.${String(i >> 8)}.${String(i & 255)}.1\n`).join('')}`;
  const constraint = constraintOf(text, ['src']);
  t.is(constraint?.kind === 'within' ? constraint.ranges.length : 0, 65_000);
  t.deepEqual(constraintOf('create s hash:net\nadd s 10.0.0.0/25\nadd s 10.0.0.128/25\nadd s 10.0.0.7\n', ['dst']), { kind: 'within', field: 'dst', ranges: [{ low: 0x0a00_0000, high: 0x0a00_00ff }] });
});

test('a set of sets is what is in any of them', t => {
  t.deepEqual(constraintOf('create a hash:ip\nadd a 10.0.0.1\ncreate b hash:net\nadd b 10.1.0.0/16\ncreate s list:set\nadd s a\nadd s b\n', ['src']), {
    kind: 'any', of: [{ kind: 'within', field: 'src', ranges: [{ low: 0x0a00_0001, high: 0x0a00_0001 }] }, { kind: 'within', field: 'src', ranges: [{ low: 0x0a01_0000, high: 0x0a01_ffff }] }],
  });
});
