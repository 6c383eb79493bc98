/**
 * Makes the page live. The server renders everything, and this script only brings it in: it sends the forms without
 * leaving the page, looks again from time to time by a pure read, and lets the clock run down by itself. What is
 * rendered stands in elements with `data-part`; of those only what differs is replaced.
 */

const LOOK_EVERY_MS = 2000;
const LOOK_AT_MOST_EVERY_MS = 30_000;

const tabs = new BroadcastChannel('sojourn');
const calm = matchMedia('(prefers-reduced-motion: reduce)');

let endsAt: number | undefined; // by performance.now()
let lifetimeEndsAt: number | undefined;
let expiryAnnounced = false;
let waitMs = LOOK_EVERY_MS;
let timer: ReturnType<typeof setTimeout> | undefined;
let newestLook = 0;

document.addEventListener('submit', (event) => {
  event.preventDefault();
  void act(event.target as HTMLFormElement);
});

document.addEventListener('click', (event) => {
  const button = (event.target as Element).closest('button');
  if (button?.id === 'touch') void touch();
  else if (button?.dataset.copy) void copy(button.dataset.copy);
});

tabs.addEventListener('message', () => void look());
document.addEventListener('visibilitychange', () => void look());
startClock(performance.now());
enhance();
tick();
timer = setTimeout(look, waitMs);

async function act(form: HTMLFormElement): Promise<void> {
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form)) body.append(name, String(value));
  await look({ method: 'POST', url: form.action, body, says: form.dataset.says });
  tabs.postMessage('changed');
}

/** The smallest use there is: a read that slides the expiry. */
async function touch(): Promise<void> {
  await fetch('/session').catch(() => undefined); // an outage is what the look that follows tells
  await look({ says: 'Touched; the expiry slid.' });
  tabs.postMessage('changed');
}

interface Look {
  readonly method?: string;
  readonly url?: string;
  readonly body?: URLSearchParams;
  /** What to tell people who cannot see the change. */
  readonly says?: string | undefined;
}

/** Asks the server for the page as it is now, after a form or without one, and shows it. */
async function look({ method = 'GET', url = '/', body, says }: Look = {}): Promise<void> {
  clearTimeout(timer);
  newestLook += 1;
  const number = newestLook;
  const askedAt = performance.now();
  try {
    const headers = { Accept: 'text/html' };
    const response = await fetch(url, { method, headers, ...(body && { body }) });
    if (response.status === 503) throw new Error('The session store is away.');
    if (!response.ok) throw new Error(`The server refused that (${response.status}).`);
    const page = new DOMParser().parseFromString(await response.text(), 'text/html');
    outage(undefined);
    // An answer that a later question has overtaken would turn the page back in time.
    if (number === newestLook) show(page, askedAt, says);
  } catch (error) {
    const reason =
      error instanceof TypeError ? 'The server does not answer.' : (error as Error).message;
    outage(`${reason} What you see is how it was; nobody was logged out. Trying again.`);
  }
  clearTimeout(timer);
  if (document.visibilityState === 'visible') timer = setTimeout(look, waitMs);
}

function show(page: Document, askedAt: number, says: string | undefined): void {
  const focused = document.activeElement?.id;
  const before = fieldValues();
  const hadSession = document.getElementById('gauge') !== null;
  const ranOut = endsAt !== undefined && endsAt - performance.now() < 1000;
  const [current, next] = [document.querySelector('main'), page.querySelector('main')];
  // The server says once that a session has expired. On the page it stays said until there is another.
  const known = current?.dataset.state === 'expired' && next?.dataset.state === 'anonymous';
  if (current && next && !known) replaceParts(current, next);
  const hasSession = document.getElementById('gauge') !== null;
  enhance();
  startClock(askedAt);
  for (const element of document.querySelectorAll<HTMLElement>(
    'td[data-field], code[data-field]',
  )) {
    const old = before.get(element.dataset.field ?? '');
    // It is new, as all of its part is, so that the animation begins.
    if (hadSession && old !== element.textContent) element.classList.add('changed');
  }
  if (focused && document.activeElement === document.body) {
    (document.getElementById(focused) ?? document.getElementById('session-heading'))?.focus();
  }
  const error = page.querySelector('.notice')?.textContent?.trim();
  if (error && !known) announce(error);
  else if (says) announce(says);
  else if (hadSession && !hasSession) {
    announce(ranOut ? 'The session has expired.' : 'The session has ended.');
  }
}

/** Replaces the parts that differ, so that focus and typed text survive; everything where more than parts does. */
function replaceParts(current: HTMLElement, next: HTMLElement): void {
  if (skeleton(current) !== skeleton(next)) {
    current.dataset.state = next.dataset.state;
    current.replaceChildren(...next.childNodes);
    return;
  }
  const newParts = next.querySelectorAll('[data-part]');
  for (const [i, part] of current.querySelectorAll('[data-part]').entries()) {
    const newPart = newParts[i];
    if (newPart && rendered(part) !== rendered(newPart))
      part.replaceChildren(...newPart.childNodes);
  }
}

function skeleton(element: Element): string {
  const copy = element.cloneNode(true) as Element;
  for (const part of copy.querySelectorAll('[data-part]')) part.replaceChildren();
  return rendered(copy);
}

/** As the server rendered it: without what `enhance` did. */
function rendered(element: Element): string {
  return element.innerHTML.replaceAll(' hidden=""', '');
}

function fieldValues(): Map<string, string | null> {
  const cells = [...document.querySelectorAll<HTMLElement>('td[data-field], code[data-field]')];
  return new Map(cells.map((cell) => [cell.dataset.field ?? '', cell.textContent]));
}

/** Shows what only a script can do. */
function enhance(): void {
  for (const element of document.querySelectorAll<HTMLElement>('#touch, [data-copy]')) {
    element.hidden = false;
  }
}

/**
 * The server said at some moment since `askedAt` how much is left. Within that doubt the clock goes on as it was, so that
 * it never jumps by the duration of a request.
 */
function startClock(askedAt: number): void {
  const gauge = document.getElementById('gauge');
  if (gauge) {
    const left = Number(gauge.dataset.remainingMs);
    const [earliest, latest] = [askedAt + left, performance.now() + left];
    endsAt = Math.min(latest, Math.max(earliest, endsAt ?? earliest));
  } else endsAt = undefined;
  const lifetimeLeft = gauge?.dataset.lifetimeLeftMs;
  lifetimeEndsAt = lifetimeLeft ? performance.now() + Number(lifetimeLeft) : undefined;
  if (gauge) expiryAnnounced = false;
}

/** Lets the clock run down. At its end it asks the server once, which has dropped the session by then. */
function tick(): void {
  const gauge = document.getElementById('gauge');
  if (gauge && endsAt !== undefined) {
    const leftMs = Math.max(0, endsAt - performance.now());
    const seconds = Math.ceil(leftMs / 1000);
    draw('ring', leftMs, Number(gauge.dataset.ttlMs));
    setText('remaining', leftMs === 0 ? 'expired' : formatDuration(seconds));
    setText('store-ttl', String(leftMs === 0 ? -2 : seconds));
    gauge.classList.toggle('ending', leftMs < 10_000);
    if (lifetimeEndsAt !== undefined) {
      const lifetimeLeftMs = Math.max(0, lifetimeEndsAt - performance.now());
      draw('lifetime-ring', lifetimeLeftMs, Number(gauge.dataset.lifetimeMs));
      setText('lifetime', formatDuration(Math.ceil(lifetimeLeftMs / 1000)));
    }
    if (leftMs === 0 && !expiryAnnounced) {
      expiryAnnounced = true;
      announce('The session has expired.');
      setTimeout(() => look({ url: '/?notice=expired' }), 50);
    }
  }
  requestAnimationFrame(tick);
}

/** Smoothly, or by the second where motion is to be reduced. */
function draw(ring: string, leftMs: number, wholeMs: number): void {
  const shownMs = calm.matches ? Math.ceil(leftMs / 1000) * 1000 : leftMs;
  const dashes = `${Math.min(100, (shownMs / wholeMs) * 100).toFixed(2)} 100`;
  const element = document.getElementById(ring);
  if (element?.getAttribute('stroke-dasharray') !== dashes) {
    element?.setAttribute('stroke-dasharray', dashes);
  }
}

function setText(id: string, text: string): void {
  const element = document.getElementById(id);
  if (element && element.textContent !== text) element.textContent = text;
}

function formatDuration(seconds: number): string {
  const units: [string, number][] = [
    ['d', Math.floor(seconds / 86_400)],
    ['h', Math.floor(seconds / 3600) % 24],
    ['min', Math.floor(seconds / 60) % 60],
    ['s', seconds % 60],
  ];
  const parts = units
    .filter(([, amount]) => amount > 0)
    .map(([unit, amount]) => `${amount} ${unit}`);
  return parts.slice(0, 2).join(' ') || '0 s';
}

function announce(text: string): void {
  setText('announcer', text);
}

/** Says that the store or the server is away, and looks less and less often until it is back. */
function outage(text: string | undefined): void {
  const banner = document.getElementById('outage');
  if (!banner) return;
  waitMs = text === undefined ? LOOK_EVERY_MS : Math.min(waitMs * 1.5, LOOK_AT_MOST_EVERY_MS);
  if (banner.hidden === (text === undefined)) return;
  banner.textContent = text ?? '';
  banner.hidden = text === undefined;
  if (text === undefined) announce('Back again.');
}

async function copy(id: string): Promise<void> {
  await navigator.clipboard.writeText(document.getElementById(id)?.textContent ?? '');
  announce('Copied.');
}
