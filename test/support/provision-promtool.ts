import { type Machine, provision } from './provision.ts';

/** The path of promtool, which checks rules and metrics as Prometheus will read them. */
export function provisionPromtool(machine: Machine): Promise<string | undefined> {
  return provision(machine, {
    programs: ['promtool'],
    package: 'prometheus',
    because: 'The suites of alerts and metrics need promtool',
    otherwise: 'SUITES OF ALERTS AND METRICS ARE SKIPPED',
  });
}
