/** `--format compact`: a line for each finding, as compilers print them: editors and problem matchers read it. */
import { placeOf } from './place.js';
import { undecidedNote, type Format } from './report.js';
import { visible } from './visible.js';

export const compact: Format = report => {
  const lines = report.files.flatMap(({ source, findings }) => findings.map(({ check, severity, certainty, message, span }) => {
    const { line, column } = placeOf(source, span);
    return visible(`${source.path}:${String(line)}:${String(column)}: ${severity}: ${message}${certainty === 'possible' ? ' (possible)' : ''} [${check}]`);
  }));
  const note = undecidedNote(report);
  return [...lines, ...note === undefined ? [] : [note]].map(line => `${line}\n`).join('');
};
