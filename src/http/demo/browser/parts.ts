const REFUSAL = ['aria-invalid', 'aria-describedby'];

/** What stands around the parts, as it came: extensions of the browser write into the page. */
let shown = '';
const main = document.querySelector('main');
if (main) shown = skeleton(main);

/**
 * Brings in the parts that differ, so that focus and typed text survive; everything where more than parts does. What is rendered
 * stands in elements with `data-part`.
 */
export function replaceParts(current: HTMLElement, next: HTMLElement): void {
  const [before, after] = [shown, skeleton(next)];
  shown = after;
  if (before !== after) {
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

/** What is typed stays; whether it was refused is the server's to say. */
function copyRefusal(from: Element): void {
  const input = document.getElementById(from.id);
  for (const name of REFUSAL) {
    const value = from.getAttribute(name);
    if (value === null) input?.removeAttribute(name);
    else input?.setAttribute(name, value);
  }
}

/** All but the parts, and whether fields were refused. */
function skeleton(element: Element): string {
  const copy = element.cloneNode(true) as Element;
  for (const part of copy.querySelectorAll('[data-part]')) part.replaceChildren();
  for (const input of copy.querySelectorAll('input')) {
    for (const name of REFUSAL) input.removeAttribute(name);
  }
  return copy.innerHTML;
}
