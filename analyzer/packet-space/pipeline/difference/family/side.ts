/** One family's rules, made ready for questions about packets with which connections begin. */
import type { Ruleset } from '../../../../model/ruleset.js';
import { all, always, ctstates, is, masked, within, type Constraint } from '../../../../packet/constraint.js';
import { localPorts } from '../../../../packet/local-ports.js';
import { protocolNumber } from '../../../../packet/protocols.js';
import { fateGoal } from '../../goals.js';
import { partsOf } from '../../parts.js';
import type { Pipeline } from '../../passes.js';
import { solve, solveBudget, type SolveBudget, type Solved } from '../../solve.js';
import type { Path } from '../../stages.js';
import { routedTo } from './strangers.js';

export interface Side {
  readonly ruleset: Ruleset;
  readonly pipeline: Pipeline;
  readonly strangers: Constraint;
}

/** How the packets look that a service is asked for by: `wide` is a run of its ports, or empty. */
export type Service =
  | { readonly kind: 'tcp' | 'udp'; readonly low: number; readonly high: number }
  | { readonly kind: 'ping' }
  | { readonly kind: 'other'; readonly protocol: number };

const SYN = 2;
const allFlags = 63;
/** Client ports that operating systems choose by themselves. */
const everyday = within('sport', localPorts.low, localPorts.high);
const whole = is('fragment', 0);

/** What every question says of packets, whatever the service: the pipeline must tell it apart. */
export function askedOf(family: Ruleset['family']): readonly Constraint[] {
  return [everyday, masked('tcpFlags', SYN, allFlags), whole, routedTo(family), serviceIn(family, { kind: 'ping' })];
}

export function serviceIn(family: Ruleset['family'], service: Service): Constraint {
  switch (service.kind) {
    case 'tcp': return all([is('protocol', protocolNumber.tcp), masked('tcpFlags', SYN, allFlags), within('dport', service.low, service.high), everyday, whole]);
    case 'udp': return all([is('protocol', protocolNumber.udp), within('dport', service.low, service.high), everyday, whole]);
    case 'ping': return family === 'ipv4'
      ? all([is('protocol', protocolNumber.icmp), is('icmpType', 8), is('icmpCode', 0), whole])
      : all([is('protocol', protocolNumber.icmpv6), is('icmpType', 128), is('icmpCode', 0), whole]);
    case 'other': return all([is('protocol', service.protocol), whole]);
  }
}

export interface Asked {
  readonly path: Path;
  readonly service: Service;
  /** By these interfaces; anywhere where it is absent. */
  readonly by?: Constraint;
  /** From strangers only. */
  readonly fromStrangers: boolean;
}

/** The packets that are asked about. */
export function packetsOf({ ruleset: { family }, strangers }: Side, { service, by = always, fromStrangers }: Asked): Constraint {
  return all([is('ctstate', ctstates.NEW), serviceIn(family, service), routedTo(family), by, ...fromStrangers ? [strangers] : []]);
}

/** What one question may cost: packets. */
const share = 2000;

/** Whether the first packet of some such connection gets through, or is lost. */
export function askSide(side: Side, asked: Asked, fate: 'accept' | 'drop', budget: SolveBudget): Solved {
  const { pipeline } = side;
  const parts = partsOf(pipeline, asked.path, packetsOf(side, asked)).filter(({ hi }) => hi[pipeline.natInput] === 0 && hi[pipeline.rawInput] === 0);
  const own = solveBudget(Math.min(share, budget.packets), budget.work);
  const [packets, work] = [own.packets, own.work];
  const solved = solve(pipeline, fateGoal(asked.path, fate), parts, own);
  budget.packets -= packets - own.packets;
  budget.work -= work - own.work;
  return solved;
}
