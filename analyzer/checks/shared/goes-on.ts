/** Rules that let TCP connections begin of which nothing more gets in: the answer passes, and what the client sends next is dropped. */
import type { Hook } from '../../extensions/define.js';
import type { Rule, Table } from '../../model/ruleset.js';
import type { Decider, RuleAt } from '../../packet-space/answers.js';
import { ask, askLike } from '../../packet-space/index.js';
import { reachThrough, type Path, type Sighting } from '../../packet-space/pipeline/index.js';
import { Patience } from '../../packet-space/patience.js';
import { solveBudget } from '../../packet-space/pipeline/solve.js';
import { all, always, ctstates, is, masked, type Constraint } from '../../packet/constraint.js';
import { protocolNumber } from '../../packet/protocols.js';
import type { CheckContext } from '../define-check.js';
import { everydayClient, notLoopback } from './replies.js';
import { effectOf } from './targets.js';

const SYN = 2;
const ACK = 16;
const ways: readonly (readonly [Hook, Path])[] = [['INPUT', 'in'], ['FORWARD', 'through'], ['OUTPUT', 'out']];

function tcp(flags: number): Constraint {
  return all([is('protocol', protocolNumber.tcp), masked('tcpFlags', flags, 63), is('fragment', 0)]);
}

/** What the client sends once he has an answer, and ever after. */
export const goingOn = all([tcp(ACK), is('ctstate', ctstates.ESTABLISHED)]);

/** A rule that lets connections begin, and who drops what comes next. */
export interface Stuck {
  readonly at: RuleAt;
  readonly hook: Hook;
  readonly path: Path;
  /** A connection that it lets begin. */
  readonly begins: Sighting;
  readonly by: readonly Decider[];
  /** Only everyday clients are stuck: who sends from some lower port gets on, by rules that are for something else. */
  readonly everyday: boolean;
}

/** Rules that are asked about, of one hook; what is more is left open. */
const questionLimit = 10_000;
const losing = ['drop', 'reject', 'queue', 'unknown'] as const;
const passing = ['accept', 'queue', 'nat', 'unknown'] as const;

/** Whatever else a rule asks of the first packet holds of all packets of the connection. */
const ownOfFirst = ['ctstate', 'tcpFlags', 'length', 'mark', 'connmark'] as const;

/** All such rules of table filter, hook after hook. `isTold`: something worse is known of the rule. */
export function* stuck(cx: CheckContext, table: Table, isTold: (rule: Rule) => boolean): Generator<Stuck, void> {
  const patience = new Patience();
  for (const [hook, path] of ways) {
    if (ask(cx.space(), table, hook, all([goingOn, notLoopback]), losing).kind === 'no') continue;
    const clients = [always, everydayClient.first].map(client => ({ client, next: askLike(cx.space(), table, hook, { packets: all([goingOn, notLoopback, client]), but: ownOfFirst, fates: passing }) }));
    let left = questionLimit;
    for (const at of cx.rules(table)) {
      if (effectOf(at.rule) !== 'accept' || isTold(at.rule)) continue;
      const reached = cx.reach(table).get(at.rule);
      if (reached?.kind !== 'live' || reached.hook !== hook) continue;
      if (left-- === 0) {
        cx.undecided();
        break;
      }
      for (const { client, next } of clients) {
        const lost = next(at);
        if (lost.kind !== 'no' || lost.by.length === 0) continue;
        const pipeline = cx.pipeline();
        if (pipeline === undefined) return;
        const begins = patience.ask(solveBudget(), budget => reachThrough(pipeline, at.rule, { packets: all([tcp(SYN), notLoopback, client]), path, first: true, passes: true, budget }));
        if (begins.kind === 'undecided') cx.undecided();
        if (begins.kind === 'live') yield { at, hook, path, begins: begins.found, by: lost.by, everyday: client !== always };
        break;
      }
    }
  }
}
