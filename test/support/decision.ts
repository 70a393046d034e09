import type {
  ActivePolicy,
  ActiveVersion,
  Answer,
  AuditLog,
  Caller,
  Decisions,
  PolicyRef,
  PolicySource,
  PreparedContent,
  Query,
  RecordContent,
  RecordFacts,
  Resolution,
} from '../../src/decision/index.ts';
import { AuditError, createDecisions, defaultCacheSettings } from '../../src/decision/index.ts';
import type { CacheSettings } from '../../src/decision/settings.ts';
import type { Basis, CheckedJson, Evaluation, EvaluationErrorCode, EvaluationRequest } from '../../src/engine/index.ts';
import { checkJson } from '../../src/engine/index.ts';
import type { InputRead } from '../../src/rego/index.ts';

// ---- the clock --------------------------------------------------------------------------------------------------

/** A clock that moves when told: both hands together, or the wall clock alone. */
export const fakeClock = (startMs = 1_800_000_000_000) => {
  let wall = startMs;
  let monotonic = 5_000;
  return {
    nowMs: () => Math.floor(wall),
    nowNs: () => BigInt(Math.round(wall * 1e6)),
    monotonicMs: () => monotonic,
    advance(ms: number): void {
      wall += ms;
      monotonic += ms;
    },
    stepWall(ms: number): void {
      wall += ms;
    },
  };
};

export type FakeClock = ReturnType<typeof fakeClock>;

// ---- what is active ---------------------------------------------------------------------------------------------

export interface Asked {
  readonly input: string | undefined;
  readonly strictErrors: boolean;
  readonly below: readonly string[];
  /** The clock of the evaluation. */
  readonly nowNs: bigint;
}

export type FakeRule = (asked: Asked) => Evaluation | Promise<Evaluation>;

export const basis = (nowNs: bigint, more: Partial<Basis> = {}): Basis => ({
  nowNs,
  volatile: false,
  tokens: [],
  nonDeterministic: [],
  instructions: 17,
  ...more,
});

export const gives =
  (json: string, more: Partial<Basis> = {}): FakeRule =>
  ({ nowNs }) => ({ kind: 'defined', json, basis: basis(nowNs, more) });

export const givesInput: FakeRule = ({ input, nowNs }) =>
  input === undefined
    ? { kind: 'undefined', basis: basis(nowNs) }
    : { kind: 'defined', json: input, basis: basis(nowNs) };

export const givesNothing: FakeRule = ({ nowNs }) => ({ kind: 'undefined', basis: basis(nowNs) });

export const fails =
  (code: EvaluationErrorCode, message = 'it went wrong'): FakeRule =>
  ({ nowNs }) => ({ kind: 'failed', code, message, basis: basis(nowNs) });

export interface FakeVersion {
  readonly name: string;
  readonly version?: number;
  readonly digest?: string;
  readonly revision?: string;
  readonly dataRevision?: string;
  readonly linkedDigest?: string;
  readonly links?: readonly PolicyRef[];
  readonly rules?: { readonly [path: string]: FakeRule };
  readonly data?: { readonly [path: string]: string };
  /** Paths of rules that are marked as results. */
  readonly results?: readonly string[];
  readonly ttlsMs?: { readonly [path: string]: number };
  /** What the rules can read of the input; absent: all of it. */
  readonly reads?: { readonly [path: string]: readonly InputRead[] };
  /** The path that answers AuthZEN, slash-separated. */
  readonly authzen?: string;
}

interface Loaded {
  readonly active: ActiveVersion;
  readonly source: FakeVersion;
}

const segments = (path: string): readonly string[] => (path === '' ? [] : path.split('/'));
const startsWith = (path: readonly string[], prefix: readonly string[]): boolean =>
  prefix.length <= path.length && prefix.every((step, at) => path[at] === step);

const partsOf = (loaded: Loaded): (readonly [readonly string[], Resolution])[] => {
  const { active, source } = loaded;
  const rules = Object.keys(source.rules ?? {}).map((entrypoint): readonly [readonly string[], Resolution] => {
    const ttlMs = source.ttlsMs?.[entrypoint];
    const isResult = source.results?.includes(entrypoint) ?? false;
    const reads = source.reads?.[entrypoint];
    const target = {
      version: active,
      entrypoint,
      below: [],
      isResult,
      ...(ttlMs === undefined ? {} : { ttlMs }),
      ...(reads === undefined ? {} : { reads }),
    };
    return [segments(entrypoint), { kind: 'rule', target }];
  });
  const data = Object.entries(source.data ?? {}).map(([path, json]): readonly [readonly string[], Resolution] => [
    segments(path),
    { kind: 'data', version: active, json },
  ]);
  return [...rules, ...data];
};

const resolveIn = (all: readonly Loaded[], path: readonly string[]): Resolution => {
  const parts = all.flatMap(partsOf);
  for (const [at, part] of parts) {
    if (!startsWith(path, at)) continue;
    if (part.kind === 'rule') return { kind: 'rule', target: { ...part.target, below: path.slice(at.length) } };
    if (at.length === path.length) return part;
  }
  const under = parts.filter(([at]) => startsWith(at, path));
  if (under.length === 0) return { kind: 'unknown' };
  return { kind: 'composite', parts: under.map(([at, part]) => ({ at: at.slice(path.length), part })) };
};

/** A policy source in memory: versions of functions, activated and taken away by the test. */
export const fakePolicy = (clock: FakeClock) => {
  const loaded = new Map<string, Loaded>();
  const listeners: ((active: ActivePolicy) => void)[] = [];
  /** Evaluations so far, by entrypoint. */
  const evaluations = new Map<string, number>();
  let epoch = 0;

  const load = (source: FakeVersion): Loaded => {
    const rules = new Map(Object.entries(source.rules ?? {}));
    const evaluate = (request: EvaluationRequest): Evaluation | Promise<Evaluation> => {
      const { entrypoint, below, strictErrors, input } = request;
      evaluations.set(entrypoint, (evaluations.get(entrypoint) ?? 0) + 1);
      const rule = rules.get(entrypoint);
      if (rule === undefined) throw new Error(`no entrypoint ${entrypoint}`);
      const text = input === undefined ? undefined : Buffer.from(input).toString();
      return rule({ input: text, strictErrors, below, nowNs: clock.nowNs() });
    };
    const { name, version = 1, revision = '', linkedDigest = '', links = [] } = source;
    const module = {
      entrypoints: [...rules.keys()],
      builtins: [],
      evaluate,
      warm: async () => {},
      close: async () => {},
    };
    const digest = source.digest ?? `digest of ${name}@${version}`;
    const dataRevision = source.dataRevision ?? `data of ${name}@${version}`;
    const own = { name, version, digest, revision, dataRevision, linkedDigest, links };
    return { source, active: { ...own, module, opaque: false } };
  };

  const freeze = (): ActivePolicy => {
    const all = [...loaded.values()];
    return Object.freeze({
      epoch: ++epoch,
      versions: new Map(all.map(({ active }) => [active.name, active])),
      resolve: (path: readonly string[]) => resolveIn(all, path),
      authzenPath: (bundle?: string) => {
        const named = bundle === undefined ? all : all.filter(({ source }) => source.name === bundle);
        const path = named.find(({ source }) => source.authzen !== undefined)?.source.authzen;
        return path === undefined ? undefined : segments(path);
      },
    });
  };

  let current = freeze();
  const change = (): void => {
    current = freeze();
    for (const listener of listeners) listener(current);
  };
  const source: PolicySource = {
    get current() {
      return current;
    },
    onChange: (listener) => void listeners.push(listener),
  };
  return {
    source,
    evaluations: (entrypoint: string): number => evaluations.get(entrypoint) ?? 0,
    activate(...versions: readonly FakeVersion[]): void {
      for (const version of versions) loaded.set(version.name, load(version));
      change();
    },
    remove(name: string): void {
      loaded.delete(name);
      change();
    },
  };
};

// ---- the log ----------------------------------------------------------------------------------------------------

export interface MemoryRecord {
  readonly facts: RecordFacts;
  readonly input?: string;
  readonly result?: string;
}

/** An audit log in memory, which fails when told and can keep its word back. */
export const memoryAudit = () => {
  const records: MemoryRecord[] = [];
  const held: (() => void)[] = [];
  const contents = new WeakMap<PreparedContent, RecordContent>();
  const state = { failing: false, throwing: false, holding: false, prepared: 0 };
  const log: AuditLog = {
    prepare(content) {
      state.prepared++;
      const sizeBytes = 100 + (content.input?.length ?? 0) + (content.result?.length ?? 0);
      const prepared = { sizeBytes } as PreparedContent;
      contents.set(prepared, content);
      return prepared;
    },
    append(facts, content, done) {
      if (state.throwing) throw new Error('the log is closed');
      if (state.failing) return done(new AuditError('AUDIT_UNWRITABLE', 'the disk is full'));
      const { input, result } = contents.get(content) as RecordContent;
      records.push({
        facts,
        ...(input === undefined ? {} : { input: Buffer.from(input).toString() }),
        ...(result === undefined ? {} : { result }),
      });
      if (state.holding) held.push(() => done());
      else done();
    },
    note: async () => {},
    find: async () => undefined,
    health: () => ({ writable: !state.failing }),
    close: async () => {},
  };
  const release = (): void => {
    for (const done of held.splice(0)) done();
  };
  return { log, records, state, release };
};

// ---- a whole core -----------------------------------------------------------------------------------------------

export const anyone: Caller = { kind: 'anonymous', name: 'anonymous', roles: ['ask'] };

export const checked = (json: string): CheckedJson => checkJson(Buffer.from(json)).json;

export interface CoreOptions {
  readonly cache?: Partial<CacheSettings>;
  readonly onFailure?: 'refuse' | 'answer';
}

export const startCore = (options: CoreOptions = {}) => {
  const clock = fakeClock();
  const policy = fakePolicy(clock);
  const audit = memoryAudit();
  const warnings: string[] = [];
  const decisions = createDecisions({
    policy: policy.source,
    audit: audit.log,
    clock,
    settings: { cache: { ...defaultCacheSettings, ...options.cache }, onFailure: options.onFailure ?? 'refuse' },
    onWarning: (message) => warnings.push(message),
  });
  return { clock, policy, audit, warnings, decisions };
};

export interface Question {
  readonly input?: string;
  readonly rawKey?: string;
  readonly strictErrors?: boolean;
  readonly bypassCache?: boolean;
  readonly caller?: Caller;
}

export const query = (path: string, question: Question = {}): Query => ({
  wire: 'opa.v1',
  caller: question.caller ?? anyone,
  requestedBy: '127.0.0.1:51422',
  path: segments(path),
  strictErrors: question.strictErrors ?? false,
  bypassCache: question.bypassCache ?? false,
  ...(question.input === undefined ? {} : { input: checked(question.input) }),
  ...(question.rawKey === undefined ? {} : { rawKey: question.rawKey }),
});

/** Asks as a wire does: the raw key, which stands for a body here, is given for one that came before. */
export const ask = (decisions: Decisions, path: string, { rawKey, ...question }: Question = {}): Promise<Answer> => {
  const known = rawKey !== undefined && decisions.cameBefore(rawKey) ? { rawKey } : {};
  return new Promise((resolve) => decisions.decide(query(path, { ...question, ...known }), resolve));
};

/** The answer of `repeat`, or undefined when it has none. */
export const repeat = (decisions: Decisions, rawKey: string, caller: Caller = anyone): Answer | undefined => {
  let answer: Answer | undefined;
  const facts = { wire: 'opa.v1', caller, requestedBy: '127.0.0.1:51423' } as const;
  const taken = decisions.repeat(rawKey, facts, (given) => {
    answer = given;
  });
  if (taken !== (answer !== undefined)) throw new Error('repeat and its reply disagree');
  return answer;
};

/** Asks the same body twice, after which it is found by its raw key; the first answer. */
export const askTwice = async (decisions: Decisions, path: string, question: Question): Promise<Answer> => {
  const first = await ask(decisions, path, question);
  await ask(decisions, path, question);
  return first;
};
