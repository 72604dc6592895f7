/** Rule sets full of what can be repaired, and what becomes of them. */
import { analyzeWithoutWitnesses } from '../../analyzer/examine.js';
import { fixSource, type FixResult } from '../../analyzer/fixes/fix-source.js';
import { Draw, drawRuleset, kinds } from '../packet-space/bdd-rulesets.js';
import type { Family } from '../../analyzer/values/value.js';

/** Rules that notice who comes by, and old or careless words. */
const seasoning = [
  '-j LOG --log-prefix "all "', '-p tcp -m tcp --dport 22 -j LOG', '-p tcp -m limit --limit 5/min -j ACCEPT', '-m state --state RELATED,ESTABLISHED -j ACCEPT', '-p udp -m recent --set --name seen -j ACCEPT',
  '-p tcp -m tcp --dport 25 -j ACCEPT', '-p tcp -m tcp --dport 25 -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 26 -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 27 -j ACCEPT', '-p tcp -j unused',
];

/** A filter table for iptables-restore, by number: the same each time. */
export function drawnText(seed: number, family: Family): string {
  const draw = new Draw(seed);
  const lines = drawRuleset({ kind: kinds[seed % kinds.length] ?? 'nested', family, rules: 14 + draw.below(12), seed }).split('\n');
  for (let count = 4; count > 0; count--) {
    const at = lines.findIndex(line => line.startsWith('-A'));
    lines.splice(at + draw.below(lines.length - at - 2), 0, `-A INPUT ${draw.of(seasoning)}`);
  }
  const first = lines.findIndex(line => line.startsWith('-A'));
  lines.splice(first, 0, ':unused - [0:0]', ...draw.once(2) ? ['-A unused -m limit --limit 5/min -j DROP'] : []);
  return lines.join('\n');
}

export function fixed(text: string, family: Family): Promise<FixResult> {
  return fixSource({ path: 'rules', text }, { unsafe: false, load: { family }, findingsOf: source => Promise.resolve(analyzeWithoutWitnesses(source, { family }).findings) });
}
