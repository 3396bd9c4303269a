import type { Command } from 'commander';
import { say } from '../platform/terminal.js';
import { readyOperations } from '../client/operations/ready.js';

const namesOf = (command: Command): string =>
  [...command.commands.map((subcommand) => subcommand.name()), ...command.options.map(({ long }) => long)]
    .filter(Boolean)
    .join(' ');

/** A script for bash and zsh that completes commands, their options, and the operations that `call` and `operations` take. */
function completionScript(program: Command): string {
  const operations = readyOperations()
    .map(({ name }) => name)
    .join(' ');
  const taking = (command: Command): string =>
    ['call', 'operations'].includes(command.name()) ? `${namesOf(command)} ${operations}` : namesOf(command);
  const cases = program.commands.map((command) => `    ${command.name()}) words="${taking(command)}" ;;`);
  return [
    '[ -n "$ZSH_VERSION" ] && autoload -U +X bashcompinit && bashcompinit',
    '_graft() {',
    `  local words="${namesOf(program)}"`,
    '  case "${COMP_WORDS[1]}" in',
    ...cases,
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))',
    '}',
    // Where no word fits, a file does.
    'complete -o default -F _graft graft',
  ].join('\n');
}

export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .description('print a script that completes commands: `source <(npx graft completion)` in bash or zsh')
    .action(() => say(completionScript(program)));
}
