/**
 * What the grammar must be told from above. How many words an option takes depends on
 * the extensions that are loaded (`--set` takes none in `recent`, two in `set`), and the
 * grammar knows no extension: so it walks an `OptionScope` as it reads a line.
 */

/** How many words an option takes. */
export interface OptionShape {
  /** Words that follow no matter how they look (`getopt`'s required argument). */
  readonly required: number;
  /** Further words, taken only while they begin with neither `-` nor `!`. */
  readonly optional: number;
}

/** An option word, looked up. */
export interface ResolvedOption {
  readonly shape: OptionShape;
  /** Where the value begins inside the word (`--dport=80`, `-ptcp`); 0 where it is a word of its own. */
  readonly valueAt: number;
  /** Behind a flag in a cluster (`-4A`): the rest, to be read as an option word of its own. */
  readonly rest: string | undefined;
  /** True where the option changes what is known (`-m`, `-j`, `-p`). */
  readonly loads: boolean;
  /** The scope in which the option was found: a protocol's match may have been loaded for it. */
  readonly scope: OptionScope;
}

/** The options known at one point of a line. Immutable; scopes are shared between lines. */
export interface OptionScope {
  /** Undefined where no loaded extension has such an option. */
  resolve(word: string): ResolvedOption | undefined;
  /** The scope behind an option that loads something. */
  after(option: ResolvedOption, value: string): OptionScope;
}
