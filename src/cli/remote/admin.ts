import { CliError, ServerError } from '../report.ts';
import { plain } from '../screen/screen.ts';
import type { Session } from '../session.ts';
import { type Credential, findToken, isExposed } from './credentials.ts';
import { send, serverUrl } from './http.ts';

export interface AdminRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below the server's address; parts from outside are encoded by the caller. */
  readonly path: string;
  readonly json?: unknown;
  readonly body?: Uint8Array;
  readonly contentType?: string;
}

const configuredUrl = async (session: Session): Promise<URL> => {
  const { host, port } = (await session.config()).server.admin;
  return new URL(`http://${host.includes(':') ? `[${host}]` : host}:${port}`);
};

const ELSEWHERE =
  'this address answers decisions, not the admin API: --server (or VERDICT_SERVER) has to name the admin address, such as http://127.0.0.1:8282';

/** OPA's plain answer to a path that it does not have, which decision listeners give. */
const isDecisionListener = (status: number, text: string): boolean =>
  status === 404 && text.startsWith('404 page not found');

/** What a problem document says, as an error. */
export const refusal = (status: number, text: string, source: string): ServerError => {
  try {
    const problem = JSON.parse(text) as { code?: unknown; detail?: unknown; title?: unknown; problems?: unknown };
    const said = problem.detail ?? problem.title;
    // Never the token itself: which of several places it was taken from is what one needs to know.
    const taken = problem.code === 'UNAUTHENTICATED' ? `; it was taken from ${source}` : '';
    return new ServerError(
      typeof problem.code === 'string' ? problem.code : 'SERVER_ANSWER',
      typeof said === 'string' ? `${said}${taken}` : `the server answered ${status}`,
      { status, problems: Array.isArray(problem.problems) ? problem.problems : [] },
    );
  } catch {
    const said = plain(text.trim().slice(0, 200));
    const message = isDecisionListener(status, text) ? ELSEWHERE : `the server answered ${status}: ${said}`;
    return new ServerError('SERVER_ANSWER', message, { status, problems: [] });
  }
};

/** Where the admin API is, and the token for it. */
export const findAdmin = async (session: Session): Promise<Credential & { readonly server: URL }> => {
  const configured = await configuredUrl(session);
  const named = session.globals.server ?? session.host.env.VERDICT_SERVER;
  const server = named ? serverUrl(named) : configured;
  const credential = await findToken(session, server, configured);
  if (isExposed(server)) session.screen.warn(`verdict: the token goes to ${server.origin} unencrypted; use https`);
  return { server, ...credential };
};

/** Asks the admin API; gives the JSON text of the answer, or throws what the server's problem document says. */
export const askAdmin = async (session: Session, request: AdminRequest): Promise<string> => {
  const { server, token, source } = await findAdmin(session);
  const body = request.json === undefined ? request.body : JSON.stringify(request.json);
  const contentType = request.json === undefined ? request.contentType : 'application/json';
  const { status, text } = await send(new URL(request.path, server), {
    method: request.method,
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/json',
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
    },
    ...(body === undefined ? {} : { body: body as BodyInit }),
  });
  if (status < 200 || status > 299) throw refusal(status, text, source);
  return text;
};

/** As askAdmin, parsed; `fits` says whether the answer has the form that the command is about to read. */
export const askAdminFor = async <Answer>(
  session: Session,
  request: AdminRequest,
  fits: (value: unknown) => value is Answer,
): Promise<Answer> => {
  const text = await askAdmin(session, request);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (!fits(value))
    throw new CliError(
      'SERVER_ANSWER',
      `the server's answer to ${request.method} ${request.path} is not what this version of verdict reads`,
    );
  return value;
};
