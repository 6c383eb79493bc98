import { formatDuration } from '../duration.ts';
import { setText } from './text.ts';

/** The last seconds stand out. */
const ENDING_MS = 10_000;

const calm = matchMedia('(prefers-reduced-motion: reduce)');

let endsAt: number | undefined; // by performance.now()
let lifetimeEndsAt: number | undefined;
let isOver = () => {};
let isStopped = false;

/** Starts the clock that the page shows. `over` is called when it has run down, by when the server has dropped the session. */
export function startClock(askedAt: number, over: () => void): void {
  setClock(askedAt);
  isOver = over;
  tick();
}

/**
 * The server said at some moment since `askedAt` how much is left. Within that doubt the clock goes on as it was, so that
 * it never jumps by the duration of a request.
 */
export function setClock(askedAt: number): void {
  const gauge = document.getElementById('gauge');
  if (gauge) {
    const left = Number(gauge.dataset.remainingMs);
    const [earliest, latest] = [askedAt + left, performance.now() + left];
    endsAt = Math.min(latest, Math.max(earliest, endsAt ?? earliest));
  } else endsAt = undefined;
  const lifetimeLeft = gauge?.dataset.lifetimeLeftMs;
  lifetimeEndsAt = lifetimeLeft ? performance.now() + Number(lifetimeLeft) : undefined;
  isStopped = false;
  draw();
}

/** Whether the session runs out about now. */
export function isRunningOut(): boolean {
  return endsAt !== undefined && endsAt - performance.now() < 1000;
}

function tick(): void {
  draw();
  requestAnimationFrame(tick);
}

function draw(): void {
  const gauge = document.getElementById('gauge');
  if (!gauge || endsAt === undefined || isStopped) return;
  const away = document.querySelector('main')?.dataset.stale !== undefined;
  const leftMs = Math.max(0, endsAt - performance.now());
  const seconds = Math.ceil(leftMs / 1000);
  const words = leftMs > 0 ? formatDuration(seconds) : away ? 'not known' : 'expired';
  drawRing('ring', leftMs, Number(gauge.dataset.ttlMs));
  setText('remaining', words);
  if (!away) setText('store-ttl', String(leftMs === 0 ? -2 : seconds));
  const title = leftMs === 0 ? 'Sojourn' : `${words} left · Sojourn`;
  if (document.title !== title) document.title = title;
  gauge.classList.toggle('ending', leftMs < ENDING_MS);
  if (lifetimeEndsAt !== undefined) {
    const lifetimeLeftMs = Math.max(0, lifetimeEndsAt - performance.now());
    drawRing('lifetime-ring', lifetimeLeftMs, Number(gauge.dataset.lifetimeMs));
    setText('lifetime', formatDuration(Math.ceil(lifetimeLeftMs / 1000)));
  }
  if (leftMs > 0) return;
  isStopped = true;
  setTimeout(() => isOver(), 50);
}

/** Smoothly, or by the second where motion is to be reduced. */
function drawRing(ring: string, leftMs: number, wholeMs: number): void {
  const shownMs = calm.matches ? Math.ceil(leftMs / 1000) * 1000 : leftMs;
  const dashes = `${Math.min(100, (shownMs / wholeMs) * 100).toFixed(2)} 100`;
  const element = document.getElementById(ring);
  if (element?.getAttribute('stroke-dasharray') !== dashes) {
    element?.setAttribute('stroke-dasharray', dashes);
  }
}
