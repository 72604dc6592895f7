/** Generated scenarios, played in the engine and in the real kernel. Open-ended by hand: `npm run test:kernel -- --runs 20000 --seed random`. */
import test from 'ava';
import { agreement } from './agreement/agreement.js';
import { Kernel } from '../../kernel/kernel.js';
import { kernelAvailable } from './kernel-available.js';

const reason = kernelAvailable();
const onKernel = reason === undefined ? test.serial : test.skip;
/** For each family and backend. */
const packets = Number(process.env['IPTABLES_LINT_PACKETS'] ?? 3000);

for (const family of ['ipv4', 'ipv6'] as const) for (const backend of ['legacy', 'nft'] as const) {
  onKernel(`the engine and the kernel agree on generated packets: ${family}, ${backend}`, async t => {
    t.timeout(600_000);
    const kernel = new Kernel();
    try {
      const result = await agreement(kernel, { family, backend, packets, seed: 1, patience: 3, shrink: true });
      t.log(`${String(result.packets)} packets in ${String(result.scenarios)} scenarios`);
      t.deepEqual(result.disagreements.map(one => ({ scenario: one.scenario, differences: one.differences })), []);
    } finally {
      await kernel.close();
    }
  });
}
