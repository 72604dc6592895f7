/** `npm run build`: compiles everything into build/ (the tests run from there) and bundles what is published into dist/. */
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle, root } from './bundle.js';

function compile() {
  const tsc = fileURLToPath(import.meta.resolve('typescript/bin/tsc'));
  const { status } = spawnSync(process.execPath, [tsc], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

/** The declarations that the library's own can reach, and no others. */
function declarations(file, found = new Set()) {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, specifier] of readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*["'](\.[^"']+)\.js["']/gu)) declarations(join(dirname(file), `${specifier}.d.ts`), found);
  return found;
}

function copyDeclarations() {
  const build = join(root, 'build');
  rmSync(join(root, 'dist/types'), { recursive: true, force: true });
  for (const file of declarations(join(build, 'index.d.ts'))) cpSync(file, join(root, 'dist/types', relative(build, file)));
}

await Promise.all([bundle(), compile()]);
copyDeclarations();
