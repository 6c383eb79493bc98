import childProcess, { ChildProcess } from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

/** Set up for every unit test: what would start a process, listen or connect throws, and names the way out. */
function refuse(what: string): never {
  throw new Error(
    `A unit test must not ${what}. Import test/support/live-redis.ts, or another helper that brings servers, and the file runs with those that have them.`,
  );
}

Object.assign(ChildProcess.prototype, { spawn: () => refuse('start a process') });
for (const name of ['spawnSync', 'execSync', 'execFileSync'] as const) {
  childProcess[name] = () => refuse('start a process');
}
net.Server.prototype.listen = () => refuse('listen');
net.Socket.prototype.connect = () => refuse('open a connection');
syncBuiltinESMExports();
