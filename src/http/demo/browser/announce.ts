import { setText } from './text.ts';

const SHOWN_MS = 6000;

let timer: ReturnType<typeof setTimeout> | undefined;

/** Says what has happened, to those who see and to those who hear the page. */
export function announce(text: string): void {
  const toast = document.getElementById('announcer');
  setText('announcer', text);
  toast?.classList.add('shown');
  clearTimeout(timer);
  timer = setTimeout(() => toast?.classList.remove('shown'), SHOWN_MS);
}
