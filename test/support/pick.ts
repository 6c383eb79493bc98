/** One of them, by chance. */
export function pick<T>(things: readonly T[]): T {
  return things[Math.floor(Math.random() * things.length)] as T;
}
