import { type Machine, provision } from './provision.ts';

/** The path of nginx, the proxy that most servers stand behind. */
export function provisionNginx(machine: Machine): Promise<string | undefined> {
  return provision(machine, {
    programs: ['nginx'],
    package: 'nginx-light',
    because: 'The proxy suites need nginx',
    otherwise: 'PROXY SUITES ARE SKIPPED',
  });
}
