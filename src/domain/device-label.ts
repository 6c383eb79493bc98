/** What a User-Agent tells: the words for people, and the token of it that each was read from. */
export interface Recognized {
  readonly product: Found | undefined;
  readonly system: Found | undefined;
}

interface Found {
  readonly name: string;
  readonly token: string;
}

/** Without a name the first group is it. Each token is short, and ends where a version's first number does. */
type Known = readonly (readonly [RegExp, string?])[];

/** Browsers name the ones that they resemble as well, so the order decides. */
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
  [/^(?!Mozilla)([A-Za-z][\w.+-]{0,23})(?:\/\d{0,4}|$)/], // curl, okhttp, an application of one's own
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

/** Longer ones are read so far: nobody waits for what a stranger made a header of. */
const MOST_CHARACTERS = 1024;

/**
 * What a person calls the device that sends this User-Agent, `Chrome on Linux`: enough to tell one's own devices apart, for
 * display only, since anybody can send any; `A browser` where there is none. It says the same of one that was shortened to be kept as `Device.userAgent`.
 * The name of a program that it does not know is a short text that the client chose: escape it, as everything.
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

/** Reads the first 1,024 characters. */
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
