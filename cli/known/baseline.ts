/** Findings that were there when a baseline was written: they are left out, so that only new ones are shown. */
import { readFile, writeFile } from 'node:fs/promises';
import { relative, resolve, dirname } from 'node:path';
import * as v from 'valibot';
import type { Analysis } from '../../analyzer/examine.js';
import { fingerprintsOf } from '../../report/fingerprint.js';
import { countOf } from '../../report/report.js';
import { systemCause, Trouble } from '../trouble.js';
import type { Known } from './known.js';

const schema = v.object({
  schemaVersion: v.literal(1),
  /** By path from the folder of the baseline: fingerprint to what it was, for people. */
  files: v.record(v.string(), v.record(v.string(), v.string())),
});

type Baseline = v.InferOutput<typeof schema>;

function keyOf(path: string, baseline: string): string {
  return relative(dirname(resolve(baseline)), resolve(path));
}

async function read(path: string): Promise<Baseline> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new Trouble(`cannot read ${path}: ${systemCause(error)}; --update-baseline writes it`, { cause: error });
  }
  try {
    return v.parse(schema, JSON.parse(text));
  } catch (error) {
    throw new Trouble(`${path} is no baseline: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Writes down all findings, and only those: what is gone is forgotten. Files that were not linted keep what is known of them. */
export async function updateBaseline(path: string, analyses: readonly Analysis[]): Promise<string> {
  const before = await read(path).catch((): Baseline => ({ schemaVersion: 1, files: {} }));
  const files = new Map(Object.entries(before.files));
  for (const { source, findings, loaded } of analyses) {
    const fingerprints = fingerprintsOf({ source, findings, rulesets: loaded.rulesets });
    files.set(keyOf(source.path, path), Object.fromEntries(fingerprints.map((fingerprint, index) => [fingerprint, `${findings[index]?.check ?? ''}: ${findings[index]?.message ?? ''}`])));
  }
  const sorted = [...files].filter(([, known]) => Object.keys(known).length > 0).sort(([a], [b]) => (a < b ? -1 : 1));
  try {
    await writeFile(path, `${JSON.stringify({ schemaVersion: 1, files: Object.fromEntries(sorted) }, null, 2)}\n`);
  } catch (error) {
    throw new Trouble(`cannot write ${path}: ${systemCause(error)}`, { cause: error });
  }
  return `wrote ${countOf(sorted.reduce((sum, [, known]) => sum + Object.keys(known).length, 0), 'finding')} to ${path}`;
}

/** What a baseline knows of each file. */
export async function knownByBaseline(path: string): Promise<Known> {
  const { files } = await read(path);
  return {
    of: source => Promise.resolve(new Set(Object.keys(files[keyOf(source.path, path)] ?? {}))),
    told: ({ hidden, gone }) => [
      ...hidden === 0 ? [] : [`${countOf(hidden, 'finding')} of ${path} not shown`],
      ...gone === 0 ? [] : [`${countOf(gone, 'finding')} of ${path} ${gone === 1 ? 'is' : 'are'} no longer found; --update-baseline forgets ${gone === 1 ? 'it' : 'them'}`],
    ],
  };
}
