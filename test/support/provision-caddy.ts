import { type Machine, provision } from './provision.ts';

/** The path of Caddy, a proxy that fetches its certificates by itself. */
export function provisionCaddy(machine: Machine): Promise<string | undefined> {
  return provision(machine, {
    programs: ['caddy'],
    package: 'caddy',
    because: 'The check of the Caddyfile needs Caddy',
    otherwise: 'THE CHECK OF THE CADDYFILE IS SKIPPED',
  });
}
