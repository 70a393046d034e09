import { expectation } from './expectation.ts';
import type { SettingSchema } from './model.ts';
import { settings } from './schema.ts';

const INTRODUCTION = `# Configuration

This page is written from the schema that configuration is checked against.

Verdict reads one YAML 1.2 file, given by \`--config\` (without it, \`verdict.yaml\` in the working directory, when there
is one). Environment variables stand over the file, and \`--set\` stands over both:

| from | written as |
|---|---|
| the file | \`cache: { maxBytes: 1000000 }\` |
| the environment | \`VERDICT_CACHE__MAX_BYTES=1000000\`: sections joined by two underscores, case and single underscores do not matter |
| the command line | \`--set cache.maxBytes=1000000\`: the value is read as YAML; later ones win |

A variable that has the letters of a setting and lacks the double underscore (\`VERDICT_CACHE_MAX_BYTES\`) is refused. Others that begin
with \`VERDICT_\` and have none are no settings: \`VERDICT_SERVER\` and \`VERDICT_TOKEN\` are read by the command, and container
platforms set some of their own for a service of this name.

A list or section that is set this way replaces the whole one of the file. Unknown keys, wrong types and values out of
range refuse to start, all of them at once, with file, line and column. \`verdict config schema\` prints the JSON Schema
for editors, \`verdict config check\` checks without starting, \`verdict config show\` prints what holds, secrets masked.
`;

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const isSection = (schema: SettingSchema): boolean => schema.properties !== undefined;

const defaultOf = (schema: SettingSchema): string =>
  schema.default === undefined ? 'none' : `\`${cell(JSON.stringify(schema.default))}\``;

const row = (key: string, schema: SettingSchema): string =>
  `| \`${key}\` | ${cell(expectation(schema))} | ${defaultOf(schema)} | ${cell(schema.description ?? '')} |`;

const sectionText = (key: string, schema: SettingSchema): string[] => {
  const entries = Object.entries(schema.properties ?? {});
  const rows = entries.filter(([, inner]) => !isSection(inner)).map(([name, inner]) => row(`${key}.${name}`, inner));
  const below = entries
    .filter(([, inner]) => isSection(inner))
    .flatMap(([name, inner]) => sectionText(`${key}.${name}`, inner));
  const table = rows.length === 0 ? [] : ['| key | takes | default | meaning |', '|---|---|---|---|', ...rows, ''];
  const heading = `${'#'.repeat(key.split('.').length + 1)} ${key}`;
  return [heading, '', ...(schema.description === undefined ? [] : [schema.description, '']), ...table, ...below];
};

/** The text of docs/reference/configuration.md. */
export const configPage = (): string =>
  [
    INTRODUCTION,
    ...Object.entries(settings.properties ?? {}).flatMap(([name, inner]) => sectionText(name, inner)),
  ].join('\n');
