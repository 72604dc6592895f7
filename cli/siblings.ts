/** The two families of one host are often two files side by side: `rules.v4` and `rules.v6`, `iptables.rules` and `ip6tables.rules`. */

/** What of a path says IPv4, and what in its place IPv6. */
const words: readonly (readonly [v4: string, v6: string])[] = [['v4', 'v6'], ['ip4', 'ip6'], ['iptables', 'ip6tables'], ['.rules', '6.rules']];

function* sixes(path: string): Generator<string, void> {
  for (const [word, word6] of words) {
    for (let at = path.indexOf(word); at !== -1; at = path.indexOf(word, at + 1)) yield `${path.slice(0, at)}${word6}${path.slice(at + word.length)}`;
  }
}

/** Whether two paths differ in nothing but the family that they name. */
export function areSiblings(one: string, other: string): boolean {
  return [...sixes(one)].includes(other) || [...sixes(other)].includes(one);
}
