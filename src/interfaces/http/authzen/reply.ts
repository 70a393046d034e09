import type { Answer, DecisionError } from '../../../decision/index.ts';
import { goString } from '../../../decision/index.ts';
import type { RequestError } from '../../wire/index.ts';
import { decisionErrors, requestErrors } from '../../wire/index.ts';
import type { Exchange, Service } from '../exchange.ts';
import { batchHeaders, decisionHeaders, refusalHeaders, send } from '../exchange.ts';

const titles: { readonly [status: number]: string } = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  500: 'Internal Server Error',
  501: 'Not Implemented',
};

// What a log line or a terminal would take for more than text stays out, and so does what is longer than an id.
const SAFE_ID = /^[\x21-\x7e]{1,256}$/;

export const typed = (type: string, exchange: Exchange): string[] => {
  const { requestId } = exchange.head;
  return SAFE_ID.test(requestId) ? ['Content-Type', type, 'X-Request-ID', requestId] : ['Content-Type', type];
};

const problem = (status: number, code: string, detail: string): string =>
  `{"type":"about:blank","title":${goString(titles[status] ?? 'Error')},"status":${status},` +
  `"code":${goString(code)},"detail":${goString(detail)}}\n`;

export const refuseAuthzen = (service: Service, exchange: Exchange, error: RequestError): void => {
  service.observer?.refused(error.code);
  const { status } = requestErrors[error.code];
  const headers = [...typed('application/problem+json', exchange), ...refusalHeaders(error)];
  if (status === 405) headers.push('Allow', exchange.target.route.kind === 'metadata' ? 'GET' : 'POST');
  send(service, exchange, status, headers, problem(status, error.code, error.message));
};

/** One evaluation as the standard words it; reasons and obligations only where they are wanted. */
const decisionText = (answer: Answer, withContext: boolean): string => {
  const { verdict, outcome } = answer;
  if (verdict.kind === 'failed') {
    const { code, message } = verdict.error;
    const { authzen } = decisionErrors[code];
    return refusalText(authzen === 200 ? 500 : authzen, message);
  }
  const context = withContext && answer.context !== undefined ? `,"context":${answer.context}` : '';
  return `{"decision":${outcome === 'permit'}${context}}`;
};

/** An evaluation of a batch that could not be made: a refusal that says why. */
export const refusalText = (status: number, message: string): string =>
  `{"decision":false,"context":{"error":{"status":${status},"message":${goString(message)}}}}`;

/** POST evaluation. */
export const replyEvaluation = (service: Service, exchange: Exchange, answer: Answer): void => {
  const { verdict } = answer;
  const status = verdict.kind === 'failed' ? decisionErrors[verdict.error.code].authzen : 200;
  if (verdict.kind === 'failed' && status !== 200) {
    const headers = [...typed('application/problem+json', exchange), ...decisionHeaders(answer)];
    send(service, exchange, status, headers, problem(status, verdict.error.code, verdict.error.message));
    return;
  }
  const headers = [...typed('application/json', exchange), ...decisionHeaders(answer)];
  send(service, exchange, 200, headers, `${decisionText(answer, true)}\n`);
};

/** What became of one evaluation of a batch: an answer, or the refusal of an item that is not complete. */
export type ItemResult = { readonly answer: Answer } | { readonly error: RequestError };

export const isPermit = (result: ItemResult): boolean => 'answer' in result && result.answer.outcome === 'permit';

const itemText = (result: ItemResult): string =>
  'answer' in result
    ? decisionText(result.answer, false)
    : refusalText(requestErrors[result.error.code].status, result.error.message);

const answersOf = (results: readonly ItemResult[]): Answer[] =>
  results.flatMap((result) => ('answer' in result ? [result.answer] : []));

/** The status of a batch of which nothing could be evaluated or recorded, and why; undefined otherwise. */
const wholeFailure = (results: readonly ItemResult[]): readonly [number, string, string] | undefined => {
  const all = answersOf(results).map(({ verdict }) => (verdict.kind === 'failed' ? verdict.error : undefined));
  const [first] = all;
  if (first === undefined || all.length !== results.length) return undefined;
  // What is wrong with an item's input is said of the item.
  const isWhole = ({ code }: DecisionError): boolean =>
    code !== 'input_invalid' && decisionErrors[code].authzen !== 200;
  const same = all.every((error) => error !== undefined && isWhole(error));
  return same ? [decisionErrors[first.code].authzen, first.code, first.message] : undefined;
};

const headersOf = (results: readonly ItemResult[]): string[] => {
  const answers = answersOf(results);
  return batchHeaders(answers, answers.length === results.length);
};

/** POST evaluations: the items' results, in their order. */
export const replyEvaluations = (service: Service, exchange: Exchange, results: readonly ItemResult[]): void => {
  const failure = wholeFailure(results);
  if (failure !== undefined) {
    const headers = [...typed('application/problem+json', exchange), ...headersOf(results)];
    send(service, exchange, failure[0], headers, problem(...failure));
    return;
  }
  const headers = [...typed('application/json', exchange), ...headersOf(results)];
  send(service, exchange, 200, headers, `{"evaluations":[${results.map(itemText).join(',')}]}\n`, true);
};
