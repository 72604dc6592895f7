/** Rules by which packets are accepted: by themselves, or by a chain that accepts all that comes to it, and may write it down before. */
import type { Rule, Table } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { isCatchAll } from './catch-all.js';
import { effectOf } from './targets.js';

/** Chains that lead to each other so deep are looked at: nf_tables itself follows no more jumps (NFT_JUMP_STACK_SIZE). */
const deepest = 16;

const known = new WeakMap<Table, ReadonlySet<string>>();

/** Whether all that matches a rule is accepted, by itself or by one of these chains. */
function accepts(rule: Rule, accepting: ReadonlySet<string>): boolean {
  return rule.target.kind === 'chain' ? accepting.has(rule.target.name) : effectOf(rule) === 'accept';
}

function acceptsAnything(rules: readonly Rule[], accepting: ReadonlySet<string>): boolean {
  for (const rule of rules) {
    if (rule.target.kind === 'none' || effectOf(rule) === 'continue') continue;
    if (!accepts(rule, accepting)) return false;
    if (isCatchAll(rule)) return true;
  }
  return false;
}

/** The chains that accept all that comes to them, whatever they do about it before (`-j LOG`). */
function acceptingChains(table: Table): ReadonlySet<string> {
  let accepting = known.get(table);
  if (accepting !== undefined) return accepting;
  accepting = new Set();
  for (let depth = 0; depth < deepest; depth++) {
    const before: ReadonlySet<string> = accepting;
    accepting = new Set([...table.chains.values()].flatMap(({ name, rules }) => acceptsAnything(rules, before) ? [name] : []));
    if (accepting.size === before.size) break;
  }
  known.set(table, accepting);
  return accepting;
}

/** Whether all that matches a rule is accepted. */
export function acceptsAll(table: Table, rule: Rule): boolean {
  return accepts(rule, acceptingChains(table));
}

/** The rule that accepts in the end what matches such a rule: itself, or the last of the chain that it leads to. */
export function accepterOf(table: Table, rule: Rule): Rule {
  const last = rule.target.kind === 'chain' ? table.chains.get(rule.target.name)?.rules.find(one => isCatchAll(one) && acceptsAll(table, one)) : undefined;
  return last === undefined ? rule : accepterOf(table, last);
}

/** Whether a rule accepts what others lead to its chain, and nothing else: it is for them to say what that is. */
export function acceptsForOthers(table: Table, { chain, rule }: RuleAt): boolean {
  return table.chains.get(chain)?.hook === undefined && isCatchAll(rule) && acceptingChains(table).has(chain);
}
