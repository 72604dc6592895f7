import { all, always, is, not, within, type Constraint } from '../../packet/constraint.js';
import { compileConstraint } from '../../packet/compile-constraint.js';
import { withHeader } from '../../packet/transport-header.js';
import { lookedUpPortRange } from '../../values/looked-up-port.js';
import type { PortRange } from '../../values/port.js';
import { defineMatch, option, type Given } from '../define.js';
import { nativePorts } from '../native-header.js';
import { areNoPorts, isEveryPort, nativePortsMeaning, saveNativePorts, savePorts } from '../save-ports.js';

interface UdpGiven {
  readonly sport?: Given<PortRange>;
  readonly dport?: Given<PortRange>;
}

/** Whether iptables-nft makes expressions of the match; a bare one it leaves to the kernel's match. */
function isNative(given: UdpGiven, backend: string): boolean {
  const isDefault = (ports: Given<PortRange> | undefined): boolean => ports === undefined || (!ports.negated && isEveryPort(ports.value));
  return backend === 'nft' && !(isDefault(given.sport) && isDefault(given.dport));
}

function port(field: 'sport' | 'dport', given: Given<PortRange> | undefined): Constraint {
  if (given === undefined) return always;
  const range = within(field, given.value.low, given.value.high);
  return given.negated ? not(range) : range;
}

function portsMeaning(given: UdpGiven): Constraint {
  return all([port('sport', given.sport), port('dport', given.dport)]);
}

/**
 * Later fragments carry no ports and never match. A range that is upside down is taken, and holds no port.
 * @see udp_mt() in net/netfilter/xt_tcpudp.c, and add_nft_udp() in iptables/nft.c for what becomes of it in nftables:
 * there `! --dport 0:65535` asks nothing, and a match that has no more than that is gone.
 */
export const udp = defineMatch('udp', () => ({
  doc: 'Matches UDP packets by port.',
  protocols: ['udp'],
  requires: is('fragment', 0),
  // What an option itself saves counts only beside a service name that is not resolved.
  options: {
    sport: option({ names: ['--sport', '--source-port'], doc: 'source port or range', value: lookedUpPortRange, negatable: true, save: savePorts('--sport') }),
    dport: option({ names: ['--dport', '--destination-port'], doc: 'destination port or range', value: lookedUpPortRange, negatable: true, save: savePorts('--dport') }),
  },
  save: (given, cx) => {
    const native = isNative(given, cx.backend);
    if (native && areNoPorts(given)) return undefined;
    const ports = native ? saveNativePorts : savePorts;
    return [
      given.sport === undefined ? '' : ports('--sport')(given.sport),
      given.dport === undefined ? '' : ports('--dport')(given.dport),
    ].filter(words => words !== '').join(' ');
  },
  isNative: (given, cx) => isNative(given, cx.backend),
  means: (given, cx) => {
    if (!isNative(given, cx.backend)) return all([is('fragment', 0), portsMeaning(given)]);
    return areNoPorts(given) ? always : all([is('fragment', 0), nativePortsMeaning(given)]);
  },
  matches: (given, { family, backend }) => isNative(given, backend) ? nativePorts(given) : withHeader(8, compileConstraint(portsMeaning(given), family)),
  examples: [
    ['-p udp -m udp --dport 53', '='],
    ['-p udp --dport domain:', '-p udp -m udp --dport 53:65535'],
    ['-p udp --dport 010', '-p udp -m udp --dport 10'],
    ['-p udp --dport 10:5', '-p udp -m udp --dport 10:5'],
    ['-p udp --dport 0x35', undefined],
    ['-p tcp -m udp', undefined],
  ],
}));
