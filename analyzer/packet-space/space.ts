/** A rule set's packets: its tables, compiled when first asked about. */
import type { Hook } from '../extensions/define.js';
import type { Rule, Ruleset, Table } from '../model/ruleset.js';
import { compileTable, type CompiledChain, type CompiledTable } from './compile.js';
import { fateBits } from './effect.js';
import type { Region } from './boxes.js';
import type { Query, Ways } from './query.js';

/** What is compiled of one table, and what was found out about its chains. */
export interface TableSpace {
  readonly compiled: CompiledTable;
  readonly numbers: ReadonlyMap<Rule, number>;
  readonly built: readonly { readonly hook: Hook; readonly chain: CompiledChain; readonly region: Region }[];
  readonly callers: ReadonlyMap<number, readonly (readonly [number, number])[]>;
  readonly ways: Map<number, Ways>;
  /** Look-ups that are left for questions about single rules of this table. */
  left: number;
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
    const built = compiled.chains.flatMap(chain => chain.chain.hook === undefined ? [] : [{ hook: chain.chain.hook, chain, region: hookRegion(compiled, chain.chain.hook) }]);
    known = { compiled, numbers: new Map(compiled.rules.map(({ rule }, i) => [rule, i])), built, callers: callersOf(compiled), ways: new Map(), left: singleBudget };
    space.tables.set(table, known);
  }
  return known;
}

const hasIn: Readonly<Record<Hook, boolean>> = { PREROUTING: true, INPUT: true, FORWARD: true, OUTPUT: false, POSTROUTING: false };
const hasOut: Readonly<Record<Hook, boolean>> = { PREROUTING: false, INPUT: false, FORWARD: true, OUTPUT: true, POSTROUTING: true };

/**
 * The packets that a hook sees. An interface that it has not got is the empty name, which `! -i eth0` matches
 * (ip_packet_match in net/ipv4/netfilter/ip_tables.c compares with a name of zeros).
 */
function hookRegion({ dimensions }: CompiledTable, hook: Hook): Region {
  const region = { lo: new Int32Array(dimensions.last.length), hi: dimensions.last.slice() };
  for (const [field, has] of [['in', hasIn[hook]], ['out', hasOut[hook]]] as const) {
    const at = dimensions.fields.get(field)?.[0];
    if (at === undefined) continue;
    if (has) region.lo[at] = 1;
    else region.hi[at] = 0;
  }
  return region;
}

/** For each chain, who calls it: the calling chain and box. */
function callersOf({ chains }: CompiledTable): Map<number, (readonly [number, number])[]> {
  const callers = new Map<number, (readonly [number, number])[]>();
  for (const chain of chains) {
    for (const box of chain.calls) {
      const callee = chain.callee[box] ?? 0;
      const known = callers.get(callee);
      if (known === undefined) callers.set(callee, [[chain.id, box]]);
      else known.push([chain.id, box]);
    }
  }
  return callers;
}

/** Which jumps lead to a chain, over any number of others. */
export function waysTo(space: TableSpace, target: number): Ways {
  let known = space.ways.get(target);
  if (known !== undefined) return known;
  const boxes = new Map<number, number[]>([[target, []]]);
  const open = [target];
  for (let callee = open.pop(); callee !== undefined; callee = open.pop()) {
    for (const [caller, box] of space.callers.get(callee) ?? []) {
      const some = boxes.get(caller);
      if (some !== undefined) some.push(box);
      else {
        boxes.set(caller, [box]);
        open.push(caller);
      }
    }
  }
  known = new Map([...boxes].map(([chain, some]) => [chain, Int32Array.from(some).sort()]));
  // Questions come chain by chain: the last few are enough.
  if (space.ways.size > 16) space.ways.clear();
  space.ways.set(target, known);
  return known;
}

/** The numbers of the rules that jump to a chain. */
export function callingRules(space: TableSpace, target: number): number[] {
  const { chains } = space.compiled;
  return [...new Set((space.callers.get(target) ?? []).map(([caller, box]) => chains[caller]?.rule[box] ?? 0))];
}

/** A question about one built-in chain; what is not said asks for nothing. */
export function makeQuery(compiled: CompiledTable, base: CompiledChain, parts: Partial<Query>): Query {
  return {
    compiled, base: base.id, mark: undefined, goals: 0, policy: base.chain.policy === 'DROP' ? fateBits.drop : fateBits.accept,
    thorough: (parts.goals ?? 0) !== 0, strict: false, only: undefined, views: new Map(), ...parts,
  };
}
