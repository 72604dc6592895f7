/** Connections to the internet, of people behind this host or its own, of which none is answered, whatever answers there are elsewhere. */
import type { Decider } from '../../packet-space/answers.js';
import { deciderOf, neverReplied, type ConversationCase, type Pipeline } from '../../packet-space/pipeline/index.js';
import { addressConstraint } from '../../packet-space/rule-constraint.js';
import { all, always, any, ctstates, is, not, type Constraint } from '../../packet/constraint.js';
import { privateRanges } from '../../packet/address-blocks.js';
import { parseAddressMask } from '../../values/address-mask.js';
import { Problem, type Family } from '../../values/value.js';
import type { CheckContext } from '../define-check.js';
import { fromOutside, isNamed, namedInterfaces } from './outside.js';
import { everydayClient, type Exchange } from './replies.js';

/** Servers that everybody knows, far from each other and from all that lists of odd addresses name: what holds for each of them holds for the internet. */
const wellKnown: Readonly<Record<Family, readonly string[]>> = { ipv4: ['1.1.1.1', '8.8.8.8', '193.0.6.139'], ipv6: ['2606:4700:4700::1111', '2001:4860:4860::8888', '2001:67c:2e8:22::c100:68b'] };

/** Goes to one of these servers, or comes from there. */
export function wellKnownServer(field: 'src' | 'dst', family: Family): Constraint {
  return any(wellKnown[family].flatMap(words => {
    const parsed = parseAddressMask(words, family);
    return parsed instanceof Problem ? [] : [addressConstraint(field, parsed, family)];
  }));
}

/** To where people go: a page. Behind this host, from a private address. */
function asPeopleAsk(family: Family, path: OutwardPath): Constraint {
  return path === 'out' ? is('dport', 443) : all([is('dport', 443), { kind: 'within', field: 'src', ranges: privateRanges[family] }]);
}

/** Of people behind this host, or its own. */
type OutwardPath = 'through' | 'out';

/** Bounds that the questions need. */
export function askedOutside(family: Family): readonly Constraint[] {
  return [wellKnownServer('dst', family), asPeopleAsk(family, 'through')];
}

/** Such connections, by one interface. */
export interface UnansweredOutside {
  readonly exchange: Exchange;
  /** Undefined where rules name no interface by which they would go. */
  readonly device: string | undefined;
  /** What lets them out, of FORWARD or OUTPUT. */
  readonly by: Decider;
  readonly dies: ConversationCase;
  readonly killers: readonly Decider[];
  /** Some on the internet may answer, if not these servers: they are on a list, as partners are. */
  readonly mayBeListed: boolean;
  /** Somebody answers, but only from private networks: maybe there is nobody else to be asked. */
  readonly isInner: boolean;
}

/** Whether some server answers by an interface that rules name. */
function isAnsweredBy({ ruleset, ruleset: { family } }: CheckContext, pipeline: Pipeline, { first, reply }: Exchange): boolean {
  const line = any(namedInterfaces(ruleset).map(({ name, prefix }): Constraint => ({ kind: 'interface', field: 'out', name, prefix })));
  return neverReplied(pipeline, undefined, { path: 'out', packets: all([first, everydayClient.first, line, wellKnownServer('dst', family), is('ctstate', ctstates.NEW)]), answers: reply }) === undefined;
}

/** The first of some exchanges of which no answer comes back by an interface to the internet; by one that no rule names only to this host itself. */
export function unansweredOutside(cx: CheckContext, pipeline: Pipeline, exchanges: readonly Exchange[], path: OutwardPath): UnansweredOutside | undefined {
  const { ruleset, ruleset: { family } } = cx;
  const outside = fromOutside(cx, 'out');
  for (const line of outside.kind === 'any' ? outside.of : [outside]) {
    const isKnown = line.kind === 'interface' && !line.prefix && isNamed(ruleset, line.name);
    if (line.kind !== 'interface' || (path === 'through' && !isKnown)) continue;
    for (const exchange of exchanges) {
      const packets = all([exchange.first, everydayClient.first, line, ...path === 'through' ? [not({ ...line, field: 'in' })] : [], is('ctstate', ctstates.NEW)]);
      const ask = (some: Constraint): ReturnType<typeof neverReplied> => neverReplied(pipeline, undefined, { path, packets: all([packets, some]), answers: all([exchange.reply, { ...line, field: 'in' }]) });
      const answer = ask(wellKnownServer('dst', family));
      if (answer?.kind === 'undecided') cx.undecided();
      // Of those, one as people have them.
      const everyday = answer?.kind === 'never' ? ask(all([wellKnownServer('dst', family), asPeopleAsk(family, path)])) : undefined;
      const dies = everyday?.kind === 'never' ? everyday.dies : answer?.kind === 'never' ? answer.dies : undefined;
      const stage = dies?.trip.run.stages.find(one => one.stage.table === 'filter' && one.stage.hook === (path === 'out' ? 'OUTPUT' : 'FORWARD'));
      const by = stage === undefined ? undefined : deciderOf(pipeline, stage);
      if (answer?.kind !== 'never' || dies === undefined || by === undefined) continue;
      // That there is another interface than those that rules name is a last word.
      if (!isKnown && namedInterfaces(ruleset).length > 0 && isAnsweredBy(cx, pipeline, exchange)) continue;
      const mayBeListed = ask(always)?.kind !== 'never';
      return { exchange, device: isKnown ? line.name : undefined, by, dies, killers: answer.by, mayBeListed, isInner: mayBeListed && ask(not({ kind: 'within', field: 'dst', ranges: privateRanges[family] }))?.kind === 'never' };
    }
  }
  return undefined;
}
