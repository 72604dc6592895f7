/** The smallest script that can be made of one: without what does no harm to leave out. fast-check comes near it, and this the rest of the way. */
import type { Script, Turn } from '../generate/near/script.js';

/** Scripts that are tried. */
const mostTries = 400;

function without<T>(list: readonly T[], index: number): readonly T[] {
  return list.filter((_, at) => at !== index);
}

function* smallerTurns(turn: Turn): Generator<Turn, void> {
  if (turn.advance > 0) yield { ...turn, advance: 0 };
  if ('count' in turn && turn.count > 1) for (const count of new Set([1, turn.count >> 1, turn.count - 1])) yield { ...turn, count };
}

/** All scripts that are one thing less. */
function* smallerScripts(script: Script): Generator<Script, void> {
  const { before, flows, turns } = script;
  for (const index of turns.keys()) yield { ...script, turns: without(turns, index) };
  for (const index of before.keys()) yield { ...script, before: without(before, index) };
  if (flows.length > 1) for (const index of flows.keys()) yield { ...script, flows: without(flows, index) };
  for (const [index, turn] of turns.entries()) for (const smaller of smallerTurns(turn)) yield { ...script, turns: turns.map((one, at) => at === index ? smaller : one) };
}

/** What is left of `script` when nothing more can be left out; `lengthOf` says of how many packets the failure is; undefined: there is none. */
export function smallest(script: Script, lengthOf: (script: Script) => number | undefined): Script {
  let best = script;
  let left = mostTries;
  let length = lengthOf(script) ?? Infinity;
  for (let isSmaller = true; isSmaller;) {
    isSmaller = false;
    for (const one of smallerScripts(best)) {
      if (left-- <= 0) return best;
      const found = lengthOf(one);
      if (found === undefined || found > length) continue;
      [best, length, isSmaller] = [one, found, true];
      break;
    }
  }
  return best;
}
