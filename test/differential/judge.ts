import type { CheckedJson, LoadedModule } from '../../src/engine/index.ts';
import { checkJson, footprintOf, projectedText } from '../../src/engine/index.ts';
import type { Compiled, RegoProblem, Toolchain } from '../../src/rego/index.ts';
import { openToolchain, RegoError } from '../../src/rego/index.ts';
import { type Case, dataOf, type Placed, placed } from './case.ts';
import { decided, evaluated, isSdkSame, openSdk, openTestEngine, type SdkHost, served } from './engines.ts';
import { openInterpreter, type Question } from './interpreter.ts';
import type { Difference, Judged } from './judged.ts';

/** npm's host prints objects as `[object Object]`. */
const isMisprinting = (builtins: readonly string[]): boolean => builtins.some((name) => name.endsWith('sprintf'));

type Compiling = Parameters<Toolchain['compile']>[2];

const isRegrouped = ({ wasm }: Compiled): boolean => Buffer.from(wasm).includes('data.__vd.__vd');

const pathsOf = (all: readonly Placed[]): string[] =>
  all.flatMap(({ name, case: { entrypoints } }) => entrypoints.map((rule) => `${name}/${rule}`));

// A problem with an entrypoint names no file.
const isAbout = ({ file, message }: RegoProblem, { name, module }: Placed): boolean =>
  file === undefined ? message.includes(`"${name}/`) : file === module.path;

interface Compilation {
  readonly compiled: Compiled;
  readonly valid: readonly Placed[];
  readonly invalid: ReadonlyMap<Case, string>;
}

interface Found {
  readonly text: string;
  readonly cached: readonly string[];
}

export const openJudge = () => {
  const toolchain: Toolchain = openToolchain();
  const engine = openTestEngine();
  const interpreter = openInterpreter(toolchain);

  // Small programs have few rules of one name: groups that would not pay are made all the same.
  const forced: Compiling = { regrouping: 'all' };
  const compile = (all: readonly Placed[], how = forced): Promise<Compiled> =>
    toolchain.compile({ modules: all.map(({ module }) => module) }, pathsOf(all), how);

  /** Leaves out what does not compile. */
  const compileValid = async (all: readonly Placed[]): Promise<Compilation> => {
    const invalid = new Map<Case, string>();
    let valid = all;
    while (valid.length > 0) {
      try {
        return { compiled: await compile(valid), valid, invalid };
      } catch (error) {
        if (!(error instanceof RegoError)) throw error;
        const before = invalid.size;
        for (const problem of error.problems) {
          const wrong = valid.find((one) => isAbout(problem, one));
          if (wrong !== undefined) invalid.set(wrong.case, `${problem.row}: ${problem.message}`);
        }
        // OPA's planner says no place: each is compiled alone.
        if (invalid.size === before) {
          for (const one of valid) {
            const why = await compile([one]).then(
              () => undefined,
              (alone: unknown) => (alone instanceof RegoError ? alone.message : Promise.reject(alone)),
            );
            if (why !== undefined) invalid.set(one.case, why);
          }
          if (invalid.size === before) throw error;
        }
        valid = valid.filter((one) => !invalid.has(one.case));
      }
    }
    return { compiled: { wasm: new Uint8Array(), entrypoints: [] }, valid, invalid };
  };

  const load = (compiled: Compiled, all: readonly Placed[]): Promise<LoadedModule> => {
    const reach = new Map(compiled.entrypoints.map(({ path, builtins }) => [path, builtins]));
    return engine.load({ name: 'cases@1', wasm: compiled.wasm, data: dataOf(all) as CheckedJson, reach });
  };

  /** Answers of ours for every rule and input of a case, and whether the cache gave them. */
  const ours = async (one: Placed, module: LoadedModule, decisions: ReturnType<typeof served>) => {
    const found = new Map<string, Found[]>();
    let hits = 0;
    for (const rule of one.case.entrypoints) {
      const path = `${one.name}/${rule}`;
      const list: Found[] = [];
      for (const input of one.case.inputs) {
        const first = await decided(decisions, path, input);
        const again = await decided(decisions, path, input);
        if (first.cache === 'hit') hits++;
        list.push({
          text: await evaluated(module, path, input),
          cached: [first.text, again.text],
        });
      }
      found.set(rule, list);
    }
    return { found, hits };
  };

  const pairsOf = (one: Placed, compiled: Compiled, rule: string): (readonly [number, number])[] => {
    const reads = compiled.entrypoints.find(({ path }) => path === `${one.name}/${rule}`)?.reads ?? [];
    const footprint = footprintOf(reads);
    const first = new Map<string, number>();
    return one.case.inputs.flatMap((input, at) => {
      if (input === null) return [];
      const key = projectedText(checkJson(Buffer.from(input)).json, footprint);
      const known = first.get(key);
      if (known === undefined) first.set(key, at);
      return known === undefined || one.case.inputs[known] === input ? [] : [[known, at] as const];
    });
  };

  /** The interpreter's answers; what ours fails at is asked alone, since one error ends a whole question. */
  const wantedOf = async (all: readonly Placed[], fails: (one: Placed, rule: string, at: number) => boolean) => {
    const questions = (absent: boolean): Question[] =>
      all.flatMap((one) =>
        one.case.entrypoints.map((entrypoint) => ({
          placed: one,
          entrypoint,
          inputs: one.case.inputs.flatMap((input, at) =>
            (input === null) === absent && !fails(one, entrypoint, at) ? [at] : [],
          ),
        })),
      );
    const wanted = new Map<Placed, Map<string, string[]>>(all.map((one) => [one, new Map()]));
    const put = (one: Placed, rule: string, at: number, text: string): void => {
      const rules = wanted.get(one) as Map<string, string[]>;
      rules.set(rule, rules.get(rule) ?? []);
      (rules.get(rule) as string[])[at] = text;
    };
    for (const absent of [true, false]) {
      const answers = await interpreter.answer(
        questions(absent).filter(({ inputs }) => inputs.length > 0),
        absent,
      );
      for (const [{ placed: one, entrypoint }, texts] of answers) {
        for (const [at, text] of texts) put(one, entrypoint, at, text);
      }
    }
    for (const one of all) {
      for (const entrypoint of one.case.entrypoints) {
        const failing = one.case.inputs.flatMap((_, at) => (fails(one, entrypoint, at) ? [at] : []));
        // Each costs a compilation of its own.
        for (const at of failing.slice(0, 2)) {
          put(one, entrypoint, at, await interpreter.alone({ placed: one, entrypoint, inputs: [at] }, at));
        }
      }
    }
    return wanted;
  };

  const judgeOne = async (
    one: Placed,
    compiled: Compiled,
    found: ReadonlyMap<string, readonly Found[]>,
    wanted: ReadonlyMap<string, readonly string[]>,
  ) => {
    const differences: Difference[] = [];
    let pairs = 0;
    // The interpreter's index of rules may spare it a conflict that there is: see the known differences.
    const isSpared = (text: string, entrypoint: string, at: number): boolean =>
      text === 'failed:conflict' &&
      one.case.entrypoints.some((rule) => {
        if (rule === entrypoint || found.get(rule)?.[at]?.text !== text) return false;
        const other = wanted.get(rule)?.[at];
        return other === undefined || other === text;
      });
    for (const entrypoint of one.case.entrypoints) {
      const texts = wanted.get(entrypoint) ?? [];
      for (const [at, { text, cached }] of (found.get(entrypoint) ?? []).entries()) {
        const input = one.case.inputs[at] ?? null;
        const asked = texts[at];
        if (asked === undefined) continue;
        const wrong = (judge: Difference['judge'], given: string) =>
          differences.push({ judge, entrypoint, input, wanted: asked, found: given });
        if (text !== asked && isSpared(text, entrypoint, at)) continue;
        if (text !== asked) wrong('module', text);
        else for (const given of new Set(cached)) if (given !== asked) wrong('cache', given);
      }
      for (const [a, b] of pairsOf(one, compiled, entrypoint)) {
        if (texts[a] === undefined || texts[b] === undefined) continue;
        pairs++;
        if (texts[a] === texts[b]) continue;
        const [input, other] = [one.case.inputs[a] ?? null, one.case.inputs[b] ?? null];
        differences.push({ judge: 'footprint', entrypoint, input, other, wanted: texts[a], found: texts[b] });
      }
    }
    return { differences, pairs };
  };

  /** Says where the same rules, compiled otherwise or in another host, answer otherwise. */
  const openOthers = async (valid: readonly Placed[]) => {
    const flat = await compile(valid, { regrouping: 'none' });
    const usual = await compile(valid, {});
    const modules = { flat: await load(flat, valid), usual: await load(usual, valid) };
    const sdk: SdkHost = await openSdk(flat.wasm, dataOf(valid));
    const called = new Map(flat.entrypoints.map(({ path, builtins }) => [path, builtins]));
    const judgeOthers = async (one: Placed, found: ReadonlyMap<string, readonly Found[]>) => {
      const differences: Difference[] = [];
      let sdkAnswers = 0;
      for (const entrypoint of one.case.entrypoints) {
        const path = `${one.name}/${entrypoint}`;
        for (const [at, input] of one.case.inputs.entries()) {
          const wanted = found.get(entrypoint)?.[at]?.text;
          if (wanted === undefined) throw new Error(`${path} was not asked`);
          const wrong = (judge: Difference['judge'], given: string) =>
            differences.push({ judge, entrypoint, input, wanted, found: given });
          for (const [name, module] of Object.entries(modules)) {
            const text = await evaluated(module, path, input);
            if (text !== wanted) wrong(name as 'flat' | 'usual', text);
          }
          const text = isMisprinting(called.get(path) ?? []) ? undefined : sdk.answer(path, input);
          if (text === undefined) continue;
          sdkAnswers++;
          if (!isSdkSame(wanted, text)) wrong('sdk', text);
        }
      }
      return { differences, sdkAnswers };
    };
    const close = () => Promise.all(Object.values(modules).map((module) => module.close()));
    return { isUsual: isRegrouped(usual), judgeOthers, close };
  };

  /** Judges cases, compiled at once. */
  const judge = async (cases: readonly Case[]): Promise<readonly Judged[]> => {
    const { compiled, valid, invalid } = await compileValid(cases.map(placed));
    const nothing = {
      differences: [],
      answers: new Map(),
      isRegrouped: false,
      isUsual: false,
      hits: 0,
      pairs: 0,
      sdkAnswers: 0,
    };
    const judged = new Map<Case, Judged>(
      [...invalid].map(([one, why]) => [one, { ...nothing, case: one, invalid: why }]),
    );
    if (valid.length > 0) {
      const module = await load(compiled, valid);
      const decisions = served(module, compiled);
      const found = new Map<Placed, Awaited<ReturnType<typeof ours>>>();
      for (const one of valid) found.set(one, await ours(one, module, decisions));
      const fails = (one: Placed, rule: string, at: number): boolean =>
        found.get(one)?.found.get(rule)?.[at]?.text.startsWith('failed:') === true;
      const wanted = await wantedOf(valid, fails);
      const { isUsual, judgeOthers, close } = await openOthers(valid);
      const whole = { isRegrouped: isRegrouped(compiled), isUsual };
      for (const one of valid) {
        const own = found.get(one) as Awaited<ReturnType<typeof ours>>;
        const answers = wanted.get(one) ?? new Map();
        const { differences, pairs } = await judgeOne(one, compiled, own.found, answers);
        const others = await judgeOthers(one, own.found);
        judged.set(one.case, {
          ...whole,
          case: one.case,
          differences: [...differences, ...others.differences],
          answers,
          hits: own.hits,
          pairs,
          sdkAnswers: others.sdkAnswers,
        });
      }
      await close();
      await module.close();
    }
    return cases.map((one) => judged.get(one) as Judged);
  };

  return {
    judge,
    close: async () => {
      await engine.close();
      await toolchain.close();
    },
  };
};

export type Judge = ReturnType<typeof openJudge>;
