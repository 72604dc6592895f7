/** One command on a table: -A, -I, -D, -R, -N, -X, -F, -P, -E, and those that change nothing. */
import type { Span } from '../../grammar/source-text.js';
import type { CommandStatement, WordNode } from '../../grammar/syntax.js';
import type { BuiltInKey } from '../extensions/built-in-options.js';
import { BuiltInOption } from '../extensions/option-scope.js';
import { parseInteger } from '../values/number.js';
import type { LoadCheckName } from './load-checks.js';
import type { ChainDraft, TableDraft } from './draft.js';
import { chainNameProblem, isTargetName } from './chain-name.js';
import { refusalOf, type CommandParts } from './command-parts.js';
import { leaveInDoubt } from './in-doubt.js';
import { makeChain, nothingThere, notMadeHere } from './missing-chain.js';
import { printBody } from './print.js';
import { nothingOfRule, readBodies, type ReadContext } from './read-rule.js';
import type { Policy, Rule } from './ruleset.js';
import { didYouMean } from './suggest.js';
import { keepPlace, unreadRule } from './unread-rule.js';

interface Application {
  readonly statement: CommandStatement;
  readonly parts: CommandParts;
  readonly table: TableDraft;
  readonly cx: ReadContext;
  /** The line has an error already: look at it, report, but change nothing. */
  readonly failed: boolean;
}

function error(it: Application, check: LoadCheckName, span: Span, message: string, help?: string): void {
  it.cx.report({ check, severity: 'error', span, line: it.statement.line, message, help });
}

/** Carries out one command; what is wrong with it is reported, and then nothing is changed. */
export function applyCommand(statement: CommandStatement, parts: CommandParts, table: TableDraft, cx: ReadContext, failed: boolean): void {
  const it = { statement, parts, table, cx, failed };
  const { command } = parts;
  table.isFound ||= statement.program !== undefined;
  if (command === undefined) {
    if (!failed) error(it, 'syntax-error', statement, 'the line has no command', 'a rule begins with -A and its chain');
    // It may have been meant for a rule of the first chain that it names.
    const [chain] = statement.words.flatMap(word => table.chain(word.text) ?? []);
    chain?.rules.push(unreadRule(statement, table, nothingOfRule, parts.counters));
    return;
  }
  const [name, second] = command.words;
  if (isForOtherTable(it)) return;
  switch (command.key) {
    case 'A': case 'I': case 'R': case 'D': case 'C':
      if (name !== undefined) ruleCommand(it, name, second);
      return;
    case 'L': case 'S':
      return;
    default:
      if (hasNoRule(it, command.key)) changeTable(it, command.key, name, second);
  }
}

/** `-t` in a file for iptables-restore is refused, and the chains of the table that was meant are not those of the one that is open: that is all there is to say of the line. */
function isForOtherTable(it: Application): boolean {
  const node = it.statement.options.find(({ shape }) => shape instanceof BuiltInOption && shape.key === 't');
  const refusal = node === undefined || node.args[0]?.text === it.table.name ? undefined : refusalOf('t', node, it.statement);
  if (node === undefined || refusal === undefined) return false;
  if (!it.failed) error(it, 'invalid-options', node, refusal.message, refusal.help);
  return true;
}

/** The options of a rule. */
const ofRules = new Set<BuiltInKey>(['s', 'd', 'p', 'i', 'o', 'j', 'g', 'f']);

/** False where there is an option that only rules have, or none at all: that is reported. */
function hasNoRule(it: Application, command: BuiltInKey): boolean {
  for (const node of it.statement.options) {
    const { shape, name } = node;
    if (shape === undefined && name.text !== '--') {
      error(it, 'unknown-option', name, `unknown option "${name.text}"`);
      return false;
    }
    if (!(shape instanceof BuiltInOption)) continue;
    const isRefused = ofRules.has(shape.key) || (shape.key === 'c' && command !== 'P');
    const refusal = isRefused ? { message: `${name.text} cannot be used with -${command}` } : refusalOf(shape.key, node, it.statement);
    if (refusal !== undefined) {
      error(it, 'invalid-options', node, refusal.message, refusal.help);
      return false;
    }
  }
  return true;
}

function changeTable(it: Application, key: BuiltInKey, name: WordNode | undefined, second: WordNode | undefined): void {
  switch (key) {
    case 'N': case 'X': case 'F': case 'E':
      chainCommand(it, name, second);
      return;
    case 'P':
      if (name !== undefined) setPolicy(it, name, second);
      return;
    default:
      // -Z: nothing changes but counters.
  }
}

/** Commands that take away what is there. */
const removing: ReadonlySet<BuiltInKey | undefined> = new Set<BuiltInKey>(['D', 'F', 'X']);

/** The chain, or an error and (for a chain that should exist) a stand-in, so that one mistake is reported once. */
function findChain(it: Application, name: WordNode, isRule: boolean): ChainDraft | undefined {
  const chain = it.table.chain(name.text);
  if (chain !== undefined) return chain;
  if (it.table.mayHaveMore) return it.table.addChain(name.text, it.statement);
  const meant = didYouMean(name.text, [...it.table.chains()].map(one => one.name));
  const takesAway = removing.has(it.parts.command?.key);
  // Policies are for built-in chains, and all of these are known.
  const isFound = it.table.isFound && !it.table.isBare && it.parts.command?.key !== 'P';
  // What takes away what an earlier run has made is right where there was one, and does nothing where there was none.
  if (isFound && takesAway && meant === undefined) return undefined;
  it.cx.report({
    check: 'undefined-chain', severity: isFound ? 'warning' : 'error', span: name, line: it.statement.line,
    message: isFound ? notMadeHere(name.text, it.table.name) : `there is no chain \`${name.text}\` in table ${it.table.name}`,
    help: meant ?? (takesAway ? nothingThere(it.cx.source) : makeChain(name.text, it.cx.source, it.statement.program?.text)),
  });
  return isRule && chainNameProblem(name.text) === undefined ? it.table.addChain(name.text, it.statement, true) : undefined;
}

/** A rule number of 1 … 2^31 − 1. */
function ruleNumber(it: Application, word: WordNode): number | undefined {
  const number = parseInteger(word.text, 1, 0x7fff_ffff);
  if (number === undefined) error(it, 'rule-number', word, `\`${word.text}\` is not a rule number`, 'rules count from 1');
  return number;
}

/** Whether a chain may have rules that the file does not say: a script that has not flushed a chain that it found adds to what is there. */
function mayHoldOthers({ statement }: Application, { hook, isStandIn, isEmptied }: ChainDraft): boolean {
  return statement.program !== undefined && (hook !== undefined || isStandIn === true) && isEmptied !== true;
}

function ruleCommand(it: Application, name: WordNode, second: WordNode | undefined): void {
  const { statement, parts, table, cx } = it;
  const key = parts.command?.key;
  const chain = findChain(it, name, key === 'A' || key === 'I');
  const number = second === undefined ? undefined : ruleNumber(it, second);
  if (second !== undefined && number === undefined) return;
  if (chain !== undefined && number !== undefined && mayHoldOthers(it, chain) && (key === 'I' ? number - 1 : number) > chain.rules.length) {
    cx.report({ check: 'skipped-line', severity: 'warning', span: statement, line: statement.line, message: `this counts rules that are in ${chain.name} before the script is run, and is not analyzed`, help: 'run the script and lint the output of iptables-save instead: that is what the kernel has' });
    leaveInDoubt(statement, parts, table, cx);
    return;
  }
  if (key === 'D' && number !== undefined) {
    if (chain !== undefined && inRange(it, second, number, chain.rules.length)) chain.rules.splice(number - 1, 1);
    return;
  }
  const read = it.failed ? { part: nothingOfRule } : readBodies(statement, { table: table.name, chain: name.text, isChain: text => table.chain(text) !== undefined }, cx);
  if (chain === undefined) return;
  if ('part' in read) {
    keepPlace(chain, unreadRule(statement, table, read.part, parts.counters), key, number);
    return;
  }
  const rules = read.bodies.map((body): Rule => ({
    source: body.source, destination: body.destination, inInterface: body.inInterface, outInterface: body.outInterface,
    protocol: body.protocol, fragment: body.fragment, matches: body.matches, target: body.target,
    line: statement.line, start: statement.start, end: statement.end, counters: parts.counters,
  }));
  switch (key) {
    case 'A': chain.rules.push(...rules); return;
    case 'I':
      if (inRange(it, second ?? name, number ?? 1, chain.rules.length + 1)) for (const rule of rules) chain.rules.splice((number ?? 1) - 1, 0, rule);
      return;
    case 'R': replaceRule(it, chain, rules, number, second); return;
    default: deleteOrCheck(it, chain, rules);
  }
}

function inRange(it: Application, at: WordNode | undefined, number: number, last: number): boolean {
  if (number <= last) return true;
  error(it, 'rule-number', at ?? it.statement, `there is no rule ${String(number)} in this chain: it has ${String(last)}`);
  return false;
}

function replaceRule(it: Application, chain: ChainDraft, rules: readonly Rule[], number: number | undefined, at: WordNode | undefined): void {
  const [rule] = rules;
  if (number === undefined) error(it, 'rule-number', it.statement, '-R needs the number of the rule to replace', `write -R ${chain.name} 1 …`);
  else if (rules.length !== 1 || rule === undefined) error(it, 'invalid-options', it.statement, '-R takes one source and one destination address');
  else if (inRange(it, at, number, chain.rules.length)) chain.rules[number - 1] = rule;
}

function deleteOrCheck(it: Application, chain: ChainDraft, rules: readonly Rule[]): void {
  const place = { table: it.table.name, family: it.cx.family, backend: it.cx.backend };
  for (const rule of rules) {
    const text = printBody(rule, place);
    const index = chain.rules.findIndex(one => printBody(one, place) === text);
    if (index === -1 && mayHoldOthers(it, chain)) continue;
    if (index === -1) error(it, 'no-such-rule', it.statement, `chain \`${chain.name}\` has no such rule at this point`, nothingThere(it.cx.source));
    else if (it.parts.command?.key === 'D') chain.rules.splice(index, 1);
  }
}

function isUnread(rule: Rule): boolean {
  return rule.isUnread === true;
}

/** Rules that may be put there later are kept. */
function flush(chain: ChainDraft): void {
  chain.rules.splice(0, chain.rules.length, ...chain.rules.filter(isUnread));
  chain.isEmptied = true;
}

function chainCommand(it: Application, name: WordNode | undefined, second: WordNode | undefined): void {
  const { table, parts, statement } = it;
  const key = parts.command?.key;
  if (key === 'N' && name !== undefined) {
    const bad = chainNameProblem(name.text);
    if (bad !== undefined || isTargetName(name.text, it.cx.family)) error(it, 'invalid-chain-name', name, bad ?? `\`${name.text}\` is the name of a target, so it cannot be the name of a chain`);
    else if (table.chain(name.text)?.isInDoubt === true) table.declare(name.text, statement);
    else if (table.chain(name.text) !== undefined) error(it, 'duplicate-chain', name, `chain \`${name.text}\` exists already`);
    else table.addChain(name.text, statement);
  } else if (key === 'F') {
    for (const chain of name === undefined ? table.chains() : [findChain(it, name, false)]) if (chain !== undefined) flush(chain);
  } else if (key === 'X') {
    if (name !== undefined) deleteChain(it, name);
    else {
      table.isBare = true;
      for (const chain of [...table.chains()]) if (chain.hook === undefined && chain.isInDoubt !== true) table.deleteChain(chain.name);
    }
  } else if (key === 'E' && name !== undefined) {
    renameChain(it, name, second);
  }
}

function deleteChain(it: Application, name: WordNode): void {
  const chain = findChain(it, name, false);
  if (chain === undefined || chain.isInDoubt === true) return;
  if (chain.hook !== undefined) error(it, 'chain-in-use', name, `\`${name.text}\` is a built-in chain and cannot be deleted`);
  else if (!chain.rules.every(isUnread)) error(it, 'chain-in-use', name, `chain \`${name.text}\` still has rules`, `flush it first: -F ${name.text}`);
  else if (it.table.isCalled(name.text)) error(it, 'chain-in-use', name, `rules still jump to chain \`${name.text}\``, 'delete them first');
  else it.table.deleteChain(name.text);
}

function renameChain(it: Application, from: WordNode, to: WordNode | undefined): void {
  const chain = findChain(it, from, false);
  if (chain === undefined) return;
  if (to === undefined) error(it, 'invalid-chain-name', from, '-E needs the old and the new name');
  else if (chain.hook !== undefined) error(it, 'invalid-chain-name', from, `\`${from.text}\` is a built-in chain and cannot be renamed`);
  else if (it.table.chain(to.text) !== undefined) error(it, 'duplicate-chain', to, `chain \`${to.text}\` exists already`);
  else {
    it.table.renameChain(from.text, to.text);
    for (const one of it.table.chains()) one.rules.forEach((rule, i) => {
      if (rule.target.kind === 'chain' && rule.target.name === from.text) one.rules[i] = { ...rule, target: { ...rule.target, name: to.text } };
    });
  }
}

function isPolicy(word: string): word is Policy {
  return word === 'ACCEPT' || word === 'DROP';
}

function setPolicy(it: Application, name: WordNode, policy: WordNode | undefined): void {
  if (policy === undefined) return error(it, 'invalid-policy', name, '-P wants a chain and a policy', isPolicy(name.text) ? `say for which chain: -P INPUT ${name.text}` : 'a policy is ACCEPT or DROP');
  const chain = findChain(it, name, false);
  if (chain === undefined) return;
  if (!isPolicy(policy.text)) error(it, 'invalid-policy', policy, `\`${policy.text}\` is not a policy`, 'a policy is ACCEPT or DROP');
  else if (chain.hook === undefined) error(it, 'policy-on-user-chain', name, `\`${name.text}\` is not a built-in chain, so it cannot have a policy`);
  else if (policy.text === 'DROP' && it.table.name === 'nat') error(it, 'drop-in-nat', policy, 'the nat table cannot have the policy DROP');
  else it.table.setPolicy(name.text, policy.text, it.parts.counters, it.statement);
}
