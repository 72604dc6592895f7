/** Rule sets that look like real servers: each yields the findings that stand beside it, and no others. `UPDATE_EXPECTED=1` writes those anew. `NAME.host.json` is the host of one. */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import { checks } from '../../analyzer/checks/index.js';
import type { Analysis, AnalyzeOptions } from '../../analyzer/examine.js';
import { readHost } from '../../analyzer/netfilter/host/host.js';
import { setupOf } from '../../analyzer/netfilter/scenario/host-setup.js';

interface Expected {
  readonly findings: readonly { readonly check: string; readonly rule: string | null }[];
}

const folder = 'rules-examples';
const names = readdirSync(folder).filter(name => /\.(?:rules|sh|txt)$/u.test(name));

function key({ check, rule }: { readonly check: string; readonly rule: string | null }): string {
  return `${check} ${rule ?? '(file)'}`;
}

/** One finding a line, so that a difference is easily read. */
function written(findings: Expected['findings']): string {
  const lines = findings.map(({ check, rule }) => `    {"check": ${JSON.stringify(check)}, "rule": ${JSON.stringify(rule)}}`);
  return lines.length === 0 ? '{\n  "findings": []\n}\n' : `{\n  "findings": [\n${lines.join(',\n')}\n  ]\n}\n`;
}

function lint(name: string, options: AnalyzeOptions = {}): Analysis {
  const file = `${folder}/${name.replace(/\.[^.]+$/u, '.host.json')}`;
  const { host } = existsSync(file) ? readHost(JSON.parse(readFileSync(file, 'utf8'))) : { host: undefined };
  return analyze({ path: `${folder}/${name}`, text: readFileSync(`${folder}/${name}`, 'utf8') }, { ...options, ...host === undefined ? {} : { host: family => setupOf(host, family) } });
}

for (const name of names) {
  test(name, t => {
    const expected = `${folder}/${name.replace(/\.[^.]+$/u, '.expected.json')}`;
    const { findings } = existsSync(expected) ? JSON.parse(readFileSync(expected, 'utf8')) as Expected : { findings: [] };
    const analysis = lint(name);
    const isAsExpected = analysis.findings.map(key).sort().join() === findings.map(key).sort().join();
    if (process.env['UPDATE_EXPECTED'] !== undefined && !(isAsExpected && existsSync(expected))) writeFileSync(expected, written(analysis.findings));
    else t.deepEqual(analysis.findings.map(key).sort(), findings.map(key).sort());
    t.deepEqual(analysis.undecided, {});
  });
}

test('there are at least 20 of them, and every check fires in one', t => {
  t.true(names.length >= 20);
  // Those that are off by default are asked for.
  const severities = Object.fromEntries(checks.flatMap(check => check.isOff === true ? [[check.name, check.severity]] : []));
  const fired = new Set(names.flatMap(name => lint(name, { severities }).findings.map(one => one.check)));
  t.deepEqual(checks.map(check => check.name).filter(name => !fired.has(name)), []);
});
