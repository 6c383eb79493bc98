import { shortUserAgent } from './short-user-agent.ts';
import { cutText } from './text-bytes.ts';

/**
 * Where a session was started, for the list in which users recognise their own devices. It is personal data: nothing is
 * kept unless the application hands it over. Each text is kept in at most 60 bytes, which keeps a session's hash compact.
 */
export interface Device {
  /** A name that means something to the user, as `deviceLabel` makes it of a User-Agent: `Firefox on Linux`. */
  readonly label?: string;
  /**
   * A longer one is kept as its product, its platform and what else tells browsers apart:
   * `Chrome/126 (Android 14; Pixel 8) Mobile`. `deviceLabel` says the same of both.
   */
  readonly userAgent?: string;
  /** The address that the request came from. */
  readonly address?: string;
}

// Redis keeps a hash in its compact form while no value is longer than 64 bytes.
const MAX_BYTES = 60;

/** The device as it is kept. What is no text, such as the `null` of a header that was not sent, is left out. */
export function cutDevice({ label, userAgent, address }: Device): Device {
  return {
    ...(typeof label === 'string' && { label: cutText(label, MAX_BYTES) }),
    ...(typeof userAgent === 'string' && { userAgent: shortUserAgent(userAgent, MAX_BYTES) }),
    ...(typeof address === 'string' && { address: cutText(address, MAX_BYTES) }),
  };
}
