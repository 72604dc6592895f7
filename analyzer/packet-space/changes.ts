/**
 * What targets change on a packet's way through a table. A test of a field that something before it may have
 * changed says nothing about the packet as it came: it is taken as unknown.
 */
import type { AnyTarget } from '../extensions/define.js';
import { unknown, type Constraint, type Field } from '../packet/constraint.js';
import type { Rule, Table } from '../model/ruleset.js';
import { effectOf } from './effect.js';

type Change = NonNullable<AnyTarget['changes']>[number];
export type Changes = ReadonlySet<Change>;

const every: readonly Change[] = ['mark', 'connmark', 'ttl', 'dscp', 'ecn', 'state', 'addresses', 'tcp', 'sets'];
const none: Changes = new Set();

const fieldsOf: Readonly<Record<Change, readonly Field[]>> = {
  mark: ['mark'], connmark: ['connmark'], ttl: ['ttl'], dscp: ['dscp'], ecn: ['ecn'], state: ['ctstate', 'ctdir'],
  addresses: ['src', 'dst', 'sport', 'dport'], tcp: ['tcpFlags', 'length'], sets: [],
};


/** Changes after which a property that is not modelled further (an address being local, a set) may be another one. */
const touchesAtoms: readonly Change[] = ['state', 'addresses', 'tcp', 'sets', 'dscp', 'ecn'];

/** What a rule changes for the rules that its packets still meet in this table. */
function changesOf(rule: Rule, table: Table): readonly Change[] {
  const { target } = rule;
  switch (target.kind) {
    case 'none': return [];
    case 'opaque': return every;
    case 'chain': return table.chains.get(target.name) === undefined ? every : [];
    case 'extension': {
      const effect = effectOf(target.use);
      return effect === 'continue' || effect === 'unknown' ? target.use.definition.changes ?? [] : [];
    }
  }
}

/**
 * For each rule, what may have been changed before it. `order` holds the chains with callers first,
 * so that all ways into a chain are known when its turn comes.
 */
export function changesBefore(table: Table, order: readonly string[]): (rule: Rule) => Changes {
  const inside = new Map<string, Set<Change>>();
  for (const name of [...order].reverse()) {
    const rules = table.chains.get(name)?.rules ?? [];
    inside.set(name, new Set(rules.flatMap(rule => [...changesOf(rule, table), ...calleeChanges(rule, inside)])));
  }
  const before = new Map<string, Set<Change>>();
  const result = new Map<Rule, Changes>();
  for (const name of order) {
    let now = before.get(name) ?? none;
    for (const rule of table.chains.get(name)?.rules ?? []) {
      if (now.size > 0) result.set(rule, now);
      const { target } = rule;
      if (target.kind === 'chain') before.set(target.name, new Set([...before.get(target.name) ?? [], ...now]));
      const more = [...changesOf(rule, table), ...calleeChanges(rule, inside)];
      if (more.some(change => !now.has(change))) now = new Set([...now, ...more]);
    }
  }
  return rule => result.get(rule) ?? none;
}

function calleeChanges(rule: Rule, inside: ReadonlyMap<string, ReadonlySet<Change>>): readonly Change[] {
  return rule.target.kind === 'chain' ? [...inside.get(rule.target.name) ?? []] : [];
}

/** The constraint, with what asks for changed fields taken as unknown. */
export function forget(constraint: Constraint, changes: Changes): Constraint {
  if (changes.size === 0) return constraint;
  switch (constraint.kind) {
    case 'within': case 'masked': {
      const { field } = constraint;
      return [...changes].some(change => fieldsOf[change].includes(field)) ? unknown(`${field} may have been changed before`) : constraint;
    }
    case 'atom': return touchesAtoms.some(change => changes.has(change)) ? unknown(`${constraint.name} may have been changed before`) : constraint;
    case 'not': return { kind: 'not', of: forget(constraint.of, changes) };
    case 'all': case 'any': return { kind: constraint.kind, of: constraint.of.map(part => forget(part, changes)) };
    default: return constraint;
  }
}
