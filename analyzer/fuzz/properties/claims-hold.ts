import type { Place } from '../../generate/near/packets-near.js';
import type { DetailedStep } from '../../netfilter/engine.js';
import { ruleReference, type Ruleset } from '../../model/ruleset.js';
import { packetSpace, reach } from '../../packet-space/index.js';
import { pipeline, reachThrough } from '../../packet-space/pipeline/index.js';
import { solveBudget } from '../../packet-space/pipeline/solve.js';
import { contradiction } from '../claim.js';
import { defineProperty } from '../property.js';

/** In larger rule sets only one table after the other is reasoned about, and in still larger ones nothing; what takes more packets than this to prove is not claimed. */
const most = { rules: 3000, through: 300, packets: 1000 };

const mistake = 'this is a mistake of iptables-lint: please report it';

function countOf({ tables }: Ruleset): number {
  return [...tables.values()].flatMap(({ chains }) => [...chains.values()]).reduce((sum, { rules }) => sum + rules.length, 0);
}

/** Rules to which no packet comes, as exact reasoning has it, each with what it says. */
function deadRules({ ruleset }: Place): Map<string, string> {
  const dead = new Map<string, string>();
  const count = countOf(ruleset);
  if (count > most.rules) return dead;
  const space = packetSpace(ruleset);
  const whole = count > most.through ? undefined : pipeline(ruleset);
  for (const table of ruleset.tables.values()) {
    const reached = reach(space, table);
    for (const chain of table.chains.values()) for (const [index, rule] of chain.rules.entries()) {
      const kind = reached.get(rule)?.kind ?? 'undecided';
      const name = ruleReference(table.name, chain.name, index + 1);
      if (kind !== 'live' && kind !== 'undecided') dead.set(name, kind);
      else if (whole !== undefined && reachThrough(whole, rule, { budget: solveBudget(most.packets) }).kind === 'dead') dead.set(name, 'dead on the whole way');
    }
  }
  return dead;
}

/** Every rule that the packet matched, and those that were sent because of it. */
function matchedBy({ path, generated }: DetailedStep): readonly string[] {
  return [...path, ...generated.flatMap(one => one.path)];
}

export const claimsHold = defineProperty({
  name: 'claims-hold',
  summary: 'no conversation contradicts what the linter is certain of',
  doc: `No packet matches a rule that is held to be shadowed, to contradict itself or to be never come to, table by table and, in rule sets of up to ${String(most.through)} rules, on the
whole way. And of the findings of \`lint\` that are certain: without a rule that is redundant every packet fares the same; no answer gets back to what began by a rule of which
that is said; and a service that is exposed can be reached, whatever came before. It should never fail: a counterexample is a mistake of iptables-lint.`,
  test: (place, { claims = [] }) => {
    const dead = deadRules(place);
    for (const { kind, rule, check } of claims) if (kind === 'never-matched') dead.set(rule, check);
    return played => {
      for (const [index, { answer }] of played.events.entries()) {
        const found = matchedBy(answer).find(one => dead.has(one));
        if (found !== undefined) return { index, why: `${found} is matched, and it is held to be ${dead.get(found) ?? ''}; ${mistake}` };
      }
      for (const claim of claims) {
        const breach = contradiction(claim, played);
        if (breach !== undefined) return { index: breach.index, why: `${breach.why}, against ${claim.check}; ${mistake}` };
      }
      return undefined;
    };
  },
});
