/** What `--fix` writes is loaded by the real iptables, in both families and backends. */
import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import type { Backend, Family } from '../../analyzer/values/value.js';
import { drawnText, fixed } from '../fixes/fixed-rulesets.js';
import { RealIptables, reasonToSkip } from './real-iptables.js';

const onKernel = reasonToSkip() === undefined ? test.serial : test.skip;
const drawn = Number(process.env['FIXES_RUNS'] ?? 6);

for (const family of ['ipv4', 'ipv6'] satisfies Family[]) for (const backend of ['legacy', 'nft'] satisfies Backend[]) {
  onKernel(`what was loaded is loaded when it is repaired: ${family}, iptables-${backend}-restore`, async t => {
    t.timeout(600_000);
    const examples = readdirSync('rules-examples').filter(name => name.endsWith('.rules') && name.includes('ipv6') === (family === 'ipv6')).map(name => readFileSync(`rules-examples/${name}`, 'utf8'));
    const texts = [...backend === 'nft' ? examples : [], ...Array.from({ length: drawn }, (_, index) => drawnText(100 + index, family))];
    const real = new RealIptables();
    let repaired = 0;
    try {
      for (const text of texts) {
        const result = await fixed(text, family);
        if (result.text === text || !real.loadFresh(text, family, backend).accepted) continue;
        repaired++;
        const { accepted, message } = real.loadFresh(result.text, family, backend);
        t.true(accepted, `${message}\n${result.text}`);
      }
    } finally {
      real.close();
    }
    t.true(repaired >= drawn / 2, String(repaired));
    t.log(`${String(repaired)} repaired and loaded`);
  });
}
