/** A packet for a rule that no packet matches: one that it asks for, and that an earlier rule takes. */
import type { Hook } from '../extensions/define.js';
import { ruleReference, type Table } from '../model/ruleset.js';
import type { Fate, PacketSample, RuleAt } from '../packet-space/answers.js';
import { ask, type PacketSpace } from '../packet-space/index.js';
import { RuleConstraints } from '../packet-space/rule-constraint.js';
import { all, any, ctstates, is, masked, not, within, type Constraint } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import type { Family } from '../values/value.js';
import { addressKind } from './address-kind.js';
import type { Illustration } from './proposal.js';
import { stepOf } from './step.js';

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
function plausible(family: Family, hook: Hook): readonly Constraint[] {
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

const anyFate: readonly Fate[] = ['accept', 'drop', 'reject', 'queue', 'nat', 'unknown'];

function referenceOf({ table, chain, position }: RuleAt): string {
  return ruleReference(table, chain, position);
}

/**
 * A packet that the rule at `at` asks for, and that one of the rules `by` takes, as `by` takes them all. Undefined where
 * no everyday packet is found, or the first is taken by another rule, or only maybe.
 */
export function takenInstead(space: PacketSpace, table: Table, at: RuleAt, by: readonly RuleAt[]): Illustration | undefined {
  const takers = new Set(by.map(referenceOf));
  const asked = new RuleConstraints(space.ruleset, table.name).of(at.rule);
  for (const hook of hooksOf(table, at)) for (const everyday of plausible(space.ruleset.family, hook)) {
    const answer = ask(space, table, hook, all([asked, everyday]), anyFate);
    if (answer.kind !== 'yes' || !answer.certain || 'policy' in answer.by || !takers.has(referenceOf(answer.by))) continue;
    const { witness } = answer;
    if (!isPlausible(witness, hook)) continue;
    const isSent = hook === 'OUTPUT' || (hook === 'POSTROUTING' && witness.in === undefined);
    return {
      steps: [stepOf(witness, isSent ? 'local' : witness.in ?? 'eth0')],
      shows: [{ at: `${table.name}:${hook}`, by: [referenceOf(answer.by)], misses: [referenceOf(at)] }],
    };
  }
  return undefined;
}

/** Only lo knows packets from or to loopback, and nobody sends from an address of many. */
function isPlausible({ src = '10.0.0.1', dst = '10.0.0.1', in: from, out }: PacketSample, hook: Hook): boolean {
  if (from === 'lo' || out === 'lo') return hook !== 'FORWARD';
  return addressKind(src) === 'unicast' && addressKind(dst) !== 'loopback';
}

/** Where packets may come to the rule: at the hook of its chain, or at any that the table has. */
function hooksOf({ chains }: Table, { chain }: RuleAt): readonly Hook[] {
  const own = chains.get(chain)?.hook;
  return own === undefined ? [...chains.values()].flatMap(({ hook }) => hook ?? []) : [own];
}
