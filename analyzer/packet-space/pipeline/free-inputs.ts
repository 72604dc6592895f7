/**
 * The inputs that stand for what writes leave open. Each time that something is written it may be something else, so that each time has an input.
 * Of rules that end their table a packet meets one at most, so that these have inputs in common.
 */
import { printBody } from '../../model/print.js';
import { Step, type Chains } from './chains.js';
import type { Stage } from './stages.js';
import type { Write } from './values.js';

/** Of each write that leaves something open: the input of each occasion. */
export type FreeInputs = ReadonlyMap<Write, ReadonlyMap<string, number>>;

/** More times than this in one table at one hook, and a packet is not followed further. */
const turnLimit = 4;

/** When a rule writes: where, to a packet or to what comes back, and how many times it did so there before. */
export function occasion({ hook }: Stage, isReply: boolean, turn: number): string {
  return `${hook} ${isReply ? 'back' : 'forth'} ${String(turn)}`;
}

/**
 * What is written, of rules that end their table: the same words leave the same open, whichever of the rules says them, for a packet meets one of them, and the kernel
 * finds the same (the address of the interface by which it leaves).
 */
export function writtenByWords(chains: Chains): ReadonlyMap<Write, string> {
  const ending = new Set(chains.list.flatMap(({ writing }) => writing.flatMap(({ act, writes }) => act === Step.Write ? [] : writes)));
  const { family, backend } = chains.ruleset;
  return new Map([...chains.writers].flatMap(([number, writes]) => {
    const at = chains.rules[number];
    const words = at === undefined ? undefined : printBody({ ...at.rule, ...asksNothing }, { table: at.table, family, backend });
    return writes.flatMap((write): [Write, string][] => words === undefined || write.kind !== 'free' || !ending.has(write) ? [] : [[write, [at?.table, words, write.dimension, write.high - write.low].join(' ')]]);
  }));
}

const asksNothing = { source: undefined, destination: undefined, inInterface: undefined, outInterface: undefined, protocol: undefined, fragment: undefined, matches: [] };

/** Gives inputs to all occasions; `last` gets the last class of each. `isShared`: rules of which one at most is met have the same, whatever they say. */
export function freeInputsOf(chains: Chains, forth: Iterable<Stage>, back: Iterable<Stage>, last: number[], isShared: boolean): FreeInputs {
  const inputs = new Map<Write, Map<string, number>>();
  const common = new Map<string, number>();
  const words = isShared ? undefined : writtenByWords(chains);
  for (const stages of [forth, back]) for (const stage of stages) for (const { write, turns, ends } of writesAt(chains, stage)) {
    const own = inputs.get(write) ?? new Map<string, number>();
    inputs.set(write, own);
    for (let turn = 0; turn < turns; turn++) {
      const when = occasion(stage, stages === back, turn);
      if (own.has(when)) continue;
      const what = isShared && ends ? [stage.table, write.dimension, write.high - write.low].join(' ') : words?.get(write);
      const place = what === undefined ? undefined : `${when} ${what}`;
      const input = common.get(place ?? '') ?? last.push(write.high - write.low) - 1;
      own.set(when, input);
      if (place !== undefined) common.set(place, input);
    }
  }
  return inputs;
}

type FreeWrite = Extract<Write, { kind: 'free' }>;

/** What a stage may write that is left open, and how many times one packet may meet it there. */
function* writesAt(chains: Chains, { chain, underWay }: Stage): Generator<{ readonly write: FreeWrite; readonly turns: number; readonly ends: boolean }, void> {
  for (const base of [chain, underWay]) {
    const calls = new Map([[base, 1]]);
    for (const id of chains.below(base)) for (const { act, writes } of chains.list[id]?.writing ?? []) for (const write of writes) {
      // What ends the table is met once.
      if (write.kind === 'free') yield { write, turns: act === Step.Write ? callsOf(chains, id, calls) : 1, ends: act !== Step.Write };
    }
  }
}

/** In how many ways a chain can be called, from one for which that is known; `turnLimit` at most. */
function callsOf(chains: Chains, id: number, known: Map<number, number>): number {
  let count = known.get(id);
  if (count === undefined) {
    count = 0;
    for (const [caller] of chains.callers.get(id) ?? []) count = Math.min(turnLimit, count + callsOf(chains, caller, known));
    known.set(id, count);
  }
  return count;
}
