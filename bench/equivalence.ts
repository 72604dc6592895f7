/**
 * How long it takes to compare two rule sets of which a tenth of the rules stand in another order: `node build/bench/equivalence.js [rules]`.
 * Each kind runs in a process of its own. Beside it, on fewer rules, the naive method: all packets are looked at, not only those
 * that come to a rule which moved.
 */
import { execFileSync } from 'node:child_process';
import { load } from '../analyzer/model/load.js';
import type { Ruleset } from '../analyzer/model/ruleset.js';
import { solveBudget } from '../analyzer/packet-space/pipeline/solve.js';
import { always } from '../analyzer/packet/constraint.js';
import { differenceOf } from '../analyzer/packet-space/pipeline/difference/difference.js';
import { partsWithin, spacesOf } from '../analyzer/packet-space/pipeline/difference/rest.js';
import { Search } from '../analyzer/packet-space/pipeline/difference/search.js';
import { jointPipelines, type Joint } from '../analyzer/packet-space/pipeline/joint.js';

/** Numbers of 0 … `below` − 1, the same each time (a xorshift generator). */
function drawer(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const ports = [22, 25, 53, 80, 110, 123, 143, 389, 443, 445, 993, 3306, 5432, 8080];

/** Rules about one network: hosts and ports in it, accepted and dropped, some of them in the way of others. */
function siteRules(draw: (below: number) => number, site: number, count: number): string[] {
  const inside = `10.${String(site >> 8)}.${String(site & 255)}`;
  return Array.from({ length: count }, () => {
    const where = draw(10) < 2 ? `${inside}.0/24` : draw(10) < 3 ? `${inside}.${String(16 * draw(16))}/28` : `${inside}.${String(draw(256))}/32`;
    const from = draw(10) < 4 ? `-s 172.${String(16 + draw(16))}.${String(draw(256))}.0/24 ` : '';
    return `-A FORWARD ${from}-d ${where} -p tcp -m tcp --dport ${String(ports[draw(ports.length)])} -j ${draw(4) === 0 ? 'DROP' : 'ACCEPT'}`;
  });
}

interface TwoLists { readonly a: readonly string[]; readonly b: readonly string[] }

const siteSize = 50;
const tail = siteSize / 10;

/** The last tenth of the rules of each network wanders among those of other networks: that is neutral, as the order within each stays. */
function wandering(rules: number): TwoLists {
  const draw = drawer(41);
  const sites = Array.from({ length: Math.ceil(rules / siteSize) }, (_, site) => siteRules(draw, site, siteSize));
  const behind = sites.map((): string[] => []);
  sites.forEach((site, i) => {
    const places = Array.from({ length: tail }, () => Math.min(sites.length - 1, i + draw(sites.length >> 1))).sort((x, y) => x - y);
    site.slice(-tail).forEach((rule, k) => behind[places[k] ?? i]?.push(rule));
  });
  return { a: sites.flat(), b: sites.flatMap((site, i) => [...site.slice(0, -tail), ...behind[i] ?? []]) };
}

/** Pairs that are in each other's way change places; all that they share is taken by a rule before them. */
function covered(rules: number): TwoLists {
  const draw = drawer(43);
  const a = Array.from({ length: Math.ceil(rules / 20) }, (_, site) => {
    const inside = `10.${String(site >> 8)}.${String(site & 255)}`;
    const port = String(ports[draw(ports.length)]);
    return [
      ...siteRules(draw, site, 9), `-A FORWARD -s 192.0.2.0/25 -d ${inside}.0/24 -p tcp -m tcp --dport ${port} -j ACCEPT`,
      `-A FORWARD -s 192.0.2.0/24 -d ${inside}.0/25 -p tcp -m tcp --dport ${port} -j ACCEPT`, `-A FORWARD -s 192.0.2.0/25 -d ${inside}.0/24 -p tcp -j DROP`,
      ...siteRules(draw, site, 8).map(rule => rule.replace('-j DROP', '-j ACCEPT')),
    ];
  });
  // The second and the third change places where the first has taken what they share: each asks for the port.
  const b = a.map(site => site.map((rule, i) => (i === 10 ? site[11] : i === 11 ? site[10] : rule) ?? rule));
  return { a: a.flat().map(fix), b: b.flat().map(fix) };
}

function fix(rule: string): string {
  return rule.replace(/-d (\S+) -p tcp -j DROP/u, '-d $1 -p tcp -m tcp --dport 1:65535 -j DROP');
}

/** A tenth of the rules goes anywhere. */
function shuffled(rules: number): TwoLists {
  const { a } = wandering(rules);
  const draw = drawer(47);
  const moved = new Set(a.map((_, i) => i).filter(() => draw(10) === 0));
  const rest = a.filter((_, i) => !moved.has(i)).map((rule, i) => ({ rule, at: i }));
  const placed = [...moved].map(i => ({ rule: a[i] ?? '', at: draw(rest.length) + 0.5 }));
  return { a, b: [...rest, ...placed].sort((x, y) => x.at - y.at).map(one => one.rule) };
}

const kinds = { wandering, covered, shuffled } as const;

function read(lines: readonly string[]): Ruleset {
  const text = ['*filter', ':INPUT ACCEPT [0:0]', ':FORWARD DROP [0:0]', ':OUTPUT ACCEPT [0:0]', ...lines, 'COMMIT', ''].join('\n');
  const [ruleset] = load({ path: 'bench', text }).rulesets;
  if (ruleset === undefined) throw new Error('no rules');
  return ruleset;
}

function timed<T>(what: () => T): readonly [T, number] {
  const start = performance.now();
  const result = what();
  return [result, performance.now() - start];
}

function compile(kind: keyof typeof kinds, rules: number): readonly [Joint, string] {
  const { a, b } = kinds[kind](rules);
  const [sets, loading] = timed(() => [read(a), read(b)] as const);
  const [joint, compiling] = timed(() => jointPipelines(...sets, [], undefined));
  if (joint === undefined) throw new Error('jumps in circles');
  const moved = joint.kept[0].filter(one => one === 0).length;
  return [joint, `${String(moved)} moved; load ${loading.toFixed(0)} ms, compile ${compiling.toFixed(0)} ms`];
}

function measure(kind: keyof typeof kinds, rules: number): void {
  const [joint, words] = compile(kind, rules);
  const budget = solveBudget(400_000, 100_000_000);
  const [result, took] = timed(() => differenceOf(joint, { budget }));
  const found = result.kind === 'different' ? `different, ${String(result.cases.length)} cases${result.complete ? '' : ' and more'}` : result.kind;
  console.log(`${kind.padEnd(10)} ${String(rules)} rules: ${found}; ${words}, compare ${took.toFixed(0)} ms (${String(400_000 - budget.packets)} packets followed); ${(performance.now() / 1000).toFixed(1)} s in all, ${(process.resourceUsage().maxRSS / 1000).toFixed(0)} MB`);
}

/** All packets, without looking at what has changed. */
function naive(kind: keyof typeof kinds, rules: number): void {
  const [joint] = compile(kind, rules);
  const [, own] = timed(() => differenceOf(joint));
  const budget = solveBudget(100_000, 1_000_000_000);
  const [done, took] = timed(() => {
    const search = new Search(joint, budget, 0);
    return spacesOf(joint.sides[0], 'through').every(space => search.ask({ side: 0, path: 'through', space, watch: undefined, parts: partsWithin(joint.sides[0], space, always) }, Infinity));
  });
  console.log(`${kind.padEnd(10)} ${String(rules)} rules: compare ${own.toFixed(0)} ms; all packets ${done ? '' : 'not done after '}${took.toFixed(0)} ms`);
}

function main([size = '100000', kind, how]: readonly string[]): void {
  const rules = Number(size);
  if (kind !== undefined && kind in kinds) {
    (how === 'naive' ? naive : measure)(kind as keyof typeof kinds, rules);
    return;
  }
  for (const one of Object.keys(kinds)) for (const [count, ...more] of [[rules], [2000, 'naive']] as const) {
    process.stdout.write(execFileSync(process.execPath, [process.argv[1] ?? '', String(count), one, ...more], { encoding: 'utf8' }));
  }
}

main(process.argv.slice(2));
