/** From a sample of packets to the step of a scenario. */
import type { PacketSample } from '../packet-space/answers.js';
import { protocolNumber } from '../packet/protocols.js';
import { printFlags } from '../values/tcp-flags.js';
import type { Family } from '../values/value.js';
import type { ProposedStep } from './proposal.js';

const protocolNames: ReadonlyMap<number, string> = new Map(Object.entries(protocolNumber).map(([name, number]) => [number, name]));

type PacketWords = Record<string, string | number | boolean>;

/** A sample as a step of a scenario. `from` is where it comes from: an interface, or `local`. */
export function stepOf(sample: PacketSample, from: string): ProposedStep {
  const protocol = sample.protocol ?? protocolNumber.tcp;
  const isTcp = protocol === protocolNumber.tcp;
  const { src, dst, sport, dport, icmpType, icmpCode, mark, fragment } = sample;
  const uid = from === 'local' ? accountOf(sample, 'uid') : undefined;
  const gid = from === 'local' ? accountOf(sample, 'gid') : undefined;
  const words = {
    proto: protocolNames.get(protocol) ?? protocol, src, dst, sport, dport,
    flags: isTcp ? flagsOf(sample) : undefined,
    type: icmpType, code: icmpCode,
    mark: from === 'local' && mark !== 0 ? mark : undefined, uid, gid,
    frag_off: fragment === true ? laterFragment : undefined,
  };
  return { in: from, packet: defined(words), sample };
}

/** Where a later fragment of an Ethernet frame begins, in units of 8 bytes. */
const laterFragment = 185;

function defined(words: Readonly<Record<string, string | number | boolean | undefined>>): PacketWords {
  return Object.fromEntries(Object.entries(words).filter((one): one is [string, string | number | boolean] => one[1] !== undefined));
}

/** In the midst of a connection an ACK, where nothing else is said; else what a scenario takes it to be, the first packet. */
function flagsOf({ tcpFlags, ctstate }: PacketSample): string | undefined {
  if (tcpFlags !== undefined) return flagLetters(tcpFlags);
  return ctstate === 'ESTABLISHED' ? 'A' : undefined;
}

function flagLetters(bits: number): string {
  return bits === 0 ? 'none' : printFlags(bits).split(',').map(name => name.charAt(0)).join('').replace('AS', 'SA');
}

/** The first account of a range that must hold: `owner uid 1000-1999`. */
function accountOf({ atoms = {} }: PacketSample, kind: 'uid' | 'gid'): number | undefined {
  for (const [name, holds] of Object.entries(atoms)) {
    const range = new RegExp(`^owner (?:any )?${kind} (\\d+)-`, 'u').exec(name);
    if (holds && range !== null) return Number(range[1]);
  }
  return undefined;
}

const withPorts: ReadonlySet<string | number | boolean | undefined> = new Set(['tcp', 'udp', 'udplite', 'sctp', 'dccp']);
const peers = { ipv4: { client: '198.51.100.7', host: '192.0.2.1' }, ipv6: { client: '2001:db8:1::7', host: '2001:db8::1' } };

/** What a witness leaves open, filled in: as in the first step, which a later one may answer, else as a person would. */
export function completed(steps: readonly ProposedStep[], family: Family): ProposedStep[] {
  const done: ProposedStep[] = [];
  for (const step of steps) done.push(completedStep(step, done[step.answers ?? 0], family));
  return done;
}

/** What comes in by lo was sent by the host: so it is said, for what arrives at lo from nowhere has a source that no packet has. */
function bySender(step: ProposedStep): ProposedStep {
  return step.in === 'lo' ? { ...step, in: 'local', sample: { ...step.sample, out: 'lo' } } : step;
}

function completedStep(given: ProposedStep, before: ProposedStep | undefined, family: Family): ProposedStep {
  const step = bySender(given);
  const { proto, src, dst, sport, dport, ...rest } = step.packet;
  const { client, host } = peers[family];
  const isLocal = step.in === 'local';
  const asked = before?.packet;
  const isAnswer = asked !== undefined && (step.answers !== undefined || before?.in !== step.in) && asked['proto'] === proto;
  const [mine, theirs] = isLocal ? [host, client] : [client, host];
  // Nobody sends to himself.
  const usual = { src: dst === mine ? theirs : mine, dst: src === theirs ? mine : theirs, sport: 40_000, dport: proto === 'udp' ? 53 : 22 };
  const model = isAnswer ? { src: asked['dst'], dst: asked['src'], sport: asked['dport'], dport: asked['sport'] } : usual;
  const ports = withPorts.has(proto) ? { sport: sport ?? model.sport, dport: dport ?? model.dport } : { sport, dport };
  return { ...step, packet: defined({ proto, src: src ?? model.src, dst: dst ?? model.dst, ...ports, ...rest }) };
}

/** Bytes of the headers in front of the payload, as `-m length` counts them. */
function headerLength(proto: PacketWords[string] | undefined, family: Family): number | undefined {
  const transport = { tcp: 20, udp: 8, icmp: 8, icmpv6: 8, udplite: 8 }[String(proto)];
  return transport === undefined ? undefined : transport + (family === 'ipv4' ? 20 : 40);
}

/** TTL and length as the sample has them at its hook; `isForwarded`: the kernel has taken one from the TTL by then. Undefined where no packet is so short. */
export function sized(step: ProposedStep, family: Family, isForwarded: boolean): ProposedStep | undefined {
  const { ttl, length } = step.sample ?? {};
  const payload = length === undefined ? 0 : length - (headerLength(step.packet['proto'], family) ?? Infinity);
  if (payload < 0) return undefined;
  return {
    ...step,
    packet: { ...step.packet, ...ttl === undefined ? {} : { ttl: isForwarded ? Math.min(255, ttl + 1) : ttl }, ...payload > 0 ? { payload_len: payload } : {} },
  };
}
