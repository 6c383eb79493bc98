import { readFile } from 'node:fs/promises';

interface Asset {
  readonly contentType: string;
  body(): Promise<string>;
}

/** Files that browsers load in addition to the pages. They are part of this package and read on first use. */
export const assets: Readonly<Record<string, Asset>> = {
  '/tokens.css': { contentType: 'text/css; charset=utf-8', body: once('tokens.css') },
  '/favicon.svg': { contentType: 'image/svg+xml', body: once('favicon.svg') },
  '/console.css': { contentType: 'text/css; charset=utf-8', body: once('console.css') },
  '/console.js': { contentType: 'text/javascript; charset=utf-8', body: once('console.js') },
};

/** Where the files are, relative to this module, to an entry point that it was bundled into, and to a chunk. */
const folders = ['./', '../', './http/admin/', './http/', '../http/admin/', '../http/'].map(
  (folder) => `${folder}browser/`,
);

function once(name: string): () => Promise<string> {
  let text: Promise<string> | undefined;
  return () => {
    text ??= read(name);
    return text;
  };
}

async function read(name: string): Promise<string> {
  const places = folders.map((folder) => new URL(folder + name, import.meta.url));
  const found = await Promise.all(
    places.map((place) => readFile(place, 'utf8').catch(() => undefined)),
  );
  const text = found.find((text) => text !== undefined);
  if (text === undefined) throw new Error(`The file ${name} of the console is missing.`);
  return text;
}
