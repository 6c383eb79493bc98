import { type Context, Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { Child } from 'hono/jsx';
import { routePath } from 'hono/route';
import type { Handler } from 'hono/types';
import { reasonOf, SessionError, StoreUnavailableError } from '../../domain/errors.ts';
import type { Session } from '../../domain/session.ts';
import { parseSessionId, type SessionId } from '../../domain/session-token.ts';
import { answerHeaders } from '../answer-headers.ts';
import { type FormEnv, limitForm, readForm } from '../form.ts';
import { OperatorActs } from './acts.ts';
import { assets } from './assets.ts';
import { EndedNotes } from './ended-notes.ts';
import type { JournalView } from './journal-part.tsx';
import { document, Find, type LayoutProps, Name, sessionHref, userHref } from './layout.tsx';
import type { OperatorAct, OperatorConsoleOptions } from './options.ts';
import { OverviewPage, ranges } from './overview-page.tsx';
import { route } from './route.ts';
import { sameSite } from './same-site.ts';
import { idOfTokenIn } from './secrets-in-text.ts';
import { SessionPage } from './session-page.tsx';
import { UserPage } from './user-page.tsx';
import { sessions } from './words.ts';

type Env = { Variables: FormEnv['Variables'] & { operator: string } };

/** The confirmation if there is no prefix to type. */
const END_ALL = 'end all sessions';

const SESSIONS_A_PAGE = 50;
const JOURNAL_ENTRIES = 100;

/**
 * The operator's console as a Hono application: the number of live sessions over time, a user's sessions and journal,
 * and the means to end sessions. It never shows a token, a secret or its hash, and shows values of the application's
 * fields only on request. No page scans all sessions. Mount it with `app.route`; `operator` controls access.
 *
 * @example
 * ```ts
 * app.route('/admin', operatorConsole({
 *   service,
 *   repository,
 *   operator: (c) => (c.var.session.user === 'ada' ? 'ada' : undefined),
 *   audit: (act) => console.log(JSON.stringify(act)),
 * }));
 * ```
 */
export function operatorConsole(options: OperatorConsoleOptions): Hono {
  const { service, repository, store, figures, journal, canSignOut = false } = options;
  const { onError = () => {} } = options;
  const acts = new OperatorActs(options);
  const notes = new EndedNotes();
  const confirmation = options.endAll && (store?.prefix.trim() || END_ALL);
  const app = new Hono<Env>();

  app.use(...answerHeaders({ https: false }));

  for (const [path, { contentType, body }] of Object.entries(assets)) {
    const headers = { 'Content-Type': contentType, 'Cache-Control': 'no-cache' };
    route(app, path, { GET: [async (c: Context) => c.body(await body(), 200, headers)] });
  }

  app.use(async function guard(c, next) {
    const operator = await options.operator(c);
    if (operator === undefined) return stranger(c);
    c.set('operator', operator);
    return next();
  });

  route(app, '/', {
    GET: [(c: Context<Env>) => (c.req.path.endsWith('/') ? overview(c) : withSlash(c))],
  });

  route(app, '/find', { GET: [find] });

  route(app, '/user', {
    GET: [
      async (c: Context<Env>) => {
        const user = c.req.query('name') ?? '';
        const after = c.req.query('after');
        const [page, past] = await Promise.all([
          service.list(user, { limit: SESSIONS_A_PAGE, after }),
          after === undefined ? journalOf(user) : undefined,
        ]);
        const view = { user, after, sessions: page.sessions, next: page.next, journal: past };
        return show(c, { title: user, notice: endedNotice(c) }, <UserPage {...view} />);
      },
    ],
  });

  route(app, '/session', {
    GET: [
      async (c: Context<Env>) => {
        const id = requiredId(c.req.query('id') ?? '');
        const session = await repository.find(id);
        if (session !== undefined) return showSession(c, session, false);
        return sorry(c, 404, noSession().message, <UserOfThatName id={id} />);
      },
    ],
  });

  route(app, '/values', {
    POST: form('show values', async (c) => {
      const session = await requiredSession(c.var.form.get('id') ?? '');
      acts.showValues(c.var.operator, session);
      return showSession(c, session, true);
    }),
  });

  route(app, '/end', {
    POST: form('end session', async (c) => {
      const id = requiredId(c.var.form.get('id') ?? '');
      // For the page to return to. If the read fails, ending is tried all the same, and audited.
      const user = (await repository.find(id).catch(() => undefined))?.user;
      if (!(await acts.endSession(c.var.operator, id))) throw noSession();
      const ended = notes.add(1);
      return c.redirect(user === undefined ? `./?ended=${ended}` : userHref(user, { ended }), 303);
    }),
  });

  route(app, '/end-user', {
    POST: form('end user', async (c) => {
      const user = decoded(c.var.form.get('user') ?? '');
      const ended = await acts.endUser(c.var.operator, user);
      return c.redirect(userHref(user, { ended: notes.add(ended) }), 303);
    }),
  });

  if (confirmation !== undefined) {
    route(app, '/end-all', {
      POST: form('end all', async (c) => {
        if (c.var.form.get('confirmation')?.trim() !== confirmation) {
          acts.refuse(c.var.operator, 'end all', 'wrong confirmation');
          const message = `Nothing was ended: the confirmation is not ${JSON.stringify(confirmation)}.`;
          throw new HTTPException(400, { message });
        }
        acts.endAll(c.var.operator);
        return c.redirect('./', 303);
      }),
    });
  }

  app.all('*', (c) => {
    if (c.req.method === 'GET' && rest(c) === '') return overview(c);
    throw new HTTPException(404, { message: 'There is no such page.' });
  });

  app.onError((error, c) => {
    if (error instanceof HTTPException) return sorry(c, error.status, error.message);
    if (error instanceof SessionError) return sorry(c, 400, error.message);
    if (error instanceof StoreUnavailableError) {
      c.header('Retry-After', '1');
      // The failure may be in the access check. The reason may contain host names, so only operators see it.
      const known = c.get('operator') !== undefined;
      return sorry(c, 503, known ? unavailable(error) : 'The store did not answer.');
    }
    onError(error);
    return sorry(c, 500, 'An unexpected error occurred. The log has the details.');
  });

  return app as unknown as Hono; // its context variables are private

  function form(
    did: OperatorAct['did'],
    handler: (c: Context<Env>) => Promise<Response>,
  ): Handler[] {
    return [
      sameSite(options.trustProxy ?? false, (c: Context<Env>, reason) =>
        acts.refuse(c.var.operator, did, reason),
      ),
      limitForm,
      readForm,
      handler,
    ];
  }

  async function overview(c: Context<Env>) {
    const asked = Number(c.req.query('hours') ?? ranges[1].hours);
    const range = ranges.find(({ hours }) => hours === asked) ?? ranges[1];
    const view = {
      outage: await store?.ready?.().then(() => undefined, reason),
      range,
      figures: figures?.recent({ minutes: range.hours * 60, step: range.step }),
      confirmation,
      endingAll: acts.endingAll,
    };
    return show(c, { title: 'Sessions', notice: endedNotice(c) }, <OverviewPage {...view} />);
  }

  function find(c: Context<Env>): Response {
    const text = (c.req.query('q') ?? '').trim();
    if (text === '') return c.redirect('./', 303);
    // People paste a key instead of an id, or even a token. Of a token only the id is used.
    const pasted = idOfTokenIn(text);
    if (pasted !== undefined) return c.redirect(sessionHref(parseSessionId(pasted) ?? ''), 303);
    const bare =
      store !== undefined && text.startsWith(store.prefix) ? text.slice(store.prefix.length) : text;
    const id = parseSessionId(bare);
    return c.redirect(id === undefined ? userHref(text) : sessionHref(id), 303);
  }

  async function showSession(c: Context<Env>, session: Session, showsValues: boolean) {
    const { id, user } = session;
    const key = store && store.prefix + id;
    const past = user === undefined ? undefined : onlyOf(id, await journalOf(user));
    const view = { session, key, showsValues, journal: past };
    return show(c, { title: `Session ${id}` }, <SessionPage {...view} />);
  }

  function endedNotice(c: Context<Env>): string | undefined {
    const ended = notes.find(c.req.query('ended') ?? '');
    return ended === undefined ? undefined : `${sessions(ended)} ended.`;
  }

  async function requiredSession(text: string): Promise<Session> {
    const session = await repository.find(requiredId(text));
    if (session === undefined) throw noSession();
    return session;
  }

  async function journalOf(user: string): Promise<JournalView | undefined> {
    if (journal === undefined) return undefined;
    try {
      const entries = await journal(user, { limit: JOURNAL_ENTRIES });
      const more = entries.length >= JOURNAL_ENTRIES;
      return { entries: entries.slice(0, JOURNAL_ENTRIES), more };
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      return { failed: reasonOf(error) }; // the sessions are still useful without the journal
    }
  }

  async function show(c: Context<Env>, layout: LayoutProps, children: Child) {
    const { operator } = c.var;
    const all = { store, operator, canSignOut, ...layout, children };
    return c.html(await document(all));
  }

  async function sorry(
    c: Context<Env>,
    status: number,
    message: string,
    more?: Child,
  ): Promise<Response> {
    const { operator } = c.var;
    const root = `./${'../'.repeat(rest(c).split('/').length - 1)}`;
    const who = operator === undefined ? {} : { operator, canSignOut, store }; // without access nothing about the store is shown
    const props = { title: titles[status] ?? 'Refused', root, ...who };
    const children = (
      <>
        <p class="notice failed">{message}</p>
        {more}
        {operator !== undefined && root === './' && <Find />}
        <p>
          <a href={root}>Back to the first page</a>
        </p>
      </>
    );
    return c.html(await document({ ...props, children }), status as 400);
  }

  async function stranger(c: Context<Env>): Promise<Response> {
    if (options.onStranger !== undefined) return options.onStranger(c);
    return sorry(c, 403, 'This page is for operators only.');
  }
}

/** Some applications have user names that look like a session's id. */
function UserOfThatName({ id }: { readonly id: SessionId }) {
  return (
    <p>
      <a href={userHref(id)}>
        Look for a user called <Name of={id} />
      </a>
    </p>
  );
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad request',
  403: 'Refused',
  404: 'Not found',
  405: 'Method not allowed',
  413: 'Too large',
  415: 'Unsupported content type',
  500: 'Error',
  503: 'The store is unavailable',
};

/** The part of the path after the place where the console is mounted. */
function rest(c: Context): string {
  const place = routePath(c, -1).replace(/\*$/, '');
  return c.req.path.startsWith(place) ? c.req.path.slice(place.length) : '';
}

/** The console's links are relative, so that it can be mounted anywhere; they need the trailing slash. */
function withSlash(c: Context): Response {
  const { search } = new URL(c.req.url);
  return c.redirect(`./${c.req.path.split('/').at(-1)}/${search}`, 302);
}

function requiredId(text: string): SessionId {
  const id = parseSessionId(text);
  if (id !== undefined) return id;
  const message =
    'This is not a session id. An id has 22 letters, digits, - and _, and is the last part of the key.';
  throw new HTTPException(404, { message });
}

function noSession(): HTTPException {
  const message = 'There is no session with this id. It has ended or never existed.';
  return new HTTPException(404, { message });
}

/** A user's name that went through a form, which would change its line ends. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new HTTPException(400, {
      message: 'The user name is not encoded correctly.',
    });
  }
}

function onlyOf(id: SessionId, journal: JournalView | undefined): JournalView | undefined {
  if (journal === undefined || 'failed' in journal) return journal;
  return { ...journal, entries: journal.entries.filter(({ sessionId }) => sessionId === id) };
}

function reason(error: unknown): string {
  return error instanceof StoreUnavailableError ? reasonOf(error) : 'an unexpected error';
}

function unavailable(error: StoreUnavailableError): string {
  const why = `The store did not answer: ${reasonOf(error)}.`;
  if (error.outcome === 'refused') return `${why} Nothing was changed.`;
  const ended = error.ended ?? 0;
  return `${why} ${ended > 0 ? `${sessions(ended)} ended, others may have ended too` : 'The action may have been done'}. Check the result and repeat it if necessary.`;
}
