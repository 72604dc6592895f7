/** Parts of all inputs: where packets are looked for, and what is said of them. */

/** A class for each input. A plain array: typed ones that are larger than a few numbers lie outside of the heap, and take long to make. */
export type Classes = readonly number[];

/** An interval of each input. */
export interface PartBox {
  readonly lo: Classes;
  readonly hi: Classes;
}

/** An interval of each input, and choices that are fixed. */
export interface Part extends PartBox {
  readonly choices: ReadonlyMap<number, number>;
}

/** Inputs that lie in all of the intervals, and choices that are as given: [input, low, high], [choice, value]. */
export interface PartHole {
  readonly sides: readonly (readonly [number, number, number])[];
  readonly choices: readonly (readonly [number, number])[];
}

/** A packet; choices that are not there are 0. */
export interface Spot {
  readonly inputs: Classes;
  readonly choices: ReadonlyMap<number, number>;
}

const noChoices: ReadonlyMap<number, number> = new Map();

export function holds({ lo, hi, choices }: Part, { inputs, choices: chosen }: Spot): boolean {
  for (let i = 0; i < inputs.length; i++) if ((inputs[i] ?? 0) < (lo[i] ?? 0) || (inputs[i] ?? 0) > (hi[i] ?? 0)) return false;
  // Most fix no choice, and then none is to be gone through: these are asked more than anything else.
  if (choices.size > 0) for (const [choice, value] of choices) if ((chosen.get(choice) ?? 0) !== value) return false;
  return true;
}

export function inHole({ sides, choices }: PartHole, { inputs, choices: chosen }: Spot): boolean {
  for (const [input, low, high] of sides) if (low > (inputs[input] ?? 0) || high < (inputs[input] ?? 0)) return false;
  if (choices.length > 0) for (const [choice, value] of choices) if ((chosen.get(choice) ?? 0) !== value) return false;
  return true;
}

export function contains(outer: Part, inner: Part): boolean {
  // Where much is open, parts differ in what is chosen more than in anything else.
  if (outer.choices.size > inner.choices.size) return false;
  if (outer.choices.size > 0) for (const [choice, value] of outer.choices) if (inner.choices.get(choice) !== value) return false;
  for (let i = 0; i < inner.lo.length; i++) if ((outer.lo[i] ?? 0) > (inner.lo[i] ?? 0) || (outer.hi[i] ?? 0) < (inner.hi[i] ?? 0)) return false;
  return true;
}

/** No packet lies in both. */
export function isApart(a: Part, b: Part): boolean {
  for (let i = 0; i < a.lo.length; i++) if ((a.lo[i] ?? 0) > (b.hi[i] ?? 0) || (a.hi[i] ?? 0) < (b.lo[i] ?? 0)) return true;
  if (b.choices.size > 0) for (const [choice, value] of b.choices) if ((a.choices.get(choice) ?? value) !== value) return true;
  return false;
}

/** What two boxes share that meet. */
function both(a: PartBox, b: PartBox): PartBox {
  const [lo, hi] = [a.lo.slice(), a.hi.slice()];
  for (let i = 0; i < lo.length; i++) {
    const [low, high] = [b.lo[i] ?? 0, b.hi[i] ?? 0];
    if (low > (lo[i] ?? 0)) lo[i] = low;
    if (high < (hi[i] ?? 0)) hi[i] = high;
  }
  return { lo, hi };
}

/** What two parts share. */
export function meet(a: Part, b: Part): Part | undefined {
  if (isApart(a, b)) return undefined;
  return { ...both(a, b), choices: b.choices.size === 0 ? a.choices : new Map([...a.choices, ...b.choices]) };
}

/** A part around all of some, of which there is one at least. */
export function hull(parts: readonly PartBox[]): Part {
  const [lo, hi] = [(parts[0]?.lo ?? []).slice(), (parts[0]?.hi ?? []).slice()];
  for (const part of parts) for (let i = 0; i < lo.length; i++) {
    lo[i] = Math.min(lo[i] ?? 0, part.lo[i] ?? 0);
    hi[i] = Math.max(hi[i] ?? 0, part.hi[i] ?? 0);
  }
  return { lo, hi, choices: noChoices };
}

/** What of a part lies outside of another that it meets. */
export function outside(part: Part, other: Part): Part[] {
  const out = outsideBox(part, other);
  if (other.choices.size === 0) return out;
  const fixed = [...other.choices].filter(([choice]) => !part.choices.has(choice));
  if (fixed.length === 0) return out;
  const { lo, hi } = both(part, other);
  const choices = new Map(part.choices);
  for (const [choice, value] of fixed) {
    out.push({ lo, hi, choices: new Map([...choices, [choice, 1 - value]]) });
    choices.set(choice, value);
  }
  return out;
}

/** What of a part lies outside of a box that it meets, in disjoint parts. */
function outsideBox({ lo: from, hi: to, choices }: Part, box: PartBox): Part[] {
  const out: Part[] = [];
  // What is left of the part; it is copied once it is less.
  let [lo, hi] = [from, to];
  for (let i = 0; i < from.length; i++) {
    const [low, high] = [box.lo[i] ?? 0, box.hi[i] ?? 0];
    if (low > (lo[i] ?? 0)) {
      out.push({ lo, hi: withAt(hi, i, low - 1), choices });
      lo = withAt(lo, i, low);
    }
    if (high < (hi[i] ?? 0)) {
      out.push({ lo: withAt(lo, i, high + 1), hi, choices });
      hi = withAt(hi, i, high);
    }
  }
  return out;
}

/** A copy with another class of one input. */
function withAt(classes: Classes, input: number, value: number): Classes {
  const copy = classes.slice();
  copy[input] = value;
  return copy;
}

/** Whether a part may hold packets of a hole, each side of which says something of another input. */
export function meetsHole({ lo, hi, choices }: Part, hole: PartHole): boolean {
  for (const [input, low, high] of hole.sides) if (low > (hi[input] ?? 0) || high < (lo[input] ?? 0)) return false;
  return hole.choices.every(([choice, value]) => (choices.get(choice) ?? value) === value);
}

/** What of a part lies in a hole. */
export function inside(part: Part, hole: PartHole): Part | undefined {
  // Most holes lie elsewhere, and then nothing need be copied.
  for (const [input, low, high] of hole.sides) if (low > (part.hi[input] ?? 0) || high < (part.lo[input] ?? 0)) return undefined;
  const [lo, hi] = [part.lo.slice(), part.hi.slice()];
  for (const [input, low, high] of hole.sides) {
    if (low > (lo[input] ?? 0)) lo[input] = low;
    if (high < (hi[input] ?? 0)) hi[input] = high;
    if ((lo[input] ?? 0) > (hi[input] ?? 0)) return undefined;
  }
  if (hole.choices.length === 0) return { lo, hi, choices: part.choices };
  const choices = new Map(part.choices);
  for (const [choice, value] of hole.choices) {
    if ((choices.get(choice) ?? value) !== value) return undefined;
    choices.set(choice, value);
  }
  return { lo, hi, choices };
}
