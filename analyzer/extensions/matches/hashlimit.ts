import { always, unknown } from '../../packet/constraint.js';
import type { Packet } from '../../packet/packet.js';
import { portsAt } from '../../packet/ports-at.js';
import type { Predicate } from '../../packet/traversal.js';
import { addressKey, maskAddress, prefixMask } from '../../values/address.js';
import { flag } from '../../values/flag.js';
import { hashMode } from '../../values/hash-mode.js';
import { hashlimitBurst } from '../../values/hashlimit-burst.js';
import { bytesPerSecond, hashlimitRate, hashlimitScale, printBytes, printBytesPerSecond, type HashlimitRate } from '../../values/hashlimit-rate.js';
import { integer } from '../../values/number.js';
import { rateInUnit } from '../../values/packet-rate.js';
import { procName } from '../../values/proc-name.js';
import { rateInterval } from '../../values/rate-interval.js';
import { wholePrefix } from '../../values/whole-prefix.js';
import type { Arbitrary, Fc, Value, ValueContext } from '../../values/value.js';
import { defineMatch, option, type EngineContext, type GivenOf } from '../define.js';
import { HashlimitTable, type HashlimitSettings } from '../hashlimit-table.js';

const number = integer(0, 0xffff_ffff);
/** Entries and buckets of a table at most. */
const maxSize = 1_048_576;
const stateful = unknown('how many packets came before');

const options = {
  upto: option({ names: ['--hashlimit-upto', '--hashlimit'], doc: 'match up to this rate', value: hashlimitRate, negatable: true, excludes: ['above'], means: () => stateful }),
  above: option({ names: ['--hashlimit-above'], doc: 'match above this rate', value: hashlimitRate, negatable: true, excludes: ['upto'], means: () => stateful }),
  burst: option({ names: ['--hashlimit-burst'], doc: 'how many packets or bytes may come at once (5 packets if not given)', value: hashlimitBurst, means: () => always }),
  mode: option({ names: ['--hashlimit-mode'], doc: 'by what packets are counted apart', value: hashMode, means: () => always }),
  name: option({ names: ['--hashlimit-name'], doc: 'name of the table, in /proc/net/ipt_hashlimit', value: procName(254), required: true, means: () => always }),
  size: option({ names: ['--hashlimit-htable-size'], doc: 'buckets of the table', value: number, means: () => always }),
  max: option({ names: ['--hashlimit-htable-max'], doc: 'entries of the table at most', value: number, means: () => always }),
  gcinterval: option({ names: ['--hashlimit-htable-gcinterval'], doc: 'milliseconds between two clean-ups of the table', value: integer(1, 0xffff_ffff), means: () => always }),
  expire: option({ names: ['--hashlimit-htable-expire'], doc: 'milliseconds after which an idle entry is forgotten', value: integer(1, 0xffff_ffff), means: () => always }),
  srcmask: option({ names: ['--hashlimit-srcmask'], doc: 'prefix length by which source addresses are grouped', value: wholePrefix, means: () => always }),
  dstmask: option({ names: ['--hashlimit-dstmask'], doc: 'prefix length by which destination addresses are grouped', value: wholePrefix, means: () => always }),
  match: option({ names: ['--hashlimit-rate-match'], doc: 'measure the rate and do not limit it', value: flag, means: () => always }),
  interval: option({ names: ['--hashlimit-rate-interval'], doc: 'seconds over which --hashlimit-rate-match measures', value: rateInterval, means: () => always }),
};
type HashlimitGiven = GivenOf<typeof options>;

function rateOf({ upto, above }: HashlimitGiven): HashlimitRate {
  return (upto ?? above)?.value ?? { kind: 'packets', period: hashlimitScale, seconds: 1 };
}

/** What is left to the kernel: the period of one second where the rate is only measured. */
function periodOf(given: HashlimitGiven): bigint {
  const { kind, period, seconds } = rateOf(given);
  return kind === 'packets' && given.match !== undefined ? period / BigInt(seconds) : period;
}

/** Bytes of a burst are counted in those of one second, rounded up. */
function burstOf(given: HashlimitGiven): bigint {
  const { kind, period } = rateOf(given);
  if (kind === 'packets') return given.burst?.value ?? 5n;
  if (given.burst === undefined) return 0n;
  const unit = bytesPerSecond(period);
  return BigInt.asUintN(32, BigInt.asUintN(32, given.burst.value) / unit + (given.burst.value % unit === 0n ? 0n : 1n));
}

/** `user2credits` of the kernel, in its 64 bits: 250 or 1000 ticks a second come to the same. */
function credits(period: bigint): bigint {
  return BigInt.asUintN(64, period * 137_438_953n);
}

function check(given: HashlimitGiven): string | undefined {
  if (given.upto === undefined && given.above === undefined) return '--hashlimit-upto or --hashlimit-above must be given';
  const { kind, period } = rateOf(given);
  if (kind === 'bytes') {
    const least = bytesPerSecond(period);
    if (given.burst !== undefined && least === 0n) return 'the rate is too low for --hashlimit-burst: at least 16b/s';
    if (given.burst !== undefined && given.burst.value < least) return `--hashlimit-burst must not be smaller than ${String(least)}b, what passes in a second`;
    return period > 1n || given.match !== undefined ? undefined : 'the rate is too high';
  }
  const burst = burstOf(given);
  if (burst > 1_000_000n) return '--hashlimit-burst may have at most 1000000 packets';
  if (given.match !== undefined) return periodOf(given) === 0n || periodOf(given) > 0xffff_ffffn ? 'the rate is out of range for --hashlimit-rate-match' : undefined;
  return burst === 0n || credits(period * burst) < credits(period)
    ? 'the rate is too low for this burst, the kernel cannot count that far: raise the rate or lower --hashlimit-burst' : undefined;
}

/** `!` turns one into the other. */
function isAbove({ upto, above }: HashlimitGiven): boolean {
  return upto === undefined ? above?.negated !== true : upto.negated;
}

function save(given: HashlimitGiven, cx: ValueContext): string {
  const { kind, seconds } = rateOf(given);
  const { mode, size, max, gcinterval, srcmask, dstmask, match, interval } = given;
  const words = [isAbove(given) ? '--hashlimit-above' : '--hashlimit-upto'];
  const add = (name: string, value: number | undefined, unless: number): void => {
    if (value !== undefined && value !== unless) words.push(`--hashlimit-${name} ${String(value)}`);
  };
  const burst = burstOf(given);
  /** What --hashlimit-htable-expire would be if the saved rate were read again. */
  let usualExpire: number;
  if (kind === 'packets') {
    const rate = rateInUnit(periodOf(given), hashlimitScale);
    words.push(rate.word, `--hashlimit-burst ${String(burst)}`);
    usualExpire = rate.seconds * 1000;
  } else {
    words.push(printBytesPerSecond(periodOf(given)));
    if (burst !== 0n) words.push(`--hashlimit-burst ${printBytes(bytesPerSecond(periodOf(given)) * burst)}`);
    usualExpire = burst === 0n ? 15_000 : 60_000;
  }
  if (mode !== undefined && mode.value.length > 0) words.push(`--hashlimit-mode ${mode.value.join(',')}`);
  words.push(`--hashlimit-name ${given.name?.value ?? ''}`);
  add('htable-size', size === undefined ? undefined : Math.min(size.value, maxSize), 0);
  add('htable-max', max === undefined ? undefined : Math.min(max.value, maxSize), 0);
  add('htable-gcinterval', gcinterval?.value, 1000);
  add('htable-expire', expireOf(given), usualExpire);
  const bits = cx.family === 'ipv4' ? 32 : 128;
  add('srcmask', srcmask?.value, bits);
  add('dstmask', dstmask?.value, bits);
  if (match !== undefined) words.push('--hashlimit-rate-match');
  if (match !== undefined) add('rate-interval', interval?.value ?? (kind === 'bytes' ? 1 : seconds), 1);
  return words.join(' ');
}

/** Tables that only measure have names of their own: the kernel refuses one name for both uses. */
function arbitrary(fc: Fc, cx: ValueContext): Arbitrary<readonly string[]> {
  const maybe = (name: string, value: Value<unknown>): Arbitrary<readonly string[]> =>
    fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: value.arbitrary(fc, cx).map(words => [name, ...words]) });
  const rate = fc.tuple(fc.constantFrom([], [], ['!']), fc.constantFrom('--hashlimit-upto', '--hashlimit-above', '--hashlimit'), hashlimitRate.arbitrary(fc, cx))
    .map(([bang, name, words]) => [...bang, name, ...words]);
  return fc.tuple(fc.constantFrom(false, false, true), rate).chain(([isMatch, rateWords]) => {
    const isBytes = /\db?\/s|[km]b/u.test(rateWords.at(-1) ?? '') && (rateWords.at(-1) ?? '').includes('b/');
    const burst = isBytes ? fc.constantFrom([], ['--hashlimit-burst', '30000mb'], ['--hashlimit-burst', '40000000k']) : maybe('--hashlimit-burst', hashlimitBurst);
    return fc.tuple(
      fc.constant(rateWords), burst, maybe('--hashlimit-mode', hashMode),
      options.name.value.arbitrary(fc, cx).map(([name = '']) => ['--hashlimit-name', isMatch ? `m${name}` : name]),
      maybe('--hashlimit-htable-size', fewBuckets), maybe('--hashlimit-htable-max', number),
      maybe('--hashlimit-htable-gcinterval', options.gcinterval.value), maybe('--hashlimit-htable-expire', options.expire.value),
      maybe('--hashlimit-srcmask', wholePrefix), maybe('--hashlimit-dstmask', wholePrefix),
      fc.constant(isMatch ? ['--hashlimit-rate-match'] : []), maybe('--hashlimit-rate-interval', rateInterval),
    ).chain(parts => fc.shuffledSubarray(parts, { minLength: parts.length })).map(parts => parts.flat());
  });
}

/** Buckets where nothing is said and the machine has more than 1 GB of memory. */
const usualSize = 8192;

function expireOf({ expire, burst, ...given }: HashlimitGiven): number {
  const { kind, seconds } = rateOf(given);
  return expire?.value ?? (kind === 'packets' ? seconds * 1000 : burst === undefined ? 15_000 : 60_000);
}

/** @see htable_create(): never fewer entries than buckets. */
function settingsOf(given: HashlimitGiven): HashlimitSettings {
  const { kind, seconds } = rateOf(given);
  const size = Math.min(given.size?.value ?? 0, maxSize) || usualSize;
  const max = Math.min(given.max?.value ?? 0, maxSize);
  const interval = given.match === undefined ? {} : { interval: given.interval?.value ?? (kind === 'bytes' ? 1 : seconds) };
  return {
    kind, period: periodOf(given), burst: burstOf(given), ...interval,
    max: max === 0 ? 8 * size : Math.max(max, size), expire: expireOf(given), gcInterval: given.gcinterval?.value ?? 1000,
  };
}

/** What packets are counted apart by; undefined where the packet has no such thing. @see hashlimit_init_dst() */
function keyOf({ mode, srcmask, dstmask }: HashlimitGiven, { family }: ValueContext): (packet: Packet) => number | string | undefined {
  const bits = family === 'ipv4' ? 32 : 128;
  const src = prefixMask(srcmask?.value ?? bits, family);
  const dst = prefixMask(dstmask?.value ?? bits, family);
  const fields = (mode?.value ?? []).map((word): (packet: Packet) => number | string | undefined => {
    if (word === 'srcip') return packet => addressKey(maskAddress(packet.src, src));
    if (word === 'dstip') return packet => addressKey(maskAddress(packet.dst, dst));
    return word === 'srcport' ? packet => portsAt(packet, 0) : packet => portsAt(packet, 2);
  });
  const [only] = fields;
  if (only === undefined) return () => 0;
  if (fields.length === 1) return only;
  return packet => {
    let key = '';
    for (const field of fields) {
      const value = field(packet);
      if (value === undefined) return undefined;
      key += `${String(value)} `;
    }
    return key;
  };
}

function matches(given: HashlimitGiven, cx: EngineContext): Predicate {
  const { world } = cx;
  const table = world.shared('hashlimit', given.name?.value ?? '', () => new HashlimitTable(settingsOf(given), world));
  const key = keyOf(given, cx);
  const inverted = isAbove(given);
  return t => {
    const one = key(t.packet);
    const passes = one === undefined ? undefined : table.passes(one, t.packet.bytes.length);
    if (passes !== undefined) return passes !== inverted;
    t.note(one === undefined ? 'hashlimit: the packet has no ports, and is dropped' : 'hashlimit: the table is full, and the packet is dropped');
    t.hotdrop = true;
    return false;
  };
}

/** Large tables would use up the memory of the machine that is asked. */
const fewBuckets = integer(0, 4096);

/**
 * @see hashlimit_mt_check_common() in net/netfilter/xt_hashlimit.c, and libxt_hashlimit.c. Rates in bytes are
 * saved as what the kernel makes of them: 100b/s is 96b/s. Table sizes above 1048576 are cut.
 */
export const hashlimit = defineMatch('hashlimit', () => ({
  shares: true,
  doc: 'Matches at a limited rate, counted apart for each address or port.',
  options,
  check,
  bounds: given => isAbove(given) ? 'above' : 'below',
  save,
  arbitrary,
  matches,
  examples: [
    ['-m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 5 --hashlimit-mode srcip --hashlimit-name ssh', '='],
    ['-m hashlimit --hashlimit 600/m --hashlimit-name a', '-m hashlimit --hashlimit-upto 10/sec --hashlimit-burst 5 --hashlimit-name a --hashlimit-htable-expire 60000'],
    ['-m hashlimit ! --hashlimit-upto 100b/s --hashlimit-name a --hashlimit-mode dstport|srcip', '-m hashlimit --hashlimit-above 96b/s --hashlimit-mode srcip,dstport --hashlimit-name a'],
    ['-m hashlimit --hashlimit-above 1mb/s --hashlimit-burst 2000k --hashlimit-name a', '-m hashlimit --hashlimit-above 1mb/s --hashlimit-burst 2mb --hashlimit-name a'],
    ['-m hashlimit --hashlimit-above 1mb/s --hashlimit-burst 5 --hashlimit-name a', undefined],
    ['-m hashlimit --hashlimit-above 1/day --hashlimit-name a', undefined],
    ['-m hashlimit --hashlimit-upto 5/sec', undefined],
  ],
}));
