/** A match or target as a rule uses it: its definition and what was given; how it is saved and what it means. */
import { all, not, unknown, type Constraint } from '../packet/constraint.js';
import type { AnyExtension, AnyMatch, AnyOption, Given, OrderedOption, RuleContext } from './define.js';

/** An extension in use. Uses are immutable and shared by rules that say the same. */
export interface Use<D extends AnyExtension = AnyExtension> {
  readonly definition: D;
  readonly given: Readonly<Record<string, Given<unknown> | undefined>>;
  /** The options in the order in which they were given; may be empty where nothing of the definition looks at it. */
  readonly ordered: readonly OrderedOption[];
  /** Words of options whose value needs a name service, by key: nothing is known of them. */
  readonly unresolved: Readonly<Record<string, string>>;
}

/** One option as it is saved, without the blank in front. */
export function saveOption(definition: AnyOption, given: Given<unknown>, cx: RuleContext, words?: string): string {
  if (definition.save !== undefined && words === undefined) return definition.save(given, cx);
  const value = words ?? definition.value.print(given.value, cx);
  return `${given.negated ? '! ' : ''}${definition.names[0]}${value === '' ? '' : ` ${value}`}`;
}

/** The words behind `-m NAME` or `-j NAME`, as `iptables-save` writes them; '' where there are none, undefined where not even the name is saved. */
export function saveUse(use: Use, cx: RuleContext): string | undefined {
  const { definition, given, unresolved } = use;
  const context = { ...cx, ordered: use.ordered };
  const isResolved = Object.keys(unresolved).length === 0;
  if (definition.save !== undefined && isResolved) return definition.save(given, context);
  const options = definition.options as Record<string, AnyOption>;
  return Object.entries(options).flatMap(([key, option]) => {
    const value = given[key];
    const words = value === undefined ? '' : saveOption(option, value, context, unresolved[key]);
    return words === '' ? [] : [words];
  }).join(' ');
}

/** What a match in use asks of a packet. */
export function meaningOf(use: Use<AnyMatch>, cx: RuleContext): Constraint {
  const { definition, given, unresolved } = use;
  for (const key in unresolved) return unknown(`the name \`${unresolved[key] ?? ''}\` is not resolved`);
  if (definition.means !== undefined) return definition.means(given, { ...cx, ordered: use.ordered });
  const parts: Constraint[] = definition.requires === undefined ? [] : [definition.requires];
  for (const [key, option] of Object.entries(definition.options as Record<string, AnyOption>)) {
    const one = given[key];
    if (one === undefined) continue;
    const meaning = option.means?.(one.value, cx) ?? unknown(`${definition.name} ${option.names[0]} is not modelled`);
    parts.push(one.negated ? not(meaning) : meaning);
  }
  return all(parts);
}
