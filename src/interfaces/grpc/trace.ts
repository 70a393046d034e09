import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import type { TraceContext } from '../../canonical/index.ts';
import { parseTraceparent } from '../../canonical/index.ts';
import type { WireService } from '../wire/index.ts';

type Call = ServerUnaryCall<Buffer, Buffer>;
type Send = sendUnaryData<Buffer>;
type Handle = (service: WireService, call: Call, send: Send) => void;

const traces = new WeakMap<Call, TraceContext>();

/** Where a call stands in a trace: in the span that was made for it, else in what it came with. */
export const traceOf = (call: Call): TraceContext | undefined => traces.get(call);

/** A handler whose calls stand in a trace; `method` is the full name: `verdict.v1.Decisions/Decide`. */
export const traced =
  (service: WireService, method: string, handle: Handle) =>
  (call: Call, send: Send): void => {
    const [sent, ...more] = call.metadata.get('traceparent');
    const parent = typeof sent === 'string' && more.length === 0 ? parseTraceparent(sent) : undefined;
    const span = service.tracer?.start({ protocol: 'grpc', method, route: method, parent });
    const trace = span?.context ?? parent;
    if (trace !== undefined) traces.set(call, trace);
    if (span === undefined) {
      handle(service, call, send);
      return;
    }
    handle(service, call, (error, ...answer) => {
      span.end(status[error?.code ?? status.OK]);
      send(error, ...answer);
    });
  };
