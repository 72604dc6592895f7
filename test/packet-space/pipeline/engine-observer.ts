/** Plays scenarios in the engine, and says of each packet what a question about it alone would say: which it is, where it went, which rules it met. */
import type { Rule, Ruleset } from '../../../analyzer/model/ruleset.js';
import { HostState, defaultStart } from '../../../analyzer/netfilter/host-state.js';
import { Sysctls, scenarioSysctls } from '../../../analyzer/netfilter/host/sysctls.js';
import { routingOf } from '../../../analyzer/netfilter/host/scenario-host.js';
import { readConntrack } from '../../../analyzer/netfilter/conntrack/read-conntrack.js';
import { readIpSets } from '../../../analyzer/packet/ip-set/read-ip-sets.js';
import type { Journey, Witness } from '../../../analyzer/netfilter/journey.js';
import { buildPacket } from '../../../analyzer/netfilter/scenario/build-packet.js';
import { macBytes } from '../../../analyzer/netfilter/scenario/mac-bytes.js';
import type { Scenario, ScenarioStep } from '../../../analyzer/netfilter/scenario.js';
import { Stack } from '../../../analyzer/netfilter/stack.js';
import { all, is, type Constraint, type Field } from '../../../analyzer/packet/constraint.js';
import { fieldReaders, type NumberField } from '../../../analyzer/packet/field-readers.js';
import { Packet } from '../../../analyzer/packet/packet.js';
import { protocolNumber } from '../../../analyzer/packet/protocols.js';
import type { Path } from '../../../analyzer/packet-space/pipeline/index.js';

/** One packet as it came, and what became of it. */
export interface Observation {
  readonly what: string;
  readonly packet: Constraint;
  /** The same, if `out` is where a local packet left in the end: so it is told where nobody asks where it was to leave first. */
  readonly packetSent: Constraint;
  /** The ways it may have been on: two where it did not get to routing. */
  readonly paths: readonly Path[];
  readonly rules: ReadonlySet<Rule>;
  /** What a rule or a policy made of it; undefined: the kernel, by itself. */
  readonly fate: 'accept' | 'drop' | undefined;
  readonly ctstate: number;
  /** Its connection had packets before it, which nat need not see again. */
  readonly isFirst: boolean;
  /** It left OUTPUT by another way than it came. */
  readonly isRerouted: boolean;
  readonly isGenerated: boolean;
  /** Chance, or what nobody knows, was asked. */
  readonly isOpen: boolean;
}

/** A packet when connection tracking had seen it, and when its interfaces were known. */
interface Looks {
  ctstate: number;
  connmark: number;
  isTracked: boolean;
  isFirst: boolean;
  ctdir: number;
  out: string;
  left: string;
  wasLocal: boolean;
  hasArrived: boolean;
  hasForwarded: boolean;
  isInput: boolean;
}

const { tcp, udp, udplite, sctp, dccp, icmp, icmpv6, esp, ah, ipcomp } = protocolNumber;
const withPorts: readonly number[] = [tcp, udp, udplite, sctp, dccp];
const owners: Readonly<Partial<Record<NumberField, readonly number[]>>> = {
  sport: withPorts, dport: withPorts, tcpFlags: [tcp], icmpType: [icmp, icmpv6], icmpCode: [icmp, icmpv6], spi: [esp, ah, ipcomp], sctpChunk: [sctp],
};
const asTracked: readonly NumberField[] = ['ctstate', 'connmark', 'ctdir'];
/** No rule names it: stands for that there is none. */
const noMac = 0xfe_dc_ba_98_76_54;

function fieldsOf(packet: Packet): readonly Constraint[] {
  const numbers = (Object.keys(fieldReaders) as NumberField[]).filter(name => !asTracked.includes(name) && owners[name]?.includes(packet.protocol) !== false);
  const read = (name: NumberField): number => {
    const value = fieldReaders[name](packet);
    return name === 'tcpFlags' ? value & 63 : name === 'srcMac' && value < 0 ? noMac : value;
  };
  return [is('src', packet.src), is('dst', packet.dst), ...numbers.map(name => is(name, read(name)))];
}

function named(field: 'in' | 'out', name: string): Constraint {
  return { kind: 'interface', field, name, prefix: false };
}

class Observer implements Witness {
  readonly looks = new Map<Packet, Looks>();

  of(packet: Packet): Looks {
    let looks = this.looks.get(packet);
    if (looks === undefined) this.looks.set(packet, looks = { ctstate: -1, connmark: 0, isTracked: false, isFirst: true, ctdir: 0, out: '', left: '', wasLocal: false, hasArrived: false, hasForwarded: false, isInput: false });
    return looks;
  }

  stage(table: string, hook: string, packet: Packet): void {
    const looks = this.of(packet);
    if (table !== 'raw' && !looks.isTracked) {
      looks.isTracked = true;
      looks.ctstate = packet.ctstate;
      looks.connmark = packet.connection?.mark ?? 0;
      looks.ctdir = packet.direction;
      looks.isFirst = packet.connection === undefined || (packet.connection.status & 8) === 0;
    }
    if (hook === 'OUTPUT' && looks.out === '') looks.out = packet.out;
    if (hook === 'OUTPUT') looks.wasLocal = true;
    if (hook === 'PREROUTING') looks.hasArrived = true;
    if (hook === 'INPUT') looks.isInput = true;
    if (hook === 'FORWARD') looks.hasForwarded = true;
    if (hook === 'POSTROUTING' || hook === 'FORWARD') looks.left = packet.out;
  }

  acts(): void { /* of no interest */ }
  matched(): void { /* as above */ }
  policy(): void { /* as above */ }
  entered(): void { /* as above */ }
  left(): void { /* as above */ }
  event(): void { /* as above */ }
  unknown(): void { /* as above */ }
  generated(): void { /* as above */ }
  generatedEnded(): void { /* as above */ }
}

/** A packet before it travelled. */
interface Origin {
  readonly fields: readonly Constraint[];
  readonly in: string;
}

/** The interface by which a local packet left in the end; '' where it did not come so far. */
function leftBy({ left, hasArrived, isInput }: Looks, fate: Journey['fate']): string {
  if (hasArrived || isInput) return 'lo';
  return fate?.kind === 'sent' ? fate.out : left;
}

function pathsOf({ in: arrived }: Origin, looks: Looks, { fate, packet }: Journey): readonly Path[] {
  if (arrived === '') return (leftBy(looks, fate) || looks.out || packet.out) === 'lo' ? ['loop'] : ['out'];
  if (looks.hasForwarded || looks.left !== '' || fate?.kind === 'forwarded') return ['through'];
  return looks.isInput || fate?.kind === 'delivered' ? ['in'] : ['in', 'through'];
}

const endsByItself = new Set(['drop', 'reject', 'queue', 'unknown']);

/** What rules made of it. NAT that finds no address, and matches that find no header, drop of their own accord. */
function fateOf({ fate }: Journey): Observation['fate'] {
  if (fate === undefined) return undefined;
  if (!('by' in fate)) return 'accept';
  if ('policy' in fate.by) return 'drop';
  if ('kernel' in fate.by) return undefined;
  const { target } = fate.by.rule.rule;
  if (target.kind !== 'extension') return undefined;
  const { effect } = target.use.definition;
  return endsByItself.has(typeof effect === 'function' ? effect(target.use.given as never) : effect) ? 'drop' : undefined;
}

function observe(what: string, journey: Journey, origin: Origin, observer: Observer, hasChance: boolean): Observation {
  const { packet } = journey;
  const looks = observer.of(packet);
  const paths = pathsOf(origin, looks, journey);
  const isLocal = origin.in === '';
  const left = leftBy(looks, journey.fate);
  const first = looks.out === '' ? left || packet.out : looks.out;
  const placesFor = (out: string): readonly Constraint[] => isLocal ? [named('out', out === '' ? 'lo' : out)] : [named('in', origin.in), ...paths.length === 1 && paths[0] === 'through' ? [named('out', looks.left === '' ? packet.out : looks.left)] : []];
  const tracked: [Field, number][] = looks.isTracked ? [['ctstate', Math.max(0, looks.ctstate)], ['connmark', looks.connmark], ['ctdir', looks.ctdir]] : [];
  const packetAt = (out: string): Constraint => all([...origin.fields, ...placesFor(out), ...tracked.map(([field, value]) => is(field, value))]);
  return {
    what, paths, packet: packetAt(first), packetSent: packetAt(left === '' ? first : left),
    rules: new Set(journey.steps.flatMap(step => 'rule' in step ? [step.rule] : [])), fate: fateOf(journey),
    ctstate: looks.ctstate, isFirst: looks.isFirst, isRerouted: isLocal && left !== '' && left !== first, isGenerated: journey.origin !== undefined, isOpen: hasChance || journey.unknowns.length > 0,
  };
}

function packetOf(stack: Stack, bytes: Uint8Array, step: ScenarioStep): Packet {
  const packet = new Packet(stack.family, bytes);
  const { mark, uid, gid, smac, dmac } = step.packet;
  if (step.in === 'local') {
    packet.mark = mark ?? 0;
    packet.owner = { uid: uid ?? 0, gid: gid ?? 0 };
  } else {
    packet.in = step.in;
    stack.routing.arriveOn(packet, { source: macBytes(smac), destination: macBytes(dmac), isBroadcast: step.broadcast === true });
  }
  return packet;
}

/** Plays all steps; each packet that a hook saw, and each that the host sent because of it, is observed. */
export function play(ruleset: Ruleset, scenario: Scenario): readonly Observation[] {
  const state = new HostState(1, defaultStart, new Sysctls({ ...scenarioSysctls, ...scenario.sysctls }), 0);
  const { sets } = readIpSets(scenario.ipsets ?? '', { now: () => state.now });
  const stack = new Stack({ ruleset, state, routing: routingOf(ruleset.family, scenario, state.sysctls, 1), sets, sockets: undefined });
  readConntrack(scenario.conntrack ?? '', stack.conntrack);
  stack.adoptConnections();
  stack.assume = () => true;
  const found: Observation[] = [];
  scenario.steps.forEach((step, i) => {
    state.now += step.advance ?? 0;
    if (step.sysctls !== undefined) state.sysctls.set(step.sysctls);
    for (const bytes of buildPacket(step.packet, ruleset.family)) {
      const packet = packetOf(stack, bytes, step);
      const original = new Packet(ruleset.family, bytes.slice());
      const origin: Origin = { fields: fieldsOf(packet), in: packet.in };
      const observer = new Observer();
      stack.witness = observer;
      const journey = packet.in === '' ? stack.send(packet) : stack.receive(packet);
      const hasChance = state.takeChances().length > 0;
      const wasWhole = journey.packet === packet;
      if (wasWhole && isReadable(original, ruleset)) found.push(observe(`step ${String(i + 1)}`, journey, origin, observer, hasChance));
      for (const one of generatedBy(journey)) {
        if (one.origin === undefined) continue;
        found.push(observe(`step ${String(i + 1)}, answer`, one, { fields: fieldsOf(one.origin), in: '' }, observer, hasChance));
      }
    }
  });
  return found;
}

/** Least bytes that matches read behind the IP header. */
const headers: Readonly<Record<number, number>> = { [tcp]: 20, [udp]: 8, [udplite]: 8, [sctp]: 12, [dccp]: 12, [icmp]: 8, [icmpv6]: 8, [esp]: 8, [ah]: 12, [ipcomp]: 4 };

/** What is cut short is dropped by the match that reads it, and nf_tables takes what later fragments hold for a header, and an authentication header for the transport's: the model knows none of that. */
function isReadable({ fragmentOffset, transportLength, protocol, isCutShort, isAuthenticated }: Packet, { backend }: Ruleset): boolean {
  if (isCutShort || (isAuthenticated && backend === 'nft')) return false;
  return fragmentOffset > 0 ? backend === 'legacy' : transportLength >= (headers[protocol] ?? 0);
}

function generatedBy({ generated }: Journey): readonly Journey[] {
  return generated.flatMap(one => [one, ...generatedBy(one)]);
}
