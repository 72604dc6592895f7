/** Says the same with fewer claims: those that differ in one field only become one, where no claim between them is in the way. */
import { joinTwo, type Box } from './box.js';

interface Ordered {
  readonly key: string;
  readonly box: Box;
  readonly rules: readonly object[];
}

/** More claims than this are left as they are. */
const most = 400;

/** Joins what can be joined; the claims stay in an order in which the first that holds a packet is right. */
export function fewer<T extends Ordered>(claims: readonly T[]): T[] {
  const out = [...claims];
  if (out.length > most) return out;
  for (let again = true; again;) {
    again = false;
    for (let i = 0; i < out.length; i++) for (let j = i + 1; j < out.length; j++) {
      const [a, b] = [out[i], out[j]];
      const box = a === undefined || b === undefined || a.key !== b.key || !isSame(a.rules, b.rules) ? undefined : joinTwo(a.box, b.box);
      if (a === undefined || b === undefined || box === undefined) continue;
      const between = out.slice(i + 1, j).filter(one => one.key !== a.key);
      // The first may wait, or the second come sooner.
      const waits = between.every(one => areApart(one.box, a.box));
      if (!waits && !between.every(one => areApart(one.box, b.box))) continue;
      out[waits ? j : i] = { ...a, box };
      out.splice(waits ? i : j, 1);
      again = true;
      j = i;
      if (waits) break;
    }
  }
  return out;
}

function isSame(a: readonly object[], b: readonly object[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i]);
}

function areApart(a: Box, b: Box): boolean {
  for (const [choice, value] of a.choices) if ((b.choices.get(choice) ?? value) !== value) return true;
  for (const [input, set] of a.sides) {
    const other = b.sides.get(input);
    if (other !== undefined && !set.some((low, i) => i % 2 === 0 && other.some((from, k) => k % 2 === 0 && low <= (other[k + 1] ?? 0) && from <= (set[i + 1] ?? 0)))) return true;
  }
  return false;
}
