/** What a command of iptables says beside its rule: what is to be done, in which table, with which counters. */
import type { CommandStatement, OptionNode, WordNode } from '../../grammar/syntax.js';
import type { BuiltInKey } from '../extensions/built-in-options.js';
import { BuiltInOption } from '../extensions/option-scope.js';
import type { Family } from '../values/value.js';
import type { Diagnostic } from './diagnostic.js';
import type { Counters } from './ruleset.js';

/** What a command says beyond its rule. */
export interface CommandParts {
  /** The command letter (`A`, `I`, `P`, …) and its words; undefined where there is none. */
  readonly command: { readonly key: BuiltInKey; readonly node: OptionNode; readonly words: readonly WordNode[] } | undefined;
  /** `-t TABLE`, where it is given. */
  readonly table: WordNode | undefined;
  readonly counters: Counters | undefined;
  /** `-4` or `-6`: the line is for this family only. */
  readonly onlyFamily: Family | undefined;
}

const commandKeys = new Set<BuiltInKey>(['A', 'D', 'C', 'I', 'R', 'L', 'S', 'F', 'Z', 'N', 'X', 'E', 'P']);

export function parseCounters(text: string): Counters | undefined {
  const match = /^\[(\d+):(\d+)\]$/u.exec(text);
  return match === null ? undefined : { packets: BigInt(match[1] ?? 0), bytes: BigInt(match[2] ?? 0) };
}

/** Why an option that says nothing about packets cannot stand in a command that changes something; undefined where it may. */
export function refusalOf(key: BuiltInKey, { name }: OptionNode, { program }: CommandStatement): { readonly message: string; readonly help?: string } | undefined {
  switch (key) {
    case 'n': case 'x': case '0': return { message: `${name.text} is only for listing` };
    case 'h': case 'V': return { message: `${name.text} ends the program before anything is done` };
    case 'w': case 'W': return program === undefined ? { message: `${name.text} cannot be used in a file for iptables-restore` } : undefined;
    case 't': return program === undefined ? { message: '-t cannot be used in a file for iptables-restore', help: 'put it under its `*table` line' } : undefined;
    default: return undefined;
  }
}

/** `-L -Z` and `-S -Z`: what is shown is set to zero then. */
function areOne(list: BuiltInKey, zero: BuiltInKey): boolean {
  return zero === 'Z' && (list === 'L' || list === 'S');
}

/** Finds the command among the options; reports a second one. */
export function commandParts(statement: CommandStatement, report: (diagnostic: Diagnostic) => void): CommandParts {
  let command: CommandParts['command'];
  let table: WordNode | undefined;
  let onlyFamily: Family | undefined;
  let counters = statement.counters === undefined ? undefined : parseCounters(statement.counters.text);
  for (const node of statement.options) {
    if (!(node.shape instanceof BuiltInOption)) continue;
    const { key } = node.shape;
    if (commandKeys.has(key)) {
      if (command === undefined || areOne(key, command.key)) command = { key, node, words: node.args };
      else if (!areOne(command.key, key)) report({ check: 'invalid-options', severity: 'error', span: node, line: statement.line, message: `-${key} and -${command.key} cannot be used in one command` });
      if (node.bang !== undefined) report({ check: 'invalid-options', severity: 'error', span: node, line: statement.line, message: `-${key} cannot be negated` });
    } else if (key === 't') table = node.args[0];
    else if (key === '4') onlyFamily = 'ipv4';
    else if (key === '6') onlyFamily = 'ipv6';
    else if (key === 'c') {
      counters = setCounters(node);
      if (counters === undefined) report({ check: 'invalid-value', severity: 'error', span: node, line: statement.line, message: '-c needs two numbers, of packets and of bytes' });
    }
  }
  return { command, table, counters, onlyFamily };
}

function setCounters(node: OptionNode): Counters | undefined {
  const words = node.args.flatMap(word => word.text.split(','));
  return words.length === 2 && words.every(word => /^\d+$/u.test(word)) ? { packets: BigInt(words[0] ?? 0), bytes: BigInt(words[1] ?? 0) } : undefined;
}
