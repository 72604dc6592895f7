/** Sets that generated rules look packets up in, of the types that every kernel with ip_set has, and the rules that do. */
import type { Family } from '../../values/value.js';
import { places } from './places.js';

/** As `ipset save` prints them. */
export function ipSets(family: Family): string {
  const { peers: [peer, other], own: [mine], networks: [near, far] } = places[family];
  const inet = family === 'ipv4' ? 'inet' : 'inet6';
  const [first, second] = [peer?.address ?? '', other?.address ?? ''];
  return [
    `create hosts hash:ip family ${inet}`, `add hosts ${first}`,
    `create counted hash:ip family ${inet} counters`, `add counted ${second} packets 3 bytes 100`,
    `create slow hash:ip family ${inet} timeout 3600`, `add slow ${first} timeout 600`,
    `create nets hash:net family ${inet}`, `add nets ${near ?? ''}`, `add nets ${second} nomatch`,
    'create ports bitmap:port range 0-1023', 'add ports 22', 'add ports 80',
    `create services hash:ip,port family ${inet}`, `add services ${mine ?? ''},tcp:22`, `add services ${mine ?? ''},udp:53`, `add services ${first},tcp:80`,
    `create pairs hash:ip,port,ip family ${inet}`, `add pairs ${first},tcp:80,${mine ?? ''}`,
    `create netports hash:net,port family ${inet}`, `add netports ${far ?? ''},udp:53`,
    `create doors hash:net,iface family ${inet}`, `add doors ${near ?? ''},eth0`, `add doors ${far ?? ''},eth1`,
    'create all list:set', 'add all hosts', 'add all nets', '',
  ].join('\n');
}

const questions = [
  'hosts src', 'hosts dst', 'nets src', 'nets dst', 'ports dst', 'ports src', 'services dst,dst', 'services src,src', 'pairs src,dst,dst', 'netports dst,dst', 'doors src,src', 'doors dst,src', 'all src', 'all dst',
  'slow src', 'counted src', 'counted dst --packets-gt 3', 'counted src --bytes-lt 200', 'hosts src --return-nomatch', 'counted src ! --update-counters', 'nets src --return-nomatch',
];

export const setMatches: readonly string[] = questions.flatMap(question => [`-m set --match-set ${question}`, ...question.includes('--') ? [] : [`-m set ! --match-set ${question}`]]);

export const setTargets: readonly string[] = [
  '-j SET --add-set hosts src', '-j SET --del-set hosts src', '-j SET --add-set hosts dst', '-j SET --add-set slow src --exist --timeout 100', '-j SET --add-set services dst,dst', '-j SET --del-set services src,src',
  '-j SET --add-set pairs src,dst,dst', '-j SET --add-set ports dst', '-j SET --add-set nets dst', '-j SET --del-set counted dst',
];
