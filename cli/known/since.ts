/** Findings that were in the files as git has them at a commit: only what a change brought is shown. */
import { spawnSync } from 'node:child_process';
import { basename, dirname, resolve } from 'node:path';
import { decodeBytes, type SourceText } from '../../grammar/source-text.js';
import { countOf } from '../../report/report.js';
import { fileOfRules } from '../lint/jobs.js';
import type { LintJob } from '../lint/linted.js';
import { Recent } from '../recent.js';
import { Trouble } from '../trouble.js';
import type { Known } from './known.js';

/** Git's output is read up to so many bytes. */
const mostBytes = 1 << 30;

function git(folder: string, words: readonly string[], input = ''): { readonly status: number | null; readonly stdout: Buffer; readonly stderr: string } {
  const { status, stdout, stderr, error } = spawnSync('git', ['-C', folder, ...words], { maxBuffer: mostBytes, input });
  if (error !== undefined) throw new Trouble(`--since asks git, and it cannot be run: ${error.message}`);
  return { status, stdout, stderr: stderr.toString('utf8').trim() };
}

/** As CI clones it, with the last commit only. */
function isShallow(): boolean {
  return git('.', ['rev-parse', '--is-shallow-repository']).stdout.toString('utf8').trim() === 'true';
}

/** The file at that commit, or the one that a link led to then; undefined where it was not there. */
function fileAt(commit: string, path: string): SourceText | undefined {
  const whole = resolve(path);
  const { stdout } = git(dirname(whole), ['cat-file', '--batch', '--follow-symlinks'], `${commit}:./${basename(whole)}\n`);
  const start = stdout.indexOf('\n') + 1;
  const size = /^[0-9a-f]+ blob (\d+)\n$/u.exec(stdout.toString('latin1', 0, start))?.[1];
  return size === undefined ? undefined : { path, text: decodeBytes(stdout.subarray(start, start + Number(size))) };
}

/** So many files are kept as they were: a host is asked for each of its rule sets. */
const mostFiles = 16;

/**
 * The rules as they were then, and as they are linted now. A file beside them, of the other family, is taken as it was then as well.
 *
 * @param commit what git takes for one: a hash, a branch, `HEAD~1`.
 * @param jobsIn what is to be linted of a file.
 * @throws Trouble where there is no git, no repository, or no such commit.
 */
export function knownSince(commit: string, jobsIn: (source: SourceText) => Promise<readonly LintJob[]>): Known {
  const { status, stderr } = git('.', ['rev-parse', '--verify', '--quiet', '--end-of-options', `${commit}^{commit}`]);
  if (status !== 0) throw new Trouble(`--since ${commit}: ${stderr === '' ? `git knows no such commit${isShallow() ? ': the clone is shallow, git fetch --unshallow gets the rest' : ''}` : stderr.replace(/\s+/gu, ' ')}`);
  const files = new Recent<string, SourceText | undefined>(mostFiles);
  const at = (path: string): SourceText | undefined => files.get(path, () => fileAt(commit, path));
  return {
    of: async ({ path }, lint) => {
      const before = at(fileOfRules(path));
      const job = before === undefined ? undefined : await jobThen(before, path, jobsIn);
      if (job === undefined) return new Set();
      const { findings } = await lint(withSibling(job, at));
      return new Set(findings.map(({ fingerprint = '' }) => fingerprint));
    },
    told: ({ hidden }) => hidden === 0 ? [] : [`${countOf(hidden, 'finding')} that ${commit} has as well not shown`],
  };
}

/** Among the rule sets of one host there is nothing to do: they are all as they were. */
function withSibling(job: LintJob, at: (path: string) => SourceText | undefined): LintJob {
  const { sibling: now, ...settings } = job.settings;
  const file = now === undefined ? undefined : fileOfRules(now.path);
  if (file === undefined || file !== now?.path) return job;
  const sibling = at(file);
  return { ...job, settings: { ...settings, ...sibling === undefined ? {} : { sibling } } };
}

/** Of a host that could not be read then nothing is known. */
async function jobThen(before: SourceText, path: string, jobsIn: (source: SourceText) => Promise<readonly LintJob[]>): Promise<LintJob | undefined> {
  try {
    return (await jobsIn(before)).find(({ source }) => source.path === path);
  } catch (error) {
    if (error instanceof Trouble) return undefined;
    throw error;
  }
}
