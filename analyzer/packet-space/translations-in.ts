/** In which ways the rules of a set can make connections translated (`--ctstate SNAT`, `DNAT`). */
import type { Translations } from '../extensions/define.js';
import type { Rule, Ruleset, Table } from '../model/ruleset.js';
import type { Range } from '../packet/constraint.js';
import { fullMask } from '../values/address.js';
import { targetEffect } from './effect.js';

const known = new WeakMap<Ruleset, { readonly found: Translations | undefined }>();

/**
 * What becomes of the first packets of connections; undefined: nothing is known. A file without table nat may be of a host that has one.
 * Where anything is translated at all, the port of any connection may be, for another to go free (nf_nat_alloc_null_binding()).
 */
export function translationsIn(ruleset: Ruleset): Translations | undefined {
  let one = known.get(ruleset);
  if (one === undefined) {
    const nat = ruleset.tables.get('nat');
    known.set(ruleset, one = { found: nat === undefined ? undefined : inTable(ruleset, nat) });
  }
  return one.found;
}

/** Of more places than this it is not asked whether a packet goes there. */
const placeLimit = 32;

function inTable(ruleset: Ruleset, nat: Table): Translations | undefined {
  const places: Range[] = [];
  let [some, isAnywhere] = [false, false];
  for (const { rules } of nat.chains.values()) for (const rule of rules) {
    if (rule.target.kind === 'chain' && nat.chains.has(rule.target.name)) continue;
    const effect = targetEffect(rule.target);
    if (effect === 'unknown') return undefined;
    if (effect !== 'nat') continue;
    some = true;
    const destinations = destinationsOf(ruleset, rule);
    if (destinations === undefined) isAnywhere = true;
    else places.push(...destinations);
  }
  const different = new Map(places.map(one => [`${String(one.low)} ${String(one.high)}`, one]));
  return { some, destinations: isAnywhere || different.size > placeLimit ? 'anywhere' : [...different.values()] };
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
