import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../support/server-process.ts';

const docs = path.join(root, 'docs');
const pages = [
  ...readdirSync(docs, { recursive: true, encoding: 'utf8' }).map((name) => path.join(docs, name)),
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'deploy/README.md'].map((name) => path.join(root, name)),
].filter((name) => name.endsWith('.md'));

/** Links to files of this repository, and where they point. */
const linksOf = (page: string): { readonly link: string; readonly file: string; readonly heading: string }[] =>
  [...readFileSync(page, 'utf8').matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => {
      const [target = '', heading = ''] = link.split('#');
      return { link, heading, file: target === '' ? page : path.resolve(path.dirname(page), target) };
    });

const slugs = (page: string): string[] =>
  [...readFileSync(page, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, text = '']) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

test('every link from a page to a file of this repository has a file, and a heading, to go to', () => {
  const broken = pages.flatMap((page) =>
    linksOf(page)
      .filter(({ file, heading }) => !existsSync(file) || (heading !== '' && !slugs(file).includes(heading)))
      .map(({ link }) => `${path.relative(root, page)}: ${link}`),
  );
  expect(broken).toEqual([]);
});

test('the index leads to every guide and to every page of the reference', () => {
  const index = linksOf(path.join(docs, 'README.md')).map(({ file }) => file);
  const wanted = ['guides', 'reference'].flatMap((folder) =>
    readdirSync(path.join(docs, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => path.join(docs, folder, name)),
  );
  expect(wanted.filter((page) => !index.includes(page))).toEqual([]);
});
