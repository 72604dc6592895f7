/** The boxes of all chains, as they are written: what rules ask of fields are sides, what they ask of properties stands beside them. */
import { BoxWriter } from '../box-writer.js';
import type { Boxes } from '../boxes.js';
import { ChainView, type ChainPlace } from './chain-view.js';
import type { PipelineChain } from './chains.js';
import type { Write } from './values.js';

/** What becomes of packets in a box. */
export interface Action {
  readonly act: number;
  readonly callee: number;
  readonly bits: number;
  readonly writes: readonly Write[] | undefined;
  /** It may happen or not, even where the box matches. */
  readonly soft?: true;
}

/** What a space tells the writer of boxes. */
export interface Fields {
  /** Dimensions below this one are fields; the others are properties. */
  readonly count: number;
  /** Properties of which nothing is known. */
  readonly doubtful: ReadonlySet<number>;
  readonly last: Int32Array;
}

/** The boxes of all chains, one chain behind the other: what is said of them in `PipelineChain`. */
export interface AllBoxes extends Boxes, Readonly<Pick<PipelineChain, 'rule' | 'act' | 'callee' | 'soft' | 'doubt'>> {
  /** By box; those that ask no property, or write nothing, are absent. */
  readonly atoms: ReadonlyMap<number, readonly number[]>;
  readonly writes: ReadonlyMap<number, readonly Write[]>;
}

type Said = Pick<PipelineChain, 'rule' | 'act' | 'callee' | 'bits' | 'soft' | 'doubt'>;

/** Room for what is said of so many boxes; what is said of the first of them already. */
function said(count: number, before?: Said): Said {
  const all = { rule: new Int32Array(count), act: new Uint8Array(count), callee: new Int32Array(count), bits: new Int32Array(count), soft: new Uint8Array(count), doubt: new Uint8Array(count) };
  if (before !== undefined) for (const key of ['rule', 'act', 'callee', 'bits', 'soft', 'doubt'] as const) all[key].set(before[key].subarray(0, count));
  return all;
}

const nothing: readonly never[] = [];

export class ChainBoxes extends BoxWriter {
  readonly #fields: Fields;
  #said = said(64);
  readonly #atoms = new Map<number, number[]>();
  readonly #writes = new Map<number, readonly Write[]>();
  #isDoubtful = false;
  /** Of the chain at hand: its first box, what may come of it, the fields that it asks, the chains that it calls. */
  #from = 0;
  #does = 0;
  readonly #asks = new Set<number>();
  readonly #callees = new Set<number>();
  #writing: PipelineChain['writing'][number][] = [];
  #asksAtoms = false;
  #all: AllBoxes | undefined;

  constructor(fields: Fields) {
    super();
    this.#fields = fields;
  }

  override side(dimension: number, low: number, high: number): void {
    if (dimension < this.#fields.count) {
      super.side(dimension, low, high);
      this.#asks.add(dimension);
    } else if (this.#fields.doubtful.has(dimension)) this.#isDoubtful = true;
    else if (low === high) this.#atom(dimension * 2 + low);
  }

  #atom(atom: number): void {
    this.#asksAtoms = true;
    const known = this.#atoms.get(this.count);
    if (known === undefined) this.#atoms.set(this.count, [atom]);
    else known.push(atom);
  }

  override close(): void {
    super.close();
    if (this.count > this.#said.rule.length) this.#said = said(this.#said.rule.length * 2, this.#said);
    this.#said.doubt[this.count - 1] = this.#isDoubtful ? 1 : 0;
    this.#isDoubtful = false;
  }

  /** What the last `count` boxes are: those of one rule (-1: of none), of which the first `certain` hang on nothing unknown. */
  act(rule: number, { count, certain }: { readonly count: number; readonly certain: number }, action: Action): void {
    const { act, callee, bits, writes } = action;
    if (callee >= 0 && count > 0) this.#callees.add(callee);
    if (count > 0) this.#does |= bits;
    const said = this.#said;
    if (writes !== undefined && count > 0) this.#writing.push({ act, writes });
    for (let i = 0; i < count; i++) {
      const box = this.count - count + i;
      if (i >= certain) said.doubt[box] = 1;
      said.rule[box] = rule;
      said.act[box] = act;
      said.callee[box] = callee;
      said.bits[box] = bits;
      said.soft[box] = said.doubt[box] === 1 || action.soft === true ? 1 : 0;
      if (writes !== undefined) this.#writes.set(box, writes);
    }
  }

  /** The chain of the boxes since the last one. */
  chain(place: Pick<ChainPlace, 'id' | 'name' | 'table' | 'policy'>): PipelineChain {
    const chain = new ChainView({
      ...place, does: this.#does, firstBox: this.#from, count: this.count - this.#from,
      asks: all(this.#asks), callees: all(this.#callees), writing: this.#writing.length === 0 ? nothing : this.#writing, asksAtoms: this.#asksAtoms,
    }, () => this.all());
    this.#from = this.count;
    this.#does = 0;
    this.#asks.clear();
    this.#callees.clear();
    this.#writing = [];
    this.#asksAtoms = false;
    return chain;
  }

  /** All that was written; nothing can be added any more. */
  all(): AllBoxes {
    return this.#all ??= this.#written();
  }

  #written(): AllBoxes {
    const all = { ...this.finish(), ...said(this.count, this.#said), count: this.count, last: this.#fields.last, atoms: this.#atoms, writes: this.#writes };
    this.#said = said(0);
    this.clear();
    return all;
  }
}

function all<T>(some: ReadonlySet<T>): readonly T[] {
  return some.size === 0 ? nothing : [...some];
}
