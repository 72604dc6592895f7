import { scanNumber } from './number.js';
import { refuse, type Problem, type Value } from './value.js';

const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
/** Bits 1 to 7 and 1 to 31. */
export const allWeekdays = 0xfe;
export const allMonthdays = 0xffff_fffe;

/** The entries of a list, of which only the first `length` characters count; nothing stands behind the last comma. */
function entriesOf(list: string, length: number): string[] {
  const entries = list.split(',').map(entry => Buffer.from(entry).subarray(0, length).toString('latin1'));
  if (entries.at(-1) === '') entries.pop();
  return entries;
}

/** `strtoul` of a whole entry, in 32 bits: an empty one is 0. */
function dayNumber(entry: string): number | undefined {
  if (entry === '') return 0;
  const negative = /^[ \t]*-/u.test(entry);
  const scanned = scanNumber(negative ? entry.replace('-', '') : entry);
  return scanned?.rest === '' ? Number(BigInt.asUintN(32, negative ? -scanned.value : scanned.value)) : undefined;
}

function daysOf(mask: number): number[] {
  return Array.from({ length: 31 }, (_, index) => index + 1).filter(day => (mask >>> day & 1) === 1);
}

/** Days of the month as a set of bits. Day 0, which is also what an empty entry stands for, is bit 0 and no day. */
export const monthdays: Value<number> = {
  syntax: 'day (1 to 31)[,…]',
  words: 1,
  parse: ([list = '']): number | Problem => {
    let mask = 0;
    for (const entry of entriesOf(list, 2)) {
      const day = dayNumber(entry);
      if (day === undefined || day > 31) return refuse(`\`${entry}\` is not a day of the month, 1 to 31`);
      mask |= 1 << day;
    }
    return mask >>> 0;
  },
  print: mask => daysOf(mask).join(','),
  arbitrary: fc => fc.tuple(fc.array(fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 31 }).map(String) }, { weight: 1, arbitrary: fc.constantFrom('0', '07', '', '123', '+3') }), { minLength: 1, maxLength: 6 }), fc.constantFrom('', '', ','))
    .map(([days, end]) => [days.join(',') + end]),
};

/** Days of the week as a set of bits, Monday being 1, by number or by the first two letters. Numbers wrap around at 32; of bits only 1 to 7 are days. */
export const weekdaySet: Value<number> = {
  syntax: 'Mon|Tue|Wed|Thu|Fri|Sat|Sun|1–7[,…]',
  words: 1,
  parse: ([list = '']): number | Problem => {
    let mask = 0;
    for (const entry of entriesOf(list, 3)) {
      const number = dayNumber(entry);
      if (number === 0) return refuse(entry === '' ? 'the list of days has an empty entry' : 'there is no day 0', 'Monday is 1 and Sunday is 7');
      const day = number ?? weekdays.findIndex(name => entry.startsWith(name.slice(0, 2))) + 1;
      if (day === 0) return refuse(`\`${entry}\` is not a day of the week`, `the days are ${weekdays.join(' ')}`);
      mask |= 1 << day;
    }
    return mask & 0xff;
  },
  print: mask => daysOf(mask).map(day => weekdays[day - 1]).join(','),
  arbitrary: fc => fc.tuple(fc.array(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...weekdays, 'Tuesday', 'We', '1', '2', '3', '4', '5', '6', '7') }, { weight: 1, arbitrary: fc.constantFrom('8', '33', '0x2', '007', '100') }), { minLength: 1, maxLength: 5 }), fc.constantFrom('', '', ','))
    .map(([days, end]) => [days.join(',') + end]),
};
