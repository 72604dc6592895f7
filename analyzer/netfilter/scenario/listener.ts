/** Who on the host gets what was delivered. */
import type { DetailedStep } from '../engine.js';
import { anyAddress, readAddress } from '../host/prefix.js';
import type { HostSocket } from '../host/host.js';

const answers = { tcp: 'a RST', udp: 'port unreachable' } as const;

/** Whether the packet opens a conversation with a port of the host: only then there must be somebody. */
function isOpening({ verdict, arrived, ct }: DetailedStep): boolean {
  return verdict === 'delivered' && ct?.dir !== 'REPLY' && (arrived?.proto === 'udp' || (arrived?.proto === 'tcp' && arrived.flags === 'S'));
}

/** `sshd listens on 0.0.0.0:22`, or that nobody does; undefined where that is no question, or nobody can know. */
export function listenerOf(answer: DetailedStep, sockets: readonly HostSocket[] | undefined): string | undefined {
  const { arrived } = answer;
  if (sockets === undefined || arrived?.dst === undefined || !isOpening(answer)) return undefined;
  const family = arrived.dst.includes(':') ? 'ipv6' : 'ipv4';
  const own = readAddress(arrived.dst, family);
  const proto = arrived.proto === 'tcp' ? 'tcp' : 'udp';
  const found = sockets.find(({ protocol, port, address }) => protocol === proto && port === arrived.dport
    && (address === '*' || [own, anyAddress(family)].includes(readAddress(address, family))));
  if (found === undefined) return `nobody listens on ${proto} port ${String(arrived.dport)}: the host answers with ${answers[proto]}`;
  return `${found.process ?? 'somebody'} listens on ${found.address.includes(':') ? `[${found.address}]` : found.address}:${String(found.port)}`;
}
