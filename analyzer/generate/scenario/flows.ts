/** Who talks to whom, and what is said next: drawn before anything is played. */
import type { Arbitrary, Family, Fc } from '../../values/value.js';
import { places } from './places.js';

export type Protocol = 'tcp' | 'udp' | 'icmp' | 'sctp' | 'gre' | 'udplite' | 'esp' | 'ah' | 'dccp' | '253';

/** Two ends and a protocol. */
export interface Flow {
  readonly protocol: Protocol;
  readonly client: string;
  readonly server: string;
  readonly clientPort: number;
  readonly serverPort: number;
  /** It was in the table before the first packet: listed by `conntrack -L`. */
  readonly isKnown: boolean;
  /** Of the socket, where a local process is the client. */
  readonly socket: { readonly uid?: number; readonly gid?: number; readonly mark?: number };
}

export const segments = ['S', 'S', 'SA', 'A', 'A', 'data', 'data', 'FA', 'R', 'RA', 'SE', 'FPU', 'none', 'SF', 'SAFR', 'PA'] as const;

const mistakes = [
  'badcsum', 'badcsum', 'badipcsum', 'ttl', 'ttl', 'fragments', 'fragments', 'fragments', 'error', 'error', 'error', 'error', 'tos', 'options', 'cut', 'cut', 'dmac', 'broadcast', 'payload', 'doff', 'udplen', 'nocsum', 'df', 'smac', 'other interface',
] as const;

export type Mistake = 'none' | (typeof mistakes)[number];

/** One packet of a flow, to be made when it is known what came before. */
export interface Move {
  readonly flow: number;
  readonly isReply: boolean;
  /** 0: the next one of a right conversation; else the index of a segment. */
  readonly segment: number;
  /** Added to the right sequence or acknowledgement number; mostly 0. */
  readonly slip: number;
  readonly size: number;
  readonly mistake: Mistake;
  /** How the mistake is made. */
  readonly detail: number;
  /** Seconds that pass before it. */
  readonly advance: number;
}

const protocols: readonly Protocol[] = ['tcp', 'tcp', 'tcp', 'tcp', 'tcp', 'udp', 'udp', 'udp', 'udp', 'icmp', 'icmp', 'sctp', 'gre', 'udplite', 'esp', 'ah', 'dccp', '253'];

function ends(fc: Fc, family: Family): Arbitrary<readonly [client: string, server: string]> {
  const { own, peers } = places[family];
  const peer = fc.constantFrom(...peers.map(one => one.address));
  const mine = fc.constantFrom(...own);
  return fc.oneof(
    { weight: 4, arbitrary: fc.tuple(peer, mine) }, { weight: 4, arbitrary: fc.tuple(peer, peer).filter(([a, b]) => a !== b) },
    { weight: 3, arbitrary: fc.tuple(mine, peer) }, { weight: 1, arbitrary: fc.tuple(mine, mine) },
  );
}

function flow(fc: Fc, family: Family): Arbitrary<Flow> {
  const { ports } = places[family];
  const socket = fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: fc.constantFrom({ uid: 1000, gid: 1000 }, { mark: 1 }, { uid: 1000, mark: 3 }, { gid: 1000 }) });
  return fc.record({
    protocol: fc.constantFrom(...protocols), ends: ends(fc, family), clientPort: fc.constantFrom(40_000, 40_001, 600, ...ports), serverPort: fc.constantFrom(...ports),
    isKnown: fc.integer({ min: 0, max: 9 }).map(number => number === 9), socket,
  }).map(({ ends: [client, server], ...rest }) => ({ ...rest, client, server }));
}

/** Where the client of FTP waits for the server (PORT), and the server for the client (227). */
export const ftpPorts = { active: 5001, passive: 5002 } as const;

/** An FTP control connection, and the data connections of which it speaks. */
function ftp(fc: Fc, family: Family): Arbitrary<readonly Flow[]> {
  return ends(fc, family).map(([client, server]) => {
    const tcp = { protocol: 'tcp', isKnown: false, socket: {} } as const;
    return [
      { ...tcp, client, server, clientPort: 40_000, serverPort: 21 },
      { ...tcp, client: server, server: client, clientPort: 20, serverPort: ftpPorts.active },
      { ...tcp, client, server, clientPort: 40_001, serverPort: ftpPorts.passive },
    ];
  });
}

export function flowsOf(fc: Fc, family: Family): Arbitrary<readonly Flow[]> {
  return fc.oneof({ weight: 9, arbitrary: fc.array(flow(fc, family), { minLength: 1, maxLength: 3 }) }, { weight: 1, arbitrary: ftp(fc, family) });
}

export function moveOf(fc: Fc, flows: number): Arbitrary<Move> {
  return fc.record({
    flow: fc.nat(flows - 1),
    isReply: fc.boolean(),
    segment: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(segments.length) }),
    slip: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(1, -1, 1000, 70_000, -70_000, 2_000_000_000) }),
    size: fc.constantFrom(0, 0, 1, 10, 100, 900),
    mistake: fc.oneof({ weight: 5, arbitrary: fc.constant<Mistake>('none') }, { weight: 3, arbitrary: fc.constantFrom<Mistake>(...mistakes) }),
    detail: fc.nat(255),
    advance: fc.oneof({ weight: 300, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(2.5) }),
  });
}
