import { createRequire } from 'node:module';
import { PolicyAbort } from '../failure.ts';
import { fastTwinExport } from './fast/fast-twins.ts';
import { keptOfNow, mostRecords } from './fast/windows.ts';
import { counterExport, fullCounter } from './instruction-counter.ts';
import type { PolicyModule } from './policy-module.ts';
import { pageBytes } from './policy-module.ts';
import { foreignModule } from './reader.ts';

interface LoadedPolicy {
  /** Where data of this module is put: the heap pointer after the package made its empty data. */
  readonly baseHeapPtr: number;
  readonly entrypoints: { readonly [path: string]: number };
}

type LoadedPolicyClass = new (
  source: { readonly module: WebAssembly.Module; readonly instance: WebAssembly.Instance },
  memory: WebAssembly.Memory,
  abiMinor: number,
) => LoadedPolicy;

// The package's own types do not name what it exports.
const { LoadedPolicy } = createRequire(import.meta.url)('@open-policy-agent/opa-wasm') as {
  readonly LoadedPolicy: LoadedPolicyClass;
};

/** The functions of OPA's ABI 1.2 that the host calls. Addresses are unsigned 32 bits, given as signed. */
interface PolicyExports {
  opa_eval(
    reserved: 0,
    entrypoint: number,
    data: number,
    input: number,
    inputLength: number,
    heap: number,
    format: 0 | 1,
  ): number;
  opa_malloc(size: number): number;
  opa_free(address: number): void;
  opa_heap_ptr_get(): number;
  opa_heap_ptr_set(address: number): void;
  opa_json_parse(address: number, length: number): number;
  opa_json_dump(value: number): number;
  /** `path` is an array of names; answers 0 where it did it. */
  opa_value_add_path(document: number, path: number, value: number): number;
  opa_value_parse(address: number, length: number): number;
  opa_value_dump(value: number): number;
  builtins(): number;
}

/** What is kept of the text of an abort: it reaches answers and records. */
const abortBytes = 1_024;

/** OPA has some 220, and numbers them in one row. */
const mostBuiltins = 10_000;

/** A call of a host builtin of three operands, which are addresses. */
export interface KeptCall {
  readonly id: number;
  readonly operands: readonly [number, number, number];
}

/** Answers a call of a host builtin: operands and result are addresses of values, 0 is undefined. */
export type BuiltinCall = (id: number, operands: readonly number[]) => number;

const versionOf = (instance: WebAssembly.Instance, name: string): unknown => {
  const found = instance.exports[name];
  return found instanceof WebAssembly.Global ? found.value : undefined;
};

/** An instance of a policy's module with a memory of its own. Dead after anything that a call of it throws. */
export class RawInstance {
  readonly exports: PolicyExports;
  readonly memory: WebAssembly.Memory;
  /** Where the heap begins for data. */
  readonly base: number;
  readonly entrypoints: ReadonlyMap<string, number>;
  /** Names of the host builtins, each at its number. */
  readonly builtins: readonly string[];
  private readonly counter: WebAssembly.Global;
  private readonly keptOfNow: readonly WebAssembly.Global[];
  private readonly maximum: number;
  private bytes: Buffer;

  /** `memory` is that of an instance with the same maximum that is used no more; it is cleared up to the data. */
  constructor(policy: PolicyModule, maximumPages: number, call: BuiltinCall, memory?: WebAssembly.Memory) {
    const maximum = Math.min(Math.max(maximumPages, policy.initialPages), policy.maximumPages);
    this.maximum = maximum;
    this.memory = memory ?? new WebAssembly.Memory({ initial: policy.initialPages, maximum });
    this.bytes = Buffer.from(this.memory.buffer);
    const instance = new WebAssembly.Instance(policy.module, { env: this.imports(call) });
    this.exports = instance.exports as unknown as PolicyExports;
    this.counter = instance.exports[counterExport] as WebAssembly.Global;
    this.keptOfNow = keptOfNow
      .map(([name]) => instance.exports[name])
      .filter((found) => found instanceof WebAssembly.Global);
    const minor = versionOf(instance, 'opa_wasm_abi_minor_version');
    if (versionOf(instance, 'opa_wasm_abi_version') !== 1 || (minor !== 2 && minor !== 3)) {
      throw foreignModule('speaks another version of OPA’s ABI than 1.2 or 1.3');
    }
    const loaded = new LoadedPolicy({ module: policy.module, instance }, this.memory, minor);
    this.base = loaded.baseHeapPtr >>> 0;
    this.entrypoints = new Map(Object.entries(loaded.entrypoints));
    this.builtins = this.readBuiltins();
    for (const [id, name] of this.builtins.entries()) {
      const number = name === undefined ? undefined : instance.exports[fastTwinExport(name) ?? ''];
      if (number instanceof WebAssembly.Global) number.value = id;
    }
  }

  /** Points left; negative once the budget ran out. */
  get points(): number {
    return this.counter.value as number;
  }

  set points(points: number) {
    this.counter.value = Math.min(points, fullCounter);
  }

  /** Takes points for what the host does for the policy; false once the budget ran out. */
  spend(points: number): boolean {
    this.counter.value = Math.max(-1, (this.counter.value as number) - points);
    return this.points >= 0;
  }

  /** Before an evaluation: what was kept in the last one is no longer in the memory. */
  forgetNow(): void {
    for (const kept of this.keptOfNow) kept.value = 0;
  }

  /**
   * The comparisons with now that the module answered itself in this evaluation and that can change first: the host is
   * to say when. Records as src/engine/wasm/fast/windows.ts has them.
   */
  comparisonsOfNow(): readonly KeptCall[] {
    const calls: KeptCall[] = [];
    const bytes = this.view();
    let record = (this.keptOfNow[0]?.value ?? 0) >>> 0;
    for (let count = 0; record !== 0 && count < mostRecords; count++) {
      for (const call of [record + 24, record + 56]) {
        const [a, b, c] = [20, 24, 28].map((place) => bytes.readUInt32LE(call + place)) as [number, number, number];
        if (a !== 0) calls.push({ id: bytes.readInt32LE(call + 16), operands: [a, b, c] });
      }
      record = bytes.readUInt32LE(record);
    }
    return calls;
  }

  /** The memory as it is now: growth makes a new one, so it is asked for after every call. */
  view(): Buffer {
    if (this.bytes.buffer !== this.memory.buffer) this.bytes = Buffer.from(this.memory.buffer);
    return this.bytes;
  }

  /** The bytes at an address up to the NUL: a part of the memory, not a copy. */
  text(address: number): Buffer {
    const bytes = this.view();
    const start = address >>> 0;
    const end = bytes.indexOf(0, start);
    return bytes.subarray(start, end < 0 ? bytes.length : end);
  }

  /**
   * Grows the memory at once, so that the module finds room for `size` bytes above an address without growing it: V8
   * looks for garbage at every growth, and OPA's allocator grows by a page. What nobody writes to takes no room.
   */
  reserve(address: number, size: number): void {
    // The allocator asks for a page more than it needs.
    const room = this.maximum * pageBytes - address - 2 * pageBytes;
    if (room <= 0) return;
    // What is only set aside costs no evaluation anything.
    const { points } = this;
    this.points = fullCounter;
    this.exports.opa_heap_ptr_set(address);
    this.exports.opa_malloc(Math.min(size, room));
    this.exports.opa_heap_ptr_set(address);
    this.points = points;
  }

  /** Allocates and writes; the address. */
  put(content: Uint8Array): number {
    const address = this.exports.opa_malloc(content.length) >>> 0;
    this.view().set(content, address);
    return address;
  }

  private imports(call: BuiltinCall): { readonly [name: string]: WebAssembly.ImportValue } {
    return {
      memory: this.memory,
      opa_abort: (address: number): never => {
        throw new PolicyAbort(this.text(address).subarray(0, abortBytes).toString('utf8'));
      },
      opa_println: () => {},
      opa_builtin0: (id: number) => call(id, []),
      opa_builtin1: (id: number, _context: number, a: number) => call(id, [a]),
      opa_builtin2: (id: number, _context: number, a: number, b: number) => call(id, [a, b]),
      opa_builtin3: (id: number, _context: number, a: number, b: number, c: number) => call(id, [a, b, c]),
      opa_builtin4: (id: number, _context: number, a: number, b: number, c: number, d: number) =>
        call(id, [a, b, c, d]),
    };
  }

  private readBuiltins(): readonly string[] {
    const text = this.text(this.exports.opa_json_dump(this.exports.builtins())).toString('utf8');
    const found = Object.entries(JSON.parse(text) as { readonly [name: string]: unknown });
    const names: string[] = [];
    for (const [name, id] of found) {
      const isNumber = typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < mostBuiltins;
      if (!isNumber || names[id] !== undefined) throw foreignModule('does not number its builtins as OPA does');
      names[id] = name;
    }
    return names;
  }
}
