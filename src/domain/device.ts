import { shortUserAgent } from './short-user-agent.ts';
import { cutText } from './text-bytes.ts';

/**
 * The device on which a session was started, for a list in which users recognise their own devices. It is personal
 * data: nothing is stored unless the application passes it. Each text is cut to at most 60 bytes, which keeps the
 * session's hash compact in Redis.
 */
export interface Device {
  /** A name for people, such as the result of `deviceLabel`: `Firefox on Linux`. */
  readonly label?: string;
  /**
   * The User-Agent header. If it is too long, the product, the platform and other distinguishing parts are kept:
   * `Chrome/126 (Android 14; Pixel 8) Mobile`. `deviceLabel` gives the same result for both forms.
   */
  readonly userAgent?: string;
  /** The IP address of the client. */
  readonly address?: string;
}

// Redis keeps a hash in its compact form while no value is longer than 64 bytes.
const MAX_BYTES = 60;

/**
 * The device in the form in which it is stored. Anything but text is left out, such as the `null` of a header that was
 * not sent.
 */
export function cutDevice({ label, userAgent, address }: Device): Device {
  return {
    ...(typeof label === 'string' && { label: cutText(label, MAX_BYTES) }),
    ...(typeof userAgent === 'string' && { userAgent: shortUserAgent(userAgent, MAX_BYTES) }),
    ...(typeof address === 'string' && { address: cutText(address, MAX_BYTES) }),
  };
}
