/** What targets declare to write, held against what the engine makes of packets. */
import test from 'ava';
import type { AnyTarget } from '../../analyzer/extensions/define.js';
import { allTargets } from '../../analyzer/extensions/registry.js';
import { targets } from '../../analyzer/extensions/targets/index.js';
import { tracked } from '../../analyzer/extensions/tracked.js';
import { oneOf, type Field, type Range } from '../../analyzer/packet/constraint.js';
import type { Rewriting } from '../../analyzer/packet/rewriting.js';
import type { Backend, Family } from '../../analyzer/values/value.js';
import { holds } from '../netfilter/slow-constraint.js';
import { drawTarget, look, ownAddresses, readTarget, withoutTarget, type DrawnTarget, type Place, type Seen } from './drawn-targets.js';

type Value = number | bigint;
type Change = NonNullable<AnyTarget['changes']>[number];

const fieldOf = (one: Rewriting): Field => one.kind === 'copy' ? one.to : one.field;

/** To what of `changes` a field belongs. */
const changeOf: Readonly<Partial<Record<Field, Change>>> = {
  mark: 'mark', connmark: 'connmark', ttl: 'ttl', dscp: 'dscp', ecn: 'ecn', ctstate: 'state', src: 'addresses', dst: 'addresses', sport: 'addresses', dport: 'addresses', tcpFlags: 'tcp', length: 'tcp',
};

const lies = (value: Value, ranges: readonly Range[]): boolean => ranges.some(({ low, high }) => value >= low && value <= high);

/** Whether a field that was `old` may be `now` behind what is declared. */
function isAsDeclared(one: Rewriting, { packet, fields }: Seen, old: Value, now: Value): boolean {
  if (one.where !== undefined && holds(one.where, packet) !== true) return now === old;
  switch (one.kind) {
    case 'bits': return now === ((Number(old) & ~one.mask) ^ one.value) >>> 0;
    case 'copy': return now === ((Number(old) & ~one.toMask) ^ (Number(fields.get(one.from)) & one.fromMask)) >>> 0;
    case 'within': return lies(now, one.ranges);
    case 'local': return ownAddresses[packet.family].has(now);
    case 'network': return BigInt(now) === ((BigInt(old) & ~BigInt(one.mask)) | BigInt(one.address));
    case 'unknown': return true;
  }
}

interface Outcome {
  readonly compared: number;
  /** Fields that were named, and those of them that were seen to change. */
  readonly named: ReadonlySet<Field>;
  readonly changed: ReadonlySet<Field>;
  readonly problems: readonly string[];
}

/** Routing behind the rule takes one from the TTL of what it forwards, and the target may decide whether it does. */
function hangsOnRouting(field: Field, { use, cx }: DrawnTarget): boolean {
  return field === 'ttl' && cx.hook === 'PREROUTING' && use.definition.effect !== 'continue';
}

/** What of the packet is not as declared, and which of its fields changed. */
function differences(drawn: DrawnTarget, declared: readonly Rewriting[], before: Seen, after: Seen): { readonly wrong: readonly string[]; readonly changed: readonly Field[] } {
  const both = [...before.fields].flatMap(([field, old]) => {
    const now = after.fields.get(field);
    return now === undefined || hangsOnRouting(field, drawn) ? [] : [{ field, old, now }];
  });
  const wrong = both.filter(({ field, old, now }) => {
    const one = declared.find(each => fieldOf(each) === field);
    return one === undefined ? now !== old : !isAsDeclared(one, before, old, now);
  });
  return { wrong: wrong.map(({ field, old, now }) => `${field} ${String(old)} → ${String(now)}`), changed: both.filter(({ old, now }) => old !== now).map(({ field }) => field) };
}

function declaredOf({ use, cx }: Pick<DrawnTarget, 'use' | 'cx'>): readonly Rewriting[] {
  return use.definition.rewrites?.(use.given, cx) ?? [];
}

const show = (value: unknown): string => JSON.stringify(value, (_, one: unknown) => typeof one === 'bigint' ? `0x${one.toString(16)}` : one);

function tried(definition: AnyTarget, family: Family, backend: Backend): Outcome {
  let compared = 0;
  const named = new Set<Field>(), changed = new Set<Field>(), problems: string[] = [];
  const rules = 20 + 8 * Object.keys(definition.options as object).length;
  for (const drawn of drawTarget(definition, family, backend, rules, 17)) {
    const declared = declaredOf(drawn);
    for (const one of declared) named.add(fieldOf(one));
    if (new Set(declared.map(fieldOf)).size < declared.length) problems.push(`${drawn.line}: a field is declared twice`);
    const control = withoutTarget(drawn);
    for (const step of drawn.steps) {
      const before = look(control, drawn, step);
      const after = look(drawn.ruleset, drawn, step);
      if (before === undefined || after === undefined || !before.matched || !after.matched) continue;
      compared++;
      const found = differences(drawn, declared, before, after);
      for (const field of found.changed) changed.add(field);
      if (found.wrong.length > 0) problems.push(`${drawn.cx.table} ${drawn.line}\n${show(step)}\n${show(declared)}\n${found.wrong.join(', ')}`);
    }
  }
  return { compared, named, changed, problems };
}

for (const family of ['ipv4', 'ipv6'] as const) {
  for (const definition of allTargets(family)) {
    const { name, effect, retired, needsOnMachine } = definition;
    if ((effect !== 'continue' && effect !== 'nat') || retired !== undefined || needsOnMachine !== undefined) continue;
    test(`${name} writes what it declares, and nothing else: ${family}`, t => {
      const outcomes = (['legacy', 'nft'] as const).filter(backend => definition.backends?.includes(backend) !== false).map(backend => tried(definition, family, backend));
      for (const { problems, compared } of outcomes) {
        t.deepEqual(problems.slice(0, 3), []);
        t.true(compared > 20, `${String(compared)} packets met it`);
      }
      const seen = new Set(outcomes.flatMap(({ changed }) => [...changed]));
      for (const field of outcomes.flatMap(({ named }) => [...named])) {
        t.true(seen.has(field), `${field} is declared, and never changed`);
        t.true(changeOf[field] !== undefined && definition.changes?.includes(changeOf[field]), `${field} is none of what it says to change`);
      }
    });
  }
}

test('what changes anything says what', t => {
  for (const { name, changes = [], rewrites } of targets.map(one => one.define())) t.is(changes.length > 0, rewrites !== undefined, name);
});

const one = (value: Value): readonly Range[] => [{ low: value, high: value }];
const ip = (a: number, b: number, c: number, d: number): number => ((a * 256 + b) * 256 + c) * 256 + d;
const doc = 0x2001_0db8n << 96n;
const [premangle, postmangle, prenat, postnat] = [['mangle', 'PREROUTING'], ['mangle', 'POSTROUTING'], ['nat', 'PREROUTING'], ['nat', 'POSTROUTING']] as const;

/** What must not be said more vaguely than this. */
const known: readonly (readonly [rule: string, place: Place, says: readonly Rewriting[], family?: Family])[] = [
  ['-j MARK --set-mark 1/2', premangle, [{ kind: 'bits', field: 'mark', value: 1, mask: 3 }]],
  ['-j MARK --and-mark 0xff', premangle, [{ kind: 'bits', field: 'mark', value: 0, mask: 0xffff_ff00 }]],
  ['-j MARK --or-mark 0', premangle, []],
  ['-j CONNMARK --set-xmark 5/7', premangle, [{ kind: 'bits', field: 'connmark', value: 5, mask: 7, where: tracked }]],
  ['-j CONNMARK --save-mark --nfmask 0xf --ctmask 0xff', premangle, [{ kind: 'copy', from: 'mark', fromMask: 0xf, to: 'connmark', toMask: 0xff, where: tracked }]],
  ['-j CONNMARK --restore-mark --nfmask 0xf --ctmask 0xff', premangle, [{ kind: 'copy', from: 'connmark', fromMask: 0xff, to: 'mark', toMask: 0xf, where: tracked }]],
  ['-j CONNMARK --restore-mark --left-shift-mark 4', premangle, [{ kind: 'unknown', field: 'mark' }]],
  ['-j CONNMARK --save-mark', ['raw', 'PREROUTING'], [{ kind: 'unknown', field: 'connmark' }]],
  ['-p tcp -j DNAT --to-destination 10.0.0.1-10.0.0.9:80-90', prenat, [{ kind: 'within', field: 'dst', ranges: [{ low: ip(10, 0, 0, 1), high: ip(10, 0, 0, 9) }] }, { kind: 'within', field: 'dport', ranges: [{ low: 80, high: 90 }] }]],
  ['-p udp -j DNAT --to-destination :53', prenat, [{ kind: 'within', field: 'dport', ranges: one(53) }]],
  ['-p icmp -j DNAT --to-destination 10.0.0.1:53', prenat, [{ kind: 'within', field: 'dst', ranges: one(ip(10, 0, 0, 1)) }]],
  ['-j DNAT --to-destination 10.0.0.9-10.0.0.1 --random', prenat, [{ kind: 'within', field: 'dst', ranges: [{ low: 0, high: ip(10, 0, 0, 1) }, { low: ip(10, 0, 0, 9), high: 0xffff_ffff }] }]],
  ['-j DNAT --to-destination 2001:db8::1-2001:db8::9', prenat, [{ kind: 'within', field: 'dst', ranges: [{ low: doc | 1n, high: doc | 9n }] }], 'ipv6'],
  ['-j DNAT --to-destination 2001:db8::1:0:5-2001:db8::2:0:3', prenat, [{ kind: 'within', field: 'dst', ranges: [{ low: doc | (1n << 32n), high: doc | (2n << 32n) | 0xffff_ffffn }] }], 'ipv6'],
  ['! -p tcp -j SNAT --to-source 192.0.2.1 --random', postnat, [{ kind: 'within', field: 'src', ranges: one(ip(192, 0, 2, 1)) }, { kind: 'within', field: 'sport', ranges: [{ low: 1, high: 511 }, { low: 600, high: 65_535 }], where: oneOf('protocol', [6, 17, 136, 132]) }]],
  ['-p tcp -j MASQUERADE --to-ports 1024-2048', postnat, [{ kind: 'local', field: 'src' }, { kind: 'within', field: 'sport', ranges: [{ low: 1024, high: 2048 }] }], 'ipv6'],
  ['-p tcp -j REDIRECT --to-ports 8080', prenat, [{ kind: 'local', field: 'dst' }, { kind: 'within', field: 'dport', ranges: one(8080) }]],
  ['-j REDIRECT', ['nat', 'OUTPUT'], [{ kind: 'within', field: 'dst', ranges: one(ip(127, 0, 0, 1)) }]],
  ['-j NETMAP --to 10.1.2.0/24', prenat, [{ kind: 'network', field: 'dst', address: ip(10, 1, 2, 0), mask: 0xffff_ff00 }]],
  ['-j NETMAP --to 10.1.2.0/24', ['nat', 'INPUT'], [{ kind: 'network', field: 'src', address: ip(10, 1, 2, 0), mask: 0xffff_ff00 }]],
  ['-j CT --notrack', ['raw', 'OUTPUT'], [{ kind: 'within', field: 'ctstate', ranges: one(4) }]],
  ['-j CT --zone 3', ['raw', 'OUTPUT'], []],
  ['-j TTL --ttl-set 64', postmangle, [{ kind: 'within', field: 'ttl', ranges: one(64) }]],
  ['-j TTL --ttl-inc 5', postmangle, [{ kind: 'within', field: 'ttl', ranges: [{ low: 5, high: 255 }] }]],
  ['-j DSCP --set-dscp-class EF', postmangle, [{ kind: 'within', field: 'dscp', ranges: one(46) }]],
  ['-j TOS --set-tos 0x10/0x3f', postmangle, [{ kind: 'within', field: 'dscp', ranges: [4, 20, 36, 52].flatMap(one) }, { kind: 'within', field: 'ecn', ranges: one(0) }]],
  ['-j TOS --or-tos 3', postmangle, [{ kind: 'within', field: 'ecn', ranges: one(3) }]],
  ['-p tcp -j ECN --ecn-tcp-remove', postmangle, []],
  ['-p tcp -j TPROXY --on-port 80 --tproxy-mark 1/1', premangle, [{ kind: 'bits', field: 'mark', value: 1, mask: 1 }]],
  ['-j SET --add-set web src', postmangle, []],
];

test('what is known is said exactly', t => {
  for (const [rule, place, says, family = 'ipv4'] of known) {
    const line = `-A ${place[1]} ${rule}`;
    const found = readTarget(line, `*${place[0]}\n${line}\nCOMMIT\n`, place, family, 'nft');
    t.deepEqual(found === undefined ? 'refused' : declaredOf(found), says, rule);
  }
});
