/** What the linter says. */
import type { Span } from '../grammar/source-text.js';
import type { Severity } from './model/diagnostic.js';

/** `certain`: it holds whatever cannot be known offline; `possible`: it holds for some of what may be. */
export type Certainty = 'certain' | 'possible';

/** Another rule that has a part in a finding. */
export interface Because {
  /** `filter:INPUT:3`, or `filter:INPUT:policy`. */
  readonly rule: string;
  readonly line: number;
  readonly message: string;
}

export type PacketWord = string | number | boolean;

/** One step of a witness: a packet, as in a scenario file. */
export interface WitnessStep {
  /** An interface, or `local` for a packet that the host itself sends. */
  readonly in: string;
  /** `quote` of an ICMP error is the packet that it is about. */
  readonly packet: Readonly<Record<string, PacketWord | Readonly<Record<string, PacketWord>>>>;
}

/** What the host of a witness must be, in the keys of a scenario; with the steps it is one. */
export interface WitnessHost {
  readonly interfaces?: readonly { readonly name: string; readonly addresses: readonly string[] }[];
  /** The words of `ip route`. */
  readonly routes?: readonly string[];
  /** The text of `ipset save`. */
  readonly ipsets?: string;
  /** The text of `conntrack -L`. */
  readonly conntrack?: string;
}

/** What the kernel of a machine says of a finding, by the packets of its witness. */
export type KernelWord =
  | { readonly kernel: 'confirmed' }
  | { readonly kernel: 'contradicted' | 'not-replayed'; readonly reason: string };

/** `text` in place of `span`. */
export interface Edit {
  readonly span: Span;
  readonly text: string;
}

/** What repairs the file: edits that do not overlap, in the order of the file; all of them or none. */
export interface Fix {
  readonly description: string;
  /** `safe`: no packet is to fare differently, which is proved before it is written. `unsafe`: some will, or what somebody meant is lost. */
  readonly safety: 'safe' | 'unsafe';
  readonly edits: readonly Edit[];
}

/** That a finding is known and meant, as a note in the file says. */
export interface Suppressed {
  readonly reason: string;
  /** `2027-01-31`: the last day on which the note counts. */
  readonly until?: string;
}

/** One thing that is wrong with a file, and how it is known. */
export interface Finding {
  readonly check: string;
  readonly severity: Severity;
  readonly certainty: Certainty;
  readonly message: string;
  /** Where in the file, in offsets. */
  readonly span: Span;
  /** The rule it is about; null where it is about the file. */
  readonly rule: string | null;
  readonly because: readonly Because[];
  /** So many rules it is about, where these are several: part of what it is known by. */
  readonly alike?: number;
  /** Packets, in order, that show it, as the engine has confirmed; null where there is nothing to show, or it could not be confirmed. */
  readonly witness: readonly WitnessStep[] | null;
  /** What the witness needs of the host; absent where the simplest one will do, which `trace` assumes. */
  readonly host?: WitnessHost;
  /** What to do about it. */
  readonly help: string;
  readonly fix?: Fix;
  /** Present where a note in the file says that it is meant. */
  readonly suppressed?: Suppressed;
  /** The program that made the rule or chain it is about, where one did. */
  readonly owner?: string;
  /** Its name that stays when lines move; absent where nobody has asked for it. */
  readonly fingerprint?: string;
}
