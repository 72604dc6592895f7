/** Packets near the constants of a rule set: most of them are such as some rule asks for, but for one thing or another. */
import type { Ruleset } from '../../model/ruleset.js';
import { createHost, type Host, type HostSetup, type TraceOptions } from '../../netfilter/engine.js';
import type { ScenarioPacket, ScenarioStep } from '../../netfilter/scenario.js';
import { flagText } from '../../netfilter/scenario/tcp-bytes.js';
import { echo } from '../../netfilter/scenario/packet-defaults.js';
import { hasPorts, isPing, nameOfProtocol } from '../../netfilter/scenario/protocol-names.js';
import type { Field } from '../../packet/constraint.js';
import { preferred } from '../../packet-space/preferences.js';
import { printAddress } from '../../values/address.js';
import type { Arbitrary, Fc } from '../../values/value.js';
import { Sketches, type Scalar, type Sketch } from './sketch.js';
import { supposedHost } from './supposed-host.js';
import { Terrain } from './terrain.js';

/** Where packets are drawn: a rule set on a host. */
export interface Place {
  readonly ruleset: Ruleset;
  readonly terrain: Terrain;
  readonly sketches: Sketches;
  /** When packets are sent. */
  readonly when: Pick<TraceOptions, 'start'>;
}

/** The place of a rule set, on a described host or, without one, on the one that its rules make likely. */
export function placeOf(ruleset: Ruleset, setup: HostSetup = supposedHost(ruleset), when: Place['when'] = {}): Place {
  return { ruleset, terrain: new Terrain(ruleset.family, setup), sketches: new Sketches(ruleset), when };
}

/** A host on which nothing has been sent yet. */
export function freshHost({ ruleset, terrain, when }: Place): Host {
  return createHost(ruleset, terrain.setup, when);
}

/** A packet that was drawn. */
export interface Drawn {
  readonly step: ScenarioStep & { readonly packet: ScenarioPacket & { readonly src: string; readonly dst: string } };
  /** It comes from where its source is not: who sent it does not get the answer. */
  readonly isSpoofed: boolean;
}

type Way = 'in' | 'through' | 'out';
type Values = Partial<Record<Field, Scalar | undefined>>;

const waysOfHook = { INPUT: ['in'], FORWARD: ['through'], OUTPUT: ['out'], PREROUTING: ['in', 'through'], POSTROUTING: ['through', 'out'] } as const;
const loopback = { ipv4: '127.0.0.1', ipv6: '::1' } as const;
const anyWay: readonly Way[] = ['in', 'through', 'out'];

function oneOf<T>(list: readonly T[], number: number): T | undefined {
  return list[number % list.length];
}

/** What is drawn for one field of a sketch: mostly what the rule asks for. */
function valueOf(fc: Fc, hits: readonly Scalar[], misses: readonly Scalar[]): Arbitrary<Scalar | undefined> {
  const right = hits.length === 0 ? [] : [{ weight: 9, arbitrary: fc.constantFrom(...hits) }];
  const wrong = misses.length === 0 ? [] : [{ weight: 1, arbitrary: fc.constantFrom(...misses) }];
  return right.length + wrong.length === 0 ? fc.constant(undefined) : fc.oneof(...right, ...wrong);
}

function valuesOf(fc: Fc, { hits, misses }: Sketch): Arbitrary<Values> {
  return fc.record(Object.fromEntries([...hits].map(([field, right]) => [field, valueOf(fc, right, misses.get(field) ?? [])])));
}

/** What no rule says, as numbers by which something is chosen of what there is. */
interface Choice {
  readonly way: number;
  readonly device: number;
  readonly other: number;
  readonly who: number;
  readonly whom: number;
  readonly protocol: number;
  readonly port: number;
  /** Undefined: the packet asks something. Else it has the form of an answer, and this says of which. */
  readonly answer: number | undefined;
}

/** Whether packets may have the form of answers. */
export type Forms = 'questions' | 'any';

function choices(fc: Fc, forms: Forms): Arbitrary<Choice> {
  const answer = forms === 'questions' ? fc.constant(undefined) : fc.option(fc.nat(answerFlags.length - 1), { nil: undefined, freq: 2 });
  return fc.record({ way: fc.nat(1), device: fc.nat(11), other: fc.nat(11), who: fc.nat(9), whom: fc.nat(9), protocol: fc.nat(5), port: fc.nat(7), answer });
}

const answerFlags = ['A', 'SA', 'PA', 'FA', 'R', 'RA'] as const;
/** From a service to a client. */
const answerPorts = { sport: 53, dport: 40_000 };

function text(value: Scalar | undefined): string | undefined {
  return value === undefined ? undefined : typeof value === 'string' ? value : printAddress(value);
}

interface Ends {
  readonly in: string;
  readonly src: string;
  readonly dst: string;
}

/** From where to where: as the values say, else as it is likely on this host. */
function endsOf(terrain: Terrain, way: Way, values: Values, { device, other, who, whom }: Choice): Ends {
  const { interfaces, family } = terrain;
  const [src, dst] = [text(values.src), text(values.dst)];
  if (text(values.in) === 'lo' || text(values.out) === 'lo') return { in: 'local', src: src ?? loopback[family], dst: dst ?? loopback[family] };
  const known = (name: string | undefined): string | undefined => name !== undefined && interfaces.includes(name) ? name : undefined;
  const usual = oneOf(interfaces, device) ?? 'eth0';
  const out = known(text(values.out)) ?? known(dst === undefined ? undefined : terrain.wayTo(dst)) ?? oneOf(interfaces.filter(name => name !== text(values.in)), other) ?? usual;
  if (way === 'out') return { in: 'local', src: src ?? oneOf(terrain.own(out), who) ?? '', dst: dst ?? oneOf(terrain.behind(out), whom) ?? '' };
  const entry = known(text(values.in)) ?? known(src === undefined ? undefined : terrain.wayTo(src)) ?? usual;
  const there = way === 'in' ? terrain.own(entry) : terrain.behind(out);
  const from = src ?? oneOf(terrain.behind(entry), who) ?? '';
  return { in: entry, src: from, dst: dst ?? oneOf(there.filter(one => one !== from), whom) ?? there[0] ?? '' };
}

function numberOf(value: Scalar | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

/** What of the packet stands behind its addresses. */
function wordsOf(values: Values, { protocol, port, answer }: Choice, { family }: Terrain): ScenarioPacket {
  const asksForPorts = values.dport !== undefined || values.sport !== undefined;
  const icmp = family === 'ipv4' ? 1 : 58;
  const proto = nameOfProtocol(numberOf(values.protocol) ?? (values.icmpType !== undefined ? icmp : oneOf(asksForPorts ? [6, 17] : [6, 6, 6, 17, 17, icmp], protocol) ?? 6));
  const usual = answer === undefined ? { sport: undefined, dport: Number(oneOf(preferred('dport', family), port)), flags: undefined, type: undefined }
    : { ...answerPorts, flags: answerFlags[answer], type: echo[family].reply };
  const given = {
    ...hasPorts(proto) ? { sport: numberOf(values.sport) ?? usual.sport, dport: numberOf(values.dport) ?? usual.dport } : {},
    ...proto === 'tcp' ? { flags: values.tcpFlags === undefined ? usual.flags : flagText(Number(values.tcpFlags)) } : {},
    ...isPing(proto) ? { type: numberOf(values.icmpType) ?? usual.type, code: numberOf(values.icmpCode) } : {},
    ttl: numberOf(values.ttl), mark: numberOf(values.mark), payload_len: lengthOf(values.length, family),
  };
  return { proto, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}

/** Of the payload, where that of a packet of UDP or ICMP is asked for. */
function lengthOf(length: Scalar | undefined, family: Terrain['family']): number | undefined {
  return length === undefined ? undefined : Math.max(0, Math.min(Number(length), 1500) - (family === 'ipv4' ? 28 : 48));
}

function drawn({ terrain }: Place, sketch: Sketch | undefined, values: Values, choice: Choice): Drawn {
  const ways: readonly Way[] = sketch === undefined ? anyWay : waysOfHook[sketch.hook];
  const ends = endsOf(terrain, oneOf(ways, choice.way + choice.device) ?? 'in', values, choice);
  const { mark, ...words } = wordsOf(values, choice, terrain);
  const isLocal = ends.in === 'local';
  return {
    step: { in: ends.in, packet: { ...words, ...isLocal && mark !== undefined ? { mark } : {}, src: ends.src, dst: ends.dst } },
    isSpoofed: terrain.wayTo(ends.src) !== ends.in && !(isLocal && ends.src === loopback[terrain.family]),
  };
}

/** Packets that some rule asks for, or nearly so; now and then any. */
export function drawnPackets(fc: Fc, place: Place, forms: Forms): Arbitrary<Drawn> {
  const free = choices(fc, forms).map(choice => drawn(place, undefined, {}, choice));
  const { count } = place.sketches;
  if (count === 0) return free;
  const near = fc.nat(count - 1).chain(index => {
    const sketch = place.sketches.at(index);
    return fc.tuple(sketch === undefined ? fc.constant({}) : valuesOf(fc, sketch), choices(fc, forms)).map(([values, choice]) => drawn(place, sketch, values, choice));
  });
  return fc.oneof({ weight: 1, arbitrary: free }, { weight: 7, arbitrary: near });
}

/** The packet that the rule of this number asks for, as a person would send it. */
export function packetFor(place: Place, index: number): Drawn | undefined {
  const sketch = place.sketches.at(index);
  if (sketch === undefined) return undefined;
  const values: Values = Object.fromEntries([...sketch.hits].flatMap(([field, [first]]) => first === undefined ? [] : [[field, first]]));
  return drawn(place, sketch, values, { way: 0, device: 0, other: 0, who: 0, whom: 0, protocol: 0, port: 0, answer: undefined });
}

/**
 * Packets near the constants of a rule set, as steps of a scenario, for tests of one's own: `fc.assert(fc.property(packetsNear(fc,
 * ruleset), step => …))`. They travel between the addresses of `setup`; without it, of a host that the rules make likely.
 */
export function packetsNear(fc: Fc, ruleset: Ruleset, setup?: HostSetup): Arbitrary<ScenarioStep> {
  return drawnPackets(fc, placeOf(ruleset, setup), 'any').map(({ step }) => step);
}
