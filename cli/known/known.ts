/** Findings that are known already, and are not shown. */
import type { SourceText } from '../../grammar/source-text.js';
import { fingerprintsOf } from '../../report/fingerprint.js';
import type { FileReport } from '../../report/report.js';
import type { Lint } from '../lint/linted.js';

export interface Known {
  /** The fingerprints of what is known of a source; `lint`: for what must be linted to know it. */
  readonly of: (source: SourceText, lint: Lint) => Promise<ReadonlySet<string>>;
  /** What to tell of findings that are not shown, and of known ones that are no longer found. */
  readonly told: (counts: { readonly hidden: number; readonly gone: number }) => readonly string[];
}

/** Takes what is known out of files, one after the other. */
export interface Sieve {
  /** What is known: asked for each file, many at once. */
  readonly known?: Known['of'];
  readonly left: <F extends FileReport>(file: F, known: ReadonlySet<string>) => F;
  /** After the last: what is to be told about it. */
  readonly end: () => Promise<readonly string[]>;
}

/** Lets through what is not known. The findings must have their fingerprints. */
export function sieveOf(known: Known): Sieve {
  let hidden = 0;
  let gone = 0;
  return {
    known: known.of,
    left: (file, ofFile) => {
      const fingerprints = fingerprintsOf(file);
      const findings = file.findings.filter((_, index) => !ofFile.has(fingerprints[index] ?? ''));
      hidden += file.findings.length - findings.length;
      gone += [...ofFile].filter(fingerprint => !fingerprints.includes(fingerprint)).length;
      return { ...file, findings };
    },
    end: () => Promise.resolve(known.told({ hidden, gone })),
  };
}
