/**
 * What exact reasoning claims, and what the kernel does: a packet that is said to match a rule matches it; none matches a rule that is
 * said to be dead; and without a rule that is said to be redundant all fare as before.
 */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { StepAnswer } from '../../analyzer/netfilter/scenario.js';
import type { RuleAt } from '../../analyzer/packet-space/answers.js';
import { redundant } from '../../analyzer/packet-space/index.js';
import type { Backend, Family } from '../../analyzer/values/value.js';
import type { ReadRule } from '../packet-space/bdd-rules.js';
import { Draw, drawRuleset, kinds } from '../packet-space/bdd-rulesets.js';
import { claimsIn, claimsOf, cornersOf, filterHooks, placeOf, rulesOf, type Claims } from './claims-rules.js';
import { grouped, isAsMeant, scenarioOf, stage, type Staged, type Wanted } from './claims-stage.js';
import { Kernel } from '../../kernel/kernel.js';
import { kernelAvailable } from './kernel-available.js';

const onKernel = kernelAvailable() === undefined ? test.serial : test.skip;
/** Times as many rule sets are drawn, and rules of each looked at. */
const times = Number(process.env['IPTABLES_LINT_CLAIMS'] ?? 1);
const folder = fileURLToPath(new URL('../../../rules-examples/', import.meta.url));

/** A packet to play, and what must be true of what the kernel does with it: undefined, or what is wrong. */
interface Trial extends Wanted {
  readonly objection: (answer: StepAnswer) => string | undefined;
}

interface Tally {
  live: number;
  dead: number;
  redundant: number;
  /** Packets that the kernel got as they were meant, and those for which no host could be made, or that it saw in another way. */
  played: number;
  missed: number;
}

function some<T>(list: readonly T[], count: number, draw: Draw): readonly T[] {
  if (list.length <= count) return list;
  return Array.from({ length: count }, () => draw.of(list));
}

function wordOf({ chain, position }: { readonly chain: string; readonly position: number }): string {
  return `filter:${chain}:${String(position)}`;
}

function liveTrials(claims: Claims, draw: Draw): readonly Trial[] {
  const live = rulesOf(claims).filter(rule => claims.answers.get(placeOf(claims, rule).rule)?.kind === 'live');
  return some(live, 16 * times, draw).flatMap((rule): readonly Trial[] => {
    const answer = claims.answers.get(placeOf(claims, rule).rule);
    const hook = filterHooks.find(one => answer?.kind === 'live' && one === answer.hook);
    if (answer?.kind !== 'live' || hook === undefined) return [];
    return [{ hook, sample: answer.witness, objection: ({ path }) => path.includes(wordOf(rule)) ? undefined : `${rule.text} is live by it, and not on its way` }];
  });
}

/** Where a dead rule stands in a built-in chain, a packet that it asks for is taken by its certificate, or by what stands before: it meets no later rule. */
function takerObjection(claims: Claims, rule: ReadRule, by: readonly RuleAt[], path: readonly string[]): string | undefined {
  if (claims.chains.get(rule.chain)?.policy === undefined) return undefined;
  const last = path.filter(word => word.startsWith(`filter:${rule.chain}:`) && !word.endsWith(':policy')).at(-1) ?? 'the policy';
  const position = Number(last.slice(last.lastIndexOf(':') + 1));
  return by.some(one => wordOf(one) === last) || position < rule.position ? undefined : `${rule.text} is taken by ${by.map(wordOf).join(', ')}, and it was ${last}`;
}

function deadTrials(claims: Claims, draw: Draw): readonly Trial[] {
  const dead = rulesOf(claims).filter(rule => ['shadowed', 'unreachable-chain', 'contradiction'].includes(claims.answers.get(placeOf(claims, rule).rule)?.kind ?? ''));
  return some(dead, 10 * times, draw).flatMap(rule => filterHooks.flatMap(hook => cornersOf(claims, rule, hook, draw, 3).map((sample): Trial => ({ hook, sample, objection: ({ path }) => {
    const answer = claims.answers.get(placeOf(claims, rule).rule);
    if (path.includes(wordOf(rule))) return `${rule.text} is ${answer?.kind ?? ''}, and on its way`;
    return answer?.kind === 'shadowed' && hook === rule.chain ? takerObjection(claims, rule, answer.by, path) : undefined;
  } }))));
}

interface Court {
  readonly kernel: Kernel;
  readonly backend: Backend;
  readonly tally: Tally;
}

/** Played: each packet with what became of it, where it was as meant. */
async function play({ kernel, backend, tally }: Court, { family }: Claims, rules: string, wanted: readonly Wanted[]): Promise<ReadonlyMap<Wanted, StepAnswer>> {
  const staged = new Map<Staged, Wanted>();
  for (const [number, one] of wanted.entries()) {
    const made = stage(one, family, number);
    if (made === undefined) tally.missed++;
    else staged.set(made, one);
  }
  const played = new Map<Wanted, StepAnswer>();
  // All come to their end, also where one of them fails: the kernel is not to be left in the middle of a scenario.
  const settled = await Promise.allSettled(grouped([...staged.keys()], 30).map(async group => {
    const { steps } = await kernel.run(scenarioOf(group, { family, backend, rules }));
    for (const [index, one] of group.entries()) {
      const [answer, own] = [steps[index], staged.get(one)];
      if (answer !== undefined && own !== undefined && isAsMeant(one, answer)) played.set(own, answer);
    }
  }));
  for (const one of settled) if (one.status === 'rejected') throw one.reason;
  tally.played += played.size;
  tally.missed += staged.size - played.size;
  return played;
}

async function judgeReach(court: Court, claims: Claims, draw: Draw): Promise<readonly string[]> {
  const [live, dead] = [liveTrials(claims, draw), deadTrials(claims, draw)];
  const played = await play(court, claims, claims.text, [...live, ...dead]);
  court.tally.live += live.filter(one => played.has(one)).length;
  court.tally.dead += dead.filter(one => played.has(one)).length;
  return [...live, ...dead].flatMap(trial => {
    const answer = played.get(trial);
    const objection = answer === undefined ? undefined : trial.objection(answer);
    return objection === undefined ? [] : [`${trial.hook} ${JSON.stringify(trial.sample)}: ${objection}; ${JSON.stringify(answer?.path)}\n${claims.text}`];
  });
}

/** One rule left out: the lines of the text but that one. */
function without({ text }: Claims, { chain, position }: ReadRule): string {
  let seen = 0;
  return text.split('\n').filter(line => !line.startsWith(`-A ${chain} `) || ++seen !== position).join('\n');
}

async function judgeRedundant(court: Court, claims: Claims, draw: Draw): Promise<readonly string[]> {
  const redundancies = rulesOf(claims).filter(rule => claims.answers.get(placeOf(claims, rule).rule)?.kind === 'live' && redundant(claims.space, claims.table, placeOf(claims, rule)).kind === 'redundant');
  const objections: string[] = [];
  for (const rule of some(redundancies, 2 * times, draw)) {
    const wanted = filterHooks.flatMap(hook => cornersOf(claims, rule, hook, draw, 8).map(sample => ({ hook, sample })));
    const before = await play(court, claims, claims.text, wanted);
    const after = await play(court, claims, without(claims, rule), wanted);
    for (const one of wanted) {
      const [first, second] = [before.get(one), after.get(one)];
      if (first === undefined || second === undefined) continue;
      court.tally.redundant++;
      if (first.verdict !== second.verdict) objections.push(`${one.hook} ${JSON.stringify(one.sample)}: ${rule.text} is redundant, yet ${first.verdict} became ${second.verdict} without it\n${claims.text}`);
    }
  }
  return objections;
}

function drawnClaims(family: Family): readonly Claims[] {
  return kinds.flatMap(kind => Array.from({ length: 2 * times }, (_, seed) => claimsOf(drawRuleset({ kind, family, rules: 60 + 40 * (seed % 3), seed: seed + 1 }), family)));
}

function exampleClaims(family: Family): readonly Claims[] {
  return readdirSync(folder).filter(name => /\.(?:rules|sh|txt)$/u.test(name)).flatMap(name => claimsIn(`${folder}${name}`)).filter(one => one.family === family);
}

for (const family of ['ipv4', 'ipv6'] as const) for (const backend of ['legacy', 'nft'] as const) {
  onKernel(`the kernel agrees with what is said of rules: ${family}, ${backend}`, async t => {
    t.timeout(300_000);
    const court: Court = { kernel: new Kernel(), backend, tally: { live: 0, dead: 0, redundant: 0, played: 0, missed: 0 } };
    try {
      for (const [index, claims] of [...drawnClaims(family), ...exampleClaims(family)].entries()) {
        const draw = new Draw(index + 1);
        t.deepEqual([...await judgeReach(court, claims, draw), ...await judgeRedundant(court, claims, draw)].slice(0, 3), []);
      }
    } finally {
      await court.kernel.close();
    }
    t.log(court.tally);
    const { live, dead, redundant: alike, played, missed } = court.tally;
    t.true(live > 20 && dead > 20 && alike > 10 && played > missed);
  });
}
