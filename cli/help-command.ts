/** `iptables-lint help COMMAND` */
import { Command } from 'commander';
import { didYouMean } from '../analyzer/model/suggest.js';
import { Trouble } from './trouble.js';

/** commander's own shows the help of what there is, for want of what there is not. */
export function helpCommand(of: Command): Command {
  return new Command('help')
    .description('print the help of a command')
    .argument('[command]')
    .action((name: string | undefined) => {
      const command = name === undefined ? of : of.commands.find(one => one.name() === name);
      if (command !== undefined) command.help();
      throw new Trouble(`there is no command ${name ?? ''}: ${didYouMean(name ?? '', of.commands.map(one => one.name())) ?? `see ${of.parent === null ? '' : 'iptables-lint '}${of.name()} --help`}`);
    });
}
