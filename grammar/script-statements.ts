/** The statements of a shell script: its literal `iptables …` and `ip6tables …` commands. */
import type { OptionScope } from './option-shape.js';
import { ShellScanner, type ShellCommand } from './scan-shell.js';
import { ScriptConstants } from './script-constants.js';
import { ScriptFlow } from './script-flow.js';
import type { SourceText } from './source-text.js';
import { parseStatement } from './statement-parser.js';
import type { Statement, SyntaxProblem } from './syntax.js';
import type { Token } from './tokens.js';

const program = /^(?:[\w./-]*\/)?ip6?tables(?:-legacy|-nft)?$/u;
const restore = /^(?:[\w./-]*\/)?ip6?tables(?:-legacy|-nft)?-restore$/u;
/** Commands that only run the next one. */
const wrappers = new Set(['sudo', 'exec', 'command', 'nice', 'env', 'time', 'nohup', 'xtables-nft-multi', 'xtables-legacy-multi']);
/** Commands that may run one that stands among their words. */
const runners = new Set([...wrappers, 'timeout', 'ionice', 'flock', 'xargs', 'eval', 'sh', 'bash']);

/** `LC_ALL=C iptables …` */
const assignment = /^\w+=/u;

/** The options that are known behind a program's name. */
type Scopes = (program: string) => OptionScope;

/** True for `timeout 5 iptables -A …` and the like, and for a command in quotes. */
function isRunBy(words: readonly Token[]): boolean {
  if (!runners.has(words.find(({ image }) => !assignment.test(image))?.image ?? '')) return false;
  return words.some(({ image }, index) => (program.test(image) && words[index + 1]?.image.startsWith('-') === true) || program.test(/^\S+(?= -)/u.exec(image)?.[0] ?? ''));
}

/** The word that names the program, behind `sudo` and the like; undefined where it is another program. */
function programWord(words: readonly Token[], program: RegExp): number | undefined {
  let index = 0;
  while (wrappers.has(words[index]?.image ?? '') || assignment.test(words[index]?.image ?? '')) index++;
  return program.test(words[index]?.image ?? '') ? index : undefined;
}

/** True where the command may well be one for iptables, though it does not say so in plain words. */
function looksLikeOurs(text: string, { words }: ShellCommand): boolean {
  const first = words[0];
  if (first === undefined) return false;
  return /\$\{?\w*(?:ipt|iptables|ip6t|ip6tables)\w*\}?/iu.test(text.slice(first.start, first.end)) || (words.some(word => word.image === '-A') && words.some(word => word.image === '-j'));
}

/** What is told of a command that cannot be used. */
function skipping(command: ShellCommand, message: string): SyntaxProblem {
  return { span: { start: command.start, end: command.end }, severity: 'warning', check: 'skipped-line', message, help: flatten };
}

function skipped(command: ShellCommand, message: string): Statement {
  const problem = skipping(command, message);
  return { kind: 'bad', line: command.line, ...problem.span, problems: [problem] };
}

/** A command that may be run or not, or with other words than stand here; `index` is that of its program. */
function inDoubt(command: ShellCommand, index: number, scope: Scopes, message: string, isTried = false): Statement {
  const { line, start, end, words } = command;
  const program = words[index];
  const problems = [skipping(command, message)];
  const statement = parseStatement(words.slice(index + 1), { line, start, end, program, isInDoubt: true, ...isTried ? { isTried: true as const } : {} }, scope(program?.image ?? ''), problems, true);
  // What else is wrong with it may be the doing of what is not known.
  problems.splice(1);
  return statement;
}

const flatten = 'run the script and lint the output of iptables-save instead: that is what the kernel has';

/** Why a command for iptables cannot be used, whether it is run or not; undefined where it can. */
function obstacle(command: ShellCommand): string | undefined {
  if (command.notLiteral !== undefined) return `this command is not literal (\`${command.notLiteral}\`), and is not analyzed`;
  if (command.depth > 0) return 'this command stands in a block (if, for, a function …) that may run once, often or never, and is not analyzed';
  return undefined;
}

/** The word that may name the program where it is not said in plain words, or not first: that before the options. */
function likelyProgram(words: readonly Token[]): number {
  const isOption = (word: Token | undefined): boolean => word?.image.startsWith('-') === true;
  const index = words.findIndex(({ image }, at) => program.test(image) && isOption(words[at + 1]));
  return index === -1 ? words.findIndex(isOption) - 1 : index;
}

/** Why a command that does not begin with the program's name may be one for iptables all the same; undefined where it is none. */
function disguise(text: string, command: ShellCommand): string | undefined {
  const { words, notLiteral } = command;
  if (notLiteral !== undefined && looksLikeOurs(text, command)) return `this command is not literal (\`${notLiteral}\`), and is not analyzed`;
  return isRunBy(words) ? `\`${words[0]?.image ?? ''}\` runs this command, which is not analyzed` : undefined;
}

/** The commands for iptables in a script, in order. What is not literal is reported, and in doubt; other programs are no matter of ours. */
export function* scriptStatements(source: SourceText, scope: Scopes): Generator<Statement, void> {
  const flow = new ScriptFlow();
  for (const command of new ShellScanner(source.text, 0, new ScriptConstants(source.text)).commands()) {
    const index = programWord(command.words, program);
    const word = index === undefined ? undefined : command.words[index];
    const notRun = flow.obstacle(command, word !== undefined);
    if (word === undefined || index === undefined) {
      const why = disguise(source.text, command);
      if (programWord(command.words, restore) !== undefined) yield skipped(command, 'this loads rules from elsewhere, which are not analyzed');
      else if (why !== undefined) yield flow.isOver ? skipped(command, why) : inDoubt(command, likelyProgram(command.words), scope, why);
      continue;
    }
    const unclear = obstacle(command);
    const why = unclear ?? notRun;
    if (why !== undefined) {
      yield flow.isOver ? skipped(command, why) : inDoubt(command, index, scope, why, unclear === undefined && flow.isTried);
      continue;
    }
    const place = { line: command.line, start: command.start, end: command.end, program: word };
    const statement = parseStatement(command.words.slice(index + 1), place, scope(word.image), [], true);
    yield statement;
  }
}
