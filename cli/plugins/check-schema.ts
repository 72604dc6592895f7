/** What a plugin's check must be, and what it may report: nobody's compiler has looked at it. */
import * as v from 'valibot';
import { checkKinds } from '../../analyzer/checks/define-check.js';
import { loadChecks } from '../../analyzer/model/load-checks.js';
import { flag, found, list, object, oneOf, text, whole } from '../../analyzer/model/schema-words.js';
import { packetSchema } from '../../analyzer/netfilter/scenario/schema.js';

const optional = v.optional;
const kinds = Object.keys(checkKinds);
const severity = oneOf(['info', 'warning', 'error'], 'severity');
const example = v.union([v.string(), v.looseObject({ rules: v.string() })], issue => `must be a rule set, as text or as { rules, … }, and is ${found(issue)}`);
const code = v.function(issue => `must be a function, and is ${found(issue)}`);
const written = v.pipe(text, v.nonEmpty('must say something'));

const name = v.pipe(text, v.regex(/^[a-z][a-z0-9-]*\/[a-z][a-z0-9-]*$/u, ({ input }) => `\`${input}\` must be two words with a slash, as acme/no-telnet: so no check of the program will ever be called the same`));

export const checkSchema = object({
  name, kind: oneOf(kinds, 'kind'), severity, auditor: optional(severity), isOff: optional(flag),
  mutedIn: optional(oneOf(['generated'], 'word for mutedIn')), replaces: optional(oneOf(Object.keys(loadChecks), 'finding of loading')), claimsDead: optional(flag),
  summary: written, why: written, bad: example, good: example, nearMiss: example,
  asks: optional(code), run: code,
}, 'the check');

const span = object({ start: whole(0xffff_ffff), end: whole(0xffff_ffff) }, 'the span');
const texts = list(text);
const shown = object({ at: optional(text), fate: optional(oneOf(['passes', 'lost'], 'fate')), by: optional(texts), matches: optional(texts), misses: optional(texts), leavesFrom: optional(text) }, 'what the step shows');
const step = v.looseObject({ in: text, packet: packetSchema }, issue => `must be a packet and whence it comes, and is ${found(issue)}`);

/** Packets, and what they show. */
export const illustrationSchema = v.optional(v.looseObject({ steps: list(step), shows: list(shown) }, issue => `must be { steps, shows }, and is ${found(issue)}`));

export const reportSchema = v.looseObject({
  message: written, help: text,
  at: optional(v.looseObject({ table: text, chain: text, position: whole(0xffff_ffff), rule: v.looseObject({ start: v.number(), end: v.number() }) }, issue => `must be what rules() gives, and is ${found(issue)}`)),
  chain: optional(v.looseObject({ name: text }, issue => `must be a chain of the rule set, and is ${found(issue)}`)),
  span: optional(span), severity: optional(severity), certainty: optional(oneOf(['certain', 'possible'], 'certainty')),
  because: optional(list(object({ rule: text, line: whole(0xffff_ffff), message: text }, 'the cause'))),
  witness: optional(list(step)), shows: optional(list(shown)), illustrate: optional(code),
  fix: optional(v.looseObject({}, issue => `must be an object, and is ${found(issue)}`)), mutedIn: optional(oneOf(['generated'], 'word for mutedIn')),
}, issue => `must be an object, and is ${found(issue)}`);
