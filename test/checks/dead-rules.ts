/** Rule sets in which some rules are dead: what is found of that. */
import { analyze } from '../../analyzer/analyze.js';
import type { Finding } from '../../analyzer/finding.js';

const names = ['never-matches', 'unreachable-chain', 'unreachable-after-goto', 'jump-to-empty-chain', 'shadowed-rule'];

export function of(text: string, family: 'ipv4' | 'ipv6' = 'ipv4'): readonly Finding[] {
  const { findings, internalErrors } = analyze({ path: 'x.rules', text }, { family });
  if (internalErrors.length > 0) throw new Error(JSON.stringify(internalErrors));
  return findings.filter(one => names.includes(one.check));
}

export function filter(...lines: readonly string[]): string {
  return ['*filter', ':INPUT DROP [0:0]', ':FORWARD DROP [0:0]', ':OUTPUT ACCEPT [0:0]', ...lines, 'COMMIT', ''].join('\n');
}

export function found(...lines: readonly string[]): readonly string[] {
  return of(filter(...lines)).map(one => `${one.check} ${one.rule ?? ''}`.trim());
}

export function table(name: string, ...lines: readonly string[]): readonly string[] {
  return of([`*${name}`, ...lines, 'COMMIT', ''].join('\n')).map(one => `${one.check} ${one.rule ?? ''}`.trim());
}
