/**
 * Brings in the parts that differ, so that focus and typed text survive; everything where more than parts does. What is rendered
 * stands in elements with `data-part`.
 */
export function replaceParts(current: HTMLElement, next: HTMLElement): void {
  if (skeleton(current) !== skeleton(next)) {
    current.replaceChildren(...next.childNodes);
  } else {
    const newParts = next.querySelectorAll('[data-part]');
    for (const [i, part] of current.querySelectorAll('[data-part]').entries()) {
      const newPart = newParts[i];
      if (newPart && part.innerHTML !== newPart.innerHTML) {
        part.replaceChildren(...newPart.childNodes);
      }
    }
    for (const input of next.querySelectorAll('input[id]')) copyRefusal(input);
  }
  for (const name of ['state', 'stale']) {
    if (next.dataset[name] === undefined) delete current.dataset[name];
    else current.dataset[name] = next.dataset[name];
  }
}

const REFUSAL = ['aria-invalid', 'aria-describedby'];

/** What is typed stays; whether it was refused is the server's to say. */
function copyRefusal(from: Element): void {
  const input = document.getElementById(from.id);
  for (const name of REFUSAL) {
    const value = from.getAttribute(name);
    if (value === null) input?.removeAttribute(name);
    else input?.setAttribute(name, value);
  }
}

/** All but the parts, as the server rendered it. */
function skeleton(element: Element): string {
  const copy = element.cloneNode(true) as Element;
  for (const part of copy.querySelectorAll('[data-part]')) part.replaceChildren();
  for (const input of copy.querySelectorAll('input')) {
    for (const name of REFUSAL) input.removeAttribute(name);
  }
  for (const pending of copy.querySelectorAll('[aria-busy], [aria-disabled]')) {
    pending.removeAttribute('aria-busy');
    pending.removeAttribute('aria-disabled');
  }
  for (const moving of copy.querySelectorAll('.lanes')) moving.className = 'lanes';
  return copy.innerHTML;
}
