/** Findings that were there when a baseline was written: they are left out, so that only new ones are shown. */
import { existsSync } from 'node:fs';
import { relative, resolve, dirname } from 'node:path';
import * as v from 'valibot';
import { object, text } from '../../analyzer/model/schema-words.js';
import { fingerprintsOf } from '../../report/fingerprint.js';
import { countOf } from '../../report/report.js';
import { fileOfRules } from '../lint/jobs.js';
import { readJsonAs } from '../read-json.js';
import { readSource } from '../read-source.js';
import { replaceFile } from '../replace-file.js';
import { Trouble } from '../trouble.js';
import type { Known, Sieve } from './known.js';

const wrongFiles = 'must be an object: paths, of each fingerprints and what they were';

const schema = object({
  schemaVersion: v.literal(1, 'must be 1: is it a baseline, of this version?'),
  /** By path from the folder of the baseline: fingerprint to what it was, for people. */
  files: v.record(v.string(), v.record(v.string(), text, wrongFiles), wrongFiles),
}, 'the baseline');

type Baseline = v.InferOutput<typeof schema>;

/** As large as a string can be. */
const mostMegabytes = 500;

function keyOf(path: string, baseline: string): string {
  return relative(dirname(resolve(baseline)), resolve(path));
}

async function read(path: string): Promise<Baseline> {
  if (!existsSync(path)) throw new Trouble(`there is no baseline ${path}; --update-baseline writes it`);
  const source = await readSource(path, undefined, mostMegabytes);
  return readJsonAs(schema, source, 'baseline', { hint: '; repair it, or delete it and write it anew with --update-baseline' });
}

function write(path: string, baseline: Baseline): Promise<void> {
  return replaceFile(path, `${JSON.stringify(baseline, null, 2)}\n`);
}

/** Files of a baseline that are no longer there. Where standard input was linted nothing is said: its name is that of no file, and there may be more of them. */
function lostFiles(files: Baseline['files'], linted: Iterable<string>, baseline: string): readonly string[] {
  const isThere = (key: string): boolean => existsSync(fileOfRules(resolve(dirname(baseline), key)));
  return [...linted].every(isThere) ? Object.keys(files).filter(key => !isThere(key)) : [];
}

/** Writes down all findings, and only those: what is gone is forgotten. Files that are there and were not linted keep what is known of them. All of them are known then. */
export async function updatingSieve(path: string): Promise<Sieve> {
  // What is no baseline is not overwritten: it may be anything.
  const before = existsSync(path) ? await read(path) : { schemaVersion: 1, files: {} };
  const found = new Map<string, Readonly<Record<string, string>>>();
  let hidden = 0;
  return {
    left: linted => {
      const { source, findings } = linted;
      const fingerprints = fingerprintsOf(linted);
      found.set(keyOf(source.path, path), Object.fromEntries(fingerprints.map((fingerprint, index) => [fingerprint, `${findings[index]?.check ?? ''}: ${findings[index]?.message ?? ''}`])));
      hidden += findings.length;
      return { ...linted, findings: [] };
    },
    end: async () => {
      const lost = new Set(lostFiles(before.files, found.keys(), path));
      const files = [...new Map([...Object.entries(before.files), ...found])].filter(([file, known]) => !lost.has(file) && Object.keys(known).length > 0).sort(([a], [b]) => (a < b ? -1 : 1));
      await write(path, { schemaVersion: 1, files: Object.fromEntries(files) });
      return [`wrote ${countOf(files.reduce((sum, [, known]) => sum + Object.keys(known).length, 0), 'finding')} to ${path}`, ...toldOfHidden(hidden, path)];
    },
  };
}

function toldOfHidden(hidden: number, path: string): readonly string[] {
  return hidden === 0 ? [] : [`${countOf(hidden, 'finding')} of ${path} not shown`];
}

/** What a baseline knows of each file. */
export async function knownByBaseline(path: string): Promise<Known> {
  const { files } = await read(path);
  const linted = new Set<string>();
  const knownOf = (file: string): readonly string[] => Object.keys(files[file] ?? {});
  return {
    of: source => {
      const file = keyOf(source.path, path);
      linted.add(file);
      return Promise.resolve(new Set(knownOf(file)));
    },
    told: counts => {
      const gone = counts.gone + lostFiles(files, linted, path).flatMap(knownOf).length;
      return [
        ...toldOfHidden(counts.hidden, path),
        ...gone === 0 ? [] : [`${countOf(gone, 'finding')} of ${path} ${gone === 1 ? 'is' : 'are'} no longer found; --update-baseline forgets ${gone === 1 ? 'it' : 'them'}`],
      ];
    },
  };
}
