import { messageOf } from '../canonical/index.ts';
import { instantiate } from './instance.ts';
import { type EvaluationContext, ToolchainError } from './model.ts';
import { defaultMemoryBytes } from './module-file.ts';
import type { RegoValue } from './value.ts';
import { BinaryReader, BinaryWriter } from './value-binary.ts';

export type BuiltinResult =
  | { readonly kind: 'value'; readonly value: RegoValue }
  | { readonly kind: 'undefined' }
  /** `halt`: the evaluation must end, also where errors of builtins only make an expression undefined. */
  | { readonly kind: 'error'; readonly message: string; readonly halt: boolean };

/**
 * OPA's builtins on the thread that made it. Between `begin` and `end` calls share one clock, one seed and OPA's
 * caches. A call that crashes throws ToolchainError; the instance is dead then: make another one.
 */
export interface RegoModule {
  /** Bytes of its memory: grows up to the maximum, never shrinks. Replace it when that is too much. */
  readonly memoryBytes: number;
  begin(context: EvaluationContext): void;
  /** `walk`, the only relation among the builtins, answers the array of its results. */
  call(name: string, operands: readonly RegoValue[]): BuiltinResult;
  end(): void;
}

const answer = { value: 0, undefined: 1, error: 2, halt: 3 } as const;

const read = (bytes: Uint8Array): BuiltinResult => {
  const kind = bytes[0];
  if (kind === answer.value) return { kind: 'value', value: new BinaryReader(bytes.subarray(1)).value() };
  if (kind === answer.undefined) return { kind: 'undefined' };
  const message = Buffer.from(bytes.buffer, bytes.byteOffset + 1, bytes.length - 1).toString();
  if (kind === answer.error || kind === answer.halt) return { kind: 'error', message, halt: kind === answer.halt };
  throw new ToolchainError('TOOLCHAIN_CRASHED', `OPA crashed (${message.split('\n', 1)[0]})`, { cause: message });
};

/** An instance on this thread, ready at once (some 50 ms): for worker threads, since Go code cannot be interrupted. */
export const instantiateRego = (module: WebAssembly.Module, memoryBytes: number = defaultMemoryBytes): RegoModule => {
  const instance = instantiate(module, { memoryBytes });
  const request = new BinaryWriter();
  return {
    get memoryBytes() {
      return instance.memoryBytes;
    },
    begin: ({ nowNs, seed }) => instance.begin(nowNs, seed),
    call: (name, operands) => {
      request.reset();
      try {
        request.text(name);
        request.count(operands.length);
        for (const operand of operands) request.value(operand);
      } catch (thrown) {
        return { kind: 'error', message: messageOf(thrown), halt: true };
      }
      return instance.ask('call', request.bytes, read);
    },
    end: () => instance.end(),
  };
};
