/**
 * The program, with the code that V8 made of it kept from run to run: half of what a small file takes is to compile the program.
 * It is kept in the user's own cache folder. In the folder for temporary files others may have put theirs first, and what is kept is executed.
 */
import { closeSync, fstatSync, fsyncSync, futimesSync, mkdirSync, openSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { getHeapCodeStatistics } from 'node:v8';
import { Script } from 'node:vm';

export interface KeptProgram {
  /** What the program exports. */
  readonly exports: unknown;
  /** To be called when the work is done, with the name of its command: keeps the code of all functions that were needed for it. Where that is not possible, nothing happens. */
  readonly keep: (command: string) => void;
}

/**
 * Bytes before the code: which program it is of, the time that the file was given (V8 does not look whether it is whole, and would crash: who writes to it
 * changes its time), how much code there was in all when it was kept, and the commands that it is of.
 */
const headSize = 256;
/** With so much more, it is worth to keep it anew: another command was run, or harder work was done. */
const muchMore = 1.1;
/** To find out how much there is takes milliseconds: that is left where all took at most so many times as long as the start of Node, as a small file does. */
const quick = 2.5;

interface Kept {
  readonly code: Buffer;
  /** Seconds since 1970, whole ones: as they are hardly ever. */
  readonly time: number;
  readonly size: number;
  readonly commands: readonly string[];
}

function headOf(program: string, { code, time, size, commands }: Kept): string {
  return [basename(program), code.length, time, size, ...commands].join(' ').padEnd(headSize);
}

function isOurs({ uid, mode }: { readonly uid: number; readonly mode: number }): boolean {
  return process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
}

/** Where it is kept: with HOME from another user, as sudo may leave it, nowhere. */
function placeOf(): string | undefined {
  const given = process.env['XDG_CACHE_HOME'];
  const base = given === undefined || given === '' ? homedir() : given;
  try {
    return isOurs(statSync(base)) ? join(base, ...given === base ? [] : ['.cache'], 'iptables-lint', 'code') : undefined;
  } catch {
    return undefined;
  }
}

function readKept(place: string | undefined, program: string): Kept | undefined {
  if (place === undefined) return undefined;
  try {
    const file = openSync(place, 'r');
    try {
      const stats = fstatSync(file);
      const data = isOurs(stats) ? readFileSync(file) : Buffer.alloc(0);
      const head = data.toString('latin1', 0, headSize);
      const [, , , size, ...commands] = head.trimEnd().split(' ');
      const kept = { code: data.subarray(headSize), time: stats.mtimeMs / 1000, size: Number(size), commands };
      return head === headOf(program, kept) ? kept : undefined;
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

function writeKept(place: string, program: string, kept: Kept): void {
  try {
    mkdirSync(join(place, '..'), { recursive: true, mode: 0o700 });
    const draft = `${place}-${String(process.pid)}`;
    const file = openSync(draft, 'wx', 0o600);
    try {
      writeFileSync(file, headOf(program, kept), 'latin1');
      writeFileSync(file, kept.code);
      futimesSync(file, kept.time, kept.time);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, place);
  } catch {
    // A disk that is full or read-only: the next run takes longer, and that is all.
  }
}

/** Loads a bundled CommonJS file, which is a function of what such a file may use. Its name is another whenever its text is, as the bundler gives it. */
export function loadKept(program: string): KeptProgram {
  const started = process.uptime();
  const place = placeOf();
  const kept = readKept(place, program);
  const script = new Script(readFileSync(program, 'latin1'), { filename: program, ...kept === undefined ? {} : { cachedData: kept.code } });
  const enough = script.cachedDataRejected === false ? (kept?.size ?? 0) * muchMore : 0;
  const run = script.runInThisContext() as (require: NodeJS.Require, module: { exports: unknown }, exports: unknown, url: string) => void;
  const module = { exports: {} as unknown };
  run(createRequire(program), module, module.exports, pathToFileURL(program).href);
  return {
    exports: module.exports,
    keep: command => {
      const commands = enough > 0 ? kept?.commands ?? [] : [];
      if (place === undefined || (commands.includes(command) && process.uptime() < quick * started)) return;
      const size = getHeapCodeStatistics().bytecode_and_metadata_size;
      if (size > enough) writeKept(place, program, { code: script.createCachedData(), time: Math.floor(Date.now() / 1000), size, commands: [...new Set([...commands, command])] });
    },
  };
}
