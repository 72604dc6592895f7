/** A plugin's check, every report of which is held against what a report must be. */
import * as v from 'valibot';
import type { Check, Report } from '../../analyzer/checks/define-check.js';
import { illustrationSchema, reportSchema } from './check-schema.js';

/** Says what is wrong, as an error of the check. @returns the value itself */
function held<T>(what: string, schema: v.GenericSchema, value: T): T {
  const read = v.safeParse(schema, value, { abortEarly: true });
  if (read.success) return value;
  const [issue] = read.issues;
  throw new TypeError(`${what} is wrong: ${v.getDotPath(issue) ?? 'it'} ${issue.message}`);
}

function heldReport(given: Report): Report {
  const { illustrate } = held('a report', reportSchema, given);
  return illustrate === undefined ? given : { ...given, illustrate: () => held('what illustrate returns', illustrationSchema, illustrate()) };
}

/** The same check; what it throws, it throws in `run`. */
export function guarded(check: Check): Check {
  const { asks, run } = check;
  return {
    ...check,
    // Asked for while another check runs, on which its error must not fall.
    ...asks === undefined ? {} : {
      asks: cx => {
        try {
          return asks(cx);
        } catch {
          return [];
        }
      },
    },
    * run(cx) {
      asks?.(cx);
      for (const report of run(cx)) yield heldReport(report);
    },
  };
}
