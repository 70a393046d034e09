import { ServerInterceptingCall, type ServerInterceptor, ServerListenerBuilder, status } from '@grpc/grpc-js';

/**
 * Ends calls whose one request does not come whole in time: whoever sends half a message would otherwise keep it, and its
 * stream, for as long as the connection lives. Streams of requests are for their methods to end.
 */
export const patience =
  (seconds: number): ServerInterceptor =>
  ({ requestStream }, call) => {
    if (requestStream) return new ServerInterceptingCall(call);
    let late: NodeJS.Timeout | undefined;
    const enough = (): void => clearTimeout(late);
    const listener = new ServerListenerBuilder()
      .withOnReceiveHalfClose((next) => {
        enough();
        next();
      })
      .withOnCancel(enough)
      .build();
    return new ServerInterceptingCall(call, {
      start: (next) => {
        const details = `the request did not come whole within ${seconds} seconds`;
        late = setTimeout(() => call.sendStatus({ code: status.DEADLINE_EXCEEDED, details }), seconds * 1000);
        late.unref();
        next(listener);
      },
    });
  };
