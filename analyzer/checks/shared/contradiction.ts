/** Why a rule matches nothing: which of its criteria exclude each other, or its place. */
import { printBody } from '../../model/print.js';
import type { Rule, RuleBody, Ruleset, Table } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { all, ctstates, is, mentions, type Field } from '../../packet/constraint.js';
import { isNothing } from '../../packet-space/packets.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import { hooksInto } from './hooks-into.js';

export interface Contradiction {
  readonly text: string;
  readonly help: string;
}

const asksNothing: RuleBody = {
  source: undefined, destination: undefined, inInterface: undefined, outInterface: undefined, protocol: undefined, fragment: undefined, matches: [], target: { kind: 'none' },
};

/** A criterion of a rule: the rule with nothing else in it, and its words. */
interface Criterion {
  readonly body: Partial<RuleBody>;
  readonly text: string;
}

function criteriaOf(rule: Rule, place: Parameters<typeof printBody>[1]): readonly Criterion[] {
  const { source, destination, inInterface, outInterface, protocol, fragment, matches } = rule;
  const own: Partial<RuleBody>[] = [{ source }, { destination }, { inInterface }, { outInterface }, { protocol }, { fragment }].filter(one => Object.values(one).some(value => value !== undefined));
  const text = (body: Partial<RuleBody>): string => printBody({ ...asksNothing, ...body }, place);
  const loaded = text({ protocol });
  return [
    ...own.map(body => ({ body, text: text(body).trim() })),
    // What a match means may hang on the protocol, which is no part of its words.
    ...matches.map(use => ({ body: { protocol, matches: [use] }, text: text({ protocol, matches: [use] }).slice(loaded.length).trim() })),
  ];
}

/** Some criteria, the fewest that exclude each other; undefined where all of them together do not. */
function fewest(ruleset: Ruleset, table: Table, rule: Rule): readonly Criterion[] | undefined {
  const constraints = constraintsOf(ruleset, table.name);
  const criteria = criteriaOf(rule, { table: table.name, family: ruleset.family, backend: ruleset.backend });
  const excludes = (some: readonly Criterion[]): boolean => {
    const matches = some.flatMap(one => one.body.matches ?? []);
    return isNothing(ruleset.family, constraints.of(some.reduce<Rule>((body, one) => ({ ...body, ...one.body, matches }), { ...rule, ...asksNothing })));
  };
  if (!excludes(criteria)) return undefined;
  let some = criteria;
  for (const one of criteria) {
    const without = some.filter(other => other !== one);
    if (excludes(without)) some = without;
  }
  return some;
}

/** The negation of a full range, or of all interfaces, is loaded and not printed. */
function isWritten(text: string): boolean {
  return text !== '' && !/^-m \S+$/u.test(text);
}

/** What states hang on, and how it is called. */
const tracked = [['tcpFlags', 'a TCP packet with such flags'], ['icmpType', 'an ICMP message of such a type']] as const satisfies readonly (readonly [Field, string])[];

/** That connection tracking never puts packets into the states that criteria ask for; '' where that is not it. */
function whyOfState(ruleset: Ruleset, table: Table, rule: Rule, some: readonly Criterion[]): string {
  const constraints = constraintsOf(ruleset, table.name);
  const asked = some.map(({ body }) => constraints.of({ ...rule, ...asksNothing, ...body }));
  const states = all(asked.filter(one => mentions(one, ['ctstate'])));
  const [, what] = tracked.find(([field]) => asked.some(one => mentions(one, [field]))) ?? [];
  if (what === undefined || states.kind === 'always') return '';
  const words = Object.entries(ctstates).flatMap(([word, state]) => isNothing(ruleset.family, all([states, is('ctstate', state)])) ? [] : [word]);
  return `: connection tracking never calls ${what} ${words.join(' or ')}`;
}

/** Why no packet matches a rule, where that is its own fault; undefined where it cannot be said, or loading says it. */
export function contradictionIn(ruleset: Ruleset, table: Table, at: RuleAt): Contradiction | undefined {
  const some = fewest(ruleset, table, at.rule);
  const words = (some ?? []).map(({ text }) => isWritten(text) ? `\`${text}\`` : 'the negation of all there is');
  const last = words.pop();
  if (last !== undefined) {
    if (words.length === 0) return { text: `${last} excludes every packet`, help: `leave ${last} out, or write what it is to match` };
    const why = whyOfState(ruleset, table, at.rule, some ?? []);
    return { text: `${words.join(', ')} and ${last} exclude each other${why}`, help: `leave one of ${words.join(', ')} and ${last} out, or make two rules of it` };
  }
  const hooks = hooksInto(table, at.chain).join(', ');
  if (hooks === '' || table.chains.get(at.chain)?.hook !== undefined) return undefined;
  const [flag, which] = at.rule.outInterface === undefined ? ['-i', 'incoming'] : ['-o', 'outgoing'];
  return { text: `its chain is entered from ${hooks} only, where packets have no ${which} interface`, help: `leave ${flag} out` };
}
