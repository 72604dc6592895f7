/** `--format checkstyle`: the XML of Checkstyle, which many programs read. */
import { placeOf } from './place.js';
import { placeOfFailure, type Format } from './report.js';
import { xmlDocument } from './xml.js';

export const checkstyle: Format = report => xmlDocument({
  checkstyle: {
    '@version': '4.3',
    file: [...report.files.map(({ source, findings }) => ({
      '@name': source.path,
      error: findings.map(({ check, severity, message, span }) => {
        const { line, column } = placeOf(source, span);
        return { '@line': line, '@column': column, '@severity': severity, '@message': message, '@source': `iptables-lint.${check}` };
      }),
    })), ...(report.failures ?? []).map(failure => ({
      '@name': placeOfFailure(failure),
      error: { '@line': 1, '@severity': 'error', '@message': failure.message, '@source': 'iptables-lint' },
    }))],
  },
});
