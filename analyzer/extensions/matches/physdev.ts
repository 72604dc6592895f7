import { atom, type Constraint } from '../../packet/constraint.js';
import { flag } from '../../values/flag.js';
import { interfaceName, type InterfaceName } from '../../values/interface-name.js';
import type { Value } from '../../values/value.js';
import { defineMatch, option, type Given, type Hook } from '../define.js';

/** As an interface, but an empty one is taken, and is every port. */
const bridgePort: Value<InterfaceName> = {
  ...interfaceName,
  parse: (words, cx) => words[0] === '' ? { name: '', prefix: false } : interfaceName.parse(words, cx),
  arbitrary: (fc, cx) => fc.oneof({ weight: 9, arbitrary: interfaceName.arbitrary(fc, cx) }, { weight: 1, arbitrary: fc.constant(['']) }),
};

/** An empty name leaves a blank at the end. */
function savePort(option: string): (given: Given<InterfaceName>) => string {
  return ({ negated, value: { name, prefix } }) => `${negated ? '! ' : ''}${option} ${name}${prefix ? '+' : ''}`;
}

function meaning(side: 'in' | 'out', { name, prefix }: InterfaceName): Constraint {
  return atom(`physdev ${side} ${name}${prefix || name === '' ? '+' : ''}`);
}

function isThere(given: Given<true> | undefined, port: string): boolean {
  if (given === undefined) return true;
  return (port !== '') !== given.negated;
}

function isPort({ negated, value: { name, prefix } }: Given<InterfaceName>, port: string): boolean {
  return (prefix || name === '' ? port.startsWith(name) : port === name) !== negated;
}

const allButOutput: readonly Hook[] = ['PREROUTING', 'INPUT', 'FORWARD', 'POSTROUTING'];

/**
 * @see physdev_mt() and physdev_mt_check() in net/netfilter/xt_physdev.c. A packet that did not pass a bridge matches where
 * everything is negated.
 */
export const physdev = defineMatch('physdev', () => ({
  doc: 'Matches packets by the port of a bridge that they came in or will go out through.',
  options: {
    isIn: option({ names: ['--physdev-is-in'], doc: 'came in through a bridge', value: flag, negatable: true, means: () => atom('physdev in') }),
    in: option({ names: ['--physdev-in'], doc: 'port of the bridge it came in through', value: bridgePort, negatable: true, save: savePort('--physdev-in'), means: value => meaning('in', value) }),
    isOut: option({ names: ['--physdev-is-out'], doc: 'will go out through a bridge', value: flag, negatable: true, means: () => atom('physdev out') }),
    out: option({ names: ['--physdev-out'], doc: 'port of the bridge it will go out through', value: bridgePort, negatable: true, save: savePort('--physdev-out'), means: value => meaning('out', value) }),
    bridged: option({ names: ['--physdev-is-bridged'], doc: 'is bridged and not routed', value: flag, negatable: true, means: () => atom('physdev bridged') }),
  },
  hooks: given => (given.out !== undefined || given.isOut !== undefined) && given.bridged?.negated !== false ? allButOutput : undefined,
  check: given => Object.keys(given).length === 0 ? 'an option must be given, as --physdev-in' : undefined,
  matches: given => {
    const { isIn, in: inPort, isOut, out, bridged } = given;
    const withoutBridge = [isIn, inPort, isOut, out, bridged].every(one => one?.negated !== false);
    return ({ packet: { physin, physout } }) => {
      if (physin === '' && physout === '') return withoutBridge;
      if (!isThere(bridged, physout) || !isThere(isIn, physin) || !isThere(isOut, physout)) return false;
      if (inPort !== undefined && physin !== '' && !isPort(inPort, physin)) return false;
      return out === undefined || (physout !== '' && isPort(out, physout));
    };
  },
  examples: [
    ['-m physdev --physdev-in eth0', '='],
    ['-m physdev ! --physdev-out eth+ --physdev-is-in --physdev-is-bridged', '-m physdev --physdev-is-in ! --physdev-out eth+ --physdev-is-bridged', { chain: 'FORWARD' }],
    ['-m physdev --physdev-in a234567890123456', undefined],
    ['-m physdev --physdev-out eth0', undefined, { chain: 'OUTPUT' }],
    ['-m physdev', undefined],
  ],
}));
