/**
 * What the kernel may do in more than one way with packets that look alike: packets are looked at in each of the modes that can
 * make a difference. A mode is an input that is fixed, so that proofs about one say nothing of another.
 */
import { ctstates } from '../../packet/constraint.js';
import type { Chains } from './chains.js';
import { Does, stops } from './classes.js';
import type { Path, Stage } from './stages.js';

export interface Mode {
  /** 0: nat is asked about NEW packets; 1: they are not their connection's first; 2: it is asked about RELATED ones; 3: at POSTROUTING and INPUT only. */
  readonly nat: 0 | 1 | 2 | 3;
  /** 1: raw sees the packet's state: the host sends it because of another one, and it belongs to that one's connection. */
  readonly raw: 0 | 1;
  /** The packets of which this can be: classes of ctstate. */
  readonly states: readonly [number, number];
}

const { INVALID, NEW, RELATED, UNTRACKED } = ctstates;
const usual: Mode = { nat: 0, raw: 0, states: [INVALID, UNTRACKED] };

/** The modes that packets on a path can be in. */
export function modesOf(chains: Chains, path: Path, stages: readonly Stage[]): readonly Mode[] {
  const isSent = path === 'out' || path === 'loop';
  const nats = stages.filter(stage => stage.table === 'nat');
  const related: readonly Mode['nat'][] = nats.some(stage => stage.chain >= 0) ? [0, 2, 3] : [0];
  const shows = isSent && stages.some(stage => stage.table === 'raw' && stage.hook === 'OUTPUT' && looksAtState(chains, stage.chain));
  return [
    ...path === 'loop' && stages.some(stage => stage.table === 'raw' && stage.hook === 'PREROUTING' && (stage.does & Does.state) !== 0) ? parted : [usual],
    ...nats.some(stage => differs(chains, path, stage)) ? [{ nat: 1, raw: 0, states: [NEW, NEW] } as const] : [],
    ...related.flatMap((nat): Mode[] => (shows ? [0, 1] as const : [0] as const).map(raw => ({ nat, raw, states: [RELATED, RELATED] }))).slice(1),
    ...shows ? [{ nat: 0, raw: 1, states: [UNTRACKED, UNTRACKED] } as const] : [],
  ];
}

/** raw leaves alone what comes back from lo with a state. */
const parted: readonly Mode[] = [{ ...usual, states: [INVALID, INVALID] }, { ...usual, states: [NEW, UNTRACKED] }];

function fieldsOf({ list, below, dimensions }: Chains, chain: number): ReadonlySet<string> {
  const found = new Set<string>();
  for (const id of below(chain)) for (const d of list[id]?.asks ?? []) {
    const one = dimensions.list[d];
    if (one !== undefined) found.add(one.kind === 'atom' ? 'atom' : one.field);
  }
  return found;
}

function looksAtState(chains: Chains, chain: number): boolean {
  return ((chains.list[chain]?.does ?? 0) & Does.state) !== 0 || fieldsOf(chains, chain).has('ctstate');
}

/** All packets that begin the same connection have these in common; later fragments belong to none. @see get_l4proto() in net/netfilter/nf_conntrack_core.c */
const steady: ReadonlySet<string> = new Set(['src', 'dst', 'sport', 'dport', 'protocol', 'icmpType', 'icmpCode', 'fragment', 'ctstate']);

/** Whether a later NEW packet may fare otherwise at nat than one that is asked about. */
function differs(chains: Chains, path: Path, { chain, hook }: Stage): boolean {
  const own = chains.list[chain];
  if (own === undefined) return false;
  const translation = Does.accept | Does.leave | Does.src | Does.dst | Does.sport | Does.dport;
  if ((own.does & (stops | ~translation)) !== 0 || own.policy === 'DROP') return true;
  // Behind these nobody looks at what was written, but where lo gives the packet back.
  if ((hook === 'POSTROUTING' && path !== 'loop') || (hook === 'INPUT' && chains.ruleset.backend === 'legacy')) return false;
  return [...fieldsOf(chains, chain)].some(field => !steady.has(field)) || [...chains.below(chain)].some(id => chains.list[id]?.asksAtoms === true);
}
