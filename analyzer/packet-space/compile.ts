/** A table, made ready for questions: every chain a list of boxes of packets, in the order of its rules. */
import type { Chain, Rule, Ruleset, Table } from '../model/ruleset.js';
import type { Constraint } from '../packet/constraint.js';
import { BoxIndex } from './box-index.js';
import { BoxWriter } from './box-writer.js';
import type { Boxes } from './boxes.js';
import { callOrder } from './call-order.js';
import { Act, type CompiledChain, type CompiledTable, type RuleBoxes } from './compiled-table.js';
import { changesBefore, forget } from './changes.js';
import { ConstraintWriter } from './constraint-writer.js';
import { DimensionBuilder, type Dimensions } from './dimensions.js';
import { allFates, FateRegister, fateBits, leads, targetEffect } from './effect.js';
import { hullOf, writeCut, type Hull } from './hull.js';
import { constraintsOf } from './rule-constraint.js';
import { mayUntrack } from './tracking.js';

export { callOrder } from './call-order.js';
export { Act, chainOf, policyOf, ruleAt, type CompiledChain, type CompiledTable } from './compiled-table.js';

/** Compiles a table: reads its rules, finds the classes of values that they tell apart, and writes their boxes down. */
export function compileTable(ruleset: Ruleset, table: Table): CompiledTable {
  const found = callOrder(table);
  const names = found ?? [...table.chains.keys()];
  const chainIds = new Map([...table.chains.keys()].map((name, id) => [name, id]));
  const { dimensions, own, start, soft } = writeOwn(ruleset, table, found);
  const fates = new FateRegister(ruleset, table);
  const order = names.map(name => chainIds.get(name) ?? 0);
  const compiler = new Compiler(table, chainIds, own, start, soft, fates);
  const { chains, boxes } = compiler.compile(order);
  return { table, dimensions, fates, chains, chainIds, ruleCount: start.length - 1, boxes, own: compiler.own, start, order, cyclic: found === undefined };
}

interface OwnBoxes {
  readonly dimensions: Dimensions;
  readonly own: Omit<Boxes, 'bits'>;
  readonly start: Int32Array;
  readonly soft: Uint8Array;
}

/** What the rules ask, chain after chain. They are read twice, so that what each asks need not be kept. */
function writeOwn(ruleset: Ruleset, table: Table, order: readonly string[] | undefined): OwnBoxes {
  const constraints = constraintsOf(ruleset, table.name);
  const changes = order === undefined ? undefined : changesBefore(table, order);
  const asks = (rule: Rule): Constraint => changes === undefined ? constraints.of(rule) : forget(constraints.of(rule), changes.get(rule) ?? 0);
  const builder = new DimensionBuilder(ruleset.family, {}, mayUntrack(ruleset));
  let count = 0;
  for (const { rules } of table.chains.values()) {
    count += rules.length;
    for (const rule of rules) builder.add(asks(rule));
  }
  const dimensions = builder.finish();
  const writer = new ConstraintWriter(dimensions);
  const start = new Int32Array(count + 1);
  const softFrom = new Int32Array(count);
  let i = 0;
  for (const { rules } of table.chains.values()) {
    for (const rule of rules) {
      const written = writer.write(asks(rule));
      softFrom[i] = (start[i] ?? 0) + written.certain;
      start[i + 1] = (start[i++] ?? 0) + written.count;
    }
  }
  const soft = new Uint8Array(writer.boxes.count);
  for (let rule = 0; rule < count; rule++) soft.fill(1, softFrom[rule], start[rule + 1]);
  return { dimensions, own: { ...writer.boxes.finish(), count: writer.boxes.count, last: dimensions.last }, start, soft };
}

interface Action {
  readonly act: number;
  readonly callee: number;
  readonly bits: number;
  readonly stops: boolean;
}

const noBoxes = new Int32Array(0);

class Compiler {
  readonly own: Boxes;
  readonly #chains: readonly Chain[];
  readonly #chainIds: ReadonlyMap<string, number>;
  readonly #start: Int32Array;
  readonly #fates: FateRegister;
  readonly #boxes: Pick<RuleBoxes, 'rule' | 'soft' | 'act' | 'callee'>;
  readonly #hulls: Hull[] = [];
  readonly #known: ({ readonly fates: number; readonly canStop: boolean } | undefined)[] = [];
  readonly #actions = new Map<unknown, Action>();

  constructor(table: Table, chainIds: ReadonlyMap<string, number>, own: Omit<Boxes, 'bits'>, start: Int32Array, soft: Uint8Array, fates: FateRegister) {
    const int = (): Int32Array => new Int32Array(own.count);
    this.own = { ...own, bits: int() };
    this.#chains = [...table.chains.values()];
    this.#chainIds = chainIds;
    this.#start = start;
    this.#fates = fates;
    this.#boxes = { rule: int(), soft, act: new Uint8Array(own.count), callee: int().fill(-1) };
  }

  compile(order: readonly number[]): { readonly chains: readonly CompiledChain[]; readonly boxes: RuleBoxes } {
    const firstRule = new Int32Array(this.#chains.length + 1);
    this.#chains.forEach((chain, id) => { firstRule[id + 1] = (firstRule[id] ?? 0) + chain.rules.length; });
    // Callees first: a caller asks what they can do.
    for (const id of [...order].reverse()) this.#act(id, firstRule[id] ?? 0);
    const boxes = { ...this.own, ...this.#cut(), ...this.#boxes };
    const hard = placesOf(boxes, box => isHard(boxes, box));
    const full = placesOf(boxes, box => boxes.act[box] !== Act.Skip);
    let [hardAt, fullAt] = [0, 0];
    const chains = this.#chains.map((chain, id): CompiledChain => {
      const from = this.#start[firstRule[id] ?? 0] ?? 0;
      const to = this.#start[firstRule[id + 1] ?? 0] ?? 0;
      const [hardFrom, fullFrom] = [hardAt, fullAt];
      while ((hard[hardAt] ?? to) < to) hardAt++;
      while ((full[fullAt] ?? to) < to) fullAt++;
      const hardIndex = new BoxIndex(boxes, hard, hardFrom, hardAt);
      const isSame = hardAt - hardFrom === fullAt - fullFrom;
      const { fates = 0, canStop = false } = this.#known[id] ?? {};
      return { id, chain, from, to, firstRule: firstRule[id] ?? 0, canStop, fates, hard: hardIndex, full: isSame ? hardIndex : new BoxIndex(boxes, full, fullFrom, fullAt), leaving: leavingIn(boxes, from, to) };
    });
    return { chains, boxes };
  }

  /** What the rules of a chain do. */
  #act(id: number, first: number): void {
    const { rule, soft, act, callee } = this.#boxes;
    const rules = this.#chains[id]?.rules ?? [];
    let fates = 0;
    let canStop = false;
    for (const [i, { target }] of rules.entries()) {
      const action = this.#actionOf(target);
      for (let box = this.#start[first + i] ?? 0; box < (this.#start[first + i + 1] ?? 0); box++) {
        rule[box] = first + i;
        act[box] = action.act;
        callee[box] = action.callee;
        this.own.bits[box] = action.bits;
        fates |= action.bits & allFates;
        canStop ||= action.stops && soft[box] === 0;
      }
    }
    this.#hulls[id] = hullOf(this.own, this.#start[first] ?? 0, this.#start[first + rules.length] ?? 0);
    this.#known[id] = { fates, canStop };
  }

  #actionOf(target: Chain['rules'][number]['target']): Action {
    if (target.kind === 'none') return nothing;
    if (target.kind === 'chain') return this.#callOf(target);
    let action = this.#actions.get(target.use);
    if (action === undefined) this.#actions.set(target.use, action = this.#effectOf(target));
    return action;
  }

  #callOf({ name, goto }: Extract<Chain['rules'][number]['target'], { kind: 'chain' }>): Action {
    const callee = this.#chainIds.get(name) ?? -1;
    const known = this.#known[callee];
    // A built-in chain cannot be jumped to; where the callee is not ready, jumps form a circle. Either is refused.
    if (known === undefined || this.#chains[callee]?.hook !== undefined) return { act: Act.Maybe, callee: -1, bits: fateBits.unknown, stops: false };
    return { act: goto ? Act.Goto : Act.Jump, callee, bits: known.fates | leads, stops: known.canStop };
  }

  #effectOf(target: Chain['rules'][number]['target']): Action {
    const bits = this.#fates.bitOf(target);
    switch (targetEffect(target)) {
      case 'continue': return { act: bits === 0 ? Act.Skip : Act.Side, callee: -1, bits, stops: false };
      case 'return': return { act: Act.Return, callee: -1, bits: bits | leads, stops: false };
      case 'unknown': return { act: Act.Maybe, callee: -1, bits, stops: false };
      default: return { act: Act.End, callee: -1, bits, stops: true };
    }
  }

  /** Cuts jumps down to what their callees ask; without jumps there is nothing to cut. */
  #cut(): Partial<Boxes> {
    const { act, callee } = this.#boxes;
    if (!act.includes(Act.Jump)) return {};
    const { at, dim, lo, hi, count } = this.own;
    const writer = new BoxWriter();
    for (let box = 0; box < count; box++) {
      if (act[box] === Act.Jump) {
        writeCut(writer, this.own, box, this.#hulls[callee[box] ?? -1]);
        continue;
      }
      for (let i = at[box] ?? 0, end = at[box + 1] ?? 0; i < end; i++) writer.side(dim[i] ?? 0, lo[i] ?? 0, hi[i] ?? 0);
      writer.close();
    }
    return writer.finish();
  }
}

const nothing: Action = { act: Act.Skip, callee: -1, bits: 0, stops: false };

function isHard({ act, soft }: RuleBoxes, box: number): boolean {
  const own = act[box];
  return own === Act.Return || own === Act.Goto || own === Act.Jump || (own === Act.End && soft[box] === 0);
}

function placesOf({ count }: RuleBoxes, wanted: (box: number) => boolean): Int32Array {
  const places = new Int32Array(count);
  let length = 0;
  for (let box = 0; box < count; box++) if (wanted(box)) places[length++] = box;
  return places.subarray(0, length);
}

function leavingIn({ act }: RuleBoxes, from: number, to: number): Int32Array {
  const some: number[] = [];
  for (let box = from; box < to; box++) if (act[box] === Act.Return || act[box] === Act.Goto) some.push(box);
  return some.length === 0 ? noBoxes : Int32Array.from(some);
}
