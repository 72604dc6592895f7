/** Compiles the chains of a rule set to boxes over one packet space. */
import type { Chain, Rule, Ruleset, Table } from '../../model/ruleset.js';
import { all, type Constraint } from '../../packet/constraint.js';
import type { Rewriting } from '../../packet/rewriting.js';
import { ConstraintWriter } from '../constraint-writer.js';
import type { Dimensions } from '../dimensions.js';
import { targetEffect } from '../effect.js';
import { cellsOf, type Cell } from '../product.js';
import { productsOf } from '../products.js';
import { agesWith, changesIn } from './atoms.js';
import { ChainBoxes, type Action, type Fields } from './chain-boxes.js';
import { Step, type Chains, type ExtraChain, type PipelineChain } from './chains.js';
import { Does, writersOf } from './classes.js';
import type { ReadRuleset } from './read-ruleset.js';
import { trackingOf } from '../tracking.js';
import { writesOf, type Write } from './values.js';

const cellLimit = 4096;

/** Compiles all tables in a space that was made for them. */
export function compileChains(read: ReadRuleset, dimensions: Dimensions, extra: readonly ExtraChain[]): Chains {
  return new ChainCompiler(read, dimensions, extra).compile();
}

/** What a rule writes to some of its packets, or to all. */
interface Case {
  readonly where: Constraint | undefined;
  readonly writes: readonly Write[];
}

/** What is written depends on what the packet is: each combination, the one with most conditions first. */
function combined(cases: readonly Case[]): readonly Case[] {
  const conditions = [...new Set(cases.flatMap(one => one.where ?? []))];
  const out: Case[] = [];
  for (let met = 2 ** conditions.length - 1; met >= 0; met--) {
    const holds = conditions.filter((_, i) => (met & (1 << i)) !== 0);
    out.push({ where: holds.length === 0 ? undefined : all(holds), writes: cases.flatMap(one => one.where === undefined || holds.includes(one.where) ? one.writes : []) });
  }
  return out;
}

const rememberedCells = 5000;

/** Written out when they are asked for: most rules of a large set never are, and the boxes say the same in less room. */
function cellsByRule({ asks }: ReadRuleset, dimensions: Dimensions): (rule: number) => readonly Cell[] {
  const known = new Map<number, readonly Cell[]>();
  return rule => {
    let cells = known.get(rule);
    if (cells === undefined) {
      if (known.size > rememberedCells) known.clear();
      known.set(rule, cells = cellsOf(productsOf(dimensions, asks(rule)), cellLimit));
    }
    return cells;
  };
}

/** Fields of the space, and properties of which nothing is known: rules may change them, or they stand for masks of a field that is written. */
function fieldsOf({ ruleset, rewritings }: ReadRuleset, { list, last, atoms }: Dimensions): Fields {
  const first = list.findIndex(one => one.kind === 'atom');
  const written = new Set([...rewritings.values()].flat().map(one => one.kind === 'copy' ? one.to : one.field));
  const changes = changesIn(ruleset);
  const doubtful = new Set([...atoms].filter(([name]) => agesWith(name, changes) || [...written].some(field => name.startsWith(`${field} & 0x`))).map(([, d]) => d));
  return { count: first < 0 ? list.length : first, doubtful, last };
}

class ChainCompiler {
  readonly #ruleset: Ruleset;
  readonly #known: ReadRuleset;
  readonly #dimensions: Dimensions;
  readonly #extra: readonly ExtraChain[];
  readonly #fieldCount: number;
  readonly #boxes: ChainBoxes;
  readonly #writer: ConstraintWriter;
  readonly #list: PipelineChain[] = [];
  readonly #ids = new Map<string, number>();
  readonly #writers = new Map<number, readonly Write[]>();
  readonly #callers = new Map<number, [number, number][]>();
  readonly #actions = new Map<unknown, readonly Action[]>();
  readonly #closures = new Map<number, ReadonlySet<number>>();

  constructor(known: ReadRuleset, dimensions: Dimensions, extra: readonly ExtraChain[]) {
    this.#ruleset = known.ruleset;
    this.#known = known;
    this.#dimensions = dimensions;
    this.#extra = extra;
    const fields = fieldsOf(known, dimensions);
    this.#fieldCount = fields.count;
    this.#boxes = new ChainBoxes(fields);
    this.#writer = new ConstraintWriter(dimensions, this.#boxes);
  }

  compile(): Chains {
    const { order, rules, cyclic } = this.#known;
    const chainOf = new Int32Array(rules.length).fill(-1);
    for (const { table, chain } of order) this.#ids.set(`${table.name} ${chain.name}`, this.#ids.size);
    for (const [id, { table, chain, first }] of order.entries()) {
      chainOf.fill(id, first, first + chain.rules.length);
      chain.rules.forEach((rule, i) => { this.#rule(table, id, rule, first + i); });
      this.#push(table.name, chain.name, chain.policy);
    }
    for (const chain of this.#extra) this.#addExtra(chain);
    return {
      ruleset: this.#ruleset, tracking: trackingOf(this.#ruleset), dimensions: this.#dimensions, fieldCount: this.#fieldCount, rules, cyclic, list: this.#list, ids: this.#ids, ruleOfBox: this.#boxes.all().rule, cells: cellsByRule(this.#known, this.#dimensions),
      numbers: new Map(rules.map(({ rule }, i) => [rule, i])), writers: this.#writers, callers: this.#callers, chainOf, below: chain => this.#below(chain),
    };
  }

  #below(chain: number): ReadonlySet<number> {
    let known = this.#closures.get(chain);
    if (known !== undefined) return known;
    const found = new Set([chain]);
    for (const id of found) for (const callee of this.#list[id]?.callees ?? []) found.add(callee);
    this.#closures.set(chain, known = found);
    return known;
  }

  #addExtra({ name, policy, rules }: ExtraChain): void {
    this.#ids.set(` ${name}`, this.#list.length);
    for (const { asks, step, rewritings, soft } of rules) {
      const writes = rewritings.flatMap(one => writesOf(this.#dimensions, one));
      const bits = (step === Step.Accept ? Does.accept : step === Step.Drop ? Does.drop : 0) | this.#writeBits(writes);
      this.#boxes.act(-1, this.#writer.write(asks), { act: step, callee: -1, bits, writes: writes.length === 0 ? undefined : writes, ...soft ? { soft } : {} });
    }
    this.#push('', name, policy);
  }

  #rule(table: Table, chain: number, rule: Rule, number: number): void {
    const rewritings = this.#known.rewritings.get(number);
    if (rewritings !== undefined) {
      this.#rewriting(table, rule, number, rewritings);
      return;
    }
    const actions = this.#actionsOf(table, rule, undefined);
    const before = this.#boxes.count;
    this.#write(number, this.#known.asks(number), actions);
    const callee = actions[0]?.callee ?? -1;
    if (callee >= 0 && this.#boxes.count > before) this.#noteCall(chain, number, callee);
  }

  #write(number: number, asks: Constraint, actions: readonly Action[]): void {
    for (const action of actions) this.#boxes.act(number, this.#writer.write(asks), action);
  }

  /** What a rule writes may depend on what the packet is: a box for each case. */
  #rewriting(table: Table, rule: Rule, number: number, rewritings: readonly Rewriting[]): void {
    const asks = this.#known.asks(number);
    const cases = rewritings.map((one): Case => ({ where: one.where, writes: writesOf(this.#dimensions, one) }));
    const written = cases.flatMap(one => one.writes);
    if (written.length > 0) this.#writers.set(number, written);
    for (const { where, writes } of combined(cases)) {
      this.#write(number, where === undefined ? asks : all([asks, where]), this.#actionsOf(table, rule, writes.length === 0 ? undefined : writes));
    }
  }

  #noteCall(chain: number, number: number, callee: number): void {
    const known = this.#callers.get(callee);
    if (known === undefined) this.#callers.set(callee, [[chain, number]]);
    else known.push([chain, number]);
  }

  #writeBits(writes: readonly Write[] | undefined): number {
    const writers = writersOf(this.#dimensions);
    return (writes ?? []).reduce((bits, { dimension }) => bits | (writers[dimension] ?? 0), 0);
  }

  #actionsOf(table: Table, rule: Rule, writes: readonly Write[] | undefined): readonly Action[] {
    const { target } = rule;
    if (writes !== undefined || target.kind !== 'extension') return this.#newActions(table, rule, writes);
    let known = this.#actions.get(target.use);
    if (known === undefined) this.#actions.set(target.use, known = this.#newActions(table, rule, undefined));
    return known;
  }

  /** What a rule may do, the certain last; what is unknown may end, and end either way, or write anything. */
  #newActions(table: Table, { target }: Rule, writes: readonly Write[] | undefined): readonly Action[] {
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

  #push(table: string, name: string, policy: Chain['policy']): void {
    this.#list.push(this.#boxes.chain({ id: this.#list.length, name, table, policy }));
  }
}
