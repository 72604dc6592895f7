/** Packets that people send, most telling first, as constraints. */
import type { Hook } from '../extensions/define.js';
import { all, any, ctstates, is, masked, not, within, type Constraint } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import type { Family } from '../values/value.js';

const [ip4, ip6] = [2n ** 32n - 1n, 2n ** 128n - 1n];

function block(family: Family, field: 'src' | 'dst', prefix: bigint, length: number): Constraint {
  const [bits, largest] = family === 'ipv4' ? [32n, ip4] : [128n, ip6];
  const low = prefix << (bits - BigInt(length));
  const high = low | (largest >> BigInt(length));
  return family === 'ipv4' ? within(field, Number(low), Number(high)) : within(field, low, high);
}

const loopback: Constraint = any([{ kind: 'interface', field: 'in', name: 'lo', prefix: false }, { kind: 'interface', field: 'out', name: 'lo', prefix: false }]);

/** Addresses that the kernel lets come and go outside of lo: nothing from a group or from nobody, and nothing of loopback. */
function outside(family: Family): Constraint {
  const isV4 = family === 'ipv4';
  const nobody = isV4 ? block(family, 'src', 0n, 8) : block(family, 'src', 0n, 128);
  const many = isV4 ? block(family, 'src', 7n, 3) : block(family, 'src', 0xffn, 8);
  const own = (field: 'src' | 'dst'): Constraint => isV4 ? block(family, field, 127n, 8) : block(family, field, 1n, 128);
  return not(any([loopback, nobody, many, own('src'), own('dst')]));
}

/**
 * Packets that connection tracking takes for what they are: the first of a connection, then one in its midst; what does not
 * leave the host comes last. Before the addresses are restricted, all are allowed: so the most liked ones are found, if they will do.
 */
export function plausible(family: Family, hook: Hook): readonly Constraint[] {
  const [icmp, request, reply] = family === 'ipv4' ? [protocolNumber.icmp, 8, 0] : [protocolNumber.icmpv6, 128, 129];
  const kind = (state: number, flags: number, type: number): Constraint => all([
    is('ctstate', state), is('fragment', 0), within('protocol', 1, 255),
    any([not(is('protocol', protocolNumber.tcp)), masked('tcpFlags', flags, 63)]),
    any([not(is('protocol', icmp)), all([is('icmpType', type), is('icmpCode', 0)])]),
  ]);
  const [first, later] = [kind(ctstates.NEW, 2, request), kind(ctstates.ESTABLISHED, 16, reply)];
  const away = outside(family);
  return [all([not(loopback), first]), all([away, first]), all([away, later]), ...hook === 'FORWARD' ? [] : [all([loopback, first])]];
}
