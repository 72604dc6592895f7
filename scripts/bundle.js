/** Bundles the command line and the library into dist/: one file to load instead of hundreds is most of the start-up time. */
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** The licences of what is bundled, as they ask for. */
function writeNotices(inputs) {
  const packages = new Set(inputs.flatMap(input => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//u.exec(input)?.[1] ?? []));
  const notices = [...packages].sort().map(name => {
    const { version, license, author } = JSON.parse(readFileSync(`${root}node_modules/${name}/package.json`, 'utf8'));
    const text = ['LICENSE', 'license', 'LICENSE.md', 'LICENSE.txt', 'License', 'LICENSE-MIT'].map(file => {
      try {
        return readFileSync(`${root}node_modules/${name}/${file}`, 'utf8');
      } catch {
        return undefined;
      }
    }).find(one => one !== undefined);
    return `${name} ${version}, ${license}${typeof author === 'string' ? `, ${author}` : ''}\n\n${text ?? ''}`.trimEnd();
  });
  writeFileSync(`${root}dist/NOTICES.txt`, `The files in this folder contain code of these packages.\n\n${notices.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`);
}

/** What earlier builds have left: names change with what is in the files. */
function removeStale(written) {
  for (const folder of ['dist', 'dist/chunks']) {
    for (const file of readdirSync(`${root}${folder}`)) if (/\.c?js(?:\.map)?$/u.test(file) && !written.has(`${folder}/${file}`)) rmSync(`${root}${folder}/${file}`);
  }
}

/**
 * What bundled packages load and we never use, or have in a lighter form:
 * - eslint-formatter-pretty has the addresses of all pages about ESLint's rules; ours come with the findings
 * - commander can run commands that are programs of their own; ours are not, and only `collect` runs others
 * - string-width: see report/display-width.ts
 * - picocolors looks whether standard output is a terminal, for which Node loads its streams; we tell it
 */
const replaced = {
  'eslint-rule-docs': { contents: 'export default () => ({});' },
  'string-width': { contents: 'export { displayWidth as default } from "./report/display-width.ts";', resolveDir: root, loader: 'ts' },
  'node:child_process': { contents: 'export {};' },
};

const lighter = {
  name: 'lighter',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^(eslint-rule-docs|string-width)$/ }, ({ path }) => ({ path, namespace: 'replaced' }));
    esbuild.onResolve({ filter: /^node:child_process$/ }, ({ path, importer }) => /\/node_modules\/commander\//u.test(importer) ? { path, namespace: 'replaced' } : undefined);
    esbuild.onLoad({ filter: /node_modules.picocolors.picocolors\.js$/ }, ({ path }) => ({ contents: readFileSync(path, 'utf8').replace('(p.stdout || {}).isTTY', 'false') }));
    esbuild.onLoad({ filter: /./, namespace: 'replaced' }, ({ path }) => replaced[path]);
  },
};

const target = 'node20.19';
const partsFolder = `${root}build/parts`;

/**
 * Chevrotain makes a parser the prototype of something, which V8 then holds ready for quick access, and deletes a hundred properties of it thereafter: it is
 * made ready again after each, which is a twentieth of what a small file takes.
 */
const stillSlow = {
  name: 'still-slow',
  setup(esbuild) {
    esbuild.onLoad({ filter: /@chevrotain.utils.lib.src.to-fast-properties\.js$/ }, () => ({ contents: 'export const toFastProperties = one => one;' }));
  },
};

function settings(version) {
  return {
    absWorkingDir: root, outdir: 'dist',
    bundle: true, format: 'esm', platform: 'node', target,
    minify: true, legalComments: 'none', sourcemap: true, sourcesContent: false,
    metafile: true, logLevel: 'warning',
    /** Loaded by those who draw: users of the library, `fuzz` and `--decide`. */
    external: ['fast-check'],
    define: { IPTABLES_LINT_VERSION: JSON.stringify(version) },
    /** Some of the bundled packages are CommonJS and require Node's own modules. */
    banner: { js: 'import{createRequire as $require}from"node:module";const require=$require(import.meta.url);' },
  };
}

/** The program is read as Latin-1, which takes half the time. esbuild escapes what is beyond ASCII, but not in regular expressions. */
function expectAscii(name) {
  const [, before, letter] = /(.{0,40})([^\0-\x7f])/u.exec(readFileSync(`${root}dist/${name}`, 'utf8')) ?? [];
  if (letter !== undefined) throw new Error(`write \\u{${letter.codePointAt(0).toString(16)}} for the last letter of ${before}${letter}`);
}

/**
 * The program itself, and cli.cjs and thread.cjs, which load it by its name. In code that is kept there is no import(): packages are required, and the
 * user's files loaded by whoever loaded it. CommonJS all of it: Node's loader of modules takes as long to start as --version.
 *
 * It is bundled twice. esbuild makes a function of each module that is loaded on demand, of a thousand of them; bundled to parts first, what is loaded
 * together is one module. (What has no effect is left out in the first round; in the second the parts would be taken for such.)
 */
async function bundleProgram(common) {
  const cjs = { ...common, format: 'cjs', outExtension: { '.js': '.cjs' } };
  const parts = await build({ ...common, entryPoints: { program: 'cli/program.ts' }, splitting: true, banner: {}, outdir: partsFolder });
  const program = await build({
    ...cjs, entryPoints: { program: join(partsFolder, 'program.js') }, ignoreAnnotations: true, supported: { 'dynamic-import': false }, entryNames: 'chunks/[name]-[hash]',
    banner: { js: '(function(require,module,exports,$url){' }, footer: { js: '})' },
    define: { ...common.define, 'import.meta.url': '$url' },
  });
  const name = Object.keys(program.metafile.outputs).find(one => one.endsWith('.cjs')).replace('dist/', '');
  expectAscii(name);
  const define = { ...common.define, 'import.meta.dirname': '__dirname', IPTABLES_LINT_PROGRAM: JSON.stringify(name) };
  return [parts, program, await build({ ...cjs, entryPoints: { cli: 'cli/cli.ts', thread: 'cli/thread.ts' }, banner: {}, define })];
}

/** The program is one CommonJS file, so that the code that V8 makes of it can be kept (see cli/kept-code.ts); it and the library share nothing. */
export async function bundle(plugins = []) {
  const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  const common = { ...settings(version), plugins: [lighter, stillSlow, ...plugins] };
  const [program, index] = await Promise.all([bundleProgram(common), build({ ...common, entryPoints: { index: 'index.ts' } })]);
  const results = [...program, index];
  const written = results.flatMap(({ metafile }) => Object.keys(metafile.outputs));
  removeStale(new Set(written));
  writeNotices(results.flatMap(({ metafile }) => Object.keys(metafile.inputs)));
  return results;
}
