/** Whether some packet meets a constraint, as far as that is seen field by field (and of states together with what they hang on). */
import type { Constraint } from '../packet/constraint.js';
import type { Family } from '../values/value.js';
import { complement, isNumeric, largestOf, maskedRanges, normalRanges, type NumericField, type Scalar } from './fields.js';
import { trackedFields } from './tracked-states.js';

type Bounds = readonly { readonly low: Scalar; readonly high: Scalar }[];
type Name = Pick<Extract<Constraint, { kind: 'interface' }>, 'name' | 'prefix'>;

/** What is left for each field by what was read so far. */
interface Left {
  readonly ranges: Map<NumericField, Bounds>;
  /** Where the bits of a mask are given: (field & mask) == value. */
  readonly bits: Map<NumericField, { readonly value: bigint; readonly mask: bigint }>;
  readonly names: Map<'in' | 'out', { readonly is: Name | undefined; readonly not: readonly Name[] }>;
  readonly atoms: Map<string, boolean>;
}

/** True where some packet meets the constraint. False says nothing: it may ask in a way that takes more to see. */
export function holdsOfSome(family: Family, constraint: Constraint): boolean {
  const left: Left = { ranges: new Map(), bits: new Map(), names: new Map(), atoms: new Map() };
  return narrows(family, left, constraint, true) && isTrackable(family, left);
}

/** Whether connection tracking may say what is asked of the state of some packet, as TCP flags and ICMP types go. */
function isTrackable(family: Family, { ranges }: Left): boolean {
  const states = ranges.get('ctstate');
  return states === undefined || trackedFields({ family, mayUntrack: true }).every(({ field, canBe }) => {
    const values = ranges.get(field);
    return values === undefined || states.some(state => values.some(some => isPairIn(state, some, canBe)));
  });
}

function isPairIn(states: Bounds[number], values: Bounds[number], canBe: (state: number, value: number) => boolean): boolean {
  for (let state = Number(states.low); state <= states.high; state++) {
    for (let value = Number(values.low); value <= values.high; value++) if (canBe(state, value)) return true;
  }
  return false;
}

function narrows(family: Family, left: Left, constraint: Constraint, positive: boolean): boolean {
  switch (constraint.kind) {
    case 'always': return positive;
    case 'never': return !positive;
    case 'unknown': return true;
    case 'atom': return toAtom(left, constraint.name, positive);
    case 'interface': return toName(left, constraint.field, constraint, positive);
    case 'within': {
      if (!isNumeric(constraint.field)) return false;
      const ranges = normalRanges(constraint.field, family, constraint.ranges);
      return toRanges(left, constraint.field, positive ? ranges : complement(constraint.field, family, ranges));
    }
    case 'masked': return isNumeric(constraint.field) && toMasked(family, left, constraint.field, constraint, positive);
    case 'not': return narrows(family, left, constraint.of, !positive);
    case 'all': case 'any': return positive === (constraint.kind === 'all') ? constraint.of.every(one => narrows(family, left, one, positive)) : narrowsToOne(family, left, constraint.of, positive);
  }
}

/** Of several the first that may be. */
function narrowsToOne(family: Family, left: Left, of: readonly Constraint[], positive: boolean): boolean {
  for (const one of of) {
    const tried: Left = { ranges: new Map(left.ranges), bits: new Map(left.bits), names: new Map(left.names), atoms: new Map(left.atoms) };
    if (!narrows(family, tried, one, positive)) continue;
    Object.assign(left, tried);
    return true;
  }
  return false;
}

function toAtom({ atoms }: Left, name: string, positive: boolean): boolean {
  if ((atoms.get(name) ?? positive) !== positive) return false;
  atoms.set(name, positive);
  return true;
}

function toRanges({ ranges, bits }: Left, field: NumericField, wanted: Bounds): boolean {
  const known = ranges.get(field);
  const both = known === undefined || known === wanted ? wanted : known.flatMap(a => wanted.flatMap(b => {
    const [low, high] = [a.low > b.low ? a.low : b.low, a.high < b.high ? a.high : b.high];
    return low > high ? [] : [{ low, high }];
  }));
  ranges.set(field, both);
  return both.length > 0 && !bits.has(field);
}

function toMasked(family: Family, left: Left, field: NumericField, { value, mask }: Extract<Constraint, { kind: 'masked' }>, positive: boolean): boolean {
  const all = maskedRanges(field, family, value, mask);
  if (all !== undefined) return toRanges(left, field, positive ? all : complement(field, family, all));
  const own = { value: BigInt(value), mask: BigInt(mask) & BigInt(largestOf(field, family)) };
  const known = left.bits.get(field) ?? { value: 0n, mask: 0n };
  if (!positive || left.ranges.has(field) || (own.value & ~own.mask) !== 0n || ((own.value ^ known.value) & own.mask & known.mask) !== 0n) return false;
  left.bits.set(field, { value: own.value | known.value, mask: own.mask | known.mask });
  return true;
}

/** With one name that is asked for, those that it is not to have are looked at; else names enough are left as long as few are not to be. */
function toName({ names }: Left, field: 'in' | 'out', { name, prefix }: Name, positive: boolean): boolean {
  const known = names.get(field) ?? { is: undefined, not: [] };
  if (positive && known.is !== undefined) return known.is.name === name && known.is.prefix === prefix;
  const own = { is: positive ? { name, prefix } : known.is, not: positive ? known.not : [...known.not, { name, prefix }] };
  names.set(field, own);
  const { is } = own;
  if (is === undefined || is.prefix) return own.not.every(one => one.name !== '' && !one.prefix) || (is === undefined && own.not.length === 1 && name !== '');
  return own.not.every(one => one.prefix ? !is.name.startsWith(one.name) : is.name !== one.name);
}
