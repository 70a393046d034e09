import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RegoValue } from '../rego/index.ts';
import { RegoNumber } from '../rego/index.ts';
import type { DataImage } from './data-image.ts';
import { imageOf, makeChanges, readHere, roomForChanges, usualPages } from './data-image.ts';
import { EvaluationFailure, failureOf } from './failure.ts';
import type { CallContext, HostBuiltin } from './host-builtins.ts';
import { callBuiltin } from './host-builtins.ts';
import type { Budget, CheckedJson, Evaluation } from './model.ts';
import { readPriced } from './priced.ts';
import { EvaluationScope } from './scope.ts';
import { answerOf, falseText, startsWith, trueText, undefinedText } from './values/answers.ts';
import { below } from './values/below.ts';
import { fractionalNumbers, goNumberText, isFractional } from './values/number-text.ts';
import { resultJson } from './values/result-json.ts';
import { fullCounter } from './wasm/instruction-counter.ts';
import type { PolicyModule } from './wasm/policy-module.ts';
import { pageBytes } from './wasm/policy-module.ts';
import { RawInstance } from './wasm/raw-instance.ts';

/** What instances of one version are made from, on any thread. */
export interface PolicyImage {
  /** Whose version it is: what answers of the network are kept by. */
  readonly bundle: string;
  readonly policy: PolicyModule;
  readonly data: DataImage;
  readonly budget: Budget;
}

export interface Making {
  /** What an instance of the same image left; default: new memory. */
  readonly memory?: WebAssembly.Memory | undefined;
}

/** The memory of an instance that is spent, for the next one of its image. */
export interface LeftMemory {
  readonly memory: WebAssembly.Memory;
  /** Whether an evaluation wrote far beyond the data: that takes room for as long as anybody has the memory. */
  readonly grew: boolean;
}

/** One evaluation, with the entrypoint's number in the module. */
export interface Task {
  readonly entrypoint: number;
  readonly below: readonly string[];
  readonly input?: CheckedJson;
  readonly strictErrors: boolean;
  readonly nowNs: bigint;
  /** Points that it may use. */
  readonly instructions: number;
}

/** Memory that an evaluation may take before its instance is thrown away, so that the memory can be given back. */
const keptGrowthBytes = 8 << 20;

/** Far more than OPA's own modules take to say where their heap ends. */
const pointsToAsk = 1_000;

/** Bytes of data that are copied into an instance at a time: a few milliseconds, where the pages are new. */
const sliceBytes = 4 << 20;

/** Gives the builtin of a name, or undefined when it has no place here. */
type BuiltinsByName = (name: string) => HostBuiltin | undefined;

/** An instance that read its data, and the image of what it read, which takes a copy of it. */
export interface Read {
  readonly instance: PolicyInstance;
  readonly image: () => PolicyImage;
}

const unread: DataImage = {
  base: 0,
  start: 0,
  bytes: new Uint8Array(new SharedArrayBuffer(0)),
  address: 0,
  numbers: new Set(),
  changes: [],
};

/** An instance of a version's module with its data. One evaluation at a time. */
export class PolicyInstance {
  /** True once it must not be used again: after a trap, an abort or an exhausted budget, or when it grew too much. */
  spent = false;
  /**
   * Of one that is spent. Of new memory each page costs a fault when it is first written, and making it lets V8 collect
   * the garbage of the whole thread.
   */
  left: LeftMemory | undefined;
  /** False for one that read its data itself: its memory is of another size, and the image may yet be made from it. */
  private clears = false;
  private readonly raw: RawInstance;
  private image: PolicyImage;
  private readonly builtins: readonly (HostBuiltin | undefined)[];
  private heap = 0;
  private keptHeap = 0;
  private context: CallContext | undefined;
  private input: CheckedJson | undefined;
  private inputNumbers: ReadonlySet<string> | undefined;
  private readonly answeredNumbers = new Set<string>();

  /** Makes an instance at once. */
  static of(image: PolicyImage, builtins: BuiltinsByName, making: Making = {}): PolicyInstance {
    const instance = PolicyInstance.empty(image, builtins, making);
    instance.raw.view().set(image.data.bytes, image.data.start);
    instance.settle();
    return instance;
  }

  /**
   * Makes an instance with other work between the slices of its data: the image of 20 MB of JSON has 700 MB. One that is
   * `awaited` keeps the process from ending before it is made.
   */
  static async inTurns(
    image: PolicyImage,
    builtins: BuiltinsByName,
    { awaited, memory }: Making & { readonly awaited: boolean },
  ): Promise<PolicyInstance> {
    const { start, bytes } = image.data;
    const instance = PolicyInstance.empty(image, builtins, { memory });
    for (let at = 0; at < bytes.length; at += sliceBytes) {
      if (at > 0) await nextTurn(undefined, { ref: awaited });
      instance.raw.view().set(bytes.subarray(at, at + sliceBytes), start + at);
    }
    instance.settle();
    return instance;
  }

  /**
   * Makes an instance that reads its data itself, all at once, and the way to the image that others are made from. Its
   * memory may be a little larger than theirs. Undefined where the data is not usual, see `readHere`.
   */
  static reading(parts: Omit<PolicyImage, 'data'>, data: CheckedJson, builtins: BuiltinsByName): Read | undefined {
    const { policy, budget } = parts;
    const pages = usualPages(policy, data.length, budget.memoryBytes);
    const withData = (made: DataImage): PolicyImage => ({ ...parts, data: made });
    const instance = new PolicyInstance({ ...parts, data: unread }, builtins, { pages });
    const { raw } = instance;
    const place = readHere(raw, data);
    if (place === undefined) return undefined;
    instance.image = withData({ ...unread, ...place });
    instance.settle();
    return { instance, image: () => withData(imageOf(raw, place)) };
  }

  /** Its data is not there yet: nothing may be evaluated. */
  private static empty(image: PolicyImage, builtins: BuiltinsByName, { memory }: Making): PolicyInstance {
    const { data, budget } = image;
    const dataEnd = data.start + data.bytes.length;
    const pages = Math.ceil((dataEnd + roomForChanges(data)) / pageBytes) + Math.ceil(budget.memoryBytes / pageBytes);
    const instance = new PolicyInstance(image, builtins, { pages, memory });
    instance.clears = true;
    const { raw } = instance;
    if (raw.base !== data.base) throw new EvaluationFailure('engine_error', 'two instances of a module differ');
    raw.reserve(raw.base, dataEnd - raw.base + budget.memoryBytes);
    // Taken from the module's allocator, so that it knows how far the memory reaches.
    raw.points = fullCounter;
    raw.exports.opa_malloc(dataEnd - raw.base);
    return instance;
  }

  private constructor(image: PolicyImage, builtins: BuiltinsByName, making: Making & { readonly pages: number }) {
    this.image = image;
    const pages = Math.min(making.pages, 65_536);
    this.raw = new RawInstance(image.policy, pages, (id, operands) => this.call(id, operands), making.memory);
    this.builtins = this.raw.builtins.map(builtins);
  }

  /** Everything above the data is an evaluation's. */
  private settle(): void {
    const { raw, image } = this;
    makeChanges(raw, image.data);
    this.heap = raw.exports.opa_heap_ptr_get() >>> 0;
    this.keptHeap = this.heap + keptGrowthBytes;
  }

  get entrypoints(): ReadonlyMap<string, number> {
    return this.raw.entrypoints;
  }

  get builtinNames(): readonly string[] {
    return this.raw.builtins;
  }

  /** Never throws: whatever goes wrong is a failed evaluation. */
  evaluate(task: Task): Evaluation {
    const scope = new EvaluationScope(task.nowNs, this.take);
    const { raw } = this;
    const { instructions } = task;
    try {
      const json = this.run(task, scope);
      const basis = scope.basis(instructions - raw.points);
      if (this.growsPast()) this.leave();
      return json === undefined ? { kind: 'undefined', basis } : { kind: 'defined', json, basis };
    } catch (thrown) {
      const exhausted = raw.points < 0;
      const used = exhausted ? instructions : instructions - raw.points;
      this.leave();
      const wanted = `the evaluation used up its budget of ${instructions} instructions`;
      const { code, message } = exhausted ? new EvaluationFailure('budget_exceeded', wanted) : failureOf(thrown);
      return { kind: 'failed', code, message, basis: scope.basis(used) };
    } finally {
      this.context = undefined;
      this.input = undefined;
      this.inputNumbers = undefined;
      if (this.answeredNumbers.size > 0) this.answeredNumbers.clear();
    }
  }

  private growsPast(): boolean {
    return this.raw.exports.opa_heap_ptr_get() >>> 0 > this.keptHeap;
  }

  /** Nothing is evaluated here any more. */
  private leave(): void {
    this.spent = true;
    if (!this.clears) return;
    const { raw, image } = this;
    try {
      // Asking the module takes points, too.
      raw.points = pointsToAsk;
      const grew = this.growsPast();
      // What stands above the data is for every evaluation to write before it reads.
      raw.view().fill(0, 0, image.data.start);
      this.left = { memory: raw.memory, grew };
    } catch {
      // What cannot even say how far it came is not used again.
    }
  }

  private run(task: Task, scope: EvaluationScope): string | undefined {
    const { raw, image } = this;
    const { budget, data } = image;
    this.context = {
      scope,
      strictErrors: task.strictErrors,
      budget,
      numberText: this.numberText,
      answered: this.answered,
    };
    this.input = task.input;
    raw.points = task.instructions;
    const { address, heap } = this.writeInput(task.input);
    const length = task.input?.length ?? 0;
    raw.forgetNow();
    const result = raw.exports.opa_eval(0, task.entrypoint, data.address, address, length, heap, 1) >>> 0;
    for (const { id, operands } of raw.comparisonsOfNow()) this.call(id, operands);
    const bytes = raw.view();
    if (startsWith(bytes, result, undefinedText)) return undefined;
    if (task.below.length === 0) {
      if (startsWith(bytes, result, trueText)) return 'true';
      if (startsWith(bytes, result, falseText)) return 'false';
    }
    return this.readResult(raw.text(result), task.below);
  }

  private readResult(text: Buffer, segments: readonly string[]): string | undefined {
    const { resultBytes } = this.image.budget;
    const tooLarge = (): EvaluationFailure =>
      new EvaluationFailure('too_large', `the result takes more than ${resultBytes} bytes`);
    if (text.length > resultBytes) throw tooLarge();
    const value = below(answerOf(readPriced(this.raw, text, this.numberText)), segments);
    if (value === undefined) return undefined;
    const json = resultJson(value);
    // Escapes can make the JSON six times as long as the text it comes from.
    if (json.length * 3 > resultBytes && Buffer.byteLength(json) > resultBytes) throw tooLarge();
    return json;
  }

  /** Puts the input where the heap begins; where it stands, and where the heap begins then. */
  private writeInput(input: CheckedJson | undefined): { readonly address: number; readonly heap: number } {
    const { raw, heap } = this;
    if (input === undefined) return { address: 0, heap };
    if (heap + input.length < raw.memory.buffer.byteLength) {
      raw.view().set(input, heap);
      return { address: heap, heap: heap + input.length };
    }
    raw.exports.opa_heap_ptr_set(heap);
    const address = raw.put(input);
    return { address, heap: raw.exports.opa_heap_ptr_get() >>> 0 };
  }

  private call(id: number, operands: readonly number[]): number {
    const builtin = this.builtins[id];
    const { context } = this;
    if (builtin === undefined || context === undefined) {
      throw new EvaluationFailure(
        'engine_error',
        `the module calls ${this.raw.builtins[id] ?? 'a builtin'} out of place`,
      );
    }
    return callBuiltin(this.raw, builtin, operands, context);
  }

  // A number that somebody wrote keeps its text, as in OPA; one that the module computed gets the text that Go would
  // have given it. Integers look the same either way.
  private readonly numberText = (text: string): string =>
    isFractional(text) && !this.isWritten(text) ? goNumberText(text) : text;

  private isWritten(text: string): boolean {
    if (this.image.policy.constants.has(text) || this.image.data.numbers.has(text)) return true;
    if (this.answeredNumbers.has(text)) return true;
    if (this.input === undefined) return false;
    this.inputNumbers ??= fractionalNumbers(this.input);
    return this.inputNumbers.has(text);
  }

  private readonly take = (points: number): boolean => this.raw.spend(points);

  private readonly answered = (result: RegoValue, text: string): void => {
    if (typeof result === 'string' || !isFractional(text)) return;
    if (result instanceof RegoNumber) {
      this.answeredNumbers.add(text);
      return;
    }
    for (const number of fractionalNumbers(Buffer.from(text))) this.answeredNumbers.add(number);
  };
}
