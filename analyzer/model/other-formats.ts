/** Files that are often taken for rule files, and what to do instead. */

const hints: readonly (readonly [pattern: RegExp, help: string])[] = [
  [/^Chain \S+ \((?:policy |\d+ references\))/mu, 'this is what iptables -L prints; iptables-save prints the rules so that they can be read'],
  [/^table (?:ip|ip6|inet|arp|bridge|netdev) \S+ \{/mu, 'these are rules of nftables; iptables-save prints those that iptables made'],
  [/^\u001F\u008B/u, 'it is compressed; unpack it with gunzip'],
  [/^[^]{0,3}[*#:-]\0/u, 'it looks like UTF-16, as PowerShell writes it; save it as UTF-8'],
  [/^(?![#*:\s-]).{1,80}[#$%>] (?:sudo )?(?:\/\S*\/)?ip6?tables-(?:\w+-)?save/mu, 'a shell’s prompt was copied with the rules; delete its lines'],
];

/** What to do about a text that is no rule file; undefined where it looks like nothing in particular. */
export function otherFormat(text: string): string | undefined {
  return hints.find(([pattern]) => pattern.test(text))?.[1];
}
