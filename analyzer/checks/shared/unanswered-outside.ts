/** Connections of people behind this host to the internet of which none is answered, whatever answers there are elsewhere. */
import type { Decider, RuleAt } from '../../packet-space/answers.js';
import { deciderOf, neverReplied, type ConversationCase, type Pipeline } from '../../packet-space/pipeline/index.js';
import { addressConstraint } from '../../packet-space/rule-constraint.js';
import { all, always, any, ctstates, is, not, type Constraint } from '../../packet/constraint.js';
import { privateRanges } from '../../packet/address-blocks.js';
import { parseAddressMask } from '../../values/address-mask.js';
import { Problem, type Family } from '../../values/value.js';
import type { CheckContext } from '../define-check.js';
import { isPolicy } from './deciders.js';
import { fromOutside, isNamed } from './outside.js';
import { everydayClient, type Exchange } from './replies.js';

/** Servers that everybody knows, far from each other and from all that lists of odd addresses name: what holds for each of them holds for the internet. */
const wellKnown: Readonly<Record<Family, readonly string[]>> = { ipv4: ['1.1.1.1', '8.8.8.8', '193.0.6.139'], ipv6: ['2606:4700:4700::1111', '2001:4860:4860::8888', '2001:67c:2e8:22::c100:68b'] };

/** Goes to one of these servers. */
function toWellKnown(family: Family): Constraint {
  return any(wellKnown[family].flatMap(words => {
    const parsed = parseAddressMask(words, family);
    return parsed instanceof Problem ? [] : [addressConstraint('dst', parsed, family)];
  }));
}

/** From a private address, to where people go: a page. */
function asPeopleAsk(family: Family): Constraint {
  return all([is('dport', 443), { kind: 'within', field: 'src', ranges: privateRanges[family] }]);
}

/** Bounds that the questions need. */
export function askedOutside(family: Family): readonly Constraint[] {
  return [toWellKnown(family), asPeopleAsk(family)];
}

/** Such connections, by one interface. */
export interface UnansweredOutside {
  readonly exchange: Exchange;
  readonly device: string;
  /** The rule of FORWARD that lets them out. */
  readonly at: RuleAt;
  readonly dies: ConversationCase;
  readonly killers: readonly Decider[];
  /** Some on the internet may answer, if not these servers: they are on a list, as partners are. */
  readonly mayBeListed: boolean;
}

/** The first of some exchanges of which no answer comes back by an interface to the internet that rules name. */
export function unansweredOutside(cx: CheckContext, pipeline: Pipeline, exchanges: readonly Exchange[]): UnansweredOutside | undefined {
  const outside = fromOutside(cx, 'out');
  for (const line of outside.kind === 'any' ? outside.of : [outside]) {
    if (line.kind !== 'interface' || line.prefix || !isNamed(cx.ruleset, line.name)) continue;
    for (const exchange of exchanges) {
      const packets = all([exchange.first, everydayClient.first, line, not({ ...line, field: 'in' }), is('ctstate', ctstates.NEW)]);
      const ask = (some: Constraint): ReturnType<typeof neverReplied> => neverReplied(pipeline, undefined, { path: 'through', packets: all([packets, some]), answers: all([exchange.reply, { ...line, field: 'in' }]) });
      const answer = ask(toWellKnown(cx.ruleset.family));
      if (answer?.kind === 'undecided') cx.undecided();
      // Of those, one as people have them.
      const everyday = answer?.kind === 'never' ? ask(all([toWellKnown(cx.ruleset.family), asPeopleAsk(cx.ruleset.family)])) : undefined;
      const dies = everyday?.kind === 'never' ? everyday.dies : answer?.kind === 'never' ? answer.dies : undefined;
      const stage = dies?.trip.run.stages.find(one => one.stage.table === 'filter' && one.stage.hook === 'FORWARD');
      const at = stage === undefined ? undefined : deciderOf(pipeline, stage);
      if (answer?.kind === 'never' && dies !== undefined && at !== undefined && !isPolicy(at)) {
        return { exchange, device: line.name, at, dies, killers: answer.by, mayBeListed: ask(always)?.kind !== 'never' };
      }
    }
  }
  return undefined;
}
