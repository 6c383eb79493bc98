/** What a newcomer can try, in the order that shows most. */
export const steps = ['start', 'use', 'expire', 'second', 'look', 'everywhere'] as const;

export type Step = (typeof steps)[number];
