/** In which ways the rules of a set make connections translated (`--ctstate SNAT`, `DNAT`). */
import type { Rule, Ruleset, Table } from '../model/ruleset.js';
import { all, always, any, asksFor, atom, ctstates, not, oneOf, type Constraint, type Range } from '../packet/constraint.js';
import { fullMask } from '../values/address.js';
import { targetEffect } from './effect.js';

/** Of more places than this it is not asked whether a packet goes there. */
const placeLimit = 32;

const names = { SNAT: 'conntrack --ctstate SNAT', DNAT: 'conntrack --ctstate DNAT' };
const isTranslated = { SNAT: atom(names.SNAT), DNAT: atom(names.DNAT) };
/** Packets whose connection nobody translates. */
export const untranslated: Constraint = all([not(isTranslated.DNAT), not(isTranslated.SNAT)]);
const later = oneOf('ctstate', [ctstates.ESTABLISHED, ctstates.RELATED]);

/** Whether a rule asks for the one or the other. */
export function asksForTranslation(asked: Constraint): boolean {
  return asksFor(asked, part => part.kind === 'atom' && (part.name === names.SNAT || part.name === names.DNAT));
}

/** Where the destination that packets have is the last. */
const behindNat: ReadonlySet<string> = new Set(['filter', 'security']);

const known = new WeakMap<Ruleset, Map<string, Constraint>>();

/**
 * What holds of the packets in a table if these rules alone translate; `always` where nothing is known, as in a file without table nat, which may be of a host
 * that has one. It is never sure: connections outlive the rules that translated them, and nft may translate as well.
 * Where anything is translated at all, the port of any connection may be, for another to go free (nf_nat_alloc_null_binding()), and what a helper expects
 * of such a connection in any way (nf_nat_follow_master()).
 */
export function translatedByRules(ruleset: Ruleset, table: string): Constraint {
  let tables = known.get(ruleset);
  if (tables === undefined) known.set(ruleset, tables = new Map<string, Constraint>());
  let found = tables.get(table);
  if (found === undefined) tables.set(table, found = findTranslated(ruleset, table));
  return found;
}

function findTranslated(ruleset: Ruleset, table: string): Constraint {
  const nat = ruleset.tables.get('nat');
  const rules = nat === undefined ? undefined : translating(nat);
  if (rules === undefined) return always;
  if (rules.length === 0) return untranslated;
  const places = new Map<string, Range>();
  for (const rule of rules) {
    const destinations = destinationsOf(ruleset, rule);
    if (destinations === undefined) return always;
    for (const one of destinations) places.set(`${String(one.low)} ${String(one.high)}`, one);
  }
  const ranges = [...places.values()];
  if (ranges.length > placeLimit || (ranges.length > 0 && !behindNat.has(table))) return always;
  return any([not(isTranslated.DNAT), later, ...ranges.length === 0 ? [] : [{ kind: 'within', field: 'dst', ranges } as const]]);
}

/** The rules that translate; undefined where some may do anything. */
function translating(nat: Table): readonly Rule[] | undefined {
  const found: Rule[] = [];
  for (const { rules } of nat.chains.values()) for (const rule of rules) {
    const effect = rule.target.kind === 'chain' && nat.chains.has(rule.target.name) ? undefined : targetEffect(rule.target);
    if (effect === 'unknown') return undefined;
    if (effect === 'nat') found.push(rule);
  }
  return found;
}

/** To which destinations a rule of nat translates: none where it does that to sources; undefined where it may be any. */
function destinationsOf({ family, backend }: Ruleset, { target }: Rule): readonly Range[] | undefined {
  if (target.kind !== 'extension') return undefined;
  const { definition: { hooks, rewrites }, given, ordered, unresolved } = target.use;
  // NETMAP is for both, by the hook.
  if (typeof hooks === 'object' && !hooks.includes('PREROUTING')) return [];
  if (Object.keys(unresolved).length > 0) return undefined;
  const [written] = rewrites?.(given, { family, backend, table: 'nat', protocol: undefined, ordered, hook: 'PREROUTING' }).filter(one => 'field' in one && one.field === 'dst') ?? [];
  if (written === undefined || written.where !== undefined) return undefined;
  if (written.kind === 'within') return written.ranges;
  if (written.kind !== 'network') return undefined;
  const { address, mask } = written;
  return [{ low: address, high: typeof address === 'number' ? address + (Number(fullMask(family)) - Number(mask)) : address | (BigInt(fullMask(family)) ^ BigInt(mask)) }];
}
