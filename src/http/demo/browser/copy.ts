import { announce } from './announce.ts';
import { tickOff } from './path.ts';

/** Copies the text of an element. Where the browser does not let it, the text is selected, to be copied by hand. */
export async function copyFrom(id: string): Promise<void> {
  const element = document.getElementById(id);
  if (!element) return;
  try {
    await navigator.clipboard.writeText(element.textContent ?? '');
    announce('Copied.');
  } catch {
    getSelection()?.selectAllChildren(element); // no permission, or plain HTTP
    announce('Selected: copy it with the keyboard.');
  }
  tickOff('look');
}
