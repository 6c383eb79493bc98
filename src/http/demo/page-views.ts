import { StoreUnavailableError } from '../../domain/errors.ts';
import type { Session } from '../../domain/session.ts';
import { encodeSession } from '../../domain/session-record.ts';
import type { SessionService } from '../../domain/session-service.ts';
import type { RequestSession } from '../request-session.ts';
import type { SessionCookie } from '../session-cookie.ts';
import { activityOf } from './activity.ts';
import { type Notice, notices, refusedField } from './notices.ts';
import type {
  DeviceView,
  EndedView,
  FailedView,
  PageView,
  RefusedView,
  SessionView,
  StoreView,
} from './views.ts';
import type { Cause, Visit, Visits } from './visits.ts';

/** Older ones are counted only. */
const MAX_LISTED_SESSIONS = 20;
const MAX_LISTED_ACTIVITY = 8;
const MAX_SEARCHED_ACTIVITY = 100;

interface PageViewsOptions {
  readonly service: SessionService;
  readonly store: StoreView;
  readonly journal?: boolean;
  readonly now: () => number;
  readonly cookie: SessionCookie;
  readonly visits: Visits;
}

/** What a request for the page brings. */
interface Asked {
  readonly path: string;
  readonly cookieHeader: string | undefined;
}

interface AskedPage extends Asked {
  readonly session: RequestSession;
  readonly notice: Notice | undefined;
  /** What `/logout` answered, for who just left. */
  readonly left: string | undefined;
}

/** Gathers what the page shows. */
export class PageViews {
  readonly #options: PageViewsOptions;

  constructor(options: PageViewsOptions) {
    this.#options = options;
  }

  /** The page as it is for this request. Rejects with `StoreUnavailableError` where it needs a store that is away. */
  async of(asked: AskedPage): Promise<PageView> {
    const { current } = asked.session;
    return current === undefined ? this.#withoutSession(asked) : this.#active(asked, current);
  }

  unavailable(asked: Asked, failed: FailedView | undefined): PageView {
    return { ...this.#blank(asked), state: 'unavailable', failed };
  }

  async #active(asked: AskedPage, current: Session): Promise<PageView> {
    const { csrfToken } = asked.session.required();
    const visit = this.#options.visits.get(csrfToken);
    const [own, activity] = await Promise.all([
      this.#devices(asked.session),
      this.#activity(current),
    ]);
    if (visit && own.devices.length > 1) visit.steps.add('second');
    return {
      ...this.#blank(asked),
      ...own,
      state: 'active',
      session: this.#session(current, csrfToken, visit),
      activity,
      log: visit?.log ?? [],
      steps: new Set(visit?.steps ?? ['start']),
      refused: this.#refused(asked.notice),
    };
  }

  async #withoutSession(asked: AskedPage): Promise<PageView> {
    const { visits, service, cookie } = this.#options;
    const { session, notice, left } = asked;
    const token = session.lost ? cookie.read(asked.cookieHeader) : undefined;
    const visit = token ? visits.get(service.csrfToken(token)) : visits.get(left);
    const isOver = session.lost || visit !== undefined || notice === 'expired';
    const ended = isOver ? await this.#ended(visit, token?.split('.')[0]) : undefined;
    return {
      ...this.#blank(asked),
      state: ended ? 'ended' : 'anonymous',
      ended,
      log: visit?.log ?? [],
      steps: new Set(visit?.steps),
      refused: notice === 'expired' ? undefined : this.#refused(notice),
    };
  }

  async #ended(visit: Visit | undefined, id: string | undefined): Promise<EndedView> {
    if (visit === undefined) {
      return { cause: 'unknown', id, isGone: false, name: undefined, ttl: undefined };
    }
    const cause = visit.cause ?? (await this.#causeOf(visit));
    if (cause !== 'replaced' && cause !== 'unknown') visit.cause = cause; // what is over stays so
    if (cause === 'expired') visit.steps.add('expire');
    return { cause, id: visit.id, isGone: cause !== 'replaced', name: visit.name, ttl: visit.ttl };
  }

  async #causeOf({ id, name, endsAt }: Visit): Promise<Cause> {
    const { service, now } = this.#options;
    const alive = await service.list(name);
    if (alive.some((session) => session.id === id)) return 'replaced';
    if (!this.#options.journal) return now() >= endsAt ? 'expired' : 'elsewhere';
    try {
      const entries = await service.journal(name, { limit: MAX_SEARCHED_ACTIVITY });
      const end = entries.find(({ sessionId, event }) => sessionId === id && event === 'ended');
      if (end?.why === 'expired' || end?.why === 'evicted' || end?.why === 'reused') return end.why;
      if (end === undefined) return 'unknown';
      if (end.by !== undefined && end.by !== 'user') return 'operator';
      return end.everywhere ? 'everywhere' : 'elsewhere';
    } catch (error) {
      if (error instanceof StoreUnavailableError) return 'unknown'; // that it is gone is known all the same
      throw error;
    }
  }

  #blank({ path, cookieHeader }: Asked): PageView {
    const { service, store, now, cookie } = this.#options;
    const { ttl, maxTtl, lifetime } = service.policy;
    const isThere = cookie.presented(cookieHeader) !== undefined;
    return {
      state: 'anonymous',
      root: path.replace(/[^/]/g, '').slice(1).replaceAll('/', '../') || './',
      now: now(),
      store,
      policy: { ttl, maxTtl, lifetime },
      cookie: { name: cookie.name, secure: cookie.secure, isThere },
      session: undefined,
      ended: undefined,
      failed: undefined,
      devices: [],
      olderDevices: 0,
      activity: undefined,
      log: [],
      steps: new Set(),
      refused: undefined,
    };
  }

  #session(current: Session, csrfToken: string, visit: Visit | undefined): SessionView {
    const { createdAt, endsAt } = current;
    return {
      id: current.id,
      record: encodeSession(current),
      configuredTtl: current.ttl,
      remainingMs: current.remainingMs,
      endsAt,
      lifetimeLeftMs: endsAt && Math.max(0, endsAt - this.#options.now()),
      lifetimeMs: endsAt && endsAt - Date.parse(createdAt),
      fingerprint: csrfToken.slice(0, 6),
      rotated: visit?.rotated ?? false,
    };
  }

  #refused(notice: Notice | undefined): RefusedView | undefined {
    if (notice === undefined) return undefined;
    return { message: notices(this.#options.service.policy)[notice], field: refusedField[notice] };
  }

  async #devices({ id, user }: RequestSession) {
    const all = user === undefined ? [] : await this.#options.service.list(user);
    const newest = new Set(all.slice(-MAX_LISTED_SESSIONS));
    const shown = all.filter((session) => newest.has(session) || session.id === id);
    const devices: DeviceView[] = shown.map((session) => ({
      id: session.id,
      label: session.device.label ?? 'Unknown device',
      createdAt: Date.parse(session.createdAt),
      lastAccessedAt: Date.parse(session.lastAccessedAt),
      current: session.id === id,
    }));
    return { devices, olderDevices: all.length - shown.length };
  }

  async #activity({ user }: Session): Promise<PageView['activity']> {
    const { service, journal } = this.#options;
    if (!journal || user === undefined) return undefined;
    try {
      return activityOf(await service.journal(user, { limit: MAX_LISTED_ACTIVITY }));
    } catch (error) {
      if (error instanceof StoreUnavailableError) return 'unreadable'; // the rest of the page does not need it
      throw error;
    }
  }
}
