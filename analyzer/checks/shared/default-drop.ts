import type { Hook } from '../../extensions/define.js';
import type { Table } from '../../model/ruleset.js';
import { ask } from '../../packet-space/index.js';
import { untranslated } from '../../packet-space/translations-in.js';
import { all, always, any, ctstates, is, type Constraint } from '../../packet/constraint.js';
import type { CheckContext } from '../define-check.js';
import { betweenHosts, fromOneToOne } from './between-hosts.js';
import { ownerOf } from './owners.js';

/** A protocol for experiments, of which no rule of a firewall speaks by name (RFC 3692). */
const unheardOf = 253;

function fromHostToHost({ ruleset }: CheckContext, hook: Hook): Constraint {
  return all([betweenHosts(ruleset.family), fromOneToOne(ruleset, hook === 'OUTPUT')]);
}

/** Whether a hook of table filter drops what no rule lets pass: by its policy, by its last rule, or in a chain that is called at last. `some`: of these packets. What is translated was asked for (firewalld). */
export function dropsTheRest(cx: CheckContext, table: Table, hook: Hook, some: Constraint = always): boolean {
  const packets = all([is('protocol', unheardOf), is('ctstate', ctstates.NEW), is('fragment', 0), fromHostToHost(cx, hook), untranslated, some]);
  return ask(cx.space(), table, hook, packets, ['accept', 'queue', 'unknown']).kind === 'no';
}

/** What begins a conversation; all else follows such packets. */
const beginning: Constraint = any([is('ctstate', ctstates.NEW), is('ctstate', ctstates.UNTRACKED), is('ctstate', ctstates.INVALID)]);

/**
 * Nothing from outside is let in, and nothing is let out: whoever wrote that wants no traffic at all, or none of this family. What a program
 * lets pass of conversations does not count where none begins here or goes through: FireHOL writes such rules for IPv6 where only IPv4 was asked for.
 */
export function isShut(cx: CheckContext, table: Table): boolean {
  const none = (hooks: readonly Hook[], some: Constraint): boolean => hooks.every(hook => ask(cx.space(), table, hook, all([fromHostToHost(cx, hook), some]), ['accept', 'queue', 'unknown']).kind === 'no');
  const isMade = cx.ruleset.family === 'ipv6' && cx.rules(table).every(at => ownerOf(cx.ruleset, at) !== undefined);
  return none(['INPUT', 'OUTPUT'], always) || (isMade && none(['INPUT', 'OUTPUT', 'FORWARD'], beginning));
}
