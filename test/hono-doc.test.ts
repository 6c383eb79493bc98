import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { expect, it } from 'vitest';

const guide = readFileSync('docs/hono.md', 'utf8');

function parse(path: string): ts.SourceFile {
  return ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
}

/** What an interface of that file declares itself. */
function membersOf(path: string, name: string): string[] {
  const declared = parse(path).statements.find(
    (node): node is ts.InterfaceDeclaration =>
      ts.isInterfaceDeclaration(node) && node.name.text === name,
  );
  return (declared?.members ?? []).flatMap((member) => member.name?.getText() ?? []);
}

it.each([
  ['src/http/hono/sessions.ts', 'SessionsOptions', 2],
  ['src/http/session-lifecycle.ts', 'SessionHandlerOptions', 7],
  ['src/http/session-cookie.ts', 'SessionCookieOptions', 7],
  ['src/http/request-session.ts', 'RequestSession', 9],
  ['src/http/request-session.ts', 'ActiveSession', 14],
  ['src/http/request-session.ts', 'StartOptions', 1],
  ['src/domain/session-service-options.ts', 'CreateOptions', 5],
  ['src/domain/session-service-options.ts', 'RotateOptions', 2],
] as const)(
  'the guide of the middleware tells of all that %s declares as %s',
  (path, name, least) => {
    const members = membersOf(path, name);
    expect(members.length).toBeGreaterThanOrEqual(least);
    expect(members.filter((member) => !new RegExp(`\\b${member}\\b`).test(guide))).toEqual([]);
  },
);

it('the guide of the middleware tells of every codec', () => {
  const codecs = parse('src/domain/field-codecs.ts').statements.flatMap((node) =>
    ts.isFunctionDeclaration(node) && /Codec\b/.test(node.type?.getText() ?? '')
      ? [node.name?.text ?? '']
      : [],
  );
  expect(new Set(codecs)).toEqual(new Set(['text', 'integer', 'boolean', 'json']));
  for (const codec of codecs) expect(guide).toContain(`\`${codec}(`);
});
