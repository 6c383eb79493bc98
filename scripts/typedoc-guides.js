import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Application, Converter, PageEvent, ReflectionKind } from 'typedoc';

/**
 * A plugin of TypeDoc that adds the guides to the API reference: the Markdown pages that README.md lists under "More", in
 * its order and its groups, each under its own heading. What they name of the package (`SojournStore`, `sojourn/redis`) leads to
 * the reference.
 */
export function load(app) {
  const groups = new Map(); // of each page, by its path without extension
  app.on(Application.EVENT_BOOTSTRAP_END, () => {
    const readme = app.options.getValue('readme');
    for (const [page, group] of pagesIn(readFileSync(readme, 'utf8'))) groups.set(page, group);
    const files = [...groups.keys()].map((page) => join(dirname(readme), `${page}.md`));
    app.options.setValue('projectDocuments', files);
    app.options.setValue('groupOrder', [...new Set(groups.values()), '*']);
  });
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, page) => {
    page.frontmatter.group = groups.get(page.name);
    page.name = takeHeading(page.content[0]) ?? page.name;
  });
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    const names = exportsOf(project);
    for (const text of [project.readme ?? [], ...project.documents.map((page) => page.content)]) {
      linkNames(text, names);
    }
  });
  // Links to the README are written as links to its folder, which only a server answers with the page.
  app.renderer.on(PageEvent.END, (page) => {
    page.contents = page.contents?.replace(
      / href="((?:\.\.\/)+)(#[^"]*)?"/g,
      ' href="$1index.html$2"',
    );
  });
}

/** `docs/hono`, `For application developers`: every page that stands in a list under "More", and the line before the list. */
function pagesIn(readme) {
  const [, more = ''] = readme.split(/^## More$/m);
  let group = 'Guides';
  return more.split('\n').flatMap((line) => {
    group = /^(\w.*):$/.exec(line)?.[1] ?? group;
    const page = /^- \[[^\]]+\]\((\S+)\.md\)/.exec(line)?.[1];
    return page === undefined ? [] : [[page, group]];
  });
}

/** The heading of the page, which TypeDoc writes above it anyway. */
function takeHeading(first) {
  const [line = '', heading] = /^\s*# (.+)\n/.exec(first?.text ?? '') ?? [];
  if (heading !== undefined) first.text = first.text.slice(line.length);
  return heading;
}

/** Entry points as they are imported, and what they export. */
function exportsOf(project) {
  const names = new Map();
  for (const module of project.getChildrenByKind(ReflectionKind.Module)) {
    names.set(module.name === 'index' ? 'sojourn' : `sojourn/${module.name}`, module);
    for (const child of module.children ?? []) {
      if (!child.isReference()) names.set(child.name, child);
    }
  }
  return names;
}

/** Not in headings, whose anchors would change, nor within other links. */
function linkNames(parts, names) {
  for (const [i, part] of parts.entries()) {
    const [, name] = (part.kind === 'code' && /^`(\S+)`$/.exec(part.text)) || [];
    const target = names.get(name);
    const line = linesBefore(parts, i).split('\n').at(-1);
    if (target === undefined || /^#|\[[^\]]*$/.test(line)) continue;
    parts[i] = { kind: 'inline-tag', tag: '@linkcode', text: name, target };
  }
}

function linesBefore(parts, i) {
  let text = '';
  for (let k = i - 1; k >= 0 && !text.includes('\n'); k -= 1) text = parts[k].text + text;
  return text;
}
