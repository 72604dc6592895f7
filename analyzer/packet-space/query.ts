/** A question about the packets that enter one built-in chain, as a traversal answers it for one of them. */
import { BoxIndex } from './box-index.js';
import { Act, type CompiledChain, type CompiledTable } from './compile.js';

/** Chains from which jumps lead to a chain, with the boxes of these jumps, sorted. */
export type Ways = ReadonlyMap<number, Int32Array>;

const noBoxes = new Int32Array(0);

/** A place in the rules that the question is about: what happens to a way that arrives there. */
export interface Mark {
  readonly chain: number;
  /** The boxes of the rule there: they hold every packet of the question. */
  readonly from: number;
  readonly to: number;
  /** The chains from which jumps lead there, and its own, each with the boxes of these jumps. */
  readonly ways: Ways;
  /** `goal`: found. `start`: the rule does not exist, and from here on fates count. `start-return`: the same, and it returns. */
  readonly does: 'goal' | 'start' | 'start-return';
}

export interface Query {
  readonly compiled: CompiledTable;
  /** The built-in chain. */
  readonly base: number;
  readonly mark: Mark | undefined;
  /** Bits of the fates that are looked for. */
  readonly goals: number;
  /** Bit of the policy's fate. */
  readonly policy: number;
  /** Everything that might happen is run through, not only what could end a way. */
  readonly thorough: boolean;
  /** What may happen counts against: only certain goals are found. */
  readonly strict: boolean;
  /** Any rule but these may or may not be there. */
  readonly only: ReadonlySet<number> | undefined;
  /** By chain, indexes of what is left by `only`; made when needed. */
  readonly views: Map<number, BoxIndex> | undefined;
}

/** The boxes that a run at this level has to look at. */
export function indexFor(query: Query, chain: CompiledChain, level: number): BoxIndex {
  if (query.only === undefined) return query.strict || (query.thorough && level === 2) ? chain.full : chain.hard;
  let view = query.views?.get(chain.id);
  if (view === undefined) {
    view = new BoxIndex(query.compiled.boxes, visible(query.compiled, chain, query.only, query.mark));
    query.views?.set(chain.id, view);
  }
  return view;
}

/** What is to be looked at where only some rules are certain to be there: these, what leads away, and the way to the mark. */
function visible({ boxes, start }: CompiledTable, chain: CompiledChain, only: ReadonlySet<number>, mark: Mark | undefined): Int32Array {
  const some: number[] = [...chain.leaving, ...mark?.ways.get(chain.id) ?? noBoxes];
  const behind = chain.firstRule + chain.chain.rules.length;
  for (const rule of only) {
    if (rule < chain.firstRule || rule >= behind) continue;
    for (let box = start[rule] ?? 0, end = start[rule + 1] ?? 0; box < end; box++) {
      const act = boxes.act[box];
      if (act === Act.End || act === Act.Jump) some.push(box);
    }
  }
  return some.length === 0 ? noBoxes : Int32Array.from(some).sort();
}
