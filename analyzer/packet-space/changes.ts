/**
 * What targets change on a packet's way through a table. A test of a field that something before it may have
 * changed says nothing about the packet as it came: it is taken as unknown.
 */
import type { AnyTarget } from '../extensions/define.js';
import { asksFor, unknown, type Ask, type Constraint, type Field } from '../packet/constraint.js';
import type { Rule, Ruleset, Table } from '../model/ruleset.js';
import { callOrder } from './call-order.js';
import { effectOf } from './effect.js';
import { constraintsOf } from './rule-constraint.js';

type Change = NonNullable<AnyTarget['changes']>[number];

const every: readonly Change[] = ['mark', 'connmark', 'ttl', 'dscp', 'ecn', 'state', 'addresses', 'tcp', 'sets'];

/** The fields that each kind of change is about. */
export const fieldsOf: Readonly<Record<Change, readonly Field[]>> = {
  mark: ['mark'], connmark: ['connmark'], ttl: ['ttl'], dscp: ['dscp'], ecn: ['ecn'], state: ['ctstate', 'ctdir'],
  addresses: ['src', 'dst', 'sport', 'dport'], tcp: ['tcpFlags', 'length'], sets: [],
};

/** Changes after which a property that is not modelled further (an address being local, a set) may be another one. */
const touchesAtoms: readonly Change[] = ['state', 'addresses', 'tcp', 'sets', 'dscp', 'ecn'];

/** Changes as a set of bits. */
function bitsOf(changes: readonly Change[]): number {
  return changes.reduce((bits, change) => bits | 1 << every.indexOf(change), 0);
}

const everyBit = bitsOf(every);
const atomBits = bitsOf(touchesAtoms);
const fieldBits = new Map<Field, number>();
for (const change of every) for (const field of fieldsOf[change]) fieldBits.set(field, (fieldBits.get(field) ?? 0) | bitsOf([change]));

/** What a rule changes for the rules that its packets still meet in this table. */
function changesOf({ target }: Rule): number {
  switch (target.kind) {
    case 'none': return 0;
    case 'opaque': return everyBit;
    case 'chain': return 0;
    case 'extension': {
      const { changes } = target.use.definition;
      if (changes === undefined || changes.length === 0) return 0;
      const effect = effectOf(target.use);
      return effect === 'continue' || effect === 'unknown' ? bitsOf(changes) : 0;
    }
  }
}

/**
 * For each rule, what may have been changed before it, as bits; undefined where nothing changes anything. `order` holds
 * the chains with callers first.
 */
export function changesBefore(table: Table, order: readonly string[]): ReadonlyMap<Rule, number> | undefined {
  return bitsBefore(table, order, changesOf);
}

/**
 * For each rule, the bits of all rules that its packets may have met before it in this table; undefined where no rule has any. `order` holds
 * the chains with callers first, so that all ways into a chain are known when its turn comes.
 */
function bitsBefore(table: Table, order: readonly string[], bitsOf: (rule: Rule) => number): ReadonlyMap<Rule, number> | undefined {
  const inside = new Map<string, number>();
  let any = 0;
  for (const name of [...order].reverse()) {
    let bits = 0;
    for (const rule of table.chains.get(name)?.rules ?? []) bits |= bitsOf(rule) | insideCallee(rule, inside);
    inside.set(name, bits);
    any |= bits;
  }
  if (any === 0) return undefined;
  const before = new Map<string, number>();
  const result = new Map<Rule, number>();
  for (const name of order) {
    let now = before.get(name) ?? 0;
    for (const rule of table.chains.get(name)?.rules ?? []) {
      if (now !== 0) result.set(rule, now);
      now |= bitsOf(rule);
      const { target } = rule;
      if (target.kind === 'chain') before.set(target.name, (before.get(target.name) ?? 0) | now);
      now |= insideCallee(rule, inside);
    }
  }
  return result;
}

function insideCallee({ target }: Rule, inside: ReadonlyMap<string, number>): number {
  return target.kind === 'chain' ? inside.get(target.name) ?? 0 : 0;
}

/** Whether what is asked may be answered in another way after `changes`, as bits. */
function mayBeOther(one: Ask, changes: number): boolean {
  switch (one.kind) {
    case 'within': case 'masked': return ((fieldBits.get(one.field) ?? 0) & changes) !== 0;
    case 'atom': return (atomBits & changes) !== 0;
    default: return false;
  }
}

const hanging = new WeakMap<Table, ReadonlySet<Rule>>();

/**
 * The rules of a table of which it does not say by itself whether packets come to them: they ask for what rules before them, in the same table, may have
 * changed, or stand behind one that does, and that may keep packets from them.
 */
export function hangingOnChanges(ruleset: Ruleset, table: Table): ReadonlySet<Rule> {
  let found = hanging.get(table);
  if (found === undefined) hanging.set(table, found = findHanging(ruleset, table));
  return found;
}

function findHanging(ruleset: Ruleset, table: Table): ReadonlySet<Rule> {
  const order = callOrder(table);
  const changes = order === undefined ? undefined : changesBefore(table, order);
  if (order === undefined || changes === undefined) return new Set();
  const constraints = constraintsOf(ruleset, table.name);
  const asking = new Set<Rule>();
  for (const [rule, bits] of changes) if (asksFor(constraints.of(rule), one => mayBeOther(one, bits))) asking.add(rule);
  const behind = bitsBefore(table, order, rule => asking.has(rule) && !goesOn(rule) ? 1 : 0);
  return new Set([...asking, ...behind?.keys() ?? []]);
}

/** Whether all packets that match it meet the next rule. */
function goesOn({ target }: Rule): boolean {
  return target.kind === 'none' || (target.kind === 'extension' && effectOf(target.use) === 'continue');
}

/** The constraint, with what asks for changed fields taken as unknown; `changes` as bits. */
export function forget(constraint: Constraint, changes: number): Constraint {
  if (changes === 0) return constraint;
  switch (constraint.kind) {
    case 'within': case 'masked': {
      const { field } = constraint;
      return ((fieldBits.get(field) ?? 0) & changes) === 0 ? constraint : unknown(`${field} may have been changed before`);
    }
    case 'atom': return (atomBits & changes) === 0 ? constraint : unknown(`${constraint.name} may have been changed before`);
    case 'not': return { kind: 'not', of: forget(constraint.of, changes) };
    case 'all': case 'any': return { kind: constraint.kind, of: constraint.of.map(part => forget(part, changes)) };
    default: return constraint;
  }
}
