/** What becomes of packets that no rule speaks of. */
import type { Hook } from '../../extensions/define.js';
import type { Ruleset, Table } from '../../model/ruleset.js';
import type { Answer } from '../../packet-space/answers.js';
import { ask, type PacketSpace } from '../../packet-space/index.js';
import { question, type Pipeline } from '../../packet-space/pipeline/index.js';
import { untranslated } from '../../packet-space/translations-in.js';
import { all, any, atom, not, type Constraint } from '../../packet/constraint.js';
import type { CheckContext } from '../define-check.js';
import { countOf, namedPorts, namesAny } from './named-ports.js';
import { fromOutside, type Facts } from './outside.js';
import { notLoopback } from './replies.js';
import { firstTo, strangers } from './strangers.js';
import { mayDrop } from './targets.js';

/** Ports that nobody uses; the first that no rule names is taken. */
const unused = [47_129, 33_911, 21_817, 12_391, 5_741, 61_003];
/** A range that is larger than this names none of its ports. */
const large = 8192;

const toOneHost = not(atom('addrtype dst BROADCAST'));

const unnamed = new WeakMap<Table, readonly number[]>();

function unnamedPort({ ruleset }: Facts, table: Table): number | undefined {
  let left = unnamed.get(table);
  if (left === undefined) unnamed.set(table, left = unnamedPorts(ruleset, table));
  return left[0];
}

function unnamedPorts(ruleset: Ruleset, table: Table): readonly number[] {
  let left: readonly number[] = unused;
  for (const chain of table.chains.values()) for (const rule of chain.rules) {
    const named = namedPorts(ruleset, table.name, rule);
    if (named !== undefined && countOf(named) <= large) left = left.filter(port => !namesAny(named, port, port));
  }
  return left;
}

/** First packets of strangers to a port that no rule names: to this host, or through it to somebody inside. Of what is translated, table nat has spoken (firewalld). */
export function unspoken(facts: Facts, table: Table, hook: 'INPUT' | 'FORWARD', protocol?: 'tcp' | 'udp'): Constraint | undefined {
  const port = unnamedPort(facts, table);
  if (port === undefined) return undefined;
  const protocols = protocol === undefined ? ['tcp', 'udp'] as const : [protocol];
  return all([strangers(facts), untranslated, toOneHost, any(protocols.map(one => firstTo(one, [port]))), ...hook === 'FORWARD' ? [notLoopback, not(fromOutside(facts, 'out'))] : []]);
}

/** `unknown`: it is left to a rule that could not be read. */
export type Lets = Extract<Answer, { kind: 'yes' }> | { readonly kind: 'no' | 'unknown' | 'undecided' };

/** Whether packets that no rule speaks of are let in, by what, and one of them. */
export function letsInUnspoken(cx: Facts & { readonly space: () => PacketSpace; readonly pipeline: () => Pipeline | undefined }, hook: 'INPUT' | 'FORWARD'): Lets {
  const table = cx.ruleset.tables.get('filter');
  const packets = table === undefined ? undefined : unspoken(cx, table, hook);
  if (table === undefined || packets === undefined) return { kind: 'undecided' };
  const answer = ask(cx.space(), table, hook, packets, ['accept']);
  if (answer.kind !== 'yes') return { kind: answer.kind };
  if ('rule' in answer.by && answer.by.rule.isUnread === true) return { kind: 'unknown' };
  const isDropped = [...cx.ruleset.tables.values()].some(other => other !== table && mayDrop(other)) && isLostElsewhere(cx.pipeline(), hook, packets);
  return isDropped ? { kind: 'no' } : answer;
}

function isLostElsewhere(pipeline: Pipeline | undefined, hook: Hook, packets: Constraint): boolean {
  return pipeline !== undefined && question(pipeline, hook === 'INPUT' ? 'in' : 'through', packets, 'accept', undefined, true).kind === 'no';
}

/** Of table filter: a built-in chain, where the file has it. */
export function filterChain({ ruleset }: Pick<CheckContext, 'ruleset'>, hook: 'INPUT' | 'FORWARD'): ReturnType<Table['chains']['get']> {
  return ruleset.tables.get('filter')?.chains.get(hook);
}
