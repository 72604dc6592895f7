/** What REJECT sends, on its way out. */
import type { Hook } from '../../extensions/define.js';
import type { Rule, Ruleset, Table } from '../../model/ruleset.js';
import type { Decider, PacketSample, RuleAt } from '../../packet-space/answers.js';
import { reachWith } from '../../packet-space/index.js';
import { question, type Pipeline } from '../../packet-space/pipeline/index.js';
import { all, ctstates, is, masked, oneOf, type Constraint } from '../../packet/constraint.js';
import { protocolNumber } from '../../packet/protocols.js';
import type { CheckContext } from '../define-check.js';
import { hasNotrack, notLoopback } from './replies.js';
import { effectOf } from './targets.js';

const RST = 4;

/** Resets, or ICMP errors, RELATED to the connection that they refuse; where that is not tracked, nobody knows it. */
function answersOf(ruleset: Ruleset, isReset: boolean): Constraint {
  const states = hasNotrack(ruleset) ? [ctstates.RELATED, ctstates.INVALID, ctstates.UNTRACKED] : [ctstates.RELATED];
  const [icmp, unreachable] = ruleset.family === 'ipv4' ? [protocolNumber.icmp, 3] : [protocolNumber.icmpv6, 1];
  const answer = isReset ? all([is('protocol', protocolNumber.tcp), masked('tcpFlags', RST, RST)]) : all([is('protocol', icmp), is('icmpType', unreachable)]);
  return all([answer, oneOf('ctstate', states), is('fragment', 0), notLoopback]);
}

/** The answers that there are, as constraints. */
export function rejections(ruleset: Ruleset): readonly Constraint[] {
  return [true, false].map(isReset => answersOf(ruleset, isReset));
}

function isReset({ target }: Rule): boolean {
  return target.kind === 'extension' && target.use.given['type']?.value === 'tcp-reset';
}

/** A rule that rejects new packets from elsewhere. */
function rejecting(cx: CheckContext, table: Table, withReset: boolean): { readonly at: RuleAt; readonly hook: Hook; readonly packet: PacketSample } | undefined {
  const from = all([is('ctstate', ctstates.NEW), notLoopback]);
  for (const at of cx.rules(table)) if (effectOf(at.rule) === 'reject' && isReset(at.rule) === withReset) for (const hook of ['INPUT', 'FORWARD'] as const) {
    const answer = reachWith(cx.space(), table, at, from, hook);
    if (answer.kind === 'live') return { at, hook, packet: answer.witness };
  }
  return undefined;
}

export interface LostRejections {
  readonly name: string;
  readonly at: RuleAt;
  readonly hook: Hook;
  /** One that is rejected. */
  readonly packet: PacketSample;
  readonly by: readonly Decider[];
}

/** Of the answers of rules that reject, in INPUT and FORWARD, those that never get out. */
export function lostRejections(cx: CheckContext, pipeline: Pipeline): readonly LostRejections[] {
  const table = cx.ruleset.tables.get('filter');
  return [true, false].flatMap(withReset => {
    const found = table === undefined ? undefined : rejecting(cx, table, withReset);
    const answer = found === undefined ? undefined : question(pipeline, 'out', answersOf(cx.ruleset, withReset), 'accept');
    if (answer?.kind === 'undecided') cx.undecided();
    return found === undefined || answer?.kind !== 'no' ? [] : [{ ...found, name: withReset ? 'TCP resets of REJECT' : 'ICMP errors of REJECT', by: answer.by }];
  });
}
