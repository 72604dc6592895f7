/** What the rules of all tables ask and write, before anything is compiled. */
import type { Hook, RuleContext } from '../../extensions/define.js';
import type { Chain, Rule, Ruleset, Table } from '../../model/ruleset.js';
import { always, ctstates, is, type Constraint, type Field } from '../../packet/constraint.js';
import type { Rewriting } from '../../packet/rewriting.js';
import type { RuleAt } from '../answers.js';
import { fieldsOf } from '../changes.js';
import { callOrder } from '../compile.js';
import { constraintsOf, type RuleConstraints } from '../rule-constraint.js';

const knownHooks = new WeakMap<Table, ReadonlyMap<string, readonly Hook[]>>();

/** The hooks from which each chain of a table can be called. */
export function hooksOf(table: Table): ReadonlyMap<string, readonly Hook[]> {
  let hooks = knownHooks.get(table);
  if (hooks === undefined) knownHooks.set(table, hooks = findHooks(table));
  return hooks;
}

function findHooks(table: Table): ReadonlyMap<string, readonly Hook[]> {
  const hooks = new Map<string, Set<Hook>>();
  for (const name of callOrder(table) ?? [...table.chains.keys()]) {
    const chain = table.chains.get(name);
    if (chain === undefined) continue;
    const own = hooks.get(name) ?? new Set<Hook>();
    if (chain.hook !== undefined) own.add(chain.hook);
    hooks.set(name, own);
    for (const { target } of chain.rules) {
      if (target.kind !== 'chain') continue;
      const below = hooks.get(target.name) ?? new Set<Hook>();
      for (const hook of own) below.add(hook);
      hooks.set(target.name, below);
    }
  }
  return new Map([...hooks].map(([name, some]) => [name, [...some]]));
}

const everyField: readonly Field[] = Object.values(fieldsOf).flat();

function unknownWrites(fields: readonly Field[]): Rewriting[] {
  return fields.map(field => ({ kind: 'unknown', field }));
}

const nothing: readonly Rewriting[] = [];

/** What a rule writes, wherever it may run. */
export function rewritingsOf(ruleset: Ruleset, table: Table, rule: Rule, hooks: readonly Hook[]): readonly Rewriting[] {
  const { target } = rule;
  if (target.kind === 'opaque') return unknownWrites(everyField);
  if (target.kind !== 'extension') return nothing;
  const { definition, given, ordered } = target.use;
  if (definition.changes === undefined && definition.rewrites === undefined) return nothing;
  const cx: RuleContext = { family: ruleset.family, backend: ruleset.backend, table: table.name, ordered, protocol: protocolOf(rule) };
  const isKnown = Object.keys(target.use.unresolved).length === 0;
  if (definition.rewrites === undefined || !isKnown) return unknownWrites((definition.changes ?? []).flatMap(change => fieldsOf[change]));
  if (table.name === 'raw' && definition.changes?.includes('state') === true) return stateRewritings(ruleset, definition.rewrites(given, { ...cx, hook: 'PREROUTING' }));
  const byHook = (hooks.length === 0 ? ['PREROUTING'] as const : hooks).map(hook => definition.rewrites?.(given, { ...cx, hook }) ?? []);
  const [first = [], ...rest] = byHook;
  if (rest.every(one => areSame(one, first))) return first;
  // A chain that is called from hooks where the target does different things (NETMAP, REDIRECT): it may be one or the other.
  return [...new Set(byHook.flat().map(writtenField))].flatMap(field => {
    const [one = [], ...others] = byHook.map(written => written.filter(some => writtenField(some) === field));
    return others.every(other => areSame(other, one)) ? one : unknownWrites([field]);
  });
}

/** Whether two values say the same: plain objects, lists, numbers and words. */
function areSame(a: unknown, b: unknown): boolean {
  if (a === b || !isObject(a) || !isObject(b)) return a === b;
  return Object.keys({ ...a, ...b }).every(key => areSame(a[key], b[key]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function writtenField(one: Rewriting): Field {
  return one.kind === 'copy' ? one.to : one.field;
}

/**
 * What has a connection or a template of one is left alone by NOTRACK; what CT gives a template looks NEW to the rest of raw.
 * @see xt_ct_target() in net/netfilter/xt_CT.c
 */
function stateRewritings(ruleset: Ruleset, declared: readonly Rewriting[]): readonly Rewriting[] {
  if (!hasTemplates(ruleset)) return declared;
  const [first = { kind: 'within', field: 'ctstate', ranges: [{ low: ctstates.NEW, high: ctstates.NEW }] } as const] = declared;
  return [{ ...first, where: unseen }];
}

/** Rules of raw give packets templates of connections: zones, helpers. */
function hasTemplates({ tables, family, backend }: Ruleset): boolean {
  const rules = [...tables.get('raw')?.chains.values() ?? []].flatMap(chain => chain.rules);
  return rules.some(rule => {
    if (rule.target.kind !== 'extension') return false;
    const { definition, given, ordered } = rule.target.use;
    const cx = { family, backend, table: 'raw', ordered, protocol: protocolOf(rule), hook: 'PREROUTING' } as const;
    return definition.changes?.includes('state') === true && definition.rewrites?.(given, cx).length === 0;
  });
}

/** In raw: nothing knows the packet yet. */
const unseen = is('ctstate', ctstates.INVALID);

function protocolOf({ protocol }: Rule): RuleContext['protocol'] {
  return protocol === undefined || typeof protocol.value !== 'number' ? undefined : { number: protocol.value, negated: protocol.negated };
}

/** What the rules of all tables ask and write. */
export interface ReadRuleset {
  readonly ruleset: Ruleset;
  readonly rules: readonly RuleAt[];
  /** What a rule asks, by its number. It is not kept: that would be most of what there is to keep. */
  readonly asks: (rule: number) => Constraint;
  /** By number; rules that write nothing are absent. */
  readonly rewritings: ReadonlyMap<number, readonly Rewriting[]>;
  /** Chains, callees before callers, each with the number of its first rule. */
  readonly order: readonly { readonly table: Table; readonly chain: Chain; readonly first: number }[];
  readonly cyclic: boolean;
}

/** Reads what is needed of a rule set. */
export function readRuleset(ruleset: Ruleset): ReadRuleset {
  const rules: RuleAt[] = [];
  const rewritings = new Map<number, readonly Rewriting[]>();
  const constraints = new Map<string, RuleConstraints>();
  const order: { table: Table; chain: Chain; first: number }[] = [];
  let cyclic = false;
  for (const table of ruleset.tables.values()) {
    const names = callOrder(table);
    cyclic ||= names === undefined;
    constraints.set(table.name, constraintsOf(ruleset, table.name));
    const hooks = hooksOf(table);
    for (const name of (names ?? []).toReversed()) {
      const chain = table.chains.get(name);
      if (chain === undefined) continue;
      order.push({ table, chain, first: rules.length });
      for (const [i, rule] of chain.rules.entries()) {
        const written = rewritingsOf(ruleset, table, rule, hooks.get(name) ?? []);
        if (written.length > 0) rewritings.set(rules.length, written);
        rules.push({ table: table.name, chain: name, position: i + 1, rule });
      }
    }
  }
  const asks = (number: number): Constraint => {
    const at = rules[number];
    return (at === undefined ? undefined : constraints.get(at.table)?.of(at.rule)) ?? always;
  };
  return { ruleset, rules, asks, rewritings, order, cyclic };
}
