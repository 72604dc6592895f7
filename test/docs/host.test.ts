import { readFileSync } from 'node:fs';
import test from 'ava';
import { readHost } from '../../analyzer/netfilter/host/host.js';

const page = readFileSync(new URL('../../../docs/host.md', import.meta.url), 'utf8');

/** The keys in the first cells of the page's tables, those of a host and those of an interface. */
const [ofHost = [], ofInterface = []] = page.split('An interface:').map(part =>
  [...part.matchAll(/^\| (?<cell>`[^|]+) \|/gmu)].flatMap(match => [...(match.groups?.['cell'] ?? '').matchAll(/`(?<key>\w+)`/gu)].map(key => key.groups?.['key'] ?? '')));

/** What `readHost` says of a key with a value that cannot be right. */
function isKnown(wrong: object): boolean {
  return !(readHost(wrong).problems ?? []).some(problem => problem.includes('unknown key'));
}

test('every key on the page is one of a host file, and others are refused', t => {
  t.deepEqual([ofHost.length, ofInterface.length], [12, 10]);
  for (const key of ofHost) t.true(isKnown({ [key]: null }), key);
  for (const key of ofInterface) t.true(isKnown({ interfaces: [{ name: 'eth0', [key]: null }] }), key);
  t.false(isKnown({ interface: [] }));
  t.false(isKnown({ interfaces: [{ name: 'eth0', adresses: [] }] }));
});

test('what the page shows of sockets and rule sets can be read', t => {
  for (const [, key = '', value = ''] of page.matchAll(/^\| `(\w+)` \| `(\[\{.*?\}\]|\{.*?\})`/gmu)) t.is(readHost({ [key]: JSON.parse(value) as unknown }).problems, undefined, key);
});
