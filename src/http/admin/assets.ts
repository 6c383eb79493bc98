import { readFile } from 'node:fs/promises';

interface Asset {
  readonly contentType: string;
  body(): Promise<string>;
}

/** What browsers load beside the pages: files of this package, read when the first browser asks. */
export const assets: Readonly<Record<string, Asset>> = {
  '/console.css': { contentType: 'text/css; charset=utf-8', body: once('console.css') },
  '/console.js': { contentType: 'text/javascript; charset=utf-8', body: once('console.js') },
};

function once(name: string): () => Promise<string> {
  let text: Promise<string> | undefined;
  return () => {
    text ??= readFile(new URL(`./browser/${name}`, import.meta.url), 'utf8');
    return text;
  };
}
