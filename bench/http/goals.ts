import { totalUs } from '../measure/cpu.ts';
import type { Goal } from '../report/goals.ts';
import { paired } from '../report/paired.ts';
import type { HttpContenderName } from './contenders.ts';
import type { HttpTurn, HttpTurns } from './turns.ts';

/** What a request with a session should cost, next to what it does cost. */
export function httpGoals(turns: HttpTurns): Goal[] {
  const ratio = (
    one: HttpContenderName,
    figure: (turn: HttpTurn) => number,
    other: HttpContenderName,
  ) => paired(turns.get(one) ?? [], figure, turns.get(other) ?? [], figure);
  const user = ({ server }: HttpTurn) => server.userUs;
  const perSecond = (turn: HttpTurn) => turn.perSecond;
  const header = 'Hono, one middleware that sets a header';
  const login = 'Sojourn, each request a login';
  const journalled = 'Sojourn, each request a login, with a journal';
  return [
    {
      what: 'user CPU of a request, to a middleware that sets a header',
      atMost: 1.45,
      found: ratio('Sojourn', user, header),
    },
    {
      what: 'user CPU with the near cache, to a middleware that sets a header',
      atMost: 1.25,
      found: ratio('Sojourn, near cache', user, header),
    },
    {
      what: 'requests a second, to Hono without a session',
      atLeast: 0.55,
      found: ratio('Sojourn', perSecond, 'Hono, no session'),
    },
    {
      what: "server's CPU of a login with a journal, to one without",
      atMost: 1.1,
      found: ratio(journalled, ({ server }) => totalUs(server), login),
    },
    {
      what: "Redis' CPU of a login with a journal, to one without",
      atMost: 1.1,
      found: ratio(journalled, ({ redis }) => totalUs(redis), login),
    },
  ];
}
