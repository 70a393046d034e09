import { randomBytes } from 'node:crypto';
import type { RegoModule, RegoValue } from '../../rego/index.ts';
import { instantiateRego, nonDeterministicBuiltins } from '../../rego/index.ts';
import type { CallCost } from '../builtins/model.ts';
import { BuiltinError } from '../builtins/model.ts';
import { EvaluationFailure } from '../failure.ts';
import type { HostBuiltin } from '../host-builtins.ts';
import type { EvaluationScope } from '../scope.ts';

// Their result depends on the clock, though OPA does not flag them.
const clockReaders: ReadonlySet<string> = new Set([
  'crypto.x509.parse_and_verify_certificates',
  'crypto.x509.parse_and_verify_certificates_with_options',
]);

// Flagged for the schemas that they may fetch: the module has no network, so here nothing but operands counts.
const withoutNetwork: ReadonlySet<string> = new Set(['json.match_schema', 'json.verify_schema']);

/**
 * Points of a call: a fifth of its time and more, as bench/prices.ts has it. The deadline bounds it too, which is ten times
 * the budget's.
 */
export const goCostOf = (name: string): CallCost => ({ call: 20_000, byte: bytePoints.get(name) ?? 10 });

const parsing = 80;

const bytePoints: ReadonlyMap<string, number> = new Map([
  ...['is_valid', 'parse', 'parse_and_verify', 'parse_query', 'parse_schema', 'schema_is_valid'].map(
    (name) => [`graphql.${name}`, parsing] as const,
  ),
  ['crypto.parse_private_keys', parsing],
  ['json.match_schema', parsing],
  ['rego.parse_module', 120],
  ['yaml.is_valid', parsing],
  // It compares the names of members with one another.
  ['yaml.marshal', 200],
  ['yaml.unmarshal', parsing],
]);

/** Whether an answer that rests on its result has no known end. */
export const isVolatileInGo = (name: string): boolean =>
  clockReaders.has(name) || (nonDeterministicBuiltins.has(name) && !withoutNetwork.has(name));

/** Memory at which the module is replaced once the evaluation is done: it grows and never shrinks. */
const keptBytes = 160 << 20;

/** OPA's own builtins, in an instance of the toolchain module that belongs to this thread. */
export class GoBuiltins {
  private rego: RegoModule;
  private readonly module: WebAssembly.Module;
  private begun = false;
  private crashed = false;

  constructor(module: WebAssembly.Module) {
    this.module = module;
    this.rego = instantiateRego(module);
  }

  builtin(name: string): HostBuiltin {
    const isVolatile = isVolatileInGo(name);
    return {
      name,
      nonDeterministic: nonDeterministicBuiltins.has(name),
      cost: goCostOf(name),
      run: (scope, operands) => {
        if (isVolatile) scope.markVolatile();
        return this.call(name, scope, operands);
      },
    };
  }

  /** Ends what the calls of one evaluation shared. */
  end(): void {
    if (!this.begun) return;
    this.begun = false;
    try {
      if (!this.crashed) this.rego.end();
    } catch {
      this.crashed = true;
    }
  }

  /** Replaces the instance after a crash, or when its memory grew too much. Between evaluations. */
  renew(): void {
    if (!this.crashed && this.rego.memoryBytes <= keptBytes) return;
    this.rego = instantiateRego(this.module);
    this.crashed = false;
  }

  private call(name: string, scope: EvaluationScope, operands: readonly RegoValue[]): RegoValue | undefined {
    try {
      if (!this.begun) this.rego.begin({ nowNs: scope.nowNs, seed: randomBytes(32) });
      this.begun = true;
      const result = this.rego.call(name, operands);
      if (result.kind === 'value') return result.value;
      if (result.kind === 'undefined') return undefined;
      if (result.halt) throw new EvaluationFailure('builtin_error', `${name}: ${result.message}`);
      // OPA puts the builtin's name before most messages; whoever reports the error puts it before all.
      throw new BuiltinError(result.message.replace(`${name}: `, ''));
    } catch (thrown) {
      if (!(thrown instanceof BuiltinError) && !(thrown instanceof EvaluationFailure)) this.crashed = true;
      throw thrown;
    }
  }
}
