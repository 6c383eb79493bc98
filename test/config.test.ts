import { expect, it } from 'vitest';
import { ConfigError, readConfig } from '../src/config.ts';

it.each([
  ['shop.example', ['shop.example']],
  [' Shop.Example. , *.PREVIEW.example ', ['shop.example', '*.preview.example']],
  ['*', ['*']],
  ['b\u00fccher.example', ['xn--bcher-kva.example']],
  ['10.0.0.1,[2001:DB8:0::1]', ['10.0.0.1', '[2001:db8::1]']],
  ['intranet', ['intranet']],
])('allowed hosts %j are kept as Host headers are compared: %j', (value, hosts) => {
  expect(readConfig({ 'allowed-hosts': value }, {}).allowedHosts).toEqual(hosts);
});

it.each([
  ['https://Shop.example:443/', ['https://shop.example']],
  [
    'http://shop.example:8080, https://*.Preview.example',
    ['http://shop.example:8080', 'https://*.preview.example'],
  ],
  ['https://[::1]:8443', ['https://[::1]:8443']],
])('trusted origins %j are kept as browsers write them: %j', (value, origins) => {
  expect(readConfig({ 'trusted-origins': value }, {}).trustedOrigins).toEqual(origins);
});

it('allows no host by name and trusts no origin unless it is told to', () => {
  const config = readConfig({}, { ALLOWED_HOSTS: '', TRUSTED_ORIGINS: '' });
  expect(config).toMatchObject({ allowedHosts: undefined, trustedOrigins: [], trustProxy: false });
});

it('takes no time to refuse what is long', () => {
  const beganAt = performance.now();
  for (const value of [`${'a'.repeat(60_000)}*`, `${'a.'.repeat(30_000)}*`]) {
    expect(() => readConfig({ 'allowed-hosts': value }, {})).toThrow(ConfigError);
    expect(() => readConfig({ 'trusted-origins': `https://${value}` }, {})).toThrow(ConfigError);
  }
  expect(performance.now() - beganAt).toBeLessThan(1000);
});
