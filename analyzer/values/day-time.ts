import { scanDecimal } from './c-decimal.js';
import { refuse, type Value } from './value.js';

function parseDayTime(word: string): number | undefined {
  const hour = scanDecimal(word);
  if (!hour.rest.startsWith(':') || hour.value > 23) return undefined;
  const minute = scanDecimal(hour.rest.slice(1));
  if (minute.value > 59) return undefined;
  const second = minute.rest.startsWith(':') ? scanDecimal(minute.rest.slice(1)) : { value: 0, rest: minute.rest };
  return second.rest === '' && second.value <= 59 ? 3600 * hour.value + 60 * minute.value + second.value : undefined;
}

/** A time of day in seconds; a part that is empty is 0. */
export const dayTime: Value<number> = {
  syntax: 'hh:mm[:ss]',
  words: 1,
  parse: ([word = '']) => parseDayTime(word) ?? refuse(`\`${word}\` is not a time of 00:00:00 to 23:59:59`),
  print: seconds => [seconds / 3600, seconds / 60 % 60, seconds % 60].map(part => String(Math.trunc(part)).padStart(2, '0')).join(':'),
  arbitrary: fc => fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }), fc.option(fc.integer({ min: 0, max: 59 })), fc.constantFrom('padded', 'plain', 'empty')).map(([hour, minute, second, form]) => {
    const write = (part: number): string => form === 'padded' ? String(part).padStart(2, '0') : form === 'empty' && part === 0 ? '' : String(part);
    return [`${write(hour)}:${write(minute)}${second === null ? '' : `:${write(second)}`}`];
  }),
};
