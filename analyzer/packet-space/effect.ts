/** What a target does to the packet's way, and fates as bits. */
import type { AnyTarget, Effect } from '../extensions/define.js';
import { saveUse, type Use } from '../extensions/use.js';
import type { RuleTarget, Ruleset, Table } from '../model/ruleset.js';
import type { Fate } from './answers.js';

export function effectOf(use: Use<AnyTarget>): Effect {
  const { effect } = use.definition;
  return typeof effect === 'function' ? effect(use.given) : effect;
}

/** A rule's effect. A chain that does not exist may do anything; jumps to chains that do are none of its business. */
export function targetEffect(target: RuleTarget): Effect {
  switch (target.kind) {
    case 'none': return 'continue';
    case 'extension': return effectOf(target.use);
    case 'opaque': case 'chain': return 'unknown';
  }
}

/** Bits of the fates that every table has. */
export const fateBits = { accept: 1, drop: 2, unknown: 4, /** Not a fate: something is done on the way, as logging. */ side: 8 } as const;
const firstFree = 16;
/** Where a table has more different fates than bits, the last of their kind share one; they count as different even from themselves. */
const shared = { reject: 1 << 28, queue: 1 << 29, nat: 1 << 30 } as const;
export const allFates = 0x7fff_ffff;
/** No fate: marks boxes of RETURN, jump and goto, so that they can be looked for like fates. */
export const leads = -0x8000_0000;

/** Gives every different fate of a table (reject with what, translate to where) a bit of its own. */
export class FateRegister {
  readonly #family: Ruleset['family'];
  readonly #backend: Ruleset['backend'];
  readonly #table: string;
  readonly #bits = new Map<string, number>();
  readonly #kinds: Record<'reject' | 'queue' | 'nat', number> = { ...shared };
  #next: number = firstFree;

  constructor(ruleset: Ruleset, table: Table) {
    this.#family = ruleset.family;
    this.#backend = ruleset.backend;
    this.#table = table.name;
  }

  bitOf(target: RuleTarget): number {
    const effect = targetEffect(target);
    switch (effect) {
      case 'accept': case 'drop': case 'unknown': return fateBits[effect];
      case 'continue': return target.kind === 'none' ? 0 : fateBits.side;
      case 'return': return 0;
      case 'reject': case 'queue': case 'nat': return this.#worded(effect, target);
    }
  }

  /** All bits of a fate. */
  maskOf(fate: Fate): number {
    return fate === 'reject' || fate === 'queue' || fate === 'nat' ? this.#kinds[fate] : fateBits[fate];
  }

  /** True where two rules with this bit certainly do the same. */
  isOneFate(bit: number): boolean {
    return bit !== 0 && bit !== fateBits.unknown && bit !== fateBits.side && bit < shared.reject;
  }

  #worded(effect: 'reject' | 'queue' | 'nat', target: RuleTarget): number {
    const words = target.kind === 'extension' ? `${target.use.definition.name} ${saveUse(target.use, { family: this.#family, backend: this.#backend, protocol: undefined, table: this.#table, ordered: target.use.ordered }) ?? ''}` : '';
    let bit = this.#bits.get(words);
    if (bit === undefined) {
      bit = this.#next < shared.reject ? this.#next : shared[effect];
      if (bit === this.#next) this.#next *= 2;
      this.#bits.set(words, bit);
      this.#kinds[effect] |= bit;
    }
    return bit;
  }
}
