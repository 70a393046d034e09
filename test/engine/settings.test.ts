import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { defaultEngineSettings, engineOptions, engineSchema } from '../../src/engine/index.ts';

test('every setting has a default and says what it means', () => {
  const { network, ...flat } = engineSchema.properties;
  const within = Object.entries(network.properties).map(([name, setting]) => [`network.${name}`, setting] as const);
  for (const [name, setting] of [...Object.entries(flat), ...within]) {
    expect(defaultEngineSettings).toHaveProperty(name, setting.default);
    expect(setting.description.length).toBeGreaterThan(40);
  }
  expect(Object.keys(defaultEngineSettings)).toHaveLength(Object.keys(engineSchema.properties).length);
});

test('the defaults are valid, other names and impossible values are not', () => {
  const validate = new Ajv({ strict: true }).compile(engineSchema);
  expect(validate(defaultEngineSettings)).toBe(true);
  for (const wrong of [
    { instruction: 1 },
    { instructions: 0 },
    { instructions: 2 ** 31 },
    { workers: 0 },
    { deadlineMs: 1 },
  ]) {
    expect(validate(wrong)).toBe(false);
  }
});

test('the budget and the workers come from the settings', () => {
  const { budget, workers } = engineOptions({ ...defaultEngineSettings, instructions: 5, spareWorkers: 0 });
  expect(budget).toEqual({
    instructions: 5,
    decidingInstructions: 2_000_000,
    memoryBytes: 67_108_864,
    mostInstructions: 100_000_000,
    resultBytes: 4_194_304,
    argumentBytes: 1_048_576,
    deadlineMs: 1_000,
  });
  expect(workers).toEqual({ count: 1, spare: 0, queued: 1_000 });
});
