/**
 * True if this name or address, of the listener or from a URL, belongs to this machine: `localhost`, `*.localhost`,
 * 127.0.0.0/8, `::1` in any spelling, and 127.0.0.0/8 as IPv6.
 */
export function isLoopback(name: string): boolean {
  const bare = shortest(name.toLowerCase().replace(/\.$/, ''));
  return /^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::(?:1|ffff:7f[\da-f]{2}:[\da-f]{1,4})\])$/.test(
    bare,
  );
}

/** An IPv6 address in the form used in URLs, in brackets; any other name unchanged. */
function shortest(name: string): string {
  const url = `http://${name.startsWith('[') ? name : `[${name}]`}`;
  return name.includes(':') && URL.canParse(url) ? new URL(url).hostname : name;
}

/**
 * True if requests may use this host. A server on a loopback address by default accepts only loopback names: any other
 * name points there because its owner made it do so, so that pages under that name could read the server's responses
 * (DNS rebinding). Loopback names are always allowed, because pages loaded from them come from this machine.
 */
export function allowsHost(
  name: string,
  {
    listeningOn,
    allowedHosts,
  }: {
    /** The address or name that the server listens on. */
    readonly listeningOn: string;
    /** Names in lower case. `*.example.com` matches all names below it, `*` matches every name. */
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
