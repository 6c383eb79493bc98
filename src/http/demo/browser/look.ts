import { announce } from './announce.ts';
import { isRunningOut, setClock } from './clock.ts';
import { enhance } from './enhance.ts';
import { depart, keepFlight } from './flight.ts';
import { endOutage, failureWords, forgetFailed, showOutage, showRefused } from './outage.ts';
import { replaceParts } from './parts.ts';

const LOOK_EVERY_MS = 2000;
const LONGEST_WAIT_MS = 5000;
/** From here on somebody who clicked wants to know that it is under way. */
const SLOW_MS = 1000;

const root = new URL('..', import.meta.url); // of this script, below whatever path a proxy has put it

/** What this tab tells the others. */
interface Done {
  readonly says: string;
  /** Where the page is that tells of it. */
  readonly here: string;
}

let here = location.search ? new URL(location.search, root).href : root.href;
let waitMs = LOOK_EVERY_MS;
let timer: ReturnType<typeof setTimeout> | undefined;
let newestLook = 0;
let seenAt = new Date();

/** Looks at the page as it is now, by a pure read. */
export async function look(says?: string): Promise<void> {
  await ask(here, {}, { says });
}

/** Looks after a while, if anybody sees the page then. */
export function lookLater(): void {
  clearTimeout(timer);
  if (document.visibilityState === 'visible') timer = setTimeout(() => void look(), waitMs);
}

/** Another tab did something. */
export async function follow({ says, here: there }: Done): Promise<void> {
  here = there;
  await look(`In another tab: ${says}`);
}

interface Form {
  readonly url: string;
  readonly body: URLSearchParams;
  readonly label: string;
  readonly says: string | undefined;
}

/**
 * Does what the form asks for: once, however often it is clicked meanwhile, and after what was clicked before. Answers what to
 * tell the other tabs.
 */
export async function act(form: HTMLFormElement): Promise<Done | undefined> {
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form)) body.append(name, String(value));
  const button = form.querySelector('button[type="submit"]');
  const label = button?.firstChild?.textContent?.trim() ?? 'That';
  form.setAttribute('aria-busy', 'true');
  button?.setAttribute('aria-disabled', 'true');
  const done = await sendOnce({ url: form.action, body, label, says: form.dataset.says });
  form.removeAttribute('aria-busy');
  button?.removeAttribute('aria-disabled');
  return done;
}

/** By what they ask for, since the page may show others in their place by then. */
const underWay = new Map<string, Promise<Done | undefined>>();

function sendOnce(form: Form): Promise<Done | undefined> {
  const key = `${form.url}?${form.body}`;
  const same = underWay.get(key);
  if (same) return same.then(() => undefined);
  const before = [...underWay.values()].at(-1);
  const done = Promise.resolve(before).then(() => send(form));
  underWay.set(key, done);
  return done.finally(() => underWay.delete(key));
}

async function send(form: Form): Promise<Done | undefined> {
  forgetFailed();
  const arrive = depart();
  const slow = setTimeout(() => announce(`${form.label}: waiting for the server.`), SLOW_MS);
  const outcome = await ask(form.url, { method: 'POST', body: form.body }, { ...form, arrive });
  clearTimeout(slow);
  return outcome === 'done' && form.says !== undefined ? { says: form.says, here } : undefined;
}

interface Asking {
  /** What to say of the change. */
  readonly says?: string | undefined;
  readonly label?: string;
  readonly url?: string;
  readonly body?: URLSearchParams;
  readonly arrive?: (arrived: boolean) => Promise<void>;
}

/** Asks the server for the page, after a form or without one, and shows it. Never rejects. */
async function ask(
  url: string,
  init: RequestInit,
  asking: Asking,
): Promise<'done' | 'refused' | 'failed'> {
  clearTimeout(timer);
  newestLook += 1;
  const number = newestLook;
  const askedAt = performance.now();
  let page: Document | undefined;
  try {
    const response = await fetch(url, { ...init, headers: { Accept: 'text/html' } });
    page = new DOMParser().parseFromString(await response.text(), 'text/html');
    if (response.status === 503) throw new Error('The session store cannot be reached.');
    const failure = failedOf(asking, page);
    if (failure && response.status >= 400 && response.status < 500) {
      await asking.arrive?.(false);
      showRefused({ ...failure, words: `“${failure.label}” was refused (${response.status}).` });
      return 'refused';
    }
    if (!response.ok) throw new Error(`The server refused that (${response.status}).`);
    const isRefused = new URL(response.url).searchParams.has('notice');
    const says = isRefused && asking.arrive ? undefined : asking.says;
    if (asking.arrive) here = response.url;
    await asking.arrive?.(true);
    waitMs = LOOK_EVERY_MS;
    endOutage();
    // An answer that a later question has overtaken would turn the page back in time.
    if (number === newestLook) show(page, askedAt, says, asking.arrive !== undefined);
    else if (says) announce(says);
    return isRefused ? 'refused' : 'done';
  } catch (error) {
    await asking.arrive?.(false);
    waitMs = Math.min(waitMs * 1.5, LONGEST_WAIT_MS);
    const reason =
      error instanceof TypeError ? 'The server does not answer.' : (error as Error).message;
    showOutage(reason, seenAt.toLocaleTimeString(), failedOf(asking, page));
    return 'failed';
  } finally {
    lookLater();
  }
}

function failedOf({ label, url, body, says }: Asking, page: Document | undefined) {
  if (label === undefined || url === undefined || body === undefined) return undefined;
  const again = () => void sendOnce({ url, body, label, says });
  return { label, words: failureWords(label, page), again };
}

function show(page: Document, askedAt: number, says: string | undefined, isAnswer: boolean): void {
  seenAt = new Date();
  enhance(page);
  const focused = document.activeElement?.id;
  const before = fieldValues();
  const hadSession = document.getElementById('gauge') !== null;
  const ranOut = isRunningOut();
  const [current, next] = [document.querySelector('main'), page.querySelector('main')];
  if (!current || !next) return;
  const stateBefore = current.dataset.state;
  const refusal = next.querySelector('.notice, .error')?.textContent?.trim();
  keepFlight(() => replaceParts(current, next));
  bringBadge(page);
  document.title = page.title;
  const hasSession = document.getElementById('gauge') !== null;
  setClock(askedAt);
  for (const element of changeable()) {
    const old = before.get(element.dataset.field ?? '');
    // It is new, as all of its part is, so that the animation begins.
    if (hadSession && old !== element.textContent) element.classList.add('changed');
  }
  if (focused && document.activeElement === document.body) {
    (document.getElementById(focused) ?? document.getElementById('session-heading'))?.focus();
  }
  if (says) announce(says);
  else if (hadSession && !hasSession) {
    announce(ranOut ? 'The session has expired.' : 'The session has ended.');
  } else if (refusal && isAnswer) announce(refusal);
  // What was refused, or who left, is no news once there is another session or none.
  if (!isAnswer && !says && stateBefore !== current.dataset.state) here = root.href;
}

function bringBadge(page: Document): void {
  const [badge, next] = [document.getElementById('badge'), page.getElementById('badge')];
  if (!badge || !next || badge.outerHTML === next.outerHTML) return;
  badge.className = next.className;
  badge.textContent = next.textContent;
}

function fieldValues(): Map<string, string | null> {
  return new Map(changeable().map((cell) => [cell.dataset.field ?? '', cell.textContent]));
}

function changeable(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>('td[data-field], code[data-field]')];
}
