/** In which ways the rules of a set can make connections translated (`--ctstate SNAT`, `DNAT`). */
import type { Translation } from '../extensions/define.js';
import type { RuleTarget, Ruleset, Table } from '../model/ruleset.js';
import { targetEffect } from './effect.js';

const known = new WeakMap<Ruleset, { readonly given: ReadonlySet<Translation> | undefined }>();

/**
 * How the first packet of a connection can be translated; undefined: nothing is known. A file without table nat may be of a host that has one.
 * Where anything is translated at all, the port of any connection may be, for another to go free (nf_nat_alloc_null_binding()).
 */
export function givenTranslations(ruleset: Ruleset): ReadonlySet<Translation> | undefined {
  let found = known.get(ruleset);
  if (found === undefined) {
    const nat = ruleset.tables.get('nat');
    known.set(ruleset, found = { given: nat === undefined ? undefined : givenIn(nat) });
  }
  return found.given;
}

function givenIn(nat: Table): ReadonlySet<Translation> | undefined {
  const given = new Set<Translation>();
  for (const { rules } of nat.chains.values()) for (const { target } of rules) {
    if (target.kind === 'chain' && nat.chains.has(target.name)) continue;
    const effect = targetEffect(target);
    if (effect === 'unknown') return undefined;
    if (effect === 'nat') for (const one of isForDestinations(target) ? ['SNAT', 'DNAT'] as const : ['SNAT'] as const) given.add(one);
  }
  return given;
}

/** NETMAP is for both, by the hook; it is taken for either. */
function isForDestinations(target: RuleTarget): boolean {
  if (target.kind !== 'extension') return true;
  const { hooks } = target.use.definition;
  return typeof hooks !== 'object' || hooks.includes('PREROUTING');
}
