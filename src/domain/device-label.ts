/** What a User-Agent says about product and system: names for people, and the tokens that they were read from. */
export interface Recognized {
  readonly product: Found | undefined;
  readonly system: Found | undefined;
}

interface Found {
  readonly name: string;
  readonly token: string;
}

/**
 * A pattern, and the name for it; without a name the first group is the name. A token is short and ends with the major
 * version.
 */
type Known = readonly (readonly [RegExp, string?])[];

/** Browsers also name the browsers that they imitate, so the order matters. */
const PRODUCTS: Known = [
  [/([A-Za-z-]{0,20}(?:bot|crawler|spider))\/\d{0,4}/i],
  [/FB(?:AN|AV)\/\d{0,4}/, 'Facebook'],
  [/Instagram[ /]\d{0,4}/, 'Instagram'],
  [/MicroMessenger\/\d{0,4}/, 'WeChat'],
  [/Electron\/\d{0,4}/, 'An app'],
  [/Edg(?:e|A|iOS)?\/\d{0,4}/, 'Edge'],
  [/(?:OPR|OPT|OPX|OPiOS|Opera)\/\d{0,4}/, 'Opera'],
  [/SamsungBrowser\/\d{0,4}/, 'Samsung Internet'],
  [/(?:Firefox|FxiOS)\/\d{0,4}/, 'Firefox'],
  [/(?:Chrome|CriOS)\/\d{0,4}/, 'Chrome'],
  [/Safari\/\d{0,4}/, 'Safari'],
  [/Trident\/\d{0,4}|MSIE \d{0,4}/, 'Internet Explorer'],
  [/Dalvik\/\d{0,4}/, 'An app'],
  [/^(?!Mozilla)([A-Za-z][\w.+-]{0,23})(?:\/\d{0,4}|$)/], // curl, okhttp, an own application
];

const SYSTEMS: Known = [
  [/Android(?: \d{1,3})?/, 'Android'],
  [/iPhone/, 'iOS'],
  [/iPad/, 'iPadOS'],
  [/\biOS(?=[^A-Za-z])/, 'iOS'],
  [/Windows(?: NT \d{1,2}(?:\.\d)?)?/, 'Windows'],
  [/Mac OS X(?: [\d_.]{1,8})?|macOS/, 'macOS'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/, 'Linux'],
];

/** Only this much of a header is read, because a client can send any length. */
const MOST_CHARACTERS = 1024;

/**
 * A name for the device that sends this User-Agent, such as `Chrome on Linux`, or `A browser` if nothing is recognised.
 * It is meant for display, so that users can tell their own devices apart; clients can send any User-Agent. A value
 * that was shortened for `Device.userAgent` gives the same name. The name of an unknown program is a short text chosen
 * by the client: escape it like any other input.
 *
 * @example
 * ```ts
 * const device = { label: deviceLabel(c.req.header('User-Agent')) };
 * await session.start(user, {}, { device });
 * ```
 */
export function deviceLabel(userAgent: string | null | undefined): string {
  const { product, system } = recognize(userAgent ?? '');
  const name = product?.name ?? 'A browser';
  return system === undefined ? name : `${name} on ${system.name}`;
}

/** Reads the first 1,024 characters only. */
export function recognize(userAgent: string): Recognized {
  const text = userAgent.slice(0, MOST_CHARACTERS);
  return { product: find(PRODUCTS, text), system: find(SYSTEMS, text) };
}

function find(known: Known, text: string): Found | undefined {
  for (const [pattern, name] of known) {
    const [token, given] = pattern.exec(text) ?? [];
    if (token !== undefined) return { name: name ?? given ?? token, token };
  }
  return undefined;
}
