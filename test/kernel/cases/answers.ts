/** What the kernel answered to the cases, as record.ts has written it down: what the engine is compared with where no kernel can be asked. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ScenarioAnswer } from '../../../analyzer/netfilter/scenario.js';

export const answersFolder = fileURLToPath(new URL('../../../../test/kernel/cases/answers/', import.meta.url));

export interface RecordedAnswers {
  /** Versions of what answered. */
  readonly kernel: string;
  readonly iptables: string;
  /** By the name of the case. */
  readonly answers: Readonly<Record<string, ScenarioAnswer>>;
}

/** @param file as `allCases` names it */
export function recordedAnswers(file: string): RecordedAnswers {
  return JSON.parse(readFileSync(`${answersFolder}${file}.json`, 'utf8')) as RecordedAnswers;
}
