import { resultJson } from '../../src/engine/values/result-json.ts';
import type { RegoValue, Toolchain } from '../../src/rego/index.ts';
import { RegoError, RegoObject, regoFromJson, regoObject } from '../../src/rego/index.ts';
import { dataOf, type Placed } from './case.ts';

/** One rule of one case, asked about some of the case's inputs. */
export interface Question {
  readonly placed: Placed;
  readonly entrypoint: string;
  /** Places in the case's list of inputs: all of them absent ones, or none. */
  readonly inputs: readonly number[];
}

/** By question and place of the input: the answer's JSON, `undefined`, or `failed:` and OPA's word for it. */
export type Answers = ReadonlyMap<Question, ReadonlyMap<number, string>>;

const codeOf = (error: RegoError): string => {
  const code = error.problems[0]?.code ?? '';
  return `failed:${code === 'eval_conflict_error' ? 'conflict' : code}`;
};

const answerText = (found: RegoValue | undefined): string =>
  Array.isArray(found) && found.length === 1 ? resultJson(found[0] as RegoValue) : 'undefined';

const ruleOf = ({ placed, entrypoint }: Question): string => `data.${placed.name}.${entrypoint}`;

const inputsOf = ({ placed, inputs }: Question): RegoValue =>
  inputs.map((at) => regoFromJson(placed.case.inputs[at] ?? 'null'));

const sourcesOf = (questions: readonly Question[], extra: string) => {
  const all = [...new Set(questions.map(({ placed }) => placed))];
  const modules = [...all.map(({ module }) => module), { path: 'asked.rego', text: `package asked\n\n${extra}\n` }];
  return { modules, data: dataOf(all) };
};

/** OPA's interpreter, asked many questions at a time: what fails is halved until it stands alone. */
export const openInterpreter = (toolchain: Toolchain) => {
  /** One question about one input, as its only one: no `with`, no neighbour. */
  const alone = async (question: Question, at: number): Promise<string> => {
    const text = question.placed.case.inputs[at];
    const input = typeof text === 'string' ? { input: regoFromJson(text) } : {};
    try {
      const query = `x = ${ruleOf(question)}`;
      const { bindings } = await toolchain.evaluate(sourcesOf([question], 'none := 1'), query, input);
      const found = bindings[0]?.x;
      return found === undefined ? 'undefined' : resultJson(found);
    } catch (error) {
      if (error instanceof RegoError) return codeOf(error);
      throw error;
    }
  };

  const together = async (questions: readonly Question[], absent: boolean): Promise<Answers> => {
    const asked = questions.map((question, at) =>
      absent
        ? `q${at} := [[v | v := ${ruleOf(question)}]]`
        : `q${at} := [[v | v := ${ruleOf(question)} with input as one] | some one in input.q${at}]`,
    );
    const inputs = regoObject(questions.map((question, at) => [`q${at}`, inputsOf(question)]));
    const sources = sourcesOf(questions, asked.join('\n'));
    const { bindings } = await toolchain.evaluate(sources, 'x = data.asked', absent ? {} : { input: inputs });
    const all = bindings[0]?.x;
    return new Map(
      questions.map((question, at) => {
        const list = all instanceof RegoObject ? all.get(`q${at}`) : undefined;
        const answers = Array.isArray(list) ? (list as readonly RegoValue[]) : [];
        return [question, new Map(question.inputs.map((input, index) => [input, answerText(answers[index])]))];
      }),
    );
  };

  const answer = async (questions: readonly Question[], absent: boolean): Promise<Answers> => {
    if (questions.length === 0) return new Map();
    try {
      return await together(questions, absent);
    } catch (error) {
      if (!(error instanceof RegoError)) throw error;
    }
    const [only] = questions;
    if (questions.length === 1 && only !== undefined) {
      const found = new Map<number, string>();
      for (const at of only.inputs) found.set(at, await alone(only, at));
      return new Map([[only, found]]);
    }
    const half = questions.length >> 1;
    const first = await answer(questions.slice(0, half), absent);
    return new Map([...first, ...(await answer(questions.slice(half), absent))]);
  };

  return { alone, answer };
};

export type Interpreter = ReturnType<typeof openInterpreter>;
