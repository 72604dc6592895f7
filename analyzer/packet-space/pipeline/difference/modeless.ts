/** Boxes that differ only in what the kernel may do in more than one way with packets that look alike: to a reader these are the same packets. */
import type { PartHole } from '../part.js';
import { joinTwo, type Box } from '../fates/box.js';
import { intersect } from '../../intervals.js';
import type { Pipeline } from '../passes.js';

/** What a reader sees of some boxes, as one, and the boxes. */
export interface Merged {
  readonly seen: Box;
  readonly boxes: readonly Box[];
}

/** A box without what it says of modes; what is left out of it in one mode only is in it to a reader. */
export function seenOf({ natInput, rawInput }: Pipeline, box: Box): Box {
  const isMode = (input: number): boolean => input === natInput || input === rawInput;
  return { ...box, sides: new Map([...box.sides].filter(([input]) => !isMode(input))), holes: box.holes.filter(({ sides }) => !sides.some(([input]) => isMode(input))) };
}

/** Makes one of those that are about the same thing and lie in another, or differ from it in one side. The largest come first. */
export function mergedModes<T extends Merged>(items: readonly T[], isLike: (a: T, b: T) => boolean): T[] {
  const out = [...items];
  for (let again = true; again;) {
    again = false;
    for (let i = 0; i < out.length; i++) for (let j = out.length - 1; j > i; j--) {
      const [a, b] = [out[i], out[j]];
      const one = a === undefined || b === undefined || !isLike(a, b) ? undefined : together(a, b);
      if (one === undefined) continue;
      out[i] = one;
      out.splice(j, 1);
      again = true;
    }
  }
  return out;
}

function together<T extends Merged>(a: T, b: T): T | undefined {
  const boxes = [...a.boxes, ...b.boxes];
  if (covers(a.seen, b.seen)) return { ...a, boxes };
  if (covers(b.seen, a.seen)) return { ...b, boxes };
  const seen = joinTwo(a.seen, b.seen);
  return seen === undefined ? undefined : { ...a, seen, boxes };
}

/** Whether every packet of the one is in the other. */
function covers(outer: Box, inner: Box): boolean {
  for (const [input, set] of outer.sides) {
    const own = inner.sides.get(input);
    if (own?.join() !== intersect(set, own ?? []).join()) return false;
  }
  for (const [choice, value] of outer.choices) if (inner.choices.get(choice) !== value) return false;
  return outer.holes.every(hole => inner.holes.some(other => keyOf(other) === keyOf(hole)) || isApart(hole, inner));
}

function keyOf({ sides, choices }: PartHole): string {
  return JSON.stringify([[...sides].sort((a, b) => a[0] - b[0]), choices]);
}

function isApart(hole: PartHole, { sides, choices }: Box): boolean {
  return hole.sides.some(([input, low, high]) => sides.has(input) && intersect(sides.get(input) ?? [], [low, high]).length === 0)
    || hole.choices.some(([choice, value]) => (choices.get(choice) ?? value) !== value);
}
