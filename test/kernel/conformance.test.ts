/** The real iptables decides: do we accept what it accepts, and print what it saves? */
import test from 'ava';
import { matches } from '../../analyzer/extensions/matches/index.js';
import { targets } from '../../analyzer/extensions/targets/index.js';
import { load } from '../../analyzer/model/load.js';
import { exampleFile, printedRules } from '../contracts/example-file.js';
import { conformance, generateRules } from './conformance.js';
import { RealIptables, reasonToSkip } from './real-iptables.js';

const reason = reasonToSkip();
const onKernel = reason === undefined ? test.serial : test.skip;
const families = ['ipv4', 'ipv6'] as const;
const backends = ['legacy', 'nft'] as const;
/** Rules for each family, half of them for each backend. */
const runs = Number(process.env['IPTABLES_LINT_RUNS'] ?? 20_000);

for (const family of families) for (const backend of backends) {
  onKernel(`generated rules fare with us as with iptables-${backend}-restore: ${family}`, t => {
    const real = new RealIptables();
    try {
      const seed = family === 'ipv4' ? 4 : 6;
      const report = conformance(real, generateRules(family, backend, runs / 2, seed), family, backend, 300);
      t.log(`${String(report.accepted)} accepted, ${String(report.refused)} refused`);
      t.deepEqual(report.disagreements.slice(0, 10), []);
    } finally {
      real.close();
    }
  });
}

onKernel('the examples of every match and target are taken or refused as they say', t => {
  const real = new RealIptables();
  try {
    for (const definition of [...matches, ...targets].map(one => one.define())) {
      if (definition.retired !== undefined || definition.needsOnMachine !== undefined) continue;
      for (const example of definition.examples) {
        const [rule, saved, where] = example;
        const family = where?.family ?? 'ipv4';
        const answers = (definition.backends ?? backends).map(backend => {
          const result = real.loadFresh(exampleFile(example), family, backend);
          const printed = printedRules(load({ path: 'example', text: exampleFile(example) }, { family, backend }), backend);
          return { ...result, printed, saved: result.saved.filter(line => line.startsWith('-A')) };
        });
        if (saved === undefined) t.true(answers.some(answer => !answer.accepted), `${definition.name}: ${rule} is accepted`);
        else for (const answer of answers) t.deepEqual({ accepted: answer.accepted, saved: answer.saved, message: answer.accepted ? '' : answer.message }, { accepted: true, saved: answer.printed, message: '' }, `${definition.name}: ${rule}`);
      }
    }
  } finally {
    real.close();
  }
});
