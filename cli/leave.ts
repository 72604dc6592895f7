/** The way out, which is the program's own: code of the user's that took it would hide what was found. */
import { syncBuiltinESMExports } from 'node:module';

/** Ends the program at once. */
export const leave: typeof process.exit = process.exit.bind(process);

/** `file:///srv/own.mjs:7:3`: who has called the function that calls this. */
function caller(): string {
  const [, , , frame = ''] = new Error().stack?.split('\n') ?? [];
  return frame.trim().replace(/^at (?:.* \((.*)\)|async )?/u, '$1');
}

/** From now on `process.exit` is an error of whoever calls it, as any other that is thrown. Node itself calls it for a thread that has failed. */
export function forbidToLeave(): void {
  process.exit = code => {
    const place = caller();
    if (place.startsWith('node:')) leave(code);
    throw new Error(`process.exit was called in ${place}, which would hide what was found`);
  };
  syncBuiltinESMExports();
}
