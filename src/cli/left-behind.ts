import { batchesOf, Pace, type PaceOptions } from '../domain/pace.ts';
import type { SessionId } from '../domain/session-token.ts';
import type { CommandLine } from './command.ts';
import { Distinct } from './distinct.ts';
import { endEvery } from './end.ts';
import { countOf } from './ending.ts';
import { duration } from './format.ts';
import { readSessions, walkIds } from './walk-sessions.ts';
import type { OpenedRedis } from './with-redis.ts';

/** What is left in the old place of a move. */
export interface Left {
  /** Sessions. */
  readonly left: number;
  /** Seconds until the last of them runs out, if nobody uses it; `null` of none, and where one does not end by itself. */
  readonly last_ends_in: number | null;
  /** Seconds since one of them was used or begun; `null` of none, and where Redis does not tell. */
  readonly last_used: number | null;
  /** Sessions that the old place has given up, with nobody having confirmed yet that the new one has opened them. */
  readonly unfinished: number;
}

/** The sessions in the old place of a move. */
export interface LeftBehind {
  readonly prefix: string;
  look(): Promise<Left>;
  /** Ends them, and removes what those that moved have left. Answers how many have ended. `by` says who does it. */
  end(by: string): Promise<number>;
}

/** As the command line says: Sojourn's, or those that connect-redis wrote. */
export function leftIn(redis: OpenedRedis, prefix: string, { flags }: CommandLine): LeftBehind {
  const options = { fullSpeed: flags.fast === true };
  const old = flags['from-connect-redis'];
  if (typeof old !== 'string') return leftOfSojourn(redis, prefix, options);
  return leftOfConnectRedis(redis, old, options);
}

/** `3 sessions are left in the old place, ...` */
export function sentenceOf({ left, last_ends_in, last_used, unfinished }: Left): string {
  const sentence = sentenceOfLeft({ left, last_ends_in, last_used });
  if (unfinished === 0) return sentence;
  return `${sentence} The move of ${countOf(unfinished)} was not finished; moving the rest finishes it.`;
}

function sentenceOfLeft({ left, last_ends_in, last_used }: Omit<Left, 'unfinished'>): string {
  if (left === 0) return 'No session is left in the old place.';
  const used = last_used === null ? '' : `, last used ${duration(last_used)} ago`;
  const ends =
    last_ends_in === null
      ? 'not all of them run out by themselves'
      : `if unused, the last one expires in ${duration(last_ends_in)}`;
  return `${countOf(left)} ${left === 1 ? 'is' : 'are'} left in the old place${used}; ${ends}.`;
}

function leftOfSojourn(redis: OpenedRedis, prefix: string, options: PaceOptions): LeftBehind {
  const { inspection, repository, movable, service, now } = redis;

  async function isReleased(id: SessionId): Promise<boolean> {
    const frozen = await movable?.moves.freeze(id, { resume: true }); // changes nothing: nobody can use it
    return typeof frozen === 'object' && 'claim' in frozen;
  }

  return {
    prefix,
    async look() {
      const pace = new Pace(options);
      let [left, longestMs, usedAt, unfinished] = [0, 0, 0, 0];
      for await (const ids of walkIds(inspection, options)) {
        const others = new Set(ids);
        for await (const sessions of readSessions(repository, ids, pace)) {
          left += sessions.length;
          for (const { id, remainingMs, lastAccessedAt } of sessions) {
            others.delete(id);
            longestMs = Math.max(longestMs, remainingMs);
            usedAt = Math.max(usedAt, Date.parse(lastAccessedAt) || 0);
          }
        }
        for (const some of batchesOf([...others])) {
          const released = await pace.work(() => Promise.all(some.map(isReleased)));
          unfinished += released.filter(Boolean).length;
        }
      }
      if (left === 0) return { ...NOTHING, unfinished };
      const last_used = Math.max(0, Math.floor((now() - usedAt) / 1000));
      return { left, last_ends_in: Math.ceil(longestMs / 1000), last_used, unfinished };
    },
    end: (by) => endEvery(service, inspection, by, options),
  };
}

function leftOfConnectRedis(
  { connectRedisKeys, digest }: OpenedRedis,
  prefix: string,
  options: PaceOptions,
): LeftBehind {
  const keys = connectRedisKeys(prefix);

  /** Does that with each of them, a batch after the other. */
  async function each<T>(act: (sid: string) => Promise<T>, told: (answer: T) => void) {
    const pace = new Pace(options);
    const met = new Distinct();
    for await (const page of keys.scan(options)) {
      for (const sids of batchesOf(page.filter((sid) => met.add(digest(sid))))) {
        for (const answer of await pace.work(() => Promise.all(sids.map(act)))) told(answer);
      }
    }
  }

  return {
    prefix,
    async look() {
      let [left, longestMs, unused, unfinished] = [0, 0, Infinity, 0];
      await each(
        (sid) => keys.look(sid),
        (found) => {
          if (found === undefined) return;
          if (found === 'released') {
            unfinished += 1;
            return;
          }
          left += 1;
          longestMs = Math.max(longestMs, found.remainingMs ?? Infinity);
          unused = Math.min(unused, found.unusedSeconds ?? Infinity);
        },
      );
      if (left === 0) return { ...NOTHING, unfinished };
      return {
        ...{ left, unfinished },
        last_ends_in: longestMs === Infinity ? null : Math.ceil(longestMs / 1000),
        last_used: unused === Infinity ? null : unused,
      };
    },
    async end() {
      let ended = 0;
      await each(
        (sid) => keys.remove(sid),
        (removed) => {
          if (removed !== undefined) ended += 1;
        },
      );
      return ended;
    },
  };
}

const NOTHING = { left: 0, last_ends_in: null, last_used: null };
