import { VerdictError } from '../../canonical/index.ts';
import type { DecisionErrorCode } from '../../decision/index.ts';

/** Why a request was refused before anything was decided. */
export type RequestErrorCode =
  | 'body_malformed'
  | 'body_too_large'
  | 'member_missing'
  | 'member_reserved'
  | 'path_invalid'
  | 'media_type_unsupported'
  | 'coding_unsupported'
  | 'header_repeated'
  | 'token_invalid'
  | 'host_refused'
  | 'origin_refused'
  | 'route_unknown'
  | 'method_not_allowed'
  | 'data_read_only'
  | 'not_offered'
  | 'internal'
  /** Not an answer to a request: the listener does not start on such an address. */
  | 'bind_refused';

/** A request that is not answered with a decision. The message may be shown to who asked. */
export class RequestError extends VerdictError<RequestErrorCode> {}

interface OpaError {
  readonly status: number;
  /** OPA's word in `code`. */
  readonly code: string;
  /** OPA's word in `errors[].code`, for what went wrong inside an evaluation. */
  readonly inner?: string;
}

const evaluation = (inner: string): { readonly opa: OpaError; readonly authzen: number } => ({
  opa: { status: 500, code: 'internal_error', inner },
  // A question that could not be answered is a refusal, with the reason beside it.
  authzen: 200,
});

/**
 * What each HTTP wire makes of a failed verdict; over gRPC it is an answer, with status OK and the code in the message.
 * docs/reference/errors.md shows this table.
 */
export const decisionErrors: {
  readonly [Code in DecisionErrorCode]: { readonly opa: OpaError; readonly authzen: number };
} = {
  budget_exceeded: evaluation('eval_cancel_error'),
  memory_exceeded: evaluation('eval_internal_error'),
  deadline_exceeded: evaluation('eval_cancel_error'),
  conflict: evaluation('eval_conflict_error'),
  builtin_error: evaluation('eval_builtin_error'),
  too_large: evaluation('eval_internal_error'),
  engine_error: evaluation('eval_internal_error'),
  input_invalid: { opa: { status: 400, code: 'invalid_parameter' }, authzen: 400 },
  audit_failed: { opa: { status: 500, code: 'internal_error' }, authzen: 500 },
  not_ready: { opa: { status: 500, code: 'internal_error' }, authzen: 500 },
  forbidden: { opa: { status: 403, code: 'forbidden' }, authzen: 403 },
};

/** What each wire makes of a refused request; `grpc` is absent where gRPC has no such request. */
interface RequestMapping {
  readonly status: number;
  readonly opa: string;
  readonly grpc?: 'INVALID_ARGUMENT' | 'UNAUTHENTICATED' | 'INTERNAL';
}

const malformed: RequestMapping = { status: 400, opa: 'invalid_parameter', grpc: 'INVALID_ARGUMENT' };
const malformedHttp: RequestMapping = { status: 400, opa: 'invalid_parameter' };

/** What each wire makes of a refused request. docs/reference/errors.md shows this table. */
export const requestErrors: { readonly [Code in RequestErrorCode]: RequestMapping } = {
  body_malformed: malformed,
  body_too_large: malformed,
  member_missing: malformed,
  member_reserved: malformed,
  path_invalid: malformed,
  media_type_unsupported: malformedHttp,
  coding_unsupported: malformedHttp,
  header_repeated: malformed,
  token_invalid: { status: 401, opa: 'unauthorized', grpc: 'UNAUTHENTICATED' },
  host_refused: { status: 403, opa: 'forbidden' },
  origin_refused: { status: 403, opa: 'forbidden' },
  route_unknown: { status: 404, opa: 'resource_not_found' },
  method_not_allowed: { status: 405, opa: 'invalid_operation' },
  data_read_only: { status: 400, opa: 'invalid_operation' },
  not_offered: { status: 501, opa: 'invalid_operation' },
  internal: { status: 500, opa: 'internal_error', grpc: 'INTERNAL' },
  bind_refused: { status: 500, opa: 'internal_error' },
};
