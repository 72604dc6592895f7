/** Says the same with fewer claims: those that differ in one field only become one, where no claim between them is in the way. */
import { joinTwo, type Box } from './box.js';

interface Ordered {
  readonly key: string;
  readonly box: Box;
  readonly rules: readonly object[];
  /** It holds of its whole box, whatever comes before it. */
  readonly isWhole: boolean;
}

/** More claims than this are left as they are. */
const most = 150;

/** Joins what can be joined; the claims stay in an order in which the first that holds a packet is right. */
export function fewer<T extends Ordered>(claims: readonly T[]): T[] {
  if (claims.length > most) return [...claims];
  const out = largest(claims);
  for (let again = true; again;) {
    again = false;
    for (let i = 0; i < out.length; i++) for (let j = i + 1; j < out.length; j++) {
      const [a, b] = [out[i], out[j]];
      if (a === undefined || a.key !== b?.key || !isSame(a.rules, b.rules)) continue;
      const box = joinTwo(a.box, b.box);
      if (box === undefined) continue;
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

/** Without those that lie in another one which holds of its whole box, and so can come as soon. */
function largest<T extends Ordered>(claims: readonly T[]): T[] {
  const out = [...claims];
  for (let i = 0; i < out.length; i++) {
    const own = out[i];
    const around = own === undefined ? -1 : out.findIndex((one, j) => j !== i && one.isWhole && one.key === own.key && isInside(own.box, one.box));
    const [outer] = around < 0 ? [] : out.slice(around, around + 1);
    if (outer === undefined) continue;
    out[Math.min(i, around)] = outer;
    out.splice(Math.max(i, around), 1);
    i = -1;
  }
  return out;
}

function isInside(inner: Box, outer: Box): boolean {
  for (const [choice, value] of outer.choices) if (inner.choices.get(choice) !== value) return false;
  for (const [input, set] of outer.sides) {
    const own = inner.sides.get(input);
    if (own?.every((low, i) => i % 2 === 1 || set.some((from, k) => k % 2 === 0 && from <= low && (own[i + 1] ?? 0) <= (set[k + 1] ?? 0))) !== true) return false;
  }
  return outer.holes.length === 0;
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
