/**
 * Every rule of a file through the whole pipeline, and the replies to what every accepting rule lets in: `node build/bench/gateway.js FILE`.
 * Prints a JSON object of counts; `bench/checks.ts` times it.
 */
import { readFileSync } from 'node:fs';
import { exchanges } from '../analyzer/checks/shared/replies.js';
import { effectOf } from '../analyzer/checks/shared/targets.js';
import { load } from '../analyzer/model/load.js';
import type { Rule, Ruleset } from '../analyzer/model/ruleset.js';
import { packetSpace, reach } from '../analyzer/packet-space/index.js';
import { neverReplied, pipeline, reachThrough, type ConversationQuestion, type Path } from '../analyzer/packet-space/pipeline/index.js';

const paths: readonly Path[] = ['in', 'through', 'out'];

/** Rules that packets can match in their own table. */
function liveInTables(ruleset: Ruleset): Set<Rule> {
  const space = packetSpace(ruleset);
  const live = new Set<Rule>();
  for (const table of ruleset.tables.values()) for (const [rule, { kind }] of reach(space, table)) if (kind === 'live' || kind === 'undecided') live.add(rule);
  return live;
}

function count(ruleset: Ruleset): Record<string, number> {
  const [tcp] = exchanges(ruleset);
  const whole = tcp === undefined ? undefined : pipeline(ruleset, { asked: [tcp.first, tcp.reply] });
  const counts = { rules: 0, dead: 0, accepting: 0, neverReplied: 0, undecided: 0 };
  if (whole === undefined || tcp === undefined) return counts;
  const live = liveInTables(ruleset);
  const questions = paths.map((path): ConversationQuestion => ({ path, packets: tcp.first, answers: tcp.reply }));
  for (const { rule, table } of whole.chains.rules) {
    counts.rules++;
    const passage = live.has(rule) ? reachThrough(whole, rule).kind : 'dead';
    if (passage === 'dead') counts.dead++;
    if (passage === 'undecided') counts.undecided++;
    if (table !== 'filter' || passage === 'dead' || effectOf(rule) !== 'accept') continue;
    counts.accepting++;
    for (const question of questions) {
      const answer = neverReplied(whole, rule, question);
      if (answer?.kind === 'never') counts.neverReplied++;
      if (answer?.kind === 'undecided') counts.undecided++;
    }
  }
  return counts;
}

const path = process.argv[2] ?? '';
const { rulesets } = load({ path, text: readFileSync(path, 'latin1') });
for (const ruleset of rulesets) {
  const counts = count(ruleset);
  console.log(JSON.stringify({ ...counts, findings: (counts['dead'] ?? 0) + (counts['neverReplied'] ?? 0) }));
}
