import { answerParent } from '../measure/answer-parent.ts';
import { ownCpu } from '../measure/cpu.ts';
import type { OpenServer } from './contender.ts';
import { type HttpContenderName, httpContenders } from './contenders.ts';

export type ServerQuestion =
  | { readonly do: 'open'; readonly redisUrl: string }
  | { readonly do: 'tell the CPU' }
  | { readonly do: 'close' };

// One contender in a process of its own. Between its turns it neither listens nor has a connection.
const [name = ''] = process.argv.slice(2);
const contender = httpContenders[name as HttpContenderName];
if (contender === undefined) throw new Error(`There is no contender ${name}`);
let server: OpenServer | undefined;

answerParent<ServerQuestion>(async (question) => {
  switch (question.do) {
    case 'open':
      server = await contender(question.redisUrl);
      return server.port;
    case 'tell the CPU':
      return ownCpu();
    case 'close':
      await server?.close();
      return undefined;
  }
});
