import { scanFloat } from './c-float.js';
import { refuse, type Value } from './value.js';

const prefixes = ['', 'k', 'm', 'g', 't'];

/** How many bits a second a unit stands for. */
function unitOf(word: string): number | undefined {
  const found = /^([kmgt]?)(i?)(bit|bps)$/u.exec(word.toLowerCase());
  if (found === null || (found[1] === '' && found[2] !== '')) return undefined;
  return (found[2] === '' ? 1000 : 1024) ** prefixes.indexOf(found[1] ?? '') * (found[3] === 'bps' ? 8 : 1);
}

/** To an unsigned number of 32 bits, as the loader's conversion does it: towards zero, and then cut. */
function cut(value: number): number {
  return Number.isFinite(value) && Math.abs(value) < 2 ** 63 ? Number(BigInt.asUintN(32, BigInt(Math.trunc(value)))) : 0;
}

/** To the nearest whole number, and to the even one of two. */
function round(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
}

/** Bytes a second; a number without a unit is in bits, and so is what is saved. */
export const bitRate: Value<number> = {
  syntax: 'number[k|m|g|t][i](bit|bps)',
  words: 1,
  parse: ([word = '']) => {
    const scanned = scanFloat(word);
    const unit = scanned?.rest === '' ? 1 : unitOf(scanned?.rest ?? '');
    if (scanned === undefined || unit === undefined) return refuse(`\`${word}\` is not a rate`, 'write a number and a unit, as 10mbit or 1mbps');
    return cut(scanned.value * unit / 8);
  },
  print: rate => {
    const bits = rate * 8;
    if (bits >= 1e9) return `${String(round(bits / 1e6))}Mbit`;
    return bits >= 1e6 ? `${String(round(bits / 1e3))}Kbit` : `${String(bits)}bit`;
  },
  arbitrary: fc => fc.tuple(fc.oneof(fc.integer({ min: 0, max: 3000 }).map(String), fc.constantFrom('1.5', '.5', '2e3')), fc.constantFrom('', 'bit', 'kbit', 'Kibit', 'MBIT', 'mibit', 'gbit', 'bps', 'KBps', 'MiBps'))
    .map(([number, unit]) => [number + unit]),
};
