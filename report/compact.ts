/** `--format compact`: a line for each finding, as compilers print them: editors and problem matchers read it. */
import { placeOf } from './place.js';
import { notesOf } from './notes.js';
import { messageOf, type Format } from './report.js';
import { visible } from './visible.js';

export const compact: Format = report => {
  const lines = report.files.flatMap(({ source, findings }) => findings.map(finding => {
    const { line, column } = placeOf(source, finding.span);
    return visible(`${source.path}:${String(line)}:${String(column)}: ${finding.severity}: ${messageOf(finding)} [${finding.check}]`);
  }));
  return [...lines, ...notesOf(report)].map(line => `${line}\n`).join('');
};
