/** The words of a suppression: `CHECK[, CHECK] [until=DATE]`, and the reason. */

export interface SuppressionWords {
  readonly checks: readonly string[];
  readonly until: string | undefined;
  /** What stands behind, without `until=`. */
  readonly rest: string;
}

const name = /^[\s,]*([a-z0-9][a-z0-9-]*(?:\/[a-z0-9][a-z0-9-]*)?)(?=[\s,]|$)/u;
const anyWord = /^[\s,]*([^\s,]+)/u;

/** `separated`: a reason follows. More than one name needs a comma between, and whatever stands in the place of a name is meant for one. */
export function readWords(text: string, separated: boolean): SuppressionWords {
  const until = /(?:^|\s)until=(\S+)/u.exec(text)?.[1];
  let rest = text.replace(/(?:^|\s)until=\S+/u, ' ').trim();
  const checks: string[] = [];
  const next = separated ? anyWord : name;
  for (let match = next.exec(rest); match !== null; match = next.exec(rest)) {
    if (separated && checks.length > 0 && !rest.startsWith(',')) break;
    checks.push(match[1] ?? '');
    rest = rest.slice(match[0].length);
  }
  return { checks, until, rest: rest.trim() };
}

/** Whether a day is written as `2027-01-31`, and there is such a day. */
export function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/u.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().startsWith(text);
}
