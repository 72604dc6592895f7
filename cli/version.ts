/** Replaced by the build with the version in package.json. */
declare const IPTABLES_LINT_VERSION: string | undefined;

export const version: string = typeof IPTABLES_LINT_VERSION === 'string' ? IPTABLES_LINT_VERSION : 'development';
