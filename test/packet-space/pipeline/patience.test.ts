/** What many hard questions about one rule set may cost together. */
import test from 'ava';
import { Patience } from '../../../analyzer/packet-space/patience.js';
import { solveBudget } from '../../../analyzer/packet-space/pipeline/solve.js';

test('a few hard questions have the budget of one each, and those that follow have little', t => {
  const patience = new Patience();
  const given = Array.from({ length: 1000 }, () => patience.ask(solveBudget(), budget => {
    const { work } = budget;
    budget.packets = budget.work = 0;
    return work;
  }));
  t.is(given[0], solveBudget().work);
  t.true((given.at(-1) ?? Infinity) < solveBudget().work / 100);
  t.true(given.reduce((sum, work) => sum + work, 0) < 6 * solveBudget().work);
});

test('easy questions use nothing up, however many they are', t => {
  const patience = new Patience();
  const ask = (): number => patience.ask(solveBudget(), budget => {
    const { work } = budget;
    budget.packets -= 5;
    budget.work -= 1000;
    return work;
  });
  for (let i = 0; i < 10_000; i++) ask();
  t.is(ask(), solveBudget().work);
});

test('packets that are followed count as boxes do: a hundred small questions that follow all they may do not cost a hundred times as much', t => {
  const patience = new Patience();
  let packets = 0;
  for (let i = 0; i < 100; i++) patience.ask(solveBudget(), budget => {
    packets += budget.packets;
    budget.packets = 0;
  });
  t.true(packets <= 2 * solveBudget().packets + 10_000 + 100 * 200, String(packets));
});
