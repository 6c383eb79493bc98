import { describe, expect, it } from 'vitest';
import { MemorySessionRepository } from '../../src/adapters/memory/memory-session-repository.ts';
import { nodeSecrets } from '../../src/adapters/node/node-secrets.ts';
import { RecentTokens } from '../../src/domain/recent-tokens.ts';
import { SessionService } from '../../src/domain/session-service.ts';
import { type Credential, mintSession } from '../../src/domain/session-token.ts';

const MINUTE = 60_000;
const minted = () => mintSession(nodeSecrets) as { token: string; credential: Credential };

describe('recent tokens', () => {
  it('tell what a token proves, for at least a minute after its last use and at most two', () => {
    const recent = new RecentTokens(10);
    const { token, credential } = minted();
    expect(recent.get(token, 0)).toBeUndefined();
    recent.add(token, credential);
    expect(recent.get(token, MINUTE - 1)).toEqual(credential);
    expect(recent.get(token, 2 * MINUTE - 2)).toEqual(credential); // moved to the young by this use
    expect(recent.get(token, 4 * MINUTE)).toBeUndefined();
  });

  it('are forgotten when nobody asked for long', () => {
    const recent = new RecentTokens(10);
    const { token, credential } = minted();
    recent.get(token, 0);
    recent.add(token, credential);
    expect(recent.get(token, 3 * MINUTE)).toBeUndefined();
  });

  it('are forgotten in time also when the clock steps back', () => {
    const recent = new RecentTokens(10);
    const [{ token, credential }, other] = [minted(), minted()];
    recent.get(token, 100 * MINUTE);
    recent.add(token, credential);
    recent.get(other.token, 0);
    recent.get(other.token, MINUTE);
    expect(recent.get(token, 2 * MINUTE)).toBeUndefined();
  });

  it('are no more than twice as many as said, the last used among them', () => {
    const recent = new RecentTokens(3);
    const all = Array.from({ length: 20 }, minted);
    for (const { token, credential } of all) recent.add(token, credential);
    const known = all.map(({ token }) => recent.get(token, 0) !== undefined);
    expect(known.filter(Boolean).length).toBeLessThanOrEqual(6);
    expect(known.at(-1)).toBe(true);
  });

  it('can be deleted', () => {
    const recent = new RecentTokens(1);
    const [first, second] = [minted(), minted()];
    for (const { token, credential } of [first, second]) recent.add(token, credential);
    recent.delete(first.token);
    recent.delete(second.token);
    expect(recent.get(first.token, 0)).toBeUndefined();
    expect(recent.get(second.token, 0)).toBeUndefined();
  });
});

describe('a service that remembers tokens', () => {
  function counting() {
    let hashes = 0;
    const secrets = {
      ...nodeSecrets,
      sha256(text: string) {
        hashes += 1;
        return nodeSecrets.sha256(text);
      },
    };
    const service = new SessionService({
      repository: new MemorySessionRepository(),
      clock: { now: Date.now },
      secrets,
      rememberTokens: 10,
    });
    return { service, hashes: () => hashes };
  }

  it('hashes a secret once, and asks the store each time', async () => {
    const { service, hashes } = counting();
    const { token } = await service.create({ a: '1' });
    await service.get(token);
    const before = hashes();
    await service.update(token, { set: { a: '2' } });
    expect(hashes()).toBe(before + 1);
    expect((await service.get(token))?.fields.a).toBe('2');
    expect((await service.peek(token))?.fields.a).toBe('2');
    expect(hashes()).toBe(before + 1);
  });

  it('opens nothing by a remembered token whose session has ended or whose secret was replaced', async () => {
    const { service } = counting();
    const ended = await service.create();
    const rotated = await service.create();
    for (const { token } of [ended, rotated]) await service.get(token);
    await service.end(ended.session.id);
    expect(await service.get(ended.token)).toBeUndefined();
    await service.rotate(rotated.token);
    expect(await service.get(rotated.token)).toBeUndefined();
  });

  it('forgets a token that opens nothing any more', async () => {
    const { service, hashes } = counting();
    const { token, session } = await service.create();
    await service.get(token);
    await service.end(session.id);
    await service.get(token);
    const before = hashes();
    await service.get(token);
    expect(hashes()).toBe(before + 1);
  });

  it('never remembers what opened nothing', async () => {
    const { service, hashes } = counting();
    const { token } = minted();
    for (let i = 0; i < 3; i += 1) expect(await service.get(token)).toBeUndefined();
    expect(hashes()).toBe(3);
  });
});
