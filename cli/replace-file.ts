/** Writes a file so that at every moment either the old one, or none, or the whole new one is there. */
import { lstat, open, realpath, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { systemCause, Trouble } from './trouble.js';

type Content = string | Uint8Array;

/** Of the file that is replaced. */
interface Owned {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

async function writeBeside(file: string, content: Content, mode: number, before: Owned | undefined): Promise<string> {
  const beside = join(dirname(file), `.${basename(file)}.${String(process.pid)}.tmp`);
  const handle = await open(beside, 'wx', mode);
  try {
    await handle.writeFile(content);
    if (before !== undefined && process.getuid?.() === 0) await handle.chown(before.uid, before.gid);
    if (before !== undefined) await handle.chmod(before.mode & 0o7777);
    await handle.sync();
    return beside;
  } catch (error) {
    await unlink(beside);
    throw error;
  } finally {
    await handle.close();
  }
}

async function replace(file: string, content: Content, mode: number, before?: Owned): Promise<void> {
  const beside = await writeBeside(file, content, mode, before);
  try {
    await rename(beside, file);
  } catch (error) {
    await unlink(beside);
    throw error;
  }
}

function isMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}

/** `/dev/stdout` and its like lead to what another program has open, be it a file. */
function isDescriptor(path: string): boolean {
  return /^\/(?:dev|proc)\//u.test(resolve(path));
}

async function write(path: string, content: Content, mode: number): Promise<void> {
  const before = isDescriptor(path) ? undefined : await stat(path).catch(isMissing);
  if (before?.isFile() === true) return replace(await realpath(path), content, before.mode & 0o7777, before);
  const isNew = !isDescriptor(path) && await lstat(path).catch(isMissing) === undefined;
  return isNew ? replace(path, content, mode) : writeFile(path, content, { mode });
}

/**
 * Links are followed; the mode stays, and for root the owner too. Pipes and devices are written to, and so is where a link leads to nothing.
 * `mode`: of a file that was not there.
 */
export async function replaceFile(path: string, content: Content, mode = 0o666): Promise<void> {
  try {
    await write(path, content, mode);
  } catch (error) {
    throw new Trouble(`cannot write ${path}: ${systemCause(error)}`, { cause: error });
  }
}
