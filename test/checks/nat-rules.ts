/** Gateways and hosts, and what the checks of kind `nat` say of them. */
import { analyze } from '../../analyzer/analyze.js';
import type { AnalyzeOptions } from '../../analyzer/examine.js';
import { checks } from '../../analyzer/checks/index.js';
import type { Finding } from '../../analyzer/finding.js';

export interface Lines {
  readonly raw?: readonly string[];
  readonly mangle?: readonly string[];
  readonly nat?: readonly string[];
  readonly filter?: readonly string[];
  /** Of INPUT and FORWARD. */
  readonly policy?: 'ACCEPT' | 'DROP';
}

const usual = [
  '-A INPUT -i lo -j ACCEPT', '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
  '-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-A FORWARD -m conntrack --ctstate INVALID -j DROP',
];

/** A rule set; table filter begins with what all have, and jumps are declared by what they lead to. */
export function rules({ raw = [], mangle = [], nat = [], filter = [], policy = 'DROP' }: Lines): string {
  const table = (name: string, head: readonly string[], lines: readonly string[]): string => {
    const own = new Set(lines.flatMap(line => /^-A ([\w-]+)/u.exec(line)?.[1] ?? []).filter(chain => !/^[A-Z]+$/u.test(chain) || chain === 'DOCKER'));
    return [`*${name}`, ...head, ...[...own].map(chain => `:${chain} - [0:0]`), ...lines, 'COMMIT', ''].join('\n');
  };
  return [
    raw.length === 0 ? '' : table('raw', [], raw), mangle.length === 0 ? '' : table('mangle', [], mangle), nat.length === 0 ? '' : table('nat', [], nat),
    table('filter', [`:INPUT ${policy} [0:0]`, `:FORWARD ${policy} [0:0]`, ':OUTPUT ACCEPT [0:0]'], [...usual, ...filter]),
  ].join('');
}

const names = checks.filter(check => check.kind === 'nat').map(check => check.name);

export function findings(lines: Lines | string, options: AnalyzeOptions = {}): readonly Finding[] {
  const analysis = analyze({ path: 'nat.rules', text: typeof lines === 'string' ? lines : rules(lines) }, options);
  if (analysis.internalErrors.length > 0) throw new Error(JSON.stringify(analysis.internalErrors));
  return analysis.findings.filter(one => names.includes(one.check));
}

/** `check rule`, with the severity where it is not an error or warning, and what is only possible. */
export function found(lines: Lines | string, options: AnalyzeOptions = {}): readonly string[] {
  return findings(lines, options).map(({ check, rule, severity, certainty }) => [check, rule ?? '-', ...severity === 'info' ? ['info'] : [], ...certainty === 'possible' ? ['possible'] : []].join(' '));
}
