import { type Machine, provision } from './provision.ts';

/** The path of a Redis server's binary; Valkey will do. */
export function provisionRedis(machine: Machine): Promise<string | undefined> {
  return provision(machine, {
    programs: ['redis-server', 'valkey-server'],
    package: 'redis-server',
    because: 'The live suites need Redis',
    otherwise: 'LIVE SUITES THAT NEED TO START REDIS ARE SKIPPED',
  });
}
