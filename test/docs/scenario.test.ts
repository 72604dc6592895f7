import { readFileSync } from 'node:fs';
import test from 'ava';
import { parsePacketWords } from '../../analyzer/netfilter/scenario/packet-words.js';
import { readScenario } from '../../analyzer/netfilter/scenario/read-scenario.js';
import { packetEntries, scenarioSchema, stepEntries } from '../../analyzer/netfilter/scenario/schema.js';

const page = readFileSync(new URL('../../../docs/scenario.md', import.meta.url), 'utf8');

/** The blocks of code in this language; '' for those that name none. */
function blocks(language: string): readonly string[] {
  return [...page.matchAll(/^```(?<language>\w*)\n(?<text>[^]*?)^```$/gmu)].filter(match => match.groups?.['language'] === language).map(match => match.groups?.['text'] ?? '');
}

test('the scenario on the page can be read', t => {
  const [text = ''] = blocks('yaml');
  t.deepEqual(readScenario(text).problems, []);
  t.is(readScenario(text).scenario?.steps.length, 2);
  const file = new URL('../../../docs/web-server.scenario.yaml', import.meta.url);
  t.deepEqual(readScenario(readFileSync(file, 'utf8')).problems, []);
});

test('the packets in words on the page can be read', t => {
  const lines = (blocks('')[1] ?? '').trim().split('\n');
  t.is(lines.length, 5);
  for (const line of [...lines, ...[...page.matchAll(/--(?:packet|conversation) "(?<line>[^"]+)"/gu)].map(match => match.groups?.['line'] ?? '')]) t.notThrows(() => parsePacketWords(line), line);
});

test('every key of a scenario is on the page', t => {
  for (const key of [...Object.keys(packetEntries), ...Object.keys(stepEntries), ...Object.keys(scenarioSchema.entries)]) t.true(page.includes(`\`${key}\``), key);
});
