/** `iptables-lint complete SHELL`: what shells need to complete its words; and what they ask for at each TAB. */
import { ShellCompDirective } from '@bomb.sh/tab';
import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';
import { formatNames } from '../report/formats.js';
import { checkNames, levels } from './check-names.js';
import { print } from './streams.js';

/** Words that cannot be told from the options: names of checks, formats. */
function values(root: Command): void {
  const completion = tab(root);
  // Where it knows no word, the shell is to offer files.
  Object.defineProperty(completion, 'directive', { get: () => ShellCompDirective.ShellCompDirectiveDefault, set: () => { /* it forbids files everywhere */ } });
  const offer = (words: readonly string[]) => (complete: (value: string, description: string) => void): void => { for (const word of words) complete(word, ''); };
  const check = completion.options.get('check');
  if (check !== undefined) check.handler = offer(checkNames().flatMap(name => levels.map(level => `${name}=${level}`)));
  const format = completion.options.get('format');
  if (format !== undefined) format.handler = offer(formatNames);
  const name = completion.commands.get('explain')?.arguments.get('check');
  if (name !== undefined) name.handler = offer(checkNames());
}

export async function complete(root: Command, words: readonly string[]): Promise<void> {
  values(root);
  await root.parseAsync(words, { from: 'user' });
  // The library's bash script offers no files, whatever it is told.
  if (words[1] === 'bash') await print('complete -o default -F __iptables_lint_complete iptables-lint\n');
}
