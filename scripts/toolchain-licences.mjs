// What the toolchain module is made of, with the licence texts that its authors ask to pass on.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const opa = 'github.com/open-policy-agent/opa';
const isLicence = (name) => /^(licen[cs]e|copying|notice|patents)/i.test(name) && !name.endsWith('.go');

const textsIn = (directory) =>
  readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile() && isLicence(entry.name))
    .map((entry) => path.join(directory, entry.name))
    .sort();

const commentsWithCopyright = (text) =>
  [...text.matchAll(/\/\*[\s\S]*?\*\/|(?:^[ \t]*\/\/.*\n)+/gm)]
    .map(([comment]) => comment.trim().replace(/^[ \t]+/gm, ' '))
    .filter((comment) => /copyright/i.test(comment) && !/OPA Authors/.test(comment));

/** OPA embeds the C part of compiled policies as Wasm; its notices stand in the comments of the C files. */
const noticesOfC = (directory) => {
  const names = readdirSync(directory, { recursive: true }).filter((name) => /\.(c|cc|h)$/.test(name));
  const found = new Set();
  for (const name of names.sort()) {
    for (const comment of commentsWithCopyright(readFileSync(path.join(directory, name), 'utf8'))) found.add(comment);
  }
  return [...found].join('\n\n');
};

const line = '='.repeat(100);
const section = (title, texts) => `${line}\n${title}\n${line}\n\n${texts.join('\n\n')}\n`;
const readTexts = (files, below) =>
  files.map((file) => `${path.relative(below, file)}:\n\n${readFileSync(file, 'utf8').trim()}`);

/**
 * Everything in the build, one section each, as one text, and OPA's own licence.
 *
 * @param go runs a `go` command in the toolchain's folder and answers what it prints
 */
export const licences = (go) => {
  const format = '{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}\t{{$.Dir}}{{end}}{{end}}';
  const modules = new Map();
  for (const row of go('list', '-deps', '-f', format, '.').split('\n').filter(Boolean)) {
    const [name, version, directory, folder] = row.split('\t');
    const module = modules.get(name) ?? { title: `${name} ${version}`, directory, files: new Set(textsIn(directory)) };
    for (const file of textsIn(folder)) module.files.add(file);
    modules.set(name, module);
  }
  const goRoot = go('env', 'GOROOT').trim();
  const goVersion = go('env', 'GOVERSION').trim();
  const sections = [section(`${goVersion} (runtime and standard library)`, readTexts(textsIn(goRoot), goRoot))];
  for (const [name, { title, directory, files }] of [...modules].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (files.size === 0) throw new Error(`${name} has no licence file`);
    sections.push(section(title, readTexts([...files].sort(), directory)));
  }
  const opaFolder = modules.get(opa).directory;
  const inC = noticesOfC(path.join(opaFolder, 'wasm', 'src'));
  sections.push(section(`${opa}, wasm/src: notices of the C and C++ files that OPA embeds`, [inC]));
  const heading = 'What toolchain/rego.wasm.br is made of, and the licences of its parts.\n\n';
  return { all: heading + sections.join('\n'), opa: readFileSync(path.join(opaFolder, 'LICENSE'), 'utf8') };
};
