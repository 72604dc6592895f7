/**
 * Two rule sets in one space: both are followed with the same inputs and the same choices, rule for rule where they have the same
 * rule. What they do differently with a packet then is due to rules that only one of them has, or has elsewhere.
 */
import type { Ruleset } from '../../model/ruleset.js';
import { printBody } from '../../model/print.js';
import type { Constraint } from '../../packet/constraint.js';
import { InvariantError } from '../invariant.js';
import type { Chains, PipelineChain } from './chains.js';
import { compileChains } from './compile-chains.js';
import { readRuleset } from './read-ruleset.js';
import { align } from './difference/align.js';
import { firstBoxes, RuleChoices } from './fates/rule-choices.js';
import { shareStages } from './difference/places.js';
import { writtenByWords, type FreeInputs } from './free-inputs.js';
import type { Mode } from './modes.js';
import { makePipeline, waysOf, type Pipeline } from './passes.js';
import { dimensionsFor } from './pipeline-dimensions.js';
import { ChoiceNames } from './choice-names.js';
import { extraChains, paths, type Path, type Routing } from './stages.js';
import type { Write } from './values.js';
import { boxesOf } from './watch.js';

/** What the second rule set shares with the first, box by box. */
interface Sharing {
  /** Of each box of the second (numbered over all chains): the same box in the first, or a number that no box of the first has. */
  readonly boxes: Int32Array;
  /** Of each rule of the first and of the second: 1 where the other has it in the same place. */
  readonly kept: readonly [Uint8Array, Uint8Array];
  /** Of each rule of the first and of the second: its like in the other, wherever that stands, or -1. */
  readonly partner: readonly [Int32Array, Int32Array];
}

export interface Joint extends Pick<Sharing, 'kept' | 'partner'> {
  readonly sides: readonly [Pipeline, Pipeline];
  /** By path: 1 for stages at which the two may differ, though the packet comes alike. */
  readonly differs: Readonly<Record<Path, Uint8Array>>;
  /** Base chains that end differently: `table HOOK`. */
  readonly policies: readonly string[];
}

/** The choices of the second rule set by the names that they have in the first. */
class SharedChoices extends ChoiceNames {
  readonly #names: ChoiceNames;
  readonly #first: Int32Array;
  readonly #boxes: Int32Array;

  constructor(names: ChoiceNames, chains: Chains, boxes: Int32Array) {
    super();
    this.#names = names;
    this.#first = firstBoxes(chains);
    this.#boxes = boxes;
  }

  override soft(way: number, box: number): number { return this.#names.soft(way, this.#boxes[box] ?? box); }
  override atom(atom: number, epoch: number, isReply: boolean): number { return this.#names.atom(atom, epoch, isReply); }
  override below(way: number, box: number): number {
    const first = this.#first[box] ?? box;
    return this.#names.below(way, this.#boxes[first] ?? first);
  }
}

/**
 * Compiles two rule sets of one family together. `asked`: what questions will say of packets. Undefined where jumps of one of them go in
 * circles, which no kernel loads.
 */
export function jointPipelines(a: Ruleset, b: Ruleset, asked: readonly Constraint[], routing: Routing | undefined): Joint | undefined {
  const read = [readRuleset(a), readRuleset(b)] as const;
  if (read.some(one => one.cyclic)) return undefined;
  const extra = extraChains(routing);
  const dimensions = dimensionsFor(read, asked, extra);
  const chains = [compileChains(read[0], dimensions, extra), compileChains(read[1], dimensions, extra)] as const;
  const sharing = share(...chains);
  const ways = shareStages({ chains: chains[0], ...waysOf(chains[0], routing) }, { chains: chains[1], ...waysOf(chains[1], routing) });
  const [left, right] = shareInputs(makePipeline(chains[0], ways[0], false), makePipeline(chains[1], ways[1], false), sharing);
  const names = new RuleChoices(chains[0]);
  const sides = [{ ...left, choices: names }, { ...right, choices: new SharedChoices(names, chains[1], sharing.boxes) }] as const;
  const policies = otherPolicies(...chains);
  const { kept, partner } = sharing;
  return { sides, kept, partner, policies, differs: differing(sides, kept, policies) };
}

/** The numbers of a chain's rules, in order; of a chain that is not there, none. */
function rulesOf({ rules }: Chains): ReadonlyMap<string, number[]> {
  const out = new Map<string, number[]>();
  rules.forEach(({ table, chain }, number) => {
    const key = `${table} ${chain}`;
    const known = out.get(key);
    if (known === undefined) out.set(key, [number]);
    else known.push(number);
  });
  return out;
}

function share(a: Chains, b: Chains): Sharing {
  const total = a.list.reduce((sum, chain) => sum + chain.count, 0);
  const boxes = Int32Array.from({ length: b.list.reduce((sum, chain) => sum + chain.count, 0) }, (_, box) => total + box);
  const kept = [new Uint8Array(a.rules.length), new Uint8Array(b.rules.length)] as const;
  const partner = [new Int32Array(a.rules.length).fill(-1), new Int32Array(b.rules.length).fill(-1)] as const;
  const [ownA, ownB] = [rulesOf(a), rulesOf(b)];
  const { family, backend } = a.ruleset;
  for (const [key, id] of a.ids) {
    const [left, right] = [a.list[id], b.list[b.ids.get(key) ?? -1]];
    if (left === undefined || right === undefined) continue;
    const [rulesA, rulesB] = [ownA.get(key) ?? [], ownB.get(key) ?? []];
    const words = (chains: Chains, numbers: readonly number[]): string[] => numbers.map(number => {
      const at = chains.rules[number];
      return at === undefined ? '' : printBody(at.rule, { table: at.table, family, backend });
    });
    const alignment = align(words(a, rulesA), words(b, rulesB));
    if (key.startsWith(' ') && left.count === right.count) for (let box = 0; box < left.count; box++) if (isSameBox(a, b, left, box, right, box)) boxes[right.firstBox + box] = left.firstBox + box;
    rulesA.forEach((number, i) => {
      const other = rulesB[alignment.partner[i] ?? -1];
      if (other === undefined) return;
      const [from, to] = boxesOf(a, number) ?? [0, 0];
      const [start, end] = boxesOf(b, other) ?? [0, 0];
      if (to - from !== end - start) return;
      for (let box = from; box < to; box++) if (!isSameBox(a, b, left, box, right, start + box - from)) return;
      for (let box = from; box < to; box++) boxes[right.firstBox + start + box - from] = left.firstBox + box;
      partner[0][number] = other;
      partner[1][other] = number;
      if (alignment.kept[i] === 1) kept[0][number] = kept[1][other] = 1;
    });
  }
  return { boxes, kept, partner };
}

/** Whether two boxes ask and do the same; what the chain that they call does is not looked at. */
function isSameBox(a: Chains, b: Chains, left: PipelineChain, i: number, right: PipelineChain, j: number): boolean {
  if (left.act[i] !== right.act[j] || left.soft[i] !== right.soft[j] || left.doubt[i] !== right.doubt[j]) return false;
  if (a.list[left.callee[i] ?? -1]?.name !== b.list[right.callee[j] ?? -1]?.name) return false;
  const [from, to, start, end] = [left.at[i] ?? 0, left.at[i + 1] ?? 0, right.at[j] ?? 0, right.at[j + 1] ?? 0];
  if (to - from !== end - start) return false;
  for (let x = from, y = start; x < to; x++, y++) if (left.dim[x] !== right.dim[y] || left.lo[x] !== right.lo[y] || left.hi[x] !== right.hi[y]) return false;
  return isSame(left.atoms[i], right.atoms[j]) && isSame(left.writes[i], right.writes[j]);
}

function isSame(left: readonly unknown[] | undefined, right: readonly unknown[] | undefined): boolean {
  return left === right || JSON.stringify(left) === JSON.stringify(right);
}

/** One vector of inputs for both: what the same rule leaves open is the same input, and what another in the same words does. */
function shareInputs(a: Pipeline, b: Pipeline, { partner }: Sharing): readonly [Pipeline, Pipeline] {
  const { fieldCount } = a.chains;
  const lasts = [...a.last.slice(fieldCount, a.backInputs)];
  const partners = new Map<Write, Write>();
  const link = (left: readonly Write[] | undefined, right: readonly Write[] | undefined): void => {
    (right ?? []).forEach((write, i) => {
      const own = left?.[i];
      if (own !== undefined) partners.set(write, own);
    });
  };
  for (const [number, writes] of b.chains.writers) if ((partner[1][number] ?? -1) >= 0) link(a.chains.writers.get(partner[1][number] ?? -1), writes);
  for (const [key, id] of b.chains.ids) if (key.startsWith(' ')) b.chains.list[id]?.writes.forEach((some, box) => { link(a.chains.list[a.chains.ids.get(key) ?? -1]?.writes[box], some); });
  const [wordsA, wordsB] = [writtenByWords(a.chains), writtenByWords(b.chains)];
  const byWords = new Map<string, number>();
  const note = (words: string | undefined, when: string, input: number): number => {
    if (words !== undefined && !byWords.has(`${when} ${words}`)) byWords.set(`${when} ${words}`, input);
    return input;
  };
  for (const [write, occasions] of a.freeInputs) for (const [when, input] of occasions) note(wordsA.get(write), when, input);
  const inputsB = new Map([...b.freeInputs].map(([write, occasions]) => {
    const [known, words] = [a.freeInputs.get(partners.get(write) ?? write), wordsB.get(write)];
    return [write, new Map([...occasions].map(([when, input]) => [when, known?.get(when) ?? byWords.get(`${when} ${words ?? ''}`) ?? note(words, when, fieldCount + lasts.push(b.last[input] ?? 0) - 1)]))];
  }));
  const modes = {} as Record<Path, readonly Mode[]>;
  for (const path of paths) modes[path] = [...new Map([...a.modes[path], ...b.modes[path]].map(mode => [JSON.stringify(mode), mode])).values()];
  return [laidOut(a, b, a.freeInputs, lasts, modes), laidOut(b, a, inputsB, lasts, modes)];
}

/** What one of the two does not need has a place for the sake of the other. */
function laidOut(one: Pipeline, other: Pipeline, freeInputs: FreeInputs, lasts: readonly number[], modes: Pipeline['modes']): Pipeline {
  const { fieldCount } = one.chains;
  const last = [...one.last.slice(0, fieldCount), ...lasts];
  const place = (from: number, count: number): number => {
    if (from < 0) return -1;
    last.push(...one.last.slice(from, from + count));
    return last.length - count;
  };
  const backInputs = place(one.backInputs, fieldCount);
  const ttl = place(one.ttlInputs[0], 2);
  const out = one.outInputs[0] >= 0 ? place(one.outInputs[0], 2) : other.outInputs[0] < 0 ? -1 : last.push(...other.last.slice(other.outInputs[0], other.outInputs[0] + 2)) - 2;
  const natInput = place(one.natInput, 1);
  const rawInput = place(one.rawInput, 1);
  const left = one.last.length - (one.backInputs - fieldCount) - (last.length - lasts.length) + (out >= 0 && one.outInputs[0] < 0 ? 2 : 0);
  if (left !== 0) throw new InvariantError('inputs that two rule sets do not share');
  const both = (input: number): readonly [number, number] => [input, input < 0 ? -1 : input + 1];
  const likely = one.likely.map(([input, liked]): readonly [number, readonly number[]] => [input < one.backInputs ? input : input - one.backInputs + backInputs, liked]);
  return { ...one, freeInputs, modes, likely, last, backInputs, ttlInputs: both(ttl), outInputs: both(out), natInput, rawInput };
}

/** Base chains whose policy is not the same. A table that is not there accepts. */
function otherPolicies(a: Chains, b: Chains): string[] {
  const policies = (chains: Chains): Map<string, string> => new Map([...chains.ids].flatMap(([key, id]) => chains.list[id]?.policy === 'DROP' && !key.startsWith(' ') ? [[key, 'DROP']] : []));
  const [left, right] = [policies(a), policies(b)];
  return [...new Set([...left.keys(), ...right.keys()])].filter(key => left.get(key) !== right.get(key));
}

function differing(sides: readonly [Pipeline, Pipeline], kept: Sharing['kept'], policies: readonly string[]): Record<Path, Uint8Array> {
  const changed = sides.map(({ chains }, side) => new Set([...chains.chainOf].filter((_, number) => kept[side]?.[number] !== 1)));
  const touched = (side: number, chain: number): boolean => {
    if (chain < 0) return false;
    for (const id of sides[side]?.chains.below(chain) ?? []) if (changed[side]?.has(id) === true) return true;
    return false;
  };
  const out = {} as Record<Path, Uint8Array>;
  for (const path of paths) {
    out[path] = Uint8Array.from(sides[0].forth[path], (stage, at) => {
      const other = sides[1].forth[path][at];
      return policies.includes(`${stage.table} ${stage.hook}`) || touched(0, stage.chain) || touched(1, other?.chain ?? -1) ? 1 : 0;
    });
  }
  return out;
}
