import { describe, expect, it } from 'vitest';
import { allowsHost, isLoopback } from '../../src/http/host-names.ts';

const LOOPBACK = [
  'localhost',
  'LOCALHOST',
  'localhost.',
  'shop.localhost',
  'a.b.LocalHost.',
  '127.0.0.1',
  '127.255.0.9',
  '[::1]',
  '::1',
  '0:0:0:0:0:0:0:1',
  '[0000::0001]',
  '::ffff:127.0.0.1',
  '::FFFF:7f00:1',
];
const ELSEWHERE = [
  'evil.example',
  'localhost.evil.example',
  'evillocalhost',
  '.localhost',
  '127.0.0.1.evil.example',
  '127.0.0.1.nip.io',
  '127.evil.example',
  '128.0.0.1',
  '192.168.0.1',
  '0.0.0.0',
  '[::]',
  '[2001:db8::1]',
  '::ffff:192.168.0.1',
  '::ffff:128.0.0.1',
  '::1:1',
  '::7f00:1',
  'localhost:80',
  '[::1]evil.example',
  'xn--localhost',
];

it.each(LOOPBACK)('%s is this machine', (name) => {
  expect(isLoopback(name)).toBe(true);
});

it.each(ELSEWHERE)('%s may be any machine', (name) => {
  expect(isLoopback(name)).toBe(false);
});

describe('a server on a loopback address', () => {
  it.each(['127.0.0.1', 'localhost', '::1', '127.0.0.2'])(
    'at %s answers to loopback names alone',
    (listeningOn) => {
      const allows = (name: string) => allowsHost(name, { listeningOn, allowedHosts: undefined });
      expect(LOOPBACK.filter(allows)).toEqual(LOOPBACK);
      expect(ELSEWHERE.filter(allows)).toEqual([]);
    },
  );

  it('answers to the names that it was given as well', () => {
    const allows = (name: string) =>
      allowsHost(name, { listeningOn: '127.0.0.1', allowedHosts: ['shop.example'] });
    expect(LOOPBACK.filter(allows)).toEqual(LOOPBACK);
    expect(['shop.example', 'SHOP.example', 'shop.example.'].filter(allows)).toHaveLength(3);
    expect(['a.shop.example', 'evilshop.example', 'shop.example.evil'].filter(allows)).toEqual([]);
  });
});

describe('a server on any other address', () => {
  const allowing = (allowedHosts: readonly string[] | undefined) => (name: string) =>
    allowsHost(name, { listeningOn: '0.0.0.0', allowedHosts });

  it('answers to every name, unless it was told which', () => {
    expect(ELSEWHERE.filter(allowing(undefined))).toEqual(ELSEWHERE);
    expect(ELSEWHERE.filter(allowing(['*']))).toEqual(ELSEWHERE);
    expect(ELSEWHERE.filter(allowing(['evil.example']))).toEqual(['evil.example']);
    expect(LOOPBACK.filter(allowing(['evil.example']))).toEqual(LOOPBACK); // a health check
  });

  it('takes *.example.com for the names below, at any depth, and for none beside', () => {
    const allows = allowing(['*.example.com']);
    expect(['a.example.com', 'a.b.EXAMPLE.com.'].filter(allows)).toHaveLength(2);
    const others = ['example.com', 'evilexample.com', 'example.com.evil', 'a.example.com.evil'];
    expect(others.filter(allows)).toEqual([]);
  });
});
