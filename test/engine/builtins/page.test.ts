import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { typescriptBuiltins } from '../../../src/engine/builtins/index.ts';
import { BuiltinError } from '../../../src/engine/builtins/model.ts';
import { publicName } from '../../../src/engine/builtins/natives/index.ts';
import { compilePolicy } from '../../../src/engine/wasm/policy-module.ts';
import { RawInstance } from '../../../src/engine/wasm/raw-instance.ts';
import { goBuiltins } from '../../../src/rego/index.ts';
import { openWorkbench } from '../workbench.ts';
import { compileTime, everyCall } from './calls.ts';
import { operandTable } from './operands/index.ts';
import { nowNs } from './operands/tokens.ts';
import { builtinsPage, freshness } from './page.ts';
import { callScope } from './scope.ts';

test('the reference page is what the engine has (vitest run this file --update writes it)', async () => {
  const bench = await openWorkbench();
  const sources = { modules: [{ path: 'every.rego', text: everyCall() }], regoVersion: 0 } as const;
  const { wasm } = await bench.toolchain.compile(sources, ['every']);
  const instance = new RawInstance(await compilePolicy(wasm), 65_536, () => 0);
  const imported = new Set(instance.builtins.filter((name) => name !== undefined).map(publicName));
  const network = ['http.send', 'net.lookup_ip_addr'];
  for (const name of network) {
    await expect(bench.policy(`r := ${name}(input.a)`)).rejects.toMatchObject({ code: 'MODULE_BUILTIN_UNKNOWN' });
  }
  await bench.close();
  expect(everyCall().match(/^# [a-z]/gm)?.length).toBe(goBuiltins.size - compileTime.size);
  await expect(builtinsPage({ imported, refused: network })).toMatchFileSnapshot('../../../docs/reference/builtins.md');
});

describe('what the page says of a builtin is what it does', () => {
  test.each([...operandTable])('%s', (name, lists) => {
    const seen = { volatile: false, boundary: false, more: false };
    for (const operands of fc.sample(lists, { numRuns: 500, seed: 1 })) {
      const { scope, reported } = callScope(nowNs, 3_000_000);
      try {
        typescriptBuiltins.get(name)?.run(scope, ...operands);
      } catch (thrown) {
        if (!(thrown instanceof BuiltinError)) expect(thrown).toMatchObject({ code: 'budget_exceeded' });
      }
      seen.volatile ||= reported.volatile;
      seen.boundary ||= reported.boundaries.length > 0;
      seen.more ||= reported.points > 0;
    }
    const said = freshness.get(name)?.kind;
    const more = typescriptBuiltins.get(name)?.cost?.more !== undefined;
    expect(seen).toEqual({ volatile: said === 'volatile', boundary: said === 'boundary', more });
  });
});
