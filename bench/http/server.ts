import { httpContenders } from './contenders.ts';

// A contender in a process of its own. It tells its parent the port, then its CPU time whenever it is asked.
const [name = '', redisUrl = ''] = process.argv.slice(2);
const contender = httpContenders[name];
if (contender === undefined) throw new Error(`There is no contender ${name}`);
process.once('disconnect', () => process.exit());
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.(user + system);
});
process.send?.(await contender(redisUrl));
