/**
 * One argument syntax: how it is read, printed and generated. A value knows nothing of
 * the option that takes it.
 */
import type * as FastCheck from 'fast-check';

/** IPv4 (iptables) or IPv6 (ip6tables). */
export type Family = 'ipv4' | 'ipv6';
/** Which iptables loads the rules: iptables-legacy (x_tables) or iptables-nft. */
export type Backend = 'legacy' | 'nft';

/** What reading or printing a value may depend on. */
export interface ValueContext {
  readonly family: Family;
  /** The rule's `-p` so far: its number and whether it is negated; undefined without `-p`. */
  readonly protocol: { readonly number: number; readonly negated: boolean } | undefined;
  /** Whose output is printed; the two differ in places. */
  readonly backend: Backend;
}

/** Why a word is not a value. `unresolved`: it needs a name service that cannot be asked offline. */
export class Problem {
  readonly kind: 'refused' | 'unresolved';
  readonly message: string;
  readonly help: string | undefined;
  /** The finding that it makes, where that has a name of its own. */
  readonly check: 'too-many-ports' | undefined;
  constructor(kind: 'refused' | 'unresolved', message: string, help?: string, check?: 'too-many-ports') {
    this.kind = kind;
    this.message = message;
    this.help = help;
    this.check = check;
  }
}

/** The loader would refuse the word, because `message`. */
export function refuse(message: string, help?: string, check?: Problem['check']): Problem {
  return new Problem('refused', message, help, check);
}

/** The word is a name that only the machine could resolve. */
export function unresolved(name: string, service: 'host' | 'user' | 'group' | 'service' | 'protocol' | 'network'): Problem {
  return new Problem('unresolved', `the ${service} name \`${name}\` can only be resolved on the machine itself`);
}

/** The parts of fast-check that arbitraries use; handed in, so that running the linter never loads it. */
export type Fc = Omit<typeof FastCheck, 'default'>;
/** What fast-check draws values from. */
export type Arbitrary<T> = FastCheck.Arbitrary<T>;

export interface Value<T> {
  /** For help and errors: `port[:port]`. */
  readonly syntax: string;
  /** Words it takes: 0 for a flag. */
  readonly words: 0 | 1 | 2;
  /** Further words, taken only while they begin with neither `-` nor `!`. Absent: none. */
  readonly optional?: 1;
  /** `words` has as many as `this.words`, and maybe the optional one. */
  parse(words: readonly string[], cx: ValueContext): T | Problem;
  /** As `iptables-save` writes it, quoted where it must be; '' where it writes nothing. */
  print(value: T, cx: ValueContext): string;
  /** So many bytes of a word are kept, and the rest is cut in silence; absent where nothing is cut. */
  keeps?(cx: ValueContext): number;
  /** Legal words, in all the spellings that are accepted and not only the canonical one. */
  arbitrary(fc: Fc, cx: ValueContext): Arbitrary<readonly string[]>;
}
