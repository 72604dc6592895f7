/** The table of connections as `conntrack -L` prints it. */
import { ctstatus, type Connection, type Direction, type Tuple } from '../../packet/connection.js';
import { protocolNumber as proto } from '../../packet/protocols.js';
import { printAddress } from '../../values/address.js';
import { secondsLeft } from './answers.js';
import type { Conntrack } from './conntrack.js';
import { listedName } from './protocol-words.js';

const withPorts: ReadonlySet<number> = new Set([proto.tcp, proto.udp, proto.udplite, proto.sctp, proto.dccp]);

function protocolWords({ protocol, sport, dport }: Tuple): string[] {
  if (withPorts.has(protocol)) return [`sport=${String(sport)}`, `dport=${String(dport)}`];
  if (protocol === proto.gre) return [`srckey=0x${sport.toString(16)}`, `dstkey=0x${dport.toString(16)}`];
  if (protocol !== proto.icmp && protocol !== proto.icmpv6) return [];
  return [`type=${String(dport >>> 8)}`, `code=${String(dport & 0xff)}`, `id=${String(sport)}`];
}

/** A zone of one direction stands behind its tuple. */
function tupleWords(connection: Connection, direction: Direction): string[] {
  const tuple = connection.tuple(direction);
  const zone = connection.zones[direction];
  const isOwnZone = zone !== 0 && connection.zones[0] !== connection.zones[1];
  return [
    `src=${printAddress(tuple.src)}`, `dst=${printAddress(tuple.dst)}`, ...protocolWords(tuple),
    ...(isOwnZone ? [`zone-${direction === 0 ? 'orig' : 'reply'}=${String(zone)}`] : []),
    ...(connection.accounted === true ? [`packets=${String(connection.packets[direction])}`, `bytes=${String(connection.bytes[direction])}`] : []),
  ];
}

function line(connection: Connection, now: number): string {
  const { original, status, mark, zones, helper, secmark, protocolStateName } = connection;
  return [
    listedName(original.protocol).padEnd(8), String(original.protocol), String(secondsLeft(connection, now)),
    ...(protocolStateName === '' ? [] : [protocolStateName]),
    ...tupleWords(connection, 0),
    ...((status & ctstatus.SEEN_REPLY) === 0 ? ['[UNREPLIED]'] : []),
    ...tupleWords(connection, 1),
    ...((status & ctstatus.ASSURED) === 0 ? [] : ['[ASSURED]']),
    `mark=${String(mark)}`,
    ...(secmark === '' ? [] : [`secctx=${secmark}`]),
    ...(zones[0] !== 0 && zones[0] === zones[1] ? [`zone=${String(zones[0])}`] : []),
    ...(helper === '' ? [] : [`helper=${helper}`]),
    'use=1',
  ].join(' ');
}

/** A line for each connection, the oldest first; '' for an empty table. */
export function printConntrack(conntrack: Conntrack): string {
  return Array.from(conntrack.connections(), connection => `${line(connection, conntrack.now)}\n`).join('');
}
