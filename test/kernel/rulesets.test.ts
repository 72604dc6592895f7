/** Whole rule files, valid and not, through the real iptables: the same verdict, and the same rule set saved. */
import test from 'ava';
import * as fc from 'fast-check';
import { rulesetText } from '../../analyzer/generate/ruleset.js';
import { load } from '../../analyzer/model/load.js';
import { printRuleset } from '../../analyzer/model/print.js';
import type { Backend, Family } from '../../analyzer/values/value.js';
import { RealIptables, reasonToSkip } from './real-iptables.js';

const onKernel = reasonToSkip() === undefined ? test.serial : test.skip;
const runs = Number(process.env['IPTABLES_LINT_RULESETS'] ?? 150);

/** Tables in the order of their names: in legacy the order is the kernel's own affair. */
function byTable(lines: readonly string[]): string[] {
  return lines.join('\n').split(/^(?=\*)/mu).map(table => table.trimEnd()).sort();
}

/** What only one backend refuses, and we refuse always: see docs/checks for each. */
const stricter = new Set(['duplicate-chain']);

for (const family of ['ipv4', 'ipv6'] satisfies Family[]) for (const backend of ['legacy', 'nft'] satisfies Backend[]) for (const mistakes of [false, true]) {
  onKernel(`rule sets ${mistakes ? 'with mistakes ' : ''}fare with us as with iptables-${backend}-restore: ${family}`, t => {
    const real = new RealIptables();
    let refused = 0;
    try {
      for (const text of fc.sample(rulesetText(fc, { family, backend, mistakes }), { numRuns: runs, seed: 3 })) {
        const loaded = load({ path: 'generated', text }, { family, backend });
        const errors = loaded.diagnostics.filter(one => one.severity === 'error');
        const result = real.loadFresh(text, family, backend);
        if (errors.length > 0) {
          refused++;
          t.true(!result.accepted || errors.some(one => stricter.has(one.check)), `${errors[0]?.message ?? ''}\n${text}`);
          continue;
        }
        t.true(result.accepted, `${result.message}\n${text}`);
        t.deepEqual(byTable(loaded.rulesets.flatMap(ruleset => [...printRuleset(ruleset)])), byTable(result.saved));
      }
      t.log(`${String(runs - refused)} accepted, ${String(refused)} refused`);
    } finally {
      real.close();
    }
  });
}
