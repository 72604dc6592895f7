/** Files that say a part of what is to be, and not all of it. */
import { mayJumpAnywhere } from '../../model/nobody-knows.js';
import type { Chain, Ruleset, Table } from '../../model/ruleset.js';
import type { Decider } from '../../packet-space/answers.js';
import { hooksOf } from '../../packet-space/pipeline/read-ruleset.js';
import type { CheckContext } from '../define-check.js';
import { isPolicy } from './deciders.js';
import { chainsFrom } from './interference.js';
import { programToCome } from './owners.js';

/**
 * Whether a table has rules in chains of its own and says nothing of built-in ones. Loaded alone it would do nothing at all: it is for `iptables-restore --noflush`, as the
 * files of ufw are, and what leads to its chains stands elsewhere.
 */
export function isPart({ chains }: Table): boolean {
  const all = [...chains.values()];
  return all.some(({ hook, rules }) => hook === undefined && rules.length > 0) && all.every(({ hook, line, rules }) => hook === undefined || (line === 0 && rules.length === 0));
}

/** Whether the file does not say what the policy of a built-in chain is. */
export function isUndeclared({ hook, line }: Chain): boolean {
  return hook !== undefined && line === 0;
}

/** Whether a file that says something of table filter says neither that it is the whole of it, nor what the policy of a chain is: a script leaves that as it finds it. */
export function saysNothingOf({ ruleset }: Pick<CheckContext, 'ruleset'>, chain: Chain): boolean {
  return ruleset.tables.get('filter')?.line === 0 && chain.line === 0;
}

/** Whether it is such a policy that decides. */
export function isUnsaid(cx: Pick<CheckContext, 'ruleset'>, by: Decider): boolean {
  const chain = isPolicy(by) && by.table === 'filter' ? cx.ruleset.tables.get('filter')?.chains.get(by.chain) : undefined;
  return chain !== undefined && saysNothingOf(cx, chain);
}

const entered = new WeakMap<Table, ReadonlySet<Chain>>();

/** All chains of a part, or where a rule that could not be read may lead anywhere; else those that programs are yet to lead packets to, or that nothing here makes, with all that they can call. */
function enteredFrom(ruleset: Ruleset, table: Table): ReadonlySet<Chain> {
  const own = [...table.chains.values()].filter(({ hook }) => hook === undefined);
  return new Set(isPart(table) || mayJumpAnywhere(table) ? own : own.filter(({ name, isStandIn }) => isStandIn === true || programToCome(ruleset, name) !== undefined).flatMap(chain => [...chainsFrom(table, chain)]));
}

/** Whether nothing here leads packets to a chain, and somebody else may: that none comes says nothing of what its rules do. */
export function mayBeEntered(ruleset: Ruleset, table: Table, name: string): boolean {
  let known = entered.get(table);
  if (known === undefined) entered.set(table, known = enteredFrom(ruleset, table));
  const chain = table.chains.get(name);
  return chain !== undefined && known.has(chain) && (hooksOf(table).get(name) ?? []).length === 0;
}
