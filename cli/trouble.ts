/** What keeps the program from doing its job, and how that is said. */
import { visible } from '../report/visible.js';
import { isForeignCodeLoaded } from './import-module.js';
import { leave } from './leave.js';

/** 0: nothing at or above the fail level. 1: findings. 2: could not do the job. */
export type ExitCode = 0 | 1 | 2;

/** A mistake of the user or of the system: one line that says what to do next. */
export class Trouble extends Error {
  override readonly name = 'Trouble';
  /** Lines that show the place, for before that line; each ends in a newline. */
  readonly frame: string;

  constructor(message: string, { cause, frame = '' }: { readonly cause?: unknown; readonly frame?: string } = {}) {
    super(message, { cause });
    this.frame = frame;
  }
}

/** The worst wins: what could not be done outweighs what was found. */
export function raiseExitCode(code: ExitCode): void {
  process.exitCode = Math.max(Number(process.exitCode ?? 0), code);
}

let debugging = process.env['IPTABLES_LINT_DEBUG'] === '1';

/** Whether more is told: of what went wrong, and of what was decided on the way. */
export function isDebugging(): boolean {
  return debugging;
}

/** `--debug`, as IPTABLES_LINT_DEBUG=1. */
export function startDebugging(): void {
  debugging = true;
}

let isHeard = false;

/** Whether anything was said. */
export function hasSaid(): boolean {
  return isHeard;
}

/** Writes to stderr. Where that cannot be written any more, the program ends. */
export function say(text: string): void {
  if (!isHeard) process.stderr.on('error', () => { leave(2); });
  isHeard = true;
  process.stderr.write(text);
}

/** A line on stderr about a decision, where somebody wants to know. */
export function debug(line: () => string): void {
  if (debugging) say(`debug: ${visible(line())}\n`);
}

/** One line on stderr, with a frame where there is one and it is not to be `brief`; a mistake of our own asks for a report. */
export function reportTrouble(error: unknown, during = '', { brief = false } = {}): void {
  const message = error instanceof Error ? error.message : String(error);
  const own = error instanceof Trouble ? '' : ` (this is a bug in iptables-lint${isForeignCodeLoaded() ? ', or in a plugin' : ''}: please report it; --debug shows where)`;
  say(`${error instanceof Trouble && !brief ? error.frame : ''}iptables-lint: ${visible(`${during}${message}`)}${own}\n`);
  if (debugging && error instanceof Error) say(`${(error.stack ?? '').split('\n').map(visible).join('\n')}\n`);
  raiseExitCode(2);
}

const causes: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied; run as a user who may',
  EPERM: 'operation not permitted',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is not a directory',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  ERR_FS_FILE_TOO_LARGE: 'the file is too large',
  ERR_STRING_TOO_LONG: 'the file is too large',
};

/** A failed system call in the words of the system. */
export function systemCause(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  return causes[code] ?? error.message;
}
