/** `--format junit`: test results, which every CI system shows. A file is a suite; errors and warnings are failures, infos pass and say what they have to say. What could not be linted is an error. */
import type { Finding } from '../analyzer/finding.js';
import type { SourceText } from '../grammar/source-text.js';
import { placeOf } from './place.js';
import { placeOfFailure, type Failure, type FileReport, type Format } from './report.js';
import { xmlDocument, type XmlElement, type XmlValue } from './xml.js';

function testcase(source: SourceText, { check, severity, message, help, span }: Finding): XmlValue {
  const { line, column } = placeOf(source, span);
  const text = `${source.path}:${String(line)}:${String(column)}: ${severity}: ${message}${help === '' ? '' : `\n${help}`}`;
  const result: XmlElement = severity === 'info' ? { 'system-out': text } : { failure: { '@type': severity, '@message': message, '#text': text } };
  return { '@name': `${check} at ${String(line)}:${String(column)}`, '@classname': source.path, ...result };
}

function failuresOf(findings: readonly Finding[]): number {
  return findings.filter(({ severity }) => severity !== 'info').length;
}

function testsuite({ source, findings }: FileReport): XmlValue {
  const cases = findings.length === 0 ? [{ '@name': 'no problems', '@classname': source.path }] : findings.map(finding => testcase(source, finding));
  return { '@name': source.path, '@tests': cases.length, '@failures': failuresOf(findings), '@errors': 0, testcase: cases };
}

function errorSuite(failure: Failure): XmlValue {
  const name = placeOfFailure(failure);
  return { '@name': name, '@tests': 1, '@failures': 0, '@errors': 1, testcase: { '@name': 'not linted', '@classname': name, error: { '@message': failure.message } } };
}

export const junit: Format = ({ files, failures = [] }) => xmlDocument({
  testsuites: {
    '@name': 'iptables-lint', '@tests': files.reduce((sum, { findings }) => sum + Math.max(1, findings.length), failures.length),
    '@failures': files.reduce((sum, { findings }) => sum + failuresOf(findings), 0), '@errors': failures.length,
    testsuite: [...files.map(testsuite), ...failures.map(errorSuite)],
  },
});
