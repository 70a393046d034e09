// Asks an installed `opa` what it makes of tokens, keys and constraints, and writes the answers down as data for
// test/engine/builtins. Run it again when OPA's version changes: node test/conformance/opa/record-tokens.ts
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askConstraints } from './recorded/constraint-questions.ts';
import { askDigestsAndSigning } from './recorded/digest-questions.ts';
import { askForms } from './recorded/form-questions.ts';
import { askKeys } from './recorded/key-questions.ts';
import type { Ask, Json } from './recorded/makers.ts';
import { askSignatures } from './recorded/signature-questions.ts';

interface Asked {
  readonly name: string;
  readonly builtin: string;
  readonly operands: readonly Json[];
}

const scratch = mkdtempSync(join(tmpdir(), 'verdict-record-'));
const asked: Asked[] = [];
const ask: Ask = (name, builtin, ...operands) => asked.push({ name, builtin, operands });

askSignatures(ask);
askKeys(ask);
askForms(ask);
askConstraints(ask);
askDigestsAndSigning(ask);

// `@digits` stands for a whole number that JavaScript would round.
const regoText = (value: readonly Json[]): string => JSON.stringify(value).replace(/"@(\d+)"/g, '$1');

const answers = (): ReadonlyMap<number, string> => {
  const rules = asked.map(({ builtin, operands }, at) => {
    const list = operands.map((_, position) => `data.asked["${at}"][${position}]`).join(', ');
    return `r${at} := json.marshal(${builtin}(${list}))`;
  });
  writeFileSync(join(scratch, 'asked.rego'), `package answers\n\n${rules.join('\n')}\n`);
  const data = asked.map(({ operands }, at) => `"${at}":${regoText(operands)}`);
  writeFileSync(join(scratch, 'asked.json'), `{"asked":{${data.join(',')}}}`);
  const opa = process.env.OPA ?? 'opa';
  const files = ['-d', join(scratch, 'asked.rego'), '-d', join(scratch, 'asked.json')];
  const found = JSON.parse(
    execFileSync(opa, ['eval', '--format=json', ...files, 'data.answers'], { encoding: 'utf8', maxBuffer: 1 << 28 }),
  ) as { result: [{ expressions: [{ value: Record<string, string> }] }] };
  const value = found.result[0].expressions[0].value;
  return new Map(Object.entries(value).map(([name, json]) => [Number(name.slice(1)), json]));
};

// The same long strings (keys, tokens) stand in many cases: each is written once and named by its place.
const tableOf = () => {
  const strings: string[] = [];
  const places = new Map<string, number>();
  const shorten = (value: Json): Json => {
    if (typeof value === 'string' && value.length > 40) {
      if (!places.has(value)) places.set(value, strings.push(value) - 1);
      return `#${places.get(value)}`;
    }
    if (Array.isArray(value)) return (value as readonly Json[]).map(shorten);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(
      Object.entries(value as { readonly [key: string]: Json })
        .filter(([, item]) => item !== undefined)
        .map(([key, item]) => [key, shorten(item)]),
    );
  };
  return { strings, shorten };
};

try {
  const opa = answers();
  const { strings, shorten } = tableOf();
  const cases = asked.map(({ name, builtin, operands }, at) => {
    const answer = opa.get(at);
    return { name, builtin, operands: operands.map(shorten), ...(answer === undefined ? {} : { answer }) };
  });
  const file = new URL('../../engine/builtins/tokens.recorded.json', import.meta.url);
  const lines = cases.map((item) => JSON.stringify(item)).join(',\n');
  const opaVersion = execFileSync(process.env.OPA ?? 'opa', ['version'], { encoding: 'utf8' }).split('\n')[0];
  writeFileSync(
    file,
    `{"opa":${JSON.stringify(opaVersion)},\n"strings":[\n${strings.map((item) => JSON.stringify(item)).join(',\n')}],\n"cases":[\n${lines}]}\n`,
  );
  const defined = cases.filter((item) => 'answer' in item).length;
  console.log(`${cases.length} cases, ${defined} of them defined`);
} finally {
  rmSync(scratch, { recursive: true });
}
