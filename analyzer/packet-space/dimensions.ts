/**
 * The dimensions of one table's packet space. Each is a line of few classes of values, such that no
 * rule of the table tells two values of a class apart: all arithmetic is on class numbers.
 */
import type { Constraint, Field, Range } from '../packet/constraint.js';
import type { Family } from '../values/value.js';
import { blockOf, isNumeric, largestOf, maskedRanges, next, normalRanges, scalarOf, type NumericField, type Scalar } from './fields.js';
import { InterfaceNames } from './interface-names.js';
import { trackedStates, type Exempting, type TrackedStates } from './tracked-states.js';

export type Dimension =
  /** Class i holds the values from starts[i] up to the next start. */
  | { readonly kind: 'range'; readonly field: NumericField; readonly starts: readonly Scalar[]; readonly max: Scalar }
  /** Bits of a field that all masks treat alike. Class i is values[i]; one more class is every other value, if there is any. */
  | { readonly kind: 'bits'; readonly field: NumericField; readonly mask: bigint; readonly values: readonly bigint[]; readonly index: ReadonlyMap<bigint, number> }
  | { readonly kind: 'name'; readonly field: 'in' | 'out'; readonly names: InterfaceNames }
  | { readonly kind: 'atom'; readonly name: string };

export interface Dimensions extends Exempting {
  readonly list: readonly Dimension[];
  /** The last class of each dimension; the first is 0. */
  readonly last: Int32Array;
  readonly fields: ReadonlyMap<Field, readonly number[]>;
  readonly atoms: ReadonlyMap<string, number>;
  /** Packets that there cannot be. */
  readonly tracked: TrackedStates;
}

/** More groups of bits than this, and odd masks become properties of their own. */
const groupLimit = 12;

/** The name of the property that stands for a mask which nothing better can be done about. */
export function maskAtom(field: Field, value: Scalar, mask: Scalar): string {
  return `${field} & 0x${BigInt(mask).toString(16)} == 0x${BigInt(value).toString(16)}`;
}

/** Fields, each with the other one of its pair. */
export type Twins = Readonly<Partial<Record<Field, Field>>>;

/** What a field is compared with: range i is lows[i] … highs[i]. */
interface FieldUse {
  readonly lows: Scalar[];
  readonly highs: Scalar[];
  readonly masks: { readonly value: bigint; readonly mask: bigint }[];
}

/** Reads every constraint of a table, then makes its dimensions. */
export class DimensionBuilder {
  readonly #family: Family;
  readonly #fields = new Map<NumericField, FieldUse>();
  readonly #names: Readonly<Record<'in' | 'out', Set<string>>>;
  readonly #prefixes: Readonly<Record<'in' | 'out', Set<string>>>;
  readonly #atoms = new Set<string>();
  readonly #seen = new Set<Constraint>();
  readonly #twins: Twins;
  readonly #mayUntrack: boolean;
  /** Fields whose twins are known, too. */
  #paired = 0;

  /** `twins`: fields whose values move from one to the other. Whatever is asked of one is asked of both, so that they have the same classes. `mayUntrack`: what the rules at hand may do, or any. */
  constructor(family: Family, twins: Twins = {}, mayUntrack = true) {
    this.#family = family;
    this.#mayUntrack = mayUntrack;
    this.#twins = twins;
    const two = (): Record<'in' | 'out', Set<string>> => {
      const own = new Set<string>();
      return { in: own, out: twins.in === 'out' ? own : new Set<string>() };
    };
    this.#names = two();
    this.#prefixes = two();
  }

  /** Adds what a rule asks, or a question. */
  addWhole(constraint: Constraint): void {
    this.add(constraint);
    if (this.#fields.size === this.#paired) return;
    for (const field of [...this.#fields.keys()].slice(this.#paired)) {
      const twin = this.#twins[field];
      if (twin !== undefined && isNumeric(twin)) this.#use(twin);
    }
    this.#paired = this.#fields.size;
  }

  add(constraint: Constraint): void {
    switch (constraint.kind) {
      case 'within':
        if (isNumeric(constraint.field)) this.#addRanges(constraint.field, constraint.ranges);
        return;
      case 'masked':
        if (isNumeric(constraint.field)) this.#addMask(constraint.field, constraint.value, constraint.mask);
        return;
      case 'interface':
        (constraint.prefix ? this.#prefixes : this.#names)[constraint.field].add(constraint.name);
        return;
      case 'atom': this.#atoms.add(constraint.name); return;
      case 'not': this.#addPart(constraint.of); return;
      case 'all': case 'any': for (const part of constraint.of) this.#addPart(part); return;
      case 'always': case 'never': case 'unknown': return;
    }
  }

  /** What rules share is read once; a single range is not worth remembering. */
  #addPart(part: Constraint): void {
    if (part.kind !== 'within' || part.ranges.length > 1) {
      if (this.#seen.has(part)) return;
      this.#seen.add(part);
    }
    this.add(part);
  }

  #use(field: NumericField): FieldUse {
    let use = this.#fields.get(field);
    if (use === undefined) {
      const twin = this.#twins[field];
      this.#fields.set(field, use = (twin !== undefined && isNumeric(twin) ? this.#fields.get(twin) : undefined) ?? { lows: [], highs: [], masks: [] });
    }
    return use;
  }

  #addRanges(field: NumericField, ranges: readonly Range[]): void {
    const { lows, highs } = this.#use(field);
    for (const { low, high } of ranges.length === 1 ? ranges : normalRanges(field, this.#family, ranges)) {
      const [from, to] = [scalarOf(field, this.#family, low), scalarOf(field, this.#family, high)];
      const max = largestOf(field, this.#family);
      // Rules that follow each other often ask for the same.
      if (from > max || from > to || (from === lows.at(-1) && to === highs.at(-1))) continue;
      lows.push(from);
      highs.push(to > max ? max : to);
    }
  }

  #addMask(field: NumericField, value: Scalar, mask: Scalar): void {
    const ranges = arePartsWritten(field) && Number(mask) !== largestOf(field, this.#family) ? undefined : maskedRanges(field, this.#family, value, mask);
    if (ranges === undefined) this.#use(field).masks.push({ value: BigInt(value), mask: BigInt(mask) });
    else this.#addRanges(field, ranges);
  }

  finish(): Dimensions {
    const list: Dimension[] = [];
    const starts = new Map<FieldUse, readonly Scalar[]>();
    for (const field of ['in', 'out'] as const) list.push({ kind: 'name', field, names: new InterfaceNames(this.#names[field], this.#prefixes[field]) });
    for (const [field, use] of this.#fields) {
      const groups = use.masks.length === 0 ? undefined : bitGroups(field, this.#family, use);
      if (groups === undefined) for (const { value, mask } of use.masks) {
        const ranges = maskedRanges(field, this.#family, value, mask);
        if (ranges === undefined) this.#atoms.add(maskAtom(field, value, mask));
        else this.#addRanges(field, ranges);
      }
      if (groups !== undefined) {
        list.push(...groups);
        continue;
      }
      const max = largestOf(field, this.#family);
      const own = starts.get(use) ?? startsOf(max, use);
      starts.set(use, own);
      list.push({ kind: 'range', field, starts: own, max });
    }
    for (const name of this.#atoms) list.push({ kind: 'atom', name });
    const fields = new Map<Field, number[]>();
    const atoms = new Map<string, number>();
    list.forEach((one, i) => {
      if (one.kind === 'atom') atoms.set(one.name, i);
      else fields.set(one.field, [...fields.get(one.field) ?? [], i]);
    });
    return { family: this.#family, mayUntrack: this.#mayUntrack, list, last: Int32Array.from(list, one => classCount(one) - 1), fields, atoms, tracked: trackedStates({ family: this.#family, mayUntrack: this.#mayUntrack }, field => lineOf(list, field)) };
  }
}

/** Whether rules write some bits of a field and leave the others, which as ranges could not be told apart. */
function arePartsWritten(field: NumericField): boolean {
  return field === 'mark' || field === 'connmark';
}

/** Where a class begins: at the ends of all ranges. */
function startsOf(max: Scalar, { lows, highs }: FieldUse): readonly Scalar[] {
  if (typeof max === 'number') return sortedNumbers(max, lows, highs);
  const edges = [0n, ...lows, ...highs.flatMap(high => high < max ? [next(high)] : [])].sort((a, b) => a < b ? -1 : a > b ? 1 : 0);
  return edges.filter((edge, i) => edge !== edges[i - 1]);
}

/** In order, each once. */
function sortedNumbers(max: number, lows: readonly Scalar[], highs: readonly Scalar[]): readonly number[] {
  const edges = new Float64Array(1 + lows.length + highs.length);
  for (let i = 0; i < lows.length; i++) {
    edges[1 + 2 * i] = Number(lows[i]);
    edges[2 + 2 * i] = (highs[i] ?? 0) < max ? Number(highs[i]) + 1 : 0;
  }
  edges.sort();
  const once: number[] = [0];
  for (let i = 1; i < edges.length; i++) if (edges[i] !== edges[i - 1]) once.push(edges[i] ?? 0);
  return once;
}

/** Splits the field's bits into groups that every mask holds whole or not at all; undefined where that does not work out. */
function bitGroups(field: NumericField, family: Family, { lows, highs, masks }: FieldUse): Dimension[] | undefined {
  const max = BigInt(largestOf(field, family));
  const all = [...masks];
  for (let i = 0; i < lows.length; i++) {
    const block = blockOf({ low: lows[i] ?? 0, high: highs[i] ?? 0 }, max);
    if (block === undefined) return undefined;
    all.push(block);
  }
  let groups = [max];
  for (const mask of new Set(all.map(one => one.mask))) {
    groups = groups.flatMap(group => [group & mask, group & ~mask].filter(part => part !== 0n));
    if (groups.length > groupLimit) return undefined;
  }
  return groups.map(mask => {
    const values = [...new Set(all.filter(one => (one.mask & mask) !== 0n).map(one => one.value & mask))].sort((a, b) => a < b ? -1 : 1);
    return { kind: 'bits', field, mask, values, index: new Map(values.map((value, i) => [value, i])) };
  });
}

function bitCount(mask: bigint): number {
  return mask.toString(2).replaceAll('0', '').length;
}

function classCount(dimension: Dimension): number {
  switch (dimension.kind) {
    case 'range': return dimension.starts.length;
    case 'name': return dimension.names.classes.length;
    case 'atom': return 2;
    case 'bits': return dimension.values.length + (BigInt(dimension.values.length) < 1n << BigInt(bitCount(dimension.mask)) ? 1 : 0);
  }
}

function lineOf(list: readonly Dimension[], field: Field): { readonly dimension: number; readonly starts: readonly Scalar[] } | undefined {
  const dimension = list.findIndex(one => one.kind === 'range' && one.field === field);
  const found = list[dimension];
  return found?.kind === 'range' ? { dimension, starts: found.starts } : undefined;
}

/** The dimension of a field that has but one; -1 where no rule asks for it. */
export function dimensionOf({ fields }: Dimensions, field: Field): number {
  return fields.get(field)?.[0] ?? -1;
}
