import { ConsoleStdout, WASI } from '@bjorn3/browser_wasi_shim';
import { messageOf } from '../canonical/index.ts';
import { type Progress, ToolchainError } from './model.ts';

interface Exports {
  readonly memory: WebAssembly.Memory;
  configure(limitBytes: bigint): void;
  allocate(size: number): number;
  operate(): number;
  begin(nowNs: bigint): void;
  end(): void;
  call(): number;
}

/** One running copy of the module. Dead after anything that it throws. */
export interface Instance {
  /** Bytes of its memory: grows, and never shrinks. */
  readonly memoryBytes: number;
  /** Sends a request to one of the operations. `read` sees the answer in the module's own memory, and copies. */
  ask<T>(operation: 'operate' | 'call', request: Uint8Array, read: (answer: Uint8Array) => T): T;
  begin(nowNs: bigint, seed: Uint8Array): void;
  end(): void;
}

// Go's collector works harder from here on; the rest is room for what it cannot foresee.
const collectorShare = 0.75;
const keptStderrBytes = 16_384;

/** A crash as an error: Go writes what went wrong to stderr before it ends. */
const crashOf = (thrown: unknown, stderr: string, memoryBytes: number): ToolchainError => {
  if (thrown instanceof ToolchainError) return thrown;
  const said = /^(?:fatal error|panic|runtime): .*$/m.exec(stderr)?.[0] ?? messageOf(thrown);
  const memory = /out of memory|cannot allocate|could not allocate/i.test(`${said}\n${messageOf(thrown)}`);
  return memory
    ? new ToolchainError(
        'TOOLCHAIN_MEMORY',
        `the compiler ran out of its memory of ${memoryBytes} bytes (${said}); a server gives it more by policy.compileMemoryBytes`,
        { cause: thrown },
      )
    : new ToolchainError('TOOLCHAIN_CRASHED', `OPA crashed (${said})`, { cause: thrown });
};

/** What the module says and how far it has come go nowhere unless somebody listens. */
export const instantiate = (
  module: WebAssembly.Module,
  options: { readonly memoryBytes: number; readonly onProgress?: (progress: Progress) => void },
): Instance => {
  let stderr = '';
  const decoder = new TextDecoder();
  const listen = new ConsoleStdout((bytes) => {
    stderr = (stderr + decoder.decode(bytes)).slice(0, keptStderrBytes);
  });
  const silent = new ConsoleStdout(() => {});
  // No arguments, no environment, no folder: stdin and stdout lead nowhere.
  const wasi = new WASI([], [], [silent, silent, listen], { debug: false });
  let dead: ToolchainError | undefined;
  const guarded = <T>(run: () => T): T => {
    if (dead) throw dead;
    try {
      return run();
    } catch (thrown) {
      dead = crashOf(thrown, stderr, options.memoryBytes);
      throw dead;
    }
  };
  const exports = guarded(() => {
    const progress = (at: number, length: number, done: number, total: number): void => {
      if (!options.onProgress) return;
      const stage = decoder.decode(new Uint8Array(exports.memory.buffer, at, length));
      options.onProgress({ stage, done, total });
    };
    const instance = new WebAssembly.Instance(module, {
      wasi_snapshot_preview1: wasi.wasiImport,
      verdict: { progress },
    });
    const exports = instance.exports as unknown as Exports;
    wasi.initialize(instance as Parameters<WASI['initialize']>[0]);
    exports.configure(BigInt(Math.floor(options.memoryBytes * collectorShare)));
    return exports;
  });
  const write = (bytes: Uint8Array): void => {
    const at = exports.allocate(bytes.length);
    new Uint8Array(exports.memory.buffer, at >>> 0, bytes.length).set(bytes);
  };
  return {
    get memoryBytes() {
      return exports.memory.buffer.byteLength;
    },
    ask: (operation, request, read) =>
      guarded(() => {
        write(request);
        const at = exports[operation]() >>> 0;
        const length = new DataView(exports.memory.buffer, at, 4).getUint32(0, true);
        return read(new Uint8Array(exports.memory.buffer, at + 4, length));
      }),
    begin: (nowNs, seed) =>
      guarded(() => {
        write(seed);
        exports.begin(nowNs);
      }),
    end: () => guarded(() => exports.end()),
  };
};
