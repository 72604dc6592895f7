/** What packets a rule speaks of: for each field the values at its bounds, those that the rule asks for and those just beside. */
import type { Hook, TableName } from '../../extensions/define.js';
import type { Chain, Rule, Ruleset, Table } from '../../model/ruleset.js';
import { constraintsOf, type RuleConstraints } from '../../packet-space/rule-constraint.js';
import { mentions, type Constraint, type Field, type Range } from '../../packet/constraint.js';

export type Scalar = number | bigint | string;

/** Of one rule; fields that neither it nor the calls that lead to it speak of are absent. */
export interface Sketch {
  readonly table: TableName;
  /** A hook from which the rule is reached. */
  readonly hook: Hook;
  readonly hits: ReadonlyMap<Field, readonly Scalar[]>;
  readonly misses: ReadonlyMap<Field, readonly Scalar[]>;
}

/** A rule, and the rules by whose jumps packets come to it. */
interface Spot {
  readonly table: Table;
  readonly hook: Hook;
  readonly rules: readonly Rule[];
}

/** Values of one field that are tried, of long lists the first. */
const mostValues = 60;

/** Within the range: its ends, and what a person would take of a network; and beside it. */
function edges({ low, high }: Range): readonly (number | bigint)[] {
  const [from, to] = [BigInt(low), BigInt(high)];
  const near = [from + 10n, from, to, from + 1n, from - 1n, to + 1n].filter((value, index) => value >= 0n && (index !== 0 || value <= to));
  return typeof low === 'bigint' ? near : near.map(Number);
}

function* valuesIn(constraint: Constraint): Generator<readonly [Field, Scalar], void> {
  switch (constraint.kind) {
    case 'within': for (const range of constraint.ranges.slice(0, mostValues)) for (const value of edges(range)) yield [constraint.field, value]; return;
    case 'masked': yield [constraint.field, constraint.value]; return;
    case 'interface': yield [constraint.field, constraint.prefix ? `${constraint.name}0` : constraint.name]; return;
    case 'not': yield* valuesIn(constraint.of); return;
    case 'all': case 'any': for (const one of constraint.of) yield* valuesIn(one); return;
    default: return;
  }
}

/** Whether the value of one field is right; what is asked of other fields is no matter here. */
function holds(constraint: Constraint, field: Field, value: Scalar): boolean {
  switch (constraint.kind) {
    case 'never': return false;
    case 'within': return constraint.field !== field || (typeof value !== 'string' && constraint.ranges.some(({ low, high }) => low <= value && value <= high));
    case 'masked': return constraint.field !== field || (BigInt(value) & BigInt(constraint.mask)) === BigInt(constraint.value);
    case 'interface': return constraint.field !== field || (constraint.prefix ? String(value).startsWith(constraint.name) : value === constraint.name);
    case 'not': return !mentions(constraint.of, [field]) || !holds(constraint.of, field, value);
    case 'all': return constraint.of.every(one => holds(one, field, value));
    case 'any': return constraint.of.some(one => mentions(one, [field]) && holds(one, field, value)) || !constraint.of.every(one => mentions(one, [field]));
    default: return true;
  }
}

function sketch({ table, hook, rules }: Spot, constraints: RuleConstraints): Sketch {
  const asked = rules.map(rule => constraints.of(rule));
  const all = new Map<Field, Set<Scalar>>();
  // What the rule itself says comes before what the calls say.
  for (const constraint of [...asked].reverse()) for (const [field, value] of valuesIn(constraint)) all.set(field, (all.get(field) ?? new Set()).add(value));
  const [hits, misses] = [new Map<Field, readonly Scalar[]>(), new Map<Field, readonly Scalar[]>()];
  for (const [field, values] of all) {
    const right = [...values].filter(value => asked.every(one => holds(one, field, value)));
    hits.set(field, right.slice(0, mostValues));
    misses.set(field, [...values].filter(value => !right.includes(value)).slice(0, mostValues));
  }
  return { table: table.name, hook, hits, misses };
}

/** By chain: the first jumps that lead to it from a built-in chain. */
function waysInto(table: Table): ReadonlyMap<string, Omit<Spot, 'table'>> {
  const ways = new Map<string, Omit<Spot, 'table'>>();
  const open: Chain[] = [];
  for (const chain of table.chains.values()) {
    if (chain.hook === undefined) continue;
    ways.set(chain.name, { hook: chain.hook, rules: [] });
    open.push(chain);
  }
  for (let chain = open.shift(); chain !== undefined; chain = open.shift()) {
    const way = ways.get(chain.name);
    for (const rule of chain.rules) {
      const callee = rule.target.kind === 'chain' ? table.chains.get(rule.target.name) : undefined;
      if (way === undefined || callee === undefined || ways.has(callee.name)) continue;
      ways.set(callee.name, { hook: way.hook, rules: [...way.rules, rule] });
      open.push(callee);
    }
  }
  return ways;
}

/** The sketches of a rule set's rules, in the order of the file: each made when it is first asked for. */
export class Sketches {
  readonly #spots: readonly Spot[];
  readonly #constraints: ReadonlyMap<TableName, RuleConstraints>;
  readonly #made = new Map<number, Sketch>();

  constructor(ruleset: Ruleset) {
    this.#spots = [...ruleset.tables.values()].flatMap(table => {
      const ways = waysInto(table);
      return [...table.chains.values()].flatMap(({ name, rules }) => {
        const way = ways.get(name);
        return way === undefined ? [] : rules.map((rule): Spot => ({ table, hook: way.hook, rules: [...way.rules, rule] }));
      });
    });
    this.#constraints = new Map([...ruleset.tables.keys()].map(name => [name, constraintsOf(ruleset, name)]));
  }

  get count(): number { return this.#spots.length; }

  /** Undefined where there are not so many. */
  at(index: number): Sketch | undefined {
    const spot = this.#spots[index];
    const constraints = spot === undefined ? undefined : this.#constraints.get(spot.table.name);
    if (spot === undefined || constraints === undefined) return undefined;
    const made = this.#made.get(index) ?? sketch(spot, constraints);
    this.#made.set(index, made);
    return made;
  }
}
