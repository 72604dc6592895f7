/** Which commands of a script are run, as far as that is known: what stands behind `&&` and `||` hangs on the command before it, and behind `exit` nothing is run. */
import type { ShellCommand } from './scan-shell.js';

/** Other programs that do not fail. */
const sure = new Set(['echo', 'printf', 'true', ':']);
const checking = new Set(['-C', '--check']);
const adding = new Set(['-A', '--append', '-I', '--insert']);
/** What fails on something that is not there; whoever writes `||` behind it has thought of that. */
const failing = new Set([...checking, '-D', '--delete', '-X', '--delete-chain', '-E', '--rename-chain', '-R', '--replace']);

function has({ words }: ShellCommand, options: ReadonlySet<string>): boolean {
  return words.some(({ image }) => options.has(image));
}

/** The rule that a command checks or adds. */
function ruleOf({ words }: ShellCommand): string {
  return words.map(({ image }) => image).filter(image => !checking.has(image) && !adding.has(image)).join(' ');
}

/** Goes along with the commands of a script. */
export class ScriptFlow {
  #succeeds = false;
  #isOver = false;
  #isTried = false;
  /** What `iptables -C RULE ||` has asked for: what adds the rule then leaves it there in any case. */
  #checked: string | undefined;

  /** Nothing is run any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The last command is run, whatever becomes of it: who wrote it has thought of that it fails. */
  get isTried(): boolean {
    return this.#isTried;
  }

  /** Why the next command may not be run, or may fail without harm; undefined where it is run. */
  obstacle(command: ShellCommand, isOurs: boolean): string | undefined {
    this.#isTried = false;
    if (this.#isOver) return 'the script ends before this command, which is never run';
    const checked = this.#checked;
    this.#checked = isOurs && command.joins === '||' && has(command, checking) ? ruleOf(command) : undefined;
    const { joined, joins, depth, words: [first] } = command;
    const isAdded = joined === '||' && checked !== undefined && has(command, adding) && ruleOf(command) === checked;
    const isRun = isAdded || joined === '' || joined === '|' || (joined === '&&' && this.#succeeds);
    const mayFail = has(command, failing);
    if (isRun || !this.#succeeds) this.#succeeds = isRun && (isOurs ? !mayFail : sure.has(first?.image ?? ''));
    if (joined === '' && depth === 0 && first?.image === 'exit') this.#isOver = true;
    if (!isRun) return `whether this command is run hangs on what stands before \`${joined}\`: it is not analyzed`;
    this.#isTried = joins === '||' && mayFail;
    if (this.#isTried || (joins === '&&' && has(command, checking))) return `this command may fail, as \`${joins}\` behind it says, and is not analyzed`;
    return undefined;
  }
}
