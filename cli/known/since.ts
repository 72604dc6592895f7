/** Findings that were in the files as git has them at a commit: only what a change brought is shown. */
import { spawnSync } from 'node:child_process';
import { basename, dirname, resolve } from 'node:path';
import { analyzeWithoutWitnesses } from '../../analyzer/examine.js';
import { decodeBytes, type SourceText } from '../../grammar/source-text.js';
import { fingerprintsOf } from '../../report/fingerprint.js';
import { countOf } from '../../report/report.js';
import { analyzeOptions } from '../lint/lint-job.js';
import type { LintSettings } from '../lint/linted.js';
import { Trouble } from '../trouble.js';
import type { Known } from './known.js';

/** Git's output is read up to so many bytes. */
const mostBytes = 1 << 30;

function git(folder: string, words: readonly string[]): { readonly status: number | null; readonly stdout: Buffer; readonly stderr: string } {
  const { status, stdout, stderr, error } = spawnSync('git', ['-C', folder, ...words], { maxBuffer: mostBytes });
  if (error !== undefined) throw new Trouble(`--since asks git, and it cannot be run: ${error.message}`);
  return { status, stdout, stderr: stderr.toString('utf8').trim() };
}

/** The file at that commit; undefined where it was not there. */
function fileAt(commit: string, path: string): SourceText | undefined {
  const whole = resolve(path);
  const { status, stdout } = git(dirname(whole), ['show', `${commit}:./${basename(whole)}`]);
  return status === 0 ? { path, text: decodeBytes(stdout) } : undefined;
}

/**
 * @param commit what git takes for one: a hash, a branch, `HEAD~1`.
 * @param settingsFor how each file is linted, then as now.
 * @throws Trouble where there is no git, no repository, or no such commit.
 */
export function knownSince(commit: string, settingsFor: (path: string) => Promise<LintSettings>): Known {
  const { status, stderr } = git('.', ['rev-parse', '--verify', '--quiet', '--end-of-options', `${commit}^{commit}`]);
  if (status !== 0) throw new Trouble(`--since ${commit}: ${stderr === '' ? 'git knows no such commit' : stderr}`);
  return {
    of: async source => {
      const before = fileAt(commit, source.path);
      if (before === undefined) return new Set();
      const { findings, loaded } = analyzeWithoutWitnesses(before, await analyzeOptions(await settingsFor(before.path)));
      return new Set(fingerprintsOf({ source: before, findings, rulesets: loaded.rulesets }));
    },
    told: ({ hidden }) => hidden === 0 ? [] : [`${countOf(hidden, 'finding')} that ${commit} has as well not shown`],
  };
}
