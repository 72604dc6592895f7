/** The two families of one host are often two files side by side: `rules.v4` and `rules.v6`, `iptables.rules` and `ip6tables.rules`. */

/** What of a path says IPv4, and what in its place IPv6. Other digits beside it count hosts: `srv40`, `host16.rules`. */
const words: readonly (readonly [v4: string, v6: string])[] = [['v4', 'v6'], ['ip4', 'ip6'], ['iptables', 'ip6tables'], ['.rules', '6.rules']];

/** The path with `from`, wherever it stands and no digit beside it, in turn replaced by `to`. */
function* replaced(path: string, from: string, to: string): Generator<string, void> {
  for (let at = path.indexOf(from); at !== -1; at = path.indexOf(from, at + 1)) {
    const [before, after] = [path.slice(0, at), path.slice(at + from.length)];
    if (!/\d$/u.test(before) && !/^\d/u.test(after)) yield `${before}${to}${after}`;
  }
}

/** Finds the other file of a host; undefined where there is none. */
export type SiblingOf = (path: string) => string | undefined;

/** Among these paths: the first that differs in nothing but the family that it names. */
export function siblingsAmong(paths: readonly string[]): SiblingOf {
  const places = new Map(paths.map((path, index) => [path, index]));
  return path => {
    const others = words.flatMap(([v4, v6]) => [...replaced(path, v4, v6), ...replaced(path, v6, v4)]);
    return others.filter(other => places.has(other)).sort((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0))[0];
  };
}
