/** Findings that were there when a baseline was written: they are left out, so that only new ones are shown. */
import { readFile, writeFile } from 'node:fs/promises';
import { relative, resolve, dirname } from 'node:path';
import * as v from 'valibot';
import { fingerprintsOf } from '../../report/fingerprint.js';
import { countOf } from '../../report/report.js';
import { systemCause, Trouble } from '../trouble.js';
import type { Known, Sieve } from './known.js';

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

async function write(path: string, baseline: Baseline): Promise<void> {
  try {
    await writeFile(path, `${JSON.stringify(baseline, null, 2)}\n`);
  } catch (error) {
    throw new Trouble(`cannot write ${path}: ${systemCause(error)}`, { cause: error });
  }
}

/** Writes down all findings, and only those: what is gone is forgotten. Files that were not linted keep what is known of them. All of them are known then. */
export function updatingSieve(path: string): Sieve {
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
      const before = await read(path).catch((): Baseline => ({ schemaVersion: 1, files: {} }));
      const files = [...new Map([...Object.entries(before.files), ...found])].filter(([, known]) => Object.keys(known).length > 0).sort(([a], [b]) => (a < b ? -1 : 1));
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
  return {
    of: source => Promise.resolve(new Set(Object.keys(files[keyOf(source.path, path)] ?? {}))),
    told: ({ hidden, gone }) => [
      ...toldOfHidden(hidden, path),
      ...gone === 0 ? [] : [`${countOf(gone, 'finding')} of ${path} ${gone === 1 ? 'is' : 'are'} no longer found; --update-baseline forgets ${gone === 1 ? 'it' : 'them'}`],
    ],
  };
}
