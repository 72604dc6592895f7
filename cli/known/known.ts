/** Findings that are known already, and are not shown. */
import type { Analysis } from '../../analyzer/examine.js';
import type { SourceText } from '../../grammar/source-text.js';
import { fingerprintsOf } from '../../report/fingerprint.js';

export interface Known {
  /** The fingerprints of what is known of a file. */
  readonly of: (source: SourceText) => Promise<ReadonlySet<string>>;
  /** What to tell of findings that are not shown, and of known ones that are no longer found. */
  readonly told: (counts: { readonly hidden: number; readonly gone: number }) => readonly string[];
}

/** The analyses without what is known, and what is to be told about it. */
export async function withoutKnown(analyses: readonly Analysis[], known: Known): Promise<{ readonly analyses: readonly Analysis[]; readonly told: readonly string[] }> {
  let hidden = 0;
  let gone = 0;
  const left: Analysis[] = [];
  for (const analysis of analyses) {
    const { source, findings, loaded } = analysis;
    const fingerprints = fingerprintsOf({ source, findings, rulesets: loaded.rulesets });
    const ofFile = await known.of(source);
    const isNew = (_: unknown, index: number): boolean => !ofFile.has(fingerprints[index] ?? '');
    const shown = findings.filter(isNew);
    hidden += findings.length - shown.length;
    gone += [...ofFile].filter(fingerprint => !fingerprints.includes(fingerprint)).length;
    left.push({ ...analysis, findings: shown });
  }
  return { analyses: left, told: known.told({ hidden, gone }) };
}
