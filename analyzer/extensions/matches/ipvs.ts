import { unknown, type Constraint } from '../../packet/constraint.js';
import { exactProtocol } from '../../values/exact-protocol.js';
import { flag } from '../../values/flag.js';
import { getaddrinfoPort } from '../../values/getaddrinfo-port.js';
import { hostMask } from '../../values/host-mask.js';
import { keyword } from '../../values/keyword.js';
import { defineMatch, option } from '../define.js';

const means = (): Constraint => unknown('to which connection of the virtual server a packet belongs');
const direction = keyword({ ORIGINAL: 'ORIGINAL', original: 'ORIGINAL', Original: 'ORIGINAL', REPLY: 'REPLY', reply: 'REPLY', Reply: 'REPLY' }, { name: 'direction (ORIGINAL or REPLY)' });
const method = keyword({ GATE: 'GATE', gate: 'GATE', IPIP: 'IPIP', ipip: 'IPIP', MASQ: 'MASQ', masq: 'MASQ' }, { name: 'method (GATE, IPIP or MASQ)' });

/** @see ipvs_mt() in net/netfilter/xt_ipvs.c. Any other option implies `--ipvs`. */
export const ipvs = defineMatch('ipvs', () => ({
  doc: 'Matches packets of connections that the IP virtual server balances.',
  options: {
    ipvs: option({ names: ['--ipvs'], doc: 'belongs to such a connection', value: flag, negatable: true, means }),
    vproto: option({ names: ['--vproto'], doc: 'protocol of the virtual service', value: exactProtocol, negatable: true, means }),
    vaddr: option({ names: ['--vaddr'], doc: 'address of the virtual service', value: hostMask, negatable: true, means }),
    vport: option({ names: ['--vport'], doc: 'port of the virtual service', value: getaddrinfoPort, negatable: true, means }),
    vdir: option({ names: ['--vdir'], doc: 'direction of the packet', value: direction, means }),
    vmethod: option({ names: ['--vmethod'], doc: 'how packets are handed on', value: method, negatable: true, means }),
    vportctl: option({ names: ['--vportctl'], doc: 'port of the controlling connection', value: getaddrinfoPort, negatable: true, means }),
  },
  check: given => {
    const count = Object.keys(given).length;
    if (count === 0) return 'at least one option must be given';
    return given.ipvs?.negated === true && count > 1 ? '`! --ipvs` cannot be used together with other options' : undefined;
  },
  needsOnMachine: 'a kernel with IPVS and its match (CONFIG_NETFILTER_XT_MATCH_IPVS)',
  examples: [
    ['-m ipvs --ipvs', '='],
    ['-m ipvs ! --vproto tcp', '-m ipvs ! --vproto 6'],
    ['-m ipvs --vaddr 192.0.2.0/24 --vport http --vdir reply', '-m ipvs --vaddr 192.0.2.0/24 --vport 80 --vdir REPLY'],
    ['-m ipvs', undefined],
    ['-m ipvs ! --ipvs --vport 80', undefined],
  ],
}));
