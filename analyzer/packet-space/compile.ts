/** A table, made ready for questions: every chain a list of boxes of packets, in the order of its rules. */
import type { Chain, Ruleset, Table } from '../model/ruleset.js';
import type { Constraint } from '../packet/constraint.js';
import type { Decider, RuleAt } from './answers.js';
import { BoxIndex } from './box-index.js';
import type { Boxes } from './boxes.js';
import { changesBefore, forget } from './changes.js';
import { DimensionBuilder, type Dimensions } from './dimensions.js';
import { FateRegister, fateBits, targetEffect } from './effect.js';
import { cutTo, hullOf, type Hull } from './hull.js';
import { cellsOf, productsOf, type Cell } from './products.js';
import { RuleConstraints } from './rule-constraint.js';

/** What happens to a packet that matches a box. */
export const Act = { Skip: 0, End: 1, Return: 2, Jump: 3, Goto: 4, /** Ends or goes on. */ Maybe: 5, /** Goes on, and somebody may notice. */ Side: 6 } as const;

/**
 * Boxes are numbered from 0 in the order of the rules; those of one rule stand together, the certain ones first. A jump's
 * box is cut down to packets that match anything in the callee: with all others, the jump does nothing.
 */
export interface CompiledChain extends Boxes {
  readonly id: number;
  readonly chain: Chain;
  /** What the rules themselves ask, jumps too. */
  readonly own: Boxes;
  /** Holds every packet that matches any rule here, as it asks itself: each may be what a question is about. */
  readonly hull: Hull;
  /** The number of its first rule; the others follow. */
  readonly firstRule: number;
  /** Of each box: the rule's number in the table. */
  readonly rule: Int32Array;
  /** 1 where matching hangs on something unknown. */
  readonly soft: Uint8Array;
  readonly act: Uint8Array;
  /** The chain that a jump or goto leads to, else -1. */
  readonly callee: Int32Array;
  /** The first box of the next rule. */
  readonly end: Int32Array;
  /** The boxes of the rule at a position (from 0) are start[position] … start[position + 1] - 1. */
  readonly start: Int32Array;
  /** Boxes that end, lead away or lead on for certain, and all RETURNs and jumps. */
  readonly hard: BoxIndex;
  /** Everything that does anything. */
  readonly full: BoxIndex;
  /** Boxes of RETURN and goto. */
  readonly leaving: Int32Array;
  /** Boxes of jumps and gotos. */
  readonly calls: Int32Array;
  /** Some rule here or below ends the traversal for certain. */
  readonly canStop: boolean;
  /** All fates that rules here or below may lead to, and side effects. */
  readonly fates: number;
}

export interface CompiledTable {
  readonly table: Table;
  readonly dimensions: Dimensions;
  readonly fates: FateRegister;
  /** By the rules' numbers. */
  readonly rules: readonly RuleAt[];
  readonly constraints: readonly Constraint[];
  readonly chains: readonly CompiledChain[];
  readonly chainIds: ReadonlyMap<string, number>;
  /** Chains with callers first. */
  readonly order: readonly number[];
  /** Jumps go round in a circle, or chains are nested far too deep: the kernel refuses the table, and no question has an answer. */
  readonly cyclic: boolean;
}

/** More boxes for one rule than this, and it is taken as unknown. */
const cellLimit = 4096;

/** nftables allows 16; nobody nests chains deeper than this, and the work grows with the square of it. */
const nestingLimit = 64;

/** The chains with callers before callees, or undefined where jumps form a circle or nest too deep. */
export function callOrder(table: Table): readonly string[] | undefined {
  const state = new Map<string, 'open' | 'done'>();
  const done: string[] = [];
  const callees = (name: string): string[] => (table.chains.get(name)?.rules ?? []).flatMap(({ target }) => target.kind === 'chain' && table.chains.has(target.name) ? [target.name] : []);
  for (const root of table.chains.keys()) {
    if (state.has(root)) continue;
    state.set(root, 'open');
    const stack = [{ name: root, rest: callees(root) }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.rest.pop();
      if (next === undefined) {
        state.set(top.name, 'done');
        done.push(top.name);
        stack.pop();
      } else if (!state.has(next)) {
        if (stack.length === nestingLimit) return undefined;
        state.set(next, 'open');
        stack.push({ name: next, rest: callees(next) });
      } else if (state.get(next) === 'open') return undefined;
    }
  }
  return done.reverse();
}

export function compileTable(ruleset: Ruleset, table: Table): CompiledTable {
  const found = callOrder(table);
  const names = found ?? [...table.chains.keys()];
  const chains = [...table.chains.values()];
  const chainIds = new Map(chains.map((chain, id) => [chain.name, id]));
  const rules = chains.flatMap(chain => chain.rules.map((rule, i): RuleAt => ({ table: table.name, chain: chain.name, position: i + 1, rule })));
  const constraints = new RuleConstraints(ruleset, table.name);
  const changes = found === undefined ? undefined : changesBefore(table, names);
  const asked = rules.map(({ rule }) => changes === undefined ? constraints.of(rule) : forget(constraints.of(rule), changes(rule)));
  const builder = new DimensionBuilder(ruleset.family);
  for (const constraint of asked) builder.add(constraint);
  const dimensions = builder.finish();
  const fates = new FateRegister(ruleset, table);
  const done: CompiledChain[] = [];
  const firstRule: number[] = [];
  chains.reduce((sum, chain, id) => { firstRule[id] = sum; return sum + chain.rules.length; }, 0);
  // Callees first: a caller asks what they can do.
  for (const name of [...names].reverse()) {
    const id = chainIds.get(name) ?? 0;
    const chain = chains[id];
    if (chain !== undefined) done[id] = compileChain({ id, chain, firstRule: firstRule[id] ?? 0, asked, dimensions, fates, chainIds, done });
  }
  return { table, dimensions, fates, rules, constraints: asked, chains: done, chainIds, order: names.map(name => chainIds.get(name) ?? 0), cyclic: found === undefined };
}

interface ChainInput {
  readonly id: number;
  readonly chain: Chain;
  readonly firstRule: number;
  readonly asked: readonly Constraint[];
  readonly dimensions: Dimensions;
  readonly fates: FateRegister;
  readonly chainIds: ReadonlyMap<string, number>;
  readonly done: readonly (CompiledChain | undefined)[];
}

function compileChain(input: ChainInput): CompiledChain {
  const { id, chain, firstRule, asked, dimensions } = input;
  const cells = chain.rules.map((_, i) => cellsOf(productsOf(dimensions, asked[firstRule + i] ?? { kind: 'always' }), cellLimit));
  const count = cells.reduce((sum, some) => sum + some.length, 0);
  const int = (): Int32Array => new Int32Array(count);
  const boxes = { ...boxArrays(cells.flat()), count, last: dimensions.last, bits: int(), rule: int(), callee: int().fill(-1), end: int(), soft: new Uint8Array(count), act: new Uint8Array(count) };
  const start = new Int32Array(chain.rules.length + 1);
  let box = 0;
  let canStop = false;
  let fates = 0;
  chain.rules.forEach((rule, i) => {
    const some = cells[i] ?? [];
    const { act, callee, bits, stops } = actOf(input, rule.target);
    start[i] = box;
    for (const { soft } of some) {
      boxes.rule[box] = firstRule + i;
      boxes.soft[box] = soft ? 1 : 0;
      boxes.act[box] = act;
      boxes.callee[box] = callee;
      boxes.bits[box] = bits;
      boxes.end[box] = (start[i] ?? 0) + some.length;
      fates |= bits;
      canStop ||= stops && !soft;
      box++;
    }
  });
  start[chain.rules.length] = box;
  const flat = cells.flat().map((cell, i) => {
    const callee = boxes.act[i] === Act.Jump ? input.done[boxes.callee[i] ?? -1] : undefined;
    return callee === undefined ? cell : cutTo(cell, callee.hull);
  });
  const active = { ...boxes, ...boxArrays(flat) };
  return { id, chain, own: boxes, hull: hullOf(cells.flat()), firstRule, ...active, start, canStop, fates, ...indexes(active) };
}

function actOf({ chainIds, done, fates }: ChainInput, target: Chain['rules'][number]['target']): { readonly act: number; readonly callee: number; readonly bits: number; readonly stops: boolean } {
  if (target.kind === 'chain') {
    const callee = chainIds.get(target.name) ?? -1;
    const compiled = done[callee];
    // A built-in chain cannot be jumped to; where the callee is not ready, jumps form a circle. Either is refused.
    if (compiled !== undefined && compiled.chain.hook === undefined) return { act: target.goto ? Act.Goto : Act.Jump, callee, bits: compiled.fates, stops: compiled.canStop };
    return { act: Act.Maybe, callee: -1, bits: fateBits.unknown, stops: false };
  }
  const bits = fates.bitOf(target);
  switch (targetEffect(target)) {
    case 'continue': return { act: bits === 0 ? Act.Skip : Act.Side, callee: -1, bits, stops: false };
    case 'return': return { act: Act.Return, callee: -1, bits, stops: false };
    case 'unknown': return { act: Act.Maybe, callee: -1, bits, stops: false };
    default: return { act: Act.End, callee: -1, bits, stops: true };
  }
}

function boxArrays(cells: readonly Cell[]): Pick<Boxes, 'at' | 'dim' | 'lo' | 'hi'> {
  const sides = cells.flatMap(cell => cell.sides);
  const at = new Int32Array(cells.length + 1);
  cells.forEach((cell, i) => { at[i + 1] = (at[i] ?? 0) + cell.sides.length; });
  return { at, dim: Int32Array.from(sides, side => side.dimension), lo: Int32Array.from(sides, side => side.low), hi: Int32Array.from(sides, side => side.high) };
}

function indexes(boxes: Boxes & { readonly act: Uint8Array; readonly soft: Uint8Array }): Pick<CompiledChain, 'hard' | 'full' | 'leaving' | 'calls'> {
  const all = Int32Array.from(boxes.act.keys());
  const act = (box: number): number => boxes.act[box] ?? 0;
  const leaving = all.filter(box => act(box) === Act.Return || act(box) === Act.Goto);
  const calls = all.filter(box => act(box) === Act.Jump || act(box) === Act.Goto);
  const hard = all.filter(box => act(box) === Act.Return || act(box) === Act.Goto || act(box) === Act.Jump || (act(box) === Act.End && boxes.soft[box] === 0));
  const full = all.filter(box => act(box) !== Act.Skip);
  const hardIndex = new BoxIndex(boxes, hard);
  return { leaving, calls, hard: hardIndex, full: full.length === hard.length ? hardIndex : new BoxIndex(boxes, full) };
}

/** A rule, or the policy of a built-in chain, as who decided. */
export function policyOf({ table }: CompiledTable, chain: CompiledChain): Decider {
  return { table: table.name, chain: chain.chain.name, policy: chain.chain.policy ?? 'ACCEPT' };
}
