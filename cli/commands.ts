/** All that commands do, loaded at once: every file more to load costs more than what is in it. */
export { explain } from './explain.js';
export { fmt } from './fmt.js';
export { lint } from './lint.js';
export { listChecks } from './list-checks.js';
