/** `7 d`, `29 min 58 s`: the two largest units that are not zero. */
export function formatDuration(seconds: number): string {
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
