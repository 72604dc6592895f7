/**
 * Which options a line may use at each of its words, as getopt_long sees them in iptables:
 * the built-in ones first, then those of the extension that was loaded last, then older ones;
 * a unique prefix will do; and an option that nobody knows loads the match of `-p` (`-p tcp --dport`).
 * Scopes are immutable and shared: a file of 100,000 rules has a few dozen.
 */
import type { OptionScope, OptionShape, ResolvedOption } from '../../grammar/option-shape.js';
import { parseProtocol, protocolWord } from '../values/protocol.js';
import type { Family } from '../values/value.js';
import { builtInOptions, shortOptions, type BuiltInKey } from './built-in-options.js';
import type { AnyExtension, AnyMatch, AnyOption } from './define.js';
import { findMatch, findTarget } from './registry.js';

/** A built-in option, as a shape that a reader can tell by `instanceof`. */
export class BuiltInOption implements OptionShape {
  readonly key: BuiltInKey;
  readonly required: number;
  readonly optional: number;
  constructor(key: BuiltInKey, shape: OptionShape) {
    this.key = key;
    this.required = shape.required;
    this.optional = shape.optional;
  }
}

/** An option of a loaded extension. */
export class ExtensionOption implements OptionShape {
  readonly extension: AnyExtension;
  readonly key: string;
  readonly definition: AnyOption;
  readonly required: number;
  readonly optional: number;
  constructor(extension: AnyExtension, key: string, definition: AnyOption) {
    this.extension = extension;
    this.key = key;
    this.definition = definition;
    this.required = definition.value.words;
    this.optional = definition.value.optional ?? 0;
  }
}

/** Some option behind an extension that we do not know: it takes what does not look like an option. */
export class OpaqueOption implements OptionShape {
  readonly extensionName: string;
  readonly required = 0;
  readonly optional = Infinity;
  constructor(extensionName: string) {
    this.extensionName = extensionName;
  }
}

export type KnownOption = BuiltInOption | ExtensionOption | OpaqueOption;

/** Stands for a target that is not known, in `OpaqueOption.extensionName`. */
export const opaqueTarget = '-j';

const builtIns = new Map(builtInOptions.map(option => [option.key, new BuiltInOption(option.key, option)]));
const builtInTable: readonly (readonly [string, KnownOption])[] = builtInOptions.flatMap(option => {
  const known = builtIns.get(option.key);
  return known === undefined ? [] : option.long.map(name => [name, known] as const);
});
const loading = new Set<BuiltInKey>(['m', 'j', 'p']);

type OptionTable = ReadonlyMap<string, ExtensionOption>;
const tables = new Map<AnyExtension, OptionTable>();

/** The options of an extension by long name without the dashes. */
function optionTable(extension: AnyExtension): OptionTable {
  let table = tables.get(extension);
  if (table === undefined) {
    const made = new Map<string, ExtensionOption>();
    for (const [key, definition] of Object.entries(extension.options as Record<string, AnyOption>)) {
      const known = new ExtensionOption(extension, key, definition);
      for (const name of definition.names) made.set(name.replace(/^--/u, ''), known);
    }
    tables.set(extension, table = made);
  }
  return table;
}

interface ScopeParts {
  readonly family: Family;
  /** Newest first, each once; a string is the newest of those that are not known. */
  readonly loaded: readonly (AnyExtension | string)[];
  readonly protocol: string | undefined;
  /** The protocol's match was loaded for an option that needed it. */
  readonly implicit: AnyMatch | undefined;
}

export class Scope implements OptionScope {
  readonly parts: ScopeParts;
  readonly #resolved = new Map<string, ResolvedOption | undefined>();
  readonly #next = new Map<string, Scope>();

  constructor(parts: ScopeParts) {
    this.parts = parts;
  }

  resolve(word: string): ResolvedOption | undefined {
    // A value inside the word would make every word another key.
    if (word.length > 40) return this.#find(word);
    const known = this.#resolved.get(word);
    if (known !== undefined || this.#resolved.has(word)) return known;
    const found = this.#find(word);
    if (this.#resolved.size < 2000) this.#resolved.set(word, found);
    return found;
  }

  after(option: ResolvedOption, value: string): Scope {
    const shape = option.shape;
    if (!(shape instanceof BuiltInOption)) return this;
    // A jump to a chain: which one makes no difference to what may follow.
    const key = shape.key === 'j' && findTarget(value, this.parts.family) === undefined ? 'j' : `${shape.key} ${value}`;
    let next = this.#next.get(key);
    if (next === undefined) {
      next = new Scope(this.#loadedAfter(shape.key, value));
      if (this.#next.size < 2000) this.#next.set(key, next);
    }
    return next;
  }

  /** Every option name that would be read here, for "did you mean". */
  names(): string[] {
    const names = builtInTable.map(([name]) => `--${name}`);
    for (const extension of this.parts.loaded) if (typeof extension !== 'string') names.push(...[...optionTable(extension).keys()].map(name => `--${name}`));
    const implied = this.#protocolMatch();
    if (implied !== undefined) names.push(...[...optionTable(implied).keys()].map(name => `--${name}`));
    return names;
  }

  #loadedAfter(key: BuiltInKey, value: string): ScopeParts {
    const { family, loaded } = this.parts;
    if (key === 'p') return { ...this.parts, protocol: value };
    const newest = key === 'm' ? findMatch(value, family) ?? value : findTarget(value, family) ?? opaqueTarget;
    return { ...this.parts, loaded: [newest, ...loaded.filter(one => one !== newest && (typeof one !== 'string' || typeof newest !== 'string'))] };
  }

  #find(word: string): ResolvedOption | undefined {
    return word.startsWith('--') ? this.#findLong(word) : this.#findShort(word);
  }

  #findShort(word: string): ResolvedOption | undefined {
    const option = shortOptions.get(word.charAt(1));
    const shape = option === undefined ? undefined : builtIns.get(option.key);
    if (shape === undefined) return this.#opaque();
    const base = { shape, loads: loading.has(shape.key), scope: this };
    if (word.length === 2) return { ...base, valueAt: 0, rest: undefined };
    if (shape.required > 0 || shape.optional > 0) return { ...base, valueAt: 2, rest: undefined };
    return { ...base, valueAt: 0, rest: `-${word.slice(2)}` };
  }

  #findLong(word: string): ResolvedOption | undefined {
    const equals = word.indexOf('=');
    const name = equals === -1 ? word.slice(2) : word.slice(2, equals);
    const shape = this.#exact(name) ?? this.#abbreviated(name);
    if (shape === undefined) return this.#throughProtocol(word) ?? this.#opaque();
    if (equals !== -1 && shape.required === 0 && shape.optional === 0) return undefined;
    const loads = shape instanceof BuiltInOption && loading.has(shape.key);
    return { shape, loads, scope: this, valueAt: equals === -1 ? 0 : equals + 1, rest: undefined };
  }

  #exact(name: string): KnownOption | undefined {
    for (const [long, known] of builtInTable) if (long === name) return known;
    for (const extension of this.parts.loaded) {
      const known = typeof extension === 'string' ? undefined : optionTable(extension).get(name);
      if (known !== undefined) return known;
    }
    return undefined;
  }

  #abbreviated(name: string): KnownOption | undefined {
    if (name === '') return undefined;
    const found = new Set<KnownOption>();
    for (const [long, known] of builtInTable) if (long.startsWith(name)) found.add(known);
    for (const extension of this.parts.loaded) {
      if (typeof extension === 'string') continue;
      for (const [long, known] of optionTable(extension)) if (long.startsWith(name)) found.add(known);
    }
    return found.size === 1 ? [...found][0] : undefined;
  }

  /** The match that `-p` would load (`load_proto`, iptables/xshared.c), once a rule. */
  #protocolMatch(): AnyMatch | undefined {
    const { protocol, implicit, family } = this.parts;
    if (protocol === undefined || implicit !== undefined) return undefined;
    const number = /^\d|^0x/iu.test(protocol) ? parseProtocol(protocol) : undefined;
    return findMatch(typeof number === 'number' ? protocolWord(number) : protocol.toLowerCase(), family);
  }

  #throughProtocol(word: string): ResolvedOption | undefined {
    const match = this.#protocolMatch();
    if (match === undefined) return undefined;
    let next = this.#next.get('implicit');
    if (next === undefined) {
      next = new Scope({ ...this.parts, loaded: [match, ...this.parts.loaded], implicit: match });
      this.#next.set('implicit', next);
    }
    return next.resolve(word);
  }

  #opaque(): ResolvedOption | undefined {
    const unknown = this.parts.loaded.find(extension => typeof extension === 'string');
    if (typeof unknown !== 'string') return undefined;
    return { shape: new OpaqueOption(unknown), loads: false, scope: this, valueAt: 0, rest: undefined };
  }
}

const starts: Partial<Record<Family, Scope>> = {};

/** The scope at the start of a line. */
export function startScope(family: Family): Scope {
  return starts[family] ??= new Scope({ family, loaded: [], protocol: undefined, implicit: undefined });
}
