import { readFile } from 'node:fs/promises';

interface Asset {
  readonly contentType: string;
  body(): Promise<string>;
}

/** What browsers load beside the pages: files of this package, read when the first browser asks. */
export const assets: Readonly<Record<string, Asset>> = {
  '/tokens.css': { contentType: 'text/css; charset=utf-8', body: once('tokens.css') },
  '/favicon.svg': { contentType: 'image/svg+xml', body: once('favicon.svg') },
  '/console.css': { contentType: 'text/css; charset=utf-8', body: once('console.css') },
  '/console.js': { contentType: 'text/javascript; charset=utf-8', body: once('console.js') },
};

/** Where the files are, as seen from this module, from an entry point that it was bundled into, and from a chunk beside those. */
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
  if (text === undefined) throw new Error(`${name} of the console is not beside its code.`);
  return text;
}
