/** Rule sets of real machines, where the environment variable RULES_CORPUS names a folder of them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { decodeBytes } from '../../grammar/source-text.js';
import { analyze } from '../../analyzer/analyze.js';
import { load, type Loaded } from '../../analyzer/model/load.js';

interface CorpusEntry {
  readonly name: string;
  readonly family: 4 | 6;
  readonly restore_test: string;
  readonly restore_nft: string;
}

const folder = process.env['RULES_CORPUS'];
const entries: readonly CorpusEntry[] = folder !== undefined && existsSync(join(folder, 'index.json'))
  ? JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as CorpusEntry[] : [];
const onCorpus = entries.length === 0 ? test.skip : test;

function read(entry: CorpusEntry): { path: string; text: string } {
  return { path: entry.name, text: decodeBytes(readFileSync(join(folder ?? '', entry.name))) };
}

function loadEntry(entry: CorpusEntry): Loaded {
  return load(read(entry), { family: entry.family === 6 ? 'ipv6' : 'ipv4' });
}

/** Refused for what the machine lacks, and not for what the file says. */
const machineReasons = /host\/network|not found|does(?:n't| not) exist|Unknown user|user name/u;

function refusedLine(message: string): number | undefined {
  const line = /line:? (\d+)/u.exec(message.replaceAll('\n', ' '));
  return line === null ? undefined : Number(line[1]);
}

onCorpus('what either backend loads is read without an error', t => {
  for (const entry of entries) {
    if (entry.restore_test !== 'ok' && entry.restore_nft !== 'ok') continue;
    const errors = loadEntry(entry).diagnostics.filter(one => one.severity === 'error');
    t.deepEqual(errors.slice(0, 5), [], entry.name);
  }
});

onCorpus('what both backends refuse has an error on the line that they name', t => {
  for (const entry of entries) {
    if (entry.restore_test === 'ok' || entry.restore_nft === 'ok') continue;
    const line = refusedLine(entry.restore_test) ?? refusedLine(entry.restore_nft);
    const wanted = machineReasons.test(entry.restore_test) ? ['error', 'warning'] : ['error'];
    const found = loadEntry(entry).diagnostics.some(one => one.line === line && wanted.includes(one.severity));
    t.true(found, `${entry.name}: ${entry.restore_test}`);
  }
});

onCorpus('every file is analyzed without an exception', t => {
  for (const entry of entries) t.notThrows(() => analyze(read(entry), { family: entry.family === 6 ? 'ipv6' : 'ipv4' }), entry.name);
});

interface DeadRules {
  readonly dead: readonly { readonly rule: string; readonly kind: string }[];
  readonly dead_if: readonly unknown[];
}

onCorpus('no rule is called shadowed that an independent checker found alive', t => {
  const dead = JSON.parse(readFileSync(join(folder ?? '', 'dead-rules.json'), 'utf8')) as Record<string, DeadRules>;
  let called = 0;
  for (const entry of entries) {
    const known = dead[entry.name];
    // Of a file that does not load, the checker saw less than we do.
    if (known === undefined || (entry.restore_test !== 'ok' && entry.restore_nft !== 'ok')) continue;
    const also = JSON.stringify(known.dead_if);
    const allowed = new Set(known.dead.map(one => one.rule));
    for (const finding of analyze(read(entry), { family: entry.family === 6 ? 'ipv6' : 'ipv4' }).findings) {
      if (finding.check !== 'shadowed-rule' || finding.rule === null) continue;
      called++;
      t.true(allowed.has(finding.rule) || also.includes(`"${finding.rule}"`), `${entry.name} ${finding.rule}: ${finding.message}`);
    }
  }
  t.log(`${String(called)} rules called shadowed`);
});
