import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { configPage, configSchema, loadConfig, renderConfig, type SettingSchema } from '../../src/config/index.ts';

test('the reference page is what the schema says (vitest -u test/config writes it)', async () => {
  await expect(configPage()).toMatchFileSnapshot('../../docs/reference/configuration.md');
});

const leaves = (schema: SettingSchema, key: string): [string, SettingSchema][] =>
  Object.entries(schema.properties ?? {}).flatMap(([name, inner]) =>
    inner.properties === undefined ? [[`${key}.${name}`, inner]] : leaves(inner, `${key}.${name}`),
  );

test('every setting says what it means and is named on the page', () => {
  const page = configPage();
  const found = leaves(configSchema() as SettingSchema, '');
  expect(found.length).toBeGreaterThan(20);
  for (const [key, schema] of found) {
    expect(schema.description, key).toMatch(/\w{2}/);
    expect(page).toContain(`\`${key.slice(1)}\``);
  }
});

test('a section that nobody wrote accepts being left out, and unknown keys nowhere', () => {
  const sections = (schema: SettingSchema & { additionalProperties?: unknown }, key: string): void => {
    expect(schema.additionalProperties, key).toBe(false);
    for (const [name, inner] of Object.entries(schema.properties ?? {}))
      if (inner.properties !== undefined) sections(inner, `${key}.${name}`);
  };
  sections(configSchema() as SettingSchema, '');
});

test('editors can use the schema: a loaded configuration passes it, rendered as YAML too', () => {
  const config = loadConfig({ sets: [], env: {} });
  const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(configSchema() as object);
  expect(validate(parse(renderConfig(config)))).toBe(true);
  expect(parse(renderConfig(config))).toEqual(config);
});

test('secrets are masked where configuration is shown', () => {
  const schema: SettingSchema = {
    properties: {
      database: { properties: { password: { type: 'string', writeOnly: true }, host: { type: 'string' } } },
      keys: { type: 'array', items: { type: 'string', writeOnly: true } },
    },
  };
  const text = renderConfig({ database: { password: 'hunter2', host: 'db' }, keys: ['hunter2'] }, schema);
  expect(text).not.toContain('hunter2');
  expect(parse(text)).toEqual({ database: { password: '***', host: 'db' }, keys: ['***'] });
});
