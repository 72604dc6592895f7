/** Boxes of packets: in each dimension an interval of classes. */

/** A box that says something of every dimension. */
export interface Region {
  readonly lo: Int32Array;
  readonly hi: Int32Array;
}

/**
 * Many boxes that say little: box i has the sides at[i] … at[i + 1] - 1, each an interval lo … hi in dimension dim.
 * A table may have thousands of dimensions (a property each), and a rule asks of few.
 */
export interface Boxes {
  readonly count: number;
  readonly at: Int32Array;
  readonly dim: Int32Array;
  readonly lo: Int32Array;
  readonly hi: Int32Array;
  /** What makes a box matter to a question; a question asks for some of the bits. */
  readonly bits: Int32Array;
  /** The last class of each dimension. */
  readonly last: Int32Array;
}

export function holds({ at, dim, lo, hi }: Boxes, box: number, point: Int32Array): boolean {
  for (let i = at[box] ?? 0, end = at[box + 1] ?? 0; i < end; i++) {
    const value = point[dim[i] ?? 0] ?? 0;
    if ((lo[i] ?? 0) > value || (hi[i] ?? 0) < value) return false;
  }
  return true;
}

export function meets({ at, dim, lo, hi }: Boxes, box: number, region: Region): boolean {
  for (let i = at[box] ?? 0, end = at[box + 1] ?? 0; i < end; i++) {
    const d = dim[i] ?? 0;
    if ((lo[i] ?? 0) > (region.hi[d] ?? 0) || (hi[i] ?? 0) < (region.lo[d] ?? 0)) return false;
  }
  return true;
}

/** Cuts a region down to its part in the box, in place. */
export function narrow(region: Region, { at, dim, lo, hi }: Boxes, box: number): void {
  for (let i = at[box] ?? 0, end = at[box + 1] ?? 0; i < end; i++) {
    const d = dim[i] ?? 0;
    if ((region.lo[d] ?? 0) < (lo[i] ?? 0)) region.lo[d] = lo[i] ?? 0;
    if ((region.hi[d] ?? 0) > (hi[i] ?? 0)) region.hi[d] = hi[i] ?? 0;
  }
}

/** The part of a region that lies in the box; undefined where there is none. */
export function partIn(region: Region, boxes: Boxes, box: number): Region | undefined {
  if (!meets(boxes, box, region)) return undefined;
  const part = copyOf(region);
  narrow(part, boxes, box);
  return part;
}

export function copyOf({ lo, hi }: Region): { readonly lo: Int32Array; readonly hi: Int32Array } {
  return { lo: lo.slice(), hi: hi.slice() };
}

export function contains(outer: Region, inner: Region): boolean {
  for (let d = 0; d < inner.lo.length; d++) {
    if ((outer.lo[d] ?? 0) > (inner.lo[d] ?? 0) || (outer.hi[d] ?? 0) < (inner.hi[d] ?? 0)) return false;
  }
  return true;
}

/** What of a region lies outside of a box within it, in disjoint parts. */
export function outside(region: Region, box: Region): Region[] {
  const parts: Region[] = [];
  const rest = copyOf(region);
  for (let d = 0; d < rest.lo.length; d++) {
    const [low, high] = [box.lo[d] ?? 0, box.hi[d] ?? 0];
    if (low > (rest.lo[d] ?? 0)) {
      const part = copyOf(rest);
      part.hi[d] = low - 1;
      parts.push(part);
      rest.lo[d] = low;
    }
    if (high < (rest.hi[d] ?? 0)) {
      const part = copyOf(rest);
      part.lo[d] = high + 1;
      parts.push(part);
      rest.hi[d] = high;
    }
  }
  return parts;
}

/** What of some regions lies outside of some boxes, in disjoint parts; undefined where there would be more than `limit`. */
export function without(regions: readonly Region[], boxes: Boxes, some: readonly number[], limit: number): readonly Region[] | undefined {
  let left = regions;
  for (const box of some) {
    const rest: Region[] = [];
    for (const region of left) {
      const part = partIn(region, boxes, box);
      if (part === undefined) rest.push(region);
      else rest.push(...outside(region, part));
    }
    if (rest.length > limit) return undefined;
    left = rest;
  }
  return left;
}
