import { announce, hush } from './announce.ts';

/** A form that was not done, and what to do about it. */
export interface Failed {
  readonly label: string;
  readonly words: string;
  readonly again: () => void;
}

let failed: Failed | undefined;

/** Says that the store or the server is away. What the page shows stays, as what it was. */
export function showOutage(reason: string, seenAt: string, failure: Failed | undefined): void {
  failed = failure ?? failed;
  if (failure) hush();
  const banner = document.getElementById('outage');
  const main = document.querySelector('main');
  if (!banner || !main) return;
  const hasSession = document.getElementById('gauge') !== null;
  const rest = hasSession
    ? `What you see is how it was at ${seenAt}; nobody was logged out.`
    : 'Nobody was logged out.';
  const words = [failed?.words, reason, rest].filter(Boolean).join(' ');
  if (banner.querySelector('p')?.textContent !== words) {
    const text = document.createElement('p');
    text.textContent = words;
    banner.replaceChildren(text, ...(failed ? [againButton(failed)] : []));
  }
  main.dataset.stale = '';
  if (hasSession) {
    const note = document.querySelector('[data-part="stale"]');
    if (note) note.textContent = `As it was at ${seenAt}. Nobody can say what it holds now.`;
  }
  const badge = document.getElementById('badge');
  if (badge && !badge.classList.contains('away')) {
    badge.className = 'badge away';
    badge.append(': no answer');
  }
}

/** The store answers. What was not done is still offered. */
export function endOutage(): void {
  const banner = document.getElementById('outage');
  if (!banner?.hasChildNodes() || document.querySelector('main')?.dataset.stale === undefined)
    return;
  if (failed) offer(failed);
  else banner.replaceChildren();
  announce('Back again.');
}

/** Says that the server answers, and does not do that: a login that others overtook, for example. */
export function showRefused(failure: Failed): void {
  failed = failure;
  hush();
  offer(failure);
}

function offer(failure: Failed): void {
  const text = document.createElement('p');
  text.textContent = failure.words;
  document.getElementById('outage')?.replaceChildren(text, againButton(failure));
}

/** What was offered to be done again is done, or something else was. */
export function forgetFailed(): void {
  failed = undefined;
  if (document.querySelector('main')?.dataset.stale === undefined) {
    document.getElementById('outage')?.replaceChildren();
  }
}

/** As the server words it where it answered, else in general. */
export function failureWords(label: string, page: Document | undefined): string {
  const said = page?.getElementById('failed')?.textContent;
  return said || `“${label}” got no answer, so it may have been done or not.`;
}

function againButton({ label, again }: Failed): HTMLElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.id = 'again';
  button.textContent = `${label}, once more`;
  button.addEventListener('click', again);
  return button;
}
