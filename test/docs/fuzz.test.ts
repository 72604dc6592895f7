/** What docs/fuzz.md says is run. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { properties } from '../../analyzer/fuzz/properties/index.js';
import { folderWith, run } from '../cli/run.js';

const page = readFileSync(new URL('../../../docs/fuzz.md', import.meta.url), 'utf8');

function blocks(language: string): readonly string[] {
  return [...page.matchAll(/^```(?<language>\w+)\n(?<text>[^]*?)^```$/gmu)].flatMap(({ groups }) => groups?.['language'] === language ? [groups['text'] ?? ''] : []);
}

test('its commands do what it says', async t => {
  const folder = folderWith(t, { 'host.json': blocks('json').join('') });
  const seen: (readonly [number | null, string])[] = [];
  for (const line of blocks('sh').flatMap(block => block.trim().split('\n'))) {
    const words = line.replace(/^iptables-lint /u, '').split(' ').map(word => word.startsWith('rules-examples/') ? join(process.cwd(), word) : word);
    const { code, stdout } = await run(words, { cwd: folder });
    seen.push([code, stdout]);
  }
  t.deepEqual(seen.map(([code]) => code), [1, 0, 1]);
  t.true(seen[1]?.[1].includes('dropped by the policy of filter OUTPUT'));
  t.deepEqual([...(seen[2]?.[1] ?? '').matchAll(/dport: (?<port>\d+)/gu)].map(match => match.groups?.['port']), ['7411', '9133', '8255', '22']);
});

test('its program says what it is shown to say', t => {
  const [program = ''] = blocks('js');
  const said = [...program.matchAll(/; \/\/ (?<said>.*)$/gmu)].map(match => match.groups?.['said']);
  const compiled = program.replaceAll(`'iptables-lint'`, JSON.stringify(new URL('../../index.js', import.meta.url).href));
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', compiled], { encoding: 'utf8' });
  t.is(stderr, '');
  t.deepEqual(stdout.trimEnd().split('\n'), said);
});

test('it lists every property', t => {
  t.deepEqual([...page.matchAll(/^\| `(?<name>[a-z-]+)` \|/gmu)].map(match => match.groups?.['name']), properties.map(({ name }) => name));
});
