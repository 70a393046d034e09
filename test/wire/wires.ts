import { Client, credentials } from '@grpc/grpc-js';
import { CacheState } from '../../src/interfaces/grpc/gen/verdict/v1/decisions_pb.ts';
import { callDecide, json, resultOf } from '../support/decision-grpc.ts';
import type { Pdp, PdpAnswer } from '../support/pdp.ts';

export interface Said {
  readonly status: number;
  readonly decision: unknown;
  readonly reasons?: unknown;
  readonly cache: string | null;
}

/** Asks one question in the dialect of a wire. */
export type Ask = (input: unknown, fresh?: boolean) => Promise<Said>;

/** How a wire asks a bundle, and what it does not say. */
export interface Wire {
  readonly name: string;
  /** Its answer is the decision alone. */
  readonly isBare?: boolean;
  /** Inputs that are no AuthZEN requests are refused. */
  readonly isAuthzen?: boolean;
  open(pdp: Pdp, bundle: string): { readonly ask: Ask; close?(): void };
}

type Meaning = Pick<Said, 'decision' | 'reasons'>;

const ofResult = (value: unknown): Meaning => {
  const { allow, reasons } = value as { allow?: unknown; reasons?: unknown };
  return { decision: allow, reasons };
};

const ofEvaluation = (value: unknown): Meaning => {
  const { decision, context } = value as { decision?: boolean; context?: { reasons?: unknown } };
  return { decision, reasons: context?.reasons };
};

const ofV1 = (value: unknown): unknown => (value as { result?: unknown }).result;

const http =
  (path: (bundle: string) => string, body: (input: unknown) => unknown, read: (value: unknown) => Meaning) =>
  (pdp: Pdp, bundle: string) => ({
    ask: async (input: unknown, fresh = false): Promise<Said> => {
      const headers: { [name: string]: string } = fresh ? { 'cache-control': 'no-cache' } : {};
      const answer: PdpAnswer = await pdp.ask(path(bundle), body(input), headers);
      const said = answer.status === 200 ? read(answer.json) : { decision: undefined };
      return { status: answer.status, cache: answer.headers.get('verdict-cache'), ...said };
    },
  });

const whole = (input: unknown): unknown => input;
const wrapped = (input: unknown): unknown => ({ input });

const cacheOf = (state: CacheState | undefined): string | null =>
  Object.entries(CacheState)
    .find(([, value]) => value === state)?.[0]
    .toLowerCase() ?? null;

const grpc = (pdp: Pdp, bundle: string) => {
  const client = new Client(pdp.urls.grpc ?? '', credentials.createInsecure());
  return {
    ask: async (input: unknown, fresh = false): Promise<Said> => {
      const { decision } = await callDecide(client, {
        path: `${bundle}/decision`,
        input: json(JSON.stringify(input)),
        options: { bypassCache: fresh },
      });
      return { status: 200, cache: cacheOf(decision?.cache), ...ofResult(JSON.parse(resultOf(decision))) };
    },
    close: () => client.close(),
  };
};

export const wires: readonly Wire[] = [
  {
    name: 'OPA v1',
    open: http(
      (bundle) => `/v1/data/${bundle}/decision`,
      wrapped,
      (value) => ofResult(ofV1(value)),
    ),
  },
  {
    name: 'OPA v1, the bare boolean',
    isBare: true,
    open: http(
      (bundle) => `/v1/data/${bundle}/allow`,
      wrapped,
      (value) => ({ decision: ofV1(value) }),
    ),
  },
  { name: 'OPA v0', open: http((bundle) => `/v0/data/${bundle}/decision`, whole, ofResult) },
  {
    name: 'AuthZEN, the bundle named in the path',
    isAuthzen: true,
    open: http((bundle) => `/${bundle}/access/v1/evaluation`, whole, ofEvaluation),
  },
  { name: 'gRPC', open: grpc },
];

/** Asks the bundle that `authzen.bundle` names. */
export const unnamed: Wire = {
  name: 'AuthZEN',
  isAuthzen: true,
  open: http(() => '/access/v1/evaluation', whole, ofEvaluation),
};
