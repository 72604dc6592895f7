/** The words of which schemas of files are made, with messages for those who write the files. */
import * as v from 'valibot';
import { didYouMean } from './suggest.js';

/** What valibot says of a value that is not as it must be. */
export interface Wrong {
  readonly expected: string | null;
  readonly received: string;
  readonly input: unknown;
}

/** What stands there instead, in a word. */
export function found({ input, received }: Wrong): string {
  if (input === undefined) return 'nothing';
  return typeof input === 'object' && input !== null ? (Array.isArray(input) ? 'a list' : 'an object') : received;
}

/** The same, and a list is none of it: valibot takes lists for objects. */
export function noList<S extends v.GenericSchema>(schema: S): S {
  return {
    ...schema,
    '~run': (dataset, config) => {
      if (!Array.isArray(dataset.value)) return schema['~run'](dataset, config);
      v._addIssue(schema, 'type', dataset, config);
      return dataset as never;
    },
  };
}

/** An object that has these keys and no others. `refused`: what to say of some of the others. */
export function object<const E extends v.ObjectEntries>(entries: E, what: string, refused: Readonly<Record<string, string>> = {}): v.StrictObjectSchema<E, (issue: v.StrictObjectIssue) => string> {
  return noList(v.strictObject(entries, issue => {
    const last = issue.path?.at(-1)?.key;
    const key = typeof last === 'string' ? last : '';
    if (issue.expected !== 'never' && issue.expected !== `"${key}"`) return `${what} must be an object, and is ${found(issue)}`;
    if (issue.expected !== 'never') return `${what} lacks \`${key}\``;
    if (Object.hasOwn(refused, key)) return refused[key] ?? '';
    const near = didYouMean(key, Object.keys(entries));
    return `unknown key \`${key}\` in ${what}${near === undefined ? '' : `: ${near}`}`;
  }));
}

export const text = v.string(issue => `must be text, and is ${found(issue)}${typeof issue.input === 'number' || typeof issue.input === 'boolean' ? ': put it in quotes' : ''}`);
export const flag = v.boolean(issue => `must be true or false, and is ${found(issue)}`);

/** A whole number from 0 to `most`. */
export function whole(most: number): v.GenericSchema<number> {
  const message = (issue: Wrong): string => `must be a whole number from 0 to ${String(most)}, and is ${found(issue)}`;
  return v.pipe(v.number(message), v.integer(message), v.minValue(0, message), v.maxValue(most, message));
}

export function list<S extends v.GenericSchema>(of: S): v.ArraySchema<S, (issue: v.ArrayIssue) => string> {
  return v.array(of, issue => `must be a list, and is ${found(issue)}`);
}

/** One of some words. */
export function oneOf<const W extends readonly string[]>(words: W, what: string): v.PicklistSchema<W, (issue: v.PicklistIssue) => string> {
  return v.picklist(words, issue => {
    const { input } = issue;
    if (typeof input === 'object' && input !== null) return `must be one of ${words.join(', ')}, and is ${found(issue)}`;
    const near = didYouMean(String(input), words);
    return `\`${String(input)}\` is no ${what}: ${near ?? `one of ${words.join(', ')}`}`;
  });
}
