/** Rules of which more is asked than a sample can say: state, chance, and properties that nobody arranges. */
import type { AnyExtension } from '../extensions/define.js';
import { isOpaque, isUnresolved, type Rule, type Ruleset, type RuleTarget, type Table } from '../model/ruleset.js';
import { effectOf } from '../packet-space/effect.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import type { Constraint, Field } from '../packet/constraint.js';
import { prefixLength } from '../values/address.js';
import type { Asked, AskedChains } from './compare.js';

/** Fields that a sample does not hold. */
const unsaid: ReadonlySet<Field> = new Set(['ctdir', 'connmark', 'dscp', 'ecn', 'pkttype', 'srcMac', 'spi', 'sctpChunk']);

/** And those that next to no packet has before connection tracking, though exact reasoning gives each packet one. */
const unsaidInRaw: ReadonlySet<Field> = new Set([...unsaid, 'ctstate']);

function softPart(constraint: Constraint, fields: ReadonlySet<Field>): string | undefined {
  switch (constraint.kind) {
    case 'within': case 'masked': return fields.has(constraint.field) ? constraint.field : undefined;
    case 'unknown': return constraint.why;
    case 'atom': return constraint.name;
    case 'not': return softPart(constraint.of, fields);
    case 'all': case 'any': for (const one of constraint.of) {
      const found = softPart(one, fields);
      if (found !== undefined) return found;
    }
      return undefined;
    default: return undefined;
  }
}

function softIn(ruleset: Ruleset, table: string, rule: Rule): string | undefined {
  if (rule.target.kind === 'opaque') return `target ${rule.target.use.opaque}`;
  if (rule.target.kind === 'extension' && effectIsUnknown(rule)) return `target ${rule.target.use.definition.name}`;
  if (rule.target.kind === 'extension' && table !== 'nat' && effectOf(rule.target.use) === 'nat') return `a program that listens for target ${rule.target.use.definition.name}`;
  for (const { name, tables } of definitionsOf(rule)) if (tables?.some(one => one === table) === false) return `${name}, which no kernel takes in table ${table}`;
  // To exact reasoning a mask that is no prefix is a property like another.
  if (hasOddMask(rule.source) || hasOddMask(rule.destination)) return 'an address with a mask that is no prefix';
  return softPart(constraintsOf(ruleset, table).of(rule), table === 'raw' ? unsaidInRaw : unsaid);
}

function definitionsOf({ matches, target }: Rule): readonly AnyExtension[] {
  return [...matches.flatMap(use => isOpaque(use) ? [] : [use.definition]), ...target.kind === 'extension' ? [target.use.definition] : []];
}

function hasOddMask(given: Rule['source']): boolean {
  return given !== undefined && !isUnresolved(given.value) && prefixLength(given.value.mask) === undefined;
}

/** A program decides, or nobody knows. */
function effectIsUnknown({ target }: Rule): boolean {
  return target.kind === 'extension' && ['queue', 'unknown'].includes(effectOf(target.use));
}

/** A rule, and what it asks that is more. */
interface Soft {
  readonly target: RuleTarget;
  readonly why: string;
}

const known = new WeakMap<Ruleset, Map<string, ReadonlyMap<string, readonly Soft[]>>>();

/** Such rules of a table, by the names of the chains that have some. */
function softOf(ruleset: Ruleset, table: Table): ReadonlyMap<string, readonly Soft[]> {
  let tables = known.get(ruleset);
  if (tables === undefined) known.set(ruleset, tables = new Map<string, ReadonlyMap<string, readonly Soft[]>>());
  let found = tables.get(table.name);
  if (found === undefined) tables.set(table.name, found = new Map([...table.chains.values()].flatMap(chain => {
    const soft = chain.rules.flatMap((rule): readonly Soft[] => {
      const why = softIn(ruleset, table.name, rule);
      return why === undefined ? [] : [{ target: rule.target, why }];
    });
    return soft.length === 0 ? [] : [[chain.name, soft] as const];
  })));
  return found;
}

/** It may be that a packet goes on behind it as another one. */
function mayRewrite(target: RuleTarget): boolean {
  if (target.kind !== 'extension') return target.kind !== 'none';
  const { effect, changes } = target.use.definition;
  return changes !== undefined || typeof effect === 'function' || effect === 'nat' || effect === 'unknown';
}

function* allOf(soft: ReadonlyMap<string, readonly Soft[]>): Generator<Soft, void> {
  for (const some of soft.values()) yield* some;
}

/** What a rule where a packet was asked asks that a replay may answer in another way than was meant, or one before, by which it may have become another packet; undefined: nothing. */
export function softRule(ruleset: Ruleset, asked: Asked): string | undefined {
  for (const table of ruleset.tables.values()) {
    const soft = softOf(ruleset, table);
    const of = (places: readonly AskedChains[]): readonly Soft[] => places.flatMap(({ table: name, chains }) => name === table.name ? [...chains].flatMap(chain => soft.get(chain) ?? []) : []);
    for (const { why } of asked === undefined ? allOf(soft) : of([asked.there])) return why;
    // nat does not run where nothing that was read tracks connections.
    for (const { target, why } of asked === undefined || table.name === 'nat' ? allOf(soft) : of(asked.before)) if (mayRewrite(target)) return why;
  }
  return undefined;
}
