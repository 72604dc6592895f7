/** Clients whom SYNPROXY answers, and whose acknowledgement it never gets to see. */
import type { RuleAt } from '../../packet-space/answers.js';
import { reachThrough } from '../../packet-space/pipeline/index.js';
import { all, any, ctstates, is, masked, type Constraint } from '../../packet/constraint.js';
import { protocolNumber } from '../../packet/protocols.js';
import type { CheckContext } from '../define-check.js';
import { notLoopback } from './replies.js';
import { effectOf } from './targets.js';

const losing = ['drop', 'reject'];

const ofTcp = (flags: number): Constraint => all([is('protocol', protocolNumber.tcp), masked('tcpFlags', flags, 0x17), is('fragment', 0), notLoopback]);
const first = ofTcp(2);

/**
 * The SYN was not tracked, and so was the answer that SYNPROXY gave: the client's ACK belongs to nothing. It is INVALID, or NEW where
 * net.netfilter.nf_conntrack_tcp_loose is set. @see nf_conntrack_tcp_packet() in net/netfilter/nf_conntrack_proto_tcp.c
 */
const acknowledgement = all([ofTcp(16), any([ctstates.INVALID, ctstates.NEW].map(state => is('ctstate', state)))]);

export interface Unheard {
  readonly at: RuleAt;
  /** Rules that lose the acknowledgements. */
  readonly by: readonly RuleAt[];
}

function isSynproxy({ rule: { target } }: RuleAt): boolean {
  return target.kind === 'extension' && target.use.definition.name === 'SYNPROXY';
}

/** The rules of SYNPROXY to which SYN packets come, where no acknowledgement comes to any of them. */
export function unheardHandshakes(cx: CheckContext): readonly Unheard[] {
  const filter = cx.ruleset.tables.get('filter');
  const rules = filter === undefined ? [] : cx.rules(filter).filter(isSynproxy);
  const pipeline = rules.length === 0 ? undefined : cx.pipeline();
  if (pipeline === undefined) return [];
  const found: Unheard[] = [];
  for (const at of rules) {
    const heard = reachThrough(pipeline, at.rule, { packets: acknowledgement });
    if (heard.kind === 'undecided') cx.undecided();
    if (heard.kind !== 'dead') return [];
    if (reachThrough(pipeline, at.rule, { packets: first }).kind === 'live') found.push({ at, by: heard.by.filter(({ rule }) => losing.includes(effectOf(rule) ?? '')) });
  }
  return found;
}

/** What is asked of the pipeline. */
export const handshakePackets: readonly Constraint[] = [first, acknowledgement];
