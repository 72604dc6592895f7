import { always, unknown } from '../../packet/constraint.js';
import { addressKey, maskAddress, prefixMask, type Address } from '../../values/address.js';
import { ctstatus, type Connection } from '../../packet/connection.js';
import type { Predicate, World } from '../../packet/traversal.js';
import { ConnectionCount } from '../connection-count.js';
import { flag } from '../../values/flag.js';
import { integer } from '../../values/number.js';
import { lengthOfPrefix } from '../../values/prefix-length.js';
import { defineMatch, option } from '../define.js';

const stateful = unknown('how many connections there are at the moment');

/** `nf_ct_zone()->id`, whichever direction it is for. */
function zoneOf({ zones }: Connection): number {
  return zones[0] === 0 ? zones[1] : zones[0];
}

/** @see connlimit_mt() in net/netfilter/xt_connlimit.c */
function overLimit(world: World, limit: number, mask: Address, isDestination: boolean, inverted: boolean): Predicate {
  const count = new ConnectionCount(world);
  return t => {
    const { packet } = t;
    const { connection } = packet;
    const tuple = connection?.original ?? world.tupleOf(packet);
    if (tuple === undefined) {
      t.note('connlimit: the packet is of no connection, and is dropped');
      t.hotdrop = true;
      return false;
    }
    const address = addressKey(maskAddress(isDestination ? packet.dst : packet.src, mask));
    const zone = connection === undefined ? 0 : zoneOf(connection);
    const key = zone === 0 ? address : `${String(address)} ${String(zone)}`;
    // What is INVALID or not tracked is counted by its own tuple, but not where that is one of an assured connection.
    const known = connection ?? world.findConnection(tuple, 0);
    const isAssured = known !== undefined && (known.status & ctstatus.ASSURED) !== 0;
    const connections = count.count(key, packet, { tuple, zone: connection?.zones[0] ?? 0, isAssured });
    if (connections === 0) {
      t.note('connlimit: the connection has ended and no other is counted, so the packet is dropped');
      t.hotdrop = true;
      return false;
    }
    return connections > limit !== inverted;
  };
}

/** @see connlimit_mt() in net/netfilter/xt_connlimit.c. Everything is saved, defaults too; `!` turns --connlimit-upto into --connlimit-above. */
export const connlimit = defineMatch('connlimit', () => ({
  doc: 'Matches by the number of connections that a host or a network has at the moment.',
  tracks: true,
  options: {
    upto: option({ names: ['--connlimit-upto'], doc: 'at most so many', value: integer(0, 0xffff_ffff), negatable: true, excludes: ['above'], means: () => stateful }),
    above: option({ names: ['--connlimit-above'], doc: 'more than so many', value: integer(0, 0xffff_ffff), negatable: true, excludes: ['upto'], means: () => stateful }),
    mask: option({ names: ['--connlimit-mask'], doc: 'prefix length by which addresses are grouped', value: lengthOfPrefix, means: () => always }),
    saddr: option({ names: ['--connlimit-saddr'], doc: 'count by source address (the default)', value: flag, excludes: ['daddr'], means: () => always }),
    daddr: option({ names: ['--connlimit-daddr'], doc: 'count by destination address', value: flag, excludes: ['saddr'], means: () => always }),
  },
  check: ({ upto, above }) => upto === undefined && above === undefined ? '--connlimit-upto or --connlimit-above must be given' : undefined,
  bounds: ({ upto, above }) => (upto === undefined ? above?.negated === true : !upto.negated) ? 'below' : 'above',
  save: ({ upto, above, mask, daddr }, { family }) => {
    const isUpto = upto === undefined ? above?.negated === true : !upto.negated;
    const bits = mask?.value ?? (family === 'ipv4' ? 32 : 128);
    return `--connlimit-${isUpto ? 'upto' : 'above'} ${String((upto ?? above)?.value ?? 0)} --connlimit-mask ${String(bits)} --connlimit-${daddr === undefined ? 's' : 'd'}addr`;
  },
  matches: ({ upto, above, mask, daddr }, { family, world }) => {
    const isUpto = upto === undefined ? above?.negated === true : !upto.negated;
    const bits = mask?.value ?? (family === 'ipv4' ? 32 : 128);
    return overLimit(world, (upto ?? above)?.value ?? 0, prefixMask(bits, family), daddr !== undefined, isUpto);
  },
  arbitrary: (fc, cx) => fc.tuple(
    fc.constantFrom('--connlimit-upto', '--connlimit-above'), fc.boolean(), integer(0, 0xffff_ffff).arbitrary(fc, cx),
    fc.option(lengthOfPrefix.arbitrary(fc, cx)), fc.constantFrom([], ['--connlimit-saddr'], ['--connlimit-daddr']), fc.boolean(),
  ).map(([name, negated, number, mask, side, first]) => {
    const count = [...negated ? ['!'] : [], name, ...number];
    const rest = [...mask === null ? [] : ['--connlimit-mask', ...mask], ...side];
    return first ? [...count, ...rest] : [...rest, ...count];
  }),
  examples: [
    ['-m connlimit --connlimit-above 10 --connlimit-mask 32 --connlimit-saddr', '='],
    ['-m connlimit --connlimit-daddr ! --connlimit-above 0x3 --connlimit-mask 255.255.0.0', '-m connlimit --connlimit-upto 3 --connlimit-mask 16 --connlimit-daddr'],
    ['-m connlimit --connlimit-above 3 --connlimit-mask 255.0.255.0', '-m connlimit --connlimit-above 3 --connlimit-mask 32 --connlimit-saddr'],
    ['-m connlimit --connlimit-upto 1 --connlimit-above 2', undefined],
    ['-m connlimit --connlimit-saddr', undefined],
  ],
}));
