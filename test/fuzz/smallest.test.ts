import test from 'ava';
import { smallest } from '../../analyzer/fuzz/smallest.js';
import type { Script } from '../../analyzer/generate/near/script.js';

const step = { in: 'eth0', packet: { proto: 'tcp', src: '198.51.100.7', dst: '192.0.2.1', dport: 22 } };
const flow = { step, isSpoofed: false };
const script: Script = {
  before: [step, step], flows: [flow, flow],
  turns: [{ kind: 'error', flow: 0, advance: 1 }, { kind: 'crowd', flow: 1, count: 17, advance: 61 }, { kind: 'stray', step, advance: 0 }, { kind: 'next', flow: 0, count: 9, advance: 0 }],
};

test('what does no harm to leave out is left out, one thing after the other', t => {
  const crowded = ({ turns }: Script): number | undefined => {
    const crowd = turns.find(one => one.kind === 'crowd');
    return crowd?.kind === 'crowd' && crowd.count >= 5 ? crowd.count : undefined;
  };
  t.deepEqual(smallest(script, crowded), { before: [], flows: [flow], turns: [{ kind: 'crowd', flow: 1, count: 5, advance: 0 }] });
});

test('what is shorter and longer to show is left as it is', t => {
  t.is(smallest(script, one => one === script ? 3 : 4), script);
});

test('the search ends, whatever is asked', t => {
  const most = { ...script, turns: Array.from({ length: 8 }, () => ({ kind: 'crowd' as const, flow: 0, count: 1_000_000, advance: 1 })) };
  let asked = 0;
  smallest(most, ({ turns }) => {
    asked++;
    return turns.length === 8 ? asked % 2 : undefined;
  });
  t.true(asked < 1000);
});
