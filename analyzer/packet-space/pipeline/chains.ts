/** Every chain of a rule set as boxes over one and the same packet space, so that a packet can be followed from table to table. */
import type { Hook } from '../../extensions/define.js';
import { builtInChains, type Chain, type Rule, type Ruleset, type Table } from '../../model/ruleset.js';
import { always, ctstates, is, type Constraint } from '../../packet/constraint.js';
import type { Rewriting } from '../../packet/rewriting.js';
import type { RuleAt } from '../answers.js';
import { BoxIndex } from '../box-index.js';
import type { Boxes } from '../boxes.js';
import { DimensionBuilder, type Dimensions } from '../dimensions.js';
import { targetEffect } from '../effect.js';
import { cellsOf, productsOf, type Cell } from '../products.js';
import { Does, writerOf } from './classes.js';
import type { ReadRuleset } from './read-ruleset.js';
import { twinOf } from './twins.js';
import { agesWith, changesIn } from './atoms.js';
import { trackingOf, type Tracking } from './tracking.js';
import { mentioned, routes, writesOf, type Write } from './values.js';

/** What a packet that matches a box does next. */
export const Step = { /** Nothing that matters to where a packet goes. */ Skip: 0, Accept: 1, Drop: 2, Leave: 3, Jump: 4, Goto: 5, /** Writes, and goes on. */ Write: 6 } as const;

/** The boxes of one chain in the order of its rules. `bits`: what may come of a match here or below. */
export interface PipelineChain extends Boxes {
  readonly id: number;
  readonly name: string;
  readonly table: string;
  /** The number of its first box among those of all chains. */
  readonly firstBox: number;
  /** Of each box: its rule's number; -1 for what no rule says. */
  readonly rule: Int32Array;
  readonly act: Uint8Array;
  /** The chain that is called, else -1. */
  readonly callee: Int32Array;
  /** The first box of the next rule. */
  readonly end: Int32Array;
  /** 1 where it hangs on something unknown: each packet and each passing may choose. */
  readonly soft: Uint8Array;
  /** 1 where even whether the rule matches does. */
  readonly doubt: Uint8Array;
  /** Properties asked: number · 2 + wanted. */
  readonly atoms: readonly (readonly number[] | undefined)[];
  readonly writes: readonly (readonly Write[] | undefined)[];
  readonly index: BoxIndex;
  /** The fields of which some box says something. */
  readonly asks: readonly number[];
  /** What may come of any box from here to the end. */
  readonly suffix: Int32Array;
  /** What may come of the chain. */
  readonly does: number;
  readonly policy: 'ACCEPT' | 'DROP' | undefined;
}

export interface Chains {
  readonly ruleset: Ruleset;
  /** What the rules make the kernel do. */
  readonly tracking: Tracking;
  readonly dimensions: Dimensions;
  /** Dimensions below this one are fields; the others are properties. */
  readonly fieldCount: number;
  readonly rules: readonly RuleAt[];
  readonly numbers: ReadonlyMap<Rule, number>;
  readonly list: readonly PipelineChain[];
  /** By `table CHAIN`. */
  readonly ids: ReadonlyMap<string, number>;
  /** By rule number: its boxes before anything is known of where it stands; what it asks. */
  readonly cells: (rule: number) => readonly Cell[];
  /** Rules that write something some rule may test, by number. */
  readonly writers: ReadonlyMap<number, readonly Write[]>;
  /** Chains, by id, that have a rule which calls them: [caller, rule number]. */
  readonly callers: ReadonlyMap<number, readonly (readonly [number, number])[]>;
  /** By rule number: the chain that it stands in. */
  readonly chainOf: Int32Array;
  /** A chain, and all that can be called from it. */
  readonly below: (chain: number) => ReadonlySet<number>;
  /** A table whose jumps go in circles: nothing can be asked. */
  readonly cyclic: boolean;
}

/** A chain that no rule set has, made for what the kernel itself does. */
export interface ExtraChain {
  readonly name: string;
  readonly policy: 'ACCEPT' | 'DROP';
  readonly rules: readonly { readonly asks: Constraint; readonly step: 1 | 2 | 6; readonly rewritings: readonly Rewriting[]; readonly soft: boolean }[];
}

const cellLimit = 4096;

/** What is written depends on what the packet is: each combination, the one with most conditions first. */
function casesOf(rewritings: readonly Rewriting[]): readonly { readonly where: Constraint | undefined; readonly kept: readonly Rewriting[] }[] {
  const conditions = [...new Set(rewritings.flatMap(one => one.where ?? []))];
  const cases: { where: Constraint | undefined; kept: readonly Rewriting[] }[] = [];
  for (let met = 2 ** conditions.length - 1; met >= 0; met--) {
    const holds = conditions.filter((_, i) => (met & (1 << i)) !== 0);
    cases.push({ where: holds.length === 0 ? undefined : { kind: 'all', of: holds }, kept: rewritings.filter(one => one.where === undefined || holds.includes(one.where)) });
  }
  return cases;
}

/** The classes that every pipeline tells apart: the states, loopback. */
const basics: readonly Constraint[] = [
  ...Object.values(ctstates).map(state => is('ctstate', state)), { kind: 'interface', field: 'in', name: 'lo', prefix: false },
];

/** A packet space in which all of the rule sets, and what is asked about packets, can be told apart. The rule sets are of one family. */
export function dimensionsFor(read: readonly ReadRuleset[], asked: readonly Constraint[], extra: readonly ExtraChain[]): Dimensions {
  const builder = new DimensionBuilder(read[0]?.ruleset.family ?? 'ipv4');
  const add = (constraint: Constraint): void => {
    builder.add(constraint);
    builder.add(twinOf(constraint));
  };
  for (const constraint of [...basics, ...asked, ...extra.flatMap(chain => chain.rules.flatMap(rule => [rule.asks, ...rule.rewritings.flatMap(mentioned)]))]) add(constraint);
  for (const { asks, rewritings } of read.flatMap(one => one.read)) {
    add(asks);
    for (const rewriting of rewritings) for (const constraint of [...mentioned(rewriting), ...rewriting.where === undefined ? [] : [rewriting.where], ...rewriting.kind === 'unknown' && routes.has(rewriting.field) ? [is(rewriting.field, 0)] : []]) add(constraint);
  }
  return builder.finish();
}

/** Compiles all tables in a space that was made for them. */
export function compileChains(read: ReadRuleset, dimensions: Dimensions, extra: readonly ExtraChain[]): Chains {
  return new ChainCompiler(read.ruleset, read, dimensions, extra).compile();
}

/** One box before it is written down. */
interface Entry {
  readonly cell: Cell;
  readonly rule: number;
  readonly act: number;
  readonly callee: number;
  readonly bits: number;
  readonly soft: boolean;
  readonly writes: readonly Write[] | undefined;
}

type Action = Omit<Entry, 'cell' | 'rule' | 'soft'> & { readonly soft?: true };

/** Written out when they are asked for: most rules of a large set never are, and the boxes say the same in less room. */
function cellsByRule({ read }: ReadRuleset, dimensions: Dimensions): (rule: number) => readonly Cell[] {
  const known = new Map<number, readonly Cell[]>();
  return rule => {
    let cells = known.get(rule);
    if (cells === undefined) {
      if (known.size > rememberedCells) known.clear();
      known.set(rule, cells = cellsOf(productsOf(dimensions, read[rule]?.asks ?? always), cellLimit));
    }
    return cells;
  };
}

const rememberedCells = 5000;

class ChainCompiler {
  readonly #ruleset: Ruleset;
  readonly #known: ReadRuleset;
  readonly #dimensions: Dimensions;
  readonly #extra: readonly ExtraChain[];
  readonly #fieldCount: number;
  readonly #list: PipelineChain[] = [];
  readonly #ids = new Map<string, number>();
  readonly #writers = new Map<number, readonly Write[]>();
  readonly #callers = new Map<number, [number, number][]>();
  /** Properties that rules may change, as those that stand for masks of a field that is written: nothing is known of them. */
  readonly #doubtful: ReadonlySet<number>;
  readonly #closures = new Map<number, ReadonlySet<number>>();
  #boxes = 0;

  constructor(ruleset: Ruleset, known: ReadRuleset, dimensions: Dimensions, extra: readonly ExtraChain[]) {
    this.#ruleset = ruleset;
    this.#known = known;
    this.#dimensions = dimensions;
    this.#extra = extra;
    const atoms = dimensions.list.findIndex(one => one.kind === 'atom');
    this.#fieldCount = atoms < 0 ? dimensions.list.length : atoms;
    const written = new Set(known.read.flatMap(one => one.rewritings.map(rewriting => rewriting.kind === 'copy' ? rewriting.to : rewriting.field)));
    const changes = changesIn(ruleset);
    this.#doubtful = new Set([...dimensions.atoms].filter(([name]) => agesWith(name, changes) || [...written].some(field => name.startsWith(`${field} & 0x`))).map(([, d]) => d));
  }

  compile(): Chains {
    for (const { table, chain } of this.#known.order) this.#ids.set(`${table.name} ${chain.name}`, this.#ids.size);
    let number = 0;
    for (const { table, chain } of this.#known.order) {
      const entries: Entry[] = [];
      for (const rule of chain.rules) entries.push(...this.#ofRule(table, chain, rule, number++));
      this.#push(table.name, chain.name, chain.policy, entries);
    }
    for (const chain of this.#extra) this.#addExtra(chain);
    const { rules, cyclic } = this.#known;
    return {
      ruleset: this.#ruleset, tracking: trackingOf(this.#ruleset), dimensions: this.#dimensions, fieldCount: this.#fieldCount, rules, cyclic, list: this.#list, ids: this.#ids, cells: cellsByRule(this.#known, this.#dimensions),
      numbers: new Map(rules.map(({ rule }, i) => [rule, i])), writers: this.#writers, callers: this.#callers,
      chainOf: Int32Array.from(rules, at => this.#ids.get(`${at.table} ${at.chain}`) ?? -1), below: chain => this.#below(chain),
    };
  }

  #below(chain: number): ReadonlySet<number> {
    let known = this.#closures.get(chain);
    if (known !== undefined) return known;
    known = new Set([chain]);
    for (const id of known) for (const callee of this.#list[id]?.callee ?? []) if (callee >= 0) (known as Set<number>).add(callee);
    this.#closures.set(chain, known);
    return known;
  }

  #addExtra({ name, policy, rules }: ExtraChain): void {
    this.#ids.set(` ${name}`, this.#list.length);
    const entries = rules.flatMap(({ asks, step, rewritings, soft }): Entry[] => {
      const writes = rewritings.flatMap(one => writesOf(this.#dimensions, one));
      const bits = (step === Step.Accept ? Does.accept : step === Step.Drop ? Does.drop : 0) | this.#writeBits(writes);
      return cellsOf(productsOf(this.#dimensions, asks), cellLimit).map(cell => ({ cell, rule: -1, act: step, callee: -1, bits, soft, writes: writes.length === 0 ? undefined : writes }));
    });
    this.#push('', name, policy, entries);
  }

  #ofRule(table: Table, chain: Chain, rule: Rule, number: number): Entry[] {
    const { asks, rewritings } = this.#known.read[number] ?? { asks: always, rewritings: [] };
    const made = new Map(rewritings.map(one => [one, writesOf(this.#dimensions, one)]));
    const all = [...made.values()].flat();
    if (all.length > 0) this.#writers.set(number, all);
    const entries: Entry[] = [];
    for (const { where, kept } of casesOf(rewritings)) {
      const writes = kept.flatMap(one => made.get(one) ?? []);
      const cells = cellsOf(productsOf(this.#dimensions, where === undefined ? asks : { kind: 'all', of: [asks, where] }), cellLimit);
      for (const action of this.#actions(table, rule, writes.length === 0 ? undefined : writes)) {
        entries.push(...cells.map((cell): Entry => ({ ...action, cell, rule: number, soft: cell.soft || action.soft === true })));
      }
    }
    this.#noteCall(table, chain, number, entries[0]?.callee ?? -1);
    return entries;
  }

  #noteCall(table: Table, chain: Chain, number: number, callee: number): void {
    if (callee < 0) return;
    const own = this.#ids.get(`${table.name} ${chain.name}`) ?? -1;
    const known = this.#callers.get(callee);
    if (known === undefined) this.#callers.set(callee, [[own, number]]);
    else known.push([own, number]);
  }

  #writeBits(writes: readonly Write[] | undefined): number {
    return (writes ?? []).reduce((bits, { dimension }) => {
      const one = this.#dimensions.list[dimension];
      return one === undefined || one.kind === 'atom' ? bits : bits | writerOf(one.field);
    }, 0);
  }

  /** What a rule may do, the certain last; what is unknown may end, and end either way, or write anything. */
  #actions(table: Table, { target }: Rule, writes: readonly Write[] | undefined): readonly Action[] {
    const bits = this.#writeBits(writes);
    const accept = { act: Step.Accept, callee: -1, bits: Does.accept | bits, writes };
    const drop = { act: Step.Drop, callee: -1, bits: Does.drop, writes: undefined };
    const write: readonly Action[] = writes === undefined ? [] : [{ act: Step.Write, callee: -1, bits, writes }];
    if (target.kind === 'chain') {
      const callee = this.#ids.get(`${table.name} ${target.name}`) ?? -1;
      const known = this.#list[callee];
      if (known === undefined || known.policy !== undefined) return [{ ...accept, soft: true }, { ...drop, soft: true }];
      const inside = known.does & ~Does.leave;
      return [{ act: target.goto ? Step.Goto : Step.Jump, callee, bits: target.goto ? inside | Does.leave : inside, writes: undefined }];
    }
    switch (targetEffect(target)) {
      case 'accept': case 'nat': return [accept];
      case 'drop': return [drop];
      case 'reject': return [{ ...drop, bits: Does.reject }];
      case 'return': return [{ act: Step.Leave, callee: -1, bits: Does.leave, writes: undefined }];
      case 'queue': return [{ ...accept, soft: true }, drop];
      case 'unknown': return [{ ...accept, soft: true }, { ...drop, soft: true }, ...write.map(one => ({ ...one, soft: true as const }))];
      case 'continue': return writes === undefined ? [{ act: Step.Skip, callee: -1, bits: 0, writes: undefined }] : write;
    }
  }

  #push(table: string, name: string, policy: PipelineChain['policy'], entries: readonly Entry[]): void {
    const count = entries.length;
    const doubt = Uint8Array.from(entries, ({ cell }) => cell.soft || cell.sides.some(side => this.#doubtful.has(side.dimension)) ? 1 : 0);
    const soft = doubt.map((one, i) => one === 1 || entries[i]?.soft === true ? 1 : 0);
    const atoms = entries.map(({ cell }) => {
      const own = cell.sides.filter(side => side.dimension >= this.#fieldCount && side.low === side.high && !this.#doubtful.has(side.dimension));
      return own.length === 0 ? undefined : own.map(side => side.dimension * 2 + side.low);
    });
    const bits = Int32Array.from(entries, entry => entry.bits);
    const rule = Int32Array.from(entries, entry => entry.rule);
    const suffix = new Int32Array(count + 1);
    const end = new Int32Array(count);
    for (let box = count - 1; box >= 0; box--) {
      suffix[box] = (suffix[box + 1] ?? 0) | (bits[box] ?? 0);
      end[box] = box + 1 < count && rule[box] === rule[box + 1] && (rule[box] ?? -1) >= 0 ? end[box + 1] ?? 0 : box + 1;
    }
    const boxes = { count, ...sidesOf(entries, this.#fieldCount), bits, last: this.#dimensions.last };
    const callee = Int32Array.from(entries, entry => entry.callee);
    this.#list.push({
      ...boxes, id: this.#list.length, name, table, firstBox: this.#boxes, rule, act: Uint8Array.from(entries, entry => entry.act), callee, end, soft, doubt, atoms,
      writes: entries.map(entry => entry.writes), index: new BoxIndex(boxes, Int32Array.from(bits.keys()).filter(box => bits[box] !== 0)), asks: [...new Set(boxes.dim)], suffix, does: suffix[0] ?? 0, policy,
    });
    this.#boxes += count;
  }
}

function sidesOf(entries: readonly Entry[], fieldCount: number): Pick<Boxes, 'at' | 'dim' | 'lo' | 'hi'> {
  const sides = entries.map(({ cell }) => cell.sides.filter(side => side.dimension < fieldCount));
  const flat = sides.flat();
  const at = new Int32Array(entries.length + 1);
  sides.forEach((some, i) => { at[i + 1] = (at[i] ?? 0) + some.length; });
  return { at, dim: Int32Array.from(flat, side => side.dimension), lo: Int32Array.from(flat, side => side.low), hi: Int32Array.from(flat, side => side.high) };
}

/** Built-in chains by table and hook. */
export function baseChain({ ids, ruleset }: Chains, table: keyof typeof builtInChains, hook: Hook): number {
  return ruleset.tables.get(table)?.chains.get(hook) === undefined ? -1 : ids.get(`${table} ${hook}`) ?? -1;
}
