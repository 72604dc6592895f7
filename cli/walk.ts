/** Goes through folders, and passes nothing in silence: what cannot be entered, and links that lead nowhere, are told. */
import { readdirSync, statSync, type Dirent, type Stats } from 'node:fs';
import { join } from 'node:path';
import { systemCause, Trouble } from './trouble.js';

/** What is looked for. Paths are from the folder where the walk begins, with slashes. */
export interface Wanted {
  readonly isFile: (path: string) => boolean;
  /** Whether something wanted may be in this folder. */
  readonly mayHold: (path: string) => boolean;
}

export interface Walked {
  readonly files: readonly string[];
  /** What may have been wanted, or may have held it, and cannot be looked at. */
  readonly troubles: readonly { readonly path: string; readonly trouble: Trouble }[];
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** All files and troubles below `root`, none where there is no such folder, in an order that is always the same. No folder is entered twice, as links may lead in circles; one that is reached without a link goes by that name. */
export function walk(root: string, { isFile, mayHold }: Wanted): Walked {
  const files: string[] = [];
  const troubles: { readonly path: string; readonly trouble: Trouble }[] = [];
  const seen = new Set<string>();
  const linked: string[] = [];

  const fail = (path: string, says: string, cause?: unknown): void => {
    troubles.push({ path, trouble: new Trouble(`cannot read ${join(root, path)}: ${says}`, { cause }) });
  };

  const look = (path: string, entry: Dirent): void => {
    if (!isFile(path) && !mayHold(path)) return;
    let what: Dirent | Stats = entry;
    try {
      if (entry.isSymbolicLink()) what = statSync(join(root, path));
    } catch (error) {
      fail(path, isMissing(error) ? 'the link leads nowhere' : systemCause(error), error);
      return;
    }
    if (what.isDirectory()) {
      if (entry.isSymbolicLink()) linked.push(path);
      else enter(path);
    } else if (isFile(path)) {
      if (what.isFile()) files.push(path);
      else fail(path, 'it is neither a file nor a folder');
    }
  };

  const enter = (path: string): void => {
    if (path !== '' && !mayHold(path)) return;
    try {
      const { dev, ino } = statSync(join(root, path), { bigint: true });
      const key = `${String(dev)} ${String(ino)}`;
      if (seen.has(key)) return;
      seen.add(key);
      const entries = readdirSync(join(root, path), { withFileTypes: true });
      for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) look(path === '' ? entry.name : `${path}/${entry.name}`, entry);
    } catch (error) {
      if (path !== '' || !isMissing(error)) fail(path, systemCause(error), error);
    }
  };

  enter('');
  for (const path of linked) enter(path);
  return { files, troubles };
}
