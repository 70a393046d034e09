import type { BuiltinTable } from './builtins/model.ts';
import { carrying } from './builtins/model.ts';
import { publicName } from './builtins/natives/index.ts';
import { failureOf } from './failure.ts';
import type { HostBuiltin } from './host-builtins.ts';
import type { PolicyImage, Task } from './instance.ts';
import { PolicyInstance } from './instance.ts';
import type { Evaluation } from './model.ts';
import { EvaluationScope } from './scope.ts';

/** The builtins of a table as instances call them. */
export const hostBuiltins =
  (table: BuiltinTable) =>
  (name: string): HostBuiltin | undefined => {
    const entry = table.get(name);
    if (entry === undefined) return undefined;
    return {
      name: publicName(name),
      run: (scope, operands) => entry.run(scope, ...operands),
      nonDeterministic: entry.nonDeterministic === true,
      cost: entry.cost ?? carrying,
    };
  };

/** How long memory stays that an evaluation took far more of than others do. Another one like it finds it there. */
const keptMs = 2_000;

/** Evaluations of one version on the thread that calls. An instance that is spent is replaced; a spare is kept. */
export class LocalEvaluator {
  private instance: PolicyInstance | undefined;
  private spare: PolicyInstance | undefined;
  /** What a spent instance left for the next one. */
  private left: WebAssembly.Memory | undefined;
  private refill: NodeJS.Immediate | undefined;
  private release: NodeJS.Timeout | undefined;
  private readonly image: () => PolicyImage;
  private readonly builtins: (name: string) => HostBuiltin | undefined;

  /** `image` is asked for when an instance is to be made; `first` is one that is there already. */
  constructor(image: () => PolicyImage, builtins: (name: string) => HostBuiltin | undefined, first?: PolicyInstance) {
    this.image = image;
    this.builtins = builtins;
    this.instance = first;
  }

  /** Makes the first instance. Rejects when it cannot be made. */
  async open(): Promise<PolicyInstance> {
    this.instance ??= await PolicyInstance.inTurns(this.image(), this.builtins, { awaited: true });
    return this.instance;
  }

  /** The instance that evaluates next. Throws when none can be made. */
  current(): PolicyInstance {
    if (this.instance !== undefined) return this.instance;
    this.instance = this.spare ?? PolicyInstance.of(this.image(), this.builtins, { memory: this.takeLeft() });
    this.spare = undefined;
    return this.instance;
  }

  /** Never throws. */
  evaluate(task: Task): Evaluation {
    let instance: PolicyInstance;
    try {
      instance = this.current();
    } catch (thrown) {
      const { code, message } = failureOf(thrown);
      return { kind: 'failed', code, message, basis: new EvaluationScope(task.nowNs).basis(0) };
    }
    const evaluation = instance.evaluate(task);
    if (instance.spent) {
      // Whoever asks next may come late: until then its memory would stay.
      this.instance = undefined;
      this.left = instance.left?.memory;
      this.refillLater();
      if (instance.left?.grew) this.releaseLater();
    }
    return evaluation;
  }

  private releaseLater(): void {
    clearTimeout(this.release);
    this.release = setTimeout(() => {
      this.close();
      this.refillLater();
    }, keptMs).unref();
  }

  private takeLeft(): WebAssembly.Memory | undefined {
    const { left } = this;
    this.left = undefined;
    return left;
  }

  /** Makes a spare after the answer has left, a part at a time. */
  refillLater(): void {
    this.refill ??= setImmediate(() => void this.makeSpare()).unref();
  }

  private async makeSpare(): Promise<void> {
    const { refill } = this;
    try {
      const inTurns = async () =>
        PolicyInstance.inTurns(this.image(), this.builtins, { awaited: false, memory: this.takeLeft() });
      const spare = this.spare ?? (await inTurns());
      // Closed meanwhile: nobody would give its memory back.
      if (this.refill === refill) this.spare = spare;
    } catch {
      // Without a spare the next evaluation makes its own instance, and reports what is wrong.
    }
    if (this.refill === refill) this.refill = undefined;
  }

  /** Lets go of all that it holds; a later question has it made anew. */
  close(): void {
    clearImmediate(this.refill);
    clearTimeout(this.release);
    this.refill = undefined;
    this.release = undefined;
    this.instance = undefined;
    this.spare = undefined;
    this.left = undefined;
  }
}
