/** What docs/library.md says is compiled and run, in a project of somebody else. */
import test from 'ava';
import * as library from '../../index.js';
import { blocks, page, runNode, strangersFolder } from './stranger.js';

const text = page('library.md');

test('a stranger\'s strict TypeScript project compiles against the package, and says what the page shows', t => {
  t.timeout(600_000);
  const [program = ''] = blocks(text, 'ts');
  const said = [...program.matchAll(/; \/\/ (.*)$/gmu)].map(match => match[1] ?? '');
  t.true(said.length >= 12);
  const folder = strangersFolder(t, {
    'use.ts': program,
    'tsconfig.json': JSON.stringify({ compilerOptions: { strict: true, module: 'nodenext', target: 'es2023', lib: ['es2023'], types: ['node'], exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, outDir: 'out' }, files: ['use.ts'] }),
  });
  const compiled = runNode(['node_modules/typescript/bin/tsc'], folder);
  t.is(compiled.stdout, '');
  t.is(compiled.status, 0);
  const { stdout, stderr } = runNode(['out/use.js'], folder);
  t.is(stderr, '');
  t.deepEqual(stdout.trimEnd().split('\n').filter(line => line !== ''), said);
});

test('every function of the library is in the table of its page, and the table names no others', t => {
  const [table = ''] = /^\| what [^]*?\n\n/mu.exec(text) ?? [];
  const named = [...table.matchAll(/`(\w+)`/gu)].map(match => match[1] ?? '');
  const exported = Object.keys(library).filter(name => !/Error$|^Host$/u.test(name));
  t.deepEqual([...named].sort(), exported.sort());
});
