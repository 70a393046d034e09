import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { post, type Received } from '../../test/load/client.ts';
import { batchInput, type Evaluated, inputOf } from '../scenario.ts';
import type { GrpcRequest } from './grpc-load.ts';
import type { Asked, Told } from './lane.ts';
import { membersOf, message, nested, text } from './protobuf.ts';

/** POST /v1/data/{path}, or AuthZEN's evaluations for a batch. */
export const httpRequest = (scenario: Evaluated, asked: Asked): Buffer => {
  const [question] = asked.questions;
  return asked.isBatch || question === undefined
    ? post(`/${scenario.name}/access/v1/evaluations`, JSON.stringify(batchInput(scenario, asked.questions)))
    : post(`/v1/data/${scenario.name}/allow`, JSON.stringify({ input: inputOf(scenario, question) }));
};

export const readHttp = ({ head, body }: Received, { isBatch }: Asked): Told => {
  const cache = /\r\nverdict-cache: (\w+)/i.exec(head)?.[1];
  const told = JSON.parse(body) as { result: boolean; evaluations: readonly { readonly decision: boolean }[] };
  return {
    permits: isBatch ? told.evaluations.map(({ decision }) => decision) : [told.result],
    ...(cache === undefined ? {} : { cache }),
  };
};

/** verdict.v1.Input as JSON text. */
const input = (to: BinaryWriter, field: number, json: object): void =>
  message(to, field, (inner) => text(inner, 2, JSON.stringify(json)));

/** verdict.v1.DecideRequest, or DecideBatchRequest for a batch. */
export const grpcRequest = (scenario: Evaluated, asked: Asked): GrpcRequest => {
  const [question] = asked.questions;
  const to = new BinaryWriter();
  text(to, 1, `${scenario.name}/allow`);
  if (!asked.isBatch && question !== undefined) {
    input(to, 2, inputOf(scenario, question));
    return { path: '/verdict.v1.Decisions/Decide', message: Buffer.from(to.finish()) };
  }
  const { evaluations, ...common } = batchInput(scenario, asked.questions);
  message(to, 2, (variants) => {
    input(variants, 1, common);
    for (const item of evaluations) input(variants, 2, item);
  });
  return { path: '/verdict.v1.Decisions/DecideBatch', message: Buffer.from(to.finish()) };
};

/** verdict.v1.CacheState. */
const states = ['unspecified', 'hit', 'miss', 'bypass', 'uncacheable'];

const numberOf = (bytes: Uint8Array, wanted: number): number =>
  membersOf(bytes).reduce((last, [field, value]) => (field === wanted && typeof value === 'number' ? value : last), 0);

/** verdict.v1.DecideResponse, or DecideBatchResponse for a batch. */
export const readGrpc = (response: Uint8Array, { isBatch }: Asked): Told => {
  const decisions = nested(response, isBatch ? 2 : 1);
  const cache = isBatch ? undefined : states[numberOf(decisions[0] ?? new Uint8Array(), 6)];
  return {
    permits: decisions.map((decision) => nested(decision, 2).some((decided) => numberOf(decided, 3) === 1)),
    ...(cache === undefined ? {} : { cache }),
  };
};
