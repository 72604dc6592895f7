/** Writes a file so that at every moment either the old one or the whole new one is there. */
import { open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemCause, Trouble } from './trouble.js';

async function writeBeside(file: string, text: string | Uint8Array): Promise<string> {
  const { mode, uid, gid } = await stat(file);
  const beside = join(dirname(file), `.${basename(file)}.${String(process.pid)}.tmp`);
  const handle = await open(beside, 'wx', mode & 0o7777);
  try {
    await handle.writeFile(text);
    if (process.getuid?.() === 0) await handle.chown(uid, gid);
    await handle.chmod(mode & 0o7777);
    await handle.sync();
    return beside;
  } catch (error) {
    await unlink(beside);
    throw error;
  } finally {
    await handle.close();
  }
}

/** Links are followed; the mode stays, and for root the owner too. */
export async function replaceFile(path: string, text: string | Uint8Array): Promise<void> {
  try {
    const file = await realpath(path);
    await rename(await writeBeside(file, text), file);
  } catch (error) {
    throw new Trouble(`cannot write ${path}: ${systemCause(error)}`, { cause: error });
  }
}
