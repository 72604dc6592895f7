import { parseInteger } from './number.js';
import { refuse, type Value } from './value.js';

/** The names that iptables knows (`xtopt_parse_sysloglevel`, libxtables/xtoptions.c); `err` and `warn` are not among them. */
const levels: ReadonlyMap<string, number> = new Map([
  ['emerg', 0], ['panic', 0], ['alert', 1], ['crit', 2], ['error', 3], ['warning', 4], ['notice', 5], ['info', 6], ['debug', 7],
]);

export const warningLevel = 4;

/** A priority of the system log by number or by name in small letters; saved as a number. */
export const syslogLevel: Value<number> = {
  syntax: 'emerg|alert|crit|error|warning|notice|info|debug|0…7',
  words: 1,
  parse: ([word = '']) => parseInteger(word, 0, 7) ?? levels.get(word)
    ?? refuse(`\`${word}\` is not a log level`, word === 'err' ? 'write error' : word === 'warn' ? 'write warning' : 'the levels are 0 to 7 or emerg alert crit error warning notice info debug'),
  print: String,
  arbitrary: fc => fc.oneof(fc.constantFrom(...levels.keys(), '0x7', '03', ' 4', '+5'), fc.integer({ min: 0, max: 7 }).map(String)).map(word => [word]),
};
