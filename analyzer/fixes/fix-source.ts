/** Repairs a file: of the fixes that its findings offer, those that can be proved to be right. */
import type { SourceText } from '../../grammar/source-text.js';
import type { Edit, Finding, Fix } from '../finding.js';
import { load, type Loaded, type LoadOptions } from '../model/load.js';
import { difference, type Difference } from '../packet-space/pipeline/index.js';
import { solveBudget, type SolveBudget } from '../packet-space/pipeline/solve.js';
import { applyEdits, areInConflict } from './apply-edits.js';
import { hasNewErrors, prove } from './prove.js';

export interface FixOptions {
  /** Whether fixes are wanted that change what becomes of packets. */
  readonly unsafe: boolean;
  /** How the file is read. */
  readonly load: LoadOptions;
  /** What is found in a text: only that is repaired. */
  readonly findingsOf: (source: SourceText) => Promise<readonly Finding[]>;
}

/** A fix that was made. */
export interface Made {
  readonly finding: Finding;
  readonly description: string;
  readonly safety: Fix['safety'];
  /** The first line that it changed, as it was; '' where it only puts lines in. */
  readonly line: string;
  /** Of an unsafe one: what it changes, by family. */
  readonly differences: readonly Difference[];
}

/** A fix that is offered and was not made; `why` goes on from "not made: ". */
export interface NotMade {
  readonly finding: Finding;
  readonly why: string;
}

export interface FixResult {
  readonly text: string;
  readonly made: readonly Made[];
  /** Their places are those in `text`. */
  readonly notMade: readonly NotMade[];
  /** Why nothing is repaired, whatever is found. */
  readonly objection?: string;
}

interface Candidate {
  readonly finding: Finding;
  readonly fix: Fix;
}

/** Fixes may make room for others; they come to an end long before this. */
const mostPasses = 20;
/** In one pass a file is read again for so many rules, all readings together. */
const mostRead = 3_000_000;
/** These need a search; they are tried when what is proved at a glance is done. */
const searching = ['redundant-rule', 'mergeable-rules', 'established-rule-late'];

function ruleCount({ rulesets }: Loaded): number {
  return rulesets.reduce((sum, { tables }) => sum + [...tables.values()].reduce((all, { chains }) => all + [...chains.values()].reduce((count, { rules }) => count + rules.length, 0), 0), 0);
}

/** Why only words of rules may be changed, where not all that the file does is known; undefined where rules may go and move as well. */
function onlyWordsIn({ format, diagnostics }: Loaded): string | undefined {
  if (format === 'script' || format === 'restore') return 'in a file of commands only words of rules are changed, for what else the commands do is not known';
  return diagnostics.some(({ check, severity }) => severity === 'error' && check !== 'line-endings') ? 'the file has errors, and would not load; repair them first' : undefined;
}

/** One pass over a file: fixes that do not touch each other, each proved on top of those before it. */
class Pass {
  readonly made: Made[] = [];
  readonly notMade: NotMade[] = [];
  readonly #source: SourceText;
  readonly #options: FixOptions;
  readonly #budget: SolveBudget = solveBudget(1_000_000, 300_000_000);
  #edits: readonly Edit[] = [];
  #current: Loaded;
  #left = mostRead;

  constructor(source: SourceText, current: Loaded, options: FixOptions) {
    this.#source = source;
    this.#current = current;
    this.#options = options;
  }

  get text(): string {
    return applyEdits(this.#source.text, this.#edits);
  }

  #with(candidates: readonly Candidate[]): Loaded {
    this.#left -= ruleCount(this.#current) + 100;
    return load({ ...this.#source, text: applyEdits(this.#source.text, [...this.#edits, ...candidates.flatMap(({ fix }) => fix.edits)]) }, this.#options.load);
  }

  #take(candidates: readonly Candidate[], next: Loaded, differences: readonly Difference[] = []): void {
    this.#edits = [...this.#edits, ...candidates.flatMap(({ fix }) => fix.edits)];
    this.#current = next;
    for (const { finding, fix: { description, safety, edits } } of candidates) {
      const changed = edits.find(({ span }) => span.end > span.start);
      const start = changed === undefined ? 0 : this.#source.text.lastIndexOf('\n', changed.span.start - 1) + 1;
      const line = changed === undefined ? '' : this.#source.text.slice(start).split('\n', 1)[0] ?? '';
      this.made.push({ finding, description, safety, line: line.trim(), differences });
    }
  }

  /** All together; where that is not proved, in halves, and in the end one by one. */
  settle(candidates: readonly Candidate[]): void {
    const [first, ...others] = candidates;
    if (first === undefined) return;
    if (this.#left <= 0) return this.#leave(candidates, 'there are too many; run again for the rest');
    const next = this.#with(candidates);
    const proof = prove(this.#current, next, { onlyWords: onlyWordsIn(this.#current) !== undefined, budget: this.#budget });
    if (proof.kind === 'proven') return this.#take(candidates, next);
    if (others.length === 0) return this.#leave(candidates, proof.why);
    const middle = candidates.length >> 1;
    this.settle(candidates.slice(0, middle));
    this.settle(candidates.slice(middle));
  }

  /** One that changes what becomes of packets: it is made where it can be said what, and where its finding is gone then. */
  async risk(candidate: Candidate): Promise<void> {
    const { check, message } = candidate.finding;
    const next = this.#with([candidate]);
    if (hasNewErrors(this.#current, next)) { this.#leave([candidate], 'the file would not load any more'); return; }
    const differences = this.#current.rulesets.flatMap((ruleset, index) => {
      const other = next.rulesets[index];
      const answer = other?.family === ruleset.family ? difference(ruleset, other, { budget: this.#budget }) : undefined;
      return answer === undefined || answer.kind === 'undecided' ? [] : [answer];
    });
    if (differences.length < this.#current.rulesets.length) { this.#leave([candidate], 'to say what it changes takes too long'); return; }
    const count = async ({ source }: Loaded): Promise<number> => (await this.#options.findingsOf(source)).filter(one => one.check === check && one.message === message).length;
    if (await count(next) >= await count(this.#current)) { this.#leave([candidate], 'it would not help'); return; }
    this.#take([candidate], next, differences);
  }

  #leave(candidates: readonly Candidate[], why: string): void {
    for (const { finding } of candidates) this.notMade.push({ finding, why });
  }
}

/** What a shell puts into a command, or ends a word with, is not known from the text. */
function isInShell(text: string, { edits }: Fix): boolean {
  return edits.some(({ span }) => !text.slice(span.start, span.end).startsWith('#') && /[$`\\;|&\n]/u.test(text.slice(span.start, span.end)));
}

/** Fixes that do not touch each other, the first of each place. Left alone is what programs made: they would make it again. */
function candidatesIn({ source: { text }, format }: Loaded, findings: readonly Finding[], unsafe: boolean): readonly Candidate[] {
  const taken: Edit[] = [];
  return findings.flatMap((finding): readonly Candidate[] => {
    const { fix } = finding;
    if (fix === undefined || finding.owner !== undefined || finding.suppressed !== undefined || (fix.safety === 'unsafe' && !unsafe)) return [];
    if (format === 'script' && isInShell(text, fix)) return [];
    if (fix.edits.some(edit => taken.some(other => areInConflict(edit, other)))) return [];
    taken.push(...fix.edits);
    return [{ finding, fix }];
  });
}

/** Whether it takes no rule away and brings none: it changes words within lines, or a comment. */
function isAboutWords(text: string, { edits }: Fix): boolean {
  return edits.every(({ span, text: own }) => {
    const old = text.slice(span.start, span.end);
    return old.trimStart().startsWith('#') || (old !== '' && !old.includes('\n') && !own.includes('\n'));
  });
}

async function passOver(source: SourceText, loaded: Loaded, options: FixOptions): Promise<Pass> {
  const candidates = candidatesIn(loaded, await options.findingsOf(source), options.unsafe);
  const pass = new Pass(source, loaded, options);
  const onlyWords = onlyWordsIn(loaded);
  const kept: Candidate[] = [];
  for (const candidate of candidates) {
    if (onlyWords === undefined || isAboutWords(source.text, candidate.fix)) kept.push(candidate);
    else pass.notMade.push({ finding: candidate.finding, why: onlyWords });
  }
  const safe = kept.filter(({ fix }) => fix.safety === 'safe');
  pass.settle(safe.filter(({ finding }) => !searching.includes(finding.check)));
  for (const check of searching) pass.settle(safe.filter(({ finding }) => finding.check === check));
  for (const candidate of kept) if (candidate.fix.safety === 'unsafe') await pass.risk(candidate);
  return pass;
}

/**
 * Makes the fixes of a file, again and again until none is left that can be made; so a second run changes nothing. A safe one is made where it is
 * proved, together with all that were made before it, that every packet fares as before (`prove`); an unsafe one where it can be said what it changes.
 */
export async function fixSource(source: SourceText, options: FixOptions): Promise<FixResult> {
  const made: Made[] = [];
  for (let [current, passes] = [source, 1]; ; passes++) {
    const loaded = load(current, options.load);
    if (loaded.source.bareCarriageReturns === true) return { text: current.text, made, notMade: [], objection: 'its lines end in CR alone' };
    const pass = await passOver(current, loaded, options);
    made.push(...pass.made);
    if (pass.made.length === 0 || passes === mostPasses) return { text: pass.text, made, notMade: pass.notMade };
    current = { path: source.path, text: pass.text };
  }
}
