import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { Metadata, status } from '@grpc/grpc-js';
import type { Answer, Query, RequestFacts } from '../../decision/index.ts';
import { rawKey } from '../../decision/index.ts';
import type { CheckedJson } from '../../engine/index.ts';
import type { WireService } from '../wire/index.ts';
import {
  batchBounds,
  batchOf,
  decideItem,
  inSlices,
  mergerOver,
  objectOf,
  peerText,
  RequestError,
  refusalOf,
  refuseReserved,
  requestErrors,
} from '../wire/index.ts';
import { decideBatchResponse, decideResponse } from './answer.ts';
import type { Questions, SentInput } from './request.ts';
import { checkInput, pathOf, readDecide, readDecideBatch } from './request.ts';
import { traceOf } from './trace.ts';

export type Call = ServerUnaryCall<Buffer, Buffer>;
export type Send = sendUnaryData<Buffer>;

const peerOf = (call: Call): string => {
  const peer = call.getPeer();
  const colon = peer.lastIndexOf(':');
  return colon < 0 ? '' : peerText(peer.slice(0, colon), Number(peer.slice(colon + 1)));
};

const factsOf = (service: WireService, call: Call, wire: RequestFacts['wire']): RequestFacts => {
  const [authorization, ...more] = call.metadata.get('authorization');
  if (more.length > 0) throw new RequestError('header_repeated', 'the metadata authorization came twice');
  const caller = service.callerOf(typeof authorization === 'string' ? authorization : '');
  return { wire, caller, requestedBy: peerOf(call), trace: traceOf(call) };
};

const refuse = (service: WireService, send: Send, thrown: unknown): void => {
  const { code, message } = refusalOf(service, thrown);
  service.observer?.refused(code);
  const metadata = new Metadata();
  metadata.set('verdict-error', code);
  send({ code: status[requestErrors[code].grpc ?? 'INTERNAL'], details: message, metadata });
};

/** What answers a call, for the log to call: whatever it throws there would end the process. */
const replying =
  <Given>(service: WireService, send: Send, bytesOf: (given: Given) => Buffer) =>
  (given: Given): void => {
    let bytes: Buffer;
    try {
      bytes = bytesOf(given);
    } catch (thrown) {
      refuse(service, send, thrown);
      return;
    }
    send(null, bytes);
  };

type Method = (service: WireService, request: Buffer, facts: RequestFacts, send: Send) => void;

/** A method whose every failure is a refusal: nothing is thrown into the event loop. */
const method =
  (wire: RequestFacts['wire'], answer: Method) =>
  (service: WireService, call: Call, send: Send): void => {
    try {
      answer(service, call.request, factsOf(service, call, wire), send);
    } catch (thrown) {
      refuse(service, send, thrown);
    }
  };

/** `Decide`: one question, answered from memory by the bytes of its request where these came before. */
export const decide = method('verdict.decide', (service, request, facts, send) => {
  const { decisions, limits } = service;
  const { path, input: sent, options } = readDecide(request);
  const { strictErrors, bypassCache, resultAsValue } = options;
  const reply = replying(service, send, (answer: Answer) => decideResponse(answer, resultAsValue));
  const parts = { wire: facts.wire, path: '', options: '', contentType: '', contentCoding: '', body: request };
  const key = !bypassCache && decisions.cameBefore(request) ? rawKey(parts) : undefined;
  if (key !== undefined && decisions.repeat(key, facts, reply)) return;
  const segments = pathOf(path, limits);
  const input = checkInput(sent, limits, 'input');
  if (input !== undefined) refuseReserved(input);
  const query: Query = {
    ...facts,
    path: segments,
    ...(input === undefined ? {} : { input }),
    strictErrors,
    bypassCache,
    ...(key === undefined ? {} : { rawKey: key }),
  };
  decisions.decide(query, reply);
});

type Read = (sent: SentInput, at: string) => CheckedJson | undefined;

const member = (name: string, value: CheckedJson): Uint8Array => Buffer.concat([Buffer.from(`"${name}":`), value]);

const memberOf = (read: Read, name: string, sent: SentInput, at: string): Uint8Array => {
  const value = read(sent, at);
  if (value === undefined) throw new RequestError('member_missing', `${at}: required, and missing`);
  return member(name, value);
};

/** The inputs of a batch's questions, in order; checked, bounded. Throws RequestError with the place. */
const inputsOf = (service: WireService, questions: Questions): readonly (CheckedJson | undefined)[] => {
  const { limits } = service;
  const read: Read = (sent, at) => checkInput(sent, limits, at);
  const bounds = batchBounds(limits, questions.kind);
  const bounded = (input: CheckedJson | undefined): CheckedJson | undefined => {
    bounds.input(input);
    if (input !== undefined) refuseReserved(input);
    return input;
  };
  if (questions.kind === 'variants') {
    bounds.items(questions.variants.length);
    const merge = mergerOver(read(questions.common, 'variants.common'));
    return questions.variants.map((sent, index) => bounded(merge(read(sent, `variants.variants[${index}]`))));
  }
  const { subject, actions, resources, context } = questions;
  bounds.items(actions.length * resources.length);
  const first = memberOf(read, 'subject', subject, 'matrix.subject');
  const last = context.kind === undefined ? [] : [memberOf(read, 'context', context, 'matrix.context')];
  const of = (name: string, list: string, all: readonly SentInput[]): readonly Uint8Array[] =>
    all.map((sent, index) => memberOf(read, name, sent, `matrix.${list}[${index}]`));
  const ofResources = of('resource', 'resources', resources);
  return of('action', 'actions', actions).flatMap((action) =>
    ofResources.map((resource) => bounded(objectOf([first, action, resource, ...last]))),
  );
};

/** `DecideBatch`: all its questions are answered by what is active when it comes. */
export const decideBatch = method('verdict.batch', (service, request, facts, send) => {
  const { path, questions, options } = readDecideBatch(request);
  const { strictErrors, bypassCache, resultAsValue } = options;
  const batch = batchOf(service.limits);
  const common = {
    ...facts,
    ...batch,
    active: service.policy.current,
    path: pathOf(path, service.limits),
    strictErrors,
    bypassCache,
  };
  const inputs = inputsOf(service, questions);
  const answered = inSlices(inputs, (input) =>
    decideItem(service, { ...common, ...(input === undefined ? {} : { input }) }),
  );
  answered.then(
    replying(service, send, (answers) => decideBatchResponse(batch.batchId, answers, resultAsValue)),
    (thrown) => refuse(service, send, thrown),
  );
});
