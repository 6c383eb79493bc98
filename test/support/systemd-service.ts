import { readFile } from 'node:fs/promises';

const read = (name: string) =>
  readFile(new URL(`../../ops/systemd/${name}`, import.meta.url), 'utf8');

/** How systemd starts the program as the files in ops say. */
export interface SystemdService {
  /** What follows the program's file in the unit: the command and its flags. */
  readonly args: readonly string[];
  /** The variables of the unit and, stronger, those of the environment file. */
  readonly env: Readonly<Record<string, string>>;
  /** What the environment file proposes in comments. */
  readonly proposed: Readonly<Record<string, string>>;
}

/** @param credentials the folder that systemd would put the credentials in */
export async function systemdService(credentials: string): Promise<SystemdService> {
  const unit = await read('sojourn.service');
  const [, command = ''] = /^ExecStart=\S+ \S+\/dist\/main\.js (.*)$/m.exec(unit) ?? [];
  const file = await read('environment');
  return {
    args: command.split(' '),
    env: {
      ...variablesIn(unit.replaceAll('%d', credentials), /^Environment=(\w+)=(.*)$/gm),
      ...variablesIn(file, /^(\w+)=(.*)$/gm),
    },
    proposed: variablesIn(file, /^#(\w+)=(.*)$/gm),
  };
}

function variablesIn(text: string, lines: RegExp): Record<string, string> {
  return Object.fromEntries([...text.matchAll(lines)].map(([, name, value]) => [name, value]));
}
