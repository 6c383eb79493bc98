import { isSecret } from '../config.ts';
import type { Command } from './command.ts';

/** A script that completes commands and flags in bash, and in zsh with `bashcompinit`. */
export function completionScript(commands: ReadonlyMap<string, Command>): string {
  const cases = [...commands].map(
    ([name, command]) => `    *:${name}) words='${flagsOf(command).join(' ')}' ;;`,
  );
  return `_sojourn() {
  local words=
  case "$COMP_CWORD:\${COMP_WORDS[1]}" in
    1:*) words='${[...commands.keys()].join(' ')} --help --version' ;;
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _sojourn sojourn`;
}

function flagsOf({ flags, settings }: Command): string[] {
  const names = [...Object.keys(flags), ...settings.filter((name) => !isSecret(name)), 'help'];
  return names.map((name) => `--${name}`);
}
