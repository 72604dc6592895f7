/** A witness as a check proposes it: packets, and what the engine must say of them. It is printed once the engine has agreed. */
import type { Certainty, PacketWord, WitnessStep } from '../finding.js';
import type { PacketSample } from '../packet-space/answers.js';

/** What a step shows. References are those of a trace's path: `filter:INPUT:3`, `filter:INPUT:policy`. What is absent may be anything. */
export interface Shown {
  /** The table and hook that it is about (`filter:INPUT`): what becomes of the packet there. Absent: on its whole way. */
  readonly at?: string;
  /** `passes`: it goes on behind that hook (arrives, or leaves); `lost`: it is dropped or rejected there. */
  readonly fate?: 'passes' | 'lost';
  /** One of these decides; `kernel: martian` and the like where no rule does. */
  readonly by?: readonly string[];
  /** All of these match. */
  readonly matches?: readonly string[];
  /** None of these matches. */
  readonly misses?: readonly string[];
  /** The source address with which it leaves the host. */
  readonly leavesFrom?: string;
  /** The finding does not claim it of this very packet: where it is otherwise, the witness shows nothing, and nothing is refuted. */
  readonly isPremise?: true;
}

export interface ProposedStep extends Pick<WitnessStep, 'in'> {
  readonly packet: Readonly<Record<string, PacketWord>>;
  /** It answers an earlier step, counted from 0, with whatever addresses that had as it left. */
  readonly answers?: number;
  /** It is an ICMP error about an earlier step, counted from 0: it quotes that packet as it left the host, and goes to whom it came from then. */
  readonly about?: number;
  readonly quote?: Readonly<Record<string, PacketWord>>;
  /** The packet as exact reasoning sees it, where the step was made of it: with what a scenario's packet cannot say. */
  readonly sample?: PacketSample;
  /** Where it goes to, translated or not, and the interface by which that is reached; without one it is an address of the host. */
  readonly sentOn?: { readonly address: string; readonly device?: string };
}

/** Packets, and what they show, step by step. */
export interface Illustration {
  readonly steps: readonly ProposedStep[];
  readonly shows: readonly Shown[];
}

export interface Proposal extends Illustration {
  readonly certainty: Certainty;
}
