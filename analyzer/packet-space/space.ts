/** A rule set's packets: its tables, compiled when first asked about. */
import type { Hook } from '../extensions/define.js';
import type { Ruleset, Table } from '../model/ruleset.js';
import { Act, chainOf, compileTable, type CompiledChain, type CompiledTable } from './compile.js';
import { fateBits } from './effect.js';
import { FoundPackets } from './found-packets.js';
import { boxWithin, joined, type Hull } from './hull.js';
import type { Region } from './boxes.js';
import type { Query, Ways } from './query.js';
import { seesNoFragments } from './tracking.js';

/** What is compiled of one table, and what was found out about its chains. */
export interface TableSpace {
  readonly compiled: CompiledTable;
  readonly built: readonly { readonly hook: Hook; readonly chain: CompiledChain; readonly region: Region }[];
  readonly callers: Callers;
  readonly ways: Map<number, Ways>;
  /** By chain: around all packets that jumps lead there. */
  readonly entries: readonly Hull[];
  /** Packets that rules are known to match. */
  readonly found: FoundPackets;
  /** Look-ups that are left for questions about single rules of this table. */
  left: number;
}

/** The boxes of the jumps to chain c are boxes[at[c]] … boxes[at[c + 1] - 1]. */
interface Callers {
  readonly at: Int32Array;
  readonly boxes: Int32Array;
}

/** So that the rules of one table, asked about one by one, cannot take for ever. */
const singleBudget = 20_000_000;

export interface PacketSpace {
  readonly ruleset: Ruleset;
  readonly tables: Map<Table, TableSpace>;
}

export function packetSpace(ruleset: Ruleset): PacketSpace {
  return { ruleset, tables: new Map() };
}

export function spaceOf(space: PacketSpace, table: Table): TableSpace {
  let known = space.tables.get(table);
  if (known === undefined) {
    const compiled = compileTable(space.ruleset, table);
    const areWhole = seesNoFragments(space.ruleset);
    const built = compiled.chains.flatMap(chain => chain.chain.hook === undefined ? [] : [{ hook: chain.chain.hook, chain, region: hookRegion(compiled, chain.chain.hook, areWhole) }]);
    const callers = callersOf(compiled);
    known = { compiled, built, callers, ways: new Map(), entries: entriesOf(compiled, callers), found: new FoundPackets(compiled.ruleCount, compiled.dimensions.last.length), left: singleBudget };
    space.tables.set(table, known);
  }
  return known;
}

/** In POSTROUTING forwarded packets have it, and those of the host itself have not (ip_output() in net/ipv4/ip_output.c, since Linux 5.7). */
const hasIn: Readonly<Record<Hook, boolean | 'some'>> = { PREROUTING: true, INPUT: true, FORWARD: true, OUTPUT: false, POSTROUTING: 'some' };
const hasOut: Readonly<Record<Hook, boolean | 'some'>> = { PREROUTING: false, INPUT: false, FORWARD: true, OUTPUT: true, POSTROUTING: true };

/**
 * The packets that a hook sees. An interface that it has not got is the empty name, which `! -i eth0` matches
 * (ip_packet_match in net/ipv4/netfilter/ip_tables.c compares with a name of zeros). `areWhole`: no fragments.
 */
function hookRegion({ dimensions }: CompiledTable, hook: Hook, areWhole: boolean): Region {
  const region = { lo: new Int32Array(dimensions.last.length), hi: dimensions.last.slice() };
  for (const [field, has] of [['in', hasIn[hook]], ['out', hasOut[hook]]] as const) {
    const at = dimensions.fields.get(field)?.[0];
    if (at === undefined || has === 'some') continue;
    if (has) region.lo[at] = 1;
    else region.hi[at] = 0;
  }
  const fragment = dimensions.fields.get('fragment')?.[0];
  if (areWhole && fragment !== undefined) region.hi[fragment] = 0;
  return region;
}

/** For each chain, the jumps that call it. */
function callersOf({ chains, boxes: { act, callee, count } }: CompiledTable): Callers {
  const at = new Int32Array(chains.length + 1);
  const isCall = (box: number): boolean => act[box] === Act.Jump || act[box] === Act.Goto;
  for (let box = 0; box < count; box++) if (isCall(box)) at[(callee[box] ?? 0) + 1] = (at[(callee[box] ?? 0) + 1] ?? 0) + 1;
  for (let id = 0; id < chains.length; id++) at[id + 1] = (at[id + 1] ?? 0) + (at[id] ?? 0);
  const boxes = new Int32Array(at[chains.length] ?? 0);
  const next = at.slice();
  for (let box = 0; box < count; box++) {
    if (!isCall(box)) continue;
    const id = callee[box] ?? 0;
    boxes[next[id] ?? 0] = box;
    next[id] = (next[id] ?? 0) + 1;
  }
  return { at, boxes };
}

/** Around the packets that jumps lead into each chain, as far as the jumps themselves say. */
function entriesOf(compiled: CompiledTable, { at, boxes }: Callers): Hull[] {
  const entries: Hull[] = [];
  for (const id of compiled.order) {
    let hull: Hull = compiled.chains[id]?.chain.hook === undefined ? undefined : [];
    for (let i = at[id] ?? 0, end = at[id + 1] ?? 0; i < end && hull?.length !== 0; i++) {
      const box = boxes[i] ?? 0;
      hull = joined(hull, boxWithin(compiled.own, box, entries[chainOf(compiled, compiled.boxes.rule[box] ?? 0).id]));
    }
    entries[id] = hull;
  }
  return entries;
}

function callsOf({ callers: { at, boxes } }: TableSpace, chain: number): Int32Array {
  return boxes.subarray(at[chain], at[chain + 1]);
}

const none = new Int32Array(0);

/** Which jumps lead to a chain, over any number of others. */
export function waysTo(space: TableSpace, target: number): Ways {
  let known = space.ways.get(target);
  if (known !== undefined) return known;
  const boxes = new Map<number, number[]>([[target, []]]);
  const open = [target];
  for (let callee = open.pop(); callee !== undefined; callee = open.pop()) {
    for (const box of callsOf(space, callee)) {
      const caller = chainOf(space.compiled, space.compiled.boxes.rule[box] ?? 0).id;
      const some = boxes.get(caller);
      if (some !== undefined) some.push(box);
      else {
        boxes.set(caller, [box]);
        open.push(caller);
      }
    }
  }
  const sorted = new Map<number, Int32Array>();
  for (const [chain, some] of boxes) sorted.set(chain, some.length === 0 ? none : Int32Array.from(some).sort());
  known = sorted;
  // Questions come chain by chain: the last few are enough.
  if (space.ways.size > 16) space.ways.clear();
  space.ways.set(target, known);
  return known;
}

/** The numbers of the rules that jump to a chain. */
export function callingRules(space: TableSpace, target: number): number[] {
  return [...new Set(Array.from(callsOf(space, target), box => space.compiled.boxes.rule[box] ?? 0))];
}

/** A rule that jumps to a chain and is known to be matched; -1 where there is none. */
export function foundCaller({ callers: { at, boxes }, compiled, found }: TableSpace, target: number): number {
  for (let i = at[target] ?? 0, end = at[target + 1] ?? 0; i < end; i++) {
    const rule = compiled.boxes.rule[boxes[i] ?? 0] ?? 0;
    if (found.has(rule)) return rule;
  }
  return -1;
}

/** A question about one built-in chain; what is not said asks for nothing. */
export function makeQuery(compiled: CompiledTable, { id, chain }: CompiledChain, parts: Partial<Omit<Query, 'compiled' | 'base' | 'views'>>): Query {
  const { mark, only, goals = 0, strict = false, thorough = goals !== 0, policy = chain.policy === 'DROP' ? fateBits.drop : fateBits.accept } = parts;
  return { compiled, base: id, mark, goals, policy, thorough, strict, only, views: only === undefined ? undefined : new Map() };
}
