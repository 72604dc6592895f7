import { any, is, within, type Constraint } from '../../packet/constraint.js';
import { portList } from '../../values/port-list.js';
import type { PortRange } from '../../values/port.js';
import { defineMatch, option } from '../define.js';

type PortField = 'sport' | 'dport';

function inList(fields: readonly PortField[]): (ranges: readonly PortRange[]) => Constraint {
  return ranges => any(fields.flatMap(field => ranges.map(({ low, high }) => within(field, low, high))));
}

/** @see multiport_mt() in net/netfilter/xt_multiport.c. Later fragments never match. */
export const multiport = defineMatch('multiport', () => ({
  doc: 'Matches packets whose port is in a list of up to 15 ports.',
  protocols: ['tcp', 'udp', 'udplite', 'sctp', 'dccp'],
  requires: is('fragment', 0),
  header: 4,
  options: {
    sports: option({ names: ['--sports', '--source-ports'], doc: 'source port is in the list', value: portList, negatable: true, excludes: ['dports', 'ports'], means: inList(['sport']) }),
    dports: option({ names: ['--dports', '--destination-ports'], doc: 'destination port is in the list', value: portList, negatable: true, excludes: ['sports', 'ports'], means: inList(['dport']) }),
    ports: option({ names: ['--ports'], doc: 'source or destination port is in the list', value: portList, negatable: true, excludes: ['sports', 'dports'], means: inList(['sport', 'dport']) }),
  },
  check: given => Object.keys(given).length === 0 ? 'one of --sports, --dports and --ports must be given' : undefined,
  examples: [
    ['-p tcp -m multiport --dports 80,443,8000:8080', '='],
    ['-p udplite -m multiport ! --destination-ports 0x50', '-p udplite -m multiport ! --dports 80'],
    ['-p tcp -m multiport --ports 1,2,3,4,5,6,7,8,9,10,11,12,13,14:15', '='],
    ['-p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15:16', undefined],
    ['-p tcp -m multiport --dports 80:80', undefined],
    ['-p icmp -m multiport --dports 80', undefined],
    ['-m multiport --dports 80 -p tcp', undefined],
  ],
}));
