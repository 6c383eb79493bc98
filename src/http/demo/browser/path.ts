const KEPT_AS = 'sojourn-steps';

/** Remembers a step that the server does not see. */
export function tickOff(step: string): void {
  keep(new Set([...kept(), step]));
  showSteps(document);
}

/**
 * Shows as done what this browser ever did: the server forgets it with the session. Where the browser keeps nothing, the page shows
 * what the server knows.
 */
export function showSteps(page: Document): void {
  const items = [...page.querySelectorAll<HTMLElement>('[data-step]')];
  const done = kept();
  for (const { classList, dataset } of items) {
    if (classList.contains('done')) done.add(dataset.step ?? '');
  }
  if (done.size > kept().size) keep(done);
  const next = items.find(({ dataset }) => !done.has(dataset.step ?? ''));
  for (const item of items) {
    if (item === next) item.setAttribute('aria-current', 'step');
    else item.removeAttribute('aria-current');
    if (!done.has(item.dataset.step ?? '') || item.classList.contains('done')) continue;
    item.classList.add('done');
    const said = page.createElement('span');
    said.className = 'visually-hidden';
    said.textContent = ' (done)';
    item.querySelector('strong')?.after(said);
  }
}

function kept(): Set<string> {
  try {
    return new Set((localStorage.getItem(KEPT_AS) ?? '').split(' ').filter(Boolean));
  } catch {
    return new Set(); // storage may be forbidden
  }
}

function keep(steps: ReadonlySet<string>): void {
  try {
    localStorage.setItem(KEPT_AS, [...steps].join(' '));
  } catch {
    // forbidden or full: it is only a tick
  }
}
