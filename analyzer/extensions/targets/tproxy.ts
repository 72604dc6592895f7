import { getaddrinfoPort } from '../../values/getaddrinfo-port.js';
import { hostAddress } from '../../values/host-address.js';
import { hexadecimal, markMask } from '../../values/mark-mask.js';
import { defineTarget, option } from '../define.js';
import { markBits } from '../mark-operation.js';
import { transparentProxy } from '../transparent-proxy.js';

/** @see tproxy_tg4() in net/netfilter/xt_TPROXY.c; without a socket that listens the packet is dropped. All options are saved, given or not. */
export const tproxy = defineTarget('TPROXY', () => ({
  doc: 'Hands the packet to a local socket without changing it.',
  // The packet goes to a socket of this host, and not on as it was.
  effect: 'nat',
  changes: ['mark'],
  tables: ['mangle'],
  tracks: 'fragments',
  hooks: ['PREROUTING'],
  protocols: ['tcp', 'udp'],
  options: {
    port: option({ names: ['--on-port'], doc: 'the port of the socket; 0 for that of the packet', value: getaddrinfoPort, required: true }),
    address: option({ names: ['--on-ip'], doc: 'the address of the socket', value: hostAddress }),
    mark: option({ names: ['--tproxy-mark'], doc: 'the mark that the packet gets', value: markMask }),
  },
  save: ({ port, address, mark }, cx) => [
    `--on-port ${String(port?.value ?? 0)}`,
    `--on-ip ${address === undefined ? (cx.family === 'ipv4' ? '0.0.0.0' : '::') : hostAddress.print(address.value, cx)}`,
    `--tproxy-mark ${hexadecimal(mark?.value.mark ?? 0)}/${hexadecimal(mark?.value.mask ?? 0)}`,
  ].join(' '),
  rewrites: ({ mark }) => markBits('mark', mark?.value ?? { mark: 0, mask: 0 }),
  apply: ({ port, address, mark }) => {
    const target = { port: port?.value ?? 0, address: address?.value ?? 0, mark: mark?.value ?? { mark: 0, mask: 0 } };
    return t => transparentProxy(t, target);
  },
  examples: [
    ['-p tcp -j TPROXY --on-port 3128 --on-ip 127.0.0.1 --tproxy-mark 0x1/0x1', '=', { table: 'mangle', chain: 'PREROUTING' }],
    ['-p udp -j TPROXY --tproxy-mark 1 --on-port domain', '-p udp -j TPROXY --on-port 53 --on-ip 0.0.0.0 --tproxy-mark 0x1/0xffffffff', { table: 'mangle', chain: 'PREROUTING' }],
    ['-p tcp -j TPROXY --on-port 65616', '-p tcp -j TPROXY --on-port 80 --on-ip :: --tproxy-mark 0x0/0x0', { family: 'ipv6', table: 'mangle', chain: 'PREROUTING' }],
    ['-p tcp -j TPROXY --on-port 0x50', undefined, { table: 'mangle', chain: 'PREROUTING' }],
    ['-p tcp -j TPROXY --on-ip 127.0.0.1', undefined, { table: 'mangle', chain: 'PREROUTING' }],
    ['-j TPROXY --on-port 80', undefined, { table: 'mangle', chain: 'PREROUTING' }],
    ['-p tcp -j TPROXY --on-port 80', undefined, { table: 'mangle', chain: 'INPUT' }],
  ],
}));
