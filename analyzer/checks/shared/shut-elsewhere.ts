/** Where policies of other tables let no connection through this host, whatever table filter accepts. */
import type { Decider, PacketSample, RuleAt } from '../../packet-space/answers.js';
import { ask } from '../../packet-space/index.js';
import { all } from '../../packet/constraint.js';
import type { CheckContext } from '../define-check.js';
import { isPolicy } from './deciders.js';
import { notLoopback, statesOf } from './replies.js';

type Policy = Exclude<Decider, RuleAt>;

/** The policies at which all that is to be forwarded ends, and a rule of filter that lets some of it through. */
export interface ShutElsewhere {
  readonly by: readonly [Policy, ...Policy[]];
  readonly accepting: RuleAt;
  readonly witness: PacketSample;
}

const onTheWay: ReadonlySet<string | undefined> = new Set(['PREROUTING', 'FORWARD', 'POSTROUTING']);

/** The base chains of other tables than filter, on the way through this host, that let nothing pass, whatever the tables before make of it. */
function* shutting(cx: CheckContext): Generator<Policy, void> {
  for (const table of cx.ruleset.tables.values()) for (const { name, hook, policy } of table.chains.values()) {
    if (table.name === 'filter' || policy !== 'DROP' || hook === undefined || !onTheWay.has(hook)) continue;
    if (ask(cx.space(), table, hook, notLoopback, ['accept', 'nat', 'queue', 'unknown']).kind === 'no') yield { table: table.name, chain: name, policy };
  }
}

/** Undefined where something gets through, or nobody means to let anything through. */
export function shutElsewhere(cx: CheckContext): ShutElsewhere | undefined {
  const filter = cx.ruleset.tables.get('filter');
  const [first, ...others] = filter === undefined ? [] : shutting(cx);
  if (filter === undefined || first === undefined) return undefined;
  const accepted = ask(cx.space(), filter, 'FORWARD', all([statesOf(cx.ruleset).first, notLoopback]), ['accept']);
  return accepted.kind !== 'yes' || isPolicy(accepted.by) ? undefined : { by: [first, ...others], accepting: accepted.by, witness: accepted.witness };
}
