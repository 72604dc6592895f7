/** The harness itself: of each of these scenarios it is known what the kernel does, and that must be what it reports. */
import test from 'ava';
import { allCases } from './cases/index.js';
import { Kernel, kernelAvailable } from './harness/kernel.js';

const reason = kernelAvailable();
const onKernel = reason === undefined || process.env['IPTABLES_LINT_KERNEL'] === 'required' ? test : test.skip;
let kernel: Kernel | undefined;

test.before(() => {
  if (reason === undefined) kernel = new Kernel();
});

test.after.always(async () => {
  await kernel?.close();
});

for (const one of Object.values(allCases).flat()) {
  onKernel(`the kernel: ${one.name}`, async t => {
    const answer = await kernel?.run(one.scenario);
    t.is(answer?.steps.length, one.expect.length, reason);
    one.expect.forEach((expected, index) => {
      t.like(answer?.steps[index], expected as Record<string, unknown>, `step ${String(index + 1)}`);
    });
  });
}
