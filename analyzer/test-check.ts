/** What a check promises, tried on its own examples. */
import { analyze } from './analyze.js';
import type { Check, Example } from './checks/define-check.js';
import { checks } from './checks/index.js';
import { inputOfExample, type Analysis } from './examine.js';
import type { Finding } from './finding.js';

function analysisOf(check: Check, example: string | Example): Analysis {
  const all = checks.includes(check) ? checks : [...checks, check];
  return analyze(...inputOfExample(example, { checks: all, ...check.isOff === true ? { severities: { [check.name]: check.severity } } : {} }));
}

function isLoud({ severity }: Finding): boolean {
  return severity !== 'info';
}

/** `isSilent`: it is to say nothing; `isClean`: and no other check anything that is a warning or an error. */
function* wrong(check: Check, which: string, example: string | Example, { isSilent, isClean }: { readonly isSilent: boolean; readonly isClean: boolean }): Generator<string, void> {
  const { findings, internalErrors } = analysisOf(check, example);
  const own = findings.filter(one => one.check === check.name);
  const others = findings.filter(one => one.check !== check.name && isLoud(one));
  for (const error of internalErrors) yield `the ${which} example: ${error.check} fails: ${error.detail}`;
  if (!isSilent && own.length === 0) yield `the ${which} example yields no finding of it`;
  for (const { message } of isSilent ? own : []) yield `the ${which} example yields a finding of it: ${message}`;
  for (const { help, message } of isSilent ? [] : own) if (help === '') yield `its finding says no help: ${message}`;
  for (const { check: name, message } of isClean ? others : []) yield `the ${which} example yields a finding of another check, ${name}: ${message}`;
}

/**
 * Runs a check, among all others, on its three examples. The bad one must yield findings of it, with help; the good one and the near
 * miss none; and neither the bad nor the good one may yield a warning or an error of another check.
 * @returns what is not so, in words; empty where all is well, so that a test is `assert.deepEqual(testCheck(check), [])`
 */
export function testCheck(check: Check): readonly string[] {
  return [
    ...wrong(check, 'bad', check.bad, { isSilent: false, isClean: true }),
    ...wrong(check, 'good', check.good, { isSilent: true, isClean: true }),
    ...wrong(check, 'near-miss', check.nearMiss, { isSilent: true, isClean: false }),
  ];
}
