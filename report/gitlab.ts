/** `--format gitlab`: a code quality report, which GitLab shows in merge requests. */
import { createHash } from 'node:crypto';
import type { Severity } from '../analyzer/model/diagnostic.js';
import { fingerprintsOf } from './fingerprint.js';
import { placeOf } from './place.js';
import type { Format } from './report.js';
import { relativePath } from './relative-path.js';
import { visible, visibleJson } from './visible.js';

const severities: Readonly<Record<Severity, string>> = { error: 'critical', warning: 'major', info: 'info' };

export const gitlab: Format = report => {
  const issues = report.files.flatMap(file => {
    const fingerprints = fingerprintsOf(file);
    const path = relativePath(file.source.path);
    return file.findings.map((finding, index) => {
      const { line, endLine } = placeOf(file.source, finding.span);
      return {
        description: visible(finding.message), check_name: finding.check, fingerprint: createHash('sha256').update(`${path}\0${fingerprints[index] ?? ''}`).digest('hex').slice(0, 32), severity: severities[finding.severity],
        location: { path, lines: { begin: line, end: endLine } },
      };
    });
  });
  return `${visibleJson(JSON.stringify(issues, null, 2))}\n`;
};
