import { type Diagnosis, failureOfReply } from '../redis-errors.ts';

/** What node-redis throws. Its classes have no names of their own and its texts no codes: both are told by the texts. */
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
 * What it says of commands that were not sent, or only to nodes of a cluster that refused them. A signal that is
 * aborted takes a command out of its queue, and has no effect on one that was sent.
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

/** Redis' own words begin with a code in capital letters; the system's errors carry theirs apart. */
function isReply(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined && /^[A-Z]{2,}[A-Z0-9_]*(?: |$)/.test(error.message);
}
