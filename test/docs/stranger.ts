/** A folder of somebody else's, in which the package is installed: what pages show is run there. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { folderWith } from '../cli/run.js';

export const root = fileURLToPath(new URL('../../../', import.meta.url));

export function page(name: string): string {
  return readFileSync(join(root, 'docs', name), 'utf8');
}

/** The code blocks of a language, one after the other. */
export function blocks(text: string, language: string): readonly string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, 'gmu'))].map(match => match[1] ?? '');
}

/** As `npm install` leaves it; `npm run check:package` installs what is packed. */
export function strangersFolder(t: ExecutionContext, files: Readonly<Record<string, string>>): string {
  const folder = folderWith(t, { 'package.json': '{"private":true,"type":"module"}', ...files });
  mkdirSync(join(folder, 'node_modules/@types'), { recursive: true });
  symlinkSync(root, join(folder, 'node_modules/iptables-lint'));
  for (const name of ['fast-check', 'typescript', '@types/node']) symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  return folder;
}

export function runNode(words: readonly string[], cwd: string): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const { FORCE_COLOR, NODE_OPTIONS, NODE_TEST_CONTEXT, ...env } = process.env;
  return spawnSync(process.execPath, words, { cwd, encoding: 'utf8', env: { ...env, NO_COLOR: '1' } });
}
