import { unknown } from '../../packet/constraint.js';
import { integer } from '../../values/number.js';
import { arbitraryRate, parsePacketRate, rateInUnit, type PacketRate } from '../../values/packet-rate.js';
import type { Value } from '../../values/value.js';
import type { Predicate, World } from '../../packet/traversal.js';
import { defineMatch, option } from '../define.js';
import { jiffies, nanoseconds } from '../kernel-clock.js';
import { TokenBucket } from '../token-bucket.js';

/** Ten-thousandths of a second (XT_LIMIT_SCALE). */
const scale = 10_000n;
const usual = { period: scale * 3_600n / 3n, burst: 5 };

const rate: Value<PacketRate> = {
  syntax: 'number[/second|minute|hour|day]',
  words: 1,
  parse: ([word = '']) => parsePacketRate(word, scale, 32),
  print: ({ period }, { backend }) => {
    const { count, seconds, word } = rateInUnit(period, scale);
    // nftables keeps packets per unit, and iptables-nft-save works the period out again.
    return backend === 'nft' ? rateInUnit(scale * BigInt(seconds) / count, scale).word : word;
  },
  arbitrary: fc => arbitraryRate(fc, Number(scale)).map(word => [word]),
};

/** `user2credits` of the kernel, in its 32 bits: 250 or 1000 ticks a second come to the same. */
function credits(period: bigint): bigint {
  const perSecond = 32_000n;
  const isLarge = period > 0xffff_ffffn / perSecond;
  return BigInt.asUintN(32, isLarge ? period / scale * perSecond : period * perSecond / scale);
}

/** @see limit_mt() in net/netfilter/xt_limit.c: credit comes with each tick of the kernel's clock. */
function legacyLimit(world: World, period: bigint, burst: number): Predicate {
  const creditPerTick = 128;
  const cost = Number(credits(period));
  const cap = Number(credits(BigInt.asUintN(32, period * BigInt(burst))));
  const bucket = new TokenBucket(cost, Math.floor(cap / cost), cap % cost);
  let last = jiffies(world);
  return () => {
    const now = jiffies(world);
    bucket.fill((now - last) * creditPerTick);
    last = now;
    return bucket.take();
  };
}

/** @see nft_limit_eval() in net/netfilter/nft_limit.c: nanoseconds are the credit. Which rate, says add_nft_limit() in iptables/nft.c. */
function nftLimit(world: World, period: bigint, burst: number): Predicate {
  const { count, seconds } = rateInUnit(period, scale);
  const cost = Math.floor(seconds * 1e9 / Number(count));
  const bucket = new TokenBucket(cost, burst === 0 ? usual.burst : burst);
  let last = nanoseconds(world);
  return () => {
    const now = nanoseconds(world);
    bucket.fill(now - last);
    last = now;
    return bucket.take();
  };
}

/** @see limit_mt_check() in net/netfilter/xt_limit.c, and libxt_limit.c; iptables-nft makes it a limit of nftables, which has no such bounds. */
export const limit = defineMatch('limit', () => ({
  doc: 'Matches at a limited rate, all packets taken together.',
  options: {
    rate: option({ names: ['--limit'], doc: 'how often it matches on average (3/hour if not given)', value: rate }),
    burst: option({ names: ['--limit-burst'], doc: 'how many packets may come at once (5 if not given)', value: integer(0, 10_000) }),
  },
  check: ({ rate: given, burst }, { backend }) => {
    if (backend === 'nft') return undefined;
    const count = burst?.value ?? usual.burst;
    const period = given?.value.period ?? usual.period;
    if (count === 0) return '--limit-burst must not be 0';
    return credits(BigInt.asUintN(32, period * BigInt(count))) < credits(period)
      ? 'the rate is too low for this burst, the kernel cannot count that far: raise --limit or lower --limit-burst' : undefined;
  },
  save: ({ rate: given, burst }, cx) => {
    const count = burst === undefined || (burst.value === 0 && cx.backend === 'nft') ? usual.burst : burst.value;
    return `--limit ${rate.print(given?.value ?? { period: usual.period, seconds: 3_600 }, cx)}${count === usual.burst ? '' : ` --limit-burst ${String(count)}`}`;
  },
  bounds: () => 'below',
  means: () => unknown('how many packets came before'),
  matches: ({ rate: given, burst }, { backend, world }) =>
    (backend === 'nft' ? nftLimit : legacyLimit)(world, given?.value.period ?? usual.period, burst?.value ?? usual.burst),
  examples: [
    ['-m limit --limit 5/sec', '='],
    ['-m limit', '-m limit --limit 3/hour'],
    ['-m limit --limit-burst 0x7 --limit 600/MINUTE', '-m limit --limit 10/sec --limit-burst 7'],
    ['-m limit --limit 9999', '-m limit --limit 10000/sec'],
    ['-m limit --limit 10001/s', undefined],
    ['-m limit --limit 5/week', undefined],
  ],
}));
