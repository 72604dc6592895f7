/** Variables of a script that have one value wherever they are used: what `IPT=/sbin/iptables` says at the top. */
import { ShellScanner, type ShellCommand, type Variables } from './scan-shell.js';

const assignment = /^([A-Za-z_]\w*)=/u;
/** A word that gives a variable a value, or names one, as `for x in`, `read x` and `unset x` do. */
const mention = /^([A-Za-z_]\w*)(?:$|\+?=|\+\+|--|\[)/u;
/** Commands that may give any variable any value. */
const opaque = new Set(['.', 'source', 'eval']);
/** Commands that only keep what they are given. */
const keeping = new Set(['export', 'readonly']);

/** The variables that are named once, where they are given a value; none that a file or text that is run behind that may change, nor any where words are cut in a way of the script's own. */
function namedOnce(text: string): ReadonlySet<string> {
  const count = new Map<string, number>();
  const names = new Set<string>();
  for (const { words } of new ShellScanner(text).commands()) {
    if (opaque.has(words[0]?.image ?? '')) names.clear();
    for (const { image } of words) {
      const name = mention.exec(image)?.[1];
      if (name === undefined) continue;
      count.set(name, (count.get(name) ?? 0) + 1);
      if (assignment.test(image)) names.add(name);
    }
  }
  return new Set(count.has('IFS') ? [] : [...names].filter(name => count.get(name) === 1));
}

/** Goes along with the commands of a script. */
export class ScriptConstants implements Variables {
  readonly #names: ReadonlySet<string>;
  readonly #values = new Map<string, string>();

  constructor(text: string) {
    this.#names = namedOnce(text);
  }

  valueOf(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** What is given a value in a block, in a pipe, or if something else succeeds, may be given none. */
  note({ words, depth, joined, joins, notLiteral }: ShellCommand): void {
    if (depth > 0 || joined !== '' || joins === '|' || notLiteral !== undefined) return;
    const given = keeping.has(words[0]?.image ?? '') ? words.slice(1) : words;
    if (!given.every(({ image }) => assignment.test(image))) return;
    for (const { image } of given) {
      const name = assignment.exec(image)?.[1] ?? '';
      if (this.#names.has(name)) this.#values.set(name, image.slice(name.length + 1));
    }
  }
}

let last: { readonly text: string; readonly constants: ScriptConstants } | undefined;

/** Those of a whole script. The last one is kept: it is asked for rule by rule. */
export function constantsOf(text: string): ScriptConstants {
  if (last?.text === text) return last.constants;
  const constants = new ScriptConstants(text);
  const commands = new ShellScanner(text, 0, constants).commands();
  while (commands.next().done !== true);
  last = { text, constants };
  return constants;
}
