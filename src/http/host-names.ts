/**
 * Whether that name or address, of the listener or from a URL, is this machine's own: `localhost`, `*.localhost`, 127.0.0.0/8,
 * `::1` in any spelling, and 127.0.0.0/8 as IPv6.
 */
export function isLoopback(name: string): boolean {
  const bare = shortest(name.toLowerCase().replace(/\.$/, ''));
  return /^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::(?:1|ffff:7f[\da-f]{2}:[\da-f]{1,4})\])$/.test(
    bare,
  );
}

/** An IPv6 address as URLs have it, in brackets; any other name as it is. */
function shortest(name: string): string {
  const url = `http://${name.startsWith('[') ? name : `[${name}]`}`;
  return name.includes(':') && URL.canParse(url) ? new URL(url).hostname : name;
}

/**
 * Whether requests may name that host. A server on a loopback address answers, unless told otherwise, to loopback names alone: any
 * other name was made to point there by whoever owns it, so that pages of that name can read what the server answers (DNS
 * rebinding). A page that was loaded from a loopback name is this machine's own, so these are always allowed.
 */
export function allowsHost(
  name: string,
  {
    listeningOn,
    allowedHosts,
  }: {
    /** The address or name that the server listens on. */
    readonly listeningOn: string;
    /** Names in lower case; `*.example.com` stands for all names below that one, `*` for every name. */
    readonly allowedHosts: readonly string[] | undefined;
  },
): boolean {
  if (isLoopback(name)) return true;
  if (allowedHosts === undefined) return !isLoopback(listeningOn);
  const bare = name.toLowerCase().replace(/\.$/, '');
  return allowedHosts.some(
    (allowed) =>
      allowed === '*' ||
      (allowed.startsWith('*.') ? bare.endsWith(allowed.slice(1)) : bare === allowed),
  );
}
