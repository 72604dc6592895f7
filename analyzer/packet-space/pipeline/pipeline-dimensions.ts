import { ctstates, is, type Constraint } from '../../packet/constraint.js';
import type { Rewriting } from '../../packet/rewriting.js';
import { DimensionBuilder, type Dimensions } from '../dimensions.js';
import type { ExtraChain } from './chains.js';
import { mayUntrack } from '../tracking.js';
import type { ReadRuleset } from './read-ruleset.js';
import { twins } from './twins.js';
import { mentioned, routes } from './values.js';

/** The classes that every pipeline tells apart: the states, loopback. */
const basics: readonly Constraint[] = [
  ...Object.values(ctstates).map(state => is('ctstate', state)), { kind: 'interface', field: 'in', name: 'lo', prefix: false },
];

function mentionedIn(rewriting: Rewriting): readonly Constraint[] {
  return [...mentioned(rewriting), ...rewriting.where === undefined ? [] : [rewriting.where], ...rewriting.kind === 'unknown' && routes.has(rewriting.field) ? [is(rewriting.field, 0)] : []];
}

/** A packet space in which all of the rule sets, and what is asked about packets, can be told apart. The rule sets are of one family. */
export function dimensionsFor(read: readonly ReadRuleset[], asked: readonly Constraint[], extra: readonly ExtraChain[]): Dimensions {
  const builder = new DimensionBuilder(read[0]?.ruleset.family ?? 'ipv4', twins, read.some(({ ruleset }) => mayUntrack(ruleset)));
  for (const constraint of [...basics, ...asked, ...extra.flatMap(chain => chain.rules.flatMap(rule => [rule.asks, ...rule.rewritings.flatMap(mentioned)]))]) builder.addWhole(constraint);
  for (const { rules, asks, rewritings } of read) {
    for (let rule = 0; rule < rules.length; rule++) {
      builder.addWhole(asks(rule));
      for (const rewriting of rewritings.get(rule) ?? []) for (const constraint of mentionedIn(rewriting)) builder.addWhole(constraint);
    }
  }
  return builder.finish();
}
