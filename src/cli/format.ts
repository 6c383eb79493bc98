/** The two largest units of the duration: `3d 4h`. */
export function duration(seconds: number | undefined): string {
  if (seconds === undefined) return '?';
  const units = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [Math.floor(seconds) % 60, 's'],
  ] as const;
  const first = units.findIndex(([count]) => count > 0);
  if (first === -1) return '0s';
  return units
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ');
}

/** `1,234,567` */
export function number(value: number | null): string {
  return value?.toLocaleString('en-US') ?? '?';
}

export function percent(part: number, whole: number): string {
  return `${Math.round((100 * part) / whole)}%`;
}

/** `1.5 GiB` */
export function bytes(value: number | null): string {
  if (value === null) return '?';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, value)) / 10));
  return `${(value / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** The text, or as much of it as fits into so many characters with an ellipsis. */
export function shorten(text: string, most: number): string {
  if (text.length <= most) return text;
  // Characters may have two code units; a text may be many megabytes long.
  return `${[...text.slice(0, 2 * most)].slice(0, most - 1).join('')}…`;
}
