/** Which table a listing of `iptables -S` is of. It has no line that says so, but begins with the policies of all built-in chains. */
import type { TableName } from '../extensions/define.js';

/** security has the chains of filter, and is rare. Before Linux 2.6.36 nat had no INPUT. */
const byChains: ReadonlyMap<string, TableName> = new Map([
  ['FORWARD INPUT OUTPUT', 'filter'],
  ['INPUT OUTPUT POSTROUTING PREROUTING', 'nat'],
  ['OUTPUT POSTROUTING PREROUTING', 'nat'],
  ['FORWARD INPUT OUTPUT POSTROUTING PREROUTING', 'mangle'],
  ['OUTPUT PREROUTING', 'raw'],
]);

/** The tables by where in the text their listings begin. */
export function listedTables(text: string): ReadonlyMap<number, TableName> {
  const listed = new Map<number, TableName>();
  for (const policies of text.matchAll(/^(?:-P \S+ .*(?:\n|$))+/gmu)) {
    let start = policies.index;
    let chains = new Set<string>();
    const close = (next: number): void => {
      const table = byChains.get([...chains].sort().join(' '));
      if (table !== undefined) listed.set(start, table);
      [start, chains] = [next, new Set()];
    };
    for (const { 1: chain = '', index } of policies[0].matchAll(/^-P (\S+)/gmu)) {
      // One without rules, and the next.
      if (chains.has(chain)) close(policies.index + index);
      chains.add(chain);
    }
    close(text.length);
  }
  return listed;
}
