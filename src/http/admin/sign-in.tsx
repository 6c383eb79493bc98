import { type Context, Hono } from 'hono';
import { accepts } from 'hono/accepts';
import { type FormEnv, limitForm, readForm } from '../form.ts';
import { actorOf } from './acts.ts';
import { document } from './layout.tsx';
import type { OperatorAct, OperatorConsoleOptions } from './options.ts';
import { route } from './route.ts';
import { sameSite } from './same-site.ts';
import { idOfTokenIn } from './secrets-in-text.ts';
import type { TokenAccess } from './token-access.ts';

/** A page of the console with its query, where to go after the sign-in. */
const PAGE = /^(?:user|session)?(?:\?[\x21-\x7e]*)?$/;

/** The name in the audit for somebody without a name. */
const NOBODY = 'unnamed';

/** What the sign-in needs besides the token. */
export interface SignInOptions {
  readonly access: TokenAccess;
  readonly audit: OperatorConsoleOptions['audit'];
  readonly trustProxy: boolean;
}

/** The routes with which people present the token: `POST sign-in` and `POST sign-out`. */
export function signInRoutes({ access, audit, trustProxy }: SignInOptions): Hono<FormEnv> {
  const app = new Hono<FormEnv>();

  route(app, '/sign-in', {
    POST: [
      fromHere('sign in'),
      limitForm,
      readForm,
      async (c: Context<FormEnv>) => {
        const { form } = c.var;
        const next = pageIn(form.get('next') ?? '');
        const name = await access.nameIn(form.get('name') ?? '');
        const operator = name || NOBODY;
        const signedIn = await access.signIn(c, operator, form.get('token') ?? '');
        audit({ by: actorOf(operator), did: 'sign in', outcome: signedIn ? 'done' : 'refused' });
        if (!signedIn) return askForToken(c, { name, next, wrong: true });
        return c.redirect(`./${next}`, 303);
      },
    ],
  });

  route(app, '/sign-out', {
    POST: [
      fromHere('sign out'),
      async (c: Context) => {
        const operator = await access.operator(c);
        await access.signOut(c);
        if (operator !== undefined)
          audit({ by: actorOf(operator), did: 'sign out', outcome: 'done' });
        return c.redirect('./', 303);
      },
    ],
  });

  return app;

  function fromHere(did: OperatorAct['did']) {
    return sameSite(trustProxy, async (c, reason) => {
      const by = actorOf((await access.operator(c)) ?? NOBODY);
      audit({ by, did, outcome: 'refused', reason });
    });
  }
}

/** The response without a token or with a wrong one: JSON for programs, a form for people. 401. */
export async function askForToken(
  c: Context,
  asked?: { readonly name: string; readonly next: string; readonly wrong: boolean },
): Promise<Response> {
  c.header('WWW-Authenticate', 'Bearer realm="Sojourn"'); // browsers ignore it
  const supports = ['application/json', 'text/html'];
  const type = accepts(c, { header: 'Accept', supports, default: 'application/json' });
  if (type !== 'text/html') {
    return c.json({ error: 'The admin token is required, as a bearer token' }, 401);
  }
  const { name = '', wrong = false, next = pageOf(c) } = asked ?? {};
  const page = {
    title: 'Sign in',
    notice: wrong ? 'That is not the token.' : undefined,
    failed: wrong,
    children: <SignInForm name={name} next={next} />,
  };
  return c.html(await document(page), 401);
}

function SignInForm({ name, next }: { readonly name: string; readonly next: string }) {
  return (
    <section aria-label="Sign in">
      <form class="sign-in" method="post" action="./sign-in">
        <input type="hidden" name="next" value={next} />
        <label for="name">Your name</label>
        <input id="name" name="name" value={name} autocomplete="username" maxlength={64} required />
        <p class="hint">The audit log records what you do here under this name.</p>
        <label for="token">Admin token</label>
        <input id="token" name="token" type="password" autocomplete="current-password" required />
        <button type="submit">Sign in</button>
      </form>
    </section>
  );
}

function pageOf(c: Context): string {
  if (c.req.method !== 'GET') return '';
  const { search } = new URL(c.req.url);
  return pageIn(`${c.req.path.split('/').at(-1)}${search}`);
}

/**
 * The page of the console that the text names. The first page for anything else, and for a text with a token in it.
 */
function pageIn(text: string): string {
  return PAGE.test(text) && idOfTokenIn(text) === undefined ? text : '';
}
