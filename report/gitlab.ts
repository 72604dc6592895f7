/** `--format gitlab`: a code quality report, which GitLab shows in merge requests. */
import { createHash } from 'node:crypto';
import type { Severity } from '../analyzer/model/diagnostic.js';
import { fingerprintsOf } from './fingerprint.js';
import { placeOf } from './place.js';
import { placeOfFailure, type Format } from './report.js';
import { relativePath } from './relative-path.js';
import { visible, visibleJson } from './visible.js';

const severities: Readonly<Record<Severity, string>> = { error: 'critical', warning: 'major', info: 'info' };

export const gitlab: Format = report => {
  const identity = (...words: readonly string[]): string => createHash('sha256').update(words.join('\0')).digest('hex').slice(0, 32);
  const issues = report.files.flatMap(file => {
    const fingerprints = fingerprintsOf(file);
    const path = relativePath(file.source.path);
    return file.findings.map((finding, index) => {
      const { line, endLine } = placeOf(file.source, finding.span);
      return {
        description: visible(finding.message), check_name: finding.check, fingerprint: identity(path, fingerprints[index] ?? ''), severity: severities[finding.severity],
        location: { path, lines: { begin: line, end: endLine } },
      };
    });
  });
  const failures = (report.failures ?? []).map(failure => {
    const path = relativePath(placeOfFailure(failure));
    return { description: visible(failure.message), check_name: 'not-linted', fingerprint: identity(path, failure.message), severity: 'blocker', location: { path, lines: { begin: 1 } } };
  });
  return `${visibleJson(JSON.stringify([...issues, ...failures], null, 2))}\n`;
};
