/** Plays conversations near a rule set's constants, and tests of each what must be true: the smallest that breaks a property is the answer. */
import type { RunDetails } from 'fast-check';
import { placeOf, type Place } from '../generate/near/packets-near.js';
import { play, scenarioOf } from '../generate/near/play.js';
import { preludesTo } from '../generate/near/preludes.js';
import { scripts, type Script } from '../generate/near/script.js';
import type { Ruleset } from '../model/ruleset.js';
import type { HostSetup } from '../netfilter/engine.js';
import type { Scenario } from '../netfilter/scenario.js';
import type { Fc } from '../values/value.js';
import type { Breach, Property, Wishes } from './property.js';
import { smallerHost } from './smaller-host.js';
import { smallest } from './smallest.js';

export interface FuzzOptions extends Wishes {
  readonly properties: readonly Property[];
  /** Conversations for each property. */
  readonly runs: number;
  readonly seed: number;
  /** The path of an earlier failure: only that is played. */
  readonly path?: string;
  /** The host; absent: one that the rules make likely. */
  readonly setup?: HostSetup;
  /** When the first packet is sent, in seconds since 1970 (UTC). */
  readonly start?: number;
  /** Is told now and then how far it has come. */
  readonly progress?: (property: string, played: number) => void;
}

/** What came of testing one property. */
export type Outcome = { readonly property: Property } & (
  | { readonly kind: 'held'; readonly runs: number; readonly packets: number }
  | { readonly kind: 'skipped'; readonly why: string }
  /** `scenario`: the smallest conversation that was found, up to the packet that breaks the property. */
  | { readonly kind: 'failed'; readonly runs: number; readonly shrinks: number; readonly path: string; readonly why: string; readonly scenario: Scenario }
);

/** Smaller conversations that are tried of one that fails, by how many were drawn. */
const shrinksPerRun = 5;

/** So many conversations take seconds: a host is made anew for each. */
const usual = { runs: 300, least: 20, rules: 200_000 };

/** Conversations that are played for each property where nobody says how many: 300, and fewer for large rule sets. */
export function usualRuns({ tables }: Ruleset): number {
  const rules = [...tables.values()].flatMap(({ chains }) => [...chains.values()]).reduce((sum, chain) => sum + chain.rules.length, 0);
  return Math.max(usual.least, Math.min(usual.runs, Math.floor(usual.rules / Math.max(1, rules))));
}

/** A property being tested. */
class Trial {
  readonly #test: (script: Script) => Breach | undefined;
  readonly #progress: (played: number) => void;
  played = 0;
  packets = 0;
  #failedAt: number | undefined;
  readonly #mostShrinks: number;

  constructor(place: Place, property: Property, { progress, ...wishes }: FuzzOptions) {
    const test = property.test(place, wishes);
    this.#mostShrinks = Math.max(200, wishes.runs * shrinksPerRun);
    this.#test = script => {
      const conversation = play(place, script);
      this.packets += conversation.events.length;
      return test(conversation);
    };
    this.#progress = played => progress?.(property.name, played);
  }

  /** Whether the property holds of what this script says; true of everything once enough is tried to make it smaller. */
  readonly holds = (script: Script): boolean => {
    this.#progress(++this.played);
    if (this.#failedAt !== undefined && this.played > this.#failedAt + this.#mostShrinks) return true;
    if (this.#test(script) === undefined) return true;
    this.#failedAt ??= this.played;
    return false;
  };
}

function failure(place: Place, property: Property, options: FuzzOptions, [found]: [Script], { numRuns, numShrinks, counterexamplePath }: RunDetails<[Script]>): Outcome {
  const test = property.test(place, options);
  const script = smallest(found, one => test(play(place, one))?.index);
  const small = options.setup === undefined ? smallerHost(place, script, property, options) : place;
  const played = play(small, script);
  const breach = property.test(small, options)(played);
  const scenario = scenarioOf(played, (breach?.index ?? played.events.length) + 1);
  const { family, backend, steps } = scenario;
  return {
    property, kind: 'failed', runs: numRuns, shrinks: numShrinks, path: counterexamplePath ?? '', why: breach?.why ?? '',
    scenario: options.setup === undefined ? scenario : { ...family === undefined ? {} : { family }, ...backend === undefined ? {} : { backend }, steps },
  };
}

/** Tests the properties of one rule set; the same options give the same answer. `fc` is fast-check, which is handed in so that only those load it who need it. */
export function* fuzz(fc: Fc, ruleset: Ruleset, options: FuzzOptions): Generator<Outcome, void> {
  const place = placeOf(ruleset, options.setup, options.start === undefined ? {} : { start: options.start });
  let preludes: ReturnType<typeof preludesTo> | undefined;
  for (const property of options.properties) {
    const why = property.skipped?.(options);
    if (why !== undefined) {
      yield { property, kind: 'skipped', why };
      continue;
    }
    const trial = new Trial(place, property, options);
    const drawn = scripts(fc, place, preludes ??= preludesTo(place));
    const result = fc.check(fc.property(drawn, trial.holds), { seed: options.seed, numRuns: options.runs, ...options.path === undefined ? {} : { path: options.path, endOnFailure: true } });
    if (result.counterexample === null) yield { property, kind: 'held', runs: result.numRuns, packets: trial.packets };
    else yield failure(place, property, options, result.counterexample, result);
  }
}
