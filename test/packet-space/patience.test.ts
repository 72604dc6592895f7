import test from 'ava';
import { Patience } from '../../analyzer/packet-space/patience.js';
import { solveBudget } from '../../analyzer/packet-space/pipeline/solve.js';

/** What so many questions cost together that each take all that they may, or so much. */
function spent(questions: number, each: { readonly packets: number; readonly work: number }): { readonly packets: number; readonly work: number } {
  const patience = new Patience();
  const all = { packets: 0, work: 0 };
  for (let i = 0; i < questions; i++) patience.ask(solveBudget(), budget => {
    const [packets, work] = [Math.min(each.packets, budget.packets), Math.min(each.work, budget.work)];
    all.packets += packets;
    all.work += work;
    budget.packets -= packets;
    budget.work -= work;
  });
  return all;
}

test('a few hard questions have their whole budget', t => {
  t.deepEqual(spent(1, { packets: Infinity, work: Infinity }), { packets: 5_000, work: 2_000_000 });
});

test('a hundred hard questions do not cost a hundred times as much, whether they look up many boxes or follow many packets', t => {
  const { packets, work } = spent(100, { packets: Infinity, work: Infinity });
  t.true(packets <= 2 * 5_000 + 10_000 + 100 * 200, `${String(packets)} packets`);
  t.true(work <= 3 * 2_000_000 + 100 * 4_000, `${String(work)} boxes`);
});

test('any number of usual questions is answered', t => {
  t.deepEqual(spent(10_000, { packets: 100, work: 10_000 }), { packets: 1_000_000, work: 100_000_000 });
});
