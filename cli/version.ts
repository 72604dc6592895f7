/** Replaced by the build with the version in package.json. */
declare const IPTABLES_LINT_VERSION: string | undefined;
/** Replaced by the build with the place of what it bundled of program.ts, seen from cli.cjs. */
declare const IPTABLES_LINT_PROGRAM: string | undefined;

export const version: string = typeof IPTABLES_LINT_VERSION === 'string' ? IPTABLES_LINT_VERSION : 'development';
export const programFile: string = typeof IPTABLES_LINT_PROGRAM === 'string' ? IPTABLES_LINT_PROGRAM : 'program.js';
