/** CPU time in microseconds: what a program computes itself, and what the kernel does for it. */
export interface Cpu {
  readonly userUs: number;
  readonly systemUs: number;
}

/** What this process has used so far, all its threads included. */
export function ownCpu(): Cpu {
  const { user, system } = process.cpuUsage();
  return { userUs: user, systemUs: system };
}

/** What was used between the two, for each operation. */
export function cpuBetween(before: Cpu, after: Cpu, operations = 1): Cpu {
  return {
    userUs: (after.userUs - before.userUs) / operations,
    systemUs: (after.systemUs - before.systemUs) / operations,
  };
}

export function totalUs({ userUs, systemUs }: Cpu): number {
  return userUs + systemUs;
}
