import { type Machine, provision } from './provision.ts';

/** The path of systemd-analyze, which reads units without a systemd that runs. */
export function provisionSystemdAnalyze(machine: Machine): Promise<string | undefined> {
  return provision(machine, {
    programs: ['systemd-analyze'],
    package: 'systemd',
    because: 'The check of the systemd unit needs systemd-analyze',
    otherwise: 'THE CHECK OF THE SYSTEMD UNIT IS SKIPPED',
  });
}
