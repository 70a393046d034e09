import { EXIT, type ExitCode } from '../model.ts';
import { CliError, ServerError } from '../report.ts';
import { ExactJson, plain, warningText } from '../screen/screen.ts';
import { stepsText } from '../screen/steps.ts';
import type { Session } from '../session.ts';
import { exactJson, isExactObject } from '../sources/exact-json.ts';
import { askAdmin } from './admin.ts';
import { isExposed, namedToken } from './credentials.ts';
import { part, send, serverUrl } from './http.ts';

export interface Question {
  readonly query: string;
  /** JSON text. */
  readonly input?: string;
  readonly strictErrors: boolean;
}

/** `data.todo.allow` and `todo/allow` are the same path. */
const pathOf = (query: string): string[] => {
  const dotted = /^data((?:\.[A-Za-z_]\w*)*)$/.exec(query);
  if (dotted !== null) return (dotted[1] ?? '').split('.').filter((segment) => segment !== '');
  const segments = query.replace(/^\/+|\/+$/g, '').split('/');
  if (
    segments.some((segment) => segment === '' || segment === '.' || segment === '..' || /[\s"{}[\]()=]/.test(segment))
  ) {
    throw new CliError('USAGE', `a server answers paths such as todo/allow or data.todo.allow; not "${query}"`);
  }
  return segments;
};

/** Every path below /v1/data is answered by a decision listener: who says 404 is none. */
const notHere = (status: number): string =>
  status === 404 ? ' (eval asks a decision listener, such as http://127.0.0.1:8181)' : '';

const refusal = (status: number, text: string, source: string | undefined): ServerError => {
  const body = ((): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  })();
  if (!isExactObject(body)) {
    return new ServerError(
      'SERVER_ANSWER',
      `the server answered ${status}: ${text.trim().slice(0, 200)}${notHere(status)}`,
      {
        status,
        problems: [],
      },
    );
  }
  const { code, message = body.detail, errors } = body;
  const isToken = status === 401 && source !== undefined;
  const taken = isToken ? `; it was taken from ${source}` : '';
  const named = isToken ? 'UNAUTHENTICATED' : code;
  return new ServerError(
    typeof named === 'string' ? named : 'SERVER_ANSWER',
    `the server answered ${status}: ${typeof message === 'string' ? message : 'no message'}${taken}${notHere(status)}`,
    { status, problems: Array.isArray(errors) ? errors : [] },
  );
};

const answerText = (session: Session, text: string): string => {
  const answer = exactJson(text);
  if (!isExactObject(answer) || !Object.hasOwn(answer, 'result')) return session.screen.paint('yellow', 'undefined');
  return JSON.stringify(answer.result, undefined, 2);
};

/** What the server remarks about its own answer: a path that nobody provides, an input that is missing. */
const warningOf = (text: string): string | undefined => {
  const answer = exactJson(text);
  const warning = isExactObject(answer) ? answer.warning : undefined;
  return isExactObject(warning) && typeof warning.message === 'string' ? warning.message : undefined;
};

/** Asks a decision listener, as any service would, and shows what policy answered beside the answer. */
export const evaluateRemotely = async (session: Session, question: Question): Promise<ExitCode> => {
  const { globals, screen } = session;
  const server = serverUrl(globals.server ?? '');
  const url = new URL(`/v1/data/${pathOf(question.query).map(part).join('/')}`, server);
  if (question.strictErrors) url.searchParams.set('strict-builtin-errors', 'true');
  const { token, source } = (await namedToken(session)) ?? {};
  if (token !== undefined && isExposed(server))
    screen.warn(`verdict: the token goes to ${server.origin} unencrypted; use https`);
  const { status, text, headers } = await send(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    // As it was written: parsing it here could change a number.
    body: question.input === undefined ? '{}' : `{"input":${question.input}}`,
  });
  if (status !== 200) throw refusal(status, text, source);
  screen.result(new ExactJson(text), () => answerText(session, text));
  const warning = warningOf(text);
  if (warning !== undefined) screen.note(warningText(warning, screen.paintNote));
  const facts = ['verdict-decision-id', 'verdict-policy', 'verdict-cache'].map((name) => headers.get(name));
  screen.note(screen.paintNote('dim', plain(facts.filter((fact) => fact !== null).join('  '))));
  return EXIT.done;
};

/** Asks the admin API how what is active there comes to its answer; nothing is decided or recorded. */
export const explainRemotely = async (session: Session, question: Question, level: string): Promise<ExitCode> => {
  const { screen } = session;
  const facts = { path: pathOf(question.query).join('/'), explain: level, strictBuiltinErrors: question.strictErrors };
  const members = JSON.stringify(facts).slice(1, -1);
  const text = await askAdmin(session, {
    method: 'POST',
    path: '/v1/explain',
    body: Buffer.from(`{${members}${question.input === undefined ? '' : `,"input":${question.input}`}}`),
    contentType: 'application/json',
  });
  const answer = exactJson(text);
  const { trace, printed, steps, refused } = isExactObject(answer) ? answer : {};
  if (typeof refused === 'string')
    throw new ServerError('input_invalid', `no rule is asked: ${refused}`, { status: 200, problems: [] });
  if (steps !== undefined) screen.note(stepsText(screen.paintNote, steps));
  // An index leaves out rules that cannot hold: nothing of them fails, since nothing of them is tried.
  if (trace === '') screen.note(`the trace has nothing at the level ${level}; --explain full shows every step`);
  for (const said of [trace, printed]) if (typeof said === 'string' && said !== '') screen.note(plain(said));
  screen.result(new ExactJson(text), () => answerText(session, text));
  return EXIT.done;
};
