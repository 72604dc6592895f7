/** The rule sets of rules-examples/, in the engine and in the real kernel, with packets near what they speak of. By hand: agreement/real-rules.ts. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { agreementOn, rulesIn } from './agreement/real-rules.js';
import { Kernel } from '../../kernel/kernel.js';
import { kernelAvailable } from './kernel-available.js';

const reason = kernelAvailable();
const onKernel = reason === undefined ? test.serial : test.skip;
/** For each file, family and backend. */
const packets = Number(process.env['IPTABLES_LINT_EXAMPLE_PACKETS'] ?? 24);
const folder = fileURLToPath(new URL('../../../rules-examples/', import.meta.url));

onKernel('the engine and the kernel agree on the rule sets of rules-examples', async t => {
  t.timeout(300_000);
  const kernel = new Kernel();
  let played = 0;
  try {
    for (const name of readdirSync(folder).filter(one => /\.(?:rules|sh|txt)$/u.test(one))) {
      for (const given of rulesIn(`${folder}${name}`)) {
        const result = await agreementOn(kernel, given, { packets, seed: 1, patience: 1 });
        t.deepEqual(result.disagreements.map(({ scenario: { steps }, differences }) => ({ steps, differences })), [], `${name}, ${given.family}, ${given.backend}`);
        played += result.packets;
      }
    }
  } finally {
    await kernel.close();
  }
  t.log(`${String(played)} packets`);
});
