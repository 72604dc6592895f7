/** The boxes of one chain, as they are written: what rules ask of fields are sides, what they ask of properties stands beside them. */
import { BoxIndex } from '../box-index.js';
import { BoxWriter } from '../box-writer.js';
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

const noAtoms: PipelineChain['atoms'] = [];
const noWrites: PipelineChain['writes'] = [];

export class ChainBoxes extends BoxWriter {
  readonly #fields: Fields;
  #rule: number[] = [];
  #actions: Action[] = [];
  #soft: number[] = [];
  #doubt: number[] = [];
  #atoms: (readonly number[] | undefined)[] = [];
  #asked: number[] | undefined;
  #isDoubtful = false;
  #hasAtoms = false;

  constructor(fields: Fields) {
    super();
    this.#fields = fields;
  }

  override side(dimension: number, low: number, high: number): void {
    if (dimension < this.#fields.count) super.side(dimension, low, high);
    else if (this.#fields.doubtful.has(dimension)) this.#isDoubtful = true;
    else if (low === high) (this.#asked ??= []).push(dimension * 2 + low);
  }

  override close(): void {
    super.close();
    this.#doubt.push(this.#isDoubtful ? 1 : 0);
    this.#atoms.push(this.#asked);
    if (this.#asked !== undefined) this.#hasAtoms = true;
    this.#asked = undefined;
    this.#isDoubtful = false;
  }

  /** What the last `count` boxes are: those of one rule (-1: of none), of which the first `certain` hang on nothing unknown. */
  act(rule: number, { count, certain }: { readonly count: number; readonly certain: number }, action: Action): void {
    const first = this.count - count;
    for (let i = 0; i < count; i++) {
      if (i >= certain) this.#doubt[first + i] = 1;
      this.#rule.push(rule);
      this.#actions.push(action);
      this.#soft.push(this.#doubt[first + i] === 1 || action.soft === true ? 1 : 0);
    }
  }

  /** The chain, and room for the next. */
  take(place: Pick<PipelineChain, 'id' | 'name' | 'table' | 'firstBox' | 'policy'>): PipelineChain {
    const { count } = this;
    const actions = this.#actions;
    const rule = Int32Array.from(this.#rule);
    const bits = Int32Array.from(actions, one => one.bits);
    const suffix = new Int32Array(count + 1);
    const end = new Int32Array(count);
    let active = 0;
    for (let box = count - 1; box >= 0; box--) {
      suffix[box] = (suffix[box + 1] ?? 0) | (bits[box] ?? 0);
      end[box] = box + 1 < count && rule[box] === rule[box + 1] && (rule[box] ?? -1) >= 0 ? end[box + 1] ?? 0 : box + 1;
      if (bits[box] !== 0) active++;
    }
    const boxes = { count, ...this.finish(), bits, last: this.#fields.last };
    const callee = Int32Array.from(actions, one => one.callee);
    const chain = {
      ...boxes, ...place, rule, act: Uint8Array.from(actions, one => one.act), callee, end, soft: Uint8Array.from(this.#soft), doubt: Uint8Array.from(this.#doubt),
      atoms: this.#hasAtoms ? this.#atoms : noAtoms, writes: actions.some(one => one.writes !== undefined) ? actions.map(one => one.writes) : noWrites,
      callees: [...new Set(callee)].filter(id => id >= 0), index: new BoxIndex(boxes, activeIn(bits, active)), asks: [...new Set(boxes.dim)], suffix, does: suffix[0] ?? 0,
    };
    this.clear();
    return chain;
  }

  override clear(): void {
    super.clear();
    [this.#rule, this.#actions, this.#soft, this.#doubt, this.#atoms, this.#hasAtoms] = [[], [], [], [], [], false];
  }
}

/** The boxes of which something may come. */
function activeIn(bits: Int32Array, count: number): Int32Array {
  const some = new Int32Array(count);
  let at = 0;
  for (let box = 0; box < bits.length; box++) if (bits[box] !== 0) some[at++] = box;
  return some;
}
