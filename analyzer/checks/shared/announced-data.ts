/** A conversation in which a helper hears of a connection, up to the first packet of that. */
import type { Decider, PacketSample } from '../../packet-space/answers.js';
import { firstPacket, replies, type Path, type Pipeline } from '../../packet-space/pipeline/index.js';
import { all, ctstates, is, masked, within, type Constraint } from '../../packet/constraint.js';
import { localPorts } from '../../packet/local-ports.js';
import { protocolNumber } from '../../packet/protocols.js';
import type { Illustration, ProposedStep, Shown } from '../../witness/proposal.js';
import type { Attached } from './connection-helpers.js';
import { exchanges, notLoopback, stepOf } from './replies.js';

/** The port that the server names for the data. */
const dataPort = 50_000;

const greeting = '220 ready\r\n';
const announcement = `229 Entering Extended Passive Mode (|||${String(dataPort)}|)\r\n`;

/** Where the two sides begin to count bytes. */
const [asked, answered] = [1000, 5000];

/**
 * A client of FTP connects, the server greets him and names a port (RFC 2428), and the client's connection to it is lost in table filter: the
 * helper reads only lines that it has seen the beginning of (nf_conntrack_ftp.c). Undefined for other helpers, and where another table loses it.
 */
export function announcedData(pipeline: Pipeline, { at, helper }: Attached, path: Path, by: readonly Decider[]): Illustration | undefined {
  if (!/^ftp(?:-\d+)?$/u.test(helper) || by.some(({ table }) => table !== 'filter')) return undefined;
  const first = exchanges(pipeline.chains.ruleset)[0]?.first ?? is('protocol', protocolNumber.tcp);
  const control = replies(pipeline, at.rule, { path, packets: all([first, notLoopback]) });
  if (control.kind !== 'always' && control.kind !== 'sometimes') return undefined;
  const { sample } = firstPacket(pipeline, control.passes);
  const steps = talk(path, sample, 'RELATED');
  return { steps, shows: showing(path, steps, { fate: 'lost' }) };
}

/** What the last of the packets shows. */
function showing(path: Path, steps: readonly ProposedStep[], last: Shown): readonly Shown[] {
  return steps.map(({ in: from }, index) => ({ at: `filter:${from === 'local' ? 'OUTPUT' : path === 'through' ? 'FORWARD' : 'INPUT'}`, ...index < steps.length - 1 ? {} : last }));
}

/** The same talk where nobody reads along: the connection is NEW. `asked`: what is asked of addresses and interfaces; `last`: what its first packet shows. */
export function unannouncedData(pipeline: Pipeline, path: Path, asked: readonly Constraint[], last: Shown): Illustration | undefined {
  const first = exchanges(pipeline.chains.ruleset)[0]?.first ?? is('protocol', protocolNumber.tcp);
  const packets = all([first, is('dport', 21), notLoopback, ...asked]);
  const control = replies(pipeline, undefined, { path, packets });
  if (control.kind !== 'always' && control.kind !== 'sometimes') return undefined;
  const { sample } = firstPacket(pipeline, control.passes, packets);
  if (sample.dport !== 21) return undefined;
  const steps = talk(path, sample, 'NEW');
  return { steps, shows: showing(path, steps, last) };
}

/** A packet of the data, as `talk` has it. */
export const ftpData: Constraint = all([is('protocol', protocolNumber.tcp), masked('tcpFlags', 2, 63), is('dport', dataPort), within('sport', localPorts.low, localPorts.high), is('ctstate', ctstates.RELATED)]);

function worded(step: ProposedStep, words: ProposedStep['packet']): ProposedStep {
  return { ...step, packet: { ...step.packet, ...words } };
}

function talk(path: Path, sample: PacketSample, state: 'NEW' | 'RELATED'): readonly ProposedStep[] {
  const { in: from = 'eth0', out: to = path === 'through' ? 'eth1' : 'eth0', src, dst, sport = 40_000, dport = 21 } = sample;
  const [client, server] = [path === 'out' ? 'local' : from, path === 'in' ? 'local' : to];
  const ends = (one: string | undefined, other: string | undefined): PacketSample => ({ ...one === undefined ? {} : { src: one }, ...other === undefined ? {} : { dst: other } });
  const back: PacketSample = { protocol: protocolNumber.tcp, ...ends(dst, src), sport: dport, dport: sport, ...path === 'through' ? { out: from } : {} };
  const says = (seq: number, words: ProposedStep['packet']): ProposedStep => worded(stepOf(back, server), { seq, ack: asked + 1, ...words });
  const start: PacketSample = { ...sample, sport, dport };
  return [
    worded(stepOf(start, client), { flags: 'S', seq: asked }),
    says(answered, { flags: 'SA' }),
    worded(stepOf({ ...start, ctstate: 'ESTABLISHED', tcpFlags: 16 }, client), { flags: 'A', seq: asked + 1, ack: answered + 1 }),
    says(answered + 1, { flags: 'PA', payload: greeting }),
    says(answered + 1 + greeting.length, { flags: 'PA', payload: announcement }),
    stepOf({ ...start, ctstate: state, tcpFlags: 2, sport: sport + 1, dport: dataPort }, client),
  ];
}
