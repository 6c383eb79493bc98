import { SessionService } from '../../src/index.ts';
import { openNearCache } from '../../src/near-cache.ts';
import { until } from '../../test/support/until.ts';
import { connect } from '../connect.ts';
import { answerParent } from '../measure/answer-parent.ts';
import { ownCpu } from '../measure/cpu.ts';

export type ListenersQuestion =
  | {
      readonly do: 'open';
      readonly redisUrl: string;
      readonly count: number;
      readonly tokens: readonly string[];
    }
  | { readonly do: 'tell the CPU' }
  | { readonly do: 'close' };

// So many near caches in one process, each with connections of its own as a server has.
let close = async (): Promise<void> => {};

answerParent<ListenersQuestion>(async (question) => {
  switch (question.do) {
    case 'open': {
      const { redisUrl, count, tokens } = question;
      const caches = await Promise.all(Array.from({ length: count }, () => open(redisUrl)));
      close = async () => {
        await Promise.all(caches.map((cache) => cache.close()));
      };
      const trusted = async () => caches.every(({ cache }) => cache.stats().trusted);
      await until('every near cache may answer', trusted);
      await Promise.all(caches.map(({ read }, i) => read(share(tokens, i, count))));
      return;
    }
    case 'tell the CPU':
      return ownCpu();
    case 'close':
      await close();
      return;
  }
});

async function open(redisUrl: string) {
  const { client, close } = await connect(redisUrl);
  const cache = openNearCache({ client });
  const service = new SessionService({ repository: cache.repository });
  return {
    cache,
    async read(tokens: readonly string[]) {
      for (const token of tokens) await service.peek(token);
      const { sessions } = cache.stats();
      if (sessions !== tokens.length) throw new Error(`${sessions} of ${tokens.length} are kept`);
    },
    async close() {
      await cache.close();
      await close();
    },
  };
}

function share(tokens: readonly string[], i: number, count: number): readonly string[] {
  return tokens.filter((_, index) => index % count === i);
}
