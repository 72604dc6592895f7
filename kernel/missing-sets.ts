/** Sets of ipset that rules name: without them, iptables refuses to load. */
import type { Rule, Ruleset } from '../analyzer/model/ruleset.js';
import { setReference, type SetReference } from '../analyzer/values/set-reference.js';

interface AnyUse {
  readonly definition: { readonly options: Readonly<Record<string, { readonly value: unknown }>> };
  readonly given: Readonly<Record<string, { readonly value: unknown } | undefined>>;
}

function isReference(value: unknown): value is SetReference {
  return typeof value === 'object' && value !== null && 'name' in value && 'directions' in value;
}

function namesIn({ definition, given }: AnyUse): readonly string[] {
  return Object.entries(definition.options).flatMap(([key, { value: kind }]) => {
    const value = given[key]?.value;
    return kind === setReference && isReference(value) ? [value.name] : [];
  });
}

function usesOf({ matches, target }: Rule): readonly AnyUse[] {
  return [...matches, ...target.kind === 'extension' ? [target.use] : []].flatMap(use => 'definition' in use ? [use] : []);
}

/** `ipset restore` lines for what rules name and `given` (the text of `ipset save`) does not have: empty sets, which nothing is in. */
export function missingSets({ tables, family }: Ruleset, given: string): string {
  const known = new Set([...given.matchAll(/^create (\S+)/gmu)].map(match => match[1]));
  const needed = new Set<string>();
  for (const { chains } of tables.values()) for (const { rules } of chains.values()) for (const rule of rules) {
    for (const name of usesOf(rule).flatMap(namesIn)) if (!known.has(name)) needed.add(name);
  }
  return [...needed].map(name => `create ${name} hash:ip family ${family === 'ipv4' ? 'inet' : 'inet6'}\n`).join('');
}
