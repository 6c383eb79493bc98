/** Updates the console's figures and checks confirmations while they are typed. */

const EVERY_MS = 10_000;

const live = document.querySelectorAll('[data-live]');
if (live.length > 0) setInterval(() => void follow(), EVERY_MS);

for (const input of document.querySelectorAll<HTMLInputElement>('input[data-expects]')) {
  const button = input.form?.querySelector('button');
  const look = () => {
    if (button) button.disabled = input.value.trim() !== input.dataset.expects?.trim();
  };
  input.addEventListener('input', look);
  look();
}

// A form that ends something must not be submitted twice while its response is pending.
for (const form of document.querySelectorAll('form[method="post"]')) {
  form.addEventListener('submit', () => form.setAttribute('aria-busy', 'true'));
  form.addEventListener('submit', (event) => {
    if (form.hasAttribute('data-sent')) event.preventDefault();
    form.setAttribute('data-sent', '');
  });
}
addEventListener('pageshow', () => {
  for (const form of document.querySelectorAll('form[data-sent]')) {
    form.removeAttribute('data-sent');
    form.removeAttribute('aria-busy');
  }
});

/** Loads the page again and replaces its live parts. Unfolded details stay unfolded, and the focus stays. */
async function follow(): Promise<void> {
  if (document.visibilityState !== 'visible') return;
  const response = await fetch(location.href, { headers: { Accept: 'text/html' } }).catch(
    () => undefined,
  );
  if (response?.status === 401) location.reload(); // the sign-in has expired; the reloaded page asks for it again
  if (!response?.ok) {
    say('The console does not answer. The figures shown are the last ones received.');
    return;
  }
  const next = new DOMParser().parseFromString(await response.text(), 'text/html');
  say('');
  for (const part of document.querySelectorAll('[data-live]')) {
    const now = next.getElementById(part.id);
    if (now === null || part.contains(document.activeElement) || now.innerHTML === part.innerHTML) {
      continue;
    }
    for (const open of part.querySelectorAll('details[open]')) {
      now.querySelector(`#${CSS.escape(open.id)}`)?.setAttribute('open', '');
    }
    part.replaceChildren(...now.childNodes);
  }
}

function say(text: string): void {
  const place = document.getElementById('silence');
  if (place === null || place.textContent === text) return;
  place.textContent = text;
  place.hidden = text === '';
}
