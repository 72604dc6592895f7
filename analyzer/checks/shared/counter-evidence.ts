/** What the counters of a table say of the packets that came by: never more than they prove. */
import type { Chain, Rule, Table } from '../../model/ruleset.js';
import { effectOf, isFinal } from './targets.js';

/** As deep as nftables lets chains be nested. */
const deepest = 16;

export function hitsOf({ counters }: Rule): bigint {
  return counters?.packets ?? 0n;
}

/** How many packets rules sent into each chain. */
function callsIn({ chains }: Table): ReadonlyMap<string, bigint> {
  const calls = new Map<string, bigint>();
  for (const { rules } of chains.values()) for (const rule of rules) {
    if (rule.target.kind === 'chain') calls.set(rule.target.name, (calls.get(rule.target.name) ?? 0n) + hitsOf(rule));
  }
  return calls;
}

/** How many packets came into a chain of the table at least. */
export function entries(table: Table): (chain: Chain) => bigint {
  const calls = callsIn(table);
  return chain => {
    if (chain.hook === undefined) return calls.get(chain.name) ?? 0n;
    const decided = chain.rules.reduce((sum, rule) => isFinal(rule) ? sum + hitsOf(rule) : sum, chain.policyCounters?.packets ?? 0n);
    return chain.rules.reduce((most, rule) => hitsOf(rule) > most ? hitsOf(rule) : most, decided);
  };
}

/** How many packets a chain has decided about, or chains below it. */
function decidedIn(table: Table, name: string, depth = 0): bigint {
  let sum = 0n;
  for (const rule of table.chains.get(name)?.rules ?? []) {
    if (isFinal(rule)) sum += hitsOf(rule);
    else if (rule.target.kind === 'chain' && depth < deepest) sum += decidedIn(table, rule.target.name, depth + 1);
  }
  return sum;
}

/** How many packets a rule has kept from the next one at most. Of a jump, no more than were decided about where it leads. */
export function takenAtMost(table: Table, rule: Rule): bigint {
  const { target } = rule;
  const hits = hitsOf(rule);
  if (target.kind === 'none' || effectOf(rule) === 'continue') return 0n;
  if (target.kind !== 'chain' || target.goto) return hits;
  const decided = decidedIn(table, target.name);
  return decided < hits ? decided : hits;
}
