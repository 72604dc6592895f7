/** Packets near the constants of a given rule set, on a host made for it. */
import { createHost, rulesetFor } from '../../../analyzer/netfilter/engine.js';
import type { Host } from '../../../analyzer/netfilter/engine.js';
import { describePacket } from '../../../analyzer/netfilter/scenario/describe-packet.js';
import type { Scenario, ScenarioPacket, ScenarioStep } from '../../../analyzer/netfilter/scenario.js';
import { printAddress } from '../../../analyzer/values/address.js';
import type { Arbitrary, Backend, Family, Fc } from '../../../analyzer/values/value.js';
import { addressIn, likelyHost, type LikelyHost } from './likely-host.js';
import { mentionedIn, type Mentioned } from './mentioned.js';

export interface GivenRules {
  readonly family: Family;
  readonly backend: Backend;
  /** As `iptables-save` prints them. */
  readonly rules: string;
  readonly ipsets?: string;
}

/** Who talks to whom. */
interface Flow {
  readonly in: string;
  readonly back: string;
  readonly packet: ScenarioPacket;
}

/** One packet of a flow. */
interface Move {
  readonly flow: number;
  readonly isReply: boolean;
  readonly flags: string;
}

/** Redirects are sent at a rate that hangs on the real clock. */
function quiet({ interfaces }: LikelyHost): Readonly<Record<string, number>> {
  return Object.fromEntries(['all', ...interfaces.map(one => one.name.replaceAll('.', '/'))].map(name => [`net.ipv4.conf.${name}.send_redirects`, 0]));
}

const usualPorts = [22, 53, 80, 443, 1023, 40_000];

function addressesNear({ networks }: Mentioned, family: Family): readonly string[] {
  const isV4 = family === 'ipv4';
  const near = networks.flatMap(one => [0, 1, 5].map(number => printAddress(addressIn(one, number))));
  const strange = isV4 ? ['203.0.113.77', '255.255.255.255', '224.0.0.1', '127.0.0.1', '0.0.0.0'] : ['2001:db8:dead::77', 'ff02::1', '::1', 'fe80::5'];
  return [...new Set([...near, ...strange])];
}

function transport(fc: Fc, { ports, protocols, icmpTypes }: Mentioned, family: Family): Arbitrary<ScenarioPacket> {
  const isV6 = family === 'ipv6';
  const port = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...ports.length === 0 ? usualPorts : ports.filter(one => one < 65_536)) }, { weight: 1, arbitrary: fc.constantFrom(...usualPorts) });
  const echo = isV6 ? 128 : 8;
  const others = protocols.filter(name => /^(?:sctp|gre|esp|ah|udplite|dccp|igmp|\d+)$/u.test(name)).map(name => ({ proto: /^\d/u.test(name) ? Number(name) : name }));
  return fc.oneof(
    { weight: 4, arbitrary: fc.tuple(port, port).map(([sport, dport]) => ({ proto: 'tcp', sport, dport })) },
    { weight: 3, arbitrary: fc.tuple(port, port).map(([sport, dport]) => ({ proto: 'udp', sport, dport, payload_len: 12 })) },
    { weight: 2, arbitrary: fc.constantFrom(echo, echo, ...icmpTypes).map(type => ({ proto: isV6 ? 'icmpv6' : 'icmp', type, code: 0, id: 7 })) },
    { weight: 1, arbitrary: fc.constantFrom<ScenarioPacket>({ proto: 89 }, ...others) },
  );
}

function flows(fc: Fc, mentioned: Mentioned, host: LikelyHost, family: Family): Arbitrary<Flow> {
  const names = host.interfaces.map(one => one.name);
  const near = fc.constantFrom(...addressesNear(mentioned, family), ...host.neighbours.map(one => one.address));
  const own = fc.constantFrom(...host.own);
  const neighbour = fc.constantFrom(...host.neighbours);
  const incoming = fc.tuple(fc.constantFrom(...names), fc.oneof(near, own)).chain(([name, dst]) =>
    fc.oneof(near.map(src => ({ in: name, src, dst })), neighbour.map(one => ({ in: one.behind, src: one.address, dst }))));
  // What a host sends to many it hears itself, which is not modelled.
  const one = fc.oneof(near, own).filter(address => !/^(?:2(?:2[4-9]|[3-5]\d)\.|ff|0\.)/u.test(address));
  const local = fc.tuple(own, one).map(([src, dst]) => ({ in: 'local', src, dst }));
  const uid = fc.constantFrom(undefined, undefined, ...mentioned.uids), mark = fc.constantFrom(undefined, undefined, undefined, ...mentioned.marks);
  const smac = fc.constantFrom(undefined, ...mentioned.macs);
  return fc.tuple(fc.oneof({ weight: 3, arbitrary: incoming }, { weight: 2, arbitrary: local }), transport(fc, mentioned, family), uid, mark, smac, fc.constantFrom(...names), fc.constantFrom(undefined, undefined, undefined, 1, 255))
    .map(([{ in: from, src, dst }, packet, user, value, mac, back, ttl]) => ({
      in: from, back: from === 'local' ? back : host.own.includes(dst) ? 'local' : back,
      packet: { ...packet, src, dst, ...ttl !== undefined && { ttl }, ...from === 'local' ? { ...user !== undefined && { uid: user }, ...value !== undefined && { mark: value } } : mac !== undefined && { smac: mac } },
    }));
}

/** The other way round, as who got it would answer. */
function answerTo({ proto, src = '', dst = '', sport, dport, type, id }: ScenarioPacket, flags: string): ScenarioPacket {
  const reply = type === 8 ? 0 : type === 128 ? 129 : undefined;
  const ends = { proto, src: dst, dst: src, ...dport !== undefined && { sport: dport }, ...sport !== undefined && { dport: sport } };
  if (proto === 'tcp') return { ...ends, flags, seq: 5000, ack: 1001 };
  return reply === undefined ? ends : { ...ends, type: reply, code: 0, ...id !== undefined && { id } };
}

function moves(fc: Fc, flowCount: number): Arbitrary<Move> {
  return fc.record({ flow: fc.nat(flowCount - 1), isReply: fc.boolean(), flags: fc.constantFrom('S', 'S', 'S', 'A', 'SA', 'FA', 'R', 'none', 'SF', 'FPU') });
}

/** Answers go to what the packet looked like where it arrived. */
function stepsOf(host: Host, family: Family, list: readonly Flow[], script: readonly Move[]): readonly ScenarioStep[] {
  const seen = new Map<number, ScenarioPacket>();
  return script.flatMap(({ flow: number, isReply, flags }): readonly ScenarioStep[] => {
    const flow = list[number];
    if (flow === undefined) return [];
    const arrived = seen.get(number);
    const isAnswer = isReply && arrived !== undefined;
    const packet = isAnswer ? answerTo(arrived, 'SA') : flow.packet.proto === 'tcp' ? { ...flow.packet, flags } : flow.packet;
    const step: ScenarioStep = { in: isAnswer ? flow.back : flow.in, packet };
    const journey = host.travel(step).at(-1);
    if (!isAnswer && journey?.fate !== undefined && ['delivered', 'forwarded', 'sent'].includes(journey.fate.kind)) seen.set(number, describePacket(journey.packet.bytes, family));
    return [step];
  });
}

export function scenariosNear(fc: Fc, { family, backend, rules, ipsets }: GivenRules, maxLength = 8): Arbitrary<Scenario> {
  const mentioned = mentionedIn(rules, family);
  const host = likelyHost(mentioned, family);
  const setup = { interfaces: host.interfaces, routes: host.routes, ...family === 'ipv4' && { sysctls: quiet(host) }, ...ipsets !== undefined && { ipsets } };
  const base = { family, backend, ...setup, rules };
  const scenario = (list: readonly Flow[], script: readonly Move[]): Scenario =>
    ({ ...base, steps: stepsOf(createHost(rulesetFor({ ...base, steps: [] }, []), setup), family, list, script) });
  return fc.array(flows(fc, mentioned, host, family), { minLength: 1, maxLength: 4 })
    .chain(list => fc.array(moves(fc, list.length), { minLength: 1, maxLength }).map(script => scenario(list, script)));
}
