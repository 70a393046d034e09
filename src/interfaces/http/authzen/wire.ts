import type { Reply, RequestFacts } from '../../../decision/index.ts';
import { rawKey } from '../../../decision/index.ts';
import type { CheckedDocument, CheckedJson } from '../../../engine/index.ts';
import { withoutMember } from '../../../engine/index.ts';
import { jsonLimits, RequestError, refusalOf } from '../../wire/index.ts';
import { readBody } from '../body.ts';
import type { Exchange, Service } from '../exchange.ts';
import { guarded, replying, unpacked } from '../exchange.ts';
import type { Route } from '../target.ts';
import { evaluateBatch, readBatch } from './batch.ts';
import { checkBody, checkEvaluation, spliceInput } from './input.ts';
import type { Place } from './place.ts';
import { placeOf } from './place.ts';
import { refuseAuthzen, replyEvaluation, replyEvaluations } from './reply.ts';

type AuthzenRoute = Extract<Route, { readonly kind: 'authzen' }>;

const JSON_TYPE = /^application\/json[\t ]*(?:;[\t ]*charset="?utf-8"?[\t ]*)?;?$/i;

const factsOf = (wire: RequestFacts['wire'], exchange: Exchange): RequestFacts => ({
  wire,
  caller: exchange.caller,
  requestedBy: exchange.requestedBy,
  trace: exchange.trace,
});

interface Single {
  readonly place: Place;
  readonly input: CheckedJson;
  readonly wire: RequestFacts['wire'];
  readonly key: string | undefined;
}

const replyTo = (service: Service, exchange: Exchange): Reply =>
  replying(service, exchange, refuseAuthzen, (answer) => replyEvaluation(service, exchange, answer));

const decideOne = (service: Service, exchange: Exchange, { place, input, wire, key }: Single): void => {
  const bypassCache = exchange.head.noCache;
  const known = key === undefined ? {} : { rawKey: key };
  service.decisions.decide(
    { ...factsOf(wire, exchange), ...place, input, strictErrors: false, bypassCache, ...known },
    replyTo(service, exchange),
  );
};

const NO_DEFAULTS = '{}';

const decideBatch = (service: Service, exchange: Exchange, place: Place, document: CheckedDocument): void => {
  const batch = readBatch(document, service);
  if (batch === undefined) {
    checkEvaluation(document);
    // Without evaluations the request stands for a single one: its input is what a batch would have as defaults.
    const none = checkBody(Buffer.from(NO_DEFAULTS), { bytes: 2, depth: 1, keys: 1 });
    const input = spliceInput(none, document);
    decideOne(service, exchange, { place, input, wire: 'authzen.evaluations', key: undefined });
    return;
  }
  evaluateBatch(service, exchange, place, batch).then(
    replying(service, exchange, refuseAuthzen, (results) => replyEvaluations(service, exchange, results)),
    (thrown) => refuseAuthzen(service, exchange, refusalOf(service, thrown)),
  );
};

const decideSingle = (service: Service, exchange: Exchange, place: Place, body: Buffer, key?: string): void => {
  const document = checkBody(body, jsonLimits(service.limits));
  checkEvaluation(document);
  const input = withoutMember(document, 'verdict');
  decideOne(service, exchange, { place, input, wire: 'authzen.evaluation', key });
};

const keyOf = (service: Service, exchange: Exchange, { path }: Place, body: Buffer): string | undefined => {
  const { noCache, contentType, contentCoding } = exchange.head;
  if (noCache || !service.decisions.cameBefore(body)) return undefined;
  const wire = 'authzen.evaluation';
  // The active set says which path answers, so the path is part of the question and the target is not.
  return rawKey({ wire, path: JSON.stringify(path), options: '', contentType, contentCoding, body });
};

/** POST [/{bundle}]/access/v1/evaluation and /evaluations. */
export const postAuthzen = (service: Service, exchange: Exchange, route: AuthzenRoute): void => {
  const onBody = guarded(service, exchange, refuseAuthzen, (body) => {
    if (!JSON_TYPE.test(exchange.head.contentType)) {
      throw new RequestError('media_type_unsupported', 'Content-Type: application/json is wanted');
    }
    const place = placeOf(service, exchange, route.bundle);
    const key = route.batch ? undefined : keyOf(service, exchange, place, body);
    const facts = factsOf('authzen.evaluation', exchange);
    if (key !== undefined && service.decisions.repeat(key, facts, replyTo(service, exchange), place.active)) return;
    unpacked(service, exchange, refuseAuthzen, body, (bytes) => {
      if (route.batch) decideBatch(service, exchange, place, checkBody(bytes, jsonLimits(service.limits)));
      else decideSingle(service, exchange, place, bytes, key);
    });
  });
  readBody(exchange.request, exchange.head.contentLength, service.limits.bodyBytes, onBody);
};
