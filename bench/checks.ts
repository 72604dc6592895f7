/**
 * How long all default checks take on large rule sets: `node build/bench/checks.js [--quick] [--runs N] [--only WORD]`, after a build.
 * Each run is a process of its own, `dist/cli.cjs --format json FILE`; beside it runs `iptables-legacy-restore --test` on the same file (or
 * Node with nothing to do). The two take turns, and the best of each counts: the noise of a busy machine only ever adds.
 * `RULES_CORPUS` may name a folder of real rule sets.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { generators, inIPv6, type Kind } from './generators.js';

/** Seconds after which a process is given up. */
const patience = 120;

/** A process of Node's, on a generated file. */
interface Row {
  readonly name: string;
  readonly kind: Kind;
  readonly rules: number;
  /** IPv4, where nothing is said. */
  readonly family?: 'ipv6';
  /** The words after `node`, where `FILE` stands for the file's path; where nothing is said: all default checks. */
  readonly command?: readonly string[];
  /** What it is measured by; where nothing is said, the seconds alone. */
  readonly beside?: 'iptables' | 'node';
  /** Times as long as that, or seconds. */
  readonly atMost: number;
  /** Megabytes. */
  readonly memory: number;
  /** Left out with `--quick`. */
  readonly isLong?: true;
}

const built = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const lint = [built('dist/cli.cjs'), '--format', 'json', 'FILE'];

/**
 * One line for each row of the table. What another script measures is a line with a `command` of its own, as in
 * `{ name: '…', kind: 'gateway', rules: 10_000, command: [built('build/bench/SCRIPT.js'), 'FILE'], atMost: 10, memory: 500 }`;
 * where it prints a JSON object with `findings` and `undecided`, these are shown.
 */
const rows: readonly Row[] = [
  { name: '1,000 rules: access list', kind: 'acl', rules: 1000, beside: 'node', atMost: 2, memory: 80 },
  { name: '1,000 rules: gateway', kind: 'gateway', rules: 1000, beside: 'node', atMost: 2, memory: 80 },
  { name: '1,000 rules: zones', kind: 'zones', rules: 1000, beside: 'node', atMost: 2, memory: 80 },
  { name: '10,000 rules: access list', kind: 'acl', rules: 10_000, beside: 'iptables', atMost: 6, memory: 150 },
  { name: '10,000 rules: blocklist', kind: 'blocklist', rules: 10_000, beside: 'iptables', atMost: 6, memory: 150 },
  { name: '10,000 rules: ports × nets', kind: 'matrix', rules: 10_000, beside: 'iptables', atMost: 6, memory: 150 },
  { name: '10,000 rules: kube-proxy', kind: 'kube-proxy', rules: 10_000, beside: 'iptables', atMost: 6, memory: 150 },
  { name: '10,000 rules: zones', kind: 'zones', rules: 10_000, beside: 'iptables', atMost: 6, memory: 150 },
  { name: '10,000 rules: gateway', kind: 'gateway', rules: 10_000, atMost: 10, memory: 500 },
  { name: '10,000 rules: gateway, zones', kind: 'zone-gateway', rules: 10_000, atMost: 10, memory: 500 },
  { name: 'gateway: whole way, replies', kind: 'gateway', rules: 10_000, command: [built('build/bench/gateway.js'), 'FILE'], atMost: 10, memory: 500 },
  { name: 'zones: whole way, replies', kind: 'zone-gateway', rules: 10_000, command: [built('build/bench/gateway.js'), 'FILE'], atMost: 10, memory: 500 },
  { name: '100,000 rules: blocklist', kind: 'blocklist', rules: 100_000, beside: 'iptables', atMost: 5, memory: 300, isLong: true },
  { name: '100,000 rules: kube-proxy', kind: 'kube-proxy', rules: 100_000, beside: 'iptables', atMost: 5, memory: 300, isLong: true },
  { name: '100,000 rules: zones', kind: 'zones', rules: 100_000, beside: 'iptables', atMost: 5, memory: 300, isLong: true },
  { name: '100,000 rules: access list', kind: 'acl', rules: 100_000, beside: 'iptables', atMost: 10, memory: 400, isLong: true },
  { name: '100,000 rules: access list, IPv6', kind: 'acl', rules: 100_000, family: 'ipv6', beside: 'iptables', atMost: 10, memory: 400, isLong: true },
  { name: '100,000 rules: kube-proxy, IPv6', kind: 'kube-proxy', rules: 100_000, family: 'ipv6', beside: 'iptables', atMost: 5, memory: 300, isLong: true },
  { name: '5,000 boxes that overlap', kind: 'boxes', rules: 5000, atMost: 30, memory: 400 },
  { name: '5,000 slabs', kind: 'slabs', rules: 5000, atMost: 30, memory: 400 },
  { name: 'jump tree, 20^14 ways', kind: 'jump-tree', rules: 900, atMost: 30, memory: 400 },
  { name: '5,000 rules that mark', kind: 'marks', rules: 5000, atMost: 30, memory: 400 },
];

/** Time for ten times as many rules: at most so many times as long. */
const growth = { from: 10_000, to: 100_000, atMost: 15 } as const;

/** Of the corpus: so much of it under so many seconds, and none over so many. */
const corpusGoal = { share: 0.95, under: 0.3, longest: 30 } as const;

/** Written by the child as it ends: its peak of memory in kilobytes, and its processor time, which other processes do not disturb, in microseconds. */
const usageProbe = 'process.on("exit", () => { const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage(); require("node:fs").writeSync(3, `${maxRSS} ${userCPUTime + systemCPUTime}`); });\n';

interface Told {
  readonly megabytes: number | undefined;
  /** Seconds of the processor. */
  readonly cpu: number | undefined;
  readonly findings: number | undefined;
  readonly undecided: number | undefined;
}

const folder = mkdtempSync(join(tmpdir(), 'iptables-lint-'));
const probe = join(folder, 'usage-probe.cjs');
const files = new Map<string, string>();

function fileOf({ kind, rules, family }: Pick<Row, 'kind' | 'rules' | 'family'>): string {
  const key = [kind, rules, family].join('-');
  const known = files.get(key) ?? join(folder, `${key}.rules`);
  const text = (): string => family === undefined ? generators[kind](rules) : inIPv6(generators[kind](rules));
  if (!files.has(key)) writeFileSync(known, text());
  files.set(key, known);
  return known;
}

/** Undefined where the process did not end, or could not be started. Of `node`, any exit code will do: findings are no failure. */
function seconds(command: string, words: readonly string[]): number | undefined {
  const start = performance.now();
  const { status, error } = spawnSync(command, words, { stdio: 'ignore', timeout: patience * 1000 });
  if (error !== undefined || status === null || (command !== process.execPath && status !== 0)) return undefined;
  return (performance.now() - start) / 1000;
}

function numberIn(value: unknown, key: string): number | undefined {
  const found = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
  return typeof found === 'number' ? found : undefined;
}

/** A run that is not timed: what it used, and what it found. */
function ask(words: readonly string[]): Told {
  const { stdout, output } = spawnSync(process.execPath, ['--require', probe, ...words], { stdio: ['ignore', 'pipe', 'ignore', 'pipe'], encoding: 'utf8', maxBuffer: 1 << 30, timeout: patience * 1000 });
  const [kilobytes = 0, microseconds = 0] = (output[3] ?? '').split(' ').map(Number);
  let said: { readonly summary?: unknown } = {};
  try {
    said = JSON.parse(stdout) as typeof said;
  } catch {
    // It was given up, or says nothing of findings.
  }
  const summary = said.summary ?? said;
  const counts = ['errors', 'warnings', 'infos'].map(key => numberIn(summary, key));
  const findings = numberIn(summary, 'findings') ?? (counts.includes(undefined) ? undefined : counts.reduce<number>((sum, one) => sum + (one ?? 0), 0));
  const isKnown = kilobytes > 0;
  return { megabytes: isKnown ? kilobytes / 1024 : undefined, cpu: isKnown ? microseconds / 1e6 : undefined, findings, undecided: numberIn(summary, 'undecided') ?? (findings === undefined ? undefined : 0) };
}

/** What a row is measured by, as a command; undefined: by nothing. */
function besideOf({ beside, family }: Row, file: string): readonly [string, readonly string[]] | undefined {
  if (beside === undefined) return undefined;
  return beside === 'node' ? [process.execPath, ['-e', '0']] : ['unshare', ['-n', family === undefined ? 'iptables-legacy-restore' : 'ip6tables-legacy-restore', '--test', file]];
}

interface Measured extends Told {
  readonly ours: number;
  readonly theirs: number;
}

function measure(row: Row, runs: number): Measured {
  const file = fileOf(row);
  const words = (row.command ?? lint).map(word => word === 'FILE' ? file : word);
  const beside = besideOf(row, file);
  let [ours, theirs] = [Infinity, Infinity];
  for (let run = 0; run < runs; run++) {
    ours = Math.min(ours, seconds(process.execPath, words) ?? Infinity);
    if (beside !== undefined) theirs = Math.min(theirs, seconds(...beside) ?? Infinity);
    if (ours === Infinity) break;
  }
  return { ours, theirs, ...ours === Infinity ? { megabytes: undefined, cpu: undefined, findings: undefined, undecided: undefined } : ask(words) };
}

function verdict(value: number, limit: number, unit: string): string {
  return `${value <= limit ? 'within' : 'OVER'} ${String(limit)}${unit}`;
}

function shown(value: number | undefined): string {
  return value === undefined ? '?' : value.toLocaleString('en');
}

function lineOf(row: Row, { ours, theirs, megabytes, cpu, findings, undecided }: Measured): string {
  const [time, by] = [ours === Infinity ? `> ${String(patience)}` : ours.toFixed(2), theirs === Infinity ? '' : ` / ${theirs.toFixed(2)} s ${row.beside ?? ''}${ours === Infinity ? '' : ` = ${(ours / theirs).toFixed(1)}×`}`];
  const goal = row.beside === undefined ? verdict(ours, row.atMost, ' s') : theirs === Infinity ? 'nothing to compare with here' : verdict(ours / theirs, row.atMost, '×');
  const memory = megabytes === undefined ? '? MB' : `${megabytes.toFixed(0)} MB ${verdict(megabytes, row.memory, '')}`;
  return `${row.name.padEnd(30)} ${`${time} s${by}`.padEnd(34)} ${goal.padEnd(14)} ${(cpu === undefined ? '' : `cpu ${cpu.toFixed(2)} s`).padEnd(12)} ${memory.padEnd(22)} ${shown(findings)} findings, ${shown(undecided)} undecided`;
}

function showGrowth(times: ReadonlyMap<string, number>): void {
  for (const kind of Object.keys(generators)) {
    const [small, large] = [times.get(`${kind} ${String(growth.from)}`), times.get(`${kind} ${String(growth.to)}`)];
    if (small === undefined || large === undefined) continue;
    console.log(`${`growth to 100,000: ${kind}`.padEnd(30)} ${`${(large / small).toFixed(1)}×`.padEnd(34)} ${verdict(large / small, growth.atMost, '×')}`);
  }
}

function showCorpus(path: string, runs: number): void {
  const entries = JSON.parse(readFileSync(join(path, 'index.json'), 'utf8')) as readonly { readonly name: string; readonly family: 4 | 6 }[];
  const times = entries.map(({ name, family }) => {
    const words = [lint[0] ?? '', '--format', 'json', '--family', family === 6 ? 'ipv6' : 'ipv4', join(path, name)];
    return { name, time: Math.min(...Array.from({ length: runs }, () => seconds(process.execPath, words) ?? Infinity)) };
  }).sort((a, b) => b.time - a.time);
  const share = times.filter(({ time }) => time < corpusGoal.under).length / times.length;
  const [longest] = times;
  console.log(`${`corpus of ${String(times.length)} files`.padEnd(30)} ${(100 * share).toFixed(1)}% under ${String(corpusGoal.under)} s (${share >= corpusGoal.share ? 'within' : 'OVER'}), longest ${(longest?.time ?? 0).toFixed(2)} s (${verdict(longest?.time ?? 0, corpusGoal.longest, ' s')}): ${longest?.name ?? ''}`);
}

function main(): void {
  const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, runs: { type: 'string' }, only: { type: 'string' } } });
  const runs = Number(values.runs ?? (values.quick ? 2 : 5));
  const { only } = values;
  writeFileSync(probe, usageProbe);
  const times = new Map<string, number>();
  for (const row of rows) {
    if ((values.quick && row.isLong === true) || (only !== undefined && !row.name.includes(only))) continue;
    const measured = measure(row, row.isLong === true ? Math.min(runs, 3) : runs);
    if (row.command === undefined && row.family === undefined) times.set(`${row.kind} ${String(row.rules)}`, measured.ours);
    console.log(lineOf(row, measured));
  }
  showGrowth(times);
  const corpus = process.env['RULES_CORPUS'];
  if (corpus !== undefined && existsSync(join(corpus, 'index.json')) && only === undefined) showCorpus(corpus, Math.min(runs, 2));
}

try {
  main();
} finally {
  rmSync(folder, { recursive: true });
}
