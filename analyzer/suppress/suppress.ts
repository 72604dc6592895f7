/** Findings that somebody knows and means are set apart; what is wrong with the notes that say so is found as well. */
import type { SourceText } from '../../grammar/source-text.js';
import type { Fix, Suppressed } from '../finding.js';
import type { LoadCheckName } from '../model/load-checks.js';
import { didYouMean } from '../model/suggest.js';
import type { Ruleset } from '../model/ruleset.js';
import { suppressionsInComments } from './in-comments.js';
import { suppressionsInRules } from './in-rules.js';
import { isDay } from './read-words.js';
import type { Suppression } from './suppression.js';

export interface SuppressOptions {
  /** `2026-11-21`: what is to be taken for today. */
  readonly today: string;
  /** Whether a note without a reason counts for nothing. */
  readonly isReasonRequired: boolean;
  /** The names of all checks. */
  readonly names: readonly string[];
  /** Whether a check was asked, so that its silence says something. */
  readonly wasAsked: (check: string) => boolean;
}

/** What is said about a note. */
export interface NoteFinding {
  readonly check: Extract<LoadCheckName, 'unused-suppression' | 'expired-suppression' | 'invalid-suppression'>;
  readonly message: string;
  readonly span: Suppression['span'];
  readonly help: string;
  readonly fix?: Fix;
}

export interface Suppressing {
  /** What a finding of this check at this place is suppressed by. */
  readonly by: (check: string, at: number) => Suppressed | undefined;
  /** Asked when all findings have been: notes that are wrong, expired, or were of no use. */
  readonly complaints: () => readonly NoteFinding[];
}

/** Why a note does not count; undefined where it does. */
function objection(note: Suppression, { today, isReasonRequired, names }: SuppressOptions): NoteFinding | undefined {
  const { checks: [check = ''], reason, until, span, fix } = note;
  const invalid = (message: string, help: string): NoteFinding => ({ check: 'invalid-suppression', message, span, help });
  const near = didYouMean(check, names);
  if (!names.includes(check)) return invalid(`there is no check ${check}${near === undefined ? '' : `: ${near}`}`, 'iptables-lint checks lists them all');
  if (until !== undefined && !isDay(until)) return invalid(`\`until=${until}\` is no day`, 'write the last day as until=2027-01-31');
  if (isReasonRequired && reason === '') return invalid(`it does not say why ${check} is meant, so it counts for nothing`, 'write a reason: behind two dashes in a # comment, behind the name in a --comment');
  if (until !== undefined && until < today) return { check: 'expired-suppression', message: `the suppression of ${check} counted until ${until}`, span, help: 'repair what it hides, or set another day', ...fix === undefined ? {} : { fix } };
  return undefined;
}

/** Reads the notes of a source. */
export function suppressing(source: SourceText, rulesets: readonly Ruleset[], options: SuppressOptions): Suppressing {
  const read = [suppressionsInComments(source), suppressionsInRules(source, rulesets)];
  const notes = read.flatMap(({ suppressions }) => suppressions);
  const objections = new Map(notes.map(note => [note, objection(note, options)]));
  const counting = notes.filter(note => objections.get(note) === undefined);
  const used = new Set<Suppression>();
  return {
    by(check, at) {
      const note = counting.find(({ checks, covers }) => checks.includes(check) && at >= covers.start && at < Math.max(covers.end, covers.start + 1));
      if (note === undefined) return undefined;
      used.add(note);
      return { reason: note.reason, ...note.until === undefined ? {} : { until: note.until } };
    },
    complaints: () => [
      ...read.flatMap(({ wrong }) => wrong.map((one): NoteFinding => ({ check: 'invalid-suppression', ...one }))),
      ...notes.flatMap((note): readonly NoteFinding[] => {
        const objected = objections.get(note);
        if (objected !== undefined) return [objected];
        const [check = ''] = note.checks;
        if (used.has(note) || !options.wasAsked(check)) return [];
        return [{ check: 'unused-suppression', message: `${check} finds nothing here that would have to be suppressed`, span: note.span, help: 'delete it, so that it hides nothing later', ...note.fix === undefined ? {} : { fix: note.fix } }];
      }),
    ],
  };
}
