import { type Diagnosis, failureOfReply } from '../redis-errors.ts';

/**
 * The errors of node-redis. Its classes do not set a name and its messages have no codes, so both are recognised by the
 * text.
 */
export const nodeRedis: Diagnosis = {
  wasRefused: (error) => isReply(error) || neverSent.some((text) => error.message.startsWith(text)),
  failureOf(error) {
    if (isReply(error)) return failureOfReply(error.message);
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ETIMEDOUT' || /timed out|timeout|aborted|within \d+ ms/i.test(error.message)) {
      return 'timeout';
    }
    const lost = /connect|socket|closed|offline|redirection|root nodes|node|sentinel|master/i;
    return code !== undefined || lost.test(error.message) ? 'connection' : 'other';
  },
};

/**
 * Messages about commands that were not sent, or were sent only to nodes of a cluster that refused them. An aborted
 * signal removes a command from its queue and has no effect on one that was sent.
 */
const neverSent = [
  'The client is closed',
  'The client is offline',
  'The command was aborted',
  'The queue is full',
  'Timeout waiting for a client',
  'Too many Cluster redirections',
  'All the root nodes are unavailable',
  'Cannot find node',
];

/** Redis' own messages begin with a code in capital letters; system errors have theirs in a property. */
function isReply(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined && /^[A-Z]{2,}[A-Z0-9_]*(?: |$)/.test(error.message);
}
