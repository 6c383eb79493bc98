import { posix } from 'node:path';
import ts from 'typescript';

type Layer =
  | 'domain'
  | 'ports'
  | 'adapters'
  | 'http'
  | 'testing'
  | 'browser'
  | 'container'
  | 'config'
  | 'main'
  | 'entry';

/** What a layer may import from another. A layer may always import itself. */
type Allowance = 'types' | 'everything';

const allowed: Readonly<Record<Layer, Partial<Record<Layer | 'packages', Allowance>>>> = {
  domain: { ports: 'types' },
  ports: { domain: 'types' },
  adapters: { domain: 'everything', ports: 'everything', packages: 'everything' },
  http: { domain: 'everything', packages: 'everything' },
  testing: { domain: 'everything', ports: 'types', adapters: 'everything', packages: 'everything' },
  browser: { domain: 'types', http: 'types' },
  container: {
    domain: 'everything',
    ports: 'everything',
    adapters: 'everything',
    http: 'everything',
    config: 'everything',
    packages: 'everything',
  },
  config: { domain: 'everything', adapters: 'types', packages: 'everything' },
  // The commands speak of sessions; which Redis they are in is the container's to know.
  main: {
    domain: 'everything',
    ports: 'types',
    adapters: 'types',
    container: 'everything',
    config: 'everything',
    http: 'everything',
    packages: 'everything',
  },
  // The public doors: whoever comes in through them meets neither the container nor the process.
  entry: {
    domain: 'everything',
    ports: 'everything',
    adapters: 'everything',
    http: 'everything',
    testing: 'everything',
  },
};

/** Of the adapters, what only parses a text and opens nothing: the configuration is checked by the same words as the library. */
const parsers: readonly string[] = ['src/adapters/redis/redis-address.ts'];

/** Of the page, what only computes: its script, which is bundled, says the same as the server. */
const shared: readonly string[] = ['src/http/demo/duration.ts'];

/** Packages that only these layers may import, whatever else they may import. */
const reserved: Readonly<Record<string, readonly Layer[]>> = {
  tsyringe: ['container'],
  'reflect-metadata': ['container'],
  '@hono/node-server': ['main', 'config'],
  'node:process': ['main', 'config'],
};

/**
 * What the module at `path` (from the project's root, with `/`) does that the architecture forbids: one sentence each,
 * with the line. Read from the syntax tree, so that a word in a comment or a string is no offence.
 */
export function architectureViolations(path: string, source: string): string[] {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true);
  const layer = layerOf(path);
  const violations: string[] = [];
  visit(file);
  return violations;

  function visit(node: ts.Node): void {
    const violation = forbiddenImport(node, path, layer) ?? forbiddenGlobal(node, path, layer);
    if (violation !== undefined) {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart());
      violations.push(`${path}:${line + 1} ${violation}`);
    }
    ts.forEachChild(node, visit);
  }
}

function layerOf(path: string): Layer {
  if (/^src\/http\/\w+\/browser\//.test(path)) return 'browser';
  if (path === 'src/observe.ts') return 'container';
  if (path.startsWith('src/cli/')) return 'main';
  if (path.startsWith('src/config/')) return 'config';
  const [, layer = '', ...rest] = path.replace(/\.tsx?$/, '').split('/');
  const known =
    rest.length > 0
      ? ['domain', 'ports', 'adapters', 'http', 'testing']
      : ['container', 'config', 'main'];
  if (known.includes(layer)) return layer as Layer;
  if (rest.length === 0) return 'entry';
  throw new Error(`${path} belongs to no layer`);
}

function forbiddenImport(node: ts.Node, path: string, layer: Layer): string | undefined {
  const imported = importedBy(node);
  if (imported === undefined) return undefined;
  const { specifier, typesOnly } = imported;
  if (specifier === undefined) return 'imports something that only running it tells';
  const allowance = specifier.startsWith('.')
    ? allowanceForModule(posix.join(posix.dirname(path), specifier), layer)
    : allowanceForPackage(specifier, layer);
  if (allowance === 'everything' || (allowance === 'types' && typesOnly)) return undefined;
  return `imports ${specifier}${allowance === 'types' ? ', of which it may import types only' : ''}`;
}

function allowanceForModule(target: string, layer: Layer): Allowance | undefined {
  if (!target.startsWith('src/')) return undefined;
  const targetLayer = layerOf(target);
  if (layer === 'config' && parsers.includes(target)) return 'everything';
  if (layer === 'browser' && shared.includes(target)) return 'everything';
  return targetLayer === layer ? 'everything' : allowed[layer][targetLayer];
}

function allowanceForPackage(specifier: string, layer: Layer): Allowance | undefined {
  const owners = Object.entries(reserved).find(
    ([name]) => specifier === name || specifier.startsWith(`${name}/`),
  )?.[1];
  return owners === undefined || owners.includes(layer) ? allowed[layer].packages : undefined;
}

/** `import`, `export from`, `import()` and the type `import('...')`. */
function importedBy(node: ts.Node): { specifier?: string; typesOnly: boolean } | undefined {
  if (ts.isImportDeclaration(node)) {
    const typesOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
    return { ...specifierIn(node.moduleSpecifier), typesOnly };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    return { ...specifierIn(node.moduleSpecifier), typesOnly: node.isTypeOnly };
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return { ...specifierIn(node.arguments[0]), typesOnly: false };
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return { ...specifierIn(node.argument.literal), typesOnly: true };
  }
  return undefined;
}

function specifierIn(node: ts.Node | undefined): { specifier?: string } {
  return node !== undefined && ts.isStringLiteralLike(node) ? { specifier: node.text } : {};
}

function forbiddenGlobal(node: ts.Node, path: string, layer: Layer): string | undefined {
  if (!ts.isIdentifier(node) || !isReference(node)) return undefined;
  if (node.text === 'process' && layer !== 'main' && layer !== 'config') {
    return 'uses process: settings come as arguments';
  }
  const tellsTime = node.text === 'Date' && !isTimeless(node.parent);
  if (tellsTime && layer !== 'browser' && path !== 'src/adapters/node/system-clock.ts') {
    return 'asks Date for the time: take a Clock';
  }
  return undefined;
}

/** Whether the identifier stands for a value; not a type, not a name after a dot, not one that is being declared. */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) {
    return parent.expression === node || parent.expression.getText() === 'globalThis';
  }
  if (ts.isTypeNode(parent) && !ts.isExpressionWithTypeArguments(parent)) return false;
  return (
    (parent as Partial<ts.NamedDeclaration>).name !== node ||
    ts.isShorthandPropertyAssignment(parent)
  );
}

/** `new Date(instant)`, `Date.parse`, `Date.UTC`, `instanceof Date`: uses that ask no clock. */
function isTimeless(use: ts.Node): boolean {
  if (ts.isNewExpression(use)) return (use.arguments?.length ?? 0) > 0;
  if (ts.isPropertyAccessExpression(use)) return ['parse', 'UTC'].includes(use.name.text);
  return ts.isBinaryExpression(use) && use.operatorToken.kind === ts.SyntaxKind.InstanceOfKeyword;
}
