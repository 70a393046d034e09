import { hint, nearestName } from '../../../canonical/index.ts';
import type { Answer, DecisionError, PolicyRef } from '../../../decision/index.ts';
import { goString } from '../../../decision/index.ts';
import type { RequestError } from '../../wire/index.ts';
import { decisionErrors, refText, requestErrors } from '../../wire/index.ts';
import type { BuildVersion, Exchange, Service } from '../exchange.ts';
import { decisionHeaders, refusalHeaders, send } from '../exchange.ts';
import { indentJson } from './indent.ts';

/** What the wire knows of a question beside its answer. */
export interface Asked {
  /** A POST whose body had no `input`. */
  readonly inputMissing: boolean;
  /** Nanoseconds that reading and checking the body took; absent when it was not read. */
  readonly parseNs?: number;
  /** OPA's `explanation`, where it was asked for and could be had. */
  readonly explanation?: readonly unknown[];
  /** It is only the beginning of OPA's. */
  readonly cut?: boolean;
  /** Why there is none although it was asked for. */
  readonly unexplained?: string;
  /** OPA's message of the conflict that ended the evaluation, values included: for who may see them. */
  readonly conflict?: string;
}

const JSON_TYPE = ['Content-Type', 'application/json'];

/** The default decision is the one answer that OPA does not compress. */
const isCompressible = ({ target: { route } }: Exchange): boolean =>
  route.kind === 'batch' || (route.kind === 'data' && route.wire !== 'opa.default');

export const typed = (exchange: Exchange): string[] =>
  isCompressible(exchange) ? [...JSON_TYPE, 'Vary', 'Accept-Encoding'] : [...JSON_TYPE];

/** An error body of OPA's: always indented. */
const errorText = (members: string): string => `${indentJson(`{${members}}`)}\n`;

const errorMembers = (code: string, message: string, inner?: string): string => {
  const head = `"code":${goString(code)},"message":${goString(message)}`;
  return inner === undefined ? head : `${head},"errors":[${inner}]`;
};

export const refuseOpa = (service: Service, exchange: Exchange, error: RequestError): void => {
  service.observer?.refused(error.code);
  const { status, opa } = requestErrors[error.code];
  send(
    service,
    exchange,
    status,
    [...typed(exchange), ...refusalHeaders(error)],
    errorText(errorMembers(opa, error.message)),
  );
};

/** The members of OPA's error body for a failed verdict. */
export const failureMembers = (error: DecisionError): string => {
  const { opa } = decisionErrors[error.code];
  if (opa.inner === undefined) return errorMembers(opa.code, error.message);
  const inner = `{"code":${goString(opa.inner)},"message":${goString(error.message)}}`;
  return errorMembers(opa.code, 'error(s) occurred while evaluating query', inner);
};

const provenance = (version: BuildVersion, policies: readonly PolicyRef[]): string => {
  const bundles = policies.map(({ name, revision }) => `${goString(name)}:{"revision":${goString(revision)}}`);
  return (
    `"provenance":{"version":${goString(version.version)},"build_commit":${goString(version.commit ?? '')},` +
    `"build_timestamp":${goString(version.timestamp ?? '')},"build_hostname":${goString(version.hostname ?? '')}` +
    `${bundles.length === 0 ? '' : `,"bundles":{${bundles.join(',')}}`}},`
  );
};

const metrics = (answer: Answer, exchange: Exchange, asked: Asked): string => {
  const timers = [
    `"counter_server_query_cache_hit":${answer.cache === 'hit' ? 1 : 0}`,
    asked.parseNs === undefined ? '' : `"timer_rego_input_parse_ns":${asked.parseNs}`,
    answer.evaluationNs === undefined ? '' : `"timer_rego_query_eval_ns":${answer.evaluationNs}`,
    `"timer_server_handler_ns":${Math.round((performance.now() - exchange.startedMs) * 1e6)}`,
  ];
  return `"metrics":{${timers.filter((timer) => timer !== '').join(',')}},`;
};

const INPUT_MISSING = "'input' key missing from the request";

/** One by one: a list of all would be made for every unknown path. */
function* entrypointsFor({ policy }: Service, bundles: readonly string[] | undefined): Iterable<string> {
  for (const { name, module } of policy.current.versions.values())
    if (bundles === undefined || bundles.includes(name)) yield* module.entrypoints;
}

/** The entrypoint that was probably meant, of the bundles that the caller may ask. */
const meant = (service: Service, { caller: { bundles } }: Exchange, path: readonly string[]): string => {
  const name = nearestName(path.join('/'), entrypointsFor(service, bundles));
  return hint(name === undefined ? undefined : refText(name.split('/')));
};

/** OPA has room for one warning: the first gives the code, and all say what they have to say. Empty where there is none. */
const warning = (
  service: Service,
  exchange: Exchange,
  answer: Answer,
  asked: Asked,
  path: readonly string[],
): string => {
  const found: [code: string, message: string][] = [];
  if (asked.inputMissing) found.push(['api_usage_warning', INPUT_MISSING]);
  if (answer.unknownPath)
    found.push([
      'unknown_path',
      `no active bundle answers ${refText(path)}: nothing stands there, or it is no entrypoint` +
        meant(service, exchange, path),
    ]);
  if (asked.unexplained !== undefined) found.push(['explain_unavailable', `no explanation: ${asked.unexplained}`]);
  if (asked.cut === true) found.push(['explanation_cut', 'the explanation is longer: this is its beginning']);
  const [first] = found;
  if (first === undefined) return '';
  const message = found.map(([, text]) => text).join('; ');
  return `,"warning":{"code":${goString(first[0])},"message":${goString(message)}}`;
};

/** The members of an answered question's envelope, in OPA's order. */
export const envelopeMembers = (
  service: Service,
  exchange: Exchange,
  answer: Answer,
  path: readonly string[],
  asked: Asked,
): string => {
  const { verdict } = answer;
  const { options } = exchange.target;
  let text = `"decision_id":"${answer.decisionId}",`;
  if (options.provenance) text += provenance(service.version, answer.policies);
  // Of an undefined document OPA has a full explanation alone.
  const explained = verdict.kind === 'decided' || options.explain === 'full' ? asked.explanation : undefined;
  if (explained !== undefined) text += `"explanation":${JSON.stringify(explained)},`;
  if (options.metrics) text += metrics(answer, exchange, asked);
  text = verdict.kind === 'decided' ? `${text}"result":${verdict.result}` : text.slice(0, -1);
  return text + warning(service, exchange, answer, asked, path);
};

const sendFailure = (service: Service, exchange: Exchange, headers: string[], error: DecisionError): void =>
  send(service, exchange, decisionErrors[error.code].opa.status, headers, errorText(failureMembers(error)));

/** POST and GET /v1/data: the envelope. */
export const replyV1 = (
  service: Service,
  exchange: Exchange,
  answer: Answer,
  path: readonly string[],
  asked: Asked,
): void => {
  const headers = [...typed(exchange), ...decisionHeaders(answer)];
  const { verdict } = answer;
  if (verdict.kind === 'failed') {
    const { conflict } = asked;
    sendFailure(
      service,
      exchange,
      headers,
      conflict === undefined ? verdict.error : { ...verdict.error, message: conflict },
    );
    return;
  }
  const text = `{${envelopeMembers(service, exchange, answer, path, asked)}}`;
  send(service, exchange, 200, headers, `${exchange.target.options.pretty ? indentJson(text) : text}\n`, true);
};

/** POST /v0/data and POST /: the bare value. */
export const replyV0 = (service: Service, exchange: Exchange, answer: Answer, path: readonly string[]): void => {
  const headers = [...typed(exchange), ...decisionHeaders(answer)];
  const { verdict } = answer;
  switch (verdict.kind) {
    case 'failed':
      sendFailure(service, exchange, headers, verdict.error);
      return;
    case 'undefined': {
      const what = answer.ruleAtPath ? 'document undefined' : 'document missing';
      send(service, exchange, 404, headers, errorText(errorMembers('undefined_document', `${what}: ${refText(path)}`)));
      return;
    }
    case 'decided': {
      const { pretty } = exchange.target.options;
      const text = pretty ? indentJson(verdict.result) : verdict.result;
      send(service, exchange, 200, headers, `${text}\n`, isCompressible(exchange));
    }
  }
};
