import { all, always, atom, not } from '../../packet/constraint.js';
import { ipv6Header, ipv6HeaderLength, ipv6HeaderOrDrop } from '../../packet/ipv6-headers.js';
import { flag } from '../../values/flag.js';
import { numberRange } from '../../values/number-range.js';
import { integer } from '../../values/number.js';
import { isInRange, isNumber } from '../asks.js';
import { defineMatch, option } from '../define.js';
import { inHeaderRange, max32, saveRange } from '../save-full-range.js';

const ipv6 = { family: 'ipv6' } as const;

/**
 * A packet without an authentication header never matches. Length 0 asks nothing, not even negated,
 * and is saved only where it is negated.
 * @see ah_mt6() in net/ipv6/netfilter/ip6t_ah.c
 */
export const ah6 = defineMatch('ah', () => ({
  doc: 'Matches packets with an IPsec authentication header, by its fields.',
  families: ['ipv6'],
  options: {
    spi: option({ names: ['--ahspi'], doc: 'security parameter index or range', value: numberRange(max32, { name: 'spi' }), negatable: true, save: saveRange('--ahspi', max32) }),
    length: option({
      names: ['--ahlen'], doc: 'length of the header in bytes', value: integer(0, max32), negatable: true,
      save: ({ negated, value }) => value === 0 && !negated ? '' : `${negated ? '! ' : ''}--ahlen ${String(value)}`,
    }),
    reserved: option({ names: ['--ahres'], doc: 'the reserved field is zero', value: flag }),
  },
  means: ({ spi, length, reserved }) => {
    const inRange = spi === undefined ? always : inHeaderRange('ah spi', spi.value, max32);
    const hasLength = length === undefined || length.value === 0 ? always : atom(`ah length ${String(length.value)}`);
    return all([
      atom('ah'),
      spi?.negated === true ? not(inRange) : inRange,
      length?.negated === true && length.value !== 0 ? not(hasLength) : hasLength,
      reserved === undefined ? always : atom('ah reserved'),
    ]);
  },
  matches: ({ spi, length, reserved }) => t => {
    const at = ipv6HeaderOrDrop(t, ipv6Header.authentication, 12);
    if (at === undefined) return false;
    const { packet } = t;
    return isInRange(spi, packet.u32(at + 4)) && (length?.value === 0 || isNumber(length, ipv6HeaderLength(packet, ipv6Header.authentication, at)))
      && (reserved === undefined || packet.u16(at + 2) === 0);
  },
  examples: [
    ['-m ah --ahspi 500 ! --ahlen 120 --ahres', '=', ipv6],
    ['-m ah --ahlen 0', '-m ah', ipv6],
    ['-m ah --ahlen 0x20 --ahspi 10:5', '-m ah --ahspi 10:5 --ahlen 32', ipv6],
    ['-m ah ! --ahres', undefined, ipv6],
    ['-m ah --ahspi 1:2:3', undefined, ipv6],
  ],
}));
