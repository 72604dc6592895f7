/** Lints a file with all default checks, and writes to descriptor 3 how often each block of the program ran: for work.ts. */
import { readFileSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { lintJob } from '../cli/lint/lint-job.js';
import { loadFormat } from '../report/formats.js';

const [, , path = ''] = process.argv;
const build = new URL('../', import.meta.url).href;
const json = await loadFormat('json');
const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
const linted = await lintJob({ source: { path, text: readFileSync(path, 'utf8') }, settings: {}, extras: { decide: false, fingerprints: true, times: false } });
await json({ files: [linted], undecided: linted.undecided }, { color: false, width: 80 });
const { result } = await session.post('Profiler.takePreciseCoverage');
const blocks = result.filter(({ url }) => url.startsWith(build)).flatMap(({ url, functions }) => functions.flatMap(({ functionName, ranges }) => {
  const name = `${url.slice(build.length)} ${functionName}`;
  return ranges.map(({ count }) => ({ name, times: count }));
}));
writeFileSync(3, JSON.stringify(blocks));
