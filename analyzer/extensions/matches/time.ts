import { always, never, unknown, type Constraint } from '../../packet/constraint.js';
import type { Predicate } from '../../packet/traversal.js';
import { calendarDate } from '../../values/calendar-date.js';
import { allMonthdays, allWeekdays, monthdays, weekdaySet } from '../../values/day-list.js';
import { dayTime } from '../../values/day-time.js';
import { flag } from '../../values/flag.js';
import type { Arbitrary, Fc, ValueContext } from '../../values/value.js';
import { defineMatch, option, type Given } from '../define.js';

const lastSecond = 86_399;
/** Where no --datestop is given, one is saved: the last second of 31 bits. */
const lastDate = 0x7fff_ffff;

function daysOf(given: Given<number> | undefined, all: number): number {
  if (given === undefined) return all;
  return given.negated ? (given.value ^ all) >>> 0 : given.value;
}

const options = {
  datestart: option({ names: ['--datestart'], doc: 'from this date on', value: calendarDate }),
  datestop: option({ names: ['--datestop'], doc: 'up to this date', value: calendarDate }),
  timestart: option({ names: ['--timestart'], doc: 'from this time of the day on', value: dayTime }),
  timestop: option({ names: ['--timestop'], doc: 'up to this time of the day; where that is --timestart, the whole day', value: dayTime }),
  contiguous: option({ names: ['--contiguous'], doc: 'a time over midnight belongs to the day on which it began', value: flag }),
  weekdays: option({ names: ['--weekdays'], doc: 'on these days of the week', value: weekdaySet, negatable: true }),
  monthdays: option({ names: ['--monthdays'], doc: 'on these days of the month', value: monthdays, negatable: true }),
  localtz: option({ names: ['--localtz'], doc: 'the old name of --kerneltz', value: flag, excludes: ['utc'] }),
  utc: option({ names: ['--utc'], doc: 'times are UTC (the default)', value: flag, excludes: ['localtz', 'kerneltz'] }),
  kerneltz: option({ names: ['--kerneltz'], doc: 'times are those of the kernel\'s time zone', value: flag, excludes: ['utc'] }),
};

interface TimeRange {
  readonly dates: readonly [from: number, to: number];
  /** Seconds of the day. */
  readonly start: number;
  readonly stop: number;
  readonly weekdays: number;
  readonly monthdays: number;
  readonly isContiguous: boolean;
  readonly isLocal: boolean;
}

interface TimeGiven {
  readonly datestart?: Given<number>;
  readonly datestop?: Given<number>;
  readonly timestart?: Given<number>;
  readonly timestop?: Given<number>;
  readonly weekdays?: Given<number>;
  readonly monthdays?: Given<number>;
  readonly contiguous?: Given<true>;
  readonly kerneltz?: Given<true>;
  readonly localtz?: Given<true>;
}

function rangeOf(given: TimeGiven): TimeRange {
  return {
    dates: [given.datestart?.value ?? 0, given.datestop?.value ?? lastDate],
    start: given.timestart?.value ?? 0, stop: given.timestop?.value ?? lastSecond,
    weekdays: daysOf(given.weekdays, allWeekdays), monthdays: daysOf(given.monthdays, allMonthdays),
    isContiguous: given.contiguous !== undefined, isLocal: given.kerneltz !== undefined || given.localtz !== undefined,
  };
}

/** Nothing is left out between the end of one day's time and the beginning of the next: of equal times, too. */
function isAllDay({ start, stop }: TimeRange): boolean {
  return start < stop ? start === 0 && stop === lastSecond : start <= stop + 1;
}

/** At no time, at all times (until 2038, where those end that it can tell), or who knows. */
function means(range: TimeRange): Constraint {
  const { dates: [from, to], weekdays, monthdays: days } = range;
  if (from > to || weekdays === 0 || days === 0) return never;
  return isAllDay(range) && from === 0 && to >= lastDate && weekdays === allWeekdays && days === allMonthdays ? always : unknown('what time it is');
}

/** @see time_mt() in net/netfilter/xt_time.c */
function during({ dates: [from, to], start, stop, weekdays, monthdays: days, isContiguous, isLocal }: TimeRange): Predicate {
  const day = 86_400;
  return ({ world }) => {
    let stamp = Math.max(0, Math.floor(world.wallClock + (isLocal ? world.timeZoneOffset : 0)));
    if (stamp < from || stamp > to) return false;
    const time = stamp % day;
    if (start < stop ? time < start || time > stop : time < start && time > stop) return false;
    if (isContiguous && start >= stop && time <= stop) stamp -= day;
    // The first of January 1970 was a Thursday; Monday is 1.
    const weekday = (Math.floor(stamp / day) + 3) % 7 + 1;
    if ((weekdays >>> weekday & 1) === 0) return false;
    return days === allMonthdays || (days >>> new Date(stamp * 1000).getUTCDate() & 1) === 1;
  };
}

/** --contiguous only over midnight. */
function arbitrary(fc: Fc, cx: ValueContext): Arbitrary<readonly string[]> {
  const some = (name: string, value: { arbitrary: typeof dayTime.arbitrary }, bang: boolean): Arbitrary<readonly string[]> =>
    fc.oneof(fc.constant([]), fc.tuple(fc.constantFrom([], bang ? ['!'] : []), value.arbitrary(fc, cx)).map(([not, words]) => [...not, name, ...words]));
  const midnight = fc.constantFrom([['--timestart', '22:00'], ['--timestop', '6:30'], ['--contiguous']], [['--timestop', '08:00:00'], ['--contiguous'], ['--timestart', '8:']]);
  const times = fc.oneof({ weight: 3, arbitrary: fc.tuple(some('--timestart', dayTime, false), some('--timestop', dayTime, false)) }, { weight: 1, arbitrary: midnight });
  return fc.tuple(
    times, some('--datestart', calendarDate, false), some('--datestop', calendarDate, false), some('--weekdays', weekdaySet, true), some('--monthdays', monthdays, true),
    fc.constantFrom([], ['--utc'], ['--kerneltz'], ['--localtz'], ['--kerneltz', '--localtz']),
  ).chain(([day, ...rest]) => {
    const all: readonly (readonly string[])[] = [...day, ...rest];
    return fc.shuffledSubarray([...all], { minLength: all.length });
  }).map(parts => parts.flat());
}

/**
 * @see libxt_time.c. The times of the day are saved both or neither, and days that were negated as those
 * that remain; none at all leave the option without a value, which cannot be read again.
 */
export const time = defineMatch('time', () => ({
  doc: 'Matches at certain times and on certain days.',
  options,
  arbitrary,
  check: ({ timestart, timestop, contiguous }) => contiguous !== undefined && (timestart?.value ?? 0) < (timestop?.value ?? lastSecond)
    ? '--contiguous makes sense only where --timestop is before --timestart' : undefined,
  save: (given, cx) => {
    const words: string[] = [];
    const start = given.timestart?.value ?? 0;
    const stop = given.timestop?.value ?? lastSecond;
    if (start !== 0 || stop !== lastSecond) words.push(`--timestart ${dayTime.print(start, cx)} --timestop ${dayTime.print(stop, cx)}`);
    const month = daysOf(given.monthdays, allMonthdays);
    if (month !== allMonthdays) words.push(`--monthdays ${monthdays.print(month, cx)}`);
    const week = daysOf(given.weekdays, allWeekdays);
    if (week !== allWeekdays) words.push(`--weekdays ${weekdaySet.print(week, cx)}`);
    const from = given.datestart?.value ?? 0;
    if (from !== 0) words.push(`--datestart ${calendarDate.print(from, cx)}`);
    const to = given.datestop?.value ?? lastDate;
    if (to !== 0) words.push(`--datestop ${calendarDate.print(to, cx)}`);
    if (given.kerneltz !== undefined || given.localtz !== undefined) words.push('--kerneltz');
    if (given.contiguous !== undefined) words.push('--contiguous');
    return words.join(' ');
  },
  means: given => means(rangeOf(given)),
  matches: given => during(rangeOf(given)),
  examples: [
    ['-m time --timestart 09:00:00 --timestop 17:00:00 --weekdays Mon,Tue --datestop 2038-01-19T03:14:07', '='],
    ['-m time ! --weekdays 6,Sunday --timestop 8:00', '-m time --timestart 00:00:00 --timestop 08:00:00 --weekdays Mon,Tue,Wed,Thu,Fri --datestop 2038-01-19T03:14:07'],
    ['-m time --datestart 2020-02-30 --datestop 2021 --localtz', '-m time --datestart 2020-03-01T00:00:00 --datestop 2021-01-01T00:00:00 --kerneltz'],
    ['-m time --timestart 8:00 --timestop 9:00 --contiguous', undefined],
    ['-m time --weekdays mon', undefined],
    ['-m time --timestart 24:00', undefined],
  ],
}));
