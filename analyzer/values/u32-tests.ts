import { scanNumber } from './number.js';
import { Problem, refuse, type Arbitrary, type Fc, type Value } from './value.js';

const operators = ['&', '<<', '>>', '@'] as const;
type Operator = (typeof operators)[number];

/** One test: where the number is found, and the ranges of which it must be in one. */
export interface U32Test {
  readonly start: number;
  readonly steps: readonly (readonly [Operator, number])[];
  readonly ranges: readonly (readonly [low: number, high: number])[];
}

/** Of tests, of numbers in a location and of ranges there may be as many. */
const most = 10;

class Reader {
  #rest: string;
  constructor(text: string) {
    this.#rest = text;
  }
  get atEnd(): boolean {
    return this.#skipBlanks() === '';
  }
  take<W extends string>(words: readonly W[]): W | undefined {
    this.#skipBlanks();
    const word = words.find(one => this.#rest.startsWith(one));
    if (word !== undefined) this.#rest = this.#rest.slice(word.length);
    return word;
  }
  number(): number | Problem {
    const scanned = scanNumber(this.#rest);
    if (scanned === undefined || scanned.value > 0xffff_ffffn) return refuse(`a number of 32 bits is expected at \`${this.#rest}\``);
    this.#rest = scanned.rest;
    return Number(scanned.value);
  }
  expected(what: string): Problem {
    return refuse(this.atEnd ? `${what} is expected at the end` : `${what} is expected at \`${this.#rest}\``);
  }
  #skipBlanks(): string {
    this.#rest = this.#rest.replace(/^[ \t\n\v\f\r]+/u, '');
    return this.#rest;
  }
}

function readLocation(reader: Reader): Pick<U32Test, 'start' | 'steps'> | Problem {
  const start = reader.number();
  if (start instanceof Problem) return start;
  const steps: (readonly [Operator, number])[] = [];
  while (reader.take(['=']) === undefined) {
    const operator = reader.take(operators);
    if (operator === undefined) return reader.expected('=, &, <<, >> or @');
    const number = reader.number();
    if (number instanceof Problem) return number;
    if (operator !== '&' && operator !== '@' && number > 31) return refuse(`a shift by ${String(number)} bits is beyond the 31 that the kernel allows`);
    steps.push([operator, number]);
    if (steps.length >= most) return refuse(`a location has more than ${String(most)} numbers`);
  }
  return { start, steps };
}

function readRange(reader: Reader): U32Test['ranges'][number] | Problem {
  const low = reader.number();
  if (low instanceof Problem) return low;
  const high = reader.take([':']) === undefined ? low : reader.number();
  return high instanceof Problem ? high : [low, high];
}

function readTest(reader: Reader): U32Test | Problem {
  const location = readLocation(reader);
  if (location instanceof Problem) return location;
  const ranges: (readonly [number, number])[] = [];
  do {
    const range = readRange(reader);
    if (range instanceof Problem) return range;
    ranges.push(range);
    if (ranges.length > most) return refuse(`a test has more than ${String(most)} ranges`);
  } while (reader.take([',']) !== undefined);
  return { ...location, ranges };
}

const hex = (number: number): string => `0x${number.toString(16)}`;

/** `location=range,…&&location=range,…` */
export const u32Tests: Value<readonly U32Test[]> = {
  syntax: 'location=range[,…][&&…]',
  words: 1,
  parse: ([word = '']) => {
    const reader = new Reader(word);
    const tests: U32Test[] = [];
    do {
      const test = readTest(reader);
      if (test instanceof Problem) return test;
      tests.push(test);
      if (tests.length > most) return refuse(`there are more than ${String(most)} tests`);
    } while (reader.take(['&&']) !== undefined);
    return reader.atEnd ? tests : reader.expected('`,` or `&&`');
  },
  print: tests => `"${tests.map(({ start, steps, ranges }) =>
    `${hex(start)}${steps.map(([operator, number]) => operator + hex(number)).join('')}=${ranges.map(([low, high]) => low === high ? hex(low) : `${hex(low)}:${hex(high)}`).join(',')}`).join('&&')}"`,
  arbitrary: fc => fc.array(arbitraryTest(fc), { minLength: 1, maxLength: 4 }).map(tests => [tests.join('&&')]),
};

function arbitraryTest(fc: Fc): Arbitrary<string> {
  const blank = fc.constantFrom('', '', '', ' ');
  const written = (max: number): Arbitrary<string> => fc.tuple(fc.oneof(fc.integer({ min: 0, max }), fc.constantFrom(0, max)), fc.constantFrom(10, 16, 8), blank)
    .map(([value, base, end]) => (base === 16 ? hex(value) : base === 8 ? `0${value.toString(8)}` : String(value)) + end);
  const step = fc.constantFrom(...operators).chain(operator => fc.tuple(blank, written(operator === '<<' || operator === '>>' ? 31 : 0xffff_ffff)).map(([before, number]) => operator + before + number));
  const range = fc.tuple(blank, written(0xffff_ffff), fc.option(written(0xffff_ffff))).map(([before, low, high]) => before + (high === null ? low : `${low}:${high}`));
  return fc.tuple(written(100), fc.array(step, { maxLength: 9 }), fc.array(range, { minLength: 1, maxLength: 10 })).map(([start, steps, ranges]) => `${start}${steps.join('')}=${ranges.join(',')}`);
}
