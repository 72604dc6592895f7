/**
 * Asks the real iptables about generated rules: do we accept what it accepts, and print what it saves?
 * By hand: node build/test/kernel/conformance.js --family ipv4 --backend nft --runs 500 --seed 1 --only multiport
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import type { Hook, TableName } from '../../analyzer/extensions/define.js';
import { isUsefulPlace, ruleWords, type GenerateFilter } from '../../analyzer/generate/rule.js';
import { load } from '../../analyzer/model/load.js';
import { printRuleset } from '../../analyzer/model/print.js';
import { builtInChains } from '../../analyzer/model/ruleset.js';
import type { Backend, Family } from '../../analyzer/values/value.js';
import { quoteForInput } from '../../analyzer/values/text.js';
import { RealIptables } from './real-iptables.js';

export interface GeneratedRule {
  readonly table: TableName;
  readonly chain: Hook;
  /** `-A CHAIN …` as typed. */
  readonly line: string;
}

export interface Judged extends GeneratedRule {
  /** What we print for it; more than one line where it names several addresses. Undefined: we refuse it. */
  readonly printed: readonly string[] | undefined;
  readonly why: string;
}

export interface Disagreement {
  readonly rule: Judged;
  readonly kernel: string;
}

const places: readonly (readonly [TableName, Hook])[] = Object.entries(builtInChains)
  .flatMap(([table, chains]) => chains.map(chain => [table as TableName, chain] as const));

/** A file of one table with these lines. */
function fileOf(table: TableName, lines: readonly string[]): string {
  return [`*${table}`, ...builtInChains[table].map(chain => `:${chain} ACCEPT [0:0]`), ...lines, 'COMMIT', ''].join('\n');
}

/** What we make of a rule. */
export function judge(rule: GeneratedRule, family: Family, backend: Backend): Judged {
  const loaded = load({ path: 'generated', text: fileOf(rule.table, [rule.line]) }, { family, backend });
  const errors = loaded.diagnostics.filter(one => one.severity === 'error');
  const why = loaded.diagnostics.map(one => `${one.check}: ${one.message}`).join('; ');
  if (errors.length > 0 || loaded.rulesets[0] === undefined) return { ...rule, printed: undefined, why };
  return { ...rule, printed: [...printRuleset(loaded.rulesets[0])].filter(line => line.startsWith('-A')), why };
}

/** Rules drawn from the arbitraries of every extension, with `seed`. */
export function generateRules(family: Family, backend: Backend, count: number, seed: number, filter: GenerateFilter = {}): GeneratedRule[] {
  const useful = places.filter(([table, chain]) => isUsefulPlace({ family, backend, table, chain }, filter));
  if (useful.length === 0) return [];
  const one = fc.constantFrom(...useful).chain(([table, chain]) =>
    ruleWords(fc, { family, backend, table, chain }, filter).map(words => ({ table, chain, line: `-A ${chain} ${words.map(quoteForInput).join(' ')}`.trimEnd() })));
  return fc.sample(one, { numRuns: count, seed });
}

/** The first rules of each table that the kernel refuses or saves in another way, found by halving. */
function compareTable(real: RealIptables, table: TableName, rules: readonly Judged[], family: Family, backend: Backend, found: Disagreement[]): void {
  if (rules.length === 0) return;
  const result = real.load(fileOf(table, rules.map(rule => rule.line)), family, backend);
  if (!result.accepted) {
    if (rules.length === 1 && rules[0] !== undefined) found.push({ rule: rules[0], kernel: `refused: ${result.message}` });
    else {
      const middle = rules.length >> 1;
      compareTable(real, table, rules.slice(0, middle), family, backend, found);
      compareTable(real, table, rules.slice(middle), family, backend, found);
    }
    return;
  }
  for (const chain of builtInChains[table]) {
    const saved = result.saved.filter(line => line.startsWith(`-A ${chain} `) || line === `-A ${chain}`);
    let next = 0;
    for (const rule of rules.filter(one => one.chain === chain)) for (const expected of rule.printed ?? []) {
      const actual = saved[next++];
      if (actual !== expected) found.push({ rule, kernel: `saved: ${actual ?? '(nothing)'}` });
    }
  }
}

export interface ConformanceReport {
  readonly accepted: number;
  readonly refused: number;
  readonly disagreements: readonly Disagreement[];
}

/** Compares `rules` with one backend. Of those that we refuse, at most `refusals` are tried, one by one. */
export function conformance(real: RealIptables, rules: readonly GeneratedRule[], family: Family, backend: Backend, refusals: number): ConformanceReport {
  const judged = rules.map(rule => judge(rule, family, backend));
  const disagreements: Disagreement[] = [];
  const accepted = judged.filter(rule => rule.printed !== undefined);
  for (const table of Object.keys(builtInChains) as TableName[]) compareTable(real, table, accepted.filter(rule => rule.table === table), family, backend, disagreements);
  const refused = judged.filter(rule => rule.printed === undefined).slice(0, refusals);
  for (const rule of refused) {
    const result = real.load(fileOf(rule.table, [rule.line]), family, backend);
    if (result.accepted) disagreements.push({ rule, kernel: `accepted: ${result.saved.filter(line => line.startsWith('-A')).join(' | ')}` });
  }
  return { accepted: accepted.length, refused: refused.length, disagreements };
}

function main(): void {
  const { values } = parseArgs({ options: {
    family: { type: 'string', default: 'ipv4' }, backend: { type: 'string', default: 'nft' },
    runs: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' }, only: { type: 'string' },
    show: { type: 'string', default: '20' }, refusals: { type: 'string', default: '50' },
  } });
  const family = values.family === 'ipv6' ? 'ipv6' : 'ipv4';
  const backend = values.backend === 'legacy' ? 'legacy' : 'nft';
  const real = new RealIptables();
  try {
    const rules = generateRules(family, backend, Number(values.runs), Number(values.seed), { only: values.only });
    const report = conformance(real, rules, family, backend, Number(values.refusals));
    for (const { rule, kernel } of report.disagreements.slice(0, Number(values.show))) {
      console.log(`${rule.table} ${rule.line}\n  we:     ${rule.printed === undefined ? `refuse, ${rule.why}` : rule.printed.join(' | ')}\n  kernel: ${kernel}`);
    }
    console.log(`${family} ${backend}: ${String(report.accepted)} accepted, ${String(report.refused)} refused, ${String(report.disagreements.length)} disagreements`);
  } finally {
    real.close();
  }
}

if (process.argv[1]?.endsWith('conformance.js') === true) main();
