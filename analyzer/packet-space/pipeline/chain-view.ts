import { BoxIndex } from '../box-index.js';
import type { AllBoxes } from './chain-boxes.js';
import type { PipelineChain } from './chains.js';

/** What is known of a chain without its boxes. */
export type ChainPlace = Pick<PipelineChain, 'id' | 'name' | 'table' | 'policy' | 'firstBox' | 'count' | 'does' | 'asks' | 'callees' | 'writing' | 'asksAtoms'>;

type Body = Pick<PipelineChain, 'count' | 'at' | 'dim' | 'lo' | 'hi' | 'bits' | 'last' | 'rule' | 'act' | 'callee' | 'end' | 'soft' | 'doubt' | 'atoms' | 'writes' | 'suffix'>;

const noAtoms: PipelineChain['atoms'] = [];
const noWrites: PipelineChain['writes'] = [];

/** A chain, whose boxes are cut from those of all when they are looked at: of the thousands that large rule sets have, few ever are. */
export class ChainView implements PipelineChain {
  readonly id: number;
  readonly name: string;
  readonly table: string;
  readonly policy: 'ACCEPT' | 'DROP' | undefined;
  readonly firstBox: number;
  readonly count: number;
  readonly does: number;
  readonly asks: readonly number[];
  readonly callees: readonly number[];
  readonly writing: PipelineChain['writing'];
  readonly asksAtoms: boolean;
  readonly #all: () => AllBoxes;
  #made: Body | undefined;
  #index: BoxIndex | undefined;

  constructor({ id, name, table, policy, firstBox, count, does, asks, callees, writing, asksAtoms }: ChainPlace, all: () => AllBoxes) {
    this.id = id;
    this.name = name;
    this.table = table;
    this.policy = policy;
    this.firstBox = firstBox;
    this.count = count;
    this.does = does;
    this.asks = asks;
    this.callees = callees;
    this.writing = writing;
    this.asksAtoms = asksAtoms;
    this.#all = all;
  }

  get at(): Int32Array { return this.#body.at; }
  get dim(): Int32Array { return this.#body.dim; }
  get lo(): Int32Array { return this.#body.lo; }
  get hi(): Int32Array { return this.#body.hi; }
  get bits(): Int32Array { return this.#body.bits; }
  get last(): Int32Array { return this.#body.last; }
  get rule(): Int32Array { return this.#body.rule; }
  get act(): Uint8Array { return this.#body.act; }
  get callee(): Int32Array { return this.#body.callee; }
  get end(): Int32Array { return this.#body.end; }
  get soft(): Uint8Array { return this.#body.soft; }
  get doubt(): Uint8Array { return this.#body.doubt; }
  get atoms(): PipelineChain['atoms'] { return this.#body.atoms; }
  get writes(): PipelineChain['writes'] { return this.#body.writes; }
  get suffix(): Int32Array { return this.#body.suffix; }
  get index(): BoxIndex { return this.#index ??= new BoxIndex(this.#body, activeIn(this.#body.bits)); }

  get #body(): Body {
    return this.#made ??= cut(this.#all(), this);
  }
}

/** The boxes of one chain, numbered from 0. */
function cut(all: AllBoxes, { firstBox: from, count, asksAtoms, writing }: ChainPlace): Body {
  const to = from + count;
  const [bits, rule] = [all.bits.subarray(from, to), all.rule.subarray(from, to)];
  const [suffix, end] = [new Int32Array(count + 1), new Int32Array(count)];
  for (let box = count - 1; box >= 0; box--) {
    suffix[box] = (suffix[box + 1] ?? 0) | (bits[box] ?? 0);
    end[box] = box + 1 < count && rule[box] === rule[box + 1] && (rule[box] ?? -1) >= 0 ? end[box + 1] ?? 0 : box + 1;
  }
  return {
    count, at: all.at.subarray(from, to + 1), dim: all.dim, lo: all.lo, hi: all.hi, bits, last: all.last, rule, act: all.act.subarray(from, to), callee: all.callee.subarray(from, to), end,
    soft: all.soft.subarray(from, to), doubt: all.doubt.subarray(from, to), atoms: asksAtoms ? listed(all.atoms, from, count) : noAtoms, writes: writing.length > 0 ? listed(all.writes, from, count) : noWrites, suffix,
  };
}

/** What is said of the boxes of one chain, by their numbers there. */
function listed<T>(said: ReadonlyMap<number, T>, from: number, count: number): (T | undefined)[] {
  return Array.from({ length: count }, (_, box) => said.get(from + box));
}

/** The boxes of which something may come. */
function activeIn(bits: Int32Array): Int32Array {
  const some = new Int32Array(bits.length);
  let at = 0;
  for (let box = 0; box < bits.length; box++) if (bits[box] !== 0) some[at++] = box;
  return some.slice(0, at);
}
