import test from 'ava';
import * as fc from 'fast-check';
import { load } from '../../../analyzer/model/load.js';
import { always, is, type Constraint } from '../../../analyzer/packet/constraint.js';
import { pipeline } from '../../../analyzer/packet-space/pipeline/index.js';
import { isIn } from '../../../analyzer/packet-space/pipeline/fates/box.js';
import { fates } from '../../../analyzer/packet-space/pipeline/fates/fates.js';
import { solveBudget } from '../../../analyzer/packet-space/pipeline/solve.js';
import type { Pipeline } from '../../../analyzer/packet-space/pipeline/passes.js';
import { look, told } from './compare-worlds.js';
import { allWorlds } from './mutants.js';
import type { World } from './worlds.js';

const runs = Number(process.env['PIPELINE_RUNS'] ?? 150);
const seed = Number(process.env['PIPELINE_SEED'] ?? 8);

function made(text: string, asked: readonly Constraint[] = []): Pipeline {
  const { rulesets: [ruleset], diagnostics } = load({ path: 'rules', text });
  const one = ruleset === undefined ? undefined : pipeline(ruleset, { asked });
  if (one === undefined) throw new Error(`does not load: ${diagnostics.map(d => d.message).join('; ')}\n${text}`);
  return one;
}

const most = 16_000;

/** What becomes of packets of equal text was said in equal words, and the other way round. */
let completed = 0;

function checkWorld({ text, path }: World): void {
  const p = made(text);
  const { claims, complete, left } = fates(p, path, always, { limit: 3000, budget: solveBudget(4000, 1_000_000) });
  const fail = (what: string): never => { throw new Error(`${what} on path ${path}\n${text}`); };
  if (complete !== (left === 0)) fail('not complete, and nothing is left');
  if (complete) completed++;
  let count = 0;
  for (const { inputs, choices, trips: [trip] } of look({ sides: [p, p] }, path).pairs) {
    if (++count > most) return;
    if (inputs[p.natInput] !== 0 || inputs[p.rawInput] !== 0) continue;
    const claim = claims.find(one => isIn(one.box, inputs, choices));
    if (claim === undefined) {
      if (complete) fail('a packet that no claim is about');
      continue;
    }
    const own = told(p, trip);
    const verdict = own === 'drop' || own === 'elsewhere' ? own : own.startsWith('-j ') ? 'reject' : 'accept';
    if (claim.fate.verdict !== verdict) fail(`${claim.part.fields.join(' ')}: ${claim.fate.verdict}, and not ${verdict}`);
    const dimensions = p.chains.dimensions;
    const written = dimensions.list.flatMap((one, d) => d < p.chains.fieldCount && (one.kind === 'range' || one.kind === 'bits') && trip.leaving.of(d).input !== d ? [one.field] : []);
    if (verdict === 'accept' && claim.fate.written.map(one => one.split(' ', 1)[0]).join() !== written.join()) fail(`${claim.fate.written.join()}, and not ${written.join()}`);
  }
}

test('every packet of tiny worlds fares as the first claim says that holds it', t => {
  const result = fc.check(fc.property(allWorlds, checkWorld), { numRuns: runs, seed, endOnFailure: true });
  t.false(result.failed, result.failed ? `${String(result.errorInstance)}\nseed ${String(result.seed)} path ${String(result.counterexamplePath)}` : '');
  t.true(completed > 0.6 * runs);
  t.log(`${String(completed)} of ${String(runs)} told to the end`);
});

const gateway = [
  '*nat', ':PREROUTING ACCEPT [0:0]', '-A PREROUTING -i eth0 -d 192.0.2.1 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.1:8080', 'COMMIT',
  '*filter', ':FORWARD DROP [0:0]', '-A FORWARD -d 10.0.0.1 -p tcp -m tcp --dport 8080 -j ACCEPT', '-A FORWARD -i eth0 -s 198.51.100.0/24 -j REJECT', 'COMMIT', '',
].join('\n');

test('claims are in words, and those about exceptions come before what they are exceptions of', t => {
  const asked: Constraint = { kind: 'all', of: [is('ctstate', 1), { kind: 'interface', field: 'in', name: 'eth0', prefix: false }, is('protocol', 6)] };
  const { claims, complete } = fates(made(gateway, [asked]), 'through', asked, { limit: 200 });
  t.true(complete);
  const lines = claims.map(({ fate, part }) => `${fate.verdict} ${fate.written.join(' ')} | ${part.fields.join(' ')}`);
  t.true(lines.some(line => line.startsWith('accept dst 10.0.0.1 dport 8080 | ') && line.includes('dst 192.0.2.1') && line.includes('dport 80')), lines.join('\n'));
  t.is(claims.at(-1)?.fate.verdict, 'drop', lines.join('\n'));
  t.true(lines.length <= 8, lines.join('\n'));
});

test('a budget leaves parts that were not looked at, and says how many', t => {
  const { complete, left, claims } = fates(made(gateway), 'through', always, { limit: 1 });
  t.false(complete);
  t.true(left > 0);
  t.true(claims.length <= 2);
});
