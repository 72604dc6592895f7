/** Rules of which more is asked than a sample can say: state, chance, and properties that nobody arranges. */
import type { AnyExtension } from '../extensions/define.js';
import { isOpaque, isUnresolved, type Chain, type Rule, type Ruleset } from '../model/ruleset.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import type { Constraint, Field } from '../packet/constraint.js';
import { prefixLength } from '../values/address.js';

/** Fields that a sample does not hold. */
const unsaid: ReadonlySet<Field> = new Set(['ctdir', 'connmark', 'dscp', 'ecn', 'pkttype', 'srcMac', 'spi', 'sctpChunk']);

function softPart(constraint: Constraint): string | undefined {
  switch (constraint.kind) {
    case 'within': case 'masked': return unsaid.has(constraint.field) ? constraint.field : undefined;
    case 'unknown': return constraint.why;
    case 'atom': return constraint.name;
    case 'not': return softPart(constraint.of);
    case 'all': case 'any': for (const one of constraint.of) {
      const found = softPart(one);
      if (found !== undefined) return found;
    }
      return undefined;
    default: return undefined;
  }
}

function softIn(ruleset: Ruleset, table: string, rule: Rule): string | undefined {
  if (rule.target.kind === 'opaque') return `target ${rule.target.use.opaque}`;
  if (rule.target.kind === 'extension' && effectIsUnknown(rule)) return `target ${rule.target.use.definition.name}`;
  for (const { name, tables } of definitionsOf(rule)) if (tables?.some(one => one === table) === false) return `${name}, which no kernel takes in table ${table}`;
  // To exact reasoning a mask that is no prefix is a property like another.
  if (hasOddMask(rule.source) || hasOddMask(rule.destination)) return 'an address with a mask that is no prefix';
  return softPart(constraintsOf(ruleset, table).of(rule));
}

function definitionsOf({ matches, target }: Rule): readonly AnyExtension[] {
  return [...matches.flatMap(use => isOpaque(use) ? [] : [use.definition]), ...target.kind === 'extension' ? [target.use.definition] : []];
}

function hasOddMask(given: Rule['source']): boolean {
  return given !== undefined && !isUnresolved(given.value) && prefixLength(given.value.mask) === undefined;
}

function effectIsUnknown({ target }: Rule): boolean {
  if (target.kind !== 'extension') return false;
  const { effect } = target.use.definition;
  return (typeof effect === 'function' ? effect(target.use.given) : effect) === 'unknown';
}

/** What a rule of these chains asks that a replay may answer in another way than was meant; undefined: nothing. */
export function softRule(ruleset: Ruleset, table: string | undefined, chains: ReadonlySet<string>): string | undefined {
  for (const one of ruleset.tables.values()) {
    if (table !== undefined && one.name !== table) continue;
    const asked: Chain[] = [...one.chains.values()].filter(chain => table === undefined || chains.has(chain.name));
    for (const chain of asked) for (const rule of chain.rules) {
      const found = softIn(ruleset, one.name, rule);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
