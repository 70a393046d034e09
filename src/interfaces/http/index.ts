// Decisions over HTTP: OPA's Data API (opa/) and AuthZEN (authzen/) without a framework. `listener.ts` is the way of
// a request, on what all wires share (interfaces/wire). Plain requests are read by a loop of our own (front/), all others
// by node:http.
export type { BuildVersion } from './exchange.ts';
export type { ListenerOptions } from './listener.ts';
export { createDecisionListener } from './listener.ts';
export type { DecisionServer } from './server.ts';
export { startDecisionServer } from './server.ts';
export type { HttpLimits, HttpSettings } from './settings.ts';
export { defaultHttpSettings, httpSchema } from './settings.ts';
