/** Commands of a script of which nobody knows whether, when or with which words they are run: what they may do is left in doubt, so that nothing certain is said that hangs on it. */
import type { CommandStatement, WordNode } from '../../grammar/syntax.js';
import { chainNameProblem } from './chain-name.js';
import type { CommandParts } from './command-parts.js';
import type { ChainDraft, TableDraft } from './draft.js';
import { nothingOfRule, readBodies, type PartOfRule, type ReadContext } from './read-rule.js';
import type { Rule, RuleTarget } from './ruleset.js';
import { unreadRule } from './unread-rule.js';

/** What the shell may make another word of. */
const expansion = /[$`*?[{]/u;

/** Takes note of what the command may do. What it takes away, it may as well not: nothing is done of that. */
export function leaveInDoubt(statement: CommandStatement, parts: CommandParts, table: TableDraft, cx: ReadContext): void {
  const [name, second] = parts.command?.words ?? [];
  if (name === undefined) return;
  switch (parts.command?.key) {
    case 'N':
      if (isSaid(name)) chainInDoubt(table, name, statement);
      else table.mayHaveMore = true;
      return;
    case 'P':
      for (const chain of builtInOf(table, name)) chain.otherPolicy = { policy: second?.text, rule: unreadRule(statement, table, nothingOfRule, undefined) };
      return;
    case 'A': case 'I': case 'R': {
      const rule = unreadRule(statement, table, partOf(statement, name, table, cx), undefined);
      place(isSaid(name) ? chainInDoubt(table, name, statement).rules : table.anywhere, rule, parts.command.key === 'A');
      return;
    }
    default:
  }
}

/** Whether it takes away what nothing before it has put there: for what the script itself says it is all the same whether that succeeds. */
export function takesNothing({ command }: CommandParts, table: TableDraft | undefined): boolean {
  const [name] = command?.words ?? [];
  if (name === undefined || !isSaid(name)) return false;
  const chain = table?.chain(name.text);
  return chain === undefined ? command?.key === 'D' || command?.key === 'X' : command?.key === 'D' && chain.rules.length === 0;
}

function isSaid({ text }: WordNode): boolean {
  return !expansion.test(text) && chainNameProblem(text) === undefined;
}

function chainInDoubt(table: TableDraft, { text }: WordNode, statement: CommandStatement): ChainDraft {
  const known = table.chain(text);
  if (known !== undefined) return known;
  const chain = table.addChain(text, statement);
  chain.isInDoubt = true;
  return chain;
}

/** The built-in chain that is named; else it may be any. */
function builtInOf(table: TableDraft, name: WordNode): readonly ChainDraft[] {
  return [...table.chains()].filter(chain => chain.hook !== undefined && (chain.name === name.text || !isSaid(name)));
}

/** What can be known of the rule: what its plain words say. A name that the shell makes another word of is one that nobody can resolve. */
function partOf(statement: CommandStatement, name: WordNode, table: TableDraft, cx: ReadContext): PartOfRule {
  const read = readBodies(statement, { table: table.name, chain: name.text, isChain: text => table.chain(text) !== undefined }, { ...cx, report: () => undefined });
  if ('part' in read) return read.part;
  const [body, ...others] = read.bodies;
  if (body === undefined) return nothingOfRule;
  const { source, destination, protocol, fragment, target } = body;
  return { ...others.length === 0 ? { source, destination } : nothingOfRule, protocol, fragment, ...target.kind === 'extension' ? { target } : {} };
}

function isAlike(a: RuleTarget, b: RuleTarget): boolean {
  if (a.kind === 'extension') return b.kind === 'extension' && a.use === b.use;
  return a.kind === b.kind && (a.kind !== 'chain' || b.kind !== 'chain' || (a.name === b.name && a.goto === b.goto));
}

/** One that asks for no more than either of two that do the same. */
function either(a: Rule, b: Rule): Rule {
  const isSame = a.protocol?.value === b.protocol?.value && a.protocol?.negated === b.protocol?.negated;
  return { ...a, ...nothingOfRule, protocol: isSame ? a.protocol : undefined };
}

/** At the end or at the head of some rules. Side by side, one that may do something is as good as two. */
function place(rules: Rule[], rule: Rule, isLast: boolean): void {
  const step = isLast ? -1 : 1;
  for (let index = isLast ? rules.length - 1 : 0; rules[index]?.isUnread === true; index += step) {
    const other = rules[index];
    if (other === undefined || !isAlike(rule.target, other.target)) continue;
    rules[index] = either(other, rule);
    return;
  }
  if (isLast) rules.push(rule);
  else rules.unshift(rule);
}
