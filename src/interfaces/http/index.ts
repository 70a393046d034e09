// Decisions over HTTP: OPA's Data API (opa/) and AuthZEN (authzen/) on plain node:http. `listener.ts` is the way of a
// request, on what all wires share (interfaces/wire).
export type { BuildVersion } from './exchange.ts';
export type { ListenerOptions } from './listener.ts';
export { createDecisionListener } from './listener.ts';
export type { DecisionServer } from './server.ts';
export { startDecisionServer } from './server.ts';
export type { HttpLimits, HttpSettings } from './settings.ts';
export { defaultHttpSettings, httpSchema } from './settings.ts';
