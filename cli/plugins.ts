/** `--plugin FILE`: checks of the user's own. Only the command line names them: what is found on disk must not run. */
import type { PluginOptions } from './options.js';

/** Loads them, in place of any that were loaded before. @throws {Trouble} where one cannot be loaded */
export async function usePlugins(paths: PluginOptions['plugin']): Promise<void> {
  if (paths === undefined) return;
  const [{ learnChecks }, { loadPlugins }] = await Promise.all([import('./check-names.js'), import('./load-plugins.js')]);
  learnChecks(await loadPlugins(paths));
}
