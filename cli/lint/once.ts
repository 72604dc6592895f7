/** Rule sets that are the same are linted once: many hosts have the same. */
import { createHash } from 'node:crypto';
import { Recent } from '../recent.js';
import type { Lint, Linted, LintJob } from './linted.js';
import { likeness } from './likeness.js';

/** So many answers are kept for those that come later, and of rule sets of so many characters at most: in memory they take as much again. */
const kept = { answers: 256, characters: 200_000 };

export class Once {
  readonly #known = new Recent<string, Promise<{ readonly job: LintJob; readonly linted: Linted }>>(kept.answers);

  /** What `lint` says of this job, or has said of one that is like it, moved to where this one has it. */
  async lint(job: LintJob, lint: Lint): Promise<Linted> {
    // What checks of others look at, nobody knows.
    if (job.source.text.length > kept.characters || job.settings.plugins !== undefined) return lint(job);
    const { key, move } = likeness(job);
    const first = await this.#known.get(createHash('sha256').update(key).digest('base64'), async () => ({ job, linted: await lint(job) }));
    if (first.job === job) return first.linted;
    return move(first.job, first.linted) ?? lint(job);
  }
}
