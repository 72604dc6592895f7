import { scanDecimal } from './c-decimal.js';
import { refuse, type Value } from './value.js';

const syntax = 'YYYY[-MM[-DD[Thh[:mm[:ss]]]]]';
/** What ends a part, and the greatest number that may stand before it. */
const parts = [['-', 2038], ['-', 12], ['T', 31], [':', 23], [':', 59], ['', 59]] as const;

/** Seconds since 1970, UTC. Days beyond the end of a month go over to the next one, and month or day 0 to the one before. */
function parseDate(word: string): number | undefined {
  const fields = [1970, 1, 1, 0, 0, 0];
  let rest = word;
  for (const [index, [end, max]] of parts.entries()) {
    const scanned = scanDecimal(rest);
    if (scanned.value > max || (index === 0 && scanned.value < 1970)) return undefined;
    fields[index] = scanned.value;
    rest = scanned.rest;
    if (rest === '') break;
    if (end === '' || !rest.startsWith(end)) return undefined;
    rest = rest.slice(1);
  }
  const [year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0] = fields;
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
}

/** A date with as much of the time as is wanted; 0 stands for none. */
export const calendarDate: Value<number> = {
  syntax,
  words: 1,
  parse: ([word = '']) => {
    const seconds = parseDate(word);
    return seconds !== undefined && seconds >= 0 ? seconds : refuse(`\`${word}\` is not a date of 1970 to 2038`);
  },
  print: seconds => new Date(seconds * 1000).toISOString().slice(0, 19),
  arbitrary: fc => fc.tuple(fc.integer({ min: 1971, max: 2038 }), fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 31 }), fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }), fc.integer({ min: 0, max: 59 }), fc.integer({ min: 1, max: 6 }), fc.boolean())
    .map(([year, month, day, hour, minute, second, length, padded]) => {
      const fields = [year, month, day, hour, minute, second].map(field => padded ? String(field).padStart(2, '0') : String(field));
      return [fields.slice(0, length).map((field, index) => index === 0 ? field : `${index === 3 ? 'T' : index > 3 ? ':' : '-'}${field}`).join('')];
    }),
};
