import { readFile, writeFile } from 'node:fs/promises';

/**
 * Compares the table that stands between `<!-- name -->` and `<!-- /name -->` in a document with the one that ran. With
 * `WRITE_TABLES` set it writes that one instead.
 */
export async function tableIn(
  document: string,
  name: string,
  rows: readonly (readonly string[])[],
): Promise<{ readonly written: string; readonly ran: string }> {
  const text = await readFile(document, 'utf8');
  const [start, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
  const from = text.indexOf(start) + start.length;
  const to = text.indexOf(end);
  if (from < start.length || to < from) throw new Error(`${document} has no place for ${name}`);
  const [head = [], ...body] = rows;
  const lines = [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |\n`);
  const ran = lines.join('');
  if (process.env.WRITE_TABLES) {
    await writeFile(document, text.slice(0, from) + ran + text.slice(to));
    return { written: ran, ran };
  }
  return { written: text.slice(from, to), ran };
}
